//! `landfall-access` as a person runs it: by a real `kubectl` and the real AWS CLI, against a real
//! control plane and moto.

mod desk;
mod eks;
mod kubeconfig;

use crate::cluster::Cluster;
use crate::setup::desk::{Desk, RBAC, real, strip};
use crate::stage::demo_app;
use landfall_sandbox::aws::{JobResult, REGION};
use serde_json::json;
use std::fs;
use std::path::PathBuf;

#[tokio::test]
#[ignore = "needs a real control plane and moto: make conformance"]
async fn a_dry_run_changes_nothing_apply_does_it_and_again_changes_nothing() {
    let desk = Desk::new().await;
    let before = desk.state().await;
    let dry = desk.run(&["--switching"]).well(&[
        "role.rbac.authorization.k8s.io/landfall-switching would be created",
        "Store the token in a new SSM parameter k8s-bear-token (SecureString)",
        "Nothing was changed. To do it, add --apply.",
    ]);
    assert_eq!(desk.state().await, before);
    let applied = desk.run(&["--switching", "--apply"]).well(&[
        "secret/landfall-token created",
        "stored as version 1",
        "landfall, and it may",
        &format!("Region     {REGION}\n"),
        &format!("AWS_DEFAULT_REGION={REGION} make deploy PARAMETERS=\"ClusterUrl=https://"),
        "TokenParameter=k8s-bear-token CaParameter=k8s-ca",
    ]);
    let after = desk.state().await;
    let there = |one: &String| one.contains("rotation") == one.ends_with("null");
    assert!(after.iter().all(there), "{after:?}");
    let kinds = desk.stored().await;
    assert!(
        kinds.iter().all(|one| one["Type"] == "SecureString"),
        "{after:?}"
    );
    let again = desk.run(&["--switching", "--apply"]).well(&[
        "deploy/rbac.yaml is applied already",
        "k8s-bear-token holds the token already, and is left",
        "landfall, and it may",
    ]);
    let checked = desk
        .run(&["--switching"])
        .well(&["landfall, and it may", "make deploy"]);
    assert_eq!(desk.state().await, after);
    desk.nothing_slipped_out(&[&dry, &applied, &again, &checked])
        .await;
    let result = desk
        .moto
        .deploy(&desk.cluster, "k8s-bear-token", "k8s-ca")
        .await;
    assert!(matches!(result, JobResult::Success { .. }), "{result:?}");
}

#[tokio::test]
#[ignore = "needs a real control plane and moto: make conformance"]
async fn what_was_taken_away_or_replaced_is_put_back_under_the_same_key() {
    let desk = Desk::new().await;
    let key = desk.moto.key().await;
    let arn = format!("arn:aws:kms:{REGION}:1:key/{key}");
    let keyed = format!("KeyArn={arn}");
    desk.run(&["--apply", "--key-arn", &arn]).well(&[&keyed]);
    let role = desk.namespace().path(RBAC, "roles/landfall");
    desk.namespace().merge(&role, &json!({"rules": []})).await;
    let body = json!({"Name": "k8s-bear-token", "Value": "another", "Overwrite": true,
        "Type": "SecureString", "KeyId": arn});
    desk.moto.ssm("PutParameter", &body).await;
    let before = desk.state().await;
    // Somebody may need it still.
    desk.run(&["--apply"]).badly(&[
        "SSM parameter k8s-bear-token failed: it holds a value that does not say whose it is",
        "--replace",
        "Nothing was changed.",
    ]);
    assert_eq!(desk.state().await, before);
    desk.run(&["--replace"]).well(&[
        "role.rbac.authorization.k8s.io/landfall would be configured",
        "+  - deployments",
        &format!("as a new version of SSM parameter k8s-bear-token (SecureString, under {arn})"),
        "k8s-ca holds the cluster's CA already",
    ]);
    assert_eq!(desk.state().await, before);
    desk.run(&["--apply", "--replace"]).well(&[
        "stored as version 3",
        &keyed,
        "landfall, and it may",
    ]);
    let (_, stored) = desk
        .moto
        .ssm("GetParameter", &json!({"Name": "k8s-bear-token"}))
        .await;
    let value = stored["Parameter"]["Value"].as_str().unwrap();
    assert!(value.contains(&key), "it is not encrypted under the key");
}

#[tokio::test]
#[ignore = "needs a real control plane and moto: make conformance"]
async fn a_token_that_ends_is_kept_while_it_serves() {
    let desk = Desk::new().await;
    let applied = desk.run(&["--rotation", "--apply"]).well(&[
        "role.rbac.authorization.k8s.io/landfall-rotation created",
        "Ask the cluster for a token that lives 24h",
        "it is good until",
        "RotateToken=yes",
    ]);
    let after = desk.state().await;
    let again = desk
        .run(&["--rotation", "--apply"])
        .well(&["and stays", "landfall, and it may"]);
    assert_eq!(desk.state().await, after);
    desk.nothing_slipped_out(&[&applied, &again]).await;
    desk.run(&[])
        .well(&["Note: SSM parameter k8s-bear-token holds a token that ends at"]);
    let result = desk
        .moto
        .deploy(&desk.cluster, "k8s-bear-token", "k8s-ca")
        .await;
    assert!(matches!(result, JobResult::Success { .. }), "{result:?}");
    // One of a ServiceAccount that is no more is good for nothing, whatever it says of itself.
    let account = desk.namespace().path("v1", "serviceaccounts/landfall");
    desk.namespace().delete(&account).await;
    desk.run(&["--rotation", "--apply"])
        .well(&["stored as version 2", "landfall, and it may"]);
}

#[tokio::test]
#[ignore = "needs a real control plane and moto: make conformance"]
async fn a_second_namespace_takes_nothing_from_the_first_and_may_join_it() {
    let desk = Desk::new().await;
    let home = desk.namespace().name.clone();
    let cluster = Cluster::given(vec![demo_app(600)]).await;
    let further = real(&cluster).name.clone();
    strip(real(&cluster)).await;
    let join = ["-n", &further, "--for-account", &home];
    desk.run(&join)
        .badly(&["there is no SSM parameter k8s-bear-token", "Nothing was"]);
    desk.run(&["--rotation", "--apply"]).well(&["and it may"]);
    let stored = desk.stored().await;
    let account = format!("system:serviceaccount:{home}:landfall");
    for rotation in [&["--apply"][..], &["--apply", "--rotation"]] {
        desk.run(&[&["-n", &further], rotation].concat()).badly(&[
            &format!("k8s-bear-token failed: it holds a token of {account}"),
            &format!("--for-account {home}"),
            "Nothing was changed.",
        ]);
    }
    let dry = desk.run(&join).well(&[
        &format!("For        {account}\n"),
        "rolebinding.rbac.authorization.k8s.io/landfall would be created",
        "Nothing was changed. To do it, add --apply.",
    ]);
    assert!(!dry.output.contains("serviceaccount/"), "{}", dry.output);
    let joined = [&join[..], &["--switching", "--apply"]].concat();
    let may = format!("knows it as {account}, and it may");
    let too = format!("may deploy to {further}, too");
    desk.run(&joined).well(&[&may, &too]);
    desk.run(&joined)
        .well(&["deploy/rbac-switching.yaml is applied already", &may, &too]);
    for (version, path, is_there) in [
        (RBAC, "roles/landfall", true),
        (RBAC, "rolebindings/landfall-switching", true),
        (RBAC, "rolebindings/landfall-rotation", false),
        ("v1", "secrets/landfall-token", false),
        ("v1", "serviceaccounts/landfall", false),
    ] {
        let there = real(&cluster)
            .get(&real(&cluster).path(version, path))
            .await;
        assert_eq!(there.is_some(), is_there, "{path}");
    }
    assert_eq!(desk.stored().await, stored);
    // An account of its own would take it away again.
    let own = ["-n", &further, "--token-parameter", "t", "--apply"];
    desk.run(&own).badly(&[
        &format!("RoleBinding landfall failed: it is for {account}, which would lose"),
        &format!("--for-account {home}"),
    ]);
    for cluster in [&cluster, &desk.cluster] {
        let result = desk.moto.deploy(cluster, "k8s-bear-token", "k8s-ca").await;
        assert!(matches!(result, JobResult::Success { .. }), "{result:?}");
    }
}

#[tokio::test]
#[ignore = "needs a real control plane and moto: make conformance"]
async fn another_clusters_ca_and_token_are_left() {
    let desk = Desk::new().await;
    let other = landfall_sandbox::kubernetes::Authority::generate();
    let body = json!({"Name": "k8s-ca", "Value": other.pem(), "Type": "String"});
    desk.moto.ssm("PutParameter", &body).await;
    let before = desk.state().await;
    desk.run(&["--apply"]).badly(&[
        "SSM parameter k8s-ca failed: it holds another CA than this cluster's",
        "a function serves one cluster",
        "Nothing was changed.",
    ]);
    assert_eq!(desk.state().await, before);
    desk.run(&["--apply", "--token-parameter", "t", "--ca-parameter", "c"])
        .well(&["TokenParameter=t CaParameter=c"]);
    assert_eq!(desk.stored().await[0]["Value"], other.pem());
    desk.run(&["--apply", "--replace"]).well(&[
        "another CA than this cluster's, and --replace is given",
        "stored as version 2",
        "landfall, and it may",
    ]);
}

#[tokio::test]
#[ignore = "needs a real control plane and moto: make conformance"]
async fn each_failure_says_what_failed_and_what_to_do() {
    let mut desk = Desk::new().await;
    let before = desk.state().await;
    let nowhere = desk.folder.join("nowhere").display().to_string();
    desk.run_with(&nowhere, &["--apply"]).badly(&[
        "no program `kubectl` on the PATH",
        "What to do: Install it",
        "Nothing was changed.",
    ]);
    desk.run(&["--apply", "--context", "nope"]).badly(&[
        "reading the kubeconfig failed",
        "cannot locate context nope",
        "kubectl config get-contexts",
    ]);
    desk.run(&["--apply", "--manifests", "nowhere"])
        .badly(&["nowhere/rbac.yaml", "name the folder with --manifests"]);
    let settings = desk.folder.join(".aws");
    fs::create_dir(&settings).unwrap();
    fs::write(
        settings.join("config"),
        "[default]\ncli_history = enabled\n",
    )
    .unwrap();
    desk.run(&["--apply"])
        .badly(&["the token would stand in it", "cli_history disabled"]);
    fs::remove_dir_all(&settings).unwrap();
    let stranger = stranger(&desk).await;
    let admin = std::mem::replace(&mut desk.kubeconfig, stranger);
    desk.run(&["--apply"]).badly(&[
        "looking at what deploy/rbac.yaml would change failed",
        "cannot get resource \"serviceaccounts\"",
        "get, create and patch serviceaccounts, roles and rolebindings",
        "Nothing was changed.",
    ]);
    desk.kubeconfig = admin;
    assert_eq!(desk.state().await, before);
    desk.limit(json!(["sts:GetCallerIdentity", "ssm:GetParameters"]))
        .await;
    let denied = desk.run(&["--apply"]).badly(&[
        "\"Store the token in a new SSM parameter k8s-bear-token (SecureString)\" failed",
        "AccessDenied",
        "ssm:PutParameter on both parameters",
        "Done before, and left so: Apply deploy/rbac.yaml; Apply deploy/token-secret.yaml.",
    ]);
    assert!(!denied.output.contains("make deploy"), "{}", denied.output);
}

#[tokio::test]
#[ignore = "needs a real control plane and moto: make conformance"]
async fn the_rights_that_the_help_names_are_enough() {
    let mut desk = Desk::new().await;
    desk.kubeconfig = stranger(&desk).await;
    let namespace = desk.namespace();
    let change = ["get", "create", "patch"];
    let rbac = "rbac.authorization.k8s.io";
    let rule = |group: &str, resources: &[&str], verbs: &[&str]| {
        let groups = [group];
        json!({"apiGroups": groups, "resources": resources, "verbs": verbs})
    };
    let rules = [
        rule("", &["serviceaccounts", "secrets"], &change),
        rule(rbac, &["roles", "rolebindings"], &change),
        // In place of all that the Roles grant.
        rule(rbac, &["roles"], &["escalate", "bind"]),
        rule("", &["serviceaccounts/token"], &["create"]),
    ];
    let named = json!({"name": "helper"});
    let role = json!({"apiVersion": RBAC, "kind": "Role", "metadata": named, "rules": rules});
    namespace
        .create(&namespace.path(RBAC, "roles"), &role)
        .await;
    let binding = json!({"apiVersion": RBAC, "kind": "RoleBinding", "metadata": named,
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "helper"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace.name}]});
    let path = namespace.path(RBAC, "rolebindings");
    namespace.create(&path, &binding).await;
    desk.run(&["--switching", "--apply"])
        .well(&["landfall, and it may"]);
    let role = namespace.path(RBAC, "roles/landfall");
    namespace.merge(&role, &json!({"rules": []})).await;
    desk.run(&["--switching", "--rotation", "--apply"]).well(&[
        "role.rbac.authorization.k8s.io/landfall configured",
        "and it may",
    ]);
}

/// A kubeconfig of somebody who may do nothing.
async fn stranger(desk: &Desk) -> PathBuf {
    use base64::Engine as _;
    let namespace = desk.namespace();
    let path = namespace.path("v1", "serviceaccounts/default/token");
    let made = namespace.create(&path, &json!({})).await;
    let ca = base64::engine::general_purpose::STANDARD.encode(&namespace.ca);
    let cluster = json!({"server": namespace.url, "certificate-authority-data": ca});
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": made["status"]["token"]}}]});
    let path = desk.folder.join("kubeconfig");
    fs::write(&path, kubeconfig.to_string()).unwrap();
    path
}
