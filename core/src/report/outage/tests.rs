use super::*;

fn seen(available: i64) -> Evidence {
    Evidence {
        serving: Some(Serving {
            available,
            wanted: 2,
        }),
        ..Evidence::default()
    }
}

fn version() -> Version {
    Version {
        revision: 3,
        image: "shop/web:1".into(),
    }
}

fn failed(evidence: Evidence, aftermath: Aftermath) -> Failure {
    Failure::Rollout {
        cause: "it broke".into(),
        kind: None,
        evidence,
        reason: None,
        aftermath,
    }
}

#[test]
fn an_outage_is_counted_where_no_pod_serves_that_should() {
    let back = || Aftermath::RollbackFailed(version(), "no node has room".into());
    let gone = || Aftermath::PreviousGone("web-1".into());
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
            failed(seen(0), Aftermath::NothingToReturnTo),
            false,
        ),
        ("deleted by somebody", Failure::Deleted, false),
    ] {
        assert_eq!(failure.is_outage(), expected, "{name}");
    }
}

#[test]
fn an_outage_stands_first_with_what_holds_the_old_version_up() {
    let why = "no node has room".to_owned();
    let back = Aftermath::RollbackFailed(version(), why.clone());
    let headline = || "The new version does not serve: it broke.".to_owned();
    let told = first("Deployment `web` in `shop`", headline(), &seen(0), &back);
    assert_eq!(
        told,
        "Outage: no pod of Deployment `web` in `shop` serves. The version of revision 3 \
         (shop/web:1) was brought back and does not serve either: no node has room. The new \
         version does not serve: it broke."
    );
    for served in [seen(1), seen(2), Evidence::default()] {
        assert_eq!(first("x", headline(), &served, &back), headline());
    }
}

#[test]
fn what_is_said_of_a_rollback_comes_of_counted_pods() {
    let say = |available| rollback_failed(&version(), "it is slow", seen(available).serving);
    assert!(say(2).contains("2 of 2 pods serve on"), "{}", say(2));
    assert!(say(3).contains("2 of 2 pods serve on"), "{}", say(3));
    assert!(say(1).contains("1 of 2 pods serve;"), "{}", say(1));
    assert!(say(0).contains("does not serve"), "{}", say(0));
}
