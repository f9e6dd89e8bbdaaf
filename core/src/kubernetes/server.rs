//! An API server: where it is, how to reach it, and whom to trust. The address may come from a
//! variable or a kubeconfig, so what is wrong with it is told without quoting it.

use super::token::appearance;
use crate::text::placeholder;
use std::fmt;
use url::{Host, ParseError, Url};

/// The longest label and the longest name of DNS.
/// <https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>
const LABEL_LIMIT: usize = 63;
/// See [`LABEL_LIMIT`].
const HOST_LIMIT: usize = 253;

/// An API server, and the way to it.
#[derive(Clone, PartialEq)]
pub struct Server {
    /// The address, `https://host[:port][/path]`, without a slash at the end.
    pub address: String,
    /// The only certificate authorities to trust, as PEM; `None` for the public roots.
    pub ca: Option<String>,
    /// The name in the server's certificate, if it is not the host of the address.
    pub tls_server_name: Option<String>,
    /// The URL of a proxy to the server. It may contain a password.
    pub proxy: Option<String>,
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.address)
    }
}

impl Server {
    /// Builds a server that is reached directly, under its own name.
    pub fn new(address: &str, ca: Option<String>) -> Server {
        Server {
            address: address.to_owned(),
            ca,
            tls_server_name: None,
            proxy: None,
        }
    }
}

/// What to do with the path of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// An address with a path is refused.
    Refused,
    /// The path is kept, such as the one of Rancher's proxy.
    Kept,
}

/// Checks an API server's address and returns it without a slash at its end, or says what is wrong
/// with it. The credential goes over the wire, so plain HTTP is only for a server on the same
/// machine. What is not a plain address may contain a password or be one, so it is not quoted.
pub fn address(given: &str, paths: Paths) -> Result<String, &'static str> {
    if let Some(problem) = other_than_an_address(given) {
        return Err(problem);
    }
    let url = Url::parse(given).map_err(|error| {
        if error == ParseError::InvalidPort {
            "has a port that is not a number from 1 to 65535"
        } else if error == ParseError::RelativeUrlWithoutBase {
            "must begin with https://: write https://host[:port]"
        } else if error == ParseError::InvalidIpv6Address {
            "has an IPv6 address that cannot be read: write https://[address]:port"
        } else if error == ParseError::InvalidIpv4Address {
            "has an IPv4 address that cannot be read: it has four numbers from 0 to 255"
        } else {
            "is not an address: write https://host[:port]"
        }
    })?;
    if !["https", "http"].contains(&url.scheme()) {
        return Err("must begin with https://: write https://host[:port]");
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err("has no host; write https://host[:port]"),
    };
    if url.scheme() == "http" && !loopback {
        return Err("must begin with https://: over http:// the token could be read on the way");
    }
    if let Some(problem) = more_than_an_address(&url, paths).or_else(|| not_reachable(&url)) {
        return Err(problem);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// What people give in the address's place.
fn other_than_an_address(given: &str) -> Option<&'static str> {
    if appearance::resembles_a_token(given) {
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
    } else if placeholder::is_in(given) {
        Some("has a place that nothing filled in; write https://host[:port]")
    } else if given.contains([',', ';']) {
        Some("has more than one address, or a comma: write one, https://host[:port]")
    } else if is_begun_twice(given) {
        Some("begins with `https://` twice: write https://host[:port]")
    } else if is_bare_ipv6(given) {
        Some("has an IPv6 address without brackets: write https://[address]:port")
    } else if !given.is_ascii() {
        Some("has a character that is not ASCII; write the host's name as DNS has it")
    } else {
        None
    }
}

/// `https://https://host`, also with a colon or a slash less.
fn is_begun_twice(given: &str) -> bool {
    let given = given.to_ascii_lowercase();
    let Some((_, rest)) = given.split_once("//") else {
        return false;
    };
    ["https:/", "http:/", "https//", "http//"]
        .iter()
        .any(|begin| rest.starts_with(begin))
}

/// Whether the host is an IPv6 address, perhaps with a port behind it, and no brackets say where it
/// ends.
fn is_bare_ipv6(given: &str) -> bool {
    let authority = given.split_once("://").map_or(given, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let is_address = |text: &str| Host::parse(&format!("[{text}]")).is_ok();
    is_address(authority)
        || authority
            .rsplit_once(':')
            .is_some_and(|(host, _)| is_address(host))
}

/// The HTTP client would drop what is not host and port, or send the calls elsewhere.
fn more_than_an_address(url: &Url, paths: Paths) -> Option<&'static str> {
    let path = match paths {
        Paths::Refused => url.path(),
        Paths::Kept => "/",
    };
    if !url.username().is_empty() || url.password().is_some() {
        Some("must have no user and no password in it: they do not open a cluster")
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
