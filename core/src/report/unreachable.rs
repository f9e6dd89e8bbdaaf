//! The one next step where the cluster cannot be reached, or its certificate is not trusted.

use crate::kubernetes::{EXPIRED, NOT_YET_VALID};

/// What to do where nothing answered, by what the network said.
pub(super) fn next(why: &str) -> &'static str {
    let why = why.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if has(&["dns error", "name or service not known", "lookup address"]) {
        "The host name of K8S_CLUSTER is not known where the function runs: correct it, or let \
         the function's VPC resolve it (private endpoint, private hosted zone). Then retry."
    } else if has(&["connection refused"]) {
        "The host is there, and nothing listens on the port: correct the port of K8S_CLUSTER, or \
         see whether the API server runs. Then retry."
    } else if has(&[
        "deadline has elapsed",
        "timed out",
        "did not answer in time",
    ]) {
        "Nothing answers: let the function's subnets, route tables and security groups reach the \
         API server's port, and the API server's allow list the function. Then retry."
    } else {
        "Retry. If it stays so, see whether K8S_CLUSTER is right and the function's \
         network reaches it."
    }
}

/// What to do about a certificate.
pub(super) fn certificate(why: &str) -> &'static str {
    if why.starts_with(EXPIRED) {
        "Renew the API server's certificate (kubeadm: `kubeadm certs renew apiserver`), then \
         retry. K8S_CA and K8S_CLUSTER are not the reason."
    } else if why.starts_with(NOT_YET_VALID) {
        "Correct the clock of the machine that issued the API server's certificate, or wait until \
         it is valid, then retry."
    } else if why.contains("not valid for name") || why.contains("only valid for") {
        "Set K8S_CLUSTER to a name that the API server's certificate has, or add the name to the \
         certificate. Then retry."
    } else {
        "Set K8S_CA or K8S_CA_PARAMETER to the CA of this cluster, and K8S_CLUSTER to a name that \
         its certificate has. Then retry."
    }
}

#[cfg(test)]
mod tests;
