use super::acting::lost_a_race;
use super::brief::{brief, in_short};
use super::{Engine, Next, Outcome};
use crate::kubernetes::call::Call;
use crate::kubernetes::contact::{
    CertificateFault, OddAnswer, Unreached, UnreachedCause, Untrusted,
};
use crate::kubernetes::{CallError, Refusal};
use crate::snapshot::{Reading, Response};
use crate::state::continuation::Continuation;
use crate::state::continuation::RecordedFailure;
use crate::strategy::Action;
use crate::tests::{at, request};
use serde_json::json;
use std::time::Duration;

/// A call that was tried five times.
fn unreached(cause: UnreachedCause) -> Unreached {
    let host = "k8s.example.com:6443".to_owned();
    let once = Unreached::new(cause, host);
    Unreached { tries: 5, ..once }
}

fn refused(code: u16, is_status: bool) -> CallError {
    CallError::Refused(Refusal {
        code,
        is_status,
        ..Refusal::default()
    })
}

#[test]
fn which_refusals_are_a_lost_race() {
    let patch = || Action::Patch(json!({}));
    let put = || Action::Put(json!({}));
    let create = || Action::Create(json!({}));
    let undo = || Action::Undo {
        operations: json!([]),
        revision: 1,
        failure: RecordedFailure::of(""),
    };
    let failed_test = CallError::Refused(Refusal {
        code: 422,
        reason: "Invalid".into(),
        message: "the server rejected our request due to an error in our request".into(),
        is_status: true,
        ..Refusal::default()
    });
    let cases = [
        ("a conflict", patch(), refused(409, true), true),
        ("a conflict of a put", put(), refused(409, true), true),
        ("it exists already", create(), refused(409, true), true),
        ("it went away", patch(), refused(404, true), true),
        ("it went away before a put", put(), refused(404, true), true),
        ("a proxy's 404", patch(), refused(404, false), false),
        ("no such namespace", create(), refused(404, true), false),
        ("a test failed", undo(), failed_test, true),
        ("what it puts is invalid", undo(), refused(422, true), false),
        ("invalid", patch(), refused(422, true), false),
        ("invalid, put", put(), refused(422, true), false),
        ("invalid, created", create(), refused(422, true), false),
        ("forbidden", undo(), refused(403, true), false),
        ("throttled", patch(), refused(429, true), false),
        (
            "silent",
            patch(),
            CallError::Unreachable(Box::new(unreached(UnreachedCause::ConnectionRefused))),
            false,
        ),
        ("out of time", undo(), CallError::OutOfTime, false),
    ];
    for (name, action, error, expected) in cases {
        assert_eq!(lost_a_race(&action, &error), expected, "{name}");
    }
}

#[test]
fn an_error_in_a_few_words() {
    let told = CallError::Refused(Refusal {
        code: 503,
        message: "etcd is away".into(),
        ..Refusal::default()
    });
    for (error, expected) in [
        (refused(503, false), "HTTP 503"),
        (told, "HTTP 503: etcd is away"),
        (
            CallError::Unreachable(Box::new(unreached(UnreachedCause::ConnectionRefused))),
            "`k8s.example.com:6443`: the connection was refused (tried 5 times)",
        ),
        (
            CallError::Untrusted(Box::new(Untrusted {
                host: "k8s.example.com:6443".into(),
                fault: CertificateFault::OtherCa,
            })),
            "it was signed by another CA than the one given",
        ),
        (
            CallError::NotKubernetes(Box::new(OddAnswer::Text(200, Some("a page".into())))),
            "HTTP 200 with \"a page\"",
        ),
        (CallError::OutOfTime, "it did not answer in time"),
    ] {
        assert_eq!(in_short(&error), expected);
    }
}

#[test]
fn what_may_not_be_read_names_the_verb_to_grant() {
    let log = Call::log("shop", "web-1", "app", false, 20);
    let denied = CallError::Refused(Refusal {
        code: 403,
        message: "pods \"web-1\" is forbidden: User \"ci\" cannot get resource \"pods/log\"".into(),
        is_status: true,
        ..Refusal::default()
    });
    let told = brief(&log, &denied, "see more");
    assert!(
        told.contains("grant the verb `get` on `pods/log`"),
        "{told}"
    );
    assert_eq!(brief(&log, &refused(503, true), "see more"), "HTTP 503");
}

/// The cluster answers a read once more before the time is over, and it is too late for a write.
#[test]
fn what_kept_the_first_write_back_is_the_cause_when_the_time_is_over() {
    let parameters = json!({"deployment": "web", "images": {"app": "app:2"}, "timeout": "12s"});
    let begun = Continuation::begin("job-1", at(0), Duration::from_secs(12));
    let request = request("job-1", &parameters);
    let mut engine = Engine::new(request, begun, at(0), at(800), str::to_owned);
    let live = json!({"metadata": {"name": "web", "uid": "u1", "generation": 1},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}});
    let mut now = 0;
    let outcome = loop {
        match engine.next(at(now)) {
            Next::Ask(ask) if ask.call.changes() => {
                now = 9;
                engine.answered(Err(refused(500, true)), at(now));
            }
            Next::Ask(ask) if ask.reading == Reading::ReplicaSets => {
                engine.answered(Ok(Response::ReplicaSets(Vec::new())), at(now));
            }
            Next::Ask(_) => {
                now += 1;
                engine.answered(Ok(Response::Object(live.clone().into())), at(now));
            }
            Next::Sleep(until) => now = until.duration_since(at(0)).as_secs().unsigned_abs(),
            Next::Done(outcome) => break outcome,
            other @ (Next::Watch(_) | Next::Alarms(_)) => panic!("{other:?}"),
        }
    };
    assert_eq!(now, 12);
    assert!(
        matches!(&*outcome, Outcome::Broken(call, error, _)
            if call.changes() && *error == refused(500, true)),
        "{outcome:?}"
    );
}
