//! The check: calls the API server with the values in SSM, like the function does.

use crate::failure::Refusal;
use crate::options::Options;
use crate::token::Token;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use url::Url;

/// The time limits for a connection and a response; the function waits 3 s for the connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest response; a review has a few hundred bytes.
const BODY_LIMIT: usize = 64 * 1024;
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// A permission that the token must have; one for each applied file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    name: &'static str,
}

/// What the API server does not grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// The API server does not accept the token.
    Unknown,
    /// The token lacks this permission.
    Forbidden(Question),
}

impl Question {
    pub(crate) fn all(options: &Options) -> Vec<Question> {
        let question = |verb, group, resource| Question {
            verb,
            group,
            resource,
            subresource: "",
            name: "",
        };
        let mut all = vec![question("patch", "apps", "deployments")];
        if options.switching {
            all.push(question("patch", "", "services"));
        }
        if options.workloads {
            all.push(question("patch", "apps", "statefulsets"));
        }
        if options.rotation.is_some() {
            all.push(Question {
                subresource: "token",
                name: "landfall",
                ..question("create", "", "serviceaccounts")
            });
        }
        all
    }

    /// All of them in words, for a namespace or several.
    pub(crate) fn may(questions: &[Question], namespaces: &str) -> String {
        let words = questions.iter().map(Question::words).collect::<Vec<_>>();
        format!("may it {} in {namespaces}?", words.join(" and "))
    }

    /// `patch deployments`.
    pub(crate) fn words(&self) -> String {
        let slash = if self.subresource.is_empty() { "" } else { "/" };
        format!("{} {}{slash}{}", self.verb, self.resource, self.subresource)
    }

    /// The words with which `kubectl auth can-i` asks it: `patch deployments.apps`.
    pub(crate) fn can_i(&self) -> [String; 2] {
        let dot = if self.group.is_empty() { "" } else { "." };
        let resource = format!("{}{dot}{}", self.resource, self.group);
        [self.verb.to_owned(), resource]
    }

    /// <https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/>
    fn review(&self, namespace: &str) -> Value {
        json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": self.attributes(namespace)}
        })
    }

    /// The question about somebody of this group, which an administrator of the namespace may ask.
    /// <https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/local-subject-access-review-v1/>
    pub(crate) fn review_of(&self, group: &str, namespace: &str) -> Value {
        json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "LocalSubjectAccessReview",
            "metadata": {"namespace": namespace},
            "spec": {
                "user": "landfall-access",
                "groups": [group, "system:authenticated"],
                "resourceAttributes": self.attributes(namespace)
            }
        })
    }

    fn attributes(&self, namespace: &str) -> Value {
        json!({
            "namespace": namespace,
            "verb": self.verb,
            "group": self.group,
            "resource": self.resource,
            "subresource": self.subresource,
            "name": self.name
        })
    }
}

/// Asks the API server with this token over TLS, trusting only this CA (or the public root
/// certificates without a CA). Returns the first permission that is missing.
///
/// # Errors
///
/// The API server cannot be reached, its certificate is not trusted, or its response is unexpected.
pub(crate) async fn ask(
    server: &str,
    ca: Option<&str>,
    token: &Token,
    namespace: &str,
    questions: &[Question],
) -> Result<Option<Denial>, Refusal> {
    let url = Url::parse(server).map_err(|error| unreachable(server, &error.to_string()))?;
    let tls = trust(ca).map_err(|why| Refusal::own(why, CA_ADVICE))?;
    for question in questions {
        let body = question.review(namespace).to_string();
        let asked = tokio::time::timeout(PATIENCE, post(&url, &tls, token, body)).await;
        let (status, answer) = match asked {
            Err(_) => return Err(unreachable(server, "no answer in 10 s")),
            Ok(Err(why)) if why.contains("certificate") => {
                let why = format!("{server} is not the one that the CA vouches for: {why}");
                return Err(Refusal::own(why, CA_ADVICE));
            }
            Ok(Err(why)) => return Err(unreachable(server, &why)),
            Ok(Ok(answer)) => answer,
        };
        match (status, answer["status"]["allowed"].as_bool()) {
            (201, Some(true)) => {}
            (201, Some(false)) => return Ok(Some(Denial::Forbidden(*question))),
            (401, _) => return Ok(Some(Denial::Unknown)),
            _ => {
                let message = answer["message"].as_str().unwrap_or("no message");
                let why = format!("{server} answers HTTP {status} ({message})");
                return Err(Refusal::own(
                    why,
                    "Is that address a Kubernetes API server?",
                ));
            }
        }
    }
    Ok(None)
}

const CA_ADVICE: &str = "The CA in the kubeconfig is not the one that signed the API server's \
    certificate for this address, or cannot be used. Write the kubeconfig anew; for EKS: `aws eks \
    update-kubeconfig --name CLUSTER`.";

fn unreachable(server: &str, why: &str) -> Refusal {
    Refusal::own(
        format!("{server} cannot be reached from here: {why}"),
        "If only its VPC reaches it, run this from there; or let a pipeline try it: an action with \
         `\"mode\": \"plan\"` changes nothing and needs the same access.",
    )
}

/// The same TLS verification as the function's.
fn trust(ca: Option<&str>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|error| format!("the CA's PEM: {error}"))?;
                let added = roots.add(certificate);
                added.map_err(|error| format!("the CA is no certificate that serves: {error}"))?;
            }
        }
    }
    if roots.is_empty() {
        return Err("the CA holds no certificate in PEM".into());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(tls))
}

/// Returns the status and the response.
async fn post(
    url: &Url,
    tls: &Arc<ClientConfig>,
    token: &Token,
    body: String,
) -> Result<(u16, Value), String> {
    let host = url.host_str().ok_or("it has no host")?;
    let bare = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let name = ServerName::try_from(bare.clone()).map_err(|error| error.to_string())?;
    let stream = TcpStream::connect((bare, port)).await.map_err(words)?;
    let stream = tokio_rustls::TlsConnector::from(Arc::clone(tls)).connect(name, stream);
    let stream = TokioIo::new(stream.await.map_err(words)?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
        .await
        .map_err(words)?;
    // The sender reports how the connection ends.
    let connection = tokio::spawn(connection);
    let request = hyper::Request::post(REVIEWS)
        .header(
            "Host",
            url[url::Position::BeforeHost..url::Position::AfterPort].to_owned(),
        )
        .header("Authorization", format!("Bearer {}", token.reveal()))
        .header("Content-Type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(words)?;
    let answer = sender.send_request(request).await.map_err(words)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), BODY_LIMIT).collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    connection.abort();
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

fn words(error: impl std::error::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
