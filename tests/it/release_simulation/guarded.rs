//! Releases that are guarded by an alarm, which rings at every point of them.

use super::judge::{judge, judge_back, judge_unbegun};
use super::play::{Disturbance, Play};
use super::setting::{Fate, Start};
use jiff::SignedDuration;
use landfall_core::alarm::AlarmsRefusal;
use landfall_core::engine::release::ReleaseOutcome;
use landfall_core::release::ReleaseFailure;
use std::time::Duration;

/// Calls to the cluster in a bake of ten minutes in which nothing happens.
const CALLS: u32 = 60;

fn baked(seconds: u64) -> Play {
    Play::new(Start::Upgrade, Fate::Well).guarded(Duration::from_secs(seconds))
}

fn fresh() -> Play {
    baked(60)
}

/// How many calls a release takes that is guarded and watched.
fn points() -> u32 {
    let mut play = fresh();
    let began = play.now;
    let end = play.run();
    judge(&mut play, &end);
    let took = play.now.duration_since(began);
    assert!(took >= SignedDuration::from_secs(60), "{took:?}");
    play.points
}

/// Whether it was refused before anything was written.
fn is_refused(end: &ReleaseOutcome) -> bool {
    let ReleaseOutcome::Failed(failure) = end else {
        return false;
    };
    matches!(**failure, ReleaseFailure::Alarms(AlarmsRefusal::Ringing(_)))
}

#[test]
fn an_alarm_that_rings_at_any_point_takes_the_release_back() {
    let all = points();
    let mut kept = 0;
    let mut here = fresh();
    for at in 0..=all {
        here.dies_at(at);
        let mut play = here.clone();
        let rang = play.now;
        play.bell.rang = Some(rang);
        match play.run() {
            end if is_refused(&end) => judge_unbegun(&play),
            // It rang after the last reading, which is after the end of the bake.
            end @ ReleaseOutcome::Finished(_) => {
                assert!(play.bell.read <= Some(rang), "at {at} of {all}");
                judge(&mut play, &end);
                kept += 1;
            }
            end => judge_back(&play, &end),
        }
    }
    // From there on it only prunes, closes its record and gives the lock back.
    assert!((1..=12).contains(&kept), "{kept} of {all}");
}

#[test]
fn an_alarm_that_rings_while_the_process_is_dead_takes_the_release_back() {
    let mut seen = 0;
    let mut here = fresh();
    for at in 1..=points() {
        here.dies_at(at - 1);
        for disturbance in [
            Disturbance::DiesBefore,
            Disturbance::DiesAfter,
            Disturbance::HandedOver,
        ] {
            let mut play = here.clone();
            play.plan = vec![(at, disturbance)];
            let begun = play.now;
            play.dies_at(at);
            play.bell.rang = Some(begun + SignedDuration::from_secs(1));
            match play.run() {
                end if is_refused(&end) => judge_unbegun(&play),
                // Its record was closed, or all that was left was to close it.
                end @ ReleaseOutcome::Finished(_) => judge(&mut play, &end),
                end => {
                    judge_back(&play, &end);
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// All that a bake of ten minutes asks for more than one of a second.
#[test]
fn a_quiet_bake_makes_few_calls() {
    let calls = |seconds| {
        let mut play = baked(seconds);
        let end = play.run();
        judge(&mut play, &end);
        play.points
    };
    let (short, long) = (calls(1), calls(600));
    println!("{short} and {long} calls");
    assert!(
        short + 30 <= long && long <= short + CALLS,
        "{short} {long}"
    );
}
