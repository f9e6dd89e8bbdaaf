//! Switches that are guarded by an alarm, which rings at every point of them.

use super::disturbance::Disturbance;
use super::play::{End, Simulation};
use super::setting::*;
use super::{NEW_IMAGE, STEPS};
use crate::simulated::for_each;
use jiff::{SignedDuration, Timestamp};
use landfall_core::alarm::AlarmsError;
use landfall_core::engine::Next;
use landfall_core::report::cause::recorded;
use landfall_core::request::{Parameters, Request};
use landfall_core::state::continuation::Continuation;
use landfall_core::strategy::{Failure, RollbackResult};
use serde_json::{Value, json};

/// What rings is acted upon within this time.
const ACTED: SignedDuration = SignedDuration::from_secs(20);

/// The settings in which nothing else is wrong.
fn healthy() -> impl Iterator<Item = Setting> {
    let all = settings().into_iter();
    all.filter(|setting| setting.health == Well && setting.locked == Locked::No)
}

/// A guarded deploy that has not begun yet.
fn guarded(setting: Setting) -> Simulation {
    let mut simulation = Simulation::new(setting);
    guard(&mut simulation);
    simulation
}

/// The same deploy, guarded by an alarm.
fn guard(simulation: &mut Simulation) {
    let mut fields = serde_json::from_str::<Value>(&simulation.text).unwrap();
    fields["alarms"] = json!(["5xx"]);
    fields["bake"] = json!("1m");
    simulation.text = fields.to_string();
    let parameters = Parameters::Text(simulation.text.clone());
    let request = Request::parse(&parameters, &simulation.job).unwrap();
    let begun = Continuation::begin(&simulation.job, simulation.now, request.timeout);
    simulation.invoke(begun, request);
}

/// Runs to the end, and tells when the first write after `rang` was made.
fn run(simulation: &mut Simulation, rang: Timestamp) -> (End, Option<Timestamp>) {
    let mut acted = None;
    for _ in 0..STEPS {
        let now = simulation.now;
        let writes = matches!(simulation.peek(), Next::Ask(ask) if ask.call.changes());
        let is_back = simulation.engine.continuation.guard.judgement.is_some();
        if writes && is_back && now >= rang {
            acted = acted.or(Some(now));
        }
        if let Some(end) = simulation.step() {
            return (end, acted);
        }
    }
    panic!("it does not end");
}

fn judge(
    simulation: &mut Simulation,
    end: End,
    acted: Option<Timestamp>,
    rang: Timestamp,
    at: u32,
) -> bool {
    let before = simulation.before.clone();
    simulation.pass(SignedDuration::from_secs(5));
    let serving = Vec::from_iter(simulation.serving().1);
    match end {
        End::Failed(Failure::Ringing(..)) => {
            assert_eq!(at, 0, "something was written");
            assert_eq!(serving, [before]);
            false
        }
        End::Finished(_) => {
            // The old version was being retired, or the last reading was before.
            assert_eq!(serving, [NEW_IMAGE.to_owned()], "at {at}");
            true
        }
        End::Failed(Failure::Rollout {
            failure,
            rollback_result,
        }) => {
            let cause = recorded((*failure).clone()).cause;
            assert!(cause.contains("CloudWatch alarm `5xx`"), "at {at}: {cause}");
            assert!(
                matches!(
                    rollback_result,
                    RollbackResult::Unswitched(..)
                        | RollbackResult::SwitchedBack(..)
                        | RollbackResult::NothingWritten
                ),
                "at {at}: {rollback_result:?}"
            );
            assert_eq!(serving, [before], "at {at}");
            if let Some(acted) = acted {
                let acted = acted.duration_since(rang);
                assert!(acted <= ACTED, "at {at}: after {acted:?}");
            }
            simulation.check_clean();
            false
        }
        end => panic!("at {at}: {end:?}"),
    }
}

#[test]
fn an_alarm_that_rings_at_any_point_of_a_switch_ends_it() {
    for_each(healthy(), |setting| {
        let fresh = guarded(setting);
        let mut whole = fresh.clone();
        let (end, _) = run(&mut whole, Timestamp::MAX);
        assert!(matches!(end, End::Finished(_)), "{setting:?}: {end:?}");
        let baked = whole.points;
        let mut simulation = fresh;
        let (mut kept, mut back) = (0, 0);
        for at in 0..baked {
            while simulation.points < at {
                assert!(simulation.step().is_none());
            }
            let mut rings = simulation.clone();
            let rang = rings.now;
            rings.bell.rang = Some(rang);
            let (end, acted) = run(&mut rings, rang);
            match judge(&mut rings, end, acted, rang, at) {
                // Who goes back on demand is not refused for what rings already.
                true if at == 0 => assert_eq!(setting.start, Start::Back),
                true => kept += 1,
                false => {
                    // Only while the previous version is retired, which is last, is there no way
                    // back.
                    assert_eq!(kept, 0, "{setting:?}: at {at}");
                    back += 1;
                }
            }
        }
        assert!(back > kept, "{setting:?}: {back} back, {kept} kept");
    });
}

/// What a dead deploy left may be why it rings: a retry of its execution takes it back at whatever
/// point it died, and what rang and stopped before the retry counts, too.
#[test]
fn an_alarm_that_rings_after_a_dead_switch_is_no_reason_to_leave_what_that_left() {
    for_each(healthy(), |setting| {
        let fresh = guarded(setting);
        let mut whole = fresh.clone();
        run(&mut whole, Timestamp::MAX);
        let mut simulation = fresh;
        for at in 0..whole.points {
            while simulation.points < at {
                assert!(simulation.step().is_none());
            }
            for is_over in [false, true] {
                let mut retried = simulation.clone();
                let notes = retried.service()["metadata"]["annotations"].clone();
                let is_retiring = notes["landfall/retiring"].is_string();
                let is_locked = notes["landfall/lock"].is_string();
                let was_done = !is_locked && notes["landfall/job"] == "1";
                let rang = retried.now + SignedDuration::from_secs(1);
                retried.bell.rang = Some(rang);
                retried.bell.silent = is_over.then_some(rang + SignedDuration::from_secs(10));
                retried.pass(SignedDuration::from_secs(30));
                retried.happened.push(Disturbance::DiesBefore);
                retried.begin("2", "run-1", NEW_IMAGE);
                guard(&mut retried);
                let (end, _) = run(&mut retried, rang);
                let told = format!("{setting:?}: at {at}, {is_over}: {end:?}");
                match end {
                    End::Finished(_) => {
                        // Whoever goes back on demand may begin while it rings, so that it may
                        // have rung before.
                        let is_back = setting.start == Start::Back;
                        let may_begin = !is_locked && (is_over || is_back);
                        let may_end = may_begin || is_over && is_back;
                        assert!(is_retiring || was_done || may_end, "{told}");
                    }
                    end => {
                        assert!(is_locked || !is_over, "{told}");
                        judge(
                            &mut retried,
                            end,
                            None,
                            rang,
                            if is_locked { at } else { 0 },
                        );
                    }
                }
            }
        }
    });
}

/// Nobody knows what the version does with what it has of the traffic: it gets no more, and goes.
#[test]
fn alarms_that_cannot_be_read_take_a_switch_back() {
    for_each(healthy(), |setting| {
        let fresh = guarded(setting);
        let mut whole = fresh.clone();
        run(&mut whole, Timestamp::MAX);
        let mut simulation = fresh;
        for at in (0..whole.points).step_by(3) {
            while simulation.points < at {
                assert!(simulation.step().is_none());
            }
            let mut lost = simulation.clone();
            let notes = lost.service()["metadata"]["annotations"].clone();
            let had_switched = notes["landfall/job"] == "1";
            let before = lost.before.clone();
            lost.bell.fails = Some(AlarmsError::Unreadable("no answer".into()));
            let (end, _) = run(&mut lost, Timestamp::MAX);
            let ended = lost.now;
            lost.pass(SignedDuration::from_secs(5));
            let serving = Vec::from_iter(lost.serving().1);
            match end {
                // Its last reading was before.
                End::Finished(_) => {
                    let read = lost.bell.read.expect("a reading before the first write");
                    // The AWS controller is waited for after that, twice for up to two minutes.
                    let waits = match setting.route {
                        Some(Route::Ingress) => SignedDuration::from_mins(4),
                        Some(Route::HttpRoute) | None => SignedDuration::ZERO,
                    };
                    let is_fresh = ended.duration_since(read) <= ACTED + waits;
                    assert!(had_switched || is_fresh, "{setting:?}: at {at}");
                }
                End::Failed(Failure::AlarmsUnreadable(_) | Failure::Rollout { .. }) => {
                    assert_eq!(serving, [before], "{setting:?}: at {at}");
                }
                end => panic!("{setting:?}: at {at}: {end:?}"),
            }
        }
    });
}
