//! What was not read, but told by a watch: it may be held back on its way, so that no verdict is
//! reached by it.

use super::{Query, Snapshot};
use crate::workload::health::job;

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

    /// Drops the answers of watches, so that they are read again, if an object is among them.
    /// Returns whether one is.
    pub fn forget_told(&mut self) -> bool {
        // The end of a Job is final, and Kubernetes may have deleted the Job since.
        if self.last_job.as_ref().is_some_and(job::is_over) {
            return false;
        }
        let mut told = self.told.iter();
        if !told.any(|query| matches!(query, Query::Get(..))) {
            return false;
        }
        let told = std::mem::take(&mut self.told);
        self.answers.retain(|(query, _)| !told.contains(query));
        true
    }
}
