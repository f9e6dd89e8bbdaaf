//! What is wrong with user parameters and the files that they name: each fault with the place where
//! it is to be mended.

use super::model::{Report, fail, target};
use crate::outcome::{FailureCode, FailureType};
use crate::problem::Fault;
use crate::request::{Origin, Request};
use crate::text::quote;

/// The fields that name what a switch needs in the cluster.
const OF_CLUSTER: [&str; 4] = ["service", "deployment", "smoke", "route"];

/// The user parameters are wrong.
pub fn wrong_parameters(faults: &[Fault]) -> Report {
    found("Nothing was deployed", faults, &Origin::default())
}

/// They are, or the files that they name.
pub fn wrong_files(faults: &[Fault], origin: &Origin) -> Report {
    found("Nothing was deployed", faults, origin)
}

/// The cluster speaks against the request. `ended`: the execution of a canary that had died, and
/// whose share of the traffic was taken back before.
pub fn refused(request: &Request, faults: &[Fault], ended: Option<&str>) -> Report {
    let what = format!("{} was not changed", target(request));
    let ended = ended.map(|execution| format!("{}.", ended_share(execution)));
    // A switch is as often kept from its beginning by something that only the cluster has.
    let is_switch = request.strategy.switch().is_some();
    let is_of_cluster = is_switch && faults.iter().any(|it| OF_CLUSTER.contains(&&*it.field));
    told(&what, faults, ended, &request.origin, is_of_cluster)
}

/// That the share of a canary which had died was taken back, without a full stop.
pub(super) fn ended_share(execution: &str) -> String {
    format!(
        "The canary of execution `{}` died with a share of the traffic, which was taken back \
         first: everything goes to the version that served before it",
        quote(execution)
    )
}

/// Faults that keep a deploy from beginning. `what` is what came of it.
pub(super) fn found(what: &str, faults: &[Fault], origin: &Origin) -> Report {
    told(what, faults, None, origin, false)
}

fn told(
    what: &str,
    faults: &[Fault],
    also: Option<String>,
    origin: &Origin,
    is_of_cluster: bool,
) -> Report {
    // A place that a variable fills is mended here or there.
    let of = |fault: &Fault| {
        let file = origin.of_fault(fault);
        file.filter(|_| !fault.problem.contains("`variables`"))
    };
    let line = |fault: &Fault| match origin.of(&fault.field) {
        // Where a file cannot be read as what it should be, it is named there.
        Some(file) if !fault.problem.starts_with("of ") => {
            format!("`{}` of {file} {}", fault.field, fault.problem)
        }
        Some(_) | None => fault.to_string(),
    };
    let in_files = faults.iter().map(of).collect::<Vec<_>>();
    let touches = faults.iter().any(|fault| origin.touches(&fault.field));
    let (source, next) = source_and_next(&in_files, touches, is_of_cluster);
    let (headline, mut evidence) = match faults {
        [fault] => {
            let line = line(fault);
            // A fault may end with a question: what was meant.
            let end = if line.ends_with('?') { "" } else { "." };
            (format!("{what}: {line}{end}"), Vec::new())
        }
        faults => (
            format!("{what}: {} things are wrong with {source}.", faults.len()),
            faults
                .iter()
                .map(|fault| format!("- {}", line(fault)))
                .collect(),
        ),
    };
    evidence.extend(also);
    fail(
        FailureCode::Parameters,
        FailureType::ConfigurationError,
        &headline,
        &evidence,
        &next,
    )
}

/// What is wrong with something, and the next step: by the file that each fault is in, if any.
fn source_and_next(
    in_files: &[Option<&str>],
    touches: bool,
    is_of_cluster: bool,
) -> (String, String) {
    match in_files.first() {
        Some(Some(file)) if in_files.iter().all(|other| *other == Some(*file)) => (
            (*file).to_owned(),
            format!("Correct {file}, or the step that writes it, and release the change again."),
        ),
        Some(_) if in_files.iter().all(Option::is_some) => (
            "the files".to_owned(),
            "Correct the files, or the step that writes them, and release the change again."
                .to_owned(),
        ),
        _ if touches || in_files.iter().any(Option::is_some) => (
            "the user parameters and the files that they name".to_owned(),
            "Correct the file, or the action's UserParameters, and release the change again."
                .to_owned(),
        ),
        _ if is_of_cluster => (
            "what it needs".to_owned(),
            "Correct that in the cluster and retry the stage, or correct the action's \
             UserParameters and release the change again."
                .to_owned(),
        ),
        _ => (
            "the user parameters".to_owned(),
            "Correct the action's UserParameters and release the change again.".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests;
