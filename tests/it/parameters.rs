//! `docs/parameters.schema.json` against the code: the same fields, and the same verdicts.

use landfall_core::problem::Fault;
use landfall_core::request::{Draft, FIELDS, Parameters, SCHEMA};
use serde_json::{Map, Value, json};
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

/// Whether a value is as a schema says, by the keywords that ours have. An unknown one is a fault of
/// this test.
pub fn fits(schema: &Value, value: &Value) -> bool {
    let Some(rules) = schema.as_object() else {
        return schema == true;
    };
    rules
        .iter()
        .all(|(keyword, rule)| follows(schema, keyword, rule, value))
}

fn follows(schema: &Value, keyword: &str, rule: &Value, value: &Value) -> bool {
    let rules = || rule.as_array().into_iter().flatten();
    let fields = || value.as_object().into_iter().flatten();
    let items = || value.as_array().into_iter().flatten();
    let limit = rule.as_u64().unwrap_or_default();
    let length = || value.as_str().map(|text| text.chars().count() as u64);
    match keyword {
        "$schema" | "$id" | "$comment" | "title" | "description" | "default" | "examples" => true,
        // By `if`.
        "then" | "else" => true,
        "if" => {
            let next = if fits(rule, value) { "then" } else { "else" };
            schema.get(next).is_none_or(|next| fits(next, value))
        }
        "not" => !fits(rule, value),
        "allOf" => rules().all(|schema| fits(schema, value)),
        "anyOf" => rules().any(|schema| fits(schema, value)),
        "enum" => rules().any(|one| one == value),
        "type" => match rule {
            Value::Array(names) => names.iter().any(|name| is(value, name.as_str().unwrap())),
            name => is(value, name.as_str().unwrap()),
        },
        "required" => value.as_object().is_none_or(|fields| {
            let mut names = rules().map(|name| name.as_str().unwrap());
            names.all(|name| fields.contains_key(name))
        }),
        "properties" => {
            fields().all(|(name, value)| rule.get(name).is_none_or(|schema| fits(schema, value)))
        }
        "additionalProperties" => fields().all(|(name, value)| {
            let is_known = schema["properties"].get(name).is_some();
            is_known || fits(rule, value)
        }),
        "propertyNames" => fields().all(|(name, _)| fits(rule, &json!(name))),
        "pattern" => {
            let pattern = regex_lite::Regex::new(rule.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "format" => value
            .as_str()
            .is_none_or(|it| rule == "date-time" && it.parse::<jiff::Timestamp>().is_ok()),
        "items" => items().all(|item| fits(rule, item)),
        "uniqueItems" => {
            let mut all = items().enumerate();
            all.all(|(index, item)| !items().skip(index + 1).any(|other| other == item))
        }
        "minProperties" => value.as_object().is_none_or(|it| it.len() as u64 >= limit),
        "minItems" => value.as_array().is_none_or(|it| it.len() as u64 >= limit),
        "maxItems" => value.as_array().is_none_or(|it| it.len() as u64 <= limit),
        "minLength" => length().is_none_or(|length| length >= limit),
        "maxLength" => length().is_none_or(|length| length <= limit),
        "minimum" => value.as_i64().is_none_or(|it| it >= rule.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|it| it <= rule.as_i64().unwrap()),
        other => panic!("the test does not know `{other}`"),
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
    let found = found(parameters).into_iter();
    found.map(|fault| fault.field).collect()
}

fn found(parameters: &Value) -> Vec<Fault> {
    let read = Draft::read(&Parameters::Text(parameters.to_string()));
    read.err().unwrap_or_default()
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
    // And `$schema`, which only editors read.
    assert_eq!(properties.len(), FIELDS.len() + 1);
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
    for field in FIELDS.into_iter().chain([SCHEMA]) {
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

/// What is right and what is wrong: each is so by the schema and by the function, or by the function
/// alone where no schema can say it. `examples/check.py` holds them against the schema as well.
#[test]
fn schema_and_function_agree_on_the_cases() {
    let schema = schema();
    let cases = schema_of("tests/parameters.json");
    let cases = cases.as_array().unwrap();
    for case in cases {
        let parameters = &case["parameters"];
        let mut refused = faults(parameters);
        refused.sort();
        let expected = case["refused"].as_array().into_iter().flatten();
        let expected = expected.map(|field| field.as_str().unwrap().to_owned());
        assert_eq!(refused, expected.collect::<Vec<_>>(), "{parameters}");
        let is_fit = refused.is_empty() || case["byTheFunctionAlone"] == true;
        assert_eq!(fits(&schema, parameters), is_fit, "{parameters}");
    }
    assert!(cases.len() > 60, "{}", cases.len());
}

/// Faults that no schema can express: two values that must agree, and what is in a manifest.
fn only_the_function_knows(fault: &Fault) -> bool {
    let agreement = ["must agree", "has no place in the manifest"];
    agreement.iter().any(|words| fault.problem.contains(words))
}

/// Many combinations of fields with values that are right by themselves: what the function refuses
/// the schema refuses, and nothing else.
#[test]
fn schema_and_function_agree_on_combinations() {
    const COMBINATIONS: u64 = 20_000;
    let schema = schema();
    let more = [
        ("workload", json!("deployment/web")),
        ("workload", json!("sts/web")),
        (
            "manifest",
            json!({"kind": "StatefulSet", "metadata": {"name": "web"}, "spec": {"template": {}}}),
        ),
        ("strategy", json!("blueGreen")),
        ("strategy", json!("immutable")),
        ("strategy", json!("canary")),
        ("steps", json!([10, 100])),
        ("steps", json!([60])),
        ("steps", json!({"every": "1m", "by": 50})),
        ("images", json!({"registry.example.com/web": ":2"})),
        ("method", json!("put")),
        ("restart", json!(false)),
        ("deployment", json!("web.v1")),
    ];
    let values = |field: &str| {
        let examples = schema["properties"][field]["examples"].as_array().unwrap();
        let more = more.iter().filter(|(name, _)| *name == field);
        let all = examples.iter().chain(more.map(|(_, value)| value));
        all.cloned().collect::<Vec<_>>()
    };
    let all = FIELDS.map(|field| (field, values(field)));
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let (mut right, mut wrong) = (0, 0);
    for _ in 0..COMBINATIONS {
        let mut parameters = Map::new();
        for _ in 0..=random(6) {
            let (field, values) = &all[random(all.len())];
            parameters.insert((*field).to_owned(), values[random(values.len())].clone());
        }
        if random(3) > 0 && !parameters.contains_key("workload") {
            parameters.insert("deployment".to_owned(), json!("web"));
        }
        let parameters = Value::Object(parameters);
        let found = found(&parameters);
        if !found.is_empty() && found.iter().all(only_the_function_knows) {
            continue;
        }
        let is_fit = fits(&schema, &parameters);
        assert_eq!(is_fit, found.is_empty(), "{parameters}: {found:?}");
        match is_fit {
            true => right += 1,
            false => wrong += 1,
        }
    }
    assert!(right > 500 && wrong > 5_000, "{right} {wrong}");
}
