//! Checks that the request fits the current Deployment.

use super::comparison::contains;
use crate::problem::Fault;
use crate::request::Request;
use crate::text::words;
use crate::workload::Workload;
use serde_json::Value;
use std::time::Duration;

/// Refuses images and variables for containers that do not exist: a strategic merge patch would add
/// them.
pub(super) fn check_containers(
    request: &Request,
    known: &[Vec<String>; 2],
) -> Result<(), Vec<Fault>> {
    let there = known.concat();
    let listed = match there.as_slice() {
        [] => "it has none".to_owned(),
        names => format!("it has `{}`", names.join("`, `")),
    };
    let images = request
        .images
        .keys()
        .map(|name| (format!("images.{name}"), name));
    let container = request.container.iter();
    let mut faults = images
        .chain(container.map(|name| ("container".to_owned(), name)))
        .filter(|(_, name)| !there.contains(name))
        .map(|(field, name)| {
            let kind = request.kind.word();
            let problem =
                format!("names container `{name}`, which the {kind} does not have; {listed}");
            Fault::new(field, problem)
        })
        .collect::<Vec<_>>();
    if request.sole_image.is_some() && known[0].len() != 1 {
        let problem =
            format!("has one image and names no container; {listed}. Say which by `container`");
        faults.push(Fault::new("images", problem));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// Refuses to roll out what cannot be available before the deploy's time is over. Pods that nobody
/// waits for may take as long as they like.
pub fn fault_of_time(request: &Request, object: &Value) -> Option<Fault> {
    let seconds = object.pointer("/spec/minReadySeconds")?.as_u64()?;
    let after = Duration::from_secs(seconds);
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_u64);
    let replicas = number("/spec/replicas").unwrap_or(1);
    let spared = number("/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    let is_none = replicas == 0 || spared > 0 && spared >= replicas;
    let is_awaited =
        !is_none && object.pointer("/spec/updateStrategy/type") != Some(&Value::from("OnDelete"));
    (is_awaited && after >= request.timeout).then(|| {
        Fault::new(
            "timeout",
            format!(
                "is {}, and a new pod of {} `{}` counts as available only after it was ready for \
                 {} (minReadySeconds): give a longer `timeout`, or fewer minReadySeconds",
                words(request.timeout),
                request.kind.word(),
                request.deployment,
                words(after)
            ),
        )
    })
}

/// Refuses another selector: a workload keeps the selector with which it was created.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates>
pub(super) fn check_selector(object: &Value, live: &Workload) -> Result<(), Vec<Fault>> {
    let wanted = object.pointer("/spec/selector").unwrap_or(&Value::Null);
    let found = &live.value()["spec"]["selector"];
    if contains(found, wanted) && contains(wanted, found) {
        return Ok(());
    }
    let is = if wanted.is_null() {
        "is missing".to_owned()
    } else {
        format!("is {wanted}")
    };
    let kind = live.kind().word();
    Err(vec![Fault::new(
        "manifest.spec.selector",
        format!(
            "{is} and the live {kind} has {found}. Kubernetes never lets the selector \
             of a {kind} change, as the pods of the old one would be orphaned: keep the live \
             selector, or deploy under another name"
        ),
    )])
}
