use super::*;
use crate::state::release::{Before, Kept};
use serde_json::json;

fn old(group: &str, kind: &str, stays: bool) -> RecordedObject {
    RecordedObject {
        id: ObjectId {
            group: group.into(),
            kind: kind.into(),
            namespace: None,
            name: "x".into(),
        },
        api_version: "v1".into(),
        plural: "x".into(),
        wave: 0,
        stays,
        follow: true,
        left: false,
        had: 0,
        uid: Some("u-1".into()),
        manifest: Kept::Omitted,
        before: Before::Absent,
    }
}

fn live(annotations: Value) -> Value {
    json!({"metadata": {
        "uid": "u-1",
        "resourceVersion": "12",
        "labels": {PART_OF: "ours"},
        "annotations": annotations,
    }})
}

fn ours() -> Owner {
    Owner {
        id: "ours".into(),
        release: "prod/shop".into(),
    }
}

fn pruned(old: &RecordedObject, live: &Value) -> Prune {
    let applied = BTreeSet::from(["u-2".to_owned()]);
    prune(old, Some(live), &ours(), &applied, false)
}

fn delete() -> Prune {
    Prune::Delete {
        uid: "u-1".into(),
        resource_version: "12".into(),
    }
}

#[test]
fn what_the_new_revision_does_not_have_goes_whatever_its_version() {
    let all = [
        old("apps", "Deployment", false),
        old("", "Service", false),
        old("", "ConfigMap", false),
    ];
    let mut new = all[0].id.clone();
    assert_eq!(
        candidates(&all, &[new.clone(), all[2].id.clone()]),
        [&all[1]]
    );
    // Another namespace is another object, and so is another group.
    new.namespace = Some("other".into());
    assert_eq!(candidates(&all, &[new]).len(), 3);
    assert_eq!(candidates(&all, &[]).len(), 3);
}

#[test]
fn a_deletion_is_bound_to_what_was_read() {
    let old = old("", "Service", false);
    assert_eq!(pruned(&old, &live(json!({}))), delete());
    assert_eq!(
        prune(&old, None, &ours(), &BTreeSet::new(), false),
        Prune::Gone
    );
    let mut leaving = live(json!({}));
    leaving["metadata"]["deletionTimestamp"] = "2026-11-28T23:00:00Z".into();
    assert_eq!(pruned(&old, &leaving), Prune::Gone);
}

#[test]
fn what_is_not_ours_or_asks_to_stay_is_kept() {
    let old = old("", "Service", false);
    let keep = |live: &Value| match pruned(&old, live) {
        Prune::Keep(reason) => reason,
        other @ (Prune::Delete { .. } | Prune::Gone) => panic!("{other:?}"),
    };
    let with = |pointer: &str, value: Value| {
        let mut object = live(json!({}));
        *object.pointer_mut(pointer).unwrap() = value;
        object
    };
    let unlabelled = with("/metadata/labels", json!({}));
    assert_eq!(keep(&unlabelled), KeepReason::NotInRelease);
    let mut other = with("/metadata/labels", json!({PART_OF: "applyset-other-v1"}));
    let id = KeepReason::OtherSet("applyset-other-v1".into());
    assert_eq!(keep(&other), id);
    // Another tool labelled it, and left our annotation where it was.
    other["metadata"]["annotations"][RELEASE] = "prod/shop".into();
    assert_eq!(keep(&other), id);
    other["metadata"]["annotations"][RELEASE] = "prod/billing".into();
    assert_eq!(
        keep(&other),
        KeepReason::OtherRelease("prod/billing".into())
    );

    let mut owned = live(json!({}));
    owned["metadata"]["ownerReferences"] = json!([
        {"kind": "App", "name": "plain"}, {"kind": "Redis", "name": "main", "controller": true}]);
    assert_eq!(keep(&owned), KeepReason::Controlled("Redis/main".into()));
    // An owner that does not control it does not delete it on its own account.
    owned["metadata"]["ownerReferences"] = json!([{"kind": "App", "name": "plain"}]);
    assert_eq!(pruned(&old, &owned), delete());

    // Applied under another group, it is the same object.
    let moved = with("/metadata/uid", "u-2".into());
    assert_eq!(pruned(&old, &moved), Prune::Gone);
    for (key, value, kept) in [
        ("helm.sh/resource-policy", "keep", "keep"),
        ("kapp.k14s.io/delete-strategy", "orphan", "orphan"),
        (
            "argocd.argoproj.io/sync-options",
            "Replace=true, Prune=false",
            "Prune=false",
        ),
        ("kustomize.toolkit.fluxcd.io/prune", "disabled", "disabled"),
        (
            "client.lifecycle.config.k8s.io/deletion",
            "detach",
            "detach",
        ),
        ("cli-utils.sigs.k8s.io/on-remove", "keep", "keep"),
    ] {
        let reason = keep(&live(json!({key: value})));
        assert_eq!(reason, KeepReason::Annotation(key.into(), kept.into()));
    }
    for (key, value) in [
        ("helm.sh/resource-policy", "delete"),
        ("argocd.argoproj.io/sync-options", "Prune=true"),
        ("landfall/prune", "always"),
        ("landfall/prune", "odd"),
    ] {
        assert_eq!(pruned(&old, &live(json!({key: value}))), delete(), "{key}");
    }
}

#[test]
fn what_another_tool_has_adopted_stays_unless_it_is_taken_by_force() {
    let mut old = old("", "Service", false);
    old.manifest = Kept::whole(&json!({"metadata": {"name": "x"}}));
    let mut adopted = live(json!({"meta.helm.sh/release-name": "web"}));
    adopted["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm".into();
    let kept = Prune::Keep(KeepReason::Adopted("Helm release `web`".into()));
    assert_eq!(pruned(&old, &adopted), kept);
    // Where the manifest is not known, it may have said so all along.
    let kept = Prune::Keep(KeepReason::Marked("Helm release `web`".into()));
    assert_eq!(pruned(&self::old("", "Service", false), &adopted), kept);
    let forced = prune(&old, Some(&adopted), &ours(), &BTreeSet::new(), true);
    assert_eq!(forced, delete());
    // A manifest that was printed by that tool says the same all along.
    old.manifest = Kept::whole(&adopted);
    assert_eq!(pruned(&old, &adopted), delete());
    // Most manifests leave the namespace to the API server.
    adopted["metadata"]["namespace"] = "shop".into();
    assert_eq!(pruned(&old, &adopted), delete());
    // The label alone is what `helm template` prints.
    let label = json!({"app.kubernetes.io/managed-by": "Helm", PART_OF: "ours"});
    adopted["metadata"] = json!({"uid": "u-1", "resourceVersion": "12", "labels": label});
    assert_eq!(pruned(&self::old("", "Service", false), &adopted), delete());
}

#[test]
fn kinds_with_data_stay_unless_the_object_asks_to_go() {
    let kept = [
        ("", "Namespace"),
        ("", "PersistentVolume"),
        ("", "PersistentVolumeClaim"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("storage.k8s.io", "StorageClass"),
    ];
    for (group, kind) in kept {
        let old = old(group, kind, false);
        let plain = live(json!({}));
        assert_eq!(
            pruned(&old, &plain),
            Prune::Keep(KeepReason::Kind),
            "{kind}"
        );
        assert_eq!(
            pruned(&old, &live(json!({PRUNE: "always"}))),
            delete(),
            "{kind}"
        );
        // The owner of the object may have told another tool to leave it.
        let both = live(json!({PRUNE: "always", "helm.sh/resource-policy": "keep"}));
        assert!(matches!(
            pruned(&old, &both),
            Prune::Keep(KeepReason::Annotation(..))
        ));
    }
    // A kind of the same name in another group is another kind.
    let other = old("example.com", "Namespace", false);
    assert_eq!(pruned(&other, &live(json!({}))), delete());
}

#[test]
fn a_manifest_that_said_never_holds_until_the_object_says_otherwise() {
    let old = old("", "Service", true);
    assert_eq!(
        pruned(&old, &live(json!({}))),
        Prune::Keep(KeepReason::Annotation(PRUNE.into(), "never".into()))
    );
    assert_eq!(pruned(&old, &live(json!({PRUNE: "always"}))), delete());
    let never = pruned(&old, &live(json!({PRUNE: "never"})));
    assert_eq!(
        never,
        Prune::Keep(KeepReason::Annotation(PRUNE.into(), "never".into()))
    );
}
