//! What a request changes in the Deployment that is there: the body of the one write.
//!
//! A patch names only what differs, so that a field which others own (the replicas of an HPA, a
//! sidecar that a webhook injected) is never touched. It carries the `resourceVersion` that was
//! read: a strategic merge patch adds a container that it does not find, so it must never meet a
//! template other than the one that was checked.

pub mod ambiguity;
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
mod undo;

pub use comparison::contains;
pub use model::{Author, Change};
pub use notes::{SUPERSEDED_LIMIT, history};
pub use undo::{undo, undo_of_generation, undo_of_template};

use crate::kubernetes::object::{Deployment, ReplicaSet};
use crate::problem::Fault;
use crate::request::{Method, Request};
use crate::state::baseline::Previous;
use crate::state::marks::GENERATION;
use entries::{entry, merge_into};
use jiff::Timestamp;
use notes::{annotations, restart};
use patch::patch;
use put::{identify, manifest_replicas, put, set_in_manifest};
use serde_json::{Value, json};

/// Whether the request needs to know if an autoscaler owns the replicas.
pub fn needs_autoscalers(request: &Request, live: &Deployment) -> bool {
    let wanted = request.manifest.as_ref().and_then(manifest_replicas);
    wanted.is_some_and(|wanted| wanted != live.replicas())
}

/// Plans the one write against the live object. `autoscaled`: a HorizontalPodAutoscaler targets
/// the Deployment. Faults name what the request asks for and the Deployment does not have.
pub fn plan(
    request: &Request,
    live: &Deployment,
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

/// The object to create where there is none.
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

/// The pod template that a request asks for, from its manifest or from the live one: what a new
/// Deployment gets.
pub fn template(request: &Request, live: &Deployment, now: Timestamp) -> Result<Value, Vec<Fault>> {
    let base = request.manifest.as_ref().unwrap_or(live.value());
    let template = base.pointer("/spec/template").cloned();
    let mut object = json!({"spec": {"template": template.unwrap_or_default()}});
    set_in_manifest(request, &mut object)?;
    if request.restart {
        restart(&mut object, now);
    }
    Ok(object["spec"]["template"].take())
}

/// Whether nothing but status has changed since our last write: neither spec nor annotations.
pub fn is_untouched(live: &Deployment) -> bool {
    let generation = live.annotation(GENERATION);
    generation.and_then(|text| text.parse().ok()) == Some(live.generation())
}

#[cfg(test)]
mod tests;
