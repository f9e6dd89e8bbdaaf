//! `docs/parameters.schema.json` against the code: the same fields, and the same verdicts.

use landfall_core::request::{Draft, FIELDS, Parameters};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn schema() -> Value {
    schema_of("docs/parameters.schema.json")
}

/// The schema in a file.
pub fn schema_of(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Whether a value is as a schema says, by the keywords that ours has. An unknown one is a fault of
/// this test.
pub fn fits(schema: &Value, value: &Value) -> bool {
    schema
        .as_object()
        .unwrap()
        .iter()
        .all(|(keyword, rule)| match keyword.as_str() {
            "$schema" | "$id" | "title" | "description" | "default" | "examples" => true,
            "type" => {
                let types = rule
                    .as_array()
                    .cloned()
                    .unwrap_or_else(|| vec![rule.clone()]);
                types.iter().any(|name| is(value, name.as_str().unwrap()))
            }
            "enum" => rule.as_array().unwrap().contains(value),
            "anyOf" => rule
                .as_array()
                .unwrap()
                .iter()
                .any(|schema| fits(schema, value)),
            "required" => {
                let names = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|name| name.as_str().unwrap());
                value
                    .as_object()
                    .is_none_or(|fields| names.into_iter().all(|it| fields.contains_key(it)))
            }
            "properties" => value
                .as_object()
                .into_iter()
                .flatten()
                .all(|(name, value)| rule.get(name).is_none_or(|schema| fits(schema, value))),
            "additionalProperties" => {
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .all(|(name, value)| {
                        schema["properties"].get(name).is_some()
                            || if rule.is_object() {
                                fits(rule, value)
                            } else {
                                rule == true
                            }
                    })
            }
            "format" => value
                .as_str()
                .is_none_or(|it| rule == "date-time" && it.parse::<jiff::Timestamp>().is_ok()),
            "propertyNames" | "pattern" => matches(rule, value),
            "minProperties" => value
                .as_object()
                .is_none_or(|it| it.len() as u64 >= rule.as_u64().unwrap()),
            "minLength" => value
                .as_str()
                .is_none_or(|it| it.len() as u64 >= rule.as_u64().unwrap()),
            "maxLength" => value
                .as_str()
                .is_none_or(|it| it.len() as u64 <= rule.as_u64().unwrap()),
            "items" => {
                let items = value.as_array().into_iter().flatten();
                items.into_iter().all(|item| fits(rule, item))
            }
            "minItems" => value
                .as_array()
                .is_none_or(|it| it.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|it| it.len() as u64 <= rule.as_u64().unwrap()),
            "minimum" => value.as_i64().is_none_or(|it| it >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|it| it <= rule.as_i64().unwrap()),
            other => panic!("the test does not know `{other}`"),
        })
}

/// The patterns that there are.
fn matches(rule: &Value, value: &Value) -> bool {
    match rule
        .get("pattern")
        .or(Some(rule))
        .and_then(Value::as_str)
        .unwrap()
    {
        "^([0-9]+[smh])+$" => value.as_str().is_none_or(|text| {
            let parts = text.split_inclusive(['s', 'm', 'h']).collect::<Vec<_>>();
            let is_part = |part: &&str| {
                let digits = part.strip_suffix(['s', 'm', 'h']).unwrap_or_default();
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            };
            !parts.is_empty() && parts.iter().all(is_part)
        }),
        "^[A-Za-z_][A-Za-z0-9_]*$" => value.as_object().is_none_or(|fields| {
            fields.keys().all(|name| {
                let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                !name.is_empty()
                    && name.bytes().all(inner)
                    && !name.starts_with(|first: char| first.is_ascii_digit())
            })
        }),
        "^[A-Za-z0-9]([-A-Za-z0-9._/:]*[A-Za-z0-9])?$" => value.as_object().is_none_or(|fields| {
            fields.keys().all(|name| {
                let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:".contains(&byte);
                let ends = |end: char| end.is_ascii_alphanumeric();
                name.bytes().all(inner) && name.starts_with(ends) && name.ends_with(ends)
            })
        }),
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" => value.as_object().is_none_or(|fields| {
            fields.keys().all(|name| {
                let inner =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                !name.is_empty()
                    && name.bytes().all(inner)
                    && !name.starts_with('-')
                    && !name.ends_with('-')
            })
        }),
        "^(httproute|ingress)/[-a-z0-9.]+$" => value.as_str().is_none_or(|text| {
            let is_name = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)
            };
            let parts = text.split_once('/');
            parts.is_some_and(|(kind, name)| {
                let is_kind = ["httproute", "ingress"].contains(&kind);
                is_kind && !name.is_empty() && name.bytes().all(is_name)
            })
        }),
        "^[A-Za-z.]+/[-a-z0-9.]+$" => value.as_str().is_none_or(|text| {
            let parts = text.split_once('/');
            let is_kind = |byte: u8| byte.is_ascii_alphabetic() || byte == b'.';
            let is_name = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)
            };
            parts.is_some_and(|(kind, name)| {
                let whole = !kind.is_empty() && !name.is_empty();
                whole && kind.bytes().all(is_kind) && name.bytes().all(is_name)
            })
        }),
        other => panic!("the test does not know the pattern {other}"),
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the test does not know the type {other}"),
    }
}

/// The fields of which the code finds fault.
fn faults(parameters: &Value) -> Vec<String> {
    match Draft::read(&Parameters::Text(parameters.to_string())) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|fault| fault.field).collect(),
    }
}

/// Parameters in which a field may stand, whatever it needs beside it.
fn around(field: &str, value: &Value) -> Value {
    let mut parameters = match field {
        "manifests" | "release" | "namespaces" | "prune" | "force" => json!({"manifests": "k8s"}),
        "workload" => json!({"restart": true}),
        "to" => json!({"deployment": "web", "mode": "rollback", "execution": "run-1"}),
        "mode" if value.as_str().is_some_and(|mode| mode.ends_with("ollback")) => {
            json!({"deployment": "web", "execution": "run-1"})
        }
        _ => json!({"deployment": "web", "restart": true}),
    };
    match field {
        "service" | "smoke" | "handover" | "keep" => {
            parameters["strategy"] = json!("immutable");
            parameters["service"] = json!("web");
        }
        "steps" | "route" => {
            parameters["strategy"] = json!("canary");
            parameters["service"] = json!("web");
            parameters["steps"] = json!([10]);
            parameters["route"] = json!("httproute/web");
        }
        "container" => parameters["env"] = json!({"A": "1"}),
        "variables" => parameters["manifest"] = json!("a.yaml"),
        "method" if value == "put" => parameters["manifest"] = json!("a.yaml"),
        _ => {}
    }
    parameters[field] = value.clone();
    parameters
}

#[test]
fn the_schema_has_the_fields_of_the_code() {
    let schema = schema();
    let properties = schema["properties"].as_object().unwrap();
    for field in FIELDS {
        assert!(properties.contains_key(field), "the schema lacks {field}");
    }
    assert_eq!(properties.len(), FIELDS.len());
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/parameters.md");
    let page = fs::read_to_string(page).unwrap();
    for field in FIELDS {
        assert!(
            page.contains(&format!("| `{field}` |")),
            "docs/parameters.md lacks {field}"
        );
    }
}

#[test]
fn schema_and_code_agree_on_every_field() {
    let schema = schema();
    let long = "x".repeat(500);
    let odd = [
        json!(null),
        json!(7),
        json!(-1),
        json!(2.5),
        json!(true),
        json!(""),
        json!([]),
        json!({}),
        json!(["a"]),
        json!({"a": 1}),
        json!(long),
        json!({"1-": "x"}),
    ];
    for field in FIELDS {
        let rule = &schema["properties"][field];
        let examples = rule["examples"]
            .as_array()
            .unwrap_or_else(|| panic!("{field}: no example"));
        for value in odd.iter().chain(examples) {
            let parameters = around(field, value);
            let found = faults(&parameters);
            let refused = found
                .iter()
                .any(|it| it.split(['.', '[']).next() == Some(field));
            let is_fit = fits(rule, value);
            assert_eq!(is_fit, !refused, "schema, code: {field} {value}: {found:?}");
            assert_eq!(fits(&schema, &parameters), is_fit, "{parameters}");
            assert!(
                !examples.contains(value) || found.is_empty(),
                "{parameters}: {found:?}"
            );
        }
    }
}

#[test]
fn the_events_have_parameters_by_the_schema() {
    let schema = schema();
    let mut checked = 0;
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    for entry in fs::read_dir(events).unwrap() {
        let path = entry.unwrap().path();
        let event: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let data = &event["CodePipeline.job"]["data"];
        let text = &data["actionConfiguration"]["configuration"]["UserParameters"];
        let Some(parameters) = text
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
        else {
            continue;
        };
        let parameters: Value = parameters;
        if !parameters.is_object() {
            continue;
        }
        checked += 1;
        let (is_fit, found) = (fits(&schema, &parameters), faults(&parameters));
        assert!(is_fit || !found.is_empty(), "{}", path.display());
        assert!(
            !is_fit || found.is_empty() || path.ends_with("wrong.json"),
            "{path:?}: {found:?}"
        );
    }
    assert!(checked > 8);
}
