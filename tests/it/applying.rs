//! Server-side apply against the real API server, beside what `kubectl` makes of the same manifests.

mod changes;
mod space;

use self::changes::{CHANGES, Change};
use self::space::{Space, comparable, manifest};
use landfall_core::change::apply::{
    ApplyRefusal, FieldConflict, are_of_predecessors, change, takeover,
};
use serde_json::{Value, json};

fn next((_, first, edits): &Change) -> String {
    edits.iter().fold((*first).to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    })
}

fn web() -> Value {
    manifest(CHANGES[0].1)
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    *object.pointer_mut(pointer).unwrap() = value;
    object
}

fn conflict(field: &str, manager: &str) -> FieldConflict {
    FieldConflict {
        field: field.to_owned(),
        manager: manager.to_owned(),
    }
}

const DEPLOYMENT: &str = "deployments/web";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn what_kubectl_applied_is_taken_over_as_kubectl_does_it() {
    let (ours, theirs) = (Space::new().await, Space::new().await);
    for row in CHANGES {
        let (kind, first) = (row.0, row.1);
        let next = next(row);
        for space in [&ours, &theirs] {
            space.kubectl(&["apply", "-f", "-"], first);
        }
        theirs.kubectl(&["apply", "--server-side", "-f", "-"], &next);
        let object = manifest(&next);
        let before = ours.live(kind, &object).await.unwrap();
        let applied = ours.release(kind, &object, None).await.unwrap();
        assert!(applied.wrote, "{kind}");
        let our = ours.live(kind, &object).await.unwrap();
        let their = theirs.live(kind, &object).await.unwrap();
        let (left, right) = (comparable(our.clone()), comparable(their));
        assert_eq!(left, right, "{kind}\n{left:#}\n{right:#}");
        // What the plan said is what came of it.
        assert_eq!(applied.plan, change(Some(&before), &our), "{kind}");
        assert!(applied.plan.count() > 0, "{kind}");
        // Once more nothing is written.
        let again = ours.release(kind, &object, None).await.unwrap();
        assert!(!again.wrote, "{kind} {:?}", again.plan);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn an_unchanged_object_needs_no_write_and_a_field_that_leaves_goes() {
    let space = Space::new().await;
    let texts = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "texts"},
        "stringData": {"a": "1"}});
    let headless = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "headless"},
        "spec": {"clusterIP": "None", "ports": [{"port": 80}]}});
    let mut empty = with(headless.clone(), "/spec/clusterIP", json!(""));
    empty["metadata"]["name"] = json!("empty");
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migration"},
        "spec": {"template": {"spec": {"restartPolicy": "Never",
            "containers": [{"name": "a", "image": "a:1"}]}}}});
    let single = [
        ("secrets", texts),
        ("services", headless),
        ("services", empty),
        ("jobs", job),
    ];
    let rows = CHANGES
        .iter()
        .map(|row| (row.0, manifest(row.1), Some(manifest(&next(row)))));
    for (kind, first, next) in rows.chain(single.map(|(kind, object)| (kind, object, None))) {
        for wrote in [true, false] {
            let applied = space.release(kind, &first, None).await.unwrap();
            assert_eq!(applied.wrote, wrote, "{kind} {:?}", applied.plan);
        }
        let Some(next) = next else { continue };
        let before = space.live(kind, &next).await.unwrap();
        for wrote in [true, false] {
            let applied = space.release(kind, &next, None).await.unwrap();
            assert_eq!(applied.wrote, wrote, "{kind} {:?}", applied.plan);
            if wrote {
                let after = space.live(kind, &next).await.unwrap();
                assert_eq!(applied.plan, change(Some(&before), &after), "{kind}");
                assert!(applied.plan.count() > 0, "{kind}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn fields_of_our_own_patches_go_with_the_manifest() {
    let space = Space::new().await;
    let path = space.namespace.path("apps/v1", DEPLOYMENT);
    space.release("deployments", &web(), None).await.unwrap();
    let own = format!("{path}?fieldManager=landfall");
    let restarted = json!({"kubectl.kubernetes.io/restartedAt": "2026-11-28T00:00:00Z"});
    let patch = json!({"metadata": {"annotations": {"landfall/cause": "x"}},
        "spec": {"progressDeadlineSeconds": 77, "template": {"metadata": {"annotations": restarted}}}});
    space.namespace.merge(&own, &patch).await;
    let applied = space.release("deployments", &web(), None).await.unwrap();
    assert!(applied.wrote);
    let live = space.live("deployments", &web()).await.unwrap();
    assert_eq!(live["spec"]["progressDeadlineSeconds"], 600, "{live:#}");
    assert_eq!(live["metadata"]["annotations"].get("landfall/cause"), None);
    // A restart belongs to no version.
    assert_eq!(
        live["spec"]["template"]["metadata"]["annotations"],
        restarted
    );
    assert!(
        !space
            .release("deployments", &web(), None)
            .await
            .unwrap()
            .wrote
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn what_we_created_otherwise_is_taken_over() {
    let (space, fresh) = (Space::new().await, Space::new().await);
    for row in &CHANGES[..5] {
        let (kind, first, next) = (row.0, manifest(row.1), manifest(&next(row)));
        let version = first["apiVersion"].as_str().unwrap();
        let path = space.namespace.path(version, kind);
        let own = format!("{path}?fieldManager=landfall");
        space.namespace.create(&own, &first).await;
        let before = space.live(kind, &next).await.unwrap();
        let applied = space.release(kind, &next, None).await.unwrap();
        let after = space.live(kind, &next).await.unwrap();
        assert_eq!(applied.plan, change(Some(&before), &after), "{kind}");
        fresh.release(kind, &next, None).await.unwrap();
        let fresh = fresh.live(kind, &next).await.unwrap();
        assert_eq!(comparable(after), comparable(fresh), "{kind}");
        assert!(!space.release(kind, &next, None).await.unwrap().wrote);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn conflicts_are_told_by_field_and_manager() {
    let space = Space::new().await;
    let path = space.namespace.path("apps/v1", DEPLOYMENT);
    space.release("deployments", &web(), None).await.unwrap();
    let edited = format!("{path}?fieldManager=kubectl-edit");
    let patch = json!({"spec": {"minReadySeconds": 9}});
    space.namespace.merge(&edited, &patch).await;
    let scaled = format!("{path}/scale?fieldManager=kubectl");
    space
        .namespace
        .merge(&scaled, &json!({"spec": {"replicas": 5}}))
        .await;
    let conflicts = vec![
        conflict("spec.minReadySeconds", "kubectl-edit"),
        conflict("spec.replicas", "kubectl (scale)"),
    ];
    let refusal = space
        .release("deployments", &web(), None)
        .await
        .err()
        .unwrap();
    assert_eq!(refusal, ApplyRefusal::Conflict(conflicts.clone()));
    let live = space.live("deployments", &web()).await.unwrap();
    assert!(!are_of_predecessors(&live, &conflicts));
    // The same value is no conflict.
    let same = with(web(), "/spec/minReadySeconds", json!(9));
    let same = with(same, "/spec/replicas", json!(5));
    space.release("deployments", &same, None).await.unwrap();
    // With force it is ours.
    let object = space
        .apply("deployments", web(), true, false)
        .await
        .unwrap();
    assert_eq!(object["spec"]["replicas"], 2);
    assert_eq!(object["spec"]["minReadySeconds"], 3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn refusals_of_a_real_server_are_understood() {
    let space = Space::new().await;
    space.release("deployments", &web(), None).await.unwrap();
    let mut unknown = web();
    unknown["spec"]["template"]["spec"]["containers"][0]["imag"] = json!("x");
    let twice = json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    let twice = with(web(), "/spec/template/spec/containers/0/env", twice);
    let selector = with(web(), "/spec/selector/matchLabels/app", json!("wob"));
    let selector = with(selector, "/spec/template/metadata/labels/app", json!("wob"));
    let mut elsewhere = web();
    elsewhere["metadata"]["namespace"] = json!("no-such-namespace");
    let unserved = json!({"apiVersion": "no.example.com/v1", "kind": "No",
        "metadata": {"name": "no"}});
    let app = "spec.template.spec.containers[name=\"app\"]";
    let invalid = |field: &str, wrong: &str| {
        ApplyRefusal::Invalid(vec![(field.to_owned(), wrong.to_owned())])
    };
    for (kind, object, expected) in [
        (
            "deployments",
            unknown,
            ApplyRefusal::UnknownField(vec![format!("{app}.imag")]),
        ),
        (
            "deployments",
            twice,
            ApplyRefusal::DuplicateKey(vec![format!(
                "{app}.env: duplicate entries for key [name=\"A\"]"
            )]),
        ),
        (
            "deployments",
            selector,
            ApplyRefusal::Immutable(vec!["spec.selector".to_owned()]),
        ),
        (
            "deployments",
            with(web(), "/spec/replicas", json!(-2)),
            invalid("spec.replicas", "must be greater than or equal to 0"),
        ),
        (
            "deployments",
            with(web(), "/spec/replicas", json!("two")),
            invalid(
                "spec.replicas",
                "expected numeric (int or float), got string",
            ),
        ),
        ("no", unserved, ApplyRefusal::KindMissing),
        ("deploymentz", web(), ApplyRefusal::KindMissing),
    ] {
        let found = space.apply(kind, object, false, true).await;
        assert_eq!(found.err(), Some(expected), "{kind}");
    }
    let mut stale = web();
    stale["metadata"]["resourceVersion"] = json!("1");
    let found = space.apply("deployments", stale, false, false).await;
    assert_eq!(found.err(), Some(ApplyRefusal::Stale));
    let mut gone = web();
    gone["metadata"]["name"] = json!("gone");
    gone["metadata"]["uid"] = json!("11111111-1111-1111-1111-111111111111");
    let found = space.apply("deployments", gone, false, false).await;
    assert_eq!(found.err(), Some(ApplyRefusal::Stale));
    let set = CHANGES[1];
    let mut renamed = manifest(set.1);
    space.release(set.0, &renamed, None).await.unwrap();
    renamed["spec"]["serviceName"] = json!("other");
    let found = space.release(set.0, &renamed, None).await.err().unwrap();
    let live = space.live(set.0, &renamed).await;
    assert_eq!(
        found.named(live.as_ref(), &renamed),
        ApplyRefusal::Immutable(vec!["spec.serviceName".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn an_autoscaler_keeps_its_replicas() {
    let space = Space::new().await;
    let path = space.namespace.path("apps/v1", DEPLOYMENT);
    let scale = async |count: i64| {
        let scale = format!("{path}/scale?fieldManager=kube-controller-manager");
        space
            .namespace
            .merge(&scale, &json!({"spec": {"replicas": count}}))
            .await;
    };
    let count = async || {
        let live = space.live("deployments", &web()).await.unwrap();
        live["spec"]["replicas"].as_i64().unwrap()
    };
    // Client-side apply said 2, the autoscaler 7, we still say 2.
    space.kubectl(&["apply", "-f", "-"], CHANGES[0].1);
    scale(7).await;
    let changed = with(web(), "/spec/minReadySeconds", json!(4));
    space
        .release("deployments", &changed, Some("web"))
        .await
        .unwrap();
    assert_eq!(count().await, 7);
    // We alone own it, and the live count is ours to keep.
    let other = Space::new().await;
    other.release("deployments", &web(), None).await.unwrap();
    let live = with(web(), "/spec/replicas", json!(6));
    other.release("deployments", &live, None).await.unwrap();
    other
        .release("deployments", &changed, Some("web"))
        .await
        .unwrap();
    let live = other.live("deployments", &web()).await.unwrap();
    assert_eq!(live["spec"]["replicas"], 6);
    assert_eq!(live["spec"]["minReadySeconds"], 4);
    assert!(
        !other
            .release("deployments", &changed, Some("web"))
            .await
            .unwrap()
            .wrote
    );
    // The autoscaler writes it: from then on it is left out.
    let path = other.namespace.path("apps/v1", DEPLOYMENT);
    let scale = format!("{path}/scale?fieldManager=kube-controller-manager");
    other
        .namespace
        .merge(&scale, &json!({"spec": {"replicas": 9}}))
        .await;
    other
        .release("deployments", &web(), Some("web"))
        .await
        .unwrap();
    let live = other.live("deployments", &web()).await.unwrap();
    assert_eq!(live["spec"]["replicas"], 9);
    assert!(
        !other
            .release("deployments", &web(), Some("web"))
            .await
            .unwrap()
            .wrote
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn a_manifest_without_replicas_never_changes_the_count() {
    let space = Space::new().await;
    let mut silent = web();
    silent["spec"].as_object_mut().unwrap().remove("replicas");
    // Client-side apply owned the replicas; the takeover makes them ours.
    let first = CHANGES[0].1.replace("replicas: 2", "replicas: 3");
    space.kubectl(&["apply", "-f", "-"], &first);
    for (seconds, wrote) in [(4, true), (4, false), (5, true)] {
        let object = with(silent.clone(), "/spec/minReadySeconds", json!(seconds));
        let applied = space.release("deployments", &object, None).await.unwrap();
        assert_eq!(applied.wrote, wrote, "{:?}", applied.plan);
        let live = space.live("deployments", &silent).await.unwrap();
        assert_eq!(live["spec"]["replicas"], 3);
        assert_eq!(live["spec"]["minReadySeconds"], seconds);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn an_object_whose_fields_nobody_manages_is_taken_over() {
    let space = Space::new().await;
    for row in [CHANGES[0], CHANGES[4], CHANGES[6]] {
        let (kind, first) = (row.0, row.1);
        space.kubectl(&["apply", "-f", "-"], first);
        let object = manifest(&next(&row));
        let name = object["metadata"]["name"].as_str().unwrap();
        let version = object["apiVersion"].as_str().unwrap();
        let path = space.namespace.path(version, &format!("{kind}/{name}"));
        let patch = json!({"metadata": {"managedFields": [{}]}});
        let unmanaged = space.namespace.merge(&path, &patch).await;
        assert_eq!(
            unmanaged["metadata"].get("managedFields"),
            None,
            "{unmanaged}"
        );
        let applied = space.release(kind, &object, None).await.unwrap();
        assert!(applied.wrote, "{kind}");
        let live = space.live(kind, &object).await.unwrap();
        assert_eq!(takeover(&live), None);
        // What the last client-side apply had and the manifest has not is gone, and the server's
        // own fields are not.
        let fresh = Space::new().await;
        fresh.release(kind, &object, None).await.unwrap();
        let fresh = fresh.live(kind, &object).await.unwrap();
        let fields = |object: &Value| {
            let object = comparable(object.clone());
            (
                object["spec"].clone(),
                object["data"].clone(),
                object["metadata"]["labels"].clone(),
            )
        };
        assert_eq!(fields(&live), fields(&fresh), "{kind}");
        assert!(
            !space.release(kind, &object, None).await.unwrap().wrote,
            "{kind}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn a_takeover_that_comes_too_late_is_a_conflict() {
    use landfall_core::change::apply::refused;
    use landfall_core::kubernetes::call::Call;
    use landfall_core::kubernetes::resource::DEPLOYMENTS;
    let space = Space::new().await;
    space.kubectl(&["apply", "-f", "-"], CHANGES[0].1);
    let live = space.live("deployments", &web()).await.unwrap();
    let patch = takeover(&live).unwrap();
    let path = space.namespace.path("apps/v1", DEPLOYMENT);
    let labels = json!({"metadata": {"labels": {"late": "yes"}}});
    space.namespace.merge(&path, &labels).await;
    let call = Call::json_patch(&DEPLOYMENTS, &space.namespace.name, "web", patch);
    let refusal = space.send(call).await.unwrap_err();
    assert_eq!(refused(&refusal), ApplyRefusal::Stale);
}
