use super::*;
use jiff::Timestamp;

fn parent() -> Parent {
    let mut parent = Parent::new("shop", "shop");
    parent.revision = 3;
    let id = |group: &str, kind: &str, namespace: Option<&str>| ObjectId {
        group: group.into(),
        kind: kind.into(),
        namespace: namespace.map(str::to_owned),
        name: "x".into(),
    };
    parent.cover(&[
        id("apps", "Deployment", Some("shop")),
        id("", "Service", Some("shop")),
        id("", "Namespace", None),
        id("apps", "Deployment", Some("monitoring")),
        id("", "ConfigMap", Some("kube-system")),
    ]);
    parent
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn lock(job: &str) -> Lock {
    Lock {
        execution: "e-1".into(),
        job: job.into(),
        since: at(0),
        until: at(900),
    }
}

#[test]
fn a_parent_is_one_of_an_applyset_and_comes_back_as_it_was() {
    let parent = parent().locked(lock("j-1"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&parent.object()).unwrap(), @r#"
    {
      "apiVersion": "v1",
      "kind": "Secret",
      "metadata": {
        "annotations": {
          "applyset.kubernetes.io/additional-namespaces": "kube-system,monitoring",
          "applyset.kubernetes.io/contains-group-kinds": "ConfigMap,Deployment.apps,Namespace,Service",
          "applyset.kubernetes.io/tooling": "landfall/v1",
          "landfall/jobs": "j-1",
          "landfall/lock": "{\"execution\":\"e-1\",\"job\":\"j-1\",\"since\":\"2026-09-21T14:13:20Z\",\"until\":\"2026-09-21T14:28:20Z\"}",
          "landfall/revision": "3"
        },
        "labels": {
          "applyset.kubernetes.io/id": "applyset-6zPYBY6qLC79Xt92ZgSUKTUyemzwkUR8EkEXjPQiTgg-v1",
          "landfall/release": "shop"
        },
        "name": "landfall.shop",
        "namespace": "shop"
      }
    }
    "#);
    assert_eq!(Parent::read(&parent.object()), Ok(parent));
}

#[test]
fn the_id_is_the_digest_of_the_parents_own_id() {
    // By Python's hashlib.
    let id = Parent::new("shop", "shop").id();
    assert_eq!(
        id,
        "applyset-6zPYBY6qLC79Xt92ZgSUKTUyemzwkUR8EkEXjPQiTgg-v1"
    );
    let id = Parent::new("web", "default").id();
    assert_eq!(
        id,
        "applyset-wchRcIUKzYh-0UnxAL33wbxZyS6dEn6iKCD66wn42Sc-v1"
    );
}

#[test]
fn what_is_not_our_parent_is_not_taken_for_it() {
    let ours = parent().object();
    let with = |pointer: &str, value: Value| {
        let mut secret = ours.clone();
        let (object, key) = pointer.rsplit_once(' ').unwrap();
        secret.pointer_mut(object).unwrap()[key] = value;
        Parent::read(&secret)
    };
    let labels = "/metadata/labels applyset.kubernetes.io/id";
    let tooling = "/metadata/annotations applyset.kubernetes.io/tooling";
    assert_eq!(with(labels, Value::Null), Err(ParentFault::NoParent));
    assert_eq!(with(tooling, Value::Null), Err(ParentFault::NoParent));
    assert_eq!(Parent::read(&Value::Null), Err(ParentFault::NoParent));
    for other in ["kubectl/v1.34.0", "landfall-fork/v1", "", "kubectl"] {
        let expected = Err(ParentFault::OtherTool(other.into()));
        assert_eq!(with(tooling, other.into()), expected);
    }
    // A later version of what Landfall writes is still Landfall's.
    assert!(with(tooling, "landfall/v2".into()).is_ok());
    // A copy of the Secret in another namespace, or of another name, owns nothing.
    let id = parent().id();
    for (field, value) in [
        ("namespace", "other"),
        ("name", "landfall.other"),
        ("name", "x"),
    ] {
        let copied = with(&format!("/metadata {field}"), value.into());
        assert_eq!(copied, Err(ParentFault::OtherId(id.clone())));
    }
}

#[test]
fn unreadable_notes_count_as_absent() {
    let mut secret = parent().locked(lock("j-1")).object();
    let annotations = &mut secret["metadata"]["annotations"];
    annotations["landfall/lock"] = "{".into();
    annotations["landfall/revision"] = "-1".into();
    annotations["applyset.kubernetes.io/contains-group-kinds"] = Value::Null;
    let read = Parent::read(&secret).unwrap();
    assert_eq!((read.lock, read.revision), (None, 0));
    assert!(read.kinds.is_empty());
}

#[test]
fn a_replacement_is_bound_to_what_was_read_and_keeps_what_others_noted() {
    let mut live = parent().locked(lock("j-1")).object();
    live["metadata"]["resourceVersion"] = "17".into();
    live["metadata"]["uid"] = "u-1".into();
    live["metadata"]["labels"]["team"] = "shop".into();
    live["metadata"]["annotations"]["note"] = "hands off".into();
    live["data"] = json!({"theirs": "MQ=="});
    let mut next = parent().unlocked();
    next.revision = 4;
    next.hold_only([]);
    let replacement = next.replacement(&live);
    assert_eq!(Parent::read(&replacement), Ok(next));
    assert_eq!(replacement["metadata"]["resourceVersion"], "17");
    assert_eq!(replacement["metadata"]["uid"], "u-1");
    assert_eq!(replacement["metadata"]["labels"]["team"], "shop");
    assert_eq!(replacement["metadata"]["annotations"]["note"], "hands off");
    assert_eq!(
        replacement["metadata"]["annotations"].get("landfall/lock"),
        None
    );
    assert_eq!(replacement["data"], live["data"]);
}

#[test]
fn only_the_lock_of_another_job_that_still_counts_holds_others_up() {
    for (holder, now, held) in [
        (None, 10, false),
        (Some("j-1"), 10, false),
        (Some("j-2"), 10, true),
        (Some("j-2"), 900 + 119, true),
        (Some("j-2"), 900 + 120, false),
        // Written by a clock that is far ahead.
        (Some("j-2"), -121, false),
    ] {
        let parent = Parent {
            lock: holder.map(lock),
            ..parent()
        };
        let other = parent.held_by_other("j-1", at(now));
        assert_eq!(other.is_some(), held, "{holder:?} at {now}");
        if let Some(other) = other {
            assert_eq!(other.expires(), at(900 + 120));
        }
    }
}

#[test]
fn kinds_and_namespaces_only_grow_until_everything_else_is_pruned() {
    let mut parent = parent();
    let kinds = parent.kinds.len();
    parent.cover([]);
    assert_eq!(parent.kinds.len(), kinds);
    let one = ObjectId {
        kind: "Service".into(),
        namespace: Some("shop".into()),
        ..ObjectId::default()
    };
    parent.hold_only([&one]);
    let object = parent.object();
    let annotations = &object["metadata"]["annotations"];
    assert_eq!(
        annotations["applyset.kubernetes.io/contains-group-kinds"],
        "Service"
    );
    assert_eq!(
        annotations["applyset.kubernetes.io/additional-namespaces"],
        ""
    );
}

#[test]
fn the_last_deploys_are_remembered() {
    let mut parent = parent();
    assert!(!parent.has_passed("j-1"));
    parent = parent.locked(lock("j-1"));
    assert!(!parent.has_passed("j-1"), "it is at work");
    parent = parent.unlocked().locked(lock("j-2"));
    assert!(parent.has_passed("j-1") && !parent.has_passed("j-2"));
    assert!(!parent.has_passed("j-3"));
    // A repetition is the same deploy.
    parent = parent.locked(lock("j-2"));
    assert_eq!(parent.jobs, ["j-1", "j-2"]);
    for number in 3..100 {
        parent = parent.locked(lock(&format!("j-{number}")));
    }
    assert_eq!(parent.jobs.len(), REMEMBERED);
    assert!(parent.has_passed("j-98") && !parent.has_passed("j-1"));
    assert_eq!(Parent::read(&parent.object()), Ok(parent));
}

/// A rollback that waited for the dead deploy is to know what became of the one that took its
/// place.
#[test]
fn who_waits_for_a_dead_release_waits_for_the_one_that_takes_its_place() {
    let waiting = |job| Awaited::with(None, "e-9", job, Timestamp::UNIX_EPOCH);
    let dead = |job| Parent {
        waits_for: waiting(job),
        ..parent().locked(lock("j-1"))
    };
    assert_eq!(dead("j-1").locked(lock("j-2")).waits_for, waiting("j-2"));
    assert_eq!(dead("j-0").locked(lock("j-2")).waits_for, None);
}
