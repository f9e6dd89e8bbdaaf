//! One HTTPS stack for AWS and the cluster: reqwest over rustls with `ring`. Its roots are
//! compiled in or handed over; a scan of the system's certificates would cost more than the deploy.

use landfall_core::formats::certificate;
use reqwest::redirect::Policy;
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// How long a TCP and TLS connection may take. In a VPC without a route it would hang for minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a connection is kept for the next call. Load balancers cut idle ones after a minute,
/// and a frozen Lambda does not notice.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// TLS sessions that a client remembers.
const SESSIONS: usize = 8;

/// Who we are on the wire.
const USER_AGENT: &str = concat!("landfall/", env!("CARGO_PKG_VERSION"));

/// Whom a client trusts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trust<'a> {
    /// The public roots.
    Public,
    /// Only the certificates in this PEM.
    Only(&'a str),
    /// The certificates in this PEM beside the public roots.
    Also(&'a str),
}

/// Makes a client; an error says what is wrong with the PEM.
pub fn client(trust: Trust<'_>) -> Result<reqwest::Client, String> {
    let mut roots = RootCertStore::empty();
    if let Trust::Only(pem) | Trust::Also(pem) = trust {
        for certificate in certificate::read(pem).map_err(|why| why.to_string())? {
            let added = roots.add(certificate);
            added.map_err(|_| certificate::CertificateError::NoX509.to_string())?;
        }
    }
    if let Trust::Public | Trust::Also(_) = trust {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "the TLS library has no protocol that is safe".to_owned())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A client has one server, or two of AWS; the room for 256 would be made at once.
    tls.resumption = Resumption::in_memory_sessions(SESSIONS);
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_nodelay(true)
        .http1_only()
        .build()
        .map_err(|_| "the HTTPS client cannot be made; HTTPS_PROXY may not be valid".to_owned())
}

/// An error and everything behind it in one line, each said once.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}

/// Reads a body up to a limit; what comes after is left unread.
pub async fn read(mut response: reqwest::Response, limit: usize) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    Ok(body)
}
