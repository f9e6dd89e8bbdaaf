//! Bytes that are written as digits: runs of base64, base32 and hexadecimal digits, and lists of
//! numbers; and texts of two bytes a character among them.

use super::view::{Decoded, ELLIPSES, MINIMUM, SEPARATOR, View};

/// The shortest run of base64 that is decoded: five bytes have seven characters.
const SHORTEST_RUN: usize = 7;

/// Digits: the value of each character, how many bits a digit has, and how many digits the shortest
/// value has.
struct Digits {
    value: fn(u8) -> Option<u8>,
    width: u32,
    shortest: usize,
}

/// The ways to write bytes without a sign between them. Case does not matter where the digits have
/// none.
const DIGITS: [Digits; 4] = [
    Digits {
        value: sextet,
        width: 6,
        shortest: SHORTEST_RUN,
    },
    Digits {
        value: |byte| match byte.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => Some(letter - b'A'),
            digit @ b'2'..=b'7' => Some(digit - b'2' + 26),
            _ => None,
        },
        width: 5,
        shortest: 8 * MINIMUM / 5,
    },
    // https://www.rfc-editor.org/rfc/rfc4648#section-7
    Digits {
        value: |byte| radix(byte, 32),
        width: 5,
        shortest: 8 * MINIMUM / 5,
    },
    Digits {
        value: |byte| radix(byte, 16),
        width: 4,
        shortest: 2 * MINIMUM,
    },
];

fn radix(byte: u8, radix: u32) -> Option<u8> {
    let value = char::from(byte).to_digit(radix)?;
    u8::try_from(value).ok()
}

/// The number that digits of ASCII are.
pub(super) fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    u32::from_str_radix(digits, radix).ok().filter(|_| plain)
}

/// The bytes that are written as digits here, each time as text of one byte a character, and of two
/// where it looks like that.
pub(super) fn numbered(view: &View) -> impl Iterator<Item = View> {
    let in_runs = DIGITS.iter().flat_map(move |digits| {
        let runs = runs(view, digits.value, digits.shortest);
        // The encoded text may begin at any digit of a run, and then at any byte of eight digits.
        let phases = if runs.is_empty() {
            0
        } else {
            phases(digits.width)
        };
        (0..phases).map(move |phase| bits(view, &runs, phase, digits.width))
    });
    in_runs.chain(listed(view)).flat_map(|bytes| {
        let wide = wide(&bytes);
        bytes.text_alone().into_iter().chain(wide)
    })
}

/// After how many digits of so many bits a byte begins again.
fn phases(width: u32) -> usize {
    match width {
        4 => 2,
        6 => 4,
        _ => 8,
    }
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// The views of a text with two bytes a character, UTF-16, in either order of the bytes, where the
/// bytes look like one: PowerShell's `-EncodedCommand` is base64 of it.
pub(super) fn wide(view: &View) -> Vec<View> {
    /// How many characters of one alphabet stand in a row.
    const ROW: usize = MINIMUM;
    let bytes = &view.bytes;
    // Letters of one alphabet share their upper byte; that of Latin is 0.
    let is_row = |at: usize| {
        let upper = bytes[at];
        let mut others = (1..ROW).map(|next| bytes[at + 2 * next]);
        upper < 0x20 && !b"\t\n\r".contains(&upper) && others.all(|other| other == upper)
    };
    let last = bytes.len().saturating_sub(2 * (ROW - 1));
    let is_uneven = |at: &usize| bytes[*at] != bytes[at + 1];
    if !(0..last).filter(is_uneven).any(is_row) {
        return Vec::new();
    }
    let orders: [fn([u8; 2]) -> u16; 2] = [u16::from_le_bytes, u16::from_be_bytes];
    let all = orders.iter().flat_map(|order| [(0, order), (1, order)]);
    all.filter_map(|(from, order)| units(view, from, *order).text_alone())
        .collect()
}

fn units(view: &View, from: usize, order: fn([u8; 2]) -> u16) -> View {
    let mut text = View::default();
    let pairs = (from..view.bytes.len().saturating_sub(1)).step_by(2);
    let units = pairs.map(|at| (at, order([view.bytes[at], view.bytes[at + 1]])));
    let mut first = None;
    for (at, unit) in units {
        let of_two = first.take().map(|(at, first)| (at, vec![first, unit]));
        let (start, these) = of_two.unwrap_or((at, vec![unit]));
        if these.len() == 1 && (0xd800..0xdc00).contains(&unit) {
            first = Some((at, unit));
            continue;
        }
        for character in char::decode_utf16(these) {
            let mut bytes = [0; 4];
            // An invalid unit becomes NUL, which no value contains.
            let character = character.unwrap_or('\0').encode_utf8(&mut bytes);
            for byte in character.bytes() {
                text.push(byte, view.start(start), view.end(at + 2));
            }
        }
    }
    text
}

/// Decodes lists of byte numbers, as debuggers and dumps print them: `[90, 113]`, `[90 113]`,
/// `5a:71`, `0x5a, 0x71`, `5a71 5b72`, `132 161`, `[-61, -92]`, `01011010`; each as numbers of one
/// base.
fn listed(view: &View) -> impl Iterator<Item = View> {
    [2, 8, 10, 16].into_iter().map(move |radix| {
        // No list has more bytes than every other sign of the text.
        let mut list = View::with_capacity(view.bytes.len() / 2 + 1);
        let mut at = 0;
        for word in view.bytes.split(|sign| !sign.is_ascii_alphanumeric()) {
            let end = at + word.len();
            if !word.is_empty() {
                let decoded = bytes_of(&view.bytes[..at], word, radix);
                let is_between = list.bytes.last().is_none_or(|last| *last == SEPARATOR);
                let separator = if is_between { &[][..] } else { &[SEPARATOR] };
                let bytes = decoded.as_ref().map_or(separator, Decoded::bytes);
                for byte in bytes {
                    list.push(*byte, view.start(at), view.end(end));
                }
            }
            at = end + 1;
        }
        list
    })
}

/// The bytes that a word of a list stands for, if it is a number.
fn bytes_of(before: &[u8], word: &[u8], radix: u32) -> Option<Decoded> {
    /// Dumps write up to eight digits without a blank.
    const LONGEST: usize = 8;
    let one = |digits: &[u8]| number(digits, radix).and_then(|code| u8::try_from(code).ok());
    // Java's bytes have a sign.
    let is_negative = match before {
        [.., sign, b'-'] => !sign.is_ascii_alphanumeric(),
        _ => before == b"-",
    };
    match (radix, word) {
        (2, digits) if digits.len() == 8 => one(digits).map(Decoded::byte),
        (16, [b'0', b'x' | b'X', digits @ ..]) => one(digits).map(Decoded::byte),
        (16, digits) if digits.len() > 2 && digits.len() <= LONGEST && digits.len() % 2 == 0 => {
            Decoded::bytes_of(digits.chunks(2).map(one))
        }
        (10, digits) if is_negative => one(digits).map(u8::wrapping_neg).map(Decoded::byte),
        (8.., digits) if digits.len() <= 3 => one(digits).map(Decoded::byte),
        _ => None,
    }
}

/// A run of digits: the position and the value of each.
type Run = Vec<(usize, u8)>;

fn runs(view: &View, digit: fn(u8) -> Option<u8>, shortest: usize) -> Vec<Run> {
    let mut runs = vec![Run::with_capacity(view.bytes.len())];
    for (at, byte) in view.bytes.iter().enumerate() {
        match (digit(*byte), runs.last_mut()) {
            (Some(value), Some(run)) => run.push((at, value)),
            (None, _) if [b'\n', b'\r'].contains(byte) => {}
            (None, Some(run)) if run.len() < shortest => run.clear(),
            (None | Some(_), _) => runs.push(Run::new()),
        }
    }
    runs.retain(|run| run.len() >= shortest);
    runs
}

/// Decodes runs whose digits have `width` bits each, without the first `skipped` digits, with a
/// [`SEPARATOR`] between two runs.
fn bits(view: &View, runs: &[Run], skipped: usize, width: u32) -> View {
    let digits = runs.iter().map(Vec::len).sum::<usize>();
    let mut decoded = View::with_capacity(digits * width as usize / 8 + 3 * runs.len());
    for run in runs {
        let (mut held, mut count, mut start) = (0_u32, 0, None);
        for (at, value) in run.iter().skip(skipped) {
            let place = view.start(*at);
            if count == 0 {
                start = Some(place);
            }
            held = held << width | u32::from(*value);
            count += width;
            if count >= 8 {
                count -= 8;
                let byte = (held >> count & 0xff) as u8;
                decoded.push(byte, start.unwrap_or(place), view.end(at + 1));
                held &= (1 << count) - 1;
                start = (count > 0).then_some(place);
            }
        }
        // If the text was cut here, so is the view.
        let last = run.last().map_or(0, |(at, _)| *at + 1);
        let rest = &view.bytes[last..];
        let is_cut = ELLIPSES.iter().any(|it| rest.starts_with(it.as_bytes()));
        let separator = if is_cut {
            ELLIPSES[1].as_bytes()
        } else {
            &[SEPARATOR]
        };
        separator
            .iter()
            .for_each(|byte| decoded.push(*byte, view.end(last), view.end(last)));
    }
    decoded
}
