//! What a context of a kubeconfig leads to.

use crate::eks::EksCluster;
use crate::formats::certificate;
use crate::kubernetes::credential::ClientCertificate;
use crate::kubernetes::server::Server;
use crate::kubernetes::token::Token;
use crate::outcome::{KubeconfigEntry, KubeconfigError, KubeconfigFault, KubeconfigProblem};
use jiff::Timestamp;
use std::time::Duration;

/// What a context leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// The context's name, as it may be shown.
    pub context: String,
    /// The API server.
    pub server: Server,
    /// What the server is shown.
    pub user: KubeconfigUser,
    /// The user's name, as it may be shown.
    pub user_name: String,
}

impl Selected {
    /// Refuses a token or a client certificate that has expired, with a more helpful message than
    /// the cluster's "Unauthorized".
    pub fn check(&self, now: Timestamp) -> Result<(), KubeconfigError> {
        let (field, expires) = match &self.user {
            KubeconfigUser::Token(token) => ("token", token.expires()),
            KubeconfigUser::Certificate(certificate) => {
                let first = certificate::read(&certificate.certificates).ok();
                let first = first.and_then(|all| certificate::expires(all.first()?));
                ("client-certificate-data", first)
            }
            KubeconfigUser::Eks(_) => return Ok(()),
        };
        let Some(expired) = expires.filter(|expires| *expires <= now) else {
            return Ok(());
        };
        let ago = Duration::try_from(now.duration_since(expired)).unwrap_or_default();
        Err(KubeconfigError::Context {
            name: self.context.clone(),
            faults: vec![KubeconfigFault {
                entry: KubeconfigEntry::User(self.user_name.clone()),
                field,
                problem: KubeconfigProblem::Expired(expired, ago),
            }],
        })
    }
}

/// How a user of a kubeconfig is let in.
#[derive(Clone, Debug, PartialEq)]
pub enum KubeconfigUser {
    /// By a bearer token.
    Token(Token),
    /// By a client certificate.
    Certificate(ClientCertificate),
    /// By a token of EKS, which the function makes itself.
    Eks(EksCluster),
}
