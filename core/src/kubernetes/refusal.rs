//! Why the API server refused a call: told by the form of its sentence first, and by the HTTP
//! status only where the sentence says nothing. RBAC is one of many that answer 403, and an
//! admission webhook or a ValidatingAdmissionPolicy may answer with any status that it likes.

use super::error::Refusal;
use crate::retry;

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum RefusalCause {
    /// The token is not accepted.
    Token,
    /// The call came without a token: whatever stands in between has removed it.
    Anonymous,
    /// The authorizer denies it, to this user.
    Permission(User),
    /// Forbidden, and no word says by whom.
    Unexplained,
    /// A ResourceQuota has no room for it.
    Quota,
    /// A policy denies it.
    Policy(Policy),
    /// An admission webhook that must be asked does not answer.
    Webhook {
        /// Its name; empty where the answer does not tell.
        name: String,
        /// Why.
        trouble: WebhookTrouble,
    },
    /// Its namespace is being deleted.
    NamespaceEnding,
    /// The object itself is at fault.
    Object,
    /// Others changed the object at the same time.
    Conflict,
    /// The API server is overloaded or broken.
    Busy,
}

/// Whom the authorizer means.
#[derive(Clone, Debug, PartialEq)]
pub enum User {
    /// A ServiceAccount.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// An IAM role or user, by its ARN.
    Iam(String),
    /// Somebody else.
    Named(String),
    /// The answer does not tell.
    Unknown,
}

/// What denies an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// The admission webhook of this name.
    Webhook(String),
    /// The ValidatingAdmissionPolicy of this name.
    Admission(String),
    /// The MutatingAdmissionPolicy of this name.
    Mutation(String),
    /// Pod Security.
    PodSecurity,
    /// OpenShift's security context constraints.
    SecurityContextConstraints,
    /// A LimitRange.
    LimitRange,
}

/// What is wrong with a webhook that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookTrouble {
    /// The API server does not trust its certificate, which does not pass by itself.
    Certificate,
    /// None of its pods is ready.
    NoPod,
    /// It took longer than it may.
    TooSlow,
    /// Its answer is not one of a webhook.
    BadAnswer,
    /// Its configuration has a path that is not there, or a condition that cannot be evaluated.
    Configuration,
    /// It asks for a change that does not fit the object.
    BadPatch,
    /// The control plane has no route to its pods' addresses.
    NoRoute,
    /// Anything else.
    Other,
}

/// Whom the API server means by calls that bring no token.
const ANONYMOUS: &str = "system:anonymous";

/// What admission says until an API server that has just started has read what it needs.
/// <https://github.com/kubernetes/apiserver/blob/master/pkg/admission/plugin/webhook/generic/webhook.go>
const STARTING: &str = "not yet ready to handle request";

/// What is said of a JSON patch of a mutating webhook that names a place which the object lacks.
/// <https://github.com/evanphx/json-patch/blob/master/patch.go>
const BAD_PATCH: &str = " operation does not apply: ";

/// How the user name of a ServiceAccount begins.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

impl Refusal {
    /// Whether it is the token that is not accepted, so that another one may be.
    pub fn is_of_token(&self) -> bool {
        self.code == 401 && self.is_status && !matches!(self.cause(), RefusalCause::Policy(_))
    }

    /// Whether a proxy, a load balancer or another server says so: an API server explains itself by
    /// a `Status`, but for being overloaded or broken.
    pub fn is_foreign(&self) -> bool {
        !self.is_status && !matches!(self.code, 409 | 410 | 422 | 429 | 500..=599)
    }

    /// Why the call was refused.
    pub fn cause(&self) -> RefusalCause {
        let message = &*self.message;
        if self.is_status
            && let Some(cause) = by_form(message)
        {
            return cause;
        }
        match (self.code, self.allowed) {
            (401, _) => RefusalCause::Token,
            (403, _) if message.ends_with(STARTING) => RefusalCause::Busy,
            (403, Some(false)) => RefusalCause::Permission(User::Unknown),
            (403, None) if says_nothing(message) => RefusalCause::Unexplained,
            (409, _) => RefusalCause::Conflict,
            (code, _) if retry::is_transient(code) && !is_about_the_object(message) => {
                RefusalCause::Busy
            }
            (_, _) => RefusalCause::Object,
        }
    }

    /// Whether it is known that nothing was stored: a request that was refused before it came to
    /// storage, as admission and validation are. Of a server's own error nothing is known.
    pub fn stored_nothing(&self) -> bool {
        let cause = self.cause();
        if cause == RefusalCause::Busy {
            return [403, 429].contains(&self.code);
        }
        // An object is converted for its answer, too, when it is stored already.
        let is_webhook = matches!(cause, RefusalCause::Webhook { .. });
        !is_webhook || !self.message.contains("conversion webhook for")
    }

    /// Whether the same call may succeed a while later, without anybody changing it.
    pub fn may_pass(&self) -> bool {
        let cause = self.cause();
        matches!(cause, RefusalCause::Busy | RefusalCause::Webhook { .. })
    }
}

/// Whether a server's own error (500) is in truth about the object: a list whose items have no key
/// to merge them by, and an apply that names unknown fields, has two items of one key, or values
/// of the wrong type. <https://github.com/kubernetes/kubernetes/issues/122480>
fn is_about_the_object(message: &str) -> bool {
    let marks = [
        "merge key",
        "failed to create typed patch object",
        "failed to create typed live object",
        "failed to convert new object",
        "field not declared in schema",
        "duplicate entries for key",
    ];
    marks.iter().any(|mark| message.contains(mark))
}

/// What a sentence of fixed form says, whatever the status beside it.
fn by_form(message: &str) -> Option<RefusalCause> {
    // Admission comes first: its reasons are free text, and may quote an authorizer.
    if let Some(policy) = denied_by(message) {
        return Some(RefusalCause::Policy(policy));
    }
    if let Some(cause) = webhook_failed(message) {
        return Some(cause);
    }
    let reason = forbidden(message)?;
    if let Some(user) = denied_user(reason) {
        return Some(match user {
            ANONYMOUS => RefusalCause::Anonymous,
            user => RefusalCause::Permission(read_user(user)),
        });
    }
    let begins = |beginnings: &[&str]| beginnings.iter().any(|it| reason.starts_with(it));
    if begins(&["exceeded quota", "status unknown for quota"]) {
        return Some(RefusalCause::Quota);
    }
    if reason.starts_with("violates PodSecurity") {
        return Some(RefusalCause::Policy(Policy::PodSecurity));
    }
    if reason.starts_with("unable to validate against any security context constraint") {
        return Some(RefusalCause::Policy(Policy::SecurityContextConstraints));
    }
    if reason.contains("because it is being terminated") {
        return Some(RefusalCause::NamespaceEnding);
    }
    // Several violations stand in brackets: "[maximum cpu usage per …, maximum memory usage …]".
    // https://github.com/kubernetes/kubernetes/blob/master/plugin/pkg/admission/limitranger/admission.go
    let first = reason.trim_start_matches('[');
    let range = [
        " usage per ",
        " limit to request ratio per ",
        " request per ",
    ];
    let limited = ["maximum ", "minimum ", "max ", "min "];
    if limited.iter().any(|it| first.starts_with(it)) && range.iter().any(|it| first.contains(it)) {
        return Some(RefusalCause::Policy(Policy::LimitRange));
    }
    None
}

/// What stands behind `… is forbidden: `. Of a path that is no object the sentence begins so.
fn forbidden(message: &str) -> Option<&str> {
    message
        .split_once("is forbidden: ")
        .map(|(_, reason)| reason)
        .or_else(|| message.strip_prefix("forbidden: "))
        .map(str::trim_start)
}

/// The user of an authorizer's refusal, `User "…" cannot VERB resource "…" …`. Older servers leave
/// the word `resource` out, and any authorizer may add its reason behind it.
/// <https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/responsewriters/errors.go>
fn denied_user(reason: &str) -> Option<&str> {
    let rest = reason
        .strip_prefix("User \"")
        .or_else(|| reason.strip_prefix("user \""))?;
    let (user, rest) = rest.split_once('"')?;
    rest.trim_start().starts_with("cannot ").then_some(user)
}

fn read_user(user: &str) -> User {
    if let Some((namespace, name)) = user
        .strip_prefix(SERVICE_ACCOUNT)
        .and_then(|rest| rest.split_once(':'))
    {
        return User::ServiceAccount {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
    }
    match user {
        "" => User::Unknown,
        arn if arn.starts_with("arn:aws") => User::Iam(arn.to_owned()),
        other => User::Named(other.to_owned()),
    }
}

/// The policy that denies an object, by the sentences of admission.
/// <https://github.com/kubernetes/apiserver/blob/master/pkg/admission/plugin/webhook/errors/statuserror.go>
fn denied_by(message: &str) -> Option<Policy> {
    if let Some((before, _)) = message.split_once(" denied the request")
        && let Some(name) = quoted_last(before, '"')
        && before.contains("admission webhook ")
    {
        return Some(Policy::Webhook(name.to_owned()));
    }
    let (before, _) = message.split_once(" denied request")?;
    let (kind, named) = before.split_once("AdmissionPolicy '")?;
    let (name, _) = named.split_once('\'')?;
    Some(match kind.ends_with("Mutating") {
        true => Policy::Mutation(name.to_owned()),
        false => Policy::Admission(name.to_owned()),
    })
}

/// An admission webhook that could not be asked, or whose answer is none.
fn webhook_failed(message: &str) -> Option<RefusalCause> {
    let marks = [
        "failed calling webhook",
        "failed to call webhook",
        "conversion webhook for",
        "received invalid webhook response",
        "expected webhook response of",
    ];
    // Of a patch of our own the server does not call it its own error.
    let is_internal = message.starts_with("Internal error occurred: ");
    let is_patch = is_internal && message.contains(BAD_PATCH);
    if !is_patch && !marks.iter().any(|mark| message.contains(mark)) {
        return None;
    }
    let named = message.split_once("calling webhook \"");
    let name = named.and_then(|(_, rest)| rest.split_once('"'));
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let trouble = if is_patch {
        WebhookTrouble::BadPatch
    } else if has(&["x509:", "tls: failed to verify", "certificate"]) {
        WebhookTrouble::Certificate
    } else if has(&["no endpoints available", "no service port", "service \""])
        && !has(&["deadline exceeded", "connection refused"])
    {
        WebhookTrouble::NoPod
    } else if has(&["deadline exceeded", "Client.Timeout", "i/o timeout"]) {
        WebhookTrouble::TooSlow
    } else if has(&["webhook response"]) {
        WebhookTrouble::BadAnswer
    } else if has(&["match condition", "could not find the requested resource"]) {
        WebhookTrouble::Configuration
    } else if has(&["Address is not allowed"]) {
        WebhookTrouble::NoRoute
    } else {
        WebhookTrouble::Other
    };
    Some(RefusalCause::Webhook {
        name: name.map(|(name, _)| name.to_owned()).unwrap_or_default(),
        trouble,
    })
}

/// The last part of a text that stands between two of `mark`.
fn quoted_last(text: &str, mark: char) -> Option<&str> {
    let (rest, _) = text.rsplit_once(mark)?;
    let (_, quoted) = rest.rsplit_once(mark)?;
    Some(quoted)
}

/// Whether a refusal has no more to say than that it is one.
fn says_nothing(message: &str) -> bool {
    let reason = forbidden(message).unwrap_or(message).trim();
    let reason = reason.trim_end_matches('.');
    reason.is_empty()
        || reason.eq_ignore_ascii_case("forbidden")
        || reason.ends_with("is forbidden")
}

#[cfg(test)]
mod tests;
