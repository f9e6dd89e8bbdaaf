//! A cluster of EKS in commands that a person copies.

use crate::eks::EksCluster;

/// A cluster as commands of the AWS CLI name it. What is not known stands in capitals.
pub(super) struct Named<'a> {
    pub(super) region: &'a str,
    pub(super) name: &'a str,
    /// The ARN of the role that the cluster is to let in.
    pub(super) role: &'a str,
}

impl<'a> Named<'a> {
    pub(super) fn new(cluster: Option<&'a EksCluster>) -> Named<'a> {
        let region = cluster.and_then(|cluster| cluster.region.as_deref());
        let role = cluster.and_then(|cluster| cluster.role.as_ref());
        Named {
            region: region.unwrap_or("REGION"),
            name: cluster.map_or("CLUSTER", |cluster| &cluster.name),
            role: role.map_or("ROLE_ARN", |role| &role.arn),
        }
    }

    /// A command about the cluster.
    pub(super) fn command(&self, command: &str) -> String {
        let Named { region, name, .. } = self;
        format!("aws eks {command} --region {region} --name {name}")
    }

    /// A command about the access entry of the role.
    pub(super) fn entry(&self, command: &str, role: &str) -> String {
        let Named { region, name, .. } = self;
        format!("aws eks {command} --region {region} --cluster-name {name} --principal-arn {role}")
    }

    /// What a placeholder in a command stands for.
    pub(super) fn legend(&self) -> &'static str {
        match self.role {
            "ROLE_ARN" => " (ROLE_ARN is the ARN of the function's role)",
            _ => "",
        }
    }
}
