use super::*;
use landfall_core::outcome::FailureType;
use std::time::Duration;

#[test]
fn a_silent_ssm_is_waited_for_but_not_for_ever() {
    let over = report::no_time;
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut continuation = Continuation::begin("job", start, Duration::from_secs(900));
    let later = |seconds| start + Duration::from_secs(seconds);
    let first = silent(&mut continuation, "bound", "S3", later(1), over);
    assert!(matches!(first, Report::Progress { .. }));
    let second = silent(&mut continuation, "bound", "S3", later(100), over);
    assert!(matches!(second, Report::Progress { .. }));
    let last = silent(&mut continuation, "bound", "S3", later(200), over);
    assert!(matches!(
        last,
        Report::Failure {
            failure_type: FailureType::SystemUnavailable,
            ..
        }
    ));
}
