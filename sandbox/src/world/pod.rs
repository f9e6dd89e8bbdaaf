//! Pods: what scheduler and kubelet make of them, by the image that they run.

use super::api::{Call, plain};
use super::object::{integer, list, text, written};
use super::route::Kind;
use super::script::Script;
use super::store::Key;
use super::{Answer, Task, World, status};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

/// Longest log that is answered.
const LOG_LIMIT: usize = 1024 * 1024;
/// What a healthy container says.
const HEALTHY_LOG: &str = "listening on :8080\n";
/// From a failed pull to the kubelet's saying that it backs off.
const PULL_NOTICE: SignedDuration = SignedDuration::from_secs(1);

/// What pods do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// They become ready.
    Ready {
        /// From their scheduling.
        after: SignedDuration,
    },
    /// Their container ends at once, each time.
    CrashLoop {
        /// Its exit code.
        exit_code: i32,
        /// What it writes before.
        log: String,
        /// `OOMKilled`; None is `Error`.
        reason: Option<String>,
    },
    /// Their image does not exist.
    ImagePull,
    /// Their image has a name that is none.
    InvalidImageName,
    /// They run, but their readiness probe fails.
    NeverReady,
    /// Their container cannot be made.
    ConfigError {
        /// `secret "web" not found`.
        message: String,
    },
    /// No node takes them.
    Unschedulable {
        /// `0/3 nodes are available: 3 Insufficient cpu.`
        message: String,
    },
    /// They cannot be created: the namespace's quota is used up.
    Quota,
    /// They show what somebody wrote down.
    Scripted(Arc<Script>),
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour::Ready {
            after: SignedDuration::from_secs(1),
        }
    }
}

/// Where a pod stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Created,
    Scheduled,
    /// The image could not be pulled, or the container could not be made.
    Waiting,
    /// The container runs and is not ready.
    Running,
    Ready,
    /// The container ended.
    Crashed,
}

/// What the kubelet remembers of a pod.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    stage: Stage,
    /// Tries of what does not succeed; the back-off grows with them.
    tries: u32,
    restarts: u32,
    started: Option<Timestamp>,
    /// Of a scripted pod: which one it is, its first moment, and whether that was.
    pub(super) number: usize,
    pub(super) born: Option<Timestamp>,
    pub(super) scripted: bool,
}

/// A pod on its way through one step of its life.
pub(super) struct Step {
    key: Key,
    pub(super) pod: Value,
    pub(super) life: Life,
    /// The container that the behaviour is about.
    culprit: usize,
    pub(super) now: String,
}

impl World {
    /// The container that decides, and how it behaves.
    pub(super) fn behaviour_of(&self, spec: &Value) -> (usize, Behaviour) {
        let containers = list(spec, "/containers");
        for (contains, behaviour) in self.behaviours.iter().rev() {
            let hit = containers
                .iter()
                .position(|it| text(it, "/image").contains(contains));
            if let Some(index) = hit {
                return (index, behaviour.clone());
            }
        }
        (0, self.default_behaviour.clone())
    }

    /// Lets pods that are not ready, and creations that failed, heed a new behaviour.
    pub(super) fn rethink(&mut self) {
        let waiting = self
            .lives
            .iter()
            .filter(|(_, life)| life.stage != Stage::Ready);
        let waiting: Vec<Key> = waiting.map(|(key, _)| key.clone()).collect();
        waiting
            .into_iter()
            .for_each(|key| self.plan_step(Task::Pod(key)));
        let sets = self.store.keys("replicasets", None);
        sets.into_iter()
            .for_each(|key| self.plan_step(Task::ReplicaSet(key)));
    }

    /// One step of a pod's life.
    pub(super) fn live(&mut self, key: &Key) {
        let (Some(pod), Some(life)) = (self.store.get(key).cloned(), self.lives.get(key).cloned())
        else {
            return;
        };
        let (culprit, behaviour) = self.behaviour_of(&pod["spec"]);
        let pod = Value::clone(&pod);
        let now = written(self.clock);
        let mut step = Step {
            key: key.clone(),
            pod,
            life,
            culprit,
            now,
        };
        let next = self.take(&mut step, &behaviour);
        self.lives.insert(key.clone(), step.life);
        self.write(key, step.pod);
        if let Some(delay) = next {
            self.plan(Task::Pod(key.clone()), self.clock + delay);
        }
    }

    /// Takes the step; gives the time until the next one.
    fn take(&mut self, step: &mut Step, behaviour: &Behaviour) -> Option<SignedDuration> {
        if let Behaviour::Scripted(script) = behaviour {
            return self.follow_script(step, script);
        }
        if step.life.stage == Stage::Created {
            return self.schedule(step, behaviour);
        }
        match behaviour {
            Behaviour::Ready { after } => self.become_ready(step, *after),
            Behaviour::Unschedulable { .. } | Behaviour::Quota | Behaviour::Scripted(_) => {
                self.become_ready(step, SignedDuration::from_secs(1))
            }
            Behaviour::CrashLoop {
                exit_code, reason, ..
            } => self.crash(step, *exit_code, reason.as_deref().unwrap_or("Error")),
            Behaviour::NeverReady => self.fail_probe(step),
            Behaviour::ImagePull => self.fail_pull(step),
            Behaviour::InvalidImageName => self.refuse_image(step),
            Behaviour::ConfigError { message } => self.refuse_container(step, message),
        }
    }

    fn schedule(&mut self, step: &mut Step, behaviour: &Behaviour) -> Option<SignedDuration> {
        if let Behaviour::Unschedulable { message } = behaviour {
            let said = message.clone();
            step.condition("PodScheduled", false, Some(("Unschedulable", &said)));
            self.event(
                &step.pod,
                "default-scheduler",
                "Warning",
                "FailedScheduling",
                message,
            );
            return Some(self.back_off(step));
        }
        step.life = Life {
            stage: Stage::Scheduled,
            ..Life::default()
        };
        step.pod["spec"]["nodeName"] = "node-1".into();
        step.pod["status"]["startTime"] = step.now.clone().into();
        step.pod["status"]["hostIP"] = "10.1.0.1".into();
        step.condition("PodScheduled", true, None);
        step.condition("Initialized", true, None);
        step.unready();
        step.statuses(
            &json!({"waiting": {"reason": "ContainerCreating"}}),
            None,
            false,
        );
        let (namespace, name) = (&step.key.namespace, &step.key.name);
        let message = format!("Successfully assigned {namespace}/{name} to node-1");
        self.event(
            &step.pod,
            "default-scheduler",
            "Normal",
            "Scheduled",
            &message,
        );
        Some(if let Behaviour::Ready { after } = behaviour {
            *after / 2
        } else {
            self.timing.start
        })
    }

    fn become_ready(&mut self, step: &mut Step, after: SignedDuration) -> Option<SignedDuration> {
        match step.life.stage {
            Stage::Ready => None,
            Stage::Running => {
                step.life.stage = Stage::Ready;
                let state = step.running_state();
                step.statuses(&state, None, true);
                step.condition("ContainersReady", true, None);
                step.condition("Ready", true, None);
                None
            }
            Stage::Created | Stage::Scheduled | Stage::Waiting | Stage::Crashed => {
                self.start(step);
                Some(after - after / 2)
            }
        }
    }

    /// The container runs.
    fn start(&mut self, step: &mut Step) {
        step.life.stage = Stage::Running;
        step.life.started = Some(self.clock);
        step.address();
        step.pod["status"]["phase"] = "Running".into();
        let state = step.running_state();
        step.statuses(&state, None, false);
        step.unready();
        let (name, image) = step.culprit();
        let pulled = format!("Container image \"{image}\" already present on machine");
        for (reason, message) in [
            ("Pulled", pulled),
            ("Created", format!("Created container: {name}")),
            ("Started", format!("Started container {name}")),
        ] {
            self.event(&step.pod, "kubelet", "Normal", reason, &message);
        }
    }

    /// The container ends before anybody saw it run; the first restart is immediate.
    fn crash(&mut self, step: &mut Step, code: i32, reason: &str) -> Option<SignedDuration> {
        let restart = step.life.stage == Stage::Crashed;
        self.start(step);
        step.life.stage = Stage::Crashed;
        step.life.restarts += u32::from(restart);
        let now = step.now.clone();
        let ended = json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": now,
            "finishedAt": now, "containerID": step.container_id()}});
        if step.life.restarts == 0 {
            step.statuses(&ended, None, false);
            return Some(SignedDuration::from_secs(1));
        }
        let delay = self.back_off(step);
        let (name, _) = step.culprit();
        let pod = format!(
            "{}_{}({})",
            step.key.name,
            step.key.namespace,
            text(&step.pod, "/metadata/uid")
        );
        let message = format!(
            "back-off {} restarting failed container={name} pod={pod}",
            go_duration(delay)
        );
        let state = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
        step.statuses(&state, Some(&ended), false);
        let message = format!("Back-off restarting failed container {name} in pod {pod}");
        self.event(&step.pod, "kubelet", "Warning", "BackOff", &message);
        Some(delay)
    }

    fn fail_probe(&mut self, step: &mut Step) -> Option<SignedDuration> {
        if step.life.stage != Stage::Running {
            self.start(step);
        }
        let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
        self.event(&step.pod, "kubelet", "Warning", "Unhealthy", message);
        let pointer = format!(
            "/spec/containers/{}/readinessProbe/periodSeconds",
            step.culprit
        );
        let period = integer(&step.pod, &pointer);
        Some(SignedDuration::from_secs(if period > 0 {
            period
        } else {
            10
        }))
    }

    /// Pulls fail and back off in turn.
    fn fail_pull(&mut self, step: &mut Step) -> Option<SignedDuration> {
        if step.is_up() {
            return None;
        }
        step.life.stage = Stage::Waiting;
        let (_, image) = step.culprit();
        let error = pull_error(&image);
        if step.life.tries.is_multiple_of(2) {
            step.life.tries += 1;
            step.wait("ErrImagePull", &error);
            let failed = format!("Failed to pull image \"{image}\": {error}");
            self.event(
                &step.pod,
                "kubelet",
                "Normal",
                "Pulling",
                &format!("Pulling image \"{image}\""),
            );
            self.event(&step.pod, "kubelet", "Warning", "Failed", &failed);
            self.event(
                &step.pod,
                "kubelet",
                "Warning",
                "Failed",
                "Error: ErrImagePull",
            );
            return Some(PULL_NOTICE);
        }
        let back_off = format!("Back-off pulling image \"{image}\"");
        step.wait(
            "ImagePullBackOff",
            &format!("{back_off}: ErrImagePull: {error}"),
        );
        self.event(&step.pod, "kubelet", "Normal", "BackOff", &back_off);
        self.event(
            &step.pod,
            "kubelet",
            "Warning",
            "Failed",
            "Error: ImagePullBackOff",
        );
        Some(self.back_off(step))
    }

    fn refuse_image(&mut self, step: &mut Step) -> Option<SignedDuration> {
        if !step.is_up() {
            step.life.stage = Stage::Waiting;
            let (_, image) = step.culprit();
            let message = format!(
                "Failed to apply default image tag \"{image}\": couldn't parse image name \
                 \"{image}\": invalid reference format"
            );
            step.wait("InvalidImageName", &message);
            self.event(&step.pod, "kubelet", "Warning", "InspectFailed", &message);
            self.event(
                &step.pod,
                "kubelet",
                "Warning",
                "Failed",
                "Error: InvalidImageName",
            );
        }
        None
    }

    fn refuse_container(&mut self, step: &mut Step, message: &str) -> Option<SignedDuration> {
        if !step.is_up() {
            step.life.stage = Stage::Waiting;
            step.wait("CreateContainerConfigError", message);
            self.event(
                &step.pod,
                "kubelet",
                "Warning",
                "Failed",
                &format!("Error: {message}"),
            );
        }
        None
    }

    /// The time until the next try; it doubles up to its limit.
    fn back_off(&self, step: &mut Step) -> SignedDuration {
        // Pulls count a failure and a notice as one try each, so the exponent is half of them.
        let exponent = match step.life.stage {
            Stage::Waiting => step.life.tries / 2,
            Stage::Crashed => step.life.restarts.saturating_sub(1),
            Stage::Created | Stage::Scheduled | Stage::Running | Stage::Ready => step.life.tries,
        };
        step.life.tries += 1;
        let factor = 2_i32.saturating_pow(exponent.min(20));
        (self.timing.back_off * factor).min(self.timing.back_off_limit)
    }

    /// `GET …/pods/{name}/log`.
    pub(super) fn log(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let target = &call.target;
        let name = target.name.as_deref().unwrap_or_default();
        let key = Key::new(
            "pods",
            target.namespace.as_deref().unwrap_or_default(),
            name,
        );
        let pods = Kind::of_plural("pods").ok_or_else(status::no_such_resource)?;
        let Some(pod) = self.store.get(&key) else {
            return Err(status::not_found(pods, name));
        };
        let init = list(pod, "/spec/initContainers").iter();
        let all = list(pod, "/spec/containers").iter().chain(init);
        let containers: Vec<&str> = all.map(|it| text(it, "/name")).collect();
        let container = match (call.ask("container"), containers.as_slice()) {
            (Some(asked), all) if all.contains(&asked) => asked,
            (Some(asked), _) => {
                let message = format!("container {asked} is not valid for pod {name}");
                return Err(status::bad_request(message));
            }
            (None, [only]) => *only,
            (None, all) => {
                return Err(status::bad_request(format!(
                    "a container name must be specified for pod {name}, choose one of: [{}]",
                    all.join(" ")
                )));
            }
        };
        let text = self.log_of(pod, container, call.flag("previous"))?;
        Ok(plain(200, tail(&text, call)))
    }

    fn log_of(&self, pod: &Value, container: &str, previous: bool) -> Result<String, Answer> {
        let name = text(pod, "/metadata/name");
        let init = list(pod, "/status/initContainerStatuses").iter();
        let mut statuses = list(pod, "/status/containerStatuses").iter().chain(init);
        let found = statuses
            .find(|it| it["name"] == container)
            .unwrap_or(&Value::Null);
        if previous && found.pointer("/lastState/terminated").is_none() {
            return Err(status::bad_request(format!(
                "previous terminated container \"{container}\" in pod \"{name}\" not found"
            )));
        }
        let waiting = text(found, "/state/waiting/reason");
        let why = match waiting {
            _ if found.is_null() => Some("PodInitializing"),
            "" | "CrashLoopBackOff" => None,
            "ErrImagePull" => Some("image can't be pulled"),
            "ImagePullBackOff" => Some("trying and failing to pull image"),
            other => Some(other),
        };
        if let Some(why) = why {
            return Err(status::bad_request(format!(
                "container \"{container}\" in pod \"{name}\" is waiting to start: {why}"
            )));
        }
        let (culprit, behaviour) = self.behaviour_of(&pod["spec"]);
        let is_culprit = pod["spec"]["containers"][culprit]["name"] == container;
        if let Behaviour::Scripted(script) = behaviour {
            return Ok(script.log.clone());
        }
        let said = if let Behaviour::CrashLoop { log, .. } = behaviour {
            Some(log)
        } else {
            None
        };
        Ok(said
            .filter(|_| is_culprit)
            .unwrap_or_else(|| HEALTHY_LOG.to_owned()))
    }
}

impl Step {
    fn container(&self) -> &Value {
        &self.pod["spec"]["containers"][self.culprit]
    }

    /// Name and image of the container that decides.
    fn culprit(&self) -> (String, String) {
        let container = self.container();
        (
            text(container, "/name").to_owned(),
            text(container, "/image").to_owned(),
        )
    }

    fn is_up(&self) -> bool {
        matches!(
            self.life.stage,
            Stage::Running | Stage::Ready | Stage::Crashed
        )
    }

    pub(super) fn container_id(&self) -> String {
        format!(
            "containerd://{}-{}",
            text(&self.pod, "/metadata/uid"),
            self.life.restarts
        )
    }

    pub(super) fn address(&mut self) {
        if text(&self.pod, "/status/podIP").is_empty() {
            let uid = text(&self.pod, "/metadata/uid");
            let number = u32::from_str_radix(uid.rsplit('-').next().unwrap_or_default(), 16);
            let number = number.unwrap_or_default();
            let address = format!("10.244.{}.{}", (number / 250) % 250, number % 250 + 2);
            self.pod["status"]["podIPs"] = json!([{"ip": address}]);
            self.pod["status"]["podIP"] = address.into();
        }
    }

    fn running_state(&self) -> Value {
        let since = self.life.started.map_or_else(|| self.now.clone(), written);
        json!({"running": {"startedAt": since}})
    }

    fn wait(&mut self, reason: &str, message: &str) {
        self.statuses(
            &json!({"waiting": {"reason": reason, "message": message}}),
            None,
            false,
        );
        self.unready();
    }

    fn unready(&mut self) {
        let (name, _) = self.culprit();
        let message = format!("containers with unready status: [{name}]");
        self.condition(
            "ContainersReady",
            false,
            Some(("ContainersNotReady", &message)),
        );
        self.condition("Ready", false, Some(("ContainersNotReady", &message)));
    }

    /// Writes the container statuses: the culprit's as given, the others' running once it started.
    fn statuses(&mut self, state: &Value, last: Option<&Value>, ready: bool) {
        let names = list(&self.pod, "/spec/containers").to_vec();
        let id = self.container_id();
        let fresh = state
            .pointer("/waiting/reason")
            .is_some_and(|it| it == "ContainerCreating");
        let others = if fresh {
            state.clone()
        } else {
            self.running_state()
        };
        let old = list(&self.pod, "/status/containerStatuses").to_vec();
        let statuses = names.iter().enumerate().map(|(index, container)| {
            let is_culprit = index == self.culprit;
            let state = if is_culprit { state } else { &others };
            let up = state.get("running").is_some();
            let kept = old
                .get(index)
                .map(|old| old["lastState"].clone())
                .unwrap_or(json!({}));
            let last = if is_culprit {
                last.cloned().unwrap_or(kept)
            } else {
                json!({})
            };
            let mut status = json!({"name": container["name"], "image": container["image"],
                "imageID": "", "ready": if is_culprit { ready } else { up },
                "restartCount": if is_culprit { self.life.restarts } else { 0 },
                "started": up, "state": state, "lastState": last});
            if state.get("waiting").is_none() || last.get("terminated").is_some() {
                status["containerID"] = id.clone().into();
                status["imageID"] = format!("sandbox@{}", text(container, "/image")).into();
            }
            status
        });
        let statuses: Vec<Value> = statuses.collect();
        self.pod["status"]["containerStatuses"] = statuses.into();
    }

    /// Sets a condition; its transition time moves only with its status.
    pub(super) fn condition(&mut self, kind: &str, holds: bool, why: Option<(&str, &str)>) {
        let status = if holds { "True" } else { "False" };
        let old = super::object::condition(&self.pod, kind);
        let since = old
            .filter(|old| old["status"] == status)
            .map(|old| text(old, "/lastTransitionTime"));
        let mut new = json!({"type": kind, "status": status, "lastProbeTime": null,
            "lastTransitionTime": since.unwrap_or(&self.now)});
        if let Some((reason, message)) = why {
            new["reason"] = reason.into();
            new["message"] = message.into();
        }
        let mut all = list(&self.pod, "/status/conditions").to_vec();
        match all.iter_mut().find(|it| it["type"] == kind) {
            Some(place) => *place = new,
            None => all.push(new),
        }
        self.pod["status"]["conditions"] = all.into();
    }
}

/// What containerd says of an image that is not there.
fn pull_error(image: &str) -> String {
    let host = image.split('/').next().unwrap_or_default();
    let full = match image.split_once('/') {
        Some(_) if host.contains(['.', ':']) || host == "localhost" => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    };
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{full}\": failed to \
         resolve reference \"{full}\": {full}: not found"
    )
}

/// A duration as Go prints it: `10s`, `1m20s`, `5m0s`.
fn go_duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    if duration.subsec_nanos() != 0 {
        return format!("{}s", duration.as_secs_f64());
    }
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

fn tail(log: &str, call: &Call<'_>) -> String {
    let number = |name: &str| call.ask(name).and_then(|value| value.parse::<usize>().ok());
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    let from = number("tailLines").map_or(0, |wanted| lines.len().saturating_sub(wanted));
    let text = lines[from..].concat();
    let limit = number("limitBytes")
        .unwrap_or(LOG_LIMIT)
        .min(LOG_LIMIT)
        .min(text.len());
    String::from_utf8_lossy(&text.as_bytes()[..limit]).into_owned()
}
