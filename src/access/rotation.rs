//! A new token for the cluster: issued, tried, and stored last.

use super::Access;
use super::connection::{Connection, unusable};
use super::ssm::{self, Credentials};
use crate::kubernetes::Cluster;
use crate::telemetry::logging;
use aws_sdk_ssm::types::{ParameterHistory, ParameterType};
use jiff::Timestamp;
use landfall_core::environment::{ClusterSource, TokenSource};
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::credential::Credential;
use landfall_core::kubernetes::server::Server;
use landfall_core::outcome::{CredentialSource, CredentialsError};
use landfall_core::rotation::{
    self, CurrentToken, Expiry, Issued, Renewed, RotationError, RotationRequest, RotationStep,
    TokenSubject,
};
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
        let ClusterSource::Token(source) = &environment.source else {
            return Err(RotationError::NoToken);
        };
        let (aws, name) = (&self.aws, &source.token_parameter);
        known.parameter = Some(name.clone());
        known.region.clone_from(&self.aws.settings.region);
        rotation::unpinned(name)?;
        let now = Timestamp::now();
        let fetched = in_time(until, ssm::fetch(aws, source, now)).await;
        let present = fetched.map_err(RotationError::NoAccess)?;
        logging::hide([present.token.reveal()]);
        let former = Expiry::of(&present.token);
        known.end = Some(former.clone());
        let newest = in_time(until, ssm::newest(aws, name)).await;
        let newest = newest.map_err(RotationError::NoAccess)?;
        rotation::renewable(newest.name(), is_secure(&newest))?;
        let (cluster, issued) = exchange(source, &present, wish, until).await?;
        issued.lasts(now)?;
        let stored = in_time(until, ssm::store(aws, &newest, &issued.token)).await;
        let version = stored.map_err(RotationError::NotStored)?;
        // It was tried, so that a warm function needs no other: the former one may end any time.
        let server = Server::new(&source.cluster, present.ca.clone());
        let credential = Credential::Token(issued.token.clone());
        let place = CredentialSource::Parameter(self.place(name, None));
        let connection = Connection::new(cluster, server, credential, place);
        self.warm.lock().await.keep("", connection);
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
    source: &TokenSource,
    present: &Credentials,
    wish: &RotationRequest,
    until: Instant,
) -> Result<(Cluster, Issued), RotationError> {
    let no_way = |error| RotationError::NoAccess(unusable(error));
    let server = Server::new(&source.cluster, present.ca.clone());
    let credential = Credential::Token(present.token.clone());
    let cluster = Cluster::new(&server, &credential).map_err(no_way)?;
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
    let credential = Credential::Token(issued.token.clone());
    let cluster = Cluster::on(cluster.approach(), &credential).map_err(no_way)?;
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
    let late = || CredentialsError::Unreachable("it did not answer in time".to_owned());
    answer.unwrap_or_else(|_| Err(late()))
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
