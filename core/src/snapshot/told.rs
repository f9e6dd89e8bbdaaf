//! What was not read, but told by a watch: it may be held back on its way, so that no verdict is
//! reached by it, and nothing is switched or taken away.

use super::{Kind, MOMENT, Query, Snapshot};
use crate::kubernetes::service::Service;
use crate::workload::Workload;
use crate::workload::health::job;
use jiff::Timestamp;

impl Snapshot {
    /// The answer to this query came from a watch, and a proxy may delay a watch.
    pub fn was_told(&mut self, query: Query) {
        self.told.push(query);
    }

    /// The watch of this Deployment has told right now how it is.
    pub fn was_heard(&mut self, name: &str) {
        let query = Query::deployment(name);
        self.told.retain(|told| *told != query);
    }

    /// Drops the answers of watches, so that they are read again, if an object is among them, or
    /// whatever it is where `any` counts. Returns whether it did.
    pub fn forget_told(&mut self, any: bool) -> bool {
        // The end of a Job is final, and Kubernetes may have deleted the Job since.
        if self.last_job.as_ref().is_some_and(job::is_over) {
            return false;
        }
        let mut told = self.told.iter();
        if !told.any(|query| any || matches!(query, Query::Get(..))) {
            return false;
        }
        let told = std::mem::take(&mut self.told);
        self.answers.retain(|(query, _)| !told.contains(query));
        if any && told.iter().any(|query| matches!(query, Query::Pods { .. })) {
            self.pods = None;
        }
        true
    }

    /// The Service is known as it was after everything else: who gets traffic is read after it, and
    /// no watch is believed in that.
    pub fn is_rechecked(&self) -> bool {
        let mut all = self.answers.iter();
        all.any(|(query, _)| matches!(query, Query::ServiceAgain(_)))
    }

    /// Takes a Service that was read again: what was read before of its Deployments is older.
    pub(super) fn read_again(&mut self, name: &str, service: Option<Service>) {
        let told = std::mem::take(&mut self.told);
        let (older, told): (Vec<_>, Vec<_>) = told.into_iter().partition(Query::is_of_traffic);
        let deployments = |query: &Query| matches!(query, Query::Get(Kind::Deployment, _));
        self.answers
            .retain(|(query, _)| !deployments(query) && !older.contains(query));
        self.told = told;
        self.set(Query::service(name), service);
        self.set(Query::ServiceAgain(name.to_owned()), true);
    }

    /// A write of a switch has returned this object now. A Service's changes nothing of what was
    /// read a moment before; after any other everything may have changed.
    pub fn written(&mut self, after: Workload, now: Timestamp) {
        let is_of_now = self.since.is_some_and(|since| now < since + MOMENT);
        let kind = after.value()["kind"].as_str();
        if kind != Some("Service") || !is_of_now {
            self.invalidate_all();
        }
        // No more than a watch's word: whoever has the last one reads it again.
        self.told = self
            .answers
            .iter()
            .map(|(query, _)| query.clone())
            .collect();
        let name = after.name().to_owned();
        match kind {
            Some("Service") => {
                let service = Service::new(after.value().clone());
                self.set(Query::service(&name), Some(service));
            }
            Some("Deployment") => self.set(Query::deployment(&name), Some(after)),
            Some(_) | None => {}
        }
    }
}
