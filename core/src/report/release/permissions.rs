//! Permissions that are missing, as the rules that grant them.

use super::naming::some_of;
use crate::kubernetes::call::Permission;
use crate::kubernetes::resource::parts;
use std::collections::{BTreeMap, BTreeSet};

/// The resources of a group for which the same verbs are missing.
type Rules<'a> = BTreeMap<(&'a str, BTreeSet<&'a str>), Vec<String>>;

/// The rules that grant permissions, each in a namespace or (`None`) in the whole cluster, as text
/// for a Role or a ClusterRole.
pub(super) fn rules(missing: &[(Permission, Option<String>)]) -> Vec<String> {
    let mut verbs: BTreeMap<(Option<&str>, &str, String), BTreeSet<&str>> = BTreeMap::new();
    for (permission, namespace) in missing {
        let (plural, part, group) = parts(&permission.resource);
        let resource = match part {
            "" => plural.to_owned(),
            part => format!("{plural}/{part}"),
        };
        let place = (namespace.as_deref(), group, resource);
        verbs.entry(place).or_default().insert(permission.verb);
    }
    let mut all: BTreeMap<Option<&str>, Rules<'_>> = BTreeMap::new();
    for ((namespace, group, resource), verbs) in verbs {
        let rules = all.entry(namespace).or_default();
        rules.entry((group, verbs)).or_default().push(resource);
    }
    let mut lines = Vec::new();
    for (namespace, rules) in all {
        lines.push(match namespace {
            Some(namespace) => format!("Rules for a Role in `{namespace}`:"),
            None => "Rules for a ClusterRole:".to_owned(),
        });
        lines.extend(rules.into_iter().map(|((group, verbs), resources)| {
            let resources = resources.iter().map(String::as_str);
            format!(
                "- {{apiGroups: {}, resources: {}, verbs: {}}}",
                texts([group]),
                texts(resources),
                texts(verbs)
            )
        }));
    }
    lines
}

/// That they were taken away in the middle, in a clause.
pub(super) fn taken_away(missing: &[(Permission, Option<String>)]) -> String {
    let each = missing.iter().map(|(permission, namespace)| {
        let place = match namespace {
            Some(namespace) => format!("in `{namespace}`"),
            None => "in the whole cluster".to_owned(),
        };
        format!("`{} {}` {place}", permission.verb, permission.resource)
    });
    format!(
        "permissions that it needs were taken away after it had begun: {}",
        some_of(each.collect())
    )
}

fn texts<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    let all = all.into_iter().map(|text| format!("\"{text}\""));
    format!("[{}]", all.collect::<Vec<_>>().join(", "))
}
