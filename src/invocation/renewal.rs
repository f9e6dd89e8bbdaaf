//! A new token for the cluster: issued, tried, and stored last.

use super::access::{Access, Connection};
use crate::aws::ssm::{self, Credentials};
use crate::cluster::{Approach, Cluster};
use crate::environment::Environment;
use crate::logging;
use crate::rotation::{self, End, Holder, Issued, Present, Renewed, Step, Why, Wish};
use jiff::Timestamp;
use landfall_core::kubernetes::call::Call;
use landfall_core::outcome::CredentialsError;
use serde_json::Value;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

impl Access {
    /// Has a new token issued, tries it, and stores it last: whatever fails before leaves the
    /// present one in place. What is known of that is kept in `known`.
    pub(super) async fn renew(
        &self,
        event: &Value,
        known: &mut Present,
        until: Instant,
    ) -> Result<Renewed, Why> {
        let wish = Wish::read(event)?;
        let environment = self.environment.as_ref();
        let environment = environment.map_err(|faults| Why::Environment(faults.clone()))?;
        let (aws, name) = (&self.aws, &environment.token_parameter);
        known.parameter = Some(name.clone());
        known.region.clone_from(&self.aws.settings.region);
        rotation::unpinned(name)?;
        let now = Timestamp::now();
        let fetched = in_time(until, ssm::fetch(aws, environment, now)).await;
        let present = fetched.map_err(Why::NoAccess)?;
        logging::hide([present.token.reveal()]);
        let former = End::of(&present.token);
        known.end = Some(former.clone());
        let newest = in_time(until, ssm::newest(aws, name)).await;
        let newest = newest.map_err(Why::NoAccess)?;
        rotation::renewable(&newest)?;
        let (cluster, issued) = exchange(environment, &present, &wish, until).await?;
        issued.lasts(now)?;
        let stored = in_time(until, ssm::store(aws, &newest, &issued.token)).await;
        let version = stored.map_err(Why::NotStored)?;
        // It was tried, so that a warm function needs no other: the former one may end any time.
        *self.connection.lock().await = Some(Connection {
            cluster: Arc::new(cluster),
            token: issued.token.clone(),
        });
        Ok(Renewed {
            parameter: name.clone(),
            version,
            until: issued.until,
            former,
            short: issued.is_short(&wish, now),
        })
    }
}

/// Another token for whoever holds the present one, and a way to the cluster, tried with it.
async fn exchange(
    environment: &Environment,
    present: &Credentials,
    wish: &Wish,
    until: Instant,
) -> Result<(Cluster, Issued), Why> {
    let no_ca = |why| Why::NoAccess(CredentialsError::Ca(why));
    let approach = Approach::new(environment, present.ca.as_deref()).map_err(no_ca)?;
    let cluster = Cluster::on(&approach, &present.token).map_err(no_ca)?;
    let failed = |step| move |error| Why::Call(step, error);
    let review = cluster.send(&Call::who_am_i(), until).await;
    let holder = Holder::read(&review.map_err(failed(Step::Ask))?)?;
    let (namespace, account) = holder.account()?;
    let call = Call::token(namespace, account, wish.lifetime);
    let answer = cluster.send(&call, until).await;
    let issued = Issued::read(&answer.map_err(failed(Step::Issue))?, Timestamp::now())?;
    logging::hide([issued.token.reveal()]);
    let cluster = Cluster::on(&approach, &issued.token).map_err(no_ca)?;
    let review = cluster.send(&Call::who_am_i(), until).await;
    holder.same(&Holder::read(&review.map_err(failed(Step::Try))?)?)?;
    Ok((cluster, issued))
}

/// A call to SSM, which counts as not answered where the time is over first.
async fn in_time<T>(
    until: Instant,
    call: impl Future<Output = Result<T, CredentialsError>>,
) -> Result<T, CredentialsError> {
    let answer = timeout_at(until, call).await;
    answer.unwrap_or_else(|_| Err(no_answer()))
}

pub(super) fn no_answer() -> CredentialsError {
    CredentialsError::Unreachable("it did not answer in time".to_owned())
}

/// Logs a new token, and what a person should know of the former one.
pub(super) fn log_renewed(renewed: &Renewed) {
    let Renewed {
        parameter,
        version,
        until,
        ..
    } = renewed;
    let until = format!("{until:.0}");
    tracing::info!(
        parameter,
        version,
        validUntil = until,
        "the token was renewed"
    );
    if renewed.short {
        tracing::warn!(
            validUntil = until,
            "the cluster gave the new token a shorter life than was asked for"
        );
    }
    if let Some(advice) = renewed.former.advice() {
        tracing::warn!("{advice}");
    }
}
