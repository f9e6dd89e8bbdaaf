use super::*;

const LONG: Duration = Duration::from_secs(900);

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn what_cannot_pass_is_not_tried_again() {
    assert_eq!(next(Failure::Permanent, 1, LONG, 0.5), Next::GiveUp);
}

#[test]
fn pauses_double_up_to_their_limit_and_attempts_end() {
    let failure = Failure::Transient(None);
    let longest = [0.5, 1.0, 2.0, 2.0, 2.0];
    for (attempts, longest) in (1..).zip(longest) {
        for random in [0.0, 0.5, 1.0] {
            let expected = Next::Retry(seconds(longest * random));
            assert_eq!(next(failure, attempts, LONG, random), expected);
        }
    }
    for attempts in [ATTEMPTS, ATTEMPTS + 1, 40, u32::MAX] {
        assert_eq!(next(failure, attempts, LONG, 0.5), Next::GiveUp);
    }
    assert_eq!(longest_pause(u32::MAX), LONGEST_PAUSE);
}

#[test]
fn a_server_that_asks_is_obeyed_within_reason() {
    for (asked, expected) in [(0.0, 0.5), (1.0, 1.0), (30.0, 30.0), (86_400.0, 30.0)] {
        let failure = Failure::Transient(Some(seconds(asked)));
        for attempts in [1, ATTEMPTS, ATTEMPTS_WHEN_ASKED - 1] {
            let pause = next(failure, attempts, LONG, 0.0);
            assert_eq!(pause, Next::Retry(seconds(expected)), "{asked} {attempts}");
        }
        assert_eq!(next(failure, ATTEMPTS_WHEN_ASKED, LONG, 0.0), Next::GiveUp);
    }
}

#[test]
fn nothing_is_begun_that_comes_too_late() {
    let failure = Failure::Transient(Some(seconds(3.0)));
    assert_eq!(next(failure, 1, seconds(3.0), 0.5), Next::OutOfTime);
    assert_eq!(
        next(failure, 1, seconds(3.1), 0.5),
        Next::Retry(seconds(3.0))
    );
    let failure = Failure::Transient(None);
    assert_eq!(next(failure, 1, Duration::ZERO, 0.0), Next::OutOfTime);
    assert_eq!(next(failure, 1, seconds(0.2), 1.0), Next::OutOfTime);
    assert_eq!(next(failure, ATTEMPTS, Duration::ZERO, 0.0), Next::GiveUp);
}

#[test]
fn what_may_pass_by_its_status() {
    for transient in [429, 500, 502, 503, 504, 599] {
        assert!(is_transient(transient), "{transient}");
    }
    for permanent in [200, 301, 400, 401, 403, 404, 409, 412, 422] {
        assert!(!is_transient(permanent), "{permanent}");
    }
}

#[test]
fn retry_after_is_read_in_seconds() {
    for (header, expected) in [
        (Some("1"), Some(1)),
        (Some(" 120 "), Some(120)),
        (Some("0"), Some(0)),
        (Some("-1"), None),
        (Some("1.5"), None),
        (Some("Wed, 21 Oct 2026 07:28:00 GMT"), None),
        (Some(""), None),
        (None, None),
    ] {
        let expected = expected.map(Duration::from_secs);
        assert_eq!(asked(header), expected, "{header:?}");
    }
}
