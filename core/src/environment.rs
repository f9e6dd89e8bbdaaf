//! The function's environment: which cluster, and what opens it.

use crate::eks::{self, AssumedRole, EksCluster};
use crate::formats::certificate;
use crate::kubernetes::server::{self, Paths};
use crate::kubernetes::token::appearance;
use crate::problem::{Fault, kept};
use std::fmt;

/// The token's parameter where none is named: the spelling of the article that many began with.
const DEFAULT_TOKEN_PARAMETER: &str = "k8s-bear-token";

/// The longest name of a parameter as an ARN, with a selector.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
const PARAMETER_LIMIT: usize = 2048;

/// What the name of a secret begins with, where Parameter Store is asked for it.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>
pub(crate) const SECRETS_MANAGER: &str = "/aws/reference/secretsmanager/";

/// The three variables of which one names the cluster.
const SOURCES: [&str; 3] = ["K8S_CLUSTER", "EKS_CLUSTER", "KUBECONFIG_PARAMETER"];

/// The variable with the bucket for artifacts of calls.
const BUCKET: &str = "ARTIFACT_BUCKET";

/// The variable with the bus that gets an event of each deploy's end.
const BUS: &str = "EVENT_BUS";

/// Variables that belong to one of the [`SOURCES`] alone.
const COMPANIONS: [(&str, &str); 5] = [
    ("K8S_TOKEN_PARAMETER", "K8S_CLUSTER"),
    ("K8S_CA", "K8S_CLUSTER"),
    ("K8S_CA_PARAMETER", "K8S_CLUSTER"),
    ("EKS_ROLE", "EKS_CLUSTER"),
    ("EKS_EXTERNAL_ID", "EKS_CLUSTER"),
];

/// What the function is set up for.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Which cluster, and what opens it.
    pub source: ClusterSource,
    /// The bucket from which artifacts are read for calls without a pipeline.
    pub artifact_bucket: Option<String>,
    /// The bus of EventBridge that gets an event of each deploy's end: its name or ARN.
    pub event_bus: Option<String>,
}

/// Which cluster, and what opens it.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterSource {
    /// One cluster, by a bearer token.
    Token(TokenSource),
    /// One cluster of EKS, by IAM.
    Eks(EksCluster),
    /// The clusters of a kubeconfig in this SSM parameter.
    Kubeconfig(String),
}

impl fmt::Display for ClusterSource {
    /// Writes what identifies the cluster in a continuation token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClusterSource::Token(source) => formatter.write_str(&source.cluster),
            ClusterSource::Eks(cluster) => write!(formatter, "{cluster}"),
            ClusterSource::Kubeconfig(parameter) => write!(formatter, "kubeconfig {parameter}"),
        }
    }
}

/// A cluster that a bearer token opens.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenSource {
    /// The API server, `https://host[:port]`, without a slash at the end.
    pub cluster: String,
    /// The SSM parameter with the bearer token: a name, `name:version` or `name:label`.
    pub token_parameter: String,
    /// Where the cluster's CA is.
    pub ca: CaSource,
}

/// Where the CA of the cluster is.
#[derive(Clone, Debug, PartialEq)]
pub enum CaSource {
    /// Nowhere: the public roots are trusted.
    Public,
    /// In an SSM parameter.
    Parameter(String),
    /// In the environment, as PEM.
    Given(String),
}

impl Environment {
    /// Reads the variables, or names everything that is wrong with them.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Environment, Vec<Fault>> {
        let given = |name: &str| {
            let value = variable(name).map(|value| value.trim().to_owned());
            value.filter(|value| !value.is_empty())
        };
        let mut faults = Vec::new();
        let sources = SOURCES.map(given);
        let named = SOURCES
            .iter()
            .zip(&sources)
            .filter(|(_, value)| value.is_some());
        let named = named.map(|(name, _)| *name).collect::<Vec<_>>();
        for (name, owner) in COMPANIONS {
            // Without any source the cluster of K8S_CLUSTER is missing.
            let is_own = named.is_empty() && owner == "K8S_CLUSTER";
            if !is_own && !named.contains(&owner) && given(name).is_some() {
                let problem = format!("belongs to {owner}, which is not given");
                faults.push(Fault::new(name, problem));
            }
        }
        if let [first, others @ ..] = &*named {
            faults.extend(others.iter().map(|name| {
                let problem = format!("is given beside {first}; give one of the two");
                Fault::new(*name, problem)
            }));
        }
        let [cluster, eks, kubeconfig] = sources;
        let mut found = Vec::new();
        if let Some(name) = eks {
            found.extend(eks_source(&name, given, &mut faults));
        }
        if let Some(name) = kubeconfig {
            let name = parameter("a kubeconfig", name);
            let name = kept(&mut faults, "KUBECONFIG_PARAMETER", name);
            found.extend(name.map(ClusterSource::Kubeconfig));
        }
        if cluster.is_some() || named.is_empty() {
            found.extend(token_source(cluster, given, &mut faults));
        }
        let mut name = |variable, is_valid: fn(&str) -> bool, problem: &str| {
            let name = given(variable)?;
            let read = is_valid(&name).then_some(name).ok_or(problem);
            kept(&mut faults, variable, read)
        };
        let problem = "must be the name of one bucket of S3, without s3:// and a key";
        let artifact_bucket = name(BUCKET, is_bucket, problem);
        let event_bus = name(BUS, is_bus, "must be the name or the ARN of an event bus");
        match found.pop() {
            Some(source) if faults.is_empty() => Ok(Environment {
                source,
                artifact_bucket,
                event_bus,
            }),
            _ => Err(faults),
        }
    }
}

/// Reads the variables of a cluster that a bearer token opens.
fn token_source(
    cluster: Option<String>,
    given: impl Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<ClusterSource> {
    let mut keep =
        |variable, read: Result<String, String>| kept(faults, variable, read).unwrap_or_default();
    let missing = "is missing: the API server, such as https://10.0.0.1:6443. For a cluster of EKS \
                   give EKS_CLUSTER instead, for a kubeconfig KUBECONFIG_PARAMETER";
    let cluster = cluster.ok_or(missing);
    let cluster = cluster.and_then(|cluster| server::address(&cluster, Paths::Refused));
    let cluster = keep("K8S_CLUSTER", cluster.map_err(str::to_owned));
    let ca = match (given("K8S_CA"), given("K8S_CA_PARAMETER")) {
        (None, None) => CaSource::Public,
        (None, Some(given)) => {
            CaSource::Parameter(keep("K8S_CA_PARAMETER", parameter("a certificate", given)))
        }
        (Some(ca), None) => {
            let ca = certificate::normalized(&ca);
            CaSource::Given(keep(
                "K8S_CA",
                ca.map_err(|why| format!("cannot be used: {why}")),
            ))
        }
        (Some(_), Some(_)) => {
            let problem = "is given beside K8S_CA_PARAMETER; give one of the two";
            CaSource::Given(keep("K8S_CA", Err(problem.to_owned())))
        }
    };
    let token_parameter = match given("K8S_TOKEN_PARAMETER") {
        Some(given) => keep("K8S_TOKEN_PARAMETER", parameter("a token", given)),
        None => DEFAULT_TOKEN_PARAMETER.to_owned(),
    };
    faults
        .is_empty()
        .then_some(ClusterSource::Token(TokenSource {
            cluster,
            token_parameter,
            ca,
        }))
}

/// Reads the variables of a cluster of EKS.
fn eks_source(
    name: &str,
    given: impl Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<ClusterSource> {
    let (role, id) = (given("EKS_ROLE"), given("EKS_EXTERNAL_ID"));
    if id.is_some() && role.is_none() {
        let problem = "is given without EKS_ROLE, the role that asks for it";
        faults.push(Fault::new("EKS_EXTERNAL_ID", problem));
    }
    let cluster = kept(faults, "EKS_CLUSTER", EksCluster::read(name));
    let role = role.and_then(|arn| kept(faults, "EKS_ROLE", AssumedRole::read(&arn)));
    let external_id = id.and_then(|id| kept(faults, "EKS_EXTERNAL_ID", eks::external_id(&id)));
    let role = role.map(|role| AssumedRole {
        external_id,
        ..role
    });
    Some(ClusterSource::Eks(EksCluster { role, ..cluster? }))
}

/// Whether a text may be the name of a bucket; old ones have more letters than new ones may.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn is_bucket(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (3..=255).contains(&name.len()) && name.bytes().all(allowed)
}

/// Whether a text may be the name or the ARN of an event bus.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>
fn is_bus(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte);
    let name = match text.split_once(":event-bus/") {
        Some((owner, name)) if owner.starts_with("arn:") && owner.contains(":events:") => name,
        Some(_) => return false,
        None => text,
    };
    (1..=256).contains(&name.len()) && name.bytes().all(allowed) && text.len() <= 1600
}

/// The name of an SSM parameter: a name or an ARN, with `:version` or `:label` where one is meant.
/// A value in its place may be the secret itself, so that it is not quoted.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
fn parameter(what: &str, given: String) -> Result<String, String> {
    // The names of Secrets Manager have a few characters more.
    let more: &[u8] = match given.starts_with(SECRETS_MANAGER) {
        true => b"-_./:+=@!",
        false => b"-_./:",
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
    let instead = format!("and must be the name of the SSM parameter that has {what}");
    Err(if appearance::resembles_a_token(&given) {
        format!("is a token, {instead}")
    } else if given.contains("-----") {
        format!("is a certificate or a key, {instead}")
    } else if given.contains("apiVersion") {
        format!("is a kubeconfig, {instead}")
    } else if given.contains("://") {
        format!("is an address, {instead}")
    } else if given.starts_with("arn:") && given.split(':').nth(2) != Some("ssm") {
        format!(
            "is the ARN of another service, {instead}; a secret of Secrets Manager is \
             `{SECRETS_MANAGER}NAME` there"
        )
    } else if given.len() > PARAMETER_LIMIT
        || !given.bytes().all(allowed)
        || !has_selector_or_none(&given)
    {
        "is not the name of an SSM parameter: letters, digits and `-_./`, with `:version` or \
         `:label` where one is meant"
            .to_owned()
    } else {
        return Ok(given);
    })
}

/// Whether what follows a parameter's name is a version or a label, if anything does.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html>
fn has_selector_or_none(given: &str) -> bool {
    let colons = if given.starts_with("arn:") { 5 } else { 0 };
    let mut selectors = given.split(':').skip(colons + 1);
    let is_label = |text: &str| !text.is_empty() && !text.contains('/');
    given.starts_with(SECRETS_MANAGER)
        || selectors.next().is_none_or(is_label) && selectors.next().is_none()
}

#[cfg(test)]
mod tests;
