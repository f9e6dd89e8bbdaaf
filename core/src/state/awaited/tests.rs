use super::*;
use crate::state::lease::LONGEST_DEPLOY;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Two that have no room would push each other out at each look.
#[test]
fn who_has_no_room_is_not_noted() {
    let mut noted = None;
    for number in 0..WAITING {
        noted = Awaited::with(noted, &format!("run-{number}"), "job-1", NOW);
        assert!(noted.is_some(), "{number}");
    }
    assert_eq!(Awaited::with(noted.clone(), "run-8", "job-1", NOW), None);
    // Who waited for the deploy waits for the rollback of it as well.
    let noted = Awaited::with(noted, "run-7", "job-2", NOW).unwrap();
    assert_eq!(noted.executions.len(), WAITING);
    let with = |later| Awaited::with(Some(noted.clone()), "run-8", "job-2", NOW + later);
    assert_eq!(with(LONGEST_DEPLOY / 2), None);
    assert_eq!(with(LONGEST_DEPLOY * 2).unwrap().executions, ["run-8"]);
    let before_times = Awaited {
        at: None,
        ..noted.clone()
    };
    let with = Awaited::with(
        Some(before_times),
        "run-8",
        "job-2",
        NOW + LONGEST_DEPLOY * 2,
    );
    assert_eq!(with, None);
    assert!(noted.has("run-0", "job-2") && !noted.has("run-0", "job-1"));
}

/// A note of another job is about what is over.
#[test]
fn who_waits_for_a_dead_deploy_waits_for_the_one_that_takes_its_place() {
    let noted = Awaited::with(None, "run-9", "job-1", NOW).unwrap();
    let passed_on = noted.clone().passed_on("job-1", "job-2").unwrap();
    assert!(passed_on.has("run-9", "job-2") && !passed_on.has("run-9", "job-1"));
    assert_eq!(noted.passed_on("job-0", "job-2"), None);
}
