//! The annotations by which a manifest says how its object is applied.

/// When the object is applied: an integer, lower ones first; 0 without it.
pub const WAVE: &str = "landfall/wave";

/// `never`: the object stays when the release no longer has it; `always`: it goes, whatever its
/// kind.
pub const PRUNE: &str = "landfall/prune";

/// `no`: the release does not wait for the object's health.
pub const FOLLOW: &str = "landfall/follow";

/// `yes`: the object is deleted and created anew if an immutable field changed.
pub const RECREATE: &str = "landfall/recreate";
