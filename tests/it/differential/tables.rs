//! The tables of `tests/differential/`: one row a request.

use crate::differential::step::{MERGE, OPERATIONS, STRATEGIC};
use serde_json::Value;

/// Longer than all annotations of an object may be: what `$long` stands for.
const LONG: usize = 262_200;

/// A patch of the one Deployment.
pub(super) struct Patch {
    pub(super) name: String,
    pub(super) content_type: &'static str,
    pub(super) body: Value,
    /// The reason of its condition `Progressing` when it has come to rest; only in `rollouts`.
    pub(super) rests: String,
}

/// A field of an otherwise good Deployment, for a PUT.
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) pointer: String,
    pub(super) value: Value,
}

/// One after another on the same Deployment.
pub(super) fn patches() -> Vec<Patch> {
    read_patches(include_str!("../../differential/patches.json"))
}

/// One after another on the same workload of another kind.
pub(super) fn workload_patches() -> Vec<Patch> {
    read_patches(include_str!("../../differential/workload_patches.json"))
}

/// One after another; each comes to rest before the next.
pub(super) fn rollouts() -> Vec<Patch> {
    read_patches(include_str!("../../differential/rollouts.json"))
}

/// Each in a PUT of its own.
pub(super) fn faults() -> Vec<Fault> {
    let text = include_str!("../../differential/faults.json");
    let text = text.replace("$long", &"x".repeat(LONG));
    let fault = |row: Value| Fault {
        name: word(&row, "name"),
        pointer: word(&row, "field"),
        value: row["value"].clone(),
    };
    rows(&text).into_iter().map(fault).collect()
}

/// One after another: who does what to which object.
pub(super) fn applies() -> Vec<Value> {
    rows(include_str!("../../differential/applies.json"))
}

/// Paths, each for a GET.
pub(super) fn reads() -> Vec<String> {
    let rows = rows(include_str!("../../differential/reads.json"));
    let path = |row: Value| row.as_str().expect("a path").to_owned();
    rows.into_iter().map(path).collect()
}

fn read_patches(text: &str) -> Vec<Patch> {
    let patch = |row: Value| Patch {
        name: word(&row, "name"),
        content_type: match row["type"].as_str() {
            Some("strategic") => STRATEGIC,
            Some("merge") => MERGE,
            Some("operations") => OPERATIONS,
            _ => panic!("{row} has no known type"),
        },
        body: row["patch"].clone(),
        rests: row["rests"].as_str().unwrap_or_default().to_owned(),
    };
    rows(text).into_iter().map(patch).collect()
}

fn rows(text: &str) -> Vec<Value> {
    let rows: Vec<Value> = serde_json::from_str(text).expect("a table");
    assert!(!rows.is_empty(), "an empty table compares nothing");
    rows
}

fn word(row: &Value, field: &str) -> String {
    let word = row[field].as_str();
    word.unwrap_or_else(|| panic!("{row} has no {field}"))
        .to_owned()
}

#[test]
fn the_tables_are_read() {
    assert!(
        patches()
            .iter()
            .chain(&rollouts())
            .all(|it| !it.name.is_empty())
    );
    assert!(rollouts().iter().any(|it| !it.rests.is_empty()));
    let long = faults()
        .into_iter()
        .find(|it| it.name == "long annotations");
    assert_eq!(long.unwrap().value["a"].as_str().unwrap().len(), LONG);
    assert!(reads().contains(&"deployments".to_owned()));
}
