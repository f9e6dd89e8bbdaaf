//! The health of the kinds that Kubernetes itself serves.

use super::model::{ObjectCause, ObjectHealth, ObjectNote, ObjectWait, Reported};
use crate::kubernetes::object::Object;
use crate::text::quote;
use serde_json::Value;

/// By kind. What has no row is ready once it is accepted: ConfigMaps, roles, CronJobs, autoscalers,
/// disruption budgets, and an Ingress, whose address many controllers never write.
pub(super) fn health(object: &Object, group: &str) -> ObjectHealth {
    match (group, object.text("/kind")) {
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("apiregistration.k8s.io", "APIService") => condition(object, "Available"),
        ("", "Namespace") => namespace(object),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "Pod") => pod(object),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => replicas(object),
        ("", "Service") => service(object),
        _ => ObjectHealth::Ready,
    }
}

/// What is being deleted. A Namespace tells what keeps it.
pub(super) fn deleted(object: &Object) -> ObjectHealth {
    match object.text("/kind") == "Namespace" && object.text("/apiVersion") == "v1" {
        true => ObjectHealth::Failed(ObjectCause::NamespaceEnding(obstacles(object))),
        false => ObjectHealth::Deleted,
    }
}

/// What keeps a Namespace that is being deleted.
/// <https://github.com/kubernetes/api/blob/master/core/v1/types.go>
fn obstacles(namespace: &Object) -> Vec<Reported> {
    const OBSTACLES: [&str; 5] = [
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
        "NamespaceDeletionContentFailure",
        "NamespaceContentRemaining",
        "NamespaceFinalizersRemaining",
    ];
    let mut found = Vec::new();
    for obstacle in OBSTACLES {
        let condition = namespace.true_condition(obstacle);
        found.extend(condition.map(|condition| Reported::new(obstacle, &condition)));
    }
    found
}

fn namespace(object: &Object) -> ObjectHealth {
    match object.text("/status/phase") {
        "Active" => ObjectHealth::Ready,
        "Terminating" => ObjectHealth::Failed(ObjectCause::NamespaceEnding(obstacles(object))),
        _ => ObjectHealth::Waiting(ObjectWait::Status),
    }
}

/// Ready once the condition is true.
fn condition(object: &Object, name: &str) -> ObjectHealth {
    match object.condition(name) {
        Some(found) if found.status == "True" => ObjectHealth::Ready,
        Some(found) => {
            let wait = ObjectWait::Condition(Reported::new(name, &found));
            ObjectHealth::Waiting(wait)
        }
        None => ObjectHealth::Waiting(ObjectWait::Status),
    }
}

fn definition(object: &Object) -> ObjectHealth {
    let names = object.condition("NamesAccepted");
    if let Some(names) = names.filter(|names| names.status == "False") {
        let cause = Reported::new("NamesAccepted", &names);
        return ObjectHealth::Failed(ObjectCause::Condition(cause));
    }
    let established = object.condition("Established");
    // Before it is established, the API server says that it is being installed.
    let failed = established
        .filter(|it| it.status == "False" && !["Installing", "NotAccepted"].contains(&it.reason));
    if let Some(failed) = failed {
        let cause = Reported::new("Established", &failed);
        return ObjectHealth::Failed(ObjectCause::Condition(cause));
    }
    let accepted = condition(object, "NamesAccepted");
    match accepted == ObjectHealth::Ready {
        true => condition(object, "Established"),
        false => accepted,
    }
}

fn claim(object: &Object) -> ObjectHealth {
    match object.text("/status/phase") {
        "Bound" => ObjectHealth::Ready,
        "Lost" => ObjectHealth::Failed(ObjectCause::ClaimLost),
        _ => ObjectHealth::Noted(ObjectNote::ClaimPending),
    }
}

/// A Pod that no controller made.
fn pod(object: &Object) -> ObjectHealth {
    match object.text("/status/phase") {
        "Succeeded" => ObjectHealth::Ready,
        "Failed" => {
            let said = ["/status/reason", "/status/message"].map(|field| quote(object.text(field)));
            let [reason, message] = said;
            ObjectHealth::Failed(ObjectCause::PodFailed(reason, message))
        }
        "Running" => condition(object, "Ready"),
        "" => ObjectHealth::Waiting(ObjectWait::Status),
        phase => match object.condition("PodScheduled") {
            Some(found) if found.status == "False" => {
                let wait = ObjectWait::Condition(Reported::new("PodScheduled", &found));
                ObjectHealth::Waiting(wait)
            }
            _ => ObjectHealth::Waiting(ObjectWait::Phase(quote(phase))),
        },
    }
}

fn replicas(object: &Object) -> ObjectHealth {
    if object.number("/status/observedGeneration").is_none() {
        return ObjectHealth::Waiting(ObjectWait::Status);
    }
    let wanted = object.number("/spec/replicas").unwrap_or(1);
    let available = object.number("/status/availableReplicas").unwrap_or(0);
    let total = object.number("/status/replicas").unwrap_or(0);
    if available >= wanted && total == wanted {
        return ObjectHealth::Ready;
    }
    let failure = object.true_condition("ReplicaFailure");
    ObjectHealth::Waiting(ObjectWait::Pods {
        available,
        wanted,
        obstacle: failure.map(|failure| Reported::new("ReplicaFailure", &failure)),
    })
}

/// A load balancer may take minutes, and in a cluster without a controller for it for ever; the
/// Service works inside the cluster meanwhile.
fn service(object: &Object) -> ObjectHealth {
    let ingress = object.value().pointer("/status/loadBalancer/ingress");
    let has_address = ingress
        .and_then(Value::as_array)
        .is_some_and(|all| !all.is_empty());
    match object.text("/spec/type") == "LoadBalancer" && !has_address {
        true => ObjectHealth::Noted(ObjectNote::AddressPending),
        false => ObjectHealth::Ready,
    }
}
