//! The Service of the candidate, to which a route sends its share.

use super::routed::Routed;
use crate::kubernetes::call::Call;
use crate::kubernetes::resource::SERVICES;
use crate::kubernetes::service::{Service, ServicePod};
use crate::problem::Fault;
use crate::state::marks::CANARY_OF;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::pauses::CATCHING_UP;
use crate::strategy::service_lock;
use crate::strategy::switch::context::{Context, count};
use crate::workload::Workload;
use serde_json::{Map, Value, json};

/// The annotations of a Service by which the AWS Load Balancer Controller makes its target group:
/// both must be made alike.
const TARGET_GROUP: &str = "alb.ingress.kubernetes.io/";

/// What decides which pod of a Service a connection goes to, and by which addresses.
const WAYS: [&str; 5] = [
    "sessionAffinity",
    "sessionAffinityConfig",
    "internalTrafficPolicy",
    "trafficDistribution",
    "ipFamilyPolicy",
];

/// The same for connections from outside, by a port of the nodes.
const OUTER_WAY: &str = "externalTrafficPolicy";

impl Context<'_> {
    /// Makes the candidate's Service, or points it at the candidate's pods, and sees that it sends
    /// to all of them.
    pub(super) fn open_candidate_service(
        &self,
        routed: &Routed,
        service: &Service,
        version: &str,
        found: &Workload,
        members: &[ServicePod],
    ) -> Result<(), Decision> {
        let wanted = candidate_service(service, routed, &self.request.namespace, version);
        let Some(there) = self.candidate_service(routed)? else {
            let call = Call::create(&SERVICES, &self.request.namespace, wanted);
            return Err(self.step(call));
        };
        if !self.owns_candidate_service(there) {
            return Err(self.refuse_name(routed));
        }
        if there.is_being_deleted() {
            return Err(self.wait(Stage::Settling(there.name().to_owned()), CATCHING_UP));
        }
        if let Some(patch) = mended(there, wanted) {
            let namespace = &self.request.namespace;
            let call = Call::merge_patch(&SERVICES, namespace, there.name(), patch);
            return Err(self.step(call));
        }
        let endpoints = self.snapshot.endpoints(there.name())?;
        if endpoints.are_all_of(members, count(found.replicas().max(1))) {
            return Ok(());
        }
        self.in_time()?;
        Err(self.wait_for_endpoints(there.name(), CATCHING_UP))
    }

    /// Takes the candidate's Service away, where it is ours.
    pub(super) fn close_candidate_service(&self, routed: &Routed) -> Result<(), Decision> {
        match self.candidate_service(routed)? {
            Some(there)
                if self.owns_candidate_service(there)
                    && !there.is_being_deleted()
                    && !self.is_left(there.name()) =>
            {
                Err(self.delete_service(there))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn refuse_name(&self, routed: &Routed) -> Decision {
        let fault = taken(&routed.candidate_service);
        self.fail(crate::strategy::causes::RolloutCause::Unfit(fault))
    }
}

/// A Service of this name is somebody else's.
pub(super) fn taken(name: &str) -> Fault {
    Fault::new(
        "route",
        format!(
            "needs a Service `{name}` for the new version, and one of that name is there that \
             Landfall did not make: delete or rename it"
        ),
    )
}

/// The patch that makes one that was left over what it should be; `None` where it is.
fn mended(there: &Service, wanted: Value) -> Option<Value> {
    let mut spec = wanted["spec"].clone();
    let notes = &wanted["metadata"]["annotations"];
    let is_noted = |(name, text): (&String, &Value)| there.annotation(name) == text.as_str();
    let is_same = |(field, value): (&String, &Value)| match field.as_str() {
        "ports" => json!(there.ports_for_another()) == *value,
        _ => there.value()["spec"][field] == *value,
    };
    for way in ["sessionAffinityConfig", "trafficDistribution"] {
        if spec[way].is_null() && !there.value()["spec"][way].is_null() {
            spec[way] = Value::Null;
        }
    }
    let are_noted = notes.as_object()?.iter().all(is_noted);
    if are_noted && spec.as_object()?.iter().all(is_same) {
        return None;
    }
    for label in there.selector().into_keys() {
        let labels = spec["selector"].as_object_mut()?;
        labels.entry(label).or_insert(Value::Null);
    }
    Some(
        json!({"metadata": {"resourceVersion": there.resource_version(), "annotations": notes},
        "spec": spec}),
    )
}

/// The Service of the candidate: the same ports and ways, for its pods alone.
fn candidate_service(service: &Service, routed: &Routed, namespace: &str, version: &str) -> Value {
    let annotations = service.value().pointer("/metadata/annotations");
    let annotations = annotations.and_then(Value::as_object).into_iter().flatten();
    let annotations = annotations.filter(|(name, _)| name.starts_with(TARGET_GROUP));
    let mut annotations = annotations
        .map(|(name, text)| (name.clone(), text.clone()))
        .collect::<Map<_, _>>();
    annotations.insert(CANARY_OF.to_owned(), json!(service.name()));
    // Targets by instance need a port of the nodes.
    let kind = match service.kind() {
        "NodePort" | "LoadBalancer" => "NodePort",
        _ => "ClusterIP",
    };
    let mut spec = json!({"type": kind, "ports": service.ports_for_another(),
        "selector": service_lock::of_version(&service.selector(), version)});
    let ways = WAYS
        .into_iter()
        .chain((kind == "NodePort").then_some(OUTER_WAY));
    for way in ways {
        let value = &service.value()["spec"][way];
        if !value.is_null() {
            spec[way] = value.clone();
        }
    }
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": routed.candidate_service, "namespace": namespace,
            "annotations": annotations},
        "spec": spec})
}
