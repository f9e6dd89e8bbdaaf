//! An HTTPRoute of the Gateway API: the weights are in the `backendRefs` of its rules.
//! <https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule>

use super::super::object::Object;
use super::backends::{Backends, Place};
use super::list::{Changed, Role, Split};
use serde_json::{Value, json};

/// The most backends of one rule.
pub(super) const BACKENDS_LIMIT: usize = 16;

/// The rules that send to our Service. A rule for the candidate's alone, as testers make it, is not
/// ours.
pub(super) fn splits(object: &Object, backends: &Backends) -> Vec<Split> {
    let split = |(index, rule): (usize, &Value)| {
        let list = rule["backendRefs"].as_array()?.clone();
        let roles = list.iter().map(|one| role(one, backends));
        let roles = roles.collect::<Vec<_>>();
        roles.contains(&Role::Service).then(|| Split {
            place: Place::Rule {
                number: index + 1,
                name: rule["name"].as_str().map(str::to_owned),
            },
            roles,
            list,
            name: "name",
            text: None,
        })
    };
    let rules = all_rules(object).iter().enumerate();
    rules.filter_map(split).collect()
}

/// All rules, with new backends where there are such.
pub(super) fn rules(object: &Object, changed: &[Changed]) -> Vec<Value> {
    let mut rules = all_rules(object).to_vec();
    for one in changed {
        if let Place::Rule { number, .. } = one.split.place {
            rules[number - 1]["backendRefs"] = json!(one.list);
        }
    }
    rules
}

/// The names of all backends that the rules send to; of one in another namespace, or of another
/// kind, that as well.
pub(super) fn services(object: &Object) -> Vec<String> {
    let own = object.text("/metadata/namespace");
    let backends = all_rules(object)
        .iter()
        .flat_map(|rule| rule["backendRefs"].as_array());
    let name = |one: &Value| {
        let name = one["name"].as_str()?.to_owned();
        let name = match one["kind"].as_str().filter(|kind| *kind != "Service") {
            Some(kind) => format!("{kind}/{name}"),
            None => name,
        };
        let other = one["namespace"].as_str().filter(|other| *other != own);
        Some(other.map_or(name.clone(), |other| format!("{other}/{name}")))
    };
    let names = backends.flatten().filter_map(name);
    let mut names = names.collect::<Vec<_>>();
    names.sort();
    names.dedup();
    names
}

fn all_rules(object: &Object) -> &[Value] {
    let rules = object.value()["spec"]["rules"].as_array();
    rules.map_or(&[], Vec::as_slice)
}

/// An absent kind is a Service, an absent group the core group, and an absent namespace the
/// route's.
fn role(backend: &Value, backends: &Backends) -> Role {
    let is = |field: &str, wanted: &str| {
        let found = backend[field].as_str();
        found.is_none_or(|found| found == wanted)
    };
    let is_near = is("kind", "Service") && is("group", "") && is("namespace", backends.namespace);
    match backend["name"].as_str() {
        Some(name) if is_near && name == backends.service => Role::Service,
        Some(name) if is_near && name == backends.canary => Role::Canary,
        _ => Role::Other,
    }
}
