//! The action's `UserParameters`, unchecked.

use serde_json::{Map, Value};

/// The action's `UserParameters`, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameters {
    /// There are none.
    Absent,
    /// A string, which CodePipeline sends.
    Text(String),
    /// An object, for events that people write by hand.
    Object(Map<String, Value>),
}

impl Parameters {
    /// The text that identifies the request in a continuation.
    pub fn identity(&self) -> String {
        match self {
            Parameters::Absent => String::new(),
            Parameters::Text(text) => text.clone(),
            Parameters::Object(fields) => Value::Object(fields.clone()).to_string(),
        }
    }
}

/// The values of the field `variables`, for redaction.
pub fn variables(parameters: &Parameters) -> Vec<String> {
    let fields = match parameters {
        Parameters::Absent => return Vec::new(),
        Parameters::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        Parameters::Object(fields) => Value::Object(fields.clone()),
    };
    let values = fields["variables"].as_object().into_iter().flatten();
    let values = values.filter_map(|(_, value)| value.as_str());
    values.map(str::to_owned).collect()
}

/// The field by which an editor finds the JSON Schema. It means nothing to a deploy.
pub const SCHEMA: &str = "$schema";

/// The fields of the contract, in the order of the documentation.
pub const FIELDS: [&str; 33] = [
    "deployment",
    "workload",
    "namespace",
    "cluster",
    "images",
    "env",
    "container",
    "manifest",
    "before",
    "manifests",
    "release",
    "namespaces",
    "prune",
    "force",
    "variables",
    "method",
    "restart",
    "strategy",
    "service",
    "bake",
    "steps",
    "route",
    "alarms",
    "keep",
    "smoke",
    "handover",
    "timeout",
    "patience",
    "rollback",
    "mode",
    "to",
    "execution",
    "committed",
];
