//! Finds user parameters: those of actions in templates, plans and pipelines, of calls, and files
//! of parameters alone.

use super::condition::{Choices, Conditions};
use super::filled::{OF_ANY_TYPE, chosen, json, text};
use super::node::{Content, Node, function};
use landfall_core::request::{FIELDS, Parameters, SCHEMA};
use landfall_core::text::placeholder;
use serde_json::{Map, Value};

/// What the name of the function, or of what refers to it, has in it.
const USUAL_NAME: &str = "landfall";

/// The field of an action's configuration with its parameters.
const PARAMETERS: &str = "UserParameters";

/// What an action stores of its parameters, before variables are filled in.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
const ACTION_LIMIT: usize = 1000;

/// The fields that say what is deployed; parameters of other functions rarely have one.
const TELLING: [&str; 4] = ["deployment", "workload", "manifest", "manifests"];

/// User parameters in a file, as they are where conditions hold or not.
pub(super) struct Found {
    pub(super) line: usize,
    /// The names of what they are in, outside in: pipeline, stage, action.
    pub(super) names: Vec<String>,
    pub(super) parameters: Parameters,
    /// How many characters they have too many.
    pub(super) excess: Option<usize>,
    pub(super) choices: Choices,
}

/// Finds all user parameters of a document, each in all its variants. `names` are parts of the
/// function's names.
pub(super) fn find(document: &Node, names: &[String]) -> Vec<Vec<Found>> {
    let mut search = Search {
        conditions: Conditions::of(document),
        names,
        assumed: Vec::new(),
        within: Vec::new(),
        calls: Vec::new(),
        found: Vec::new(),
    };
    match alone(document) {
        Some(found) => search.found.push(vec![found]),
        None => search.walk(document),
    }
    search.found
}

struct Search<'a> {
    conditions: Conditions<'a>,
    names: &'a [String],
    /// The conditions under which the node is there, outside in.
    assumed: Vec<(String, bool)>,
    /// The names of what it is in.
    within: Vec<String>,
    /// The calls that are known by the function's name.
    calls: Vec<&'a Node>,
    found: Vec<Vec<Found>>,
}

impl<'a> Search<'a> {
    fn walk(&mut self, node: &'a Node) {
        let depth = self.within.len();
        let name = node.get("name").or_else(|| node.get("Name"));
        self.within
            .extend(name.and_then(Node::text).map(str::to_owned));
        self.walk_named(node);
        self.within.truncate(depth);
    }

    fn walk_named(&mut self, node: &'a Node) {
        let invoking = invoking(node).filter(|it| it.get(PARAMETERS).is_none());
        if node.get(PARAMETERS).is_some() {
            self.configuration(node);
        } else if let Some(configuration) = invoking {
            self.configuration(configuration);
        }
        for name in ["configuration", "Configuration"] {
            // One that was a text has no functions of CloudFormation, nor conditions.
            if let Some(unfolded) = node.get(name).and_then(Node::unfolded) {
                self.configuration(&unfolded);
            }
        }
        // A call within something else, such as a state machine.
        self.calls.extend(self.called(node));
        if let Some(deploy) = node.get("deploy")
            && let Some(found) = of_fields(deploy)
            && (is_ours(&found.parameters) || self.is_call(deploy))
        {
            let names = self.within.clone();
            self.found.push(vec![Found { names, ..found }]);
        }
        if let Some(("If", argument)) = function(node)
            && let [condition, first, second] = argument.items()
        {
            self.walk_where(condition, true, first);
            self.walk_where(condition, false, second);
            return;
        }
        // A resource, or an output, with its condition.
        let condition = node.get("Condition").filter(|_| function(node).is_none());
        for child in node.children() {
            match condition {
                Some(condition) => self.walk_where(condition, true, child),
                None => self.walk(child),
            }
        }
    }

    /// What a task of a state machine asks of a function that is called as Landfall's is: then it
    /// is checked, whatever is misspelt in it.
    fn called(&self, task: &'a Node) -> Option<&'a Node> {
        let payloads = [
            ("FunctionName", "Payload"),
            ("Resource", "Parameters"),
            ("Resource", "Arguments"),
        ];
        let of_ours = payloads.iter().filter(|(function, _)| {
            let name = task.get(function);
            let name = name.map(|name| text(name, &Choices::new()).to_lowercase());
            name.is_some_and(|name| self.names.iter().any(|known| name.contains(known.as_str())))
        });
        let mut calls = of_ours.filter_map(|(_, payload)| task.get(payload)?.get("deploy"));
        calls.next()
    }

    fn is_call(&self, deploy: &Node) -> bool {
        self.calls.iter().any(|it| std::ptr::eq(*it, deploy))
    }

    fn walk_where(&mut self, condition: &Node, holds: bool, node: &'a Node) {
        let depth = self.assumed.len();
        let name = condition.text().map(str::to_owned);
        self.assumed.extend(name.map(|name| (name, holds)));
        self.walk(node);
        self.assumed.truncate(depth);
    }

    /// The configuration of an action. One without parameters is Landfall's by its function's name
    /// alone.
    fn configuration(&mut self, configuration: &Node) {
        let absent = Node {
            line: configuration.line,
            tag: None,
            content: Content::Text(String::new(), true),
        };
        let function = configuration.get("FunctionName");
        match configuration.get(PARAMETERS) {
            Some(parameters) => self.action(parameters, function),
            None if function.is_some() => self.action(&absent, function),
            None => {}
        }
    }

    fn action(&mut self, parameters: &Node, function: Option<&Node>) {
        let nodes = std::iter::once(parameters).chain(function);
        let nodes = nodes.collect::<Vec<_>>();
        let (mut variants, mut is_landfall) = (Vec::<Found>::new(), false);
        for choices in self.conditions.choices(&nodes, &self.assumed) {
            let name = function.map(|name| text(name, &choices).to_lowercase());
            let name = name.unwrap_or_default();
            let mut found = of_action(parameters, choices);
            found.names.clone_from(&self.within);
            is_landfall |= self.names.iter().any(|known| name.contains(known.as_str()));
            is_landfall |= is_ours(&found.parameters);
            variants.push(found);
        }
        if is_landfall {
            self.found.push(variants);
        }
    }
}

/// The configuration of an action that invokes a function, or of an event's action: others, such as
/// a permission, name a function as well.
fn invoking(node: &Node) -> Option<&Node> {
    let is_lambda = |of: &Node| {
        let says = |names: [&str; 2], text: &str| {
            let value = names.iter().find_map(|name| of.get(name));
            value.and_then(Node::text) == Some(text)
        };
        says(["Category", "category"], "Invoke") && says(["Provider", "provider"], "Lambda")
    };
    let types = ["ActionTypeId", "actionTypeId", "action_type_id"];
    let types = types.iter().find_map(|name| node.get(name));
    let of_event = node.get("actionConfiguration");
    let configuration = || {
        let found = node.get("configuration");
        found.or_else(|| node.get("Configuration"))
    };
    match of_event {
        Some(action) => action.get("configuration"),
        None if is_lambda(types.unwrap_or(node)) => configuration(),
        None => None,
    }
}

/// The names of functions that are looked for: Landfall's usual one, and more.
pub(super) fn names(more: &[String]) -> Vec<String> {
    let more = more.iter().map(|name| name.to_lowercase());
    std::iter::once(USUAL_NAME.to_owned()).chain(more).collect()
}

fn of_action(node: &Node, choices: Choices) -> Found {
    let is_absent = chosen(node, &choices).is_none_or(Node::is_null);
    let is_object = matches!(node.content, Content::Map(_)) && function(node).is_none();
    let (parameters, excess) = match is_object {
        _ if is_absent => (Parameters::Absent, None),
        // As people write events by hand.
        true => {
            let parameters = match json(node, &choices).as_object() {
                Some(fields) => Parameters::Object(fields.clone()),
                None => Parameters::Absent,
            };
            (parameters, None)
        }
        false => {
            let text = text(node, &choices);
            let length = text.chars().count();
            let is_whole = !text.contains(placeholder::PIPELINE);
            let excess = length
                .checked_sub(ACTION_LIMIT)
                .filter(|excess| *excess > 0);
            (Parameters::Text(text), excess.filter(|_| is_whole))
        }
    };
    Found {
        line: node.line,
        names: Vec::new(),
        parameters,
        excess,
        choices,
    }
}

/// Whether they are most likely Landfall's, whatever the function is called.
fn is_ours(parameters: &Parameters) -> bool {
    let fields = match parameters {
        Parameters::Object(fields) => fields.clone(),
        Parameters::Text(text) => match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) | Err(_) => return false,
        },
        Parameters::Absent => return false,
    };
    let known = |field: &String| FIELDS.contains(&field.as_str()) || field == SCHEMA;
    fields.keys().all(known) && TELLING.iter().any(|field| fields.contains_key(*field))
}

/// A call, or parameters that name their schema.
fn alone(document: &Node) -> Option<Found> {
    let Content::Map(fields) = &document.content else {
        return None;
    };
    let names_schema = document
        .get(SCHEMA)
        .is_some_and(|schema| text(schema, &Choices::new()).ends_with("parameters.schema.json"));
    let call = ["deploy", "continuation", "artifacts"];
    let is_call = fields.iter().all(|(name, _)| call.contains(&name.as_str()));
    match (names_schema, document.get("deploy").filter(|_| is_call)) {
        (true, _) => of_fields(document),
        (false, Some(deploy)) => of_fields(deploy),
        (false, None) => None,
    }
}

/// Parameters that are an object and no text.
fn of_fields(node: &Node) -> Option<Found> {
    let Value::Object(fields) = json(node, &Choices::new()) else {
        return None;
    };
    Some(Found {
        line: node.line,
        names: Vec::new(),
        parameters: Parameters::Object(of_state_machine(fields)),
        excess: None,
        choices: Choices::new(),
    })
}

/// What a state machine fills in, in the place of a variable: `"images": {"web.$": "$.image"}`, and
/// `{% … %}`.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-inputpath-params.html>
fn of_state_machine(fields: Map<String, Value>) -> Map<String, Value> {
    let open = |name: &str| format!("#{{{name}}}{OF_ANY_TYPE}");
    let filled = |(name, value): (String, Value)| match (name.strip_suffix(".$"), value) {
        (Some(name), _) => (name.to_owned(), Value::from(open(name))),
        (None, Value::Object(fields)) => (name, Value::Object(of_state_machine(fields))),
        (None, Value::String(text)) if text.starts_with("{%") => {
            let value = Value::from(open(&name));
            (name, value)
        }
        (None, other) => (name, other),
    };
    fields.into_iter().map(filled).collect()
}
