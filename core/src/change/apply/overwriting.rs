//! Who has changed an object since it was applied. The server takes a field away from us when
//! somebody else sets it to another value, so what we applied and do not own any more is theirs.

use super::fields::get;
use super::ownership::Owner;
use super::refusal::FieldConflict;
use super::takeover::{INVENTED, entries, has_no_subresource, is_ours, manager, owned};
use crate::kubernetes::group;
use crate::state::marks::{PART_OF, RELEASE};
use serde_json::Value;

/// Who has changed an object after it was applied, or what of it.
#[derive(Clone, Debug, PartialEq)]
pub enum OtherWriter {
    /// This manager has set this field.
    Manager(FieldConflict),
    /// The object belongs to this release now.
    Release(String),
    /// Somebody has removed this field.
    Removed(String),
}

/// Groups in which controllers complete what was applied: they put certificates into webhooks,
/// APIServices and definitions, and some change when a webhook fails.
const COMPLETED: [&str; 3] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
];

/// How the names of controllers end that complete objects, too. A person or a deploy tool is none
/// of them.
const CONTROLLERS: [&str; 2] = ["controller-manager", "operator"];

/// The maps of which it is noticed that somebody removed a key: the server fills in nothing there,
/// and leaves nothing out.
const PLAIN_MAPS: [&[&str]; 3] = [&["data"], &["binaryData"], &["metadata", "labels"]];

/// Who has changed an object of this group since `applied` was applied to it. Two things do not
/// count: what a subresource writes (a status, a replica count), and the work of controllers, which
/// change custom resources and complete webhooks.
pub fn overwritten(
    group: &str,
    applied: impl FnOnce() -> Value,
    live: &Value,
    owner: &Owner,
) -> Option<OtherWriter> {
    if let Some(other) = other_release(live, owner) {
        return Some(OtherWriter::Release(other));
    }
    if !group::is_builtin(group) || COMPLETED.contains(&group) {
        return None;
    }
    let applied = applied();
    taken(&applied, live)
        .map(OtherWriter::Manager)
        .or_else(|| removed(&applied, live).map(OtherWriter::Removed))
}

/// Whether another manager has changed anything of an object but its metadata and its status after
/// our last apply, by the server's clock: who.
pub fn changed_after_us(live: &Value) -> Option<String> {
    let time = |entry: &Value| entry["time"].as_str().unwrap_or_default().to_owned();
    let ours = entries(live)
        .iter()
        .find(|entry| is_ours(entry))
        .map(time)?;
    let others = entries(live).iter().filter(|entry| is_of_other(entry));
    let mut later = others.filter(|entry| time(entry) > ours);
    let content = |path: &[&str]| !matches!(path.first(), Some(&"f:metadata" | &"f:status"));
    let found = later.find(|entry| !owned(entry).filter(&content).is_empty());
    found.map(|entry| manager(entry).to_owned())
}

/// The release whose object it is now.
fn other_release(live: &Value, owner: &Owner) -> Option<String> {
    let metadata = &live["metadata"];
    let set = metadata["labels"][PART_OF].as_str()?;
    let name = metadata["annotations"][RELEASE].as_str().unwrap_or(set);
    (set != owner.id).then(|| name.to_owned())
}

/// A field of what was applied that another manager has taken.
fn taken(applied: &Value, live: &Value) -> Option<FieldConflict> {
    let ours = entries(live).iter().find(|entry| is_ours(entry));
    let ours = ours.map(owned).unwrap_or_default();
    let others = entries(live).iter().filter(|entry| is_of_other(entry));
    let mut taken = others.flat_map(|entry| {
        let fields = owned(entry).leaves();
        let fields = fields.into_iter().map(|path| (manager(entry), path));
        fields.collect::<Vec<_>>()
    });
    let found = taken.find(|(_, path)| {
        let path = path.iter().map(String::as_str).collect::<Vec<_>>();
        is_applied(applied, &path) && !ours.owns(&path)
    });
    let (manager, path) = found?;
    Some(FieldConflict {
        field: told(&path),
        manager: manager.to_owned(),
    })
}

fn is_applied(applied: &Value, path: &[&str]) -> bool {
    get(applied, path).is_some_and(|value| !value.is_null())
}

fn is_of_other(entry: &Value) -> bool {
    let manager = manager(entry);
    let completes = CONTROLLERS.iter().any(|end| manager.ends_with(end));
    !is_ours(entry) && has_no_subresource(entry) && manager != INVENTED && !completes
}

fn removed(applied: &Value, live: &Value) -> Option<String> {
    PLAIN_MAPS.iter().find_map(|map| {
        let pointer = format!("/{}", map.join("/"));
        let wanted = applied.pointer(&pointer)?.as_object()?;
        let found = live.pointer(&pointer);
        let gone = wanted.iter().find(|(key, value)| {
            !value.is_null() && found.is_none_or(|found| found.get(key.as_str()).is_none())
        });
        gone.map(|(key, _)| format!("{}.{key}", map.join(".")))
    })
}

/// A path of elements as people write it: `spec.template.spec.containers[name="app"].image`.
fn told(path: &[String]) -> String {
    let mut text = String::new();
    for element in path {
        let (kind, rest) = element.split_once(':').unwrap_or(("f", element));
        let keys = serde_json::from_str::<Value>(rest).ok();
        let keys = keys.as_ref().and_then(Value::as_object);
        match (kind, keys) {
            ("k", Some(keys)) => {
                let keys = keys.iter().map(|(key, value)| format!("{key}={value}"));
                text += &format!("[{}]", keys.collect::<Vec<_>>().join(","));
            }
            ("f", _) if text.is_empty() => text += rest,
            ("f", _) => text += &format!(".{rest}"),
            _ => text += &format!("[{rest}]"),
        }
    }
    text
}

#[cfg(test)]
mod tests;
