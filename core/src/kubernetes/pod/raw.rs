//! The JSON format of a list of pods.

mod ending;

use super::model::{Container, Ended, Gate, NO_SCHEDULER, Pod, Said, State, Unscheduled};
use super::raw_object::{RawMetadata, clipped, null, time};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The reason of a pod whose scheduler has named a node that is not there yet.
const NOMINATED: &str = "Nominated";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawPod {
    pub(super) metadata: RawMetadata,
    spec: RawSpec,
    status: RawStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawSpec {
    #[serde(deserialize_with = "null")]
    node_name: String,
    #[serde(deserialize_with = "null")]
    init_containers: Vec<RawContainerSpec>,
    #[serde(deserialize_with = "null")]
    containers: Vec<RawContainerSpec>,
    #[serde(deserialize_with = "null")]
    readiness_gates: Vec<RawGate>,
    #[serde(deserialize_with = "null")]
    scheduler_name: String,
    #[serde(deserialize_with = "null")]
    restart_policy: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawGate {
    #[serde(deserialize_with = "null")]
    condition_type: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawContainerSpec {
    name: String,
    #[serde(deserialize_with = "null")]
    image: String,
    #[serde(deserialize_with = "null")]
    restart_policy: String,
    readiness_probe: Value,
    liveness_probe: Value,
    startup_probe: Value,
    resources: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawStatus {
    #[serde(deserialize_with = "null")]
    phase: String,
    #[serde(deserialize_with = "null")]
    reason: String,
    #[serde(deserialize_with = "clipped")]
    message: String,
    #[serde(deserialize_with = "null")]
    nominated_node_name: String,
    #[serde(deserialize_with = "null")]
    conditions: Vec<RawCondition>,
    #[serde(deserialize_with = "null")]
    init_container_statuses: Vec<RawContainer>,
    #[serde(deserialize_with = "null")]
    container_statuses: Vec<RawContainer>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(deserialize_with = "null")]
    reason: String,
    #[serde(deserialize_with = "clipped")]
    message: String,
    #[serde(deserialize_with = "time")]
    last_transition_time: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawContainer {
    name: String,
    #[serde(deserialize_with = "null")]
    ready: bool,
    started: Option<bool>,
    #[serde(deserialize_with = "null")]
    image: String,
    #[serde(deserialize_with = "null")]
    restart_count: u64,
    #[serde(deserialize_with = "null")]
    state: RawState,
    #[serde(deserialize_with = "null")]
    last_state: RawState,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawState {
    waiting: Option<Said>,
    running: Option<serde::de::IgnoredAny>,
    terminated: Option<Ended>,
}

impl RawPod {
    /// The names of the objects that control the pod: a ReplicaSet, a StatefulSet, …
    pub(super) fn controllers(&self) -> Vec<String> {
        let owners = self.metadata.owner_references.iter();
        let controllers = owners.filter(|owner| owner.controller);
        controllers.map(|owner| owner.name.clone()).collect()
    }

    fn condition(&self, kind: &str) -> Option<&RawCondition> {
        let mut conditions = self.status.conditions.iter();
        conditions.find(|condition| condition.kind == kind)
    }

    fn condition_that_holds(&self, kind: &str) -> Option<&RawCondition> {
        self.condition(kind).filter(|it| it.status == "True")
    }

    pub(super) fn is_ready(&self) -> bool {
        self.condition_that_holds("Ready").is_some()
    }

    /// Whether a container was started anew.
    pub(super) fn was_restarted(&self) -> bool {
        let statuses = self.status.init_container_statuses.iter();
        let mut statuses = statuses.chain(&self.status.container_statuses);
        statuses.any(|status| status.restart_count > 0)
    }

    /// The spec of a container that has a status.
    fn container(&self, name: &str) -> Option<&RawContainerSpec> {
        let init = self.spec.init_containers.iter();
        init.chain(&self.spec.containers)
            .find(|container| container.name == name)
    }

    fn containers(&self) -> Vec<Container> {
        let init = self.status.init_container_statuses.iter();
        let init = init.map(|status| (status, true));
        let main = self.status.container_statuses.iter();
        let all = init.chain(main.map(|status| (status, false)));
        all.map(|(status, init)| status.read(init, self.container(&status.name)))
            .collect()
    }

    /// The readiness gates that keep the pod from being ready.
    fn gates(&self) -> Vec<Gate> {
        let gates = self.spec.readiness_gates.iter();
        let gates = gates.map(|gate| {
            let condition = self.condition(&gate.condition_type);
            Gate {
                name: gate.condition_type.clone(),
                status: condition.map(|it| it.status.clone()).unwrap_or_default(),
                why: condition.map(RawCondition::said).unwrap_or_default(),
            }
        });
        gates.filter(|gate| gate.status != "True").collect()
    }
}

impl RawStatus {
    fn said(&self) -> Said {
        Said {
            reason: self.reason.clone(),
            message: self.message.clone(),
        }
    }
}

impl RawCondition {
    fn said(&self) -> Said {
        Said {
            reason: self.reason.clone(),
            message: self.message.clone(),
        }
    }
}

impl RawContainerSpec {
    /// The fields that a message may mention.
    fn kept(&self) -> String {
        let mut kept = Map::new();
        for (name, value) in [
            ("readinessProbe", &self.readiness_probe),
            ("livenessProbe", &self.liveness_probe),
            ("startupProbe", &self.startup_probe),
            ("resources", &self.resources),
        ] {
            if !value.is_null() {
                kept.insert(name.to_owned(), value.clone());
            }
        }
        if self.restart_policy == "Always" {
            kept.insert("restartPolicy".to_owned(), "Always".into());
        }
        Value::Object(kept).to_string()
    }
}

impl From<RawPod> for Pod {
    fn from(raw: RawPod) -> Pod {
        // https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
        let ready = raw.condition("Ready");
        let is_lost = raw.status.reason == "NodeLost" || raw.status.phase == "Unknown";
        let disruption = if is_lost {
            Some(raw.status.said())
        } else {
            let target = raw.condition_that_holds("DisruptionTarget");
            let silent = ready.filter(|ready| ready.status == "Unknown");
            target.or(silent).map(RawCondition::said)
        };
        let disrupted = disruption.is_some();
        let why = disruption
            .or_else(|| ready.map(RawCondition::said))
            .filter(|why| *why != Said::default())
            .unwrap_or_else(|| raw.status.said());
        let scheduled = raw.condition("PodScheduled");
        Pod {
            created: raw.metadata.creation_timestamp,
            scheduled: raw
                .condition_that_holds("PodScheduled")
                .and_then(|condition| condition.last_transition_time),
            unscheduled: match scheduled {
                Some(condition) if condition.status == "False" => Some(Unscheduled {
                    reason: condition.reason.clone(),
                    message: condition.message.clone(),
                    since: condition.last_transition_time,
                }),
                None if raw.spec.node_name.is_empty() => {
                    // Fargate's scheduler names a node, and needs a minute or more to start it.
                    let (reason, message) = match raw.status.nominated_node_name.as_str() {
                        "" => (NO_SCHEDULER, raw.spec.scheduler_name.clone()),
                        _ => (NOMINATED, String::new()),
                    };
                    Some(Unscheduled {
                        reason: reason.to_owned(),
                        message,
                        since: raw.metadata.creation_timestamp,
                    })
                }
                Some(_) | None => None,
            },
            disrupted,
            why,
            containers_ready: raw.condition_that_holds("ContainersReady").is_some(),
            gates: raw.gates(),
            containers: raw.containers(),
            ends_once: raw.spec.restart_policy == "Never",
            phase: raw.status.phase,
            uid: raw.metadata.uid,
            name: raw.metadata.name,
            node: raw.spec.node_name,
        }
    }
}

impl RawContainer {
    /// Reads the container together with its spec. An init container with the policy `Always` is a
    /// sidecar.
    fn read(&self, init: bool, spec: Option<&RawContainerSpec>) -> Container {
        let RawState {
            waiting,
            running,
            terminated,
        } = &self.state;
        let state = match (terminated, running, waiting) {
            (Some(ended), ..) => State::Ended(ended.clone()),
            (_, Some(_), _) => State::Running,
            (_, _, Some(waiting)) => State::Waiting {
                reason: waiting.reason.clone(),
                message: waiting.message.clone(),
            },
            (None, None, None) => State::Unknown,
        };
        Container {
            name: self.name.clone(),
            init: init && spec.is_none_or(|spec| spec.restart_policy != "Always"),
            ready: self.ready,
            started: self.started,
            image: spec
                .map(|spec| spec.image.clone())
                .filter(|image| !image.is_empty())
                .unwrap_or_else(|| self.image.clone()),
            spec: spec.map(RawContainerSpec::kept).unwrap_or_default(),
            restarts: self.restart_count,
            state,
            last: self.last_state.terminated.clone(),
        }
    }
}
