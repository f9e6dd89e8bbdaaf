//! A scripted cluster that takes almost no time: any change of its one Deployment is rolled out by
//! the next call. It serves to measure the function, not the cluster.

mod objects;
mod script;

use crate::instant::script::{Admits, Script};
use crate::kubernetes::Authority;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Sleep, sleep};
use tokio_rustls::TlsAcceptor;

pub use objects::DEPLOYMENT;
pub use script::Moment;

/// The largest body; a patch of a few fields is far smaller.
const BODY_BYTES: usize = 1024 * 1024;
/// The most connections; the measured process opens at most two.
const CONNECTIONS: usize = 64;

/// The server; dropping it ends it and its connections.
pub struct InstantCluster {
    url: String,
    ca: String,
    script: Arc<Mutex<Script>>,
    accepting: JoinHandle<()>,
}

impl InstantCluster {
    /// Starts on 127.0.0.1 with a Deployment whose rollout is complete.
    pub async fn start(token: &str) -> io::Result<InstantCluster> {
        InstantCluster::start_with(Script::new(token)).await
    }

    /// The same, but whoever has a token of IAM is let in.
    pub async fn start_for_iam() -> io::Result<InstantCluster> {
        let mut script = Script::new("");
        script.admits = Admits::Iam;
        InstantCluster::start_with(script).await
    }

    /// The same, but each new version has this many pods, all of which crash.
    pub async fn start_crowded(token: &str, pods: usize) -> io::Result<InstantCluster> {
        let mut script = Script::new(token);
        script.crowd = pods;
        script.deployment["spec"]["replicas"] = json!(pods);
        InstantCluster::start_with(script).await
    }

    async fn start_with(script: Script) -> io::Result<InstantCluster> {
        let authority = Authority::generate();
        let acceptor = TlsAcceptor::from(Arc::new(authority.server_config()?));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://{}", listener.local_addr()?);
        let script = Arc::new(Mutex::new(script));
        let accepting = tokio::spawn(accept(listener, acceptor, Arc::clone(&script)));
        Ok(InstantCluster {
            url,
            ca: authority.pem().to_owned(),
            script,
            accepting,
        })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The CA that signed the server's certificate, in PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// The number of calls so far, including refused ones.
    pub fn calls(&self) -> usize {
        lock(&self.script).calls
    }

    /// What happened since the last call of this function, and when, oldest first.
    pub fn moments(&self) -> Vec<(Moment, Timestamp)> {
        std::mem::take(&mut lock(&self.script).moments)
    }

    /// The time from the first page of pods to the call after the last page, and the size of the
    /// pages: the duration of a check, with the function's work.
    pub fn look(&self) -> (SignedDuration, usize) {
        let script = lock(&self.script);
        let time = match (script.look_began, script.look_ended) {
            (Some(began), Some(ended)) => ended.duration_since(began),
            _ => SignedDuration::ZERO,
        };
        (time, script.look_bytes)
    }
}

impl Drop for InstantCluster {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, script: Arc<Mutex<Script>>) {
    // Dropped with this task, together with every connection.
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        while connections.try_join_next().is_some() {}
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, acceptor.clone(), Arc::clone(&script)));
        }
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, script: Arc<Mutex<Script>>) {
    let _delayed_otherwise = stream.set_nodelay(true);
    lock(&script).note(Moment::Connected);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    lock(&script).note(Moment::Secured);
    let service = service_fn(|request| respond(request, Arc::clone(&script)));
    // A client that disconnects is not an error.
    let _closed = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    script: Arc<Mutex<Script>>,
) -> io::Result<Response<Content>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES).collect().await;
    let body = body.map_err(io::Error::other)?.to_bytes();
    let (answer, rolls_out) = {
        let mut script = lock(&script);
        let answer = script.answer(&Request::from_parts(parts, ()), &body);
        (answer, script.rolls_out)
    };
    if rolls_out {
        // Works while the response is sent, so that the next call does not wait.
        tokio::spawn(async move { lock(&script).roll_out() });
    }
    Response::builder()
        .status(answer.status)
        .header(CONTENT_TYPE, "application/json")
        .header(CACHE_CONTROL, "no-cache, private")
        .body(Content {
            bytes: Some(answer.content),
            open: (!answer.open.is_zero()).then(|| Box::pin(sleep(answer.open))),
        })
        .map_err(io::Error::other)
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A response's body: one piece, and for a watch the time until its end.
struct Content {
    bytes: Option<Bytes>,
    open: Option<Pin<Box<Sleep>>>,
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut self.open {
            Some(open) => open.as_mut().poll(context).map(|()| None),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && self.open.is_none()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match (&self.bytes, &self.open) {
            (Some(bytes), None) => {
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                hyper::body::SizeHint::with_exact(length)
            }
            _ => hyper::body::SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests;
