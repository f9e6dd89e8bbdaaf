use super::*;
use crate::outcome::{FailureCode, FailureType};
use crate::report::MESSAGE_LIMIT;
use crate::report::model::fail;

fn mask(secrets: &[&str]) -> Mask {
    let mut mask = Mask::new();
    mask.add(secrets.iter().copied());
    mask
}

fn message_of(report: &Report) -> &str {
    match report {
        Report::Failure { message, .. } => message,
        Report::Success { .. } | Report::Progress { .. } => panic!("{report:?}"),
    }
}

#[test]
fn what_does_not_show_is_in_no_part_of_a_report() {
    let odd = "a\u{1b}[31mb\u{7}\u{8}c\u{202e}d\u{200b}e\u{85}\u{9b}0mf".to_owned();
    let mask = mask(&[]);
    let success = Report::Success {
        summary: odd.clone(),
        external_id: odd.clone(),
        variables: vec![("Image", odd.clone()), (CHANGES, odd.clone())],
    };
    let Report::Success {
        summary,
        external_id,
        variables,
    } = success.hide(&mask)
    else {
        panic!("it is a success")
    };
    let texts = variables
        .iter()
        .map(|(_, value)| value)
        .chain([&summary, &external_id]);
    assert!(
        texts.into_iter().all(|text| text == "abcde f"),
        "{variables:?}"
    );
    let failure = fail(
        FailureCode::Bug,
        FailureType::JobFailed,
        &odd,
        std::slice::from_ref(&odd),
        &odd,
    );
    assert_eq!(
        message_of(&failure.hide(&mask)),
        "abcde f\n\nabcde f\n\nabcde f See docs/operations.md, bug."
    );
}

#[test]
fn a_mask_covers_every_text_but_names() {
    let mask = mask(&["s3cret"]);
    let reports = [
        Report::Success {
            summary: "s3cret".into(),
            external_id: "shop/s3cret@1".into(),
            variables: vec![("Image", "s3cret".into())],
        },
        Report::Progress {
            token: "s3cret".into(),
            summary: "s3cret".into(),
            percent: 5,
        },
        Report::Failure {
            code: FailureCode::Bug,
            failure_type: FailureType::JobFailed,
            message: "s3cret".into(),
        },
    ];
    let [success, progress, failure] = reports.map(|report| report.hide(&mask));
    assert_eq!(
        success,
        Report::Success {
            summary: "[hidden]".into(),
            external_id: "shop/s3cret@1".into(),
            variables: vec![("Image", "s3cret".into())],
        }
    );
    assert_eq!(
        progress,
        Report::Progress {
            token: "s3cret".into(),
            summary: "[hidden]".into(),
            percent: 5,
        }
    );
    assert_eq!(message_of(&failure), "[hidden]");
}

#[test]
fn hiding_makes_no_report_too_long() {
    let mask = mask(&["12345"]);
    let many = "12345 ".repeat(1000);
    let summary = clip(&many, SUMMARY_LIMIT);
    let progress = Report::Progress {
        token: String::new(),
        summary: summary.clone(),
        percent: 0,
    }
    .hide(&mask);
    let success = Report::Success {
        summary,
        external_id: String::new(),
        variables: Vec::new(),
    }
    .hide(&mask);
    for report in [progress, success] {
        let (Report::Progress { summary, .. } | Report::Success { summary, .. }) = report else {
            panic!("it is a failure")
        };
        assert!(summary.len() <= SUMMARY_LIMIT, "{}", summary.len());
    }
    let failure = fail(
        FailureCode::Bug,
        FailureType::JobFailed,
        "first 12345",
        &[many],
        "last 12345",
    )
    .hide(&mask);
    let message = message_of(&failure);
    assert!(message.len() <= MESSAGE_LIMIT, "{}", message.len());
    assert!(
        message.starts_with("first [hidden]\n\n[hidden] "),
        "{message}"
    );
    assert!(message.contains("…\n\nlast [hidden] See "), "{message}");
    assert!(!message.contains("12345"));
}
