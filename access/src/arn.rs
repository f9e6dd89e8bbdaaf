//! Names of IAM roles and EKS clusters, as people give them.

use landfall_core::eks::{Arn, is_account, is_cluster_name};

/// The longest name of a role.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const ROLE_LIMIT: usize = 64;

/// An IAM role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleArn {
    /// As given, with the role's path.
    pub(crate) whole: String,
    pub(crate) partition: String,
    pub(crate) account: String,
    pub(crate) name: String,
}

/// An EKS cluster, by its name or its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterName {
    pub(crate) name: String,
    /// The region, if an ARN is given.
    pub(crate) region: Option<String>,
}

impl RoleArn {
    /// Reads a role's ARN.
    ///
    /// # Errors
    ///
    /// It is not the ARN of a role that a function may have; says what it is instead.
    pub(crate) fn read(option: &str, text: &str) -> Result<RoleArn, String> {
        let wrong = |why: &str| Err(format!("{option} is `{text}`: {why}"));
        let Some(arn) = Arn::read(text) else {
            return wrong("give the role's ARN, arn:aws:iam::ACCOUNT:role/NAME");
        };
        let (partition, account) = (arn.partition, arn.account);
        let (kind, path) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        if !is_account(account) {
            return wrong("an account has twelve digits: arn:aws:iam::ACCOUNT:role/NAME");
        }
        if (arn.service, kind) == ("sts", "assumed-role") {
            let role = path.split('/').next().unwrap_or_default();
            return wrong(&format!(
                "that is a session of a role, and an access entry is for the role: \
                 arn:{partition}:iam::{account}:role/{role}, with the role's path before its name \
                 if it has one (`aws iam get-role --role-name {role}` shows it)"
            ));
        }
        if (arn.service, arn.region, kind) != ("iam", "", "role") {
            return wrong("that is not a role: arn:aws:iam::ACCOUNT:role/NAME");
        }
        if path.starts_with("aws-service-role/") {
            return wrong("EKS takes no service-linked role: give the function a role of its own");
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        let fits = |it: char| it.is_ascii_alphanumeric() || "_+=,.@-".contains(it);
        if name.is_empty() || name.len() > ROLE_LIMIT || !name.chars().all(fits) {
            return wrong(
                "its last part is not a valid role name: letters, digits and _ + = , . @ -",
            );
        }
        if !path.chars().all(|it| it.is_ascii_graphic()) || path.contains("//") {
            return wrong("its path is not a valid role path");
        }
        Ok(RoleArn {
            whole: text.to_owned(),
            partition: partition.to_owned(),
            account: account.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The ARN as the ConfigMap aws-auth has it.
    /// <https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html>
    pub(crate) fn without_path(&self) -> String {
        let RoleArn {
            partition,
            account,
            name,
            ..
        } = self;
        format!("arn:{partition}:iam::{account}:role/{name}")
    }

    /// Whether this identity is a session of the role.
    pub(crate) fn is_of(&self, identity: &str) -> bool {
        let session = format!(
            "arn:{}:sts::{}:assumed-role/{}/",
            self.partition, self.account, self.name
        );
        identity.starts_with(&session)
    }
}

impl ClusterName {
    /// Reads a cluster's name or ARN.
    ///
    /// # Errors
    ///
    /// It is neither.
    pub(crate) fn read(option: &str, text: &str) -> Result<ClusterName, String> {
        let wrong = || {
            format!(
                "{option} is `{text}`: give the cluster's name (letters, digits, _ and -) or its \
                 ARN, arn:aws:eks:REGION:ACCOUNT:cluster/NAME"
            )
        };
        let (name, region) = match Arn::read(text) {
            None => (text, None),
            Some(arn) if arn.service == "eks" && !arn.region.is_empty() => (
                arn.resource.strip_prefix("cluster/").ok_or_else(wrong)?,
                Some(arn.region),
            ),
            Some(_) => return Err(wrong()),
        };
        if !is_cluster_name(name) {
            return Err(wrong());
        }
        Ok(ClusterName {
            name: name.to_owned(),
            region: region.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests;
