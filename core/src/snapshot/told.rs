//! What was not read, but told by a watch: it may be held back on its way, so that no verdict is
//! reached by it, and nothing is switched or taken away.

use super::{Answer, Items, Kind, MOMENT, Query, Snapshot};
use crate::kubernetes::service::Service;
use crate::workload::Workload;
use crate::workload::health::job;
use jiff::Timestamp;

impl Snapshot {
    /// The answer to this query came from a watch, and a proxy may delay a watch.
    pub fn was_told(&mut self, query: Query) {
        self.told.push(query);
    }

    /// Whether the answer to this query came from a watch.
    pub fn is_told(&self, query: &Query) -> bool {
        self.told.contains(query) && self.is_answered(query)
    }

    fn is_answered(&self, query: &Query) -> bool {
        self.answers.iter().any(|(asked, _)| asked == query)
    }

    /// Checks that the answer to this query was read, and not told by a watch.
    ///
    /// # Errors
    ///
    /// The query, which is to be read.
    pub fn certain(&self, query: Query) -> Result<(), Query> {
        match self.is_answered(&query) && !self.is_told(&query) {
            true => Ok(()),
            false => Err(query),
        }
    }

    /// The queries of who gets traffic whose answers were only told by a watch.
    pub fn told_of_traffic(&self) -> impl Iterator<Item = &Query> {
        let of_traffic = self.told.iter().filter(|query| query.is_of_traffic());
        of_traffic.filter(|query| self.is_answered(query))
    }

    /// The answer to this query was read: a list has each of its objects as it is.
    pub fn was_read(&mut self, query: &Query) {
        let Ok(all) = self.get::<Vec<Workload>>(query.clone()) else {
            return;
        };
        for one in all.clone() {
            self.set(Query::deployment(one.name()), Some(one));
        }
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

    /// A write of a switch has returned this object now. What was read of others a moment before
    /// holds, but for what controllers make of the write. No verdict rests on it.
    pub fn written(&mut self, after: Workload, now: Timestamp) {
        let is_of_now = self.since.is_some_and(|since| now < since + MOMENT);
        let name = after.name().to_owned();
        let kind = after.value()["kind"].as_str();
        let is_known = matches!(kind, Some("Service" | "Deployment"));
        if !is_of_now || !is_known {
            self.invalidate_all();
        }
        match kind {
            Some("Service") => {
                // Its endpoints follow it.
                let endpoints = Query::List(Items::EndpointSlices, name.clone());
                self.answers.retain(|(query, _)| *query != endpoints);
                self.take_for_told();
                let service = Service::new(after.shared());
                self.set(Query::service(&name), Some(service));
            }
            Some("Deployment") => {
                self.invalidate_versions();
                self.update_lists(&after);
                self.take_for_told();
                let query = Query::deployment(&name);
                let is_retired = after.replicas() == 0;
                self.set(query.clone(), Some(after));
                // One that is to serve is looked at once more before that is told.
                self.retired.retain(|it| *it != query);
                self.retired.extend(is_retired.then_some(query));
            }
            Some(_) | None => {}
        }
    }

    /// Treats all answers as told by a watch, so that whoever decides by one reads it again, except
    /// for the Deployments that writes have scaled to zero.
    fn take_for_told(&mut self) {
        let queries = self.answers.iter().map(|(query, _)| query);
        let older = queries.filter(|it| self.is_told(it) || !self.retired.contains(it));
        self.told = older.cloned().collect();
    }

    /// Takes a Deployment that was written into the lists that have it.
    fn update_lists(&mut self, after: &Workload) {
        for (query, answer) in &mut self.answers {
            let (Query::List(Items::Deployments, selector), Answer::Deployments(all)) =
                (&*query, answer)
            else {
                continue;
            };
            let labels = &after.value()["metadata"]["labels"];
            let label = selector.split_once('=');
            match all.iter_mut().find(|one| one.name() == after.name()) {
                Some(one) => one.clone_from(after),
                None if label.is_some_and(|(label, value)| labels[label] == value) => {
                    all.push(after.clone());
                }
                None => {}
            }
        }
    }
}
