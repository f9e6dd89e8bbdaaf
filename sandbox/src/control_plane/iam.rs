//! Who is let in as by EKS: the configuration of aws-iam-authenticator's verifier.

use landfall_sandbox::aws::{ACCOUNT, CREDENTIALS, REGION};
use serde_json::{Value, json};
use std::path::Path;
use std::{fs, io};

/// The cluster's name in EKS.
pub(crate) const CLUSTER: &str = "prod";
/// The configuration of the verifier: who is let in.
pub(crate) const FILE: &str = "iam.json";
/// The groups of the roles that have an access entry. Another role has none.
const ENTRIES: [(&str, &[&str]); 2] = [("landfall", &["landfall"]), ("groupless", &[])];

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
    let identity = |role: &str, key: &str| {
        json!({
            "key": key,
            "secret": secret,
            "session": session,
            "account": ACCOUNT,
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/landfall"),
            "userId": format!("AROAEXAMPLE{}:landfall", role.to_uppercase()),
        })
    };
    let role = |role: &str| format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    let entries = ENTRIES.map(|(name, groups)| (role(name), json!(groups)));
    json!({
        "cluster": CLUSTER,
        "partition": "aws",
        "region": REGION,
        "identities": [
            identity("landfall", key),
            identity("groupless", "ASIAIOSFODNNGROUPLESS"),
            identity("stranger", "ASIAIOSFODNN7STRANGER"),
        ],
        "entries": entries.into_iter().collect::<serde_json::Map<_, _>>(),
    })
}
