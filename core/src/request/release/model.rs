//! The checked request for a release.

use crate::kubernetes::object_id::{ObjectId, group_of};
use crate::problem::Fault;
use crate::request::model::{Alarms, Hidden, Mode, Watch};
use crate::request::origin::Origin;
use jiff::Timestamp;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The checked request for a release.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReleaseRequest {
    /// The release's name: a DNS label of at most 40 characters.
    pub name: String,
    /// The namespace of the release, and of its objects that name none.
    pub namespace: String,
    /// Other namespaces that its objects may name.
    pub namespaces: Vec<String>,
    /// The context of the kubeconfig; `None` for its current one, or without a kubeconfig.
    pub cluster: Option<String>,
    /// The objects to apply, in the order of the files.
    pub manifests: Vec<Manifest>,
    /// The hooks of Helm charts, which are not applied: `Kind/name (pre-upgrade)`.
    pub hooks: Vec<String>,
    /// Whether to delete what the release had before and no longer has.
    pub prune: bool,
    /// Whether to take over fields that another manager owns.
    pub force: bool,
    /// Whether to roll back on failure.
    pub rollback: bool,
    /// Whether to write anything.
    pub mode: Mode,
    /// The revision that a rollback brings back; `None` for the one that served before.
    pub to: Option<u64>,
    /// How long the release is watched after everything of it serves.
    pub bake: Duration,
    /// The CloudWatch alarms that guard it.
    pub alarms: Option<Alarms>,
    /// The time limit for the whole release.
    pub timeout: Duration,
    /// How long a temporary problem must last before it counts as final.
    pub patience: Duration,
    /// Who deploys: the pipeline's execution, or else the job.
    pub execution: String,
    /// The deployed commit, if known.
    pub commit: Option<String>,
    /// When the deployed change was committed: the start of the lead time.
    pub committed: Option<Timestamp>,
    /// The workload before which its only Job must complete: a release that nobody has named.
    pub before: Option<ObjectId>,
    /// The files that the request was read from.
    pub origin: Origin,
    /// The values that no text may show.
    pub(super) hidden: Vec<Hidden>,
}

impl ReleaseRequest {
    /// Puts in the files that it was read from.
    pub(crate) fn with_origin(mut self, origin: Origin) -> ReleaseRequest {
        self.origin = origin;
        self
    }

    /// The watch over the new version.
    pub fn watch(&self) -> Watch<'_> {
        let alarms = self.alarms.as_ref();
        Watch {
            alarms,
            // That is why people go back.
            ignores_ringing: self.mode.is_rollback()
                || alarms.is_some_and(|alarms| alarms.ignores_ringing),
            bake: self.bake,
            steps: &[],
        }
    }

    /// The values that no text may show: the data of Secrets, as it is and in base64, and the
    /// variables of containers. Words that are also names in the release are excluded, because no
    /// text can avoid them.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.hidden.iter().map(Hidden::reveal)
    }
}

/// An object of a release, as it is to be applied.
#[derive(Clone, PartialEq)]
pub struct Manifest {
    /// The group and version: `apps/v1`.
    pub api_version: String,
    /// The kind: `Deployment`.
    pub kind: String,
    /// The object's name, valid for its kind.
    pub name: String,
    /// The namespace that the manifest names.
    pub namespace: Option<String>,
    /// Where the manifest is.
    pub place: Place,
    /// When the object is applied: lower waves first.
    pub wave: i32,
    /// Whether the object may be deleted once the release no longer has it.
    pub prune: PrunePolicy,
    /// Whether the release waits until the object is healthy.
    pub follow: bool,
    /// Whether the object may be deleted and created anew if an immutable field changed.
    pub recreate: bool,
    /// The object as compact JSON.
    pub(super) text: Arc<str>,
}

impl Manifest {
    /// The group of its `apiVersion`; empty for the core group.
    pub fn group(&self) -> &str {
        group_of(&self.api_version)
    }

    /// Parses the whole object. Keep it no longer than needed: it takes several times the memory
    /// of its text.
    pub fn object(&self) -> Value {
        // The text was written from a value.
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The object as compact JSON.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same, to be kept.
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The object as `Kind/name`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

impl fmt::Debug for Manifest {
    /// Leaves out the content, which may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Manifest {
            kind,
            name,
            namespace,
            place,
            ..
        } = self;
        let namespace = namespace.as_deref().unwrap_or_default();
        write!(formatter, "{kind} {namespace}/{name} of {place}")
    }
}

/// The namespace of an object, once it is known whether its kind has namespaces: the one that the
/// manifest names, or else the release's. `None` for an object of the whole cluster, whatever its
/// manifest says. A namespace that the request does not allow is a fault.
pub fn namespace_of(
    manifest: &Manifest,
    is_namespaced: bool,
    request: &ReleaseRequest,
) -> Result<Option<String>, Fault> {
    if !is_namespaced {
        return Ok(None);
    }
    let namespace = manifest.namespace.as_ref().unwrap_or(&request.namespace);
    if *namespace == request.namespace || request.namespaces.contains(namespace) {
        return Ok(Some(namespace.clone()));
    }
    let problem = format!(
        "is `{namespace}`, and the release is for `{}`: add `{namespace}` to \
         `namespaces` if the release may write there too",
        request.namespace
    );
    Err(Fault::new("metadata.namespace", problem))
}

/// Where a manifest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path of the file in its artifact.
    pub file: String,
    /// The line in which the manifest begins, counted from one; 0 in the record of a release.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => formatter.write_str(&self.file),
            line => write!(formatter, "{}:{line}", self.file),
        }
    }
}

/// Whether an object may be deleted once its release no longer has it. Namespaces,
/// CustomResourceDefinitions, volumes and claims must allow it by an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrunePolicy {
    /// It may be deleted.
    Allowed,
    /// It stays.
    Never,
}
