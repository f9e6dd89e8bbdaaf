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
    unreached(&error, true)
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

/// The same with `protocol_version`.
const OLD: &[u8] = &[21, 3, 3, 0, 2, 2, 70];

/// The same with `certificate_required`.
const CERTIFICATE: &[u8] = &[21, 3, 3, 0, 2, 2, 116];

/// The same with `unknown_ca`, of a server that does not trust the client's certificate.
const UNKNOWN_CA: &[u8] = &[21, 3, 3, 0, 2, 2, 48];

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
        (at(server(b"")), UnreachedCause::HandshakeCut),
        (at(server(OLD)), UnreachedCause::OldTls),
        (at(server(CERTIFICATE)), UnreachedCause::ClientCertificate),
        (at(server(UNKNOWN_CA)), UnreachedCause::CertificateRefused),
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
        (Why::BadSignature, false, CertificateFault::OtherSignature),
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

/// The certificate of this name in `certificates.txt`.
fn kept(name: &str) -> rustls::pki_types::CertificateDer<'static> {
    let all = include_str!("certificates.txt");
    let mut found = all.split("\n= ").filter_map(|part| part.split_once('\n'));
    let (_, pem) = found.find(|(found, _)| *found == name).expect(name);
    landfall_core::formats::certificate::read(pem)
        .unwrap()
        .remove(0)
}

/// Years of 365 days after 2026.
fn year(years: i64) -> UnixTime {
    let start = "2026-12-01T00:00:00Z".parse::<Timestamp>().unwrap();
    let seconds = start.as_second() + years * 365 * 24 * 3600;
    UnixTime::since_unix_epoch(Duration::from_secs(seconds.unsigned_abs()))
}

/// What is said of a certificate behind another one, where this CA is given.
fn said(shown: &[&str], ca: &str, host: &str, now: UnixTime) -> Option<CertificateFault> {
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use std::sync::Arc;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(kept(ca)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let chain = shown[1..].iter().map(|name| kept(name)).collect::<Vec<_>>();
    let host = host.try_into().unwrap();
    let verifier = verifier.build().unwrap();
    match verifier.verify_server_cert(&kept(shown[0]), &chain, &host, &[], now) {
        Ok(_) => None,
        Err(rustls::Error::InvalidCertificate(why)) => Some(read(&why, false)),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn each_certificate_is_taken_or_refused_for_its_reason() {
    use CertificateFault::*;
    let names = |names: &[&str]| Some(OtherName(names.iter().map(|it| (*it).into()).collect()));
    for (shown, ca, host, expected) in [
        (&["good"][..], "ca", "localhost", None),
        (&["good"], "ca", "127.0.0.1", None),
        (
            &["good"],
            "ca",
            "k8s.example.com",
            names(&["localhost", "127.0.0.1"]),
        ),
        (&["names"], "ca", "127.0.0.1", names(&["localhost"])),
        (&["nosan"], "ca", "localhost", names(&[])),
        (&["good"], "rsa", "localhost", Some(OtherCa)),
        (&["good"], "ca2", "localhost", Some(OtherSignature)),
        (&["weakca"], "weak", "localhost", Some(OtherSignature)),
        (&["selfca"], "selfca", "localhost", Some(OfCa)),
        // Pinned, as kubectl takes it.
        (&["selfleaf"], "selfleaf", "localhost", None),
        // kubectl refuses a CA that may not sign; the one that is given is trusted here.
        (&["bynosign"], "nosign", "localhost", None),
        (&["bymid", "mid"], "ca", "localhost", Some(BrokenChain)),
        (&["sha1"], "rsa", "localhost", Some(OldSignature)),
        (&["client"], "ca", "localhost", Some(NotOfServer)),
        (&["v1"], "ca", "localhost", Some(OldVersion)),
    ] {
        assert_eq!(
            said(shown, ca, host, year(0)),
            expected,
            "{shown:?} {ca} {host}"
        );
    }
    let late = said(&["good"], "ca", "localhost", year(200));
    assert!(matches!(late, Some(Expired(Some(_)))), "{late:?}");
    let early = said(&["good"], "ca", "localhost", year(-20));
    assert!(matches!(early, Some(NotYetValid(Some(_)))), "{early:?}");
}
