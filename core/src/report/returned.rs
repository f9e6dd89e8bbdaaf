//! A rollback on demand that worked: from which version to which.

use crate::request::Request;
use crate::state::baseline::Previous;
use crate::state::marks::{EXECUTION, RETURNED_FROM, RETURNED_TO, name_of};
use crate::strategy::candidate::returned;
use crate::strategy::service_lock::taken_back::TakenBack;
use crate::text::quote;
use crate::workload::Workload;

/// From which revision to which one a workload was rolled back.
pub(super) struct Back {
    from: Option<u64>,
    to: u64,
}

impl Back {
    /// Reads it from the workload, where this execution has rolled it back.
    pub(super) fn of(request: &Request, live: &Workload) -> Option<Back> {
        let is_ours = live.annotation(EXECUTION) == Some(&request.execution);
        let read = |mark| live.annotation(mark).and_then(Previous::read);
        let to = read(RETURNED_TO).filter(|_| is_ours && request.mode.is_rollback())?;
        Some(Back {
            from: read(RETURNED_FROM).map(|from| from.revision),
            to: to.revision,
        })
    }

    pub(super) fn summary(
        &self,
        target: &str,
        revision: &str,
        image: &str,
        pods: &str,
        (wrote, time): (bool, &str),
    ) -> String {
        let from = self.from.map(|from| format!(" from revision {from}"));
        let from = from.unwrap_or_default();
        let to = self.to;
        match wrote {
            true => format!(
                "{target} was rolled back{from} to revision {to}, which is revision {revision} now \
                 ({image}): {pods} after {time}."
            ),
            false => format!(
                "{target} was already rolled back{from} to revision {to} by this execution, so \
                 nothing was changed: revision {revision} ({image}); {pods}."
            ),
        }
    }
}

/// The other execution whose rollback on demand has brought back what this one was to bring back.
pub(super) fn returned_by_other(request: &Request, live: &Workload) -> Option<String> {
    let is_asked = request.mode.is_rollback() && request.to.is_none();
    live.annotation(RETURNED_TO).filter(|_| is_asked)?;
    let by = live.annotation(EXECUTION)?;
    (by != request.execution).then(|| quote(by))
}

/// What is said of a switch that was a rollback on demand: from which Deployment to which.
pub(super) fn switched_back(request: &Request, live: &Workload, wrote: bool) -> String {
    let is_ours = live.annotation(EXECUTION) == Some(&request.execution);
    let Some((to, _)) = returned(live).filter(|_| is_ours && request.mode.is_rollback()) else {
        return String::new();
    };
    let from = live.annotation(RETURNED_FROM).unwrap_or_default();
    let from = match name_of(from) {
        Some(_) => format!(" from `{from}`"),
        None => String::new(),
    };
    match wrote {
        true => format!(" It was rolled back{from} to the version of `{to}`."),
        false => {
            format!(" This execution had already rolled it back{from} to the version of `{to}`.")
        }
    }
}

/// What is said of a deploy that began although an alarm rang: from which version it goes back.
pub(super) fn began_ringing(request: &Request, live: &Workload, wrote: bool) -> String {
    let is_ours = live.annotation(EXECUTION) == Some(&request.execution);
    let from = live.annotation(RETURNED_FROM);
    let from = from.filter(|_| is_ours && wrote && !request.mode.is_rollback());
    let Some(from) = from else {
        return String::new();
    };
    let from = match (Previous::read(from), name_of(from)) {
        (Some(from), _) => format!("revision {}", from.revision),
        (None, Some(_)) => format!("`{from}`"),
        (None, None) => "the last one".to_owned(),
    };
    format!(
        " An alarm rang when it began, and did not hold it up: it brings back a version that \
         served before {from} did."
    )
}

/// What is said of a rollback on demand that brought nothing back: it stopped a deploy before its
/// version took over, or another rollback came first.
pub(super) fn taken_back(noted: &TakenBack, wrote: bool) -> String {
    let candidate = &noted.deployment;
    match (&noted.by, wrote) {
        (Some(by), _) => format!(
            " Execution `{}` had rolled back `{candidate}` since this rollback began, so it \
             brought nothing back.",
            quote(by)
        ),
        (None, true) => format!(
            " The last deploy, of `{candidate}`, was not done: it was taken back, and what served \
             all along stays."
        ),
        (None, false) => format!(
            " This execution had already taken back the last deploy, of `{candidate}`, which was \
             not done."
        ),
    }
}

/// The same before it is done.
pub(super) fn would_take_back(candidate: &str) -> String {
    format!(
        " The last deploy, of `{candidate}`, is not done: it would be taken back, and what serves \
         would stay."
    )
}
