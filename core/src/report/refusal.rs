//! The words for a call that the API server refused: why, of which type, and the one next step of
//! that cause.

use super::client::{Client, placed};
use super::eks;
use super::model::Explanation;
use crate::kubernetes::Refusal;
use crate::kubernetes::call::Call;
pub(super) use crate::kubernetes::refusal::RefusalCause;
use crate::kubernetes::refusal::{Policy, User, WebhookTrouble};
use crate::outcome::{CredentialSource, FailureCode, FailureType};
use crate::retry::LONGEST_ASKED;
use crate::state::continuation::Reason;
use crate::text::{quote, words};

/// What the cluster says of a call that it refuses.
pub fn said(refusal: &Refusal) -> String {
    let said = match refusal.message.as_str() {
        "" => format!("HTTP {}", refusal.code),
        message => format!("HTTP {}, \"{}\"", refusal.code, quote(message)),
    };
    match refusal.wait.filter(|wait| *wait > LONGEST_ASKED) {
        Some(wait) => format!("{said}; it asks to be left alone for {}", words(wait)),
        None => said,
    }
}

/// What a refusal means for a deploy. `what` the call was to do, `namespace` where, `roles` the
/// files with all verbs that the request needs, `source` where the access comes from.
pub(super) fn told(
    refusal: &Refusal,
    call: &Call,
    what: &str,
    namespace: &str,
    roles: &str,
    source: &CredentialSource,
) -> Explanation {
    let cause = refusal.cause();
    let client = Client::of(source);
    let (code, failure_type) = class(&cause);
    let next_step = match refusal.wait {
        Some(wait) if cause == RefusalCause::Busy && wait > LONGEST_ASKED => {
            "Retry the stage when that time is over. If this happens again, ask whoever runs \
             the API server, or a proxy before it, what keeps it busy."
                .to_owned()
        }
        Some(_) | None => match (&cause, client) {
            (RefusalCause::Permission(user), Client::Role(cluster)) => {
                let asks = call.permission().to_string();
                eks::give_group(cluster, user, &asks, namespace, roles)
            }
            (_, _) => placed(&next(refusal, call, namespace, roles), source),
        },
    };
    Explanation {
        code: client.code(code),
        failure_type,
        reason: why_of(refusal, what, client),
        next_step,
    }
}

/// Section and type of a cause.
pub(super) fn class(cause: &RefusalCause) -> (FailureCode, FailureType) {
    match cause {
        RefusalCause::Token => (FailureCode::TokenRefused, FailureType::PermissionError),
        RefusalCause::Anonymous => (FailureCode::TokenLost, FailureType::PermissionError),
        RefusalCause::Permission(_) => (FailureCode::Forbidden, FailureType::PermissionError),
        RefusalCause::Quota => (FailureCode::Quota, FailureType::ConfigurationError),
        RefusalCause::Policy(_) => (FailureCode::Policy, FailureType::ConfigurationError),
        RefusalCause::Webhook { .. } => (FailureCode::Webhook, FailureType::SystemUnavailable),
        RefusalCause::NamespaceEnding => {
            (FailureCode::BeingDeleted, FailureType::ConfigurationError)
        }
        RefusalCause::Object | RefusalCause::Unexplained => {
            (FailureCode::ObjectRefused, FailureType::ConfigurationError)
        }
        RefusalCause::Conflict => (FailureCode::OutOfSync, FailureType::RevisionOutOfSync),
        RefusalCause::Busy => (
            FailureCode::ClusterUnavailable,
            FailureType::SystemUnavailable,
        ),
    }
}

/// What a switch failed of, where the API server refused one of its calls.
pub fn reason(refusal: &Refusal) -> Reason {
    match refusal.cause() {
        RefusalCause::Anonymous => Reason::TokenLost,
        RefusalCause::Quota => Reason::Quota,
        RefusalCause::Policy(_) => Reason::Policy,
        RefusalCause::Webhook { .. } => Reason::Webhook,
        RefusalCause::NamespaceEnding => Reason::NamespaceEnding,
        RefusalCause::Object | RefusalCause::Unexplained => Reason::Object,
        RefusalCause::Token
        | RefusalCause::Permission(_)
        | RefusalCause::Conflict
        | RefusalCause::Busy => Reason::Refused(refusal.code),
    }
}

/// Why the call of a token was refused, with the server's own words.
pub fn why(refusal: &Refusal, what: &str) -> String {
    why_of(refusal, what, Client::Token)
}

/// Why the call of a client was refused, with the server's own words.
fn why_of(refusal: &Refusal, what: &str, client: Client<'_>) -> String {
    let said = said(refusal);
    match refusal.cause() {
        RefusalCause::Token => match client {
            Client::Role(_) => format!("the cluster does not let the function's role in ({said})"),
            Client::Token | Client::Certificate => {
                format!(
                    "the cluster does not accept {} ({said})",
                    client.credential()
                )
            }
        },
        RefusalCause::Anonymous => format!(
            "{} did not reach the API server, which took the call to {what} for one of \
             `system:anonymous` ({said})",
            client.credential()
        ),
        RefusalCause::Permission(_) => format!("{} may not {what} ({said})", client.noun()),
        RefusalCause::Unexplained => {
            format!("the API server forbids to {what} and does not say why ({said})")
        }
        RefusalCause::Quota => format!("a quota of the namespace has no room to {what} ({said})"),
        RefusalCause::Policy(policy) => format!("{} refused to {what} ({said})", named(&policy)),
        RefusalCause::Webhook { name, .. } => format!(
            "the API server could not {what}, as {} did not answer as it should ({said})",
            webhook(&name)
        ),
        RefusalCause::NamespaceEnding => {
            format!("its namespace is being deleted, so that nothing can be created ({said})")
        }
        RefusalCause::Object => format!("the API server refused to {what} ({said})"),
        RefusalCause::Conflict => {
            format!("somebody else kept changing it at the same time ({said})")
        }
        RefusalCause::Busy => format!("the cluster could not {what} just now ({said})"),
    }
}

/// Why the call was refused that a deploy can do without, and what to grant for its gain.
pub fn brief(refusal: &Refusal, call: &Call, gain: &str) -> String {
    let (verb, resource) = (call.verb.rbac(), &call.resource);
    let what = format!("{verb} {resource}");
    match refusal.cause() {
        RefusalCause::Permission(_) => format!(
            "the token may not {what}; grant the verb `{verb}` on `{resource}` to {gain} the next \
             time"
        ),
        RefusalCause::Unexplained
        | RefusalCause::Anonymous
        | RefusalCause::Quota
        | RefusalCause::Policy(_)
        | RefusalCause::Webhook { .. }
        | RefusalCause::NamespaceEnding => why(refusal, &what),
        RefusalCause::Token
        | RefusalCause::Object
        | RefusalCause::Conflict
        | RefusalCause::Busy => match &*refusal.message {
            "" => format!("HTTP {}", refusal.code),
            message => format!("HTTP {}: {message}", refusal.code),
        },
    }
}

/// Whether it is a proxy's account that lacks a right, which the API server asks for before it asks
/// whether the user may do what the call does.
/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation>
fn is_of_impersonation(message: &str) -> bool {
    message.contains("cannot impersonate resource ")
}

fn next(refusal: &Refusal, call: &Call, namespace: &str, roles: &str) -> String {
    let (verb, resource) = (call.verb.rbac(), &call.resource);
    let message = &*refusal.message;
    match &refusal.cause() {
        // Told with the parameter by whoever knows it.
        RefusalCause::Token => {
            "Store a valid token in the SSM parameter that K8S_TOKEN_PARAMETER names, then retry \
             the stage."
                .to_owned()
        }
        RefusalCause::Anonymous => {
            "Whatever stands between the function and the API server (a proxy, or a load balancer \
             that ends TLS) removes the `Authorization` header: set K8S_CLUSTER to the API server \
             itself, then retry the stage. No permission is missing; do not grant one to \
             `system:anonymous`."
                .to_owned()
        }
        RefusalCause::Permission(user) if is_of_impersonation(message) => format!(
            "A proxy hands the call on in the name of another user, and its own account, {}, may \
             not `impersonate` that user: grant that by a ClusterRole and a ClusterRoleBinding, \
             or set K8S_CLUSTER to the API server itself; then retry the stage. The user's own \
             permissions are not the cause.",
            subject(user)
        ),
        RefusalCause::Permission(user) => format!(
            "Grant the verb `{verb}` on `{resource}` to {} by a Role and a RoleBinding in this \
             namespace{}, then retry the stage; {roles} all verbs that are needed.",
            subject(user),
            match user {
                User::Iam(_) => " (the RoleBinding names the user or a group of its access entry)",
                User::ServiceAccount { .. } | User::Named(_) | User::Unknown => "",
            }
        ),
        RefusalCause::Unexplained => format!(
            "See whether the token has the permission: `kubectl --namespace {namespace} auth can-i \
             {verb} {resource}`, with the token. If it has, a policy or an admission plugin of the \
             cluster refuses the object; the API server's log says which."
        ),
        RefusalCause::Quota => format!(
            "Raise the quota or delete what is no longer needed, then retry the stage: \
             `kubectl --namespace {namespace} describe resourcequota` shows what is used. It is \
             not a matter of the token's permissions."
        ),
        RefusalCause::Policy(policy) => format!(
            "Change what the policy names and release the change again, or have whoever owns the \
             policy change it ({}) and retry the stage. It is not a matter of the \
             token's permissions.",
            look_up(policy, namespace)
        ),
        RefusalCause::Webhook { name, trouble } => {
            format!("{} Then retry the stage.", mend(name, *trouble))
        }
        RefusalCause::NamespaceEnding => format!(
            "Wait until `{namespace}` is gone (`kubectl get namespace {namespace}`), create it \
             again, then retry the stage."
        ),
        RefusalCause::Object => {
            "Correct what it names, then release the change again; where that is something in the \
             cluster, retry the stage."
                .to_owned()
        }
        RefusalCause::Conflict => "Retry the stage when the other change is through.".to_owned(),
        RefusalCause::Busy => {
            "Retry the stage when the API server is healthy again; the function retried until it \
             gave up."
                .to_owned()
        }
    }
}

/// Whom to grant a permission to.
fn subject(user: &User) -> String {
    match user {
        User::ServiceAccount { namespace, name } => format!(
            "ServiceAccount `{}` of namespace `{}`",
            quote(name),
            quote(namespace)
        ),
        User::Iam(arn) => format!("the IAM identity `{}`", quote(arn)),
        User::Named(name) => format!("user `{}`", quote(name)),
        User::Unknown => "the token's user".to_owned(),
    }
}

/// The policy, as the subject of a sentence.
fn named(policy: &Policy) -> String {
    match policy {
        Policy::Webhook(name) => webhook(name),
        Policy::Admission(name) => format!("the ValidatingAdmissionPolicy `{name}`"),
        Policy::Mutation(name) => format!("the MutatingAdmissionPolicy `{name}`"),
        Policy::PodSecurity => "the namespace's Pod Security level".to_owned(),
        Policy::SecurityContextConstraints => {
            "the cluster's security context constraints".to_owned()
        }
        Policy::LimitRange => "a LimitRange of the namespace".to_owned(),
    }
}

fn webhook(name: &str) -> String {
    match name {
        "" => "a webhook of the cluster".to_owned(),
        name => format!("the admission webhook `{name}`"),
    }
}

/// Where a policy is to be seen.
fn look_up(policy: &Policy, namespace: &str) -> String {
    match policy {
        Policy::Webhook(_) => {
            "`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`".to_owned()
        }
        Policy::Admission(name) => format!("`kubectl get validatingadmissionpolicy {name}`"),
        Policy::Mutation(name) => format!("`kubectl get mutatingadmissionpolicy {name}`"),
        Policy::PodSecurity => format!("`kubectl get namespace {namespace} --show-labels`"),
        Policy::SecurityContextConstraints => "`oc get securitycontextconstraints`".to_owned(),
        Policy::LimitRange => format!("`kubectl --namespace {namespace} describe limitrange`"),
    }
}

/// What to do about a webhook that does not answer.
fn mend(name: &str, trouble: WebhookTrouble) -> String {
    let it = webhook(name);
    match trouble {
        WebhookTrouble::Certificate => format!(
            "The API server does not trust the certificate of {it}: renew that certificate, or \
             the `caBundle` of its configuration."
        ),
        WebhookTrouble::NoPod => {
            format!("No pod is there to answer for {it}: bring the pods of its Service up.")
        }
        WebhookTrouble::TooSlow => format!(
            "Find out why {it} does not answer in time: its pods, and the network between them \
             and the API server."
        ),
        WebhookTrouble::BadAnswer => {
            format!("Find out what answers for {it}: it is not an AdmissionReview.")
        }
        WebhookTrouble::Configuration => {
            format!("Correct the configuration of {it}: its path, or its match conditions.")
        }
        WebhookTrouble::BadPatch => "Find out which mutating webhook asks for a change that does \
            not fit the object (`kubectl get mutatingwebhookconfigurations`), and correct it."
            .to_owned(),
        // https://cert-manager.io/docs/concepts/webhook/#webhook-connection-problems-on-aws-eks
        WebhookTrouble::NoRoute => format!(
            "The control plane cannot reach the addresses of the pods of {it}, as on EKS with \
             another network than the VPC's: let these pods use the network of their nodes \
             (`hostNetwork`)."
        ),
        WebhookTrouble::Other => {
            format!("See why {it} cannot be reached: its pods and its Service.")
        }
    }
}

#[cfg(test)]
mod tests;
