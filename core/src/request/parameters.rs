//! The action's `UserParameters` as they came, before anything is checked.

use serde_json::{Map, Value};

/// The action's `UserParameters`, as they came.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameters {
    /// None are given.
    Absent,
    /// As CodePipeline sends them.
    Text(String),
    /// As a person writes them into an event by hand.
    Object(Map<String, Value>),
}

impl Parameters {
    /// The text that a continuation is bound to.
    pub fn identity(&self) -> String {
        match self {
            Parameters::Absent => String::new(),
            Parameters::Text(text) => text.clone(),
            Parameters::Object(fields) => Value::Object(fields.clone()).to_string(),
        }
    }
}

/// The values of the field `variables` of user parameters that were read.
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

/// The fields of the contract, in the order in which the documentation lists them.
pub const FIELDS: [&str; 20] = [
    "deployment",
    "namespace",
    "images",
    "env",
    "container",
    "manifest",
    "variables",
    "method",
    "restart",
    "strategy",
    "service",
    "bake",
    "keep",
    "smoke",
    "timeout",
    "patience",
    "rollback",
    "mode",
    "execution",
    "committed",
];
