use super::*;
use crate::http::{self, Trust};
use rustls::CertificateError as Why;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

async fn cause(url: &str) -> UnreachedCause {
    let client = http::client(Trust::Public).unwrap();
    let error = client.get(url).send().await.unwrap_err();
    unreached(&error).0
}

/// A server that answers each connection with these bytes and closes it.
fn server(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            let mut hello = [0; 4096];
            let _ = stream.read(&mut hello);
            let _ = stream.write_all(answer);
        }
    });
    port
}

/// A TLS record with the alert `handshake_failure`.
const ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

#[tokio::test]
async fn each_silence_has_its_own_cause() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = nobody.local_addr().unwrap().port();
    drop(nobody);
    let at = |port: u16| format!("https://127.0.0.1:{port}/");
    for (url, expected) in [
        (at(free), UnreachedCause::ConnectionRefused),
        (
            "https://no-such-host.invalid/".to_owned(),
            UnreachedCause::NameUnknown,
        ),
        (
            at(server(b"HTTP/1.1 400 Bad\r\n\r\n")),
            UnreachedCause::NotTls,
        ),
        (at(server(ALERT)), UnreachedCause::HandshakeRefused),
        (
            format!("http://127.0.0.1:{}/", server(b"")),
            UnreachedCause::BrokenOff,
        ),
    ] {
        assert_eq!(cause(&url).await, expected, "{url}");
    }
}

#[test]
fn a_fault_of_a_certificate_is_told_apart() {
    let day = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let at = |seconds| Timestamp::from_second(seconds).ok();
    for (why, public, expected) in [
        (Why::UnknownIssuer, true, CertificateFault::NotPublic),
        (Why::UnknownIssuer, false, CertificateFault::OtherCa),
        (Why::BadSignature, false, CertificateFault::OtherCa),
        (
            Why::ExpiredContext {
                time: day(9),
                not_after: day(5),
            },
            false,
            CertificateFault::Expired(at(5)),
        ),
        (Why::Expired, true, CertificateFault::Expired(None)),
        (
            Why::NotValidYetContext {
                time: day(5),
                not_before: day(9),
            },
            false,
            CertificateFault::NotYetValid(at(9)),
        ),
        (
            Why::NotValidForNameContext {
                expected: "a.example.com".try_into().unwrap(),
                presented: vec!["DnsName(\"b.example.com\")".into()],
            },
            false,
            CertificateFault::OtherName(vec!["b.example.com".into()]),
        ),
        (Why::InvalidPurpose, false, CertificateFault::NotOfServer),
        (Why::Revoked, false, CertificateFault::Unusable),
    ] {
        assert_eq!(read(&why, public), expected, "{why:?}");
    }
}
