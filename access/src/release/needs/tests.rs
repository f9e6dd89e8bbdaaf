use super::*;
use crate::command::Tools;
use crate::options::Options;
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io/v1";

fn object(api_version: &str, kind: &str, name: &str, mut value: Value) -> Object {
    let namespace = value["namespace"].as_str().map(str::to_owned);
    if let Some(annotations) = value.get("annotations").cloned() {
        value["metadata"]["annotations"] = annotations;
    }
    Object {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace,
        place: "k8s/x.yaml".to_owned(),
        value,
    }
}

/// `verbs resource` for each right, with the names in brackets; `(prune, rollback)`.
async fn granted(objects: &[Object], (prune, rollback): (bool, bool)) -> Vec<String> {
    let plan = Plan {
        release: "web",
        namespace: "shop",
        prune,
        rollback,
    };
    let tools = Tools::new(&Options::default());
    let kinds = Kinds::find(&tools, objects).await.unwrap();
    let needs = of(&plan, objects, &kinds);
    let mut all = Vec::new();
    for (namespace, rights) in &needs.rights {
        let namespace = namespace.as_deref().unwrap_or("(all)");
        for rule in rights.rules() {
            for matter in &rule.matters {
                let matter = match matter {
                    Matter::Resource {
                        group,
                        resource,
                        names,
                    } => {
                        let names = names.iter().map(|name| format!(" [{name}]"));
                        let names = names.collect::<String>();
                        format!("{resource}.{group}{names}").replace(". [", " [")
                    }
                    Matter::Url(path) => path.clone(),
                };
                let matter = matter.trim_end_matches('.');
                all.push(format!("{namespace}: {} {matter}", rule.verbs.join(",")));
            }
        }
    }
    all.sort();
    all
}

const SECRETS: &str = "shop: create,delete,get,list,patch,update secrets";

#[tokio::test]
async fn an_object_is_read_and_applied_and_what_is_more_has_its_reason() {
    let config = || object("v1", "ConfigMap", "a", json!({}));
    let job = || object("batch/v1", "Job", "migrate", json!({}));
    let claim = |prune: &str| {
        let annotations = json!({"annotations": {"landfall/prune": prune}});
        object("v1", "PersistentVolumeClaim", "data", annotations)
    };
    let recreated = || {
        let annotations = json!({"annotations": {"landfall/recreate": "yes"}});
        object("v1", "Service", "web", annotations)
    };
    let pods = ["shop: get pods/log", "shop: list events", "shop: list pods"];
    let kept = "shop: create,get,patch,update persistentvolumeclaims";
    for (object, how, expected) in [
        (
            config(),
            (false, false),
            vec!["shop: create,get,patch configmaps"],
        ),
        (
            config(),
            (false, true),
            vec!["shop: create,delete,get,patch,update configmaps"],
        ),
        (
            config(),
            (true, false),
            vec!["shop: create,delete,get,patch configmaps"],
        ),
        // A Job is made anew, and never put back.
        (
            job(),
            (false, false),
            vec![
                "shop: create,delete,get,patch jobs.batch",
                pods[0],
                pods[1],
                pods[2],
            ],
        ),
        (
            job(),
            (true, true),
            vec![
                "shop: create,delete,get,patch jobs.batch",
                pods[0],
                pods[1],
                pods[2],
            ],
        ),
        (claim(""), (true, true), vec![kept]),
        (claim("always"), (false, true), vec![kept]),
        (
            claim("always"),
            (true, true),
            vec!["shop: create,delete,get,patch,update persistentvolumeclaims"],
        ),
        (
            recreated(),
            (false, false),
            vec!["shop: create,delete,get,patch services"],
        ),
    ] {
        let mut expected = expected;
        expected.push(SECRETS);
        expected.sort_unstable();
        let label = object.label();
        assert_eq!(granted(&[object], how).await, expected, "{label} {how:?}");
    }
}

#[tokio::test]
async fn workloads_are_followed_each_in_its_way() {
    let scalers = "shop: list horizontalpodautoscalers.autoscaling";
    for (kind, plural, more) in [
        (
            "Deployment",
            "deployments",
            vec![scalers, "shop: list pods", "shop: list replicasets.apps"],
        ),
        (
            "StatefulSet",
            "statefulsets",
            vec![
                scalers,
                "shop: delete,list pods",
                "shop: list controllerrevisions.apps",
            ],
        ),
        (
            "DaemonSet",
            "daemonsets",
            vec!["shop: list pods", "shop: list controllerrevisions.apps"],
        ),
    ] {
        let apply = format!("shop: create,delete,get,patch,update {plural}.apps");
        let mut expected = vec![&*apply, "shop: get pods/log", "shop: list events", SECRETS];
        expected.extend(more);
        expected.sort_unstable();
        let workload = object("apps/v1", kind, "web", json!({}));
        assert_eq!(granted(&[workload], (false, true)).await, expected);
    }
}

#[tokio::test]
async fn each_namespace_and_the_cluster_have_their_own() {
    let objects = [
        object("v1", "Namespace", "other", json!({})),
        object("v1", "Service", "a", json!({"namespace": "other"})),
        object("v1", "Service", "b", json!({"namespace": "shop"})),
    ];
    assert_eq!(
        granted(&objects, (false, true)).await,
        [
            "(all): create,get,patch,update namespaces [other]",
            "other: create,delete,get,patch,update services",
            SECRETS,
            "shop: create,delete,get,patch,update services",
        ]
    );
    let class = [object(
        "storage.k8s.io/v1",
        "StorageClass",
        "fast",
        json!({}),
    )];
    assert_eq!(
        granted(&class, (true, true)).await,
        [
            "(all): create,get,patch,update storageclasses.storage.k8s.io [fast]",
            SECRETS
        ]
    );
    // Whether it may be deleted is asked for the kind, so the verb is for all of it.
    let role = [object(RBAC, "ClusterRole", "reader", json!({}))];
    assert_eq!(
        granted(&role, (false, true)).await,
        [
            "(all): create,get,patch,update clusterroles.rbac.authorization.k8s.io [reader]",
            "(all): delete clusterroles.rbac.authorization.k8s.io",
            SECRETS,
        ]
    );
}

#[tokio::test]
async fn what_a_role_of_the_manifests_grants_is_held_and_a_foreign_one_may_be_bound() {
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"],
        "verbs": ["watch"]}, {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]);
    let own = object(RBAC, "Role", "reader", json!({"rules": rules}));
    let binding = |kind: &str, name: &str| {
        let role = json!({"roleRef": {"kind": kind, "name": name}, "namespace": "shop"});
        object(RBAC, "RoleBinding", name, role)
    };
    let apply = |plural: &str| format!("shop: create,get,patch {plural}.rbac.authorization.k8s.io");
    let (roles, bindings) = (apply("roles"), apply("rolebindings"));
    let held = ["shop: get /metrics", "shop: watch pods [a]"];
    for (objects, expected) in [
        (vec![own.clone()], vec![&*roles, held[0], held[1]]),
        (
            vec![own.clone(), binding("Role", "reader")],
            vec![&*roles, &*bindings, held[0], held[1]],
        ),
        (
            vec![binding("ClusterRole", "view")],
            vec![
                &*bindings,
                "shop: bind clusterroles.rbac.authorization.k8s.io [view]",
            ],
        ),
        // A ClusterRole of the same name is another role.
        (
            vec![own, binding("ClusterRole", "reader")],
            vec![
                &*roles,
                &*bindings,
                "shop: bind clusterroles.rbac.authorization.k8s.io [reader]",
                held[0],
                held[1],
            ],
        ),
    ] {
        let mut expected = expected;
        expected.push(SECRETS);
        expected.sort_unstable();
        assert_eq!(granted(&objects, (false, false)).await, expected);
    }
}

#[tokio::test]
async fn a_role_that_collects_others_is_told_of() {
    let value = json!({"aggregationRule": {"clusterRoleSelectors": []}, "rules": []});
    let objects = [object(RBAC, "ClusterRole", "all", value)];
    let tools = Tools::new(&Options::default());
    let kinds = Kinds::find(&tools, &objects).await.unwrap();
    let plan = Plan {
        release: "web",
        namespace: "shop",
        prune: false,
        rollback: true,
    };
    let needs = of(&plan, &objects, &kinds);
    assert!(needs.notes[0].contains("ClusterRole/all in k8s/x.yaml collects"));
    let rights = &needs.rights[&None];
    let verbs = rights.rules().into_iter().flat_map(|rule| rule.verbs);
    assert!(!verbs.collect::<Vec<_>>().contains(&"escalate".to_owned()));
}
