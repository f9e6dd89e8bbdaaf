//! Pods: what the scheduler and the kubelet do with them, depending on their image.

pub(crate) mod create;
mod ending;
mod failing;
mod log;
pub(crate) mod script;
pub(crate) mod step;

use crate::world::behaviour::{Behaviour, Life, Stage};
use crate::world::controllers::pod::step::{Step, scheduled_node};
use crate::world::object::{list, text, written};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use jiff::SignedDuration;
use serde_json::{Value, json};

impl World {
    /// The container that decides, and its behaviour.
    pub(crate) fn behaviour_of(&self, spec: &Value) -> (usize, Behaviour) {
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

    /// Applies a new behaviour to pods that are not ready, and to creations that failed.
    pub(crate) fn rethink(&mut self) {
        let waiting = self
            .lives
            .iter()
            .filter(|(_, life)| !matches!(life.stage, Stage::Ready | Stage::Ended));
        let waiting: Vec<Key> = waiting.map(|(key, _)| key.clone()).collect();
        waiting
            .into_iter()
            .for_each(|key| self.plan_step(Task::Pod(key)));
        let sets = self.store.keys("replicasets", None);
        sets.into_iter()
            .for_each(|key| self.plan_step(Task::ReplicaSet(key)));
        for resource in ["statefulsets", "daemonsets", "jobs"] {
            let others = self.store.keys(resource, None);
            others
                .into_iter()
                .for_each(|key| self.plan_step(Task::Other(key)));
        }
    }

    /// One step of a pod's life.
    pub(crate) fn live(&mut self, key: &Key) {
        let (Some(pod), Some(life)) = (self.store.get(key).cloned(), self.lives.get(key).cloned())
        else {
            return;
        };
        if life.stage == Stage::Ended {
            return;
        }
        if self.is_down(scheduled_node(&pod)) {
            return self.bind_only(key, &pod, life);
        }
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

    /// A scheduler sends a pod to its node, whose kubelet does not answer: nothing else happens.
    fn bind_only(&mut self, key: &Key, pod: &Value, life: Life) {
        if !text(pod, "/spec/nodeName").is_empty() {
            return;
        }
        let node = scheduled_node(pod).to_owned();
        let mut step = Step {
            key: key.clone(),
            pod: pod.clone(),
            life,
            culprit: 0,
            now: written(self.clock),
        };
        step.pod["spec"]["nodeName"] = node.into();
        step.condition("PodScheduled", true, None);
        self.write(key, step.pod);
    }

    /// Takes the step; returns the time until the next one.
    fn take(&mut self, step: &mut Step, behaviour: &Behaviour) -> Option<SignedDuration> {
        if let Behaviour::Scripted(script) = behaviour {
            return self.follow_script(step, script);
        }
        if step.life.stage == Stage::Created {
            return self.schedule(step, behaviour);
        }
        match behaviour {
            Behaviour::Ready { after } if step.runs_once() => self.run_to_end(step, *after),
            Behaviour::Ready { after } => self.become_ready(step, *after),
            Behaviour::Completes { after, .. } => self.run_to_end(step, *after),
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
        let node = scheduled_node(&step.pod).to_owned();
        step.pod["spec"]["nodeName"] = node.clone().into();
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
        let message = format!("Successfully assigned {namespace}/{name} to {node}");
        self.event(
            &step.pod,
            "default-scheduler",
            "Normal",
            "Scheduled",
            &message,
        );
        Some(
            if let Behaviour::Ready { after } | Behaviour::Completes { after, .. } = behaviour {
                *after / 2
            } else {
                self.timing.start
            },
        )
    }

    fn become_ready(&mut self, step: &mut Step, after: SignedDuration) -> Option<SignedDuration> {
        match step.life.stage {
            Stage::Ready | Stage::Ended => None,
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

    /// Starts the container.
    pub(crate) fn start(&mut self, step: &mut Step) {
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
}
