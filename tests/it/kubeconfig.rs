//! The keys of client certificates: what the reader of kubeconfigs takes, the TLS library takes, and
//! what it refuses the library would refuse as well.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use landfall::http;
use landfall_core::kubeconfig::{Kubeconfig, KubeconfigUser, Selected};
use landfall_core::kubernetes::credential::ClientCertificate;
use landfall_core::kubernetes::server::Server;
use landfall_core::outcome::KubeconfigError;
use serde_json::{Value, json};

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// Made up with OpenSSL, each with a certificate of its own.
fn keys() -> Vec<(String, String, String)> {
    let all: Value = serde_json::from_str(include_str!("kubeconfig/keys.json")).unwrap();
    let text = |key: &Value, field: &str| key[field].as_str().unwrap().to_owned();
    let keys = all.as_object().unwrap().iter().map(|(name, key)| {
        let certificate = pem("CERTIFICATE", &text(key, "certificate"));
        (
            name.clone(),
            certificate,
            pem(&text(key, "label"), &text(key, "key")),
        )
    });
    keys.collect()
}

fn selected(certificate: &str, key: &str) -> Result<Selected, KubeconfigError> {
    let kubeconfig = json!({
        "clusters": [{"name": "c", "cluster": {"server": "https://k8s.example.com"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"client-certificate-data": STANDARD.encode(certificate),
            "client-key-data": STANDARD.encode(key)}}]
    });
    Kubeconfig::read(&kubeconfig.to_string())
        .unwrap()
        .select(None)
}

#[test]
fn what_is_read_can_be_used_and_nothing_else_is_read() {
    let keys = keys();
    let mut refused = 0;
    for (name, certificate, key) in &keys {
        let given = ClientCertificate {
            certificates: certificate.clone(),
            key: key.clone(),
        };
        let server = Server::new("https://k8s.example.com", None);
        let by_library = http::client_of(&server, Some(&given)).is_ok();
        let by_reader = selected(certificate, key);
        assert_eq!(by_reader.is_ok(), by_library, "{name}: {by_reader:?}");
        assert_eq!(by_library, !name.contains("refused"), "{name}");
        refused += usize::from(!by_library);
        if let Ok(selected) = by_reader {
            let KubeconfigUser::Certificate(found) = selected.user else {
                panic!("{name}: {selected:?}");
            };
            assert!(
                http::client_of(&selected.server, Some(&found)).is_ok(),
                "{name}"
            );
        }
    }
    assert_eq!((keys.len(), refused), (9, 3));
}

/// A key of another certificate is found by the reader where the public half is in the key, which
/// is everywhere but in Ed25519, and else by the library.
#[test]
fn a_key_of_another_certificate_is_refused() {
    let keys = keys()
        .into_iter()
        .filter(|(name, ..)| !name.contains("refused"));
    let keys = keys.collect::<Vec<_>>();
    let (_, rsa, _) = keys
        .iter()
        .find(|(name, ..)| name == "RSA, PKCS#1")
        .unwrap();
    let (_, ec, _) = keys
        .iter()
        .find(|(name, ..)| name == "P-384, SEC1")
        .unwrap();
    for (name, _, key) in &keys {
        let other = if name.starts_with("RSA") { ec } else { rsa };
        match selected(other, key) {
            Err(KubeconfigError::Context { .. }) => assert!(!name.starts_with("Ed25519")),
            Err(error) => panic!("{name}: {error:?}"),
            Ok(Selected {
                user: KubeconfigUser::Certificate(found),
                server,
                ..
            }) => {
                assert!(name.starts_with("Ed25519"), "{name}");
                assert!(http::client_of(&server, Some(&found)).is_err(), "{name}");
            }
            Ok(selected) => panic!("{name}: {selected:?}"),
        }
    }
}
