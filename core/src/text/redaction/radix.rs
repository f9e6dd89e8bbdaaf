//! Values as numbers of another radix, base58 and base85. Their digits are not of whole bits, so
//! that a text cannot be decoded from any place: the values are encoded instead, and only for texts
//! that may have such a number in them.

use super::views::MINIMUM;

/// The longest value that is written in base58, whose cost grows with the square of the length:
/// nobody prints more so than keys and identifiers.
const LONGEST_58: usize = 128;

/// The longest value in base85.
const LONGEST_85: usize = 8192;

/// The shortest run of digits that texts are searched for: a value of five bytes.
const SHORTEST_RUN: usize = 7;

/// How many groups of four bytes are told from others if they stand within a longer text.
const GROUPS: usize = 2;

/// <https://datatracker.ietf.org/doc/html/draft-msporny-base58-03>
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Adobe's (`ascii85`), Python's (`b85encode`, RFC 1924) and ZeroMQ's (`z85`).
const BASE85: [&[u8; 85]; 3] = [
    b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstu",
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
];

/// Whether a text has a run of characters that may be such a number: with capital and small letters
/// and digits, which words, dates and hexadecimal digests do not have together.
pub(super) fn may_have(text: &str) -> bool {
    // A quote would make one run of a whole line of JSON.
    let ends = |byte: &u8| !byte.is_ascii_graphic() || *byte == b'"';
    let mut runs = text.as_bytes().split(ends);
    runs.any(|run| run.len() >= SHORTEST_RUN && is_mixed(run))
}

/// Whether a run has capital and small letters and digits.
pub(super) fn is_mixed(run: &[u8]) -> bool {
    let kinds = [
        u8::is_ascii_uppercase,
        u8::is_ascii_lowercase,
        u8::is_ascii_digit,
    ];
    kinds.iter().all(|kind| run.iter().any(kind))
}

/// The spellings of a value: alone, and within a longer text as far as whole groups go.
pub(super) fn spellings(value: &str) -> Vec<String> {
    let bytes = value.as_bytes();
    let mut all = Vec::new();
    if (MINIMUM..=LONGEST_58).contains(&bytes.len()) {
        all.push(base58(bytes));
    }
    if (MINIMUM..=LONGEST_85).contains(&bytes.len()) {
        for digits in BASE85 {
            all.push(base85(bytes, digits));
            let within = (0..4).filter_map(|skipped| {
                let groups = bytes[skipped..].chunks_exact(4).len();
                let whole = &bytes[skipped..skipped + 4 * groups];
                (groups >= GROUPS).then(|| base85(whole, digits))
            });
            all.extend(within);
        }
    }
    all
}

fn base58(bytes: &[u8]) -> String {
    // The digits, the least one first.
    let mut digits = Vec::<u32>::new();
    for byte in bytes {
        let mut carried = u32::from(*byte);
        for digit in &mut digits {
            carried += *digit << 8;
            *digit = carried % 58;
            carried /= 58;
        }
        while carried > 0 {
            digits.push(carried % 58);
            carried /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| 0);
    let digits = zeros.chain(digits.into_iter().rev());
    digits.map(|digit| character(BASE58, digit)).collect()
}

/// The last group is filled up with zeros, and its digits that only say so are left out.
fn base85(bytes: &[u8], alphabet: &[u8; 85]) -> String {
    let mut written = String::new();
    for group in bytes.chunks(4) {
        let mut filled = [0; 4];
        filled[..group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes(filled);
        let digits = (0..5).rev().map(|place| number / 85_u32.pow(place) % 85);
        let digits = digits.take(group.len() + 1);
        written.extend(digits.map(|digit| character(alphabet, digit)));
    }
    written
}

fn character(alphabet: &[u8], digit: u32) -> char {
    let byte = usize::try_from(digit).ok().and_then(|at| alphabet.get(at));
    char::from(byte.copied().unwrap_or_default())
}

#[cfg(test)]
mod tests;
