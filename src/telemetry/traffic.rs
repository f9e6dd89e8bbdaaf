//! What this invocation has asked of the cluster: an invocation runs alone in its process.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// A call goes out, be it a retry.
pub fn called() {
    CALLS.fetch_add(1, Relaxed);
}

/// So much of an answer's body has come.
pub fn received(bytes: usize) {
    BYTES.fetch_add(bytes.try_into().unwrap_or(u64::MAX), Relaxed);
}

/// The calls and bytes of this invocation so far.
pub fn so_far() -> (u64, u64) {
    (CALLS.load(Relaxed), BYTES.load(Relaxed))
}

/// The calls and bytes since the last time; from now on the next invocation's are counted.
pub fn take() -> (u64, u64) {
    (CALLS.swap(0, Relaxed), BYTES.swap(0, Relaxed))
}
