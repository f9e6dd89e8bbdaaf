//! A [`World`] behind an HTTPS server with its own CA.

mod answering;
mod authority;
mod client;
mod flow;
mod handshake;
mod raw;

use crate::kubernetes::answering::{Form, write};
use crate::kubernetes::client::Clients;
use crate::kubernetes::flow::{Flow, flow, line};
use crate::world::{Identity, Reply, Request, Watch, WatchFlow, World};
use http_body_util::{BodyExt, Limited};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval_at, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

pub use authority::Authority;
pub use client::{ClientPair, KeyForm};
pub use raw::{Bytes as RawBytes, Raw};

/// Slightly more than the world accepts, so that the world refuses.
const BODY_LIMIT: usize = 3 * 1024 * 1024 + 1;
/// The most connections at a time; a test that needs more is wrong.
const CONNECTION_LIMIT: usize = 1_000;
/// The time limit of a TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// The time between two bookmarks of a watch, as of a real API server.
/// <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go>
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);
/// How long before its end a watch has its last bookmark.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);
/// The duration of a watch that requests none: the server's minimum.
const WATCH_LIFE: Duration = Duration::from_secs(1_800);
/// The longest sleep if nothing is planned.
const IDLE: Duration = Duration::from_secs(3_600);
/// How often a port is tried that another server has just left, and the pause before that.
const BINDS: u32 = 100;
const BIND_PAUSE: Duration = Duration::from_millis(20);

/// A Kubernetes API server over a [`World`]; dropping it stops everything.
pub struct Kubernetes {
    url: String,
    ca: String,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

/// The state shared by connections, watches and the clock.
struct Shared {
    world: Mutex<World>,
    clients: Clients,
    /// The newest resource version; wakes watches and the clock.
    changed: watch::Sender<u64>,
}

impl Kubernetes {
    /// Starts on 127.0.0.1 with its own CA and server certificate.
    pub async fn start(world: World) -> io::Result<Kubernetes> {
        Kubernetes::start_on(world, 0).await
    }

    /// Starts on a port of 127.0.0.1, perhaps one that another server has just left.
    pub async fn start_on(world: World, port: u16) -> io::Result<Kubernetes> {
        let authority = Authority::generate();
        let acceptor = TlsAcceptor::from(Arc::new(authority.config(true)?));
        Kubernetes::listen(world, port, authority.pem, Some(acceptor)).await
    }

    /// Starts without TLS.
    pub async fn start_plain(world: World) -> io::Result<Kubernetes> {
        Kubernetes::listen(world, 0, String::new(), None).await
    }

    async fn listen(
        world: World,
        port: u16,
        ca: String,
        tls: Option<TlsAcceptor>,
    ) -> io::Result<Kubernetes> {
        let listener = bind(port).await?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let changed = watch::Sender::new(world.resource_version());
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            clients: Clients::new(),
            changed,
        });
        let tasks = vec![
            tokio::spawn(accept(listener, tls, Arc::clone(&shared))),
            tokio::spawn(keep_time(Arc::clone(&shared))),
        ];
        Ok(Kubernetes {
            url,
            ca,
            shared,
            tasks,
        })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The CA that signed the server's certificate, in PEM; empty without TLS.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// The port.
    pub fn port(&self) -> u16 {
        let port = self.url.rsplit(':').next();
        port.and_then(|port| port.parse().ok()).unwrap_or_default()
    }

    /// Issues a client certificate: the user is its common name, the groups its organizations.
    pub fn issue(&self, user: &str, groups: &[&str], form: KeyForm) -> io::Result<ClientPair> {
        self.shared.clients.issue(user, groups, form)
    }

    /// Reads or changes the world now.
    pub fn world<T>(&self, look: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        self.shared.with(look)
    }

    /// Waits until the world matches, and returns when it first did.
    pub async fn until(&self, wanted: impl Fn(&World) -> bool) -> Timestamp {
        let mut changed = self.shared.changed.subscribe();
        // Reads without `world`, which would wake everyone.
        while !wanted(&self.shared.lock()) {
            let _the_sender_is_ours = changed.changed().await;
        }
        Timestamp::now()
    }

    /// A valid CA that did not sign this server's certificate.
    pub fn other_ca() -> String {
        Authority::generate().pem
    }
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    /// A test that panics while it holds the lock must show its own message.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses the world now, then wakes watches and the clock.
    fn with<T>(&self, work: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let now = Timestamp::now();
        let mut world = self.lock();
        world.advance(now);
        let done = work(&mut world, now);
        let version = world.resource_version();
        drop(world);
        self.changed.send_replace(version);
        done
    }
}

async fn bind(port: u16) -> io::Result<TcpListener> {
    let mut binds = 0;
    loop {
        binds += 1;
        match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && binds < BINDS => {
                sleep(BIND_PAUSE).await;
            }
            bound => return bound,
        }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Dropped with this task, together with every connection.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        while connections.try_join_next().is_some() {}
        if connections.len() < CONNECTION_LIMIT {
            connections.spawn(connect(stream, tls.clone(), Arc::clone(&shared)));
        }
    }
}

async fn connect(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Small responses must not wait for a delayed acknowledgement.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match tls {
        None => serve(stream, None, shared).await,
        Some(acceptor) => {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
                let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
                let first = certificates.first();
                let holder = first.and_then(|certificate| shared.clients.holder(certificate));
                serve(stream, holder, shared).await;
            }
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    holder: Option<Identity>,
    shared: Arc<Shared>,
) {
    let service = service_fn(move |request| {
        let (holder, shared) = (holder.clone(), Arc::clone(&shared));
        let form = Form::asked(&request);
        async move { respond(read(request, holder).await?, form, shared).await }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        // A client may keep a connection for the length of a rollout.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    // A cut connection and a client that disconnects both end in an error here, as intended.
    let _ = connection.await;
}

/// An error closes the connection without a response.
async fn respond(
    request: Request,
    form: Form,
    shared: Arc<Shared>,
) -> Result<Response<Flow>, io::Error> {
    match shared.with(|world, now| world.answer(&request, now)) {
        Reply::Answer(answer) => Ok(write(answer, form)),
        Reply::Watch(watch) => {
            let (sender, flow) = flow();
            tokio::spawn(stream(watch, sender, shared));
            let response = Response::builder().header(CONTENT_TYPE, "application/json");
            response.body(flow).map_err(io::Error::other)
        }
        Reply::Stall => pending().await,
        Reply::Cut => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
    }
}

async fn read(
    request: hyper::Request<Incoming>,
    certificate: Option<Identity>,
) -> io::Result<Request> {
    let (parts, body) = request.into_parts();
    let header = |name| {
        let value = parts.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        // The body is too long for the world, which says so; its content does not matter then.
        Err(error) if error.is::<http_body_util::LengthLimitError>() => vec![0; BODY_LIMIT],
        Err(error) => return Err(io::Error::other(error)),
    };
    Ok(Request {
        method: parts.method.to_string(),
        path: parts
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        content_type: header(CONTENT_TYPE),
        authorization: header(AUTHORIZATION),
        certificate,
        user_agent: header(USER_AGENT),
        body,
    })
}

/// Sends a watch's events until its time is over or the client is gone.
async fn stream(watch: Watch, sender: mpsc::Sender<Bytes>, shared: Arc<Shared>) {
    for event in &watch.initial {
        if sender.send(line(event)).await.is_err() {
            return;
        }
    }
    match watch.flow {
        WatchFlow::Ends => return,
        WatchFlow::Mute => return sender.closed().await,
        WatchFlow::Changes | WatchFlow::Cut => {}
    }
    let life = watch
        .timeout_seconds
        .map_or(WATCH_LIFE, Duration::from_secs);
    let end = Instant::now() + life.min(WATCH_LIFE);
    let mut bookmarks = interval_at(Instant::now() + BOOKMARK_PERIOD, BOOKMARK_PERIOD);
    let mut last = end
        .checked_sub(LAST_BOOKMARK)
        .filter(|last| *last > Instant::now());
    let mut changed = shared.changed.subscribe();
    let mut after = watch.since;
    loop {
        // Marked before the log is read, so that a change in between wakes us again.
        changed.mark_unchanged();
        let (events, version) = {
            let world = shared.lock();
            (world.watch(&watch, after), world.resource_version())
        };
        let Ok(events) = events else {
            // The client is slower than the log reaches back; a failed send means that it left.
            let _ = sender.send(line(&watch.expired())).await;
            return;
        };
        for (_, event) in &events {
            let mut line = line(event);
            if watch.flow == WatchFlow::Cut {
                line.truncate(line.len() / 2);
                let _ = sender.send(line).await;
                return;
            }
            if sender.send(line).await.is_err() {
                return;
            }
        }
        after = after.max(version);
        let bookmark = tokio::select! {
            changed = changed.changed() => match changed {
                Ok(()) => None,
                Err(_) => return,
            },
            _ = bookmarks.tick(), if watch.bookmarks => Some(watch.bookmark(after)),
            () = sleep_until(last.unwrap_or(end)), if watch.bookmarks && last.is_some() => {
                last = None;
                Some(watch.bookmark(after))
            }
            () = sleep_until(end) => return,
            () = sender.closed() => return,
        };
        if let Some(bookmark) = bookmark
            && sender.send(line(&bookmark)).await.is_err()
        {
            return;
        }
    }
}

/// Advances the world: wakes when something is due, or when a write plans something.
async fn keep_time(shared: Arc<Shared>) {
    let mut changed = shared.changed.subscribe();
    loop {
        changed.mark_unchanged();
        let next = shared.lock().next_change();
        let delay = next.map_or(IDLE, |at| {
            // At least a millisecond, the timer's resolution.
            let left = at.duration_since(Timestamp::now());
            Duration::try_from(left)
                .unwrap_or_default()
                .clamp(Duration::from_millis(1), IDLE)
        });
        tokio::select! {
            () = sleep(delay) => shared.with(|_, _| ()),
            changed = changed.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests;
