//! Blue/green, immutable and canary in simulated time: the engine against the sandbox's world, without
//! sockets. Every single disturbance at every point of every deploy, pairs of them, then seeded
//! mixtures; after every step of the world the Service's EndpointSlice, and what the
//! requests get by a route, are held against what must never happen.

mod disturbance;
mod disturbed;
mod followed;
mod guarded;
mod invariants;
mod judge;
mod others;
mod outcome;
mod play;
mod regressions;
mod setting;

use crate::simulated::for_each;
use disturbance::*;
use jiff::SignedDuration;
use landfall_core::engine::Next;
use outcome::{all_is_well, finish, quietly, tell};
use play::Simulation;
use setting::*;
use std::cell::Cell;
use std::collections::BTreeSet;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const THEIR_IMAGE: &str = "registry.example.com/demo-app:3.0.0";
const LAST_IMAGE: &str = "registry.example.com/demo-app:4.0.0";
const EARLIER_IMAGE: &str = "registry.example.com/demo-app:1.1.0";
/// Pods that serve before a deploy: as many must serve at every moment.
const REQUIRED: usize = 3;
/// Steps of one simulated deploy before it counts as endless: a look a second, of eight calls, up to
/// the timeout. What was up before and is scaled up again is never given up by Kubernetes.
const STEPS: u32 = 8000;
/// What a deploy may take: its timeout of ten minutes, as long for the way back, and what a bake, a
/// retirement and the last calls need.
const LONGEST: SignedDuration = SignedDuration::from_mins(30);
/// How often the autoscaler looks.
const SCALING: SignedDuration = SignedDuration::from_secs(15);
/// Seeds of the mixtures; `LANDFALL_SEEDS` asks for more.
const SEEDS: u64 = 500;
/// All disturbances at all points are some four hundred thousand plans, and take hours. A test run
/// takes one in so many; `LANDFALL_STRIDE=1`, as in `make simulation`, asks for all.
const STRIDE: u64 = 23;
/// While a version comes up, or is waited for in vain, the same is asked each second, which is most
/// of all points and the most expensive ones: of those one in so many times as many, unless all
/// are asked for.
const AGAIN: u64 = 20;
/// A canary takes ten times the steps of another switch, and each of its plans as much longer: of
/// these one in so many times as many.
const CANARIES: u64 = 25;
/// All ordered pairs are some billions. Of the first ones one in so many is taken, and with each
/// of these one in so many second ones: primes, so that neither falls into step with the list of
/// disturbances. `LANDFALL_PAIRS` divides both.
const PAIRS: (u64, u64) = (1009, 101);

/// Of pairs of executions that die one in so many, but for those of one setting.
const OTHERS: u64 = 16;
/// One in so many points at which a canary loses its own Service.
const WAYS: u64 = 400;

#[test]
fn undisturbed_switches_end_as_they_should() {
    for_each(all_settings(), |setting| {
        drop(finish(Simulation::new(setting)))
    });
    all_is_well();
}

/// A number that is asked for from outside.
fn asked(variable: &str, or: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(or, |text| text.parse().unwrap())
}

/// Goes through the rest of a deploy: at each point and for each disturbance that means something
/// there, a copy of the world is disturbed, where that is `wanted`.
fn at_every_point(
    mut simulation: Simulation,
    wanted: impl Fn(&Next, bool, Disturbance) -> bool,
    disturb: impl Fn(Simulation),
) {
    let mut seen = Seen::default();
    for _ in 0..STEPS {
        let next = simulation.peek().clone();
        let again = seen.again(&next);
        let is_told = simulation.is_told(&next);
        let watched = simulation.setting.watched;
        for disturbance in suitable(&next) {
            let has_point = !is_told && (watched || disturbance != HeldBack);
            if has_point && wanted(&next, again, disturbance) {
                let mut copy = simulation.clone();
                copy.plan.push((copy.points + 1, disturbance));
                disturb(copy);
            }
        }
        // What fails without the disturbance is told by the test that has less of them.
        let mut over = true;
        if quietly(|| over = simulation.step().is_some()).is_err() || over {
            return;
        }
    }
}

/// What was asked for since the last write.
#[derive(Default)]
struct Seen(BTreeSet<String>);

impl Seen {
    /// Whether this was asked for before, and nothing was written since: one more look of a wait.
    fn again(&mut self, next: &Next) -> bool {
        let point = match next {
            Next::Ask(ask) if ask.call.changes() => {
                self.0.clear();
                return false;
            }
            Next::Ask(ask) => format!("{} {:?}", ask.call.path, ask.call.query),
            Next::Watch(_) => "watch".to_owned(),
            Next::Sleep(_) => "sleep".to_owned(),
            Next::Alarms(_) | Next::Done(_) => return false,
        };
        !self.0.insert(point)
    }
}

/// One in so many. Each setting counts for itself, so that the same plans are played whatever
/// thread is faster, and begins at another place.
struct Stride {
    counted: Cell<u64>,
    of: u64,
}

impl Stride {
    fn of(of: u64, place: usize) -> Stride {
        let of = of.max(1);
        // Scattered, so that the settings do not all take their first.
        let begun = (place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % of;
        Stride {
            counted: Cell::new(begun),
            of,
        }
    }

    fn hits(&self) -> bool {
        let counted = self.counted.get();
        self.counted.set(counted + 1);
        counted.is_multiple_of(self.of)
    }
}

/// One in so many points, and of those that a wait repeats one in so many times as many.
struct Strides {
    first: Stride,
    again: Stride,
}

impl Strides {
    fn of(of: u64, times: u64, place: usize) -> Strides {
        Strides {
            first: Stride::of(of, place),
            again: Stride::of(of * times, place),
        }
    }

    fn hits(&self, again: bool) -> bool {
        match again {
            true => self.again.hits(),
            false => self.first.hits(),
        }
    }
}

#[test]
fn every_disturbance_at_every_point_of_a_switch() {
    let begun = std::time::Instant::now();
    let asked = asked("LANDFALL_STRIDE", STRIDE);
    let again = if asked == 1 { 1 } else { AGAIN };
    // The longest first: last, one of them would keep a single core busy.
    let mut all = settings();
    all.sort_by_key(|it| !it.is_waited_for());
    for_each(all.into_iter().enumerate(), |(place, setting)| {
        let strides = Strides::of(asked, again, place);
        let of_canaries = Stride::of(asked * CANARIES, place);
        let wanted = |_: &Next, again: bool, _| match setting.route {
            Some(_) => of_canaries.hits(),
            None => strides.hits(again),
        };
        at_every_point(Simulation::new(setting), wanted, |disturbed| {
            finish(disturbed);
        });
    });
    tell("single disturbances", begun);
    all_is_well();
}

#[test]
fn pairs_of_disturbances_of_a_switch() {
    let begun = std::time::Instant::now();
    let divisor = asked("LANDFALL_PAIRS", 1);
    let switches = settings().into_iter().filter(|it| it.route.is_none());
    for_each(switches.enumerate(), |(place, setting)| {
        let first = Strides::of(PAIRS.0 / divisor, AGAIN, place);
        let second = Strides::of(PAIRS.1 / divisor, AGAIN, place);
        let first = |_: &Next, again, _| first.hits(again);
        let second = |_: &Next, again, _| second.hits(again);
        at_every_point(Simulation::new(setting), first, |mut disturbed| {
            if quietly(|| drop(disturbed.step())).is_ok() {
                at_every_point(disturbed, second, |twice| drop(finish(twice)));
            }
        });
    });
    tell("pairs", begun);
    all_is_well();
}

/// Executions that wait for each other's locks: the function dies for good before a write, another
/// execution comes and dies while it waits, and a third one has what is left of its time. Each pair
/// in the first take-over by blue/green, one in so many in the other settings in which nothing
/// else is wrong. Pairs of all disturbances are too many for any stride to find these.
#[test]
fn every_pair_of_executions_that_die() {
    let begun = std::time::Instant::now();
    let of = OTHERS / asked("LANDFALL_PAIRS", 1).min(OTHERS);
    let plain = settings().into_iter().filter(|setting| {
        let is_plain = setting.health == Well && !setting.scaled && setting.route.is_none();
        is_plain && setting.locked == Locked::No
    });
    for_each(plain.enumerate(), |(place, setting)| {
        let stride = Stride::of(of, place);
        let is_whole = !setting.immutable && !setting.overlap && setting.start == Start::Adoption;
        let first = |next: &Next, _, disturbance| {
            let writes = matches!(next, Next::Ask(ask) if ask.call.changes());
            writes && disturbance == OtherBefore
        };
        let second = |next: &Next, _, disturbance| {
            let waits = matches!(next, Next::Watch(_) | Next::Sleep(_));
            waits && disturbance == OtherBefore && (is_whole || stride.hits())
        };
        at_every_point(Simulation::new(setting), first, |mut disturbed| {
            if quietly(|| drop(disturbed.step())).is_ok() {
                at_every_point(disturbed, second, |twice| drop(finish(twice)));
            }
        });
    });
    tell("executions that die", begun);
    all_is_well();
}

/// Somebody scales the new version to zero, and once more after it was brought back: what is up of
/// the version before serves again, at the latest by whoever deploys next.
#[test]
fn the_new_version_is_scaled_away_twice() {
    let setting = Setting {
        immutable: false,
        route: None,
        start: Start::Third,
        scaled: true,
        smoke: true,
        health: Well,
        locked: Locked::No,
        overlap: false,
        watched: false,
    };
    let fresh = Simulation::new(setting);
    // The first one right before the old version is retired.
    for_each((104..150).step_by(4), |first| {
        for second in (first + 1..first + 31).step_by(3) {
            let mut simulation = fresh.clone();
            simulation.plan = vec![(first, ScaledAway), (second, ScaledAway)];
            finish(simulation);
        }
    });
    all_is_well();
}

/// Somebody takes a canary's own Service away, and the function that takes its share back dies.
#[test]
fn a_canary_that_loses_its_way_is_taken_back_whoever_dies() {
    let begun = std::time::Instant::now();
    let of = WAYS / asked("LANDFALL_PAIRS", 1).min(WAYS);
    let routed = settings().into_iter().filter(|it| it.route.is_some());
    for_each(routed.enumerate(), |(place, setting)| {
        let stride = Stride::of(of, place);
        let first = |_: &Next, again: bool, it| {
            !again && [WayDeleted, WayTurned].contains(&it) && stride.hits()
        };
        let deaths = [DiesBefore, DiesAfter, AgainBefore, AgainAfter, OtherAfter];
        let second = |next: &Next, _, it| {
            matches!(next, Next::Ask(ask) if ask.call.changes()) && deaths.contains(&it)
        };
        at_every_point(Simulation::new(setting), first, |mut disturbed| {
            if quietly(|| drop(disturbed.step())).is_ok() {
                at_every_point(disturbed, second, |twice| drop(finish(twice)));
            }
        });
    });
    tell("canaries without their Service", begun);
    all_is_well();
}

#[test]
fn seeded_mixtures_of_disturbances_of_a_switch() {
    let begun = std::time::Instant::now();
    let settings = settings();
    let seeds = asked("LANDFALL_SEEDS", SEEDS);
    let fresh = settings
        .iter()
        .map(|setting| Simulation::new(*setting))
        .collect::<Vec<_>>();
    for_each(1..=seeds, |seed| mixture(&fresh, seed));
    tell("mixtures", begun);
    all_is_well();
}

fn mixture(fresh: &[Simulation], seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut draw = |below: usize| {
        // https://en.wikipedia.org/wiki/Xorshift#xorshift*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % below
    };
    let mut simulation = fresh[draw(fresh.len())].clone();
    let mut once = BTreeSet::new();
    for at in 1..150 {
        if draw(12) > 0 {
            continue;
        }
        let which = draw(ALL.len());
        let disturbance = ALL[which];
        // These once: two strangers, or many refusals, leave no telling what is right.
        let rare = [
            Overtaken,
            Refused,
            OtherBefore,
            OtherAfter,
            LateOther,
            Scaled,
            ScaledAway,
            ServiceDeleted,
            ServiceAnew,
            SelectorSetBack,
            Rolled,
            WayDeleted,
            WayTurned,
        ];
        if rare.contains(&disturbance) && !once.insert(which) {
            continue;
        }
        simulation.plan.push((at, disturbance));
    }
    finish(simulation);
}
