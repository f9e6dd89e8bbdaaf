//! A set of paths, as `fieldsV1` writes it.

use crate::world::api::fields::step::Step;
use crate::world::api::fields::types::{Atom, Type, atom};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A set of paths: a tree of their steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    /// Whether the path that leads here is in the set.
    here: bool,
    below: BTreeMap<Step, Set>,
}

impl Set {
    pub(crate) fn is_empty(&self) -> bool {
        !self.here && self.below.is_empty()
    }

    /// Adds a path. The object itself is in no set.
    pub(crate) fn insert(&mut self, path: &[Step]) {
        match path {
            [] => {}
            [step] => self.below.entry(step.clone()).or_default().here = true,
            [step, rest @ ..] => self.below.entry(step.clone()).or_default().insert(rest),
        }
    }

    /// Adds a path of fields.
    pub(crate) fn with(mut self, path: &[&str]) -> Set {
        let path: Vec<Step> = path
            .iter()
            .map(|name| Step::Field((*name).to_owned()))
            .collect();
        self.insert(&path);
        self
    }

    /// Whether the path of this step is in the set.
    pub(crate) fn has(&self, step: &Step) -> bool {
        self.below.get(step).is_some_and(|set| set.here)
    }

    /// The paths that begin with this step.
    pub(crate) fn after(&self, step: &Step) -> Option<&Set> {
        self.below.get(step).filter(|set| !set.below.is_empty())
    }

    pub(crate) fn union(&self, other: &Set) -> Set {
        let mut all = self.clone();
        all.extend(other);
        all
    }

    pub(crate) fn extend(&mut self, other: &Set) {
        self.here |= other.here;
        for (step, set) in &other.below {
            match self.below.get_mut(step) {
                Some(own) => own.extend(set),
                None => {
                    self.below.insert(step.clone(), set.clone());
                }
            }
        }
    }

    pub(crate) fn intersection(&self, other: &Set) -> Set {
        let both = self.below.iter().filter_map(|(step, set)| {
            let both = set.intersection(other.below.get(step)?);
            (!both.is_empty()).then(|| (step.clone(), both))
        });
        Set {
            here: self.here && other.here,
            below: both.collect(),
        }
    }

    /// The paths that are not in the other set. What lies below a path of the other set stays.
    pub(crate) fn difference(&self, other: &Set) -> Set {
        let left = self.below.iter().filter_map(|(step, set)| {
            let left = match other.below.get(step) {
                Some(other) => set.difference(other),
                None => set.clone(),
            };
            (!left.is_empty()).then(|| (step.clone(), left))
        });
        Set {
            here: self.here && !other.here,
            below: left.collect(),
        }
    }

    /// The paths that neither are in the other set nor lie below one of its paths.
    pub(crate) fn without(&self, other: &Set) -> Set {
        let left = self.below.iter().filter_map(|(step, set)| {
            let left = match other.below.get(step) {
                Some(other) if other.here => return None,
                Some(other) => set.without(other),
                None => set.clone(),
            };
            (!left.is_empty()).then(|| (step.clone(), left))
        });
        Set {
            here: self.here,
            below: left.collect(),
        }
    }

    /// Adds the fields that the type names and that lead to a path of the set.
    pub(crate) fn with_named(&self, of: Option<&Type>) -> Set {
        let kind = of.map(|of| atom(of, None));
        let below = self.below.iter().map(|(step, set)| {
            let (of, named) = match (&kind, step) {
                (Some(Atom::Map(fields)), Step::Field(name)) => {
                    (fields.of(name), fields.named(name).is_some())
                }
                (Some(Atom::List(of, _)), Step::Keys(_) | Step::Item(_)) => (Some(*of), false),
                _ => (None, false),
            };
            let mut inner = set.with_named(of);
            inner.here |= named;
            (step.clone(), inner)
        });
        Set {
            here: self.here,
            below: below.collect(),
        }
    }

    /// Every path: those of a level before those below it.
    pub(crate) fn paths(&self) -> Vec<Vec<Step>> {
        let mut all = Vec::new();
        self.gather(&mut Vec::new(), &mut all);
        all
    }

    fn gather(&self, path: &mut Vec<Step>, all: &mut Vec<Vec<Step>>) {
        for (step, _) in self.below.iter().filter(|(_, set)| set.here) {
            all.push(path.iter().chain([step]).cloned().collect());
        }
        for (step, set) in &self.below {
            path.push(step.clone());
            set.gather(path, all);
            path.pop();
        }
    }

    /// The `fieldsV1` of this set.
    pub(crate) fn encoded(&self) -> Value {
        let mut map = Map::new();
        for (step, set) in &self.below {
            let mut inner = set.encoded();
            if let (Some(fields), true, false) =
                (inner.as_object_mut(), set.here, set.below.is_empty())
            {
                fields.insert(".".to_owned(), Value::Object(Map::new()));
            }
            map.insert(step.encoded(), inner);
        }
        Value::Object(map)
    }

    /// Reads `fieldsV1`; none where it is none.
    pub(crate) fn decoded(value: &Value) -> Option<Set> {
        let mut set = Set::default();
        for (name, value) in value.as_object()? {
            if name == "." {
                set.here = true;
                continue;
            }
            let mut inner = Set::decoded(value)?;
            inner.here |= inner.below.is_empty();
            set.below.insert(Step::decoded(name)?, inner);
        }
        Some(set)
    }
}
