//! The way to the cluster in one invocation: a credential that is refused or about to expire is
//! fetched anew, and a server that was lost is looked for.

use crate::access::{Connection, Purpose};
use jiff::Timestamp;
use landfall_core::kubernetes::CallError;
use landfall_core::outcome::CredentialsError;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long the renewal of a credential that is still valid may take: a retry of STS.
const RENEWAL: Duration = Duration::from_secs(10);

/// The way to the cluster.
pub(super) struct Way<C> {
    /// The connection that is used now.
    pub(super) connection: Connection,
    connect: C,
    /// Whether a refused credential was renewed in this invocation.
    is_renewed: bool,
    /// Whether a credential that is about to expire could not be renewed in this invocation.
    is_past_renewal: bool,
    /// Whether a server that was lost was looked for in this invocation.
    is_found_again: bool,
    /// Whether the server has answered a call of this invocation.
    has_seen: bool,
    until: Instant,
}

/// What became of the way after a call.
pub(super) enum Renewed {
    /// It is as it was: the answer counts.
    Not,
    /// It is another one: the call is to be sent again.
    Again,
    /// There is none any more.
    LockedOut(CredentialsError),
    /// There was no time to find it.
    OutOfTime,
}

impl<C: AsyncFn(Purpose) -> Result<Connection, CredentialsError>> Way<C> {
    /// A way that is open already. `connect` opens it again.
    pub(super) fn new(connection: Connection, connect: C, until: Instant) -> Way<C> {
        Way {
            connection,
            connect,
            is_renewed: false,
            is_past_renewal: false,
            is_found_again: false,
            has_seen: false,
            until,
        }
    }

    /// Notes that the server has answered.
    pub(super) fn seen<T>(&mut self, result: &Result<T, CallError>) {
        self.has_seen |= result.is_ok();
    }

    /// Renews the way after a call that failed for it. A credential that was rotated while we were
    /// warm is fetched anew, and a server that has moved is looked for, each once an invocation.
    /// `may_move` says whether the work may go on at another address.
    pub(super) async fn renew<T>(
        &mut self,
        result: &Result<T, CallError>,
        may_move: impl FnMut(&str) -> bool,
    ) -> Renewed {
        let purpose = match result {
            Err(CallError::Refused(refusal)) if refusal.is_of_token() && !self.is_renewed => {
                tracing::warn!("the cluster does not accept the credential; it is fetched anew");
                self.is_renewed = true;
                Purpose::Refused
            }
            Err(error) if error.may_be_elsewhere() && !self.is_found_again => {
                self.is_found_again = true;
                Purpose::Lost
            }
            Ok(_) => {
                self.has_seen = true;
                return Renewed::Not;
            }
            Err(_) => return Renewed::Not,
        };
        match timeout_at(self.until, (self.connect)(purpose)).await {
            Ok(Ok(connection)) if !self.may_take(&connection, may_move) => {
                tracing::warn!("the way in leads to another server now; it is not taken");
                Renewed::Not
            }
            Ok(Ok(connection)) => {
                let has_moved = connection.server != self.connection.server;
                self.connection = connection;
                match purpose == Purpose::Refused || has_moved {
                    true => Renewed::Again,
                    false => Renewed::Not,
                }
            }
            Ok(Err(_)) if purpose == Purpose::Lost => Renewed::Not,
            Ok(Err(error)) => Renewed::LockedOut(error),
            Err(_) => Renewed::OutOfTime,
        }
    }

    /// Whether the work may go on by this connection. What was read or written at one address is
    /// of no use at another, where another cluster may be.
    fn may_take(&self, connection: &Connection, mut may_move: impl FnMut(&str) -> bool) -> bool {
        let address = &connection.server.address;
        *address == self.connection.server.address || !self.has_seen && may_move(address)
    }

    /// Renews a credential that is about to expire. If that fails, the cluster decides about it.
    pub(super) async fn renew_in_time(&mut self, may_move: impl FnMut(&str) -> bool) {
        if self.is_past_renewal || !self.connection.is_expiring(Timestamp::now()) {
            return;
        }
        let until = self.until.min(Instant::now() + RENEWAL);
        match timeout_at(until, (self.connect)(Purpose::Expiring)).await {
            Ok(Ok(connection)) if self.may_take(&connection, may_move) => {
                self.connection = connection;
            }
            Ok(Ok(_) | Err(_)) | Err(_) => {
                tracing::warn!("the credential is about to expire, and could not be renewed");
                self.is_past_renewal = true;
            }
        }
    }
}
