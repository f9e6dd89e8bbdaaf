//! A release: all objects of the manifests that a request names, checked and ready to be applied
//! together.
//!
//! Of each object only its text is kept, as compact JSON, and parsed where it is needed: a release
//! of 2,000 objects as values would need more memory than the function has.

pub mod annotations;
mod before;
mod check;
mod clean;
mod collect;
mod fault;
mod going_back;
mod hidden;
mod identity;
mod images;
mod images_field;
mod model;
mod pods;
mod recalled;
mod sources;

pub use annotations::{FOLLOW, PRUNE, RECREATE, WAVE};
pub use collect::{OBJECTS_LIMIT, TEXT_LIMIT};
pub use model::{Manifest, Place, PrunePolicy, ReleaseRequest, namespace_of};
pub use recalled::Recalled;

#[cfg(test)]
mod tests;
