//! The way in by an IAM role.

use crate::desk::{ARN, Desk, ROLE, TOKEN};
use serde_json::{Value, json};

/// The words of a run with the role that is there.
fn with_role(more: &str) -> String {
    format!("--eks-cluster prod --role {ROLE} {more}")
}

/// Lets the user assume the role.
fn may_assume(desk: &Desk) {
    let credential = json!({"kind": "ExecCredential", "status": {"token": TOKEN}});
    desk.prints("aws-eks-get-token", &credential.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing_and_shows_each_command() {
    let desk = Desk::new().await;
    let create = format!(
        "   $ aws --region eu-west-1 eks create-access-entry --cluster-name prod --principal-arn \
         {ROLE} --kubernetes-groups landfall\n"
    );
    desk.run(&with_role("--switching")).well(&[
        &format!("Cluster    {ARN} (context prod)\n"),
        "Endpoint   https://127.0.0.1:",
        ", public\n",
        "1. Make role landfall an access entry in prod, with group landfall\n",
        &create,
        "2. Apply deploy/rbac.yaml in shop\n",
        "   $ sed 's/namespace: default$/namespace: shop/' deploy/rbac.yaml | kubectl --context \
         prod apply -f -\n     role.rbac.authorization.k8s.io/landfall would be created\n",
        "4. Ask the cluster about group landfall, by your own connection: may it patch \
         deployments and patch services in shop?\n",
        "5. Ask https://127.0.0.1:",
        "with a token as the function makes it, of role landfall",
        "\nNothing was changed. To do it, add --apply.\n",
    ]);
    assert_eq!(desk.changes(), [""; 0]);
    assert_eq!(desk.read("reviews"), "");
    assert!(!desk.read("commands").contains("get-token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_does_it_proves_it_and_again_changes_nothing() {
    let desk = Desk::new().await;
    may_assume(&desk);
    let all = [
        "yes: whoever is in group landfall may",
        "knows the role by its token, and it may",
        "The function with role landfall gets the cluster by:\n  \
         AWS_DEFAULT_REGION=eu-west-1 make deploy PARAMETERS=\"EksCluster=prod\"\n",
    ];
    desk.run(&with_role("-n shop -n web --apply")).well(&all);
    let changes = desk.changes();
    assert_eq!(changes.len(), 3, "{changes:?}");
    assert!(changes[0].contains("create-access-entry"), "{changes:?}");
    let applied = desk.read("applied");
    for namespace in ["shop", "web"] {
        let role = format!("kind: Role\nmetadata:\n  name: landfall\n  namespace: {namespace}\n");
        assert!(applied.contains(&role), "{applied}");
    }
    assert!(!applied.contains("landfall-token"), "{applied}");
    let reviews = desk.read("reviews");
    let mut reviews = serde_json::Deserializer::from_str(&reviews).into_iter::<Value>();
    let review = reviews.next().unwrap().unwrap();
    let spec = json!({"user": "landfall-access", "groups": ["landfall", "system:authenticated"],
        "resourceAttributes": {"namespace": "shop", "verb": "patch", "group": "apps",
            "resource": "deployments", "subresource": "", "name": ""}});
    assert_eq!(
        (&review["kind"], &review["spec"]),
        (&json!("LocalSubjectAccessReview"), &spec)
    );
    assert_eq!(
        reviews.next().unwrap().unwrap()["metadata"]["namespace"],
        "web"
    );
    let token = format!("eks get-token --cluster-name prod --role-arn {ROLE} ");
    assert!(
        desk.read("commands").contains(&token),
        "{}",
        desk.read("commands")
    );
    let again = desk
        .run(&with_role("-n shop -n web --apply"))
        .well(&all)
        .output;
    assert!(
        again.contains("1. Role landfall has its access entry in prod"),
        "{again}"
    );
    assert!(
        again.contains("deploy/rbac.yaml is applied in web already"),
        "{again}"
    );
    assert_eq!(desk.changes(), changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_proved_is_said() {
    let desk = Desk::new().await;
    let said = desk.run(&with_role("--apply")).well(&[
        "yes: whoever is in group landfall may",
        "not proved: you may not assume the role; most let only Lambda\n",
        "\"mode\": \"plan\"",
    ]);
    assert!(!said.output.contains("knows the role"), "{}", said.output);
    desk.fails("aws-eks-get-token", "Unable to locate credentials");
    desk.fails(
        "kubectl-create-json",
        "Error from server (Forbidden): localsubjectaccessreviews is forbidden",
    );
    desk.run(&with_role("")).well(&[
        "not proved: you may not ask about others (create localsubjectaccessreviews)",
        "not proved: there is no token of the role (Unable to locate credentials)",
    ]);
    // Whoever is the role need not assume it.
    let me = json!({"Account": "111122223333",
        "Arn": "arn:aws:sts::111122223333:assumed-role/landfall/me"});
    desk.prints("aws-sts-get-caller-identity", &me.to_string());
    may_assume(&desk);
    desk.run(&with_role(""))
        .well(&["knows the role by its token, and it may"]);
    let commands = desk.read("commands");
    assert!(
        commands.contains("get-token --cluster-name prod --cli"),
        "{commands}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_fails_fails() {
    let desk = Desk::new().await;
    desk.put(
        "entry",
        &desk.entry(&["landfall"], "STANDARD", "1780000000.5"),
    );
    desk.put("applied", "");
    desk.prints("kubectl-create-json", r#"{"status": {"allowed": false}}"#);
    desk.run(&with_role("")).badly(&[
        "may it patch deployments in shop?\" failed: group landfall may not patch deployments in \
         shop",
        "`kind: Group`, `name: landfall`",
        "Nothing was changed.",
    ]);
    desk.prints("kubectl-create-json", r#"{"status": {"allowed": true}}"#);
    let stranger = json!({"status": {"token": "k8s-aws-v1.another"}});
    desk.prints("aws-eks-get-token", &stranger.to_string());
    desk.run(&with_role("")).badly(&[
        "does not know the role (HTTP 401)",
        "EKS keeps the role's inner id",
    ]);
    may_assume(&desk);
    desk.cluster
        .world(|world, _| world.forbid("patch", "deployments"));
    desk.run(&with_role(""))
        .badly(&["the role may not patch deployments in shop"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_there_keeps_its_other_groups() {
    let desk = Desk::new().await;
    let made = "2026-02-02T03:04:05.678000+00:00";
    desk.put("entry", &desk.entry(&["viewers", "ci"], "STANDARD", made));
    desk.run(&with_role("--apply")).well(&[
        "1. Add group landfall to role landfall's access entry in prod (viewers, ci stays)",
    ]);
    let changes = desk.changes();
    let update = format!(
        "aws --region eu-west-1 eks update-access-entry --cluster-name prod --principal-arn {ROLE} \
         --kubernetes-groups viewers ci landfall "
    );
    assert!(changes[0].starts_with(&update), "{changes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_cannot_serve_is_left() {
    let desk = Desk::new().await;
    let step = "looking for the access entry of role landfall failed";
    desk.put(
        "entry",
        &desk.entry(&[], "EC2_LINUX", "2026-02-02T03:04:05Z"),
    );
    desk.run(&with_role("--apply"))
        .badly(&[step, "type EC2_LINUX", "a role of its own"]);
    desk.put(
        "entry",
        &desk.entry(&["landfall"], "STANDARD", "2025-02-02T03:04:05Z"),
    );
    desk.run(&with_role("--apply")).badly(&[
        "for a role of this name that is gone",
        &format!(
            "aws --region eu-west-1 eks delete-access-entry --cluster-name prod \
                  --principal-arn {ROLE}`"
        ),
    ]);
    desk.fails(
        "aws-iam-get-role",
        "An error occurred (NoSuchEntity) when calling GetRole",
    );
    desk.run(&with_role("--apply"))
        .badly(&["there is no role landfall in account 111122223333"]);
    let role = json!({"Role": {"Arn": "arn:aws:iam::111122223333:role/landfall"}});
    desk.prints("aws-iam-get-role", &role.to_string());
    desk.run(&with_role("--apply")).badly(&[
        "the role's ARN is arn:aws:iam::111122223333:role/landfall, not",
        "An access entry needs the path, too",
    ]);
    // Whoever may not read roles goes on.
    desk.fails(
        "aws-iam-get-role",
        "An error occurred (AccessDenied) when calling GetRole",
    );
    desk.run(&with_role(""))
        .well(&["has its access entry in prod"]);
    desk.fails(
        "aws-eks-describe-access-entry",
        "An error occurred (AccessDeniedException) when calling the DescribeAccessEntry operation",
    );
    desk.run(&with_role("--apply"))
        .badly(&[step, "You need eks:DescribeCluster, eks:Describe"]);
    assert_eq!(desk.changes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_entry_says_why_and_what_was_done() {
    let desk = Desk::new().await;
    for (words, advice) in [
        (
            "(InvalidParameterException) The specified principalArn is invalid: invalid principal.",
            "EKS does not find the role",
        ),
        (
            "(ResourceInUseException) The specified access entry resource is already in use",
            "run this again",
        ),
        (
            "argument operation: Invalid choice, valid choices are:",
            "install 2.15.5",
        ),
    ] {
        desk.fails("aws-eks-create-access-entry", words);
        desk.run(&with_role("--apply")).badly(&[
            "\"Make role landfall an access entry in prod, with group landfall\" failed",
            words,
            advice,
            "Nothing was changed.",
        ]);
    }
    desk.put(
        "entry",
        &desk.entry(&["landfall"], "STANDARD", "2026-02-02T03:04:05Z"),
    );
    desk.fails(
        "kubectl-apply",
        "Error from server (Forbidden): roles is forbidden",
    );
    desk.run(&with_role("--apply"))
        .badly(&["\"Apply deploy/rbac.yaml in shop\" failed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_without_entries_is_told_both_ways_out() {
    let desk = Desk::new().await;
    desk.cluster(|it| it["accessConfig"]["authenticationMode"] = json!("CONFIG_MAP"));
    desk.prints(
        "kubectl-get-configmap",
        "- rolearn: arn:aws:iam::111122223333:role/landfall\n  groups: [ops]\n",
    );
    let ways = [
        "authentication mode CONFIG_MAP",
        "there is no way back",
        "\n  aws --region eu-west-1 eks update-cluster-config --name prod --access-config \
         authenticationMode=API_AND_CONFIG_MAP\n",
        "\n  eksctl create iamidentitymapping --cluster prod --region eu-west-1 --arn \
         arn:aws:iam::111122223333:role/landfall --username landfall --group landfall\n",
        "Nothing was changed.",
    ];
    desk.run(&with_role("--apply")).badly(&ways);
    desk.run("--eks-cluster prod --apply").badly(&ways[..3]);
    assert_eq!(desk.changes(), [""; 0]);
    desk.prints(
        "kubectl-get-configmap",
        "- groups:\n  - system:nodes\n  rolearn: arn:aws:iam::111122223333:role/node\n\
         - groups:\n  - landfall\n  rolearn: arn:aws:iam::111122223333:role/landfall\n  \
         username: landfall\n",
    );
    desk.run(&with_role("--apply")).well(&[
        "1. ConfigMap aws-auth of prod has role landfall with group landfall",
        "yes: whoever is in group landfall may",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_cannot_be_set_up_is_said_to_be_so() {
    let desk = Desk::new().await;
    type Change = fn(&mut Value);
    let table: [(Change, &[&str]); 5] = [
        (
            |it| it["status"] = json!("CREATING"),
            &[
                "cluster prod is CREATING",
                "eks wait cluster-active --name prod",
            ],
        ),
        (
            |it| it["status"] = json!("DELETING"),
            &["cluster prod is DELETING", "ACTIVE"],
        ),
        (
            |it| it["connectorConfig"] = json!({"provider": "GKE"}),
            &["EKS Connector"],
        ),
        (
            |it| it["certificateAuthority"]["data"] = json!("bm8="),
            &["a CA in PEM"],
        ),
        (
            |it| it["accessConfig"] = json!(null),
            &["AWS CLI does not tell", "2.15.5"],
        ),
    ];
    for (change, words) in table {
        desk.cluster(change);
        let said = desk.run(&with_role("--apply")).badly(words);
        assert!(
            said.problem.contains("reading cluster prod failed"),
            "{}",
            said.problem
        );
    }
    desk.cluster(|it| it["arn"] = json!("arn:aws-cn:eks:cn-north-1:111122223333:cluster/prod"));
    desk.run(&with_role("--apply"))
        .badly(&["another partition"]);
    desk.fails(
        "aws-eks-describe-cluster",
        "An error occurred (ResourceNotFoundException) when calling the DescribeCluster \
         operation: No cluster found for name: prod.",
    );
    desk.run(&with_role("--apply"))
        .badly(&["No cluster found", "aws eks list-clusters"]);
    assert_eq!(desk.changes(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_context_is_the_clusters() {
    let desk = Desk::new().await;
    let config = |contexts: Value, server: &str| {
        let config = json!({"current-context": "a", "contexts": contexts,
            "clusters": [{"name": "c", "cluster": {"server": server}}]});
        desk.prints("kubectl-config-view-json", &config.to_string());
    };
    let named = |name: &str| json!({"name": name, "context": {"cluster": "c"}});
    let url = desk.cluster.url().to_owned();
    config(json!([named("a")]), "https://192.0.2.1");
    desk.run(&with_role("")).badly(&[
        "no context of your kubeconfig is at https://127.0.0.1",
        "aws --region eu-west-1 eks update-kubeconfig --name prod",
    ]);
    config(json!([named("b"), named("d")]), &url);
    desk.run(&with_role(""))
        .badly(&["several contexts at", "b, d", "--context d"]);
    config(
        json!([named("b"), named("a")]),
        &url.to_uppercase().replace("HTTPS", "https"),
    );
    desk.run(&with_role("")).well(&[]);
    assert!(
        desk.read("commands")
            .contains("kubectl --context a -n shop")
    );
    // By another address it is known by its CA.
    use base64::Engine as _;
    let encode = |ca: &str| base64::engine::general_purpose::STANDARD.encode(ca);
    let at = |ca: String| {
        let cluster = json!({"server": "https://localhost:8443", "certificate-authority-data": ca});
        desk.prints("kubectl-config-view-raw", &format!("tunnel\n\n{cluster}"));
    };
    at(encode(desk.cluster.ca()));
    desk.run(&with_role("--context tunnel"))
        .well(&["(context tunnel)"]);
    at(encode(
        landfall_sandbox::kubernetes::Authority::generate().pem(),
    ));
    desk.run(&with_role("--context tunnel"))
        .badly(&["context tunnel is another cluster"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reaches_the_endpoint_is_told() {
    let desk = Desk::new().await;
    let open = "0.0.0.0/0";
    for (public, private, source, head, warning) in [
        (true, false, open, ", public\n", ""),
        (true, true, open, ", public; private in vpc-1\n", ""),
        (
            false,
            true,
            open,
            ", private in vpc-1\n",
            "reached only from vpc-1",
        ),
        (
            true,
            true,
            "192.0.2.0/24",
            ", public for 192.0.2.0/24; private in vpc-1\n",
            "SubnetIds and SecurityGroupIds in vpc-1, and sg-1 must let",
        ),
        (
            true,
            false,
            "192.0.2.0/24",
            ", public for 192.0.2.0/24\n",
            "behind a NAT gateway",
        ),
    ] {
        desk.cluster(|it| {
            it["resourcesVpcConfig"]["endpointPublicAccess"] = json!(public);
            it["resourcesVpcConfig"]["endpointPrivateAccess"] = json!(private);
            it["resourcesVpcConfig"]["publicAccessCidrs"] = json!([source]);
        });
        desk.put("applied", "");
        desk.put(
            "entry",
            &desk.entry(&["landfall"], "STANDARD", "2026-02-02T03:04:05Z"),
        );
        let said = desk.run(&with_role("")).well(&[head, warning]);
        let more = said
            .output
            .contains("EksCluster=prod 'SubnetIds=subnet-…' 'SecurityGroupIds=sg-…'");
        assert_eq!(more, !warning.is_empty(), "{}", said.output);
        assert_eq!(
            said.output.contains("Warning"),
            !warning.is_empty(),
            "{}",
            said.output
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_command_is_whole() {
    let desk = Desk::new().await;
    desk.run("--eks-cluster prod --apply").well(&[
        "Note: the stack of template.yaml makes the function's role and its access entry",
        "1. Apply deploy/rbac.yaml in shop",
        "The function, its role and the access entry are made from template.yaml by:\n  \
         AWS_DEFAULT_REGION=eu-west-1 make deploy PARAMETERS=\"EksCluster=prod \
         CreateAccessEntry=yes\"\n",
    ]);
    assert!(!desk.read("commands").contains("access-entry"));
    desk.run(&format!(
        "--eks-cluster {ARN} --region eu-central-1 --profile p"
    ))
    .well(&[
        &format!(
            "AWS_PROFILE=p AWS_DEFAULT_REGION=eu-central-1 make deploy \
             PARAMETERS=\"EksCluster={ARN}\"\n"
        ),
        "run this again with --role",
    ]);
    assert!(
        desk.read("commands")
            .contains("--region eu-west-1 eks describe-cluster")
    );
    desk.run(&format!("--eks-cluster prod --eks-role {ROLE} --apply"))
        .well(&[
            "Make role landfall an access entry",
            &format!("PARAMETERS=\"EksCluster={ARN} EksRoleArn={ROLE}\"\n"),
        ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_loses_a_rolebinding() {
    let desk = Desk::new().await;
    let bound = |subjects: &str| desk.prints("kubectl-get-rolebinding", subjects);
    bound("ServiceAccount web landfall\n");
    desk.run(&with_role("--apply"))
        .well(&["2. Apply deploy/rbac.yaml in shop"]);
    let applied = desk.read("applied");
    assert!(
        !applied.contains("kind: ServiceAccount\nmetadata"),
        "{applied}"
    );
    assert!(
        applied.contains("name: landfall\n  namespace: web"),
        "{applied}"
    );
    bound("Group  landfall\nServiceAccount shop landfall\n");
    desk.run(&with_role("")).well(&[]);
    bound("User  jane\n");
    desk.run(&with_role("--apply")).badly(&[
        "deciding what becomes of RoleBinding landfall in shop failed",
        "User jane as well, which would lose its rights in shop",
        "--replace",
    ]);
    desk.run(&with_role("--apply --replace")).well(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_another_account_is_told_what_it_cannot_do() {
    let desk = Desk::new().await;
    let arn = "arn:aws:eks:eu-west-1:444455556666:cluster/prod";
    desk.cluster(|it| it["arn"] = json!(arn));
    desk.run(&format!("--eks-cluster prod --eks-role {ROLE} --apply"))
        .badly(&[
            "the cluster is in account 444455556666, and the role in 111122223333",
            "Name a role of account 444455556666",
            "Nothing was changed.",
        ]);
    assert_eq!(desk.changes(), [""; 0]);
    // The entry of a role of another account serves with a kubeconfig, which has the address.
    let me = json!({"Account": "444455556666", "Arn": "arn:aws:iam::444455556666:user/me"});
    desk.prints("aws-sts-get-caller-identity", &me.to_string());
    let said = desk.run(&with_role("--apply")).well(&[
        "Make role landfall an access entry in prod",
        "may not ask EKS where a cluster of another account is",
    ]);
    assert!(!said.output.contains("make deploy"), "{}", said.output);
    assert!(!desk.read("commands").contains("get-role"));
}
