//! Finds secrets by their shape. An application gets its password from a Secret, whose values
//! nobody here knows, and prints it when it crashes.

use super::views::{MINIMUM, View};

/// How the names of fields, variables and options end that have a secret, without `-`, `_`, `.`.
const NAMES: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "accountkey",
    "privatekey",
    "secretkey",
    "signature",
    "credential",
    "connectionstring",
];

/// Headers, whose values follow a colon without quotes.
const HEADERS: [&str; 5] = [
    "authorization",
    "proxyauthorization",
    "xapikey",
    "xauthtoken",
    "xamzsecuritytoken",
];

/// What programs show in place of a secret, or of one that is missing.
const NO_SECRETS: [&str; 16] = [
    "null",
    "none",
    "undefined",
    "false",
    "true",
    "empty",
    "missing",
    "invalid",
    "expired",
    "required",
    "string",
    "redacted",
    "hidden",
    "unset",
    "[object",
    "xxxxx",
];

/// How keys begin that their issuers mark.
const MARKED: [&str; 20] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxr-",
    "sk_live_",
    "rk_live_",
    "sk-ant-",
    "sk-proj-",
    "hvs.",
    "npm_",
    "dckr_pat_",
    "shpat_",
    "k8s-aws-v1.",
];

/// The shortest rest of a marked key, and the shortest key after `Bearer`.
const KEY_MINIMUM: usize = 16;
/// How much of a name is looked at.
const LONGEST_NAME: usize = 64;
/// How far a value is followed: the longest token of a cluster has a few thousand characters.
const LONGEST: usize = 8192;
/// The shortest JWT: its header alone has as many characters.
const JWT_MINIMUM: usize = 40;

const BEGIN_KEY: &[u8] = b"PRIVATE KEY-----";
const END_KEY: &[u8] = b"-----END";

/// Adds the places of what looks like a secret, unless it is public.
pub(super) fn find(view: &View, is_open: &dyn Fn(&str) -> bool, found: &mut Vec<(usize, usize)>) {
    let bytes = &view.bytes;
    let mut at = 0;
    while at < bytes.len() {
        let place = match bytes[at] {
            b':' if bytes[at..].starts_with(b"://") => in_url(bytes, at + 3),
            b':' | b'=' => named(bytes, at),
            b'@' => in_data_source(bytes, at),
            b'P' if bytes[at..].starts_with(BEGIN_KEY) => Some(private_key(bytes, at)),
            byte if byte.is_ascii_alphabetic() && begins_word(bytes, at) => key(bytes, at),
            _ => None,
        };
        // Where lines were joined, what begins the next one belongs to nothing before it.
        let is_apart = |start: usize| {
            let before = start.checked_sub(1).map(|before| bytes[before]);
            before.is_some_and(|sign| b"=: \"'".contains(&sign))
                && view.start(start) != view.end(start)
        };
        let place = place.filter(|(start, _)| !is_apart(*start));
        let place = place.filter(|(start, end)| {
            str::from_utf8(&bytes[*start..*end]).is_ok_and(|text| is_secret(text) && !is_open(text))
        });
        if let Some((start, end)) = place {
            found.push((view.start(start), view.end(end)));
            at = end.max(at + 1);
        } else {
            at += 1;
        }
    }
}

/// Whether it is a value, and not a word or a placeholder that stands for one.
fn is_secret(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    text.len() >= MINIMUM
        && !text.starts_with(['$', '{', '<', '[', '(', '*', '%', '#', '.', '…', '/'])
        && !NO_SECRETS
            .iter()
            .any(|it| word.trim_end_matches('.') == *it)
}

fn begins_word(bytes: &[u8], at: usize) -> bool {
    at == 0 || !is_of_name(bytes[at - 1])
}

/// The end of a run of bytes that are as wanted.
fn run(bytes: &[u8], from: usize, is_wanted: impl Fn(u8) -> bool) -> usize {
    let rest = bytes[from..].iter().take(LONGEST);
    from + rest.take_while(|byte| is_wanted(**byte)).count()
}

/// Whether a byte is of a name, a host or a key.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

fn is_of_word(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"\"'`<>".contains(&byte)
}

/// The password in `//user:password@host`, or a key in place of the user.
fn in_url(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let end = run(bytes, from, is_of_word);
    let host_ends = run(bytes, from, |byte| {
        is_of_word(byte) && !b"/?#".contains(&byte)
    });
    let last_at = |end: usize| bytes[from..end].iter().rposition(|byte| *byte == b'@');
    let colon = bytes[from..end].iter().position(|byte| *byte == b':');
    match (last_at(host_ends), colon) {
        (Some(at), Some(colon)) if colon < at => Some((from + colon + 1, from + at)),
        (Some(at), _) if at >= KEY_MINIMUM => Some((from, from + at)),
        (None, Some(colon)) if from + colon < host_ends => {
            // After a colon is a port, or a password that nobody has encoded, or a part of one.
            let is_port = run(bytes, from + colon + 1, |byte| byte.is_ascii_digit());
            let is_port = is_port == host_ends || bytes.get(is_port) == Some(&b',');
            let is_cut = bytes[from..end].ends_with("…".as_bytes());
            match last_at(end) {
                Some(at) if !is_port => Some((from + colon + 1, from + at)),
                None if !is_port && is_cut => Some((from + colon + 1, end)),
                Some(_) | None => None,
            }
        }
        (Some(_) | None, _) => None,
    }
}

/// The password in `user:password@host:5432` and, as a data source of Go, before `@tcp(host)`.
fn in_data_source(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = &bytes[at + 1..];
    let host = run(rest, 0, is_of_name);
    let has_port = host > 0
        && rest.get(host) == Some(&b':')
        && rest.get(host + 1).is_some_and(u8::is_ascii_digit)
        // An image's digest.
        && !rest.starts_with(b"sha");
    let is_one = has_port || rest.starts_with(b"tcp(") || rest.starts_with(b"unix(");
    if !is_one {
        return None;
    }
    let before = bytes[..at].iter().rev().take(LONGEST);
    let length = before.take_while(|byte| is_of_word(**byte)).count();
    let from = at - length;
    let colon = bytes[from..at].iter().position(|byte| *byte == b':')?;
    Some((from + colon + 1, at))
}

/// The value after `NAME=`, `"name": ` or a header's name, if the name is that of a secret.
fn named(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let (before, blanks) = match bytes[..at].trim_ascii_end() {
        before if bytes[at] == b'=' => (before, at - before.len()),
        before => (before, 0),
    };
    let quoted = before.strip_suffix(b"\"").or(before.strip_suffix(b"'"));
    let name = quoted.unwrap_or(before);
    let length = name
        .iter()
        .rev()
        .take(LONGEST_NAME)
        .take_while(|byte| is_of_name(**byte))
        .count();
    let name = &name[name.len() - length..];
    let name = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let name = name.map(|byte| char::from(byte.to_ascii_lowercase()));
    let name = name.collect::<String>();
    let is_header = bytes[at] == b':' && HEADERS.contains(&&*name);
    let is_named = NAMES.iter().any(|end| name.ends_with(end)) || name == "sig" || is_header;
    if !is_named || bytes[at] == b':' && quoted.is_none() && !is_header {
        return None;
    }
    let mut from = run(bytes, at + 1, |byte| byte == b' ');
    let blanks = blanks + from - at - 1;
    if let Some(quote) = bytes.get(from).filter(|byte| b"\"'".contains(byte)) {
        let end = run(bytes, from + 1, |byte| byte != *quote && byte != b'\n');
        return Some((from + 1, end));
    }
    // Between blanks is code, as a stack trace quotes it.
    if bytes[at] == b'=' && blanks > 0 {
        return None;
    }
    for scheme in ["Bearer ", "Basic ", "bearer ", "basic "] {
        if bytes[from..].starts_with(scheme.as_bytes()) {
            from += scheme.len();
        }
    }
    let end = run(bytes, from, |byte| {
        is_of_word(byte) && !b",;&)}]".contains(&byte)
    });
    let is_code = bytes[from..end].iter().any(|byte| b"([".contains(byte));
    (!is_code).then_some((from, end))
}

/// What follows the first line of a private key, with its last.
fn private_key(bytes: &[u8], at: usize) -> (usize, usize) {
    let from = at + BEGIN_KEY.len();
    let line = bytes[..at].iter().rposition(|byte| *byte == b'\n');
    let line = &bytes[line.map_or(0, |start| start + 1)..at];
    if line.windows(END_KEY.len()).any(|part| part == END_KEY) {
        // Where the beginning is not in the log any more, the lines before the end are the key.
        return (key_before(bytes, at), at);
    }
    let mut ends = bytes[from..].windows(BEGIN_KEY.len());
    let length = ends.position(|part| part == BEGIN_KEY);
    let end = length.map_or(bytes.len(), |length| from + length + BEGIN_KEY.len());
    (from, end)
}

/// Where the lines of base64 begin that stand before this line.
fn key_before(bytes: &[u8], at: usize) -> usize {
    let Some(mut start) = bytes[..at].iter().rposition(|byte| *byte == b'\n') else {
        return at;
    };
    while start > 0 {
        let before = bytes[..start].iter().rposition(|byte| *byte == b'\n');
        let line = bytes[before.map_or(0, |it| it + 1)..start].trim_ascii();
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        if line.len() < KEY_MINIMUM || !line.iter().all(is_digit) {
            return start;
        }
        start = before.unwrap_or(0);
    }
    start
}

/// A key that is known by how it begins, a JWT, or what follows `Bearer`.
fn key(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = &bytes[at..];
    let is_first = |mark: &&&str| mark.as_bytes()[0] == rest[0];
    let mut marks = MARKED.iter().filter(is_first);
    if let Some(mark) = marks.find(|mark| rest.starts_with(mark.as_bytes())) {
        let end = run(bytes, at, is_of_name);
        return (end - at >= mark.len() + KEY_MINIMUM).then_some((at, end));
    }
    if rest.starts_with(b"eyJ") {
        let end = run(bytes, at, is_of_name);
        let dots = bytes[at..end].iter().filter(|byte| **byte == b'.').count();
        return (dots >= 2 && end - at >= JWT_MINIMUM).then_some((at, end));
    }
    let scheme = rest.get(..7)?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return None;
    }
    let end = run(bytes, at + 7, |byte| {
        is_of_name(byte) || b"~+/=".contains(&byte)
    });
    let has_digit = bytes[at + 7..end].iter().any(u8::is_ascii_digit);
    (has_digit && end - at - 7 >= KEY_MINIMUM).then_some((at + 7, end))
}

#[cfg(test)]
mod tests;
