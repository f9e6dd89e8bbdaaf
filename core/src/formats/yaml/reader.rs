//! From the parser's events to values, within a budget.

use super::budget::{Budget, DEPTH_LIMIT, MAPPING_VALUES, YamlError, too_many};
use super::held::{Field, Fields, Reduce};
use super::scalar::{scalar_value, unknown};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

pub(super) struct Reader<'a, 'r> {
    parser: Parser<'a, StrInput<'a>>,
    line: usize,
    budget: Budget,
    anchors: HashMap<usize, Anchored>,
    reduce: Option<Reduce<'r>>,
}

/// A value that aliases may stand for, and what it counts. One that was not read is null: only what
/// is not read either can have an alias for it.
struct Anchored {
    value: Value,
    values: usize,
    text: usize,
}

impl<'a, 'r> Reader<'a, 'r> {
    pub(super) fn new(text: &'a str, reduce: Option<Reduce<'r>>) -> Reader<'a, 'r> {
        Reader {
            parser: Parser::new_from_str(text),
            line: 1,
            budget: Budget::FULL,
            anchors: HashMap::new(),
            reduce,
        }
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> YamlError {
        YamlError {
            line: self.line,
            problem: problem.into(),
        }
    }

    /// The next document; `None` after the last one.
    pub(super) fn document(&mut self) -> Result<Option<Value>, YamlError> {
        loop {
            match self.next()? {
                Event::StreamEnd => return Ok(None),
                Event::DocumentStart(_) => break,
                Event::Nothing
                | Event::StreamStart
                | Event::DocumentEnd
                | Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..)
                | Event::MappingEnd => {}
            }
        }
        self.anchors.clear();
        self.budget = Budget::FULL;
        let event = self.next()?;
        match (event, self.reduce.is_some()) {
            (Event::MappingStart(0, None), true) => self.object(0, true).map(Some),
            (event, _) => self.value(event, 0).map(Some),
        }
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
                Err(self.error(format!("is no valid YAML: {}", error.info())))
            }
        }
    }

    fn count(&mut self, values: usize, text: usize) -> Result<(), YamlError> {
        let left = self.budget.without(values, text);
        self.budget = left.ok_or_else(|| too_many(self.line))?;
        Ok(())
    }

    /// The value that an event begins.
    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Value, YamlError> {
        self.depth(depth)?;
        let before = self.budget;
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor),
            Event::Scalar(scalar, style, anchor, tag) => {
                self.count(1, scalar.len())?;
                let tag = tag.as_deref();
                let value = scalar_value(scalar, style, tag).map_err(|why| self.error(why))?;
                (anchor, value)
            }
            Event::SequenceStart(anchor, tag) => {
                self.count(1, 0)?;
                self.plain_tag(tag.as_deref(), "seq")?;
                (anchor, self.sequence(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.count(MAPPING_VALUES, 0)?;
                self.plain_tag(tag.as_deref(), "map")?;
                (anchor, self.mapping(depth)?)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(self.error("ends too early")),
        };
        if anchor != 0 {
            let values = before.values - self.budget.values;
            let text = before.text - self.budget.text;
            // It is kept beside its first place, and so counts twice.
            self.count(values, text)?;
            let anchored = Anchored {
                value: value.clone(),
                values,
                text,
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(value)
    }

    fn depth(&self, depth: usize) -> Result<(), YamlError> {
        match depth > DEPTH_LIMIT {
            true => Err(self.error(format!("is nested deeper than {DEPTH_LIMIT} levels"))),
            false => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize) -> Result<Value, YamlError> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(self.error("has an alias for something that it is a part of"));
        };
        let (values, text) = (anchored.values, anchored.text);
        self.count(values, text)?;
        Ok(self.anchors[&anchor].value.clone())
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            items.push(self.value(event, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut fields = Map::new();
        let mut merged = Vec::new();
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merges = is_merge(&event);
            let key = self.value(event, depth + 1)?;
            let key = self.key(key)?;
            let line = self.line;
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            if merges {
                merged.push(value);
            } else if fields.contains_key(&key) {
                return Err(twice(line, &key));
            } else {
                fields.insert(key, value);
            }
        }
        self.merge(&mut fields, merged)?;
        Ok(Value::Object(fields))
    }

    fn merge(&self, fields: &mut Map<String, Value>, merged: Vec<Value>) -> Result<(), YamlError> {
        for source in merged {
            let sources = match source {
                Value::Array(sources) => sources,
                one @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Object(_)) => vec![one],
            };
            for source in sources {
                let Value::Object(source) = source else {
                    return Err(self.error("merges (`<<`) something that is no mapping"));
                };
                for (key, value) in source {
                    fields.entry(key).or_insert(value);
                }
            }
        }
        Ok(())
    }

    /// An object of Kubernetes, or with `may_have_items` a list of them. What nobody asks for is
    /// read for its faults alone, and holds nothing.
    fn object(&mut self, depth: usize, may_have_items: bool) -> Result<Value, YamlError> {
        self.count(MAPPING_VALUES, 0)?;
        let mut kinds = Fields {
            may_have_items,
            ..Fields::default()
        };
        let mut fields = Map::new();
        let mut unread = BTreeSet::new();
        let mut merged = Vec::new();
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merges = is_merge(&event);
            let key = self.value(event, depth + 1)?;
            let key = self.key(key)?;
            let line = self.line;
            let event = self.next()?;
            if !merges && (fields.contains_key(&key) || unread.contains(&key)) {
                return Err(twice(line, &key));
            }
            match (kinds.of(&key), event) {
                (Field::Unread, event) => {
                    self.skim(event, depth + 1)?;
                    unread.insert(key);
                }
                (Field::Items, Event::SequenceStart(0, None)) => {
                    fields.insert(key, self.items(depth + 1)?);
                }
                (Field::Items | Field::Held, event) => {
                    let value = self.value(event, depth + 1)?;
                    kinds.saw(&key, &value);
                    match merges {
                        true => merged.push(value),
                        false => _ = fields.insert(key, value),
                    }
                }
            }
        }
        self.merge(&mut fields, merged)?;
        let object = Value::Object(fields);
        let is_list = may_have_items && object["kind"] == "List" && object["items"].is_array();
        Ok(match &mut self.reduce {
            Some(reduce) if !is_list => reduce(object),
            Some(_) | None => object,
        })
    }

    /// The objects of a list, each within a budget of its own.
    fn items(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        let budget = self.budget;
        loop {
            self.budget = budget;
            let event = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            items.push(match matches!(event, Event::MappingStart(0, None)) {
                true => self.object(depth, false)?,
                false => self.value(event, depth)?,
            });
        }
    }

    /// Reads past a value; what is wrong with it is told, as if it were kept.
    fn skim(&mut self, event: Event<'a>, depth: usize) -> Result<(), YamlError> {
        self.depth(depth)?;
        let anchor = match event {
            Event::Alias(anchor) if self.anchors.contains_key(&anchor) => return Ok(()),
            Event::Alias(_) => {
                return Err(self.error("has an alias for something that it is a part of"));
            }
            Event::Scalar(scalar, style, anchor, tag) => {
                scalar_value(scalar, style, tag.as_deref()).map_err(|why| self.error(why))?;
                anchor
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain_tag(tag.as_deref(), "seq")?;
                let mut event = self.next()?;
                while event != Event::SequenceEnd {
                    self.skim(event, depth + 1)?;
                    event = self.next()?;
                }
                anchor
            }
            Event::MappingStart(anchor, tag) => {
                self.plain_tag(tag.as_deref(), "map")?;
                self.skim_mapping(depth)?;
                anchor
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(self.error("ends too early")),
        };
        if anchor != 0 {
            let nothing = Anchored {
                value: Value::Null,
                values: 1,
                text: 0,
            };
            self.anchors.insert(anchor, nothing);
        }
        Ok(())
    }

    fn skim_mapping(&mut self, depth: usize) -> Result<(), YamlError> {
        let mut keys = BTreeSet::new();
        let budget = self.budget;
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                self.budget = budget;
                return Ok(());
            }
            let merges = is_merge(&event);
            let key = self.value(event, depth + 1)?;
            let key = self.key(key)?;
            if keys.contains(&key) && !merges {
                return Err(twice(self.line, &key));
            }
            keys.insert(key);
            let event = self.next()?;
            self.skim(event, depth + 1)?;
        }
    }

    fn key(&self, key: Value) -> Result<String, YamlError> {
        match key {
            Value::String(key) => Ok(key),
            Value::Bool(key) => Ok(key.to_string()),
            Value::Number(key) => Ok(key.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(self.error("has a key that is no text"))
            }
        }
    }

    fn plain_tag(&self, tag: Option<&Tag>, expected: &str) -> Result<(), YamlError> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => {
                Err(self.error(unknown(tag)))
            }
            _ => Ok(()),
        }
    }
}

fn is_merge(key: &Event<'_>) -> bool {
    matches!(key, Event::Scalar(key, ScalarStyle::Plain, _, None) if key == "<<")
}

fn twice(line: usize, key: &str) -> YamlError {
    YamlError {
        line,
        problem: format!("has `{key}` twice in one place"),
    }
}
