//! What must be there when a release is over, whatever happened in between.

use super::draw::Fate;
use super::life::Life;
use super::version::{RESOURCES, Version, name, resource};
use crate::release_simulation::judge::has;
use crate::stage::Stage;
use landfall_sandbox::aws::{JobResult, Outcome};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the cluster may take to be as the release left it: pods start, and what is deleted in
/// the background goes.
const SETTLING: Duration = Duration::from_secs(20);

/// The records that are kept of releases that worked.
const KEPT: usize = 5;

impl Life {
    /// The report is true, and the cluster has the whole new version or the whole old one.
    pub async fn judge(&mut self, version: Version, ended: &Outcome) {
        self.tell(format!("{ended:?}"));
        let mut problem = self.reported(version, ended);
        if problem.is_ok() {
            if version.fate == Fate::Well {
                self.served(version);
            }
            problem = self.in_order(version).await;
        }
        if problem.is_ok() {
            problem = self.others.changed(&self.stage).await;
        }
        if let Err(problem) = problem {
            self.give_up(&problem);
        }
    }

    fn reported(&self, version: Version, ended: &Outcome) -> Result<(), String> {
        match (version.fate, ended) {
            (Fate::Well, Outcome::Succeeded(_)) => Ok(()),
            (Fate::Doomed | Fate::NoMigration, Outcome::Failed(report)) => {
                let JobResult::Failure { kind, message, .. } = &report.result else {
                    return Err("no failure".to_owned());
                };
                let (object, section) = match version.fate {
                    Fate::Doomed => ("Deployment/worker", "operations.md, crash"),
                    _ => ("Job/migrate", "operations.md, job-failed"),
                };
                let back = match self.good {
                    Some(_) => "was rolled back to revision",
                    None => "was taken back",
                };
                for said in [object, section, back] {
                    ensure(message.contains(said), || format!("`{said}` is not said"))?;
                }
                ensure(kind == "JobFailed", || format!("its type is {kind}"))?;
                ensure(!message.contains("only in part"), || "in part".to_owned())
            }
            _ => Err("it ends otherwise".to_owned()),
        }
    }

    /// What is there when nobody is at work.
    async fn in_order(&self, version: Version) -> Result<(), String> {
        let deadline = Instant::now() + SETTLING;
        loop {
            let found = is_whole(&self.stage, self.good, version).await;
            match found {
                Ok(()) => break,
                Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(100)).await,
                Err(problem) => return Err(problem),
            }
        }
        self.is_recorded(version).await
    }

    /// The lock is given back, and the records say what happened.
    async fn is_recorded(&self, version: Version) -> Result<(), String> {
        let parent = self.stage.cluster.object("secrets", "landfall.shop").await;
        let parent = parent.ok_or("there is no parent")?;
        let notes = &parent["metadata"]["annotations"];
        let lock = &notes["landfall/lock"];
        ensure(lock.is_null(), || format!("it is locked: {lock}"))?;
        let records = self.records().await;
        let newest = records.last().ok_or("there is no record")?;
        let status = &newest["metadata"]["annotations"]["landfall/status"];
        let wanted = match version.fate {
            Fate::Well => "deployed",
            Fate::Doomed | Fate::NoMigration => "failed",
        };
        ensure(status == wanted, || {
            format!("the newest record is {status}")
        })?;
        let is_good = |record: &&Value| {
            let status = &record["metadata"]["annotations"]["landfall/status"];
            status == "deployed" || status == "superseded"
        };
        let good = records.iter().filter(is_good).count();
        ensure(good <= KEPT, || format!("{good} good records are kept"))
    }
}

/// Whether exactly the objects of a version are in the release, as it asks for them.
async fn is_whole(stage: &Stage, good: Option<Version>, last: Version) -> Result<(), String> {
    let manifests = good.map(Version::manifests).unwrap_or_default();
    let mut wanted = BTreeSet::new();
    for manifest in &manifests {
        let (resource, name) = (resource(manifest), name(manifest).to_owned());
        wanted.insert(format!("{resource}/{name}"));
        let live = stage.cluster.object(&resource, &name).await;
        let live = live.ok_or_else(|| format!("{resource}/{name} is not there"))?;
        // What a migration did stays, and so does its Job.
        let is_back = good.is_some_and(|good| good.back);
        if resource == "jobs" && (last.fate != Fate::Well || is_back) {
            continue;
        }
        let has = has(&live, manifest);
        ensure(has, || {
            format!("{resource}/{name} is {live}, not {manifest}")
        })?;
        serves(&resource, &live)?;
    }
    let found = members(stage).await;
    let job = "jobs/migrate".to_owned();
    let spare = found.difference(&wanted).filter(|it| **it != job);
    let spare = spare.collect::<Vec<_>>();
    ensure(spare.is_empty(), || {
        format!("{spare:?} should not be there")
    })?;
    let missing = wanted.difference(&found).collect::<Vec<_>>();
    ensure(missing.is_empty(), || {
        format!("{missing:?} are not in the release")
    })
}

/// Everything that is labelled as part of the release.
async fn members(stage: &Stage) -> BTreeSet<String> {
    let parent = stage.cluster.object("secrets", "landfall.shop").await;
    let parent = parent.unwrap_or_default();
    let id = parent["metadata"]["labels"]["applyset.kubernetes.io/id"].clone();
    let mut all = BTreeSet::new();
    for resource in RESOURCES {
        for object in stage.cluster.objects(resource).await {
            if object["metadata"]["labels"]["applyset.kubernetes.io/part-of"] == id {
                all.insert(format!("{resource}/{}", name(&object)));
            }
        }
    }
    all
}

fn serves(resource: &str, live: &Value) -> Result<(), String> {
    let status = &live["status"];
    let is_so = match resource {
        "deployments" => status["availableReplicas"] == 2 && status["replicas"] == 2,
        "statefulsets" => {
            status["readyReplicas"] == 2 && status["updateRevision"] == status["currentRevision"]
        }
        "daemonsets" => status["numberReady"] == status["desiredNumberScheduled"],
        "jobs" => status["succeeded"] == 1,
        _ => true,
    };
    ensure(is_so, || {
        format!("{resource}/{} does not serve: {status}", name(live))
    })
}

/// All of the release and of its records, without what controllers write by themselves.
pub async fn state(stage: &Stage) -> Vec<Value> {
    let mut all = Vec::new();
    for resource in RESOURCES {
        for object in stage.cluster.objects(resource).await {
            let (metadata, spec) = (&object["metadata"], &object["spec"]);
            let notes = &metadata["annotations"];
            let data = &object["data"];
            let told = [&metadata["uid"], &metadata["labels"], notes, spec, data];
            all.push(json!([resource, name(&object), told]));
        }
    }
    all
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
