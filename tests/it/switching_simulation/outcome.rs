//! What came of all plans: how many there were, and what went wrong in which way.

use super::judge::{afterwards, judge};
use super::play::Simulation;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once};

/// A run of all takes hours: how far it is shows after so many plans.
pub const TOLD_EVERY: u64 = 10_000;

/// Plans that were carried out, and deploys that were begun for them: the disturbed one, whoever
/// came between, and the one after all.
pub static PLANS: AtomicU64 = AtomicU64::new(0);

pub static DEPLOYS: AtomicU64 = AtomicU64::new(0);

/// What went wrong, once for each way in which it did: how often, and the first transcript.
pub static FAILURES: Mutex<BTreeMap<String, (u32, String)>> = Mutex::new(BTreeMap::new());

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs something that may panic and gives the message instead of printing it.
pub fn quietly(work: impl FnOnce()) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                usual(panic);
            }
        }));
    });
    QUIET.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    done.map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map_or("", |text| *text)
            .to_owned(),
    })
}

pub fn to_the_end(simulation: &mut Simulation) {
    let end = simulation.run();
    simulation.note(|| format!("{end:?}"));
    judge(simulation, &end);
    afterwards(simulation, &end);
}

/// Runs a deploy on from where it is and holds its end against what the world shows. Afterwards a
/// repetition of the event must change nothing, and another deploy must succeed.
pub fn finish(mut simulation: Simulation) -> Simulation {
    let (setting, plan) = (simulation.setting, simulation.plan.clone());
    let aims = simulation.aims.clone();
    let Err(told) = quietly(|| to_the_end(&mut simulation)) else {
        return simulation;
    };
    // Times and names differ from one to the next.
    let kind = told.split([':', '{']).next().unwrap_or_default().to_owned();
    let kind = kind.split(" at ").next().unwrap_or_default().to_owned();
    let mut all = FAILURES.lock().unwrap();
    if let Some((count, _)) = all.get_mut(&kind) {
        *count += 1;
        return simulation;
    }
    // The same once more, from the beginning and noted down.
    let mut again = Simulation::new(setting);
    again.plan.clone_from(&plan);
    again.aims.clone_from(&aims);
    again.transcript = Some(Vec::new());
    let same = quietly(|| to_the_end(&mut again)).err() == Some(told.clone());
    let transcript = again.transcript.unwrap_or_default().join("\n");
    let story = format!(
        "{told}\n{setting:?}\nplan: {plan:?} {aims:?} (the same again: {same})\n{transcript}"
    );
    all.insert(kind, (1, story));
    simulation
}

/// Prints and forgets what went wrong.
pub fn all_is_well() {
    let failures = std::mem::take(&mut *FAILURES.lock().unwrap());
    for (count, story) in failures.values() {
        println!("=== {count} times: {story}\n");
    }
    assert!(failures.is_empty(), "{} kinds of failure", failures.len());
}

pub fn tell(what: &str, begun: std::time::Instant) {
    let (plans, deploys) = (
        PLANS.load(Ordering::Relaxed),
        DEPLOYS.load(Ordering::Relaxed),
    );
    println!(
        "{what}: {plans} plans, {deploys} deploys so far, in {:?}",
        begun.elapsed()
    );
}
