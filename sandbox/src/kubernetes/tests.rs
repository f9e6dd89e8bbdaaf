use super::*;
use crate::world::{Fault, On, sample_deployment};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";
const PATIENCE: Duration = Duration::from_secs(10);

async fn server() -> Kubernetes {
    let mut world = World::new("a-token");
    world.apply(sample_deployment("web", "web:1"), Timestamp::now());
    Kubernetes::start(world).await.expect("a server")
}

async fn connected(server: &Kubernetes, ca: &str) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).expect("PEM"))
        .expect("a CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = server.url().strip_prefix("https://").expect("https");
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn ask(stream: &mut TlsStream<TcpStream>, method: &str, path: &str, body: &str) {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: kubernetes\r\nAuthorization: Bearer a-token\r\n\
             Content-Type: application/merge-patch+json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("written");
}

/// Reads until the text has come, or the stream has ended.
async fn read_until(stream: &mut TlsStream<TcpStream>, text: &str) -> String {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    let reading = async {
        while !String::from_utf8_lossy(&all).contains(text) {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(length) => all.extend_from_slice(&piece[..length]),
            }
        }
    };
    timeout(PATIENCE, reading).await.expect("in time");
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn only_its_own_ca_vouches_for_it() {
    let server = server().await;
    assert!(connected(&server, &Kubernetes::other_ca()).await.is_err());
    let mut stream = connected(&server, server.ca()).await.expect("trusted");
    ask(&mut stream, "GET", WEB, "").await;
    let answer = read_until(&mut stream, "\"kind\":\"Deployment\"").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn a_watch_streams_what_a_write_sets_off() {
    let server = server().await;
    let version = server.world(|world, _| world.resource_version());
    let mut watch = connected(&server, server.ca()).await.expect("trusted");
    let path = format!(
        "/apis/apps/v1/namespaces/default/deployments?watch=1&resourceVersion={version}\
             &fieldSelector=metadata.name%3Dweb&timeoutSeconds=4"
    );
    ask(&mut watch, "GET", &path, "").await;
    let head = read_until(&mut watch, "\r\n\r\n").await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let mut writer = connected(&server, server.ca()).await.expect("trusted");
    ask(&mut writer, "PATCH", WEB, r#"{"spec":{"replicas":3}}"#).await;
    assert!(
        read_until(&mut writer, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
    // The world lives by itself meanwhile: three pods come up without another request.
    let events = read_until(&mut watch, "\"availableReplicas\":3").await;
    assert!(events.contains("\"availableReplicas\":3"), "{events}");
    assert!(events.contains("\"type\":\"MODIFIED\""));
    assert!(
        read_until(&mut watch, "0\r\n\r\n")
            .await
            .ends_with("0\r\n\r\n"),
        "it ends"
    );
}

#[tokio::test]
async fn a_cut_connection_ends_without_an_answer_and_a_stalled_one_does_not_end() {
    let server = server().await;
    server.world(|world, _| {
        world.fault(On::any(), Fault::CutBefore, 1);
        world.fault(On::any(), Fault::Stall, 1);
    });
    let mut cut = connected(&server, server.ca()).await.expect("trusted");
    ask(&mut cut, "GET", WEB, "").await;
    assert_eq!(read_until(&mut cut, "HTTP").await, "");
    let mut stalled = connected(&server, server.ca()).await.expect("trusted");
    ask(&mut stalled, "GET", WEB, "").await;
    let mut piece = [0; 1];
    let read = timeout(Duration::from_millis(200), stalled.read(&mut piece)).await;
    assert!(read.is_err(), "nothing comes");
    drop(server);
    let end = timeout(PATIENCE, stalled.read(&mut piece))
        .await
        .expect("in time");
    assert!(
        matches!(end, Ok(0) | Err(_)),
        "the end of the server ends it"
    );
}

#[tokio::test]
async fn without_tls_it_speaks_plainly() {
    let world = World::new("a-token");
    let server = Kubernetes::start_plain(world).await.expect("a server");
    let address = server.url().strip_prefix("http://").expect("http");
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let request = b"GET /version HTTP/1.1\r\nHost: k\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    assert!(answer.contains("gitVersion"), "{answer}");
}

#[tokio::test]
async fn a_change_is_seen_when_it_comes_and_one_that_is_there_at_once() {
    let kubernetes = Kubernetes::start_plain(World::new("a-token"))
        .await
        .unwrap();
    let there = |world: &World| world.deployment("default", "web").is_some();
    let change = async {
        sleep(Duration::from_millis(20)).await;
        let now = Timestamp::now();
        kubernetes.world(|world, at| world.apply(sample_deployment("web", "web:1"), at));
        now
    };
    let (seen, changed) = tokio::join!(kubernetes.until(there), change);
    assert!(seen >= changed, "{seen} {changed}");
    let at_once = timeout(Duration::from_secs(1), kubernetes.until(there)).await;
    assert!(at_once.unwrap() >= seen);
}

/// A connection with a client certificate.
async fn presented(server: &Kubernetes, pair: &ClientPair) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(server.ca().as_bytes()).expect("PEM");
    roots.add(ca).expect("a CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes());
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(pair.key.as_bytes());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate.expect("PEM")], key.expect("PEM"))
        .expect("a pair");
    let address = server.url().strip_prefix("https://").expect("https");
    let stream = TcpStream::connect(address).await.expect("a server");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.expect("a handshake")
}

#[tokio::test]
async fn a_client_certificate_says_who_calls_in_each_form_of_its_key() {
    let (server, other) = (server().await, server().await);
    let ask = async |pair: &ClientPair| {
        let mut stream = presented(&server, pair).await;
        let head = format!("GET {WEB} HTTP/1.1\r\nHost: k\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("written");
        read_until(&mut stream, "\"metadata\":{").await
    };
    for (form, label) in [
        (KeyForm::Pkcs8, "BEGIN PRIVATE"),
        (KeyForm::Pkcs1, "BEGIN RSA PRIVATE"),
        (KeyForm::Sec1, "BEGIN EC PRIVATE"),
    ] {
        let pair = server.issue("jane", &["landfall"], form).expect("a pair");
        assert!(pair.key.contains(label));
        let answer = ask(&pair).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let unbound = server.issue("joe", &["others"], form).expect("a pair");
        let answer = ask(&unbound).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.contains("User \\\"joe\\\" cannot get"), "{answer}");
        let foreign = other.issue("jane", &["landfall"], form).expect("a pair");
        let answer = ask(&foreign).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    let users = server.world(|world, _| world.requests().to_vec());
    let users = users.iter().map(|seen| &*seen.user).collect::<Vec<_>>();
    assert_eq!(users, ["jane", "joe", ""].repeat(3));
}
