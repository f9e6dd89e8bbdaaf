//! Label and field selectors, from a query or from a spec.

use crate::world::object::{list, map, text};
use serde_json::Value;

/// A label selector: all requirements must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels(Vec<Requirement>);

#[derive(Clone, Debug)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
    Above(String, i64),
    Below(String, i64),
}

impl Labels {
    /// Parses a query: `app=web,tier!=db,env in (a,b),!old,key`.
    pub(crate) fn parse(text: &str) -> Result<Labels, String> {
        let tokens = tokens(text);
        let mut reader = Reader { tokens, at: 0 };
        reader.all().map(Labels)
    }

    /// Reads a spec's `matchLabels` and `matchExpressions`.
    pub(crate) fn of_spec(selector: &Value) -> Labels {
        let equal = map(selector, "/matchLabels").into_iter().flatten();
        let mut all: Vec<Requirement> = equal
            .map(|(key, value)| Requirement::In(key.clone(), vec![string(value)]))
            .collect();
        for expression in list(selector, "/matchExpressions") {
            let key = text(expression, "/key").to_owned();
            let values = list(expression, "/values").iter().map(string).collect();
            all.push(match text(expression, "/operator") {
                "In" => Requirement::In(key, values),
                "NotIn" => Requirement::NotIn(key, values),
                "Exists" => Requirement::Exists(key),
                _ => Requirement::Missing(key),
            });
        }
        Labels(all)
    }

    /// Reads a Service's selector, a plain map.
    pub(crate) fn of_map(selector: &Value) -> Labels {
        let equal = selector.as_object().into_iter().flatten();
        Labels(
            equal
                .map(|(key, value)| Requirement::In(key.clone(), vec![string(value)]))
                .collect(),
        )
    }

    pub(crate) fn match_object(&self, object: &Value) -> bool {
        self.match_labels(&object["metadata"]["labels"])
    }

    pub(crate) fn match_labels(&self, labels: &Value) -> bool {
        let value = |key: &String| labels.get(key).and_then(Value::as_str);
        let number = |key: &String| value(key)?.parse::<i64>().ok();
        let has = |key, values: &[String]| {
            value(key).is_some_and(|label| values.iter().any(|value| value == label))
        };
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => has(key, values),
            Requirement::NotIn(key, values) => !has(key, values),
            Requirement::Exists(key) => value(key).is_some(),
            Requirement::Missing(key) => value(key).is_none(),
            Requirement::Above(key, least) => number(key).is_some_and(|label| label > *least),
            Requirement::Below(key, most) => number(key).is_some_and(|label| label < *most),
        })
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Splits into words and signs; white space separates them.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_sign = matches!(letter, '=' | '!' | '(' | ')' | ',' | '<' | '>');
        if !is_sign && !letter.is_whitespace() {
            word.push(letter);
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        if is_sign {
            let mut sign = letter.to_string();
            if matches!(letter, '=' | '!') && letters.peek() == Some(&'=') {
                sign.extend(letters.next());
            }
            tokens.push(sign);
        }
    }
    tokens.extend(Some(word).filter(|word| !word.is_empty()));
    tokens
}

fn is_word(token: &str) -> bool {
    !token.is_empty() && !token.starts_with(['=', '!', '(', ')', ',', '<', '>'])
}

/// Parses a selector, with the error messages of the server's parser.
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/labels/selector.go>
struct Reader {
    tokens: Vec<String>,
    at: usize,
}

impl Reader {
    fn look(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn take(&mut self) -> String {
        let token = self.look().to_owned();
        self.at += 1;
        token
    }

    fn all(&mut self) -> Result<Vec<Requirement>, String> {
        let mut all = Vec::new();
        while !self.look().is_empty() {
            if self.look() != "!" && !is_word(self.look()) {
                let found = self.look();
                return Err(format!(
                    "found '{found}', expected: !, identifier, or 'end of string'"
                ));
            }
            let requirement = self.requirement();
            all.push(requirement.map_err(|why| format!("unable to parse requirement: {why}"))?);
            match self.take().as_str() {
                "" => break,
                "," if is_word(self.look()) || self.look() == "!" => {}
                "," => {
                    let found = self.look();
                    return Err(format!("found '{found}', expected: identifier after ','"));
                }
                found => return Err(format!("found '{found}', expected: ',' or 'end of string'")),
            }
        }
        Ok(all)
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let missing = self.look() == "!";
        self.at += usize::from(missing);
        let key = self.take();
        if !is_word(&key) {
            return Err(format!("found '{key}', expected: identifier"));
        }
        if missing {
            return Ok(Requirement::Missing(key));
        }
        if matches!(self.look(), "" | ",") {
            return Ok(Requirement::Exists(key));
        }
        match self.take().as_str() {
            "=" | "==" => Ok(Requirement::In(key, vec![self.value()])),
            "!=" => Ok(Requirement::NotIn(key, vec![self.value()])),
            "in" => Ok(Requirement::In(key, self.values()?)),
            "notin" => Ok(Requirement::NotIn(key, self.values()?)),
            ">" => Ok(Requirement::Above(key, self.number()?)),
            "<" => Ok(Requirement::Below(key, self.number()?)),
            found => Err(format!(
                "found '{found}', expected: in, notin, =, ==, !=, gt, lt"
            )),
        }
    }

    /// One value, which may be empty.
    fn value(&mut self) -> String {
        if is_word(self.look()) {
            self.take()
        } else {
            String::new()
        }
    }

    fn number(&mut self) -> Result<i64, String> {
        let text = self.value();
        let why = "for 'Gt', 'Lt' operators, the value must be an integer";
        text.parse()
            .map_err(|_| format!("values[0]: Invalid value: \"{text}\": {why}"))
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        let open = self.take();
        if open != "(" {
            return Err(format!("found '{open}' expected: '('"));
        }
        let mut values = vec![self.value()];
        loop {
            match self.take().as_str() {
                ")" => return Ok(values),
                "," => values.push(self.value()),
                found => return Err(format!("found '{found}', expected: ',' or ')'")),
            }
        }
    }
}

/// A field selector. The server supports `metadata.name` and `metadata.namespace` for every
/// resource, and more fields for events and pods.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String, bool)>);

impl Fields {
    pub(crate) fn parse(resource: &str, text: &str) -> Result<Fields, String> {
        let mut all = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (field, value, equal) = if let Some((field, value)) = part.split_once("!=") {
                (field, value, false)
            } else if let Some((field, value)) = part.split_once("==") {
                (field, value, true)
            } else if let Some((field, value)) = part.split_once('=') {
                (field, value, true)
            } else {
                return Err(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                ));
            };
            if !selectable(resource, field) {
                // Only some kinds have their own fields; the others share one message.
                return Err(match resource {
                    "pods" | "replicasets" | "events" | "services" | "secrets" | "namespaces" => {
                        format!("field label not supported: {field}")
                    }
                    _ => format!(
                        "\"{field}\" is not a known field selector: only \"metadata.name\", \
                         \"metadata.namespace\""
                    ),
                });
            }
            all.push((field.to_owned(), value.to_owned(), equal));
        }
        Ok(Fields(all))
    }

    pub(crate) fn name(&self) -> Option<&str> {
        let name = self
            .0
            .iter()
            .find(|(field, _, equal)| field == "metadata.name" && *equal)?;
        Some(&name.1)
    }

    pub(crate) fn match_object(&self, object: &Value) -> bool {
        self.0.iter().all(|(field, value, equal)| {
            let pointer = format!("/{}", field.replace('.', "/"));
            (text(object, &pointer) == value) == *equal
        })
    }
}

fn selectable(resource: &str, field: &str) -> bool {
    match (resource, field) {
        (_, "metadata.name" | "metadata.namespace") => true,
        ("pods", "spec.nodeName" | "spec.restartPolicy" | "spec.serviceAccountName") => true,
        ("pods", "status.phase" | "status.podIP") => true,
        ("events", "reason" | "type" | "reportingComponent") => true,
        ("events", field) => field.starts_with("involvedObject."),
        ("replicasets", "status.replicas") => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
