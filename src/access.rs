//! The way to the cluster: the token and the CA from SSM, and a connection that is kept warm.

pub(crate) mod rotation;

use crate::aws::clients::Aws;
use crate::aws::ssm;
use crate::environment::Environment;
use crate::kubernetes::Cluster;
use crate::telemetry::logging;
use jiff::Timestamp;
use landfall_core::kubernetes::token::Token;
use landfall_core::outcome::CredentialsError;
use landfall_core::problem::Fault;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What opens the cluster, and the way that is open.
pub(crate) struct Access {
    pub(crate) aws: Aws,
    pub(crate) environment: Result<Environment, Vec<Fault>>,
    pub(crate) connection: Mutex<Option<Connection>>,
}

/// An open way to the cluster, and the token that opened it.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) token: Token,
}

impl Access {
    /// The connection that is open, or a new one; `anew` where the token was refused.
    pub(crate) async fn connect(
        &self,
        environment: &Environment,
        anew: bool,
    ) -> Result<Arc<Cluster>, CredentialsError> {
        let mut connection = self.connection.lock().await;
        let now = Timestamp::now();
        if let Some(open) = &*connection
            && !anew
            && landfall_core::outcome::check(&open.token, &environment.token_parameter, now).is_ok()
        {
            logging::hide([open.token.reveal()]);
            return Ok(open.cluster.clone());
        }
        *connection = None;
        let found = ssm::fetch(&self.aws, environment, now).await?;
        logging::hide([found.token.reveal()]);
        let cluster = Cluster::new(environment, found.ca.as_deref(), &found.token);
        let cluster = Arc::new(cluster.map_err(CredentialsError::Ca)?);
        *connection = Some(Connection {
            cluster: cluster.clone(),
            token: found.token,
        });
        Ok(cluster)
    }
}
