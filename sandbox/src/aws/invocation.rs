//! Invocations: queued, each delivered once and answered once.

use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many invocations are remembered, so that a long simulation does not fill the memory.
const REMEMBERED: usize = 10_000;

/// One invocation of the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// `Lambda-Runtime-Aws-Request-Id`
    pub request_id: String,
    /// The job in the event, if it is readable.
    pub job: Option<String>,
    /// The function's timeout.
    pub life: Duration,
    /// When a process took it.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it ended; `None` while it waits or runs.
    pub end: Option<InvocationEnd>,
    pub(super) action: u64,
    pub(super) environment: Option<u64>,
    pub(super) due: Timestamp,
    pub(super) body: Vec<u8>,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvocationEnd {
    /// The function returned this value; a string if it was not JSON.
    Response(Value),
    /// The function returned this error.
    Error(Value),
    /// The invocation timed out.
    TimedOut,
    /// The process died during the invocation, for this reason.
    Crashed(String),
}

/// An event to invoke, and its earliest time.
pub(super) struct Event {
    pub(super) body: Vec<u8>,
    pub(super) job: Option<String>,
    pub(super) action: u64,
    pub(super) life: Duration,
    pub(super) due: Timestamp,
}

/// All invocations, and the processes that run them. An environment is one process, as in Lambda.
#[derive(Default)]
pub(super) struct Invocations {
    all: BTreeMap<u64, Invocation>,
    count: u64,
    closed: BTreeSet<u64>,
    used: BTreeSet<u64>,
    pub(super) init_errors: Vec<Value>,
}

pub(super) enum Next {
    Invocation(Box<Invocation>),
    At(Timestamp),
    Nothing,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotEnded {
    UnknownId,
    AlreadyEnded,
}

impl Invocations {
    pub(super) fn list(&self) -> Vec<Invocation> {
        self.all.values().cloned().collect()
    }

    pub(super) fn of_action(&self, action: u64) -> impl Iterator<Item = &Invocation> {
        self.all.values().filter(move |one| one.action == action)
    }

    pub(super) fn queue(&mut self, event: Event) {
        while self.all.len() >= REMEMBERED {
            self.all.pop_first();
        }
        self.count += 1;
        let invocation = Invocation {
            request_id: format!("{:08x}-1a2b-4c3d-8e4f-{0:012x}", self.count),
            job: event.job,
            life: event.life,
            started: None,
            ended: None,
            end: None,
            action: event.action,
            environment: None,
            due: event.due,
            body: event.body,
        };
        self.all.insert(self.count, invocation);
    }

    /// Queues the last event of an action again with the same request id, like Lambda's retry.
    pub(super) fn repeat(&mut self, action: u64, now: Timestamp) -> bool {
        let Some(last) = self.of_action(action).last().cloned() else {
            return false;
        };
        self.queue(Event {
            body: last.body,
            job: last.job,
            action,
            life: last.life,
            due: now,
        });
        if let Some(mut copy) = self.all.last_entry() {
            copy.get_mut().request_id = last.request_id;
        }
        true
    }

    pub(super) fn take(&mut self, environment: u64, now: Timestamp) -> Next {
        if self.closed.contains(&environment) {
            return Next::Nothing;
        }
        self.used.insert(environment);
        let waiting = self.all.values_mut().filter(|one| one.waits());
        let Some(first) = waiting.min_by_key(|one| one.due) else {
            return Next::Nothing;
        };
        if first.due > now {
            return Next::At(first.due);
        }
        first.started = Some(now);
        first.environment = Some(environment);
        Next::Invocation(Box::new(first.clone()))
    }

    pub(super) fn end(
        &mut self,
        id: &str,
        end: InvocationEnd,
        now: Timestamp,
    ) -> Result<(), NotEnded> {
        // After a retry two invocations have the same id: the later one runs.
        let mut same = self.all.values_mut().rev();
        let invocation = same
            .find(|one| one.request_id == id && one.started.is_some())
            .ok_or(NotEnded::UnknownId)?;
        if invocation.end.is_some() {
            return Err(NotEnded::AlreadyEnded);
        }
        invocation.finish(end, now);
        Ok(())
    }

    /// Ends invocations that have timed out.
    pub(super) fn expire(&mut self, now: Timestamp) {
        for invocation in self.all.values_mut().filter(|one| one.runs()) {
            if invocation.deadline() <= now {
                invocation.finish(InvocationEnd::TimedOut, now);
            }
        }
    }

    /// The invocation that timed out in this environment, if one did.
    pub(super) fn timed_out(&self, environment: u64) -> Option<&Invocation> {
        self.all.values().find(|one| {
            one.environment == Some(environment) && one.end == Some(InvocationEnd::TimedOut)
        })
    }

    /// Records that an environment's process died: its invocation ends, and it gets no more.
    pub(super) fn crash(&mut self, environment: u64, reason: &str, now: Timestamp) {
        self.closed.insert(environment);
        for invocation in self.all.values_mut().filter(|one| one.runs()) {
            if invocation.environment == Some(environment) {
                invocation.finish(InvocationEnd::Crashed(reason.to_owned()), now);
            }
        }
    }

    /// A process that dies before its first request fails the invocation for which it was started.
    pub(super) fn crash_at_start(&mut self, environment: u64, reason: &str, now: Timestamp) {
        self.closed.insert(environment);
        if self.used.contains(&environment) {
            return;
        }
        let waiting = self.all.values_mut().filter(|one| one.waits());
        if let Some(first) = waiting.min_by_key(|one| one.due) {
            first.finish(InvocationEnd::Crashed(reason.to_owned()), now);
        }
    }
}

impl Invocation {
    pub(super) fn waits(&self) -> bool {
        self.started.is_none() && self.end.is_none()
    }

    /// Whether a process runs it and has not responded.
    pub fn runs(&self) -> bool {
        self.started.is_some() && self.end.is_none()
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.started
            .unwrap_or(Timestamp::MAX)
            .saturating_add(self.life)
            .unwrap_or(Timestamp::MAX)
    }

    pub(super) fn finish(&mut self, end: InvocationEnd, now: Timestamp) {
        self.end = Some(end);
        self.ended = Some(now);
    }
}
