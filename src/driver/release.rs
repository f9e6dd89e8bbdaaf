//! Runs a release: several calls at once.

use super::way::{Renewed, Way};
use super::{end, instant, log, read};
use crate::access::{Connection, Purpose};
use crate::aws::clients::Aws;
use crate::aws::cloudwatch;
use crate::kubernetes::Cluster;
use crate::telemetry::logging;
use futures_util::future::Either;
use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use landfall_core::alarm::{Alarm, AlarmsError};
use landfall_core::engine::release::{
    ReleaseEnded, ReleaseEngine, ReleaseNext, ReleaseOutcome, Ticket,
};
use landfall_core::engine::{AlarmsAsk, Ask};
use landfall_core::kubernetes::CallError;
use landfall_core::outcome::CredentialsError;
use landfall_core::request::release::ReleaseRequest;
use landfall_core::snapshot::Response;
use landfall_core::state::continuation::Continuation;
use std::future::pending;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// Runs a release until it ends or `until` comes. `connect` opens the cluster again, with another
/// credential or at another address.
pub async fn run(
    connection: Connection,
    connect: impl AsyncFn(Purpose) -> Result<Connection, CredentialsError>,
    aws: &Aws,
    request: ReleaseRequest,
    continuation: Continuation,
    until: Instant,
) -> ReleaseEnded {
    let now = Timestamp::now();
    let end = end(now, until);
    let mut engine = ReleaseEngine::new(request, continuation, now, end, logging::masked);
    engine.remember(connection.kinds());
    let mut driver = Driver {
        engine,
        way: Way::new(connection, connect, until),
        aws,
        until,
    };
    let outcome = driver.run().await;
    let ended = driver.engine.ended(outcome);
    driver.way.connection.remember(ended.kinds.clone());
    ended
}

/// The alarms, as CloudWatch tells them.
async fn alarms(aws: &Aws, asked: AlarmsAsk, until: Instant) -> Came {
    let until = until.min(instant(asked.until));
    Came::Alarms(cloudwatch::alarms(aws, &asked.names, until).await)
}

/// The next answer, if one is to come at all.
async fn next_of(calls: &mut (impl Stream<Item = Came> + Unpin)) -> Came {
    match calls.next().await {
        Some(came) => came,
        None => pending().await,
    }
}

struct Driver<'a, C> {
    engine: ReleaseEngine,
    way: Way<C>,
    aws: &'a Aws,
    until: Instant,
}

/// What came back.
enum Came {
    /// A call.
    Call(Box<Sent>),
    /// The alarms.
    Alarms(Result<Vec<Alarm>, AlarmsError>),
}

/// A call that came back, and the connection that it went by.
struct Sent {
    ticket: Ticket,
    ask: Ask,
    by: Arc<Cluster>,
    result: Result<Response, CallError>,
}

async fn sent(by: Arc<Cluster>, ticket: Ticket, ask: Ask, until: Instant) -> Came {
    let result = read(&by, &ask, until).await;
    Came::Call(Box::new(Sent {
        ticket,
        ask,
        by,
        result,
    }))
}

impl<C: AsyncFn(Purpose) -> Result<Connection, CredentialsError>> Driver<'_, C> {
    async fn run(&mut self) -> ReleaseOutcome {
        let (aws, until) = (self.aws, self.until);
        let mut calls = FuturesUnordered::new();
        loop {
            let next = self.engine.next(Timestamp::now());
            // The objects of a rollback are known only now, and nothing of them was sent yet.
            if let Some(values) = self.engine.to_hide() {
                logging::hide_values(values.iter().map(String::as_str));
            }
            for note in self.engine.notes() {
                log(&note);
            }
            let came = match next {
                ReleaseNext::Ask(asks) => {
                    let engine = &mut self.engine;
                    let may_move = |address: &str| engine.may_move_to(address);
                    self.way.renew_in_time(may_move).await;
                    for (ticket, ask) in asks {
                        let by = Arc::clone(&self.way.connection.cluster);
                        calls.push(Either::Left(sent(by, ticket, ask, until)));
                    }
                    continue;
                }
                ReleaseNext::Alarms(asked) => {
                    calls.push(Either::Right(alarms(aws, asked, until)));
                    continue;
                }
                ReleaseNext::Await => calls.next().await,
                ReleaseNext::Sleep(end) => timeout_at(instant(end), next_of(&mut calls)).await.ok(),
                ReleaseNext::Done(outcome) => return *outcome,
            };
            match came {
                Some(Came::Call(came)) => {
                    if let Some((ticket, ask)) = self.take(*came).await {
                        let by = Arc::clone(&self.way.connection.cluster);
                        calls.push(Either::Left(sent(by, ticket, ask, until)));
                    }
                }
                Some(Came::Alarms(result)) => self.engine.alarmed(result, Timestamp::now()),
                None => {}
            }
        }
    }

    /// Takes an answer; a call that is to be sent again by another way is given back.
    async fn take(&mut self, came: Sent) -> Option<(Ticket, Ask)> {
        let is_old = !Arc::ptr_eq(&came.by, &self.way.connection.cluster);
        let is_refused = matches!(
            &came.result, Err(CallError::Refused(refusal)) if refusal.is_of_token()
        );
        if is_old && is_refused {
            return Some((came.ticket, came.ask));
        }
        let engine = &mut self.engine;
        let may_move = |address: &str| engine.may_move_to(address);
        let result = match self.way.renew(&came.result, may_move).await {
            Renewed::Again => return Some((came.ticket, came.ask)),
            Renewed::Not => came.result,
            Renewed::LockedOut(error) => {
                self.engine.lock_out(error);
                came.result
            }
            Renewed::OutOfTime => Err(CallError::OutOfTime),
        };
        self.engine.remarked(came.by.warnings());
        self.engine.answered(came.ticket, result, Timestamp::now());
        None
    }
}
