use super::*;
use crate::strategy::causes::RolloutFailure;
use crate::tests::{self, merge};

fn seen(available: i64) -> Evidence {
    Evidence {
        serving: Some(Serving {
            available,
            wanted: 2,
        }),
        ..Evidence::default()
    }
}

fn request(fields: serde_json::Value) -> Request {
    let mut all = serde_json::json!({"deployment": "web", "namespace": "shop", "restart": true});
    merge(&mut all, &fields);
    tests::request("job-1", &all)
}

fn rolling() -> Request {
    request(serde_json::json!({}))
}

fn switch() -> Request {
    request(serde_json::json!({"strategy": "blueGreen", "service": "front"}))
}

fn present(pods: usize, up: i64) -> TrafficState {
    let sends = [("web".to_owned(), pods)];
    let sends = sends.into_iter().filter(|(_, pods)| *pods > 0);
    let up = [("web".to_owned(), up)];
    TrafficState {
        service: "front".into(),
        is_there: true,
        detour: None,
        sends: sends.collect(),
        up: up.into_iter().filter(|(_, count)| *count > 0).collect(),
        version: None,
    }
}

fn set_aside(present: TrafficState) -> Failure {
    Failure::SetAside {
        by: None,
        editor: None,
        present,
    }
}

fn version() -> Version {
    Version {
        revision: 3,
        image: "shop/web:1".into(),
    }
}

fn failed(evidence: Evidence, rollback_result: RollbackResult) -> Failure {
    Failure::Rollout {
        failure: Box::new(RolloutFailure {
            cause: RolloutCause::Recorded("it broke".into()),
            evidence,
            ..RolloutFailure::default()
        }),
        rollback_result,
    }
}

fn deleted(available: i64, wanted: i64) -> Failure {
    Failure::Deleted(Some(Serving { available, wanted }))
}

#[test]
fn an_outage_is_counted_where_no_pod_serves_that_should() {
    let back = || {
        RollbackResult::RollbackFailed(version(), RolloutCause::Recorded("no node has room".into()))
    };
    let gone = || RollbackResult::PreviousGone("web-1".into());
    for (name, failure, expected) in [
        (
            "the old version does not come up",
            failed(seen(0), back()),
            true,
        ),
        ("one of two does", failed(seen(1), back()), false),
        (
            "it was not looked at",
            failed(Evidence::default(), back()),
            false,
        ),
        (
            "nothing to return to, and nothing serves",
            failed(seen(0), gone()),
            true,
        ),
        (
            "the first version of all",
            failed(seen(0), RollbackResult::NothingToRollBackTo),
            false,
        ),
        ("deleted by somebody", Failure::Deleted(None), false),
        ("deleted with its pods", deleted(0, 1), true),
        ("deleted without its pods", deleted(2, 1), false),
        ("deleted before it served", deleted(0, 0), false),
        ("a Service without pods", set_aside(present(0, 2)), true),
        ("all is scaled to zero", set_aside(present(0, 0)), true),
        ("a Service with one pod", set_aside(present(1, 2)), false),
    ] {
        assert_eq!(failure.is_outage(), expected, "{name}");
    }
}

#[test]
fn an_outage_stands_first_with_what_holds_the_old_version_up() {
    let why = RolloutCause::Recorded("no node has room".into());
    let back = RollbackResult::RollbackFailed(version(), why);
    let headline = || "The new version does not serve: it broke.".to_owned();
    let told = first(&rolling(), headline(), &seen(0), &back);
    assert_eq!(
        told,
        "Outage: no pod of Deployment `web` in `shop` serves. Revision 3 \
         (shop/web:1) was restored, but it does not serve either: no node has room. The new \
         version does not serve: it broke."
    );
    for served in [seen(1), seen(2), Evidence::default()] {
        assert_eq!(first(&rolling(), headline(), &served, &back), headline());
    }
}

#[test]
fn of_a_switch_the_service_is_what_is_out() {
    let headline = || "It was switched back.".to_owned();
    assert_eq!(
        told(&switch(), Some(present(0, 2).serving()), headline()),
        "Outage: no pod of Service `front` in `shop` serves. It was switched back."
    );
    for serving in [Some(present(1, 2).serving()), None] {
        assert_eq!(told(&switch(), serving, headline()), headline());
    }
}

#[test]
fn what_is_said_of_a_rollback_comes_of_counted_pods() {
    let slow = RolloutCause::Recorded("it is slow".into());
    let say = |available| rollback_failed(&version(), &slow, seen(available).serving);
    assert!(say(2).contains("2 of 2 pods still serve"), "{}", say(2));
    assert!(say(3).contains("2 of 2 pods still serve"), "{}", say(3));
    assert!(say(1).contains("1 of 2 pods serve;"), "{}", say(1));
    assert!(say(0).contains("does not serve"), "{}", say(0));
}
