//! Runs an engine: its calls go out, their answers come back, its waits are slept.

use crate::kubernetes::{Cluster, Watch, WatchEvent};
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
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// When a watch that the server should have ended, after a minute, is taken for dead.
const WATCH_TRUST: Duration = Duration::from_secs(65);

/// Runs a deploy until it ends or `until` comes. `renew` fetches the token anew and connects.
pub async fn run(
    cluster: Arc<Cluster>,
    renew: impl AsyncFn() -> Result<Arc<Cluster>, CredentialsError>,
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
        cluster,
        renew,
        renewed: false,
        watch: None,
        until,
    };
    let outcome = driver.run().await;
    driver.engine.ended(outcome)
}

struct Driver<R> {
    engine: Engine,
    cluster: Arc<Cluster>,
    renew: R,
    renewed: bool,
    watch: Option<Watch>,
    until: Instant,
}

impl<R: AsyncFn() -> Result<Arc<Cluster>, CredentialsError>> Driver<R> {
    async fn run(&mut self) -> Outcome {
        loop {
            let next = self.engine.next(Timestamp::now());
            self.log();
            match next {
                Next::Ask(ask) => {
                    let result = self.ask(&ask).await;
                    self.engine.remarked(self.cluster.warnings());
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

    /// Sends a call. A token that was rotated while we were warm is fetched anew, once an
    /// invocation.
    async fn ask(&mut self, ask: &Ask) -> Result<Response, CallError> {
        if ask.call.changes() {
            self.watch = None;
        }
        let result = self.send(ask).await;
        let refused = match &result {
            Err(CallError::Refused(refusal)) => refusal.is_of_token(),
            Err(_) | Ok(_) => false,
        };
        if !refused || self.renewed {
            return result;
        }
        tracing::warn!("the cluster does not accept the token; it is fetched anew");
        self.renewed = true;
        match timeout_at(self.until, (self.renew)()).await {
            Ok(Ok(cluster)) => {
                self.cluster = cluster;
                self.send(ask).await
            }
            Ok(Err(error)) => {
                self.engine.lock_out(error);
                result
            }
            Err(_) => Err(CallError::OutOfTime),
        }
    }

    async fn send(&self, ask: &Ask) -> Result<Response, CallError> {
        let (call, until) = (&ask.call, self.until.min(instant(ask.until)));
        let cluster = &self.cluster;
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
        let end = self.until.min(instant(watching.until));
        let open = self.watch.take().filter(|_| !watching.fresh);
        let mut watch = match open {
            Some(watch) => watch,
            None => match self.cluster.watch(&watching.call, end).await {
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
