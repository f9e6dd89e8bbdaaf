//! Compares the request with the result: the response to a write, or the object after someone else
//! changed it.
//!
//! The server adds defaults and normalizes quantities, and admission adds sidecars, resources or a
//! digest for a tag. None of that is another version. Another image, a missing port or another
//! value of a variable is.

use super::comparison::{contains, is_empty, is_same_image, is_same_quantity};
use super::entries::{CONTAINER_LISTS, names};
use super::notes::RESTARTED_AT;
use super::patch::sets_env;
use super::put::set_in_manifest;
use crate::kubernetes::object::timestamp;
use crate::problem::Fault;
use crate::request::{Method, Request};
use crate::state::marks::DEPLOYED_AT;
use crate::workload::Workload;
use serde_json::{Map, Value, json};

/// The path of the template in a Deployment.
const TEMPLATE: &str = "spec.template";

/// What policies of a cluster may change in a pod and a container: where, with which permissions
/// and with which resources it runs, but not what runs.
const POLICY: [&str; 20] = [
    "resources",
    "imagePullPolicy",
    "securityContext",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "nodeSelector",
    "nodeName",
    "tolerations",
    "affinity",
    "schedulerName",
    "priorityClassName",
    "priority",
    "preemptionPolicy",
    "runtimeClassName",
    "overhead",
    "dnsConfig",
    "terminationGracePeriodSeconds",
    "automountServiceAccountToken",
    "serviceAccount",
    "annotations",
];

/// Fields that every server keeps if they have a value. A server may not know other fields, and
/// then drops them with a warning.
const KEPT: [&str; 13] = [
    "containers",
    "initContainers",
    "image",
    "command",
    "args",
    "env",
    "envFrom",
    "ports",
    "volumeMounts",
    "volumeDevices",
    "volumes",
    "value",
    "valueFrom",
];

/// The lists whose items are identified by fields.
const KEYS: [(&str, &[&str]); 9] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("env", &["name"]),
    ("ports", &["containerPort", "protocol"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("volumes", &["name"]),
    ("imagePullSecrets", &["name"]),
    (
        "topologySpreadConstraints",
        &["topologyKey", "whenUnsatisfiable"],
    ),
];

/// A requested value that the object does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost {
    /// The field, in the usual notation: `spec.template.spec.containers[app].image`.
    pub field: String,
    /// The same path in the notation of managed fields: `f:spec`, `k:{"name":"app"}`.
    pub steps: Vec<String>,
    /// The requested value, shortened; the value of a variable is not shown.
    pub wanted: String,
    /// The current value; `None` if there is none.
    pub found: Option<String>,
}

impl Lost {
    /// A sentence without the field.
    pub fn problem(&self) -> String {
        match &self.found {
            Some(found) => format!("was asked to be {} and is {found}", self.wanted),
            None => format!("was asked to be {} and is not there", self.wanted),
        }
    }

    /// The fault to report if the API server changed the request.
    pub fn fault(&self, request: &Request) -> Fault {
        let field = match request.manifest {
            Some(_) => format!("manifest.{}", self.field),
            None => self.field.clone(),
        };
        let why = match request.method {
            Method::Patch => {
                "A merge by `patch`, or a webhook, gives another template than the one asked for: \
                 `\"method\": \"put\"` writes a manifest whole"
            }
            Method::Put => {
                "A mutating webhook, or a proxy that answers in the API server's place, gives \
                 another template than the one asked for"
            }
        };
        let problem = format!(
            "{} in what the API server makes of it. {why}",
            self.problem()
        );
        Fault::new(field, problem)
    }
}

/// Returns the first requested value that the object does not have.
pub fn lost(request: &Request, live: &Workload) -> Option<Lost> {
    let found = live.template();
    let wanted = match template(request, live) {
        Ok(wanted) => wanted,
        // The requested containers do not exist any more.
        Err(faults) => {
            let field = faults.first().map_or("", |fault| &fault.field);
            return Some(Lost {
                field: format!("{TEMPLATE}.spec.containers"),
                steps: steps(&["f:spec", "f:template", "f:spec", "f:containers"]),
                wanted: format!("one that `{field}` names"),
                found: None,
            });
        }
    };
    compare(&Place::Template, &wanted, found).or_else(|| not_removed(request, live))
}

/// The same for an object that someone has changed since; a requested restart must also still be
/// there.
pub fn lost_since(request: &Request, live: &Workload) -> Option<Lost> {
    lost(request, live).or_else(|| {
        let deployed = live.annotation(DEPLOYED_AT).and_then(timestamp)?;
        let restarted = live.template()["metadata"]["annotations"][RESTARTED_AT].as_str();
        let stands = restarted.and_then(timestamp) >= Some(deployed);
        (request.restart && !stands).then(|| Lost {
            field: format!("{TEMPLATE}.metadata.annotations[{RESTARTED_AT}]"),
            steps: steps(&[
                "f:spec",
                "f:template",
                "f:metadata",
                "f:annotations",
                &format!("f:{RESTARTED_AT}"),
            ]),
            wanted: "the time of this deploy".to_owned(),
            found: restarted.map(str::to_owned),
        })
    })
}

fn steps(all: &[&str]) -> Vec<String> {
    all.iter().map(|step| (*step).to_owned()).collect()
}

/// The requested parts of a template.
fn template(request: &Request, live: &Workload) -> Result<Value, Vec<Fault>> {
    if let Some(manifest) = &request.manifest {
        let mut wanted = manifest.clone();
        set_in_manifest(request, &mut wanted)?;
        let template = wanted.pointer_mut("/spec/template").map(Value::take);
        return Ok(template.unwrap_or_default());
    }
    let mut wanted = json!({"spec": {"template": {"spec": {}}}});
    for list in CONTAINER_LISTS {
        let bare = names(live.containers(list));
        let bare = bare.iter().map(|name| json!({"name": name}));
        wanted["spec"]["template"]["spec"][list] = bare.collect();
    }
    set_in_manifest(request, &mut wanted)?;
    Ok(wanted["spec"]["template"].take())
}

/// Returns a variable that should have been removed.
fn not_removed(request: &Request, live: &Workload) -> Option<Lost> {
    let gone = request.env.iter().filter(|(_, value)| value.is_none());
    for (variable, _) in gone {
        for list in CONTAINER_LISTS {
            for container in live.containers(list) {
                let name = container["name"].as_str().unwrap_or_default();
                let there = names(container["env"].as_array().map_or(&[], Vec::as_slice));
                if sets_env(request, list, name) && there.contains(variable) {
                    return Some(Lost {
                        field: format!("{TEMPLATE}.spec.{list}[{name}].env[{variable}]"),
                        steps: steps(&[
                            "f:spec",
                            "f:template",
                            "f:spec",
                            &format!("f:{list}"),
                            &format!("k:{}", json!({"name": name})),
                            "f:env",
                            &format!("k:{}", json!({"name": variable})),
                        ]),
                        wanted: "removed".to_owned(),
                        found: Some("still there".to_owned()),
                    });
                }
            }
        }
    }
    None
}

/// A position in a template, which is put into words only where something is lost.
enum Place<'a> {
    Template,
    Field(&'a Place<'a>, &'a str),
    /// A list's item, by its identifying fields.
    Item(&'a Place<'a>, &'a Map<String, Value>),
}

impl Place<'_> {
    /// The name of the last field.
    fn key(&self) -> &str {
        match self {
            Place::Template => "",
            Place::Field(_, key) => key,
            Place::Item(list, _) => list.key(),
        }
    }

    /// In the usual notation, and in that of managed fields.
    fn path(&self) -> (String, Vec<String>) {
        let (mut field, mut steps) = match self {
            Place::Template => return (TEMPLATE.to_owned(), steps(&["f:spec", "f:template"])),
            Place::Field(above, _) | Place::Item(above, _) => above.path(),
        };
        match self {
            Place::Template => {}
            Place::Field(_, key) => {
                field = format!("{field}.{key}");
                steps.push(format!("f:{key}"));
            }
            Place::Item(_, known) => {
                let name = known.values().map(|value| match value.as_str() {
                    Some(text) => text.to_owned(),
                    None => value.to_string(),
                });
                let name = name.collect::<Vec<_>>().join("/");
                field = format!("{field}[{name}]");
                let known = Map::clone(known);
                steps.push(format!("k:{}", Value::Object(known)));
            }
        }
        (field, steps)
    }

    fn lost(&self, wanted: &Value, found: Option<&Value>) -> Lost {
        let (field, steps) = self.path();
        let secret = field.contains(".env[");
        let shown = |value: &Value| match (secret, value) {
            (true, _) => "(hidden)".to_owned(),
            (false, Value::String(text)) => format!("`{}`", crate::text::clip(text, SHOWN)),
            (false, Value::Array(_) | Value::Object(_)) => "something else".to_owned(),
            (false, value) => value.to_string(),
        };
        Lost {
            wanted: match wanted.is_array() || wanted.is_object() {
                true => "there".to_owned(),
                false => shown(wanted),
            },
            found: found.map(|found| match secret {
                true => "another".to_owned(),
                false => shown(found),
            }),
            field,
            steps,
        }
    }
}

/// How much of a value is shown: an image in ECR with a digest fits.
const SHOWN: usize = 240;

fn compare(place: &Place, wanted: &Value, found: &Value) -> Option<Lost> {
    match (wanted, found) {
        (Value::Object(_), found) if is_led_through_a_mesh(place.key(), found) => None,
        (Value::Object(wanted), Value::Object(found)) => {
            let mut fields = wanted.iter();
            fields.find_map(|(key, wanted)| {
                if POLICY.contains(&key.as_str()) || is_empty(wanted) {
                    return None;
                }
                let place = Place::Field(place, key);
                match found.get(key) {
                    Some(found) => compare(&place, wanted, found),
                    None if KEPT.contains(&key.as_str()) => Some(place.lost(wanted, None)),
                    None => None,
                }
            })
        }
        (Value::Array(wanted), Value::Array(found)) => lists(place, wanted, found),
        (wanted, found) if is_same(place.key(), wanted, found) => None,
        (wanted, found) => {
            let found = Some(found).filter(|found| !found.is_null());
            Some(place.lost(wanted, found))
        }
    }
}

fn lists(place: &Place, wanted: &[Value], found: &[Value]) -> Option<Lost> {
    let Some((_, keys)) = KEYS.iter().find(|(list, _)| *list == place.key()) else {
        let exact = ["command", "args"].contains(&place.key());
        let holds = match exact {
            true => wanted == found,
            false => {
                let has = |wanted| found.iter().any(|found| contains(found, wanted));
                wanted.iter().all(has)
            }
        };
        return (!holds).then(|| place.lost(&json!(wanted), Some(&json!(found))));
    };
    // In Kubernetes the last variable of a name wins.
    let mut seen = Vec::new();
    wanted.iter().rev().find_map(|wanted| {
        let known = known(wanted, keys);
        if seen.contains(&known) {
            return None;
        }
        let mut same = found.iter().rev();
        let same = same.find(|found| self::known(found, keys) == known);
        let place = Place::Item(place, &known);
        let lost = match same {
            Some(found) => compare(&place, wanted, found),
            None => Some(place.lost(wanted, None)),
        };
        seen.push(known);
        lost
    })
}

/// The fields that identify an item, with the default for the field that has one.
fn known(item: &Value, keys: &[&str]) -> Map<String, Value> {
    let value = |key: &str| match item.get(key) {
        None if key == "protocol" => json!("TCP"),
        found => found.cloned().unwrap_or_default(),
    };
    let known = keys.iter().map(|key| ((*key).to_owned(), value(key)));
    known.collect()
}

/// Whether a probe goes through a mesh's agent, which calls the application instead.
/// <https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/>
fn is_led_through_a_mesh(key: &str, found: &Value) -> bool {
    let path = || found["httpGet"]["path"].as_str();
    key.ends_with("Probe") && path().is_some_and(|path| path.starts_with("/app-health/"))
}

fn is_same(key: &str, wanted: &Value, found: &Value) -> bool {
    match (key, wanted.as_str(), found.as_str()) {
        ("image", Some(wanted), Some(found)) => is_same_image(wanted, found),
        // A variable's value is always text.
        ("value", _, _) => wanted == found,
        _ => wanted == found || is_same_quantity(wanted, found),
    }
}

#[cfg(test)]
mod tests;
