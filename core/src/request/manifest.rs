//! The field `manifest`: where it comes from, its placeholders, and its required content.

use super::checks::{kind, unresolved};
use super::field_types::wrong_types;
use super::fields::Check;
use super::image;
use super::pods::{POD, nameless};
use super::unseen::{self, ZERO};
use crate::problem::Fault;
use crate::request::document::{self, Chosen, NotChosen, containers};
use crate::text::placeholder;
use crate::workload::Kind;
use serde_json::Value;
use std::collections::BTreeMap;

impl Check<'_> {
    /// Checks the images of the manifest that `images` does not replace.
    pub(super) fn manifest_images(
        &mut self,
        manifest: Option<&Value>,
        images: &BTreeMap<String, String>,
        all: bool,
    ) {
        let replaced = |container: &Value| {
            let name = container["name"].as_str().unwrap_or_default();
            all || images.contains_key(name)
        };
        let filled = self.fields.contains_key("variables");
        for (place, container) in manifest.into_iter().flat_map(containers) {
            let image = container["image"].as_str().filter(|_| !replaced(container));
            // An unfilled placeholder is already a fault.
            let image = image.filter(|image| !(filled && image.contains(placeholder::VARIABLE)));
            // For a missing image the API server has its own message.
            if let Some(image) = image.filter(|image| !image.is_empty()) {
                self.image(&format!("manifest.spec.template.spec.{place}.image"), image);
            }
        }
    }

    pub(super) fn manifest(&mut self) -> Option<Chosen> {
        let variables = self.variables();
        let mut chosen = match self.fields.get("manifest")? {
            manifest @ Value::Object(_) => {
                // Of a file they are told with their lines.
                let odd = unseen::key(manifest);
                let odd = odd.map(|odd| Fault::new(format!("manifest{}", odd.path), odd.problem));
                self.faults.extend(odd);
                Chosen {
                    deployment: manifest.clone(),
                    skipped: Vec::new(),
                }
            }
            Value::String(path) => {
                let path = path.clone();
                self.manifest_file(&path, variables.as_ref())?
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                let problem = format!(
                    "must be a {} as a JSON object, or the path of a file in an artifact, and \
                     is {}",
                    self.kind.word(),
                    kind(other)
                );
                self.fault("manifest", problem);
                return None;
            }
        };
        if let Some(variables) = variables {
            let faults = document::fill(&mut chosen.deployment, &variables);
            self.faults.extend(faults);
        }
        self.check_manifest(&chosen.deployment);
        Some(chosen)
    }

    fn manifest_file(
        &mut self,
        path: &str,
        variables: Option<&BTreeMap<String, String>>,
    ) -> Option<Chosen> {
        let member = self.member("manifest", path, "k8s/deployment.yaml")?;
        let Some(files) = self.files else {
            self.wanted.manifest = Some(member);
            return None;
        };
        let Some(file) = &files.manifest else {
            self.fault("manifest", format!("names {member}, and no file was read"));
            return None;
        };
        let said = |field: &str| self.fields.get(field).and_then(Value::as_str);
        let meant = document::Meant {
            kind: self.kind,
            name: self.named.as_ref().map(|(_, name)| &**name),
            namespace: said("namespace"),
            variables,
        };
        match document::choose(&file.content, meant) {
            Ok(chosen) => Some(chosen),
            Err(why) => {
                let problem = match why {
                    NotChosen::Unreadable(problem) => format!("of {member} {problem}"),
                    NotChosen::NotFound(problem) => format!("names {member}, which {problem}"),
                };
                self.fault("manifest", problem);
                None
            }
        }
    }

    /// The values of `variables`; `None` if nothing is to be filled.
    pub(super) fn variables(&mut self) -> Option<BTreeMap<String, String>> {
        self.fields.get("variables")?;
        let mut places = ["manifest", "before", "manifests"].into_iter();
        if !places.any(|field| self.is_there(field)) {
            let problem = "fill places in a manifest, and there is no `manifest`";
            self.fault("variables", problem);
        }
        let mut variables = BTreeMap::new();
        for (name, value) in self.object("variables", r#"{"COMMIT": "value"}"#) {
            let field = format!("variables.{name}");
            if !document::is_name(&name) {
                let problem =
                    "is not a valid variable name: letters, digits and `_`, no digit first";
                self.fault(&field, problem);
            }
            let Value::String(value) = value else {
                self.must_be(field, "a string", &value);
                continue;
            };
            match value.contains(placeholder::PIPELINE) {
                true => self.fault(&field, unresolved(&value)),
                false => _ = variables.insert(name, value),
            }
        }
        Some(variables)
    }

    fn check_manifest(&mut self, manifest: &Value) {
        let resource = self.kind.row().resource;
        let given = manifest["kind"].as_str().unwrap_or_default();
        if given.ends_with("List") {
            let problem = format!(
                "must be `{}`, and is `{}`: write the object alone, without the list around it",
                resource.kind,
                image::shown(given)
            );
            self.fault("manifest.kind", problem);
            return;
        }
        for (field, expected) in [
            ("apiVersion", &*resource.api_version),
            ("kind", &*resource.kind),
        ] {
            if let Some(found) = manifest.get(field)
                && found != expected
            {
                let problem = format!("must be `{expected}`, and is {found}");
                self.fault(format!("manifest.{field}"), problem);
            }
        }
        if !manifest["spec"]["template"].is_object() {
            self.fault("manifest.spec.template", "is missing: the pods to run");
        }
        self.faults.extend(wrong_types(manifest, "manifest"));
        if let Some(pod) = manifest.pointer(POD) {
            for path in unseen::zeros(pod, "manifest.spec.template.spec") {
                self.fault(path, ZERO);
            }
        }
        for path in nameless(POD, manifest) {
            self.fault(format!("manifest{path}"), "is missing");
        }
        let metadata = &manifest["metadata"];
        if metadata["name"].is_null() && metadata["generateName"].is_string() {
            let problem = "makes another object each time, and a deploy changes one: give it a \
                           `name`";
            self.fault("manifest.metadata.generateName", problem);
        }
        let replicas = &manifest["spec"]["replicas"];
        let is_count = |count: i64| i32::try_from(count).is_ok();
        if !replicas.is_null() && !replicas.as_i64().is_some_and(is_count) {
            // In a strategic merge patch the API server lets a larger number overflow.
            let problem = format!("must be a whole number of 32 bits, and is {replicas}");
            self.fault("manifest.spec.replicas", problem);
        }
        let is_paused = manifest.pointer("/spec/paused") == Some(&Value::Bool(true));
        if is_paused && self.kind == Kind::Deployment {
            let problem = "must not be true: a paused Deployment rolls nothing out";
            self.fault("manifest.spec.paused", problem);
        }
    }
}
