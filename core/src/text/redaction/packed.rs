//! Finds compressed data that is written as base64 or in hexadecimal digits. A value may be in it,
//! and nobody reads it there: it is redacted as a whole.

use super::radix::is_mixed;

/// The shortest text that counts: a compressed value of five bytes has a header and a check, too.
const SHORTEST: usize = 16;

/// The shortest line that another line of the same data follows: encoders break lines at 60 to 76.
const WRAPPED: usize = 60;

/// How compressed data begins in base64: gzip, zstd, bzip2, xz, and zlib of four levels, whose
/// first two bytes end within the third character.
const IN_BASE64: [&str; 22] = [
    "H4sI", "KLUv/", "KLUv_", "Qlpo", "/Td6WF", "_Td6WF", "eJw", "eJx", "eJy", "eJz", "eNo", "eNp",
    "eNq", "eNr", "eAE", "eAF", "eAG", "eAH", "eF4", "eF5", "eF6", "eF7",
];

/// The same in hexadecimal digits.
const IN_HEXADECIMAL: [&str; 6] = ["1f8b08", "28b52ffd", "425a68", "fd377a58", "789c", "78da"];

/// How many hexadecimal digits a digest has, which may begin like anything.
const DIGESTS: [usize; 4] = [32, 40, 64, 128];

/// The places of compressed data in a text.
pub(super) fn find(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let is_begin = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let end = match is_begin && is_packed(&bytes[at..]) {
            true => end(text, at),
            false => at,
        };
        if end > at {
            found.push((at, end));
        }
        at = end.max(at + 1);
    }
    found
}

/// Whether compressed data begins here.
fn is_packed(bytes: &[u8]) -> bool {
    let begins = |begin: &&str| {
        let head = bytes.get(..begin.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(begin.as_bytes()))
    };
    if IN_HEXADECIMAL.iter().any(begins) {
        let length = bytes.iter().take_while(|it| it.is_ascii_hexdigit()).count();
        let rest = bytes.get(length).is_some_and(u8::is_ascii_alphanumeric);
        return length >= 2 * SHORTEST && !rest && !DIGESTS.contains(&length);
    }
    let is_it = |begin: &&str| bytes.starts_with(begin.as_bytes());
    if !IN_BASE64.iter().any(is_it) {
        return false;
    }
    let length = bytes.iter().take_while(|byte| is_digit(**byte)).count();
    // A word has no capital letters, digits and small letters in a row of this length.
    length >= SHORTEST && is_mixed(&bytes[..length])
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

/// Where the data ends that begins here, with the lines that continue it.
fn end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize| {
        let digits = bytes[from..].iter().take_while(|byte| is_digit(**byte));
        let digits = digits.count();
        let signs = bytes[from + digits..].iter();
        from + digits + signs.take_while(|sign| **sign == b'=').count()
    };
    let (mut from, mut end) = (at, run(at));
    while end - from >= WRAPPED && bytes.get(end) == Some(&b'\n') {
        let blanks = bytes[end + 1..].iter().take_while(|it| **it == b' ');
        let next = end + 1 + blanks.count();
        let last = run(next);
        let fills = last > next && bytes.get(last).is_none_or(|byte| *byte == b'\n');
        if !fills {
            break;
        }
        (from, end) = (next, last);
    }
    end
}

#[cfg(test)]
mod tests;
