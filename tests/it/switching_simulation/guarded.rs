//! Switches that are guarded by an alarm, which rings at every point of them.

use super::play::{End, Simulation};
use super::setting::*;
use super::{NEW_IMAGE, STEPS};
use crate::simulated::for_each;
use jiff::{SignedDuration, Timestamp};
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
    let mut fields = serde_json::from_str::<Value>(&simulation.text).unwrap();
    fields["alarms"] = json!(["5xx"]);
    fields["bake"] = json!("1m");
    simulation.text = fields.to_string();
    let parameters = Parameters::Text(simulation.text.clone());
    let request = Request::parse(&parameters, &simulation.job).unwrap();
    let begun = Continuation::begin(&simulation.job, simulation.now, request.timeout);
    simulation.invoke(begun, request);
    simulation
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
        End::Failed(Failure::Ringing(_)) => {
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
                    RollbackResult::Unswitched(_)
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
