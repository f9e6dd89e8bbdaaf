//! IAM, as the local AWS and the local Kubernetes share it: access keys, whose they are, and the
//! tokens of EKS that are signed with them.

mod token;

use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A session of a role: who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The ARN of the role, which access entries name.
    pub role: String,
    /// The name of the session.
    pub session: String,
}

impl Principal {
    /// The AWS account of the role.
    pub fn account(&self) -> &str {
        self.role.split(':').nth(4).unwrap_or_default()
    }

    /// The ARN of the session, which has no path.
    pub fn arn(&self) -> String {
        let name = self.role.rsplit('/').next().unwrap_or_default();
        let (account, session) = (self.account(), &self.session);
        format!("arn:aws:sts::{account}:assumed-role/{name}/{session}")
    }
}

/// An access key that was given out.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) session: String,
    pub(crate) principal: Principal,
    pub(crate) expires: Timestamp,
}

/// All access keys that were given out. Copies are the same list.
#[derive(Clone, Default)]
pub struct AccessKeys(Arc<Mutex<Vec<AccessKey>>>);

impl AccessKeys {
    fn keys(&self) -> MutexGuard<'_, Vec<AccessKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, key: AccessKey) {
        self.keys().push(key);
    }

    pub(crate) fn get(&self, id: &str) -> Option<AccessKey> {
        self.keys().iter().find(|key| key.id == id).cloned()
    }

    /// Takes back the keys of a role's sessions, as when the role is deleted.
    pub fn revoke(&self, role: &str) {
        self.keys().retain(|key| key.principal.role != role);
    }

    /// Every secret of the keys; tests check that none appears anywhere.
    pub fn secrets(&self) -> Vec<String> {
        let keys = self.keys();
        let secrets = keys.iter().flat_map(|key| [&key.secret, &key.session]);
        secrets.cloned().collect()
    }
}
