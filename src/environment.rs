//! The function's environment: which cluster, and where its token and CA are.

use crate::request::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::{Host, Url};

/// The token's parameter where none is named: the spelling of the article that many began with.
const DEFAULT_TOKEN_PARAMETER: &str = "k8s-bear-token";

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
    /// The CA, where no other is to be asked for it: `Some(None)` for the public roots.
    pub fn known_ca(&self) -> Option<Option<&str>> {
        match &self.ca {
            CaSource::Public => Some(None),
            CaSource::Given(pem) => Some(Some(pem)),
            CaSource::Parameter(_) => None,
        }
    }

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
            (None, Some(parameter)) => CaSource::Parameter(parameter),
            (Some(ca), None) => CaSource::Given(keep(pem(&ca).ok_or_else(|| {
                Fault::new("K8S_CA", "is neither a PEM certificate nor base64 of one")
            }))),
            (Some(_), Some(_)) => {
                let problem = "is given beside K8S_CA_PARAMETER; give one of the two";
                CaSource::Given(keep(Err(Fault::new("K8S_CA", problem))))
            }
        };
        let environment = Environment {
            cluster,
            token_parameter: given("K8S_TOKEN_PARAMETER")
                .unwrap_or_else(|| DEFAULT_TOKEN_PARAMETER.to_owned()),
            ca,
        };
        if faults.is_empty() {
            Ok(environment)
        } else {
            Err(faults)
        }
    }
}

/// The PEM text in a value that is PEM or base64 of PEM; `None` where it is neither.
pub fn pem(value: &str) -> Option<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    if value.contains(BEGIN) {
        return Some(value.to_owned());
    }
    let joined = value.split_whitespace().collect::<String>();
    let decoded = String::from_utf8(STANDARD.decode(joined).ok()?).ok()?;
    decoded.contains(BEGIN).then_some(decoded)
}

/// Checks the API server's address. Its token goes over the wire, so plain HTTP is for a server on
/// the same machine only.
fn cluster(given: Option<String>) -> Result<String, Fault> {
    let fault = |problem: String| Fault::new("K8S_CLUSTER", problem);
    let Some(given) = given else {
        return Err(fault(
            "is missing: the API server, such as https://10.0.0.1:6443".to_owned(),
        ));
    };
    let url = Url::parse(&given).map_err(|error| {
        fault(format!(
            "is `{given}`, which is no URL ({error}); write https://host[:port]"
        ))
    })?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(fault("has no host; write https://host[:port]".to_owned())),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(fault(
                "must begin with https://: over http:// the token could be read on the way"
                    .to_owned(),
            ));
        }
        other => {
            return Err(fault(format!(
                "begins with {other}:, and must with https://"
            )));
        }
    }
    let more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
    if more || !url.username().is_empty() || url.password().is_some() {
        return Err(fault(
            "must be https://host[:port] and nothing more".to_owned(),
        ));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Environment, Vec<Fault>> {
        Environment::read(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn defaults_and_all_given() {
        let plain = read(&[("K8S_CLUSTER", " https://10.0.0.1:6443/ ")]).expect("valid");
        assert_eq!(plain.cluster, "https://10.0.0.1:6443");
        assert_eq!(plain.token_parameter, "k8s-bear-token");
        assert_eq!(plain.ca, CaSource::Public);
        let full = read(&[
            ("K8S_CLUSTER", "https://c"),
            ("K8S_TOKEN_PARAMETER", "/k8s/token:3"),
            ("K8S_CA_PARAMETER", "/k8s/ca"),
        ])
        .expect("valid");
        assert_eq!(full.token_parameter, "/k8s/token:3");
        assert_eq!(full.ca, CaSource::Parameter("/k8s/ca".into()));
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for good in [
            "http://127.0.0.1:1",
            "http://127.1.2.3",
            "http://localhost:80",
            "http://[::1]:1",
        ] {
            assert!(read(&[("K8S_CLUSTER", good)]).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1",
            "http://localhost.example.org",
            "http://[::2]",
            "ftp://c",
        ] {
            assert!(read(&[("K8S_CLUSTER", bad)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_nothing_but_an_address() {
        for bad in [
            "",
            "c",
            "https://",
            "https://u:p@c",
            "https://c/api",
            "https://c?x=1",
            "https://c#f",
        ] {
            let faults = read(&[("K8S_CLUSTER", bad)]).expect_err(bad);
            assert_eq!(faults[0].field, "K8S_CLUSTER", "{bad}");
        }
    }

    #[test]
    fn a_ca_is_pem_or_base64_of_it() {
        let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        for given in [pem.to_owned(), STANDARD.encode(pem)] {
            let read = read(&[("K8S_CLUSTER", "https://c"), ("K8S_CA", &given)]).expect("valid");
            let CaSource::Given(text) = read.ca else {
                panic!("it was given")
            };
            assert_eq!(text.trim(), pem.trim());
        }
        for bad in ["x", "AAAA"] {
            assert!(read(&[("K8S_CLUSTER", "https://c"), ("K8S_CA", bad)]).is_err());
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = read(&[("K8S_CA", "x")]).expect_err("both are wrong");
        let fields = faults.iter().map(|fault| &*fault.field).collect::<Vec<_>>();
        assert_eq!(fields, ["K8S_CLUSTER", "K8S_CA"]);
    }
}
