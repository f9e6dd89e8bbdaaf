//! The cluster in the user's kubeconfig: its address, its CA, and whether a Lambda function could
//! reach it.

use crate::command::Tools;
use crate::failure::Refusal;
use crate::options::{Options, check_namespace};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::net::{IpAddr, Ipv6Addr, ToSocketAddrs as _};
use url::{Host, Url};

/// The query does not read the kubeconfig's user, so no credential is shown.
const QUESTION: &str = "-o=jsonpath={.contexts[0].name}{\"\\n\"}\
    {.contexts[0].context.namespace}{\"\\n\"}{.clusters[0].cluster}";
/// Domains of names that only private networks resolve.
/// <https://www.iana.org/assignments/special-use-domain-names/>
const PRIVATE_NAMES: [&str; 9] = [
    ".local",
    ".localhost",
    ".internal",
    ".lan",
    ".home.arpa",
    ".corp",
    ".svc",
    ".test",
    ".localdomain",
];

/// The cluster, from the kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) context: String,
    pub(crate) namespace: String,
    /// The namespace of the ServiceAccount, usually the same one.
    pub(crate) home: String,
    /// `https://host[:port]`.
    pub(crate) server: String,
    /// The CA in PEM; `None` if the public root certificates are trusted.
    pub(crate) ca: Option<String>,
    /// Problems that the function would have.
    pub(crate) warnings: Vec<String>,
}

impl Target {
    /// Reads the kubeconfig with `kubectl`, which supports all its forms.
    pub(crate) async fn read(tools: &Tools, options: &Options) -> Result<Target, Refusal> {
        let words = ["config", "view", "--raw", "--minify", "--flatten", QUESTION];
        let printed = tools.kubectl(&words).ask(None).await?;
        let mut target = Target::parse(&printed, options.namespace())?;
        if let Some(home) = &options.for_account {
            target.settle(home)?;
        }
        target.warnings.extend(far(&target.server));
        Ok(target)
    }

    /// Whether the ServiceAccount is in another namespace.
    pub(crate) fn is_further(&self) -> bool {
        self.home != self.namespace
    }

    /// Sets the ServiceAccount's namespace.
    fn settle(&mut self, home: &str) -> Result<(), Refusal> {
        if home == self.namespace {
            return Err(Refusal::own(
                format!("--for-account names {home}, which is the namespace itself"),
                "Name the namespace that its ServiceAccount is to have as well with --namespace; \
                 for its own one leave --for-account out.",
            ));
        }
        home.clone_into(&mut self.home);
        Ok(())
    }

    fn parse(printed: &str, namespace: Option<&str>) -> Result<Target, Refusal> {
        let mut lines = printed.splitn(3, '\n');
        let mut line = || lines.next().unwrap_or_default().trim();
        let (context, chosen, cluster) = (line(), line(), line());
        let cluster: Value = serde_json::from_str(cluster).unwrap_or_default();
        let chosen = Some(chosen).filter(|name| !name.is_empty());
        let namespace = namespace.or(chosen).unwrap_or("default");
        check_namespace(namespace).map_err(|why| Refusal::own(why, "Name it with --namespace."))?;
        let server = cluster["server"].as_str().unwrap_or_default();
        Ok(Target {
            context: context.to_owned(),
            namespace: namespace.to_owned(),
            home: namespace.to_owned(),
            server: check_server(server)?,
            ca: authority(&cluster)?,
            warnings: warnings(&cluster),
        })
    }
}

/// Why a Lambda function cannot reach a server; `None` if it is public.
pub(crate) fn far(server: &str) -> Option<String> {
    let url = Url::parse(server).ok()?;
    distance(&url, &addresses(&url))
}

/// Checks the address: the function only accepts `https://host[:port]`.
fn check_server(server: &str) -> Result<String, Refusal> {
    let refused = |why: &str| {
        let advice = "The function talks to the API server itself, verified: use a context whose \
            cluster has its own address, https://host[:port].";
        Refusal::own(
            format!("the kubeconfig's cluster is at `{server}`, {why}"),
            advice,
        )
    };
    let url = Url::parse(server).map_err(|_| refused("which is no URL"))?;
    if url.scheme() != "https" {
        return Err(refused("where nothing is encrypted or verified"));
    }
    if url.path() != "/" || url.query().is_some() || url.host().is_none() {
        return Err(refused(
            "which has a path, as a gateway before the cluster has",
        ));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The CA in PEM.
fn authority(cluster: &Value) -> Result<Option<String>, Refusal> {
    let data = &cluster["certificate-authority-data"];
    match pem(data) {
        Some(pem) => Ok(Some(pem)),
        None if data.is_string() => Err(Refusal::own(
            "the kubeconfig's certificate-authority-data is no certificate in PEM",
            "Write the kubeconfig anew; for EKS: `aws eks update-kubeconfig --name CLUSTER`.",
        )),
        None if cluster["insecure-skip-tls-verify"] == true => Err(Refusal::own(
            "the kubeconfig does not verify the cluster (insecure-skip-tls-verify), so it has no \
             CA",
            "Landfall always verifies. Put the cluster's CA in: `kubectl config set-cluster NAME \
             --certificate-authority=FILE --embed-certs`.",
        )),
        None => Ok(None),
    }
}

/// A CA in PEM, from base64 of it; `None` if it is none.
pub(crate) fn pem(data: &Value) -> Option<String> {
    let bytes = STANDARD.decode(data.as_str()?).ok()?;
    let pem = String::from_utf8(bytes).ok()?;
    pem.contains("-----BEGIN CERTIFICATE-----")
        .then(|| format!("{}\n", pem.trim()))
}

/// Settings of the kubeconfig that the function does not support.
fn warnings(cluster: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(proxy) = cluster["proxy-url"].as_str() {
        warnings.push(format!(
            "kubectl goes through the proxy {proxy}; the function does not"
        ));
    }
    if let Some(name) = cluster["tls-server-name"].as_str() {
        warnings.push(format!(
            "kubectl verifies the name {name} instead of the address; the function does not, and \
             will refuse the certificate unless it has the address, too"
        ));
    }
    warnings
}

fn addresses(url: &Url) -> Vec<IpAddr> {
    let port = url.port_or_known_default().unwrap_or(443);
    let found = match url.host() {
        Some(Host::Domain(name)) => (name, port).to_socket_addrs().map(Iterator::collect),
        Some(Host::Ipv4(address)) => return vec![address.into()],
        Some(Host::Ipv6(address)) => return vec![address.into()],
        None => return Vec::new(),
    };
    let found: Vec<std::net::SocketAddr> = found.unwrap_or_default();
    found.iter().map(std::net::SocketAddr::ip).collect()
}

/// Why a Lambda function cannot reach that address; `None` if it is public.
fn distance(url: &Url, addresses: &[IpAddr]) -> Option<String> {
    let host = url.host_str().unwrap_or_default();
    let name = matches!(url.host(), Some(Host::Domain(_)));
    let only = |is: fn(&IpAddr) -> bool| !addresses.is_empty() && addresses.iter().all(is);
    if host == "localhost" || only(is_loopback) {
        return Some(format!(
            "{host} is this machine: no Lambda function reaches it. For a trial (kind, minikube) \
             `make invoke` runs the function here; else use a context with the cluster's own \
             address"
        ));
    }
    let private = PRIVATE_NAMES.iter().any(|end| host.ends_with(end));
    if name && (private || !host.contains('.')) {
        return Some(format!(
            "{host} is a name that only a private network knows: the function needs SubnetIds and \
             SecurityGroupIds of a VPC that resolves it"
        ));
    }
    if only(is_private) {
        return Some(format!(
            "{host} is a private address: the function needs SubnetIds and SecurityGroupIds of a \
             VPC that reaches it"
        ));
    }
    if name && addresses.is_empty() {
        return Some(format!("{host} is a name that this machine cannot resolve"));
    }
    None
}

fn is_loopback(address: &IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

fn is_private(address: &IpAddr) -> bool {
    match address.to_canonical() {
        // 100.64.0.0/10: <https://www.rfc-editor.org/rfc/rfc6598>
        IpAddr::V4(it) => {
            let [first, second, ..] = it.octets();
            it.is_private() || it.is_link_local() || first == 100 && second & 0xc0 == 64
        }
        IpAddr::V6(it) => Ipv6Addr::is_unique_local(&it) || Ipv6Addr::is_unicast_link_local(&it),
    }
}

#[cfg(test)]
mod tests;
