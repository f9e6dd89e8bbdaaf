//! The subjects of the RoleBinding that `deploy/rbac.yaml` applies, as they are in the cluster.

use crate::account::{ACCOUNT, account, group, namespace_of};
use crate::command::{Command, Tools};
use crate::failure::{Failure, Refusal};
use crate::target::Target;

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

/// The target of one namespace. A RoleBinding for one ServiceAccount of another namespace keeps it:
/// the group comes beside it.
pub(crate) fn settled(
    target: &Target,
    namespace: &str,
    bound: &[String],
    replace: bool,
) -> Result<Target, Failure> {
    let mut settled = target.clone();
    namespace.clone_into(&mut settled.namespace);
    namespace.clone_into(&mut settled.home);
    let own = [account(namespace), group()];
    let others: Vec<_> = bound.iter().filter(|it| !own.contains(it)).collect();
    if others.is_empty() || replace {
        return Ok(settled);
    }
    match others[..] {
        [other] if !bound.contains(&own[0]) && namespace_of(other).is_some() => {
            settled.home = namespace_of(other).unwrap_or_default().to_owned();
            Ok(settled)
        }
        _ => {
            let others: Vec<_> = others.iter().map(|it| it.as_str()).collect();
            let others = others.join(" and ");
            Err(Refusal::own(
                format!("it is for {others} as well, which would lose its rights in {namespace}"),
                format!(
                    "Give {others} a RoleBinding of another name; or, to take its rights away: \
                     --replace."
                ),
            )
            .at(format!(
                "deciding what becomes of RoleBinding landfall in {namespace}"
            )))
        }
    }
}

#[cfg(test)]
mod tests;
