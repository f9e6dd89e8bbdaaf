//! Label and field selectors, as they stand in a query or in a spec.

use super::object::{list, map, text};
use serde_json::Value;

/// A label selector: all requirements must hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(Vec<Requirement>);

#[derive(Clone, Debug)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Labels {
    /// From a query: `app=web,tier!=db,env in (a,b),!old,key`.
    pub(super) fn parse(text: &str) -> Result<Labels, String> {
        let parts = split(text)
            .into_iter()
            .map(str::trim)
            .filter(|part| !part.is_empty());
        parts.map(requirement).collect::<Result<_, _>>().map(Labels)
    }

    /// From a spec: `matchLabels` and `matchExpressions`.
    pub(super) fn of_spec(selector: &Value) -> Labels {
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

    /// From a Service's selector, a plain map.
    pub(super) fn of_map(selector: &Value) -> Labels {
        let equal = selector.as_object().into_iter().flatten();
        Labels(
            equal
                .map(|(key, value)| Requirement::In(key.clone(), vec![string(value)]))
                .collect(),
        )
    }

    pub(super) fn match_object(&self, object: &Value) -> bool {
        self.match_labels(object.pointer("/metadata/labels").unwrap_or(&Value::Null))
    }

    pub(super) fn match_labels(&self, labels: &Value) -> bool {
        let value = |key: &String| labels.get(key).and_then(Value::as_str);
        let has = |key, values: &[String]| {
            value(key).is_some_and(|label| values.iter().any(|value| value == label))
        };
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => has(key, values),
            Requirement::NotIn(key, values) => !has(key, values),
            Requirement::Exists(key) => value(key).is_some(),
            Requirement::Missing(key) => value(key).is_none(),
        })
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Splits at the commas that stand outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut open = false;
    text.split(|letter: char| {
        open = (open || letter == '(') && letter != ')';
        letter == ',' && !open
    })
    .collect()
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let owned = |text: &str| text.trim().to_owned();
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(Requirement::NotIn(owned(key), vec![owned(value)]));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Requirement::In(owned(key), vec![owned(value)]));
    }
    if let Some((head, values)) = part.split_once('(') {
        let values = values.trim_end_matches(')').split(',').map(owned).collect();
        let mut words = head.split_whitespace();
        return match (words.next(), words.next()) {
            (Some(key), Some("in")) => Ok(Requirement::In(owned(key), values)),
            (Some(key), Some("notin")) => Ok(Requirement::NotIn(owned(key), values)),
            _ => Err(format!("unable to parse requirement: found '{part}'")),
        };
    }
    match part.strip_prefix('!') {
        Some(key) => Ok(Requirement::Missing(owned(key))),
        None if part.contains(' ') => Err(format!("unable to parse requirement: found '{part}'")),
        None => Ok(Requirement::Exists(owned(part))),
    }
}

/// A field selector; the server knows `metadata.name` and `metadata.namespace` for every resource,
/// and some more for events and pods.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String, bool)>);

impl Fields {
    pub(super) fn parse(resource: &str, text: &str) -> Result<Fields, String> {
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
                return Err(format!("field label not supported: {field}"));
            }
            all.push((field.to_owned(), value.to_owned(), equal));
        }
        Ok(Fields(all))
    }

    pub(super) fn name(&self) -> Option<&str> {
        let name = self
            .0
            .iter()
            .find(|(field, _, equal)| field == "metadata.name" && *equal)?;
        Some(&name.1)
    }

    pub(super) fn match_object(&self, object: &Value) -> bool {
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
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn labels_match_as_the_server_reads_them() {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front"}}});
        let rows = [
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app=web,tier=back", false),
            ("app!=web", false),
            ("colour!=green", true),
            ("app in (web, api),tier notin (back)", true),
            ("app in (api)", false),
            ("app,!colour", true),
            ("colour", false),
            ("", true),
        ];
        for (text, expected) in rows {
            let labels = Labels::parse(text).expect(text);
            assert_eq!(labels.match_object(&object), expected, "{text}");
        }
        assert!(Labels::parse("app is web").is_err());
    }

    #[test]
    fn fields_are_known_or_refused() {
        let object = json!({"metadata": {"name": "web"}});
        let fields = Fields::parse("deployments", "metadata.name=web").expect("known");
        assert!(fields.match_object(&object));
        assert_eq!(fields.name(), Some("web"));
        assert!(
            !Fields::parse("pods", "metadata.name!=web")
                .expect("known")
                .match_object(&object)
        );
        assert!(Fields::parse("deployments", "spec.replicas=2").is_err());
    }
}
