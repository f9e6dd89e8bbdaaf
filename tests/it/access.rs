//! What `deploy/rbac.yaml` grants, and what is said where a verb of it is missing.

use crate::cluster::Cluster;
use crate::rolling::manifest;
use crate::stage::{OLD_IMAGE, Stage, demo_app, image};
use landfall_sandbox::aws::ParameterKind;
use landfall_sandbox::world::{sample_autoscaler, sample_service};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::rc::Rc;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

const ROLES: [&str; 2] = [
    include_str!("../../deploy/rbac.yaml"),
    include_str!("../../deploy/rbac-switching.yaml"),
];
const ROTATION: &str = include_str!("../../deploy/rbac-rotation.yaml");
const RBAC: &str = "rbac.authorization.k8s.io";
/// Clusters of rows that run at the same time.
const AT_ONCE: usize = 6;
const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const SLOW_IMAGE: &str = "registry.example.com/demo-app:2.0.0-after-2s";

/// What becomes of a deploy without a verb.
enum Without {
    /// It fails before anything is written, and the message names the verb.
    Refused,
    /// It goes on as if nothing was missing.
    Served,
    /// It fails for its own reason, and the message has these words about the verb.
    Told(&'static str),
    /// It fails for its own reason; the next one that succeeds says that something is left, and why.
    Left(&'static str),
}

/// Each verb, the deploy that needs it, and what becomes of that without it.
fn table() -> Vec<(&'static str, &'static str, Value, Without)> {
    use Without::{Left, Refused, Served, Told};
    let new = || image(NEW_IMAGE);
    let sick = || image("demo-app:crash");
    let slow = || image(SLOW_IMAGE);
    let mut scaled = manifest();
    scaled["spec"]["replicas"] = json!(3);
    let mut unknown = manifest();
    unknown["metadata"]["name"] = json!("another");
    vec![
        ("get", "deployments", new(), Refused),
        ("watch", "deployments", new(), Served),
        ("patch", "deployments", new(), Refused),
        (
            "update",
            "deployments",
            json!({"manifest": manifest()}),
            Refused,
        ),
        (
            "create",
            "deployments",
            json!({"manifest": unknown}),
            Refused,
        ),
        ("list", "replicasets", new(), Refused),
        ("watch", "replicasets", slow(), Served),
        ("watch", "pods", slow(), Served),
        (
            "get",
            "replicasets",
            sick(),
            Told("may not get replicasets"),
        ),
        ("list", "pods", new(), Served),
        ("list", "pods", sick(), Told("may not list pods")),
        ("list", "events", sick(), Told("may not list events")),
        ("get", "pods/log", sick(), Told("may not get pods/log")),
        (
            "list",
            "horizontalpodautoscalers",
            json!({"manifest": scaled}),
            Refused,
        ),
        (
            "list",
            "deployments",
            switched("blueGreen", NEW_IMAGE),
            Refused,
        ),
        ("get", "services", switched("blueGreen", NEW_IMAGE), Refused),
        (
            "patch",
            "services",
            switched("blueGreen", NEW_IMAGE),
            Refused,
        ),
        (
            "create",
            "services",
            switched("blueGreen", NEW_IMAGE),
            Refused,
        ),
        (
            "get",
            "services/proxy",
            switched("blueGreen", NEW_IMAGE),
            Refused,
        ),
        (
            "list",
            "endpointslices",
            switched("blueGreen", NEW_IMAGE),
            Refused,
        ),
        (
            "watch",
            "services",
            unasked("blueGreen", SLOW_IMAGE),
            Served,
        ),
        (
            "watch",
            "endpointslices",
            unasked("blueGreen", SLOW_IMAGE),
            Served,
        ),
        ("list", "ingresses", unasked("blueGreen", NEW_IMAGE), Served),
        (
            "list",
            "targetgroupbindings",
            unasked("blueGreen", NEW_IMAGE),
            Served,
        ),
        (
            "patch",
            "horizontalpodautoscalers",
            unasked("blueGreen", NEW_IMAGE),
            Refused,
        ),
        (
            "delete",
            "services",
            switched("blueGreen", NEW_IMAGE),
            Refused,
        ),
        (
            "delete",
            "deployments",
            unasked("immutable", "demo-app:crash"),
            Left("may not delete deployments"),
        ),
    ]
}

/// A switch whose smoke test fails.
fn switched(strategy: &str, image: &str) -> Value {
    let mut parameters = unasked(strategy, image);
    parameters["smoke"] = json!({"path": "/", "contains": "what nobody says"});
    parameters
}

/// A switch without a smoke test.
fn unasked(strategy: &str, image: &str) -> Value {
    json!({"deployment": "demo-app", "images": {"app": image}, "service": "demo-app",
        "strategy": strategy, "bake": "1s", "timeout": "40s"})
}

#[test]
fn every_verb_that_is_granted_has_its_row() {
    let mut granted = Vec::new();
    let mut resource = "";
    for line in ROLES.into_iter().flat_map(str::lines) {
        let list = |line: &'static str| line.split_once('[')?.1.strip_suffix(']');
        if line.starts_with("  resources:") {
            resource = list(line).unwrap();
        } else if line.starts_with("  verbs:") {
            let verbs = list(line).unwrap().split(", ");
            granted.extend(verbs.map(|verb| (verb, resource)));
        }
    }
    let mut rows = table()
        .into_iter()
        .map(|(verb, resource, ..)| (verb, resource))
        .chain(crate::canary::faults::NEEDED)
        .collect::<Vec<_>>();
    granted.sort_unstable();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(granted, rows);
}

/// A member of the group has no ServiceAccount that it could request tokens for.
#[test]
fn the_group_is_bound_wherever_the_account_is_but_not_to_tokens() {
    let account = json!({"kind": "ServiceAccount", "name": "landfall", "namespace": "default"});
    let group = json!({"apiGroup": RBAC, "kind": "Group", "name": "landfall"});
    let both = [account.clone(), group];
    for (file, subjects) in [
        (ROLES[0], &both[..]),
        (ROLES[1], &both),
        (ROTATION, &[account]),
    ] {
        let mut bindings = Vec::new();
        landfall_core::formats::yaml::read(file, |document: Value| {
            if document["kind"] == "RoleBinding" {
                bindings.push(document);
            }
        })
        .unwrap();
        assert_eq!(bindings.len(), 1);
        assert_eq!(bindings[0]["subjects"], json!(subjects));
    }
}

/// The API server's own answer for an identity that is nothing but a member of the group: what an
/// access entry or a certificate makes.
#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn the_group_has_each_verb_in_its_namespace_and_nothing_else() {
    let stage = Stage::new().await;
    let Cluster::Real(namespace) = &stage.cluster else {
        panic!("make conformance");
    };
    let allowed = async |within: &str, verb: &str, resource: &str| {
        let (name, part) = resource.split_once('/').unwrap_or((resource, ""));
        let group = match name {
            "deployments" | "replicasets" => "apps",
            "endpointslices" => "discovery.k8s.io",
            "horizontalpodautoscalers" => "autoscaling",
            "ingresses" => "networking.k8s.io",
            "targetgroupbindings" => "elbv2.k8s.aws",
            _ => "",
        };
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": "arn:aws:sts::111122223333:assumed-role/landfall/landfall",
                "groups": ["landfall", "system:authenticated"],
                "resourceAttributes": {"namespace": within, "verb": verb, "group": group,
                    "resource": name, "subresource": part, "name": "landfall"}}});
        let reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        namespace.create(reviews, &review).await["status"]["allowed"] == true
    };
    for (verb, resource, ..) in table() {
        let found = allowed(&namespace.name, verb, resource).await;
        assert!(found, "{verb} {resource}");
        let elsewhere = allowed("kube-system", verb, resource).await;
        assert!(!elsewhere, "{verb} {resource}");
    }
    for (verb, resource) in [
        ("create", "serviceaccounts/token"),
        ("get", "secrets"),
        ("create", "pods"),
        ("create", "pods/exec"),
        ("patch", "pods"),
        ("patch", "roles"),
    ] {
        let found = allowed(&namespace.name, verb, resource).await;
        assert!(!found, "{verb} {resource}");
    }
}

/// Each row has a cluster of its own, so that they wait for their pods together.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_verb_is_named_or_not_needed() {
    let rows = LocalSet::new();
    let turns = Rc::new(Semaphore::new(AT_ONCE));
    let mut running = Vec::new();
    for (verb, resource, parameters, without) in table() {
        let turns = Rc::clone(&turns);
        running.push(rows.spawn_local(async move {
            let _turn = turns.acquire().await.unwrap();
            run(verb, resource, parameters, without).await;
        }));
    }
    rows.await;
    for row in running {
        row.await.unwrap();
    }
}

async fn run(verb: &str, resource: &str, parameters: Value, without: Without) {
    let objects = [
        demo_app(8),
        sample_service("demo-app"),
        sample_autoscaler("demo-app", 1, 5),
    ];
    let stage = Stage::given(objects).await;
    stage.cluster.forbid(verb, resource).await;
    let ended = stage.deploy(parameters).await;
    match without {
        Without::Served => drop(ended.success()),
        Without::Refused => {
            let (kind, message) = ended.failure();
            assert_eq!(kind, "PermissionError", "{message}");
            let (name, advice) = match stage.cluster.eks() {
                Some(_) => ("the function's role", format!("can-i {verb} ")),
                None => ("the token", format!("Grant the verb `{verb}`")),
            };
            let named = format!("{name} may not {verb} {resource}");
            assert!(message.contains(&named), "{verb} {resource}: {message}");
            assert!(message.contains(&advice), "{verb} {resource}: {message}");
            stage.wrote(&[]);
            assert_eq!(stage.image().await, OLD_IMAGE);
        }
        Without::Told(words) => {
            let (kind, message) = ended.failure();
            assert_eq!(kind, "JobFailed", "{message}");
            assert!(message.contains(words), "{verb} {resource}: {message}");
        }
        Without::Left(words) => {
            ended.failure();
            let next = stage.deploy(unasked("immutable", NEW_IMAGE)).await;
            let (summary, _) = next.success();
            assert!(summary.contains(words), "{verb} {resource}: {summary}");
        }
    }
}

/// The commands at the heads of the files in `deploy/`, by the shell that a user has.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn the_shipped_roles_are_applied_and_their_token_serves() {
    let stage = Stage::new().await;
    let Cluster::Real(namespace) = &stage.cluster else {
        panic!("make conformance");
    };
    namespace
        .delete(&namespace.path("rbac.authorization.k8s.io/v1", "roles/landfall"))
        .await;
    namespace
        .delete(&namespace.path("v1", "secrets/landfall-token"))
        .await;
    let name = &namespace.name;
    let kubectl = std::env::var("LANDFALL_KUBECTL").unwrap();
    let shell = |script: String| {
        let mut command = Command::new("sh");
        let command = command
            .args(["-euc", &script])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{script}");
        String::from_utf8(output.stdout).unwrap()
    };
    for (file, line) in [
        ("rbac", "role.rbac.authorization.k8s.io/landfall created"),
        ("token-secret", "secret/landfall-token created"),
        (
            "rbac-switching",
            "role.rbac.authorization.k8s.io/landfall-switching configured",
        ),
    ] {
        let namespace = format!("s/namespace: default/namespace: {name}/");
        let applied = shell(format!(
            "sed '{namespace}' deploy/{file}.yaml | {kubectl} apply -f -"
        ));
        assert!(applied.contains(line), "{applied}");
    }
    let filled = |secret: &Value| secret["data"]["token"].is_string();
    namespace
        .until(&namespace.path("v1", "secrets/landfall-token"), filled)
        .await;
    let token = shell(format!(
        "{kubectl} -n {name} get secret landfall-token -o jsonpath='{{.data.token}}' | base64 -d"
    ));
    stage
        .aws
        .put_parameter("k8s-bear-token", &token, ParameterKind::SecureString);
    stage.deploy(image(NEW_IMAGE)).await.success();
}
