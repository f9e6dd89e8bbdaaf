//! The way to the cluster: the token and the CA from SSM, a connection that is kept warm, and the
//! token's renewal.

pub mod rotation;
pub mod ssm;

use crate::aws::clients::Aws;
use crate::kubernetes::Cluster;
use crate::telemetry::logging;
use jiff::Timestamp;
use landfall_core::environment::Environment;
use landfall_core::kubernetes::token::Token;
use landfall_core::outcome::{self, CredentialsError};
use landfall_core::problem::Fault;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What opens the cluster, and the connection that is open.
pub struct Access {
    /// The clients for AWS.
    pub aws: Aws,
    /// The function's environment, or what is wrong with it.
    pub environment: Result<Environment, Vec<Fault>>,
    connection: Mutex<Option<Connection>>,
}

/// A connection to the cluster, and the token that opened it.
struct Connection {
    cluster: Arc<Cluster>,
    token: Token,
}

impl Access {
    /// Nothing is connected yet.
    pub fn new(aws: Aws, environment: Result<Environment, Vec<Fault>>) -> Access {
        Access {
            aws,
            environment,
            connection: Mutex::new(None),
        }
    }

    /// Returns the connection that is open, or a new one: always a new one with a token that was
    /// read again if `again`, because the cluster refused the token.
    pub async fn connect(
        &self,
        environment: &Environment,
        again: bool,
    ) -> Result<Arc<Cluster>, CredentialsError> {
        let mut connection = self.connection.lock().await;
        let now = Timestamp::now();
        if let Some(open) = &*connection
            && !again
            && outcome::check(&open.token, &environment.token_parameter, now).is_ok()
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

/// The error of a call to SSM that took longer than the invocation has.
pub fn no_answer() -> CredentialsError {
    CredentialsError::Unreachable("it did not answer in time".to_owned())
}
