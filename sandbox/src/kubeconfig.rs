//! Kubeconfigs, as people and programs write them.

use crate::kubernetes::ClientPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A context of a kubeconfig, with a cluster and a user of its own name.
#[derive(Clone)]
pub struct Context {
    /// The name.
    pub name: String,
    /// The API server.
    pub server: String,
    /// Its CA, PEM.
    pub ca: Option<String>,
    /// The user.
    pub user: User,
}

/// The user of a context.
#[derive(Clone)]
pub enum User {
    /// A bearer token.
    Token(String),
    /// A client certificate.
    Certificate(ClientPair),
    /// A program that makes tokens: its name and its arguments.
    Exec(&'static str, Vec<String>),
}

impl User {
    /// What `aws eks update-kubeconfig` writes for a cluster.
    pub fn of_eks(cluster: &str, region: &str, role: Option<&str>) -> User {
        let line = format!("--region {region} eks get-token --cluster-name {cluster}");
        let mut arguments = line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        arguments.extend(["--output".to_owned(), "json".to_owned()]);
        arguments.extend(role.map(|role| format!("--role={role}")));
        User::Exec("aws", arguments)
    }

    fn lines(&self) -> Vec<String> {
        match self {
            User::Token(token) => vec![format!("token: {token}")],
            User::Certificate(pair) => vec![
                format!(
                    "client-certificate-data: {}",
                    STANDARD.encode(&pair.certificate)
                ),
                format!("client-key-data: {}", STANDARD.encode(&pair.key)),
            ],
            User::Exec(command, arguments) => {
                let mut lines = vec![
                    "exec:".to_owned(),
                    "  apiVersion: client.authentication.k8s.io/v1beta1".to_owned(),
                    format!("  command: {command}"),
                    "  args:".to_owned(),
                ];
                lines.extend(arguments.iter().map(|argument| format!("  - {argument}")));
                lines
            }
        }
    }
}

/// A kubeconfig in YAML. The first context is the current one.
pub fn write(contexts: &[Context]) -> String {
    let (mut clusters, mut users, mut pairs) = (String::new(), String::new(), String::new());
    for Context {
        name,
        server,
        ca,
        user,
    } in contexts
    {
        clusters.push_str(&format!(
            "- name: {name}\n  cluster:\n    server: {server}\n"
        ));
        if let Some(ca) = ca {
            let coded = STANDARD.encode(ca);
            clusters.push_str(&format!("    certificate-authority-data: {coded}\n"));
        }
        users.push_str(&format!("- name: {name}\n  user:\n"));
        for line in user.lines() {
            users.push_str(&format!("    {line}\n"));
        }
        let pair = format!("- name: {name}\n  context:\n    cluster: {name}\n    user: {name}\n");
        pairs.push_str(&pair);
    }
    let current = contexts.first().map(|context| &*context.name);
    format!(
        "apiVersion: v1\nkind: Config\npreferences: {{}}\ncurrent-context: {}\n\
         clusters:\n{clusters}contexts:\n{pairs}users:\n{users}",
        current.unwrap_or_default()
    )
}
