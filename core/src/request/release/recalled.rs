//! The objects of a release that is rolled back on demand: they come from the record of an earlier
//! revision in place of an artifact.

use super::fault::{Faults, Subject};
use super::hidden::hidden;
use super::identity::{self, Identity};
use super::images::Found;
use super::model::{Manifest, Place, ReleaseRequest};
use super::{annotations, clean, pods};
use crate::request::pods::values;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// An object of an earlier revision, as the record has it.
pub struct Recalled {
    /// The version in which it was applied.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, if it has one.
    pub namespace: Option<String>,
    /// Its manifest.
    pub text: Arc<str>,
    /// The manifest that is there now, where there is one.
    pub now: Option<Arc<str>>,
}

impl ReleaseRequest {
    /// Forgets the objects of a rollback: they are read again.
    pub(crate) fn forget_recalled(&mut self) {
        if self.mode.is_rollback() {
            self.manifests.clear();
            self.namespaces.clear();
        }
    }

    /// Takes the objects of a revision as those to apply. They were checked when they were
    /// released; what they say of themselves, and what no text may show, is read again.
    pub(crate) fn recall(&mut self, revision: u64, objects: Vec<Recalled>) {
        let place = Place {
            file: format!("revision {revision}"),
            line: 0,
        };
        let mut secrets = BTreeSet::new();
        let mut images = Vec::new();
        for recalled in objects {
            let mut object = serde_json::from_str::<Value>(&recalled.text).unwrap_or_default();
            let subject = Subject::of(&place, &object);
            let mut faults = Faults::default();
            let identity = identity::read(&object, &subject, &mut faults);
            let identity = identity.unwrap_or_else(|| identity_of(&recalled));
            let how = annotations::read(&object, &identity, &subject, &mut faults);
            // Who asked for it when a field changed has to allow it for the way back, too.
            let now = recalled.now.as_deref().unwrap_or_default();
            let now = serde_json::from_str::<Value>(now).unwrap_or_default();
            let asks_now = annotations::read(&now, &identity, &subject, &mut faults).recreate;
            if identity.is("", "Secret") {
                secrets.extend(clean::secret(&mut object, &subject, &mut faults));
            }
            if let Some(pod) = pods::pod(&identity, &object) {
                secrets.extend(values(pod, &object).into_iter().map(str::to_owned));
                let found = pods::images(pod, &object).into_iter().map(|image| Found {
                    manifest: self.manifests.len(),
                    label: String::new(),
                    image,
                });
                images.extend(found);
            }
            if let Some(namespace) = &recalled.namespace
                && *namespace != self.namespace
                && !self.namespaces.contains(namespace)
            {
                self.namespaces.push(namespace.clone());
            }
            self.manifests.push(Manifest {
                api_version: recalled.api_version,
                kind: recalled.kind,
                name: recalled.name,
                namespace: recalled.namespace,
                place: place.clone(),
                wave: how.wave,
                prune: how.prune,
                follow: how.follow,
                recreate: how.recreate || asks_now,
                text: recalled.text,
            });
        }
        self.hidden = hidden(self, &images, secrets);
    }
}

fn identity_of(recalled: &Recalled) -> Identity {
    Identity {
        api_version: recalled.api_version.clone(),
        kind: recalled.kind.clone(),
        name: recalled.name.clone(),
        namespace: recalled.namespace.clone(),
    }
}
