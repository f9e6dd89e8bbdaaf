//! Runs an engine: its calls go out, their answers come back, its waits are slept.

use crate::access::{Connection, Purpose};
use crate::kubernetes::{Watch, WatchEvent};
use crate::telemetry::logging;
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::{Ask, Ended, Engine, Heard, Next, Note, Outcome, Watching};
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::contact::Identity;
use landfall_core::kubernetes::identity;
use landfall_core::outcome::CredentialsError;
use landfall_core::request::Request;
use landfall_core::snapshot::{Reading, Response};
use landfall_core::state::continuation::Continuation;
use landfall_core::workload::health::steadiness;
use landfall_core::workload::replica_set::ReplicaSet;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// When a watch that the server should have ended, after a minute, is taken for dead.
const WATCH_TRUST: Duration = Duration::from_secs(65);

/// How long the renewal of a credential that is still valid may take: a retry of STS.
const RENEWAL: Duration = Duration::from_secs(10);

/// Runs a deploy until it ends or `until` comes. `connect` opens the cluster again, with another
/// credential or at another address.
pub async fn run(
    connection: Connection,
    connect: impl AsyncFn(Purpose) -> Result<Connection, CredentialsError>,
    request: Request,
    continuation: Continuation,
    until: Instant,
) -> Ended {
    let now = Timestamp::now();
    let left = until.duration_since(Instant::now());
    let left = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
    let end = now.saturating_add(left).unwrap_or(Timestamp::MAX);
    let mut driver = Driver {
        engine: Engine::new(request, continuation, now, end, logging::masked),
        connection,
        connect,
        is_renewed: false,
        is_past_renewal: false,
        is_found_again: false,
        has_seen: false,
        watch: None,
        until,
    };
    let outcome = driver.run().await;
    driver.engine.ended(outcome)
}

struct Driver<C> {
    engine: Engine,
    connection: Connection,
    connect: C,
    /// Whether a refused credential was renewed in this invocation.
    is_renewed: bool,
    /// Whether a credential that is about to expire could not be renewed in this invocation.
    is_past_renewal: bool,
    /// Whether a server that was lost was looked for in this invocation.
    is_found_again: bool,
    /// Whether the server has answered a call of this invocation.
    has_seen: bool,
    watch: Option<Watch>,
    until: Instant,
}

impl<C: AsyncFn(Purpose) -> Result<Connection, CredentialsError>> Driver<C> {
    async fn run(&mut self) -> Outcome {
        loop {
            let next = self.engine.next(Timestamp::now());
            self.log();
            match next {
                Next::Ask(ask) => {
                    let result = self.ask(&ask).await;
                    self.engine.remarked(self.connection.cluster.warnings());
                    self.engine.answered(result, Timestamp::now());
                }
                Next::Watch(watching) => {
                    let (heard, is_alive) = self.watch(&watching).await;
                    self.engine.heard(heard, is_alive, Timestamp::now());
                }
                Next::Sleep(end) => sleep_until(instant(end)).await,
                Next::Done(outcome) => return *outcome,
            }
        }
    }

    /// Sends a call. A credential that was rotated while we were warm is fetched anew, and a server
    /// that has moved is looked for, each once an invocation.
    async fn ask(&mut self, ask: &Ask) -> Result<Response, CallError> {
        if ask.call.changes() {
            self.watch = None;
        }
        self.renew_in_time().await;
        let result = self.send(ask).await;
        let purpose = match &result {
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
                return result;
            }
            Err(_) => return result,
        };
        match timeout_at(self.until, (self.connect)(purpose)).await {
            Ok(Ok(connection)) if !self.may_take(&connection) => {
                tracing::warn!("the way in leads to another server now; it is not taken");
                result
            }
            Ok(Ok(connection)) => {
                let has_moved = connection.server != self.connection.server;
                self.connection = connection;
                match purpose == Purpose::Refused || has_moved {
                    true => {
                        let result = self.send(ask).await;
                        self.has_seen |= result.is_ok();
                        result
                    }
                    false => result,
                }
            }
            Ok(Err(_)) if purpose == Purpose::Lost => result,
            Ok(Err(error)) => {
                self.engine.lock_out(error);
                result
            }
            Err(_) => Err(CallError::OutOfTime),
        }
    }

    /// Whether the deploy may go on by this connection. What was read or written at one address is
    /// of no use at another, where another cluster may be.
    fn may_take(&mut self, connection: &Connection) -> bool {
        let address = &connection.server.address;
        *address == self.connection.server.address
            || !self.has_seen && self.engine.may_move_to(address)
    }

    /// Renews a credential that is about to expire. If that fails, the cluster decides about it.
    async fn renew_in_time(&mut self) {
        if self.is_past_renewal || !self.connection.is_expiring(Timestamp::now()) {
            return;
        }
        let until = self.until.min(Instant::now() + RENEWAL);
        match timeout_at(until, (self.connect)(Purpose::Expiring)).await {
            Ok(Ok(connection)) if self.may_take(&connection) => self.connection = connection,
            Ok(Ok(_) | Err(_)) | Err(_) => {
                tracing::warn!("the credential is about to expire, and could not be renewed");
                self.is_past_renewal = true;
            }
        }
    }

    async fn send(&self, ask: &Ask) -> Result<Response, CallError> {
        let (call, until) = (&ask.call, self.until.min(instant(ask.until)));
        let cluster = &self.connection.cluster;
        match &ask.reading {
            Reading::Object => cluster.send(call, until).await.map(Response::Object),
            Reading::List => {
                let items = cluster.list(call.clone(), until, Value::clone).await;
                items.map(Response::List)
            }
            Reading::ReplicaSets => {
                let sets = cluster.list(call.clone(), until, ReplicaSet::read).await;
                sets.map(Response::ReplicaSets)
            }
            Reading::Pods(set) => {
                let pods = cluster.pods(call, set, until).await;
                pods.map(|pods| Response::Pods(Box::new(pods)))
            }
            Reading::Roster(set) => {
                let read = |pod: &Value| steadiness::pod(pod, set);
                let pods = cluster.list(call.clone(), until, read).await;
                pods.map(|pods| Response::Roster(pods.into_iter().flatten().collect()))
            }
            Reading::Events => cluster.events(call, until).await.map(Response::Events),
            Reading::Text => cluster.text(call, until).await.map(Response::Text),
        }
    }

    /// Follows a Deployment until something is told or the wait is over; also whether the watch
    /// said anything at all.
    async fn watch(&mut self, watching: &Watching) -> (Heard, bool) {
        self.renew_in_time().await;
        let end = self.until.min(instant(watching.until));
        let open = self.watch.take().filter(|_| !watching.fresh);
        let mut watch = match open {
            Some(watch) => watch,
            None => match self.connection.cluster.watch(&watching.call, end).await {
                Ok(watch) => watch,
                Err(error) => return (Heard::Unopened(error), false),
            },
        };
        let asked = Identity {
            name: watching.name.clone(),
            ..identity::asked(&watching.call).unwrap_or_default()
        };
        let mut is_alive = false;
        loop {
            match timeout_at(end, watch.next(&asked)).await {
                Ok(WatchEvent::Nothing) => is_alive = true,
                Ok(WatchEvent::Now(object)) => {
                    self.watch = Some(watch);
                    return (Heard::Now(object), true);
                }
                Ok(WatchEvent::Deleted) => return (Heard::Deleted, is_alive),
                Ok(WatchEvent::Over) => return (Heard::Over, is_alive),
                Err(_) => {
                    let is_young = watch.opened().elapsed() < WATCH_TRUST;
                    self.watch = Some(watch).filter(|_| is_young);
                    return (Heard::Nothing, is_alive);
                }
            }
        }
    }

    fn log(&mut self) {
        for note in self.engine.notes() {
            log(&note);
        }
    }
}

/// The time of the machine's own clock, as the runtime counts it.
fn instant(time: Timestamp) -> Instant {
    let left = time.duration_since(Timestamp::now());
    Instant::now() + Duration::try_from(left).unwrap_or_default()
}

fn log(note: &Note) {
    match note {
        Note::Phase(phase) => tracing::info!(phase, "the deploy goes on"),
        Note::Waiting(summary) => tracing::info!(summary, "waiting"),
        Note::LostRace(conflicts) => tracing::warn!(conflicts, "another change came first"),
        Note::PodsUnreadable(error) => tracing::warn!(error, "the pods cannot be read"),
        Note::Unwatched(error) => tracing::warn!(error, "no watch is to be had"),
        Note::Left(name, why) => tracing::warn!(name, why, "something is left"),
        Note::WithoutMarks(error) => {
            tracing::warn!(error, "the rollback is tried without its notes");
        }
        Note::ForeignReplicaSet => {
            tracing::warn!("the ReplicaSet to return to is not the Deployment's; ignored");
        }
        Note::PresentUnreadable(error) => {
            tracing::warn!(error, "what is there now cannot be read");
        }
        Note::TakenBack(error) => tracing::warn!(error, "the switch is taken back"),
        Note::OutOfSight {
            error,
            nothing_written,
        } => tracing::warn!(
            error,
            nothing_written,
            "the cluster is out of sight; it is asked again"
        ),
        Note::Warning(warning) => {
            tracing::warn!(warning, "the API server remarks on a write");
        }
    }
}
