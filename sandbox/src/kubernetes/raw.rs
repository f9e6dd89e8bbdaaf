//! A server that answers each request with bytes of the test's own, for what no HTTP library
//! writes.

use super::authority::Authority;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How much of a request is read at a time.
const PIECE: usize = 16 * 1024;

/// What is sent, and whether the connection is closed after it.
#[derive(Clone, Debug)]
pub struct Bytes {
    /// The bytes.
    pub sent: Vec<u8>,
    /// Whether the connection stays open.
    pub stays_open: bool,
}

/// A server with TLS on 127.0.0.1; dropping it stops it.
pub struct Raw {
    url: String,
    ca: String,
    task: JoinHandle<()>,
}

impl Raw {
    /// Starts one that answers each request with these bytes.
    pub async fn start(answer: Bytes) -> io::Result<Raw> {
        let authority = Authority::generate();
        let acceptor = TlsAcceptor::from(Arc::new(authority.server_config()?));
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let url = format!("https://{}", listener.local_addr()?);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), answer.clone()));
            }
        });
        let ca = authority.pem;
        Ok(Raw { url, ca, task })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The CA that signed the server's certificate, PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request without a body is whole with its empty line, and these tests send no other.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, answer: Bytes) -> Option<()> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    let mut request = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = stream
            .read(&mut piece)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        request.extend_from_slice(&piece[..read]);
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        request.clear();
        stream.write_all(&answer.sent).await.ok()?;
        stream.flush().await.ok()?;
        if !answer.stays_open {
            return stream.shutdown().await.ok();
        }
    }
}
