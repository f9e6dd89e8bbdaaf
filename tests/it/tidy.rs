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

/// The files that decide: no async, socket, clock, environment or randomness.
const PURE: &[&str] = &[
    "request.rs",
    "request/checks.rs",
    "request/env.rs",
    "request/fields.rs",
    "request/files.rs",
    "request/images.rs",
    "request/located.rs",
    "request/manifest.rs",
    "request/origin.rs",
    "request/strategy.rs",
    "request/text.rs",
    "request/field_types.rs",
    "request/unfilled.rs",
    "rotation.rs",
    "archive.rs",
    "archive/names.rs",
    "archive/seen.rs",
    "artifact/reason.rs",
    "manifest.rs",
    "yaml.rs",
    "yaml/json.rs",
    "yaml/reader.rs",
    "yaml/scalar.rs",
    "yaml/scan.rs",
    "yaml/text.rs",
    "image.rs",
    "image/problem.rs",
    "plan.rs",
    "continuation.rs",
    "change.rs",
    "cluster/call.rs",
    "cluster/object.rs",
    "cluster/answer.rs",
    "cluster/pod.rs",
    "cluster/pod/raw.rs",
    "cluster/pod/raw_event.rs",
    "strategy.rs",
    "strategy/rolling.rs",
    "strategy/pursuit.rs",
    "strategy/scene.rs",
    "strategy/switch.rs",
    "strategy/switch_back.rs",
    "strategy/claim.rs",
    "strategy/newcomer.rs",
    "strategy/blue_green.rs",
    "strategy/immutable.rs",
    "cluster/service.rs",
    "rollout.rs",
    "diagnosis.rs",
    "diagnosis/cause.rs",
    "diagnosis/classification.rs",
    "diagnosis/evidence.rs",
    "diagnosis/sentence.rs",
    "diagnosis/skipped.rs",
    "diagnosis/symptoms.rs",
    "diagnosis/whole.rs",
    "report.rs",
    "report/faults.rs",
    "environment.rs",
];

#[test]
fn pure_files_stay_pure() {
    let forbidden = [
        "async ",
        ".await",
        "tokio::",
        "reqwest::",
        "Timestamp::now",
        "SystemTime",
        "Instant",
        "std::env",
        "std::fs",
        "std::net",
        "rand::",
        "tracing::",
    ];
    for file in PURE {
        let text = fs::read_to_string(root().join("src").join(file)).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for word in forbidden {
            assert!(!code.contains(word), "{file} has `{word}`");
        }
    }
}

#[test]
fn names_that_say_nothing_are_no_modules() {
    let banned = [
        "utils", "util", "types", "models", "error", "config", "retry", "poll", "clock",
        "rollback", "aws", "mod", "helpers", "common",
    ];
    for path in sources(&root().join("src")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!banned.contains(&&*name), "{}", path.display());
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
        "src",
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
