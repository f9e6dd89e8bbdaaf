//! The words for a server that cannot be reached or whose certificate is not trusted: what happened
//! at which host, and the one next step of that cause.

use super::client::{Client, placed};
use super::model::Explanation;
use super::network;
use crate::kubernetes::contact::{CertificateFault, Unreached, UnreachedCause, Untrusted};
use crate::outcome::{CredentialSource, FailureCode, FailureType};

/// What is said of a host that DNS does not know.
pub(super) const NAME_UNKNOWN: &str = "its name could not be resolved";

/// What happened, to which host, how often. It follows the words "could not be reached".
pub fn what(unreached: &Unreached) -> String {
    let what = match unreached.cause {
        UnreachedCause::NameUnknown => NAME_UNKNOWN,
        UnreachedCause::ConnectionRefused => "the connection was refused",
        UnreachedCause::NoRoute => "the function's network has no route to it",
        UnreachedCause::Silent => "nothing answered, and no connection came about",
        UnreachedCause::NotTls => "what listens there does not speak TLS",
        UnreachedCause::HandshakeRefused => "it refused the TLS handshake",
        UnreachedCause::HandshakeCut => "it closed the connection during the TLS handshake",
        UnreachedCause::OldTls => "it does not speak TLS 1.2 or later with a safe cipher",
        UnreachedCause::ClientCertificate => "it wants a certificate of the client",
        UnreachedCause::CertificateRefused => "it refused the client certificate",
        UnreachedCause::Proxy => "the proxy that HTTPS_PROXY names opened no way to it",
        UnreachedCause::BrokenOff => "the connection was closed before an answer came",
        UnreachedCause::CutOff => "the connection was closed in the middle of its answer",
        UnreachedCause::TooSlow => "it took the call and did not answer in time",
        UnreachedCause::Endless => "its answer began and did not end in time",
    };
    let tried = match unreached.tries {
        0 => String::new(),
        1 => " (tried once)".to_owned(),
        tries => format!(" (tried {tries} times)"),
    };
    format!("`{}`: {what}{tried}", unreached.host)
}

/// A server that could not be reached, where the access comes from this source.
pub(super) fn explained(unreached: &Unreached, source: &CredentialSource) -> Explanation {
    let cause = unreached.cause;
    let (code, failure_type) = match source {
        _ if cause == UnreachedCause::CertificateRefused => {
            (FailureCode::ClientCertificate, FailureType::PermissionError)
        }
        CredentialSource::Eks(place)
            if network::is_limit(cause) && network::limits(place).is_some() =>
        {
            (FailureCode::EksNetwork, FailureType::SystemUnavailable)
        }
        CredentialSource::Parameter(_)
        | CredentialSource::Eks(_)
        | CredentialSource::Kubeconfig(_) => {
            (FailureCode::Unreachable, FailureType::SystemUnavailable)
        }
    };
    let next_step = match (source, cause) {
        (CredentialSource::Eks(place), _) => network::reach(cause, place),
        (CredentialSource::Kubeconfig(_), UnreachedCause::ClientCertificate) => {
            let next = match Client::of(source) {
                Client::Certificate => {
                    "Let the kubeconfig's `client-certificate-data` be one that the server takes, \
                     and store the kubeconfig again. Then retry the stage."
                }
                Client::Token | Client::Role(_) => {
                    "Set the kubeconfig's `server` to an address of the API server that takes a \
                     bearer token alone, or give the user a client certificate in the place of \
                     its token. Then retry the stage."
                }
            };
            next.to_owned()
        }
        (CredentialSource::Parameter(_) | CredentialSource::Kubeconfig(_), cause) => {
            placed(next(cause, unreached.is_own()), source)
        }
    };
    Explanation {
        code,
        failure_type,
        reason: placed(
            &format!("the cluster could not be reached at {}", what(unreached)),
            source,
        ),
        next_step,
    }
}

/// A server whose certificate is not trusted, where the access comes from this source.
pub(super) fn not_trusted(told: &Untrusted, source: &CredentialSource) -> Explanation {
    let why = placed(&untrusted(told), source);
    Explanation {
        code: FailureCode::Untrusted,
        failure_type: FailureType::ConfigurationError,
        reason: format!(
            "the certificate that `{}` presents is not trusted: {why}",
            told.host
        ),
        next_step: match source {
            CredentialSource::Eks(place) => network::trust(&told.fault, &place.cluster),
            CredentialSource::Parameter(_) | CredentialSource::Kubeconfig(_) => {
                placed(trust(&told.fault), source)
            }
        },
    }
}

/// What to do so that the cluster is reached; `is_own`: at an address of the function's machine.
fn next(cause: UnreachedCause, is_own: bool) -> &'static str {
    match cause {
        UnreachedCause::ConnectionRefused if is_own => {
            "The host is the machine that the function runs on, and nothing listens on the port \
             there; in a kubeconfig of k3s or kind this address is the cluster's own machine. Set \
             K8S_CLUSTER to one at which the function reaches the API server, then retry the stage."
        }
        UnreachedCause::NameUnknown => {
            "Correct the host in K8S_CLUSTER; where it is a private name, let the function's VPC \
             resolve it (a private endpoint's name is known in its own VPC alone, and one that \
             ends in `.svc` or `.cluster.local` to pods of the cluster). Then retry the stage."
        }
        UnreachedCause::ConnectionRefused => {
            "The host is there, and nothing listens on the port: correct the port in K8S_CLUSTER, \
             or start the API server. Then retry the stage."
        }
        UnreachedCause::NoRoute => {
            "Add a route to the function's subnets: a NAT gateway for a public address, peering or \
             a transit gateway for a private one. Then retry the stage."
        }
        UnreachedCause::Silent => {
            "Packets are dropped on the way: let the function's subnets, route tables and security \
             groups reach the API server's port, and the API server's list of allowed networks the \
             function. Then retry the stage."
        }
        UnreachedCause::NotTls => {
            "Set K8S_CLUSTER to the port on which the API server speaks HTTPS, then retry the \
             stage."
        }
        UnreachedCause::HandshakeRefused => {
            "Set K8S_CLUSTER to the API server itself: a load balancer or a firewall that does not \
             know this host name refuses it. Then retry the stage."
        }
        UnreachedCause::HandshakeCut => {
            "Look at what stands before the API server: a load balancer without a healthy target, \
             or a firewall that does not let this host name pass, closes connections like this. \
             Then retry the stage."
        }
        UnreachedCause::OldTls => {
            "Let the API server, or the load balancer before it, speak TLS 1.2 or 1.3, then retry \
             the stage."
        }
        UnreachedCause::ClientCertificate => {
            "Set K8S_CLUSTER to an address of the API server that takes a bearer token alone: \
             Landfall has no certificate of its own. Then retry the stage."
        }
        UnreachedCause::CertificateRefused => {
            "Store a kubeconfig whose client certificate is valid and signed by the CA that the \
             server takes for clients, then retry the stage."
        }
        UnreachedCause::Proxy => {
            "Add the host to NO_PROXY in the function's environment, or let the proxy reach it. \
             Then retry the stage."
        }
        UnreachedCause::BrokenOff => {
            "Retry the stage. If this happens again, a firewall or a load balancer on the way \
             cuts the connection: look at its log."
        }
        UnreachedCause::CutOff | UnreachedCause::Endless => {
            "Retry the stage. If it stays so, look at what stands before the API server: a proxy \
             or a load balancer there has a limit of time or size, or holds answers back."
        }
        UnreachedCause::TooSlow => {
            "Retry the stage when the API server is healthy again; it is reached, and overloaded \
             or held up by a webhook."
        }
    }
}

/// What is wrong with the certificate. It follows the words "is not trusted".
pub fn untrusted(untrusted: &Untrusted) -> String {
    let what = match &untrusted.fault {
        CertificateFault::Expired(Some(time)) => return format!("it expired at {time:.0}"),
        CertificateFault::NotYetValid(Some(time)) => {
            return format!("it is not valid before {time:.0}");
        }
        CertificateFault::OtherName(names) if !names.is_empty() => {
            return format!("it is not for this name, but for `{}`", names.join("`, `"));
        }
        CertificateFault::NotPublic => "no public CA signed it, and no CA of the cluster is given",
        CertificateFault::OtherCa => "it was signed by another CA than the one given",
        CertificateFault::Expired(None) => "it has expired",
        CertificateFault::NotYetValid(None) => "it is not valid yet",
        CertificateFault::OtherName(_) => {
            "it is for no name: it has no subjectAltName, and its common name does not count"
        }
        CertificateFault::NotOfServer => "it is not a certificate for servers",
        CertificateFault::OtherSignature => {
            "it was signed by another CA of the same name as the one given, or one of the two has \
             an RSA key of less than 2,048 bits"
        }
        CertificateFault::OfCa => "it is a CA's own certificate (CA:TRUE), not one of a server",
        CertificateFault::BrokenChain => {
            "one in its chain was issued by a certificate that may not do that"
        }
        CertificateFault::OldSignature => {
            "it was signed in a way that is not safe or not known, such as SHA-1"
        }
        CertificateFault::OldVersion => "it is of X.509 version 1, which has no names of servers",
        CertificateFault::Damaged => "it is not a well-formed X.509 certificate",
        CertificateFault::Unusable => "it cannot be verified",
    };
    what.to_owned()
}

/// What to do about a certificate.
fn trust(fault: &CertificateFault) -> &'static str {
    match fault {
        CertificateFault::NotPublic => {
            "Give the cluster's CA in K8S_CA or K8S_CA_PARAMETER, then retry the stage."
        }
        CertificateFault::OtherCa => {
            "Set K8S_CA or K8S_CA_PARAMETER to the CA of this cluster, or K8S_CLUSTER to the \
             cluster of this CA, then retry the stage. A proxy that opens TLS on the way shows \
             like this, too."
        }
        CertificateFault::Expired(_) => {
            "Renew the API server's certificate (kubeadm: `kubeadm certs renew apiserver`), then \
             retry the stage. K8S_CA and K8S_CLUSTER are not the reason."
        }
        CertificateFault::NotYetValid(_) => {
            "Correct the clock of the machine that issued the API server's certificate, or wait \
             until it is valid, then retry the stage."
        }
        CertificateFault::OtherName(_) => {
            "Set K8S_CLUSTER to a name or address that the API server's certificate has, or add \
             this one to the certificate (kubeadm: `apiServer.certSANs`), then retry the stage."
        }
        CertificateFault::OtherSignature => {
            "Set K8S_CA or K8S_CA_PARAMETER to the CA that this cluster has now: one that was made \
             anew has the same name and another key. Then retry the stage."
        }
        CertificateFault::OfCa => {
            "kubectl takes such a certificate where it is given as the CA, and Landfall does not: \
             have the API server, or the load balancer before it, show one that this CA has issued \
             or that is made with `basicConstraints=CA:FALSE`, give its CA (or itself, where it is \
             self-signed) in K8S_CA or K8S_CA_PARAMETER, then retry the stage."
        }
        CertificateFault::NotOfServer
        | CertificateFault::BrokenChain
        | CertificateFault::OldSignature
        | CertificateFault::OldVersion
        | CertificateFault::Damaged
        | CertificateFault::Unusable => {
            "Have a server certificate issued for the API server by the CA that is given, then \
             retry the stage."
        }
    }
}

#[cfg(test)]
mod tests;
