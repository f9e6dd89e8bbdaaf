//! The change that a request makes to the current Deployment: the body of the one write.
//!
//! A patch names only what differs, so it never touches a field that others own (the replicas of an
//! HPA, an injected sidecar). It contains the `resourceVersion` that was read: a strategic merge
//! patch adds a container that it does not find, so it must only apply to the checked template.

pub mod ambiguity;
pub mod apply;
pub mod asked;
mod checks;
mod comparison;
pub mod difference;
pub mod editor;
pub mod kept;
mod entries;
mod model;
mod notes;
mod patch;
mod put;
mod returning;
mod undo;

pub use checks::fault_of_time;
pub use comparison::contains;
pub use model::{Author, Change};
pub use notes::{SUPERSEDED_LIMIT, awaited, history, is_untouched, taken_over, watched};
pub use returning::{bring_back, came_back};
pub use undo::{undo, undo_of_another, undo_of_generation, undo_of_template};

use crate::problem::Fault;
use crate::request::{Method, Request};
use crate::state::baseline::Previous;
use crate::workload::Workload;
use crate::workload::replica_set::ReplicaSet;
use entries::{entry, merge_into};
use jiff::Timestamp;
use notes::{annotations, restart};
use patch::patch;
use put::{identify, manifest_replicas, put, set_in_manifest};
use serde_json::{Value, json};

/// Whether the request needs to know if an autoscaler owns the replicas.
pub fn needs_autoscalers(request: &Request, live: &Workload) -> bool {
    let wanted = request.manifest.as_ref().and_then(manifest_replicas);
    wanted.is_some_and(|wanted| wanted != live.replicas())
}

/// Plans the one write for the current object. `autoscaled`: a HorizontalPodAutoscaler targets the
/// Deployment. Faults name what the request needs and the Deployment does not have.
pub fn plan(
    request: &Request,
    live: &Workload,
    sets: &[ReplicaSet],
    autoscaled: bool,
    author: &Author,
) -> Result<Change, Vec<Fault>> {
    let annotations = annotations(request, Some(live), Previous::serving(live, sets), author);
    match request.method {
        Method::Put => put(request, live, autoscaled, annotations, author).map(Change::Put),
        Method::Patch => patch(request, live, autoscaled, annotations, author),
    }
}

/// The object to create if there is none.
pub fn create(request: &Request, author: &Author) -> Result<Value, Vec<Fault>> {
    let mut object = request.manifest.clone().unwrap_or_default();
    set_in_manifest(request, &mut object)?;
    identify(request, &mut object);
    if request.restart {
        restart(&mut object, author.now);
    }
    merge_into(
        entry(&mut object, &["metadata", "annotations"]),
        annotations(request, None, None, author),
    );
    Ok(object)
}

/// The requested pod template, from the manifest or the current Deployment, for a new Deployment.
pub fn template(request: &Request, live: &Workload, now: Timestamp) -> Result<Value, Vec<Fault>> {
    let base = request.manifest.as_ref().unwrap_or(live.value());
    // `json!` would copy it once more.
    let mut object = json!({"spec": {}});
    object["spec"]["template"] = base["spec"]["template"].clone();
    set_in_manifest(request, &mut object)?;
    if request.restart {
        restart(&mut object, now);
    }
    Ok(object["spec"]["template"].take())
}

#[cfg(test)]
mod tests;
