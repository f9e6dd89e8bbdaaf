//! Recognizes what is given in the place of a CA certificate. Nothing of it is quoted.

use crate::formats::der::{INTEGER, OBJECT_ID, SEQUENCE, Values};
use crate::text::placeholder;
use std::fmt;

/// What the object identifiers of PKCS#7's contents begin with: 1.2.840.113549.1.7.
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

/// The version of a PKCS#12 store, and that of a request for a certificate.
const STORE_VERSION: &[u8] = &[3];
/// See [`STORE_VERSION`].
const REQUEST_VERSION: &[u8] = &[0];

/// How many hexadecimal digits a SHA-1 and a SHA-256 have.
const DIGESTS: [usize; 2] = [40, 64];

/// The longest text that is looked at for a place that was to be filled in: a line of a template.
const PLACE_LIMIT: usize = 200;

/// What scripts print for a missing value.
const MISSING: [&str; 5] = ["none", "null", "nil", "undefined", "<nil>"];

/// What people have at hand where a CA certificate is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookalike {
    /// A request for a certificate, PKCS#10.
    Request,
    /// A bundle of certificates in PKCS#7.
    Bundle,
    /// A store of keys and certificates: PKCS#12.
    Store,
    /// A certificate with OpenSSL's own notes on trust.
    Trusted,
    /// A list of revoked certificates.
    Revoked,
    /// A public key.
    PublicKey,
    /// A kubeconfig.
    Kubeconfig,
    /// A path or an address.
    Path,
    /// A digest of a certificate or of its key.
    Fingerprint,
    /// A Secret.
    Secret,
    /// Another document of JSON or YAML, such as the description of an EKS cluster.
    Document,
    /// The word that a script prints where it has no value.
    Missing,
    /// A place that a tool was to fill in.
    Unfilled,
    /// A bearer token.
    Token,
    /// A certificate that was encoded in base64 once too often.
    Twice,
}

impl fmt::Display for Lookalike {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Lookalike::Request => {
                "it is a request for a certificate (PKCS#10), which nobody has signed; give the \
                 certificate of the CA"
            }
            Lookalike::Bundle => {
                "it is a PKCS#7 bundle; `openssl pkcs7 -print_certs` writes its certificates as PEM"
            }
            Lookalike::Store => {
                "it is a PKCS#12 store; `openssl pkcs12 -cacerts -nokeys` writes its CA \
                 certificates as PEM"
            }
            Lookalike::Trusted => {
                "it is a certificate with OpenSSL's own trust settings (TRUSTED CERTIFICATE); \
                 `openssl x509` writes it as PEM"
            }
            Lookalike::Revoked => {
                "it is a list of revoked certificates; give the certificate of the CA"
            }
            Lookalike::PublicKey => "it is a public key alone; give the certificate of the CA",
            Lookalike::Kubeconfig => {
                "it is a whole kubeconfig; give the `certificate-authority-data` of its cluster"
            }
            Lookalike::Path => {
                "it is a path or an address, and files are not read; give the content"
            }
            Lookalike::Fingerprint => {
                "it is the digest of a certificate or key, which only recognizes one; give the \
                 certificate itself"
            }
            Lookalike::Secret => "it is a whole Secret; give its `data.ca.crt`",
            Lookalike::Document => {
                "it is a whole document of JSON or YAML; give the certificate in it alone, of an \
                 EKS cluster its `certificateAuthority.data`"
            }
            Lookalike::Missing => {
                "it is the word that a script prints where it has no value (such as None or \
                 null); give the certificate itself"
            }
            Lookalike::Unfilled => {
                "nothing filled in the place that a template has there; the step that writes it \
                 must put the certificate there"
            }
            Lookalike::Token => "it is a bearer token; give the certificate of the CA",
            Lookalike::Twice => {
                "it is in base64 twice; decode it once (`base64 --decode`), and give what comes of \
                 it"
            }
        })
    }
}

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
    let words = [
        "certificate-authority:",
        "certificate-authority-data",
        "current-context:",
        "clusters:",
    ];
    if words.iter().any(|word| text.contains(word)) {
        return Some(Lookalike::Kubeconfig);
    }
    if text.contains("kind: Secret") || text.contains("\"ca.crt\"") {
        return Some(Lookalike::Secret);
    }
    if is_unfilled(text) {
        return Some(Lookalike::Unfilled);
    }
    if text.starts_with(['{', '[']) || text.contains("certificateAuthority") {
        return Some(Lookalike::Document);
    }
    if text.split_whitespace().count() != 1 {
        return None;
    }
    if MISSING.contains(&&*text.to_ascii_lowercase()) {
        return Some(Lookalike::Missing);
    }
    // The header of a JWT, and what `aws eks get-token` gives.
    if text.starts_with("eyJ") && text.matches('.').count() == 2 || text.starts_with("k8s-aws-v1.")
    {
        return Some(Lookalike::Token);
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
        // Base64 has no dot.
        || [".crt", ".pem", ".cer", ".ca", ".der", ".cert"]
            .iter()
            .any(|end| text.ends_with(end));
    is_path.then_some(Lookalike::Path)
}

/// Whether a text is a line with a place that a tool was to fill in, whole or in a part.
pub(super) fn is_unfilled(text: &str) -> bool {
    let text = text.trim();
    let is_missing = MISSING.contains(&&*text.to_ascii_lowercase());
    let is_line = text.len() <= PLACE_LIMIT && !text.contains('\n') && !text.starts_with("<!");
    is_line && !is_missing && placeholder::is_in(text)
}
