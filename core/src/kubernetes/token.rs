//! A bearer token, and what it says about itself.

pub mod appearance;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;
use std::fmt;

/// A token's lifetime.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Life {
    /// The token comes from `aws eks get-token` and lasts 15 minutes.
    OfEks,
    /// The token is a JWT that expires at this time.
    Until(Timestamp),
    /// The token is a JWT that does not expire.
    Endless,
    /// The token does not say.
    Unknown,
}

/// Whose a JWT is, in its own words. None of this is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Who has issued it; empty if it does not say.
    pub issuer: String,
    /// Whom it names: `system:serviceaccount:NAMESPACE:NAME`; empty if it does not say.
    pub subject: String,
    /// For whom it is; an API server refuses one that is for others alone.
    pub audiences: Vec<String>,
    /// From when it is valid, if it says so.
    pub begins: Option<Timestamp>,
}

/// A bearer token, which is never printed.
#[derive(Clone, PartialEq)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

impl Token {
    /// Wraps a token.
    pub fn new(text: &str) -> Token {
        Token(text.trim().to_owned())
    }

    /// Whether an HTTP header can contain it.
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-5.5>
    pub fn fits_a_header(&self) -> bool {
        let carried = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        self.0.bytes().all(carried)
    }

    /// Whether it comes from `aws eks get-token`, which lasts 15 minutes.
    pub fn is_of_eks(&self) -> bool {
        self.0.starts_with(appearance::EKS)
    }

    /// Returns the token itself, for redaction.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The claims of a JWT. The signature is not checked.
    pub fn claims(&self) -> Option<Value> {
        let mut parts = self.0.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Value = serde_json::from_slice(&bytes).ok()?;
        claims.is_object().then_some(claims)
    }

    /// The token's lifetime, as it says.
    pub fn life(&self) -> Life {
        match (self.expires(), self.claims()) {
            _ if self.is_of_eks() => Life::OfEks,
            (Some(until), _) => Life::Until(until),
            (None, Some(_)) => Life::Endless,
            (None, None) => Life::Unknown,
        }
    }

    /// Whose it is, if it is a JWT that says so.
    /// <https://www.rfc-editor.org/rfc/rfc7519#section-4.1>
    pub fn identity(&self) -> Option<Identity> {
        let claims = self.claims()?;
        let text = |claim: &str| claims[claim].as_str().unwrap_or_default().to_owned();
        let list = claims["aud"].as_array().into_iter().flatten();
        let audiences = list.chain([&claims["aud"]]).filter_map(Value::as_str);
        let identity = Identity {
            issuer: text("iss"),
            subject: text("sub"),
            audiences: audiences.map(str::to_owned).collect(),
            begins: time_of(&claims["nbf"]),
        };
        (identity != Identity::default()).then_some(identity)
    }

    /// When the token expires, if it is a JWT with an expiry.
    /// <https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4>
    pub fn expires(&self) -> Option<Timestamp> {
        time_of(self.claims()?.get("exp")?)
    }
}

fn time_of(claim: &Value) -> Option<Timestamp> {
    Timestamp::from_second(claim.as_f64()? as i64).ok()
}
