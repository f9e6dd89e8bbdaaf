//! Who the function is to the cluster, and where its settings are: a token in SSM, the user of a
//! kubeconfig, or a role of IAM.

use crate::eks::EksCluster;
use crate::outcome::{CredentialSource, FailureCode, UserKind};

/// Who the function is to the cluster.
#[derive(Clone, Copy, Debug)]
pub(super) enum Client<'a> {
    /// Whoever holds the bearer token.
    Token,
    /// Whoever holds the client certificate.
    Certificate,
    /// A role of IAM, on this cluster of EKS.
    Role(&'a EksCluster),
}

impl Client<'_> {
    /// Who the function is where its access comes from this source.
    pub(super) fn of(source: &CredentialSource) -> Client<'_> {
        match source {
            CredentialSource::Parameter(_) => Client::Token,
            CredentialSource::Eks(place) => Client::Role(&place.cluster),
            CredentialSource::Kubeconfig(place) => match &place.user {
                Some(UserKind::Eks(cluster)) => Client::Role(cluster),
                Some(UserKind::Certificate) => Client::Certificate,
                Some(UserKind::Token) | None => Client::Token,
            },
        }
    }

    /// The section about a refusal, which is another one for each kind of client.
    pub(super) fn code(self, code: FailureCode) -> FailureCode {
        let is_refused = code == FailureCode::TokenRefused;
        match self {
            Client::Role(_) if is_refused => FailureCode::RoleRefused,
            Client::Role(_) if code == FailureCode::Forbidden => FailureCode::GroupMissing,
            Client::Certificate if is_refused => FailureCode::ClientCertificate,
            Client::Role(_) | Client::Certificate | Client::Token => code,
        }
    }

    /// What the cluster sees of it.
    pub(super) fn credential(self) -> &'static str {
        match self {
            Client::Token | Client::Role(_) => "the bearer token",
            Client::Certificate => "the client certificate",
        }
    }

    /// Whom a Role is bound to.
    pub(super) fn account(self) -> &'static str {
        match self {
            Client::Token | Client::Role(_) => "the token's ServiceAccount",
            Client::Certificate => self.noun(),
        }
    }

    /// Whom the cluster lets do something.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Client::Token => "the token",
            Client::Role(_) => "the function's role",
            Client::Certificate => "the client certificate's user",
        }
    }
}

/// What the function's variables are in a kubeconfig.
const IN_KUBECONFIG: [(&str, &str); 8] = [
    (
        "a valid token in the SSM parameter that K8S_TOKEN_PARAMETER names",
        "a kubeconfig with a valid token in the SSM parameter that KUBECONFIG_PARAMETER names",
    ),
    (
        "K8S_CA or K8S_CA_PARAMETER",
        "the kubeconfig's `certificate-authority-data`",
    ),
    ("K8S_CA and", "`certificate-authority-data` and"),
    ("and K8S_CLUSTER", "and `server`"),
    ("K8S_CLUSTER", "the kubeconfig's `server`"),
    (
        "Add the host to NO_PROXY in the function's environment",
        "Correct the kubeconfig's `proxy-url`",
    ),
    (
        "the proxy that HTTPS_PROXY names",
        "the proxy of the kubeconfig's `proxy-url`, or of HTTPS_PROXY,",
    ),
    (
        "removes the `Authorization` header",
        "removes the credential",
    ),
];

/// What the function's variables are where EKS says it all.
const BY_EKS: [(&str, &str); 5] = [
    (
        "Set K8S_CLUSTER to the host and port on which the API server speaks HTTPS",
        "Let the function reach the API server directly",
    ),
    ("at K8S_CLUSTER", "at the address that EKS names"),
    (
        "set K8S_CLUSTER to the API server itself",
        "let the function reach the API server without it",
    ),
    (
        "Set K8S_CLUSTER to the API server itself",
        "Let the function reach the API server directly",
    ),
    ("the one given", "the one that EKS names"),
];

/// Puts the settings of a source in the place of the variables that name a cluster and its token.
pub(super) fn placed(text: &str, source: &CredentialSource) -> String {
    let table: &[_] = match source {
        CredentialSource::Parameter(_) => &[],
        CredentialSource::Kubeconfig(_) => &IN_KUBECONFIG,
        CredentialSource::Eks(_) => &BY_EKS,
    };
    let put = |text: String, (variable, setting): &(&str, &str)| text.replace(variable, setting);
    table.iter().fold(text.to_owned(), put)
}

#[cfg(test)]
mod tests;
