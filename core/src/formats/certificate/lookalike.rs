//! Recognizes what is given in the place of a CA certificate. Nothing of it is quoted.

use super::Lookalike;
use crate::formats::der::{INTEGER, OBJECT_ID, SEQUENCE, Values};

/// What the object identifiers of PKCS#7's contents begin with: 1.2.840.113549.1.7.
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

/// The version of a PKCS#12 store, and that of a request for a certificate.
const STORE_VERSION: &[u8] = &[3];
/// See [`STORE_VERSION`].
const REQUEST_VERSION: &[u8] = &[0];

/// How many hexadecimal digits a SHA-1 and a SHA-256 have.
const DIGESTS: [usize; 2] = [40, 64];

/// By the label of a section, without its blanks.
pub(super) fn of_label(label: &str) -> Option<Lookalike> {
    Some(match label {
        "CERTIFICATEREQUEST" | "NEWCERTIFICATEREQUEST" => Lookalike::Request,
        "PKCS7" | "PKCS#7SIGNEDDATA" | "CMS" => Lookalike::Bundle,
        "PKCS12" => Lookalike::Store,
        "TRUSTEDCERTIFICATE" => Lookalike::Trusted,
        "X509CRL" => Lookalike::Revoked,
        "PUBLICKEY" | "RSAPUBLICKEY" => Lookalike::PublicKey,
        _ => return None,
    })
}

/// By its first values.
pub(super) fn of_der(der: &[u8]) -> Option<Lookalike> {
    let mut outer = Values::of(der)?;
    match outer.next()? {
        (OBJECT_ID, id) if id.starts_with(PKCS7) => Some(Lookalike::Bundle),
        (INTEGER, STORE_VERSION) => Some(Lookalike::Store),
        (SEQUENCE, content) => {
            let version = Values(content).take(INTEGER)?;
            (version == REQUEST_VERSION).then_some(Lookalike::Request)
        }
        _ => None,
    }
}

/// By the text as it was given.
pub(super) fn of_text(value: &str) -> Option<Lookalike> {
    let text = value.trim().trim_matches(['"', '\'']);
    if ["certificate-authority", "current-context", "clusters:"]
        .iter()
        .any(|word| text.contains(word))
    {
        return Some(Lookalike::Kubeconfig);
    }
    if text.split_whitespace().count() != 1 {
        return None;
    }
    let digest = text
        .rsplit_once("sha256:")
        .map_or(text, |(_, digest)| digest);
    let digits = digest.bytes().filter(|byte| *byte != b':');
    let is_digest =
        digits.clone().all(|byte| byte.is_ascii_hexdigit()) && DIGESTS.contains(&digits.count());
    if is_digest {
        return Some(Lookalike::Fingerprint);
    }
    let is_path = text.contains("://")
        || text.starts_with("arn:")
        || ["/", "./", "~/"]
            .iter()
            .any(|start| text.starts_with(start))
            && [".crt", ".pem", ".cer", ".ca", ".der", ".cert"]
                .iter()
                .any(|end| text.ends_with(end));
    is_path.then_some(Lookalike::Path)
}
