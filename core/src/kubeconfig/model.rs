//! What a context of a kubeconfig leads to.

use crate::eks::EksCluster;
use crate::kubernetes::credential::ClientCertificate;
use crate::kubernetes::server::Server;
use crate::kubernetes::token::Token;

/// What a context leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// The context's name.
    pub context: String,
    /// The API server.
    pub server: Server,
    /// What the server is shown.
    pub user: KubeconfigUser,
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
