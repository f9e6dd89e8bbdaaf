//! The order in which the objects of a release are applied: by wave, then by what needs what.

use crate::kubernetes::group;
use crate::kubernetes::object_id::ObjectId;
use std::collections::{BTreeMap, BTreeSet};

/// What an object is for, in the order in which objects are applied. An object needs only what is
/// of a lower rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// A Namespace.
    Namespace,
    /// A CustomResourceDefinition.
    Definition,
    /// What objects name as their class or priority.
    Class,
    /// What limits pods: it must be there before the first pod.
    Limit,
    /// A ServiceAccount or a role.
    Role,
    /// A binding. The API server refuses one whose role does not exist.
    Binding,
    /// A ConfigMap, a Secret, and what has no other rank.
    Configuration,
    /// A volume or a claim.
    Storage,
    /// A custom resource whose definition was there before the release, so that its controller
    /// runs already. An ExternalSecret, a SealedSecret or a database is what Jobs and workloads
    /// need, so it comes before them (as in krane). Some tools apply all custom resources after the
    /// workloads, and a migration would wait in vain for the Secret that such an object makes.
    Custom,
    /// A Service: pods that start later have its name in their environment.
    Service,
    /// A Job. It runs to its end before the workloads of its wave change.
    Job,
    /// What has pods and is not a Job.
    Workload,
    /// What scales a workload: its admission may look for the workload.
    Autoscaler,
    /// An Ingress or a route: traffic comes last.
    Route,
    /// A custom resource of a definition in the same release. Its controller is a workload of this
    /// release, and often admits or converts it by a webhook, so it comes after the workloads. It
    /// comes before the webhooks, whose configuration would refuse it until they serve.
    OwnCustom,
    /// An APIService: an API that a workload of this release serves.
    ApiService,
    /// What admits or changes other objects: earlier, it would stop the release itself.
    Admission,
}

/// Objects that are applied concurrently.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Their wave.
    pub wave: i32,
    /// Their rank.
    pub rank: Rank,
    /// Where they are in the list that was ordered.
    pub members: Vec<usize>,
}

/// Kinds of the API server, and well-known custom resources whose rank is not that of others. `*`
/// is any kind of the group.
const RANKS: &[(&str, &str, Rank)] = &[
    ("", "Namespace", Rank::Namespace),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        Rank::Definition,
    ),
    ("flowcontrol.apiserver.k8s.io", "*", Rank::Class),
    ("storage.k8s.io", "*", Rank::Class),
    ("", "ResourceQuota", Rank::Limit),
    ("", "LimitRange", Rank::Limit),
    ("networking.k8s.io", "NetworkPolicy", Rank::Limit),
    ("policy", "*", Rank::Limit),
    ("", "ServiceAccount", Rank::Role),
    ("rbac.authorization.k8s.io", "ClusterRole", Rank::Role),
    ("rbac.authorization.k8s.io", "Role", Rank::Role),
    ("rbac.authorization.k8s.io", "*", Rank::Binding),
    ("", "PersistentVolume", Rank::Storage),
    ("", "PersistentVolumeClaim", Rank::Storage),
    ("", "Service", Rank::Service),
    ("", "Endpoints", Rank::Service),
    ("discovery.k8s.io", "*", Rank::Service),
    ("batch", "Job", Rank::Job),
    ("", "Pod", Rank::Workload),
    ("", "ReplicationController", Rank::Workload),
    ("apps", "ControllerRevision", Rank::Configuration),
    ("apps", "*", Rank::Workload),
    ("batch", "*", Rank::Workload),
    ("argoproj.io", "Rollout", Rank::Workload),
    ("serving.knative.dev", "Service", Rank::Workload),
    ("autoscaling", "*", Rank::Autoscaler),
    ("autoscaling.k8s.io", "*", Rank::Autoscaler),
    ("keda.sh", "ScaledObject", Rank::Autoscaler),
    ("keda.sh", "ScaledJob", Rank::Autoscaler),
    ("networking.k8s.io", "Ingress", Rank::Route),
    ("gateway.networking.k8s.io", "*", Rank::Route),
    ("networking.istio.io", "*", Rank::Route),
    ("projectcontour.io", "*", Rank::Route),
    ("route.openshift.io", "*", Rank::Route),
    ("traefik.io", "*", Rank::Route),
    ("traefik.containo.us", "*", Rank::Route),
    ("apiregistration.k8s.io", "*", Rank::ApiService),
    ("admissionregistration.k8s.io", "*", Rank::Admission),
];

/// Sorts objects with their waves into steps: the next step begins once all objects of the one
/// before are applied, and are ready where [`waits`] says so.
pub fn order(objects: &[(&ObjectId, i32)]) -> Vec<Step> {
    order_among(objects, &own_groups(objects.iter().map(|(id, _)| *id)))
}

/// The order of some objects of a release whose CustomResourceDefinitions have these groups.
pub fn order_among(objects: &[(&ObjectId, i32)], own: &BTreeSet<&str>) -> Vec<Step> {
    let mut steps = BTreeMap::<_, Vec<usize>>::new();
    for (place, (id, wave)) in objects.iter().enumerate() {
        let step = (*wave, rank_among(id, own));
        steps.entry(step).or_default().push(place);
    }
    let steps = steps.into_iter();
    steps
        .map(|((wave, rank), members)| Step {
            wave,
            rank,
            members,
        })
        .collect()
}

/// The order in which objects of such a release are deleted: what came last goes first.
pub fn reversed_among(objects: &[(&ObjectId, i32)], own: &BTreeSet<&str>) -> Vec<Step> {
    let mut steps = order_among(objects, own);
    steps.reverse();
    steps
}

/// Whether objects of this rank must be ready before the next step of their wave. Everything else
/// is only applied before it, because its controllers wait by themselves for what they need.
pub fn waits(rank: Rank) -> bool {
    use Rank::{ApiService, Definition, Job, Namespace};
    [Namespace, Definition, Job, ApiService].contains(&rank)
}

/// Whether objects of this rank must be gone before the next step of a deletion: the controller
/// that removes their finalizers is among the workloads that go next, and the definition that
/// serves them goes last.
pub fn waits_for_removal(rank: Rank) -> bool {
    [Rank::OwnCustom, Rank::Custom].contains(&rank)
}

/// The rank of an object in a release whose CustomResourceDefinitions have these groups.
fn rank_among(id: &ObjectId, own: &BTreeSet<&str>) -> Rank {
    let builtin = group::is_builtin(&id.group);
    if !builtin && own.contains(id.group.as_str()) {
        return Rank::OwnCustom;
    }
    let row = |kind: &str| {
        let mut rows = RANKS.iter();
        rows.find(|row| row.0 == id.group && row.1 == kind)
    };
    // PriorityClass, IngressClass, RuntimeClass, VolumeSnapshotClass and those to come.
    let class = id.kind.ends_with("Class").then_some(Rank::Class);
    let known = row(&id.kind).map(|row| row.2);
    let known = known.or(class).or_else(|| row("*").map(|row| row.2));
    known.unwrap_or(match builtin {
        true => Rank::Configuration,
        false => Rank::Custom,
    })
}

/// The groups of the CustomResourceDefinitions among the objects. A definition's name is always
/// `PLURAL.GROUP`.
pub fn own_groups<'a>(ids: impl Iterator<Item = &'a ObjectId>) -> BTreeSet<&'a str> {
    ids.filter(|id| id.is_definition())
        .filter_map(|id| Some(id.name.split_once('.')?.1))
        .collect()
}

#[cfg(test)]
mod tests;
