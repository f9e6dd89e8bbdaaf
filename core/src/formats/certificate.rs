//! CA certificates in the forms in which people store them: PEM, or base64 of PEM. Unambiguous
//! damage is repaired; anything else is refused with an error text of our own. The value may also
//! contain a private key, so no part of it is ever quoted. <https://www.rfc-editor.org/rfc/rfc7468>

mod lookalike;

pub use lookalike::Lookalike;

use super::der::{INTEGER, SEQUENCE, Values};
use super::pem::{self, PemError};
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use std::fmt;

/// The label of a certificate's section.
const CERTIFICATE: &str = "CERTIFICATE";

/// The same as old tools write it, without the blank.
const OLD_CERTIFICATE: &str = "X509CERTIFICATE";

/// The tags of a version, and of times with two and with four digits of the year.
const VERSION: u8 = 0xa0;
/// See [`VERSION`].
const UTC_TIME: u8 = 0x17;
/// See [`VERSION`].
const GENERALIZED_TIME: u8 = 0x18;

/// Why a value contains no usable certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// The value is neither PEM nor base64 of PEM.
    NoPem,
    /// The PEM contains no certificate.
    NoCertificate,
    /// The value is something else that people have at hand.
    Other(Lookalike),
    /// A section has no end marker.
    CutOff,
    /// An end marker has no matching begin marker.
    Unpaired,
    /// A certificate contains characters that are not base64, or is incomplete.
    NoBase64,
    /// A section does not contain an X.509 certificate.
    NoX509,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            CertificateError::NoPem => "it is neither a PEM certificate nor base64 of one",
            CertificateError::NoCertificate => {
                "its PEM has no certificate, only sections of another kind, such as a key"
            }
            CertificateError::Other(lookalike) => return lookalike.fmt(out),
            CertificateError::CutOff => {
                "it is cut off: a section of its PEM begins and does not end"
            }
            CertificateError::Unpaired => {
                "its PEM is damaged: its BEGIN and END lines do not match"
            }
            CertificateError::NoBase64 => {
                "a certificate in its PEM is damaged: it is not base64, or a part is missing"
            }
            CertificateError::NoX509 => {
                "a section of its PEM is not a readable X.509 certificate; a part may be missing"
            }
        })
    }
}

impl From<PemError> for CertificateError {
    fn from(error: PemError) -> CertificateError {
        match error {
            PemError::NoPem => CertificateError::NoPem,
            PemError::CutOff => CertificateError::CutOff,
            PemError::Unpaired => CertificateError::Unpaired,
        }
    }
}

/// Reads the certificates in a value that is PEM, base64 of PEM, or the body of a single one. Its
/// line breaks may be written as `\n`, replaced by spaces, or missing.
pub fn read(value: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let mut found = Vec::new();
    let mut other = None;
    let read = pem::sections::<CertificateError>(value, |label, body| {
        match label {
            CERTIFICATE | OLD_CERTIFICATE => found.push(certificate(body)?),
            _ => other = other.or(lookalike::of_label(label)),
        }
        Ok(())
    });
    match read {
        Ok(()) if !found.is_empty() => Ok(found),
        Ok(()) => Err(other.map_or(CertificateError::NoCertificate, CertificateError::Other)),
        Err(CertificateError::NoPem) => without_markers(value),
        Err(error) => Err(error),
    }
}

/// Reads a value without the markers of PEM: the DER of one certificate in base64 is what its body
/// would be.
fn without_markers(value: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let other = |it| Err(CertificateError::Other(it));
    let Some(der) = pem::bare(value) else {
        let found = lookalike::of_text(value);
        return found.map_or(Err(CertificateError::NoPem), other);
    };
    let certificate = CertificateDer::from(der);
    if expires(&certificate).is_some() {
        return Ok(vec![certificate]);
    }
    let found = lookalike::of_der(&certificate)
        .or_else(|| lookalike::of_text(value))
        .or_else(|| encoded(&certificate));
    found.map_or(Err(CertificateError::NoPem), other)
}

/// What the value is whose base64 was given. Each level is a quarter shorter than the one before.
fn encoded(decoded: &[u8]) -> Option<Lookalike> {
    let text = std::str::from_utf8(decoded)
        .ok()
        .filter(|it| !it.is_empty())?;
    match read(text) {
        Ok(_) => Some(Lookalike::Twice),
        Err(CertificateError::Other(found)) => Some(found),
        Err(_) => None,
    }
}

/// Returns the certificates as normal PEM, without anything else that was in the value.
pub fn normalized(value: &str) -> Result<String, CertificateError> {
    let certificates = read(value)?;
    let sections = certificates.iter();
    Ok(sections
        .map(|certificate| pem::written(CERTIFICATE, certificate))
        .collect())
}

/// When a certificate expires, if that can be read.
/// <https://www.rfc-editor.org/rfc/rfc5280#section-4.1>
pub fn expires(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let mut content = Values(Values::of(certificate)?.take(SEQUENCE)?);
    let (tag, _) = content.next()?;
    if tag == VERSION {
        content.take(INTEGER)?;
    }
    // The algorithm and the issuer.
    content.take(SEQUENCE)?;
    content.take(SEQUENCE)?;
    let mut validity = Values(content.take(SEQUENCE)?);
    validity.next()?;
    let (tag, time) = validity.next()?;
    let time = std::str::from_utf8(time).ok().filter(|it| it.is_ascii())?;
    let time = match tag {
        // Years from 50 are of the last century.
        UTC_TIME if time >= "5" => format!("19{time}"),
        UTC_TIME => format!("20{time}"),
        GENERALIZED_TIME => time.to_owned(),
        _ => return None,
    };
    let (date, time) = time.split_at_checked(8)?;
    format!("{date}T{time}").parse().ok()
}

fn certificate(body: &str) -> Result<CertificateDer<'static>, CertificateError> {
    let broken = || match lookalike::is_unfilled(body) {
        true => CertificateError::Other(Lookalike::Unfilled),
        false => CertificateError::NoBase64,
    };
    let der = pem::decoded(body).ok_or_else(broken)?;
    // The length that it states is all of it.
    match Values::of(&der).is_some() {
        true => Ok(CertificateDer::from(der)),
        false => Err(CertificateError::NoX509),
    }
}

#[cfg(test)]
mod tests;
