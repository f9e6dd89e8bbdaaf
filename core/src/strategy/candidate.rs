//! The Deployment of a new version: what the live one is, with another pod template, under a name
//! and a label of its own.

use super::{blue_green, immutable};
use crate::change::{self, Author};
use crate::kubernetes::object;
use crate::kubernetes::service::{Selector, read_selector};
use crate::problem::Fault;
use crate::request::{Request, Strategy};
use crate::state::marks::{
    self, COMMIT, CREATED_BY, DIGEST, FAMILY, REPLICAS, RETURNED_FROM, RETURNED_TO, SERVICE,
    VERSION,
};
use crate::workload::{self, Workload};
use serde_json::{Map, Value, json};

/// Annotations that belong to one object and are not handed on.
const OWN_NOTES: [&str; 10] = [
    "deployment.kubernetes.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "landfall/",
    // Whoever owns the live one by these would prune the candidate, which is in none of its files.
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "kapp.k14s.io/",
];

/// A new version, before it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its Deployment's name.
    pub name: String,
    /// Its label: `blue`, `green` or a digest.
    pub version: String,
    /// The digest of its template.
    pub digest: String,
    template: Value,
    /// What a rollback on demand notes on it.
    notes: Vec<(String, String)>,
}

impl Candidate {
    /// The version that `source` has, to take over again from the live one: a rollback on demand.
    pub fn back(request: &Request, live: &Workload, source: &Workload) -> Candidate {
        let template = unlabelled(source.template());
        let stored = workload::template_digest(&template);
        let digest = source.annotation(DIGEST).unwrap_or(&stored).to_owned();
        let version = match (&request.strategy, marks::version_of(source)) {
            // One that has a name of its own is never changed again, and only scaled up.
            (Strategy::Immutable { .. }, Some(version)) if !blue_green::is_color(version) => {
                version.to_owned()
            }
            (Strategy::Immutable { .. }, _) => immutable::version(&digest),
            _ => blue_green::version(live).to_owned(),
        };
        let line = format!(
            "execution {}, rolled back to {}",
            request.execution,
            source.name()
        );
        let commit = source.annotation(COMMIT).map(|commit| (COMMIT, commit));
        let notes = [
            (RETURNED_FROM, live.name()),
            (RETURNED_TO, &*format!("{}@{stored}", source.name())),
            (marks::CHANGE_CAUSE, &*line),
        ];
        let notes = notes.into_iter().chain(commit);
        let notes = notes.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Candidate {
            notes: notes.collect(),
            ..Candidate::named(request, version, digest, template)
        }
    }

    /// Renders it. The time in `author` goes into the template where pods are to be restarted, so
    /// that it must be the same in each invocation.
    pub fn render(request: &Request, live: &Workload, author: &Author) -> Rendered {
        let mut template = change::template(request, live, author.now)?;
        unlabel(&mut template);
        let digest = workload::template_digest(&template);
        let version = match &request.strategy {
            Strategy::Rolling | Strategy::BlueGreen(_) | Strategy::Canary { .. } => {
                blue_green::version(live).to_owned()
            }
            Strategy::Immutable { .. } => immutable::version(&digest),
        };
        let candidate = Candidate::named(request, version, digest, template);
        if candidate.name != live.name() || candidate.is_live(live) {
            return Ok(candidate);
        }
        // The live one has this name and was changed since: it is not to be written over.
        let now = workload::template_digest(&live.value()["spec"]["template"]);
        let version = immutable::version(&object::digest(&format!("{}{now}", candidate.digest)));
        let Candidate {
            digest, template, ..
        } = candidate;
        Ok(Candidate::named(request, version, digest, template))
    }

    fn named(request: &Request, version: String, digest: String, mut template: Value) -> Candidate {
        let labels = ["metadata", "labels"].into_iter();
        let labels = labels.fold(&mut template, |place, key| &mut place[key]);
        labels[VERSION] = json!(version);
        Candidate {
            name: format!("{}-{version}", request.deployment),
            version,
            digest,
            template,
            notes: Vec::new(),
        }
    }

    /// The same where it brings back what served before while an alarm rings: the version that it
    /// leaves is noted.
    pub fn returning_from(self, live: &Workload) -> Candidate {
        let note = (RETURNED_FROM.to_owned(), live.name().to_owned());
        Candidate {
            notes: vec![note],
            ..self
        }
    }

    /// Whether it is noted which version it leaves.
    pub fn returns(&self) -> bool {
        self.notes.iter().any(|(name, _)| name == RETURNED_FROM)
    }

    /// Whether the live Deployment is this version already.
    pub fn is_live(&self, live: &Workload) -> bool {
        let found = object::at(live.value(), "/spec/template").unwrap_or(&Value::Null);
        if is_same_version(found, &self.template) {
            return true;
        }
        let was_asked = live.annotation(DIGEST) == Some(&*self.digest);
        was_asked && change::contains(&unlabelled(found), &unlabelled(&self.template))
    }

    /// The labels of its pods.
    pub fn labels(&self) -> Selector {
        read_selector(self.template.pointer("/metadata/labels"))
    }

    /// The readiness gates of its template.
    pub fn readiness_gates(&self) -> Vec<&str> {
        let gates = self.template.pointer("/spec/readinessGates");
        let gates = gates.and_then(Value::as_array).into_iter().flatten();
        gates
            .filter_map(|gate| gate["conditionType"].as_str())
            .collect()
    }

    /// Labels that the Service selects by, and the template does not have.
    pub fn missing(&self, selector: &Selector) -> Vec<String> {
        let labels = self.labels();
        let wanted = selector.iter();
        let missing = wanted.filter(|(key, value)| labels.get(*key) != Some(value));
        missing
            .map(|(key, value)| format!("{key}={value}"))
            .collect()
    }

    /// The object to create.
    pub fn create(&self, request: &Request, live: &Workload, author: &Author) -> Value {
        let mut object = self.object(request, live, author);
        object["metadata"]["annotations"][CREATED_BY] = json!(author.job);
        object
    }

    /// The object that takes the place of an idle one.
    pub fn replace(
        &self,
        request: &Request,
        live: &Workload,
        idle: &Workload,
        author: &Author,
    ) -> Value {
        let mut object = self.object(request, live, author);
        for field in ["resourceVersion", "uid"] {
            object["metadata"][field] = idle.value()["metadata"][field].clone();
        }
        for kept in [workload::REVISION, CREATED_BY] {
            if let Some(text) = idle.annotation(kept) {
                object["metadata"]["annotations"][kept] = json!(text);
            }
        }
        object["spec"]["selector"] = idle.value()["spec"]["selector"].clone();
        object
    }

    fn object(&self, request: &Request, live: &Workload, author: &Author) -> Value {
        let base = request.manifest.as_ref().unwrap_or(live.value());
        let handed_on = |name: &String| !OWN_NOTES.iter().any(|own| name.starts_with(own));
        let texts = |part: &str| {
            let mut texts = read_selector(base["metadata"].get(part));
            texts.retain(|name, _| handed_on(name));
            texts
        };
        let mut annotations = texts("annotations");
        if request.manifest.is_none() {
            annotations.remove(marks::CHANGE_CAUSE);
        }
        annotations.extend(change::history(request, live, author));
        let service = request.strategy.switch().map(|switch| &*switch.service);
        annotations.extend(service.map(|service| (SERVICE.to_owned(), service.to_owned())));
        annotations.extend([
            (marks::EXECUTION.to_owned(), author.execution.to_owned()),
            (marks::JOB.to_owned(), author.job.to_owned()),
            (marks::DEPLOYED_AT.to_owned(), author.now.to_string()),
            (DIGEST.to_owned(), self.digest.clone()),
        ]);
        annotations.extend(self.notes.iter().cloned());
        let mut labels = texts("labels");
        labels.insert(FAMILY.to_owned(), request.deployment.clone());
        let resource = request.kind.row().resource;
        json!({"apiVersion": resource.api_version, "kind": resource.kind,
            "metadata": {"name": self.name, "namespace": request.namespace,
                "labels": labels, "annotations": annotations},
            "spec": self.spec(request, live)})
    }

    /// The live one's spec, what a manifest says over it, and the new template.
    fn spec(&self, request: &Request, live: &Workload) -> Value {
        let mut spec = live.value()["spec"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let manifest = request.manifest.as_ref();
        let said = manifest.and_then(|manifest| manifest["spec"].as_object());
        let said = said.cloned().unwrap_or_default().into_iter();
        spec.extend(said.filter(|(field, _)| !["replicas", "selector"].contains(&field.as_str())));
        spec.insert("replicas".to_owned(), json!(live.replicas()));
        spec.insert("template".to_owned(), self.template.clone());
        let selector = spec.entry("selector").or_insert_with(|| json!({}));
        let selector = selector
            .as_object_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        spec.insert("selector".to_owned(), self.selector(selector));
        spec.remove("paused");
        Value::Object(spec)
    }

    fn selector(&self, mut selector: Map<String, Value>) -> Value {
        let mut labels = read_selector(selector.get("matchLabels"));
        labels.insert(VERSION.to_owned(), self.version.clone());
        selector.insert("matchLabels".to_owned(), json!(labels));
        Value::Object(selector)
    }
}

/// A candidate, or what the request asks for and cannot have.
pub type Rendered = Result<Candidate, Vec<Fault>>;

/// Whether two templates are the same but for what tells versions apart.
fn is_same_version(one: &Value, other: &Value) -> bool {
    same_fields(one, other, &["metadata"], |one, other| {
        same_fields(one, other, &["labels"], |one, other| {
            same_fields(one, other, &[VERSION, workload::TEMPLATE_HASH], |_, _| true)
        })
    })
}

/// Whether two objects have the same fields, of which `apart` are compared by their own rule.
fn same_fields(
    one: &Value,
    other: &Value,
    apart: &[&str],
    rule: impl Fn(&Value, &Value) -> bool,
) -> bool {
    let (Value::Object(fields), Value::Object(others)) = (one, other) else {
        return one == other;
    };
    let plain = |field: &(&String, &Value)| !apart.contains(&field.0.as_str());
    fields.iter().filter(plain).eq(others.iter().filter(plain))
        && apart.iter().all(|field| rule(&one[*field], &other[*field]))
}

/// The template without what tells versions apart.
fn unlabelled(template: &Value) -> Value {
    let mut template = template.clone();
    unlabel(&mut template);
    template
}

/// Takes off what tells versions apart.
fn unlabel(template: &mut Value) {
    let labels = template.get_mut("metadata");
    let labels = labels.and_then(|metadata| metadata.get_mut("labels")?.as_object_mut());
    if let Some(labels) = labels {
        labels.remove(VERSION);
        labels.remove(workload::TEMPLATE_HASH);
    }
}

/// Whether the Deployment is one of the family, made by us.
pub fn is_ours(deployment: &Workload, family: &str, version: &str) -> bool {
    let labels = read_selector(deployment.value().pointer("/metadata/labels"));
    let selector = deployment.value().pointer("/spec/selector/matchLabels");
    labels.get(FAMILY).map(String::as_str) == Some(family)
        && read_selector(selector).get(VERSION).map(String::as_str) == Some(version)
}

/// From which Deployment a rollback on demand brought this one's version back, and the digest of
/// the template that this was.
pub fn returned(deployment: &Workload) -> Option<(&str, &str)> {
    deployment.annotation(RETURNED_TO)?.split_once('@')
}

/// Whether it still has the template that a rollback on demand brought back.
pub fn is_as_returned(deployment: &Workload) -> bool {
    let now = workload::template_digest(&unlabelled(deployment.template()));
    returned(deployment).is_none_or(|(_, digest)| digest == now)
}

/// Scales one to zero that failed: what never served is not worth keeping.
pub fn put_away(deployment: &Workload, job: &str) -> Value {
    let mut patch = scale_down(deployment);
    patch["metadata"]["annotations"][marks::ROLLED_BACK] = json!(job);
    patch
}

/// Scales to zero, and writes down how far up it was.
pub fn scale_down(deployment: &Workload) -> Value {
    json!({"metadata": {"resourceVersion": deployment.resource_version(),
            "annotations": {REPLICAS: deployment.replicas().to_string()}},
        "spec": {"replicas": 0}})
}

#[cfg(test)]
mod tests;
