//! The words for an API server of EKS that cannot be reached or is not trusted: what EKS says of
//! the ways to it, and the one next step.

use super::named::Named;
use crate::eks::EksCluster;
use crate::kubernetes::contact::{CertificateFault, UnreachedCause};
use crate::outcome::{EksNetwork, EksPlace};
use crate::text::{list, quote};

impl EksNetwork {
    /// Whether the API server takes calls from everywhere.
    fn is_open(&self) -> bool {
        let is_all = |block: &String| block == "0.0.0.0/0" || block == "::/0";
        self.public && (self.public_blocks.is_empty() || self.public_blocks.iter().any(is_all))
    }
}

/// Where EKS lets calls to the API server come from, if not from everywhere.
pub(super) fn limits(place: &EksPlace) -> Option<String> {
    let network = place
        .network
        .as_ref()
        .filter(|network| !network.is_open())?;
    let vpc = match &network.vpc {
        Some(vpc) => format!("VPC `{}` and networks connected to it", quote(vpc)),
        None => "its VPC and networks connected to it".to_owned(),
    };
    let blocks = list(&network.public_blocks);
    Some(match (network.public, network.private) {
        (true, true) => format!(
            "By EKS, the API server takes calls from {vpc}, and from the internet only from \
             {blocks}."
        ),
        (true, false) => {
            format!("By EKS, the API server takes calls only from {blocks} (publicAccessCidrs).")
        }
        (false, _) => {
            format!("By EKS, the API server is private: it takes calls only from {vpc}.")
        }
    })
}

/// Whether a limit of EKS may be why the API server was not reached.
pub(super) fn is_limit(cause: UnreachedCause) -> bool {
    matches!(
        cause,
        UnreachedCause::NameUnknown
            | UnreachedCause::ConnectionRefused
            | UnreachedCause::NoRoute
            | UnreachedCause::Silent
    )
}

/// What to do so that the API server of a cluster of EKS is reached.
pub(super) fn reach(cause: UnreachedCause, place: &EksPlace) -> String {
    let named = Named::new(Some(&place.cluster));
    let limited = place.network.as_ref().filter(|network| !network.is_open());
    let next = match (limited, cause) {
        (Some(network), cause) if is_limit(cause) => match network.public {
            true => {
                return format!(
                    "Let the function call from an address in these blocks: put it into subnets \
                     behind a NAT gateway, and add that gateway's address (`{} \
                     --resources-vpc-config publicAccessCidrs=BLOCK,…`, which takes the whole \
                     list). Then retry the stage.",
                    named.command("update-cluster-config")
                );
            }
            false => {
                "Put the function into subnets of that VPC (`SubnetIds` and \
                      `SecurityGroupIds` of the template), and let the cluster's security group \
                      take port 443 from the function's. Then retry the stage."
            }
        },
        (_, UnreachedCause::NameUnknown) => {
            "Let the function's VPC resolve names (`enableDnsSupport` and `enableDnsHostnames`), \
             then retry the stage."
        }
        (_, UnreachedCause::ConnectionRefused) => {
            "Retry the stage. If this happens again, something between the function and EKS \
             refuses the connection: a network ACL, a firewall or a proxy."
        }
        (_, UnreachedCause::NoRoute) => {
            "Add a route to the function's subnets: a NAT gateway for a public address, peering or \
             a transit gateway for a private one. Then retry the stage."
        }
        (_, UnreachedCause::Silent) => {
            "Packets are dropped on the way: let the function's subnets, route tables and security \
             groups reach the API server's port 443, and the cluster's security group the \
             function. Then retry the stage."
        }
        (_, UnreachedCause::BrokenOff | UnreachedCause::CutOff | UnreachedCause::Endless) => {
            "Retry the stage. If this happens again, a firewall or a proxy between the function \
             and EKS cuts or holds back the connection: look at its log."
        }
        (_, UnreachedCause::TooSlow) => {
            "Retry the stage when the API server is healthy again; it is reached, and overloaded \
             or held up by a webhook."
        }
        (_, UnreachedCause::Proxy) => {
            "Add the host to NO_PROXY in the function's environment, or let the proxy reach it. \
             Then retry the stage."
        }
        (
            _,
            UnreachedCause::NotTls
            | UnreachedCause::HandshakeRefused
            | UnreachedCause::HandshakeCut
            | UnreachedCause::OldTls
            | UnreachedCause::ClientCertificate
            | UnreachedCause::CertificateRefused,
        ) => {
            "What answers there is not EKS's API server but something on the way, such as a \
              firewall or a proxy: let the function reach the API server directly. Then retry the \
              stage."
        }
    };
    next.to_owned()
}

/// What to do about a certificate that does not fit what EKS says.
pub(super) fn trust(fault: &CertificateFault, cluster: &EksCluster) -> String {
    let named = Named::new(Some(cluster));
    let is_other = matches!(
        fault,
        CertificateFault::OtherCa | CertificateFault::OtherSignature
    );
    match is_other {
        true => format!(
            "EKS was asked again, and names this CA still. While a new CA of the cluster is \
             activated both may be out of step for a while: retry the stage when `{} --query \
             cluster.certificateAuthority` has the new one. A proxy that opens TLS on the way \
             shows like this, too.",
            named.command("describe-cluster")
        ),
        false => "Let the function reach the API server directly: EKS issues its certificates \
                  itself, and a proxy or a firewall on the way shows this one. Then retry the \
                  stage."
            .to_owned(),
    }
}
