//! What goes wrong with a route while a canary moves traffic by it.

use crate::change::editor::Editor;
use crate::kubernetes::route::{ParentRefusal, WeightChange};
use std::time::Duration;

/// What goes wrong with a route while a canary moves traffic by it.
#[derive(Clone, Debug, PartialEq)]
pub enum RouteProblem {
    /// Someone deleted it.
    Deleted,
    /// Someone changed its weights.
    Changed {
        /// What they are now, and what they should be.
        change: WeightChange,
        /// Who did it, where the server notes that.
        editor: Option<Editor>,
    },
    /// A controller refuses the weights.
    Refused(ParentRefusal),
    /// These parents did not take notice of the weights.
    NotAccepted {
        /// The parents.
        parents: Vec<String>,
        /// How long that was waited for.
        waited: Duration,
    },
    /// The controller could not bring the weights into force.
    NotInForce {
        /// The reason of its event.
        reason: String,
        /// Its message.
        message: String,
    },
}
