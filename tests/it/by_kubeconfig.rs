//! The real API server, opened through a kubeconfig that `kubectl config` has written: by client
//! certificates with every form of key, by a token, by IAM; all by one warm function.

use crate::cluster::Cluster;
use crate::peer::{new_folder, run_python, run_with_input};
use crate::real::eks;
use crate::stage::{Stage, demo_app, image};
use landfall_sandbox::aws::REGION;
use landfall_sandbox::kubernetes::Authority;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const SECRET: &str = "landfall-kubeconfig";
const REFERENCE: &str = "/aws/reference/secretsmanager/landfall-kubeconfig";
/// A certificate is as old as two days when it is issued.
const VALID: u32 = 30;
const EXPIRED: u32 = 1;
/// Names, the algorithm and the form of the key, and how it begins.
const KEYS: [(&str, &str, &str, &str); 6] = [
    ("rsa-pkcs1", "rsa", "traditional", "BEGIN RSA PRIVATE KEY"),
    ("rsa-pkcs8", "rsa", "pkcs8", "BEGIN PRIVATE KEY"),
    ("p256-sec1", "p256", "traditional", "BEGIN EC PRIVATE KEY"),
    ("p256-pkcs8", "p256", "pkcs8", "BEGIN PRIVATE KEY"),
    ("p384-sec1", "p384", "traditional", "BEGIN EC PRIVATE KEY"),
    ("ed25519", "ed25519", "pkcs8", "BEGIN PRIVATE KEY"),
];

/// A certificate and its key.
struct Client {
    name: String,
    certificate: String,
    key: String,
}

/// The variable that `make conformance` sets.
fn named(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable}: make conformance"))
}

fn client(name: &str, group: &str, algorithm: &str, form: &str, days: u32) -> Value {
    json!({"user": name, "group": group, "algorithm": algorithm, "form": form, "days": days})
}

/// Issues certificates for clients.
fn issue(certificate: &str, key: &str, clients: &[Value]) -> Vec<Client> {
    let input = json!({"ca": {"certificate": certificate, "key": key}, "clients": clients});
    let output = run_python("client_certificate.py", &[], &input.to_string());
    let issued: Vec<Value> = serde_json::from_str(&output).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pairs = clients.iter().zip(issued);
    let client = |(client, issued): (&Value, Value)| Client {
        name: text(&client["user"]),
        certificate: text(&issued["certificate"]),
        key: text(&issued["key"]),
    };
    pairs.map(client).collect()
}

/// Those that the API server's authority for clients has issued, and one that another has.
fn clients() -> Vec<Client> {
    let folder = PathBuf::from(named("LANDFALL_CLUSTER_CLIENTS"));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let mut wanted = KEYS
        .map(|(name, algorithm, form, _)| client(name, "landfall", algorithm, form, VALID))
        .to_vec();
    wanted.push(client("groupless", "", "p256", "pkcs8", VALID));
    wanted.push(client("expired", "landfall", "p256", "pkcs8", EXPIRED));
    let mut issued = issue(&read("clients.crt"), &read("clients.key"), &wanted);
    let other = Authority::generate();
    let foreign = client("foreign", "landfall", "p256", "pkcs8", VALID);
    issued.extend(issue(other.pem(), &other.key(), &[foreign]));
    issued
}

/// The kubeconfig with a context for each client, for a token, and for a cluster of EKS.
fn kubeconfig(cluster: &Cluster, clients: &[Client]) -> String {
    let folder = new_folder("kubeconfig");
    let write = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let config = folder.join("config");
    let kubectl = |arguments: &[&str]| {
        let mut command = Command::new(named("LANDFALL_KUBECTL"));
        command
            .arg("--kubeconfig")
            .arg(&config)
            .arg("config")
            .args(arguments);
        run_with_input(&mut command, "")
    };
    let server = format!("--server={}", cluster.url());
    let ca = format!("--certificate-authority={}", write("ca", cluster.ca()));
    kubectl(&["set-cluster", "real", &server, &ca, "--embed-certs=true"]);
    let user = |name: &str, options: &[&str]| {
        kubectl(&[&["set-credentials", name], options].concat());
        let user = format!("--user={name}");
        kubectl(&[
            "set-context",
            name,
            "--cluster=real",
            &user,
            "--namespace=elsewhere",
        ]);
    };
    for client in clients {
        let certificate = format!("--client-certificate={}", write("crt", &client.certificate));
        let key = format!("--client-key={}", write("key", &client.key));
        user(&client.name, &[&certificate, &key, "--embed-certs=true"]);
    }
    user("token", &[&format!("--token={}", cluster.token())]);
    let name = eks().expect("make conformance");
    let arguments = format!("--exec-arg=eks,get-token,--cluster-name,{name},--region,{REGION}");
    let version = "--exec-api-version=client.authentication.k8s.io/v1beta1";
    user("eks", &["--exec-command=aws", &arguments, version]);
    kubectl(&["use-context", "token"]);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::remove_dir_all(Path::new(&folder)).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane of our own: make conformance"]
async fn every_context_opens_the_cluster_in_its_own_way() {
    let clients = clients();
    for ((.., begin), client) in KEYS.iter().zip(&clients) {
        assert!(client.key.contains(begin), "{}", client.name);
    }
    let cluster = Cluster::given(vec![demo_app(600)]).await;
    let text = kubeconfig(&cluster, &clients);
    let environment = [
        ("K8S_CLUSTER", None),
        ("K8S_CA", None),
        ("KUBECONFIG_PARAMETER", Some(REFERENCE)),
        ("RUST_LOG", Some("trace")),
    ];
    let stage = Stage::upon(cluster, &environment).await;
    stage.aws.put_secretsmanager(SECRET, &text);
    let deploy = async |context: &str| {
        let mut parameters = image(&format!("registry.example.com/demo-app:{context}"));
        parameters["cluster"] = json!(context);
        stage.deploy(parameters).await
    };
    let good = KEYS.map(|(name, ..)| name);
    for context in good.into_iter().chain(["token", "eks"]) {
        let (kind, words) = deploy(context).await.either();
        assert_eq!(kind, "success", "{context}: {words}");
        assert!(stage.image().await.ends_with(context));
    }
    let last = stage.image().await;
    let forbidden = "the client certificate's user may not get deployments";
    let unknown = "does not accept the client certificate";
    for (context, expected, words) in [
        ("groupless", "PermissionError", forbidden),
        ("foreign", "PermissionError", unknown),
        ("expired", "ConfigurationError", "expired at"),
        ("nobody", "ConfigurationError", "which it does not have"),
    ] {
        let (kind, message) = deploy(context).await.failure();
        assert_eq!(kind, expected, "{context}: {message}");
        assert!(message.contains(words), "{context}: {message}");
    }
    assert_eq!(stage.image().await, last);
    let said = format!("{:?} {}", stage.aws.reports(), stage.log());
    for secret in clients
        .iter()
        .map(|client| client.key.lines().nth(1).unwrap())
    {
        assert!(!said.contains(secret), "a key is in {said}");
    }
    for secret in ["PRIVATE KEY", "k8s-aws-v1.", stage.cluster.token()] {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
}
