//! Why an object is not ready, in a clause about it.

use crate::text::{clip, list, quote};
use crate::workload::health::object::{ObjectCause, ObjectNote, ObjectWait, Reported};

/// How much of what a controller says is told.
const SAID_LIMIT: usize = 300;

/// What an object waits for.
pub fn waiting(wait: &ObjectWait) -> String {
    match wait {
        ObjectWait::Observation => "its controller has not seen the change yet".to_owned(),
        ObjectWait::Status => "it has no status yet".to_owned(),
        ObjectWait::Condition(reported) => condition(reported),
        ObjectWait::Pods {
            available,
            wanted,
            obstacle,
        } => {
            let count = format!("{available} of {wanted} pods available");
            match obstacle {
                Some(obstacle) => format!("{count}; {}", condition(obstacle)),
                None => count,
            }
        }
        ObjectWait::Phase(phase) => format!("its phase is {}", quote(phase)),
        ObjectWait::Removal(finalizers) => {
            format!("it is made anew, and {}", going(finalizers))
        }
    }
}

/// An object that is being deleted, and what keeps it.
pub(super) fn going(finalizers: &[String]) -> String {
    match finalizers {
        [] => "it is being deleted".to_owned(),
        [one] => format!(
            "it is being deleted: its finalizer `{}` keeps it",
            quote(one)
        ),
        all => format!("it is being deleted: its finalizers {} keep it", list(all)),
    }
}

/// Why an object will not get ready.
pub(super) fn cause(cause: &ObjectCause) -> String {
    match cause {
        ObjectCause::Replaced => {
            "someone else deleted it and made another of the same name".to_owned()
        }
        ObjectCause::Condition(reported) => {
            format!("it does not get ready: {}", condition(reported))
        }
        ObjectCause::ClaimLost => "it has lost its volume".to_owned(),
        ObjectCause::PodFailed(reason, message) => match said(reason, message).as_str() {
            "" => "the pod failed".to_owned(),
            said => format!("the pod failed: {said}"),
        },
        ObjectCause::NamespaceEnding(reasons) => match reasons.first() {
            Some(first) => format!(
                "it is being deleted, and is still there: {}",
                condition(first)
            ),
            None => "it is being deleted".to_owned(),
        },
    }
}

/// What is still to come for an object that is there.
pub(super) fn note(note: &ObjectNote) -> &'static str {
    match note {
        ObjectNote::AddressPending => "its load balancer has no address yet",
        ObjectNote::ClaimPending => "it has no volume yet",
    }
}

/// `Ready is False (IssuerNotFound: …)`.
fn condition(reported: &Reported) -> String {
    let Reported {
        condition,
        status,
        reason,
        message,
    } = reported;
    let head = format!("{} is {}", quote(condition), quote(status));
    match said(reason, message).as_str() {
        "" => head,
        said => format!("{head} ({said})"),
    }
}

fn said(reason: &str, message: &str) -> String {
    let parts = [quote(reason), clip(&quote(message), SAID_LIMIT)];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(": ")
}
