//! A secret as parsers and programs print it, and how it is found again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fmt::Write;

/// The alphabets of base32: <https://www.rfc-editor.org/rfc/rfc4648#section-6>
const BASE32: [&[u8; 32]; 2] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    b"0123456789ABCDEFGHIJKLMNOPQRSTUV",
];

/// Base32 without padding.
fn base32(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let bits = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    let digit = |from: usize| {
        let all = (from..from + 5).map(|at| if at < 8 * bytes.len() { bits(at) } else { 0 });
        let value = all.fold(0, |value, bit| value << 1 | bit);
        char::from(alphabet[usize::from(value)])
    };
    (0..8 * bytes.len()).step_by(5).map(digit).collect()
}

/// What an encoding with so many bits a digit makes of a text behind another, without the digits
/// that what is around has a part in.
fn core(bytes: &[u8], before: usize, bits: usize, encoded: &str) -> String {
    let (from, to) = (before * 8, (before + bytes.len()) * 8);
    encoded[from.div_ceil(bits)..to / bits].to_owned()
}

fn each(bytes: &[u8], format: impl Fn(u8) -> String, between: &str) -> String {
    let all = bytes.iter().map(|byte| format(*byte)).collect::<Vec<_>>();
    all.join(between)
}

/// In two bytes a character, as Windows has texts: the lower one first, and the upper one first.
fn wide(secret: &str) -> [Vec<u8>; 2] {
    [u16::to_le_bytes, u16::to_be_bytes]
        .map(|order| secret.encode_utf16().flat_map(order).collect())
}

/// What is the same in every text that has the secret in some spelling.
pub fn spellings(secret: &str) -> Vec<String> {
    let all = pairs(secret).into_iter();
    all.map(|(_, same)| same).collect()
}

/// Texts that have the secret, each with what is the same in all of this spelling.
fn pairs(secret: &str) -> Vec<(String, String)> {
    let mut all = vec![secret.to_owned()];
    let mut coded = Vec::new();
    let [lower, upper] = wide(secret);
    for bytes in [secret.as_bytes(), &lower, &upper] {
        for radix in [8, 10, 16, 2] {
            for between in [" ", ", ", ",", ":"] {
                all.push(each(bytes, |byte| in_radix(byte, radix), between));
            }
        }
        for before in 0..5 {
            let padded = [&vec![b'x'; before], bytes].concat();
            let whole = STANDARD.encode(&padded);
            let of_urls = whole.replace('+', "-").replace('/', "_");
            let mut texts = vec![(6, whole), (6, of_urls)];
            for alphabet in BASE32 {
                let whole = base32(&padded, alphabet);
                texts.extend([(5, whole.to_lowercase()), (5, whole)]);
            }
            let same = |(bits, whole): (usize, String)| {
                let same = core(bytes, before, bits, &whole);
                (whole, same)
            };
            coded.extend(texts.into_iter().map(same));
        }
        let hex = each(bytes, |byte| format!("{byte:02x}"), "");
        all.extend([hex.to_uppercase(), hex]);
    }
    let bytes = secret.as_bytes();
    let escapes: [fn(u8) -> String; 13] = [
        |byte| format!("%{byte:02X}"),
        |byte| format!("%{byte:02x}"),
        |byte| format!("%25{byte:02X}"),
        |byte| format!("%u00{byte:02x}"),
        |byte| format!("={byte:02X}"),
        |byte| format!("\\u{byte:04x}"),
        |byte| format!("\\u{byte:04X}"),
        |byte| format!("\\\\u{byte:04x}"),
        |byte| format!("\\x{byte:02x}"),
        |byte| format!("\\{byte:03o}"),
        |byte| format!("\\{byte:02x}"),
        |byte| format!("&#{byte};"),
        |byte| format!("&#x{byte:x};"),
    ];
    all.extend(escapes.map(|escape| each(bytes, escape, "")));
    all.push(each(bytes, |byte| format!("0x{byte:02x}"), ", "));
    all.push(each(bytes, |byte| format!("\\x{byte:02x}\\x00"), ""));
    let plain = all.into_iter().map(|text| (text.clone(), text));
    plain.chain(coded).collect()
}

fn in_radix(byte: u8, radix: u32) -> String {
    match radix {
        2 => format!("{byte:08b}"),
        8 => format!("{byte:03o}"),
        10 => byte.to_string(),
        _ => format!("{byte:02x}"),
    }
}

/// What a program may print: each spelling among others, and texts of tools.
pub fn spelled(secret: &str) -> Vec<String> {
    let all = pairs(secret).into_iter();
    let mut all = all.map(|(whole, _)| whole).collect::<Vec<_>>();
    let [lower, _] = wide(&format!("$env:PASSWORD = '{secret}'; start"));
    let quoted = json!({"password": secret}).to_string();
    let mut dump = String::new();
    for pair in secret.as_bytes().chunks(2) {
        _ = write!(dump, "{} ", each(pair, |byte| format!("{byte:02x}"), ""));
    }
    all.extend([
        format!("powershell -EncodedCommand {}", STANDARD.encode(lower)),
        format!("Basic {}", STANDARD.encode(format!("admin:{secret}"))),
        format!(
            "https://u:{}@db/",
            each(secret.as_bytes(), |byte| format!("%{byte:02x}"), "")
        ),
        STANDARD.encode(STANDARD.encode(format!("{{\"auth\":\"{secret}\"}}"))),
        format!(
            "otpauth://totp/shop?secret={}&issuer=shop",
            base32(secret.as_bytes(), BASE32[0])
        ),
        json!(quoted).to_string(),
        quoted,
    ]);
    all
}
