//! A step of a path: a field, an item by its keys, or an item of a set.

use crate::world::api::fields::types::{Atom, By, Type, atom};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Field(String),
    Keys(BTreeMap<String, Leaf>),
    Item(Leaf),
}

/// A primitive value. Numbers come before texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf(pub(crate) Value);

impl Ord for Leaf {
    fn cmp(&self, other: &Leaf) -> Ordering {
        let rank = |value: &Value| match value {
            Value::Number(number) => (0, number.as_i64().unwrap_or_default()),
            Value::String(_) => (1, 0),
            Value::Bool(flag) => (2, i64::from(*flag)),
            Value::Null | Value::Array(_) | Value::Object(_) => (3, 0),
        };
        let text = |value: &Value| value.to_string();
        let (left, right) = (&self.0, &other.0);
        let ranks = rank(left).cmp(&rank(right));
        ranks.then_with(|| text(left).cmp(&text(right)))
    }
}

impl PartialOrd for Leaf {
    fn partial_cmp(&self, other: &Leaf) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Field(name) => write!(formatter, ".{name}"),
            Step::Keys(keys) => {
                let keys = keys.iter().map(|(name, leaf)| format!("{name}={}", leaf.0));
                write!(formatter, "[{}]", keys.collect::<Vec<_>>().join(","))
            }
            Step::Item(leaf) => write!(formatter, "[={}]", leaf.0),
        }
    }
}

impl Step {
    /// The name in `fieldsV1`.
    pub(crate) fn encoded(&self) -> String {
        match self {
            Step::Field(name) => format!("f:{name}"),
            Step::Keys(keys) => {
                let keys = keys
                    .iter()
                    .map(|(name, leaf)| (name.clone(), leaf.0.clone()));
                format!("k:{}", Value::Object(keys.collect::<Map<_, _>>()))
            }
            Step::Item(leaf) => format!("v:{}", leaf.0),
        }
    }

    pub(crate) fn decoded(text: &str) -> Option<Step> {
        let (sort, rest) = text.split_once(':')?;
        let value = || serde_json::from_str::<Value>(rest).ok();
        match sort {
            "f" => Some(Step::Field(rest.to_owned())),
            "k" => {
                let Value::Object(keys) = value()? else {
                    return None;
                };
                let keys = keys.into_iter().map(|(name, value)| (name, Leaf(value)));
                Some(Step::Keys(keys.collect()))
            }
            "v" => Some(Step::Item(Leaf(value()?))),
            _ => None,
        }
    }

    /// The step to an item of a list that is merged; why there is none.
    pub(crate) fn to_item(of: &Type, by: &By, item: &Value) -> Result<Step, String> {
        let keys = match by {
            By::Whole => return Err("invalid indexing of non-associative list".to_owned()),
            By::Item => return to_member(item),
            By::Keys(keys) => keys,
        };
        let what = "associative list with keys";
        let fields = match item {
            Value::Null => return Err(format!("{what} may not have a null element")),
            Value::Object(fields) => fields,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(format!("{what} may not have non-map elements"));
            }
        };
        let mut found = BTreeMap::new();
        for name in keys {
            let default = || match atom(of, None) {
                Atom::Map(fields) => fields.named(name)?.default.clone(),
                Atom::Scalar(_) | Atom::List(..) => None,
            };
            if let Some(value) = fields.get(name).cloned().or_else(default) {
                found.insert(name.clone(), Leaf(value));
            }
        }
        if found.is_empty() {
            let quoted: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
            return Err(format!(
                "{what} has an element that omits all key fields [{}] (and doesn't have default \
                 values for any key fields)",
                quoted.join(" ")
            ));
        }
        Ok(Step::Keys(found))
    }
}

fn to_member(item: &Value) -> Result<Step, String> {
    let what = "associative list without keys has an element that's";
    match item {
        Value::Object(_) => Err(format!("{what} a map type")),
        Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
        Value::Null => Err(format!("{what} an explicit null")),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(Step::Item(Leaf(item.clone()))),
    }
}
