//! A kubeconfig, broken in every way: it is read or refused, and what is said has no secret.

use super::fuzz;
use crate::canaries::kubeconfig::reported;
use crate::canaries::{CANARY, found};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use landfall_core::kubeconfig::Kubeconfig;
use landfall_core::outcome::{ExecProblem, KubeconfigEntry, KubeconfigError, KubeconfigProblem};

/// The names that an error shows. They are the only texts of a kubeconfig in it.
fn names(error: &KubeconfigError) -> Vec<String> {
    let mut names = Vec::new();
    if let KubeconfigError::NoCurrentContext { known }
    | KubeconfigError::UnknownContext { known, .. } = error
    {
        names.extend(known.iter().cloned());
    }
    if let KubeconfigError::UnknownContext { name, .. } | KubeconfigError::Context { name, .. } =
        error
    {
        names.push(name.clone());
    }
    let KubeconfigError::Context { faults, .. } = error else {
        return names;
    };
    for fault in faults {
        if let KubeconfigEntry::Context(name)
        | KubeconfigEntry::Cluster(name)
        | KubeconfigEntry::User(name) = &fault.entry
        {
            names.push(name.clone());
        }
        if let KubeconfigProblem::Dangling(name)
        | KubeconfigProblem::Exec(ExecProblem::Command(Some(name))) = &fault.problem
        {
            names.push(name.clone());
        }
    }
    names
}

/// Asserts that an error has no secret: not in its words, and not as a name.
fn assert_silent(error: &KubeconfigError, secrets: &[&str]) {
    let message = reported(error);
    let mut said = format!("{error:?} {message}");
    let mut names = names(error);
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names.iter().filter(|name| !name.is_empty()) {
        let is_shown = |secret: &&&str| name.contains(secret.trim());
        assert_eq!(secrets.iter().find(is_shown), None, "{name}");
        // As Debug writes it, and cut to the length of a list.
        let escaped = format!("{name:?}");
        let short = name.chars().take(120).collect::<String>();
        for form in [escaped.trim_matches('"'), name, &short] {
            said = said.replace(form, "");
        }
    }
    assert_eq!(found(CANARY, &said), None, "{error:?}");
}

#[test]
fn kubeconfigs() {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n");
    let key = STANDARD.encode(key);
    let head = "apiVersion: v1\nkind: Config\ncurrent-context: demo\nclusters:\n- name: prod\n  cluster:\n    \
                server: https://0a1b.gr7.eu-west-1.eks.amazonaws.com\n    proxy-url: http://u:p@proxy:3128\n\
                contexts:\n- name: demo\n  context: {cluster: prod, user: admin}\n- name: other\n  \
                context: {cluster: prod, user: gone}\nusers:\n- name: admin\n  user:\n    ";
    let users = [
        format!("token: {CANARY}\n"),
        format!("client-certificate-data: {key}\n    client-key-data: {key}\n"),
        format!("username: root\n    password: {CANARY}\n"),
        format!(
            "exec:\n      command: aws-iam-authenticator\n      args: [token, -i, demo, -e, {CANARY}, -r, \
             'arn:aws:iam::111122223333:role/a']\n      env: [{{name: AWS_SECRET_ACCESS_KEY, value: {CANARY}}}]\n"
        ),
        format!(
            "exec: {{command: aws, args: [eks, get-token, --cluster-name, demo, --profile, {CANARY}]}}\n"
        ),
        format!(
            "auth-provider: {{name: oidc, config: {{id-token: {CANARY}, client-secret: {CANARY}}}}}\n"
        ),
    ];
    let mut seeds = users
        .iter()
        .map(|user| format!("{head}{user}").into_bytes())
        .collect::<Vec<_>>();
    seeds.push(STANDARD.encode(&seeds[0]).into_bytes());
    seeds.push(format!(r#"{{"clusters": [], "contexts": [{{"name": "a", "context": {{}}}}], "users": "{CANARY}"}}"#).into_bytes());
    fuzz("kubeconfig", seeds, |input| {
        let text = String::from_utf8_lossy(input);
        let kubeconfig = match Kubeconfig::read(&text) {
            Ok(kubeconfig) => kubeconfig,
            Err(error) => return assert_silent(&error, &[]),
        };
        let secrets = kubeconfig.secrets().collect::<Vec<_>>();
        for name in [None, Some("demo"), Some("other")] {
            match kubeconfig.select(name) {
                Ok(selected) => {
                    let shown = format!("{:?} {kubeconfig:?}", selected.user);
                    assert!(selected.server.address.starts_with("http"));
                    assert!(found(CANARY, &shown).is_none(), "{shown}");
                }
                Err(error) => assert_silent(&error, &secrets),
            }
        }
    });
}
