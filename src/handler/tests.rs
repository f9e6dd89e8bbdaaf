use super::*;
use landfall_core::outcome::FailureType;
use landfall_core::state::continuation::Continuation;

fn run(work: impl Future<Output = Report>, ledger: &Ledger) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let last = Duration::from_millis(20);
    runtime
        .unwrap()
        .block_on(async { guarded(work, ledger, Instant::now() + last).await })
}

#[test]
fn a_deadline_is_a_time_and_cargo_lambdas_is_a_length() {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for (given, expected) in [
        (1_767_225_660_000, at("2026-01-01T00:01:00Z")),
        (600_000, at("2026-01-01T00:10:00Z")),
        (900_000, at("2026-01-01T00:15:00Z")),
        (0, at("2026-01-01T00:00:03Z")),
        // A report is sent even after the deadline.
        (900_001, at("2026-01-01T00:00:03Z")),
        (1_767_225_600_000, at("2026-01-01T00:00:03Z")),
        (1_767_225_600_001, at("2026-01-01T00:00:00.001Z")),
        (u64::MAX, Timestamp::MAX),
    ] {
        assert_eq!(deadline(given, now), expected, "{given}");
    }
}

#[test]
fn a_panic_becomes_a_report_that_quotes_nothing() {
    logging::note_panics();
    let work = async {
        tokio::task::yield_now().await;
        panic!("a secret value");
    };
    let report = run(work, &Ledger::default());
    _ = std::panic::take_hook();
    let Report::Failure {
        failure_type,
        message,
        ..
    } = report
    else {
        panic!("it must be a failure");
    };
    assert_eq!(failure_type, FailureType::JobFailed);
    assert!(message.contains("src/handler/tests.rs:"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn work_that_does_not_end_is_handed_over() {
    let now = Timestamp::now();
    let continuation = Continuation::begin("job", now, Duration::from_secs(60));
    let ledger = Ledger::default();
    *ledger.begun.borrow_mut() = Some((continuation.clone(), "bound".to_owned()));
    let Report::Progress { token, .. } = run(std::future::pending(), &ledger) else {
        panic!("it must go on");
    };
    assert_eq!(Continuation::decode(&token, "bound"), Ok(continuation));
    let Report::Failure { failure_type, .. } = run(std::future::pending(), &Ledger::default())
    else {
        panic!("nothing is known that could go on");
    };
    assert_eq!(failure_type, FailureType::SystemUnavailable);
}
