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

/// The superseded Deployments to delete: what failed, and what is beyond those to keep. `from`
/// served last and is kept first, then the ones that were written last.
pub fn surplus<'a>(superseded: &[&'a Deployment], from: &str, keep: usize) -> Vec<&'a Deployment> {
    let failed = |one: &&Deployment| one.annotation(change::ROLLED_BACK).is_some();
    let (failed, mut all): (Vec<_>, Vec<_>) = superseded.iter().copied().partition(failed);
    let written = |deployment: &Deployment| {
        let at = deployment.annotation(change::DEPLOYED_AT);
        at.and_then(timestamp)
    };
    all.sort_by(|one, other| {
        let last = (other.name() == from).cmp(&(one.name() == from));
        let order = last.then_with(|| written(other).cmp(&written(one)));
        order.then_with(|| one.name().cmp(other.name()))
    });
    let made_by_us = |one: &&Deployment| one.annotation(CREATED_BY).is_some();
    let beyond = all.into_iter().skip(keep);
    beyond.chain(failed).filter(made_by_us).collect()
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
            let surplus = surplus(&all, "", keep).into_iter().map(Deployment::name);
            assert_eq!(surplus.collect::<String>(), expected, "keep {keep}");
        }
        // What served last is the way back, whenever it was written.
        let kept = surplus(&all, "a", 1).into_iter().map(Deployment::name);
        assert_eq!(kept.collect::<String>(), "bc");
        let mut failed = b.value().clone();
        failed["metadata"]["annotations"][change::ROLLED_BACK] = json!("job");
        let failed = Deployment::new(failed);
        let all = [&a, &failed, &c];
        let gone = surplus(&all, "c", 20).into_iter().map(Deployment::name);
        assert_eq!(gone.collect::<String>(), "b");
    }

    #[test]
    fn a_version_is_the_beginning_of_a_digest() {
        assert_eq!(version("0123456789abcdef"), "0123456789");
    }
}
