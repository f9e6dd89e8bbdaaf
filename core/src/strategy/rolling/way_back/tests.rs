use super::*;
use crate::tests::{at, replica_set};
use crate::workload::Kind;
use serde_json::json;

fn live(observed: i64) -> Workload {
    Workload::new(
        Kind::Deployment,
        json!({"metadata": {"uid": "u", "generation": 4},
        "status": {"observedGeneration": observed}}),
    )
}

fn set(name: &str, revision: u64, available: i64) -> ReplicaSet {
    replica_set(name, "u", revision, available)
}

#[test]
fn what_is_available_when_the_deploy_fails_decides() {
    let recorded = |name: &str, revision| {
        Some(Previous {
            name: name.into(),
            revision,
        })
    };
    let foreign = ReplicaSet {
        owner: "other".into(),
        ..set("x", 9, 5)
    };
    let cases = [
        (
            "the recorded one serves on",
            recorded("a", 1),
            4,
            vec![set("a", 1, 1), set("b", 2, 3), set("c", 3, 0)],
            Some("a"),
        ),
        (
            "nothing served before the write, and something does now",
            None,
            4,
            vec![set("a", 1, 2), set("b", 2, 0)],
            Some("a"),
        ),
        (
            "the recorded one has gone down, and is still what served",
            recorded("a", 1),
            4,
            vec![set("a", 1, 0), set("b", 2, 0)],
            Some("a"),
        ),
        (
            "another one serves in place of the recorded",
            recorded("a", 1),
            4,
            vec![set("a", 1, 0), set("b", 2, 2), set("c", 3, 0)],
            Some("b"),
        ),
        (
            "the new one is what failed, though some of its pods are available",
            None,
            4,
            vec![set("a", 1, 0), set("b", 2, 1)],
            None,
        ),
        (
            "no ReplicaSet came of our write, so that the newest is the old one",
            None,
            3,
            vec![set("a", 1, 2)],
            Some("a"),
        ),
        ("none of ours", None, 4, vec![foreign, set("b", 2, 0)], None),
    ];
    let written = WriteReceipt::new(None, &live(4), at(0));
    for (name, recorded, observed, sets, expected) in cases {
        let chosen = choose(recorded.as_ref(), &written, &live(observed), &sets);
        let chosen = chosen.map(|previous| previous.name);
        assert_eq!(chosen.as_deref(), expected, "{name}");
    }
}
