//! Decodes the bytes of a file, and finds its invisible characters.

use std::borrow::Cow;

/// Decodes a file: UTF-8, or UTF-16 with a byte order mark, which PowerShell's `>` and some editors
/// write; `kubectl` reads both. The error says what is wrong.
pub fn decode(content: &[u8]) -> Result<Cow<'_, str>, String> {
    if let Some((_, what)) = BINARY.iter().find(|(begin, _)| content.starts_with(begin)) {
        return Err((*what).to_owned());
    }
    match content {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => match std::str::from_utf8(content) {
            Ok(text) if text.contains('\0') && is_original(content) => Err(UNMARKED.to_owned()),
            Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).into()),
            Err(_) if is_original(content) => Err(UNMARKED.to_owned()),
            Err(error) => {
                let line = line_of(content, error.valid_up_to());
                Err(format!(
                    "is not UTF-8 text (line {line}): save it as UTF-8, which \"ANSI\", \
                     Latin-1 and Windows-1252 are not"
                ))
            }
        },
    }
}

/// Files that are no text, by their first bytes, and what is to be done with them.
const BINARY: [(&[u8], &str); 4] = [
    (
        b"\0GITCRYPT\0",
        "is locked by git-crypt: run `git-crypt unlock` in the build, and name the file that comes \
         of it",
    ),
    (
        &[0x1f, 0x8b],
        "is a gzip file: unpack it in the build, and name the file in it",
    ),
    (
        b"PK\x03\x04",
        "is a ZIP archive: unpack it in the build, and name the file in it",
    ),
    (
        b"\x7fELF",
        "is a program: name the manifest of a Deployment",
    ),
];

const UNMARKED: &str = "is UTF-16 without a mark of byte order, as some programs of Windows write \
    it: save it as UTF-8 (in PowerShell `Out-File -Encoding utf8`)";

fn wide(content: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, String> {
    let (pairs, rest) = content.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let text = char::decode_utf16(units).collect::<Result<String, _>>();
    match text {
        Ok(text) if rest.is_empty() => Ok(text.into()),
        _ => Err("is UTF-16, as PowerShell's `>` writes it, and damaged: save it as UTF-8".into()),
    }
}

/// Whether nearly every second of the first bytes is zero, as in UTF-16 text in Latin letters.
fn is_original(content: &[u8]) -> bool {
    let head = &content[..content.len().min(64)];
    let zeros = |first| {
        let bytes = head.iter().skip(first).step_by(2);
        bytes.filter(|byte| **byte == 0).count()
    };
    head.len() >= 4 && zeros(0).max(zeros(1)) * 8 >= head.len() * 3
}

fn line_of(content: &[u8], place: usize) -> usize {
    let before = &content[..place.min(content.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// The name of a character that is invisible or looks like another one; `None` for a visible one.
pub fn unseen(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{feff}' => "a byte order mark",
        '\u{a0}' | '\u{202f}' | '\u{2007}' => "a no-break space",
        '\u{200b}' => "a zero-width space",
        '\u{200c}' | '\u{200d}' | '\u{2060}' => "a zero-width joiner",
        '\u{ad}' => "a soft hyphen",
        '\u{2028}' | '\u{2029}' | '\u{85}' => "a Unicode line break",
        '\u{200e}' | '\u{200f}' | '\u{61c}' => "a mark of writing direction",
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "a mark of writing direction",
        '\u{2000}'..='\u{200a}' | '\u{205f}' | '\u{3000}' => "a Unicode space",
        '\u{300}'..='\u{36f}' => "a combining accent",
        '\u{201c}' | '\u{201d}' | '\u{201e}' => "a typographic quote",
        '\u{2018}' | '\u{2019}' | '\u{201a}' => "a typographic quote",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "a dash that is not `-`",
        '\t' => "a tab",
        '\n' | '\r' => "a line break",
        '\0' => "a zero byte",
        other if other.is_control() => "a control character",
        _ => return None,
    })
}

/// The first such character of a text, in words (`a no-break space (U+00A0)`), and its position.
pub fn first_unseen(text: &str) -> Option<(usize, String)> {
    let found = text
        .char_indices()
        .find_map(|(place, character)| Some((place, character, unseen(character)?)));
    let (place, character, name) = found?;
    Some((place, format!("{name} (U+{:04X})", u32::from(character))))
}
