//! The way to a cluster: where it is, what opens it, and connections that are kept warm. Also the
//! renewal of a token in SSM.

pub mod eks;
mod connection;
mod kubeconfig;
pub mod rotation;
pub mod ssm;

use crate::aws::clients::Aws;
use crate::kubernetes::Cluster;
use crate::telemetry::logging;
pub use connection::Connection;
use connection::unusable;
use eks::Assumed;
use jiff::Timestamp;
use kubeconfig::Kept;
use landfall_core::environment::{ClusterSource, Environment, TokenSource};
use landfall_core::kubernetes::credential::Credential;
use landfall_core::kubernetes::server::Server;
use landfall_core::outcome::{
    AwsFault, CredentialSource, CredentialsError, EksCall, EksError, EksPlace, KubeconfigPlace,
    ParameterPlace,
};
use landfall_core::problem::Fault;
use tokio::sync::Mutex;

/// Connections that are kept warm. Each costs a few kilobytes, and a function rarely serves more
/// clusters between two cold starts.
const CONNECTIONS: usize = 8;

/// Why a cluster is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A deploy begins: a warm connection will do.
    Begin,
    /// The credential is about to expire.
    Expiring,
    /// The cluster refused the credential.
    Refused,
    /// The cluster does not answer at its address, or its certificate is not trusted any more.
    Lost,
}

/// What opens clusters, and the connections that are open.
pub struct Access {
    /// The clients for AWS.
    pub aws: Aws,
    /// The function's environment, or what is wrong with it.
    pub environment: Result<Environment, Vec<Fault>>,
    warm: Mutex<Warm>,
}

/// What is kept between invocations.
#[derive(Default)]
struct Warm {
    /// The connections by the name of their cluster, the last used one last.
    connections: Vec<(String, Connection)>,
    /// The credentials of assumed roles.
    assumed: Vec<Assumed>,
    /// The kubeconfig that was read last.
    kubeconfig: Option<Kept>,
}

impl Warm {
    /// Takes out the connection of a cluster.
    fn take(&mut self, name: &str) -> Option<Connection> {
        let position = self.connections.iter().position(|(known, _)| known == name);
        position.map(|position| self.connections.remove(position).1)
    }

    /// Keeps the connection of a cluster, and drops the one that was used longest ago.
    fn keep(&mut self, name: &str, connection: Connection) {
        self.take(name);
        if self.connections.len() >= CONNECTIONS {
            self.connections.remove(0);
        }
        self.connections.push((name.to_owned(), connection));
    }
}

impl Access {
    /// Nothing is connected yet.
    pub fn new(aws: Aws, environment: Result<Environment, Vec<Fault>>) -> Access {
        Access {
            aws,
            environment,
            warm: Mutex::default(),
        }
    }

    /// Where the access to the cluster should come from, before anything was read.
    pub fn source(&self, environment: &Environment, account: Option<&str>) -> CredentialSource {
        match &environment.source {
            ClusterSource::Token(source) => {
                CredentialSource::Parameter(self.place(&source.token_parameter, account))
            }
            ClusterSource::Eks(cluster) => {
                let cluster = cluster.or_in(self.aws.settings.region.as_deref());
                CredentialSource::Eks(EksPlace {
                    cluster,
                    network: None,
                })
            }
            ClusterSource::Kubeconfig(parameter) => CredentialSource::Kubeconfig(KubeconfigPlace {
                parameter: self.place(parameter, account),
                context: None,
                user: None,
            }),
        }
    }

    fn place(&self, parameter: &str, account: Option<&str>) -> ParameterPlace {
        ParameterPlace::new(parameter, account, self.aws.settings.region.as_deref())
    }

    /// Returns the connection that is open, or a new one. `context` is the one of a kubeconfig, and
    /// `source` is where the access should come from.
    pub async fn connect(
        &self,
        environment: &Environment,
        context: Option<&str>,
        source: &CredentialSource,
        purpose: Purpose,
    ) -> Result<Connection, CredentialsError> {
        let mut warm = self.warm.lock().await;
        let warm = &mut *warm;
        let now = Timestamp::now();
        let name = context.unwrap_or_default();
        let open = warm.take(name);
        if purpose == Purpose::Refused {
            warm.assumed.clear();
        }
        let is_begun = purpose == Purpose::Begin;
        let connection = match (&environment.source, open) {
            (_, Some(open)) if purpose == Purpose::Expiring => {
                eks::sign_anew(&self.aws, open, &mut warm.assumed, now).await?
            }
            (ClusterSource::Kubeconfig(parameter), open) => {
                if matches!(purpose, Purpose::Refused | Purpose::Lost) {
                    warm.kubeconfig = None;
                }
                let (aws, kept) = (&self.aws, &mut warm.kubeconfig);
                let selected = kubeconfig::select(aws, parameter, context, kept, now).await?;
                let assumed = &mut warm.assumed;
                let opened = kubeconfig::open(aws, selected, source, open, assumed, now).await;
                if opened.is_err() {
                    // It may be corrected before the next deploy.
                    warm.kubeconfig = None;
                }
                opened?
            }
            (_, Some(open)) if is_begun && open.is_usable(now) => open,
            (ClusterSource::Token(token), _) => self.open_token(token, source, now).await?,
            (ClusterSource::Eks(_), Some(open)) if purpose != Purpose::Lost => {
                eks::sign_anew(&self.aws, open, &mut warm.assumed, now).await?
            }
            (ClusterSource::Eks(cluster), _) => {
                eks::open(&self.aws, cluster, &mut warm.assumed, now).await?
            }
        };
        logging::hide([connection.credential.secret()]);
        warm.assumed.iter().for_each(eks::hide_assumed);
        warm.keep(name, connection.clone());
        Ok(connection)
    }

    async fn open_token(
        &self,
        source: &TokenSource,
        place: &CredentialSource,
        now: Timestamp,
    ) -> Result<Connection, CredentialsError> {
        let found = ssm::fetch(&self.aws, source, now).await?;
        logging::hide([found.token.reveal()]);
        let server = Server::new(&source.cluster, found.ca);
        let credential = Credential::Token(found.token);
        let cluster = Cluster::new(&server, &credential).map_err(unusable)?;
        Ok(Connection::new(cluster, server, credential, place.clone()))
    }
}

/// The error of a call to AWS that took longer than the invocation has.
pub fn no_answer(source: &CredentialSource) -> CredentialsError {
    let why = "it did not answer in time".to_owned();
    match source {
        CredentialSource::Parameter(_) | CredentialSource::Kubeconfig(_) => {
            CredentialsError::Unreachable(why)
        }
        CredentialSource::Eks(_) => {
            let fault = AwsFault::Unreachable(why);
            CredentialsError::Eks(EksError::Call(EksCall::DescribeCluster, fault))
        }
    }
}
