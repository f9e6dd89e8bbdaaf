//! Checks the fields of a request for a release.

use super::model::ReleaseRequest;
use crate::outcome::FileReference;
use crate::request::checks::{kind, name_of};
use crate::request::fields::Check;
use serde_json::Value;

/// The longest name of a release: the names of what Landfall stores for it, `landfall.NAME.vN`,
/// stay within those of a Secret, and its labels within 63 characters.
pub(in crate::request) const NAME_LIMIT: usize = 40;

/// The most entries of a list in the parameters.
const LIST_LIMIT: usize = 100;

/// The fields of a deploy of one workload, and what to do instead in a release.
const OTHERS: [(&str, &str); 12] = [
    ("workload", SEVERAL),
    ("deployment", SEVERAL),
    ("manifest", "name its file by `manifests`"),
    ("method", "its objects are applied by the API server"),
    ("strategy", ROLLING),
    ("service", ROLLING),
    ("bake", ROLLING),
    ("smoke", ROLLING),
    ("keep", ROLLING),
    (
        "env",
        "write variables into its manifests, with `variables` where they differ",
    ),
    (
        "container",
        "`images` finds containers by their name or image",
    ),
    (
        "restart",
        "change an annotation of the pod template instead",
    ),
];

const SEVERAL: &str = "a release deploys all workloads of its manifests";
const ROLLING: &str = "its workloads are updated by Kubernetes' own rolling update";

/// The fields that only a release has.
const OWN: [&str; 4] = ["release", "namespaces", "prune", "force"];

impl Check<'_> {
    /// Whether a release is requested.
    pub(in crate::request) fn is_release(&self) -> bool {
        self.is_there("manifests")
    }

    /// The fields of a release need one.
    pub(in crate::request) fn without_release(&mut self) {
        for field in OWN {
            if self.fields.contains_key(field) {
                self.fault(field, "is for a release, and there are no `manifests`");
            }
        }
    }

    /// Checks every field, even after a fault. `None` without the files, or if something is wrong.
    pub(in crate::request) fn release(&mut self, job: &str) -> Option<ReleaseRequest> {
        self.unknown_fields();
        for (field, instead) in OTHERS {
            if self.fields.contains_key(field) {
                self.fault(
                    field,
                    format!("cannot be combined with `manifests`: {instead}"),
                );
            }
        }
        let name = self.release_name();
        let namespace = self.namespace(None);
        let namespaces = self.namespaces();
        self.cluster = self.context();
        self.wanted.manifests = self.manifest_paths();
        let prune = self.flag("prune", false);
        let force = self.flag("force", false);
        let rollback = self.flag("rollback", true);
        let (timeout, patience) = self.times(None);
        let mode = self.mode();
        let execution = self.execution(job);
        let committed = self.committed();
        let commit = self.commit();
        self.unfilled();
        Some(ReleaseRequest {
            name: name?,
            namespace,
            namespaces,
            cluster: self.cluster.clone(),
            manifests: Vec::new(),
            hooks: Vec::new(),
            prune,
            force,
            rollback,
            mode,
            timeout,
            patience,
            execution,
            commit,
            committed,
            origin: crate::request::Origin::default(),
            hidden: Vec::new(),
        })
    }

    fn release_name(&mut self) -> Option<String> {
        let name = self.text("release")?;
        if let Err(problem) = name_of(&name, NAME_LIMIT, false) {
            self.fault("release", problem);
        }
        Some(name)
    }

    fn namespaces(&mut self) -> Vec<String> {
        if !self.fields.contains_key("namespaces") {
            return Vec::new();
        }
        let namespaces = self.texts("namespaces", "a list of namespaces");
        for (index, namespace) in namespaces.iter().enumerate() {
            if let Err(problem) = name_of(namespace, 63, false) {
                self.fault(format!("namespaces[{index}]"), problem);
            }
        }
        namespaces
    }

    fn manifest_paths(&mut self) -> Vec<FileReference> {
        let paths = match self.fields.get("manifests") {
            Some(Value::String(path)) => vec![path.clone()],
            Some(_) => self.texts(
                "manifests",
                "the path of a file or a folder in an artifact, or a list of paths",
            ),
            None => return Vec::new(),
        };
        let is_list = self.fields["manifests"].is_array();
        let mut wanted = Vec::new();
        for (index, path) in paths.iter().enumerate() {
            let field = match is_list {
                true => format!("manifests[{index}]"),
                false => "manifests".to_owned(),
            };
            // A folder may be written with a slash at its end.
            let path = path.strip_suffix('/').unwrap_or(path);
            wanted.extend(self.member(&field, path, "k8s"));
        }
        wanted
    }

    /// Reads a list of texts.
    fn texts(&mut self, field: &str, shape: &str) -> Vec<String> {
        let Some(value) = self.fields.get(field) else {
            return Vec::new();
        };
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        let texts = items.iter().filter_map(Value::as_str);
        let texts = texts.map(str::to_owned).collect::<Vec<_>>();
        if texts.is_empty() || texts.len() < items.len() || texts.len() > LIST_LIMIT {
            let found = match value.is_array() {
                true => "a list",
                false => kind(value),
            };
            let problem = format!("must be {shape} (1 to {LIST_LIMIT} strings), and is {found}");
            self.fault(field, problem);
            return Vec::new();
        }
        texts
    }
}
