//! What is kept of a list, and the answers that it gives.

use crate::kubernetes::Cluster;
use crate::telemetry::logging;
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::answer;
use landfall_core::kubernetes::call::{Call, Verb};
use landfall_core::kubernetes::pod::{PodRecord, Pods};
use landfall_core::kubernetes::resource::{DEPLOYMENTS, ENDPOINT_SLICES, Resource, SERVICES};
use landfall_core::kubernetes::service::ServicePod;
use landfall_core::snapshot::{Reading, Response};
use landfall_core::workload::replica_set::ReplicaSet;
use serde_json::Value;
use tokio::time::Instant;

/// What lists of a switch are followed as they are; of others, such as autoscalers, whose status
/// changes all the time, a watch would tell more than a few reads.
const FOLLOWED: [&Resource; 3] = [&DEPLOYMENTS, &SERVICES, &ENDPOINT_SLICES];

/// What is kept of the objects of a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// What is wrong with pods.
    Pods,
    /// ReplicaSets or ControllerRevisions.
    Versions,
    /// Pods as a Service sees them.
    ServicePods,
    /// All of each.
    Whole,
    /// All of the only one, which is read by its name.
    Single,
}

impl Form {
    /// In which form the answer to a call is kept; `None` where it is not. Of a rollout only what
    /// there may be many of is.
    pub(super) fn of(call: &Call, reading: &Reading, is_switch: bool) -> Option<Form> {
        let form = match reading {
            Reading::Pods(_) => Form::Pods,
            Reading::ReplicaSets => Form::Versions,
            Reading::ServicePods if is_switch => Form::ServicePods,
            Reading::List if is_switch => Form::Whole,
            Reading::Object if is_switch && is_followed(call) => Form::Single,
            // The last look before a success: a watch's last word may be held back on its way.
            Reading::Roster(_) => return None,
            Reading::Object | Reading::Whole | Reading::List | Reading::ServicePods => return None,
            Reading::Events | Reading::Text => return None,
        };
        let verb = match form {
            Form::Single => Verb::Get,
            Form::Pods | Form::Versions | Form::ServicePods | Form::Whole => Verb::List,
        };
        (call.verb == verb).then_some(form)
    }

    /// Whether such a list of this call may be followed.
    pub(super) fn may_follow(self, call: &Call) -> bool {
        match self {
            Form::Pods | Form::Versions | Form::ServicePods => true,
            Form::Whole | Form::Single => is_followed(call),
        }
    }
}

fn is_followed(call: &Call) -> bool {
    let mut followed = FOLLOWED.iter();
    followed.any(|resource| resource.name == call.resource)
}

/// What is kept of an object.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// Of a pod.
    Pod(Box<PodRecord>),
    /// Of a ReplicaSet or a ControllerRevision.
    Version(Box<ReplicaSet>),
    /// Of a pod of a Service.
    ServicePod(Box<ServicePod>),
    /// All of it.
    Object(Value),
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        match (self, other) {
            (Item::Pod(one), Item::Pod(other)) => one == other,
            (Item::Version(one), Item::Version(other)) => one == other,
            (Item::ServicePod(one), Item::ServicePod(other)) => one == other,
            // A list's items lack the kind that a watch tells.
            (Item::Object(one), Item::Object(other)) => {
                let identity = |object: &Value| {
                    ["uid", "resourceVersion"].map(|field| object["metadata"][field].clone())
                };
                identity(one) == identity(other)
            }
            (
                Item::Pod(_) | Item::Version(_) | Item::ServicePod(_) | Item::Object(_),
                Item::Pod(_) | Item::Version(_) | Item::ServicePod(_) | Item::Object(_),
            ) => false,
        }
    }
}

impl Item {
    /// Takes what a list or an answer has of it.
    fn of(form: Form, object: &Value) -> Item {
        match form {
            Form::Versions => Item::Version(Box::new(ReplicaSet::read(object))),
            Form::ServicePods => Item::ServicePod(Box::new(ServicePod::read(object))),
            Form::Pods | Form::Whole | Form::Single => Item::Object(object.clone()),
        }
    }

    /// Takes what a line of a watch has of it.
    pub(super) fn in_line(form: Form, text: &[u8]) -> Option<Item> {
        if form == Form::Pods {
            return PodRecord::in_line(text).map(|pod| Item::Pod(Box::new(pod)));
        }
        let line = answer::read(text)?;
        // Of pods there may be thousands, and their names are in no text that hides them.
        if form != Form::ServicePods {
            logging::learn(&line["object"]);
        }
        Some(Item::of(form, &line["object"]))
    }

    /// The version of an object that is kept whole; of others it is not known.
    pub(super) fn version(&self) -> &str {
        match self {
            Item::Object(object) => {
                let version = &object["metadata"]["resourceVersion"];
                version.as_str().unwrap_or_default()
            }
            Item::Pod(_) | Item::Version(_) | Item::ServicePod(_) => "",
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Item::Pod(pod) => &pod.name,
            Item::Version(set) => &set.name,
            Item::ServicePod(pod) => &pod.name,
            Item::Object(object) => object["metadata"]["name"].as_str().unwrap_or_default(),
        }
    }
}

/// Reads a list as a whole, and its version where it can be followed.
pub(super) async fn read(
    cluster: &Cluster,
    call: &Call,
    form: Form,
    until: Instant,
) -> Result<(Vec<Item>, Option<String>), CallError> {
    match form {
        Form::Pods => {
            let (pods, version) = cluster.pod_records(call, until).await?;
            let pods = pods.into_iter().map(|pod| Item::Pod(Box::new(pod)));
            Ok((pods.collect(), version))
        }
        Form::Single => {
            let object = cluster.send(call, until).await?;
            let version = object["metadata"]["resourceVersion"].as_str();
            let version = version.map(str::to_owned);
            Ok((vec![Item::Object(object)], version))
        }
        Form::Versions | Form::ServicePods | Form::Whole => {
            let read = |object: &Value| Item::of(form, object);
            cluster.list_at(call.clone(), until, read).await
        }
    }
}

/// Answers a question from what is kept of a list; `None` where the only object is gone.
pub(super) fn answer<'a>(
    items: impl Iterator<Item = &'a Item> + Clone,
    form: Form,
    reading: &Reading,
) -> Response {
    let pods = items.clone().filter_map(|item| match item {
        Item::Pod(pod) => Some(&**pod),
        Item::Version(_) | Item::ServicePod(_) | Item::Object(_) => None,
    });
    let mut objects = items.clone().filter_map(|item| match item {
        Item::Object(object) => Some(object.clone()),
        Item::Pod(_) | Item::Version(_) | Item::ServicePod(_) => None,
    });
    match form {
        Form::Pods => {
            let mut owner = "";
            if let Reading::Pods(set) = reading {
                owner = set;
            }
            Response::Pods(Box::new(Pods::of(pods, owner)))
        }
        Form::Versions => {
            let sets = items.filter_map(|item| match item {
                Item::Version(set) => Some(ReplicaSet::clone(set)),
                Item::Pod(_) | Item::ServicePod(_) | Item::Object(_) => None,
            });
            Response::ReplicaSets(sets.collect())
        }
        Form::ServicePods => {
            let pods = items.filter_map(|item| match item {
                Item::ServicePod(pod) => Some(ServicePod::clone(pod)),
                Item::Pod(_) | Item::Version(_) | Item::Object(_) => None,
            });
            Response::ServicePods(pods.collect())
        }
        Form::Whole => Response::List(objects.collect()),
        Form::Single => objects.next().map_or(Response::Nothing, Response::Object),
    }
}
