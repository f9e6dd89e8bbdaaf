//! One HTTPS stack for AWS and the cluster: reqwest over rustls with `ring`. Its roots are
//! compiled in or handed over; a scan of the system's certificates would cost more than the deploy.

use landfall_core::formats::certificate;
use landfall_core::kubernetes::credential::ClientCertificate;
use landfall_core::kubernetes::server::Server;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Proxy, Url};
use rustls::client::{Resumption, WantsClientCert};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
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

/// Why a client cannot be made.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientError {
    /// The certificates to trust cannot be used.
    Trust(String),
    /// The client certificate cannot be used.
    Certificate(&'static str),
    /// The proxy cannot be used.
    Proxy(&'static str),
    /// The token has characters that no header can carry.
    Token,
}

/// Makes a client; an error says what is wrong with the PEM.
pub fn client(trust: Trust<'_>) -> Result<reqwest::Client, String> {
    let tls = tls(trust)?.with_no_client_auth();
    let client = builder(tls).build();
    client.map_err(|_| "the HTTPS client cannot be made; HTTPS_PROXY may not be valid".to_owned())
}

/// Makes a client for an API server, and the URL that it sends to: where the server's certificate
/// has another name, the URL has that name, and leads to the server's address all the same. So the
/// name is also in the handshake, by which proxies find the server.
pub fn client_of(
    server: &Server,
    certificate: Option<&ClientCertificate>,
) -> Result<(reqwest::Client, Url), ClientError> {
    let trust = server.ca.as_deref().map_or(Trust::Public, Trust::Only);
    let tls = tls(trust).map_err(ClientError::Trust)?;
    let tls = match certificate {
        None => tls.with_no_client_auth(),
        Some(certificate) => {
            let (chain, key) = identity(certificate)?;
            let tls = tls.with_client_auth_cert(chain, key);
            tls.map_err(|_| {
                let why = "does not fit its key, or has one of a kind that cannot be used";
                ClientError::Certificate(why)
            })?
        }
    };
    let mut builder = builder(tls);
    let no_address = |_| ClientError::Trust("the server's address is not valid".to_owned());
    let mut url = Url::parse(&server.address).map_err(no_address)?;
    if url.scheme() == "http" {
        // It is on this machine, and a proxy would see the token.
        builder = builder.no_proxy();
    }
    if let Some(proxy) = &server.proxy {
        let proxy = Proxy::all(proxy);
        builder = builder.proxy(proxy.map_err(|_| ClientError::Proxy("is not a valid URL"))?);
    }
    if let Some(name) = &server.tls_server_name {
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']).to_owned();
        builder = builder.no_proxy().dns_resolver(OneHost(host.into()));
        if url.set_host(Some(name)).is_err() {
            return Err(ClientError::Certificate(
                "has a server name that is not one of DNS",
            ));
        }
    }
    let client = builder.build();
    let client = client.map_err(|_| {
        ClientError::Proxy("is not usable; the function's HTTPS_PROXY may not be valid either")
    })?;
    Ok((client, url))
}

/// Resolves every name to the address of one host.
struct OneHost(Arc<str>);

impl Resolve for OneHost {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            // The port is the URL's.
            let addresses = tokio::net::lookup_host((&*host, 0)).await?;
            let addresses = addresses.collect::<Vec<_>>();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The TLS configuration, but for the client's own certificate.
fn tls(trust: Trust<'_>) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, String> {
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
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "the TLS library has no protocol that is safe".to_owned())?;
    Ok(builder.with_root_certificates(roots))
}

/// The chain and the key of a client certificate. What the library says of a key is not told.
fn identity(
    certificate: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ClientError> {
    let chain = certificate::read(&certificate.certificates);
    let chain = chain.map_err(|_| ClientError::Certificate("is not a certificate in PEM"))?;
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes());
    let key = key.map_err(|_| ClientError::Certificate("has a key that is not in PEM"))?;
    Ok((chain, key))
}

/// What all clients have in common.
fn builder(mut tls: ClientConfig) -> ClientBuilder {
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
