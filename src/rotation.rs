//! Renewing the cluster's token: what is asked for, whether what came is good, and what is said.

use aws_sdk_ssm::types::{ParameterHistory, ParameterType};
use jiff::Timestamp;
use landfall_core::kubernetes::refusal::Cause;
use landfall_core::kubernetes::token::Token;
use landfall_core::kubernetes::{CallError, Refusal};
use landfall_core::outcome::{CredentialsError, ParameterPlace};
use landfall_core::problem::Fault;
use landfall_core::report;
use landfall_core::text::clip;
use landfall_core::text::duration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// The field of an event that asks for it.
const ROTATE: &str = "rotate";

/// The field with how long the new token is to live.
const LIFETIME: &str = "lifetime";

/// How long it lives where nothing is said, and at the least: three times the longest period of the
/// template's schedule, so that two of its runs may fail, and the longest life that EKS grants.
/// Whoever may call the function may not shorten it until deploys stop.
/// <https://docs.aws.amazon.com/eks/latest/userguide/service-accounts.html>
const SHORTEST_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// The longest: what is good for years might as well not expire.
const LONGEST_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// What must be left of a new token where the cluster grants less than was asked for: two periods
/// of the schedule, so that one of its runs may fail.
const LEAST_LEFT: Duration = Duration::from_secs(16 * 3600);

/// What the clocks of the cluster and of the function may be apart.
const CLOCKS: Duration = Duration::from_secs(60);

/// What an event asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// How long the new token is to live.
    pub lifetime: Duration,
}

/// Whether an event that has no job is about the token.
pub fn is_meant(event: &Value) -> bool {
    event.get(ROTATE).is_some()
}

impl Wish {
    /// Reads the event, or names everything that is wrong with it.
    pub fn read(event: &Value) -> Result<Wish, Why> {
        let mut faults = Vec::new();
        for (field, value) in event.as_object().into_iter().flatten() {
            match (field.as_str(), value) {
                (ROTATE, Value::Bool(true)) | (LIFETIME, _) => {}
                (ROTATE, _) => faults.push(Fault::new(ROTATE, "must be `true`")),
                (other, _) => {
                    let problem = format!("is unknown; there are `{ROTATE}` and `{LIFETIME}`");
                    faults.push(Fault::new(clip(other, 50), problem));
                }
            }
        }
        let lifetime = event.get(LIFETIME).map_or(Ok(SHORTEST_LIFETIME), lifetime);
        match lifetime {
            Ok(lifetime) if faults.is_empty() => Ok(Wish { lifetime }),
            lifetime => {
                faults.extend(lifetime.err());
                Err(Why::Event(faults))
            }
        }
    }
}

fn lifetime(value: &Value) -> Result<Duration, Fault> {
    let read = value.as_str().and_then(duration);
    let range = SHORTEST_LIFETIME..=LONGEST_LIFETIME;
    read.filter(|lifetime| range.contains(lifetime))
        .ok_or_else(|| {
            let given = clip(&value.to_string(), 50);
            let problem = format!("must be a duration from \"24h\" to \"168h\", and is {given}");
            Fault::new(LIFETIME, problem)
        })
}

/// Refuses a parameter that names one version or label: a new version would not be read.
pub fn unpinned(parameter: &str) -> Result<(), Why> {
    // arn:aws:ssm:REGION:ACCOUNT:parameter/NAME has colons of its own.
    let name = match parameter.starts_with("arn:") {
        true => parameter.splitn(6, ':').last().unwrap_or_default(),
        false => parameter,
    };
    match name.contains(':') {
        true => Err(Why::Pinned),
        false => Ok(()),
    }
}

/// Refuses a parameter that cannot have a new version from here.
pub fn renewable(kept: &ParameterHistory) -> Result<(), Why> {
    match (kept.name(), kept.r#type()) {
        // Of a parameter that another account shares, SSM tells the ARN.
        (Some(name), _) if name.starts_with("arn:") => Err(Why::Shared),
        (Some(_), Some(ParameterType::SecureString)) => Ok(()),
        (_, _) => Err(Why::Plain),
    }
}

/// Whose token it is, by the cluster's word.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    name: String,
    uid: String,
    groups: BTreeSet<String>,
}

impl Holder {
    /// Reads a SelfSubjectReview.
    pub fn read(review: &Value) -> Result<Holder, Why> {
        let info = &review["status"]["userInfo"];
        let text = |field: &str| info[field].as_str().unwrap_or_default().to_owned();
        let groups = info["groups"].as_array().into_iter().flatten();
        let holder = Holder {
            name: text("username"),
            uid: text("uid"),
            groups: groups
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        };
        match holder.name.is_empty() {
            true => Err(Why::Nameless),
            false => Ok(holder),
        }
    }

    /// Namespace and name of the ServiceAccount. Nobody else can be given a token.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens>
    pub fn account(&self) -> Result<(&str, &str), Why> {
        // Names become a part of a path, and so have nothing that would lead elsewhere.
        let is_name = |name: &str| {
            let mut bytes = name.bytes();
            bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
                && name.bytes().any(|byte| byte.is_ascii_alphanumeric())
        };
        let account = self.name.strip_prefix("system:serviceaccount:");
        account
            .and_then(|account| account.split_once(':'))
            .filter(|(namespace, name)| is_name(namespace) && is_name(name))
            .ok_or_else(|| Why::NoAccount(self.name.clone()))
    }

    /// Refuses a token of somebody else, or with other rights: they hang on name and groups.
    pub fn same(&self, new: &Holder) -> Result<(), Why> {
        match self == new {
            true => Ok(()),
            false => Err(Why::Stranger(self.name.clone(), new.name.clone())),
        }
    }
}

/// A token that the cluster has issued.
#[derive(Clone, Debug, PartialEq)]
pub struct Issued {
    /// The token.
    pub token: Token,
    /// When it ends.
    pub until: Timestamp,
}

impl Issued {
    /// Reads a TokenRequest that was answered. The API server may shorten what was asked for, and
    /// its own word is what counts.
    pub fn read(answer: &Value, now: Timestamp) -> Result<Issued, Why> {
        let status = &answer["status"];
        let token = Token::new(status["token"].as_str().unwrap_or_default());
        let until = status["expirationTimestamp"].as_str().unwrap_or_default();
        if token.reveal().is_empty() || !token.fits_a_header() {
            return Err(Why::Unusable("there is no token in its answer"));
        }
        match until.parse::<Timestamp>() {
            Ok(until) if until > now => Ok(Issued { token, until }),
            Ok(_) => Err(Why::Unusable("the new token has ended already")),
            Err(_) => Err(Why::Unusable("it does not say when the new token ends")),
        }
    }

    /// Refuses one that would end before the schedule has had two more tries.
    pub fn lasts(&self, now: Timestamp) -> Result<(), Why> {
        match self.until < now + LEAST_LEFT {
            true => Err(Why::Short(self.until)),
            false => Ok(()),
        }
    }

    /// Whether it ends before the time that was asked for.
    pub fn is_short(&self, wish: &Wish, now: Timestamp) -> bool {
        self.until + CLOCKS < now + wish.lifetime
    }
}

/// How the token that was there ends.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// At this time.
    At(Timestamp),
    /// When its Secret (namespace and name) is deleted.
    WithSecret(String, String),
    /// It does not say.
    Unknown,
}

impl End {
    /// What a token says of it.
    pub fn of(token: &Token) -> End {
        if let Some(at) = token.expires() {
            return End::At(at);
        }
        let claims = token.claims().unwrap_or_default();
        let claim = |name: &str| claims[name].as_str().map(str::to_owned);
        let namespace = claim("kubernetes.io/serviceaccount/namespace");
        let secret = claim("kubernetes.io/serviceaccount/secret.name");
        match (namespace, secret) {
            (Some(namespace), Some(secret)) => End::WithSecret(namespace, secret),
            (_, _) => End::Unknown,
        }
    }

    /// What is to be done about the former token, if anything.
    pub fn advice(&self) -> Option<String> {
        match self {
            End::At(_) => None,
            End::WithSecret(namespace, secret) => Some(format!(
                "The former token has no end. It ends with its Secret: kubectl --namespace \
                 {namespace} delete secret {secret}"
            )),
            End::Unknown => Some(
                "The former token does not say when it ends. If it has no end, revoke it where it \
                 was made."
                    .to_owned(),
            ),
        }
    }
}

/// The new token is in place.
#[derive(Clone, Debug, PartialEq)]
pub struct Renewed {
    /// The SSM parameter.
    pub parameter: String,
    /// Its new version.
    pub version: i64,
    /// When the new token ends.
    pub until: Timestamp,
    /// How the former one does.
    pub former: End,
    /// Whether the new one ends earlier than was asked for.
    pub short: bool,
}

impl Renewed {
    /// The function's answer.
    pub fn answer(&self) -> Value {
        json!({"parameter": self.parameter, "version": self.version,
            "validUntil": format!("{:.0}", self.until)})
    }
}

/// What a call to the cluster was for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// To learn whose token the present one is.
    Ask,
    /// To have a new one issued.
    Issue,
    /// To try the new one.
    Try,
}

/// Why there is no new token.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// The event is wrong.
    Event(Vec<Fault>),
    /// The function's environment is wrong.
    Environment(Vec<Fault>),
    /// The parameter is named with a version or label.
    Pinned,
    /// The parameter belongs to another account.
    Shared,
    /// The parameter is no SecureString.
    Plain,
    /// The present token, the CA, or how they are kept cannot be read.
    NoAccess(CredentialsError),
    /// The cluster does not do what it is asked to.
    Call(Step, CallError),
    /// The cluster does not say whose token it is.
    Nameless,
    /// The present token is not a ServiceAccount's, but this user's.
    NoAccount(String),
    /// What the cluster issued cannot be used.
    Unusable(&'static str),
    /// The new one would end at this time, too soon for the schedule.
    Short(Timestamp),
    /// The present token is the first one's, the new one the second one's, or with other groups.
    Stranger(String, String),
    /// The new token cannot be stored.
    NotStored(CredentialsError),
    /// The code broke here.
    Broken(String),
}

/// What is known of the present token, for the words where it is not renewed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Present {
    /// The SSM parameter that it is in.
    pub parameter: Option<String>,
    /// The region of that.
    pub region: Option<String>,
    /// How it ends, where it was read.
    pub end: Option<End>,
}

impl Present {
    /// What happened, what holds all the same, what to do.
    pub fn not_renewed(&self, why: &Why) -> String {
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
    fn holds(&self, why: &Why) -> String {
        match (why, &self.end) {
            // It was asked with the present token, and that was not taken.
            (Why::Call(Step::Ask, CallError::Refused(Refusal { code: 401, .. })), _)
            | (Why::NoAccess(CredentialsError::Expired(..)), _) => {
                "No deploy works until a valid one is stored.".to_owned()
            }
            (Why::NotStored(error), Some(End::At(at))) if is_lost(error) => format!(
                "Whether the new one arrived all the same is not known. Either is valid, the \
                 former until {at:.0}."
            ),
            (Why::NotStored(error), _) if is_lost(error) => {
                "Whether the new one arrived all the same is not known. Either is valid.".to_owned()
            }
            (_, None) => "Nothing was changed.".to_owned(),
            (_, Some(End::At(at))) => format!("The present one was kept, and ends at {at:.0}."),
            (_, Some(End::WithSecret(..))) => {
                "The present one was kept, and has no end.".to_owned()
            }
            (_, Some(End::Unknown)) => "The present one was kept.".to_owned(),
        }
    }
}

/// How a first token is made, where there is none that could be renewed.
const FIRST: &str = "`make access ARGS=\"--namespace NAMESPACE --rotation --apply\"` makes a new \
    one and stores it, or `kubectl create token landfall --namespace NAMESPACE --duration 24h` and \
    `aws ssm put-parameter --overwrite` under the same key";

impl Why {
    /// What happened, and what to do.
    fn words(&self, place: &ParameterPlace) -> (String, String) {
        let owned = |why: &str, next: &str| (why.to_owned(), next.to_owned());
        match self {
            Why::Event(faults) => (
                format!("the event is wrong: {}", list(faults)),
                "Correct the input of the schedule, or the event.".to_owned(),
            ),
            Why::Environment(faults) => (
                format!("the function's environment is wrong: {}", list(faults)),
                "Correct the function's environment variables.".to_owned(),
            ),
            Why::Pinned => owned(
                "K8S_TOKEN_PARAMETER names one version or label of it, and a new version would \
                 never be read",
                "Name the parameter alone, without `:` and what follows.",
            ),
            Why::Shared => owned(
                "it belongs to another AWS account, and only that can store a new version",
                "Rotate it there, or keep the token in a parameter of this account.",
            ),
            Why::Plain => owned(
                "it is not a SecureString, so that its tokens would be kept in clear text",
                "SSM cannot change the type of a parameter: delete it, and store the token again \
                 with `--type SecureString`.",
            ),
            Why::NoAccess(error) | Why::NotStored(error) => (reason(error), remedy(error, place)),
            Why::Call(step, error) => step.words(error),
            Why::Nameless => owned(
                "the cluster does not say whose the present one is",
                "Is K8S_CLUSTER the API server itself, and not a proxy?",
            ),
            Why::NoAccount(user) => (
                format!("it belongs to `{user}`, and only ServiceAccounts can have new tokens"),
                format!("Use a ServiceAccount's, or switch the rotation off. {FIRST}."),
            ),
            Why::Unusable(what) => (
                format!("the cluster did issue a new one, but {what}"),
                "Compare the clocks of the cluster and AWS, then try again.".to_owned(),
            ),
            Why::Short(until) => (
                format!("the cluster grants a new one only until {until:.0}, less than 16 hours"),
                "Renewed every 8 hours, it would end where one renewal fails. Raise the API \
                 server's `--service-account-max-token-expiration` to a day, or keep a token \
                 without an end (deploy/token-secret.yaml) and switch the rotation off."
                    .to_owned(),
            ),
            Why::Stranger(former, new) if former == new => (
                format!("the new one is `{new}`'s as well, with another uid or other groups"),
                "Was the ServiceAccount made anew? Try again; if it stays so, ask the cluster's \
                 administrator."
                    .to_owned(),
            ),
            Why::Stranger(former, new) => (
                format!("it belongs to `{former}`, and the new one to `{new}`"),
                "Ask the cluster's administrator how it signs people in.".to_owned(),
            ),
            Why::Broken(place) => (
                format!("Landfall itself broke at {place}"),
                "Report this place as a bug. To try again is safe.".to_owned(),
            ),
        }
    }
}

fn list(faults: &[Fault]) -> String {
    let line = |fault: &Fault| format!("`{}` {}", fault.field, fault.problem);
    faults.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// Whether a write may have been done: its answer was lost, or SSM broke on the way.
fn is_lost(error: &CredentialsError) -> bool {
    matches!(
        error,
        CredentialsError::Unreachable(_) | CredentialsError::Broken(_)
    )
}

/// What is wrong with parameters. That the token's is meant has been said.
fn reason(error: &CredentialsError) -> String {
    match error {
        CredentialsError::Expired(_, at, _) => format!("it expired at {at:.0}"),
        CredentialsError::NoToken(_, what) => format!("it {what}"),
        CredentialsError::Missing(_)
        | CredentialsError::Denied(..)
        | CredentialsError::KeyDenied(..)
        | CredentialsError::KeyUnusable(..)
        | CredentialsError::NotSigned(_)
        | CredentialsError::Throttled(_)
        | CredentialsError::Broken(_)
        | CredentialsError::Refused(_)
        | CredentialsError::Unreachable(_)
        | CredentialsError::Ca(_) => error.to_string(),
    }
}

/// What to do about parameters that cannot be read or written.
fn remedy(error: &CredentialsError, place: &ParameterPlace) -> String {
    match error {
        CredentialsError::NoToken(..) | CredentialsError::Expired(..) => format!("{FIRST}."),
        CredentialsError::Missing(_)
        | CredentialsError::Denied(..)
        | CredentialsError::KeyDenied(..)
        | CredentialsError::KeyUnusable(..)
        | CredentialsError::NotSigned(_)
        | CredentialsError::Throttled(_)
        | CredentialsError::Broken(_)
        | CredentialsError::Refused(_)
        | CredentialsError::Unreachable(_)
        | CredentialsError::Ca(_) => without_stage(&report::access::next(error, place)),
    }
}

/// A renewal has no stage that could be retried.
fn without_stage(next: &str) -> String {
    next.replace("Retry the stage", "Try again")
        .replace("retry the stage", "try again")
}

impl Step {
    fn words(self, error: &CallError) -> (String, String) {
        let what = match self {
            Step::Ask => "ask whose the present one is",
            Step::Issue => "issue a new one",
            Step::Try => "try the new one",
        };
        match report::trouble(error, what) {
            Ok((_, _, why, next)) => (why, without_stage(&next)),
            Err(refusal) => self.refused(what, refusal),
        }
    }

    fn refused(self, what: &str, refusal: &Refusal) -> (String, String) {
        let said = report::said(refusal);
        let told = |why: &str, next: &str| (format!("{why} ({said})"), next.to_owned());
        let why = || report::refusal::why(refusal, what);
        match (refusal.cause(), self) {
            (Cause::Anonymous, _) => (
                why(),
                "Whatever stands between the function and the API server removes the \
                 `Authorization` header: set K8S_CLUSTER to the API server itself."
                    .to_owned(),
            ),
            (Cause::Policy(_) | Cause::Webhook { .. }, _) => (
                why(),
                "Have the policy or the webhook looked at, then try again. No permission is \
                 missing."
                    .to_owned(),
            ),
            (Cause::Quota, _) => (
                why(),
                "Raise the quota, then try again. No permission is missing.".to_owned(),
            ),
            (Cause::NamespaceEnding, _) => (
                why(),
                "Make the namespace and the ServiceAccount anew, and store a first token of it."
                    .to_owned(),
            ),
            (Cause::NotKubernetes, _) => told(
                "what answers at K8S_CLUSTER is not a Kubernetes API server",
                "A proxy, a load balancer or a firewall refuses the call.",
            ),
            (Cause::Token, Step::Ask | Step::Issue) => told(
                "the cluster does not accept the present one any more",
                &format!("{FIRST}."),
            ),
            (Cause::Token, Step::Try) => told(
                "the cluster issued a new one and does not accept it",
                "Try again; if it stays so, its API servers do not have the same keys.",
            ),
            (Cause::Permission(_), Step::Issue) => told(
                "its ServiceAccount may not create tokens for itself",
                "Apply deploy/rbac-rotation.yaml, with the ServiceAccount's name and namespace.",
            ),
            (Cause::Permission(_), Step::Ask | Step::Try) => told(
                &format!("the cluster does not let it {what}"),
                "Every user may ask that by the ClusterRole `system:basic-user`: bind it to the \
                 group `system:authenticated` again.",
            ),
            (Cause::Unexplained, _) => (
                why(),
                "See whether the ServiceAccount may create tokens for itself \
                 (deploy/rbac-rotation.yaml); if it may, a policy of the cluster refuses it, and \
                 the API server's log says which."
                    .to_owned(),
            ),
            (Cause::Busy, _) => told(
                &format!("the cluster could not {what} just now"),
                "Try again; the function did so itself until it gave up.",
            ),
            (Cause::Object, Step::Ask | Step::Try) if refusal.code == 404 => told(
                "the cluster knows no SelfSubjectReview",
                "Kubernetes 1.28 or later is needed.",
            ),
            (Cause::Object | Cause::Conflict, _) => told(
                &format!("the cluster refused to {what}"),
                "Correct what it names, then try again.",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
