//! The steps on EKS: decided from what there is, shown, and only then carried out.

use super::cluster::Cluster;
use super::entry::Verdict;
use crate::account::GROUP;
use crate::arn::RoleArn;
use crate::command::Tools;
use crate::deploy;
use crate::grant::Grant;
use crate::options::{EksWay, Options};
use crate::proof::Question;
use crate::target::Target;

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The role's access entry.
    Entry(RoleArn, Verdict),
    /// A file of `deploy/` in a namespace.
    Grant(Target, Grant),
    /// Asking what the group may do, by the user's own connection.
    Review(Vec<String>),
    /// Asking what the role may do, with a token as the function makes it.
    Token(RoleArn, Vec<String>),
}

impl Step {
    /// Whether there is nothing to do.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Step::Entry(_, verdict) => verdict.is_done(),
            Step::Grant(_, grant) => grant.is_there(),
            Step::Review(_) | Step::Token(..) => false,
        }
    }

    /// Whether it only asks.
    pub(crate) fn is_proof(&self) -> bool {
        match self {
            Step::Review(_) | Step::Token(..) => true,
            Step::Entry(..) | Step::Grant(..) => false,
        }
    }

    /// The heading, which fits before "failed" and after a number.
    pub(crate) fn heading(&self, cluster: &Cluster, questions: &[Question]) -> String {
        let may = |namespaces: &[String]| Question::may(questions, &namespaces.join(" and "));
        match self {
            Step::Entry(role, verdict) => verdict.heading(cluster, role),
            Step::Grant(target, grant) => grant.heading(&format!(" in {}", target.namespace)),
            Step::Review(namespaces) => format!(
                "Ask the cluster about group {GROUP}, by your own connection: {}",
                may(namespaces)
            ),
            Step::Token(role, namespaces) => format!(
                "Ask {} with a token as the function makes it, of role {}: {}",
                cluster.endpoint,
                role.name,
                may(namespaces)
            ),
        }
    }

    /// The command as a person would type it.
    pub(crate) fn typed(&self, tools: &Tools, aws: &Tools, cluster: &Cluster) -> Option<String> {
        match self {
            Step::Entry(role, verdict) => {
                let command = verdict.command(aws, cluster, role)?;
                Some(command.to_string())
            }
            Step::Grant(target, grant) => Some(grant.typed(tools, target)),
            Step::Review(_) | Step::Token(..) => None,
        }
    }

    /// What the API server would change; empty if nothing.
    pub(crate) fn outlook(&self) -> Vec<String> {
        match self {
            Step::Grant(_, grant) if !grant.is_there() => grant.foreseen(),
            Step::Grant(..) | Step::Entry(..) | Step::Review(_) | Step::Token(..) => Vec::new(),
        }
    }
}

/// The command that deploys `template.yaml`.
pub(crate) fn deploy_line(options: &Options, way: &EksWay, cluster: &Cluster) -> String {
    let here = is_here(options, cluster) && !way.assumed;
    let name = if here { &cluster.name } else { &cluster.arn };
    let mut overrides = vec![format!("EksCluster={name}")];
    match &way.role {
        Some(role) if way.assumed => overrides.push(format!("EksRoleArn={}", role.whole)),
        None if here => overrides.push("CreateAccessEntry=yes".to_owned()),
        Some(_) | None => {}
    }
    if cluster.reach.warning().is_some() {
        overrides.push("SubnetIds=subnet-…".to_owned());
        overrides.push("SecurityGroupIds=sg-…".to_owned());
    }
    deploy::line(options, &overrides)
}

/// Whether the cluster is in the function's region, where a name is enough and the stack may make
/// the access entry.
pub(crate) fn is_here(options: &Options, cluster: &Cluster) -> bool {
    options
        .region
        .as_ref()
        .is_none_or(|region| *region == cluster.region)
}
