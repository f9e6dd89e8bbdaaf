//! The user parameters of the pipeline's action: raw text in, a checked [`Request`] out, or every
//! fault at once, each by its field's name.

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
mod text;
mod field_types;
mod unfilled;

pub use files::{File, FileReference, Files, Wanted};
pub use located::located;
pub use model::{Hidden, Method, Mode, Request, Smoke, Strategy, Switch};
pub use origin::Origin;
pub use parameters::{FIELDS, Parameters, variables};

use crate::problem::Fault;
use fields::{Check, DEFAULT_TIMEOUT};
use serde_json::{Map, Value};
use std::time::Duration;
use text::object;

/// User parameters that are right as far as can be told without the files that they name.
#[derive(Clone)]
pub struct Draft {
    fields: Map<String, Value>,
    /// For the whole deploy.
    pub timeout: Duration,
    /// What must be read to complete it.
    pub wanted: Wanted,
}

impl Request {
    /// Checks user parameters that name no files. `job` stands in where no `execution` is given.
    pub fn parse(parameters: &Parameters, job: &str) -> Result<Request, Vec<Fault>> {
        Draft::read(parameters)?.complete(&Files::default(), job)
    }
}

impl Draft {
    /// Checks all that can be checked before the files are read.
    pub fn read(parameters: &Parameters) -> Result<Draft, Vec<Fault>> {
        let fields = object(parameters).map_err(|fault| vec![fault])?;
        let mut check = Check::new(fields, None);
        check.request("");
        let timeout = check.timeout.unwrap_or(DEFAULT_TIMEOUT);
        match check.faults.is_empty() {
            true => Ok(Draft {
                fields: check.fields,
                timeout,
                wanted: check.wanted,
            }),
            false => Err(check.faults),
        }
    }

    /// Checks everything, with the files that were wanted.
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
