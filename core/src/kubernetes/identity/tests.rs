use super::*;
use crate::kubernetes::resource::{DEPLOYMENTS, REPLICA_SETS, SERVICES};
use serde_json::json;

fn object(kind: &str, namespace: &str, name: &str) -> Value {
    json!({"kind": kind, "metadata": {"namespace": namespace, "name": name}})
}

#[test]
fn only_what_was_asked_for_is_taken() {
    let web = || object("Deployment", "shop", "web");
    let list = |kind: &str, namespace: &str| {
        json!({"kind": kind, "metadata": {}, "items": [
            {"metadata": {"namespace": "shop", "name": "web-1"}},
            {"metadata": {"namespace": namespace, "name": "web-2"}}]})
    };
    let review = |kind: &str| json!({"kind": kind, "status": {"allowed": true}});
    let ended = |status: &str| json!({"kind": "Status", "status": status});
    let get = || Call::get(&DEPLOYMENTS, "shop", "web");
    let patch = || Call::strategic_patch(&DEPLOYMENTS, "shop", "web", json!({}));
    let create = || Call::create(&DEPLOYMENTS, "shop", json!({"metadata": {"name": "web"}}));
    let delete = || Call::delete(&DEPLOYMENTS, "shop", "web", "uid");
    let may = || {
        let (verb, resource) = ("get", "pods");
        Call::may(
            "shop",
            &crate::kubernetes::call::Permission {
                verb,
                resource: resource.into(),
            },
        )
    };
    let token = || Call::token("shop", "ci", std::time::Duration::ZERO);
    for (call, answer, is_taken) in [
        (get(), web(), true),
        (get(), object("Pod", "shop", "web"), false),
        (get(), object("", "shop", "web"), false),
        (get(), object("Deployment", "shop", "payroll"), false),
        (get(), object("Deployment", "other", "web"), false),
        (get(), json!({"kind": "Deployment"}), false),
        (
            get(),
            json!({"kind": "Deployment", "metadata": {"name": "web"}}),
            false,
        ),
        (get(), list("DeploymentList", "shop"), false),
        (get(), ended("Success"), false),
        (get(), json!({}), false),
        (patch(), web(), true),
        (patch(), object("Deployment", "shop", "payroll"), false),
        (patch().dry_run(), object("Scale", "shop", "web"), false),
        (create(), web(), true),
        (create(), object("Deployment", "shop", "web-2"), false),
        (delete(), web(), true),
        (delete(), ended("Success"), true),
        (delete(), ended("Failure"), false),
        (delete(), object("Pod", "shop", "web"), false),
        (
            Call::list(&DEPLOYMENTS, "shop", "app=web"),
            list("DeploymentList", "shop"),
            true,
        ),
        (
            Call::list(&DEPLOYMENTS, "shop", "app=web"),
            list("DeploymentList", "other"),
            false,
        ),
        (
            Call::list(&DEPLOYMENTS, "shop", "app=web"),
            list("PodList", "shop"),
            false,
        ),
        (Call::list(&DEPLOYMENTS, "shop", "app=web"), web(), false),
        (
            Call::get(&SERVICES, "shop", "web"),
            object("Service", "shop", "web"),
            true,
        ),
        (Call::get(&SERVICES, "shop", "web"), web(), false),
        (
            Call::get(&REPLICA_SETS, "shop", "web-1"),
            object("ReplicaSet", "shop", "web-1"),
            true,
        ),
        (may(), review("SelfSubjectAccessReview"), true),
        (may(), review("SubjectAccessReview"), false),
        (Call::who_am_i(), review("SelfSubjectReview"), true),
        (token(), object("TokenRequest", "shop", "ci"), true),
        (token(), object("TokenRequest", "shop", "admin"), false),
        (Call::log("shop", "web-1", "app", false, 1), json!({}), true),
    ] {
        let found = expected(&call, &answer);
        assert_eq!(found.is_ok(), is_taken, "{} {answer}", &*call.path);
    }
}
