//! The parameter `before`: a Job that must complete before a single workload is changed. It is a
//! release of its own with that Job alone, so that it is tried, followed and recorded as any other.

use super::collect::Objects;
use super::model::{Manifest, ReleaseRequest};
use crate::kubernetes::object::digest;
use crate::kubernetes::object_id::ObjectId;
use crate::request::fields::Check;
use crate::request::files::NamedFile;
use crate::request::model::{Hidden, Request};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The longest part of a workload's name in the name of the release.
const NAME_LIMIT: usize = 22;

impl Check<'_> {
    /// Notes which file is wanted.
    pub(in crate::request) fn before(&mut self) {
        if let Some(path) = self.text("before")
            && let Some(member) = self.member("before", &path, "k8s/migrate.yaml")
        {
            self.wanted.manifests = vec![member];
        }
    }

    /// Reads the Job that must complete before this workload is changed.
    pub(in crate::request) fn release_before(
        &mut self,
        files: &[NamedFile],
        workload: &Request,
    ) -> Option<ReleaseRequest> {
        if !self.fields.contains_key("before") {
            return None;
        }
        let variables = self.variables();
        let mut objects = Objects::new(&workload.namespace, variables.as_ref());
        for file in files {
            objects.file(file);
        }
        let Objects {
            mut manifests,
            secrets,
            faults,
            ..
        } = objects;
        self.faults.extend(faults.into_told());
        let [job] = manifests.as_mut_slice() else {
            let count = manifests.len();
            let problem = format!("must have one Job, and has {count} objects");
            self.fault("before", problem);
            return None;
        };
        if job.kind != "Job" || job.group() != "batch" {
            let problem = format!("must be a Job, and is {}", job.label());
            self.fault("before", problem);
            return None;
        }
        put_images(job, &workload.images);
        Some(ReleaseRequest {
            name: name_for(&workload.deployment),
            namespace: workload.namespace.clone(),
            cluster: workload.cluster.clone(),
            manifests,
            mode: workload.mode,
            alarms: workload.alarms.clone(),
            timeout: workload.timeout,
            patience: workload.patience,
            execution: workload.execution.clone(),
            commit: workload.commit.clone(),
            committed: workload.committed,
            before: Some(id_of(workload)),
            origin: workload.origin.clone(),
            hidden: secrets.into_iter().map(Hidden).collect(),
            ..ReleaseRequest::default()
        })
    }
}

fn id_of(workload: &Request) -> ObjectId {
    let resource = workload.kind.row().resource;
    ObjectId {
        group: resource.group().to_owned(),
        kind: resource.kind.to_string(),
        namespace: Some(workload.namespace.clone()),
        name: workload.deployment.clone(),
    }
}

/// Gives the Job's containers the images of the workload's containers of the same name.
fn put_images(job: &mut Manifest, images: &BTreeMap<String, String>) {
    let mut object = job.object();
    for list in ["containers", "initContainers"] {
        let path = format!("/spec/template/spec/{list}");
        let containers = object.pointer_mut(&path).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let image = container["name"].as_str().and_then(|name| images.get(name));
            if let Some(image) = image {
                container["image"] = json!(image);
            }
        }
    }
    job.text = object.to_string().into();
}

/// The name of the release: `before-web`. A long name is cut, and told from others by a digest.
fn name_for(workload: &str) -> String {
    let plain = workload.replace('.', "-");
    match plain == workload && plain.len() <= NAME_LIMIT {
        true => format!("before-{plain}"),
        false => {
            let end = plain.len().min(NAME_LIMIT);
            let start = plain[..end].trim_end_matches('-');
            format!("before-{start}-{}", &digest(workload)[..8])
        }
    }
}

#[cfg(test)]
mod tests;
