//! Rollbacks on demand that wait for another deploy, or follow it.

use crate::problem::Fault;
use crate::state::awaited::WAITING;

/// One more than can be noted waits for the same: its retry could not know that it had, and would
/// go one version too far.
pub(super) fn crowded() -> Fault {
    Fault::new(
        "mode",
        format!(
            "is `rollback`, and {WAITING} other executions wait for the same deploy with theirs, \
             or follow it; no more are noted, and one that is not could go back too far. See \
             which version serves when they are done, and name it by `to`"
        ),
    )
}
