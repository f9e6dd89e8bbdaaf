//! The rights of a Role: what may be done with which resources, and why.

use std::collections::{BTreeMap, BTreeSet};

/// Everything, as a rule writes it.
const ALL: &str = "*";

/// What a right is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Matter {
    /// A resource; with `names` only the objects that have them.
    Resource {
        group: String,
        resource: String,
        names: BTreeSet<String>,
    },
    /// A path of the API server that is not a resource.
    Url(String),
}

/// Why a right is granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// The parent and the records of the release.
    Records(String),
    /// Objects of the manifests.
    Objects,
    /// An object of the whole cluster, by its name.
    Named,
    /// Which versions the workloads have.
    Versions,
    /// Whether an autoscaler owns the replicas.
    Autoscalers,
    /// Why pods do not get ready.
    Pods,
    /// A broken pod of a StatefulSet that blocks its own replacement.
    Stuck,
    /// A role of the manifests grants it.
    Held(String),
    /// A binding of the manifests refers to this role.
    Bound(String),
}

/// Rights with their reasons, in one namespace or in the whole cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rights {
    granted: BTreeMap<Matter, BTreeMap<String, BTreeSet<Reason>>>,
}

/// A rule of a Role.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) matters: Vec<Matter>,
    pub(crate) verbs: Vec<String>,
    pub(crate) reasons: BTreeSet<Reason>,
}

impl Matter {
    /// All objects of a resource.
    pub(crate) fn all(group: &str, resource: &str) -> Matter {
        Matter::named(group, resource, [])
    }

    /// Some objects of a resource.
    pub(crate) fn named<'a>(
        group: &str,
        resource: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Matter {
        Matter::Resource {
            group: group.to_owned(),
            resource: resource.to_owned(),
            names: names.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Whether a right to this is also one to the other.
    fn covers(&self, other: &Matter) -> bool {
        match (self, other) {
            (
                Matter::Resource {
                    group,
                    resource,
                    names,
                },
                Matter::Resource {
                    group: other_group,
                    resource: other_resource,
                    names: other_names,
                },
            ) => {
                (group == ALL || group == other_group)
                    && (resource == ALL || resource == other_resource)
                    && (names.is_empty() || !other_names.is_empty() && other_names.is_subset(names))
            }
            (Matter::Url(path), Matter::Url(other)) => path == ALL || path == other,
            _ => false,
        }
    }

    /// Matters that differ only in their resource can be in one rule.
    fn neighbourhood(&self) -> (String, BTreeSet<String>, bool) {
        match self {
            Matter::Resource { group, names, .. } => (group.clone(), names.clone(), false),
            Matter::Url(_) => (String::new(), BTreeSet::new(), true),
        }
    }
}

impl Rights {
    pub(crate) fn is_empty(&self) -> bool {
        self.granted.is_empty()
    }

    /// Grants verbs.
    pub(crate) fn grant(&mut self, matter: &Matter, verbs: &[&str], reason: &Reason) {
        let granted = self.granted.entry(matter.clone()).or_default();
        for verb in verbs {
            let reasons = granted.entry((*verb).to_owned()).or_default();
            reasons.insert(reason.clone());
        }
    }

    /// The fewest rules that grant all of it, in order: no right twice, and what has the same verbs
    /// in one rule.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let mut rules = BTreeMap::<_, (Vec<Matter>, BTreeSet<Reason>)>::new();
        for (matter, verbs) in &self.granted {
            let needed = verbs
                .iter()
                .filter(|(verb, _)| !self.is_granted_elsewhere(matter, verb));
            let (verbs, reasons): (Vec<_>, Vec<_>) = needed.unzip();
            if verbs.is_empty() {
                continue;
            }
            let key = (matter.neighbourhood(), verbs);
            let rule = rules.entry(key).or_default();
            rule.0.push(matter.clone());
            rule.1.extend(reasons.into_iter().flatten().cloned());
        }
        let rules = rules.into_iter();
        let rules = rules.map(|((_, verbs), (matters, reasons))| Rule {
            matters,
            verbs: verbs.into_iter().cloned().collect(),
            reasons,
        });
        let mut rules = rules.collect::<Vec<_>>();
        rules.sort_by(|one, other| one.matters.cmp(&other.matters));
        rules
    }

    /// Whether another right includes this one.
    fn is_granted_elsewhere(&self, matter: &Matter, verb: &str) -> bool {
        self.granted.iter().any(|(other, verbs)| {
            let wider = if other == matter {
                verb != ALL
            } else {
                other.covers(matter)
            };
            let same = other != matter && verbs.contains_key(verb);
            wider && (same || verbs.contains_key(ALL))
        })
    }
}

#[cfg(test)]
mod tests;
