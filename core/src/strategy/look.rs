//! What is to be read before a decision is possible.

use super::scene::Sought;
use crate::kubernetes::call::Call;
use crate::request::Request;
use crate::workload::health::diagnosis::LOG_LINES;

/// Something to read before a decision is possible.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// The Deployment.
    Deployment,
    /// The Deployment of this name, which gets the new version.
    Candidate {
        /// Its name.
        name: String,
    },
    /// Something around the Service.
    Scene(Sought),
    /// The ReplicaSets under its selector.
    ReplicaSets {
        /// The Deployment's selector.
        selector: String,
    },
    /// The namespace's HorizontalPodAutoscalers.
    Autoscalers,
    /// The pods of the newest ReplicaSet.
    Pods {
        /// The ReplicaSet's selector.
        selector: String,
        /// Its name.
        set: String,
    },
    /// Which pods the newest ReplicaSet has, ready ones, too.
    Roster {
        /// The ReplicaSet's selector.
        selector: String,
        /// Its name.
        set: String,
    },
    /// What this write would make of the Deployment.
    DryRun(Box<Call>),
    /// Who set this field of the Deployment.
    Editor {
        /// The field, step by step.
        steps: Vec<String>,
    },
    /// What happened to a pod or a ReplicaSet.
    Events {
        /// `Pod` or `ReplicaSet`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The last lines of a container's log.
    Log {
        /// The pod.
        pod: String,
        /// The container.
        container: String,
        /// Of its life before this one.
        previous: bool,
    },
    /// The ReplicaSet to return to.
    Previous {
        /// Its name.
        name: String,
    },
}

impl Look {
    /// The call that reads it.
    pub fn call(&self, request: &Request) -> Call {
        let namespace = &request.namespace;
        match self {
            Look::Deployment => Call::deployment(namespace, &request.deployment),
            Look::Editor { .. } => match request.strategy.switch() {
                Some(switch) => Call::service(namespace, &switch.service),
                None => Call::deployment(namespace, &request.deployment),
            },
            Look::DryRun(call) => (**call).clone(),
            Look::Candidate { name } => Call::deployment(namespace, name),
            Look::Scene(sought) => sought.call(request),
            Look::ReplicaSets { selector } => Call::replica_sets(namespace, selector),
            Look::Autoscalers => Call::autoscalers(namespace),
            Look::Pods { selector, .. } | Look::Roster { selector, .. } => {
                Call::pods(namespace, selector)
            }
            Look::Events { kind, name } => Call::events(namespace, kind, name),
            Look::Log {
                pod,
                container,
                previous,
            } => Call::log(namespace, pod, container, *previous, LOG_LINES),
            Look::Previous { name } => Call::replica_set(namespace, name),
        }
    }
}
