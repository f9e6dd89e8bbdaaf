//! JSON is read as JSON: YAML knows no surrogate pairs. Its depth is limited by serde.

use super::budget::{
    Budget, DOCUMENTS_LIMIT, MAPPING_VALUES, YamlError, too_many, too_many_documents,
};
use super::held::{Field, Fields, Reduce};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Whether a text is JSON, and where it is not.
pub(super) fn syntax(text: &str) -> Result<(), YamlError> {
    for document in serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>() {
        document.map_err(|cause| told(&cause))?;
    }
    Ok(())
}

fn told(cause: &serde_json::Error) -> YamlError {
    let what = cause.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    YamlError {
        line: cause.line(),
        problem: format!("is neither valid JSON nor YAML: {what}"),
    }
}

pub(super) fn read(
    text: &str,
    mut reduce: Option<Reduce<'_>>,
    mut take: impl FnMut(Value),
) -> Result<(), YamlError> {
    let error = |line, problem: String| YamlError { line, problem };
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut documents = 0;
    while reader.end().is_err() {
        let mut budget = Budget::FULL;
        let seed = Seed {
            budget: &mut budget,
            reduce: reduce.as_mut().map(|reduce| &mut **reduce as Reduce<'_>),
            place: Place::Document,
        };
        let document =
            seed.deserialize(&mut reader)
                .map_err(|cause: serde_json::Error| match cause.classify() {
                    serde_json::error::Category::Data => too_many(cause.line().max(1)),
                    serde_json::error::Category::Io
                    | serde_json::error::Category::Syntax
                    | serde_json::error::Category::Eof => told(&cause),
                })?;
        documents += 1;
        if documents > DOCUMENTS_LIMIT {
            return Err(error(1, too_many_documents()));
        }
        take(document);
    }
    match crate::formats::json::repeated(text) {
        Some(key) => Err(error(1, format!("has `{key}` twice"))),
        None => Ok(()),
    }
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Document,
    Items,
    Item,
    Within,
}

/// Builds a value within a budget.
struct Seed<'b, 'r> {
    budget: &'b mut Budget,
    reduce: Option<Reduce<'r>>,
    place: Place,
}

impl Seed<'_, '_> {
    fn count<E: Error>(&mut self, values: usize, text: usize) -> Result<(), E> {
        *self.budget = self
            .budget
            .without(values, text)
            .ok_or_else(|| E::custom("too much"))?;
        Ok(())
    }

    /// To build a value that stands in this one.
    fn within(&mut self, place: Place) -> Seed<'_, '_> {
        Seed {
            budget: self.budget,
            reduce: self
                .reduce
                .as_mut()
                .map(|reduce| &mut **reduce as Reduce<'_>),
            place,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Value;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.count(MAPPING_VALUES, 0)?;
        let is_object =
            self.reduce.is_some() && matches!(self.place, Place::Document | Place::Item);
        let mut kinds = Fields {
            may_have_items: self.place == Place::Document,
            ..Fields::default()
        };
        let mut fields = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.count(1, key.len())?;
            let field = match is_object {
                true => kinds.of(&key),
                false => Field::Held,
            };
            let value = match field {
                Field::Unread => {
                    entries.next_value::<IgnoredAny>()?;
                    continue;
                }
                Field::Items => entries.next_value_seed(self.within(Place::Items))?,
                Field::Held => entries.next_value_seed(self.within(Place::Within))?,
            };
            kinds.saw(&key, &value);
            fields.insert(key, value);
        }
        let object = Value::Object(fields);
        let is_list = kinds.may_have_items && object["kind"] == "List";
        Ok(match &mut self.reduce {
            Some(reduce) if is_object && !(is_list && object["items"].is_array()) => reduce(object),
            Some(_) | None => object,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.count(1, 0)?;
        let place = match self.place {
            Place::Items => Place::Item,
            Place::Document | Place::Item | Place::Within => Place::Within,
        };
        let mut items = Vec::new();
        let budget = *self.budget;
        while let Some(item) = entries.next_element_seed(self.within(place))? {
            if place == Place::Item {
                *self.budget = budget;
            }
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<Value, E> {
        self.count(1, text.len())?;
        Ok(text.into())
    }

    fn visit_string<E: Error>(mut self, text: String) -> Result<Value, E> {
        self.count(1, text.len())?;
        Ok(text.into())
    }

    fn visit_bool<E: Error>(mut self, is: bool) -> Result<Value, E> {
        self.count(1, 0)?;
        Ok(is.into())
    }

    fn visit_i64<E: Error>(mut self, number: i64) -> Result<Value, E> {
        self.count(1, 0)?;
        Ok(number.into())
    }

    fn visit_u64<E: Error>(mut self, number: u64) -> Result<Value, E> {
        self.count(1, 0)?;
        Ok(number.into())
    }

    fn visit_f64<E: Error>(mut self, number: f64) -> Result<Value, E> {
        self.count(1, 0)?;
        Ok(number.into())
    }

    fn visit_unit<E: Error>(mut self) -> Result<Value, E> {
        self.count(1, 0)?;
        Ok(Value::Null)
    }
}
