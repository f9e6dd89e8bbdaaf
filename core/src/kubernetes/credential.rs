//! What a client shows to the API server to be let in.

use super::token::Token;
use std::fmt;

/// What a client shows to the API server to be let in.
#[derive(Clone, Debug, PartialEq)]
pub enum Credential {
    /// A bearer token, sent with each call.
    Token(Token),
    /// A client certificate, shown in the TLS handshake.
    Certificate(ClientCertificate),
}

impl Credential {
    /// Returns what must never be printed.
    pub fn secret(&self) -> &str {
        match self {
            Credential::Token(token) => token.reveal(),
            Credential::Certificate(certificate) => &certificate.key,
        }
    }
}

/// A client certificate with its private key, which is never printed.
#[derive(Clone, PartialEq)]
pub struct ClientCertificate {
    /// The certificate and its issuers, as PEM.
    pub certificates: String,
    /// The private key, as PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: String,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientCertificate")
    }
}
