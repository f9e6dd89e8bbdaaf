//! Private keys of client certificates: PKCS#8, PKCS#1 or SEC1, as PEM or base64 of PEM.
//!
//! The TLS library signs with RSA, with ECDSA on P-256 and P-384, and with Ed25519. What it would
//! refuse without a reason is refused here with one. No part of a key is ever quoted.

use super::der::{INTEGER, OBJECT_ID, OCTETS, SEQUENCE, Values};
use super::pem::{self, PemError};
use std::fmt;

/// The sizes of an RSA key, in bits, that the TLS library signs with.
/// <https://docs.rs/ring/0.17/ring/rsa/struct.KeyPair.html#method.from_pkcs8>
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// rsaEncryption. <https://www.rfc-editor.org/rfc/rfc8017#appendix-C>
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-ecPublicKey. <https://www.rfc-editor.org/rfc/rfc5480#section-2.1.1>
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// id-Ed25519. <https://www.rfc-editor.org/rfc/rfc8410#section-3>
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// P-256 and P-384. <https://www.rfc-editor.org/rfc/rfc5480#section-2.1.1.1>
const CURVES: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
    &[0x2b, 0x81, 0x04, 0x00, 0x22],
];

/// The tags of a SEC1 key's optional fields. <https://www.rfc-editor.org/rfc/rfc5915#section-3>
const SEC1_CURVE: u8 = 0xa0;
/// See [`SEC1_CURVE`].
const SEC1_PUBLIC: u8 = 0xa1;

/// Why a value contains no usable private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The value is neither PEM nor base64 of PEM.
    NoPem,
    /// The value has a certificate in the key's place.
    Certificate,
    /// The value has a public key in the private key's place.
    PublicKey,
    /// The key is encrypted with a password.
    Encrypted,
    /// The key has OpenSSH's own format.
    OpenSsh,
    /// The PEM has no key at all.
    NoKey,
    /// The value has more than one key.
    Several,
    /// A section has no end marker.
    CutOff,
    /// An end marker has no matching begin marker.
    Unpaired,
    /// The key contains characters that are not base64, or is incomplete.
    NoBase64,
    /// The content is not a key.
    NotAKey,
    /// The RSA key has a size that the TLS library does not sign with.
    RsaSize,
    /// The key is for a curve that the TLS library does not have.
    Curve,
    /// The EC key lacks its public half.
    NoPublicHalf,
    /// The key is for another algorithm.
    Algorithm,
}

impl fmt::Display for KeyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            KeyError::NoPem => "it is neither a private key in PEM nor base64 of one",
            KeyError::Certificate => "it is a certificate, not a private key",
            KeyError::PublicKey => "it is a public key, not a private one",
            KeyError::Encrypted => {
                "it is encrypted with a password; `openssl pkey` writes it without one"
            }
            KeyError::OpenSsh => "it is a key of OpenSSH, not of a client certificate",
            KeyError::NoKey => "its PEM has no private key",
            KeyError::Several => "it has more than one private key",
            KeyError::CutOff => "it is cut off: a section of its PEM begins and does not end",
            KeyError::Unpaired => "its PEM is damaged: its BEGIN and END lines do not match",
            KeyError::NoBase64 => {
                "its PEM is damaged: it is not base64, or a part of it is missing"
            }
            KeyError::NotAKey => "its PEM has something else than a private key, or a part of one",
            KeyError::RsaSize => "it is an RSA key of less than 2,048 or more than 4,096 bits",
            KeyError::Curve => "it is an EC key of another curve than P-256 and P-384",
            KeyError::NoPublicHalf => {
                "it is an EC key without its public half; `openssl pkey` adds it"
            }
            KeyError::Algorithm => "it is neither an RSA nor an ECDSA nor an Ed25519 key",
        })
    }
}

impl From<PemError> for KeyError {
    fn from(error: PemError) -> KeyError {
        match error {
            PemError::NoPem => KeyError::NoPem,
            PemError::CutOff => KeyError::CutOff,
            PemError::Unpaired => KeyError::Unpaired,
        }
    }
}

/// A private key, which is never printed.
#[derive(Clone, PartialEq)]
pub struct PrivateKey {
    /// The key as normal PEM: PKCS#8, PKCS#1 or SEC1.
    pub pem: String,
    /// What a certificate of this key contains as well: the modulus or the point. An Ed25519 key
    /// does not have it.
    public: Option<Vec<u8>>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey")
    }
}

impl PrivateKey {
    /// Whether a certificate, in DER, can be of this key.
    pub fn fits(&self, certificate: &[u8]) -> bool {
        let Some(public) = &self.public else {
            return true;
        };
        certificate
            .windows(public.len())
            .any(|window| window == public)
    }
}

/// Reads the private key in a value that is PEM or base64 of PEM.
pub fn read(value: &str) -> Result<PrivateKey, KeyError> {
    let (mut keys, mut other) = (Vec::new(), KeyError::NoKey);
    pem::sections::<KeyError>(value, |label, body| {
        match label {
            "PRIVATEKEY" | "RSAPRIVATEKEY" | "ECPRIVATEKEY" => keys.push(key(body)?),
            "ENCRYPTEDPRIVATEKEY" => return Err(KeyError::Encrypted),
            "OPENSSHPRIVATEKEY" => other = KeyError::OpenSsh,
            "CERTIFICATE" => other = KeyError::Certificate,
            "PUBLICKEY" | "RSAPUBLICKEY" => other = KeyError::PublicKey,
            _ if label.ends_with("PRIVATEKEY") => return Err(KeyError::Algorithm),
            // `openssl ecparam` writes the curve into a section of its own.
            _ => {}
        }
        Ok(())
    })?;
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => Err(KeyError::Several),
        (None, _) => Err(other),
    }
}

fn key(body: &str) -> Result<PrivateKey, KeyError> {
    // <https://www.rfc-editor.org/rfc/rfc1421#section-4.6.1>
    if body.contains("ENCRYPTED") && body.contains(':') {
        return Err(KeyError::Encrypted);
    }
    let der = pem::decoded(body).ok_or(KeyError::NoBase64)?;
    // The content decides, not the label.
    let (label, public) = content(&der)?;
    Ok(PrivateKey {
        pem: pem::written(label, &der),
        public,
    })
}

/// The label of a key and its public part.
fn content(der: &[u8]) -> Result<(&'static str, Option<Vec<u8>>), KeyError> {
    let fields = || Values::of(der).ok_or(KeyError::NotAKey);
    let mut start = fields()?;
    start.take(INTEGER).ok_or(KeyError::NotAKey)?;
    match start.next().ok_or(KeyError::NotAKey)?.0 {
        INTEGER => Ok(("RSA PRIVATE KEY", Some(rsa(fields()?)?))),
        OCTETS => Ok(("EC PRIVATE KEY", Some(sec1(fields()?)?))),
        SEQUENCE => Ok(("PRIVATE KEY", pkcs8(fields()?)?)),
        _ => Err(KeyError::NotAKey),
    }
}

/// The modulus of a PKCS#1 key. <https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.2>
fn rsa(mut fields: Values<'_>) -> Result<Vec<u8>, KeyError> {
    // Version, modulus, exponents, primes, their exponents, coefficient.
    let numbers = (0..9).map_while(|_| fields.take(INTEGER));
    let numbers = numbers.collect::<Vec<_>>();
    let [_, modulus, _, _, _, _, _, _, _] = &numbers[..] else {
        return Err(KeyError::NotAKey);
    };
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let modulus = &modulus[zeros..];
    let first = modulus.first().ok_or(KeyError::NotAKey)?;
    let bits = modulus.len() * 8 - first.leading_zeros() as usize;
    match RSA_BITS.contains(&bits) {
        true => Ok(modulus.to_vec()),
        false => Err(KeyError::RsaSize),
    }
}

/// The point of a SEC1 key. <https://www.rfc-editor.org/rfc/rfc5915#section-3>
fn sec1(mut fields: Values<'_>) -> Result<Vec<u8>, KeyError> {
    fields.take(INTEGER).ok_or(KeyError::NotAKey)?;
    fields.take(OCTETS).ok_or(KeyError::NotAKey)?;
    let mut point = None;
    while let Some((tag, content)) = fields.next() {
        match tag {
            SEC1_CURVE => is_known(Values(content).take(OBJECT_ID))?,
            // A string of bits; its first byte says how many are unused.
            SEC1_PUBLIC => point = Values(content).next().and_then(|bits| bits.1.get(1..)),
            _ => {}
        }
    }
    point
        .filter(|point| !point.is_empty())
        .map(<[u8]>::to_vec)
        .ok_or(KeyError::NoPublicHalf)
}

fn is_known(curve: Option<&[u8]>) -> Result<(), KeyError> {
    match curve.is_some_and(|curve| CURVES.contains(&curve)) {
        true => Ok(()),
        false => Err(KeyError::Curve),
    }
}

/// The public part of the key within PKCS#8. <https://www.rfc-editor.org/rfc/rfc5958#section-2>
fn pkcs8(mut fields: Values<'_>) -> Result<Option<Vec<u8>>, KeyError> {
    fields.take(INTEGER).ok_or(KeyError::NotAKey)?;
    let algorithm = fields.take(SEQUENCE).ok_or(KeyError::NotAKey)?;
    let mut algorithm = Values(algorithm);
    let name = algorithm.take(OBJECT_ID).ok_or(KeyError::NotAKey)?;
    let key = fields.take(OCTETS).ok_or(KeyError::NotAKey)?;
    let inner = || Values::of(key).ok_or(KeyError::NotAKey);
    match name {
        RSA => rsa(inner()?).map(Some),
        EC => {
            is_known(algorithm.take(OBJECT_ID))?;
            sec1(inner()?).map(Some)
        }
        ED25519 => Ok(None),
        _ => Err(KeyError::Algorithm),
    }
}

#[cfg(test)]
mod tests;
