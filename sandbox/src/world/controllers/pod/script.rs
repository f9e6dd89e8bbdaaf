//! Shows the current moment of a pod's script.

use crate::world::controllers::pod::step::{Step, scheduled_node};
use crate::world::object::{list, text};
use crate::world::script::Script;
use crate::world::state::World;
use crate::world::store::Key;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

impl World {
    /// How many scripted pods may be created now, and the API server's message if it is fewer.
    pub(crate) fn admitted(
        &mut self,
        script: &Script,
        used: usize,
        missing: usize,
    ) -> (usize, Option<String>) {
        let Some(barred) = &script.barred else {
            return (missing, None);
        };
        let since = *self.barred_since.get_or_insert(self.clock);
        let room = barred.room.saturating_sub(used).min(missing);
        if self.clock >= since + barred.lasts || room == missing {
            return (missing, None);
        }
        (room, Some(barred.message.clone()))
    }

    /// Shows the script's current moment; returns the time until the next one.
    pub(crate) fn follow_script(
        &mut self,
        step: &mut Step,
        script: &Script,
    ) -> Option<SignedDuration> {
        let number = step.life.number.min(script.lives.len().saturating_sub(1));
        let life = script.lives.get(number)?;
        let born = *step.life.born.get_or_insert(self.clock);
        let age = self.clock.duration_since(born);
        if !step.life.scripted {
            step.life.scripted = true;
            add(&mut step.pod["spec"], &script.spec);
            for event in &script.events {
                self.tell(&step.pod, event);
            }
        }
        let until = self.repeat(step, script, age);
        if let Some((_, state)) = life.iter().rev().find(|(at, _)| *at <= age) {
            step.show(state);
        }
        let next = life.iter().find(|(at, _)| *at > age);
        let next = next.map(|(at, _)| *at - age);
        next.into_iter().chain(until).min()
    }

    /// Writes an event of the script.
    fn tell(&mut self, pod: &Value, event: &Value) {
        let kind = event["type"].as_str().unwrap_or("Warning");
        let mut about = pod.clone();
        if let Some(container) = event["container"].as_str() {
            about["fieldPath"] = format!("spec.containers{{{container}}}").into();
        }
        for _ in 0..event["count"].as_u64().unwrap_or(1) {
            let (reason, message) = (text(event, "/reason"), text(event, "/message"));
            self.event(&about, "kubelet", kind, reason, message);
        }
    }

    /// Writes the event that comes again and again; returns the time until the next one.
    fn repeat(
        &mut self,
        step: &mut Step,
        script: &Script,
        age: SignedDuration,
    ) -> Option<SignedDuration> {
        let mut events = script.events.iter();
        let (event, every) = events.find_map(|event| Some((event, event["every"].as_i64()?)))?;
        let times = age.as_secs() / every;
        if times > step.life.repeated {
            step.life.repeated = times;
            self.tell(&step.pod, event);
        }
        Some(SignedDuration::from_secs((times + 1) * every) - age)
    }

    /// Numbers scripted pods in the order of their creation.
    pub(crate) fn next_in_script(&mut self, key: &Key) {
        let number = self.scripted;
        self.scripted += 1;
        if let Some(life) = self.lives.get_mut(key) {
            life.number = number;
        }
    }
}

impl Step {
    fn show(&mut self, state: &Value) {
        let containers = self.names("/spec/containers");
        let state = match state.as_str() {
            Some("ready") => each(
                &containers,
                &json!({"running": true, "ready": true, "started": true}),
            ),
            Some("creating") => each(&containers, &json!({"waiting": ["ContainerCreating", ""]})),
            _ => state.clone(),
        };
        let status = &mut self.pod["status"];
        for (field, value) in [("reason", &state["reason"]), ("message", &state["message"])] {
            match (value, status.as_object_mut()) {
                (Value::Null, Some(status)) => drop(status.remove(field)),
                _ => status[field] = value.clone(),
            }
        }
        let scheduled = state.get("node").is_none_or(Value::is_string);
        if scheduled {
            let node = state["node"].as_str().unwrap_or(scheduled_node(&self.pod));
            self.pod["spec"]["nodeName"] = node.to_owned().into();
            self.address();
        }
        if let Some(node) = state["nominated"].as_str() {
            self.pod["status"]["nominatedNodeName"] = node.into();
        }
        // Null: no scheduler has said anything.
        if state.pointer("/conditions/PodScheduled") != Some(&Value::Null) {
            self.condition("PodScheduled", scheduled, None);
        }
        let shown = &state["containers"];
        let init = &state["init"];
        if shown.is_object() {
            self.pod["status"]["containerStatuses"] = self.listed(shown, "/spec/containers");
        }
        if init.is_object() {
            self.pod["status"]["initContainerStatuses"] = self.listed(init, "/spec/initContainers");
        }
        let up = |it: &Value| it["running"] == true || it.get("last").is_some();
        let runs = [shown, init].map(|all| all.as_object().is_some_and(|all| all.values().any(up)));
        let phase = if runs[0] { "Running" } else { "Pending" };
        let phase = state["phase"].as_str().unwrap_or(phase).to_owned();
        let failed = phase == "Failed";
        self.pod["status"]["phase"] = phase.into();
        let unready = containers
            .iter()
            .filter(|name| shown[name.as_str()]["ready"] != true);
        let unready = unready.cloned().collect::<Vec<_>>().join(" ");
        let message = format!("containers with unready status: [{unready}]");
        let reason = if failed {
            "PodFailed"
        } else {
            "ContainersNotReady"
        };
        let why = Some((reason, &*message)).filter(|_| !unready.is_empty());
        self.condition("Initialized", !init.is_object(), None);
        self.condition("ContainersReady", unready.is_empty(), why);
        self.condition("Ready", unready.is_empty(), why);
        let given = state["conditions"].as_object().into_iter().flatten();
        for (kind, given) in given.filter(|(_, given)| !given.is_null()) {
            let words = given[1]
                .as_str()
                .map(|reason| (reason, given[2].as_str().unwrap_or("")));
            self.condition(kind, given[0] == "True", words);
        }
    }

    fn names(&self, pointer: &str) -> Vec<String> {
        let containers = list(&self.pod, pointer).iter();
        containers.map(|it| text(it, "/name").to_owned()).collect()
    }

    /// The statuses of containers. A container that the script does not mention runs.
    fn listed(&self, shown: &Value, pointer: &str) -> Value {
        let containers = list(&self.pod, pointer).iter();
        let others = shown.as_object().into_iter().flatten();
        let known = self.names(pointer);
        let others = others.filter(|(name, _)| !known.contains(name));
        let others = others.map(|(name, _)| json!({"name": name, "image": ""}));
        let all: Vec<Value> = containers.cloned().chain(others).collect();
        let statuses = all.iter().map(|container| {
            let said = &shown[text(container, "/name")];
            self.container_status(container, said)
        });
        statuses.collect()
    }

    fn container_status(&self, container: &Value, said: &Value) -> Value {
        let ended = |how: &Value| {
            json!({"terminated": {"exitCode": how[0], "reason": how[1], "message": how[2],
                "startedAt": self.now, "finishedAt": self.now, "containerID": self.container_id()}})
        };
        let waiting = &said["waiting"];
        let state = if waiting.is_array() {
            json!({"waiting": {"reason": waiting[0], "message": waiting[1]}})
        } else if said["ended"].is_array() {
            ended(&said["ended"])
        } else {
            json!({"running": {"startedAt": self.now}})
        };
        let up = state.get("running").is_some();
        let last = said.get("last").map_or(json!({}), ended);
        let image = said.get("image").unwrap_or(&container["image"]);
        json!({"name": container["name"], "image": image, "imageID": "",
            "ready": said["ready"] == true || said.is_null(),
            "started": said["started"].as_bool().unwrap_or(up),
            "restartCount": said["restarts"].as_u64().unwrap_or(0),
            "state": state, "lastState": last})
    }
}

/// The same state for each container.
pub(crate) fn each(names: &[String], state: &Value) -> Value {
    let all = names.iter().map(|name| (name.clone(), state.clone()));
    json!({"containers": all.collect::<Map<_, _>>()})
}

/// Merges into an object; lists are extended.
pub(crate) fn add(object: &mut Value, more: &Value) {
    for (field, value) in more.as_object().into_iter().flatten() {
        match (&mut object[field], value) {
            (Value::Array(old), Value::Array(new)) => old.extend(new.iter().cloned()),
            (old @ Value::Object(_), Value::Object(_)) => add(old, value),
            (old, _) => *old = value.clone(),
        }
    }
}

/// A pod that has ended no longer belongs to its ReplicaSet.
pub(crate) fn is_over(pod: &Value) -> bool {
    ["Failed", "Succeeded"].contains(&text(pod, "/status/phase"))
}

/// A controller's message about a refused pod.
pub(crate) fn uncreated(pod: &str, message: &str) -> String {
    message.replace("POD", pod)
}

#[cfg(test)]
mod tests;
