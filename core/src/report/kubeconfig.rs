//! The words for a kubeconfig that cannot be used: which field, what is wrong with it, and what to
//! write instead.

use super::model::{Report, fail};
use crate::outcome::{
    CredentialSource, CredentialsError, ExecProblem, FailureCode, FailureType, KubeconfigEntry,
    KubeconfigError, KubeconfigFault, KubeconfigProblem, OtherText, ProxyProblem,
};
use crate::text::{distance, list, listed};

/// The kubeconfig in a parameter cannot be used. `cause` is what is known of a deploy in progress.
pub(super) fn unusable(
    error: &KubeconfigError,
    place: &CredentialSource,
    cause: Option<String>,
) -> Report {
    let headline = format!(
        "There is no access to the cluster: the kubeconfig in {place} cannot be used: {}.",
        reason(error)
    );
    fail(
        FailureCode::Kubeconfig,
        FailureType::ConfigurationError,
        &headline,
        &[Vec::from_iter(cause), evidence(error)].concat(),
        &next(error, place),
    )
}

/// What is wrong with a kubeconfig, one by one, for whoever makes one.
pub fn kubeconfig_faults(error: &KubeconfigError) -> Vec<String> {
    match error.faults() {
        [] => vec![reason(error)],
        faults => faults.iter().map(sentence).collect(),
    }
}

/// The fields of a kubeconfig that are wrong, for the log.
pub fn kubeconfig_fields(error: &CredentialsError) -> Vec<String> {
    if let CredentialsError::Kubeconfig(error) = error {
        return error.faults().iter().map(field).collect();
    }
    Vec::new()
}

/// Why a kubeconfig cannot be used, without a full stop.
pub(super) fn reason(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Other(other) => other_text(*other),
        KubeconfigError::TooLong => "it is longer than 65,536 bytes".to_owned(),
        KubeconfigError::Syntax { line } => {
            format!("line {line} is not YAML or JSON that `kubectl` could read")
        }
        KubeconfigError::Duplicate { line, field } => match field {
            Some(field) => format!("line {line} has the field `{field}` a second time"),
            None => format!("line {line} has a field a second time"),
        },
        KubeconfigError::SeveralDocuments => "it has more than one document (`---`)".to_owned(),
        KubeconfigError::NoContext => "its `contexts` has no context".to_owned(),
        KubeconfigError::NoCurrentContext { known } => format!(
            "it has no `current-context`, and `cluster` in the UserParameters names none of its \
             contexts: {}",
            list(known)
        ),
        KubeconfigError::UnknownContext {
            name,
            is_current,
            known,
        } => {
            let by = match is_current {
                true => "its `current-context` names",
                false => "`cluster` in the UserParameters names",
            };
            format!(
                "{by} context `{name}`, which it does not have; it has {}",
                list(known)
            )
        }
        KubeconfigError::Context { name, faults } => match &faults[..] {
            [fault] => sentence(fault),
            _ => format!("{} fields of context `{name}` are wrong", faults.len()),
        },
    }
}

/// The faults one by one, where there are several.
pub(super) fn evidence(error: &KubeconfigError) -> Vec<String> {
    match error.faults() {
        [] | [_] => Vec::new(),
        faults => faults
            .iter()
            .map(|fault| format!("- {}", sentence(fault)))
            .collect(),
    }
}

/// What to do next.
pub(super) fn next(error: &KubeconfigError, place: &CredentialSource) -> String {
    let store = |what: &str| format!("{what} in {place}, then retry the stage.");
    match error {
        KubeconfigError::Other(_) => store(
            "Store the kubeconfig, as `kubectl config view --raw --flatten --minify` prints it,",
        ),
        KubeconfigError::TooLong => store(
            "Store the one context that is needed, as `kubectl config view --raw --flatten \
             --minify --context NAME` prints it,",
        ),
        KubeconfigError::NoCurrentContext { .. }
        | KubeconfigError::UnknownContext {
            is_current: false, ..
        } => "Name one of its contexts as `cluster` in the action's UserParameters, and release \
              the change again."
            .to_owned(),
        KubeconfigError::Syntax { .. }
        | KubeconfigError::Duplicate { .. }
        | KubeconfigError::SeveralDocuments
        | KubeconfigError::NoContext
        | KubeconfigError::UnknownContext { .. }
        | KubeconfigError::Context { .. } => store("Correct the kubeconfig"),
    }
}

fn other_text(other: OtherText) -> String {
    let what = match other {
        OtherText::Empty => "it is empty",
        OtherText::Token => {
            "it is a single word, such as a token; K8S_TOKEN_PARAMETER is for tokens"
        }
        OtherText::Pem => "it is a certificate or a key",
        OtherText::ExecCredential => {
            "it is an ExecCredential, the answer of a credential plugin such as `aws eks get-token`"
        }
        OtherText::EksCluster => {
            "it is the answer of `aws eks describe-cluster`; set EKS_CLUSTER to the cluster's name \
             instead"
        }
        OtherText::Wrapped => {
            "it is a JSON object with the kubeconfig in one of its fields, as the console of \
             Secrets Manager stores key/value pairs; store it as plaintext"
        }
        OtherText::Object(kind) => return format!("it is a {kind}, not a kubeconfig"),
        OtherText::OtherObject => "it is a Kubernetes object, not a kubeconfig",
        OtherText::OtherConfig => "it is the configuration of another program",
        OtherText::Address => "it is an address; K8S_CLUSTER is for the address of an API server",
        OtherText::Arn => "it is an ARN; EKS_CLUSTER is for the ARN of a cluster",
        OtherText::Path => "it is the name of a file, not its content",
        OtherText::Base64 => "it is base64 of something else than a kubeconfig",
        OtherText::Unknown => "it has none of the fields of a kubeconfig",
    };
    what.to_owned()
}

fn sentence(fault: &KubeconfigFault) -> String {
    format!("`{}` {}", field(fault), problem(&fault.problem))
}

/// A field with its place: `users[admin].user.token`.
fn field(fault: &KubeconfigFault) -> String {
    let entry = match &fault.entry {
        KubeconfigEntry::Root => return fault.field.to_owned(),
        KubeconfigEntry::Context(name) => format!("contexts[{name}].context"),
        KubeconfigEntry::Cluster(name) => format!("clusters[{name}].cluster"),
        KubeconfigEntry::User(name) => format!("users[{name}].user"),
    };
    match fault.field {
        "" => entry,
        field => format!("{entry}.{field}"),
    }
}

fn problem(problem: &KubeconfigProblem) -> String {
    let sentence = match problem {
        KubeconfigProblem::Missing => "is missing",
        KubeconfigProblem::NotText => "is not a text: put it in quotes",
        KubeconfigProblem::NotAList => "is not a list",
        KubeconfigProblem::NotAMapping => "is not a mapping of fields",
        KubeconfigProblem::Twice => "is there more than once under this name",
        KubeconfigProblem::Misspelled(meant) => {
            return format!("has a field that must be written `{meant}`");
        }
        KubeconfigProblem::Dangling(name) => {
            return format!("names `{name}`, which the kubeconfig does not have");
        }
        KubeconfigProblem::File { instead } => {
            return format!(
                "names a file, and the function has none: `kubectl config view --raw --flatten` \
                 writes its content into `{instead}`"
            );
        }
        KubeconfigProblem::Insecure => {
            "would switch off the check of the server's certificate, which Landfall does not do: \
             remove it, and give the cluster's CA in `certificate-authority-data`"
        }
        KubeconfigProblem::Address(why) => why,
        KubeconfigProblem::ServerName => {
            "is not a name of DNS: give one that the server's certificate has, such as `kubernetes`"
        }
        KubeconfigProblem::Proxy(proxy) => proxy_problem(*proxy),
        KubeconfigProblem::Token(why) => why,
        KubeconfigProblem::Expired(at, ago) => {
            let ago = distance(*ago);
            return format!("expired at {at:.0} ({ago} ago): store a new one");
        }
        KubeconfigProblem::Ca(why) | KubeconfigProblem::Certificate(why) => {
            return format!("cannot be used: {why}");
        }
        KubeconfigProblem::Key(why) => return format!("cannot be used: {why}"),
        KubeconfigProblem::OtherKey => {
            "is not the key of the first certificate in `client-certificate-data`"
        }
        KubeconfigProblem::Half => {
            "is missing: a client certificate needs its private key, and the key its certificate"
        }
        KubeconfigProblem::NoCredential => {
            "has no credential: give it a `token`, `client-certificate-data` with \
             `client-key-data`, or `exec` with `aws eks get-token`"
        }
        KubeconfigProblem::SeveralCredentials(fields) => {
            let fields = fields.iter().map(|field| format!("`{field}`")).collect();
            let fields = listed(fields);
            return format!("has several credentials, {fields}: leave one of them");
        }
        KubeconfigProblem::AuthProvider => {
            "is an authentication provider of `kubectl`, which Landfall does not have: use a \
             `token` of a ServiceAccount instead"
        }
        KubeconfigProblem::BasicAuth => {
            "belongs to basic authentication, which Kubernetes removed in 1.19: use a `token` of a \
             ServiceAccount instead"
        }
        KubeconfigProblem::Impersonation => {
            "impersonates another user, which Landfall does not do: remove it, and give the user \
             itself the permissions"
        }
        KubeconfigProblem::Exec(why) => return exec_problem(why),
    };
    sentence.to_owned()
}

fn proxy_problem(problem: ProxyProblem) -> &'static str {
    match problem {
        ProxyProblem::Socks => {
            "is the address of a SOCKS proxy, which Landfall does not support: give an HTTP proxy, \
             http://host:port or https://host:port"
        }
        ProxyProblem::Scheme => "is not the address of an HTTP proxy: write http://host:port",
        ProxyProblem::Address => "cannot be read: write http://host:port or https://host:port",
        ProxyProblem::PlainServer => {
            "is a proxy to a server without TLS: the credential could be read on the way"
        }
        ProxyProblem::ServerName => {
            "cannot be used beside `tls-server-name`: give the server by the name that its \
             certificate has, and leave that field out"
        }
    }
}

fn exec_problem(problem: &ExecProblem) -> String {
    let words = match problem {
        ExecProblem::Command(name) => {
            let program = match name {
                Some(name) => format!("`{name}`"),
                None => "a program".to_owned(),
            };
            return format!(
                "names {program}, and Landfall starts no programs: it makes tokens itself where \
                 the command is `aws … eks get-token` or `aws-iam-authenticator token`; elsewhere \
                 use a `token` of a ServiceAccount"
            );
        }
        ExecProblem::Subcommand => {
            "must be `eks get-token` for `aws`, or `token` for `aws-iam-authenticator`"
        }
        ExecProblem::Option(place) => {
            return format!("has an option that Landfall does not know (item {place}): remove it");
        }
        ExecProblem::NoValue(option) => return format!("has `{option}` without a value"),
        ExecProblem::Profile => {
            "names a profile of the AWS CLI, and the function has none, but its own role: remove \
             it. Where the profile stands for another role, name that by `--role-arn` (`--role` \
             for `aws-iam-authenticator`)"
        }
        ExecProblem::Credentials => {
            "has credentials of AWS: remove them; the function signs with its own role, or with \
             the one that `--role-arn` names"
        }
        ExecProblem::FileVariable(name) => {
            return format!(
                "has `{name}`, which names a file, and the function has none: remove it"
            );
        }
        ExecProblem::Variable(place) => {
            return format!(
                "has a variable of the AWS CLI that Landfall does not know (item {place}): remove \
                 it"
            );
        }
        ExecProblem::NoCluster => "names no cluster: add `--cluster-name NAME`",
        ExecProblem::Cluster => "has a cluster's name that EKS cannot have",
        ExecProblem::Region => "or `exec.env` has a region that is not the name of one",
        ExecProblem::Role(why) => return format!("has a role that {why}"),
        ExecProblem::ExternalId(why) => return format!("has an external id that {why}"),
        ExecProblem::NoRole => "has an external id, which needs a role: add `--role ARN`",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests;
