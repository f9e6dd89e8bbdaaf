//! What we read of pods and events: typed, so that the rest of a page is skipped as it is parsed.
//! Of five thousand pods all that is kept is what may explain why they do not serve.

use super::object::timestamp;
use crate::report::clip;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// How much of Kubernetes' sentences is kept.
const TEXT_LIMIT: usize = 600;

/// The pods of one ReplicaSet, as far as they count for its rollout.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pods {
    /// How many are ready.
    pub ready: usize,
    /// The others.
    pub others: Vec<Pod>,
    /// Whether there are more than were read.
    pub cut: bool,
}

/// A pod that is not ready.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pod {
    /// `metadata.name`.
    pub name: String,
    /// The node; empty where none has taken it.
    pub node: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When a node took it.
    pub scheduled: Option<Timestamp>,
    /// Why no node takes it.
    pub unscheduled: Option<Unscheduled>,
    /// Whether its node is lost, or is about to end it (eviction, preemption).
    pub disrupted: bool,
    /// Its init containers, then its containers.
    pub containers: Vec<Container>,
}

/// A pod's condition `PodScheduled` that is `False`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unscheduled {
    /// `Unschedulable`, `SchedulingGated`.
    pub reason: String,
    /// The scheduler's own words.
    pub message: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Whether it has to end before the others begin.
    pub init: bool,
    /// Whether it is ready.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u64,
    /// What it does.
    pub state: State,
    /// How it ended the last time before.
    pub last: Option<Ended>,
}

/// What a container does.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    /// The kubelet has not said.
    #[default]
    Unknown,
    /// It waits to be started.
    Waiting {
        /// `ContainerCreating`, `CrashLoopBackOff`, …
        reason: String,
        /// The kubelet's sentence, possibly empty.
        message: String,
    },
    /// It runs.
    Running,
    /// It is over.
    Ended(Ended),
}

/// The end of a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    /// Its exit code.
    pub code: i64,
    /// `Error`, `OOMKilled`, `StartError`, `Completed`, …
    pub reason: String,
    /// What the container left, or the runtime says.
    pub message: String,
    /// When.
    pub finished: Option<Timestamp>,
}

/// An event about a pod or a ReplicaSet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// `BackOff`, `Unhealthy`, …
    pub reason: String,
    /// The sentence.
    pub message: String,
    /// How often it happened.
    pub count: u64,
    /// When it happened last.
    pub last: Option<Timestamp>,
}

impl Pods {
    /// Reads a page of a list, of which this ReplicaSet's pods count, and the token of the next
    /// page. `None` where the text is no list.
    pub fn read(page: &[u8], set: &str) -> Option<(Pods, String)> {
        let list: List<RawPod> = serde_json::from_slice(page).ok()?;
        let mut pods = Pods::default();
        let counting = |pod: &RawPod| pod.is_of(set) && pod.counts();
        for pod in list.items.into_iter().filter(counting) {
            if pod.is_ready() {
                pods.ready += 1;
            } else {
                pods.others.push(pod.into());
            }
        }
        Some((pods, list.metadata.proceed))
    }

    /// The same with what its containers and nodes say run through `mask`, before anything is cut
    /// off or changed: afterwards a value might not be known again.
    pub fn hide(mut self, mask: impl Fn(&str) -> String) -> Pods {
        for pod in &mut self.others {
            if let Some(unscheduled) = &mut pod.unscheduled {
                unscheduled.message = mask(&unscheduled.message);
            }
            for container in &mut pod.containers {
                if let Some(last) = &mut container.last {
                    last.message = mask(&last.message);
                }
                match &mut container.state {
                    State::Waiting { message, .. } => *message = mask(message),
                    State::Ended(ended) => ended.message = mask(&ended.message),
                    State::Unknown | State::Running => {}
                }
            }
        }
        self
    }

    /// Adds those of another page.
    pub fn extend(&mut self, page: Pods) {
        self.ready += page.ready;
        self.others.extend(page.others);
    }

    /// How many pods count.
    pub fn count(&self) -> usize {
        self.ready + self.others.len()
    }
}

/// Reads a page of a list of events; `None` where the text is none.
pub fn events(page: &[u8]) -> Option<Vec<Event>> {
    let list: List<RawEvent> = serde_json::from_slice(page).ok()?;
    Some(list.items.into_iter().map(Event::from).collect())
}

/// Go writes `null` for an empty list and for a zero time.
fn null<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

fn clipped<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    Ok(clip(&text.unwrap_or_default(), TEXT_LIMIT))
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    Ok(text.and_then(|text| timestamp(&text)))
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default)]
    metadata: ListMetadata,
    #[serde(deserialize_with = "null")]
    #[serde(bound(deserialize = "T: Deserialize<'de>"))]
    items: Vec<T>,
}

#[derive(Default, Deserialize)]
struct ListMetadata {
    #[serde(rename = "continue", default, deserialize_with = "null")]
    proceed: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawPod {
    metadata: RawMetadata,
    spec: RawSpec,
    status: RawStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawMetadata {
    name: String,
    #[serde(deserialize_with = "time")]
    creation_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    deletion_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "null")]
    owner_references: Vec<RawOwner>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawOwner {
    name: String,
    #[serde(deserialize_with = "null")]
    controller: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawSpec {
    #[serde(deserialize_with = "null")]
    node_name: String,
    #[serde(deserialize_with = "null")]
    init_containers: Vec<RawInit>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawInit {
    name: String,
    #[serde(deserialize_with = "null")]
    restart_policy: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawStatus {
    #[serde(deserialize_with = "null")]
    phase: String,
    #[serde(deserialize_with = "null")]
    reason: String,
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
    waiting: Option<RawWaiting>,
    running: Option<serde::de::IgnoredAny>,
    terminated: Option<RawEnded>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawWaiting {
    #[serde(deserialize_with = "null")]
    reason: String,
    #[serde(deserialize_with = "clipped")]
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawEnded {
    #[serde(deserialize_with = "null")]
    exit_code: i64,
    #[serde(deserialize_with = "null")]
    reason: String,
    #[serde(deserialize_with = "clipped")]
    message: String,
    #[serde(deserialize_with = "time")]
    finished_at: Option<Timestamp>,
}

impl RawPod {
    /// Whether this ReplicaSet controls it.
    fn is_of(&self, set: &str) -> bool {
        let mut owners = self.metadata.owner_references.iter();
        owners.any(|owner| owner.controller && owner.name == set)
    }

    /// A pod that is going, or that its node gave up, has been or will be replaced: the ReplicaSet
    /// does not count it, and neither do we.
    fn counts(&self) -> bool {
        let over = ["Failed", "Succeeded"].contains(&self.status.phase.as_str());
        self.metadata.deletion_timestamp.is_none() && !over
    }

    fn condition(&self, kind: &str) -> Option<&RawCondition> {
        let mut conditions = self.status.conditions.iter();
        conditions.find(|condition| condition.kind == kind)
    }

    fn is_ready(&self) -> bool {
        self.condition("Ready")
            .is_some_and(|ready| ready.status == "True")
    }

    fn is_sidecar(&self, name: &str) -> bool {
        let mut all = self.spec.init_containers.iter();
        all.any(|init| init.name == name && init.restart_policy == "Always")
    }
}

impl From<RawPod> for Pod {
    fn from(raw: RawPod) -> Pod {
        // https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
        let disrupted = raw.status.reason == "NodeLost"
            || raw.status.phase == "Unknown"
            || raw
                .condition("DisruptionTarget")
                .is_some_and(|target| target.status == "True")
            || raw
                .condition("Ready")
                .is_some_and(|ready| ready.status == "Unknown");
        let scheduled = raw.condition("PodScheduled");
        let is_true = |condition: &&RawCondition| condition.status == "True";
        let statuses = &raw.status.init_container_statuses;
        let init = statuses
            .iter()
            .map(|status| status.read(!raw.is_sidecar(&status.name)));
        let main = raw.status.container_statuses.iter();
        let containers = init.chain(main.map(|status| status.read(false))).collect();
        Pod {
            created: raw.metadata.creation_timestamp,
            scheduled: scheduled
                .filter(is_true)
                .and_then(|condition| condition.last_transition_time),
            unscheduled: scheduled
                .filter(|condition| condition.status == "False")
                .map(|condition| Unscheduled {
                    reason: condition.reason.clone(),
                    message: condition.message.clone(),
                    since: condition.last_transition_time,
                }),
            disrupted,
            containers,
            name: raw.metadata.name,
            node: raw.spec.node_name,
        }
    }
}

impl RawContainer {
    fn read(&self, init: bool) -> Container {
        let state = match &self.state {
            RawState {
                terminated: Some(ended),
                ..
            } => State::Ended(ended.read()),
            RawState {
                running: Some(_), ..
            } => State::Running,
            RawState {
                waiting: Some(waiting),
                ..
            } => State::Waiting {
                reason: waiting.reason.clone(),
                message: waiting.message.clone(),
            },
            RawState { .. } => State::Unknown,
        };
        Container {
            name: self.name.clone(),
            init,
            ready: self.ready,
            restarts: self.restart_count,
            state,
            last: self.last_state.terminated.as_ref().map(RawEnded::read),
        }
    }
}

impl RawEnded {
    fn read(&self) -> Ended {
        Ended {
            code: self.exit_code,
            reason: self.reason.clone(),
            message: self.message.clone(),
            finished: self.finished_at,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawEvent {
    metadata: RawMetadata,
    #[serde(rename = "type", deserialize_with = "null")]
    kind: String,
    #[serde(deserialize_with = "null")]
    reason: String,
    #[serde(deserialize_with = "clipped")]
    message: String,
    #[serde(deserialize_with = "null")]
    count: u64,
    #[serde(deserialize_with = "time")]
    last_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    event_time: Option<Timestamp>,
    series: Option<RawSeries>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawSeries {
    #[serde(deserialize_with = "null")]
    count: u64,
    #[serde(deserialize_with = "time")]
    last_observed_time: Option<Timestamp>,
}

impl From<RawEvent> for Event {
    /// Newer components write `eventTime` and `series`, older ones `lastTimestamp` and `count`.
    fn from(raw: RawEvent) -> Event {
        let series = raw.series.unwrap_or_default();
        Event {
            kind: raw.kind,
            reason: raw.reason,
            message: raw.message,
            count: raw.count.max(series.count).max(1),
            last: series
                .last_observed_time
                .or(raw.last_timestamp)
                .or(raw.event_time)
                .or(raw.metadata.creation_timestamp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(changes: Value) -> Value {
        let mut pod = json!({
            "metadata": {"name": "web-1-a", "managedFields": [{"manager": "kubelet"}],
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "ownerReferences": [{"name": "web-1", "controller": true}]},
            "spec": {"nodeName": "n1", "initContainers": [
                {"name": "setup"}, {"name": "proxy", "restartPolicy": "Always"}]},
            "status": {"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "True",
                    "lastTransitionTime": "2026-01-01T00:00:01Z"}]}});
        for (key, value) in changes.as_object().unwrap() {
            *pod.pointer_mut(key).unwrap_or(&mut Value::Null) = value.clone();
            let (parent, name) = key.rsplit_once('/').unwrap();
            pod.pointer_mut(parent).unwrap()[name] = value.clone();
        }
        pod
    }

    fn read(items: Value) -> Pods {
        let page = json!({"metadata": {"continue": "more"}, "items": items});
        let (pods, next) = Pods::read(page.to_string().as_bytes(), "web-1").unwrap();
        assert_eq!(next, "more");
        pods
    }

    #[test]
    fn which_pods_count() {
        let ready = json!([{"type": "Ready", "status": "True"}]);
        let other = json!([{"name": "web-2", "controller": true}]);
        let deleted = json!("2026-01-01T00:01:00Z");
        for (name, changes, expected) in [
            ("as it is", json!({}), (0, 1)),
            ("ready", json!({"/status/conditions": ready}), (1, 0)),
            (
                "another's",
                json!({"/metadata/ownerReferences": other}),
                (0, 0),
            ),
            (
                "nobody's",
                json!({"/metadata/ownerReferences": null}),
                (0, 0),
            ),
            (
                "going",
                json!({"/metadata/deletionTimestamp": deleted}),
                (0, 0),
            ),
            (
                "evicted",
                json!({"/status/phase": "Failed", "/status/reason": "Evicted"}),
                (0, 0),
            ),
            ("over", json!({"/status/phase": "Succeeded"}), (0, 0)),
        ] {
            let pods = read(json!([pod(changes)]));
            assert_eq!((pods.ready, pods.others.len()), expected, "{name}");
        }
    }

    #[test]
    fn what_is_kept_of_a_pod() {
        let ended = json!({"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-01T00:00:09Z",
            "containerID": "x", "message": "m".repeat(9000)});
        let statuses = json!([{"name": "app", "ready": false, "restartCount": 2,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
            "lastState": {"terminated": ended}}]);
        let inits = json!([
            {"name": "setup", "state": {"terminated": {"exitCode": 0}}, "lastState": {}},
            {"name": "proxy", "state": {"running": {"startedAt": null}}, "lastState": null}]);
        let changes = json!({"/status/containerStatuses": statuses,
            "/status/initContainerStatuses": inits});
        let pods = read(json!([pod(changes)]));
        let pod = &pods.others[0];
        assert_eq!(
            (&*pod.name, &*pod.node, pod.disrupted),
            ("web-1-a", "n1", false)
        );
        assert_eq!(pod.scheduled, timestamp("2026-01-01T00:00:01Z"));
        let [setup, proxy, app] = &pod.containers[..] else {
            panic!("{pod:?}")
        };
        assert!(
            setup.init && !proxy.init && !app.init,
            "a sidecar does not end"
        );
        assert_eq!(proxy.state, State::Running);
        let last = app.last.as_ref().unwrap();
        assert_eq!(
            (app.restarts, last.code, last.message.len()),
            (2, 1, TEXT_LIMIT)
        );
    }

    #[test]
    fn node_trouble_is_known() {
        let unknown = json!([{"type": "Ready", "status": "Unknown"}]);
        let target = json!([{"type": "DisruptionTarget", "status": "True"}]);
        for (changes, expected) in [
            (json!({}), false),
            (
                json!({"/status/conditions": [{"type": "Ready", "status": "False"}]}),
                false,
            ),
            (json!({"/status/conditions": unknown}), true),
            (json!({"/status/conditions": target}), true),
            (json!({"/status/reason": "NodeLost"}), true),
        ] {
            let pods = read(json!([pod(changes.clone())]));
            assert_eq!(pods.others[0].disrupted, expected, "{changes}");
        }
    }

    #[test]
    fn hostile_pages_are_no_crash() {
        for page in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"items": 3}"#,
            "<html>",
            r#"{"items": [3]}"#,
        ] {
            assert_eq!(Pods::read(page.as_bytes(), "web-1"), None, "{page}");
            assert_eq!(events(page.as_bytes()), None, "{page}");
        }
        for page in [
            r#"{"metadata": {"continue": null}, "items": null}"#,
            r#"{"items": [{}, {"metadata": {}, "status": {"conditions": null}}]}"#,
        ] {
            let nothing = (Pods::default(), String::new());
            assert_eq!(
                Pods::read(page.as_bytes(), "web-1"),
                Some(nothing),
                "{page}"
            );
        }
    }

    #[test]
    fn events_of_both_kinds() {
        let page = json!({"items": [
            {"type": "Warning", "reason": "BackOff", "message": "m", "count": 4,
                "lastTimestamp": "2026-01-01T00:00:04Z", "eventTime": null, "series": null},
            {"type": "Warning", "reason": "FailedScheduling", "count": null,
                "eventTime": "2026-01-01T00:00:01.5Z", "lastTimestamp": null,
                "series": {"count": 3, "lastObservedTime": "2026-01-01T00:00:05.5Z"}},
            {"metadata": {"creationTimestamp": "2026-01-01T00:00:06Z"}}]});
        let read = events(page.to_string().as_bytes()).unwrap();
        let told = read.iter().map(|event| (event.count, event.last));
        let at = |text| timestamp(text);
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                (4, at("2026-01-01T00:00:04Z")),
                (3, at("2026-01-01T00:00:05.5Z")),
                (1, at("2026-01-01T00:00:06Z")),
            ]
        );
    }
}
