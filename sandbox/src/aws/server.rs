//! A listener and its connections.

use crate::aws::state::Shared;
use crate::aws::{endpoint, runtime_api};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// More connections than a function and its tests open at a time.
const CONNECTIONS: usize = 256;

#[derive(Clone, Copy)]
pub(super) enum Service {
    Aws,
    Runtime(u64),
}

/// A listener and its connections; dropping it closes them all.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    accepting: AbortHandle,
}

impl Server {
    pub(super) fn start(shared: &Arc<Shared>, service: Service) -> io::Result<Server> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let accepting = tokio::spawn(accept(listener, Arc::clone(shared), service));
        Ok(Server {
            address,
            accepting: accepting.abort_handle(),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, service: Service) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        while connections.try_join_next().is_some() {}
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(connection(stream, Arc::clone(&shared), service));
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, service: Service) {
    let _delayed_otherwise = stream.set_nodelay(true);
    let answer = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move {
            match service {
                Service::Aws => endpoint::answer(&shared, request).await,
                Service::Runtime(number) => Ok(runtime_api::answer(&shared, number, request).await),
            }
        }
    });
    // A client that disconnects is not an error.
    let _closed = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}
