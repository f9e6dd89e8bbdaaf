//! What is said of a token that was not renewed: what happened, what holds, what to do.

use super::access;
use super::{explanation, refusal, said};
use crate::kubernetes::refusal::RefusalCause;
use crate::kubernetes::{CallError, Refusal};
use crate::outcome::{CredentialSource, CredentialsError, ParameterPlace};
use crate::problem::Fault;
use crate::rotation::{CurrentToken, Expiry, RotationError, RotationStep};

impl CurrentToken {
    /// What happened, what holds all the same, what to do.
    pub fn not_renewed(&self, why: &RotationError) -> String {
        let parameter = self.parameter.as_deref().unwrap_or_default();
        let place = ParameterPlace::new(parameter, None, self.region.as_deref());
        let (happened, next) = why.words(&place);
        let holds = self.holds(why);
        let which = match &self.parameter {
            Some(name) => format!(" in SSM parameter `{name}`"),
            None => String::new(),
        };
        format!("The token{which} was not renewed: {happened}. {holds} {next}")
    }

    /// What can still be relied upon.
    fn holds(&self, why: &RotationError) -> String {
        match (why, &self.end) {
            // It was asked with the present token, and that was not taken.
            (
                RotationError::Call(
                    RotationStep::Ask,
                    CallError::Refused(Refusal { code: 401, .. }),
                ),
                _,
            )
            | (RotationError::NoAccess(CredentialsError::Expired(..)), _) => {
                "No deploy works until a valid one is stored.".to_owned()
            }
            (RotationError::NotStored(error), Some(Expiry::At(at))) if is_lost(error) => format!(
                "Whether the new one arrived all the same is not known. Either is valid, the \
                 former until {at:.0}."
            ),
            (RotationError::NotStored(error), _) if is_lost(error) => {
                "Whether the new one arrived all the same is not known. Either is valid.".to_owned()
            }
            (_, None) => "Nothing was changed.".to_owned(),
            (_, Some(Expiry::At(at))) => format!("The present one was kept, and ends at {at:.0}."),
            (_, Some(Expiry::WithSecret(..))) => {
                "The present one was kept, and has no end.".to_owned()
            }
            (_, Some(Expiry::Unknown)) => "The present one was kept.".to_owned(),
        }
    }
}

/// How a first token is made, where there is none that could be renewed.
const FIRST: &str = "`make access ARGS=\"--namespace NAMESPACE --rotation --apply\"` makes a new \
    one and stores it, or `kubectl create token landfall --namespace NAMESPACE --duration 24h` and \
    `aws ssm put-parameter --overwrite` under the same key";

impl RotationError {
    /// What happened, and what to do.
    fn words(&self, place: &ParameterPlace) -> (String, String) {
        let owned = |why: &str, next: &str| (why.to_owned(), next.to_owned());
        match self {
            RotationError::Event(faults) => (
                format!("the event is wrong: {}", list(faults)),
                "Correct the input of the schedule, or the event.".to_owned(),
            ),
            RotationError::Environment(faults) => (
                format!("the function's environment is wrong: {}", list(faults)),
                "Correct the function's environment variables.".to_owned(),
            ),
            RotationError::NoToken => owned(
                "the function opens its cluster by IAM or a kubeconfig, and has no token of its \
                 own in SSM",
                "Switch the schedule of the rotation off (`RotateToken=no` of the stack).",
            ),
            RotationError::Pinned => owned(
                "K8S_TOKEN_PARAMETER names one version or label of it, and a new version would \
                 never be read",
                "Name the parameter alone, without `:` and what follows.",
            ),
            RotationError::Shared => owned(
                "it belongs to another AWS account, and only that can store a new version",
                "Rotate it there, or keep the token in a parameter of this account.",
            ),
            RotationError::Plain => owned(
                "it is not a SecureString, so that its tokens would be kept in clear text",
                "SSM cannot change the type of a parameter: delete it, and store the token again \
                 with `--type SecureString`.",
            ),
            RotationError::NoAccess(error) | RotationError::NotStored(error) => {
                no_access(error, place)
            }
            RotationError::Call(step, error) => step.words(error),
            RotationError::Nameless => owned(
                "the cluster does not say whose the present one is",
                "Is K8S_CLUSTER the API server itself, and not a proxy?",
            ),
            RotationError::NoAccount(user) => (
                format!("it belongs to `{user}`, and only ServiceAccounts can have new tokens"),
                format!("Use a ServiceAccount's, or switch the rotation off. {FIRST}."),
            ),
            RotationError::Unusable(what) => (
                format!("the cluster did issue a new one, but {what}"),
                "Compare the clocks of the cluster and AWS, then try again.".to_owned(),
            ),
            RotationError::Short(until) => (
                format!("the cluster grants a new one only until {until:.0}, less than 16 hours"),
                "Renewed every 8 hours, it would end where one renewal fails. Raise the API \
                 server's `--service-account-max-token-expiration` to a day, or keep a token \
                 without an end (deploy/token-secret.yaml) and switch the rotation off."
                    .to_owned(),
            ),
            RotationError::Stranger(former, new) if former == new => (
                format!("the new one is `{new}`'s as well, with another uid or other groups"),
                "Was the ServiceAccount made anew? Try again; if it stays so, ask the cluster's \
                 administrator."
                    .to_owned(),
            ),
            RotationError::Stranger(former, new) => (
                format!("it belongs to `{former}`, and the new one to `{new}`"),
                "Ask the cluster's administrator how it signs people in.".to_owned(),
            ),
            RotationError::Broken(place) => (
                format!("Landfall itself broke at {place}"),
                "Report this place as a bug. To try again is safe.".to_owned(),
            ),
        }
    }
}

fn list(faults: &[Fault]) -> String {
    let faults = faults.iter().map(Fault::to_string);
    faults.collect::<Vec<_>>().join("; ")
}

/// Whether a write may have been done: its answer was lost, or SSM broke on the way.
fn is_lost(error: &CredentialsError) -> bool {
    matches!(
        error,
        CredentialsError::Unreachable(_) | CredentialsError::Broken(_)
    )
}

/// What is wrong with parameters, and what to do. That the token's is meant has been said.
fn no_access(error: &CredentialsError, place: &ParameterPlace) -> (String, String) {
    if let CredentialsError::Expired(_, at, _) = error {
        return (format!("it expired at {at:.0}"), format!("{FIRST}."));
    }
    if let CredentialsError::NoToken(_, what) = error {
        return (format!("it {what}"), format!("{FIRST}."));
    }
    let source = CredentialSource::Parameter(place.clone());
    let next = access::next(error, &source);
    (error.to_string(), without_stage(&next))
}

/// A renewal has no stage that could be retried.
fn without_stage(next: &str) -> String {
    next.replace("Retry the stage", "Try again")
        .replace("retry the stage", "try again")
}

impl RotationStep {
    fn words(self, error: &CallError) -> (String, String) {
        let what = match self {
            RotationStep::Ask => "ask whose the present one is",
            RotationStep::Issue => "issue a new one",
            RotationStep::Try => "try the new one",
        };
        // Only a token in SSM is ever renewed.
        let source = CredentialSource::Parameter(ParameterPlace::default());
        match explanation(error, what, &source) {
            Ok(told) => (told.reason, without_stage(&told.next_step)),
            Err(refusal) => self.refused(what, refusal),
        }
    }

    fn refused(self, what: &str, refusal: &Refusal) -> (String, String) {
        use RotationStep::{Ask, Issue, Try};
        let said = said(refusal);
        let told = |why: &str, next: &str| (format!("{why} ({said})"), next.to_owned());
        let why = || refusal::why(refusal, what);
        match (refusal.cause(), self) {
            (RefusalCause::Anonymous, _) => (
                why(),
                "Whatever stands between the function and the API server removes the \
                 `Authorization` header: set K8S_CLUSTER to the API server itself."
                    .to_owned(),
            ),
            (RefusalCause::Policy(_) | RefusalCause::Webhook { .. }, _) => (
                why(),
                "Have the policy or the webhook looked at, then try again. No permission is \
                 missing."
                    .to_owned(),
            ),
            (RefusalCause::Quota, _) => (
                why(),
                "Raise the quota, then try again. No permission is missing.".to_owned(),
            ),
            (RefusalCause::NamespaceEnding, _) => (
                why(),
                "Make the namespace and the ServiceAccount anew, and store a first token of it."
                    .to_owned(),
            ),
            (RefusalCause::Token, Ask | Issue) => told(
                "the cluster does not accept the present one any more",
                &format!("{FIRST}."),
            ),
            (RefusalCause::Token, Try) => told(
                "the cluster issued a new one and does not accept it",
                "Try again; if it stays so, its API servers do not have the same keys.",
            ),
            (RefusalCause::Permission(_), Issue) => told(
                "its ServiceAccount may not create tokens for itself",
                "Apply deploy/rbac-rotation.yaml, with the ServiceAccount's name and namespace.",
            ),
            (RefusalCause::Permission(_), Ask | Try) => told(
                &format!("the cluster does not let it {what}"),
                "Every user may ask that by the ClusterRole `system:basic-user`: bind it to the \
                 group `system:authenticated` again.",
            ),
            (RefusalCause::Unexplained, _) => (
                why(),
                "See whether the ServiceAccount may create tokens for itself \
                 (deploy/rbac-rotation.yaml); if it may, a policy of the cluster refuses it, and \
                 the API server's log says which."
                    .to_owned(),
            ),
            (RefusalCause::Busy, _) => told(
                &format!("the cluster could not {what} just now"),
                "Try again; the function did so itself until it gave up.",
            ),
            (RefusalCause::Object, Ask | Try) if refusal.code == 404 => told(
                "the cluster knows no SelfSubjectReview",
                "Kubernetes 1.28 or later is needed.",
            ),
            (RefusalCause::Object | RefusalCause::Conflict, _) => told(
                &format!("the cluster refused to {what}"),
                "Correct what it names, then try again.",
            ),
        }
    }
}

impl Expiry {
    /// What is to be done about the former token, if anything.
    pub fn advice(&self) -> Option<String> {
        match self {
            Expiry::At(_) => None,
            Expiry::WithSecret(namespace, secret) => Some(format!(
                "The former token has no end. It ends with its Secret: kubectl --namespace \
                 {namespace} delete secret {secret}"
            )),
            Expiry::Unknown => Some(
                "The former token does not say when it ends. If it has no end, revoke it where it \
                 was made."
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
