//! A process of the function, as the Runtime API sees it.

use crate::aws::invocation::Invocation;
use crate::aws::server::{Server, Service};
use crate::aws::state::Shared;
use jiff::Timestamp;
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// An execution environment, in Lambda's terms: one process and its Runtime API.
pub(crate) struct Environment {
    number: u64,
    server: Server,
    shared: Arc<Shared>,
}

impl Environment {
    pub(super) fn start(shared: &Arc<Shared>) -> io::Result<Environment> {
        let number = {
            let mut state = shared.state();
            state.environments += 1;
            state.environments
        };
        let server = Server::start(shared, Service::Runtime(number))?;
        let shared = Arc::clone(shared);
        Ok(Environment {
            number,
            server,
            shared,
        })
    }

    pub(crate) fn address(&self) -> String {
        self.server.address.to_string()
    }

    pub(crate) fn another(&self) -> io::Result<Environment> {
        Environment::start(&self.shared)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    /// The invocation of this process that timed out.
    pub(crate) fn timed_out(&self) -> Option<Invocation> {
        self.shared
            .state()
            .invocations
            .timed_out(self.number)
            .cloned()
    }

    /// Records that the process died by itself, perhaps before its first invocation.
    pub(crate) fn died(&self, reason: &str) {
        let now = Timestamp::now();
        self.shared.change(|state| {
            state.invocations.crash(self.number, reason, now);
            state.invocations.crash_at_start(self.number, reason, now);
        });
    }

    /// Records that the process was ended: it gets no more invocations, and the current one has
    /// failed.
    pub(crate) fn close(&self, reason: &str) {
        let now = Timestamp::now();
        self.shared
            .change(|state| state.invocations.crash(self.number, reason, now));
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.close("the process was stopped");
    }
}
