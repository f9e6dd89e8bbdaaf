use super::*;

fn opened(now: Instant) -> Trust {
    let mut trust = Trust::new(now);
    trust.opening();
    trust.opened(now);
    trust
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn silence_is_believed_for_longer_once_something_was_told() {
    let now = Instant::now();
    let mut trust = opened(now);
    assert!(trust.is_believed(now + seconds(9)));
    assert!(!trust.is_believed(now + seconds(10)));
    // A list has found nothing else: the next one may be later.
    trust.confirmed(now + seconds(10));
    assert!(trust.is_believed(now + seconds(29)));
    assert!(!trust.is_believed(now + seconds(30)));
    trust.told(now + seconds(30));
    assert!(trust.is_believed(now + seconds(104)));
    assert!(!trust.is_believed(now + seconds(105)));
}

#[test]
fn what_is_not_watched_is_not_believed_for_long() {
    let now = Instant::now();
    let mut trust = Trust::new(now);
    trust.opening();
    assert!(trust.is_believed(now));
    assert!(!trust.is_believed(now + seconds(1)));
    let mut trust = opened(now);
    trust.told(now + seconds(1));
    // What came before a cut was read; what came after it was not.
    trust.ended(false, now + seconds(20));
    assert!(!trust.is_believed(now + seconds(20)));
    let mut trust = opened(now);
    trust.ended(true, now + seconds(20));
    assert!(trust.is_believed(now + seconds(20)));
}

#[test]
fn a_watch_that_fails_again_is_tried_with_growing_pauses() {
    let now = Instant::now();
    let mut trust = Trust::new(now);
    for (pause, is_given_up) in [(0, false), (5, true), (10, true), (20, true), (40, true)] {
        trust.opening();
        trust.opened(now);
        trust.ended(true, now);
        assert_eq!(trust.is_given_up(), is_given_up, "{pause}");
        // Not more than one a second in any case.
        let pause = pause.max(1);
        assert!(trust.may_open(now + seconds(pause)), "{pause}");
        assert!(!trust.may_open(now + seconds(pause) - Duration::from_millis(1)));
    }
    trust.opening();
    trust.opened(now);
    // What is told at once proves nothing yet: the watches that failed told something, too.
    trust.told(now + LIFE - Duration::from_millis(1));
    assert!(trust.is_given_up());
    trust.told(now + LIFE);
    assert!(!trust.is_given_up());
    trust.refused(true, Duration::ZERO, now);
    assert!(trust.is_given_up());
    assert!(!trust.may_open(now + seconds(299)));
    trust.refused(false, seconds(7), now);
    assert!(trust.may_open(now + seconds(300)));
}

#[test]
fn a_read_that_finds_what_no_watch_has_told_is_a_failure_of_the_watch() {
    let now = Instant::now();
    let mut trust = opened(now);
    trust.corrected(true, now + seconds(10));
    assert!(!trust.is_given_up());
    trust.opening();
    trust.opened(now + seconds(10));
    trust.corrected(true, now + seconds(20));
    assert!(trust.is_given_up());
    assert!(!trust.may_open(now + seconds(24)));
}
