//! Where the function's access to a cluster comes from.

use super::access::ParameterPlace;
use crate::eks::EksCluster;
use std::fmt;

/// Where the function's access to a cluster comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum CredentialSource {
    /// A bearer token in SSM.
    Parameter(ParameterPlace),
    /// The function's own role, by IAM.
    Eks(EksPlace),
    /// A kubeconfig in SSM.
    Kubeconfig(KubeconfigPlace),
}

/// A cluster of EKS, and what EKS says about the way to it.
#[derive(Clone, Debug, PartialEq)]
pub struct EksPlace {
    /// The cluster.
    pub cluster: EksCluster,
    /// From where its API server can be reached, once EKS has answered.
    pub network: Option<EksNetwork>,
}

/// From where the API server of a cluster of EKS can be reached.
/// <https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EksNetwork {
    /// Whether it can be reached from the internet.
    pub public: bool,
    /// Whether it can be reached inside the cluster's VPC.
    pub private: bool,
    /// The addresses of the internet that may reach it, as CIDR blocks; empty for all.
    pub public_blocks: Vec<String>,
    /// The cluster's VPC.
    pub vpc: Option<String>,
}

/// A kubeconfig in SSM, and what was taken from it.
#[derive(Clone, Debug, PartialEq)]
pub struct KubeconfigPlace {
    /// The parameter.
    pub parameter: ParameterPlace,
    /// The context, once the kubeconfig was read.
    pub context: Option<String>,
    /// What the context's user shows to the cluster, once the kubeconfig was read.
    pub user: Option<UserKind>,
}

/// What a user of a kubeconfig shows to the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum UserKind {
    /// A bearer token.
    Token,
    /// A client certificate.
    Certificate,
    /// A token of IAM for a cluster of EKS.
    Eks(EksCluster),
}

impl CredentialSource {
    /// The same with what was taken from the kubeconfig, if it is one.
    pub fn of_context(&self, context: String, user: UserKind) -> CredentialSource {
        match self {
            CredentialSource::Kubeconfig(place) => CredentialSource::Kubeconfig(KubeconfigPlace {
                parameter: place.parameter.clone(),
                context: Some(context),
                user: Some(user),
            }),
            CredentialSource::Parameter(_) | CredentialSource::Eks(_) => self.clone(),
        }
    }
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialSource::Parameter(place) => write!(formatter, "{place}"),
            CredentialSource::Eks(place) => write!(formatter, "{}", place.cluster),
            CredentialSource::Kubeconfig(place) => match &place.context {
                Some(context) => write!(formatter, "context `{context}` of {}", place.parameter),
                None => write!(formatter, "{}", place.parameter),
            },
        }
    }
}
