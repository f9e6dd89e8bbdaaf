use super::*;
use crate::state::marks;
use crate::tests::time;

fn lock() -> Lock {
    Lock {
        execution: "run-2".into(),
        job: "job-2".into(),
        version: "blue".into(),
        since: time("2026-01-01T00:00:00Z"),
        guarded: None,
        deadline: time("2026-01-01T00:15:00Z"),
        selector: None,
        wanted: None,
        route: None,
        pinned: None,
        share: None,
        handover: None,
        untested: false,
        back: false,
        returns: false,
    }
}

fn failed() -> Failed<'static> {
    Failed {
        job: "job-2",
        cause: "it broke",
        at: time("2026-01-01T00:02:00Z"),
    }
}

fn service(selector: Value, notes: Value) -> Service {
    Service::new(
        json!({"metadata": {"resourceVersion": "3", "annotations": notes},
            "spec": {"selector": selector}}),
    )
}

fn by() -> Author<'static> {
    Author {
        execution: "run-2",
        job: "job-2",
        now: time("2026-01-01T00:01:00Z"),
    }
}

/// The Service after a patch, as RFC 7396 has it.
fn patched(service: &Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else {
        return patch.clone();
    };
    let mut object = service.as_object().cloned().unwrap_or_default();
    for (key, change) in changes {
        let old = object.remove(key).unwrap_or_default();
        if !change.is_null() {
            object.insert(key.clone(), patched(&old, change));
        }
    }
    Value::Object(object)
}

#[test]
fn a_lock_is_read_back_and_what_is_none_is_none() {
    let written = service(json!({}), json!({LOCK: lock().text()}));
    assert_eq!(Lock::read(&written), Some(lock()));
    assert_eq!(lock().expires(), time("2026-01-01T00:17:00Z"));
    for other in [
        json!({}),
        json!({LOCK: "{}"}),
        json!({LOCK: "x"}),
        json!({LOCK: 7}),
    ] {
        assert_eq!(Lock::read(&service(json!({}), other)), None);
    }
}

#[test]
fn a_lock_ends_with_the_life_of_its_action_at_the_latest() {
    let (begun, next_day) = ("2026-01-01T00:00:00Z", "2026-01-02T00:02:00Z");
    for (since, deadline, expected) in [
        (begun, "2026-01-01T00:15:00Z", "2026-01-01T00:17:00Z"),
        (begun, "2026-01-02T00:00:00Z", next_day),
        (begun, "9999-12-30T22:00:00Z", next_day),
    ] {
        let lock = Lock {
            since: time(since),
            deadline: time(deadline),
            ..lock()
        };
        assert_eq!(lock.expires(), time(expected), "{deadline}");
        assert!(lock.holds(time(begun)) && !lock.holds(time(expected)));
    }
    let future = Lock {
        since: time("9998-01-01T00:00:00Z"),
        deadline: time("9999-01-01T00:00:00Z"),
        ..lock()
    };
    assert!(!future.holds(time(begun)), "nobody has begun in the future");
    let ahead = Lock {
        since: time("2026-01-01T00:01:00Z"),
        ..lock()
    };
    assert!(ahead.holds(time(begun)), "clocks differ");
    let last = Lock {
        since: Timestamp::MAX,
        deadline: Timestamp::MAX,
        ..lock()
    };
    assert_eq!(last.expires(), Timestamp::MAX);
}

#[test]
fn every_write_is_bound_to_what_was_read() {
    let seen = service(json!({"app": "web"}), json!({}));
    let selector = seen.selector();
    for patch in [
        take(&seen, &lock(), Pin::Hash("h")),
        take(&seen, &lock(), Pin::Version("blue")),
        switch(&seen, &lock(), "web", ("web-blue", "blue"), &by()),
        take_over(&seen, &lock(), &by()),
        mark(&seen, &lock(), &failed(), Some(&selector)),
        mark_and_release(&seen, &failed(), None),
        step_aside(&seen, "job-2"),
        release(&seen, None),
    ] {
        assert_eq!(patch["metadata"]["resourceVersion"], "3", "{patch}");
    }
}

#[test]
fn there_and_back_again() {
    let plain = json!({"metadata": {"resourceVersion": "3", "annotations": {"kept": "1"}},
            "spec": {"selector": {"app": "web"}, "ports": []}});
    let see = |object: &Value| Service::new(object.clone());
    let narrowed = patched(&plain, &take(&see(&plain), &lock(), Pin::Hash("h")));
    let selector = &narrowed["spec"]["selector"];
    assert_eq!(*selector, json!({"app": "web", TEMPLATE_HASH: "h"}));
    let to = ("web-blue", "blue");
    let patch = switch(&see(&narrowed), &lock(), "web", to, &by());
    let switched = patched(&narrowed, &patch);
    let selector = &switched["spec"]["selector"];
    assert_eq!(*selector, json!({"app": "web", VERSION: "blue"}));
    let before = selector_before(&see(&switched)).unwrap();
    let patch = mark(&see(&switched), &lock(), &failed(), Some(&before));
    let back = patched(&switched, &patch);
    assert_eq!(back["spec"], narrowed["spec"]);
    let wide = original_selector(&see(&back));
    let released = patched(&back, &release(&see(&back), wide.as_ref()));
    assert_eq!(released["spec"], plain["spec"]);
    let notes = released["metadata"]["annotations"].as_object().unwrap();
    let names = notes
        .keys()
        .map(|name| name.trim_start_matches("landfall/"));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "kept",
            "cause",
            "deployed-at",
            "execution",
            "from",
            "job",
            "rolled-back",
            "rolled-back-at",
            "to"
        ]
    );
    let kept = patched(&switched, &release(&see(&switched), None));
    assert_eq!(kept["spec"], switched["spec"]);
    assert!(Lock::read(&see(&kept)).is_none());
}

#[test]
fn jobs_that_others_came_after_are_remembered() {
    let many = (0..20).map(|job| format!("j{job}")).collect::<Vec<_>>();
    for (notes, last, expected) in [
        (json!({}), None, None),
        (json!({marks::SUPERSEDED: ""}), None, None),
        (json!({}), Some("job-1"), Some("job-1")),
        (
            json!({marks::ROLLED_BACK: "job-0"}),
            Some("job-1"),
            Some("job-1,job-0"),
        ),
        (
            json!({marks::SUPERSEDED: "a,job-1,b"}),
            Some("job-1"),
            Some("job-1,a,b"),
        ),
        (
            json!({marks::SUPERSEDED: "job-2,a"}),
            Some("job-2"),
            Some("a"),
        ),
        (
            json!({marks::SUPERSEDED: many.join(",")}),
            None,
            Some("j0,j1,j2,j3,j4,j5,j6,j7"),
        ),
    ] {
        let seen = service(json!({}), notes.clone());
        let found = superseded(&seen, last.map(str::to_owned), "job-2");
        assert_eq!(found.as_deref(), expected, "{notes}");
    }
}

#[test]
fn what_tells_versions_apart_is_left_out() {
    let full = service(
        json!({"app": "web", VERSION: "green", TEMPLATE_HASH: "h"}),
        json!({}),
    );
    let app = Selector::from([("app".to_owned(), "web".to_owned())]);
    assert_eq!(common(&full.selector()), app);
    let blue = of_version(&full.selector(), "blue");
    assert_eq!(
        crate::kubernetes::service::written(&blue),
        "app=web,landfall/version=blue"
    );
}
