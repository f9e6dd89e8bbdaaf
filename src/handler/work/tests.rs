use super::*;
use landfall_core::outcome::FailureType;
use std::time::Duration;

#[test]
fn a_silent_ssm_is_waited_for_but_not_for_ever() {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut continuation = Continuation::begin("job", start, Duration::from_secs(900));
    let mut after = |seconds| {
        let (now, over) = (start + Duration::from_secs(seconds), report::no_time());
        put_off(true, &mut continuation, "bound", "S3", now, over)
    };
    assert!(matches!(after(1), Report::Progress { .. }));
    assert!(matches!(after(100), Report::Progress { .. }));
    let last = after(200);
    assert!(matches!(
        last,
        Report::Failure {
            failure_type: FailureType::SystemUnavailable,
            ..
        }
    ));
}
