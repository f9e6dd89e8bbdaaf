//! What the design says of the tree itself.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The crate that decides has no async, socket, clock, environment or randomness: neither in its
/// code nor in what it depends on.
#[test]
fn the_core_stays_pure() {
    let forbidden = [
        "async ",
        ".await",
        "Timestamp::now",
        "Zoned::now",
        "SystemTime",
        "Instant",
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "static mut",
        "thread_local",
        "Mutex",
    ];
    for path in sources(&root().join("core/src")) {
        if path.ends_with("tests.rs") {
            continue;
        }
        let code = fs::read_to_string(&path).unwrap();
        for word in forbidden {
            let place = path.display();
            assert!(!code.contains(word), "{place} has `{word}`");
        }
    }
    let manifest = fs::read_to_string(root().join("core/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
    for crate_name in [
        "tokio", "reqwest", "aws-", "tracing", "rand", "hyper", "rustls =",
    ] {
        assert!(
            !dependencies.contains(crate_name),
            "core needs `{crate_name}`"
        );
    }
}

#[test]
fn lines_fit_and_nothing_is_left_to_do() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    for folder in [
        "core/src",
        "src",
        "access/src",
        "sandbox/src",
        "bench/src",
        "bench/floor/src",
        "tests",
    ] {
        for path in sources(&root().join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            let tests = match path.ends_with("tests.rs") {
                true => 0,
                false => text.find("#[cfg(test)]").unwrap_or(text.len()),
            };
            let mut start = 0;
            for (number, line) in text.lines().enumerate() {
                let place = format!("{}:{}", path.display(), number + 1);
                assert!(!marks.iter().any(|mark| line.contains(mark)), "{place}");
                // Snapshots in tests have the lines that a user sees.
                let code = folder != "tests" && start < tests;
                let fits = line.chars().count() <= 100 || line.contains("https://");
                assert!(fits || !code, "{place} is long");
                start += line.len() + 1;
            }
        }
    }
}

#[test]
fn the_changelog_knows_the_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let heading = format!("## {}", env!("CARGO_PKG_VERSION"));
    assert!(
        changelog.contains(&heading),
        "CHANGELOG.md has no `{heading}`"
    );
}

#[test]
fn every_event_is_json() {
    for entry in fs::read_dir(root().join("events")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|error| {
            panic!("{}: {error}", path.display());
        });
    }
}
