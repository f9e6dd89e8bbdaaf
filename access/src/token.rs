//! The bearer token and what it says about itself; the token is never printed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use landfall_core::kubernetes;
use std::fmt;

/// A bearer token, which cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl Token {
    /// Parses a token; `None` for an empty text, or one that cannot be a bearer token.
    pub(crate) fn new(text: &str) -> Option<Token> {
        let text = text.trim();
        let graphic = text.bytes().all(|byte| byte.is_ascii_graphic());
        (graphic && !text.is_empty()).then(|| Token(text.to_owned()))
    }

    /// Decodes a token from the `data` of a Secret.
    pub(crate) fn decode(text: &str) -> Option<Token> {
        let bytes = STANDARD.decode(text.trim()).ok()?;
        Token::new(&String::from_utf8(bytes).ok()?)
    }

    /// Returns the token itself, for storing it and for calling the cluster.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The subject in the token's own claims: `system:serviceaccount:NAMESPACE:NAME`.
    pub(crate) fn subject(&self) -> Option<String> {
        Some(self.said().claims()?["sub"].as_str()?.to_owned())
    }

    /// The expiry in the token's own claims; `None` without one.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.said().expires()
    }

    /// The token as the function reads it.
    fn said(&self) -> kubernetes::token::Token {
        kubernetes::token::Token::new(&self.0)
    }
}

/// Replaces secrets in a program's message, which may repeat its input.
pub(crate) fn redact(words: &str, secrets: &[&str]) -> String {
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    secrets.fold(words.to_owned(), |words, secret| words.replace(secret, "…"))
}

#[cfg(test)]
pub(crate) fn sample(claims: &str) -> Token {
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
    Token(format!("e30.{claims}.c2ln"))
}

#[cfg(test)]
mod tests;
