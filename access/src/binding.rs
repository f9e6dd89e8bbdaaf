//! The subjects of the RoleBinding that `deploy/rbac.yaml` applies, as they are in the cluster.

use crate::account::ACCOUNT;
use crate::command::{Command, Tools};
use crate::failure::Failure;

/// Reads the subjects of a namespace's RoleBinding; none if it does not exist.
pub(crate) async fn read(tools: &Tools, namespace: &str) -> Result<Vec<String>, Failure> {
    let printed = command(tools, namespace).ask(None).await;
    let printed = printed.map_err(|refusal| refusal.at("reading RoleBinding landfall"))?;
    Ok(bound(&printed))
}

/// The command that prints the subjects, if the RoleBinding exists.
fn command(tools: &Tools, namespace: &str) -> Command {
    let subjects = "-o=jsonpath={range .subjects[*]}{.kind} {.namespace} {.name}{\"\\n\"}{end}";
    let words = [
        "get",
        "rolebinding",
        ACCOUNT,
        "--ignore-not-found",
        subjects,
    ];
    tools.kubectl(&[&["-n", namespace][..], &words].concat())
}

/// The subjects: ServiceAccounts by their user name, others by kind and name.
pub(crate) fn bound(printed: &str) -> Vec<String> {
    let users = printed.lines().map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["ServiceAccount", namespace, name] => {
                format!("system:serviceaccount:{namespace}:{name}")
            }
            [kind, "", name] => format!("{kind} {name}"),
            _ => line.trim().to_owned(),
        }
    });
    users.filter(|user| !user.is_empty()).collect()
}

#[cfg(test)]
mod tests;
