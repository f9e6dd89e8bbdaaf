//! Decoded views of a text: with its escapes, percent signs, entities or base64 decoded, and its
//! wrapped lines joined. Each byte knows its position in the original text. Each view is made in
//! one pass.

use std::ops::Range;

/// How often a text is decoded: JSON in a JSON string, base64 of base64.
const DEPTH: usize = 2;

/// The shortest run of base64 that is decoded: five bytes have seven characters.
const SHORTEST_RUN: usize = 7;

/// A decoded text.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// The start and the end of each byte in the original text.
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl View {
    /// The start of the byte at this position.
    pub(super) fn start(&self, at: usize) -> usize {
        self.starts.get(at).copied().unwrap_or_else(|| self.end(at))
    }

    /// The end of the byte before this position.
    pub(super) fn end(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |last| self.ends[last])
    }

    fn plain(text: &str) -> View {
        View {
            bytes: text.as_bytes().to_vec(),
            starts: (0..text.len()).collect(),
            ends: (1..=text.len()).collect(),
        }
    }

    /// Decodes the encodings that begin with one of these signs; `None` if there are none.
    fn decoded(&self, signs: &[u8], decode: Decode) -> Option<View> {
        let mut view = View::default();
        let next = |from: usize| {
            let rest = &self.bytes[from..];
            rest.iter().position(|byte| signs.contains(byte))
        };
        let (mut copied, mut at) = (0, 0);
        while let Some(distance) = next(at) {
            at += distance;
            let Some((decoded, length)) = decode(&self.bytes[at..]) else {
                at += 1;
                continue;
            };
            view.copy(self, copied..at);
            for byte in decoded.bytes() {
                view.push(*byte, self.start(at), self.end(at + length));
            }
            at += length;
            copied = at;
        }
        view.copy(self, copied..self.bytes.len());
        (copied > 0).then_some(view)
    }

    /// Appends a part of another view.
    fn copy(&mut self, other: &View, part: Range<usize>) {
        self.bytes.extend_from_slice(&other.bytes[part.clone()]);
        self.starts.extend_from_slice(&other.starts[part.clone()]);
        self.ends.extend_from_slice(&other.ends[part]);
    }

    /// Appends a decoded byte.
    fn push(&mut self, byte: u8, start: usize, end: usize) {
        self.bytes.push(byte);
        self.starts.push(start);
        self.ends.push(end);
    }

    /// Keeps only valid UTF-8: most decoded digits are no text, and need not be decoded further. A
    /// byte that occurs in no value separates the parts.
    fn text_alone(&self) -> Option<View> {
        let mut view = View::default();
        let mut at = 0;
        for chunk in self.bytes.utf8_chunks() {
            let end = at + chunk.valid().len();
            if chunk.valid().len() >= MINIMUM {
                view.copy(self, at..end);
                view.push(0, self.end(end), self.end(end));
            }
            at = end + chunk.invalid().len();
        }
        (!view.bytes.is_empty()).then_some(view)
    }
}

/// Decodes the beginning of a text: returns the bytes, and the length of their encoding.
type Decode = fn(&[u8]) -> Option<(Decoded, usize)>;

/// The encodings of single characters: the signs that they begin with, and how they are decoded.
const SPELLINGS: [(&[u8], Decode); 8] = [
    // Python writes a character below 256 as others write a byte.
    (b"\\", |rest| escaped(rest, Decoded::byte)),
    (b"\\", |rest| {
        escaped(rest, |byte| Decoded::char(char::from(byte)))
    }),
    (b"%", |rest| coded(rest, b'%')),
    (b"+%", |rest| match rest[0] {
        b'+' => Some((Decoded::byte(b' '), 1)),
        _ => coded(rest, b'%'),
    }),
    (b"=", |rest| match rest {
        [b'=', b'\n', ..] => Some((Decoded::NOTHING, 2)),
        _ => coded(rest, b'='),
    }),
    (b"&", entity),
    (b"\n\\'\"", |rest| Some((Decoded::NOTHING, wrap(rest)?))),
    (b"\n", |rest| Some((Decoded::byte(b' '), wrap(rest)?))),
];

/// One character, or one byte, or none.
struct Decoded([u8; 4], usize);

impl Decoded {
    const NOTHING: Decoded = Decoded([0; 4], 0);

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

/// Passes the text and all its decoded views to `see`.
pub(super) fn each(text: &str, see: &mut impl FnMut(&View)) {
    deeper(&View::plain(text), DEPTH, see);
}

fn deeper(view: &View, depth: usize, see: &mut impl FnMut(&View)) {
    see(view);
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let spelled = SPELLINGS.iter();
    let spelled = spelled.filter_map(|(signs, decode)| view.decoded(signs, *decode));
    let numbered = base64(view).chain(hex(view)).chain(listed(view));
    let numbered = numbered.filter_map(|view| view.text_alone());
    spelled
        .chain(numbered)
        .for_each(|view| deeper(&view, depth, see));
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    u32::from_str_radix(digits, radix).ok().filter(|_| plain)
}

/// Decodes what follows a backslash in C, JSON, Go, Python and Rust.
fn escaped(rest: &[u8], of_byte: fn(u8) -> Decoded) -> Option<(Decoded, usize)> {
    let [b'\\', sign, after @ ..] = rest else {
        return None;
    };
    let octal = rest.get(1..4).and_then(|digits| number(digits, 8));
    if let Some(byte) = octal.and_then(|code| u8::try_from(code).ok()) {
        return Some((of_byte(byte), 4));
    }
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
            Some((of_byte(u8::try_from(code).ok()?), 4))
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

/// Decodes a sign and two hexadecimal digits.
fn coded(rest: &[u8], sign: u8) -> Option<(Decoded, usize)> {
    let digits = rest.get(1..3).filter(|_| rest[0] == sign)?;
    Some((Decoded::byte(u8::try_from(number(digits, 16)?).ok()?), 3))
}

/// The length of a line break within a value, with the indentation, the backslash or the quotes
/// around it.
fn wrap(rest: &[u8]) -> Option<usize> {
    /// The deepest indentation.
    const LONGEST: usize = 80;
    let quote = rest.first().filter(|first| b"'\"".contains(first));
    let skip = |at: usize, signs: &[u8]| {
        let after = rest.iter().skip(at).take(LONGEST);
        at + after.take_while(|byte| signs.contains(byte)).count()
    };
    let line = skip(usize::from(quote.is_some()), b" +\\");
    let end = skip(line, b" \t\r\n");
    let closed = quote.is_none() || rest.get(end) == quote;
    let is_end = rest.get(line) == Some(&b'\n') && closed;
    is_end.then_some(end + usize::from(quote.is_some()))
}

/// HTML entity names of ASCII characters, each after its character.
const ASCII: &str = "!excl \"quot #num $dollar %percnt &amp 'apos (lpar )rpar *ast +plus \
    ,comma -hyphen .period /sol :colon ;semi <lt =equals >gt ?quest @commat [lsqb [lbrack \
    \\bsol ]rsqb ]rbrack ^hat _lowbar `grave {lcub {lbrace |verbar |vert }rcub }rbrace \ttab \
    \nnewline €euro";

/// HTML entity names of the characters from 160 on, in order.
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg \
    macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 \
    iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave \
    Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc \
    Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc \
    euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave \
    uacute ucirc uuml yacute thorn yuml";

/// Decodes an HTML entity: numeric ones, and the names of Latin-1.
/// <https://html.spec.whatwg.org/multipage/named-characters.html>
fn entity(rest: &[u8]) -> Option<(Decoded, usize)> {
    const LONGEST: usize = 12;
    let after = &rest[1..];
    let end = after.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let character = match &after[..end] {
        b"nbsp" => ' ',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        name => named(std::str::from_utf8(name).ok()?)?,
    };
    Some((Decoded::char(character), end + 2))
}

fn named(name: &str) -> Option<char> {
    let mut ascii = ASCII.split(' ').filter_map(|word| {
        let first = word.chars().next()?;
        Some((first, &word[first.len_utf8()..]))
    });
    let of_ascii = ascii.find(|(_, other)| other.eq_ignore_ascii_case(name));
    of_ascii.map(|(character, _)| character).or_else(|| {
        let place = LATIN.split(' ').position(|other| other == name)?;
        Some(char::from(u8::try_from(160 + place).ok()?))
    })
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
fn base64(view: &View) -> impl Iterator<Item = View> {
    let runs = runs(view, sextet, SHORTEST_RUN);
    (0..4).map(move |phase| bits(view, &runs, phase, 6))
}

/// Decodes runs of hexadecimal digits.
fn hex(view: &View) -> impl Iterator<Item = View> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let runs = runs(view, digit, 2 * MINIMUM);
    (0..2).map(move |phase| bits(view, &runs, phase, 4))
}

/// Decodes lists of byte numbers, as debuggers and dumps print them: `[90, 113]`, `[90 113]`,
/// `5a:71`, `0x5a, 0x71`; once as decimal, once as hexadecimal numbers.
fn listed(view: &View) -> impl Iterator<Item = View> {
    let byte = |word: &[u8], radix| {
        let digits = match radix {
            16 => word.strip_prefix(b"0x").unwrap_or(word),
            _ => word,
        };
        let code = number(digits, radix).filter(|_| digits.len() <= 3)?;
        u8::try_from(code).ok()
    };
    [10, 16].into_iter().map(move |radix| {
        let mut list = View::default();
        let mut at = 0;
        for word in view.bytes.split(|sign| b" ,:;[](){}\n\r".contains(sign)) {
            let end = at + word.len();
            // A byte that occurs in no value separates the numbers.
            if !word.is_empty() {
                let byte = byte(word, radix).unwrap_or_default();
                list.push(byte, view.start(at), view.end(end));
            }
            at = end + 1;
        }
        list
    })
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
fn bits(view: &View, runs: &[Run], skipped: usize, width: u32) -> View {
    let mut decoded = View::default();
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
        // If the text was cut here, so is the view; else a separator follows that occurs in no
        // value.
        let last = run.last().map_or(0, |(at, _)| *at + 1);
        let rest = &view.bytes[last..];
        let is_cut = ELLIPSES.iter().any(|it| rest.starts_with(it.as_bytes()));
        let separator = if is_cut { ELLIPSES[1] } else { "\0" };
        separator
            .bytes()
            .for_each(|byte| decoded.push(byte, view.end(last), view.end(last)));
    }
    decoded
}

/// If a text was cut, the beginning of a value must still be redacted.
pub(super) const ELLIPSES: [&str; 2] = ["…", "..."];

/// Shorter values are common words and numbers.
pub const MINIMUM: usize = 5;

#[cfg(test)]
mod tests;
