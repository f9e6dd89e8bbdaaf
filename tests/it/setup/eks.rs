//! The way in by an IAM role, by a real `kubectl` and a real control plane. EKS itself is a
//! stand-in in front of the AWS CLI.

use super::desk::{Desk, RBAC, real};
use base64::Engine as _;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const ROLE: &str = "arn:aws:iam::111122223333:role/landfall";

/// Puts a cluster of EKS, which is the control plane, before the AWS CLI.
fn put_eks_before(desk: &Desk) {
    let namespace = desk.namespace();
    let ca = base64::engine::general_purpose::STANDARD.encode(&namespace.ca);
    let cluster = json!({"cluster": {"name": "prod", "status": "ACTIVE",
        "arn": "arn:aws:eks:eu-central-1:111122223333:cluster/prod",
        "endpoint": namespace.url, "certificateAuthority": {"data": ca},
        "accessConfig": {"authenticationMode": "API"},
        "resourcesVpcConfig": {"endpointPublicAccess": true, "publicAccessCidrs": ["0.0.0.0/0"]}}});
    fs::write(desk.folder.join("cluster"), cluster.to_string()).unwrap();
    let entry = json!({"accessEntry": {"kubernetesGroups": ["landfall"], "type": "STANDARD"}});
    fs::write(desk.folder.join("entry"), entry.to_string()).unwrap();
    let aws = desk.folder.join("aws");
    fs::rename(&aws, desk.folder.join("real-aws")).unwrap();
    let script = "#!/bin/sh\nhere=${0%/*}\ncase \" $* \" in\n\
        *' eks describe-cluster '*) cat \"$here/cluster\" ;;\n\
        *' eks describe-access-entry '*) [ -f \"$here/made\" ] && cat \"$here/entry\" || {\n\
          echo '(ResourceNotFoundException)' >&2; exit 254; } ;;\n\
        *' eks create-access-entry '*) touch \"$here/made\" ;;\n\
        *' eks get-token '*) echo '(AccessDenied) when calling the AssumeRole operation' >&2\n\
          exit 254 ;;\n\
        *' iam get-role '*) echo '(AccessDenied)' >&2; exit 254 ;;\n\
        *) exec \"$here/real-aws\" \"$@\" ;;\nesac\n";
    fs::write(&aws, script).unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
#[ignore = "needs a real control plane and moto: make conformance"]
async fn the_group_is_bound_and_the_authorizer_confirms_it() {
    let desk = Desk::new().await;
    put_eks_before(&desk);
    let before = desk.state().await;
    let words = ["--eks-cluster", "prod", "--role", ROLE, "--switching"];
    desk.run(&words).well(&[
        "Make role landfall an access entry in prod",
        "rolebinding.rbac.authorization.k8s.io/landfall would be created",
        "Nothing was changed. To do it, add --apply.",
    ]);
    assert_eq!(desk.state().await, before);
    let apply = [&words[..], &["--apply"]].concat();
    let proved = "yes: whoever is in group landfall may";
    desk.run(&apply)
        .well(&[proved, "not proved: you may not assume the role"]);
    let after = desk.state().await;
    desk.run(&words).well(&[
        "Role landfall has its access entry",
        "deploy/rbac-switching.yaml is applied in",
        proved,
        "make deploy PARAMETERS=\"EksCluster=prod\"",
    ]);
    assert_eq!(desk.state().await, after);
    // The way by a token, in the same namespace, takes nothing from it, and the other way round.
    desk.run(&["--apply"]).well(&["landfall, and it may"]);
    desk.run(&words).well(&[proved]);
    // A binding for the ServiceAccount alone, as Landfall made it before the group came.
    let namespace = real(&desk.cluster);
    let binding = namespace.path(RBAC, "rolebindings/landfall");
    let account = json!([{"kind": "ServiceAccount", "name": "landfall",
        "namespace": namespace.name}]);
    namespace
        .merge(&binding, &json!({"subjects": account}))
        .await;
    desk.run(&words)
        .well(&["rolebinding.rbac.authorization.k8s.io/landfall would be configured"]);
    desk.run(&apply).well(&[proved]);
    // What the authorizer denies is said.
    namespace
        .merge(
            &namespace.path(RBAC, "roles/landfall"),
            &json!({"rules": []}),
        )
        .await;
    let bare = desk.folder.join("bare");
    fs::create_dir(&bare).unwrap();
    let text = fs::read_to_string("deploy/rbac.yaml").unwrap();
    fs::write(
        bare.join("rbac.yaml"),
        text.replace("kind: Group", "kind: User"),
    )
    .unwrap();
    let manifests = ["--eks-cluster", "prod", "--role", ROLE, "--manifests"];
    let bare = bare.display().to_string();
    desk.run(&[&manifests[..], &[&bare, "--apply", "--replace"]].concat())
        .badly(&[
            "failed: group landfall may not patch deployments in",
            "`kind: Group`, `name: landfall`",
        ]);
}
