//! The function's environment: which cluster, and where its token and CA are.

use crate::formats::certificate;
use crate::problem::Fault;
use url::{Host, ParseError, Url};

/// The token's parameter where none is named: the spelling of the article that many began with.
const DEFAULT_TOKEN_PARAMETER: &str = "k8s-bear-token";

/// The longest name of a parameter as an ARN, with a selector.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
const PARAMETER_LIMIT: usize = 2048;

/// What the name of a secret begins with, where Parameter Store is asked for it.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>
const SECRETS_MANAGER: &str = "/aws/reference/secretsmanager/";

/// The longest label and the longest name of DNS.
/// <https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>
const LABEL_LIMIT: usize = 63;
/// See [`LABEL_LIMIT`].
const HOST_LIMIT: usize = 253;

/// What the function is set up for.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
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
        let mut keep = |result: Result<String, Fault>| {
            result
                .map_err(|fault| faults.push(fault))
                .unwrap_or_default()
        };
        let cluster = keep(cluster(given("K8S_CLUSTER")));
        let ca = match (given("K8S_CA"), given("K8S_CA_PARAMETER")) {
            (None, None) => CaSource::Public,
            (None, Some(given)) => CaSource::Parameter(keep(parameter("K8S_CA_PARAMETER", given))),
            (Some(ca), None) => CaSource::Given(keep(
                certificate::normalized(&ca)
                    .map_err(|why| Fault::new("K8S_CA", format!("cannot be used: {why}"))),
            )),
            (Some(_), Some(_)) => {
                let problem = "is given beside K8S_CA_PARAMETER; give one of the two";
                CaSource::Given(keep(Err(Fault::new("K8S_CA", problem))))
            }
        };
        let token_parameter = match given("K8S_TOKEN_PARAMETER") {
            Some(given) => keep(parameter("K8S_TOKEN_PARAMETER", given)),
            None => DEFAULT_TOKEN_PARAMETER.to_owned(),
        };
        let environment = Environment {
            cluster,
            token_parameter,
            ca,
        };
        if faults.is_empty() {
            Ok(environment)
        } else {
            Err(faults)
        }
    }
}

/// The name of an SSM parameter: a name or an ARN, with `:version` or `:label` where one is meant.
/// A value in its place may be the secret itself, so that it is not quoted.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
fn parameter(variable: &'static str, given: String) -> Result<String, Fault> {
    // The names of Secrets Manager have a few characters more.
    let more: &[u8] = match given.starts_with(SECRETS_MANAGER) {
        true => b"-_./:+=@!",
        false => b"-_./:",
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
    let problem = if looks_like_a_token(&given) {
        "is a token, and must be the name of the SSM parameter that has the token"
    } else if given.contains("-----") {
        "is a certificate or a key, and must be the name of the SSM parameter that has it"
    } else if given.len() > PARAMETER_LIMIT || !given.bytes().all(allowed) {
        "is not the name of an SSM parameter: letters, digits and `-_./`, with `:version` or \
         `:label` where one is meant"
    } else {
        return Ok(given);
    };
    Err(Fault::new(variable, problem))
}

/// Whether a value is a token by its looks: a JWT, or one of `aws eks get-token`.
fn looks_like_a_token(text: &str) -> bool {
    let is_jwt = text.starts_with("eyJ") && text.split('.').count() >= 3;
    is_jwt || text.starts_with("k8s-aws-v1.")
}

/// Checks the API server's address. Its token goes over the wire, so plain HTTP is for a server on
/// the same machine only. What is no plain address may have a password in it, or be one, so that it
/// is not quoted.
fn cluster(given: Option<String>) -> Result<String, Fault> {
    let fault = |problem: &str| Fault::new("K8S_CLUSTER", problem.to_owned());
    let given =
        given.ok_or_else(|| fault("is missing: the API server, such as https://10.0.0.1:6443"))?;
    if let Some(problem) = other_than_an_address(&given) {
        return Err(fault(problem));
    }
    let url = Url::parse(&given).map_err(|error| {
        fault(if error == ParseError::InvalidPort {
            "has a port that is not a number from 1 to 65535"
        } else if error == ParseError::RelativeUrlWithoutBase {
            "must begin with https://: write https://host[:port]"
        } else if error == ParseError::InvalidIpv6Address {
            "has an IPv6 address that cannot be read: write https://[address]:port"
        } else {
            "is not an address: write https://host[:port]"
        })
    })?;
    if !["https", "http"].contains(&url.scheme()) {
        return Err(fault("must begin with https://: write https://host[:port]"));
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(fault("has no host; write https://host[:port]")),
    };
    if url.scheme() == "http" && !loopback {
        return Err(fault(
            "must begin with https://: over http:// the token could be read on the way",
        ));
    }
    if let Some(problem) = more_than_an_address(&url) {
        return Err(fault(problem));
    }
    if let Some(problem) = not_reachable(&url) {
        return Err(fault(problem));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// What people give in the address's place.
fn other_than_an_address(given: &str) -> Option<&'static str> {
    if looks_like_a_token(given) {
        Some("is a token: write the address of the API server, https://host[:port]")
    } else if given.contains("-----") {
        Some("is a certificate or a key: write the address of the API server, https://host[:port]")
    } else if given.contains("apiVersion") || given.contains("server:") {
        Some("is a kubeconfig: write its `clusters[].cluster.server` alone")
    } else if given.starts_with("arn:") {
        Some(
            "is an ARN: write the address of the API server, as `aws eks describe-cluster --query \
             cluster.endpoint` prints it",
        )
    } else if given.contains(|character: char| character.is_whitespace() || character.is_control())
    {
        Some("has blanks or control characters in it; write https://host[:port]")
    } else if given.starts_with(['"', '\'']) || given.ends_with(['"', '\'']) {
        Some("has quotes around it; write https://host[:port] without them")
    } else if given.contains('\\') {
        Some("has a backslash in it; write https://host[:port]")
    } else if !given.is_ascii() {
        Some("has a character that is not ASCII; write the host's name as DNS has it")
    } else {
        None
    }
}

/// The HTTP client would drop what is not host and port, or send the calls elsewhere.
fn more_than_an_address(url: &Url) -> Option<&'static str> {
    let path = url.path();
    if !url.username().is_empty() || url.password().is_some() {
        Some("must have no user and no password: the token in SSM is what opens the cluster")
    } else if path.starts_with("/k8s/clusters/") {
        // https://ranchermanager.docs.rancher.com/reference-guides/kubernetes-concepts
        Some(
            "has the path of Rancher's proxy. Landfall talks to an API server itself: switch on \
             the cluster's authorized endpoint in Rancher, and give its address, \
             https://host[:port], with a token of the cluster's own",
        )
    } else if path != "/" {
        Some(
            "has a path, and must be https://host[:port] and nothing more: Landfall talks to the \
             API server itself, not to a proxy that serves it under a path",
        )
    } else if url.query().is_some() || url.fragment().is_some() {
        Some("must be https://host[:port] and nothing more")
    } else {
        None
    }
}

/// Addresses that no connection can be made to.
fn not_reachable(url: &Url) -> Option<&'static str> {
    if url.port() == Some(0) {
        return Some("has port 0, which nothing can listen at");
    }
    let unspecified = match url.host() {
        Some(Host::Ipv4(address)) => address.is_unspecified() || address.is_broadcast(),
        Some(Host::Ipv6(address)) => address.is_unspecified() || address.is_multicast(),
        Some(Host::Domain(name)) => return not_a_host(name),
        None => false,
    };
    unspecified.then_some("has an address that stands for no host, such as 0.0.0.0")
}

/// A host's name that DNS cannot have.
fn not_a_host(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let label =
        |label: &str| !label.is_empty() && label.len() <= LABEL_LIMIT && label.bytes().all(allowed);
    let valid = name.len() <= HOST_LIMIT && name.split('.').all(label);
    (!valid).then_some(
        "has a host that is not a name of DNS: a part of it is empty, too long, or has other \
         characters than letters, digits and `-`",
    )
}

#[cfg(test)]
mod tests;
