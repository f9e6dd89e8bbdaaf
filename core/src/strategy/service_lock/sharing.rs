//! The shares of a canary without a route: the Service sends to both versions, and tells the
//! share.

use super::{Lock, Share, named, patch};
use crate::kubernetes::service::{Selector, Service};
use crate::state::marks::{LOCK, SHARES};
use serde_json::{Value, json};

/// Notes beside a failure which shares the candidate has had by a route.
pub fn note(mut patch: Value, shares: &[u8]) -> Value {
    if !shares.is_empty() {
        patch["metadata"]["annotations"][SHARES] = json!(json!(shares).to_string());
    }
    patch
}

/// Gives the candidate a share.
pub fn share(service: &Service, lock: &Lock, wide: &Selector, share: &Share) -> Value {
    let mut shares = match share.step {
        0 => Vec::new(),
        _ => reached(service),
    };
    shares.push(share.percent);
    let lock = Lock {
        share: Some(share.clone()),
        ..lock.clone()
    };
    let notes = [
        (LOCK, lock.text()),
        (SHARES, json!(json!(shares).to_string())),
    ];
    patch(service, named(notes), Some(wide))
}

/// The shares that the candidate of the last canary had, in percent.
pub fn reached(service: &Service) -> Vec<u8> {
    let noted = service.annotation(SHARES);
    let shares = noted.and_then(|text| serde_json::from_str(text).ok());
    shares.unwrap_or_default()
}
