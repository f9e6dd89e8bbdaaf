//! Finds user parameters: those of actions in templates, plans and pipelines, of calls, and files
//! of parameters alone.

use super::filled::{Branch, json, text};
use super::node::{Content, Node};
use landfall_core::request::{FIELDS, Parameters, SCHEMA};
use serde_json::Value;

/// What the name of the function, or of what refers to it, has in it.
const USUAL_NAME: &str = "landfall";

/// What an action stores of its parameters, before variables are filled in.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
const ACTION_LIMIT: usize = 1000;

/// The fields that say what is deployed; parameters of other functions rarely have one.
const TELLING: [&str; 4] = ["deployment", "workload", "manifest", "manifests"];

/// User parameters in a file.
pub(super) struct Found {
    pub(super) line: usize,
    pub(super) parameters: Parameters,
    /// How many characters they have too many.
    pub(super) excess: Option<usize>,
}

/// Finds all user parameters of a document. `names` are parts of the function's names.
pub(super) fn find(document: &Node, names: &[String]) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some(parameters) = alone(document) {
        found.push(parameters);
    }
    walk(document, names, &mut found);
    found
}

fn walk(node: &Node, names: &[String], found: &mut Vec<Found>) {
    if let Some(parameters) = node.get("UserParameters") {
        let function = node.get("FunctionName");
        let variants = [Branch::First, Branch::Second].map(|branch| {
            let name = function.map(|name| text(name, branch).to_lowercase());
            let name = name.unwrap_or_default();
            let is_named = names.iter().any(|known| name.contains(known.as_str()));
            (of_action(parameters, branch), is_named)
        });
        let [(first, is_named), (second, _)] = variants;
        if is_named || is_ours(&first.parameters) || is_ours(&second.parameters) {
            if second.parameters != first.parameters {
                found.push(second);
            }
            found.push(first);
        }
    }
    for child in node.children() {
        walk(child, names, found);
    }
}

/// The names of functions that are looked for: Landfall's usual one, and more.
pub(super) fn names(more: &[String]) -> Vec<String> {
    let more = more.iter().map(|name| name.to_lowercase());
    std::iter::once(USUAL_NAME.to_owned()).chain(more).collect()
}

fn of_action(node: &Node, branch: Branch) -> Found {
    let is_object = matches!(node.content, Content::Map(_)) && !is_function(node);
    let (parameters, excess) = match is_object {
        // As people write events by hand.
        true => {
            let parameters = match json(node, branch).as_object() {
                Some(fields) => Parameters::Object(fields.clone()),
                None => Parameters::Absent,
            };
            (parameters, None)
        }
        false => {
            let text = text(node, branch);
            let length = text.chars().count();
            let is_whole = !text.contains("#{");
            let excess = length
                .checked_sub(ACTION_LIMIT)
                .filter(|excess| *excess > 0);
            (Parameters::Text(text), excess.filter(|_| is_whole))
        }
    };
    Found {
        line: node.line,
        parameters,
        excess,
    }
}

fn is_function(node: &Node) -> bool {
    match &node.content {
        Content::Map(fields) => {
            fields.len() == 1 && (fields[0].0.starts_with("Fn::") || fields[0].0 == "Ref")
        }
        Content::Text(..) | Content::List(_) => false,
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
        .is_some_and(|schema| text(schema, Branch::First).ends_with("parameters.schema.json"));
    let call = ["deploy", "continuation", "artifacts"];
    let is_call = fields.iter().all(|(name, _)| call.contains(&name.as_str()));
    let node = match (names_schema, document.get("deploy").filter(|_| is_call)) {
        (true, _) => document,
        (false, Some(deploy)) => deploy,
        (false, None) => return None,
    };
    let Value::Object(fields) = json(node, Branch::First) else {
        return None;
    };
    Some(Found {
        line: node.line,
        parameters: Parameters::Object(fields),
        excess: None,
    })
}
