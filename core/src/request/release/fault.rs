//! The faults of many objects, each with its file, line and object.

use super::model::Place;
use crate::problem::Fault;
use serde_json::Value;

/// How many faults are told: a report has room for about this many.
const TOLD: usize = 50;

/// The longest name of an object in a fault.
const NAME_LIMIT: usize = 120;

/// The faults that were found: the first ones, and how many more there are.
#[derive(Default)]
pub(super) struct Faults {
    told: Vec<Fault>,
    more: usize,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        match self.told.len() < TOLD {
            true => self.told.push(fault),
            false => self.more += 1,
        }
    }

    pub(super) fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The faults; the last one counts those that are not told.
    pub(super) fn into_told(mut self) -> Vec<Fault> {
        if self.more > 0 {
            let problem = format!("have {} more faults like these", self.more);
            self.told.push(Fault::new("manifests", problem));
        }
        self.told
    }
}

/// What faults call an object: `k8s/web.yaml:12 Deployment/web`.
#[derive(Clone)]
pub(super) struct Subject(String);

impl Subject {
    pub(super) fn of(place: &Place, object: &Value) -> Subject {
        let text = |value: &Value| {
            let text = value.as_str().unwrap_or("?");
            text.chars().take(NAME_LIMIT).collect::<String>()
        };
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        Subject(format!("{place} {kind}/{name}"))
    }

    /// The beginning of the object's paths, which go on with `.metadata`.
    pub(super) fn root(&self) -> String {
        format!("{} ", self.0)
    }

    /// A fault of a field, whose path begins with a dot.
    pub(super) fn fault(&self, path: &str, problem: impl Into<String>) -> Fault {
        Fault::new(format!("{}{path}", self.root()), problem)
    }

    /// A fault of the whole object.
    pub(super) fn whole(&self, problem: impl Into<String>) -> Fault {
        Fault::new(&*self.0, problem)
    }
}
