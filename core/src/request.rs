//! Parses the user parameters of the pipeline's action into a checked [`Request`] or
//! [`ReleaseRequest`], or reports every fault at once with its field.

mod alarms;
mod appearance;
mod canary;
mod checks;
pub mod document;
pub mod image;
mod parameters;
mod place;
mod pods;
pub mod release;
mod env;
mod fields;
mod files;
mod going_back;
mod handover;
mod images;
mod located;
mod manifest;
mod model;
mod origin;
mod shown;
mod steps;
mod strategy;
mod target;
mod workload;
mod text;
mod field_types;
mod unfilled;
mod unseen;

pub use canary::{Canary, CanaryStep, TARGETS, candidate_service};
pub use files::{File, Files, NamedFile, Wanted};
pub use located::located;
pub use model::{
    Alarms, AskedHandover, Hidden, Method, Mode, Request, ReturnTarget, Smoke, Strategy, Switch,
    Watch,
};
pub use origin::Origin;
pub use parameters::{FIELDS, Parameters, SCHEMA, variables};
pub use release::{Manifest, Place, PrunePolicy, ReleaseRequest};

use crate::problem::Fault;
use fields::{Check, DEFAULT_TIMEOUT};
use serde_json::{Map, Value};
use std::time::Duration;
use text::object;

/// User parameters that are valid as far as this can be checked without their files.
#[derive(Clone)]
pub struct Draft {
    fields: Map<String, Value>,
    /// The time limit for the whole deploy.
    pub timeout: Duration,
    /// The context of the kubeconfig, if one is named.
    pub cluster: Option<String>,
    /// The files to read.
    pub wanted: Wanted,
}

/// What a job asks for.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of them in an invocation"
)]
pub enum Asked {
    /// A deploy of one workload, and the Job that must complete before anything of it is written,
    /// as a release of its own.
    Workload(Request, Option<Box<ReleaseRequest>>),
    /// A deploy of all objects of some manifests.
    Release(ReleaseRequest),
}

impl Request {
    /// Checks user parameters of one workload without files. `job` is the default for `execution`.
    pub fn parse(parameters: &Parameters, job: &str) -> Result<Request, Vec<Fault>> {
        match Draft::read(parameters)?.complete(Files::default(), job)? {
            Asked::Workload(request, _) => Ok(request),
            Asked::Release(_) => {
                let problem = "are a release, and one workload is asked for";
                Err(vec![Fault::new("manifests", problem)])
            }
        }
    }
}

impl Asked {
    /// The context of the kubeconfig, if one is named.
    pub fn cluster(&self) -> Option<&str> {
        match self {
            Asked::Workload(request, _) => request.cluster.as_deref(),
            Asked::Release(request) => request.cluster.as_deref(),
        }
    }
}

impl Draft {
    /// Checks everything that can be checked before the files are read.
    pub fn read(parameters: &Parameters) -> Result<Draft, Vec<Fault>> {
        let fields = object(parameters).map_err(|fault| vec![fault])?;
        let mut check = Check::new(fields, None);
        match check.is_release() {
            true => _ = check.release("", None),
            false => _ = check.request(""),
        }
        let timeout = check.timeout.unwrap_or(DEFAULT_TIMEOUT);
        match check.faults.is_empty() {
            true => Ok(Draft {
                fields: check.fields,
                timeout,
                cluster: check.cluster,
                wanted: check.wanted,
            }),
            false => Err(check.faults),
        }
    }

    /// Checks everything, with the content of the wanted files. `job` is the default for
    /// `execution`.
    pub fn complete(self, mut files: Files, job: &str) -> Result<Asked, Vec<Fault>> {
        let origin = Origin::new(&self.wanted, &files);
        // They are many, and dropped while they are read.
        let manifests = std::mem::take(&mut files.manifests);
        let mut check = Check::new(self.fields, Some(&files));
        let asked = if check.is_release() {
            let release = check.release(job, Some(manifests));
            release.map(|release| Asked::Release(release.with_origin(origin)))
        } else {
            let request = check.request(job);
            request.map(|request| {
                let request = Request { origin, ..request };
                let before = check.release_before(&manifests, &request).map(Box::new);
                Asked::Workload(request, before)
            })
        };
        match asked {
            Some(asked) if check.faults.is_empty() => Ok(asked),
            _ => Err(check.faults),
        }
    }
}

#[cfg(test)]
mod tests;
