//! The role's access entry, or its line in the ConfigMap aws-auth: what there is, and what becomes
//! of it.

use super::cluster::{Cluster, Mode};
use crate::account::GROUP;
use crate::arn::RoleArn;
use crate::command::{Command, Tools, quoted};
use crate::failure::Refusal;
use jiff::Timestamp;
use landfall_core::formats::yaml;
use serde_json::Value;

/// The only kind of entry that has groups of one's own.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html>
const STANDARD_TYPE: &str = "STANDARD";

/// What the cluster knows of the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    None,
    There {
        groups: Vec<String>,
        /// The user name, if it is not EKS's own.
        username: Option<String>,
        kind: String,
        made: Option<Timestamp>,
    },
    /// In aws-auth, with the group.
    Mapped,
}

/// What to do with the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Leave,
    /// aws-auth has the role with the group, and is left.
    Mapped,
    Create,
    /// Add the group to these.
    Join {
        groups: Vec<String>,
        username: Option<String>,
    },
}

impl Entry {
    /// Reads the entry, or aws-auth where there are no entries.
    pub(crate) async fn read(
        tools: &Tools,
        cluster: &Cluster,
        role: &RoleArn,
    ) -> Result<Entry, Refusal> {
        if cluster.mode == Mode::ConfigMap {
            let words = ["-n", "kube-system", "get", "configmap", "aws-auth"];
            let more = ["--ignore-not-found", "-o=jsonpath={.data.mapRoles}"];
            let printed = tools
                .kubectl(&[&words[..], &more].concat())
                .ask(None)
                .await?;
            return Ok(if is_mapped(&printed, role) {
                Entry::Mapped
            } else {
                Entry::None
            });
        }
        let command = entry_command(tools, "describe-access-entry", cluster, role, &[]);
        let answer = command.run(None).await?;
        match answer.code {
            Some(0) => Ok(Entry::parse(&answer.printed)),
            _ if is_missing(&answer.said) => Ok(Entry::None),
            _ => Err(command.refusal(&answer.said)),
        }
    }

    fn parse(printed: &str) -> Entry {
        let answer: Value = serde_json::from_str(printed).unwrap_or_default();
        let entry = &answer["accessEntry"];
        let groups = entry["kubernetesGroups"].as_array();
        let groups = groups.into_iter().flatten().filter_map(Value::as_str);
        let username = entry["username"].as_str();
        // EKS's own ends with the session, and is made anew from the role.
        let own = |name: &&str| !(name.starts_with("arn:") && name.contains("{{SessionName}}"));
        Entry::There {
            groups: groups.map(str::to_owned).collect(),
            username: username.filter(own).map(str::to_owned),
            kind: entry["type"].as_str().unwrap_or(STANDARD_TYPE).to_owned(),
            made: time(&entry["createdAt"]),
        }
    }

    /// Decides what becomes of the entry. `role_made` is when the role was made, if known.
    pub(crate) fn judge(
        &self,
        cluster: &Cluster,
        role: &RoleArn,
        role_made: Option<Timestamp>,
        tools: &Tools,
    ) -> Result<Verdict, Refusal> {
        let (groups, username, kind, made) = match self {
            Entry::Mapped => return Ok(Verdict::Mapped),
            Entry::None if cluster.mode == Mode::ConfigMap => {
                return Err(no_entries(cluster, Some(role), tools));
            }
            Entry::None => return Ok(Verdict::Create),
            Entry::There {
                groups,
                username,
                kind,
                made,
            } => (groups, username, kind, made),
        };
        if kind != STANDARD_TYPE {
            return Err(Refusal::own(
                format!("it has the type {kind}, which is for nodes and takes no groups"),
                "EKS does not change an entry's type: give the function a role of its own.",
            ));
        }
        if let (Some(made), Some(role_made)) = (made, role_made)
            && role_made > *made
        {
            let delete = entry_command(tools, "delete-access-entry", cluster, role, &[]);
            return Err(Refusal::own(
                format!(
                    "it was made at {made:.0} for a role of this name that is gone: the role of \
                     today was made at {role_made:.0}, and EKS knows roles by their inner id"
                ),
                format!("Delete the entry (`{delete}`), and run this again."),
            ));
        }
        if groups.iter().any(|group| group == GROUP) {
            return Ok(Verdict::Leave);
        }
        Ok(Verdict::Join {
            groups: groups.clone(),
            username: username.clone(),
        })
    }
}

impl Verdict {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Verdict::Leave | Verdict::Mapped)
    }

    pub(crate) fn heading(&self, cluster: &Cluster, role: &RoleArn) -> String {
        let (name, cluster) = (&role.name, &cluster.name);
        match self {
            Verdict::Leave => {
                format!("Role {name} has its access entry in {cluster}, with group {GROUP}")
            }
            Verdict::Mapped => {
                format!("ConfigMap aws-auth of {cluster} has role {name} with group {GROUP}")
            }
            Verdict::Create => {
                format!("Make role {name} an access entry in {cluster}, with group {GROUP}")
            }
            Verdict::Join { groups, .. } => {
                let kept = match &groups[..] {
                    [] => "it has none yet".to_owned(),
                    groups => format!("{} stays", groups.join(", ")),
                };
                format!("Add group {GROUP} to role {name}'s access entry in {cluster} ({kept})")
            }
        }
    }

    /// The command that does it; `None` if there is nothing to do.
    pub(crate) fn command(
        &self,
        tools: &Tools,
        cluster: &Cluster,
        role: &RoleArn,
    ) -> Option<Command> {
        match self {
            Verdict::Leave | Verdict::Mapped => None,
            Verdict::Create => {
                let more = ["--kubernetes-groups", GROUP];
                Some(entry_command(
                    tools,
                    "create-access-entry",
                    cluster,
                    role,
                    &more,
                ))
            }
            Verdict::Join { groups, username } => {
                let mut more = vec!["--kubernetes-groups"];
                more.extend(groups.iter().map(String::as_str));
                more.push(GROUP);
                if let Some(username) = username {
                    more.extend(["--username", username]);
                }
                Some(entry_command(
                    tools,
                    "update-access-entry",
                    cluster,
                    role,
                    &more,
                ))
            }
        }
    }
}

/// The time when a role of the user's account was made; `None` if we may not know.
///
/// # Errors
///
/// There is no such role, or it has another path.
pub(crate) async fn role_made(tools: &Tools, role: &RoleArn) -> Result<Option<Timestamp>, Refusal> {
    let answer = tools
        .aws(&["iam", "get-role", "--role-name", &role.name])
        .run(None)
        .await?;
    if answer.said.contains("(NoSuchEntity)") {
        return Err(Refusal::own(
            format!("there is no role {} in account {}", role.name, role.account),
            "Make it first; with template.yaml the stack makes it, and the entry with it: leave \
             --role out then.",
        ));
    }
    let answer: Value = serde_json::from_str(&answer.printed).unwrap_or_default();
    let found = &answer["Role"];
    let arn = found["Arn"].as_str().unwrap_or(&role.whole);
    if arn != role.whole {
        return Err(Refusal::own(
            format!("the role's ARN is {arn}, not {}", role.whole),
            "An access entry needs the path, too: name the role with this ARN.",
        ));
    }
    Ok(time(&found["CreateDate"]))
}

/// Why a cluster cannot have entries, with both ways out.
pub(crate) fn no_entries(cluster: &Cluster, role: Option<&RoleArn>, tools: &Tools) -> Refusal {
    let name = &cluster.name;
    let mode = "authenticationMode=API_AND_CONFIG_MAP";
    let words = ["eks", "update-cluster-config", "--name", name];
    let switch = tools.aws(&[&words[..], &["--access-config", mode]].concat());
    let role = role.map_or_else(
        || "arn:aws:iam::ACCOUNT:role/NAME".to_owned(),
        RoleArn::without_path,
    );
    Refusal::own(
        format!(
            "cluster {name} knows roles by its ConfigMap aws-auth alone (authentication mode \
             CONFIG_MAP), so it can have no access entries, and the ConfigMap does not have the \
             role with group {GROUP}"
        ),
        format!(
            "Either let it have entries, too (what is in aws-auth stays; there is no way back to \
             CONFIG_MAP):\n  {switch}\nor put the role into aws-auth, without its path:\n  \
             eksctl create iamidentitymapping --cluster {name} --region {} --arn {} --username \
             {GROUP} --group {GROUP}\nThen run this again.",
            cluster.region,
            quoted(&role)
        ),
    )
}

fn entry_command(
    tools: &Tools,
    verb: &str,
    cluster: &Cluster,
    role: &RoleArn,
    more: &[&str],
) -> Command {
    let words = ["eks", verb, "--cluster-name", &cluster.name];
    let whose = ["--principal-arn", &role.whole];
    tools.aws(&[&words[..], &whose, more].concat())
}

/// Whether EKS says that the role has no entry. It says the same of a cluster that is gone, but
/// that was read before.
fn is_missing(said: &str) -> bool {
    said.contains("(ResourceNotFoundException)")
}

/// Whether aws-auth's `mapRoles` has the role, without its path, with the group.
fn is_mapped(printed: &str, role: &RoleArn) -> bool {
    let mut mapped = false;
    let wanted = role.without_path();
    let read = yaml::read(printed, |value| {
        let rows = value.as_array().into_iter().flatten();
        mapped |= rows.into_iter().any(|row| {
            let groups = row["groups"].as_array().into_iter().flatten();
            row["rolearn"] == wanted.as_str() && groups.into_iter().any(|group| group == GROUP)
        });
    });
    read.is_ok() && mapped
}

/// A time as the AWS CLI prints it: seconds, or a date, by its version and settings.
fn time(value: &Value) -> Option<Timestamp> {
    match value.as_f64() {
        Some(seconds) => Timestamp::from_millisecond((seconds * 1000.0) as i64).ok(),
        None => value.as_str()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
