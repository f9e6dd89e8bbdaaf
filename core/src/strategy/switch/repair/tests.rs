use super::*;
use crate::state::marks::VERSION;
use crate::workload::Kind;
use serde_json::json;

fn selector(pairs: &[(&str, &str)]) -> Selector {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn web() -> Workload {
    Workload::new(
        Kind::Deployment,
        json!({"metadata": {"name": "web", "uid": "u"},
        "spec": {"template": {"metadata": {"labels": {"app": "web"}}}}}),
    )
}

fn set(name: &str, owner: &str) -> ReplicaSet {
    ReplicaSet {
        name: name.into(),
        owner: owner.into(),
        template_hash: name.rsplit_once('-').unwrap().1.into(),
        ..ReplicaSet::default()
    }
}

fn pod(owner: &str, ready: bool) -> ServicePod {
    ServicePod {
        name: format!("{owner}-{ready}"),
        owner: owner.into(),
        ready,
        ..ServicePod::default()
    }
}

#[test]
fn an_empty_service_is_filled_without_letting_in_what_nobody_has_judged() {
    let sets = [
        set("web-old", "u"),
        set("web-new", "u"),
        set("web-blue-x", "v"),
    ];
    let wide = selector(&[("app", "web")]);
    let held = selector(&[("app", "web"), (TEMPLATE_HASH, "new")]);
    for (all, expected) in [
        // Nothing is ready: nothing would come of it.
        (vec![], None),
        (vec![pod("web-new", false)], None),
        (
            vec![pod("web-new", true)],
            Some(Refill::Original(wide.clone())),
        ),
        (
            vec![pod("web-old", false), pod("web-new", true)],
            Some(Refill::Original(wide.clone())),
        ),
        (
            vec![pod("web-blue-x", true), pod("web-new", true)],
            Some(Refill::Held(held.clone())),
        ),
        // One that comes up would get traffic as soon as it is ready.
        (
            vec![pod("web-blue-x", false), pod("web-new", true)],
            Some(Refill::Held(held)),
        ),
        // An untested version is better than none.
        (
            vec![pod("web-blue-x", true), pod("web-new", false)],
            Some(Refill::Original(wide.clone())),
        ),
    ] {
        assert_eq!(refill(&wide, &all, &web(), &sets), expected, "{all:?}");
    }
}

#[test]
fn a_selector_finds_a_deployments_pods_by_its_template() {
    for (pairs, plain, found) in [
        (&[("app", "web")][..], "web", true),
        (&[("app", "web"), (TEMPLATE_HASH, "x")], "web", true),
        (&[("app", "web"), (TEMPLATE_HASH, "x")], "other", false),
        (&[("app", "web"), (VERSION, "blue")], "web", false),
        (&[("app", "shop")], "web", false),
    ] {
        assert_eq!(selects(&selector(pairs), &web(), plain), found, "{pairs:?}");
    }
}
