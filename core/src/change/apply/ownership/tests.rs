use super::*;
use serde_json::json;

#[test]
fn each_tool_marks_what_it_owns() {
    let ours = Owner {
        id: "applyset-ours-v1".to_owned(),
        release: "shop/web".to_owned(),
    };
    let named = |make: fn(String) -> ForeignOwner, name: &str| vec![make(name.to_owned())];
    let nobody = Vec::new;
    let helm = json!({"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "ops"});
    let managed = json!({"app.kubernetes.io/managed-by": "Helm"});
    for (labels, annotations, expected) in [
        (json!({}), json!({}), nobody()),
        (
            json!({PART_OF: "applyset-ours-v1"}),
            json!({RELEASE: "shop/web"}),
            nobody(),
        ),
        // The label decides.
        (
            json!({PART_OF: "applyset-ours-v1"}),
            json!({RELEASE: "shop/other"}),
            nobody(),
        ),
        (
            json!({PART_OF: "applyset-other-v1"}),
            json!({RELEASE: "shop/other"}),
            named(ForeignOwner::Release, "shop/other"),
        ),
        (
            json!({}),
            json!({RELEASE: "shop/other"}),
            named(ForeignOwner::Release, "shop/other"),
        ),
        (
            json!({PART_OF: "applyset-kubectl-v1"}),
            json!({}),
            named(ForeignOwner::ApplySet, "applyset-kubectl-v1"),
        ),
        (
            managed.clone(),
            helm.clone(),
            named(ForeignOwner::Helm, "ops/web"),
        ),
        // Output of `helm template`, and an object that Helm no longer manages.
        (managed.clone(), json!({}), nobody()),
        (json!({}), helm, nobody()),
        (
            json!({}),
            json!({"argocd.argoproj.io/tracking-id": "app:apps/Deployment:shop/web"}),
            named(ForeignOwner::ArgoCd, "app"),
        ),
        (
            json!({}),
            json!({"argocd.argoproj.io/tracking-id": "team:app:apps/Deployment:shop/web"}),
            named(ForeignOwner::ArgoCd, "team:app"),
        ),
        // Copied from what created it.
        (
            json!({}),
            json!({"argocd.argoproj.io/tracking-id": "app:apps/Deployment:shop/parent"}),
            nobody(),
        ),
        (
            json!({"argocd.argoproj.io/instance": "app"}),
            json!({}),
            named(ForeignOwner::ArgoCd, "app"),
        ),
        // Every chart sets this label.
        (
            json!({"app.kubernetes.io/instance": "app"}),
            json!({}),
            nobody(),
        ),
        (
            json!({"kustomize.toolkit.fluxcd.io/name": "apps",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}),
            json!({}),
            named(ForeignOwner::Flux, "flux-system/apps"),
        ),
        (
            json!({"helm.toolkit.fluxcd.io/name": "web"}),
            json!({}),
            named(ForeignOwner::Flux, "shop/web"),
        ),
        (
            json!({"kapp.k14s.io/app": "1606842163"}),
            json!({}),
            named(ForeignOwner::Kapp, "1606842163"),
        ),
        (
            json!({}),
            json!({"config.k8s.io/owning-inventory": "1-2"}),
            named(ForeignOwner::Inventory, "1-2"),
        ),
    ] {
        let live = json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop",
            "labels": labels, "annotations": annotations}});
        assert_eq!(owners(&live, &ours), expected, "{live}");
    }
    let synced = json!({"metadata": {"labels": {"app.kubernetes.io/instance": "app"},
        "managedFields": [{"manager": "argocd-controller", "operation": "Apply"}]}});
    assert_eq!(owners(&synced, &ours), named(ForeignOwner::ArgoCd, "app"));
    assert_eq!(
        ForeignOwner::ArgoCd("app".to_owned()).to_string(),
        "Argo CD Application `app`"
    );
    assert_eq!(owners(&json!({}), &ours), nobody());
}
