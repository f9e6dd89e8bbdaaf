//! Services and what belongs to them: the pods that a selector selects, the endpoints, and the
//! autoscaler of a Deployment.

use super::object::{Object, at, controller_name, is_true};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

/// A Service, as the API server returned it.
#[derive(Clone, Debug, PartialEq)]
pub struct Service(Object);

/// The type of a Service that leads to a DNS name.
const EXTERNAL_NAME: &str = "ExternalName";

/// A Service's selector: a pod must have all of these labels.
pub type Selector = BTreeMap<String, String>;

/// Why a Service does not send to the pods that a selector finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detour {
    /// It is of type ExternalName: its name leads to this DNS name, whatever its selector says.
    ExternalName(String),
    /// It has no selector. Kubernetes leaves its endpoints as they are, even when their pods end.
    /// <https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors>
    NoSelector,
}

impl Service {
    /// Wraps the object.
    pub fn new(object: impl Into<Arc<Value>>) -> Service {
        Service(Object::new(object))
    }

    /// `spec.type`; `ClusterIP` if absent, like the server.
    pub fn kind(&self) -> &str {
        match self.text("/spec/type") {
            "" => "ClusterIP",
            kind => kind,
        }
    }

    /// `spec.selector`.
    pub fn selector(&self) -> Selector {
        read_selector(at(self.value(), "/spec/selector"))
    }

    /// Why it does not send to the pods that its selector finds; `None` if it does.
    pub fn detour(&self) -> Option<Detour> {
        if self.kind() == EXTERNAL_NAME {
            let name = self.text("/spec/externalName").to_owned();
            return Some(Detour::ExternalName(name));
        }
        self.selector().is_empty().then_some(Detour::NoSelector)
    }

    /// `spec.ports`.
    pub fn ports(&self) -> &[Value] {
        let ports = at(self.value(), "/spec/ports");
        ports.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The same ports for another Service: without what belongs to one alone, as a node's port.
    pub fn ports_for_another(&self) -> Vec<Value> {
        let fields = ["name", "protocol", "appProtocol", "port", "targetPort"];
        let kept = |port: &Value| {
            let kept = fields
                .into_iter()
                .filter_map(|field| Some((field.to_owned(), port.get(field)?.clone())));
            Value::Object(kept.collect())
        };
        self.ports().iter().map(kept).collect()
    }
}

impl Deref for Service {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.0
    }
}

/// Reads a map of labels and ignores values that are not strings.
pub fn read_selector(map: Option<&Value>) -> Selector {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Formats a selector for the query parameter `labelSelector`.
pub fn written(selector: &Selector) -> String {
    let pairs = selector.iter().map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(",")
}

/// A pod that a selector selects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServicePod {
    /// `metadata.name`.
    pub name: String,
    /// The name of the object that controls it; empty if there is none.
    pub owner: String,
    /// Whether the pod is ready and not terminating.
    pub ready: bool,
    /// Whether the pod is terminating: it gets no traffic any more.
    pub going: bool,
    /// Whether the pod has ended: it has no address any more.
    pub over: bool,
}

impl ServicePod {
    /// Reads one item of a list.
    pub fn read(pod: &Value) -> ServicePod {
        let text = |pointer: &str| at(pod, pointer).and_then(Value::as_str);
        let going = text("/metadata/deletionTimestamp").is_some();
        let phase = text("/status/phase").unwrap_or_default();
        ServicePod {
            name: text("/metadata/name").unwrap_or_default().to_owned(),
            owner: controller_name(pod).unwrap_or_default().to_owned(),
            ready: is_true(pod, "Ready") && !going,
            going,
            over: ["Failed", "Succeeded"].contains(&phase),
        }
    }

    /// Whether its controller has a name like the ReplicaSets of this Deployment.
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label>
    pub fn is_under(&self, deployment: &str) -> bool {
        self.owner
            .rsplit_once('-')
            .is_some_and(|(name, _)| name == deployment)
    }
}

/// The ready pods in a Service's EndpointSlices. A pod with two addresses counts once.
/// <https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/>
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoints {
    /// The names of ready pods; for an endpoint without a pod its address.
    pub ready: BTreeSet<String>,
    /// The names of EndpointSlices with ready endpoints that Kubernetes' own controller does not
    /// manage.
    pub strangers: BTreeSet<String>,
}

/// The label that names the manager of an EndpointSlice, and its value for Kubernetes' own
/// controller.
/// <https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#management>
const KEPT_BY: (&str, &str) = (
    "endpointslice.kubernetes.io/managed-by",
    "endpointslice-controller.k8s.io",
);

impl Endpoints {
    /// Reads the items of a list of EndpointSlices.
    pub fn read(slices: &[Value]) -> Endpoints {
        let mut all = Endpoints::default();
        for slice in slices {
            let endpoints = slice["endpoints"].as_array().into_iter().flatten();
            let before = all.ready.len();
            all.ready.extend(endpoints.filter_map(|endpoint| {
                // Absent means ready:
                // https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
                let ready = at(endpoint, "/conditions/ready") != Some(&Value::Bool(false));
                let pod = at(endpoint, "/targetRef/name").and_then(Value::as_str);
                let address = at(endpoint, "/addresses/0").and_then(Value::as_str);
                ready.then(|| pod.or(address).unwrap_or_default().to_owned())
            }));
            let (label, controller) = KEPT_BY;
            let kept_by = &slice["metadata"]["labels"][label];
            if all.ready.len() > before && *kept_by != *controller {
                let name = slice["metadata"]["name"].as_str().unwrap_or_default();
                all.strangers.insert(name.to_owned());
            }
        }
        all
    }

    /// Whether all endpoints belong to these pods, and there are at least `wanted` of them.
    pub fn are_all_of(&self, members: &[ServicePod], wanted: usize) -> bool {
        let known = |name: &String| members.iter().any(|member| member.name == *name);
        self.ready.len() >= wanted && self.ready.iter().all(known)
    }
}

/// A HorizontalPodAutoscaler, as the API server returned it.
#[derive(Clone, Debug, PartialEq)]
pub struct Autoscaler(Object);

impl Autoscaler {
    /// Wraps the object.
    pub fn new(object: Value) -> Autoscaler {
        Autoscaler(Object::new(object))
    }

    /// Whether it scales the object of this kind and name.
    pub fn scales(&self, kind: &str, name: &str) -> bool {
        let target =
            ["kind", "name"].map(|part| self.text(&format!("/spec/scaleTargetRef/{part}")));
        target == [kind, name]
    }

    /// The name of what it scales.
    pub fn target(&self) -> &str {
        self.text("/spec/scaleTargetRef/name")
    }

    /// `spec.minReplicas`; 1 if absent, like the server.
    pub fn minimum(&self) -> i64 {
        self.number("/spec/minReplicas").unwrap_or(1)
    }

    /// `spec.maxReplicas`.
    pub fn maximum(&self) -> i64 {
        self.number("/spec/maxReplicas").unwrap_or(i64::MAX)
    }
}

impl Deref for Autoscaler {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.0
    }
}

#[cfg(test)]
mod tests;
