use super::*;
use crate::workload::Kind;
use serde_json::json;

#[test]
fn absent_fields_are_states() {
    for hostile in [json!(null), json!([1]), json!("x"), json!({"spec": 3})] {
        assert_eq!(ReplicaSet::read(&hostile), ReplicaSet::default());
    }
}

#[test]
fn the_newest_is_the_highest_revision_of_our_own() {
    let deployment = Workload::new(Kind::Deployment, json!({"metadata": {"uid": "u1"}}));
    let set = |name: &str, owner: &str, revision| ReplicaSet {
        name: name.into(),
        owner: owner.into(),
        revision,
        ..ReplicaSet::default()
    };
    let sets = [set("a", "u1", 9), set("b", "u1", 10), set("c", "u2", 11)];
    assert_eq!(newest(&deployment, &sets).map(|set| &*set.name), Some("b"));
    assert_eq!(newest(&deployment, &sets[2..]), None);
}

#[test]
fn a_replica_set_that_cannot_create_pods_says_why() {
    let set = |conditions: Value| {
        ReplicaSet::read(&json!({"status": {"conditions": conditions}})).failure
    };
    let condition = |status: &str| {
        json!([{"type": "ReplicaFailure", "status": status, "message": "exceeded quota",
                "lastTransitionTime": "2026-01-01T00:00:00Z"}])
    };
    let since = timestamp("2026-01-01T00:00:00Z");
    assert_eq!(
        set(condition("True")),
        Some(("exceeded quota".into(), since))
    );
    assert_eq!(set(condition("False")), None);
    assert_eq!(set(json!([])), None);
    assert_eq!(set(json!(null)), None);
}

#[test]
fn the_template_to_return_to_is_one_of_our_own() {
    let deployment = Workload::new(Kind::Deployment, json!({"metadata": {"uid": "u1"}}));
    let template = json!({"spec": {"containers": []}});
    let set = |owners: Value| json!({"metadata": {"ownerReferences": owners}, "spec": {"template": template}});
    let ours = json!([{"uid": "u0", "controller": false}, {"uid": "u1", "controller": true}]);
    assert_eq!(template_of(&set(ours), &deployment), Some(template.clone()));
    for foreign in [
        json!([{"uid": "u2", "controller": true}]),
        json!([{"uid": "u1", "controller": false}]),
        json!([{"uid": "u1"}]),
        json!([]),
        json!(null),
    ] {
        assert_eq!(
            template_of(&set(foreign.clone()), &deployment),
            None,
            "{foreign}"
        );
    }
    let nameless = json!([{"uid": "", "controller": true}]);
    assert_eq!(
        template_of(&set(nameless), &Workload::new(Kind::Deployment, json!({}))),
        None
    );
}

fn revision(name: &str, number: u64, labels: Value, template: Value) -> Value {
    json!({"metadata": {"name": name, "labels": labels,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"uid": "u1", "name": "db", "controller": true}]},
        "revision": number, "data": {"spec": {"template": template}}})
}

#[test]
fn a_controller_revision_is_a_version_without_pods() {
    let template = json!({"$patch": "replace", "spec": {"containers": []},
        "metadata": {"creationTimestamp": null, "labels": {"app": "db"}}});
    let plain = json!({"spec": {"containers": []}, "metadata": {"labels": {"app": "db"}}});
    let found = revision("db-7d9", 3, json!({"app": "db"}), template.clone());
    let set = ReplicaSet::read(&found);
    assert_eq!((&*set.name, set.revision, &*set.owner), ("db-7d9", 3, "u1"));
    assert_eq!((&*set.template_hash, set.pod_owner()), ("db-7d9", "db"));
    let labels = json!({"app": "agent", "controller-revision-hash": "5c4"});
    let of_daemon_set = revision("agent-5c4", 1, labels, template);
    assert_eq!(ReplicaSet::read(&of_daemon_set).template_hash, "5c4");
    // Its template is what is written back.
    for kind in [Kind::StatefulSet, Kind::DaemonSet] {
        let own = Workload::new(
            kind,
            json!({"metadata": {"uid": "u1"}, "spec": {"template": plain}}),
        );
        assert_eq!(template_of(&found, &own), Some(plain.clone()));
        assert!(own.has_template(&plain));
        let other = Workload::new(kind, json!({"metadata": {"uid": "u2"}}));
        assert_eq!(template_of(&found, &other), None);
    }
    let replica_set = ReplicaSet::read(&json!({"metadata": {"name": "web-1"}}));
    assert_eq!(replica_set.pod_owner(), "web-1");
}

/// The pods of three revisions, the oldest first, by the status of their workload.
fn counted(kind: Kind, spec: Value, status: Value) -> [(i64, i64); 3] {
    let object =
        json!({"metadata": {"uid": "u1", "generation": 2}, "spec": spec, "status": status});
    let live = Workload::new(kind, object);
    let template = |name: &str| json!({"spec": {"containers": [{"name": name}]}});
    let mut sets = [("a", 1), ("b", 2), ("c", 3)]
        .map(|(name, number)| ReplicaSet::read(&revision(name, number, json!({}), template(name))));
    count_pods(&live, &mut sets);
    sets.map(|set| (set.replicas, set.available))
}

#[test]
fn a_status_is_spread_over_the_revisions() {
    let status = |current: &str, total: i64, updated: i64, ready: i64| {
        json!({"observedGeneration": 2, "currentRevision": current, "updateRevision": "c",
            "replicas": total, "updatedReplicas": updated, "readyReplicas": ready})
    };
    for (found, expected) in [
        // One version has all of them.
        (status("c", 3, 3, 3), [(0, 0), (0, 0), (3, 3)]),
        // The one that is not ready is of the new version.
        (status("b", 3, 1, 2), [(0, 0), (2, 2), (1, 0)]),
        (status("b", 3, 1, 3), [(0, 0), (2, 2), (1, 1)]),
        (status("a", 3, 0, 3), [(3, 3), (0, 0), (0, 0)]),
        (status("b", 3, 3, 1), [(0, 0), (0, 0), (3, 1)]),
    ] {
        let counts = counted(Kind::StatefulSet, json!({}), found.clone());
        assert_eq!(counts, expected, "{found}");
    }
    let nodes = |observed: i64, updated: i64, available: i64| {
        json!({"observedGeneration": observed, "desiredNumberScheduled": 3,
            "currentNumberScheduled": 3, "updatedNumberScheduled": updated,
            "numberAvailable": available})
    };
    let current = json!({"template": {"spec": {"containers": [{"name": "c"}]}}});
    for (found, expected) in [
        (nodes(2, 3, 3), [(0, 0), (0, 0), (3, 3)]),
        (nodes(2, 1, 2), [(0, 0), (2, 2), (1, 0)]),
        // A status that is older than the template counts the version before it.
        (nodes(1, 3, 3), [(0, 0), (3, 3), (0, 0)]),
    ] {
        let counts = counted(Kind::DaemonSet, current.clone(), found.clone());
        assert_eq!(counts, expected, "{found}");
    }
    let unseen = json!({"template": {"spec": {"containers": [{"name": "d"}]}}});
    let counts = counted(Kind::DaemonSet, unseen, nodes(1, 3, 3));
    assert_eq!(
        counts,
        [(0, 0), (0, 0), (3, 3)],
        "the new revision is not there yet"
    );
}
