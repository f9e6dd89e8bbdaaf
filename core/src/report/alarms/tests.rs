use super::*;
use crate::alarm::AlarmState;
use crate::outcome::{CredentialSource, ParameterPlace};
use crate::report::{self, MESSAGE_LIMIT};
use crate::request::Request;
use crate::strategy::causes::RolloutFailure;
use crate::strategy::{Failure, RollbackResult, Version};
use crate::tests::{self, at};
use serde_json::{Value, json};

fn request(more: Value) -> Request {
    let mut fields = json!({"deployment": "web", "namespace": "shop", "images": {"app": "app:2"},
        "alarms": ["5xx", "latency"], "bake": "2m"});
    tests::merge(&mut fields, &more);
    tests::request("job-1", &fields)
}

fn alarm(name: &str, state: AlarmState) -> Alarm {
    Alarm {
        name: name.into(),
        state,
        transitioned: Some(at(60)),
        reason: "Threshold Crossed: 1 datapoint [7.0] was greater than the threshold (5.0).".into(),
        arn: Some("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:5xx".into()),
        window: Some(Duration::from_secs(60)),
    }
}

fn rung() -> Ring {
    Ring::of(&alarm("5xx", AlarmState::Ringing))
}

/// A guard that has read these alarms, before the deploy and then.
fn guard(first: [AlarmState; 2], then: [AlarmState; 2]) -> Guard {
    let names = ["5xx".to_owned(), "latency".to_owned()];
    let mut guard = Guard::default();
    for (states, seconds) in [(first, 100), (then, 200)] {
        let alarms = names.iter().zip(states);
        let alarms = alarms.map(|(name, state)| alarm(name, state)).collect();
        guard.read(&names, Ok(alarms), at(seconds));
    }
    guard
}

fn told(failure: Failure) -> String {
    let source = CredentialSource::Parameter(ParameterPlace::default());
    let Report::Failure {
        message,
        failure_type,
        ..
    } = report::failure(&request(json!({})), &failure, &source)
    else {
        panic!("it failed")
    };
    assert!(message.len() <= MESSAGE_LIMIT);
    format!("{}\n{message}", failure_type.name())
}

fn ended(judgement: Judgement) -> String {
    told(Failure::Rollout {
        failure: Box::new(RolloutFailure::of(RolloutCause::Alarms(judgement))),
        rollback_result: RollbackResult::RolledBack(Version {
            revision: 3,
            image: "app:1".into(),
        }),
    })
}

#[test]
fn why_an_alarm_ended_a_deploy() {
    let message = ended(Judgement::Rang(rung()));
    for part in [
        "JobFailed\nThe deploy of Deployment `web` in `shop` failed: CloudWatch alarm `5xx` is in \
         ALARM since 2026-01-01T00:01:00Z: Threshold Crossed: 1 datapoint [7.0] was greater than \
         the threshold (5.0).\n",
        "The graph of `5xx`: https://eu-central-1.console.aws.amazon.com/",
        "Rolled back: revision 3 (app:1) serves again.",
        "operations.md",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let over = ended(Judgement::Rang(Ring {
        is_over: true,
        ..rung()
    }));
    assert!(
        over.contains("`5xx` was not OK during the deploy, and came back to it at"),
        "{over}"
    );
    let lost = ended(Judgement::Unreadable(
        at(30),
        AlarmsError::Missing(vec!["5xx".into()]),
    ));
    let words = "SystemUnavailable\nThe deploy of Deployment `web` in `shop` failed: its \
        CloudWatch alarms could not be read since 2026-01-01T00:00:30Z: there is no `5xx` any \
        more.";
    assert!(lost.starts_with(words), "{lost}");
}

#[test]
fn why_a_deploy_did_not_begin() {
    let ringing = told(Failure::Ringing(Box::new(rung()), None));
    let words = "JobFailed\nDeployment `web` in `shop` was not changed: CloudWatch alarm `5xx` is \
        in ALARM since";
    assert!(ringing.starts_with(words), "{ringing}");
    assert!(ringing.contains("\"ringing\": \"ignore\""), "{ringing}");
    assert!(!ringing.contains("share"), "{ringing}");
    let ended = told(Failure::Ringing(Box::new(rung()), Some("run-1".into())));
    let words = "execution `run-1` died with a share of the traffic, which was taken back first";
    assert!(ended.contains(words), "{ended}");
    let denied = told(Failure::AlarmsUnreadable(AlarmsError::Denied("no".into())));
    assert!(denied.starts_with("PermissionError\n"), "{denied}");
    assert!(
        denied.contains("grant `cloudwatch:DescribeAlarms` on `*`"),
        "{denied}"
    );
    let lost = told(Failure::AlarmsUnreadable(AlarmsError::Throttled));
    assert!(lost.starts_with("SystemUnavailable\n"), "{lost}");
    assert!(!lost.contains("grant"), "{lost}");
}

#[test]
fn a_name_in_a_message_is_one_line_of_bounded_length() {
    let ring = Ring {
        name: format!("a\nb{}", "x".repeat(300)),
        reason: "y".repeat(3000),
        ..rung()
    };
    let message = rang(&ring);
    assert!(!message.contains('\n') && message.len() < 700, "{message}");
}

#[test]
fn what_the_alarms_said_of_a_deploy_that_worked() {
    use AlarmState::{NoData, Ok, Ringing};
    let of = |guard: &Guard, wrote| judged_well(request(json!({})).watch(), guard, wrote);
    let quiet = guard([Ok, Ok], [Ok, Ok]);
    assert_eq!(
        of(&quiet, true),
        " Its alarms `5xx` and `latency` did not ring."
    );
    // Nothing was to be guarded.
    assert_eq!(of(&quiet, false), "");
    let mut none = request(json!({}));
    none.alarms = None;
    assert_eq!(judged_well(none.watch(), &quiet, true), "");
    assert_eq!(
        of(&guard([Ringing, NoData], [Ringing, NoData]), true),
        " `5xx` rings since before the deploy, so it judged nothing. `latency` has too little \
         data (INSUFFICIENT_DATA), so it judged nothing."
    );
    // It rang when nothing could be taken back any more.
    let late = of(&guard([Ok, Ok], [Ringing, Ok]), true);
    assert!(
        late.starts_with(
            " Its alarm `latency` did not ring. CloudWatch alarm `5xx` is in ALARM since"
        ),
        "{late}"
    );
    assert!(
        late.ends_with(
            ". By then the previous version was being taken away, so nothing was taken back."
        ),
        "{late}"
    );
    let mut throttled = guard([Ok, Ok], [Ok, Ok]);
    throttled.read(&["5xx".into()], Err(AlarmsError::Throttled), at(300));
    let said = of(&throttled, true);
    assert!(
        said.ends_with("is unknown: CloudWatch throttles this account's requests."),
        "{said}"
    );
}

#[test]
fn a_plan_says_what_would_be() {
    use AlarmState::{Ok, Ringing};
    let quiet = guard([Ok, Ok], [Ok, Ok]);
    let refused = Beginning::Refused;
    assert_eq!(planned(request(json!({})).watch(), &quiet, refused), "");
    let short = planned(request(json!({"bake": "30s"})).watch(), &quiet, refused);
    assert!(
        short.contains("`5xx` needs 1 min of bad data to ring"),
        "{short}"
    );
    let ringing = guard([Ringing, Ok], [Ringing, Ok]);
    for (beginning, told) in [
        (refused, "so a deploy would be refused now."),
        (
            Beginning::Return,
            "would not hold it up, because this version served before.",
        ),
        (
            Beginning::Unneeded,
            "which refuses no deploy that changes nothing.",
        ),
    ] {
        let said = planned(request(json!({})).watch(), &ringing, beginning);
        assert!(said.contains(told), "{said}");
    }
    let mut fix = request(json!({}));
    fix.alarms.as_mut().unwrap().ignores_ringing = true;
    let ignored = planned(fix.watch(), &ringing, refused);
    assert!(
        ignored.contains("so it would count only when it rings anew."),
        "{ignored}"
    );
}

#[test]
fn a_share_that_is_too_short_for_an_alarm_is_pointed_out() {
    use AlarmState::Ok;
    let quiet = guard([Ok, Ok], [Ok, Ok]);
    let canary = |steps: Value| {
        let fields = json!({"strategy": "canary", "service": "web", "steps": steps});
        planned(request(fields).watch(), &quiet, Beginning::Refused)
    };
    assert_eq!(canary(json!([10, 50])), "");
    let said = canary(json!([{"weight": 10, "bake": "2m"}, {"weight": 50, "bake": "30s"}]));
    let words = "`latency` needs 1 min of bad data to ring, and the new version has 50 % for 30 s";
    assert!(said.contains(words), "{said}");
    // With a bake that is too short for all, that is said.
    let short = json!({"strategy": "canary", "service": "web", "steps": [10], "bake": "30s"});
    let said = planned(request(short).watch(), &quiet, Beginning::Refused);
    assert!(said.contains("and the bake is 30 s"), "{said}");
    assert!(!said.contains("the new version has"), "{said}");
}
