use super::*;
use crate::strategy::CandidateState;
use std::time::Duration;

/// An event of a rollback is one where somebody had the failed version before, and all of it is
/// taken back.
#[test]
fn what_serves_again_is_named_where_a_version_that_had_traffic_was_taken_back() {
    let gone = || CandidateState::Gone;
    let web = || "web".to_owned();
    for (rollback_result, expected) in [
        (RollbackResult::SwitchedBack(web(), gone()), Some("web")),
        (RollbackResult::SwitchedBack(String::new(), gone()), None),
        (RollbackResult::Unswitched(gone(), web(), true), Some("web")),
        (RollbackResult::Unswitched(gone(), web(), false), None),
        (
            RollbackResult::ShareUnconfirmed(web(), Duration::ZERO),
            None,
        ),
        (RollbackResult::ServiceGone(Some(10), gone()), None),
        (RollbackResult::NoWayBack, None),
    ] {
        let found = restored(&rollback_result);
        let found = found.and_then(|found| found.deployment);
        assert_eq!(found.as_deref(), expected, "{rollback_result:?}");
    }
}
