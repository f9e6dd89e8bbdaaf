//! The SDK's HTTP client: our HTTPS stack, whose client is created at the first request.

use crate::http::{self, Trust};
use crate::kubernetes::failure;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use std::fmt;
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};

/// The largest response of a service; SSM and CodePipeline send a few kilobytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// The longest path of a file.
const PATH_LIMIT: usize = 4096;

/// The HTTPS client for all AWS services. Its copies share the connections.
#[derive(Clone, Default)]
pub struct HttpsClient {
    /// `AWS_CA_BUNDLE`: a PEM file with root certificates to trust, in addition to the public ones.
    bundle: Option<String>,
    client: Arc<OnceLock<Result<reqwest::Client, String>>>,
}

impl fmt::Debug for HttpsClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HttpsClient")
    }
}

impl HttpsClient {
    /// Takes the value of `AWS_CA_BUNDLE`, if set. The file is not read yet.
    pub fn new(bundle: Option<String>) -> HttpsClient {
        HttpsClient {
            bundle,
            client: Arc::default(),
        }
    }

    /// Returns the client, for calls without the SDK.
    pub fn client(&self) -> Result<&reqwest::Client, String> {
        let made = self.client.get_or_init(|| match &self.bundle {
            None => http::client(Trust::Public),
            Some(path) => with_bundle(path),
        });
        made.as_ref().map_err(Clone::clone)
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let client = self.client();
        let client = client.map_err(|why| ConnectorError::user(why.into()))?;
        let host = host_of(request.uri());
        let sent = client.execute(outgoing(request)?).await;
        let mut response = sent.map_err(|error| broken(&host, &error))?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = http::read(response, BODY_LIMIT).await;
        let body = body.map_err(|error| broken(&host, &error))?;
        if body.len() >= BODY_LIMIT {
            return Err(other(format!(
                "its answer has more than {BODY_LIMIT} bytes"
            )));
        }
        let mut incoming = ::http::Response::new(SdkBody::from(body));
        *incoming.status_mut() = status;
        *incoming.headers_mut() = headers;
        HttpResponse::try_from(incoming).map_err(other)
    }
}

/// Builds a client that also trusts the certificates in a file.
fn with_bundle(path: &str) -> Result<reqwest::Client, String> {
    // A value that is not a path may be the bundle itself, possibly with a key.
    let is_path = path.len() <= PATH_LIMIT && !path.contains(['\n', '\r']);
    if !is_path || path.contains("-----") {
        return Err("AWS_CA_BUNDLE must be the path of a file".to_owned());
    }
    let told = |why: &str| format!("AWS_CA_BUNDLE {path}: {why}");
    let pem = std::fs::read_to_string(path).map_err(|error| {
        told(if error.kind() == ErrorKind::NotFound {
            "there is no such file"
        } else if error.kind() == ErrorKind::PermissionDenied {
            "the file may not be read"
        } else if error.kind() == ErrorKind::InvalidData {
            "the file is not text"
        } else {
            "the file cannot be read"
        })
    })?;
    http::client(Trust::Also(&pem)).map_err(|why| told(&why))
}

fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let (mut parts, body) = request.try_into_http1x().map_err(other)?.into_parts();
    for name in ["authorization", "x-amz-security-token"] {
        if let Some(value) = parts.headers.get_mut(name) {
            value.set_sensitive(true);
        }
    }
    // The request bodies for SSM and CodePipeline are in memory.
    let body = body.bytes().ok_or_else(|| other("its body is a stream"))?;
    let request = ::http::Request::from_parts(parts, body.to_vec());
    reqwest::Request::try_from(request).map_err(|_| other("its address is not valid"))
}

/// A failure for which a retry does not help.
fn other(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(why.into())
}

/// The host of a URL, with its port if it has one, without a password before it.
pub(super) fn host_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default().to_owned()
}

/// A failure of the connection to this host, which the SDK tries again.
fn broken(host: &str, error: &reqwest::Error) -> ConnectorError {
    let why = failure::told(error, host).into();
    match error.is_timeout() {
        true => ConnectorError::timeout(why),
        false => ConnectorError::io(why),
    }
}

impl HttpConnector for HttpsClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}

impl HttpClient for HttpsClient {
    /// The SDK sets the time limit of an attempt; see [`crate::aws::clients`].
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
