//! The way to a cluster: where it is, what opens it, and connections that are kept warm. Also the
//! renewal of a token in SSM.

pub mod eks;
mod kubeconfig;
pub mod rotation;
pub mod ssm;

use crate::aws::clients::Aws;
use crate::http::ClientError;
use crate::kubernetes::Cluster;
use crate::telemetry::logging;
use eks::Assumed;
use jiff::Timestamp;
use kubeconfig::Kept;
use landfall_core::eks::{AssumedRole, EksCluster};
use landfall_core::environment::{ClusterSource, Environment, TokenSource};
use landfall_core::event::Keys;
use landfall_core::kubernetes::credential::Credential;
use landfall_core::kubernetes::server::Server;
use landfall_core::outcome::{
    self, AwsFault, CredentialSource, CredentialsError, EksCall, EksError, EksPlace,
    KubeconfigPlace, ParameterPlace,
};
use landfall_core::problem::Fault;
use std::sync::Arc;
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

/// An open connection to a cluster.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub cluster: Arc<Cluster>,
    /// Where the access comes from, for reports.
    pub source: CredentialSource,
    /// The API server.
    pub server: Server,
    credential: Credential,
    /// How tokens of IAM are made for the cluster, and when the next one is due.
    iam: Option<(EksUser, Timestamp)>,
}

/// For whom and by whom tokens of IAM are made.
#[derive(Clone)]
struct EksUser {
    /// The name or id of the cluster.
    id: String,
    /// The region of STS.
    region: String,
    /// The role to assume first.
    role: Option<AssumedRole>,
}

impl Connection {
    fn new(
        cluster: Cluster,
        server: Server,
        credential: Credential,
        source: CredentialSource,
    ) -> Connection {
        Connection {
            cluster: Arc::new(cluster),
            source,
            server,
            credential,
            iam: None,
        }
    }

    /// Whether the credential should be renewed now.
    pub fn is_expiring(&self, now: Timestamp) -> bool {
        matches!(&self.iam, Some((_, renew_at)) if now >= *renew_at)
    }

    /// Whether its sockets fit a credential: a client certificate is shown when they are opened.
    fn has_way_for(&self, credential: &Credential) -> bool {
        match (&self.credential, credential) {
            (Credential::Token(_), Credential::Token(_)) => true,
            (former, credential) => former == credential,
        }
    }

    fn is_usable(&self, now: Timestamp) -> bool {
        let is_valid = match (&self.source, &self.credential) {
            (CredentialSource::Parameter(place), Credential::Token(token)) => {
                outcome::check(token, &place.parameter, now).is_ok()
            }
            (_, _) => true,
        };
        is_valid && !self.is_expiring(now)
    }
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
                let region = cluster.region.clone().or(self.aws.settings.region.clone());
                let cluster = EksCluster {
                    region,
                    ..cluster.clone()
                };
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
                self.sign_anew(open, &mut warm.assumed, now).await?
            }
            (ClusterSource::Kubeconfig(parameter), open) => {
                let selected = match purpose {
                    Purpose::Refused | Purpose::Lost => None,
                    Purpose::Begin | Purpose::Expiring => warm.kubeconfig.take(),
                };
                warm.kubeconfig = selected;
                let kubeconfig = &mut warm.kubeconfig;
                let kubeconfig = kubeconfig::read(&self.aws, parameter, kubeconfig, now).await?;
                let selected = kubeconfig.select(context);
                let selected = selected.map_err(CredentialsError::Kubeconfig)?;
                kubeconfig::open(&self.aws, selected, source, open, &mut warm.assumed, now).await?
            }
            (_, Some(open)) if is_begun && open.is_usable(now) => open,
            (ClusterSource::Token(token), _) => self.open_token(token, source, now).await?,
            (ClusterSource::Eks(_), Some(open)) if purpose != Purpose::Lost => {
                self.sign_anew(open, &mut warm.assumed, now).await?
            }
            (ClusterSource::Eks(cluster), _) => {
                self.open_eks(cluster, &mut warm.assumed, now).await?
            }
        };
        logging::hide([connection.credential.secret()]);
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

    /// Opens a cluster of EKS.
    async fn open_eks(
        &self,
        cluster: &EksCluster,
        assumed: &mut Vec<Assumed>,
        now: Timestamp,
    ) -> Result<Connection, CredentialsError> {
        let region = eks::region(&self.aws, cluster)?;
        let role = cluster.role.as_ref();
        let keys = eks::keys(&self.aws, role, assumed, now).await?;
        hide_keys(&keys);
        let described = eks::describe(&self.aws, cluster, &region, &keys).await?;
        let source = CredentialSource::Eks(EksPlace {
            cluster: EksCluster {
                region: Some(region.clone()),
                ..cluster.clone()
            },
            network: Some(described.network),
        });
        let user = EksUser {
            id: described.id,
            region,
            role: cluster.role.clone(),
        };
        let signed = eks::sign(&self.aws, &user.id, &user.region, &keys, now).await?;
        logging::hide([signed.token.reveal()]);
        let credential = Credential::Token(signed.token);
        let client = Cluster::new(&described.server, &credential).map_err(unusable)?;
        Ok(Connection {
            iam: Some((user, signed.renew_at)),
            ..Connection::new(client, described.server, credential, source)
        })
    }

    /// Makes a new token of IAM for a connection, whose sockets are kept.
    async fn sign_anew(
        &self,
        open: Connection,
        assumed: &mut Vec<Assumed>,
        now: Timestamp,
    ) -> Result<Connection, CredentialsError> {
        let Some((user, _)) = open.iam else {
            return Ok(open);
        };
        let keys = eks::keys(&self.aws, user.role.as_ref(), assumed, now).await?;
        hide_keys(&keys);
        let signed = eks::sign(&self.aws, &user.id, &user.region, &keys, now).await?;
        let credential = Credential::Token(signed.token);
        let client = Cluster::on(open.cluster.approach(), &credential).map_err(unusable)?;
        Ok(Connection {
            cluster: Arc::new(client),
            credential,
            iam: Some((user, signed.renew_at)),
            ..open
        })
    }
}

fn hide_keys(keys: &Keys) {
    logging::hide([&*keys.secret].into_iter().chain(keys.session.as_deref()));
}

/// Why a client cannot be made, as a fault of the credentials.
fn unusable(error: ClientError) -> CredentialsError {
    match error {
        ClientError::Trust(why) => CredentialsError::Ca(why),
        ClientError::Certificate(why) => CredentialsError::ClientCertificate(why),
        ClientError::Proxy(why) => CredentialsError::Proxy(why),
        ClientError::Token => CredentialsError::Ca("the token cannot be sent in a header".into()),
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
