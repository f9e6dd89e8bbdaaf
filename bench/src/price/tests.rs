use super::*;

#[test]
fn an_invocation_is_billed_by_the_millisecond_that_was_begun() {
    for (megabytes, milliseconds, gigabyte_seconds) in [
        (1536, 120.0, 0.18),
        (256, 4.2, 0.25 * 0.005),
        (256, 5.0, 0.25 * 0.005),
        (128, 60_000.0, 7.5),
    ] {
        let found = invocation(megabytes, milliseconds);
        let expected = 0.000_000_2 + gigabyte_seconds * 0.000_013_333_4;
        assert!(
            (found - expected).abs() < 1e-15,
            "{megabytes} MB, {milliseconds} ms: {found}"
        );
    }
}

#[test]
fn a_build_is_billed_by_the_minute_that_was_begun() {
    for (seconds, minutes) in [
        (0.0, 1.0),
        (32.0, 1.0),
        (32.1, 2.0),
        (60.0, 2.0),
        (130.0, 3.0),
    ] {
        assert_eq!(build(seconds), minutes * 0.005, "{seconds}");
    }
}
