//! Clusters of Amazon EKS, and roles in other accounts, as people name them.

use std::fmt;

/// The longest name of a cluster.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html>
const NAME_LIMIT: usize = 100;

/// The longest ARN of a role, and the longest external id.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const ROLE_LIMIT: usize = 2048;
/// See [`ROLE_LIMIT`].
const EXTERNAL_ID_LENGTH: std::ops::RangeInclusive<usize> = 2..=1224;

/// A cluster of EKS that is opened by IAM.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EksCluster {
    /// The name. For a local cluster on an Outpost, tokens are made for its id instead.
    pub name: String,
    /// The region, if known.
    pub region: Option<String>,
    /// The AWS account, if known.
    pub account: Option<String>,
    /// The role to assume first.
    pub role: Option<AssumedRole>,
}

impl EksCluster {
    /// Reads a cluster's name or ARN, or says what is wrong with it.
    pub fn read(given: &str) -> Result<EksCluster, &'static str> {
        if is_cluster_name(given) {
            return Ok(EksCluster {
                name: given.to_owned(),
                ..EksCluster::default()
            });
        }
        if given.starts_with("https://") {
            return Err("is an address: give the cluster's name or ARN");
        }
        let wrong = "is neither the name nor the ARN of an EKS cluster, such as \
                     arn:aws:eks:eu-central-1:111122223333:cluster/prod";
        let arn = Arn::of_aws(given).ok_or(wrong)?;
        let name = arn.resource.strip_prefix("cluster/").ok_or(wrong)?;
        let is_cluster = arn.service == "eks" && is_cluster_name(name);
        if !is_cluster || !is_region(arn.region) || !is_account(arn.account) {
            return Err(wrong);
        }
        Ok(EksCluster {
            name: name.to_owned(),
            region: Some(arn.region.to_owned()),
            account: Some(arn.account.to_owned()),
            role: None,
        })
    }

    /// The same cluster, in this region if its own is not known.
    pub fn or_in(&self, region: Option<&str>) -> EksCluster {
        EksCluster {
            region: self.region.clone().or_else(|| region.map(str::to_owned)),
            ..self.clone()
        }
    }
}

impl fmt::Display for EksCluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = place(self.account.as_deref(), self.region.as_deref());
        write!(formatter, "EKS cluster `{}`{place}", self.name)
    }
}

/// Where something of AWS is, as far as that is known, to follow its name.
pub fn place(account: Option<&str>, region: Option<&str>) -> String {
    match (account, region) {
        (Some(account), Some(region)) => format!(" (account {account}, region {region})"),
        (Some(account), None) => format!(" (account {account})"),
        (None, Some(region)) => format!(" (region {region})"),
        (None, None) => String::new(),
    }
}

/// A role that the function assumes to be let into a cluster, such as one of another account.
#[derive(Clone, PartialEq)]
pub struct AssumedRole {
    /// The ARN.
    pub arn: String,
    /// What the role's trust policy asks for. It is never printed.
    pub external_id: Option<String>,
}

impl AssumedRole {
    /// Reads a role's ARN, or says what is wrong with it.
    pub fn read(given: &str) -> Result<AssumedRole, &'static str> {
        let wrong = "is not the ARN of a role, such as arn:aws:iam::111122223333:role/deployer";
        let arn = Arn::of_aws(given).filter(|_| given.len() <= ROLE_LIMIT);
        let arn = arn.ok_or(wrong)?;
        if arn.service == "sts" && arn.resource.starts_with("assumed-role/") {
            return Err(
                "is the ARN of a session (assumed-role): give the ARN of the role itself, \
                 arn:aws:iam::ACCOUNT:role/NAME",
            );
        }
        let name = arn.resource.strip_prefix("role/").ok_or(wrong)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte);
        let is_role = arn.service == "iam" && arn.region.is_empty() && is_account(arn.account);
        if !is_role || name.is_empty() || !name.bytes().all(allowed) {
            return Err(wrong);
        }
        Ok(AssumedRole {
            arn: given.to_owned(),
            external_id: None,
        })
    }
}

impl fmt::Debug for AssumedRole {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.arn)
    }
}

/// Checks an external id, or says what is wrong with it.
pub fn external_id(given: &str) -> Result<String, &'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte);
    if !EXTERNAL_ID_LENGTH.contains(&given.len()) || !given.bytes().all(allowed) {
        return Err("is not an external id: 2 to 1224 letters, digits and `_+=,.@:/-`");
    }
    Ok(given.to_owned())
}

/// Whether a text has the form of a region's name. It becomes part of a host's name.
pub fn is_region(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let parts = text.split('-').count();
    text.len() <= 32 && parts >= 3 && text.bytes().all(allowed) && !text.contains("--")
}

/// Whether a text has the form of a cluster's name.
pub fn is_cluster_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_begun = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    is_begun && text.len() <= NAME_LIMIT && text.bytes().all(allowed)
}

/// Whether a text has the form of an account's id.
/// <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The parts of an ARN.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The partition, such as `aws-cn`.
    pub partition: &'a str,
    /// The service, such as `iam`.
    pub service: &'a str,
    /// The region; empty for what has none.
    pub region: &'a str,
    /// The account.
    pub account: &'a str,
    /// Everything else.
    pub resource: &'a str,
}

impl Arn<'_> {
    /// Splits an ARN. Its parts are not checked.
    pub fn read(text: &str) -> Option<Arn<'_>> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        Some(Arn {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }

    /// The same, in a partition of AWS.
    fn of_aws(text: &str) -> Option<Arn<'_>> {
        Arn::read(text).filter(|arn| arn.partition.starts_with("aws"))
    }
}

#[cfg(test)]
mod tests;
