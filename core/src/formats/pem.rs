//! PEM in the forms in which people store it: as it is, in one line, or as base64 of it.
//! <https://www.rfc-editor.org/rfc/rfc7468>

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine, alphabet};

/// Reads the body of a section, with or without padding.
const BODY: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The dashes around the label of a marker.
const DASHES: &str = "-----";

/// The characters of PEM that encoders of JSON may write by their codes.
const ESCAPED: [(&str, &str); 7] = [
    ("000a", "\n"),
    ("000d", "\n"),
    ("0020", " "),
    ("002b", "+"),
    ("002d", "-"),
    ("002f", "/"),
    ("003d", "="),
];

/// Why a value is not PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PemError {
    /// The value is neither PEM nor base64 of PEM.
    NoPem,
    /// A section has no end marker.
    CutOff,
    /// An end marker has no matching begin marker.
    Unpaired,
}

/// Passes each section of a value to `take`: its label without spaces, and its body. The value is
/// PEM or base64 of PEM. Its line breaks may be written as `\n`, replaced by spaces, or missing.
pub(super) fn sections<E: From<PemError>>(
    value: &str,
    take: impl FnMut(&str, &str) -> Result<(), E>,
) -> Result<(), E> {
    let text = plain(value);
    if text.contains(DASHES) {
        return each(&text, take);
    }
    let decoded = decoded(&text).ok_or(PemError::NoPem)?;
    let decoded = String::from_utf8(decoded).map_err(|_| PemError::NoPem)?;
    match decoded.contains(DASHES) {
        true => each(&plain(&decoded), take),
        false => Err(PemError::NoPem.into()),
    }
}

/// Decodes a value that has no markers, as the body of one section.
pub(super) fn bare(value: &str) -> Option<Vec<u8>> {
    decoded(&plain(value))
}

/// Decodes the body of a section, whatever blanks are in it.
pub(super) fn decoded(body: &str) -> Option<Vec<u8>> {
    let joined = body.split_whitespace().collect::<String>();
    BODY.decode(joined).ok()
}

/// Writes a section.
pub(super) fn written(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    // Base64 is ASCII, so each chunk is valid text.
    let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

/// Restores real line breaks, and what encoders of JSON escape. Base64 and markers contain no
/// backslash, quote or invisible character.
fn plain(value: &str) -> String {
    let text = value
        .trim()
        .trim_matches(['"', '\'', '\u{feff}'])
        .replace("\\\\", "\\")
        .replace("\\/", "/");
    let text = ESCAPED
        .iter()
        .fold(text, |text, (code, character)| {
            let text = text.replace(&format!("\\u{code}"), character);
            text.replace(&format!("\\u{}", code.to_uppercase()), character)
        })
        .replace("\\r", "\n")
        .replace("\\n", "\n")
        .replace("\\t", " ");
    text.replace(
        ['\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}'],
        "",
    )
}

fn each<E: From<PemError>>(
    text: &str,
    mut take: impl FnMut(&str, &str) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = text;
    while let Some((label, after)) = marker(rest, "BEGIN", "END")? {
        let (body, end, next) = section(after)?;
        if end != label {
            return Err(PemError::Unpaired.into());
        }
        take(&label, body)?;
        rest = next;
    }
    Ok(())
}

/// Finds the next marker that begins a section: its label, and the text after it.
fn marker<'a>(
    text: &'a str,
    wanted: &str,
    other: &str,
) -> Result<Option<(String, &'a str)>, PemError> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(DASHES) {
        let start = after.trim_start_matches('-').trim_start();
        if start.starts_with(other) {
            return Err(PemError::Unpaired);
        }
        if let Some(label) = start.strip_prefix(wanted) {
            let (label, next) = label.split_once(DASHES).ok_or(PemError::CutOff)?;
            let label = label.split_whitespace().collect();
            return Ok(Some((label, next)));
        }
        rest = after;
    }
    Ok(None)
}

/// Reads a section: its body, the label of its end marker, and the rest of the text.
fn section(text: &str) -> Result<(&str, String, &str), PemError> {
    let (body, _) = text.split_once(DASHES).ok_or(PemError::CutOff)?;
    let (label, rest) = marker(&text[body.len()..], "END", "BEGIN")
        .map_err(|_| PemError::CutOff)?
        .ok_or(PemError::CutOff)?;
    // A marker may have more than five dashes.
    Ok((body.trim_start_matches('-'), label, rest))
}
