//! A whole release: the objects of several manifests, deployed as one.

pub mod account;
mod left_reason;
pub mod model;
pub mod order;
pub mod prune;

pub use left_reason::{JobUnseen, LeftReason};
pub use model::{
    Followed, FollowedWorkload, NoRevision, ObjectChange, ObjectFault, ObjectPlan, ObjectTrouble,
    RecordTrouble, ReleaseCause, ReleaseFailure, ReleaseNote, ReleasePlan, ReleaseSuccess,
    ReleaseWait, Untried, WayBack,
};
