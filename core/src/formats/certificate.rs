//! CA certificates in the forms in which people store them: PEM, or base64 of PEM. Unambiguous
//! damage is repaired; anything else is refused with an error text of our own. The value may also
//! contain a private key, so no part of it is ever quoted. <https://www.rfc-editor.org/rfc/rfc7468>

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine, alphabet};
use rustls_pki_types::CertificateDer;
use std::fmt;

/// Reads the body of a PEM section, with or without padding.
const BODY: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The dashes around the label of a marker.
const DASHES: &str = "-----";

/// The label of a certificate's section, without spaces.
const CERTIFICATE: &str = "CERTIFICATE";

/// Why a value contains no usable certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// The value is neither PEM nor base64 of PEM.
    NoPem,
    /// The PEM contains no certificate.
    NoCertificate,
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

/// Reads the certificates in a value that is PEM or base64 of PEM. Its line breaks may be written
/// as `\n`, replaced by spaces, or missing.
pub fn read(value: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let text = plain(value);
    if text.contains(DASHES) {
        return sections(&text);
    }
    let joined = text.split_whitespace().collect::<String>();
    let decoded = BODY.decode(joined).map_err(|_| CertificateError::NoPem)?;
    let decoded = String::from_utf8(decoded).map_err(|_| CertificateError::NoPem)?;
    match decoded.contains(DASHES) {
        true => sections(&plain(&decoded)),
        false => Err(CertificateError::NoPem),
    }
}

/// Returns the certificates as normal PEM, without anything else that was in the value.
pub fn normalized(value: &str) -> Result<String, CertificateError> {
    let certificates = read(value)?;
    let sections = certificates.iter().map(|certificate| {
        let body = STANDARD.encode(certificate);
        // Base64 is ASCII, so each chunk is valid text.
        let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines = lines.collect::<Vec<_>>().join("\n");
        format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
    });
    Ok(sections.collect())
}

/// Restores real line breaks. Base64 and markers contain no backslash, quote or invisible
/// character.
fn plain(value: &str) -> String {
    let text = value
        .trim()
        .trim_matches(['"', '\'', '\u{feff}'])
        .replace("\\\\", "\\")
        .replace("\\r", "\n")
        .replace("\\n", "\n")
        .replace("\\t", " ");
    text.replace(
        ['\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}'],
        "",
    )
}

fn sections(text: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((label, after)) = marker(rest, "BEGIN", "END")? {
        let (body, end, next) = section(after)?;
        if end != label {
            return Err(CertificateError::Unpaired);
        }
        if label == CERTIFICATE {
            found.push(certificate(body)?);
        }
        rest = next;
    }
    match found.is_empty() {
        true => Err(CertificateError::NoCertificate),
        false => Ok(found),
    }
}

/// Finds the next marker that begins a section: its label, and the text after it.
fn marker<'a>(
    text: &'a str,
    wanted: &str,
    other: &str,
) -> Result<Option<(String, &'a str)>, CertificateError> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(DASHES) {
        let start = after.trim_start_matches('-').trim_start();
        if start.starts_with(other) {
            return Err(CertificateError::Unpaired);
        }
        if let Some(label) = start.strip_prefix(wanted) {
            let (label, next) = label.split_once(DASHES).ok_or(CertificateError::CutOff)?;
            let label = label.split_whitespace().collect();
            return Ok(Some((label, next)));
        }
        rest = after;
    }
    Ok(None)
}

/// Reads a section: its body, the label of its end marker, and the rest of the text.
fn section(text: &str) -> Result<(&str, String, &str), CertificateError> {
    let (body, _) = text.split_once(DASHES).ok_or(CertificateError::CutOff)?;
    let (label, rest) = marker(&text[body.len()..], "END", "BEGIN")
        .map_err(|_| CertificateError::CutOff)?
        .ok_or(CertificateError::CutOff)?;
    // A marker may have more than five dashes.
    Ok((body.trim_start_matches('-'), label, rest))
}

fn certificate(body: &str) -> Result<CertificateDer<'static>, CertificateError> {
    let joined = body.split_whitespace().collect::<String>();
    let der = BODY
        .decode(joined)
        .map_err(|_| CertificateError::NoBase64)?;
    match is_whole(&der) {
        true => Ok(CertificateDer::from(der)),
        false => Err(CertificateError::NoX509),
    }
}

/// Whether the bytes are one DER sequence of exactly the length that it states.
fn is_whole(der: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    let [SEQUENCE, length, rest @ ..] = der else {
        return false;
    };
    if *length < 0x80 {
        return rest.len() == usize::from(*length);
    }
    let bytes = usize::from(length & 0x7f);
    let Some((said, content)) = rest.split_at_checked(bytes).filter(|_| bytes <= 4) else {
        return false;
    };
    let said = said
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    content.len() == said
}

#[cfg(test)]
mod tests;
