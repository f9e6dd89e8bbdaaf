//! A pod during one step of its life.

use crate::world::behaviour::{Life, Stage};
use crate::world::object::{condition, list, text, written};
use crate::world::store::Key;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A pod during one step of its life.
pub(crate) struct Step {
    pub(crate) key: Key,
    pub(crate) pod: Value,
    pub(crate) life: Life,
    /// The container that the behaviour is about.
    pub(crate) culprit: usize,
    pub(crate) now: String,
}

impl Step {
    pub(crate) fn container(&self) -> &Value {
        &self.pod["spec"]["containers"][self.culprit]
    }

    /// The name and image of the container that decides.
    pub(crate) fn culprit(&self) -> (String, String) {
        let container = self.container();
        (
            text(container, "/name").to_owned(),
            text(container, "/image").to_owned(),
        )
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(
            self.life.stage,
            Stage::Running | Stage::Ready | Stage::Crashed
        )
    }

    pub(crate) fn container_id(&self) -> String {
        format!(
            "containerd://{}-{}",
            text(&self.pod, "/metadata/uid"),
            self.life.restarts
        )
    }

    pub(crate) fn address(&mut self) {
        if text(&self.pod, "/status/podIP").is_empty() {
            let uid = text(&self.pod, "/metadata/uid");
            let number = u32::from_str_radix(uid.rsplit('-').next().unwrap_or_default(), 16);
            let number = number.unwrap_or_default();
            let address = format!("10.244.{}.{}", (number / 250) % 250, number % 250 + 2);
            self.pod["status"]["podIPs"] = json!([{"ip": address}]);
            self.pod["status"]["podIP"] = address.into();
        }
    }

    pub(crate) fn running_state(&self) -> Value {
        let since = self.life.started.map_or_else(|| self.now.clone(), written);
        json!({"running": {"startedAt": since}})
    }

    pub(crate) fn wait(&mut self, reason: &str, message: &str) {
        self.statuses(
            &json!({"waiting": {"reason": reason, "message": message}}),
            None,
            false,
        );
        self.unready();
    }

    pub(crate) fn unready(&mut self) {
        let (name, _) = self.culprit();
        let message = format!("containers with unready status: [{name}]");
        self.condition(
            "ContainersReady",
            false,
            Some(("ContainersNotReady", &message)),
        );
        self.condition("Ready", false, Some(("ContainersNotReady", &message)));
    }

    /// Writes the container statuses: the given state for the culprit; the others run after the
    /// start.
    pub(crate) fn statuses(&mut self, state: &Value, last: Option<&Value>, ready: bool) {
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

    /// Sets a condition; its transition time changes only with its status.
    pub(crate) fn condition(&mut self, kind: &str, holds: bool, why: Option<(&str, &str)>) {
        let status = if holds { "True" } else { "False" };
        let old = condition(&self.pod, kind);
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

/// The node that a pod is on, or the one that it can only be scheduled to.
pub(crate) fn scheduled_node(pod: &Value) -> &str {
    const BOUND: &str = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution\
        /nodeSelectorTerms/0/matchFields/0/values/0";
    let node = [text(pod, "/spec/nodeName"), text(pod, BOUND)];
    node.into_iter()
        .find(|node| !node.is_empty())
        .unwrap_or("node-1")
}

/// containerd's message about an image that does not exist.
pub(crate) fn pull_error(image: &str) -> String {
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
pub(crate) fn go_duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    if duration.subsec_nanos() != 0 {
        return format!("{}s", duration.as_secs_f64());
    }
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}
