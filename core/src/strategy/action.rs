//! The writes of a deploy.

use crate::kubernetes::call::Call;
use crate::request::Request;
use crate::state::continuation::{Phase, RecordedFailure};
use crate::state::marks;
use serde_json::Value;

/// A write.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Patch the named fields.
    Patch(Value),
    /// Replace the object.
    Put(Value),
    /// Create the object.
    Create(Value),
    /// Bring the previous template back.
    Undo {
        /// JSON-patch operations.
        operations: Value,
        /// The revision that they bring back.
        revision: u64,
        /// Why.
        failure: RecordedFailure,
    },
    /// One of the writes of a switch.
    Step(Box<Step>),
}

/// One write of a switch.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The write.
    pub call: Call,
    /// The phase after it.
    pub then: Phase,
    /// What is cleared away by it, where the deploy does not fail if that is refused.
    pub clears: Option<String>,
}

impl Action {
    /// The same with its texts run through `mask`: the cause of an undo goes into the cluster and
    /// quotes what the cluster said.
    pub fn hide(self, mask: impl Fn(&str) -> String) -> Action {
        match self {
            Action::Undo {
                mut operations,
                revision,
                failure,
            } => {
                let failure = failure.hide(mask);
                let all = operations.as_array_mut().into_iter().flatten();
                for operation in all.filter(|operation| operation["path"] == marks::CAUSE_PATH) {
                    operation["value"] = Value::String(failure.cause.clone());
                }
                Action::Undo {
                    operations,
                    revision,
                    failure,
                }
            }
            Action::Step(mut step) => {
                let notes = step.call.body.as_mut();
                let notes = notes.and_then(|body| body.pointer_mut("/metadata/annotations"));
                if let Some(Value::String(cause)) = notes.and_then(|all| all.get_mut(marks::CAUSE))
                {
                    *cause = mask(cause);
                }
                step.then = step.then.hide(mask);
                Action::Step(step)
            }
            other @ (Action::Patch(_) | Action::Put(_) | Action::Create(_)) => other,
        }
    }

    /// The call that performs it.
    pub fn call(&self, request: &Request) -> Call {
        let resource = &request.kind.row().resource;
        let (namespace, name) = (&request.namespace, &request.deployment);
        match self {
            Action::Patch(patch) => Call::strategic_patch(resource, namespace, name, patch.clone()),
            Action::Put(object) => Call::replace(resource, namespace, name, object.clone()),
            Action::Create(object) => Call::create(resource, namespace, object.clone()),
            Action::Undo { operations, .. } => {
                Call::json_patch(resource, namespace, name, operations.clone())
            }
            Action::Step(step) => step.call.clone(),
        }
    }
}
