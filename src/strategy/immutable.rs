//! Immutable: each version is a Deployment of its own that is never changed again. A few superseded
//! ones are kept, scaled to zero: to deploy one of them again is to bring it back.

use super::newcomer::CREATED_BY;
use crate::change;
use crate::cluster::object::{Deployment, timestamp};

/// Of a digest's sixteen characters these are enough to tell the versions of one application apart,
/// and leave room in names.
const VERSION_LENGTH: usize = 10;

/// The version of a template.
pub fn version(digest: &str) -> String {
    digest.chars().take(VERSION_LENGTH).collect()
}

/// The superseded Deployments beyond those to keep, the ones that were written last being kept.
pub fn surplus<'a>(superseded: &[&'a Deployment], keep: usize) -> Vec<&'a Deployment> {
    let mut all = superseded.to_vec();
    let written = |deployment: &Deployment| {
        let at = deployment.annotation(change::DEPLOYED_AT);
        at.and_then(timestamp)
    };
    all.sort_by(|one, other| {
        let order = written(other).cmp(&written(one));
        order.then_with(|| one.name().cmp(other.name()))
    });
    let made_by_us = |one: &&Deployment| one.annotation(CREATED_BY).is_some();
    all.into_iter().skip(keep).filter(made_by_us).collect()
}
