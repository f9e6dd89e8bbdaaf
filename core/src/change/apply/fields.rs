//! Sets of fields as `managedFields` writes them: a tree whose keys are path elements (`f:spec`,
//! `k:{"name":"app"}`, `v:"x"`). An element is in the set itself where its node is empty or has the
//! key `.`; otherwise only what is below it is.
//! <https://github.com/kubernetes-sigs/structured-merge-diff/blob/master/fieldpath/serialize.go>

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The key that says of a node with children that it is in the set, too.
const SELF: &str = ".";

/// A set of fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields {
    /// Whether the element itself is in the set.
    is_member: bool,
    /// What is below it.
    children: BTreeMap<String, Fields>,
}

impl Fields {
    /// Reads the value of `fieldsV1`. What is not a tree counts as an empty set.
    pub(super) fn read(value: &Value) -> Fields {
        Fields {
            is_member: false,
            ..Fields::node(value)
        }
    }

    fn node(value: &Value) -> Fields {
        let empty = Map::new();
        let keys = value.as_object().unwrap_or(&empty);
        let children = keys.iter().filter(|(key, _)| *key != SELF);
        let children = children
            .map(|(key, below)| (key.clone(), Fields::node(below)))
            .collect::<BTreeMap<_, _>>();
        Fields {
            is_member: children.is_empty() || keys.contains_key(SELF),
            children,
        }
    }

    /// The value of `fieldsV1`.
    pub(super) fn write(&self) -> Value {
        let children = self.children.iter();
        let children = children.map(|(key, below)| (key.clone(), below.write()));
        let mut keys = children.collect::<Map<_, _>>();
        if self.is_member && !keys.is_empty() {
            keys.insert(SELF.to_owned(), json!({}));
        }
        Value::Object(keys)
    }

    /// All fields of both.
    pub(super) fn union(mut self, other: Fields) -> Fields {
        self.is_member |= other.is_member;
        for (key, below) in other.children {
            let own = self.children.remove(&key).unwrap_or_default();
            self.children.insert(key, own.union(below));
        }
        self
    }

    /// Only the fields of which `keep` says so, each told by its path.
    pub(super) fn filter(&self, keep: &impl Fn(&[&str]) -> bool) -> Fields {
        self.filtered(&mut Vec::new(), keep)
    }

    fn filtered<'a>(&'a self, path: &mut Vec<&'a str>, keep: &impl Fn(&[&str]) -> bool) -> Fields {
        let mut kept = Fields {
            is_member: self.is_member && keep(path),
            ..Fields::default()
        };
        for (key, below) in &self.children {
            path.push(key);
            let below = below.filtered(path, keep);
            path.pop();
            if !below.is_empty() {
                kept.children.insert(key.clone(), below);
            }
        }
        kept
    }

    /// The paths of all fields below which nothing is in the set.
    pub(super) fn leaves(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        self.collect_leaves(&mut Vec::new(), &mut all);
        all
    }

    fn collect_leaves(&self, path: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
        if self.children.is_empty() && self.is_member {
            all.push(path.clone());
        }
        for (key, below) in &self.children {
            path.push(key.clone());
            below.collect_leaves(path, all);
            path.pop();
        }
    }

    /// How many elements are directly below this one.
    pub(super) fn len(&self) -> usize {
        self.children.len()
    }

    /// The elements directly below this one.
    pub(super) fn children(&self) -> impl Iterator<Item = (&str, &Fields)> {
        let children = self.children.iter();
        children.map(|(element, below)| (element.as_str(), below))
    }

    /// What is below an element.
    pub(super) fn child(&self, element: &str) -> Option<&Fields> {
        self.children.get(element)
    }

    /// Whether the element is in the set as a whole.
    pub(super) fn is_leaf(&self) -> bool {
        self.is_member && self.children.is_empty()
    }

    /// Whether no field is in the set.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_member && self.children.values().all(Fields::is_empty)
    }

    /// Whether the field, or one below it, is in the set.
    pub(super) fn owns(&self, path: &[&str]) -> bool {
        self.at(path).is_some_and(|place| !place.is_empty())
    }

    /// Whether the field itself is in the set.
    pub(super) fn contains(&self, path: &[&str]) -> bool {
        self.at(path).is_some_and(|place| place.is_member)
    }

    fn at(&self, path: &[&str]) -> Option<&Fields> {
        let mut place = self;
        for element in path {
            place = place.children.get(*element)?;
        }
        Some(place)
    }

    /// Removes the fields of the set from an object, each with all that is below it, and a map or a
    /// list in which nothing is left.
    pub(super) fn remove_from(&self, object: &mut Value) {
        for (element, below) in &self.children {
            let Some(step) = Step::of(object, element) else {
                continue;
            };
            if let Some(value) = step.value(object) {
                below.remove_from(value);
                let is_empty = *value == json!({}) || *value == json!([]);
                if below.is_member || is_empty {
                    step.remove(object);
                }
            }
        }
    }
}

/// The field of an object at a path of elements.
pub(super) fn get<'v>(object: &'v Value, path: &[&str]) -> Option<&'v Value> {
    let mut place = object;
    for element in path {
        place = match Step::of(place, element)? {
            Step::Field(name) => place.get(name)?,
            Step::Item(index) => place.get(index)?,
        };
    }
    Some(place)
}

/// The place of an element in a list.
pub(super) fn get_item(list: &[Value], element: &str) -> Option<usize> {
    match Step::of_list(list, element)? {
        Step::Item(index) if index < list.len() => Some(index),
        Step::Item(_) | Step::Field(_) => None,
    }
}

/// Where an element leads to in an object or a list.
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl<'a> Step<'a> {
    fn of(place: &Value, element: &'a str) -> Option<Step<'a>> {
        Step::of_list(place.as_array().map_or(&[], Vec::as_slice), element)
    }

    fn of_list(list: &[Value], element: &'a str) -> Option<Step<'a>> {
        let (kind, text) = element.split_once(':')?;
        let read = |text: &str| serde_json::from_str::<Value>(text).ok();
        let find = |is_it: &dyn Fn(&Value) -> bool| list.iter().position(is_it);
        match kind {
            "f" => Some(Step::Field(text)),
            "i" => text.parse().ok().map(Step::Item),
            "v" => {
                let value = read(text)?;
                find(&|item| *item == value).map(Step::Item)
            }
            "k" => {
                let keys = read(text)?;
                find(&|item| has_keys(item, &keys)).map(Step::Item)
            }
            _ => None,
        }
    }

    fn value<'v>(&self, place: &'v mut Value) -> Option<&'v mut Value> {
        match self {
            Step::Field(name) => place.get_mut(name),
            Step::Item(index) => place.get_mut(index),
        }
    }

    fn remove(&self, place: &mut Value) {
        match (self, place) {
            (Step::Field(name), Value::Object(fields)) => {
                fields.remove(*name);
            }
            (Step::Item(index), Value::Array(items)) if *index < items.len() => {
                items.remove(*index);
            }
            (_, _) => {}
        }
    }
}

/// A key that an item leaves out is at its default there, such as the protocol of a port.
fn has_keys(item: &Value, keys: &Value) -> bool {
    let mut keys = keys.as_object().into_iter().flatten();
    keys.all(|(key, value)| item.get(key).is_none_or(|found| found == value))
}

#[cfg(test)]
mod tests;
