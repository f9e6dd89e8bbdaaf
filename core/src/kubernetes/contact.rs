//! Why a server could not be reached, is not trusted, or answers what no API server does: the
//! causes that a person mends in different places.

use jiff::Timestamp;
use serde_json::Value;

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
}

impl Unreached {
    /// Whether the address leads to the machine that the function itself runs on.
    pub fn is_own(&self) -> bool {
        ["localhost:", "127.", "[::1]:"]
            .iter()
            .any(|own| self.host.starts_with(own))
    }

    /// What is known after one try.
    pub fn new(cause: UnreachedCause, host: String) -> Unreached {
        Unreached {
            cause,
            host,
            tries: 1,
            unsure: cause.may_have_been_sent(),
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
    /// The connection was closed in the middle of the TLS handshake.
    HandshakeCut,
    /// The server speaks only versions of TLS, or ciphers, that are not safe any more.
    OldTls,
    /// The server wants a certificate of the client, too.
    ClientCertificate,
    /// The server refuses the client's certificate.
    CertificateRefused,
    /// The proxy of the environment did not open a way.
    Proxy,
    /// The connection was closed before an answer came.
    BrokenOff,
    /// The connection was closed in the middle of an answer.
    CutOff,
    /// The call was taken and not answered in time.
    TooSlow,
    /// An answer began and did not end in time.
    Endless,
}

impl UnreachedCause {
    /// Whether the call may have been carried out. Without a connection nothing was sent.
    pub fn may_have_been_sent(self) -> bool {
        matches!(
            self,
            UnreachedCause::BrokenOff
                | UnreachedCause::CutOff
                | UnreachedCause::TooSlow
                | UnreachedCause::Endless
        )
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
    /// A CA of the given one's name signed it with another key, or with an RSA key that is too
    /// short to be safe.
    OtherSignature,
    /// It is a CA's own certificate.
    OfCa,
    /// One in its chain was signed by a certificate that may not sign it.
    BrokenChain,
    /// It is signed in a way that is not safe, such as SHA-1, or not known.
    OldSignature,
    /// It is of X.509's first version, which has no names of servers.
    OldVersion,
    /// It cannot be read.
    Damaged,
    /// Anything else.
    Unusable,
}

/// An answer that an API server does not give to the call.
#[derive(Clone, Debug, PartialEq)]
pub enum OddAnswer {
    /// It is not HTTP.
    NotHttp,
    /// It begins as HTTP, and its body is not encoded as it says.
    BrokenBody,
    /// It leads to another address, at this host where it names one.
    Redirect(u16, Option<String>),
    /// It is compressed in this way, which was not asked for.
    Compressed(String),
    /// It has more than is read.
    TooLong,
    /// A text, such as a page; `None` where it may be secret.
    Text(u16, Option<String>),
    /// JSON that cannot be read for this reason.
    Json(u16, JsonFault),
    /// A well-formed answer to another question.
    Other {
        /// What was asked for.
        asked: Identity,
        /// What came.
        came: Identity,
    },
}

impl OddAnswer {
    /// Whether the call may have been carried out behind it. A redirect is not followed.
    pub fn may_have_been_done(&self) -> bool {
        !matches!(self, OddAnswer::Redirect(..))
    }

    /// Whether the next answer may be another one, as where a connection is disturbed.
    pub fn may_pass(&self) -> bool {
        matches!(self, OddAnswer::NotHttp | OddAnswer::BrokenBody)
    }
}

/// Why an answer is not the JSON that it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// There is nothing in it.
    Empty,
    /// It begins with a byte order mark, or is UTF-16.
    ByteOrderMark,
    /// It ends in the middle.
    CutOff,
    /// Something stands behind the first value.
    Several,
    /// An object has one field twice, so that readers differ about it.
    Repeated,
    /// It is not an object.
    NoObject,
}

/// A write that was answered as done, and whose answer does not have what was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The field, as people write it.
    pub field: String,
    /// What it was to be.
    pub wanted: String,
    /// What it is; `None` where it is not there.
    pub found: Option<String>,
    /// Whether something else of the write was stored, such as who wrote it.
    pub is_in_part: bool,
    /// Of the Deployment that stayed as it was: its available pods, and those that are wanted.
    pub available: Option<(i64, i64)>,
}

/// Which object an answer has, as far as it says; an empty text is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name; a list has none.
    pub name: String,
}

impl Identity {
    /// What an object says of itself.
    pub fn of(object: &Value) -> Identity {
        let text = |path: &str| {
            let text = object.pointer(path).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        Identity {
            kind: text("/kind"),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
        }
    }

    /// Whether an object of this identity is meant. What is not asked for is not compared.
    pub fn is(&self, came: &Identity) -> bool {
        let same = |asked: &str, came: &str| asked.is_empty() || asked == came;
        self.kind == came.kind
            && same(&self.namespace, &came.namespace)
            && same(&self.name, &came.name)
    }
}
