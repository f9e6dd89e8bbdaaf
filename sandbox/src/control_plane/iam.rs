//! Who is let in as by EKS: the configuration of aws-iam-authenticator's verifier.

use landfall_sandbox::aws::{ACCOUNT, CREDENTIALS, REGION};
use serde_json::{Value, json};
use std::path::Path;
use std::{fs, io};

/// The cluster's name in EKS.
pub(crate) const CLUSTER: &str = "prod";
/// The configuration of the verifier: who is let in.
pub(crate) const FILE: &str = "iam.json";
/// The roles that have an access entry, and the groups in it.
const ENTRIES: [(&str, &str, &[&str]); 3] = [
    (ACCOUNT, "landfall", &["landfall"]),
    (OTHER_ACCOUNT, "deployer", &["landfall"]),
    (ACCOUNT, "groupless", &[]),
];
/// An account with a role that the function assumes.
const OTHER_ACCOUNT: &str = "444455556666";

/// Writes the verifier's configuration, and the one with which kube-apiserver finds the verifier.
/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication>
pub(crate) fn write(folder: &Path, port: u16) -> io::Result<()> {
    fs::write(folder.join(FILE), configuration().to_string())?;
    let address = format!("http://127.0.0.1:{port}/authenticate");
    let webhook = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "webhook",
        "contexts": [{"name": "webhook", "context": {"cluster": "authenticator", "user": ""}}],
        "clusters": [{"name": "authenticator", "cluster": {"server": address}}],
        "users": []
    });
    fs::write(folder.join("authenticator.kubeconfig"), webhook.to_string())
}

/// The arguments of the verifier.
pub(crate) fn authenticator(port: u16) -> Vec<String> {
    let address = format!("127.0.0.1:{port}");
    ["serve".to_owned(), FILE.to_owned(), address].to_vec()
}

/// The function's own credentials are a session of the role `landfall`.
fn configuration() -> Value {
    let [key, secret, session] = CREDENTIALS.map(|(_, value)| value);
    let identity = |account: &str, role: &str, key: &str| {
        json!({
            "key": key,
            "secret": secret,
            "session": session,
            "account": account,
            "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/landfall"),
            "userId": format!("AROAEXAMPLE{}:landfall", role.to_uppercase()),
        })
    };
    let entries = ENTRIES.map(|(account, role, groups)| {
        let arn = format!("arn:aws:iam::{account}:role/{role}");
        (arn, json!(groups))
    });
    json!({
        "cluster": CLUSTER,
        "partition": "aws",
        "region": REGION,
        "identities": [
            identity(ACCOUNT, "landfall", key),
            identity(OTHER_ACCOUNT, "deployer", "ASIAIOSFODNNDEPLOYER"),
            identity(ACCOUNT, "groupless", "ASIAIOSFODNGROUPLESS"),
            identity(ACCOUNT, "stranger", "ASIAIOSFODNNSTRANGER"),
        ],
        "entries": entries.into_iter().collect::<serde_json::Map<_, _>>(),
    })
}
