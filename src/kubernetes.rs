//! The only code that talks to the cluster: one [`Call`] out, one object or one error back.

mod attempt;
mod lists;
pub(crate) mod failure;
pub mod kept;
mod watch;

pub use watch::{Watch, WatchEnd, WatchEvent};

use crate::http::{self, ClientError};
use crate::telemetry::{logging, traffic};
use attempt::{Attempt, compression, odd, permanent, time_limit};
use jiff::Timestamp;
use landfall_core::engine::in_short;
use landfall_core::kubernetes::answer::{self, excerpt};
use landfall_core::kubernetes::call::{Call, MAX_BODY, Verb};
use landfall_core::kubernetes::contact::{OddAnswer, Unreached, UnreachedCause, Untrusted};
use landfall_core::kubernetes::credential::Credential;
use landfall_core::kubernetes::identity;
use landfall_core::kubernetes::pod::{self, Event};
use landfall_core::kubernetes::refusal::RefusalCause;
use landfall_core::kubernetes::server::Server;
use landfall_core::kubernetes::token::{Identity, Life, Token};
use landfall_core::kubernetes::{CallError, Refusal, RefusedToken, warning};
use landfall_core::retry::{self, Failure, Next};
use landfall_core::state::marks;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WARNING};
use reqwest::{Response, Url};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// A connection to the cluster's API.
#[derive(Debug)]
pub struct Cluster {
    approach: Approach,
    /// The bearer token; none beside a client certificate.
    authorization: Option<HeaderValue>,
    life: Life,
    identity: Option<Identity>,
    /// What the server remarked on writes, until it is taken.
    warnings: Mutex<Vec<String>>,
}

/// A way to the API server. All who take it share its connections.
#[derive(Clone, Debug)]
pub struct Approach {
    /// Where calls are sent.
    base: Url,
    /// The server's host and port.
    host: String,
    trusts_public: bool,
    client: reqwest::Client,
}

impl Approach {
    /// Makes the client. Nothing is connected yet.
    pub fn new(server: &Server, credential: &Credential) -> Result<Approach, ClientError> {
        let certificate = match credential {
            Credential::Token(_) => None,
            Credential::Certificate(certificate) => Some(certificate),
        };
        let (client, base) = http::client_of(server, certificate)?;
        let host = server.address.split("://").nth(1).unwrap_or_default();
        let host = host.split('/').next().unwrap_or_default();
        let port = match base.port() {
            Some(_) => String::new(),
            None => format!(":{}", base.port_or_known_default().unwrap_or_default()),
        };
        Ok(Approach {
            base,
            host: format!("{host}{port}"),
            trusts_public: server.ca.is_none(),
            client,
        })
    }
}

/// The `Authorization` header, marked so that no HTTP library logs it. `None` where the token has
/// characters that a header cannot carry.
fn bearer(token: &Token) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bearer {}", token.reveal())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

impl Cluster {
    /// Makes the client. Nothing is sent yet.
    pub fn new(server: &Server, credential: &Credential) -> Result<Cluster, ClientError> {
        Cluster::on(&Approach::new(server, credential)?, credential)
    }

    /// Takes a way that is there already. A client certificate belongs to the way.
    pub fn on(approach: &Approach, credential: &Credential) -> Result<Cluster, ClientError> {
        let (authorization, life, identity) = match credential {
            Credential::Token(token) => (
                Some(bearer(token).ok_or(ClientError::Token)?),
                token.life(),
                token.identity(),
            ),
            Credential::Certificate(_) => (None, Life::Unknown, None),
        };
        Ok(Cluster {
            approach: approach.clone(),
            life,
            identity,
            authorization,
            warnings: Mutex::default(),
        })
    }

    /// The way to the API server.
    pub fn approach(&self) -> &Approach {
        &self.approach
    }

    /// Sends a call, again where that may help, and gives back the object.
    pub async fn send(&self, call: &Call, until: Instant) -> Result<Value, CallError> {
        let object = self.read(call, until, answer::read).await?;
        identity::expected(call, &object).map_err(odd)?;
        if !call.is_answered_in_secret() {
            logging::learn(&object);
        }
        for mark in marks::invalid_in(&object) {
            tracing::warn!(mark, "the value of this annotation is not valid; ignored");
        }
        Ok(object)
    }

    /// The same, with the object's managed fields.
    pub async fn whole(&self, call: &Call, until: Instant) -> Result<Value, CallError> {
        let read = |body: &[u8]| {
            let object = serde_json::from_slice::<Value>(body).ok();
            object.filter(Value::is_object)
        };
        let object = self.read(call, until, read).await?;
        identity::expected(call, &object).map_err(odd)?;
        logging::learn(&object);
        Ok(object)
    }

    /// Takes what the server has remarked on writes since the last time.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self.warnings.lock();
        std::mem::take(&mut *warnings.unwrap_or_else(PoisonError::into_inner))
    }

    /// One page of events.
    pub async fn events(&self, call: &Call, until: Instant) -> Result<Vec<Event>, CallError> {
        self.read(call, until, pod::events).await
    }

    /// A text, such as a log.
    pub async fn text(&self, call: &Call, until: Instant) -> Result<String, CallError> {
        let text = |body: &[u8]| Some(String::from_utf8_lossy(body).into_owned());
        self.read(call, until, text).await
    }

    /// Sends a call, again where that may help, and reads the answer. What `parse` cannot read is
    /// not from Kubernetes.
    async fn read<T>(
        &self,
        call: &Call,
        until: Instant,
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, CallError> {
        let (mut tries, mut unsure) = (0, false);
        loop {
            let (mut error, failure) = match self.once(call, until, &parse).await {
                Ok(read) => return Ok(read),
                // What the application says is its answer, whatever the status.
                Err((error, _)) if call.verb == Verb::Proxy => return Err(error),
                Err(failed) => failed,
            };
            tries += 1;
            unsure |= error.may_have_been_done();
            if let CallError::Unreachable(unreached) = &mut error {
                unreached.tries = tries;
                unreached.unsure = unsure;
            }
            let left = until.duration_since(Instant::now());
            let pause = match retry::next(failure, tries, left, fastrand::f64()) {
                Next::Retry(pause) => pause,
                Next::GiveUp => return Err(error),
                // What was answered last is the cause, not that the time is over.
                Next::OutOfTime => {
                    sleep_until(until).await;
                    return Err(error);
                }
            };
            tracing::warn!(
                verb = call.verb.rbac(),
                resource = &*call.resource,
                tries,
                cause = in_short(&error),
                pause_ms = pause.as_millis() as u64,
                "the cluster is to be asked again"
            );
            sleep(pause).await;
        }
    }

    /// Opens a watch. It is tried once: whoever watches can read as well.
    pub async fn watch(&self, call: &Call, until: Instant) -> Result<Watch, CallError> {
        let response = match self.open(call, until).await {
            Ok(response) => response,
            Err((error, _)) => return Err(error),
        };
        Ok(Watch {
            opened: Instant::now(),
            response,
            line: Vec::new(),
            rest: Vec::new(),
        })
    }

    async fn once<T>(
        &self,
        call: &Call,
        until: Instant,
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, Attempt> {
        let limit = until.min(Instant::now() + time_limit(call));
        let response = self.open(call, until).await?;
        let code = response.status().as_u16();
        if call.verb.writes() {
            let headers = response.headers().get_all(WARNING);
            let remarks = warning::read(
                headers.into_iter().map(HeaderValue::as_bytes),
                logging::masked,
            );
            let warnings = self.warnings.lock();
            // Answers to other writes may come before these are taken.
            let mut warnings = warnings.unwrap_or_else(PoisonError::into_inner);
            warnings.extend(remarks);
        }
        if let Some(how) = compression(response.headers()) {
            return Err(permanent(odd(OddAnswer::Compressed(how))));
        }
        let body = match timeout_at(limit, http::read(response, MAX_BODY)).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => return Err(self.transport(&error)),
            Err(_) => return Err(self.unreached(UnreachedCause::Endless)),
        };
        traffic::received(body.len());
        if body.len() >= MAX_BODY {
            return Err(permanent(odd(OddAnswer::TooLong)));
        }
        parse(&body).ok_or_else(|| {
            let text = || {
                let secret = call.is_answered_in_secret();
                let text = (!secret).then(|| excerpt(&body, logging::masked));
                OddAnswer::Text(code, text)
            };
            let fault = answer::fault(&body).map(|fault| OddAnswer::Json(code, fault));
            permanent(odd(fault.unwrap_or_else(text)))
        })
    }

    /// Sends the call and returns the answer if its status is a success.
    async fn open(&self, call: &Call, until: Instant) -> Result<Response, Attempt> {
        if let Some(refusal) = call.refused() {
            return Err(permanent(CallError::Refused(refusal)));
        }
        let limit = until.min(Instant::now() + time_limit(call));
        let started = Instant::now();
        traffic::called();
        let sent = timeout_at(limit, self.request(call).send()).await;
        let response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.transport(&error)),
            Err(_) => return Err(self.unreached(UnreachedCause::TooSlow)),
        };
        let status = response.status();
        let milliseconds = started.elapsed().as_millis() as u64;
        let (verb, path, code) = (call.verb.rbac(), &*call.path, status.as_u16());
        if call.changes() {
            tracing::info!(
                verb,
                path,
                status = code,
                milliseconds,
                "the cluster answered"
            );
        } else {
            tracing::debug!(
                verb,
                path,
                status = code,
                milliseconds,
                "the cluster answered"
            );
        }
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            return Err(permanent(odd(failure::redirection(&response))));
        }
        let asked = response.headers().get(RETRY_AFTER);
        let asked = retry::asked(asked.and_then(|value| value.to_str().ok()));
        // A policy may name a thousand violations, and a `Status` quote a whole object: one that is
        // cut is no JSON any more, and would be taken for a proxy's page.
        let body = timeout_at(limit, http::read(response, MAX_BODY)).await;
        // A refusal whose body breaks off is a refusal all the same.
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let mut refusal = Refusal::read(code, &body, logging::masked);
        refusal.wait = asked.or(refusal.wait);
        // What an application says is its own.
        if refusal.is_foreign() && call.verb != Verb::Proxy {
            let text = Some(refusal.message).filter(|_| !call.is_answered_in_secret());
            return Err(permanent(odd(OddAnswer::Text(code, text))));
        }
        refusal.token = (refusal.code == 401).then(|| self.refused_token());
        // A webhook is waited for by the engine: once, not once for each object that it admits.
        let failure = match refusal.cause() == RefusalCause::Busy {
            true => Failure::Transient(refusal.wait),
            false => Failure::Permanent,
        };
        Err((CallError::Refused(refusal), failure))
    }

    /// What the token says about itself that was refused just now.
    fn refused_token(&self) -> Box<RefusedToken> {
        Box::new(RefusedToken {
            life: self.life,
            identity: self.identity.clone(),
            at: Timestamp::now(),
        })
    }

    fn unreached(&self, cause: UnreachedCause) -> Attempt {
        let unreached = Unreached::new(cause, self.approach.host.clone());
        let error = CallError::Unreachable(Box::new(unreached));
        (error, Failure::Transient(None))
    }

    /// A fault of the connection. What is wrong with a certificate does not pass by itself.
    fn transport(&self, error: &reqwest::Error) -> Attempt {
        if let Some(fault) = failure::certificate(error, self.approach.trusts_public) {
            let host = self.approach.host.clone();
            return permanent(CallError::Untrusted(Box::new(Untrusted { host, fault })));
        }
        match failure::odd(error) {
            Some(answer) if answer.may_pass() => (odd(answer), Failure::Transient(None)),
            Some(answer) => permanent(odd(answer)),
            None => self.unreached(failure::unreached(error, self.authorization.is_none())),
        }
    }

    fn request(&self, call: &Call) -> reqwest::RequestBuilder {
        let mut url = self.approach.base.clone();
        // A proxy may serve the API under a path of its own.
        let path = format!("{}{}", url.path().trim_end_matches('/'), call.path);
        url.set_path(&path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let method = call.verb.method().parse().expect("a method of HTTP");
        let request = self.approach.client.request(method, url);
        let mut request = request.header(ACCEPT, call.accept());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let (Some(body), Some(kind)) = (&call.body, call.verb.content_type()) {
            request = request.header(CONTENT_TYPE, kind).body(body.to_string());
        }
        request
    }
}

#[cfg(test)]
mod tests;
