//! What the cluster remembers of a release: its parent, which lists what it has and who is at work
//! on it, and a record of each revision.
//!
//! Both are Secrets, because the record has the manifests as they were applied, those of Secrets
//! too. The parent is that of an ApplySet, so `kubectl` understands whose an object is.
//! <https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#alternative-kubectl-apply-f-directory-prune>

pub mod heading;
pub mod history;
pub mod lock;
mod packing;
pub mod parent;
pub mod record;
pub mod recorded;

pub use heading::{Heading, Status};
pub use lock::Lock;
pub use parent::{Parent, ParentFault};
pub use record::{Record, RecordFault};
pub use recorded::{Before, Kept, RecordedObject};
