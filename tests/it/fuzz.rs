//! What comes from outside, broken in every way: nothing may panic, hang or take too long.
//!
//! On stable, without a fuzzer's instrumentation: seeds are mutated and mixed. A short run is a part
//! of the tests; `make fuzz` runs for as long as it is told. A failure names the file with its input,
//! and `LANDFALL_FUZZ_INPUT` runs that one alone.

mod random;
mod cluster;
mod kubeconfig;

use crate::fuzz::random::Random;
use landfall_core::event::{self, Event};
use landfall_core::formats::archive::{Directory, Listing, TAIL, Unpacked};
use landfall_core::problem::Fault;
use landfall_core::request::{
    Asked, Draft, File, Files, NamedFile, Parameters, document as manifest, image,
};
use landfall_core::state::continuation::Continuation;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long each target runs where `LANDFALL_FUZZ_SECONDS` says nothing else.
const SHORT: Duration = Duration::from_millis(700);
/// How long one input may take; the tests' form is ten times slower than the one that is shipped.
const SLOW: Duration = Duration::from_secs(10);
/// The longest input that mutations make.
const LONGEST: usize = 64 * 1024;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a target until its time is over.
fn fuzz(name: &str, seeds: Vec<Vec<u8>>, target: impl Fn(&[u8])) {
    if let Ok(path) = std::env::var("LANDFALL_FUZZ_INPUT") {
        return target(&fs::read(path).unwrap());
    }
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let seconds = std::env::var("LANDFALL_FUZZ_SECONDS");
    let seconds = seconds
        .ok()
        .map(|text| Duration::from_secs(text.parse().unwrap()));
    let end = Instant::now() + seconds.unwrap_or(SHORT);
    let clock = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let seed = if seconds.is_some() {
        clock.as_nanos() as u64 | 1
    } else {
        0x9e37_79b9_7f4a_7c15
    };
    let mut random = Random(seed);
    let mut count = 0;
    for index in 0.. {
        let input = match seeds.get(index) {
            Some(seed) => seed.clone(),
            None if Instant::now() >= end => break,
            None => random.mutated(&seeds),
        };
        let start = Instant::now();
        let survived = catch_unwind(AssertUnwindSafe(|| target(&input))).is_ok();
        if !survived || start.elapsed() > SLOW {
            let path = std::env::temp_dir().join(format!("landfall-fuzz-{name}"));
            fs::write(&path, &input).unwrap();
            panic!("{name}: {} took {:?}", path.display(), start.elapsed());
        }
        count += 1;
    }
    println!("{name}: {count} inputs");
}

fn files(folder: &str, endings: &[&str]) -> Vec<Vec<u8>> {
    let fits = |path: &PathBuf| {
        let ending = path
            .extension()
            .and_then(|it| it.to_str())
            .unwrap_or_default();
        endings.contains(&ending)
    };
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut paths = entries
        .map(|entry| entry.unwrap().path())
        .filter(fits)
        .collect::<Vec<_>>();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn parameters() -> Vec<Vec<u8>> {
    let events = files("events", &["json"]).into_iter();
    let text = |event: Vec<u8>| {
        let event: Value = serde_json::from_slice(&event).ok()?;
        let data = &event["CodePipeline.job"]["data"]["actionConfiguration"];
        Some(
            data["configuration"]["UserParameters"]
                .as_str()?
                .as_bytes()
                .to_vec(),
        )
    };
    events.filter_map(text).collect()
}

#[test]
fn user_parameters() {
    let manifest = fs::read(root().join("tests/archives/deployment.yaml")).unwrap();
    let images = br#"[{"name": "app", "imageUri": "registry.example.com/demo-app:2.0.0"}]"#;
    fuzz("parameters", parameters(), |input| {
        let text = Parameters::Text(String::from_utf8_lossy(input).into_owned());
        let Ok(draft) = Draft::read(&text) else {
            return;
        };
        let file = |content: &[u8]| {
            Some(File {
                content: content.to_vec(),
                ..File::default()
            })
        };
        let files = Files {
            manifest: file(&manifest),
            images: file(images),
            ..Files::default()
        };
        if let Ok(Asked::Workload(request, _)) = draft.complete(files, "job") {
            assert!(request.secrets().count() < LONGEST);
        }
    });
}

#[test]
fn events() {
    fuzz("event", files("events", &["json"]), |input| {
        let Ok(event) = serde_json::from_slice::<Value>(input) else {
            return;
        };
        let secrets = event::secrets(&event)
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let event = Event::read(&event);
        if let Event::Call(Ok(call)) = &event {
            let job = call.clone().job("request-1", None);
            assert_eq!(call.clone().job("request-1", None), job);
            drop(Draft::read(&job.parameters));
        }
        if let Event::Deploy(job) = event {
            let shown = format!("{:?}", job.keys);
            assert!(
                secrets
                    .iter()
                    .all(|secret| secret.len() < 8 || !shown.contains(secret))
            );
        }
    });
}

#[test]
fn continuation_tokens() {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let token = Continuation::begin("job-1", start, Duration::from_secs(900)).encode("bound");
    let other = Continuation::begin("job-2", start, Duration::from_secs(1)).encode("elsewhere");
    fuzz(
        "token",
        vec![token.clone().into_bytes(), other.into_bytes()],
        |input| {
            let text = String::from_utf8_lossy(input);
            if Continuation::decode(&text, "bound").is_ok() {
                assert_eq!(text, token, "a damaged token is taken");
            }
        },
    );
}

#[test]
fn archives() {
    fuzz("archive", files("tests/archives", &["zip"]), |input| {
        let wanted = ["k8s/deployment.yaml".to_owned(), "README.md".to_owned()];
        let tail = &input[input.len().saturating_sub(TAIL as usize)..];
        let Ok(directory) = Directory::find(tail, input.len() as u64) else {
            return;
        };
        let patterns = ["k8s".to_owned(), "**/*".to_owned()];
        let mut listing = Listing::new(&directory, &wanted).matching(&patterns);
        let range = directory.range.start as usize..directory.range.end as usize;
        if input[range]
            .chunks(1000)
            .try_for_each(|piece| listing.feed(piece))
            .is_err()
        {
            return;
        }
        let Ok(listed) = listing.finish() else { return };
        let matches = listed.matches.files.values();
        for member in listed.found.iter().flatten().chain(matches) {
            let Ok(member) = member else { continue };
            let mut range = member.range();
            for _ in 0..3 {
                let bytes = &input[range.start as usize..range.end as usize];
                match member.unpack(bytes, range.start) {
                    Ok(Unpacked::Needs(more)) => range = more,
                    Ok(Unpacked::Content(_)) | Err(_) => break,
                }
            }
        }
    });
}

#[test]
fn manifests() {
    let mut seeds = files("tests/archives", &["yaml"]);
    seeds.extend(files("deploy", &["yaml"]));
    seeds.extend(files("events", &["json"]));
    seeds.push(b"a: &a [1, {b: *a}]\n<<: {c: |\n  x\n}\n---\n- !!str 0777\n- on\n".to_vec());
    let variables = BTreeMap::from([("COMMIT".to_owned(), "${TIME}\"\n- x".to_owned())]);
    fuzz("manifest", seeds, |input| {
        if let Ok(mut chosen) = manifest::choose(input, manifest::Meant::default()) {
            let before = shape(&chosen.deployment);
            manifest::fill(&mut chosen.deployment, &variables);
            assert_eq!(
                shape(&chosen.deployment),
                before,
                "a value changed the structure"
            );
        }
        if let Ok(Asked::Release(release)) = release(input) {
            assert!(release.manifests.iter().all(|it| it.object().is_object()));
        }
        // Refused or read, but never a panic.
        _ = image::definitions(input);
        _ = image::Reference::parse(&String::from_utf8_lossy(input));
    });
}

/// Reads a file as a release.
fn release(content: &[u8]) -> Result<Asked, Vec<Fault>> {
    let fields = json!({"manifests": "k8s", "release": "shop", "images": {"app": ":2"},
        "variables": {"COMMIT": "${TIME}"}});
    let file = NamedFile {
        path: "k8s/all.yaml".to_owned(),
        file: File {
            content: content.to_vec(),
            ..File::default()
        },
    };
    let files = Files {
        manifests: vec![file],
        ..Files::default()
    };
    Draft::read(&Parameters::Text(fields.to_string()))?.complete(files, "job")
}

/// A value without its texts.
fn shape(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(""),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
