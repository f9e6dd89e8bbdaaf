//! The words for a call that the API server refused: why, of which type, and the one next step of
//! that cause.

use crate::kubernetes::Refusal;
use crate::kubernetes::call::Call;
pub(super) use crate::kubernetes::refusal::Cause;
use crate::kubernetes::refusal::{Policy, User, WebhookTrouble};
use crate::outcome::{Kind, Topic};
use crate::state::continuation::Reason;
use crate::text::quote;

/// Of what kind a failure is, why it is one, and what to do.
pub type Trouble = (Topic, Kind, String, String);

/// What the cluster says of a call that it refuses.
pub fn said(refusal: &Refusal) -> String {
    match refusal.message.as_str() {
        "" => format!("HTTP {}", refusal.code),
        message => format!("HTTP {}, \"{}\"", refusal.code, quote(message)),
    }
}

/// What a refusal means for a deploy. `what` the call was to do, `namespace` where, `roles` the
/// files with all verbs that the request needs.
pub(super) fn told(
    refusal: &Refusal,
    call: &Call,
    what: &str,
    namespace: &str,
    roles: &str,
) -> Trouble {
    let cause = refusal.cause();
    let (topic, kind) = class(&cause);
    let next = next(&cause, call, namespace, roles);
    (topic, kind, why(refusal, what), next)
}

/// Section and type of a cause.
pub(super) fn class(cause: &Cause) -> (Topic, Kind) {
    match cause {
        Cause::NotKubernetes => (Topic::NotKubernetes, Kind::ConfigurationError),
        Cause::Token => (Topic::TokenRefused, Kind::PermissionError),
        Cause::Anonymous => (Topic::TokenLost, Kind::PermissionError),
        Cause::Permission(_) => (Topic::Forbidden, Kind::PermissionError),
        Cause::Quota => (Topic::Quota, Kind::ConfigurationError),
        Cause::Policy(_) => (Topic::Policy, Kind::ConfigurationError),
        Cause::Webhook { .. } => (Topic::Webhook, Kind::SystemUnavailable),
        Cause::NamespaceEnding => (Topic::BeingDeleted, Kind::ConfigurationError),
        Cause::Object | Cause::Unexplained => (Topic::ObjectRefused, Kind::ConfigurationError),
        Cause::Conflict => (Topic::OutOfSync, Kind::RevisionOutOfSync),
        Cause::Busy => (Topic::ClusterUnavailable, Kind::SystemUnavailable),
    }
}

/// What a switch failed of, where the API server refused one of its calls.
pub fn reason(refusal: &Refusal) -> Reason {
    match refusal.cause() {
        Cause::Anonymous => Reason::TokenLost,
        Cause::Quota => Reason::Quota,
        Cause::Policy(_) => Reason::Policy,
        Cause::Webhook { .. } => Reason::Webhook,
        Cause::NamespaceEnding => Reason::NamespaceEnding,
        Cause::Object | Cause::Unexplained => Reason::Object,
        Cause::NotKubernetes
        | Cause::Token
        | Cause::Permission(_)
        | Cause::Conflict
        | Cause::Busy => Reason::Refused(refusal.code),
    }
}

/// Why the call was refused, with the server's own words.
pub fn why(refusal: &Refusal, what: &str) -> String {
    let said = said(refusal);
    match refusal.cause() {
        Cause::NotKubernetes => {
            format!("what answers to {what} is not a Kubernetes API server ({said})")
        }
        Cause::Token => format!("the cluster does not accept the bearer token ({said})"),
        Cause::Anonymous => format!(
            "the bearer token did not reach the API server, which took the call to {what} for one \
             of `system:anonymous` ({said})"
        ),
        Cause::Permission(_) => format!("the token may not {what} ({said})"),
        Cause::Unexplained => {
            format!("the API server forbids to {what} and does not say why ({said})")
        }
        Cause::Quota => format!("a quota of the namespace has no room to {what} ({said})"),
        Cause::Policy(policy) => format!("{} refused to {what} ({said})", named(&policy)),
        Cause::Webhook { name, .. } => format!(
            "the API server could not {what}, as {} did not answer as it should ({said})",
            webhook(&name)
        ),
        Cause::NamespaceEnding => {
            format!("its namespace is being deleted, so that nothing can be created ({said})")
        }
        Cause::Object => format!("the API server refused to {what} ({said})"),
        Cause::Conflict => format!("somebody else kept changing it at the same time ({said})"),
        Cause::Busy => format!("the cluster could not {what} just now ({said})"),
    }
}

/// Why the call was refused that a deploy can do without, and what to grant for its gain.
pub fn brief(refusal: &Refusal, call: &Call, gain: &str) -> String {
    let (verb, resource) = (call.verb.rbac(), call.resource);
    let what = format!("{verb} {resource}");
    match refusal.cause() {
        Cause::Permission(_) => format!(
            "the token may not {what}; grant the verb `{verb}` on `{resource}` to {gain} the next \
             time"
        ),
        Cause::Unexplained
        | Cause::Anonymous
        | Cause::Quota
        | Cause::Policy(_)
        | Cause::Webhook { .. }
        | Cause::NamespaceEnding => why(refusal, &what),
        Cause::NotKubernetes | Cause::Token | Cause::Object | Cause::Conflict | Cause::Busy => {
            match &*refusal.message {
                "" => format!("HTTP {}", refusal.code),
                message => format!("HTTP {}: {message}", refusal.code),
            }
        }
    }
}

fn next(cause: &Cause, call: &Call, namespace: &str, roles: &str) -> String {
    let (verb, resource) = (call.verb.rbac(), call.resource);
    match cause {
        Cause::NotKubernetes => {
            "A proxy, a load balancer or a firewall refuses it, or K8S_CLUSTER is another address: \
             it must reach the API server itself, by https. Then retry the stage."
                .to_owned()
        }
        // Told with the parameter by whoever knows it.
        Cause::Token => {
            "Store a valid token in the SSM parameter that K8S_TOKEN_PARAMETER names, then retry \
             the stage."
                .to_owned()
        }
        Cause::Anonymous => {
            "Whatever stands between the function and the API server (a proxy, or a load balancer \
             that ends TLS) removes the `Authorization` header: set K8S_CLUSTER to the API server \
             itself, then retry the stage. No permission is missing; do not grant one to \
             `system:anonymous`."
                .to_owned()
        }
        Cause::Permission(user) => format!(
            "Grant the verb `{verb}` on `{resource}` to {} by a Role and a RoleBinding in this \
             namespace{}, then retry the stage; {roles} all verbs that are needed.",
            subject(user),
            match user {
                User::Iam(_) => " (the RoleBinding names the user or a group of its access entry)",
                User::ServiceAccount { .. } | User::Named(_) | User::Unknown => "",
            }
        ),
        Cause::Unexplained => format!(
            "See whether the token has the permission: `kubectl --namespace {namespace} auth can-i \
             {verb} {resource}`, with the token. If it has, a policy or an admission plugin of the \
             cluster refuses the object; the API server's log says which."
        ),
        Cause::Quota => format!(
            "Raise the quota, or remove what is not needed any more, then retry the stage: \
             `kubectl --namespace {namespace} describe resourcequota` shows what is used. It is \
             not a matter of the token's permissions."
        ),
        Cause::Policy(policy) => format!(
            "Change what the policy names and release the change again, or have whoever owns the \
             policy change it ({}) and retry the stage. It is not a matter of the \
             token's permissions.",
            look_up(policy, namespace)
        ),
        Cause::Webhook { name, trouble } => {
            format!("{} Then retry the stage.", mend(name, *trouble))
        }
        Cause::NamespaceEnding => format!(
            "Wait until `{namespace}` is gone (`kubectl get namespace {namespace}`), create it \
             again, then retry the stage."
        ),
        Cause::Object => {
            "Correct what it names, then release the change again; where that is something in the \
             cluster, retry the stage."
                .to_owned()
        }
        Cause::Conflict => "Retry the stage when the other change is through.".to_owned(),
        Cause::Busy => {
            "Retry the stage when the API server is well again; the function retried until it \
             gave up."
                .to_owned()
        }
    }
}

/// Whom to grant a permission to.
fn subject(user: &User) -> String {
    match user {
        User::ServiceAccount { namespace, name } => {
            format!("ServiceAccount `{name}` of namespace `{namespace}`")
        }
        User::Iam(arn) => format!("the IAM identity `{arn}`"),
        User::Named(name) => format!("user `{name}`"),
        User::Unknown => "the token's user".to_owned(),
    }
}

/// The policy, as the subject of a sentence.
fn named(policy: &Policy) -> String {
    match policy {
        Policy::Webhook(name) => webhook(name),
        Policy::Admission(name) => format!("the ValidatingAdmissionPolicy `{name}`"),
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
        WebhookTrouble::Other => {
            format!("See why {it} cannot be reached: its pods and its Service.")
        }
    }
}

#[cfg(test)]
mod tests;
