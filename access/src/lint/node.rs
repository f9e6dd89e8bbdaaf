//! A YAML or JSON text as a tree that knows its lines and CloudFormation's tags.

use granit_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::Value;
use std::collections::HashMap;

/// The most values of a file, with its aliases resolved: the plan of a large Terraform
/// configuration has a few hundred thousand.
const VALUES_LIMIT: usize = 2_000_000;
/// The deepest nesting.
const DEPTH_LIMIT: usize = 200;

/// A value and the line in which it begins, from one; 0 if that is not known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    /// A tag of CloudFormation, without its `!`.
    pub(super) tag: Option<String>,
    pub(super) content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// A scalar, and whether it has no quotes.
    Text(String, bool),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The field of a mapping.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        match &self.content {
            Content::Map(fields) => {
                let mut fields = fields.iter();
                fields.find(|(key, _)| key == name).map(|(_, node)| node)
            }
            Content::Text(..) | Content::List(_) => None,
        }
    }

    /// Its text, whatever its tag.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text, _) => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> &[Node] {
        match &self.content {
            Content::List(items) => items,
            Content::Text(..) | Content::Map(_) => &[],
        }
    }

    /// The nodes in it. Of a plan of Terraform only what it plans: the rest is the time before it,
    /// the same once more, and what others have changed meanwhile.
    pub(super) fn children(&self) -> Box<dyn Iterator<Item = &Node> + '_> {
        if let Some(planned) = self.get("planned_values") {
            return Box::new(std::iter::once(planned));
        }
        let is_past = |name: &str| name == "before" && self.get("after").is_some();
        match &self.content {
            Content::Text(..) => Box::new(std::iter::empty()),
            Content::List(items) => Box::new(items.iter()),
            Content::Map(fields) => {
                let fields = fields.iter().filter(move |(name, _)| !is_past(name));
                Box::new(fields.map(|(_, node)| node))
            }
        }
    }

    /// The same value without its tag, which may be the function that takes it.
    pub(super) fn untagged(&self) -> Node {
        Node {
            tag: None,
            ..self.clone()
        }
    }

    /// The configuration of an action, which Terraform's provider `awscc` has as a text of JSON.
    pub(super) fn unfolded(&self) -> Option<Node> {
        let Content::Text(text, _) = &self.content else {
            return None;
        };
        let value = serde_json::from_str::<Value>(text.trim()).ok()?;
        let mut node = value.is_object().then(|| of_json(value))?;
        node.at(self.line);
        Some(node)
    }

    fn at(&mut self, line: usize) {
        self.line = line;
        match &mut self.content {
            Content::Text(..) => {}
            Content::List(items) => items.iter_mut().for_each(|item| item.at(line)),
            Content::Map(fields) => fields.iter_mut().for_each(|(_, field)| field.at(line)),
        }
    }

    /// Whether nothing stands there.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Text(text, true) if ["", "~", "null"].contains(&&**text))
    }
}

/// A function of CloudFormation, by its tag or as an object, without `Fn::`.
pub(super) fn function(node: &Node) -> Option<(&str, &Node)> {
    if let Some(tag) = &node.tag {
        return Some((tag, node));
    }
    let Content::Map(fields) = &node.content else {
        return None;
    };
    let [(name, argument)] = &fields[..] else {
        return None;
    };
    match (name.as_str(), name.strip_prefix("Fn::")) {
        (_, Some(name)) => Some((name, argument)),
        ("Ref", None) => Some((name, argument)),
        _ => None,
    }
}

/// Reads the documents of a text, or says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Vec<Node>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        values: 0,
    };
    match reader.documents() {
        Ok(documents) => Ok(documents),
        // Some JSON is not YAML; then nobody says in which line something is.
        Err(problem) => match serde_json::from_str::<Value>(text) {
            Ok(value) => Ok(vec![of_json(value)]),
            Err(_) => Err(problem),
        },
    }
}

fn of_json(value: Value) -> Node {
    let content = match value {
        Value::String(text) => Content::Text(text, false),
        Value::Array(items) => Content::List(items.into_iter().map(of_json).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Content::Map(fields.map(|(key, value)| (key, of_json(value))).collect())
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => {
            Content::Text(other.to_string(), true)
        }
    };
    Node {
        line: 0,
        tag: None,
        content,
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, (Node, usize)>,
    values: usize,
}

impl<'a> Reader<'a> {
    fn documents(&mut self) -> Result<Vec<Node>, String> {
        let mut documents = Vec::new();
        loop {
            let event = self.next()?.0;
            if event == Event::StreamEnd {
                return Ok(documents);
            }
            if matches!(event, Event::DocumentStart(..)) {
                self.anchors.clear();
                let (event, line) = self.next()?;
                documents.push(self.node(event, line, 0)?);
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, usize), String> {
        match self.parser.next_event() {
            None => Ok((Event::StreamEnd, 0)),
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err(format!("{}: {}", error.marker().line(), error.info())),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser may get more kinds of events"
    )]
    fn node(&mut self, event: Event<'a>, line: usize, depth: usize) -> Result<Node, String> {
        let before = self.values;
        self.count(1, line)?;
        if depth > DEPTH_LIMIT {
            return Err(format!(
                "{line}: it is nested deeper than {DEPTH_LIMIT} levels"
            ));
        }
        let (content, anchor, tag) = match event {
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let (node, size) = known.ok_or_else(|| format!("{line}: an unknown alias"))?;
                self.count(size, line)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                (Content::Text(text.into_owned(), is_plain), anchor, tag)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let mut items = Vec::new();
                loop {
                    let (event, line) = self.next()?;
                    if event == Event::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, line, depth + 1)?);
                }
                (Content::List(items), anchor, tag)
            }
            Event::MappingStart(_, anchor, tag) => (Content::Map(self.fields(depth)?), anchor, tag),
            _ => return Err(format!("{line}: it ends too early")),
        };
        let tag = tag.as_deref().map(|tag| tag.original().to_owned());
        let node = Node {
            line,
            tag: tag.and_then(|tag| Some(tag.strip_prefix('!')?.to_owned())),
            content,
        };
        if anchor != 0 {
            let size = self.values - before;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn fields(&mut self, depth: usize) -> Result<Vec<(String, Node)>, String> {
        let mut fields = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                merge(&mut fields, merged);
                return Ok(fields);
            }
            let key = self.node(event, line, depth + 1)?;
            let key = key.text().unwrap_or_default().to_owned();
            let (event, line) = self.next()?;
            let value = self.node(event, line, depth + 1)?;
            match (&*key, value.content) {
                ("<<", Content::Map(more)) => merged.extend(more),
                ("<<", Content::List(items)) => {
                    let maps = items.into_iter().filter_map(|item| match item.content {
                        Content::Map(more) => Some(more),
                        Content::Text(..) | Content::List(_) => None,
                    });
                    merged.extend(maps.flatten());
                }
                (_, content) => fields.push((key, Node { content, ..value })),
            }
        }
    }

    fn count(&mut self, values: usize, line: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        match self.values <= VALUES_LIMIT {
            true => Ok(()),
            false => Err(format!("{line}: it has more than {VALUES_LIMIT} values")),
        }
    }
}

/// Adds what a mapping merges (`<<`) and does not have itself; the first has priority.
fn merge(fields: &mut Vec<(String, Node)>, merged: Vec<(String, Node)>) {
    for (key, node) in merged {
        if !fields.iter().any(|(known, _)| *known == key) {
            fields.push((key, node));
        }
    }
}
