//! Why a kubeconfig cannot be used. Nothing here has a value of the kubeconfig, except names of
//! contexts, clusters, users and programs that do not look like secrets.

use crate::formats::certificate::CertificateError;
use crate::formats::private_key::KeyError;
use jiff::Timestamp;
use std::time::Duration;

/// Why a kubeconfig cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub enum KubeconfigError {
    /// The text is something else than a kubeconfig.
    Other(OtherText),
    /// The text is longer than a kubeconfig may be.
    TooLong,
    /// A line cannot be read as YAML or JSON.
    Syntax {
        /// The line, counted from one.
        line: usize,
    },
    /// A field is there twice in one place.
    Duplicate {
        /// The line of the second one, counted from one.
        line: usize,
        /// The field, if kubeconfigs have one of this name.
        field: Option<&'static str>,
    },
    /// The text has more than one document.
    SeveralDocuments,
    /// There is no context.
    NoContext,
    /// No context is named, and there are several.
    NoCurrentContext {
        /// The contexts that are there.
        known: Vec<String>,
    },
    /// The context does not exist.
    UnknownContext {
        /// Its name.
        name: String,
        /// Whether `current-context` names it.
        is_current: bool,
        /// The contexts that are there.
        known: Vec<String>,
    },
    /// The context cannot be used.
    Context {
        /// Its name.
        name: String,
        /// Everything that is wrong with it, its cluster and its user.
        faults: Vec<KubeconfigFault>,
    },
}

impl KubeconfigError {
    /// What is wrong with the fields of the context, if that is the error.
    pub fn faults(&self) -> &[KubeconfigFault] {
        let KubeconfigError::Context { faults, .. } = self else {
            return &[];
        };
        faults
    }
}

/// What a text is that should be a kubeconfig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherText {
    /// Nothing.
    Empty,
    /// A bearer token.
    Token,
    /// A certificate or a key in PEM.
    Pem,
    /// The answer of a credential plugin.
    ExecCredential,
    /// The answer of `aws eks describe-cluster`.
    EksCluster,
    /// A JSON object with a kubeconfig in one of its fields.
    Wrapped,
    /// A Kubernetes object of this kind.
    Object(&'static str),
    /// A Kubernetes object of a kind that is not named.
    OtherObject,
    /// The configuration of another program.
    OtherConfig,
    /// The address of a server.
    Address,
    /// An ARN.
    Arn,
    /// A file's name.
    Path,
    /// Base64 of something else.
    Base64,
    /// Anything else.
    Unknown,
}

/// A field of a kubeconfig, and what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct KubeconfigFault {
    /// Where the field is.
    pub entry: KubeconfigEntry,
    /// The field within the entry, with dots; empty for the entry itself.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: KubeconfigProblem,
}

/// A named part of a kubeconfig.
#[derive(Clone, Debug, PartialEq)]
pub enum KubeconfigEntry {
    /// The kubeconfig itself.
    Root,
    /// A context.
    Context(String),
    /// A cluster.
    Cluster(String),
    /// A user.
    User(String),
}

/// What is wrong with a field of a kubeconfig.
#[derive(Clone, Debug, PartialEq)]
pub enum KubeconfigProblem {
    /// The field is missing.
    Missing,
    /// The value is not a text.
    NotText,
    /// The value is not a list.
    NotAList,
    /// The value is not a mapping.
    NotAMapping,
    /// The name occurs twice in its list.
    Twice,
    /// The field is known under another spelling.
    Misspelled(&'static str),
    /// No entry has the name that the field has.
    Dangling(String),
    /// The field names a file, which the function does not have.
    File {
        /// The field that has the content itself.
        instead: &'static str,
    },
    /// The server's certificate would not be verified.
    Insecure,
    /// The server's address cannot be used.
    Address(&'static str),
    /// The server's certificate authorities cannot be used.
    Ca(CertificateError),
    /// The name of the server's certificate is not a host name.
    ServerName,
    /// The proxy cannot be used.
    Proxy(ProxyProblem),
    /// The token is not sent.
    Token(&'static str),
    /// The client certificate cannot be used.
    Certificate(CertificateError),
    /// The token or the client certificate has expired: when, and how long ago that was.
    Expired(Timestamp, Duration),
    /// The private key cannot be used.
    Key(KeyError),
    /// The private key belongs to another certificate.
    OtherKey,
    /// The field is missing: a certificate needs a key, and a key a certificate.
    Half,
    /// The user has no credential.
    NoCredential,
    /// The user has several credentials.
    SeveralCredentials(Vec<&'static str>),
    /// An authentication provider that Kubernetes no longer has.
    AuthProvider,
    /// A user name and password, which Kubernetes no longer accepts.
    BasicAuth,
    /// Impersonation of another user.
    Impersonation,
    /// A credential plugin cannot be replaced by what the function does itself.
    Exec(ExecProblem),
}

/// Why a proxy cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyProblem {
    /// A SOCKS proxy.
    Socks,
    /// Another scheme than `http` and `https`.
    Scheme,
    /// The text is not the address of a proxy.
    Address,
    /// A token for a server without TLS would pass the proxy unencrypted.
    PlainServer,
    /// The server has another name for its certificate, by which the proxy would look for it.
    ServerName,
}

/// Why a credential plugin cannot be replaced.
#[derive(Clone, Debug, PartialEq)]
pub enum ExecProblem {
    /// Another program than those of EKS; its name, if it can be shown.
    Command(Option<String>),
    /// A subcommand that does not make a token of EKS.
    Subcommand,
    /// An option that is not known, by its position in the list, counted from one.
    Option(usize),
    /// An option has no value.
    NoValue(&'static str),
    /// A profile of the AWS CLI, by an option or a variable.
    Profile,
    /// Credentials of AWS in a variable.
    Credentials,
    /// A variable with the name of a file.
    FileVariable(&'static str),
    /// Another variable of AWS, by its position in the list, counted from one.
    Variable(usize),
    /// No cluster is named.
    NoCluster,
    /// The cluster's name cannot be one.
    Cluster,
    /// The region's name cannot be one.
    Region,
    /// The role cannot be assumed.
    Role(&'static str),
    /// The external id cannot be one.
    ExternalId(&'static str),
    /// An external id without a role.
    NoRole,
}
