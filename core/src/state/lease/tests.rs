use super::*;

#[test]
fn a_lock_counts_from_a_little_before_its_beginning_to_a_little_after_its_end() {
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let begin = 1_000_000;
    for (until, now, holds_it) in [
        (begin + 900, begin, true),
        (begin + 900, begin - 120, true),
        // No clock is wrong by more than that.
        (begin + 900, begin - 121, false),
        (begin + 900, begin + 900 + 119, true),
        (begin + 900, begin + 900 + 120, false),
        // Whatever the lock says, no deploy lives longer than a day.
        (begin + 9_000_000, begin + 86_400 + 119, true),
        (begin + 9_000_000, begin + 86_400 + 120, false),
        // One that ended before it began never held.
        (begin - 900, begin, false),
    ] {
        let shown = format!("until {until} at {now}");
        assert_eq!(holds(at(begin), at(until), at(now)), holds_it, "{shown}");
    }
    // Times at the end of the calendar do not overflow.
    assert!(!holds(Timestamp::MAX, Timestamp::MAX, at(begin)));
    assert!(!holds(Timestamp::MAX, Timestamp::MAX, Timestamp::MAX));
}
