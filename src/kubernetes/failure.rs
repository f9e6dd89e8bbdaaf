//! What the errors of reqwest and rustls mean, told by their types.

use jiff::Timestamp;
use landfall_core::kubernetes::contact::{
    CertificateFault, OddAnswer, Unreached, UnreachedCause, Untrusted,
};
use landfall_core::report;
use reqwest::header::LOCATION;
use reqwest::{Response, Url};
use rustls::AlertDescription;
use rustls::pki_types::UnixTime;
use std::error::Error;
use std::io::{self, ErrorKind};

/// Layers of an error that are looked at: reqwest, hyper, I/O and rustls are fewer.
const LAYERS: usize = 16;

/// Names of a certificate that are told.
const NAMES: usize = 5;

/// How much of a name is kept.
const TEXT: usize = 200;

/// Why a request got no answer, in words.
pub(crate) fn told(error: &reqwest::Error, host: &str) -> String {
    let host = host.to_owned();
    if let Some(fault) = certificate(error, true) {
        let why = if fault == CertificateFault::NotPublic {
            "no CA signed it that is trusted here".to_owned()
        } else {
            let host = host.clone();
            report::untrusted(&Untrusted { host, fault })
        };
        return format!("`{host}`: its certificate is not trusted: {why}");
    }
    match odd(error) {
        Some(odd) => format!("`{host}`: its answer cannot be read: {}", report::odd(&odd)),
        // How often it is tried is the SDK's.
        None => report::unreached(&Unreached {
            tries: 0,
            ..Unreached::new(unreached(error, false), host)
        }),
    }
}

/// What came instead of an answer that can be read.
pub(super) fn odd(error: &reqwest::Error) -> Option<OddAnswer> {
    let (mut not_http, mut too_long, mut broken, mut tls) = (false, false, false, false);
    each_layer(error, |layer| {
        if let Some(error) = layer.downcast_ref::<hyper::Error>() {
            not_http |= error.is_parse();
            // hyper tells these apart for servers alone.
            too_long |= error.is_parse() && error.to_string() == "message head is too large";
        }
        if let Some(error) = layer.downcast_ref::<io::Error>() {
            broken |= [ErrorKind::InvalidData, ErrorKind::InvalidInput].contains(&error.kind());
        }
        tls |= layer.is::<rustls::Error>();
    });
    match is_of_body(error) {
        _ if too_long => Some(OddAnswer::TooLong),
        _ if not_http => Some(OddAnswer::NotHttp),
        true if broken && !tls => Some(OddAnswer::BrokenBody),
        _ => None,
    }
}

/// Whether an answer had begun.
fn is_of_body(error: &reqwest::Error) -> bool {
    error.is_body() || error.is_decode()
}

/// Why a request got no answer. Without a certificate of ours there is none that a server could
/// refuse.
pub(super) fn unreached(error: &reqwest::Error, has_certificate: bool) -> UnreachedCause {
    let cause = cause(error);
    match cause == UnreachedCause::CertificateRefused && !has_certificate {
        true => UnreachedCause::HandshakeRefused,
        false => cause,
    }
}

fn cause(error: &reqwest::Error) -> UnreachedCause {
    let mut timed_out = error.is_timeout();
    let (mut refused, mut no_route) = (false, false);
    let (mut name, mut proxy) = (false, false);
    let mut tls = None;
    each_layer(error, |layer| {
        if let Some(error) = layer.downcast_ref::<io::Error>() {
            let kind = error.kind();
            refused |= kind == ErrorKind::ConnectionRefused;
            timed_out |= kind == ErrorKind::TimedOut;
            no_route |= kind == ErrorKind::HostUnreachable || kind == ErrorKind::NetworkUnreachable;
        }
        if let Some(error) = layer.downcast_ref::<rustls::Error>() {
            tls = tls.or(handshake(error));
        }
        // These two have types that cannot be seen from here.
        // https://github.com/hyperium/hyper-util/blob/master/src/client/legacy/connect/http.rs
        // https://github.com/hyperium/hyper-util/blob/master/src/client/legacy/connect/proxy/tunnel.rs
        let text = layer.to_string();
        name |= text.starts_with("dns error");
        proxy |= text.starts_with("tunnel error");
    });
    match error.is_connect() {
        _ if proxy => UnreachedCause::Proxy,
        true if name => UnreachedCause::NameUnknown,
        true if refused => UnreachedCause::ConnectionRefused,
        true if no_route => UnreachedCause::NoRoute,
        true if timed_out => UnreachedCause::Silent,
        true => tls.unwrap_or(UnreachedCause::HandshakeCut),
        // In TLS 1.3 the server looks at the client's certificate when the handshake is over.
        false if tls.is_some_and(is_of_client) => tls.unwrap_or(UnreachedCause::ClientCertificate),
        false if timed_out => UnreachedCause::TooSlow,
        false if is_of_body(error) => UnreachedCause::CutOff,
        false => UnreachedCause::BrokenOff,
    }
}

/// Whether it is the client's certificate that the server wants or refuses.
fn is_of_client(cause: UnreachedCause) -> bool {
    [
        UnreachedCause::ClientCertificate,
        UnreachedCause::CertificateRefused,
    ]
    .contains(&cause)
}

/// How a TLS handshake failed, where it is not for a certificate of the server.
#[allow(clippy::wildcard_enum_match_arm)] // rustls adds to its errors
fn handshake(error: &rustls::Error) -> Option<UnreachedCause> {
    match error {
        rustls::Error::InvalidMessage(_) => Some(UnreachedCause::NotTls),
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            Some(UnreachedCause::ClientCertificate)
        }
        rustls::Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA,
        ) => Some(UnreachedCause::CertificateRefused),
        rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity,
        )
        | rustls::Error::PeerIncompatible(_) => Some(UnreachedCause::OldTls),
        rustls::Error::AlertReceived(_) => Some(UnreachedCause::HandshakeRefused),
        _ => None,
    }
}

/// What is wrong with the server's certificate, if that is what the error is about.
/// `trusts_public`: no CA of the cluster is given.
pub(super) fn certificate(
    error: &(dyn Error + 'static),
    trusts_public: bool,
) -> Option<CertificateFault> {
    let mut fault = None;
    each_layer(error, |layer| {
        if let Some(rustls::Error::InvalidCertificate(why)) = layer.downcast_ref() {
            fault = Some(read(why, trusts_public));
        }
    });
    fault
}

#[allow(clippy::wildcard_enum_match_arm)] // rustls adds to its errors
fn read(why: &rustls::CertificateError, trusts_public: bool) -> CertificateFault {
    use rustls::CertificateError as Why;
    match why {
        Why::UnknownIssuer if trusts_public => CertificateFault::NotPublic,
        Why::UnknownIssuer => CertificateFault::OtherCa,
        Why::BadSignature => CertificateFault::OtherSignature,
        Why::Expired => CertificateFault::Expired(None),
        Why::ExpiredContext { not_after, .. } => CertificateFault::Expired(time(*not_after)),
        Why::NotValidYet => CertificateFault::NotYetValid(None),
        Why::NotValidYetContext { not_before, .. } => {
            CertificateFault::NotYetValid(time(*not_before))
        }
        Why::NotValidForName => CertificateFault::OtherName(Vec::new()),
        Why::NotValidForNameContext { presented, .. } => {
            let names = presented.iter().take(NAMES);
            CertificateFault::OtherName(names.map(|name| clip(plain(name))).collect())
        }
        Why::InvalidPurpose | Why::InvalidPurposeContext { .. } => CertificateFault::NotOfServer,
        Why::BadEncoding => CertificateFault::Damaged,
        Why::UnsupportedSignatureAlgorithmContext { .. }
        | Why::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            CertificateFault::OldSignature
        }
        Why::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            Some(webpki::Error::CaUsedAsEndEntity) => CertificateFault::OfCa,
            Some(
                webpki::Error::EndEntityUsedAsCa
                | webpki::Error::PathLenConstraintViolated
                | webpki::Error::NameConstraintViolation,
            ) => CertificateFault::BrokenChain,
            Some(webpki::Error::UnsupportedCertVersion) => CertificateFault::OldVersion,
            Some(_) | None => CertificateFault::Unusable,
        },
        _ => CertificateFault::Unusable,
    }
}

/// The name in rustls' `DnsName("…")` and `IpAddress(…)`.
fn plain(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(name, |inner| inner.trim_matches('"'))
}

fn time(time: UnixTime) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok()
}

fn clip(text: &str) -> String {
    landfall_core::text::clip(text, TEXT)
}

/// Between reqwest and rustls there are several layers of I/O errors, whose `source` skips what
/// they hold.
fn each_layer<'a>(
    error: &'a (dyn Error + 'static),
    mut see: impl FnMut(&'a (dyn Error + 'static)),
) {
    let mut layer = Some(error);
    for _ in 0..LAYERS {
        let Some(error) = layer else { return };
        see(error);
        let held = error.downcast_ref::<io::Error>();
        layer = match held.and_then(io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
}

/// Where an answer leads, without what the address may tell beside its host.
pub(super) fn redirection(response: &Response) -> OddAnswer {
    let location = response.headers().get(LOCATION);
    let host = location
        .and_then(|location| Url::parse(location.to_str().ok()?).ok())
        .and_then(|url| url.host_str().map(clip));
    OddAnswer::Redirect(response.status().as_u16(), host)
}

#[cfg(test)]
mod tests;
