//! A cluster of a kubeconfig: where the server is, how to reach it, and whom to trust.

use super::entry::Entry;
use crate::formats::certificate;
use crate::kubernetes::server::{self, Paths, Server};
use crate::outcome::{KubeconfigProblem, ProxyProblem};
use rustls_pki_types::ServerName;
use url::{Host, Url};

/// The fields of a cluster.
/// <https://github.com/kubernetes/client-go/blob/master/tools/clientcmd/api/v1/types.go>
pub(super) const FIELDS: [&str; 8] = [
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
    "extensions",
];

/// Reads the server, or adds what is wrong with it.
pub(super) fn server(entry: &mut Entry<'_>) -> Option<Server> {
    entry.misspelled(&FIELDS);
    let address = address(entry);
    if entry.is_set("insecure-skip-tls-verify") {
        entry.fault("insecure-skip-tls-verify", KubeconfigProblem::Insecure);
    }
    let ca = ca(entry);
    let tls_server_name = entry.text("tls-server-name").map(str::to_owned);
    if let Some(name) = &tls_server_name
        && !is_dns_name(name)
    {
        entry.fault("tls-server-name", KubeconfigProblem::ServerName);
    }
    let proxy = entry.text("proxy-url").map(str::to_owned);
    if let Some(proxy) = &proxy
        && let Some(problem) = proxy_problem(proxy, address.as_deref(), tls_server_name.is_some())
    {
        entry.fault("proxy-url", KubeconfigProblem::Proxy(problem));
    }
    Some(Server {
        address: address?,
        ca,
        tls_server_name,
        proxy,
    })
}

fn address(entry: &mut Entry<'_>) -> Option<String> {
    let Some(given) = entry.text("server") else {
        if !entry.has_fault("server") && !entry.is_unreadable() {
            entry.fault("server", KubeconfigProblem::Missing);
        }
        return None;
    };
    let address = server::address(given, Paths::Kept).map_err(KubeconfigProblem::Address);
    entry.kept("server", address)
}

/// The content has priority over a file, as for `kubectl`.
fn ca(entry: &mut Entry<'_>) -> Option<String> {
    let (data, file) = ("certificate-authority-data", "certificate-authority");
    if let Some(given) = entry.text(data) {
        let ca = certificate::normalized(given).map_err(KubeconfigProblem::Ca);
        return entry.kept(data, ca);
    }
    if entry.is_set(file) {
        entry.fault(file, KubeconfigProblem::File { instead: data });
    }
    None
}

/// Whether the HTTP client can look a server up under this name. It would connect to an IP address
/// itself, wherever the server is; a URL has these in several spellings.
fn is_dns_name(name: &str) -> bool {
    let is_domain = matches!(Host::parse(name), Ok(Host::Domain(_)));
    is_domain && matches!(ServerName::try_from(name), Ok(ServerName::DnsName(_)))
}

/// The HTTP client opens a tunnel by CONNECT, over HTTP or HTTPS, to the name that it expects in
/// the server's certificate.
fn proxy_problem(given: &str, server: Option<&str>, has_name: bool) -> Option<ProxyProblem> {
    let Ok(url) = Url::parse(given) else {
        return Some(ProxyProblem::Address);
    };
    let is_plain = |server: &str| server.starts_with("http://");
    match url.scheme() {
        "http" | "https" if url.host().is_none() => Some(ProxyProblem::Address),
        "http" | "https" if server.is_some_and(is_plain) => Some(ProxyProblem::PlainServer),
        "http" | "https" if has_name => Some(ProxyProblem::ServerName),
        "http" | "https" => None,
        scheme if scheme.starts_with("socks") => Some(ProxyProblem::Socks),
        // `proxy.example.com:3128` has a scheme, too.
        _ if !given.contains("://") => Some(ProxyProblem::Address),
        _ => Some(ProxyProblem::Scheme),
    }
}
