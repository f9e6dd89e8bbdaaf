//! The annotations by which a manifest says how its object is applied.

use super::fault::{Faults, Subject};
use super::identity::Identity;
use super::model::PrunePolicy;
use crate::kubernetes::group::is_kept_kind;
use serde_json::Value;

/// When the object is applied: an integer, lower ones first; 0 without it.
pub const WAVE: &str = "landfall/wave";

/// `never`: the object stays when the release no longer has it; `always`: it goes, whatever its
/// kind.
pub const PRUNE: &str = "landfall/prune";

/// `no`: the release does not wait for the object's health.
pub const FOLLOW: &str = "landfall/follow";

/// `yes`: the object is deleted and created anew if an immutable field changed.
pub const RECREATE: &str = "landfall/recreate";

/// The annotations that people write; others of this prefix are Landfall's own.
pub(super) const OWN: [&str; 4] = [WAVE, PRUNE, FOLLOW, RECREATE];

/// Of how many letters a misspelt annotation differs from the one that it means.
const MISSPELT: usize = 2;

/// The kind of hook that a chart's CustomResourceDefinitions have in the format of Helm 2.
/// <https://helm.sh/docs/topics/charts_hooks/>
const CRD_HOOK: &str = "crd-install";

/// Hooks that can be run as part of a release.
const RUNNABLE: [&str; 4] = ["pre-install", "pre-upgrade", "post-install", "post-upgrade"];

/// The longest list of hook kinds in a message: all that Helm has need half of it.
const HOOK_LIMIT: usize = 200;

/// How an object is applied.
#[derive(Debug, PartialEq)]
pub(super) struct Annotations {
    pub(super) wave: i32,
    pub(super) prune: PrunePolicy,
    pub(super) follow: bool,
    pub(super) recreate: bool,
}

/// Reads and checks the annotations of an object.
pub(super) fn read(
    object: &Value,
    identity: &Identity,
    subject: &Subject,
    faults: &mut Faults,
) -> Annotations {
    let annotations = &object["metadata"]["annotations"];
    let text = |key: &str| annotations[key].as_str().map(str::trim);
    let mut wrong = |key: &str, problem: String| {
        faults.push(subject.fault(&format!(".metadata.annotations.{key}"), problem));
    };
    let wave = text(WAVE).map(|text| match text.parse() {
        Ok(wave) => wave,
        Err(_) => {
            wrong(
                WAVE,
                format!("must be an integer in quotes, such as \"-1\", and is `{text}`"),
            );
            0
        }
    });
    let mut choice = |key: &str, words: [&str; 2], default: bool| match text(key) {
        None => default,
        Some(text) if text == words[0] => true,
        Some(text) if text == words[1] => false,
        Some(text) => {
            let [yes, no] = words;
            wrong(
                key,
                format!("must be \"{yes}\" or \"{no}\", in quotes, and is `{text}`"),
            );
            default
        }
    };
    let is_kept = is_kept_kind(identity.group(), &identity.kind)
        || text("helm.sh/resource-policy") == Some("keep");
    let is_pruned = choice(PRUNE, ["always", "never"], !is_kept);
    let follow = choice(FOLLOW, ["yes", "no"], true);
    let recreate = choice(RECREATE, ["yes", "no"], false);
    let keys = annotations.as_object().into_iter().flatten();
    for (key, _) in keys.filter(|(key, _)| !OWN.contains(&key.as_str())) {
        let meant = OWN
            .iter()
            .find(|own| key.starts_with("landfall") && strsim::levenshtein(own, key) <= MISSPELT);
        if let Some(meant) = meant {
            wrong(key, format!("is unknown; did you mean `{meant}`?"));
        }
    }
    Annotations {
        wave: wave.unwrap_or_default(),
        prune: match is_pruned {
            true => PrunePolicy::Allowed,
            false => PrunePolicy::Never,
        },
        follow,
        recreate,
    }
}

/// The hook of a Helm chart that an object is, in words; `None` for an object that is applied. A
/// hook that has a wave is applied in it, unless it is for tests, rollbacks or deletions.
pub(super) fn hook(object: &Value) -> Option<String> {
    let annotations = &object["metadata"]["annotations"];
    let kinds = annotations["helm.sh/hook"].as_str()?;
    let mut each = kinds.split(',').map(str::trim);
    let is_runnable = each.clone().any(|kind| RUNNABLE.contains(&kind));
    if each.any(|kind| kind == CRD_HOOK) || is_runnable && !annotations[WAVE].is_null() {
        return None;
    }
    let kinds = kinds.chars().take(HOOK_LIMIT).collect::<String>();
    let wave = match kinds.contains("pre-") {
        true => "-1",
        false => "1",
    };
    Some(match is_runnable && object["kind"] == "Job" {
        true => format!("{kinds}; to run it in the release, give it {WAVE}: \"{wave}\""),
        false => kinds,
    })
}

#[cfg(test)]
mod tests;
