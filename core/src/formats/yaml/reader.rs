//! Builds values from the parser's events, within a budget.

use super::budget::{Budget, DEPTH_LIMIT, MAPPING_VALUES, YamlError, too_many};
use super::held::{Field, Fields, Objects, is_list};
use super::scalar::{scalar_value, unknown};
use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Value};
use std::collections::HashMap;

pub(super) struct Reader<'a, 'r> {
    parser: Parser<'a, StrInput<'a>>,
    line: usize,
    budget: Budget,
    anchors: HashMap<usize, Anchored>,
    objects: Option<Objects<'r>>,
    /// The line in which the current document's value begins.
    begin: usize,
    /// Whether the current value is only checked for faults and not kept.
    is_unread: bool,
}

/// A value with an anchor, and its size. A value that was not read is null: only other unread
/// values can refer to it.
struct Anchored {
    value: Value,
    values: usize,
    text: usize,
}

impl<'a, 'r> Reader<'a, 'r> {
    pub(super) fn new(text: &'a str, objects: Option<Objects<'r>>) -> Reader<'a, 'r> {
        Reader {
            parser: Parser::new_from_str(text),
            line: 1,
            budget: Budget::FULL,
            anchors: HashMap::new(),
            objects,
            begin: 1,
            is_unread: false,
        }
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> YamlError {
        YamlError {
            line: self.line,
            problem: problem.into(),
            duplicate: None,
        }
    }

    /// Reads the next document; `None` after the last one.
    pub(super) fn document(&mut self) -> Result<Option<Value>, YamlError> {
        loop {
            let event = self.next()?;
            if event == Event::StreamEnd {
                return Ok(None);
            }
            if matches!(event, Event::DocumentStart(..)) {
                break;
            }
        }
        self.anchors.clear();
        self.budget = Budget::FULL;
        let event = self.next()?;
        self.begin = self.line;
        match (event, self.objects.is_some()) {
            (Event::MappingStart(_, 0, None), true) => self.object(0, true).map(Some),
            (event, _) => self.value(event, 0).map(Some),
        }
    }

    /// The line in which the value of the last document begins, counted from one.
    pub(super) fn begin(&self) -> usize {
        self.begin
    }

    fn next(&mut self) -> Result<Event<'a>, YamlError> {
        match self.parser.next_event() {
            None => Ok(Event::StreamEnd),
            Some(Ok((event, span))) => {
                let span: Span = span;
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => {
                let error: ScanError = error;
                self.line = error.marker().line();
                Err(self.error(format!("is not valid YAML: {}", error.info())))
            }
        }
    }

    fn count(&mut self, values: usize, text: usize) -> Result<(), YamlError> {
        if !self.is_unread {
            let left = self.budget.without(values, text);
            self.budget = left.ok_or_else(|| too_many(self.line))?;
        }
        Ok(())
    }

    /// Builds the value that an event begins.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser may get more kinds of events; it tells the new ones only if asked to"
    )]
    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Value, YamlError> {
        if depth > DEPTH_LIMIT {
            return Err(self.error(format!("is nested deeper than {DEPTH_LIMIT} levels")));
        }
        let before = self.budget;
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor),
            Event::Scalar(scalar, style, anchor, tag) => {
                self.count(1, scalar.len())?;
                let tag = tag.as_deref();
                let value = scalar_value(scalar, style, tag).map_err(|why| self.error(why))?;
                (anchor, value)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.count(1, 0)?;
                self.plain_tag(tag.as_deref(), "seq")?;
                (anchor, self.sequence(depth)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.plain_tag(tag.as_deref(), "map")?;
                (anchor, self.mapping(depth, None)?)
            }
            _ => return Err(self.error("ends too early")),
        };
        if anchor != 0 {
            self.anchor(anchor, &value, before)?;
        }
        Ok(value)
    }

    /// Keeps a value for its aliases, in addition to its first place: it counts twice.
    fn anchor(&mut self, anchor: usize, value: &Value, before: Budget) -> Result<(), YamlError> {
        let values = before.values - self.budget.values;
        let text = before.text - self.budget.text;
        self.count(values, text)?;
        let value = match self.is_unread {
            true => Value::Null,
            false => value.clone(),
        };
        let anchored = Anchored {
            value,
            values,
            text,
        };
        self.anchors.insert(anchor, anchored);
        Ok(())
    }

    fn alias(&mut self, anchor: usize) -> Result<Value, YamlError> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(self.error("has an alias for something that it is a part of"));
        };
        if self.is_unread {
            return Ok(Value::Null);
        }
        let (values, text) = (anchored.values.max(1), anchored.text);
        self.count(values, text)?;
        Ok(self.anchors[&anchor].value.clone())
    }

    /// Reads a value without keeping it, but reports its faults.
    fn unread(&mut self, event: Event<'a>, depth: usize) -> Result<(), YamlError> {
        let before = std::mem::replace(&mut self.is_unread, true);
        self.value(event, depth)?;
        self.is_unread = before;
        Ok(())
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            let item = self.value(event, depth + 1)?;
            if !self.is_unread {
                items.push(item);
            }
        }
    }

    /// Reads a mapping. With `kinds` it is an object, some of whose fields are not kept.
    fn mapping(&mut self, depth: usize, mut kinds: Option<Fields<'r>>) -> Result<Value, YamlError> {
        self.count(MAPPING_VALUES, 0)?;
        let budget = self.budget;
        let mut fields = Map::new();
        let mut merged = Map::new();
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merges = is_merge(&event);
            let key = self.key(event, depth + 1)?;
            if !merges && fields.contains_key(&key) {
                let mut error = self.error(format!("has `{key}` twice in one place"));
                error.duplicate = Some(key);
                return Err(error);
            }
            let field = kinds.as_ref().map_or(Field::Held, |kinds| kinds.of(&key));
            let value = match (field, self.next()?) {
                (Field::Unread, event) => {
                    self.unread(event, depth + 1)?;
                    Value::Null
                }
                (Field::Items, Event::SequenceStart(_, 0, None)) => self.items(depth + 1)?,
                (Field::Items | Field::Held, event) => self.value(event, depth + 1)?,
            };
            if let Some(kinds) = &mut kinds {
                kinds.saw(&key, &value);
            }
            match merges {
                // The merged fields of an unread merge are not needed.
                true if field == Field::Unread || self.is_unread => {}
                true => self.merge(value, &mut fields, &mut merged)?,
                false if self.is_unread => _ = fields.insert(key, Value::Null),
                false => _ = fields.insert(key, value),
            }
        }
        if self.is_unread {
            // The keys were kept only to detect duplicates.
            self.budget = budget;
            return Ok(Value::Null);
        }
        for (key, value) in merged {
            fields.entry(key).or_insert(value);
        }
        Ok(Value::Object(fields))
    }

    /// Merges (`<<`) a mapping, or several, of which the first has priority. As in `kubectl`, the
    /// merge overrides the fields before it, and the fields after it override the merge.
    fn merge(
        &self,
        source: Value,
        fields: &mut Map<String, Value>,
        merged: &mut Map<String, Value>,
    ) -> Result<(), YamlError> {
        let sources = match source {
            Value::Array(sources) => sources,
            one @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => vec![one],
        };
        for source in sources.into_iter().rev() {
            let Value::Object(source) = source else {
                return Err(self.error("merges (`<<`) something that is not a mapping"));
            };
            for (key, value) in source {
                match fields.get_mut(&key) {
                    Some(field) => *field = value,
                    None => _ = merged.insert(key, value),
                }
            }
        }
        Ok(())
    }

    /// Reads a Kubernetes object, or, with `may_have_items`, a list of objects.
    fn object(&mut self, depth: usize, may_have_items: bool) -> Result<Value, YamlError> {
        let line = self.line;
        let keeps_all = matches!(self.objects, Some(Objects::All(_)));
        let kinds = Fields {
            kind: match &self.objects {
                Some(Objects::Only(kind, _)) => kind,
                Some(Objects::All(_)) | None => "",
            },
            is_other: false,
            may_have_items,
            keeps_all,
        };
        let object = self.mapping(depth, Some(kinds))?;
        let kind = object["kind"].as_str().unwrap_or_default();
        let is_list = may_have_items && is_list(kind) && object["items"].is_array();
        match &mut self.objects {
            Some(Objects::Only(_, reduce)) if !is_list => Ok(reduce(object)),
            Some(Objects::All(pack)) if !may_have_items => {
                pack(object, line).map_err(|problem| self.error(problem))
            }
            Some(_) | None => Ok(object),
        }
    }

    /// Reads the objects of a list, each with its own budget.
    fn items(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        let budget = self.budget;
        loop {
            self.budget = budget;
            let event = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            items.push(match matches!(event, Event::MappingStart(_, 0, None)) {
                true => self.object(depth, false)?,
                false => self.value(event, depth)?,
            });
        }
    }

    /// Reads a key, which is kept even if its value is not.
    fn key(&mut self, event: Event<'a>, depth: usize) -> Result<String, YamlError> {
        let before = std::mem::replace(&mut self.is_unread, false);
        let key = self.value(event, depth)?;
        self.is_unread = before;
        match key {
            Value::String(key) => Ok(key),
            Value::Bool(key) => Ok(key.to_string()),
            Value::Number(key) => Ok(key.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(self.error("has a key that is not a text"))
            }
        }
    }

    fn plain_tag(&self, tag: Option<&Tag>, expected: &str) -> Result<(), YamlError> {
        match tag {
            Some(tag) if tag.core_suffix() != Some(expected) => Err(self.error(unknown(tag))),
            _ => Ok(()),
        }
    }
}

fn is_merge(key: &Event<'_>) -> bool {
    matches!(key, Event::Scalar(key, ScalarStyle::Plain, _, None) if key == "<<")
}
