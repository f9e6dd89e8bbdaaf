//! Why a server could not be reached, or is not trusted: the causes that a person mends in
//! different places.

use jiff::Timestamp;

/// A call that got no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreached {
    /// Why there was none.
    pub cause: UnreachedCause,
    /// The server's host and port.
    pub host: String,
    /// How often the call was tried; 0 where that is not known.
    pub tries: u32,
    /// Whether one of the tries may have been carried out.
    pub unsure: bool,
    /// The network's own words, which have an address in them at the most.
    pub detail: String,
}

impl Unreached {
    /// What is known after one try.
    pub fn new(cause: UnreachedCause, host: String, detail: String) -> Unreached {
        Unreached {
            cause,
            host,
            tries: 1,
            unsure: cause.may_have_been_sent(),
            detail,
        }
    }
}

/// Why a call got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreachedCause {
    /// The host's name could not be resolved.
    NameUnknown,
    /// Nothing listens at the address.
    ConnectionRefused,
    /// The network knows no way to the address.
    NoRoute,
    /// No connection came about in time: packets are dropped on the way.
    Silent,
    /// What listens there does not speak TLS.
    NotTls,
    /// The TLS handshake was refused.
    HandshakeRefused,
    /// The proxy of the environment did not open a way.
    Proxy,
    /// The connection broke off.
    BrokenOff,
    /// The call was taken and not answered in time.
    TooSlow,
}

impl UnreachedCause {
    /// Whether the call may have been carried out. Without a connection nothing was sent.
    pub fn may_have_been_sent(self) -> bool {
        match self {
            UnreachedCause::NameUnknown
            | UnreachedCause::ConnectionRefused
            | UnreachedCause::NoRoute
            | UnreachedCause::Silent
            | UnreachedCause::NotTls
            | UnreachedCause::HandshakeRefused
            | UnreachedCause::Proxy => false,
            UnreachedCause::BrokenOff | UnreachedCause::TooSlow => true,
        }
    }
}

/// A server whose certificate is not trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Untrusted {
    /// The server's host and port.
    pub host: String,
    /// What is wrong with the certificate.
    pub fault: CertificateFault,
}

/// Why a certificate is not trusted.
#[derive(Clone, Debug, PartialEq)]
pub enum CertificateFault {
    /// No public CA signed it, and the cluster's own CA is not given.
    NotPublic,
    /// Another CA signed it than the one that is given.
    OtherCa,
    /// It has expired: at this time, where that is known.
    Expired(Option<Timestamp>),
    /// It is valid only from this time on.
    NotYetValid(Option<Timestamp>),
    /// It is for other names: these, where they are known.
    OtherName(Vec<String>),
    /// It is not one of a server.
    NotOfServer,
    /// Anything else.
    Unusable,
}
