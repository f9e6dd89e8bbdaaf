//! Finds missing objects that are in the manifest's own file, of which only the workload is
//! applied.

use super::finding::{Explanation, Finding};
use crate::outcome::Cause;
use crate::workload::Kind;

/// The kinds that a pod needs. A kind whose name ends with one of these creates one:
/// `ExternalSecret`.
const NEEDED: [&str; 9] = [
    "serviceaccount",
    "secret",
    "configmap",
    "persistentvolumeclaim",
    "persistentvolume",
    "storageclass",
    "priorityclass",
    "runtimeclass",
    "resourceclaim",
];

impl Finding {
    /// Those of `skipped`, as in `Secret/web`, that Kubernetes names as missing, in a sentence's
    /// last part; empty where there are none.
    pub fn skipped(&self, kind: Kind, skipped: &[String], explanation: &Explanation) -> String {
        let may_miss = matches!(
            self.cause,
            Cause::PodNotCreated
                | Cause::ConfigMissing
                | Cause::ContainerNotCreated
                | Cause::NotStarted
                | Cause::Unschedulable
                | Cause::ImageDenied
        );
        if !may_miss || skipped.is_empty() {
            return String::new();
        }
        let warnings = explanation.events.iter().flatten().flatten();
        let warnings = warnings.filter(|event| event.kind == "Warning");
        let mut said = warnings
            .map(|event| words(&event.message))
            .collect::<Vec<_>>();
        said.push(words(&self.said));
        let is_missed = |label: &&String| said.iter().any(|said| names(said, label));
        let missed = skipped.iter().filter(is_missed).cloned();
        match missed.collect::<Vec<_>>().as_slice() {
            [] => String::new(),
            missed => format!(
                "; {} from the manifest's file was not applied: Landfall applies only the {}",
                crate::text::list(missed),
                kind.word()
            ),
        }
    }
}

/// The words of a sentence, including names.
fn words(text: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_alphanumeric() || ['-', '.'].contains(&letter);
    let words = text.split(|letter: char| !is_part(letter));
    let words = words.map(|word| word.trim_matches('.').to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// Whether a sentence mentions the object, by its kind and its name.
fn names(said: &[String], label: &str) -> bool {
    let Some((kind, name)) = label.rsplit_once('/') else {
        return false;
    };
    let kind = kind.to_lowercase();
    let Some(needed) = NEEDED.iter().find(|needed| kind.ends_with(**needed)) else {
        return false;
    };
    let is_kind =
        |word: &String| word.to_lowercase().trim_end_matches('s') == needed.trim_end_matches('s');
    said.iter().any(is_kind) && said.iter().any(|word| word == name)
}

#[cfg(test)]
mod tests;
