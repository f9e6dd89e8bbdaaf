use super::*;
use crate::outcome::{FailureCode, FailureType};
use crate::report::Report;
use crate::state::timeline::{Mark, Seen, Timeline};
use crate::text::redaction::Mask;
use crate::workload::health::diagnosis::Evidence;
use jiff::Timestamp;

const HOSTILE: &str = "</pre><script>alert(\"1\")</script> & 'x' \u{202e}desrever\u{200b} \u{1b}[31mred <svg/onload=x>";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn details(evidence: Evidence) -> Details {
    let mut timeline = Timeline::default();
    let look = |name: &str, available| Seen {
        name: name.into(),
        image: format!("registry.example.com/{name}:2"),
        available,
        is_up: true,
    };
    timeline.see(0, &[look("web-1", 3)], None);
    timeline.mark(1, Mark::Phase("rollout".into()));
    timeline.see(9, &[look("web-2", 2)], Some(50));
    timeline.mark(40, Mark::Resumed(9));
    timeline.see(41, &[look("web-2", 3), look("web-1", 0)], Some(100));
    timeline.traffic = (40, 4000);
    Details {
        target: Target {
            kind: "Deployment",
            name: "web".into(),
            namespace: "shop".into(),
            strategy: "rolling",
            execution: "run-7".into(),
        },
        is_plan: false,
        rolled_back_to: None,
        started: at("2026-01-01T00:00:00Z"),
        evidence,
        changes: Vec::new(),
        warnings: Vec::new(),
        timeline,
    }
}

fn failed(message: &str) -> Report {
    Report::Failure {
        failure_type: FailureType::JobFailed,
        code: FailureCode::NoProgress,
        message: message.into(),
    }
}

fn page(report: &Report, details: Option<Details>, mask: &Mask) -> Page {
    let now = at("2026-01-01T00:01:00Z");
    Page::of(report, details, ("job-1", now), (2, 100), mask).expect("the job ends")
}

fn lines(count: usize, line: &str) -> Vec<String> {
    (0..count)
        .map(|number| format!("{number} {line}"))
        .collect()
}

#[test]
fn nothing_of_the_cluster_becomes_markup_and_nothing_invisible_is_shown() {
    let everywhere = Evidence {
        pods: lines(2, HOSTILE),
        events: lines(2, HOSTILE),
        log: lines(2, HOSTILE),
        ..Evidence::default()
    };
    let mut mask = Mask::new();
    mask.add(["nothing-of-this"]);
    let mut details = details(everywhere);
    details.target.name = HOSTILE.into();
    details.target.namespace = HOSTILE.into();
    details.target.execution = HOSTILE.into();
    details.changes = lines(2, HOSTILE);
    details.warnings = lines(2, HOSTILE);
    details.timeline.versions = vec![(HOSTILE.into(), HOSTILE.into()); 2];
    let report = failed(HOSTILE).hide(&mask);
    let page = page(&report, Some(details), &mask);
    let html = page.html();
    for forbidden in [
        "<script", "<svg/", "</pre><", "alert(\"", "\u{202e}", "\u{200b}", "\u{1b}",
    ] {
        assert!(!html.contains(forbidden), "{forbidden:?} in\n{html}");
    }
    assert!(html.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;"));
    assert!(!page.json().contains('\u{202e}'));
    for own in [
        "<script",
        "javascript:",
        "http:",
        "https:",
        " style=",
        " on",
        "url(",
    ] {
        let own_markup = html.replace("http-equiv", "").to_lowercase();
        let own_markup = own_markup
            .split('>')
            .filter_map(|part| part.rsplit_once('<'));
        let mut tags = own_markup.map(|(_, tag)| tag);
        assert!(!tags.any(|tag| tag.contains(own)), "{own}");
    }
}

#[test]
fn what_is_secret_is_hidden_before_it_is_escaped_or_cut() {
    let mut mask = Mask::new();
    mask.add(["s3cr<t&\"value"]);
    let long = format!("{}s3cr<t&\"value", "x".repeat(995));
    let evidence = Evidence {
        pods: vec!["password s3cr<t&\"value is wrong".into()],
        events: vec![long],
        ..Evidence::default()
    };
    let mut details = details(evidence);
    details.changes = vec!["spec.x: s3cr<t&\"value".into()];
    details.warnings = vec!["warns of s3cr<t&\"value".into()];
    details.timeline.versions[0].1 = "s3cr<t&\"value".into();
    let page = page(&failed("It failed."), Some(details), &mask);
    for text in [page.html(), page.json()] {
        for part in ["s3cr", "value is", "t&amp;&quot;value"] {
            let shown = text.contains(part) && part != "value is";
            assert!(!shown, "{part} in\n{text}");
        }
    }
}

#[test]
fn a_page_has_at_most_200_kb_however_much_there_is() {
    let line = "<&\"'>".repeat(100);
    let evidence = Evidence {
        pods: lines(5000, &line),
        events: lines(5000, &line),
        log: lines(5000, &line),
        ..Evidence::default()
    };
    let mut all = details(evidence);
    all.changes = lines(5000, &line);
    all.warnings = lines(500, &line);
    all.timeline.versions = vec![("<".repeat(63), "<".repeat(63)); 4];
    all.timeline.points = (0..60).map(|n| vec![n, i64::MAX, n, n, n]).collect();
    all.timeline.marks = (0..40).map(|n| (n, Mark::Share(100))).collect();
    let mut page = page(&failed(&"<".repeat(5000)), Some(all), &Mask::new());
    page.make_room();
    let (html, json) = (page.html(), page.json());
    for text in [&html, &json] {
        assert!(text.len() <= PAGE_LIMIT, "{}", text.len());
        assert!(
            text.len() > PAGE_LIMIT / 8,
            "it uses its room: {}",
            text.len()
        );
    }
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["isShortened"], true);
    let log = json["log"].as_array().expect("lines");
    assert!(!log.is_empty(), "something of each is left");
    assert!(html.contains("there was no room"));
}

/// With the least memory a function has a fourteenth of a processor, and the report waits for the
/// page: what costs time is limited, however much there is.
#[test]
fn no_more_is_searched_for_secrets_than_there_is_time_for() {
    let line = "x".repeat(900);
    let evidence = Evidence {
        pods: lines(5, &line),
        events: lines(5, &line),
        log: lines(400, &line),
        ..Evidence::default()
    };
    let mut all = details(evidence);
    all.changes = lines(400, &line);
    let page = page(&failed("It failed."), Some(all), &Mask::new());
    let counts = [&page.pods, &page.events, &page.log, &page.changes].map(Vec::len);
    assert_eq!(counts, [5, 5, 25, 25], "the longest lists lose most");
    assert!(page.is_shortened);
    assert!(page.log[24].starts_with("399 "), "{}", page.log[24]);
}

#[test]
fn the_page_tells_the_whole_story() {
    let evidence = Evidence {
        pods: vec!["2 of 3 pods ready".into()],
        log: vec!["The last lines:".into(), "  panic".into()],
        ..Evidence::default()
    };
    let report = failed(
        "The new version of Deployment `web` does not serve: it crashes.\n\nEvidence.\n\nFix it.",
    );
    let html = page(&report, Some(details(evidence)), &Mask::new()).html();
    for expected in [
        "<h1>The new version of Deployment <code>web</code> does not serve: it crashes.</h1>",
        "✗ Failed",
        "nothing was seen from 9 s to 40 s",
        "The new version gets 50 % of the traffic",
        "<dd>docs/operations.md, no-progress</dd>",
        "sent 42 requests to the cluster and received 4 KiB",
        "<caption>Available pods of each version</caption>",
        "  panic</pre>",
    ] {
        assert!(html.contains(expected), "{expected} is not in\n{html}");
    }
}

/// What follows as a list is not in the text above it, and what to do next comes before the facts.
#[test]
fn nothing_is_told_twice_and_the_next_step_comes_first() {
    let evidence = Evidence {
        events: vec!["Events of pod `web-1`:".into(), "- BackOff, 4 times".into()],
        log: vec!["The last lines:".into(), "  panic: no URL".into()],
        ..Evidence::default()
    };
    let report = failed(
        "It does not serve.\n\n0 of 2 ready.\n\nEvents of pod `web-1`:\n- BackOff, 4 times\n\n\
         The last lines:\n  panic: no URL\n\nRolled back.\nFix it.",
    );
    let html = page(&report, Some(details(evidence)), &Mask::new()).html();
    let text = "<p class=\"text\">0 of 2 ready.\n\nRolled back.\nFix it.</p>\n<dl>";
    assert!(html.contains(text), "{html}");
    for once in ["BackOff", "panic: no URL", "The last lines"] {
        assert_eq!(html.matches(once).count(), 1, "{once}");
    }
    let mut plan = page(&report, Some(details(Evidence::default())), &Mask::new());
    plan.variables.insert("Changes", "+ a\n+ b".into());
    let html = plan.html();
    assert!(
        html.contains("<summary>2 lines</summary>+ a\n+ b</details>"),
        "{html}"
    );
}

#[test]
fn the_heading_says_what_happened_also_where_its_sentence_is_long() {
    let long = "x".repeat(400);
    for (message, heading) in [
        (
            "Release `shop` failed: it crashes. Retry it.".to_owned(),
            "failed: it crashes.</h1>",
        ),
        (
            format!("Release `shop` in `default` failed: {long}. Retry it."),
            "<h1>Release <code>shop</code> in <code>default</code> failed</h1>",
        ),
        (
            format!("It ended with `panic: {long}`."),
            "<h1>What happened</h1>",
        ),
        (long.clone(), "<h1>What happened</h1>"),
    ] {
        let html = page(&failed(&message), None, &Mask::new()).html();
        assert!(html.contains(heading), "{html}");
        let is_whole = message.len() < 100 || html.contains(&long);
        assert!(is_whole, "{html}");
    }
}

#[test]
fn a_report_without_details_or_without_an_end() {
    let html = page(
        &failed("The user parameters are wrong: x."),
        None,
        &Mask::new(),
    )
    .html();
    assert!(html.contains("<h1>The user parameters are wrong: x.</h1>"));
    assert!(!html.contains("<svg"));
    let progress = Report::Progress {
        token: "t".into(),
        summary: "1 of 2".into(),
        percent: 50,
    };
    let now = at("2026-01-01T00:00:00Z");
    let none = Page::of(&progress, None, ("job-1", now), (0, 0), &Mask::new());
    assert_eq!(none, None);
    assert_eq!(progress.clone().with_page("s3://b/k", Ok(())), progress);
}

#[test]
fn the_sentence_about_the_page_is_the_first_to_go() {
    let success = |summary: String| Report::Success {
        summary,
        external_id: "shop/web@7".into(),
        variables: Vec::new(),
    };
    let told = success("It serves.".into()).with_page("s3://b/k", Ok(()));
    let expected = "It serves. The report as a page: s3://b/k (report.html in this ZIP archive).";
    assert_eq!(told, success(expected.into()));
    let why = success("It serves.".into()).with_page("s3://b/k", Err("S3 denies it"));
    let expected =
        "It serves. The report could not be written as a page to s3://b/k: S3 denies it.";
    assert_eq!(why, success(expected.into()));
    let full = success("x".repeat(2000));
    assert_eq!(full.clone().with_page("s3://b/k", Ok(())), full);
    let told = failed("It failed.\n\nRetry.").with_page("s3://b/k", Ok(()));
    let expected =
        "It failed.\n\nRetry.\nThe report as a page: s3://b/k (report.html in this ZIP archive).";
    assert_eq!(told, failed(expected));
    let full = failed(&"x".repeat(4950));
    assert_eq!(full.clone().with_page("s3://b/k", Ok(())), full);
}

#[test]
fn a_value_over_several_lines_is_hidden_as_in_the_message() {
    let folded = "0123456789abcdefghijklmnopqrstuvwxyz";
    let mut mask = Mask::new();
    mask.add(["user=app\npass=hunter2", folded]);
    let (begin, end) = folded.split_at(15);
    let evidence = Evidence {
        log: ["the last lines:", "user=app", "pass=hunter2", begin, end]
            .map(str::to_owned)
            .to_vec(),
        ..Evidence::default()
    };
    let kept = evidence.clone().hide(|text| mask.text(text));
    let page = page(&failed("it fails"), Some(details(evidence)), &mask);
    for text in [page.log.join("\n"), kept.log.join("\n")] {
        assert!(text.starts_with("the last lines:"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains(end), "{text}");
    }
}
