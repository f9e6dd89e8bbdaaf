use super::*;
use crate::tests::at;

fn names() -> [String; 2] {
    ["5xx".to_owned(), "latency".to_owned()]
}

fn alarm(name: &str, state: AlarmState, transitioned: u64) -> Alarm {
    Alarm {
        name: name.into(),
        state,
        transitioned: Some(at(transitioned)),
        reason: "Threshold Crossed".into(),
        arn: None,
        window: None,
    }
}

/// Both alarms; CloudWatch answers in an order of its own.
fn both(one: (AlarmState, u64), other: (AlarmState, u64)) -> Result<Vec<Alarm>, AlarmsError> {
    Ok(vec![
        alarm("latency", other.0, other.1),
        alarm("5xx", one.0, one.1),
    ])
}

use AlarmState::{NoData, Ok as Quiet, Ringing};

fn rang(guard: &Guard) -> Option<&str> {
    match guard.judgement.as_ref()? {
        Judgement::Rang(ring) => Some(&ring.name),
        Judgement::Unreadable(..) => panic!("{guard:?}"),
    }
}

/// What the next invocation knows.
fn handed_over(guard: &Guard) -> Guard {
    let text = serde_json::to_string(guard).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn an_alarm_that_rings_is_named_once_and_for_all() {
    let mut guard = Guard::default();
    guard.read(&names(), both((Quiet, 1), (NoData, 1)), at(100));
    assert_eq!((&*guard.letters, rang(&guard)), ("on", None));
    assert_eq!(guard.without_data().count(), 1);
    guard.read(&names(), both((Quiet, 1), (Ringing, 104)), at(110));
    assert_eq!((&*guard.letters, rang(&guard)), ("or", Some("latency")));
    // The first cause stays.
    guard.read(&names(), both((Ringing, 115), (Quiet, 118)), at(120));
    assert_eq!(rang(&guard), Some("latency"));
}

#[test]
fn what_rang_between_two_invocations_counts() {
    let mut guard = Guard::default();
    guard.read(&names(), both((Quiet, 1), (Quiet, 2)), at(100));
    let mut next = handed_over(&guard);
    assert_eq!((next.tried, next.since), (None, Some(at(100))));
    next.read(&names(), both((Quiet, 1), (Quiet, 2)), at(160));
    assert_eq!(rang(&next), None);
    next = handed_over(&next);
    next.read(&names(), both((Quiet, 170), (Quiet, 2)), at(200));
    assert_eq!(rang(&next), Some("5xx"));
    let Some(Judgement::Rang(ring)) = &next.judgement else {
        panic!("it rang")
    };
    assert!(ring.is_over);
    // Seen, and then the process died before it did anything about it.
    let mut next = handed_over(&next);
    assert_eq!(next.judgement, None);
    next.read(&names(), both((Quiet, 170), (Quiet, 2)), at(260));
    assert_eq!(rang(&next), Some("5xx"));
}

#[test]
fn what_rang_before_does_not_count_and_is_known() {
    let mut guard = Guard::default();
    guard.read(&names(), both((Ringing, 50), (Quiet, 1)), at(100));
    assert_eq!(guard.rang_before().unwrap().name, "5xx");
    assert_eq!(rang(&guard), None);
    guard.read(&names(), both((Ringing, 50), (Quiet, 1)), at(110));
    guard.read(&names(), both((Quiet, 115), (Quiet, 1)), at(120));
    assert_eq!(rang(&guard), None);
    guard.read(&names(), both((Ringing, 125), (Quiet, 1)), at(130));
    assert_eq!(rang(&guard), Some("5xx"));
}

#[test]
fn a_deploy_that_had_begun_is_judged_from_its_beginning() {
    for (transitioned, ignores, expected) in [
        (90, true, Some("5xx")),
        (90, false, Some("5xx")),
        // It rang before the deploy, which was made nevertheless.
        (50, true, None),
        // The clocks differ: without leave it would not have begun while the alarm rang.
        (59, false, Some("5xx")),
    ] {
        let mut guard = Guard::default();
        guard.read(&names(), both((Ringing, transitioned), (Quiet, 1)), at(100));
        assert_eq!(rang(&guard), None);
        guard.began(at(60), ignores);
        assert_eq!(rang(&guard), expected, "{transitioned} {ignores}");
    }
    // What came back to `OK` since then was not so before, while nobody looked; where it may have
    // rung before the deploy, that may be all.
    for (transitioned, ignores, expected) in [
        (70, false, Some("5xx")),
        (70, true, None),
        (60, false, None),
        (50, false, None),
    ] {
        let mut guard = Guard::default();
        guard.read(&names(), both((Quiet, transitioned), (Quiet, 1)), at(100));
        assert_eq!(rang(&guard), None);
        guard.began(at(60), ignores);
        assert_eq!(rang(&guard), expected, "{transitioned} {ignores}");
    }
    // One whose beginning is known is not moved.
    let mut guard = Guard::default();
    guard.read(&names(), both((Ringing, 50), (Quiet, 1)), at(100));
    guard.began(at(101), false);
    assert_eq!((rang(&guard), guard.since), (None, Some(at(100))));
}

#[test]
fn alarms_that_cannot_be_read_stop_a_deploy_after_a_while() {
    let lost = || Err(AlarmsError::Unreadable("no answer".into()));
    let deleted = || Ok(vec![alarm("5xx", Quiet, 1)]);
    for broken in [lost, deleted] {
        let mut guard = Guard::default();
        guard.read(&names(), both((Quiet, 1), (Quiet, 1)), at(100));
        for seconds in [110, 120, 200] {
            guard.read(&names(), broken(), at(seconds));
        }
        assert_eq!(guard.judgement, None);
        let mut again = handed_over(&guard);
        again.read(&names(), both((Quiet, 1), (Quiet, 1)), at(210));
        assert_eq!((again.unreadable_since, &again.error), (None, &None));
        again.read(&names(), broken(), at(220));
        assert_eq!(again.judgement, None);
        // What rang meanwhile is not lost.
        again.read(&names(), both((Ringing, 215), (Quiet, 1)), at(240));
        assert_eq!(rang(&again), Some("5xx"));
        let mut next = handed_over(&guard);
        next.read(&names(), broken(), at(230));
        let judged = next.judgement.unwrap();
        assert!(matches!(judged, Judgement::Unreadable(since, _) if since == at(110)));
    }
}

#[test]
fn throttling_alone_stops_nothing() {
    let mut guard = Guard::default();
    guard.read(&names(), both((Quiet, 1), (Quiet, 1)), at(100));
    for seconds in (110..1000).step_by(10) {
        guard.read(&names(), Err(AlarmsError::Throttled), at(seconds));
    }
    assert_eq!(guard.judgement, None);
    assert_eq!(guard.error, Some(AlarmsError::Throttled));
    guard.read(&names(), both((Ringing, 500), (Quiet, 1)), at(1000));
    assert_eq!(rang(&guard), Some("5xx"));
}

#[test]
fn the_end_of_a_watch_waits_for_a_reading_and_not_for_throttling() {
    let lost = || Err(AlarmsError::Unreadable("no answer".into()));
    let quiet = || both((Quiet, 1), (Quiet, 1));
    let throttled = || Err(AlarmsError::Throttled);
    let mut guard = Guard::default();
    assert_eq!(guard.last_reading(at(100)), LastReading::Early);
    for (result, seconds, expected) in [
        (quiet(), 99, LastReading::Early),
        (quiet(), 100, LastReading::Made),
        (lost(), 110, LastReading::Failed),
        (throttled(), 120, LastReading::Made),
        (lost(), 130, LastReading::Failed),
        (quiet(), 140, LastReading::Made),
    ] {
        guard.read(&names(), result, at(seconds));
        assert_eq!(guard.last_reading(at(100)), expected, "{seconds}");
    }
}
