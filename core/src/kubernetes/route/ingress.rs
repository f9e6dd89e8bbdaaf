//! An Ingress of the AWS Load Balancer Controller: a backend whose port is called `use-annotation`
//! stands for an action, and the annotation of that action has the weights.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#actions>

use super::super::object::Object;
use super::backends::{Backends, Place};
use super::fault::{ActionProblem, RouteFault};
use super::list::{Changed, Role, Split, field, set, spelled};
use serde_json::{Map, Value, json};

/// The most target groups of one action.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>
pub(super) const TARGET_GROUPS_LIMIT: usize = 5;

/// The beginning of an action's annotation.
const ACTIONS: &str = "alb.ingress.kubernetes.io/actions.";

/// The annotation of an Ingress or a Service with the attributes of its target groups.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#target-group-attributes>
pub const ATTRIBUTES: &str = "alb.ingress.kubernetes.io/target-group-attributes";

/// The port of a backend that stands for an action.
const BY_ANNOTATION: &str = "use-annotation";

/// The beginnings of the finalizers that the controller puts on an Ingress that it has taken: one
/// for an Ingress with a load balancer of its own, one for a group.
const FINALIZERS: [&str; 2] = ["ingress.k8s.aws/", "group.ingress.k8s.aws/"];

/// The annotation of a place.
pub(super) fn annotation(place: &Place) -> String {
    match place {
        Place::Action(name) => format!("{ACTIONS}{name}"),
        Place::Rule { .. } => ACTIONS.to_owned(),
    }
}

/// The actions that send to our Service, and what stands against reading them as such.
pub(super) fn splits(object: &Object, backends: &Backends) -> (Vec<Split>, Vec<RouteFault>) {
    let mut splits = Vec::new();
    let mut faults = Vec::new();
    for (name, by_annotation) in targets(object) {
        if !by_annotation {
            if name == backends.service {
                faults.push(RouteFault::NotByAction);
            }
            continue;
        }
        match action(object, &name) {
            Ok(action) => splits.extend(split(object, &name, &action, backends)),
            // An action of another kind, such as a redirect, is somebody else's, unless it has our
            // name.
            Err(problem) if name == backends.service => {
                faults.push(RouteFault::InvalidAction {
                    annotation: format!("{ACTIONS}{name}"),
                    problem,
                });
            }
            Err(_) => {}
        }
    }
    (splits, faults)
}

/// The annotations of actions, with new target groups. What was there before is written as it was,
/// with its spaces and the order of its fields: a tool that compares texts finds no difference.
pub(super) fn actions(object: &Object, changed: &[Changed]) -> Map<String, Value> {
    let mut annotations = Map::new();
    for Changed { split, list, text } in changed {
        let Place::Action(name) = &split.place else {
            continue;
        };
        let Ok(mut action) = action(object, name) else {
            continue;
        };
        if let Some(key) = spelled(&action, "forwardConfig") {
            set(&mut action[&key], "targetGroups", json!(list));
        }
        let is_same =
            |text: &&String| serde_json::from_str::<Value>(text).ok() == Some(action.clone());
        let text = text.as_ref().filter(is_same);
        let text = text.cloned().unwrap_or_else(|| action.to_string());
        annotations.insert(format!("{ACTIONS}{name}"), json!(text));
    }
    annotations
}

/// The names of all Services that the Ingress sends to, by name or by an action.
pub(super) fn services(object: &Object) -> Vec<String> {
    let mut names = Vec::new();
    for (name, by_annotation) in targets(object) {
        if !by_annotation {
            names.push(name);
        } else if let Ok(action) = action(object, &name) {
            let groups = target_groups(&action).unwrap_or_default();
            let services = groups
                .iter()
                .filter_map(|group| field(group, "serviceName")?.as_str());
            names.extend(services.map(str::to_owned));
        }
    }
    names.sort();
    names.dedup();
    names
}

/// An Ingress that the controller has not taken is not routed by its annotations.
pub(super) fn not_taken(object: &Object) -> Option<RouteFault> {
    let finalizers = object.value()["metadata"]["finalizers"].as_array();
    let mut finalizers = finalizers.into_iter().flatten().filter_map(Value::as_str);
    let is_taken = finalizers.any(|one| FINALIZERS.iter().any(|begin| one.starts_with(begin)));
    let older = object.annotation("kubernetes.io/ingress.class");
    let class = match object.text("/spec/ingressClassName") {
        "" => older.unwrap_or_default(),
        class => class,
    };
    (!is_taken).then(|| RouteFault::NotTaken {
        class: class.to_owned(),
    })
}

/// Places whose targets are sticky, and whose groups are not: ELB refuses a rule with two such
/// groups. `own`: the attributes that the Service itself has, whose annotation takes the place of
/// the Ingress's as a whole. Of an attribute that is there twice the last one counts.
/// <https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2734>
pub(super) fn only_targets_sticky(
    object: &Object,
    splits: &[Split],
    own: Option<&str>,
) -> Vec<RouteFault> {
    let text = own.or_else(|| object.annotation(ATTRIBUTES));
    let all = text.into_iter().flat_map(|text| text.split(','));
    let all = all.filter_map(|one| one.split_once('='));
    let mut enabled = all.filter(|(name, _)| name.trim() == "stickiness.enabled");
    if enabled.next_back().map(|(_, value)| value.trim()) != Some("true") {
        return Vec::new();
    }
    let has_sticky_groups = |split: &Split| {
        let action = split.text.as_ref();
        let action = action.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let action = action.unwrap_or_default();
        let sticky = field(&action, "forwardConfig")
            .and_then(|config| field(config, "targetGroupStickinessConfig"))
            .and_then(|sticky| field(sticky, "enabled"));
        sticky == Some(&json!(true))
    };
    let splits = splits.iter().filter(|split| !has_sticky_groups(split));
    let fault = |split: &Split| RouteFault::OnlyTargetsSticky {
        place: split.place.clone(),
    };
    splits.map(fault).collect()
}

/// The backends of all rules and the default: each name once, and whether it is that of an action.
fn targets(object: &Object) -> Vec<(String, bool)> {
    let spec = &object.value()["spec"];
    let rules = spec["rules"].as_array().into_iter().flatten();
    let paths = rules.filter_map(|rule| rule.pointer("/http/paths")?.as_array());
    let backends = paths.flatten().map(|path| &path["backend"]);
    let mut found = Vec::new();
    for backend in backends.chain([&spec["defaultBackend"]]) {
        if let Some(name) = backend["service"]["name"].as_str() {
            let is_action = backend["service"]["port"]["name"] == BY_ANNOTATION;
            let target = (name.to_owned(), is_action);
            if !found.contains(&target) {
                found.push(target);
            }
        }
    }
    found
}

fn action(object: &Object, name: &str) -> Result<Value, ActionProblem> {
    let text = object.annotation(&format!("{ACTIONS}{name}"));
    let text = text.ok_or(ActionProblem::Missing)?;
    let action = serde_json::from_str::<Value>(text).map_err(|_| ActionProblem::NotJson)?;
    let forwards = field(&action, "type").and_then(Value::as_str) == Some("forward");
    match target_groups(&action) {
        Some(_) if forwards => Ok(action),
        _ => Err(ActionProblem::NotForward),
    }
}

fn target_groups(action: &Value) -> Option<&[Value]> {
    let config = field(action, "forwardConfig")?;
    Some(field(config, "targetGroups")?.as_array()?.as_slice())
}

fn split(object: &Object, name: &str, action: &Value, backends: &Backends) -> Option<Split> {
    let list = target_groups(action)?.to_vec();
    let role = |group: &Value| match field(group, "serviceName").and_then(Value::as_str) {
        Some(name) if name == backends.service => Role::Service,
        Some(name) if name == backends.canary => Role::Canary,
        _ => Role::Other,
    };
    let roles = list.iter().map(role).collect::<Vec<_>>();
    roles.contains(&Role::Service).then(|| Split {
        place: Place::Action(name.to_owned()),
        roles,
        list,
        name: "serviceName",
        text: object
            .annotation(&format!("{ACTIONS}{name}"))
            .map(str::to_owned),
    })
}
