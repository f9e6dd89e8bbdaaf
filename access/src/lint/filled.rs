//! The text of a value in a template: what CloudFormation or CodePipeline fills in stands as
//! `#{NAME}`, as CodePipeline writes a variable.

use super::condition::Choices;
use super::node::{Content, Node, function};
use serde_json::{Map, Value};

/// Around the name of what is not known before the template is deployed, until the places of all
/// of them in the JSON are known.
const UNKNOWN: [char; 2] = ['\u{e000}', '\u{e001}'];

/// After what is filled in and need not be a text: no quotes are around it.
pub(super) const OF_ANY_TYPE: char = '\u{e002}';

/// What a `Fn::If` of this condition chooses.
fn branch<'a>(condition: &Node, both: [&'a Node; 2], choices: &Choices) -> &'a Node {
    let holds = condition.text().and_then(|name| choices.get(name).copied());
    both[usize::from(!holds.unwrap_or(true))]
}

/// What CloudFormation removes together with its field.
const NO_VALUE: &str = "AWS::NoValue";

/// The text of a scalar, a function of CloudFormation, or an object as JSON.
pub(super) fn text(node: &Node, choices: &Choices) -> String {
    let text = resolved(&raw(node, choices));
    let mut filled = String::new();
    let (mut in_string, mut is_escaped, mut open_unquoted) = (false, false, false);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let begins = character == UNKNOWN[0] || character == '#' && rest.peek() == Some(&'{');
        if begins && !in_string {
            filled.push('"');
            open_unquoted = true;
        }
        match character {
            it if it == UNKNOWN[0] => filled.push_str("#{"),
            it if it == UNKNOWN[1] => filled.push('}'),
            it => filled.push(it),
        }
        if open_unquoted {
            if character == UNKNOWN[1] || character == '}' {
                filled.push(OF_ANY_TYPE);
                filled.push('"');
                open_unquoted = false;
            }
            continue;
        }
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
    }
    filled
}

fn raw(node: &Node, choices: &Choices) -> String {
    let Some((name, argument)) = function(node) else {
        let text = node.text().map(serverless);
        return text.unwrap_or_else(|| json(node, choices).to_string());
    };
    match (name, argument.items()) {
        ("Sub", [template, values @ ..]) => {
            let values = values.first();
            sub(&raw(template, choices), |name| {
                Some(raw(values?.get(name)?, choices))
            })
        }
        ("Sub", []) => match argument.text() {
            Some(template) => sub(template, |_| None),
            None => unknown(name),
        },
        ("Join", [between, parts]) => match &parts.content {
            Content::List(parts) => {
                let parts = parts.iter().map(|part| raw(part, choices));
                parts.collect::<Vec<_>>().join(&raw(between, choices))
            }
            Content::Text(..) | Content::Map(_) => unknown(name),
        },
        ("If", [condition, first, second]) => {
            raw(branch(condition, [first, second], choices), choices)
        }
        // By its tag the argument is the node itself.
        ("ToJsonString", _) => json(&argument.untagged(), choices).to_string(),
        _ => unknown(&referred(name, argument)),
    }
}

/// What a function's value is called by: the names in its argument, one of which may be Landfall's.
fn referred(function: &str, argument: &Node) -> String {
    let mut names = Vec::new();
    texts(argument, &mut names);
    // Nothing that would end the variable, or the text around it.
    let plain = |it: &char| it.is_alphanumeric() || "._:-".contains(*it);
    let names = names.into_iter();
    let names = names.map(|name| name.chars().filter(plain).collect::<String>());
    let named = names.filter(|name| name.contains(char::is_alphanumeric));
    match named.collect::<Vec<_>>() {
        none if none.is_empty() => function.to_owned(),
        names => names.join("."),
    }
}

fn texts<'a>(node: &'a Node, found: &mut Vec<&'a str>) {
    found.extend(node.text());
    node.children().for_each(|child| texts(child, found));
}

fn unknown(name: &str) -> String {
    format!("{}{name}{}", UNKNOWN[0], UNKNOWN[1])
}

/// Replaces `${NAME}` by the value that is given beside it; `${!NAME}` stays as `${NAME}`.
fn sub(template: &str, given: impl Fn(&str) -> Option<String>) -> String {
    let mut parts = template.split("${");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match (part.strip_prefix('!'), part.split_once('}')) {
            (Some(literal), _) => text.push_str(&format!("${{{literal}")),
            (None, Some((name, rest))) => {
                let value = given(name).unwrap_or_else(|| unknown(name));
                text.push_str(&format!("{value}{rest}"));
            }
            (None, None) => text.push_str(&format!("${{{part}")),
        }
    }
    text
}

/// Replaces the variables of the Serverless Framework, which fills them in itself: `${self:…}`,
/// `${opt:stage}`, `${file(…)}`.
/// <https://www.serverless.com/framework/docs/guides/variables>
fn serverless(text: &str) -> String {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let length = part.bytes().take_while(u8::is_ascii_lowercase).count();
        let (source, rest) = part.split_at(length);
        let is_one = !source.is_empty() && rest.starts_with([':', '(']) && !rest.starts_with("::");
        match part.split_once('}').filter(|_| is_one) {
            Some((name, rest)) => filled.push_str(&format!("{}{rest}", unknown(name))),
            None => filled.push_str(&format!("${{{part}")),
        }
    }
    filled
}

/// Replaces CloudFormation's dynamic references, which it fills in itself: `{{resolve:ssm:NAME}}`.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>
fn resolved(text: &str) -> String {
    let mut parts = text.split("{{resolve:");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once("}}") {
            Some((_, rest)) => filled.push_str(&format!("{}{rest}", unknown("resolve"))),
            None => filled.push_str(&format!("{{{{resolve:{part}")),
        }
    }
    filled
}

/// What is there in this branch: a condition may choose an object or nothing as well as a text.
pub(super) fn chosen<'a>(node: &'a Node, choices: &Choices) -> Option<&'a Node> {
    let Some((name, argument)) = function(node) else {
        return Some(node);
    };
    match (name, argument.items()) {
        ("If", [condition, first, second]) => {
            chosen(branch(condition, [first, second], choices), choices)
        }
        ("Ref", _) if argument.text() == Some(NO_VALUE) => None,
        _ => Some(node),
    }
}

/// A value as JSON.
pub(super) fn json(node: &Node, choices: &Choices) -> Value {
    let Some(node) = chosen(node, choices) else {
        return Value::Null;
    };
    if function(node).is_some() {
        return Value::String(settled(&raw(node, choices)));
    }
    match &node.content {
        Content::Text(text, true) => match serde_json::from_str(text) {
            Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => value,
            Ok(_) | Err(_) => Value::String(text.clone()),
        },
        Content::Text(text, false) => Value::String(text.clone()),
        Content::List(items) => {
            let items = items.iter().filter_map(|item| chosen(item, choices));
            items.map(|item| json(item, choices)).collect()
        }
        Content::Map(fields) => {
            let fields = fields.iter();
            let fields = fields.filter_map(|(key, value)| Some((key, chosen(value, choices)?)));
            let fields = fields.map(|(key, value)| (key.clone(), json(value, choices)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

fn settled(text: &str) -> String {
    text.replace(UNKNOWN[0], "#{")
        .replace(UNKNOWN[1], &format!("}}{OF_ANY_TYPE}"))
}
