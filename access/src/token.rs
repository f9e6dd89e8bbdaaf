//! The bearer token: what it says of itself, and never itself.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use std::fmt;

/// A bearer token. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl Token {
    /// None where there is nothing, or what no bearer token is.
    pub(crate) fn new(text: &str) -> Option<Token> {
        let text = text.trim();
        let graphic = text.bytes().all(|byte| byte.is_ascii_graphic());
        (graphic && !text.is_empty()).then(|| Token(text.to_owned()))
    }

    /// From the `data` of a Secret.
    pub(crate) fn decode(text: &str) -> Option<Token> {
        let bytes = STANDARD.decode(text.trim()).ok()?;
        Token::new(&String::from_utf8(bytes).ok()?)
    }

    /// The token itself, for the two who must have it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whose it is, `system:serviceaccount:NAMESPACE:NAME`, by its own word.
    pub(crate) fn subject(&self) -> Option<String> {
        Some(self.claims()?.get("sub")?.as_str()?.to_owned())
    }

    /// When it ends, by its own word. None where it does not.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.claims()?.get("exp")?.as_i64()?).ok()
    }

    /// <https://www.rfc-editor.org/rfc/rfc7519#section-4.1>
    fn claims(&self) -> Option<serde_json::Value> {
        let mut parts = self.0.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = URL_SAFE_NO_PAD.decode(payload).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// Replaces a secret in words of others, which may repeat what they were given.
pub(crate) fn redact(words: &str, secrets: &[&str]) -> String {
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    secrets.fold(words.to_owned(), |words, secret| words.replace(secret, "…"))
}

#[cfg(test)]
pub(crate) fn sample(claims: &str) -> Token {
    Token(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
}

#[cfg(test)]
mod tests;
