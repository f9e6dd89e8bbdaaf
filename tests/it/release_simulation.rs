//! The engine of releases against the sandbox's world, without sockets and in simulated time: every
//! single disturbance at every call, then seeded mixtures of them.

mod guarded;
pub mod judge;
mod play;
mod setting;
mod silent;

use self::judge::{judge, judge_both, judge_repetition, judge_successor, judge_twins};
use self::play::{ALL, Disturbance, Play};
use self::setting::{FATES, Fate, Start};
use crate::simulated::{before_each_call, for_each};
use jiff::SignedDuration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Every so manieth point is disturbed in a usual run; `RELEASE_STRIDE=1` disturbs all of them.
const STRIDE: u64 = 2;

/// Seeds of the mixtures in a usual run; `RELEASE_SEEDS` takes more.
const SEEDS: u64 = 500;

const STARTS: [Start; 3] = [Start::Fresh, Start::Upgrade, Start::Return];

fn number(variable: &str, usual: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Runs one release on from where it is and holds its end against what the world shows.
fn check(fresh: &Play, here: &Play, plan: Vec<(u32, Disturbance)>) {
    let mut planned = here.clone();
    planned.plan = plan;
    noted(fresh, &planned, |play| {
        let end = play.run();
        judge(play, &end);
        judge_repetition(play);
    });
}

/// Plays on, and where that fails once more from the beginning, with a transcript.
fn noted(fresh: &Play, here: &Play, plays: impl Fn(&mut Play)) {
    let done = catch_unwind(AssertUnwindSafe(|| plays(&mut here.clone())));
    done.unwrap_or_else(|panic| {
        let mut again = fresh.clone();
        again.plan.clone_from(&here.plan);
        again.transcript = Some(Vec::new());
        _ = catch_unwind(AssertUnwindSafe(|| plays(&mut again)));
        println!("{:?} {:?} plan: {:?}", again.start, again.fate, again.plan);
        println!("{}", again.transcript.unwrap_or_default().join("\n"));
        resume_unwind(panic)
    })
}

/// Plays each setting with something at every point of it, or at one in so many.
/// `plays` gets how many revisions there were before the release, too.
fn at_every_point(plays: impl Fn(&mut Play, u32, usize) + Sync) {
    let stride = number("RELEASE_STRIDE", STRIDE);
    for fresh in each_setting() {
        check(&fresh, &fresh, Vec::new());
        for_each(before_each_call(fresh.clone(), Play::calls), |here| {
            let at = here.points + 1;
            if u64::from(at).is_multiple_of(stride) {
                noted(&fresh, &here, |play| plays(play, at, fresh.revisions()));
            }
        });
    }
}

fn each_setting() -> impl Iterator<Item = Play> {
    let all = STARTS
        .into_iter()
        .flat_map(|start| FATES.map(|fate| (start, fate)));
    // A rollback runs no Job.
    let all = all.filter(|it| *it != (Start::Return, Fate::NoMigration));
    all.map(|(start, fate)| Play::new(start, fate))
}

#[test]
fn undisturbed_releases_end_as_they_should() {
    for fresh in each_setting() {
        check(&fresh, &fresh, Vec::new());
    }
}

#[test]
fn every_disturbance_at_every_call() {
    let stride = number("RELEASE_STRIDE", STRIDE);
    for fresh in each_setting() {
        check(&fresh, &fresh, Vec::new());
        for_each(before_each_call(fresh.clone(), Play::calls), |here| {
            let at = here.points + 1;
            for (place, disturbance) in ALL.into_iter().enumerate() {
                // Each disturbance comes at other points than the next one.
                if (u64::from(at) + place as u64).is_multiple_of(stride) {
                    check(&fresh, &here, vec![(at, disturbance)]);
                }
            }
        });
    }
}

/// Another execution begins at every point of a release, at the same time.
#[test]
fn two_releases_at_once() {
    at_every_point(|play, at, _| {
        let (first, second) = play.run_beside(at);
        judge_both(play, &first, &second);
    });
}

/// The same call comes again at every point of a release, at the same time.
#[test]
fn one_release_twice_at_once() {
    at_every_point(|play, at, before| {
        let (first, second) = play.run_twice(at);
        judge_twins(play, before, &first, &second);
    });
}

/// The first delivery stops at every point, is thought to be dead, and goes on when the second one
/// is over.
#[test]
fn one_release_that_goes_on_after_its_repetition_is_over() {
    at_every_point(|play, at, before| {
        let (first, second) = play.run_stopped(at);
        judge_twins(play, before, &first, &second);
    });
}

/// A release dies at every point, and another execution comes when its lock has expired.
#[test]
fn a_dead_release_is_taken_over_once_its_lock_has_expired() {
    at_every_point(|play, at, _| {
        play.dies_at(at);
        play.pass(SignedDuration::from_mins(30));
        play.begin_rival();
        let end = play.run();
        judge_successor(play, &end);
    });
}

#[test]
fn seeded_mixtures_of_disturbances() {
    let fresh = each_setting().collect::<Vec<_>>();
    for_each(1..=number("RELEASE_SEEDS", SEEDS), |seed: u64| {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut draw = |below: u64| {
            // https://en.wikipedia.org/wiki/Xorshift#xorshift*
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
        };
        let fresh = &fresh[draw(fresh.len() as u64) as usize];
        let mut plan = Vec::new();
        let mut at = 0;
        for _ in 0..draw(8) {
            at += 1 + draw(30) as u32;
            plan.push((at, ALL[draw(ALL.len() as u64) as usize]));
        }
        check(fresh, fresh, plan);
    });
}
