//! Who manages which field of an object, and server-side apply, as
//! <https://github.com/kubernetes-sigs/structured-merge-diff> defines it.
//!
//! `types` is the table of types, `step` a step of a path, `set` a set of paths. `walk` validates
//! objects, `merge` merges them, `compare` finds what changed, `remove` takes fields out,
//! `managers` decides; `tidy` cleans what is decoded.

pub(crate) mod compare;
pub(crate) mod custom;
pub(crate) mod managers;
pub(crate) mod merge;
pub(crate) mod prune;
pub(crate) mod remove;
pub(crate) mod set;
pub(crate) mod step;
pub(crate) mod tidy;
pub(crate) mod types;
pub(crate) mod walk;
