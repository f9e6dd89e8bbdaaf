//! What is kept of a list, and the answers that it gives.

use crate::kubernetes::Cluster;
use crate::telemetry::logging;
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::answer;
use landfall_core::kubernetes::call::{Call, Verb};
use landfall_core::kubernetes::pod::{PodRecord, Pods};
use landfall_core::kubernetes::resource::{DEPLOYMENTS, ENDPOINT_SLICES, Resource, SERVICES};
use landfall_core::kubernetes::service::{Selector, ServicePod, read_selector};
use landfall_core::snapshot::{Reading, Response};
use landfall_core::workload::replica_set::ReplicaSet;
use serde_json::Value;
use tokio::time::Instant;

/// What a switch follows object by object.
const FOLLOWED: [&Resource; 2] = [&DEPLOYMENTS, &SERVICES];

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
            // Others are asked for once or twice, or their status changes all the time, as that of
            // autoscalers does: a watch would tell more than a few reads.
            Form::Whole => ENDPOINT_SLICES.name == call.resource,
            Form::Single => is_followed(call),
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
    Version(Box<ReplicaSet>, Selector),
    /// Of a pod of a Service.
    ServicePod(Box<(ServicePod, PodRecord)>, Selector),
    /// All of it.
    Object(Value),
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        match (self, other) {
            (Item::Pod(one), Item::Pod(other)) => one == other,
            (Item::Version(one, labels), Item::Version(other, others)) => {
                (one, labels) == (other, others)
            }
            (Item::ServicePod(one, labels), Item::ServicePod(other, others)) => {
                (one, labels) == (other, others)
            }
            (Item::Pod(one), Item::ServicePod(other, _))
            | (Item::ServicePod(other, _), Item::Pod(one)) => **one == other.1,
            // A list's items lack the kind that a watch tells.
            (Item::Object(one), Item::Object(other)) => {
                let identity = |object: &Value| {
                    ["uid", "resourceVersion"].map(|field| object["metadata"][field].clone())
                };
                identity(one) == identity(other)
            }
            (
                Item::Pod(_) | Item::Version(..) | Item::ServicePod(..) | Item::Object(_),
                Item::Pod(_) | Item::Version(..) | Item::ServicePod(..) | Item::Object(_),
            ) => false,
        }
    }
}

impl Item {
    /// Takes what a list or an answer has of it.
    fn of(form: Form, object: &Value) -> Item {
        let labels = || read_selector(object.pointer("/metadata/labels"));
        match form {
            Form::Versions => Item::Version(Box::new(ReplicaSet::read(object)), labels()),
            Form::ServicePods => match PodRecord::of(object) {
                Some(pod) => Item::ServicePod(Box::new((ServicePod::read(object), pod)), labels()),
                None => Item::Object(object.clone()),
            },
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
            Item::Pod(_) | Item::Version(..) | Item::ServicePod(..) => "",
        }
    }

    /// Whether its labels are among those that are selected, as far as they are known.
    pub(super) fn has(&self, selector: &Selector) -> bool {
        match self {
            Item::Version(_, labels) | Item::ServicePod(_, labels) => {
                let mut all = selector.iter();
                all.all(|(label, value)| labels.get(label) == Some(value))
            }
            Item::Pod(_) | Item::Object(_) => true,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Item::Pod(pod) => &pod.name,
            Item::Version(set, _) => &set.name,
            Item::ServicePod(pod, _) => &pod.0.name,
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
    reading: &Reading,
) -> Response {
    let mut objects = items.clone().filter_map(|item| match item {
        Item::Object(object) => Some(object.clone()),
        Item::Pod(_) | Item::Version(..) | Item::ServicePod(..) => None,
    });
    match reading {
        Reading::Pods(owner) => {
            let pods = items.filter_map(|item| match item {
                Item::Pod(pod) => Some(&**pod),
                Item::ServicePod(pod, _) => Some(&pod.1),
                Item::Version(..) | Item::Object(_) => None,
            });
            Response::Pods(Box::new(Pods::of(pods, owner)))
        }
        Reading::ReplicaSets => {
            let sets = items.filter_map(|item| match item {
                Item::Version(set, _) => Some(ReplicaSet::clone(set)),
                Item::Pod(_) | Item::ServicePod(..) | Item::Object(_) => None,
            });
            Response::ReplicaSets(sets.collect())
        }
        Reading::ServicePods => {
            let pods = items.filter_map(|item| match item {
                Item::ServicePod(pod, _) => Some(ServicePod::clone(&pod.0)),
                Item::Pod(_) | Item::Version(..) | Item::Object(_) => None,
            });
            Response::ServicePods(pods.collect())
        }
        Reading::List => Response::List(objects.collect()),
        // No other reading is of what is kept.
        Reading::Object | Reading::Whole | Reading::Roster(_) | Reading::Events | Reading::Text => {
            objects
                .next()
                .map_or(Response::Nothing, |object| Response::Object(object.into()))
        }
    }
}
