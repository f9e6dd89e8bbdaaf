//! Renewing the cluster's token: what is asked for, and whether what came is good.

use crate::kubernetes::CallError;
use crate::kubernetes::token::Token;
use crate::outcome::CredentialsError;
use crate::problem::{Fault, kept};
use crate::text::{clip, duration};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// The field of an event that requests it.
pub const ROTATE: &str = "rotate";

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
pub struct RotationRequest {
    /// How long the new token is to live.
    pub lifetime: Duration,
}

impl RotationRequest {
    /// Reads the event, or names everything that is wrong with it.
    pub fn read(event: &Value) -> Result<RotationRequest, Vec<Fault>> {
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
        match kept(&mut faults, LIFETIME, lifetime) {
            Some(lifetime) if faults.is_empty() => Ok(RotationRequest { lifetime }),
            _ => Err(faults),
        }
    }
}

fn lifetime(value: &Value) -> Result<Duration, String> {
    let read = value.as_str().and_then(duration);
    let read = read.filter(|it| (SHORTEST_LIFETIME..=LONGEST_LIFETIME).contains(it));
    read.ok_or_else(|| {
        let given = clip(&value.to_string(), 50);
        format!("must be a duration from \"24h\" to \"168h\", and is {given}")
    })
}

/// Refuses a parameter that names one version or label: a new version would not be read.
pub fn unpinned(parameter: &str) -> Result<(), RotationError> {
    // arn:aws:ssm:REGION:ACCOUNT:parameter/NAME has colons of its own.
    let name = match parameter.starts_with("arn:") {
        true => parameter.splitn(6, ':').last().unwrap_or_default(),
        false => parameter,
    };
    match name.contains(':') {
        true => Err(RotationError::Pinned),
        false => Ok(()),
    }
}

/// Refuses a parameter that cannot have a new version from here.
pub fn renewable(name: Option<&str>, is_secure: bool) -> Result<(), RotationError> {
    match name {
        // Of a parameter that another account shares, SSM tells the ARN.
        Some(name) if name.starts_with("arn:") => Err(RotationError::Shared),
        Some(_) if is_secure => Ok(()),
        Some(_) | None => Err(RotationError::Plain),
    }
}

/// Whose token it is, by the cluster's word.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenSubject {
    name: String,
    uid: String,
    groups: BTreeSet<String>,
}

impl TokenSubject {
    /// Reads a SelfSubjectReview.
    pub fn read(review: &Value) -> Result<TokenSubject, RotationError> {
        let info = &review["status"]["userInfo"];
        let text = |field: &str| info[field].as_str().unwrap_or_default().to_owned();
        let groups = info["groups"].as_array().into_iter().flatten();
        let holder = TokenSubject {
            name: text("username"),
            uid: text("uid"),
            groups: groups
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        };
        match holder.name.is_empty() {
            true => Err(RotationError::Nameless),
            false => Ok(holder),
        }
    }

    /// Namespace and name of the ServiceAccount. Nobody else can be given a token.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens>
    pub fn account(&self) -> Result<(&str, &str), RotationError> {
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
            .ok_or_else(|| RotationError::NoAccount(self.name.clone()))
    }

    /// Refuses a token of somebody else, or with other rights: they hang on name and groups.
    pub fn same(&self, new: &TokenSubject) -> Result<(), RotationError> {
        match self == new {
            true => Ok(()),
            false => Err(RotationError::Stranger(self.name.clone(), new.name.clone())),
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
    pub fn read(answer: &Value, now: Timestamp) -> Result<Issued, RotationError> {
        let status = &answer["status"];
        let token = Token::new(status["token"].as_str().unwrap_or_default());
        let until = status["expirationTimestamp"].as_str().unwrap_or_default();
        if token.reveal().is_empty() || !token.fits_a_header() {
            return Err(RotationError::Unusable("there is no token in its answer"));
        }
        match until.parse::<Timestamp>() {
            Ok(until) if until > now => Ok(Issued { token, until }),
            Ok(_) => Err(RotationError::Unusable("the new token has ended already")),
            Err(_) => Err(RotationError::Unusable(
                "it does not say when the new token ends",
            )),
        }
    }

    /// Refuses one that would end before the schedule has had two more tries.
    pub fn lasts(&self, now: Timestamp) -> Result<(), RotationError> {
        match self.until < now + LEAST_LEFT {
            true => Err(RotationError::Short(self.until)),
            false => Ok(()),
        }
    }

    /// Whether it ends before the time that was asked for.
    pub fn is_short(&self, wish: &RotationRequest, now: Timestamp) -> bool {
        self.until + CLOCKS < now + wish.lifetime
    }
}

/// How the token that was there ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Expiry {
    /// At this time.
    At(Timestamp),
    /// When its Secret (namespace and name) is deleted.
    WithSecret(String, String),
    /// It does not say.
    Unknown,
}

impl Expiry {
    /// What a token says of it.
    pub fn of(token: &Token) -> Expiry {
        if let Some(at) = token.expires() {
            return Expiry::At(at);
        }
        let claims = token.claims().unwrap_or_default();
        let claim = |name: &str| claims[name].as_str().map(str::to_owned);
        let namespace = claim("kubernetes.io/serviceaccount/namespace");
        let secret = claim("kubernetes.io/serviceaccount/secret.name");
        match (namespace, secret) {
            (Some(namespace), Some(secret)) => Expiry::WithSecret(namespace, secret),
            (_, _) => Expiry::Unknown,
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
    pub former: Expiry,
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
pub enum RotationStep {
    /// To learn whose token the present one is.
    Ask,
    /// To have a new one issued.
    Issue,
    /// To try the new one.
    Try,
}

/// Why there is no new token.
#[derive(Clone, Debug, PartialEq)]
pub enum RotationError {
    /// The event is wrong.
    Event(Vec<Fault>),
    /// The function's environment is wrong.
    Environment(Vec<Fault>),
    /// The function opens its cluster without a token in SSM.
    NoToken,
    /// The parameter is named with a version or label.
    Pinned,
    /// The parameter belongs to another account.
    Shared,
    /// The parameter is no SecureString.
    Plain,
    /// The present token, the CA, or how they are kept cannot be read.
    NoAccess(CredentialsError),
    /// The cluster does not do what it is asked to.
    Call(RotationStep, CallError),
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
pub struct CurrentToken {
    /// The SSM parameter that it is in.
    pub parameter: Option<String>,
    /// The region of that.
    pub region: Option<String>,
    /// How it ends, where it was read.
    pub end: Option<Expiry>,
}

#[cfg(test)]
mod tests;
