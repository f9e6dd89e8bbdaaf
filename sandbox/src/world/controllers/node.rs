//! Nodes: which of them are there, and what becomes of their pods.
//!
//! A world without Node objects has one node that always works.

use crate::world::behaviour::Stage;
use crate::world::controllers::pod::step::{Step, scheduled_node};
use crate::world::object::{condition, list, map, terminating, text, written};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The node of a world without Node objects.
pub(crate) const ONLY_NODE: &str = "node-1";
/// Taints that every pod of a DaemonSet tolerates begin so.
const OWN_TAINTS: &str = "node.kubernetes.io/";

impl World {
    /// Adds a node, or changes whether its kubelet answers.
    pub fn set_node(&mut self, name: &str, is_ready: bool, now: Timestamp) {
        self.advance(now);
        let key = Key::new("nodes", "", name);
        let old = self.store.get(&key).cloned();
        let number = self.store.number();
        let mut node = old.map_or_else(
            || {
                json!({"kind": "Node", "apiVersion": "v1",
                    "metadata": {"name": name, "uid": format!("node-{number}"),
                        "creationTimestamp": written(self.clock),
                        "labels": {"kubernetes.io/hostname": name}},
                    "spec": {}})
            },
            |old| Value::clone(&old),
        );
        let (status, reason) = match is_ready {
            true => ("True", "KubeletReady"),
            false => ("Unknown", "NodeStatusUnknown"),
        };
        node["status"]["conditions"] = json!([{"type": "Ready", "status": status, "reason": reason,
            "lastTransitionTime": written(self.clock)}]);
        self.write(&key, node);
    }

    /// Removes a node with its pods.
    pub fn remove_node(&mut self, name: &str, now: Timestamp) {
        self.advance(now);
        self.remove(&Key::new("nodes", "", name));
    }

    /// Whether the kubelet of a node does not answer.
    pub(crate) fn is_down(&self, node: &str) -> bool {
        let node = self.store.get(&Key::new("nodes", "", node));
        node.is_some_and(|node| !is_ready(node))
    }

    /// The nodes that a pod made of a template may run on, apart from the room on them.
    pub(crate) fn eligible_nodes(&self, spec: &Value) -> Vec<String> {
        let mut nodes = self.store.all("nodes").peekable();
        if nodes.peek().is_none() {
            return vec![ONLY_NODE.to_owned()];
        }
        let fits = nodes.filter(|(_, node)| accepts(node, spec));
        fits.map(|(key, _)| key.name.clone()).collect()
    }

    /// The pods of a node stop being ready with it, and go with it.
    pub(crate) fn sync_node(&mut self, key: &Key) {
        let node = self.store.get(key).cloned();
        let here = self.store.all("pods").filter(|(_, pod)| {
            text(pod, "/spec/nodeName") == key.name || scheduled_node(pod) == key.name
        });
        let pods: Vec<Key> = here.map(|(key, _)| key.clone()).collect();
        for pod in pods {
            match &node {
                None => self.remove(&pod),
                Some(node) if is_ready(node) => self.plan_step(self.next_of(pod)),
                Some(_) => self.lose_pod(&pod),
            }
        }
        for set in self.store.keys("daemonsets", None) {
            self.plan_step(Task::Other(set));
        }
    }

    /// What the kubelet of a node does next with a pod.
    fn next_of(&self, pod: Key) -> Task {
        match self.store.get(&pod).is_some_and(|it| terminating(it)) {
            true => Task::Removal(pod),
            false => Task::Pod(pod),
        }
    }

    /// A pod whose kubelet does not answer no longer counts as ready.
    fn lose_pod(&mut self, key: &Key) {
        let (Some(pod), Some(mut life)) =
            (self.store.get(key).cloned(), self.lives.get(key).cloned())
        else {
            return;
        };
        if terminating(&pod) || life.stage != Stage::Ready {
            return;
        }
        life.stage = Stage::Running;
        let mut step = Step {
            key: key.clone(),
            pod: Value::clone(&pod),
            life,
            culprit: 0,
            now: written(self.clock),
        };
        step.condition("Ready", false, None);
        self.lives.insert(key.clone(), step.life);
        self.write(key, step.pod);
    }
}

fn is_ready(node: &Value) -> bool {
    condition(node, "Ready").is_none_or(|ready| ready["status"] == "True")
}

/// Whether a node has the labels that a pod asks for, and the pod tolerates its taints.
fn accepts(node: &Value, spec: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let mut wanted = map(spec, "/nodeSelector").into_iter().flatten();
    let mut taints = list(node, "/spec/taints").iter();
    let is_tolerated = |taint: &Value| {
        let mut tolerations = list(spec, "/tolerations").iter();
        taint["effect"] == "PreferNoSchedule"
            || text(taint, "/key").starts_with(OWN_TAINTS)
            || tolerations.any(|toleration| tolerates(toleration, taint))
    };
    wanted.all(|(name, value)| labels.get(name) == Some(value)) && taints.all(is_tolerated)
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let said = |field: &str| toleration.get(field).filter(|it| **it != "");
    let same = |field: &str| said(field).is_none_or(|it| *it == taint[field]);
    let has_value =
        toleration["operator"] == "Exists" || text(toleration, "/value") == text(taint, "/value");
    same("effect") && same("key") && has_value
}
