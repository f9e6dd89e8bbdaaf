//! What is known of a running invocation, however it ends.

use crate::telemetry::metrics::DeployMetrics;
use crate::telemetry::traffic;
use landfall_core::outcome::FailureCode;
use landfall_core::problem::Fault;
use landfall_core::report::page::Details;
use landfall_core::state::continuation::Continuation;
use landfall_core::text::clip;
use std::cell::{Cell, RefCell};

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
    /// What is wrong with parameters, environment, kubeconfig or objects, by the names of the
    /// fields; or which permissions are missing.
    pub(super) faults: RefCell<Vec<String>>,
    /// What a page of the report has beside the report.
    pub(super) page: RefCell<Option<Details>>,
    /// Whether the same event again would be told the same end, and try nothing.
    pub(super) is_final: Cell<bool>,
    /// What is deployed, for the metrics.
    pub(super) deploy: RefCell<Option<DeployMetrics>>,
}

impl Ledger {
    /// Takes note of how a deploy ended, for the metrics.
    pub(super) fn deployed(&self, ended: impl FnOnce(&mut DeployMetrics)) {
        if let Some(deploy) = &mut *self.deploy.borrow_mut() {
            ended(deploy);
        }
    }

    /// Keeps what a page of the report tells, if one or an event is wanted; the next invocation
    /// gets what this one has asked of the cluster.
    pub(super) fn seen(&self, details: Details, continuation: &mut Continuation) {
        if let Some(timeline) = &mut continuation.timeline {
            let (calls, bytes) = traffic::so_far();
            timeline.traffic.0 += calls;
            timeline.traffic.1 += bytes;
            *self.page.borrow_mut() = Some(details);
        }
    }

    /// Whether the message of a failure is about parameters that could not be read, so that what is
    /// secret in them is not known.
    pub(super) fn may_quote_secrets(&self, code: FailureCode) -> bool {
        code == FailureCode::Parameters && self.begun.borrow().is_none()
    }

    /// Whether nothing serves any more, as far as is known.
    pub(super) fn is_outage(&self) -> bool {
        self.deploy
            .borrow()
            .as_ref()
            .is_some_and(|deploy| deploy.outage)
    }

    /// Notes the names of fields that are wrong. Their problems may quote values.
    pub(super) fn note(&self, faults: &[Fault]) {
        let names = faults
            .iter()
            .map(|fault| match fault.problem.split_once(", the arrow in ") {
                // Of parameters that are not JSON the place tells more.
                Some((place, _)) if fault.field == UNREADABLE => format!("{UNREADABLE} {place}"),
                Some(_) | None => clip(&fault.field, LONGEST_NAME),
            });
        self.name(names.collect());
    }

    /// The same, by the names alone.
    pub(super) fn name(&self, faults: Vec<String>) {
        *self.faults.borrow_mut() = faults;
    }
}
