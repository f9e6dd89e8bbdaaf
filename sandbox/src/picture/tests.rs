use super::*;
use crate::report::report;
use crate::screen::changes;
use crate::terminal::{WIDTH, columns};
use landfall_sandbox::aws::{JobResult, Outcome, Report};
use serde_json::json;

fn pod(name: &str, hash: &str, status: Value) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"pod-template-hash": hash}},
        "spec": {"containers": [{"image": "localhost:5000/demo-app:1.0"}]},
        "status": status,
    })
}

#[test]
fn a_pod_state_becomes_words() {
    let waiting = |reason: &str| {
        let state = json!({"waiting": {"reason": reason}});
        json!({"containerStatuses": [{"state": state}]})
    };
    let with = |kind: &str, value: &str| json!({"type": kind, "status": value});
    let running = json!([{"state": {"running": {}}}]);
    let cases = [
        (json!({}), Sign::Waiting, "waiting for a node"),
        (
            json!({"conditions": [with("PodScheduled", "True")]}),
            Sign::Starting,
            "starting",
        ),
        (
            json!({"conditions": [with("PodScheduled", "False")]}),
            Sign::Failing,
            "no node takes it",
        ),
        (waiting("ContainerCreating"), Sign::Starting, "starting"),
        (
            waiting("ImagePullBackOff"),
            Sign::Failing,
            "ImagePullBackOff",
        ),
        (
            json!({"containerStatuses": running, "conditions": [with("Ready", "False")]}),
            Sign::Unready,
            "running, not ready",
        ),
        (
            json!({"containerStatuses": running, "conditions": [with("Ready", "True")]}),
            Sign::Ready,
            "ready",
        ),
        (json!({"phase": "Succeeded"}), Sign::Done, "done"),
        (
            json!({"phase": "Failed",
                "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}),
            Sign::Failed,
            "failed, exit code 3",
        ),
        (
            json!({"containerStatuses": [{"restartCount": 2, "state": {"terminated": {}}}]}),
            Sign::Failing,
            "ended, 2 restarts",
        ),
    ];
    for (status, sign, words) in cases {
        assert_eq!(state(&pod("a", "1", status)), (sign, words.to_owned()));
    }
    let ready = json!({"containerStatuses": running, "conditions": [with("Ready", "True")]});
    let mut broken = pod("a", "1", ready);
    broken["spec"]["containers"][0]["image"] = json!("localhost:5000/demo-app:4.0-errors");
    let told = "answers with errors".to_owned();
    assert_eq!(state(&broken), (Sign::Erring, told));
    let mut leaving = pod("a", "1", json!({}));
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(state(&leaving).0, Sign::Stopping);
}

#[test]
fn every_line_fits() {
    let deployment = json!({"metadata": {"name": "demo-app-".repeat(12)}, "spec": {}});
    let long = json!({"containerStatuses": [{"state": {"waiting": {"reason": "X".repeat(90)}}}]});
    let pods = [
        pod(&"demo-app-".repeat(9), "1", long),
        pod("demo-app", "2", json!({})),
    ];
    let pods: Vec<_> = pods.iter().collect();
    let picture = Picture::of(Some(&deployment), &pods, |hash| hash == "1");
    assert_eq!(picture.rows[0].version, "old 1.0");
    for width in [40, 80, 140] {
        let lines = picture.lines(width);
        assert!(
            lines.iter().all(|line| columns(line) <= width),
            "{lines:#?}"
        );
        // Nothing is cut.
        let text = lines.concat();
        assert_eq!(text.matches('X').count(), 90, "{lines:#?}");
    }
}

#[test]
fn a_greeting_and_a_version_are_shown_whole() {
    let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
    let mut pod = pod("demo-app-55b9578f9f-f769b", "1", ready);
    let greeting = "Hello from Landfall, version 2";
    pod["spec"]["containers"][0] = json!({
        "image": "registry.example.com/demo-app:missing",
        "env": [{"name": "DEMO_GREETING", "value": greeting}],
    });
    let line = row(&pod, &|_| false).lines([26, 11], 84, true).concat();
    for part in [
        "demo-app-55b9578f9f-f769b ",
        "new missing ",
        &format!("\"{greeting}\""),
    ] {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn the_plain_log_tells_what_changed() {
    let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
    let first = [pod("a", "1", ready.clone())];
    let second = [pod("b", "2", ready)];
    let of =
        |pods: &[Value]| Picture::of(None, &pods.iter().collect::<Vec<_>>(), |hash| hash == "1");
    let (before, after) = (of(&first), of(&second));
    let lines = changes(&before, &after);
    assert_eq!(lines, ["pod b (new 1.0): ready", "pod a (old 1.0): gone"]);
    assert_eq!(changes(&after, &after), [] as [String; 0]);
    assert!(after.rests());
}

#[test]
fn a_failure_is_shown_whole() {
    let report_of = Report {
        job: "j".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
        result: JobResult::Failure {
            kind: "JobFailed".to_owned(),
            message: "it broke\nbecause ".to_owned() + &"of this ".repeat(20),
            external_execution_id: None,
        },
    };
    let lines = report(&Outcome::Failed(report_of), WIDTH);
    let text = lines.join("\n");
    for part in ["Failed", "JobFailed", "it broke", "because of this"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
}
