//! What a deploy does with the work of another one, alive or dead: a rollback on demand stops it,
//! an alarm judges it.

use super::*;
use crate::alarm::{Alarm, AlarmState};
use crate::strategy::Began;

/// A rollback on demand stops a deploy whose version gets traffic, although its lock holds. Nothing
/// else does, and what is at its end comes to that.
#[test]
fn a_rollback_on_demand_does_not_wait_for_what_it_takes_back() {
    let back = json!({"mode": "rollback", "images": null});
    let to = json!({"mode": "rollback", "images": null, "to": "web-blue"});
    let share = json!({"pinned": {"app": "web", TEMPLATE_HASH: "h"}, "selector": {"app": "web"},
        "share": {"step": 0, "percent": 50, "at": at(1).to_string()}});
    let of_others = |more: &Value| {
        let mut lock = json!({"execution": "run-1", "job": "job-1", "version": "blue",
            "since": at(0).to_string(), "deadline": at(900).to_string()});
        merge(&mut lock, more);
        lock.to_string()
    };
    let under_way = |more: &Value| {
        let notes = json!({marks::LOCK: of_others(more)});
        let selector = match more["share"].is_object() {
            true => json!({"app": "web"}),
            false => json!({"app": "web", TEMPLATE_HASH: "h"}),
        };
        seen(service(selector, notes), Some(blue(json!({}))))
    };
    let baking = |more: Value| {
        let mut notes = json!({marks::LOCK: of_others(&json!({})), marks::JOB: "job-1"});
        merge(&mut notes, &more);
        seen(switched(notes), Some(blue(json!({marks::JOB: "job-1"}))))
    };
    let waits = "wait 5s Lock { execution: \"run-1\"";
    let notes = "patch services/web null +awaited";
    let awaited = json!({"executions": ["run-2"], "job": "job-1"});
    let awaited = json!({marks::AWAITED: awaited.to_string()});
    let mut ending = awaited;
    ending[marks::RETIRING] = json!("true");
    let of_another = json!({"executions": ["run-7"], "job": "job-1"}).to_string();
    let mut by_another = ending.clone();
    by_another[marks::AWAITED] = json!(of_another);
    let rows = [
        (
            "with a share",
            &back,
            under_way(&share),
            "patch services/web",
        ),
        ("no traffic", &back, under_way(&json!({})), notes),
        (
            "a rollback itself",
            &back,
            under_way(&json!({"back": true})),
            notes,
        ),
        (
            "over a route of its own",
            &back,
            under_way(&json!({"route": "httproute/web"})),
            notes,
        ),
        ("a version is named", &to, under_way(&share), waits),
        ("a deploy", &json!({}), under_way(&share), waits),
        (
            "in its bake",
            &back,
            baking(json!({})),
            r#"read Get(Deployment, "web-green")"#,
        ),
        (
            "at its end",
            &back,
            baking(json!({marks::RETIRING: "true"})),
            notes,
        ),
        ("that is noted once", &back, baking(ending), waits),
        (
            "beside another that waits",
            &back,
            baking(by_another),
            notes,
        ),
    ];
    for (name, fields, snapshot, expected) in rows {
        let found = decided(&request(fields.clone()), &Phase::Start, &snapshot, at(20));
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

/// Who has stopped a deploy has switched nothing: the one that was switched before is not who.
#[test]
fn a_deploy_that_was_stopped_names_who_stopped_it() {
    let note = json!({"execution": "run-7", "job": "job-7", "deployment": "web-blue"});
    for notes in [
        json!({marks::LOCK: lock("job-7", "run-7")}),
        json!({marks::TAKEN_BACK: note.to_string()}),
    ] {
        let mut all = json!({marks::SUPERSEDED: "job-2", marks::EXECUTION: "run-1",
            marks::JOB: "job-1"});
        merge(&mut all, &notes);
        let observation = seen(service(json!({"app": "web"}), all), None);
        let found = decided(&request(json!({})), &Phase::Switch, &observation, at(1));
        assert!(found.contains("by: Some(\"run-7\")"), "{found}");
    }
}

/// Whoever controls an autoscaler points it back: the version that serves would not be scaled.
#[test]
fn an_autoscaler_of_somebody_else_speaks_against_a_switch() {
    let scaler = |owners: Value| {
        Autoscaler::new(
            json!({"metadata": {"name": "keda-hpa-web", "ownerReferences": owners},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}}),
        )
    };
    let keda = json!([{"kind": "ScaledObject", "name": "web", "uid": "u", "controller": true}]);
    let garbage = json!([{"kind": "ConfigMap", "name": "web", "uid": "u"}]);
    let back = json!({"mode": "rollback", "images": null, "to": "web"});
    for (name, fields, owners, is_refused) in [
        ("KEDA's", json!({}), keda.clone(), true),
        (
            "one that goes with another object",
            json!({}),
            garbage,
            false,
        ),
        ("what comes back does not wait", back, keda, false),
    ] {
        let notes = json!({marks::FROM: "web", marks::TO: "web-blue"});
        let mut observation = seen(service(json!({"app": "web"}), notes), None);
        observation.set(Query::autoscalers(), vec![scaler(owners)]);
        let found = decided(&request(fields), &Phase::Start, &observation, at(1));
        let told = found.contains("ScaledObject `web` controls that");
        assert_eq!(told, is_refused, "{name}: {found}");
    }
}

/// An alarm judges what another execution left in its bake: the next deploy takes that back, and is
/// not refused because of it.
#[test]
fn an_alarm_that_rings_since_judges_a_dead_bake() {
    let left = |more: Value| {
        let lock = json!({"execution": "run-1", "job": "job-1", "version": "blue",
            "since": at(0).to_string(), "guarded": at(10).to_string(),
            "deadline": at(100).to_string()});
        let mut notes = json!({marks::LOCK: lock.to_string(), marks::JOB: "job-1"});
        merge(&mut notes, &more);
        seen(switched(notes), Some(blue(json!({marks::JOB: "job-1"}))))
    };
    let decided = |alarms: Value, snapshot: &Snapshot, rang: (AlarmState, u64), now: u64| {
        let fields = json!({"images": {"app": "app:3"}, "alarms": alarms});
        let (request, names) = (request(fields), ["e".to_owned()]);
        let mut continuation = Continuation::begin("job-2", at(now), Duration::from_secs(900));
        let alarm = Alarm {
            name: "e".into(),
            state: rang.0,
            transitioned: Some(at(rang.1)),
            reason: "Threshold Crossed".into(),
            arn: None,
            window: None,
        };
        continuation.guard.read(&names, Ok(vec![alarm]), at(now));
        let began = |continuation: &_| known(&request, continuation, snapshot, at(now)).began();
        let first = began(&continuation);
        if let Some(first) = first {
            continuation.guard.began(first.at, first.ignores_ringing);
        }
        // It says the same once more when it has judged.
        assert_eq!(began(&continuation), first);
        let decision = decide(&request, &continuation, snapshot, at(now));
        (first, outline(&decision))
    };
    let takes_over = "patch services/web null +execution +job +lock +superseded";
    let rings = (AlarmState::Ringing, 50);
    let judged = Began {
        at: at(10),
        ignores_ringing: false,
    };
    let (began, found) = decided(json!(["e"]), &left(json!({})), rings, 300);
    assert_eq!((began, &*found), (Some(judged), takes_over));
    for (name, alarms, snapshot, rang, now) in [
        ("it may be alive", json!(["e"]), left(json!({})), rings, 200),
        (
            "it rang before",
            json!(["e"]),
            left(json!({})),
            (AlarmState::Ringing, 5),
            300,
        ),
        (
            "it is silent",
            json!(["e"]),
            left(json!({})),
            (AlarmState::Ok, 50),
            300,
        ),
        (
            "this deploy is the fix",
            json!({"names": ["e"], "ringing": "ignore"}),
            left(json!({})),
            rings,
            300,
        ),
        (
            "the old one goes already",
            json!(["e"]),
            left(json!({marks::RETIRING: "true"})),
            rings,
            300,
        ),
    ] {
        let (began, found) = decided(alarms, &snapshot, rang, now);
        assert_eq!(began, None, "{name}");
        assert!(!found.contains("+job"), "{name}: {found}");
    }
}

/// Of two rollbacks on demand of one deploy the second one has nothing left to do, unless the first
/// one failed, or was over when the second one was asked for.
#[test]
fn a_rollback_on_demand_knows_what_became_of_another_one() {
    let back = request(json!({"mode": "rollback", "images": null}));
    let long_ago = "2020-01-01T00:00:00Z";
    let waited_for = |job: &str| {
        let awaited = json!({"executions": ["run-2"], "job": job});
        json!({marks::AWAITED: awaited.to_string()})
    };
    // `web-blue` serves, and `web-green` is at zero.
    let left = |notes: Value, blue_notes: Value, green_notes: Value| {
        let mut all = json!({marks::FROM: "web-green", marks::TO: "web-blue",
            marks::DEPLOYED_AT: long_ago, marks::JOB: "job-1", marks::EXECUTION: "run-1"});
        merge(&mut all, &notes);
        let noted = |notes: Value| json!({"metadata": {"annotations": notes}});
        let mut live = json!({marks::JOB: "job-1", marks::EXECUTION: "run-1"});
        merge(&mut live, &blue_notes);
        let mut at_zero = noted(green_notes);
        at_zero["spec"] = json!({"replicas": 0});
        let (blue, green) = (
            deployment("web-blue", "app:2", noted(live)),
            deployment("web-green", "app:7", at_zero),
        );
        let service = service(json!({"app": "web", VERSION: "blue"}), all);
        let mut snapshot = seen(service, Some(blue.clone()));
        snapshot.set(Query::family("web"), vec![blue, green.clone()]);
        snapshot.with_deployment("web-green", Some(green))
    };
    // The first one switched to `web-green`, failed, and `web-blue` has the traffic again.
    let failed = |returned: bool| {
        let notes = json!({marks::FROM: "web-blue", marks::TO: "web-green", marks::JOB: "job-8",
            marks::SERVED: "web-green", marks::ROLLED_BACK: "job-8",
            marks::ROLLED_BACK_AT: at(10).to_string()});
        let mut green = json!({marks::JOB: "job-8", marks::EXECUTION: "run-8"});
        if returned {
            green[marks::RETURNED_TO] = json!("web-green@h");
        }
        left(notes, json!({}), green)
    };
    // The first one switched from `web-green` back to `web-blue`.
    let returned = |awaited: Value| {
        let mut notes = json!({marks::JOB: "job-8", marks::EXECUTION: "run-8",
            marks::SUPERSEDED: "job-1,job-0"});
        merge(&mut notes, &awaited);
        let live = json!({marks::JOB: "job-8", marks::EXECUTION: "run-8",
            marks::RETURNED_TO: "web@h"});
        left(notes, live, json!({marks::JOB: "job-1"}))
    };
    // The first one took the deploy of `web-green` back before that was done.
    let stopped = |more: Value, awaited: Value| {
        let mut note = json!({"execution": "run-8", "job": "job-8", "deployment": "web-green",
            "of": "job-1", "at": long_ago});
        merge(&mut note, &more);
        let mut notes = json!({marks::TAKEN_BACK: note.to_string()});
        merge(&mut notes, &awaited);
        left(notes, json!({}), json!({}))
    };
    let begun = |job: &str, is_back: bool| {
        let mut lock: Value = serde_json::from_str(&lock(job, "run-8")).unwrap();
        lock["since"] = json!(long_ago);
        lock["deadline"] = json!(long_ago);
        lock["back"] = json!(is_back);
        json!({marks::LOCK: lock.to_string()})
    };
    let eight = (10..18).map(|number| format!("run-{number}"));
    let full = json!({"also": eight.collect::<Vec<_>>()});
    for (name, snapshot, is_noted) in [
        ("a deploy failed", failed(false), true),
        ("a rollback failed", failed(true), false),
        (
            "it waited for the rollback",
            returned(waited_for("job-8")),
            true,
        ),
        (
            "it waited for the deploy",
            returned(waited_for("job-1")),
            true,
        ),
        (
            "it waited for an older one",
            returned(waited_for("job-0")),
            false,
        ),
        ("it waited for nothing", returned(json!({})), false),
        (
            "stopped, and it waited for that",
            stopped(json!({}), waited_for("job-8")),
            true,
        ),
        (
            "stopped what it waited for",
            stopped(json!({}), waited_for("job-1")),
            true,
        ),
        (
            "stopped since",
            stopped(json!({"at": at(5).to_string()}), json!({})),
            true,
        ),
        ("stopped before", stopped(json!({}), json!({})), false),
        ("no room", stopped(full, waited_for("job-8")), false),
        (
            "died over it",
            stopped(json!({}), begun("job-8", true)),
            true,
        ),
        (
            "a retry of it died",
            stopped(json!({}), begun("job-9", true)),
            true,
        ),
        (
            "a later deploy died",
            stopped(json!({}), begun("job-8", false)),
            false,
        ),
    ] {
        let found = decided(&back, &Phase::Start, &snapshot, at(20));
        assert_eq!(found.contains("+taken-back"), is_noted, "{name}: {found}");
    }
}
