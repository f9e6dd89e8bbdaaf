//! Reads the objects of all files: each is filled, checked and kept as its text.

use super::annotations::{self, OWN};
use super::fault::{Faults, Subject};
use super::identity::{self, Identity};
use super::images::Found;
use super::model::{Manifest, Place};
use super::{clean, pods};
use crate::formats::yaml::{self, text};
use crate::problem::Fault;
use crate::request::appearance::{
    KUSTOMIZE, KUSTOMIZE_GROUP, configuration, known, template, unfinished, unreadable,
};
use crate::request::document::{Filling, inherit, items_of, label, named};
use crate::request::field_types::wrong_types;
use crate::request::files::NamedFile;
use crate::request::pods::{nameless, values};
use crate::request::unseen::{self, Odd, ZERO, line_of, zeros};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The most objects of a release: the largest charts and operators have some hundreds.
pub const OBJECTS_LIMIT: usize = 2000;

/// The most text of a release: what its files have, and what its objects have as JSON. It takes a
/// second to read, and fits into the function's memory beside what the cluster answers.
pub const TEXT_LIMIT: usize = 8 * 1024 * 1024;

/// The most placeholders of variables in a release: ten an object.
const PLACES_LIMIT: usize = 10 * OBJECTS_LIMIT;

/// The most text that variables fill in.
const FILLED_LIMIT: usize = 4 * 1024 * 1024;

/// The names of Secrets in which releases are recorded begin so.
const RECORDS: &str = "landfall.";

/// Group, kind, namespace and name.
type Key = (String, String, String, String);

/// The objects that were read, and what is wrong with them.
pub(super) struct Objects<'a> {
    /// The objects to apply.
    pub(super) manifests: Vec<Manifest>,
    /// The hooks of Helm charts.
    pub(super) hooks: Vec<String>,
    /// The images of the objects.
    pub(super) images: Vec<Found>,
    /// The values that no text may show, before names are taken out.
    pub(super) secrets: BTreeSet<String>,
    pub(super) faults: Faults,
    filling: Option<Filling<'a>>,
    /// The namespace of objects without one.
    namespace: &'a str,
    seen: BTreeMap<Key, Place>,
    /// How many objects were read, hooks included.
    count: usize,
    /// How much text they have.
    size: usize,
    /// Objects of the current file with a field whose name has a character that does not show.
    odd: Vec<(Place, Value, Odd)>,
    /// The current file has an object without a kind.
    is_nameless: bool,
}

impl<'a> Objects<'a> {
    pub(super) fn new(
        namespace: &'a str,
        variables: Option<&'a BTreeMap<String, String>>,
    ) -> Objects<'a> {
        let filling = variables.map(|all| Filling::new(all, PLACES_LIMIT, FILLED_LIMIT));
        Objects {
            manifests: Vec::new(),
            hooks: Vec::new(),
            images: Vec::new(),
            secrets: BTreeSet::new(),
            faults: Faults::default(),
            filling,
            namespace,
            seen: BTreeMap::new(),
            count: 0,
            size: 0,
            odd: Vec::new(),
            is_nameless: false,
        }
    }

    /// Reads a file. Its text is not kept.
    pub(super) fn file(&mut self, file: &NamedFile) {
        let path = &file.path;
        let text = match text::decode(&file.file.content) {
            Ok(text) => text,
            Err(problem) => return self.faults.push(Fault::new(path, problem)),
        };
        if let Some(problem) = unfinished(&text) {
            return self.faults.push(Fault::new(path, problem));
        }
        self.is_nameless = false;
        let mut packed = 0;
        let pack = |item: Value, line| pack(&item, line, &mut packed);
        let read = yaml::read_placed(&text, pack, |document, line| {
            let file = path.clone();
            self.document(document, &Place { file, line })
        });
        for (mut place, object, odd) in std::mem::take(&mut self.odd) {
            place.line = line_of(&text, &odd.key, place.line).unwrap_or(place.line);
            let subject = Subject::of(&place, &object);
            self.faults.push(subject.fault(&odd.path, odd.problem));
        }
        if let Err(error) = read {
            let problem = unreadable(&text, &error);
            self.faults
                .push(Fault::new(format!("{path}:{}", error.line), problem));
        } else if self.is_nameless {
            let problem = template(&text, usize::MAX).or_else(|| known(&text));
            let problem = problem.unwrap_or_else(|| {
                "has a document without a `kind`: each must be an object of Kubernetes. Render \
                 templates before, and leave files that are no manifests out of `manifests`"
                    .to_owned()
            });
            self.faults.push(Fault::new(path, problem));
        }
    }

    /// Takes the variables that no object has a place for as faults.
    pub(super) fn finish(&mut self) {
        let unused = self
            .filling
            .iter()
            .flat_map(|it| it.unused("the manifests"));
        self.faults.extend(unused);
    }

    /// Takes a document, or the items of a list at any depth.
    fn document(&mut self, mut document: Value, place: &Place) -> Result<(), String> {
        let Some(items) = items_of(&mut document) else {
            let items = document.get_mut("items").and_then(Value::as_array_mut);
            items.into_iter().flatten().for_each(|item| {
                if let Some((_, object)) = unpacked(item) {
                    *item = object;
                }
            });
            return self.object(document, place);
        };
        let kind = document["kind"].as_str().unwrap_or_default();
        let kind = kind.strip_suffix("List").unwrap_or_default().to_owned();
        for item in items {
            match unpacked(&item) {
                Some((line, mut object)) => {
                    if !kind.is_empty() {
                        inherit(&mut object, &kind, &document["apiVersion"]);
                    }
                    let file = place.file.clone();
                    self.document(object, &Place { file, line })?;
                }
                None => self.document(item, place)?,
            }
        }
        Ok(())
    }

    fn object(&mut self, mut object: Value, place: &Place) -> Result<(), String> {
        if !object["kind"].is_string() && object["apiVersion"].is_null() {
            self.is_nameless = true;
            return Ok(());
        }
        self.count += 1;
        if self.count > OBJECTS_LIMIT {
            return Err(format!(
                "has an object too many: a release has up to {OBJECTS_LIMIT}"
            ));
        }
        if let Some(filling) = &mut self.filling {
            let root = Subject::of(place, &object).root();
            let faults = filling.object(&mut object, &root);
            self.faults.extend(faults);
        }
        if let Some(hook) = annotations::hook(&object) {
            self.hooks.push(format!("{} ({hook})", label(&object)));
            return Ok(());
        }
        if let Some(odd) = unseen::key(&object) {
            self.odd.push((place.clone(), named(&object), odd));
            return Ok(());
        }
        let subject = Subject::of(place, &object);
        if let Some(problem) = configuration(&object) {
            self.faults.push(subject.whole(problem));
            return Ok(());
        }
        if let Some(identity) = identity::read(&object, &subject, &mut self.faults) {
            self.checked(object, identity, &subject, place)?;
        }
        Ok(())
    }

    /// Keeps an object whose identity is valid.
    fn checked(
        &mut self,
        mut object: Value,
        identity: Identity,
        subject: &Subject,
        place: &Place,
    ) -> Result<(), String> {
        if identity.group() == KUSTOMIZE_GROUP {
            self.faults
                .push(subject.whole(format!("is of kustomize: {KUSTOMIZE}")));
            return Ok(());
        }
        self.unique(&identity, subject, place);
        let how = annotations::read(&object, &identity, subject, &mut self.faults);
        clean::strip(&mut object, &identity, &OWN);
        if identity.is("", "Secret") {
            let secrets = clean::secret(&mut object, subject, &mut self.faults);
            self.secrets.extend(secrets);
            if identity.name.starts_with(RECORDS) {
                let problem = format!("is reserved: records of releases begin with `{RECORDS}`");
                self.faults.push(subject.fault(".metadata.name", problem));
            }
        }
        self.fields(&object, &identity, subject, how.follow);
        self.pods(&object, &identity, subject);
        let text = object.to_string();
        self.size += text.len();
        if self.size > TEXT_LIMIT {
            return Err(too_long());
        }
        self.manifests.push(Manifest {
            api_version: identity.api_version,
            kind: identity.kind,
            name: identity.name,
            namespace: identity.namespace,
            place: place.clone(),
            wave: how.wave,
            prune: how.prune,
            follow: how.follow,
            recreate: how.recreate,
            text: text.into(),
        });
        Ok(())
    }

    /// Checks that no object of the same identity came before.
    fn unique(&mut self, identity: &Identity, subject: &Subject, place: &Place) {
        let namespace = identity.namespace.as_deref().unwrap_or(self.namespace);
        let key = (
            identity.group().to_owned(),
            identity.kind.clone(),
            namespace.to_owned(),
            identity.name.clone(),
        );
        if let Some(before) = self.seen.insert(key, place.clone()) {
            let problem = format!("is there twice: also at {before}");
            self.faults.push(subject.whole(problem));
        }
    }

    /// Checks the types of well-known fields, and what no rollout could finish with.
    fn fields(&mut self, object: &Value, identity: &Identity, subject: &Subject, follow: bool) {
        let root = subject.root();
        match pods::templated(identity, object) {
            Some((path, part)) => {
                self.faults
                    .extend(wrong_types(part, &format!("{root}{path}")));
            }
            None => {
                let metadata = json!({"metadata": object["metadata"]});
                self.faults.extend(wrong_types(&metadata, &root));
            }
        }
        let is_paused = identity.is("apps", "Deployment") && object["spec"]["paused"] == true;
        if is_paused && follow {
            let problem = format!(
                "must not be true: a paused Deployment rolls nothing out. Leave it out, or give \
                 the object {}: \"no\"",
                annotations::FOLLOW
            );
            self.faults.push(subject.fault(".spec.paused", problem));
        }
    }

    /// Takes what is to know of the pods of an object.
    fn pods(&mut self, object: &Value, identity: &Identity, subject: &Subject) {
        let Some(pod) = pods::pod(identity, object) else {
            return;
        };
        for path in nameless(pod, object) {
            self.faults.push(subject.fault(&path, "is missing"));
        }
        if let Some(part) = object.pointer(pod) {
            for path in zeros(part, &pod.replace('/', ".")) {
                self.faults.push(subject.fault(&path, ZERO));
            }
        }
        let values = values(pod, object).into_iter();
        self.secrets.extend(values.map(str::to_owned));
        let found = pods::images(pod, object).into_iter().map(|image| Found {
            manifest: self.manifests.len(),
            label: label(object),
            image,
        });
        self.images.extend(found);
    }
}

pub(super) fn too_long() -> String {
    format!(
        "has more text than a release may have: {} MiB, with what variables, aliases and base64 \
         add",
        TEXT_LIMIT >> 20
    )
}

/// Packs an item of a list: its line and its text, in a string.
fn pack(item: &Value, line: usize, packed: &mut usize) -> Result<Value, String> {
    let text = format!("{line} {item}");
    *packed += text.len();
    match *packed <= TEXT_LIMIT {
        true => Ok(Value::String(text)),
        false => Err(too_long()),
    }
}

/// An item that was packed, with its line.
fn unpacked(item: &Value) -> Option<(usize, Value)> {
    let (line, text) = item.as_str()?.split_once(' ')?;
    let line = line.parse().ok()?;
    let object = serde_json::from_str::<Value>(text).ok()?;
    object.is_object().then_some((line, object))
}

#[cfg(test)]
mod tests;
