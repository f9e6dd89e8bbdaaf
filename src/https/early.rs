//! A connection that is made before there is anything to send.

use super::{Trust, builder, chain};
use jiff::{SignedDuration, Timestamp};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// How long a connection that was never used is taken for alive. The API server ends it after half
/// a minute, and a frozen Lambda does not notice.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A client that can be told to connect already.
#[derive(Debug)]
pub struct Early {
    client: reqwest::Client,
    ahead: Arc<AtomicBool>,
    /// A second time there may be a connection already, on which a request would be sent.
    begun: AtomicBool,
}

impl Early {
    /// Makes the client; an error says what is wrong with the PEM. Nothing is connected yet.
    pub fn new(trust: Trust<'_>) -> Result<Early, String> {
        let ahead = Arc::<AtomicBool>::default();
        let keeper = Keeper {
            ahead: ahead.clone(),
            kept: Arc::default(),
        };
        let client = builder(trust)?.connector_layer(keeper).build();
        let client = client.map_err(|error| chain(&error))?;
        Ok(Early {
            client,
            ahead,
            begun: AtomicBool::default(),
        })
    }

    /// The client itself.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Connects, TLS and all, and sends nothing; only the first time, and before any request.
    /// Where it fails, the first request connects again and tells why.
    pub async fn connect(&self, url: &str) {
        if self.begun.swap(true, Ordering::Relaxed) {
            return;
        }
        self.ahead.store(true, Ordering::Relaxed);
        let _over = Over(&self.ahead);
        // It ends where its connection is made: see `Connecting::call`.
        _ = self.client.head(url).send().await;
    }
}

/// Connections are for their own requests again, also where nobody waited for the end.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// reqwest connects for a request alone. So a request is begun whose connection is kept for the
/// next one, and that is given up before anything is sent.
struct Keeper<C> {
    /// Whether the next connection is to be kept.
    ahead: Arc<AtomicBool>,
    kept: Arc<Mutex<Option<(Timestamp, C)>>>,
}

impl<C> Clone for Keeper<C> {
    fn clone(&self) -> Self {
        Keeper {
            ahead: self.ahead.clone(),
            kept: self.kept.clone(),
        }
    }
}

impl<S, C> Layer<S> for Keeper<C> {
    type Service = Connecting<S, C>;

    fn layer(&self, inner: S) -> Connecting<S, C> {
        let keeper = self.clone();
        Connecting { inner, keeper }
    }
}

/// reqwest's way to connect, with a [`Keeper`].
struct Connecting<S, C> {
    inner: S,
    keeper: Keeper<C>,
}

impl<S: Clone, C> Clone for Connecting<S, C> {
    fn clone(&self) -> Self {
        Connecting {
            inner: self.inner.clone(),
            keeper: self.keeper.clone(),
        }
    }
}

impl<S, R> Service<R> for Connecting<S, S::Response>
where
    S: Service<R, Error = BoxError>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let kept = self.keeper.kept.clone();
        if self.keeper.ahead.swap(false, Ordering::Relaxed) {
            let connecting = self.inner.call(request);
            return Box::pin(async move {
                let connection = connecting.await?;
                *kept.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((Timestamp::now(), connection));
                Err("the connection is for the next request".into())
            });
        }
        let found = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        match found.filter(|(made, _)| is_fresh(*made, Timestamp::now())) {
            Some((_, connection)) => Box::pin(async { Ok(connection) }),
            None => Box::pin(self.inner.call(request)),
        }
    }
}

/// By the clock that goes on while a Lambda is frozen; one that was set back proves nothing.
fn is_fresh(made: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(made);
    SignedDuration::ZERO <= age && age < FRESH
}

#[cfg(test)]
mod tests;
