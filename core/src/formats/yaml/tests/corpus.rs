//! What kubectl makes of the texts in `tests/yaml/cases.json`, and whether we make the
//! same of them.
//!
//! `make yaml-cases` asks kubectl again. Where we mean to differ the case says so, and why.

use super::*;
use std::borrow::Cow;

const CASES: &str = include_str!("../../../../../tests/yaml/cases.json");
const HEAD: &str = "apiVersion: v1\nkind: Case\nmetadata: {name: a}\n";

#[test]
fn kubectl_and_we_read_the_same() {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() > 500);
    let mut wrong = Vec::new();
    for case in &cases {
        let ours = read_case(case);
        let theirs = case.get("json").ok_or("");
        let alike = matches(theirs, &ours);
        let ok = match case.get("landfall") {
            Some(meant) => {
                let meant = match meant == "refused" {
                    true => Err(""),
                    false => Ok(meant),
                };
                !alike && case["why"].is_string() && matches(meant, &ours)
            }
            None => alike,
        };
        if !ok {
            let ours = ours.map_or_else(|why| format!("refused: {why}"), |it| it.to_string());
            wrong.push(format!("{case}\n    {ours}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn matches(expected: Result<&Value, &str>, ours: &Result<Value, String>) -> bool {
    match (expected, ours) {
        (Ok(expected), Ok(ours)) => same(expected, ours),
        (Err(_), Err(_)) => true,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

/// Whether two values are one, however their numbers are written: Go prints large ones its own way.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            // What reads this file may lose the last digit.
            (one - other).abs() <= one.abs() * f64::EPSILON
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, one)| other.get(key).is_some_and(|it| same(one, it)))
        }
        _ => one == other,
    }
}

/// What we make of a case, in the form of its answer.
fn read_case(case: &Value) -> Result<Value, String> {
    let file = case["file"].as_str().map(Cow::from);
    let fields = case["fields"]
        .as_str()
        .map(|text| format!("{HEAD}{text}").into());
    let value = case["value"]
        .as_str()
        .map(|text| format!("{HEAD}a: {text}\n").into());
    let text = file.clone().or(fields).or(value).unwrap();
    let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<_>>();
    let content = match case["in"].as_str() {
        None => text.as_bytes().to_vec(),
        Some("utf-16-le") => wide(u16::to_le_bytes),
        Some("utf-16-be") => wide(u16::to_be_bytes),
        Some("latin-1") => text.chars().map(|it| u32::from(it) as u8).collect(),
        Some(other) => panic!("{other}"),
    };
    let mut objects = Vec::new();
    let text = decode(&content)?;
    read(&text, |document| {
        match document["items"]
            .as_array()
            .filter(|_| document["kind"] == "List")
        {
            Some(items) => objects.extend(items.clone()),
            None => objects.push(document),
        }
    })
    .map_err(|error| format!("line {}: {}", error.line, error.problem))?;
    // kubectl takes nothing else for an object.
    if objects.iter().any(|object| !object["kind"].is_string()) {
        return Err("an object has no kind".to_owned());
    }
    if file.is_some() {
        return Ok(Value::Array(objects));
    }
    let [Value::Object(object)] = &mut objects[..] else {
        return Err(format!("{} objects", objects.len()));
    };
    if case["value"].is_string() {
        return Ok(object.remove("a").unwrap_or_default());
    }
    for field in ["apiVersion", "kind", "metadata"] {
        object.remove(field);
    }
    Ok(Value::Object(object.clone()))
}
