//! Releases of whole folders beside `kubectl apply --server-side` and `kubectl diff --server-side`
//! of the same folder, in turns, each in a namespace of its own of the same control plane.

mod folder;

use crate::audit::Calls;
use crate::candidate::Candidate;
use crate::kubectl::{Home, Used};
use crate::plane::Plane;
use crate::process::{Process, event_with};
use crate::report::table;
use crate::spread::Spread;
use folder::Folder;
use landfall_sandbox::aws::Aws;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// The two that are compared, by their ServiceAccounts.
const LANDFALL: &str = "bench-landfall";
const KUBECTL: &str = "bench-kubectl";
/// The input artifact.
const BUCKET: &str = "bench";
const KEY: &str = "bench/Source/objects";
/// How long one of them may take before the measurement fails.
const PATIENCE: Duration = Duration::from_secs(300);
/// The status of `kubectl diff` where something differs.
const DIFFERS: i32 = 1;

/// What both do to a folder, in this order: its title, whether it is only asked what would be
/// changed, and which version of the folder is used.
const CASES: [(&str, bool, u32); 6] = [
    ("plan of a new folder", true, 1),
    ("first release", false, 1),
    ("plan without changes", true, 1),
    ("release without changes", false, 1),
    ("plan of changes", true, 2),
    ("release of changes", false, 2),
];

/// How much is in the folder, and how often it is measured.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) objects: usize,
    pub(crate) bytes: usize,
    pub(crate) rounds: usize,
}

/// What a case took, each round.
#[derive(Default)]
struct Measured {
    used: Vec<Used>,
    calls: Calls,
}

impl Measured {
    fn take(&mut self, (used, calls): (Used, Calls)) {
        self.used.push(used);
        self.calls = std::mem::take(&mut self.calls).or(calls);
    }

    fn spread(&self, of: impl Fn(&Used) -> f64) -> Spread {
        Spread::of(self.used.iter().map(of)).expect("each case is measured")
    }
}

/// Runs all rounds of a size, and returns them as a table.
pub(crate) async fn measure(function: &Path, size: Size) -> Result<String, String> {
    let releases = Releases::prepare(function)?;
    let mut all: [[Measured; 2]; CASES.len()] = Default::default();
    for round in 0..size.rounds {
        eprintln!(
            "{} objects: round {} of {}",
            size.objects,
            round + 1,
            size.rounds
        );
        let spaces = [LANDFALL, KUBECTL].map(|name| format!("{name}-{}-{round}", size.objects));
        for space in &spaces {
            releases
                .plane
                .kubectl
                .ask(&["create", "namespace", space], "")?;
        }
        for ((title, is_plan, version), measured) in CASES.into_iter().zip(&mut all) {
            let folder = Folder::new(size.objects, size.bytes, version);
            // The one that is first leaves the caches cold for the other.
            for turn in 0..2 {
                let took = match (round + turn) % 2 {
                    0 => releases.release(&folder, &spaces[0], is_plan).await,
                    _ => releases.apply(&folder, &spaces[1], is_plan),
                };
                let took = took.map_err(|problem| format!("{title}: {problem}"))?;
                measured[(round + turn) % 2].take(took);
            }
        }
        for space in &spaces {
            releases.check(space, size.objects)?;
            let gone = ["delete", "namespace", space, "--wait=false"];
            releases.plane.kubectl.ask(&gone, "")?;
        }
    }
    Ok(text(&releases.plane.version, size, &all))
}

fn text(version: &str, size: Size, all: &[[Measured; 2]]) -> String {
    let megabytes = size.bytes as f64 / 1024.0 / 1024.0;
    let head = [
        &*format!(
            "{} objects, {megabytes:.1} MiB, Kubernetes {version}",
            size.objects
        ),
        "Landfall",
        "kubectl",
        "ratio",
        "at worst",
        "kubectl's",
        "CPU",
        "kubectl's",
        "memory",
        "kubectl's",
        "calls: reads, dry runs, writes",
        "kubectl's",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for ((title, ..), [landfall, kubectl]) in CASES.iter().zip(all) {
        let seconds = [landfall, kubectl].map(|one| one.spread(|used| used.seconds));
        let cpu = [landfall, kubectl].map(|one| one.spread(|used| used.cpu).median);
        let peak = [landfall, kubectl].map(|one| one.spread(|used| used.peak).worst);
        rows.push(vec![
            (*title).to_owned(),
            format!("{:.2} s", seconds[0].median),
            format!("{:.2} s", seconds[1].median),
            format!("{:.2}", seconds[0].median / seconds[1].median),
            format!("{:.2} s", seconds[0].worst),
            format!("{:.2} s", seconds[1].worst),
            format!("{:.0} ms", cpu[0]),
            format!("{:.0} ms", cpu[1]),
            format!("{:.0} MiB", peak[0]),
            format!("{:.0} MiB", peak[1]),
            landfall.calls.words(),
            kubectl.calls.words(),
        ]);
    }
    table(&rows)
}

/// The control plane, the function that is measured, and the token of each of the two.
struct Releases {
    plane: Plane,
    candidate: Candidate,
    tokens: [String; 2],
}

impl Releases {
    fn prepare(function: &Path) -> Result<Releases, String> {
        let plane = Plane::find()?;
        let tokens = [plane.account(LANDFALL)?, plane.account(KUBECTL)?];
        Ok(Releases {
            plane,
            candidate: Candidate::landfall(function),
            tokens,
        })
    }

    /// Runs a cold invocation of the function.
    async fn release(
        &self,
        folder: &Folder,
        namespace: &str,
        is_plan: bool,
    ) -> Result<(Used, Calls), String> {
        let aws = Aws::start().await.map_err(|error| error.to_string())?;
        aws.put_object(BUCKET, KEY, folder.archive());
        let mode = if is_plan { "plan" } else { "deploy" };
        let mut event = event_with(&json!({"manifests": "k8s", "release": "bench",
            "namespace": namespace, "mode": mode}));
        let data = &mut event["CodePipeline.job"]["data"];
        data["inputArtifacts"] = json!([{"name": "Source", "location": {"type": "S3",
            "s3Location": {"bucketName": BUCKET, "objectKey": KEY}}}]);
        data["artifactCredentials"] = json!({"accessKeyId": "ASIABENCH",
            "secretAccessKey": "secret", "sessionToken": "session"});
        let access = self.plane.access(&self.plane.url, &self.tokens[0]);
        let counted = self.plane.audit.count(LANDFALL)?;
        let process = Process::start_in(aws, &self.candidate, access, event)?;
        let report = process.first(PATIENCE).await?;
        let used = Used {
            seconds: report.at.duration_since(process.started).as_secs_f64(),
            cpu: process.cpu()?,
            peak: process.peak()?,
        };
        Ok((used, self.plane.audit.since(counted)?))
    }

    /// Runs `kubectl` as a build step.
    fn apply(
        &self,
        folder: &Folder,
        namespace: &str,
        is_plan: bool,
    ) -> Result<(Used, Calls), String> {
        let home = Home::make(namespace)?;
        let files = folder.write(home.path())?;
        let verb = if is_plan { "diff" } else { "apply" };
        let mut arguments = vec![verb, "--server-side", "--namespace", namespace];
        let flags = self.plane.flags(&self.plane.url, &self.tokens[1]);
        arguments.extend(flags.iter().map(String::as_str));
        arguments.extend(["--filename", &files]);
        let counted = self.plane.audit.count(KUBECTL)?;
        let accepted = if is_plan { DIFFERS } else { 0 };
        let used = self
            .plane
            .kubectl
            .measure(&arguments, home.path(), accepted)?;
        Ok((used, self.plane.audit.since(counted)?))
    }

    /// Whether everything is there: one that leaves something out is fast.
    fn check(&self, namespace: &str, objects: usize) -> Result<(), String> {
        let names = [
            "get",
            folder::KINDS,
            "--namespace",
            namespace,
            "--output=name",
            "--selector",
            folder::SELECTOR,
        ];
        let found = self.plane.kubectl.ask(&names, "")?.lines().count();
        match found == objects {
            true => Ok(()),
            false => Err(format!(
                "{namespace} has {found} objects instead of {objects}"
            )),
        }
    }
}
