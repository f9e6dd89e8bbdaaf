//! Reading: what a query asks for, and what becomes of its answer.

use super::brief::{brief, in_short};
use super::model::{Engine, Note, Pending};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::snapshot::{Kind, Missed, Query, Reply, Response, found};
use crate::workload::replica_set::template_of;
use jiff::Timestamp;

impl Engine {
    pub(super) fn read(&mut self, query: Query) {
        let limit = query.terms().limit;
        let until = limit.map_or(self.until, |limit| self.soon(limit));
        self.ask_for(&query.clone(), until, Pending::Read(query));
    }

    pub(super) fn ask_for(&mut self, query: &Query, until: Timestamp, why: Pending) {
        let call = query.call(self.request.kind, &self.request.namespace);
        self.ask(call, query.terms().reading, until, why);
    }

    pub(super) fn was_read(&mut self, query: Query, call: Call, result: Reply) {
        let is_tried = matches!(query, Query::DryRun(_));
        match self.take(query, &call, result) {
            Ok(()) => {}
            Err(error) if is_tried && self.looks_again_after(&error) => {
                self.lost_race();
                self.snapshot.is_taken = true;
            }
            Err(error) => self.trouble(call, error),
        }
    }

    /// Takes an answer into the snapshot; an error is one that the deploy cannot do without.
    pub(super) fn take(
        &mut self,
        query: Query,
        call: &Call,
        result: Reply,
    ) -> Result<(), CallError> {
        let terms = query.terms();
        let response = match found(&terms.reading, result) {
            Ok(response) => Ok(response),
            Err(error) if terms.optional.is_nothing(&error) => Ok(Response::Nothing),
            Err(error) => {
                let is_final = self.locked_out.is_none() && !self.may_pass(&error);
                if !terms.optional.spares(&error, is_final) {
                    return Err(error);
                }
                if let Query::Pods { .. } | Query::Roster { .. } | Query::Blocking { .. } = query {
                    self.notes.push(Note::PodsUnreadable(in_short(&error)));
                }
                Err(Missed {
                    why: brief(call, &error, terms.gain),
                    unasked: is_of_proxy(&error),
                })
            }
        };
        if let (Query::Get(Kind::ReplicaSet, _), Ok(Response::Object(set))) = (&query, &response)
            && let Some(live) = self.snapshot.seen_deployment(&self.request.deployment)
            && template_of(set, live).is_none()
        {
            self.notes.push(Note::ForeignReplicaSet);
        }
        self.snapshot
            .take(self.request.kind, query, response, self.now, self.mask);
        Ok(())
    }
}

/// Whether it was the API server that could not ask the application, and not the application that
/// gave an answer.
fn is_of_proxy(error: &CallError) -> bool {
    if let CallError::Refused(refusal) = error {
        return refusal.is_status && matches!(refusal.code, 401 | 429 | 500..);
    }
    matches!(error, CallError::Unreachable(_))
}
