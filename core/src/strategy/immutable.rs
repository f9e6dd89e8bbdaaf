//! Immutable: each version is a Deployment of its own that is never changed again. A few superseded
//! ones are kept, scaled to zero: to deploy one of them again is to bring it back.

use crate::kubernetes::object::timestamp;
use crate::state::marks::{self, CREATED_BY};
use crate::workload::Workload;

/// Of a digest's sixteen characters these are enough to tell the versions of one application apart,
/// and leave room in names.
const VERSION_LENGTH: usize = 10;

/// The version of a template.
pub fn version(digest: &str) -> String {
    digest.chars().take(VERSION_LENGTH).collect()
}

/// The superseded Deployments to delete: what failed, and what is beyond those to keep. `from`
/// served last and is kept first, then the ones that were written last.
pub fn surplus<'a>(superseded: &[&'a Workload], from: &str, keep: usize) -> Vec<&'a Workload> {
    let failed = |one: &&Workload| one.annotation(marks::ROLLED_BACK).is_some();
    let (failed, mut all): (Vec<_>, Vec<_>) = superseded.iter().copied().partition(failed);
    let written = |deployment: &Workload| {
        let at = deployment.annotation(marks::DEPLOYED_AT);
        at.and_then(timestamp)
    };
    all.sort_by(|one, other| {
        let last = (other.name() == from).cmp(&(one.name() == from));
        let order = last.then_with(|| written(other).cmp(&written(one)));
        order.then_with(|| one.name().cmp(other.name()))
    });
    let made_by_us = |one: &&Workload| one.annotation(CREATED_BY).is_some();
    let beyond = all.into_iter().skip(keep);
    beyond.chain(failed).filter(made_by_us).collect()
}

#[cfg(test)]
mod tests;
