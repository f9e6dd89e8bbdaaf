//! The way in by a kubeconfig.

use crate::desk::Desk;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_core::eks::EksCluster;
use landfall_core::kubeconfig::{Kubeconfig, KubeconfigUser};
use landfall_core::kubernetes::token::Token;
use landfall_sandbox::kubernetes::Authority;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

const ACCOUNT_TOKEN: &str = "e30.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6c2hvcDpsYW5kZmFsbCJ9.c2ln";
const OWN_TOKEN: &str = "e30.eyJzdWIiOiJtZSJ9.c2ln";

/// Gives a context a cluster and a user.
fn put(desk: &Desk, context: &str, server: &str, user: Value) {
    put_cluster(desk, context, json!({"server": server}), user);
}

fn put_cluster(desk: &Desk, context: &str, mut cluster: Value, user: Value) {
    if cluster.get("certificate-authority-data").is_none() {
        cluster["certificate-authority-data"] = json!(STANDARD.encode(desk.cluster.ca()));
    }
    let config = json!({
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": format!("cluster-of-{context}"), "cluster": cluster}],
        "users": [{"name": "u", "user": user}]});
    desk.put(&format!("config-{context}"), &config.to_string());
}

fn exec(args: &[&str], env: Value) -> Value {
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws",
        "args": args, "env": env, "installHint": "install it", "provideClusterInfo": false}})
}

/// A desk with three contexts: EKS, another cloud's login, and a person's token.
async fn desk() -> Desk {
    let desk = Desk::new().await;
    desk.answers(
        "kubectl-config-view-raw-json",
        "cat $here/config-${context:-prod}",
    );
    desk.answers(
        "kubectl-get-secret",
        &format!(
            "[ -f $here/applied ] && printf {} || :",
            STANDARD.encode(ACCOUNT_TOKEN)
        ),
    );
    desk.answers(
        "kubectl-auth-can-i",
        "cat $kubeconfig >> $here/tried; echo yes",
    );
    let eks = "https://A1.gr7.eu-central-1.eks.amazonaws.com";
    let args = [
        "--region",
        "eu-central-1",
        "eks",
        "get-token",
        "--cluster-name",
        "prod",
    ];
    let env = json!([{"name": "AWS_PROFILE", "value": "platform"}]);
    put(&desk, "prod", eks, exec(&args, env));
    let login = json!({"exec": {"apiVersion": "v1", "command": "kubelogin", "args": ["x"]}});
    put(&desk, "azure", "https://192.0.2.7", login);
    let rancher = json!({"server": "https://192.0.2.8/k8s/clusters/c-1"});
    put_cluster(&desk, "rancher", rancher, json!({"token": OWN_TOKEN}));
    desk
}

fn file(desk: &Desk) -> PathBuf {
    desk.folder.join("landfall.kubeconfig")
}

fn words(desk: &Desk, more: &str) -> String {
    let file = file(desk).display().to_string();
    format!("--kubeconfig-out {file} -n shop {more}")
}

const ALL: &str = "--context prod --context azure --context rancher";

fn nothing_secret(desk: &Desk, texts: &[&str]) {
    let commands = desk.read("commands");
    for text in texts.iter().chain([&&*commands]) {
        for secret in [ACCOUNT_TOKEN, OWN_TOKEN, &STANDARD.encode(ACCOUNT_TOKEN)] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_contexts_become_one_that_the_function_reads() {
    let desk = desk().await;
    let dry = desk.run(&words(&desk, ALL)).well(&[
        "Contexts   prod at https://A1.gr7.eu-central-1.eks.amazonaws.com, namespace shop, as the \
         function's role\n",
        "           azure at https://192.0.2.7, namespace shop, as its ServiceAccount\n",
        "Note: prod: AWS_PROFILE is left out",
        "Note: azure: you sign in by kubelogin, which the function cannot run",
        "1. Apply deploy/rbac.yaml in shop of prod\n",
        "3. Apply deploy/token-secret.yaml in shop of azure\n",
        "which only you may read (mode 0600): prod, azure, rancher\n",
        "Nothing was changed. To do it, add --apply.",
    ]);
    assert_eq!(desk.changes(), [""; 0]);
    assert!(!file(&desk).exists());
    let done = desk.run(&words(&desk, &format!("{ALL} --apply"))).well(&[
        "yes: whoever is in group landfall may",
        "yes: https://192.0.2.7 knows who it is, and it may",
        "and fits a standard SSM parameter, which is free and holds 4 KB:\n  aws --region \
         eu-west-1 ssm put-parameter --overwrite --name k8s-config --type SecureString --value \
         file:///",
        "The file is as good as a password",
        "make access ARGS=\"--eks-cluster prod --region eu-central-1 --role ROLE-ARN --context \
         prod -n shop --apply\"",
        "AWS_DEFAULT_REGION=eu-west-1 make deploy PARAMETERS=\"KubeconfigParameter=k8s-config\"\n",
    ]);
    nothing_secret(&desk, &[&dry.output, &done.output]);
    let mode = std::fs::metadata(file(&desk)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = desk.read("landfall.kubeconfig");
    assert!(desk.read("tried").contains(&text));
    assert!(
        !text.contains(OWN_TOKEN) && !text.contains("AWS_PROFILE"),
        "{text}"
    );
    let size = format!("It has {} bytes", text.len());
    assert!(done.output.contains(&size), "{}", done.output);
    let kubeconfig = Kubeconfig::read(&text).unwrap();
    let prod = kubeconfig.select(None).unwrap();
    assert_eq!(prod.context, "prod");
    assert_eq!(
        prod.server.ca.as_deref().map(str::trim),
        Some(desk.cluster.ca().trim())
    );
    let expected = EksCluster {
        region: Some("eu-central-1".into()),
        ..EksCluster::read("prod").unwrap()
    };
    assert_eq!(prod.user, KubeconfigUser::Eks(expected));
    for (context, address) in [
        ("azure", "https://192.0.2.7"),
        ("rancher", "https://192.0.2.8/k8s/clusters/c-1"),
    ] {
        let selected = kubeconfig.select(Some(context)).unwrap();
        assert_eq!(selected.server.address, address);
        assert_eq!(
            selected.user,
            KubeconfigUser::Token(Token::new(ACCOUNT_TOKEN))
        );
    }
    // Again it is left; with something else in it, too.
    let changes = desk.changes();
    desk.run(&words(&desk, &format!("{ALL} --apply")))
        .well(&["it is there already, and is left"]);
    desk.run(&words(&desk, "--context prod --apply")).badly(&[
        "landfall.kubeconfig is there, with something else",
        "--replace",
        "Nothing was changed.",
    ]);
    assert_eq!(desk.read("landfall.kubeconfig"), text);
    let said = desk
        .run(&words(&desk, "--context prod --apply --replace"))
        .well(&["and fits a standard SSM parameter"]);
    assert!(!said.output.contains("password"), "{}", said.output);
    assert_ne!(desk.read("landfall.kubeconfig"), text);
    assert_eq!(desk.changes(), changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_gets_the_kubeconfig_and_nothing_else() {
    let desk = desk().await;
    let said = desk.run("--kubeconfig-out - --context azure -n shop --apply");
    assert_eq!(said.code, Some(0), "{}", said.problem);
    let kubeconfig = Kubeconfig::read(&said.output).unwrap();
    assert_eq!(kubeconfig.contexts(), ["azure"]);
    assert!(
        said.problem.contains("not proved: what went to the pipe"),
        "{}",
        said.problem
    );
    assert!(
        said.problem.contains("--value file:///dev/stdin"),
        "{}",
        said.problem
    );
    nothing_secret(&desk, &[&said.problem]);
    let dry = desk.run("--kubeconfig-out - --context azure -n shop");
    assert_eq!(dry.output, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_is_taken_only_when_told() {
    let desk = desk().await;
    let (certificate, key) = Authority::generate().server_certificate().unwrap();
    let own = json!({"client-certificate-data": STANDARD.encode(&certificate),
        "client-key-data": STANDARD.encode(&key)});
    put(&desk, "kops", "https://192.0.2.9", own);
    desk.run(&words(&desk, "--context kops --apply"))
        .well(&["as its ServiceAccount"]);
    assert!(!desk.read("landfall.kubeconfig").contains("client-key-data"));
    let said = desk
        .run(&words(
            &desk,
            "--context kops --client-certificates --replace --apply",
        ))
        .well(&[
            "as your client certificate",
            "the function may do whatever you may",
            "knows who it is, and it may",
        ]);
    assert!(
        !said.output.contains(&STANDARD.encode(&key)),
        "{}",
        said.output
    );
    let text = desk.read("landfall.kubeconfig");
    let selected = Kubeconfig::read(&text)
        .unwrap()
        .select(Some("kops"))
        .unwrap();
    assert!(matches!(selected.user, KubeconfigUser::Certificate(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_function_could_not_use_is_refused_before_anything_is_changed() {
    let desk = desk().await;
    let eks = ["eks", "get-token", "--cluster-name", "prod"];
    let env = |name: &str| json!([{"name": name, "value": "AKIAIOSFODNN7EXAMPLE"}]);
    put(
        &desk,
        "keys",
        "https://192.0.2.1",
        exec(&eks, env("AWS_ACCESS_KEY_ID")),
    );
    put(
        &desk,
        "verb",
        "https://192.0.2.1",
        exec(&["eks", "list-clusters"], json!([])),
    );
    let skip = json!({"server": "https://192.0.2.1", "insecure-skip-tls-verify": true});
    put_cluster(&desk, "skip", skip, json!({"token": OWN_TOKEN}));
    let socks = json!({"server": "https://192.0.2.1", "proxy-url": "socks5://192.0.2.2"});
    put_cluster(&desk, "socks", socks, json!({"token": OWN_TOKEN}));
    for (context, field) in [
        ("keys", "env"),
        ("verb", "args"),
        ("skip", "insecure-skip-tls-verify"),
        ("socks", "proxy-url"),
    ] {
        let said = desk
            .run(&words(
                &desk,
                &format!("--context prod --context {context} --apply"),
            ))
            .badly(&[
                "reading the kubeconfig failed",
                &format!("the function could not use context {context}: "),
                field,
                "Nothing was changed.",
            ]);
        assert!(
            !said.problem.contains("AKIAIOSFODNN7EXAMPLE"),
            "{}",
            said.problem
        );
    }
    desk.fails(
        "kubectl-config-view-raw-json",
        "error: cannot locate context nope",
    );
    desk.run(&words(&desk, "--context nope --apply"))
        .badly(&["cannot locate context nope"]);
    assert_eq!(desk.changes(), [""; 0]);
    assert!(!file(&desk).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_nothing_names_is_written_down_and_a_role_is_told() {
    let desk = desk().await;
    let role = "arn:aws:iam::111122223333:role/landfall";
    let args = [
        "eks",
        "get-token",
        "--cluster-name",
        "dev",
        "--role",
        role,
        "--profile",
        "p",
    ];
    put(
        &desk,
        "dev",
        "https://dev.example.com",
        exec(&args, Value::Null),
    );
    desk.run(&words(&desk, "--context dev --apply")).well(&[
        &format!("as role {role}\n"),
        "--profile is left out",
        "so eu-west-1 is written down",
        &format!("--eks-cluster dev --region eu-west-1 --role {role} --context dev"),
        &format!("PARAMETERS=\"KubeconfigParameter=k8s-config KubeconfigRoleArns={role}\""),
    ]);
    let text = desk.read("landfall.kubeconfig");
    let selected = Kubeconfig::read(&text).unwrap().select(None).unwrap();
    let KubeconfigUser::Eks(cluster) = selected.user else {
        panic!("{text}");
    };
    assert_eq!(cluster.region.as_deref(), Some("eu-west-1"));
    assert_eq!(cluster.role.unwrap().arn, role);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_a_parameter_goes_into_a_secret() {
    let desk = desk().await;
    let large = |times: usize| {
        let many = STANDARD.encode(desk.cluster.ca().repeat(times));
        let cluster = json!({"server": "https://192.0.2.1", "certificate-authority-data": many});
        put_cluster(&desk, "large", cluster, json!({"token": OWN_TOKEN}));
    };
    let key = "arn:aws:kms:eu-west-1:111122223333:key/k";
    let more = "--context large --kubeconfig-parameter /ci/config --apply --replace --key-arn";
    let more = format!("{more} {key}");
    large(8);
    desk.run(&words(&desk, &more)).well(&[&format!(
        "an advanced SSM parameter, which holds 8 KB:\n  aws --region eu-west-1 ssm put-parameter \
         --overwrite --name /ci/config --type SecureString --key-id {key} --tier Advanced --value"
    )]);
    large(20);
    desk.run(&words(&desk, &more)).well(&[
        &format!(
            "a secret of Secrets Manager, which holds 64 KB:\n  aws --region eu-west-1 \
             secretsmanager create-secret --name ci/config --kms-key-id {key} --secret-string file:"
        ),
        &format!("KubeconfigParameter=/aws/reference/secretsmanager/ci/config KeyArn={key}\""),
    ]);
    let before = desk.read("landfall.kubeconfig");
    large(200);
    desk.run(&words(&desk, &more))
        .badly(&["bytes, and nothing holds more than 65536", "fewer contexts"]);
    assert_eq!(desk.read("landfall.kubeconfig"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_fails_fails() {
    let desk = desk().await;
    desk.put("applied", "");
    desk.answers("kubectl-auth-can-i", "echo no; exit 1");
    let said = desk.run(&words(&desk, "--context azure --apply"));
    let said = said.badly(&[
        "it may not patch deployments in shop",
        "Done before, and left so: Write ",
    ]);
    nothing_secret(&desk, &[&said.output, &said.problem]);
    desk.fails(
        "kubectl-auth-can-i",
        "error: You must be logged in to the server (Unauthorized)",
    );
    desk.run(&words(&desk, "--context azure --apply"))
        .badly(&["You must be logged in", "sign in"]);
}
