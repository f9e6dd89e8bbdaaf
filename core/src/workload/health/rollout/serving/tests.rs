use super::*;
use crate::kubernetes::pod::Pods;
use crate::tests::{at, replica_set};
use crate::workload::Kind;
use serde_json::json;

fn live(replicas: i64) -> Workload {
    Workload::new(
        Kind::Deployment,
        json!({"metadata": {"uid": "u"}, "spec": {"replicas": replicas}}),
    )
}

fn set(name: &str, available: i64, owner: &str) -> ReplicaSet {
    replica_set(name, owner, 0, available)
}

fn sight(set: ReplicaSet, ready: usize, cut: bool) -> PodSnapshot {
    PodSnapshot {
        at: at(0),
        set,
        pods: Ok(Pods {
            ready,
            cut,
            ..Pods::default()
        }),
    }
}

#[test]
fn pods_of_all_own_versions_count() {
    let sets = [set("a", 2, "u"), set("b", 1, "u"), set("c", 9, "other")];
    let serving = Serving::counted(&live(2), &sets, None);
    assert_eq!((serving.available, serving.wanted), (3, 2));
    assert!(serving.is_whole() && !serving.is_outage());
}

#[test]
fn pods_that_were_read_go_before_a_status() {
    let sets = [set("a", 2, "u")];
    for (ready, cut, expected) in [(0, false, 0), (1, false, 1), (0, true, 2), (5, false, 2)] {
        let sight = sight(sets[0].clone(), ready, cut);
        let serving = Serving::counted(&live(2), &sets, Some(&sight));
        assert_eq!(serving.available, expected, "{ready} {cut}");
    }
    let unread = PodSnapshot {
        pods: Err("may not".into()),
        ..sight(sets[0].clone(), 0, false)
    };
    assert_eq!(
        Serving::counted(&live(2), &sets, Some(&unread)).available,
        2
    );
}

#[test]
fn an_outage_is_where_pods_are_wanted_and_none_serves() {
    for (wanted, available, outage) in [(2, 0, true), (2, 1, false), (0, 0, false), (2, 2, false)] {
        let serving = Serving { available, wanted };
        assert_eq!(serving.is_outage(), outage, "{available} of {wanted}");
    }
}
