use super::*;
use crate::kubernetes::object_id::ObjectId;
use crate::release::LeftReason;
use crate::release::prune::KeepReason;
use crate::state::continuation::RecordedFailure;

fn object(name: String) -> ObjectId {
    ObjectId {
        group: String::new(),
        kind: "ConfigMap".into(),
        namespace: Some("default".into()),
        name,
    }
}

#[test]
fn what_was_packed_is_read() {
    let reasons = [
        LeftReason::JobRan,
        LeftReason::Refused("no \"quota\"\nleft".into()),
        LeftReason::Keep(KeepReason::Annotation(
            "landfall/prune".into(),
            "never".into(),
        )),
        LeftReason::Keep(KeepReason::OtherRelease("shop".into())),
    ];
    let left = reasons.into_iter().enumerate();
    let account = WayBack {
        tried: true,
        revision: Some(6),
        restored: vec![object("a".into())],
        deleted: vec![object("b".into())],
        left: left
            .map(|(at, why)| (object(at.to_string()), why))
            .collect(),
        unserved: vec![(object("c".into()), "it crashes".into())],
        failure: Some(Box::new(RecordedFailure::of("it crashes"))),
        ..WayBack::default()
    };
    let packed = account.packed().unwrap();
    assert_eq!(WayBack::unpacked(&packed), Some(account));
}

#[test]
fn what_is_too_large_is_not_kept() {
    let account = |number: u64| WayBack {
        // Names that cannot be packed well.
        deleted: (0..number)
            .map(|at| object(format!("{:x}", at.wrapping_mul(0x9E37_79B9_7F4A_7C15))))
            .collect(),
        ..WayBack::default()
    };
    assert!(account(2_000).packed().is_some());
    assert_eq!(account(50_000).packed(), None);
}

#[test]
fn what_was_damaged_is_not_read() {
    let packed = WayBack::default().packed().unwrap();
    for damaged in ["", "x", &packed[4..], "e30="] {
        assert_eq!(WayBack::unpacked(damaged), None, "{damaged}");
    }
}
