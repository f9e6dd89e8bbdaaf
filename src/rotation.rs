//! Renewing the cluster's token: what is asked for, whether what came is good, and what is said.

use crate::cluster::refusal::Cause;
use crate::cluster::{CallError, Refusal};
use crate::credentials::{CredentialsError, Token};
use crate::report;
use crate::request::{Fault, duration};
use aws_sdk_ssm::types::{ParameterHistory, ParameterType};
use jiff::Timestamp;
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
                    faults.push(Fault::new(report::clip(other, 50), problem));
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
            let given = report::clip(&value.to_string(), 50);
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
        if token.reveal().is_empty() || token.header().is_none() {
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
    /// How it ends, where it was read.
    pub end: Option<End>,
}

impl Present {
    /// What happened, what holds all the same, what to do.
    pub fn not_renewed(&self, why: &Why) -> String {
        let (happened, next) = why.words();
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
            (Why::NotStored(CredentialsError::Unreachable(_)), Some(End::At(at))) => format!(
                "Whether the new one arrived all the same is not known. Either is valid, the \
                 former until {at:.0}."
            ),
            (Why::NotStored(CredentialsError::Unreachable(_)), _) => {
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
    fn words(&self) -> (String, String) {
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
            Why::NoAccess(error) | Why::NotStored(error) => (reason(error), remedy(error)),
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

/// What is wrong with parameters. That the token's is meant has been said.
fn reason(error: &CredentialsError) -> String {
    match error {
        CredentialsError::Expired(_, at) => format!("it expired at {at:.0}"),
        CredentialsError::NoToken(_, what) => format!("it {what}"),
        CredentialsError::Missing(_)
        | CredentialsError::Denied(..)
        | CredentialsError::Refused(_)
        | CredentialsError::Unreachable(_)
        | CredentialsError::Ca(_) => error.to_string(),
    }
}

/// What to do about parameters that cannot be read or written.
fn remedy(error: &CredentialsError) -> String {
    match error {
        CredentialsError::Denied(..) => {
            "Grant it to the function's role; with a key of your own, the key's policy must allow \
             it, too."
        }
        CredentialsError::Unreachable(_) => {
            "Try again. In a VPC the function needs a route to SSM, or its interface endpoint."
        }
        CredentialsError::NoToken(..) | CredentialsError::Expired(..) => {
            return format!("{FIRST}.");
        }
        CredentialsError::Missing(_) => {
            "Store what is missing, or correct the function's environment."
        }
        CredentialsError::Refused(_) | CredentialsError::Ca(_) => {
            "Correct the parameter, its key or the function's environment, then try again."
        }
    }
    .to_owned()
}

impl Step {
    fn words(self, error: &CallError) -> (String, String) {
        let what = match self {
            Step::Ask => "ask whose the present one is",
            Step::Issue => "issue a new one",
            Step::Try => "try the new one",
        };
        match report::trouble(error, what) {
            Ok((_, _, why, next)) => (why, next),
            Err(refusal) => self.refused(what, refusal),
        }
    }

    fn refused(self, what: &str, refusal: &Refusal) -> (String, String) {
        let said = report::said(refusal);
        let told = |why: &str, next: &str| (format!("{why} ({said})"), next.to_owned());
        match (self, refusal.code) {
            _ if matches!(
                refusal.cause(),
                Cause::Anonymous | Cause::Policy(_) | Cause::Webhook { .. }
            ) =>
            {
                let why = report::refusal::why(refusal, what);
                let next = if refusal.cause() == Cause::Anonymous {
                    "Whatever stands between the function and the API server removes the \
                     `Authorization` header: set K8S_CLUSTER to the API server itself."
                } else {
                    "Have the policy or the webhook looked at, then try again."
                };
                (why, next.to_owned())
            }
            (_, 400..=403) if !refusal.is_status => told(
                "what answers at K8S_CLUSTER is not a Kubernetes API server",
                "A proxy, a load balancer or a firewall refuses the call.",
            ),
            (Step::Ask, 401) => told(
                "the cluster does not accept the present one any more",
                &format!("{FIRST}."),
            ),
            (Step::Try, 401) => told(
                "the cluster issued a new one and does not accept it",
                "Try again; if it stays so, its API servers do not have the same keys.",
            ),
            (Step::Issue, 403) => told(
                "its ServiceAccount may not create tokens for itself",
                "Apply deploy/rbac-rotation.yaml, with the ServiceAccount's name and namespace.",
            ),
            (Step::Ask | Step::Try, 404) => told(
                "the cluster knows no SelfSubjectReview",
                "Kubernetes 1.28 or later is needed.",
            ),
            (_, 401 | 403) => told(
                &format!("the cluster does not let it {what}"),
                "Ask the cluster's administrator.",
            ),
            (_, 429 | 500..) => told(
                &format!("the cluster could not {what} just now"),
                "Try again; the function did so itself until it gave up.",
            ),
            (_, _) => told(
                &format!("the cluster refused to {what}"),
                "Correct what it names, then try again.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use insta::assert_snapshot;

    const NOW: &str = "2026-01-01T00:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn jwt(claims: &Value) -> Token {
        Token::new(&format!(
            "e30.{}.sig",
            URL_SAFE_NO_PAD.encode(claims.to_string())
        ))
    }

    fn fields(event: Value) -> Vec<String> {
        match Wish::read(&event) {
            Err(Why::Event(faults)) => faults.into_iter().map(|fault| fault.field).collect(),
            other => panic!("{event}: {other:?}"),
        }
    }

    #[test]
    fn an_event_is_read_or_all_its_faults_are_named() {
        for (event, seconds) in [
            (json!({"rotate": true}), 86_400),
            (json!({"rotate": true, "lifetime": "24h"}), 86_400),
            (json!({"rotate": true, "lifetime": "30h30m"}), 109_800),
            (json!({"rotate": true, "lifetime": "168h"}), 604_800),
        ] {
            let lifetime = Duration::from_secs(seconds);
            assert_eq!(Wish::read(&event), Ok(Wish { lifetime }), "{event}");
            assert!(is_meant(&event));
        }
        for (event, faulty) in [
            (json!({"rotate": false}), vec!["rotate"]),
            (json!({"rotate": "true"}), vec!["rotate"]),
            (json!({"rotate": null}), vec!["rotate"]),
            (json!({"rotate": true, "lifetime": null}), vec!["lifetime"]),
            (json!({"rotate": true, "lifetime": 600}), vec!["lifetime"]),
            (
                json!({"rotate": true, "lifetime": "599s"}),
                vec!["lifetime"],
            ),
            (
                json!({"rotate": true, "lifetime": "8761h"}),
                vec!["lifetime"],
            ),
            (
                json!({"rotate": 1, "lifetime": "x", "source": "aws.events"}),
                vec!["rotate", "source", "lifetime"],
            ),
        ] {
            assert_eq!(fields(event.clone()), faulty, "{event}");
        }
        for other in [json!({}), json!(null), json!([]), json!("rotate")] {
            assert!(!is_meant(&other), "{other}");
        }
    }

    #[test]
    fn a_name_with_version_or_label_is_pinned() {
        let arn = "arn:aws:ssm:eu-central-1:111122223333:parameter/k8s/token";
        for free in ["k8s-bear-token", "/k8s/token", arn] {
            assert_eq!(unpinned(free), Ok(()), "{free}");
        }
        for pinned in ["t:1", "/k8s/token:good", &format!("{arn}:3")] {
            assert_eq!(unpinned(pinned), Err(Why::Pinned), "{pinned}");
        }
    }

    #[test]
    fn only_a_secure_string_of_our_own_is_renewed() {
        let kept = |name: &str, kind: ParameterType| {
            ParameterHistory::builder().name(name).r#type(kind).build()
        };
        let secure = ParameterType::SecureString;
        assert_eq!(renewable(&kept("t", secure.clone())), Ok(()));
        let plain = renewable(&kept("t", ParameterType::String));
        assert_eq!(plain, Err(Why::Plain));
        let shared = renewable(&kept("arn:aws:ssm:r:1:parameter/t", secure));
        assert_eq!(shared, Err(Why::Shared));
    }

    fn review(name: &str, uid: &str, groups: &[&str]) -> Value {
        json!({"status": {"userInfo": {"username": name, "uid": uid, "groups": groups}}})
    }

    #[test]
    fn a_service_account_is_known_by_the_name_that_the_cluster_gives() {
        let account = |name: &str| {
            let holder = Holder::read(&review(name, "", &[])).expect("it has a name");
            holder
                .account()
                .map(|(space, name)| format!("{space}/{name}"))
        };
        for (name, expected) in [
            ("system:serviceaccount:shop:landfall", "shop/landfall"),
            ("system:serviceaccount:a-1:b.c", "a-1/b.c"),
        ] {
            assert_eq!(account(name).as_deref(), Ok(expected));
        }
        for name in [
            "admin",
            "system:node:one",
            "system:serviceaccount:shop",
            "system:serviceaccount::landfall",
            "system:serviceaccount:shop:",
            "system:serviceaccount:shop:..",
            "system:serviceaccount:shop:a/b",
            "system:serviceaccount:shop:a:b",
            "arn:aws:iam::111122223333:role/deploy",
        ] {
            assert_eq!(account(name), Err(Why::NoAccount(name.to_owned())));
        }
        for empty in [json!({}), review("", "", &[]), json!({"status": "x"})] {
            assert_eq!(Holder::read(&empty), Err(Why::Nameless), "{empty}");
        }
    }

    #[test]
    fn a_new_token_has_the_same_holder_with_the_same_rights() {
        let holder = |name, uid, groups: &[&str]| {
            Holder::read(&review(name, uid, groups)).expect("it has a name")
        };
        let old = holder("system:serviceaccount:a:b", "1", &["x", "y"]);
        assert_eq!(old.same(&old), Ok(()));
        let reordered = holder("system:serviceaccount:a:b", "1", &["y", "x"]);
        assert_eq!(old.same(&reordered), Ok(()));
        for other in [
            holder("system:serviceaccount:a:c", "1", &["x", "y"]),
            holder("system:serviceaccount:a:b", "2", &["x", "y"]),
            holder("system:serviceaccount:a:b", "1", &["x"]),
            holder("system:serviceaccount:a:b", "1", &["x", "y", "z"]),
        ] {
            assert!(old.same(&other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn what_is_issued_must_be_a_token_with_an_end() {
        let answer = |token: &str, until: &str| json!({"status": {"token": token, "expirationTimestamp": until}});
        let now = at(NOW);
        let good = answer("a.b.c", "2026-01-02T00:00:00Z");
        let issued = Issued::read(&good, now).expect("it is good");
        assert_eq!(issued.until, at("2026-01-02T00:00:00Z"));
        assert!(!format!("{issued:?}").contains("a.b.c"));
        for bad in [
            json!({}),
            answer("", "2026-01-02T00:00:00Z"),
            answer("a\nb", "2026-01-02T00:00:00Z"),
            answer("a.b.c", ""),
            answer("a.b.c", "tomorrow"),
            answer("a.b.c", NOW),
            answer("a.b.c", "2025-12-31T23:59:59Z"),
        ] {
            let read = Issued::read(&bad, now);
            assert!(matches!(read, Err(Why::Unusable(_))), "{bad}");
        }
        for (lifetime, is_short) in [
            (86_400, false),
            (86_455, false),
            (86_465, true),
            (600, false),
        ] {
            let lifetime = Duration::from_secs(lifetime);
            assert_eq!(issued.is_short(&Wish { lifetime }, now), is_short);
        }
        for (hours, lasts) in [(7, true), (8, true), (9, false), (23, false)] {
            let later = now + Duration::from_secs(hours * 3600);
            assert_eq!(issued.lasts(later).is_ok(), lasts, "{hours}");
        }
    }

    #[test]
    fn how_a_token_ends_is_read_from_it() {
        let end = |claims: Value| End::of(&jwt(&claims));
        let expiring = end(json!({"exp": 1_767_225_600}));
        assert_eq!(expiring, End::At(at(NOW)));
        assert_eq!(expiring.advice(), None);
        let secret = end(json!({"kubernetes.io/serviceaccount/namespace": "shop",
            "kubernetes.io/serviceaccount/secret.name": "landfall-token"}));
        assert_eq!(
            secret,
            End::WithSecret("shop".into(), "landfall-token".into())
        );
        let advice = secret.advice().expect("it goes on");
        assert!(advice.ends_with("kubectl --namespace shop delete secret landfall-token"));
        for claims in [json!({}), json!([]), json!({"exp": "soon"})] {
            assert_eq!(end(claims), End::Unknown);
        }
        assert_eq!(End::of(&Token::new("opaque")), End::Unknown);
    }

    #[test]
    fn an_answer_names_parameter_version_and_end() {
        let renewed = Renewed {
            parameter: "t".into(),
            version: 3,
            until: at("2026-01-02T00:00:00.25Z"),
            former: End::Unknown,
            short: false,
        };
        let expected =
            json!({"parameter": "t", "version": 3, "validUntil": "2026-01-02T00:00:00Z"});
        assert_eq!(renewed.answer(), expected);
    }

    fn refused(code: u16, message: &str) -> CallError {
        CallError::Refused(Refusal {
            code,
            message: message.into(),
            is_status: true,
            ..Refusal::default()
        })
    }

    fn told(end: Option<End>, whys: impl IntoIterator<Item = Why>) -> String {
        let present = Present {
            parameter: Some("t".into()),
            end,
        };
        let texts = whys
            .into_iter()
            .map(|why| wrapped(&present.not_renewed(&why)));
        texts.collect::<Vec<_>>().join("\n--\n")
    }

    fn wrapped(text: &str) -> String {
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            if lines
                .last()
                .is_some_and(|line| line.len() + word.len() > 85)
            {
                lines.push(String::new());
            }
            let line = lines.last_mut().expect("there is one");
            line.push_str(word);
            line.push(' ');
        }
        lines.join("\n").replace(" \n", "\n").trim_end().to_owned()
    }

    #[test]
    fn words_for_what_cannot_be_renewed() {
        assert_snapshot!(told(None, [
            Why::Event(vec![Fault::new("rotate", "must be `true`")]),
            Why::Pinned,
            Why::NoAccess(CredentialsError::Expired("t".into(), at(NOW))),
            Why::NoAccess(CredentialsError::NoToken("t".into(), "is empty")),
            Why::NoAccess(CredentialsError::Missing("`t`".into())),
            Why::Broken("src/x.rs:1".into()),
        ]), @r#"
        The token in SSM parameter `t` was not renewed: the event is wrong: `rotate` must be
        `true`. Nothing was changed. Correct the input of the schedule, or the event.
        --
        The token in SSM parameter `t` was not renewed: K8S_TOKEN_PARAMETER names one version
        or label of it, and a new version would never be read. Nothing was changed. Name the
        parameter alone, without `:` and what follows.
        --
        The token in SSM parameter `t` was not renewed: it expired at 2026-01-01T00:00:00Z.
        No deploy works until a valid one is stored. `make access ARGS="--namespace NAMESPACE
        --rotation --apply"` makes a new one and stores it, or `kubectl create token landfall
        --namespace NAMESPACE --duration 24h` and `aws ssm put-parameter --overwrite` under
        the same key.
        --
        The token in SSM parameter `t` was not renewed: it is empty. Nothing was changed.
        `make access ARGS="--namespace NAMESPACE --rotation --apply"` makes a new one and
        stores it, or `kubectl create token landfall --namespace NAMESPACE --duration 24h`
        and `aws ssm put-parameter --overwrite` under the same key.
        --
        The token in SSM parameter `t` was not renewed: SSM has no parameter `t` (with that
        version or label) in this account and region. Nothing was changed. Store what is
        missing, or correct the function's environment.
        --
        The token in SSM parameter `t` was not renewed: Landfall itself broke at src/x.rs:1.
        Nothing was changed. Report this place as a bug. To try again is safe.
        "#);
        assert_snapshot!(told(Some(End::At(at(NOW))), [
            Why::Shared,
            Why::Plain,
            Why::Nameless,
            Why::NoAccount("admin".into()),
            Why::Unusable("the new token has ended already"),
            Why::Stranger("a".into(), "b".into()),
            Why::Stranger("a".into(), "a".into()),
        ]), @r#"
        The token in SSM parameter `t` was not renewed: it belongs to another AWS account,
        and only that can store a new version. The present one was kept, and ends at
        2026-01-01T00:00:00Z. Rotate it there, or keep the token in a parameter of this
        account.
        --
        The token in SSM parameter `t` was not renewed: it is not a SecureString, so that its
        tokens would be kept in clear text. The present one was kept, and ends at
        2026-01-01T00:00:00Z. SSM cannot change the type of a parameter: delete it, and store
        the token again with `--type SecureString`.
        --
        The token in SSM parameter `t` was not renewed: the cluster does not say whose the
        present one is. The present one was kept, and ends at 2026-01-01T00:00:00Z. Is
        K8S_CLUSTER the API server itself, and not a proxy?
        --
        The token in SSM parameter `t` was not renewed: it belongs to `admin`, and only
        ServiceAccounts can have new tokens. The present one was kept, and ends at
        2026-01-01T00:00:00Z. Use a ServiceAccount's, or switch the rotation off. `make
        access ARGS="--namespace NAMESPACE --rotation --apply"` makes a new one and stores
        it, or `kubectl create token landfall --namespace NAMESPACE --duration 24h` and `aws
        ssm put-parameter --overwrite` under the same key.
        --
        The token in SSM parameter `t` was not renewed: the cluster did issue a new one, but
        the new token has ended already. The present one was kept, and ends at
        2026-01-01T00:00:00Z. Compare the clocks of the cluster and AWS, then try again.
        --
        The token in SSM parameter `t` was not renewed: it belongs to `a`, and the new one to
        `b`. The present one was kept, and ends at 2026-01-01T00:00:00Z. Ask the cluster's
        administrator how it signs people in.
        --
        The token in SSM parameter `t` was not renewed: the new one is `a`'s as well, with
        another uid or other groups. The present one was kept, and ends at
        2026-01-01T00:00:00Z. Was the ServiceAccount made anew? Try again; if it stays so,
        ask the cluster's administrator.
        "#);
    }

    #[test]
    fn words_for_what_aws_and_the_cluster_say() {
        let denied = CredentialsError::Denied("ssm:PutParameter", "AccessDenied: no".into());
        let away = CredentialsError::Unreachable("it did not answer in time".into());
        assert_snapshot!(told(Some(End::At(at(NOW))), [
            Why::NotStored(denied),
            Why::NotStored(away.clone()),
            Why::NoAccess(away),
        ]), @r#"
    The token in SSM parameter `t` was not renewed: AWS denies ssm:PutParameter
    (AccessDenied: no). The present one was kept, and ends at 2026-01-01T00:00:00Z. Grant
    it to the function's role; with a key of your own, the key's policy must allow it,
    too.
    --
    The token in SSM parameter `t` was not renewed: SSM could not be reached: it did not
    answer in time. Whether the new one arrived all the same is not known. Either is
    valid, the former until 2026-01-01T00:00:00Z. Try again. In a VPC the function needs
    a route to SSM, or its interface endpoint.
    --
    The token in SSM parameter `t` was not renewed: SSM could not be reached: it did not
    answer in time. The present one was kept, and ends at 2026-01-01T00:00:00Z. Try
    again. In a VPC the function needs a route to SSM, or its interface endpoint.
    "#);
        let forever = End::WithSecret("shop".into(), "landfall-token".into());
        assert_snapshot!(told(Some(forever), [
            Why::Call(Step::Ask, refused(401, "Unauthorized")),
            Why::Call(Step::Ask, refused(404, "the server could not find the resource")),
            Why::Call(Step::Ask, refused(403, "no")),
            Why::Call(Step::Issue, refused(403, "serviceaccounts \"landfall\" is forbidden")),
            Why::Call(Step::Issue, refused(422, "spec.expirationSeconds: Invalid value")),
            Why::Call(Step::Issue, refused(503, "")),
            Why::Call(Step::Try, refused(401, "Unauthorized")),
            Why::Call(Step::Try, CallError::OutOfTime),
            Why::Call(Step::Ask, CallError::Unreachable("connection refused".into())),
        ]), @r#"
        The token in SSM parameter `t` was not renewed: the cluster does not accept the
        present one any more (HTTP 401, "Unauthorized"). No deploy works until a valid one is
        stored. `make access ARGS="--namespace NAMESPACE --rotation --apply"` makes a new one
        and stores it, or `kubectl create token landfall --namespace NAMESPACE --duration
        24h` and `aws ssm put-parameter --overwrite` under the same key.
        --
        The token in SSM parameter `t` was not renewed: the cluster knows no
        SelfSubjectReview (HTTP 404, "the server could not find the resource"). The present
        one was kept, and has no end. Kubernetes 1.28 or later is needed.
        --
        The token in SSM parameter `t` was not renewed: the cluster does not let it ask whose
        the present one is (HTTP 403, "no"). The present one was kept, and has no end. Ask
        the cluster's administrator.
        --
        The token in SSM parameter `t` was not renewed: its ServiceAccount may not create
        tokens for itself (HTTP 403, "serviceaccounts "landfall" is forbidden"). The present
        one was kept, and has no end. Apply deploy/rbac-rotation.yaml, with the
        ServiceAccount's name and namespace.
        --
        The token in SSM parameter `t` was not renewed: the cluster refused to issue a new
        one (HTTP 422, "spec.expirationSeconds: Invalid value"). The present one was kept,
        and has no end. Correct what it names, then try again.
        --
        The token in SSM parameter `t` was not renewed: the cluster could not issue a new one
        just now (HTTP 503). The present one was kept, and has no end. Try again; the
        function did so itself until it gave up.
        --
        The token in SSM parameter `t` was not renewed: the cluster issued a new one and does
        not accept it (HTTP 401, "Unauthorized"). The present one was kept, and has no end.
        Try again; if it stays so, its API servers do not have the same keys.
        --
        The token in SSM parameter `t` was not renewed: there was no time left to try the new
        one. The present one was kept, and has no end. Retry; if it stays so, raise the
        function's timeout.
        --
        The token in SSM parameter `t` was not renewed: the cluster could not be reached:
        connection refused. The present one was kept, and has no end. The host is there, and
        nothing listens on the port: correct the port of K8S_CLUSTER, or see whether the API
        server runs. Then retry.
        "#);
    }
}
