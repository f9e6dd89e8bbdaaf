//! Recognizes values that people store in place of a token, before anything is sent. No value is
//! ever quoted.

use crate::text::placeholder;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use serde_json::Value;

/// The shortest text that counts as an encoded JWT: any short word might be one.
const SHORTEST_JWT: usize = 16;

/// The beginning of the tokens of `aws eks get-token`.
pub const EKS: &str = "k8s-aws-v1.";

/// The beginning of every JWT: `{"` in base64.
const JWT: &str = "eyJ";

/// What scripts print for a missing value.
const MISSING: [&str; 9] = [
    "none",
    "null",
    "nil",
    "undefined",
    "<nil>",
    "<none>",
    "nan",
    "false",
    "[object object]",
];

/// What guides write where a value is to be put, without the signs between the words.
const TO_BE_FILLED: [&str; 10] = [
    "changeme",
    "replaceme",
    "fixme",
    "todo",
    "tbd",
    "placeholder",
    "yourtoken",
    "yourtokenhere",
    "inserttokenhere",
    "redacted",
];

/// The beginning of what KMS has encrypted, in base64.
const ENCRYPTED: &str = "AQICAH";

/// How the error messages of commands begin.
const PRINTED: [&str; 5] = [
    "an error occurred (",
    "error from server",
    "error: ",
    "usage: ",
    "unable to ",
];

/// How those of shells end.
const PRINTED_AT_THE_END: [&str; 3] = [
    "command not found",
    "no such file or directory",
    "permission denied",
];

/// Characters that are invisible, or look like a space.
const INVISIBLE: [char; 9] = [
    '\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{a0}',
    '\u{ad}',
];

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// Whether a character does not show, line breaks and tabs aside.
fn is_invisible(character: char) -> bool {
    let is_break = ['\n', '\r', '\t'].contains(&character);
    INVISIBLE.contains(&character) || character.is_control() && !is_break
}

/// What tools that encrypt files or values write in front.
const LOCKED: [&str; 4] = [
    "ENC[AES256_GCM,",
    "$ANSIBLE_VAULT;",
    "-----BEGIN AGE ENCRYPTED",
    "-----BEGIN PGP MESSAGE",
];

/// Why a text is not sent as a bearer token: what it is, and what to store instead.
pub fn why_refused(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("is empty");
    }
    let lower = text.to_ascii_lowercase();
    let quoted = |quote: char| text.starts_with(quote) || text.ends_with(quote);
    Some(if MISSING.contains(&&*lower) {
        "is the word that a script prints where it has no value (such as None or null): store the \
         token itself"
    } else if text.contains(is_invisible) {
        "has a character that does not show (a byte order mark, a no-break or zero-width space): \
         store it again, straight from the command that prints it"
    } else if LOCKED.iter().any(|begin| text.starts_with(begin)) {
        "is encrypted, by sops, Ansible Vault, age or PGP: decrypt it, and store the token itself"
    } else if lower.starts_with("<!doctype") || lower.starts_with("<html") {
        "is an HTML page, as a login or an error is: look at the step that stores it"
    } else if text.contains("-----BEGIN") {
        "is a certificate or a key in PEM: store the ServiceAccount's token"
    } else if is_placeholder(text) {
        "is a placeholder that nothing filled in: store the token itself"
    } else if is_printed(&lower) {
        "is the error message of a command, not a token: look at the step that stores it"
    } else if let Some(why) = document(text) {
        why
    } else if lower == "bearer" || lower.starts_with("bearer ") || lower.starts_with("bearer\t") {
        "begins with the word Bearer: store the token alone, without it"
    } else if lower.starts_with("basic ") {
        "is Basic authentication, which Kubernetes does not have: store a bearer token"
    } else if lower.starts_with("authorization:") {
        "is a whole `Authorization` header: store the token alone, which stands behind Bearer"
    } else if has_name(text) {
        "has a name before it, as in TOKEN=… or token: …: store the token alone, without it"
    } else if ['"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»']
        .into_iter()
        .any(quoted)
    {
        "has quotes around it: store it without them (`--output text`, or `jq -r`)"
    } else if lower.starts_with("file://") || lower.starts_with("fileb://") {
        "is the address of a file (file://…), not what the file has: store the file's content"
    } else if lower.starts_with("arn:") {
        "is an ARN, not a token: store the token itself"
    } else if text.contains("://") {
        "is an address of where a token is (such as op://… or https://…), which nothing has \
         followed: store the token itself"
    } else if is_path_of_windows(text) || is_path(text) {
        "is the path of a file or of a parameter, not what it has: store the token itself"
    } else if is_access_key(text) {
        "is the ID of an access key of AWS: store the token of a ServiceAccount"
    } else if text.contains('\\') {
        "has a backslash, as an escaped line break (`\\n`) has: store it without its escapes"
    } else if text.contains('%') {
        "has percent signs, as in a URL (`%20`): store it as it is, without that encoding"
    } else if text.starts_with(ENCRYPTED) {
        "is what KMS has encrypted: store the token itself in a SecureString, which SSM encrypts \
         and decrypts"
    } else if is_cut(text) {
        "is a part of a JWT: it is cut off, and has fewer than three parts"
    } else if let Some(why) = encoded(text) {
        why
    } else if text.contains(',') {
        "has commas, as a StringList has: store one token in a SecureString"
    } else if text.contains(char::is_whitespace) {
        "has line breaks or blanks, which no bearer token has: store it in one line"
    } else if !is_of_rfc6750(text) {
        "has characters that no bearer token has; only letters, digits, `-._~+/` and `=` at its \
         end may be in it"
    } else {
        return None;
    })
}

/// Whether the text, in small letters, is the error message of a command.
fn is_printed(text: &str) -> bool {
    PRINTED.iter().any(|word| text.starts_with(word))
        || PRINTED_AT_THE_END.iter().any(|word| text.ends_with(word))
}

/// Whether the text is a placeholder of a shell, a template or a guide: `$TOKEN`, `{{ token }}`.
fn is_placeholder(text: &str) -> bool {
    // What tools show in place of a secret: `***`, `[MASKED]`, `(sensitive value)`.
    let is_word = |byte: u8| byte.is_ascii_alphabetic() || b" _-".contains(&byte);
    let words = |(open, close): &(char, char)| text.strip_prefix(*open)?.strip_suffix(*close);
    let mut masked = [('[', ']'), ('(', ')')].iter().filter_map(words);
    let is_masked = text.bytes().all(|byte| b"*.xX".contains(&byte))
        || text.contains('•')
        || masked.any(|words| words.bytes().all(is_word));
    let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
    let letters = letters.map(|byte| char::from(byte.to_ascii_lowercase()));
    let is_to_be_filled = TO_BE_FILLED.contains(&&*letters.collect::<String>());
    placeholder::is_all(text) || is_masked || is_to_be_filled
}

/// Whether the text is a path such as `/var/run/token`: words between slashes.
fn is_path(text: &str) -> bool {
    let is_word = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || b"-_.".contains(&byte);
        !part.is_empty() && part.bytes().all(inner)
    };
    text.strip_prefix('/')
        .is_some_and(|path| path.split('/').all(is_word))
}

/// Whether the text is a path such as `C:\token.txt`.
fn is_path_of_windows(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes, [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic())
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
fn is_access_key(text: &str) -> bool {
    let is_key = text.starts_with("AKIA") || text.starts_with("ASIA");
    let is_sign = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    is_key && text.len() == 20 && text.bytes().all(is_sign)
}

/// Whether a variable's or a field's name stands before the value.
fn has_name(text: &str) -> bool {
    let rest = text.strip_prefix("export ").unwrap_or(text);
    let Some((name, value)) = rest.split_once(['=', ':']) else {
        return false;
    };
    // Base64 ends with `=`, and a token of Rancher has a colon.
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let is_name = !name.is_empty() && name.bytes().all(is_letter);
    let is_apart = rest.len() < text.len() || value.starts_with(' ');
    let value = value.trim_start_matches([' ', '"', '\'']);
    let is_given = is_apart || value.starts_with(JWT) || value.starts_with(EKS);
    is_name && is_given && !value.is_empty()
}

/// The alphabet of a bearer token; Rancher's have a colon as well.
/// <https://www.rfc-editor.org/rfc/rfc6750#section-2.1>
fn is_of_rfc6750(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/:".contains(&byte);
    !body.is_empty() && body.bytes().all(allowed)
}

/// Recognizes documents that contain a token.
fn document(text: &str) -> Option<&'static str> {
    const EXEC: &str = "is an ExecCredential, the whole answer of `aws eks get-token`: only its \
                        `status.token` is a token, and lasts 15 minutes. Store the token of a \
                        ServiceAccount";
    const SECRET: &str = "is a Secret, not its token: store its `data.token`, decoded from base64";
    const KUBECONFIG: &str = "is a kubeconfig, not a token: store the token of a ServiceAccount";
    const REQUEST: &str = "is a TokenRequest, not its token: store its `status.token`";
    const JSON: &str = "is a JSON document, not a token: store the token in it alone";
    const YAML: &str = "is a YAML document, not a token: store the token in it alone";
    let json = serde_json::from_str::<Value>(text).ok();
    let json = json.filter(|json| json.is_object() || json.is_array());
    // A truncated document is recognized by its words.
    let has = |word: &str| text.contains(word);
    let looks = json.is_some() || text.starts_with(['{', '[']);
    let is_yaml = || text.lines().filter(|line| line.contains(": ")).count() >= 2;
    let yaml = has("apiVersion:") || has("kind:") || is_yaml();
    if !looks && !yaml {
        return None;
    }
    Some(if has("ExecCredential") {
        EXEC
    } else if has("TokenRequest") {
        REQUEST
    } else if has("clusters") && has("users") || has("current-context") || has("Config") && yaml {
        KUBECONFIG
    } else if has("Secret") || has("service-account-token") {
        SECRET
    } else if looks {
        JSON
    } else {
        YAML
    })
}

/// Whether a text that should be something else is a token: a JWT, or one of `aws eks get-token`.
pub fn resembles_a_token(text: &str) -> bool {
    text.starts_with(JWT) && text.split('.').count() >= 3 || text.starts_with(EKS)
}

/// Recognizes base64 of a token or of a document with a token.
fn encoded(text: &str) -> Option<&'static str> {
    let joined = text.split_whitespace().collect::<String>();
    if from_hexadecimal(&joined).is_some_and(|decoded| is_token(&decoded)) {
        return Some("is a token in hexadecimal digits: decode it and store the result");
    }
    let decoded = [STANDARD, URL_SAFE]
        .iter()
        .find_map(|engine| engine.decode(&joined).ok())?;
    let decoded = String::from_utf8(decoded).ok()?;
    let decoded = decoded.trim();
    let bare = decoded.strip_prefix("Bearer ").unwrap_or(decoded);
    if is_token(bare) || decoded.starts_with(EKS) || encoded_token(decoded) {
        return Some(
            "is base64 of a token, as `kubectl get secret --output jsonpath` prints it: decode it \
             (`base64 --decode`) and store the result",
        );
    }
    let document = document(decoded).is_some() || decoded.contains("-----BEGIN");
    document.then_some(
        "is base64 of a document, not a token: store the token of a ServiceAccount alone",
    )
}

fn from_hexadecimal(text: &str) -> Option<String> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let digits = str::from_utf8(pair).ok()?;
        u8::from_str_radix(digits, 16).ok()
    };
    let bytes = pairs.iter().map(byte).collect::<Option<Vec<_>>>()?;
    String::from_utf8(bytes).ok().filter(|_| rest.is_empty())
}

/// Whether the text is a token in base64, encoded twice or more.
fn encoded_token(text: &str) -> bool {
    let decoded = STANDARD.decode(text).ok();
    let decoded = decoded.and_then(|decoded| String::from_utf8(decoded).ok());
    decoded.is_some_and(|decoded| is_token(decoded.trim()))
}

/// Whether the text is a JWT or a bootstrap token.
/// <https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/>
fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bootstrap = text.split_once('.').is_some_and(|(id, secret)| {
        (id.len(), secret.len()) == (6, 16) && id.bytes().chain(secret.bytes()).all(plain)
    });
    let parts = text.split('.').count();
    let jwt = text.starts_with(JWT) && parts >= 3 && text.len() >= SHORTEST_JWT;
    bootstrap || jwt && is_of_rfc6750(text)
}

/// Whether a JWT lacks its last part or more.
fn is_cut(text: &str) -> bool {
    let header = text.split('.').next().unwrap_or_default();
    let header = URL_SAFE.decode(header).ok();
    let header = header.and_then(|header| serde_json::from_slice::<Value>(&header).ok());
    let is_jwt = header.is_some_and(|header| header["alg"].is_string());
    is_jwt && (text.split('.').count() < 3 || text.ends_with('.'))
}

#[cfg(test)]
mod tests;
