//! Decoded views of a text: with its escapes, percent signs, entities or base64 decoded. Each byte
//! knows its position in the original text. Each view is made in one pass.

/// How deeply escapes are nested: JSON in a JSON string.
const DEPTH: usize = 2;

/// The shortest run of base64 that is decoded: five bytes have seven characters.
const SHORTEST_RUN: usize = 7;

/// A decoded text.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// The start of each byte in the original text, and the text's length.
    starts: Vec<usize>,
    /// The end of each byte; the same as the start of the next, except in base64.
    ends: Option<Vec<usize>>,
}

impl View {
    /// The start of the byte at this position.
    pub(super) fn start(&self, at: usize) -> usize {
        self.starts[at]
    }

    /// The end of the byte before this position.
    pub(super) fn end(&self, at: usize) -> usize {
        match &self.ends {
            Some(ends) => at.checked_sub(1).map_or(0, |last| ends[last]),
            None => self.starts[at],
        }
    }

    fn plain(text: &str) -> View {
        View {
            bytes: text.as_bytes().to_vec(),
            starts: (0..=text.len()).collect(),
            ends: None,
        }
    }

    /// Decodes the view further: `decode` returns the bytes at a position and the length of their
    /// encoding.
    fn decoded(&self, decode: impl Fn(&[u8]) -> Option<(Decoded, usize)>) -> View {
        let mut view = View {
            bytes: Vec::with_capacity(self.bytes.len()),
            starts: Vec::with_capacity(self.starts.len()),
            ends: None,
        };
        let mut at = 0;
        while at < self.bytes.len() {
            let start = self.starts[at];
            let length = match decode(&self.bytes[at..]) {
                Some((decoded, length)) => {
                    view.bytes.extend_from_slice(decoded.bytes());
                    length
                }
                None => {
                    view.bytes.push(self.bytes[at]);
                    1
                }
            };
            view.starts.resize(view.bytes.len(), start);
            at += length;
        }
        view.starts.push(self.starts[self.bytes.len()]);
        view
    }

    fn has(&self, byte: u8) -> bool {
        self.bytes.contains(&byte)
    }
}

/// One character, or one byte.
struct Decoded([u8; 4], usize);

impl Decoded {
    fn byte(byte: u8) -> Decoded {
        Decoded([byte, 0, 0, 0], 1)
    }

    fn char(character: char) -> Decoded {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Decoded(bytes, length)
    }

    fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

/// All views that contain more than the text itself.
pub(super) fn of(text: &str) -> Vec<View> {
    let plain = View::plain(text);
    let mut all = Vec::new();
    if plain.has(b'\\') {
        // Python writes a character below 256 like that, and also a byte.
        deepened(&plain, b'\\', |rest| escaped(rest, true), &mut all);
        if text.contains("\\x") {
            deepened(&plain, b'\\', |rest| escaped(rest, false), &mut all);
        }
    }
    if plain.has(b'%') {
        deepened(&plain, b'%', percent, &mut all);
    }
    if plain.has(b'+') {
        let decode = |rest: &[u8]| match rest {
            [b'+', ..] => Some((Decoded::byte(b' '), 1)),
            _ => percent(rest),
        };
        all.push(plain.decoded(decode));
    }
    if plain.has(b'&') {
        deepened(&plain, b'&', entity, &mut all);
    }
    let mut coded = base64(&plain);
    coded.extend(all.first().into_iter().flat_map(base64));
    coded.extend(hex(&plain));
    coded.extend(listed(&plain));
    all.extend(coded);
    all.push(plain);
    all
}

fn deepened(
    view: &View,
    sign: u8,
    decode: impl Fn(&[u8]) -> Option<(Decoded, usize)>,
    all: &mut Vec<View>,
) {
    let mut view = view.decoded(&decode);
    for _ in 1..DEPTH {
        if !view.has(sign) {
            break;
        }
        let deeper = view.decoded(&decode);
        all.push(view);
        view = deeper;
    }
    all.push(view);
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    u32::from_str_radix(digits, radix).ok().filter(|_| plain)
}

/// Decodes what follows a backslash in JSON, Go, Python and Rust.
fn escaped(rest: &[u8], as_byte: bool) -> Option<(Decoded, usize)> {
    let [b'\\', sign, after @ ..] = rest else {
        return None;
    };
    let simple = |byte| Some((Decoded::byte(byte), 2));
    match sign {
        b'n' => simple(b'\n'),
        b'r' => simple(b'\r'),
        b't' => simple(b'\t'),
        b'b' => simple(8),
        b'f' => simple(12),
        b'0' => simple(0),
        b'"' | b'\'' | b'\\' | b'/' | b'`' | b'$' => simple(*sign),
        b'x' => {
            let code = number(after.get(..2)?, 16)?;
            let byte = u8::try_from(code).ok()?;
            let decoded = match as_byte {
                true => Decoded::byte(byte),
                false => Decoded::char(char::from(byte)),
            };
            Some((decoded, 4))
        }
        b'u' if after.first() == Some(&b'{') => {
            let end = after.iter().take(8).position(|byte| *byte == b'}')?;
            let character = char::from_u32(number(&after[1..end], 16)?)?;
            Some((Decoded::char(character), end + 3))
        }
        b'u' => {
            let code = number(after.get(..4)?, 16)?;
            if let Some(character) = char::from_u32(code) {
                return Some((Decoded::char(character), 6));
            }
            let low = after.get(4..)?.strip_prefix(b"\\u")?;
            let low = number(low.get(..4)?, 16)?;
            let high = code.checked_sub(0xd800)? << 10;
            let code = 0x10000 + high + low.checked_sub(0xdc00)?;
            Some((Decoded::char(char::from_u32(code)?), 12))
        }
        b'U' => {
            let character = char::from_u32(number(after.get(..8)?, 16)?)?;
            Some((Decoded::char(character), 10))
        }
        _ => None,
    }
}

fn percent(rest: &[u8]) -> Option<(Decoded, usize)> {
    let code = number(rest.strip_prefix(b"%")?.get(..2)?, 16)?;
    Some((Decoded::byte(u8::try_from(code).ok()?), 3))
}

/// Decodes an HTML entity: the escaped characters, and all numeric ones.
fn entity(rest: &[u8]) -> Option<(Decoded, usize)> {
    const LONGEST: usize = 12;
    let after = rest.strip_prefix(b"&")?;
    let end = after.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let character = match &after[..end] {
        b"amp" | b"AMP" => '&',
        b"lt" | b"LT" => '<',
        b"gt" | b"GT" => '>',
        b"quot" | b"QUOT" => '"',
        b"apos" => '\'',
        b"nbsp" => ' ',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => return None,
    };
    Some((Decoded::char(character), end + 2))
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

/// Decodes runs of base64 from each of their first four characters, because the encoded text may
/// begin at any of them. Line breaks do not end a run.
fn base64(view: &View) -> Vec<View> {
    let runs = runs(view, sextet, SHORTEST_RUN);
    (0..4)
        .filter_map(|phase| bits(view, &runs, phase, 6))
        .collect()
}

/// Decodes runs of hexadecimal digits.
fn hex(view: &View) -> Vec<View> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let runs = runs(view, digit, 2 * MINIMUM);
    (0..2)
        .filter_map(|phase| bits(view, &runs, phase, 4))
        .collect()
}

/// Decodes lists of byte numbers, as debuggers and dumps print them: `[90, 113]`, `[90 113]`,
/// `5a:71`, `0x5a, 0x71`; once as decimal, once as hexadecimal numbers.
fn listed(view: &View) -> Vec<View> {
    let byte = |word: &[u8], radix| {
        let digits = match radix {
            16 => word.strip_prefix(b"0x").unwrap_or(word),
            _ => word,
        };
        let code = number(digits, radix).filter(|_| digits.len() <= 3)?;
        u8::try_from(code).ok()
    };
    let of = |radix| {
        let mut list = View {
            bytes: Vec::new(),
            starts: Vec::new(),
            ends: Some(Vec::new()),
        };
        let ends = list.ends.as_mut()?;
        let mut at = 0;
        for word in view.bytes.split(|sign| b" ,:;[](){}\n\r".contains(sign)) {
            let end = at + word.len();
            // A byte that occurs in no value separates the numbers.
            if !word.is_empty() {
                list.bytes.push(byte(word, radix).unwrap_or_default());
                list.starts.push(view.starts[at]);
                ends.push(view.starts[end]);
            }
            at = end + 1;
        }
        (list.bytes.len() >= MINIMUM).then_some(list)
    };
    [10, 16].into_iter().filter_map(of).collect()
}

/// A run of digits: the position and the value of each.
type Run = Vec<(usize, u8)>;

fn runs(view: &View, digit: impl Fn(u8) -> Option<u8>, shortest: usize) -> Vec<Run> {
    let mut runs = vec![Run::new()];
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

/// Decodes runs whose digits have `width` bits each, without the first `skipped` digits. A byte
/// that occurs in no value separates two runs.
fn bits(view: &View, runs: &[Run], skipped: usize, width: u32) -> Option<View> {
    let mut decoded = View {
        bytes: Vec::new(),
        starts: Vec::new(),
        ends: Some(Vec::new()),
    };
    let ends = decoded.ends.as_mut()?;
    for run in runs {
        let (mut held, mut count, mut start) = (0_u32, 0, None);
        for (at, value) in run.iter().skip(skipped) {
            let place = view.starts[*at];
            if count == 0 {
                start = Some(place);
            }
            held = held << width | u32::from(*value);
            count += width;
            if count >= 8 {
                count -= 8;
                decoded.bytes.push((held >> count & 0xff) as u8);
                decoded.starts.push(start.unwrap_or(place));
                ends.push(view.starts[at + 1]);
                held &= (1 << count) - 1;
                start = (count > 0).then_some(place);
            }
        }
        // If the text was cut here, so is the view; else a separator follows that occurs in no
        // value.
        let last = run.last().map_or(0, |(at, _)| *at + 1);
        let is_cut = ELLIPSES
            .iter()
            .any(|it| view.bytes[last..].starts_with(it.as_bytes()));
        let separator = if is_cut {
            ELLIPSES[1].as_bytes()
        } else {
            b"\0"
        };
        for byte in separator {
            decoded.bytes.push(*byte);
            decoded.starts.push(view.starts[last]);
            ends.push(view.starts[last]);
        }
    }
    (!decoded.bytes.is_empty()).then_some(decoded)
}

/// If a text was cut, the beginning of a value must still be redacted.
pub(super) const ELLIPSES: [&str; 2] = ["…", "..."];

/// Shorter values are common words and numbers.
pub const MINIMUM: usize = 5;

#[cfg(test)]
mod tests;
