//! Runs an engine: its calls go out, their answers come back, its waits are slept.

pub mod release;
mod watched;
mod way;

use crate::access::{Connection, Purpose};
use crate::aws::clients::Aws;
use crate::aws::cloudwatch;
use crate::kubernetes::kept::Kept;
use crate::kubernetes::{Cluster, WatchEvent};
use crate::telemetry::{logging, traffic};
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::{Ask, Ended, Engine, Heard, Next, Note, Outcome, Watching};
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::service::ServicePod;
use landfall_core::outcome::CredentialsError;
use landfall_core::request::Request;
use landfall_core::snapshot::{Reading, Response};
use landfall_core::state::continuation::Continuation;
use landfall_core::workload::health::steadiness;
use landfall_core::workload::replica_set::ReplicaSet;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};
use watched::Watched;
use way::{Renewed, Way};

/// Runs a deploy until it ends or `until` comes. `connect` opens the cluster again, with another
/// credential or at another address.
pub async fn run(
    connection: Connection,
    connect: impl AsyncFn(Purpose) -> Result<Connection, CredentialsError>,
    aws: &Aws,
    request: Request,
    continuation: Continuation,
    until: Instant,
) -> Ended {
    let now = Timestamp::now();
    let is_switch = request.strategy.switch().is_some();
    let mut driver = Driver {
        engine: Engine::new(request, continuation, now, end(now, until), logging::masked),
        way: Way::new(connection, connect, until),
        watch: None,
        kept: Kept::new(is_switch),
        aws,
        until,
    };
    let outcome = driver.run().await;
    driver.engine.ended(outcome)
}

struct Driver<'a, C> {
    engine: Engine,
    way: Way<C>,
    watch: Option<Watched>,
    kept: Kept,
    aws: &'a Aws,
    until: Instant,
}

impl<C: AsyncFn(Purpose) -> Result<Connection, CredentialsError>> Driver<'_, C> {
    async fn run(&mut self) -> Outcome {
        loop {
            self.engine.follows(self.kept.pods());
            let (calls, bytes) = traffic::so_far();
            self.engine.spent(calls, bytes);
            let next = self.engine.next(Timestamp::now());
            self.log();
            match next {
                Next::Ask(ask) => {
                    let result = self.ask(&ask).await;
                    self.engine.remarked(self.way.connection.cluster.warnings());
                    let now = Timestamp::now();
                    match result {
                        Ok((response, true)) => self.engine.told(response, now),
                        Ok((response, false)) => self.engine.answered(Ok(response), now),
                        Err(error) => self.engine.answered(Err(error), now),
                    }
                }
                Next::Watch(watching) => {
                    let (heard, is_alive) = self.watch(&watching).await;
                    self.engine.heard(heard, is_alive, Timestamp::now());
                }
                Next::Alarms(asked) => {
                    let until = self.until.min(instant(asked.until));
                    let alarms = cloudwatch::alarms(self.aws, &asked.names, until).await;
                    self.engine.alarmed(alarms, Timestamp::now());
                }
                Next::Sleep(end) => {
                    let followed = self.watch.as_ref().map_or("", Watched::path);
                    self.kept.wait(&self.way.connection.cluster, followed);
                    tokio::select! {
                        () = sleep_until(instant(end)) => {}
                        () = self.kept.drain() => {}
                    }
                }
                Next::Done(outcome) => return *outcome,
            }
        }
    }

    /// Sends a call, once more by another way where that may help; also whether a watch has told
    /// the answer.
    async fn ask(&mut self, ask: &Ask) -> Result<(Response, bool), CallError> {
        // What a switch writes to other objects changes nothing of the one that is watched.
        if ask.call.changes() {
            self.watch = self
                .watch
                .take()
                .filter(|watched| !watched.is_of(&ask.call));
        }
        let engine = &mut self.engine;
        if let Some(answer) = self.watch.as_mut().and_then(|it| it.answer(ask)) {
            return Ok((answer, true));
        }
        self.way
            .renew_in_time(|address| engine.may_move_to(address))
            .await;
        let result = send(
            &self.way.connection.cluster,
            &mut self.kept,
            ask,
            self.until,
        )
        .await;
        if let Some(watched) = &mut self.watch {
            watched.read(ask, result.as_ref().ok().map(|(read, _)| read));
        }
        if ask.call.changes() {
            let response = result.as_ref().ok().map(|(response, _)| response);
            self.kept.written(&ask.call, response);
        }
        let renewed = self
            .way
            .renew(&result, |address| engine.may_move_to(address));
        match renewed.await {
            Renewed::Not => result,
            Renewed::Again => {
                self.kept.clear();
                let cluster = &self.way.connection.cluster;
                let result = send(cluster, &mut self.kept, ask, self.until).await;
                self.way.seen(&result);
                result
            }
            Renewed::LockedOut(error) => {
                self.engine.lock_out(error);
                result
            }
            Renewed::OutOfTime => Err(CallError::OutOfTime),
        }
    }

    /// Follows a Deployment until something is told or the wait is over; also whether the watch
    /// said anything at all.
    async fn watch(&mut self, watching: &Watching) -> (Heard, bool) {
        let engine = &mut self.engine;
        self.way
            .renew_in_time(|address| engine.may_move_to(address))
            .await;
        let end = self.until.min(instant(watching.until));
        let open = self.watch.take();
        let open = open.filter(|it| !watching.fresh && it.is_for(watching));
        let mut watch = match open {
            Some(watch) => watch,
            None => match self.way.connection.cluster.watch(&watching.call, end).await {
                Ok(watch) => {
                    let seen = self.engine.snapshot.seen_deployment(&watching.name);
                    Watched::new(watch, watching, seen.map(|it| it.value().clone()))
                }
                Err(error) => return (Heard::Unopened(error), false),
            },
        };
        let mut is_alive = false;
        self.kept.wait(&self.way.connection.cluster, watch.path());
        loop {
            let heard = tokio::select! {
                heard = timeout_at(end, watch.next()) => heard,
                () = self.kept.changed(&self.way.connection.cluster) => {
                    self.watch = Some(watch).filter(Watched::is_young);
                    return (Heard::Beside, is_alive);
                }
            };
            match heard {
                Ok(WatchEvent::Nothing) => is_alive = true,
                Ok(WatchEvent::Now(object)) => {
                    self.watch = Some(watch);
                    return (Heard::Now(object), true);
                }
                Ok(WatchEvent::Deleted) => return (Heard::Deleted, is_alive),
                Ok(WatchEvent::Over) => return (Heard::Over, is_alive),
                Err(_) => {
                    self.watch = Some(watch).filter(Watched::is_young);
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

/// Sends a call, and reads the answer as it is asked for; what is kept is not asked for again.
async fn send(
    cluster: &Cluster,
    kept: &mut Kept,
    ask: &Ask,
    until: Instant,
) -> Result<(Response, bool), CallError> {
    let asked = (&ask.call, &ask.reading);
    let limit = until.min(instant(ask.until));
    if let Some(kept) = kept.ask(cluster, asked, ask.fresh, limit).await {
        return kept;
    }
    let response = read(cluster, ask, until).await?;
    Ok((response, false))
}

fn one(object: Value) -> Response {
    Response::Object(object.into())
}

/// Sends a call, and reads the answer as it is asked for.
async fn read(cluster: &Cluster, ask: &Ask, until: Instant) -> Result<Response, CallError> {
    let (call, until) = (&ask.call, until.min(instant(ask.until)));
    match &ask.reading {
        Reading::Object => cluster.send(call, until).await.map(one),
        Reading::Whole => cluster.whole(call, until).await.map(one),
        Reading::List => {
            let items = cluster.list(call.clone(), until, Value::clone).await;
            items.map(Response::List)
        }
        Reading::ReplicaSets => {
            let sets = cluster.list(call.clone(), until, ReplicaSet::read).await;
            sets.map(Response::ReplicaSets)
        }
        Reading::ServicePods => {
            let pods = cluster.list(call.clone(), until, ServicePod::read).await;
            pods.map(Response::ServicePods)
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

/// When an invocation must be over, by the machine's own clock.
fn end(now: Timestamp, until: Instant) -> Timestamp {
    let left = until.duration_since(Instant::now());
    let left = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
    now.saturating_add(left).unwrap_or(Timestamp::MAX)
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
        Note::Thrifty(calls, bytes) => tracing::warn!(
            calls,
            bytes,
            "the cluster was asked for very much; it is asked less often now"
        ),
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
        Note::Judged(judgement) => tracing::warn!(judgement, "the alarms end the deploy"),
        Note::AlarmsUnread(error) => tracing::warn!(error, "the alarms cannot be read"),
        Note::Warning(warning) => {
            tracing::warn!(warning, "the API server remarks on a write");
        }
    }
}
