//! An open connection to a cluster, and the credential that opened it.

use crate::http::ClientError;
use crate::kubernetes::Cluster;
use jiff::Timestamp;
use landfall_core::eks::AssumedRole;
use landfall_core::kubernetes::credential::Credential;
use landfall_core::kubernetes::known_kinds::KnownKinds;
use landfall_core::kubernetes::server::Server;
use landfall_core::outcome::{self, CredentialSource, CredentialsError};
use std::sync::{Arc, Mutex, PoisonError};

/// An open connection to a cluster.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub cluster: Arc<Cluster>,
    /// Where the access comes from, for reports.
    pub source: CredentialSource,
    /// The API server.
    pub server: Server,
    pub(super) credential: Credential,
    /// How tokens of IAM are made for the cluster, and when the next one is due.
    pub(super) iam: Option<(IamUser, Timestamp)>,
    /// The kinds that the API server has listed.
    pub(super) kinds: Arc<Mutex<KnownKinds>>,
}

/// For whom and by whom tokens of IAM are made.
#[derive(Clone)]
pub(super) struct IamUser {
    /// The name or id of the cluster.
    pub(super) id: String,
    /// The region of STS.
    pub(super) region: String,
    /// The role to assume first.
    pub(super) role: Option<AssumedRole>,
}

impl Connection {
    pub(super) fn new(
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
            kinds: Arc::default(),
        }
    }

    /// The kinds that the API server has listed for earlier deploys.
    pub fn kinds(&self) -> KnownKinds {
        let kinds = self.kinds.lock();
        kinds.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the kinds that the API server has listed.
    pub fn remember(&self, kinds: KnownKinds) {
        *self.kinds.lock().unwrap_or_else(PoisonError::into_inner) = kinds;
    }

    /// Whether the credential should be renewed now.
    pub fn is_expiring(&self, now: Timestamp) -> bool {
        matches!(&self.iam, Some((_, renew_at)) if now >= *renew_at)
    }

    /// Whether its sockets fit a credential: a client certificate is shown when they are opened.
    pub(super) fn has_way_for(&self, credential: &Credential) -> bool {
        match (&self.credential, credential) {
            (Credential::Token(_), Credential::Token(_)) => true,
            (former, credential) => former == credential,
        }
    }

    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        let is_valid = match (&self.source, &self.credential) {
            (CredentialSource::Parameter(place), Credential::Token(token)) => {
                outcome::check(token, &place.parameter, now).is_ok()
            }
            (_, _) => true,
        };
        is_valid && !self.is_expiring(now)
    }
}

/// Why a client cannot be made, as a fault of the credentials.
pub(super) fn unusable(error: ClientError) -> CredentialsError {
    match error {
        ClientError::Trust(why) => CredentialsError::Ca(why),
        ClientError::Certificate(why) => CredentialsError::ClientCertificate(why),
        ClientError::Proxy(why) => CredentialsError::Proxy(why),
        ClientError::Token => CredentialsError::Ca("the token cannot be sent in a header".into()),
    }
}
