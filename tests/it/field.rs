//! What real users ran into, as data: `tests/field/**/*.json`, one case a file. `tests/field/README.md`
//! says how to read and write one.
//!
//! A case is played in simulated time ([`simulated`]), through the front door of the real function
//! ([`door`]), or there against the real control plane, where real controllers must decide.

pub mod case;
pub mod door;
mod judge;
mod people;
mod real_objects;
mod simulated;

use crate::real;
use case::{Case, On};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

/// Clusters of cases that are played at the same time. Most of what they do is to wait.
const AT_ONCE: usize = 8;
/// The longest that a case in simulated time may take.
const SLOWEST: Duration = Duration::from_secs(60);

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All cases, by the names of their files. `LANDFALL_CASE` picks those whose name has one of these in it,
/// `LANDFALL_CASES` another folder.
fn cases() -> Vec<(String, Case)> {
    let folder = std::env::var("LANDFALL_CASES");
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/field");
    let folder = PathBuf::from(folder.unwrap_or_else(|_| ours.to_owned()));
    let folder = folder.as_path();
    let picked = std::env::var("LANDFALL_CASE").unwrap_or_default();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        let case = serde_json::from_slice(&fs::read(&path).unwrap());
        let case = case.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, case)
    };
    let all = files(folder).into_iter().map(read);
    let is_picked = |name: &str| picked.split(',').any(|part| name.contains(part));
    all.filter(|(name, _)| is_picked(name)).collect()
}

fn cases_of(on: On) -> Vec<(String, Case)> {
    cases()
        .into_iter()
        .filter(|(_, case)| case.on == on)
        .collect()
}

/// Fails with all that went wrong, so that one run tells of every case.
fn tell(wrong: Vec<(String, String)>) {
    let count = wrong.len();
    let text = wrong
        .into_iter()
        .map(|(name, why)| format!("== {name}\n{why}\n"));
    let text = text.collect::<String>();
    assert!(text.is_empty(), "{count} cases went wrong\n{text}");
}

#[test]
fn cases_in_simulated_time() {
    let mut wrong = Vec::new();
    for (name, case) in cases_of(On::Time) {
        let begun = std::time::Instant::now();
        let played = catch_unwind(AssertUnwindSafe(|| {
            let (ending, world) = simulated::play(&case);
            judge::judge(&case.expected, &ending, &world)
        }));
        let faults = played.unwrap_or_else(|panic| vec![words_of(&*panic)]);
        if !faults.is_empty() {
            wrong.push((name.clone(), faults.join("\n")));
        }
        assert!(begun.elapsed() < SLOWEST, "{name} takes too long");
    }
    tell(wrong);
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_through_the_front_door() {
    if !real::is_named() {
        tell(play_all(On::Door).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_for_real_controllers() {
    if real::is_named() {
        tell(play_all(On::Real).await);
    }
}

async fn play_all(on: On) -> Vec<(String, String)> {
    let places = std::rc::Rc::new(Semaphore::new(AT_ONCE));
    let tasks = LocalSet::new();
    let mut played = Vec::new();
    for (name, case) in cases_of(on) {
        let places = std::rc::Rc::clone(&places);
        let play = async move {
            let _place = places.acquire().await;
            door::play(&case).await
        };
        played.push((name, tasks.spawn_local(play)));
    }
    tasks.await;
    let mut wrong = Vec::new();
    for (name, played) in played {
        let faults = match played.await {
            Ok(faults) => faults,
            Err(error) => vec![words_of(&*error.into_panic())],
        };
        if !faults.is_empty() {
            wrong.push((name, faults.join("\n")));
        }
    }
    wrong
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or(panic.downcast_ref::<&str>().copied());
    format!(
        "the player stopped: {}",
        text.unwrap_or("for an unknown reason")
    )
}

/// A case without a source is a thought, and one without words to look for proves little.
#[test]
fn every_case_is_complete() {
    for (name, case) in cases() {
        assert!(!case.about.is_empty(), "{name} says nothing about itself");
        assert!(!case.source.is_empty(), "{name} has no source");
        let expected = &case.expected;
        let told = !expected.has.is_empty() || !expected.world.is_empty();
        assert!(told, "{name} expects no word and nothing of the cluster");
        let is_told = expected.end == "success" || expected.section.is_some();
        assert!(is_told, "{name} expects no section of the handbook");
    }
}
