use super::*;
use crate::aws::invocation::{Event, InvocationEnd, Invocations, Next, NotEnded};

fn event(action: u64, due: i64) -> Event {
    Event {
        body: b"{}".to_vec(),
        job: None,
        action,
        life: Duration::from_secs(3),
        due: second(due),
    }
}

fn second(number: i64) -> Timestamp {
    Timestamp::from_second(number).unwrap()
}

fn taken(invocations: &mut Invocations, environment: u64, now: i64) -> Option<String> {
    match invocations.take(environment, second(now)) {
        Next::Invocation(invocation) => Some(invocation.request_id),
        Next::At(_) | Next::Nothing => None,
    }
}

#[test]
fn an_invocation_is_handed_out_once_and_ends_once() {
    let mut all = Invocations::default();
    all.queue(event(1, 5));
    assert!(matches!(all.take(0, second(4)), Next::At(due) if due == second(5)));
    let id = taken(&mut all, 0, 5).unwrap();
    assert_eq!(taken(&mut all, 0, 5), None);
    let end = InvocationEnd::Response(Value::Null);
    assert_eq!(
        all.end("other", end.clone(), second(6)),
        Err(NotEnded::UnknownId)
    );
    assert_eq!(all.end(&id, end.clone(), second(6)), Ok(()));
    assert_eq!(all.end(&id, end, second(6)), Err(NotEnded::AlreadyEnded));
}

#[test]
fn a_life_ends() {
    let mut all = Invocations::default();
    all.queue(event(1, 0));
    let id = taken(&mut all, 4, 10).unwrap();
    all.expire(second(12));
    assert!(all.timed_out(4).is_none());
    all.expire(second(13));
    assert_eq!(all.timed_out(4).unwrap().request_id, id);
    assert!(all.timed_out(0).is_none());
}

#[test]
fn a_dead_process_ends_its_own_and_gets_nothing_more() {
    let mut all = Invocations::default();
    all.queue(event(1, 0));
    all.queue(event(2, 0));
    let first = taken(&mut all, 1, 1).unwrap();
    let second_one = taken(&mut all, 2, 1).unwrap();
    all.crash(1, "killed", second(2));
    let ends: Vec<_> = all
        .list()
        .into_iter()
        .map(|one| (one.request_id, one.end))
        .collect();
    let crashed = InvocationEnd::Crashed("killed".to_owned());
    assert_eq!(ends, [(first.clone(), Some(crashed)), (second_one, None)]);
    all.repeat(1, second(3));
    assert_eq!(taken(&mut all, 1, 4), None);
    assert_eq!(taken(&mut all, 3, 4), Some(first));
}

#[test]
fn dying_at_start_fails_the_first_that_waits() {
    let mut all = Invocations::default();
    all.queue(event(1, 0));
    all.queue(event(2, 1));
    all.crash_at_start(1, "exit status: 1", second(2));
    assert_eq!(all.list().iter().filter(|one| one.end.is_some()).count(), 1);
    assert!(all.of_action(1).all(|one| one.end.is_some()));
    let _ = all.take(2, second(3));
    all.crash_at_start(2, "later", second(4));
    assert_eq!(all.list().iter().filter(|one| one.end.is_some()).count(), 1);
}
