//! One HTTPS stack for the AWS SDK and the cluster: reqwest over rustls with `ring`. Its roots are
//! compiled in or handed over; a scan of the system's certificates would cost more than the deploy.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long a TCP and TLS connection may take. In a VPC without a route it would hang for minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a connection is kept for the next call. Load balancers cut idle ones after a minute,
/// and a frozen Lambda does not notice.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The most that an AWS service may answer; SSM's and CodePipeline's answers are a few kilobytes.
const AWS_BODY_LIMIT: usize = 1024 * 1024;

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
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| format!("its PEM is broken: {error}"))?;
            let added = roots.add(certificate);
            added.map_err(|error| format!("it holds no usable certificate: {error}"))?;
        }
        if roots.is_empty() {
            return Err("it holds no certificate in PEM".to_owned());
        }
    }
    if let Trust::Public | Trust::Also(_) = trust {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_nodelay(true)
        .http1_only()
        .build()
        .map_err(|error| chain(&error))
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

/// The AWS SDK's way to the network. Its client is made with the first request.
#[derive(Clone, Debug, Default)]
pub struct Aws {
    /// `AWS_CA_BUNDLE`: a PEM file with roots to trust beside the public ones.
    bundle: Option<String>,
    client: Arc<OnceLock<Result<reqwest::Client, String>>>,
}

impl Aws {
    /// With the path of `AWS_CA_BUNDLE`, where it is set.
    pub fn new(bundle: Option<String>) -> Aws {
        Aws {
            bundle,
            client: Arc::default(),
        }
    }

    /// The client itself, for what the SDK is not used for.
    pub fn client(&self) -> Result<&reqwest::Client, String> {
        let made = self.client.get_or_init(|| match &self.bundle {
            None => client(Trust::Public),
            Some(path) => {
                let pem = std::fs::read_to_string(path);
                let pem = pem.map_err(|error| format!("AWS_CA_BUNDLE {path}: {error}"))?;
                client(Trust::Also(&pem)).map_err(|error| format!("AWS_CA_BUNDLE {path}: {error}"))
            }
        });
        made.as_ref().map_err(Clone::clone)
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let other =
            |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::other(error, None);
        let request = request
            .try_into_http1x()
            .map_err(|error| other(error.into()))?;
        let (parts, body) = request.into_parts();
        // The bodies of SSM's and CodePipeline's requests are always in memory.
        let body = body.bytes().map(<[u8]>::to_vec).unwrap_or_default();
        let response = self
            .client()
            .map_err(|error| ConnectorError::user(error.into()))?
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body)
            .send()
            .await
            .map_err(connector_error)?;
        let mut head = http::Response::builder().status(response.status());
        if let Some(headers) = head.headers_mut() {
            headers.clone_from(response.headers());
        }
        let body = read(response, AWS_BODY_LIMIT)
            .await
            .map_err(connector_error)?;
        let response = head
            .body(SdkBody::from(body))
            .map_err(|error| other(error.into()))?;
        HttpResponse::try_from(response).map_err(|error| other(error.into()))
    }
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

fn connector_error(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(chain(&error).into())
    } else {
        ConnectorError::io(chain(&error).into())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}

impl HttpClient for Aws {
    /// The SDK's own time limits for a whole attempt are set beside this; see `main`.
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
