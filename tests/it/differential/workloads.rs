//! The lives of StatefulSets, DaemonSets and Jobs beside the real controllers: what their status
//! says wherever they come to rest, and their pods.

use crate::differential::pair::Pair;
use crate::differential::peer::{Cluster, Peer};
use crate::differential::step::{MERGE, MOVING, Step, patch, post, step};
use crate::differential::tables::workload_patches;
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::world::Behaviour;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a life may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);
/// A status that has not changed for so long rests.
const QUIET: Duration = Duration::from_millis(2500);
/// How many nodes the real cluster has, by their names.
const NODES: [&str; 3] = ["landfall-1", "landfall-2", "landfall-3"];

/// A kind of workload in the namespace of the test.
#[derive(Clone, Copy)]
struct Kind {
    path: &'static str,
    /// Its name, and the label of its pods.
    name: &'static str,
}

const SET: Kind = Kind {
    path: "/apis/apps/v1/namespaces/$namespace/statefulsets",
    name: "db",
};
const DAEMON: Kind = Kind {
    path: "/apis/apps/v1/namespaces/$namespace/daemonsets",
    name: "agent",
};

fn template(name: &str, image: &str) -> Value {
    json!({"metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1,
            "containers": [{"name": "app", "image": image}]}})
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}})
}

impl Kind {
    fn change(self, body: Value) -> Step {
        let path = format!("{}/{}", self.path, self.name);
        patch("change", MERGE, &path, body)
    }
}

/// One name for what cannot be equal.
fn scrubbed(mut object: Value) -> Value {
    let mut status = object["status"].take();
    let (current, update) = (
        status["currentRevision"].take(),
        status["updateRevision"].take(),
    );
    status["revisions"] = match current {
        Value::Null => Value::Null,
        current => (current == update).into(),
    };
    for field in ["startTime", "completionTime"] {
        if status[field].is_string() {
            status[field] = true.into();
        }
    }
    let conditions = status["conditions"].as_array_mut();
    for condition in conditions.into_iter().flatten() {
        // It names the pod.
        if condition["reason"] == "PodFailurePolicy" {
            let message = condition["message"].as_str().unwrap_or_default();
            let words = message.split(' ').filter(|word| !word.contains('/'));
            condition["message"] = words.collect::<Vec<_>>().join(" ").into();
        }
        for field in ["lastProbeTime", "lastTransitionTime"] {
            condition[field] = condition[field].is_string().into();
        }
    }
    status["isObserved"] = match status["observedGeneration"].as_i64() {
        None => Value::Null,
        observed => (observed == object["metadata"]["generation"].as_i64()).into(),
    };
    status
}

/// A pod in a line. Those of a StatefulSet have names that are known.
fn told(pod: &Value) -> String {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let name = if name.starts_with("db-") { name } else { "" };
    let image = &pod["spec"]["containers"][0]["image"];
    format!("{name} {image} {}", pod["status"]["phase"])
}

impl Peer {
    async fn life(&mut self, kind: Kind) -> Value {
        let object = step("", "GET", &format!("{}/{}", kind.path, kind.name), "");
        let pods = format!(
            "/api/v1/namespaces/$namespace/pods?labelSelector=app%3D{}",
            kind.name
        );
        let object = self.answer(&object).await["body"].take();
        let pods = self.answer(&step("", "GET", &pods, "")).await["body"]["items"].take();
        let pods = pods.as_array().into_iter().flatten();
        let mut pods: Vec<String> = pods.map(told).collect();
        pods.sort_unstable();
        json!({"status": scrubbed(object), "pods": pods})
    }

    /// Waits until nothing changes any more.
    async fn rest(&mut self, kind: Kind) -> Value {
        let end = Instant::now() + PATIENCE;
        let (mut since, mut before) = (Instant::now(), Value::Null);
        loop {
            let found = self.life(kind).await;
            let rests = found["status"]["isObserved"] != false;
            if found != before || !rests {
                since = Instant::now();
            } else if since.elapsed() >= QUIET {
                return found;
            }
            assert!(
                Instant::now() < end,
                "{} does not rest: {found:#}",
                self.url
            );
            before = found;
            sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Pair {
    async fn with_workloads(name: &str) -> Pair {
        let pair = Pair::new(name).await;
        if let Cluster::Sandbox(server) = &pair.sandbox.cluster {
            server.world(|world, _| {
                let now = Timestamp::now();
                NODES
                    .iter()
                    .for_each(|node| world.set_node(node, true, now));
                world.behave("never-ready", Behaviour::NeverReady);
                let crash = Behaviour::CrashLoop {
                    exit_code: 1,
                    log: String::new(),
                    reason: None,
                };
                world.behave("crash", crash);
                world.timing().termination = SignedDuration::from_millis(200);
            });
        }
        pair
    }

    /// Sends a request to both and compares where both come to rest.
    async fn lead(&mut self, what: &str, kind: Kind, request: &Step) {
        self.sandbox.answer(request).await;
        self.real.answer(request).await;
        let (sandbox, real) = tokio::join!(self.sandbox.rest(kind), self.real.rest(kind));
        self.compare(what, &sandbox, &real);
    }
}

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn stateful_sets_live_alike() {
    let mut pair = Pair::with_workloads("stateful").await;
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
        "spec": {"replicas": 3, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
            "template": template("db", "web:1")}});
    let partition = |number: i64| {
        json!({"updateStrategy": {"type": "RollingUpdate",
            "rollingUpdate": {"partition": number}}})
    };
    let spec = |spec: Value| json!({"spec": spec});
    let pod = "/api/v1/namespaces/$namespace/pods/db-2";
    let on_delete = spec(json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}));
    for (what, request) in [
        ("created", post("", SET.path, &set)),
        ("held back", SET.change(spec(partition(2)))),
        ("partly updated", SET.change(image("web:2"))),
        ("let go", SET.change(spec(partition(0)))),
        ("broken", SET.change(image("web:never-ready"))),
        ("blocked by its broken pod", SET.change(image("web:2"))),
        ("repaired", step("", "DELETE", pod, "")),
        ("smaller", SET.change(spec(json!({"replicas": 1})))),
        ("larger", SET.change(spec(json!({"replicas": 3})))),
        ("on delete", SET.change(on_delete)),
        ("not rolled", SET.change(image("web:3"))),
        ("rolled by hand", step("", "DELETE", pod, "")),
    ] {
        pair.lead(what, SET, &request).await;
    }
    pair.end();
}

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn daemon_sets_live_alike() {
    let mut pair = Pair::with_workloads("daemon").await;
    let set = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"},
        "spec": {"selector": {"matchLabels": {"app": "agent"}},
            "template": template("agent", "web:1")}});
    let rolling = |surge: i64, unavailable: i64| {
        json!({"spec": {"updateStrategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}})
    };
    let on_delete =
        json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}});
    for (what, request) in [
        ("created", post("", DAEMON.path, &set)),
        ("updated", DAEMON.change(image("web:2"))),
        ("broken", DAEMON.change(image("web:never-ready"))),
        ("repaired", DAEMON.change(image("web:2"))),
        ("with surge", DAEMON.change(rolling(1, 0))),
        ("updated with surge", DAEMON.change(image("web:3"))),
        ("broken with surge", DAEMON.change(image("web:never-ready"))),
        ("repaired with surge", DAEMON.change(image("web:3"))),
        ("on delete", DAEMON.change(on_delete)),
        ("not rolled", DAEMON.change(image("web:4"))),
    ] {
        pair.lead(what, DAEMON, &request).await;
    }
    pair.end();
}

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn strategic_patches_of_both_are_applied_alike() {
    let mut pair = Pair::with_workloads("workload-patches").await;
    let of = |kind: &str, name: &str, more: Value| {
        let mut object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": name}},
                "template": template(name, "web:1")}});
        let fields = more.as_object().unwrap().clone();
        object["spec"].as_object_mut().unwrap().extend(fields);
        object
    };
    let mut daemon = of("DaemonSet", "agent", json!({}));
    // It has no node, so that nothing changes beside what is asked for.
    daemon["spec"]["template"]["spec"]["nodeSelector"] = json!({"landfall/none": "here"});
    let set = of(
        "StatefulSet",
        "db",
        json!({"replicas": 0, "serviceName": "db"}),
    );
    for (kind, object) in [(SET, set), (DAEMON, daemon)] {
        pair.lead("created", kind, &post("", kind.path, &object))
            .await;
        let path = format!("{}/{}", kind.path, kind.name);
        for row in workload_patches() {
            let name = format!("{}: {}", kind.name, row.name);
            let step = patch(&name, row.content_type, &path, row.body);
            pair.ask(&step.ignoring(MOVING)).await;
        }
    }
    pair.end();
}

const JOBS: &str = "/apis/batch/v1/namespaces/$namespace/jobs";

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn jobs_live_alike() {
    let mut pair = Pair::with_workloads("jobs").await;
    let policy = |action: &str| json!({"rules": [{"action": action, "onExitCodes": {"operator": "In", "values": [1]}}]});
    let indexed = |more: Value| {
        let mut spec = json!({"completionMode": "Indexed"});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        spec
    };
    for (name, image, spec) in [
        ("plain", "web:1", json!({"completions": 2})),
        ("broken", "web:crash", json!({"backoffLimit": 0})),
        (
            "indexed",
            "web:1",
            indexed(json!({"completions": 3, "parallelism": 2})),
        ),
        (
            "well",
            "web:1",
            indexed(json!({"completions": 2, "backoffLimitPerIndex": 0})),
        ),
        (
            "given-up",
            "web:crash",
            indexed(json!({"completions": 3, "parallelism": 3, "backoffLimitPerIndex": 0})),
        ),
        (
            "too-many",
            "web:crash",
            indexed(json!({"completions": 4, "backoffLimitPerIndex": 0, "maxFailedIndexes": 1})),
        ),
        (
            "failed-index",
            "web:crash",
            indexed(
                json!({"completions": 2, "parallelism": 2, "backoffLimitPerIndex": 5,
                "podFailurePolicy": policy("FailIndex")}),
            ),
        ),
        (
            "met",
            "web:1",
            indexed(json!({"completions": 3, "parallelism": 1,
                "successPolicy": {"rules": [{"succeededIndexes": "2"}, {"succeededIndexes": "0"}]}})),
        ),
        (
            "met-by-count",
            "web:1",
            indexed(json!({"completions": 4, "parallelism": 1,
                "successPolicy": {"rules": [{"succeededIndexes": "0-2", "succeededCount": 2}]}})),
        ),
        (
            "failed-job",
            "web:crash",
            json!({"podFailurePolicy": policy("FailJob")}),
        ),
        (
            "ignored",
            "web:crash",
            json!({"backoffLimit": 0, "podFailurePolicy": policy("Ignore")}),
        ),
        (
            "counted",
            "web:crash",
            json!({"backoffLimit": 0, "podFailurePolicy": policy("Count")}),
        ),
    ] {
        let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": spec});
        job["spec"]["template"] = template(name, image);
        job["spec"]["template"]["spec"]["restartPolicy"] = "Never".into();
        let kind = Kind { path: JOBS, name };
        pair.lead(name, kind, &post("", JOBS, &job)).await;
    }
    pair.end();
}
