//! Counts the bytes between one client and the API server, as they are on the wire: encrypted, and
//! compressed where both agree on it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// A relay to the API server; dropping it closes its connections.
pub(super) struct Wire {
    pub(super) url: String,
    counted: Arc<Counted>,
    relay: AbortHandle,
}

/// What has gone over a relay.
#[derive(Default)]
struct Counted {
    /// The bytes that the server has sent.
    read: AtomicU64,
    /// The connections, each with a TLS handshake of its own.
    connections: AtomicU64,
}

impl Wire {
    /// Listens for one client.
    pub(super) async fn start(server: &str) -> Result<Wire, String> {
        let told = |error: std::io::Error| format!("a relay to {server}: {error}");
        let address = server.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(told)?;
        let url = format!("https://{}", listener.local_addr().map_err(told)?);
        let counted = Arc::<Counted>::default();
        let relay = tokio::spawn(accept(listener, address, Arc::clone(&counted)));
        Ok(Wire {
            url,
            counted,
            relay: relay.abort_handle(),
        })
    }

    /// The bytes that the server has sent so far.
    pub(super) fn read(&self) -> u64 {
        self.counted.read.load(Ordering::Relaxed)
    }

    /// The connections that the client has opened so far.
    pub(super) fn connections(&self) -> u64 {
        self.counted.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

async fn accept(listener: TcpListener, server: String, counted: Arc<Counted>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        counted.connections.fetch_add(1, Ordering::Relaxed);
        let (server, counted) = (server.clone(), Arc::clone(&counted));
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(server).await else {
                return;
            };
            let _small_packets_wait_otherwise =
                (client.set_nodelay(true), server.set_nodelay(true));
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let there = relay(from_client, to_server, None);
            let back = relay(from_server, to_client, Some(&counted.read));
            // A client that is gone has read everything that it will.
            tokio::select! { () = there => (), () = back => () }
        });
    }
}

async fn relay(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    counter: Option<&AtomicU64>,
) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        if let Some(counter) = counter {
            counter.fetch_add(length as u64, Ordering::Relaxed);
        }
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}
