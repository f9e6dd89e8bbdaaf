//! What the errors of reqwest and rustls mean, told by their types.

use jiff::Timestamp;
use landfall_core::kubernetes::contact::{CertificateFault, UnreachedCause};
use reqwest::header::LOCATION;
use reqwest::{Response, Url};
use rustls::pki_types::UnixTime;
use std::error::Error;
use std::io::{self, ErrorKind};

/// Layers of an error that are looked at: reqwest, hyper, I/O and rustls are fewer.
const LAYERS: usize = 16;

/// Names of a certificate that are told.
const NAMES: usize = 5;

/// How much of a name or of the network's words is kept.
const TEXT: usize = 200;

/// Why a request got no answer, and the network's own words for it.
pub(crate) fn unreached(error: &(dyn Error + 'static)) -> (UnreachedCause, String) {
    let mut is_connect = false;
    let mut timed_out = false;
    let (mut refused, mut no_route) = (false, false);
    let (mut name, mut proxy) = (false, false);
    let mut tls = None;
    let mut last = String::new();
    each_layer(error, |layer| {
        if let Some(error) = layer.downcast_ref::<reqwest::Error>() {
            is_connect |= error.is_connect();
            timed_out |= error.is_timeout();
        }
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
        last = text;
    });
    let cause = match is_connect {
        _ if proxy => UnreachedCause::Proxy,
        true if name => UnreachedCause::NameUnknown,
        true if refused => UnreachedCause::ConnectionRefused,
        true if no_route => UnreachedCause::NoRoute,
        true if timed_out => UnreachedCause::Silent,
        true => tls.unwrap_or(UnreachedCause::BrokenOff),
        false if timed_out => UnreachedCause::TooSlow,
        false => UnreachedCause::BrokenOff,
    };
    (cause, clip(&last))
}

/// How a TLS handshake failed, where it is not for a certificate.
#[allow(clippy::wildcard_enum_match_arm)] // rustls adds to its errors
fn handshake(error: &rustls::Error) -> Option<UnreachedCause> {
    match error {
        rustls::Error::InvalidMessage(_) => Some(UnreachedCause::NotTls),
        rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_) => {
            Some(UnreachedCause::HandshakeRefused)
        }
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
        // A CA of the same name with another key is another CA.
        Why::UnknownIssuer | Why::BadSignature if trusts_public => CertificateFault::NotPublic,
        Why::UnknownIssuer | Why::BadSignature => CertificateFault::OtherCa,
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
        _ => CertificateFault::Unusable,
    }
}

/// The name in rustls' `DnsName("…")`.
fn plain(name: &str) -> &str {
    let inner = name
        .split_once('"')
        .and_then(|(_, rest)| rest.split_once('"'));
    inner.map_or(name, |(inner, _)| inner)
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

/// That an answer leads elsewhere, without what the address may tell.
pub(super) fn redirection(response: &Response) -> String {
    let location = response.headers().get(LOCATION);
    let host = location
        .and_then(|location| Url::parse(location.to_str().ok()?).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    let code = response.status().as_u16();
    match host {
        Some(host) => format!("HTTP {code} leads to `{host}`, and no redirect is followed"),
        None => format!("HTTP {code} leads elsewhere, and no redirect is followed"),
    }
}

#[cfg(test)]
mod tests;
