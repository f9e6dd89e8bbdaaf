//! Spellings of single characters: escapes, percent signs, entities, doubled signs, wrapped lines.

use super::digits::number;
use super::view::{Decoded, View};

/// Decodes the beginning of a text: returns the bytes, and the length of their encoding.
pub(super) type Decode = fn(&[u8]) -> Option<(Decoded, usize)>;

/// The spellings of single characters: the signs that they begin with, and how they are decoded.
/// Each is a view of its own, as what one of them doubles or escapes another leaves as it is.
pub(super) const SPELLINGS: [(&[u8], Decode); 14] = [
    // Python writes a character below 256 as others write a byte.
    (b"\\", |rest| escaped(rest, Decoded::byte)),
    (b"\\", |rest| {
        escaped(rest, |byte| Decoded::char(char::from(byte)))
    }),
    // LDAP and systemd: https://www.rfc-editor.org/rfc/rfc4515#section-3
    (b"\\", |rest| coded(rest, b'\\')),
    // PowerShell and cmd.
    (b"`^", |rest| {
        let sign = rest.get(1).filter(|sign| sign.is_ascii_punctuation())?;
        Some((Decoded::byte(*sign), 2))
    }),
    (b"%", |rest| percent(rest)),
    (b"+%", |rest| match rest[0] {
        b'+' => Some((Decoded::byte(b' '), 1)),
        _ => percent(rest),
    }),
    (b"=", |rest| match rest {
        [b'=', b'\n', ..] => Some((Decoded::NOTHING, 2)),
        _ => coded(rest, b'='),
    }),
    (b"&", entity),
    (b"\n\\'\"", |rest| Some((Decoded::NOTHING, wrap(rest)?))),
    (b"\n", |rest| Some((Decoded::byte(b' '), wrap(rest)?))),
    // Doubled: SQL and CSV, formats of C, compose files, templates.
    (b"'\"", doubled),
    (b"%", doubled),
    (b"$", doubled),
    (b"{}", doubled),
];

/// Decodes the encodings that begin with one of these signs; `None` if there are none.
pub(super) fn decoded(view: &View, signs: &[u8], decode: Decode) -> Option<View> {
    let mut meant: Option<View> = None;
    let next = |from: usize| {
        let rest = &view.bytes[from..];
        rest.iter().position(|byte| signs.contains(byte))
    };
    let (mut copied, mut at) = (0, 0);
    while let Some(distance) = next(at) {
        at += distance;
        let Some((decoded, length)) = decode(&view.bytes[at..]) else {
            at += 1;
            continue;
        };
        let meant = meant.get_or_insert_with(|| View::with_capacity(view.bytes.len()));
        meant.copy(view, copied..at);
        for byte in decoded.bytes() {
            meant.push(*byte, view.start(at), view.end(at + length));
        }
        at += length;
        copied = at;
    }
    let mut meant = meant?;
    meant.copy(view, copied..view.bytes.len());
    Some(meant)
}

/// Decodes what follows a backslash in C, JSON, Go, Python, Rust and shells: these write one before
/// any sign that means something.
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
        b'a' => simple(7),
        b'b' => simple(8),
        b'v' => simple(11),
        b'f' => simple(12),
        b'e' => simple(27),
        b'0' => simple(0),
        b' ' | b'!'..=b'/' | b':'..=b'@' | b'['..=b'`' | b'{'..=b'~' => simple(*sign),
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

/// Decodes a percent sign and two digits, or four after a `u`, as old browsers write it.
fn percent(rest: &[u8]) -> Option<(Decoded, usize)> {
    if let [b'%', b'u' | b'U', digits @ ..] = rest {
        let character = char::from_u32(number(digits.get(..4)?, 16)?)?;
        return Some((Decoded::char(character), 6));
    }
    coded(rest, b'%')
}

/// Decodes a sign that stands twice.
fn doubled(rest: &[u8]) -> Option<(Decoded, usize)> {
    (rest.get(1) == rest.first()).then_some((Decoded::byte(rest[0]), 2))
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
