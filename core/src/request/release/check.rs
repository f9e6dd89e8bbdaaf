//! Checks the fields of a request for a release.

use super::collect::{Objects, TEXT_LIMIT};
use super::hidden::hidden;
use super::images_field::put_images;
use super::model::{Manifest, ReleaseRequest};
use super::sources::{Use, uses};
use crate::outcome::FileReference;
use crate::problem::Fault;
use crate::request::checks::{kind, name_of};
use crate::request::fields::Check;
use crate::request::files::NamedFile;
use serde_json::Value;
use std::time::Duration;

/// The longest name of a release: the names of what Landfall stores for it, `landfall.NAME.vN`,
/// stay within those of a Secret, and its labels within 63 characters.
const NAME_LIMIT: usize = 40;

/// The most entries of a list in the parameters.
const LIST_LIMIT: usize = 100;

/// The most files of a release: reading so many takes seconds.
const FILES_LIMIT: usize = 500;

/// The fields of a deploy of one workload, and what to do instead in a release.
pub(super) const OTHERS: [(&str, &str); 15] = [
    (
        "before",
        "a Job among them runs to its end before the workloads of its wave",
    ),
    ("workload", SEVERAL),
    ("deployment", SEVERAL),
    ("manifest", "name its file by `manifests`"),
    ("method", "its objects are applied by the API server"),
    ("strategy", ROLLING),
    ("service", ROLLING),
    ("steps", ROLLING),
    ("route", ROLLING),
    ("smoke", ROLLING),
    ("handover", ROLLING),
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

/// The kinds by which a release is called if it has only one object of them.
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

impl Check<'_> {
    /// Whether a release is requested.
    pub(in crate::request) fn is_release(&self) -> bool {
        self.is_there("manifests") || self.is_release_going_back()
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
    pub(in crate::request) fn release(
        &mut self,
        job: &str,
        files: Option<Vec<NamedFile>>,
    ) -> Option<ReleaseRequest> {
        self.unknown_fields();
        match self.is_release_going_back() {
            true => self.release_going_back(job),
            false => self.release_of_manifests(job, files),
        }
    }

    fn release_of_manifests(
        &mut self,
        job: &str,
        files: Option<Vec<NamedFile>>,
    ) -> Option<ReleaseRequest> {
        self.refuse_others();
        let given_name = self.release_name();
        let namespace = self.namespace(None);
        let namespaces = self.namespaces();
        self.cluster = self.context();
        let wanted = self.manifest_paths();
        let variables = self.variables();
        let images = self.release_images();
        let bare = self.bare_release(namespace, job);
        let committed = self.committed();
        let first = files.as_ref().and_then(|files| files.first());
        let commit = self.commit(first.and_then(|first| first.file.revision.clone()));
        self.unfilled();
        let Some(files) = files else {
            self.wanted.manifests = wanted;
            return None;
        };
        let mut objects = Objects::new(&bare.namespace, variables.as_ref());
        read(&mut objects, files, &wanted);
        objects.finish();
        put_images(&mut objects, &images, variables.is_some());
        let Objects {
            manifests,
            hooks,
            images,
            secrets,
            faults,
            ..
        } = objects;
        self.faults.extend(faults.into_told());
        let name = given_name.or_else(|| self.default_name(&manifests));
        let mut request = ReleaseRequest {
            name: name?,
            namespaces,
            manifests,
            hooks,
            to: None,
            commit,
            committed,
            ..bare
        };
        request.hidden = hidden(&request, &images, secrets);
        Some(request)
    }

    /// How a release or its rollback on demand goes on; it has no name and no objects yet.
    pub(super) fn bare_release(&mut self, namespace: String, job: &str) -> ReleaseRequest {
        let prune = self.flag("prune", false);
        let force = self.flag("force", false);
        let rollback = self.flag("rollback", true);
        let (bake, alarms) = (self.bake(Duration::ZERO), self.alarms());
        let (timeout, patience) = self.times(bake, None);
        let mode = self.mode();
        ReleaseRequest {
            namespace,
            cluster: self.cluster.clone(),
            prune,
            force,
            rollback,
            mode,
            to: self.return_revision(mode),
            bake,
            alarms,
            timeout,
            patience,
            execution: self.execution(job),
            ..ReleaseRequest::default()
        }
    }

    /// Refuses what is for one workload.
    fn refuse_others(&mut self) {
        for (field, instead) in OTHERS {
            if self.fields.contains_key(field) {
                let problem = format!("cannot be combined with `manifests`: {instead}");
                self.fault(field, problem);
            }
        }
    }

    pub(super) fn release_name(&mut self) -> Option<String> {
        let name = self.text("release")?;
        self.check("release", name_of(&name, NAME_LIMIT, false));
        Some(name)
    }

    /// The name of the only workload.
    fn default_name(&mut self, manifests: &[Manifest]) -> Option<String> {
        if self.is_there("release") || !self.faults.is_empty() {
            return None;
        }
        let is_workload = |manifest: &&Manifest| {
            manifest.group() == "apps" && WORKLOADS.contains(&manifest.kind.as_str())
        };
        let mut workloads = manifests.iter().filter(is_workload);
        let problem = match (workloads.next(), workloads.count()) {
            (Some(only), 0) => match name_of(&only.name, NAME_LIMIT, false) {
                Ok(()) => return Some(only.name.clone()),
                Err(problem) => format!(
                    "is missing, and the name of the only workload cannot be the release's: it \
                     {problem}"
                ),
            },
            (None, _) => "is missing: the manifests have no workload whose name the release \
                could have"
                .to_owned(),
            (Some(_), more) => format!(
                "is missing: the manifests have {} workloads, so give the release a name",
                more + 1
            ),
        };
        self.fault("release", problem);
        None
    }

    fn namespaces(&mut self) -> Vec<String> {
        if !self.fields.contains_key("namespaces") {
            return Vec::new();
        }
        let namespaces = self.texts("namespaces", "a list of namespaces");
        for (index, namespace) in namespaces.iter().enumerate() {
            let field = format!("namespaces[{index}]");
            self.check(field, name_of(namespace, 63, false));
        }
        namespaces
    }

    fn manifest_paths(&mut self) -> Vec<FileReference> {
        let (paths, is_list) = match self.fields.get("manifests") {
            None => return Vec::new(),
            Some(Value::String(path)) => (vec![path.clone()], false),
            Some(_) => {
                let shape = "the path of a file or a folder in an artifact, or a list of paths";
                (self.texts("manifests", shape), true)
            }
        };
        let mut wanted = Vec::new();
        for (index, path) in paths.iter().enumerate() {
            let field = match is_list {
                true => format!("manifests[{index}]"),
                false => "manifests".to_owned(),
            };
            // A folder may be written with a slash at its end.
            let path = path.strip_suffix('/').unwrap_or(path);
            let artifact = path.strip_suffix('.');
            let artifact = artifact.filter(|it| it.is_empty() || it.ends_with("::"));
            wanted.extend(match artifact {
                None => self.member(&field, path, "k8s"),
                // The whole artifact.
                Some(artifact) => {
                    let within = self.member(&field, &format!("{artifact}k8s"), "k8s");
                    within.map(|it| FileReference {
                        path: ".".to_owned(),
                        ..it
                    })
                }
            });
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
                true => "another list",
                false => kind(value),
            };
            let problem = format!("must be {shape} (1 to {LIST_LIMIT} strings), and is {found}");
            self.fault(field, problem);
            return Vec::new();
        }
        texts
    }
}

/// Reads the files, each of which is dropped before the next.
fn read(objects: &mut Objects<'_>, files: Vec<NamedFile>, wanted: &[FileReference]) {
    let fault = |problem: String| Fault::new("manifests", problem);
    if files.len() > FILES_LIMIT {
        let problem = format!(
            "have {} files, and a release has up to {FILES_LIMIT}",
            files.len()
        );
        return objects.faults.push(fault(problem));
    }
    let size = files
        .iter()
        .map(|file| file.file.content.len())
        .sum::<usize>();
    if size > TEXT_LIMIT {
        let problem = format!(
            "have {} MiB of text, and a release has up to {}",
            size.div_ceil(1024 * 1024),
            TEXT_LIMIT >> 20
        );
        return objects.faults.push(fault(problem));
    }
    let uses = uses(&files, wanted);
    for (file, used) in files.into_iter().zip(uses) {
        match used {
            Use::Read => objects.file(&file),
            Use::Skip => {}
            Use::Fault(problem) => objects.faults.push(Fault::new(file.path, problem)),
        }
    }
    if objects.manifests.is_empty() && objects.faults.is_empty() {
        let hooks = match objects.hooks.is_empty() {
            true => "",
            false => " but hooks of Helm, which are not applied",
        };
        objects.faults.push(fault(format!("have no object{hooks}")));
    }
}
