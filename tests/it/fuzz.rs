//! What comes from outside, broken in every way: nothing may panic, hang or take too long.
//!
//! On stable, without a fuzzer's instrumentation: seeds are mutated and mixed. A short run is a part
//! of the tests; `make fuzz` runs for as long as it is told. A failure names the file with its input,
//! and `LANDFALL_FUZZ_INPUT` runs that one alone.

use landfall::job::{self, Job};
use landfall_core::formats::archive::{Directory, Listing, TAIL, Unpacked};
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::object::{Deployment, ReplicaSet};
use landfall_core::kubernetes::service::Service;
use landfall_core::plan;
use landfall_core::request::Parameters;
use landfall_core::request::{Draft, File, Files, Request};
use landfall_core::request::{document as manifest, image};
use landfall_core::state::baseline::Previous;
use landfall_core::state::continuation::Continuation;
use landfall_core::strategy::scene::{Answer, Shape, Sought};
use landfall_core::strategy::{self, Decision, Look, Observation};
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

/// Pieces that mean something to one reader or another.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\n",
    "\n- ",
    "---\n",
    "...\n",
    "&a ",
    "*a ",
    "<<: ",
    "!!str ",
    "!x ",
    "${A}",
    "$${A}",
    "$(A)",
    "|\n  ",
    ">-\n",
    "? ",
    "# ",
    "%YAML 1.2\n",
    "null",
    "1e999",
    "0x",
    "\u{feff}",
    "\u{0}",
    "ä",
    "PK\u{1}\u{2}",
    "PK\u{3}\u{4}",
    "PK\u{5}\u{6}",
    "PK\u{6}\u{6}",
    "PK\u{6}\u{7}",
    "::",
    "../",
    "@sha256:",
    "\u{1}\u{0}\u{8}\u{0}",
];

/// xorshift: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit.max(1)
    }

    fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(6) {
            let place = self.below(input.len() + 1);
            let end = (place + self.below(64)).min(input.len());
            match self.below(7) {
                0 if place < input.len() => input[place] ^= 1 << self.below(8),
                1 if place < input.len() => input[place] = self.below(256) as u8,
                2 => drop(input.splice(place..place, PIECES[self.below(PIECES.len())].bytes())),
                3 => drop(input.drain(place..end)),
                4 => {
                    let piece = input[place..end].repeat(1 + self.below(40));
                    input.splice(place..place, piece);
                }
                5 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len() + 1);
                    input.truncate(place);
                    input.extend_from_slice(&other[from..]);
                }
                _ => input.truncate(place),
            }
            input.truncate(LONGEST);
        }
        input
    }
}

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
        };
        if let Ok(request) = draft.complete(&files, "job") {
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
        let secrets = job::secrets(&event).map(str::to_owned).collect::<Vec<_>>();
        if let Some(job) = Job::read(&event) {
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
        let mut listing = Listing::new(&directory, &wanted);
        let range = directory.range.start as usize..directory.range.end as usize;
        if input[range]
            .chunks(1000)
            .try_for_each(|piece| listing.feed(piece))
            .is_err()
        {
            return;
        }
        let Ok(listed) = listing.finish() else { return };
        for member in listed.found.iter().flatten() {
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
        // Refused or read, but never a panic.
        _ = image::definitions(input);
        _ = image::Reference::parse(&String::from_utf8_lossy(input));
    });
}

/// The annotations of a Deployment and a Service that name something, or are read as a selector.
const NOTES: [&str; 7] = [
    "landfall/previous",
    "landfall/from",
    "landfall/to",
    "landfall/wide-selector",
    "landfall/selector-before",
    "landfall/lock",
    "landfall/preview-of",
];

/// A call is not sent, or stays where the request has its objects: no name of the cluster's own
/// leads elsewhere, in no spelling that a URL knows.
fn assert_stays(call: &Call) {
    if call.refused().is_some() {
        return assert!(call.path.is_empty());
    }
    let base = url::Url::parse("https://cluster.example.com:6443").unwrap();
    let mut url = base.join(&call.path).unwrap();
    let (path, asked) = call.path.split_once('?').unwrap_or((&call.path, ""));
    assert_eq!((url.path(), url.host()), (path, base.host()));
    assert_eq!(url.query().unwrap_or_default(), asked);
    let parts = path.split('/').collect::<Vec<_>>();
    let Some(place) = parts.iter().position(|part| *part == "namespaces") else {
        return assert_eq!(parts.last(), Some(&"selfsubjectaccessreviews"), "{url}");
    };
    let proxy = parts.iter().position(|part| *part == "proxy");
    let deepest = if parts.last() == Some(&"log") { 5 } else { 4 };
    assert!(place <= 4 && parts[place + 1] == "shop", "{url}");
    let within = proxy == Some(place + 4) || parts.len() - place <= deepest;
    assert!(
        within && !path.contains('%') || proxy == Some(place + 4),
        "{url}"
    );
    if proxy.is_none() {
        url.query_pairs_mut().extend_pairs(&call.query);
        assert_eq!(url.query_pairs().count(), call.query.len(), "{url}");
    }
}

/// Decides until nothing more is to be read, with answers that have the fuzzed text for a name.
fn decide_on(request: &Request, mut seen: Observation, deployment: &Value, text: &str) {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let continuation = Continuation::begin("job-1", start, Duration::from_secs(900));
    for _ in 0..40 {
        let look = match strategy::decide(request, &continuation, &seen, start) {
            Decision::Look(look) => look,
            Decision::Act(action) => return assert_stays(&action.call(request)),
            Decision::Enter(_)
            | Decision::Remember(_)
            | Decision::Steady(_)
            | Decision::Wait(_)
            | Decision::Finish(_)
            | Decision::GiveUp(_) => return,
        };
        assert_stays(&look.call(request));
        match &look {
            Look::Scene(sought) => {
                let answer = match sought.shape() {
                    Shape::One => Answer::One(Some(deployment.clone())),
                    Shape::List => Answer::List(vec![named(deployment, text)]),
                    Shape::Text => Answer::Text(Ok(text.to_owned())),
                };
                seen.scene.take(sought, answer);
            }
            Look::Deployment | Look::Newcomer { .. } => {
                seen.renew(Some(Some(Deployment::new(named(deployment, text)))));
            }
            Look::ReplicaSets { .. }
            | Look::Autoscalers
            | Look::Pods { .. }
            | Look::Roster { .. }
            | Look::DryRun(_)
            | Look::Editor { .. }
            | Look::Events { .. }
            | Look::Log { .. }
            | Look::Previous { .. } => return,
        }
    }
}

fn named(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object["metadata"]["name"] = json!(name);
    object
}

#[test]
fn notes_in_the_cluster() {
    let switching = |strategy: &str| {
        let fields = json!({"deployment": "demo-app", "namespace": "shop", "service": "demo-app",
            "strategy": strategy, "restart": true, "smoke": {"path": "/health"}});
        Request::parse(&Parameters::Text(fields.to_string()), "job-1").unwrap()
    };
    let requests = [switching("blueGreen"), switching("immutable")];
    let deployment = crate::stage::demo_app(600);
    let service = landfall_sandbox::world::sample_service("demo-app");
    let lock = r#"{"execution": "job-1", "job": "job-1", "version": "blue",
        "since": "2026-01-01T00:00:00Z", "deadline": "2026-01-01T00:15:00Z"}"#;
    let seeds = [
        "demo-app-6d9c@3",
        "../../other/replicasets/payroll-abc@1",
        "..%2f..%2fother/secrets/x@1",
        r#"{"app": "demo-app", "landfall/version": "../../x"}"#,
        "demo-app?watch=true#",
        "x&fieldSelector=,a in (b)",
        "\\..\\kube-system",
        "//other.example.com/",
        lock,
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    fuzz("notes", seeds, |input| {
        let text = String::from_utf8_lossy(input).into_owned();
        let mut deployment = deployment.clone();
        let mut service = service.clone();
        for note in NOTES {
            deployment["metadata"]["annotations"][note] = json!(text);
            service["metadata"]["annotations"][note] = json!(text);
        }
        service["metadata"]["annotations"]["landfall/job"] = json!("job-1");
        let with_lock = {
            let mut service = service.clone();
            service["metadata"]["annotations"]["landfall/lock"] = json!(lock);
            service["spec"]["selector"]["landfall/version"] = json!("blue");
            service
        };
        let previous = Previous::recorded(&Deployment::new(deployment.clone()));
        let name = previous.map_or_else(|| text.clone(), |previous| previous.name);
        let all = [
            Look::Previous { name: name.clone() },
            Look::Newcomer { name: name.clone() },
            Look::ReplicaSets {
                selector: text.clone(),
            },
            Look::Pods {
                selector: text.clone(),
                set: name.clone(),
            },
            Look::Events {
                kind: "Pod",
                name: text.clone(),
            },
            Look::Log {
                pod: text.clone(),
                container: "app".into(),
                previous: false,
            },
            Look::Log {
                pod: "demo-app-1".into(),
                container: text.clone(),
                previous: true,
            },
            Look::Scene(Sought::Deployment(text.clone())),
            Look::Scene(Sought::Endpoints(text.clone())),
            Look::Scene(Sought::Members(text.clone())),
            Look::Scene(Sought::Smoke {
                target: text.clone(),
                path: "/".into(),
                contains: None,
            }),
            Look::Scene(Sought::Smoke {
                target: "demo-app:80".into(),
                path: text.clone(),
                contains: None,
            }),
        ];
        for (look, request) in all.iter().zip(requests.iter().cycle()) {
            assert_stays(&look.call(request));
        }
        for (request, service) in requests.iter().zip([&service, &with_lock]) {
            let mut seen = Observation::default();
            let found = Answer::One(Some(service.clone()));
            seen.scene.take(&Sought::Service, found);
            decide_on(request, seen, &deployment, &text);
        }
    });
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

#[test]
fn answers_of_the_api() {
    let deployment = crate::stage::demo_app(600);
    let service = landfall_sandbox::world::sample_service("demo-app");
    let seeds = [deployment.clone(), service].map(|seed| seed.to_string().into_bytes());
    fuzz("answer", seeds.to_vec(), |input| {
        let Ok(object) = serde_json::from_slice::<Value>(input) else {
            return;
        };
        // Whatever it is, it is read as each of these, and compared.
        let read = Deployment::new(object.clone());
        _ = (
            read.name(),
            read.revision(),
            read.replicas(),
            read.containers("containers").len(),
        );
        _ = ReplicaSet::read(&object);
        _ = Service::new(object.clone());
        let difference = plan::difference(&deployment, &object);
        assert!(difference.lines.len() <= 100);
    });
}
