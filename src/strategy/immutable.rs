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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_ones_written_last_are_kept() {
        let version = |name: &str, minute: u32, ours: bool| {
            let at = format!("2026-01-01T00:{minute:02}:00Z");
            let mut notes = json!({change::DEPLOYED_AT: at});
            if ours {
                notes[CREATED_BY] = json!("job");
            }
            Deployment::new(json!({"metadata": {"name": name, "annotations": notes}}))
        };
        let [a, b, c] = [
            version("a", 1, true),
            version("b", 3, true),
            version("c", 2, true),
        ];
        let strange = version("d", 0, false);
        let all = [&a, &strange, &b, &c];
        for (keep, expected) in [(0, "bca"), (1, "ca"), (2, "a"), (3, ""), (20, "")] {
            let surplus = surplus(&all, keep).into_iter().map(Deployment::name);
            assert_eq!(surplus.collect::<String>(), expected, "keep {keep}");
        }
    }

    #[test]
    fn a_version_is_the_beginning_of_a_digest() {
        assert_eq!(version("0123456789abcdef"), "0123456789");
    }
}
