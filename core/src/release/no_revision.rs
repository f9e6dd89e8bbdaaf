//! Why a rollback on demand of a release is refused.

use crate::kubernetes::object_id::ObjectId;
use crate::state::release::Status;

/// Why a revision cannot be brought back.
#[derive(Clone, Debug, PartialEq)]
pub enum NoRevision {
    /// The cluster knows no such release.
    NoRelease,
    /// As many rollbacks as are noted wait for the same deploy.
    Crowded,
    /// Nothing served before this revision, which is there; `None` if there is none.
    NoneBefore(Option<u64>),
    /// The revision that is named is none that was deployed as a whole.
    NotOne {
        /// Which.
        to: u64,
        /// How far it came; `None` if it has no record.
        status: Option<Status>,
        /// Those that were deployed as a whole, the newest first.
        good: Vec<u64>,
    },
    /// Its record was deleted.
    Deleted(u64),
    /// Its record is damaged.
    Damaged(u64),
    /// Its record had no room for these objects.
    Incomplete(u64, Vec<ObjectId>),
    /// It had only Jobs, which are not run again.
    OnlyJobs(u64),
}
