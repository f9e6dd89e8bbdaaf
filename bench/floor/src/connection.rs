//! HTTP/1.1 over a blocking socket, plain or TLS.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// The largest body: more than a Deployment or a page of ReplicaSets needs.
const BODY_BYTES: u64 = 16 * 1024 * 1024;
/// The largest number of header lines; real responses have far fewer.
const HEADERS: usize = 100;

pub(crate) struct Connection {
    address: String,
    tls: Option<Arc<ClientConfig>>,
    stream: Option<BufReader<Stream>>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The lines of a chunked body.
pub(crate) struct Lines<'a> {
    stream: &'a mut BufReader<Stream>,
    kept: Vec<u8>,
}

impl Connection {
    pub(crate) fn plain(address: &str) -> Connection {
        Connection {
            address: address.to_owned(),
            tls: None,
            stream: None,
        }
    }

    /// Connects and trusts only `authority`.
    pub(crate) fn tls(address: &str, authority: &str) -> Connection {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
            roots.add(certificate.expect("PEM")).expect("a certificate");
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Connection {
            tls: Some(Arc::new(config)),
            ..Connection::plain(address)
        }
    }

    pub(crate) fn host(&self) -> &str {
        &self.address
    }

    /// Makes the next call use a new connection.
    pub(crate) fn reconnect(&mut self) {
        self.stream = None;
    }

    pub(crate) fn call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.send(method, path, headers, body);
        self.answer().expect("an answer")
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n").expect("a text takes all");
        }
        write!(request, "content-length: {}\r\n\r\n", body.len()).expect("a text takes all");
        let mut request = request.into_bytes();
        request.extend_from_slice(body);
        let stream = self.stream().get_mut();
        stream
            .write_all(&request)
            .and_then(|()| stream.flush())
            .expect("sent");
    }

    fn stream(&mut self) -> &mut BufReader<Stream> {
        if self.stream.is_none() {
            let socket = TcpStream::connect(&self.address).expect("a connection");
            socket.set_nodelay(true).expect("a socket");
            let stream = match &self.tls {
                None => Stream::Plain(socket),
                Some(config) => {
                    let host = self
                        .address
                        .split(':')
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    let name = ServerName::try_from(host).expect("a name");
                    let client = ClientConnection::new(Arc::clone(config), name).expect("TLS");
                    Stream::Tls(Box::new(StreamOwned::new(client, socket)))
                }
            };
            self.stream = Some(BufReader::new(stream));
        }
        self.stream.as_mut().expect("made above")
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let stream = self.stream();
        let (status, headers) = head(stream)?;
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        if answer.header("transfer-encoding") == "chunked" {
            let mut lines = Lines {
                stream,
                kept: Vec::new(),
            };
            while lines.chunk()? {}
            answer.body = lines.kept;
        } else {
            let length = answer.header("content-length").parse().unwrap_or(0);
            assert!(length <= BODY_BYTES, "{length} bytes are too many");
            stream.take(length).read_to_end(&mut answer.body)?;
        }
        Ok(answer)
    }

    /// The response to a watch, line by line.
    pub(crate) fn lines(&mut self) -> Lines<'_> {
        let stream = self.stream();
        let (status, _) = head(stream).expect("an answer");
        assert_eq!(status, 200, "the watch was refused");
        Lines {
            stream,
            kept: Vec::new(),
        }
    }
}

fn head(stream: &mut BufReader<Stream>) -> io::Result<(u16, Vec<(String, String)>)> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.get(9..12).and_then(|code| code.parse().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let mut headers = Vec::new();
    for _ in 0..HEADERS {
        line.clear();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => return Ok((status, headers)),
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl Lines<'_> {
    /// Returns the next line; `None` at the end of the body.
    pub(crate) fn next_line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.kept.iter().position(|byte| *byte == b'\n') {
                let line = self.kept.drain(..=end).collect();
                return String::from_utf8(line).ok();
            }
            if !self.chunk().expect("the connection lasts") {
                return None;
            }
        }
    }

    /// Reads one chunk; returns false at the last one.
    fn chunk(&mut self) -> io::Result<bool> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim_end(), 16);
        let length = length.map_err(|_| io::ErrorKind::InvalidData)?;
        assert!(length <= BODY_BYTES, "{length} bytes are too many");
        self.stream
            .by_ref()
            .take(length)
            .read_to_end(&mut self.kept)?;
        line.clear();
        self.stream.read_line(&mut line)?;
        Ok(length > 0)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(buffer),
            Stream::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}
