//! The kubeconfig's context that is this cluster's.

use super::cluster::Cluster;
use crate::command::{Tools, quoted};
use crate::failure::Refusal;
use crate::owner::same_ca;
use crate::target::Target;
use serde_json::Value;

/// Finds the context by its server. Only names and addresses are read.
///
/// # Errors
///
/// There is none, or there are several and none of them is the current one.
pub(crate) async fn find(tools: &Tools, cluster: &Cluster) -> Result<String, Refusal> {
    let printed = tools
        .kubectl(&["config", "view", "-o=json"])
        .ask(None)
        .await?;
    let config: Value = serde_json::from_str(&printed).unwrap_or_default();
    let mut found = contexts(&config, &cluster.endpoint);
    let current = config["current-context"].as_str().unwrap_or_default();
    if found.contains(&current) {
        return Ok(current.to_owned());
    }
    match (found.pop(), &found[..]) {
        (Some(one), []) => Ok(one.to_owned()),
        (None, _) => Err(Refusal::own(
            format!(
                "no context of your kubeconfig is at {}, where cluster {} is",
                cluster.endpoint, cluster.name
            ),
            format!(
                "Write one (`{}`), then run this again. If you reach it by another address, name \
                 its context with --context.",
                tools.aws(&["eks", "update-kubeconfig", "--name", &cluster.name])
            ),
        )),
        (Some(last), others) => Err(Refusal::own(
            format!(
                "your kubeconfig has several contexts at {}: {}, {last}",
                cluster.endpoint,
                others.join(", ")
            ),
            format!("Name one, such as --context {}.", quoted(last)),
        )),
    }
}

/// Refuses a named context of another cluster: its address may differ, as with a tunnel, if its CA
/// is the same.
pub(crate) fn check(target: &Target, cluster: &Cluster) -> Result<(), Refusal> {
    let ca = target.ca.as_deref();
    if is_at(&target.server, &cluster.endpoint) || ca.is_some_and(|ca| same_ca(ca, &cluster.ca)) {
        return Ok(());
    }
    Err(Refusal::own(
        format!(
            "context {} is another cluster: it is at {} with another CA, and cluster {} at {}",
            target.context, target.server, cluster.name, cluster.endpoint
        ),
        "Leave --context out: the one of this cluster is found by its address.",
    ))
}

fn contexts<'a>(config: &'a Value, endpoint: &str) -> Vec<&'a str> {
    let list = |field: &str| config[field].as_array().into_iter().flatten();
    let here: Vec<_> = list("clusters")
        .filter(|one| {
            is_at(
                one["cluster"]["server"].as_str().unwrap_or_default(),
                endpoint,
            )
        })
        .map(|one| &one["name"])
        .collect();
    list("contexts")
        .filter(|one| here.contains(&&one["context"]["cluster"]))
        .filter_map(|one| one["name"].as_str())
        .collect()
}

/// Compares two addresses; EKS writes host names in capitals.
fn is_at(server: &str, endpoint: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        text.strip_suffix(":443").unwrap_or(&text).to_owned()
    };
    !server.is_empty() && plain(server) == plain(endpoint)
}

#[cfg(test)]
mod tests;
