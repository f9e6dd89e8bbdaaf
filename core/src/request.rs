//! Parses the user parameters of the pipeline's action into a checked [`Request`], or reports every
//! fault at once with its field.

mod appearance;
mod checks;
pub mod document;
pub mod image;
mod parameters;
mod env;
mod fields;
mod files;
mod images;
mod located;
mod manifest;
mod model;
mod origin;
mod shown;
mod strategy;
mod target;
mod text;
mod field_types;
mod unfilled;

pub use files::{File, Files, NamedFile, Wanted};
pub use located::located;
pub use model::{Hidden, Method, Mode, Request, Smoke, Strategy, Switch};
pub use origin::Origin;
pub use parameters::{FIELDS, Parameters, variables};

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

impl Request {
    /// Checks user parameters without files. `job` is the default for `execution`.
    pub fn parse(parameters: &Parameters, job: &str) -> Result<Request, Vec<Fault>> {
        Draft::read(parameters)?.complete(&Files::default(), job)
    }
}

impl Draft {
    /// Checks everything that can be checked before the files are read.
    pub fn read(parameters: &Parameters) -> Result<Draft, Vec<Fault>> {
        let fields = object(parameters).map_err(|fault| vec![fault])?;
        let mut check = Check::new(fields, None);
        check.request("");
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

    /// Checks everything, with the content of the wanted files.
    pub fn complete(self, files: &Files, job: &str) -> Result<Request, Vec<Fault>> {
        let mut check = Check::new(self.fields, Some(files));
        let origin = Origin::new(&self.wanted, files);
        match check.request(job) {
            Some(request) if check.faults.is_empty() => Ok(Request { origin, ..request }),
            _ => Err(check.faults),
        }
    }
}

#[cfg(test)]
mod tests;
