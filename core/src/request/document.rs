//! Finds the workload to write in a manifest from an input artifact, and fills its placeholders
//! with variables.

mod filling;

pub(super) use filling::Filling;
pub use filling::{fill, is_name};

use super::appearance::{
    KUBECONFIG, known, kustomization, not_rendered, template, unfinished, unreadable,
};
use super::image::shown;
use super::place::place_of;
use super::unseen;
use crate::formats::yaml::{self, text};
use crate::text::list;
use crate::workload::Kind;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The chosen workload and the other objects of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The workload, unchanged.
    pub deployment: Value,
    /// The other objects, as `Kind/name`, which are not applied.
    pub skipped: Vec<String>,
}

/// Which workload of a file the request means.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meant<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The workload's name, if the request has it.
    pub name: Option<&'a str>,
    /// The namespace; a workload without one matches any.
    pub namespace: Option<&'a str>,
    /// The values for placeholders, which the name may contain, too.
    pub variables: Option<&'a BTreeMap<String, String>>,
}

impl Meant<'_> {
    fn is(&self, object: &Value) -> bool {
        let says = |field: &str| {
            let text = scalar(&object["metadata"][field])?;
            Some(match self.variables {
                Some(variables) => filled(&text, variables),
                None => text.into_owned(),
            })
        };
        let is_name = self
            .name
            .is_none_or(|name| says("name").as_deref() == Some(name));
        let namespace = says("namespace");
        let namespaces = namespace.as_deref().zip(self.namespace);
        is_name && (self.name.is_none() || namespaces.is_none_or(|(one, other)| one == other))
    }
}

/// A name as its author wrote it. One that needs quotes and has none is found by its type later.
fn scalar(name: &Value) -> Option<Cow<'_, str>> {
    match name {
        Value::String(text) => Some(text.into()),
        Value::Number(_) | Value::Bool(_) => Some(name.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Fills the placeholders of a text as far as possible.
fn filled(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut value = Value::String(text.to_owned());
    // Faults are found when the whole object is filled.
    fill(&mut value, variables);
    value.as_str().unwrap_or_default().to_owned()
}

/// Why a file has no workload to write.
#[derive(Clone, Debug, PartialEq)]
pub enum NotChosen {
    /// The file does not contain Kubernetes objects.
    Unreadable(String),
    /// The file does not contain the requested workload; file or request may be wrong.
    NotFound(String),
}

/// Finds the workload in a file: the one that the request names, or the only one.
pub fn choose(content: &[u8], meant: Meant<'_>) -> Result<Chosen, NotChosen> {
    let text = text::decode(content).map_err(NotChosen::Unreadable)?;
    let mut deployments = Vec::new();
    let mut skipped = Vec::new();
    let mut nameless = 0;
    let mut take = |object: Value| {
        if object["kind"] == meant.kind.word() {
            deployments.push(object);
        } else if object["kind"].is_string() {
            skipped.push(label(&object));
        } else {
            nameless += 1;
        }
    };
    // Only the first matching workload is kept whole; of others only the names. An item of a list
    // may have no kind of its own, and the kind of its list may come after it.
    let mut is_kept = [false; 2];
    let reduce = |object: Value| {
        let is_other = !object["kind"].is_null() && object["kind"] != meant.kind.word();
        let is_kept = &mut is_kept[usize::from(object["kind"].is_null())];
        if *is_kept || is_other || !meant.is(&object) {
            return named(&object);
        }
        *is_kept = true;
        object
    };
    if let Some(problem) = unfinished(&text) {
        return Err(NotChosen::Unreadable(problem));
    }
    let read = yaml::read_objects(
        &text,
        meant.kind.word(),
        reduce,
        |mut document| match items_of(&mut document) {
            Some(items) => items.into_iter().for_each(&mut take),
            None => take(document),
        },
    );
    if let Err(error) = read {
        return Err(NotChosen::Unreadable(unreadable(&text, &error)));
    }
    if nameless > 0 {
        let problem = template(&text, usize::MAX).or_else(|| known(&text));
        let problem = problem.or_else(|| unseen::identity(&text).map(nameless_and));
        return Err(NotChosen::Unreadable(problem.unwrap_or_else(|| {
            "has a document without a `kind`: each must be an object of Kubernetes. Templates (of \
             Helm, say) must be rendered before"
                .to_owned()
        })));
    }
    let found = one_of(deployments, skipped, meant, &text);
    let chosen = found.map_err(|problem| {
        let unseen = unseen::identity(&text);
        let unseen = unseen.map_or_else(String::new, |unseen| format!(". {unseen}"));
        NotChosen::NotFound(problem + &unseen)
    })?;
    match unseen::key(&chosen.deployment) {
        Some(odd) => {
            let line = unseen::line_of(&text, &odd.key, 1);
            let line = line.map_or_else(String::new, |line| format!(" (line {line})"));
            let field = odd.path.trim_start_matches('.');
            let problem = format!("has a field `{field}`{line} that {}", odd.problem);
            Err(NotChosen::Unreadable(problem))
        }
        None => Ok(chosen),
    }
}

fn nameless_and(unseen: String) -> String {
    format!("has a document without a `kind`. {unseen}")
}

/// Selects the requested workload of a file and lists the other objects.
fn one_of(
    deployments: Vec<Value>,
    mut skipped: Vec<String>,
    meant: Meant<'_>,
    text: &str,
) -> Result<Chosen, String> {
    let (mut chosen, others): (Vec<_>, Vec<_>) =
        deployments.into_iter().partition(|it| meant.is(it));
    let others = others.iter().map(label).collect::<Vec<_>>();
    let kind = meant.kind.word();
    match (chosen.pop(), chosen.is_empty()) {
        (Some(deployment), true) => {
            skipped.extend(others);
            Ok(Chosen {
                deployment,
                skipped,
            })
        }
        (Some(last), false) => {
            let all = chosen.iter().chain([&last]).map(label).collect::<Vec<_>>();
            Err(match meant.name {
                Some(name) => format!("has {} {kind}s of the name `{name}`", all.len()),
                None => format!(
                    "has several {kind}s, {}. One deploy is for one: name it by `deployment`",
                    list(&all)
                ),
            })
        }
        (None, _) => Err(match (meant.name, others.is_empty()) {
            (Some(_), false) if others.iter().any(|other| other.contains("{{")) => {
                template(text, usize::MAX).unwrap_or_else(|| not_rendered(&list(&others)))
            }
            (Some(name), false) => {
                format!("has no {kind} `{name}`; it has {}", list(&others))
            }
            _ if skipped.iter().any(|it| it.starts_with("Kustomization/")) => kustomization(),
            _ if skipped.iter().any(|it| it == "Config/?") => KUBECONFIG.to_owned(),
            _ if skipped.is_empty() => format!("is empty: it has no {kind}"),
            _ if skipped.iter().any(|it| it == "List/?") => {
                "has a list within a list: put its objects into one list, or write each as a \
                 document of its own"
                    .to_owned()
            }
            _ => {
                let own = format!("{}/", kind.to_lowercase());
                let is_spelt = |label: &String| label.to_lowercase().starts_with(&own);
                let spelt = match skipped.iter().any(is_spelt) {
                    true => format!(": its kind is written `{kind}`"),
                    false => String::new(),
                };
                format!("has no {kind}; it has {}{spelt}", list(&skipped))
            }
        }),
    }
}

/// Takes the items out of a list, as `kubectl` does: of `List`, and of each kind that ends so. An
/// item without a kind and a version has those of its list, as in the API server's answers.
/// <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/helpers.go>
pub(super) fn items_of(list: &mut Value) -> Option<Vec<Value>> {
    let kind = list["kind"].as_str()?.strip_suffix("List")?.to_owned();
    let version = list["apiVersion"].clone();
    let mut items = match list.get_mut("items") {
        None if kind.is_empty() => Vec::new(),
        Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => std::mem::take(items),
        _ => return None,
    };
    for item in items.iter_mut().filter(|_| !kind.is_empty()) {
        inherit(item, &kind, &version);
    }
    Some(items)
}

/// Gives an item the kind and the version of its list where it has none.
pub(super) fn inherit(item: &mut Value, kind: &str, version: &Value) {
    if item.is_object() && item["kind"].is_null() {
        item["kind"] = kind.into();
        if item["apiVersion"].is_null() {
            item["apiVersion"] = version.clone();
        }
    }
}

/// Keeps only what identifies an object.
pub(super) fn named(object: &Value) -> Value {
    let mut named = json!({"kind": object["kind"], "metadata": {}});
    for field in ["name", "namespace"] {
        if let Some(text) = object["metadata"].get(field) {
            named["metadata"][field] = text.clone();
        }
    }
    named
}

/// The object as `Kind/name`.
pub(super) fn label(object: &Value) -> String {
    let text = |value: &Value| shown(&scalar(value).unwrap_or("?".into()));
    format!(
        "{}/{}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

/// The containers in a manifest, each with its list and index.
pub fn containers(manifest: &Value) -> impl Iterator<Item = (String, &Value)> {
    let spec = manifest.pointer("/spec/template/spec");
    let lists = ["containers", "initContainers"].into_iter();
    lists.flat_map(move |list| {
        let items = spec.and_then(|spec| spec.get(list)?.as_array());
        let items = items.into_iter().flatten().enumerate();
        items.map(move |(index, item)| (format!("{list}[{}]", place_of(item, index)), item))
    })
}

#[cfg(test)]
mod tests;
