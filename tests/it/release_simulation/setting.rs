//! The cluster in which the releases of the simulation happen, and what they ask for.

use crate::stage::TOKEN;
use jiff::{SignedDuration, Timestamp};
use landfall_core::request::{Asked, Draft, File, Files, NamedFile, Parameters, ReleaseRequest};
use landfall_sandbox::world::{Behaviour, World, sample_deployment, sample_service};
use serde_json::{Value, json};

/// How the new version fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It serves.
    Well,
    /// The pods of one workload never run.
    Doomed,
    /// The migration fails.
    NoMigration,
}

pub const FATES: [Fate; 3] = [Fate::Well, Fate::Doomed, Fate::NoMigration];

/// What is there before the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing of it.
    Fresh,
    /// Its first version.
    Upgrade,
    /// Its second version after its first one, which is to come back on demand.
    Return,
}

/// In place of a version: a rollback on demand.
pub const BACK: u32 = 0;

impl Start {
    /// The versions that were released before, one after the other.
    pub fn released(self) -> &'static [u32] {
        match self {
            Start::Fresh => &[],
            Start::Upgrade => &[1],
            Start::Return => &[1, 2],
        }
    }

    /// The version that is asked for.
    pub fn asked(self) -> u32 {
        match self {
            Start::Fresh | Start::Upgrade => 2,
            Start::Return => BACK,
        }
    }

    /// What is there before.
    pub fn before(self) -> Vec<Value> {
        let last = self.released().last();
        last.map(|version| manifests(*version)).unwrap_or_default()
    }

    /// What is there when it has succeeded. A rollback leaves the Job as it is.
    pub fn after(self) -> Vec<Value> {
        match self {
            Start::Fresh | Start::Upgrade => manifests(2),
            Start::Return => {
                let mut all = manifests(1);
                all.retain(|it| it["kind"] != "Job");
                all.push(job(2));
                all
            }
        }
    }

    /// The ConfigMap that is pruned then.
    pub fn pruned(self) -> Option<&'static str> {
        match self {
            Start::Fresh => None,
            Start::Upgrade => Some("former"),
            Start::Return => Some("added"),
        }
    }
}

/// Plural and name of everything that a version of the release has.
pub const OBJECTS: [(&str, &str); 7] = [
    ("configmaps", "settings"),
    ("configmaps", "former"),
    ("configmaps", "added"),
    ("services", "web"),
    ("jobs", "migrate"),
    ("deployments", "web"),
    ("deployments", "worker"),
];

/// An object of another release, and one of nobody: neither may ever be written.
pub const OTHERS: [(&str, &str); 2] = [("configmaps", "theirs"), ("configmaps", "nobodys")];

pub fn begin() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A cluster with objects of others alone.
pub fn world() -> World {
    let mut world = World::new(TOKEN);
    world.keep_no_history();
    let completes = Behaviour::Completes {
        after: SignedDuration::from_secs(2),
        log: "migrated".to_owned(),
    };
    world.behave("migrate:", completes);
    let mut theirs = config_map("theirs", 1);
    theirs["metadata"]["labels"] = json!({"applyset.kubernetes.io/part-of": "applyset-other-v1"});
    world.apply(theirs, begin());
    world.apply(config_map("nobodys", 1), begin());
    world
}

/// Decides how the version fares that is asked for.
pub fn doom(world: &mut World, start: Start, fate: Fate) {
    let version = if start == Start::Return { 1 } else { 2 };
    match fate {
        Fate::Well => {}
        Fate::Doomed => world.behave(format!("worker:{version}"), Behaviour::InvalidImageName),
        Fate::NoMigration => world.behave(
            format!("migrate:{version}"),
            Behaviour::CrashLoop {
                exit_code: 1,
                log: "column exists".to_owned(),
                reason: None,
            },
        ),
    }
}

fn config_map(name: &str, version: u32) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": {"version": version.to_string()},
    })
}

fn deployment(name: &str, version: u32) -> Value {
    let mut deployment = sample_deployment(name, &format!("registry.example.com/{name}:{version}"));
    deployment["spec"]["progressDeadlineSeconds"] = json!(60);
    deployment
}

fn job(version: u32) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "migrate", "namespace": "default"},
        "spec": {"backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{
                "name": "migrate",
                "image": format!("registry.example.com/migrate:{version}"),
            }],
        }}},
    })
}

/// The manifests of a version. The second one has no `former` any more, and `added` is new.
pub fn manifests(version: u32) -> Vec<Value> {
    let only = if version == 1 { "former" } else { "added" };
    vec![
        deployment("worker", version),
        deployment("web", version),
        job(version),
        sample_service("web"),
        config_map("settings", version),
        config_map(only, version),
    ]
}

/// The request for a version, or for a rollback on demand, by a pipeline's job.
pub fn request(version: u32, job: &str) -> ReleaseRequest {
    let mut fields = json!({
        "release": "shop",
        "prune": true,
        "timeout": "10m",
        "execution": format!("execution-of-{job}"),
    });
    match version {
        BACK => fields["mode"] = json!("rollback"),
        _ => fields["manifests"] = json!("k8s"),
    }
    request_for(&fields, &manifests(version), job)
}

/// The request for a release of these objects.
pub fn request_for(fields: &Value, manifests: &[Value], job: &str) -> ReleaseRequest {
    let parameters = Parameters::Text(fields.to_string());
    let documents = manifests.iter().map(|it| it.to_string());
    let content = documents.collect::<Vec<_>>().join("\n---\n").into_bytes();
    let files = Files {
        manifests: vec![NamedFile {
            path: "k8s/all.yaml".to_owned(),
            file: File {
                artifact: "Source".to_owned(),
                revision: None,
                content,
            },
        }],
        ..Files::default()
    };
    match Draft::read(&parameters).unwrap().complete(files, job) {
        Ok(Asked::Release(request)) => request,
        other => panic!("{other:?}"),
    }
}
