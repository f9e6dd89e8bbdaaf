//! What is known of a running invocation, however it ends.

use crate::telemetry::metrics::DeployMetrics;
use landfall_core::problem::Fault;
use landfall_core::state::continuation::Continuation;
use landfall_core::text::clip;
use std::cell::RefCell;

/// What parameters as a whole are called, where they cannot be read.
const UNREADABLE: &str = "UserParameters";

/// How much of a field's name is logged: it may be anything that somebody wrote.
const LONGEST_NAME: usize = 60;

/// What is known of a running invocation, however it ends.
#[derive(Default)]
pub(super) struct Ledger {
    /// The continuation that it began with, and the text that this is bound to: what it leaves if
    /// it breaks off. Whatever it did since, the cluster tells.
    pub(super) begun: RefCell<Option<(Continuation, String)>>,
    /// What is wrong with parameters or environment, by the names of the fields.
    pub(super) faults: RefCell<Vec<String>>,
    /// What is deployed, for the metrics.
    pub(super) deploy: RefCell<Option<DeployMetrics>>,
}

impl Ledger {
    /// Notes the names of fields that are wrong. Their problems may quote values.
    pub(super) fn note(&self, faults: &[Fault]) {
        let names = faults
            .iter()
            .map(|fault| match fault.problem.split_once(", the arrow in ") {
                // Of parameters that are not JSON the place tells more.
                Some((place, _)) if fault.field == UNREADABLE => format!("{UNREADABLE} {place}"),
                Some(_) | None => clip(&fault.field, LONGEST_NAME),
            });
        *self.faults.borrow_mut() = names.collect();
    }
}
