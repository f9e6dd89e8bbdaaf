//! The floor plan of `docs/architecture.md`, held: no file imports in a circle, no room imports
//! from its own floor or one above, and files and functions stay small enough to be read.
//!
//! Imports are read as text: `use` lines, and paths in the code that begin with `crate`, `super`,
//! `self` or a child module. A `mod` line is no import.

mod source;
mod tree;
mod tests;

use self::tree::{Arrows, Tree, circling};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Lines of a file, without its tests: what can be read at one sitting.
const FILE_LIMIT: usize = 400;

/// Lines of a function: what can be seen at once.
const FUNCTION_LIMIT: usize = 70;

/// Each crate's sources, and the name of its library.
const CRATES: &[(&str, &str)] = &[
    ("core/src", "landfall_core"),
    ("src", "landfall"),
    ("access/src", "landfall_access"),
    ("sandbox/src", "landfall_sandbox"),
    ("sandbox/src/control_plane", "landfall_control_plane"),
    ("bench/src", "landfall_bench"),
    ("bench/floor/src", "landfall_floor"),
];

/// The crates whose rooms have floors.
const FLOORED: &[&str] = &["core/src", "src"];

/// Imports that must not be, and are still there: from, to (a file, or a room with all its files)
/// and why. One that is gone must be taken off.
const IMPORTS_YET: &[(&str, &str, &str)] = &[];

/// Files and functions (`file:function`) that are still too long, and why. One that fits must be
/// taken off.
const LONG_YET: &[(&str, &str)] = &[];

fn trees() -> Vec<Tree> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |(folder, name): &(&str, &str)| Tree::read(root, folder, name);
    CRATES.iter().map(read).collect()
}

#[test]
fn nothing_imports_in_a_circle_or_from_a_floor_above() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let floors = floors(&page);
    let trees = trees();
    let mut arrows = Arrows::new();
    for tree in &trees {
        arrows.extend(tree.arrows());
    }
    let mut faults = unplanned(&floors, &trees);
    faults.extend(offending(&arrows, &floors, IMPORTS_YET));
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn files_and_functions_are_short() {
    let faults = too_long(&trees(), LONG_YET);
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// The floor of each room, from the table with the columns floor, room and what it does.
fn floors(page: &str) -> BTreeMap<String, u32> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut lines = page.lines();
    lines
        .find(|line| cells(line) == ["floor", "room", "what it does"])
        .expect("docs/architecture.md has no table of floors");
    let mut floors = BTreeMap::new();
    for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
        let row = cells(line);
        let [floor, room, _] = &row[..] else {
            panic!("not a row of the table of floors: {line}");
        };
        let room = room.trim_matches('`').trim_end_matches('/').to_owned();
        let floor = floor.parse().unwrap_or_else(|_| panic!("no floor: {line}"));
        assert!(floors.insert(room, floor).is_none(), "twice: {line}");
    }
    floors
}

/// Rooms that the table does not have, and rooms of the table that are gone.
fn unplanned(floors: &BTreeMap<String, u32>, trees: &[Tree]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rooms = Vec::new();
    for tree in trees.iter().filter(|tree| FLOORED.contains(&&*tree.folder)) {
        let top = tree.files.keys().filter(|file| !file.contains('/'));
        rooms.extend(
            top.filter(|file| *file != "lib")
                .map(|file| tree.place(file)),
        );
    }
    for room in &rooms {
        if !floors.contains_key(room.as_str()) {
            found.push(format!(
                "{room} is not in docs/architecture.md's table of floors"
            ));
        }
    }
    for room in floors.keys().filter(|room| !rooms.contains(*room)) {
        found.push(format!(
            "{room} has a floor in docs/architecture.md, and is not there"
        ));
    }
    found
}

/// Each arrow that must not be, and each entry of the list that is not needed.
fn offending(
    arrows: &Arrows,
    floors: &BTreeMap<String, u32>,
    yet: &[(&str, &str, &str)],
) -> Vec<String> {
    let listed = |(from, to): &(String, String), entry: &(&str, &str, &str)| {
        is_in(from, entry.0) && is_in(to, entry.1)
    };
    let mut found = Vec::new();
    let (excused, kept): (Arrows, Arrows) = arrows
        .clone()
        .into_iter()
        .partition(|(arrow, _)| yet.iter().any(|entry| listed(arrow, entry)));
    let told = |(from, to): &(String, String)| {
        let names: Vec<&str> = arrows[&(from.clone(), to.clone())]
            .iter()
            .map(|name| &**name)
            .collect();
        format!("{from} -> {to}: {}", names.join(", "))
    };
    for arrow in circling(&kept) {
        found.push(format!("in a circle: {}", told(&arrow)));
    }
    for arrow in kept.keys() {
        if let Some((from, to)) = upward(arrow, floors) {
            found.push(format!("floor {from} from floor {to}: {}", told(arrow)));
        }
    }
    for entry in yet {
        let back = || excused.iter().filter(|(arrow, _)| listed(arrow, entry));
        let mut with = kept.clone();
        with.extend(back().map(|(arrow, names)| (arrow.clone(), names.clone())));
        let circling = circling(&with);
        let needed =
            back().any(|(arrow, _)| upward(arrow, floors).is_some() || circling.contains(arrow));
        if !needed {
            found.push(format!("take off the list: {} -> {}", entry.0, entry.1));
        }
    }
    found
}

/// The two floors, where an arrow between two rooms does not lead downward.
fn upward((from, to): &(String, String), floors: &BTreeMap<String, u32>) -> Option<(u32, u32)> {
    let room = |file: &str| {
        let found = floors.iter().find(|(room, _)| is_in(file, room));
        found.map(|(room, floor)| (room.clone(), *floor))
    };
    let ((from, above), (to, below)) = (room(from)?, room(to)?);
    (from != to && above <= below).then_some((above, below))
}

fn is_in(file: &str, room: &str) -> bool {
    let rest = file.strip_prefix(room);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Each file and function that is too long, and each entry of the list that is not needed.
fn too_long(trees: &[Tree], yet: &[(&str, &str)]) -> Vec<String> {
    let mut long = BTreeMap::new();
    for tree in trees {
        for (module, file) in &tree.files {
            let place = tree.place(module);
            for (name, line, lines) in &file.functions {
                if *lines > FUNCTION_LIMIT {
                    long.insert(
                        format!("{place}:{name}"),
                        format!("{lines} lines, at {line}"),
                    );
                }
            }
            if file.lines > FILE_LIMIT {
                long.insert(place, format!("{} lines", file.lines));
            }
        }
    }
    let mut found = Vec::new();
    for (what, length) in &long {
        if !yet.iter().any(|(listed, _)| listed == what) {
            found.push(format!("too long: {what}: {length}"));
        }
    }
    for (listed, _) in yet {
        if !long.contains_key(*listed) {
            found.push(format!("take off the list: {listed}"));
        }
    }
    found
}
