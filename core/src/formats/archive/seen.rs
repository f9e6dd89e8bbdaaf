//! What the data is if it is not a ZIP archive.

use serde_json::{Map, Value};
use std::fmt;

/// What the data is if it is not a ZIP archive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// The data is empty.
    Empty,
    /// A source action's pointer to a repository.
    Pointer,
    /// Another JSON document.
    Json,
    /// A page or an error of a server, by its language.
    Page(&'static str),
    /// Another text.
    Text,
    /// Another archive format, by its name.
    Packed(&'static str),
    /// The beginning of a ZIP archive, without its end.
    Cut,
    /// Something else.
    Other,
}

impl Found {
    /// Detects the format from the last bytes, which may be the `whole` data.
    pub(super) fn of(tail: &[u8], whole: bool) -> Found {
        let packed = PACKED
            .into_iter()
            .find(|(magic, _)| tail.starts_with(magic));
        let is_tar = tail.get(257..262) == Some(b"ustar");
        match (tail, packed) {
            ([], _) => Found::Empty,
            (_, Some((_, name))) if whole => Found::Packed(name),
            _ if whole && tail.starts_with(b"PK\x03\x04") => Found::Cut,
            _ if whole && is_tar => Found::Packed("tar"),
            _ if whole && is_pointer(tail) => Found::Pointer,
            _ if whole && serde_json::from_slice::<Value>(tail).is_ok() => Found::Json,
            _ if is_text(tail) => page(tail)
                .filter(|_| whole)
                .map_or(Found::Text, Found::Page),
            _ => Found::Other,
        }
    }
}

const PACKED: [(&[u8], &str); 6] = [
    (b"\x1f\x8b", "gzip (tar.gz)"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
];

/// A full clone's artifact names the repository and contains nothing of it.
fn is_pointer(bytes: &[u8]) -> bool {
    const FIELDS: [&str; 3] = ["cloneUrl", "fullRepositoryId", "fullRepositoryName"];
    let object = serde_json::from_slice::<Map<String, Value>>(bytes);
    object.is_ok_and(|fields| {
        let is_one = |name: &String| FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name));
        fields.keys().any(is_one) && !fields.contains_key("kind")
    })
}

/// What a server answers in place of what was asked for: a login, an error.
fn page(bytes: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start();
    let begins = |with: &str| {
        let start = text.get(..with.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    if begins("<!doctype html") || begins("<html") {
        Some("HTML")
    } else if begins("<?xml") && text.contains("<Error>") {
        Some("XML")
    } else {
        None
    }
}

/// The data may start in the middle of a character.
fn is_text(bytes: &[u8]) -> bool {
    let begins = |byte: &u8| !(0x80..0xc0).contains(byte);
    let start = bytes.iter().take(4).position(begins).unwrap_or_default();
    let text = std::str::from_utf8(&bytes[start..]);
    text.is_ok_and(|text| !text.contains('\0'))
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Empty => formatter.write_str("is empty"),
            Found::Pointer => formatter.write_str(
                "is not a ZIP archive but the pointer to a repository that a source action with \
                 the output format `CODEBUILD_CLONE_REF` makes, which only CodeBuild can follow",
            ),
            Found::Json => formatter.write_str("is not a ZIP archive but a JSON document"),
            Found::Page(language) => write!(
                formatter,
                "is not a ZIP archive but what a server answers that asks for a login or has an \
                 error ({language})"
            ),
            Found::Text => formatter.write_str("is not a ZIP archive but a text"),
            Found::Packed(name) => write!(formatter, "is not a ZIP archive but one of {name}"),
            Found::Cut => formatter.write_str(
                "is the beginning of a ZIP archive whose end is missing: its upload was cut off",
            ),
            Found::Other => formatter.write_str("is not a ZIP archive"),
        }
    }
}

#[cfg(test)]
mod tests;
