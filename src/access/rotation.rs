//! A new token for the cluster: issued, tried, and stored last.

use super::ssm::{self, Credentials};
use super::{Access, Connection, no_answer};
use crate::kubernetes::{Approach, Cluster};
use crate::telemetry::logging;
use aws_sdk_ssm::types::{ParameterHistory, ParameterType};
use jiff::Timestamp;
use landfall_core::environment::Environment;
use landfall_core::kubernetes::call::Call;
use landfall_core::outcome::CredentialsError;
use landfall_core::rotation::{
    self, CurrentToken, Expiry, Issued, Renewed, RotationError, RotationRequest, RotationStep,
    TokenSubject,
};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

impl Access {
    /// Has a new token issued, tries it, and stores it last: whatever fails before leaves the
    /// present one in place. What is known of that is kept in `known`.
    pub async fn renew(
        &self,
        wish: &RotationRequest,
        known: &mut CurrentToken,
        until: Instant,
    ) -> Result<Renewed, RotationError> {
        let environment = self.environment.as_ref();
        let environment =
            environment.map_err(|faults| RotationError::Environment(faults.clone()))?;
        let (aws, name) = (&self.aws, &environment.token_parameter);
        known.parameter = Some(name.clone());
        known.region.clone_from(&self.aws.settings.region);
        rotation::unpinned(name)?;
        let now = Timestamp::now();
        let fetched = in_time(until, ssm::fetch(aws, environment, now)).await;
        let present = fetched.map_err(RotationError::NoAccess)?;
        logging::hide([present.token.reveal()]);
        let former = Expiry::of(&present.token);
        known.end = Some(former.clone());
        let newest = in_time(until, ssm::newest(aws, name)).await;
        let newest = newest.map_err(RotationError::NoAccess)?;
        rotation::renewable(newest.name(), is_secure(&newest))?;
        let (cluster, issued) = exchange(environment, &present, wish, until).await?;
        issued.lasts(now)?;
        let stored = in_time(until, ssm::store(aws, &newest, &issued.token)).await;
        let version = stored.map_err(RotationError::NotStored)?;
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
            short: issued.is_short(wish, now),
        })
    }
}

fn is_secure(kept: &ParameterHistory) -> bool {
    kept.r#type() == Some(&ParameterType::SecureString)
}

/// Another token for whoever holds the present one, and a way to the cluster, tried with it.
async fn exchange(
    environment: &Environment,
    present: &Credentials,
    wish: &RotationRequest,
    until: Instant,
) -> Result<(Cluster, Issued), RotationError> {
    let no_ca = |why| RotationError::NoAccess(CredentialsError::Ca(why));
    let approach = Approach::new(environment, present.ca.as_deref()).map_err(no_ca)?;
    let cluster = Cluster::on(&approach, &present.token).map_err(no_ca)?;
    let failed = |step| move |error| RotationError::Call(step, error);
    let review = cluster.send(&Call::who_am_i(), until).await;
    let holder = TokenSubject::read(&review.map_err(failed(RotationStep::Ask))?)?;
    let (namespace, account) = holder.account()?;
    let call = Call::token(namespace, account, wish.lifetime);
    let answer = cluster.send(&call, until).await;
    let issued = Issued::read(
        &answer.map_err(failed(RotationStep::Issue))?,
        Timestamp::now(),
    )?;
    logging::hide([issued.token.reveal()]);
    let cluster = Cluster::on(&approach, &issued.token).map_err(no_ca)?;
    let review = cluster.send(&Call::who_am_i(), until).await;
    holder.same(&TokenSubject::read(
        &review.map_err(failed(RotationStep::Try))?,
    )?)?;
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

/// Logs a new token, and what a person should know of the former one.
pub fn log_renewed(renewed: &Renewed) {
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
