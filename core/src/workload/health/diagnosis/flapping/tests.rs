use super::super::finding::PodSnapshot;
use super::super::served::{Served, lacks_only_more};
use super::super::since::Since;
use super::*;
use crate::kubernetes::pod::{Container, Failed, Said};
use crate::outcome::Cause;
use crate::tests::at;
use crate::workload::replica_set::ReplicaSet;
use jiff::Timestamp;
use std::time::Duration;

fn ended(code: i64, reason: &str) -> Ended {
    Ended {
        code,
        reason: reason.into(),
        ..Ended::default()
    }
}

/// A pod whose only container has ended so often, and runs again.
fn pod(name: &str, restarts: u64, last: Ended) -> Pod {
    Pod {
        name: name.into(),
        containers: vec![Container {
            name: "web".into(),
            ready: true,
            restarts,
            state: State::Running,
            last: Some(last),
            ..Container::default()
        }],
        ..Pod::default()
    }
}

fn restarted(restarted: Vec<Pod>) -> Pods {
    Pods {
        ready: restarted.len(),
        restarted,
        ..Pods::default()
    }
}

fn found(before: &Pods, now: &Pods) -> Option<Finding> {
    let served = Served::of(2, before);
    let since = Since {
        served: Some(&served),
        wanted: 2,
        ..Since::from(Timestamp::UNIX_EPOCH)
    };
    let sight = PodSnapshot {
        at: at(100),
        set: ReplicaSet::default(),
        pods: Ok(now.clone()),
    };
    let look = Look {
        sight: &sight,
        since: &since,
        patience: Duration::from_secs(30),
    };
    flapping(now, &look)
}

/// Two pods that serve, in the place of some that have failed.
fn replaced(count: usize, reason: &str, message: &str) -> Pods {
    let failed = Failed {
        created: Some(at(50)),
        why: Said {
            reason: reason.into(),
            message: message.into(),
        },
        ..Failed::default()
    };
    Pods {
        failed: vec![failed; count],
        ..restarted(Vec::new())
    }
}

#[test]
fn pods_that_were_replaced_count_where_they_failed_by_their_own_fault() {
    let evicted = |count| replaced(count, "Evicted", "Container web exceeded its limit");
    let pressed = |count| replaced(count, "Evicted", "The node was low on resource: memory. ");
    for (before, now, expected) in [
        (evicted(0), evicted(5), None),
        (evicted(0), evicted(6), Some(6)),
        // What failed on the way up does not count.
        (evicted(2), evicted(7), None),
        (evicted(2), evicted(8), Some(6)),
        (pressed(0), pressed(9), None),
        (evicted(0), replaced(9, "Preempting", "Preempted"), None),
    ] {
        let finding = found(&before, &now);
        let together = finding.as_ref().and_then(|finding| finding.together);
        assert_eq!(together, expected, "{now:?}");
        let is_final = finding.is_none_or(|it| it.cause == Cause::PodFails && it.is_final);
        assert!(is_final, "{now:?}");
    }
}

#[test]
fn what_counts() {
    let fault = || ended(137, "OOMKilled");
    let two = |a, b, last: Ended| restarted(vec![pod("a", a, last.clone()), pod("b", b, last)]);
    let none = Pods::default;
    for (name, before, now, expected) in [
        ("three of each", none(), two(3, 3, fault()), Some(6)),
        ("one less", none(), two(3, 2, fault()), None),
        ("all of one", none(), two(6, 0, fault()), Some(6)),
        (
            "before it served",
            two(2, 2, fault()),
            two(4, 4, fault()),
            None,
        ),
        (
            "after that",
            two(2, 2, fault()),
            two(5, 5, fault()),
            Some(6),
        ),
        ("nodes", none(), two(9, 9, ended(255, "Unknown")), None),
        ("well", none(), two(9, 9, ended(0, "Completed")), None),
        (
            "pods that went count for nothing",
            two(9, 0, fault()),
            restarted(vec![pod("b", 5, fault())]),
            None,
        ),
    ] {
        let found = found(&before, &now).and_then(|found| found.together);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_probe_kills_what_ends_well() {
    let mut killed = pod("a", 6, ended(0, "Completed"));
    killed.containers[0].spec = r#"{"livenessProbe": {}}"#.into();
    let found = found(&Pods::default(), &restarted(vec![killed])).unwrap();
    assert_eq!((found.cause, found.ends), (Cause::Ends, 6));
}

#[test]
fn a_container_that_is_down_has_ended_once_more_than_it_was_restarted() {
    let mut down = pod("a", 2, ended(1, "Error"));
    assert_eq!(ends(&down), 2);
    down.containers[0].state = State::Waiting {
        reason: "CrashLoopBackOff".into(),
        message: String::new(),
    };
    assert_eq!(ends(&down), 3);
    down.containers[0].init = true;
    assert_eq!(ends(&down), 0);
}

#[test]
fn what_does_not_fit_had_ended_no_more_often_than_the_last_that_does() {
    let fault = ended(1, "Error");
    let pods = (1..=20).map(|number| pod(&number.to_string(), number, fault.clone()));
    let pods = restarted(pods.collect());
    let before = Served::of(20, &pods);
    assert_eq!(before.ends_of(&pods.restarted[19]), 20);
    assert_eq!(before.ends_of(&pods.restarted[0]), 9);
}

#[test]
fn what_was_asked_for_since_may_be_missing() {
    for (ready, wanted, expected) in [
        (2, 5, true),
        (3, 5, true),
        (1, 5, false),
        (1, 2, false),
        (2, 2, false),
    ] {
        assert_eq!(
            lacks_only_more(2, ready, wanted),
            expected,
            "{ready} of {wanted}"
        );
    }
    assert!(!lacks_only_more(0, 0, 2));
}
