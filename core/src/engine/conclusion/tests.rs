use super::*;
use crate::strategy::CandidateState;
use std::time::Duration;

/// An event of a rollback is one where somebody had the failed version before, and all of it is
/// taken back.
#[test]
fn what_serves_again_is_named_where_a_version_that_had_traffic_was_taken_back() {
    let gone = || CandidateState::Gone;
    let web = || "web".to_owned();
    for (rollback_result, had_share, expected) in [
        (
            RollbackResult::SwitchedBack(web(), gone()),
            false,
            Some("web"),
        ),
        (
            RollbackResult::SwitchedBack(String::new(), gone()),
            false,
            None,
        ),
        (RollbackResult::Unswitched(gone(), web()), true, Some("web")),
        (RollbackResult::Unswitched(gone(), web()), false, None),
        (
            RollbackResult::ShareUnconfirmed(web(), Duration::ZERO),
            true,
            None,
        ),
        (RollbackResult::ServiceGone(Some(10), gone()), true, None),
        (RollbackResult::NoWayBack, true, None),
    ] {
        let found = restored(&rollback_result, had_share);
        let found = found.and_then(|found| found.deployment);
        assert_eq!(found.as_deref(), expected, "{rollback_result:?}");
    }
}
