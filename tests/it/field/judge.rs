//! Holds what came of a case against what its file expects.

use super::case::Expected;
use serde_json::Value;
use std::collections::BTreeMap;

/// What came of a case.
#[derive(Debug, Default)]
pub struct Ending {
    /// `success`, or the type of failure.
    pub end: String,
    /// The summary or message.
    pub text: String,
    /// The section of the handbook that a failure has, by its type.
    pub section: Option<String>,
    pub seconds: f64,
    pub writes: Option<usize>,
    /// Outages that were counted, where they are.
    pub outages: Option<u64>,
    pub log: String,
}

/// Objects by `resource/name`, as they are at the end.
pub type Objects = BTreeMap<String, Option<Value>>;

/// What differs; nothing where all is as it should be.
pub fn judge(expected: &Expected, ending: &Ending, objects: &Objects) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    let Ending { end, text, log, .. } = ending;
    check(
        *end == expected.end,
        format!("ended in {end}, not in {}", expected.end),
    );
    if let Some(section) = &expected.section {
        let known = ending.section.as_deref() == Some(section);
        check(
            known,
            format!("section {:?}, not {section}", ending.section),
        );
        // As a path and a heading, or as an address.
        let told = [", ", "#"].map(|joint| format!("docs/operations.md{joint}{section}"));
        let last = text.lines().next_back().unwrap_or_default();
        let told = told.iter().any(|told| last.contains(told));
        check(told, format!("it does not end with the section {section}"));
    }
    let first = text.lines().next().unwrap_or_default();
    for words in &expected.first {
        check(
            first.contains(words),
            format!("`{words}` is not in the first line"),
        );
    }
    for words in &expected.has {
        check(text.contains(words), format!("`{words}` is missing"));
    }
    for words in &expected.not {
        check(!text.contains(words), format!("`{words}` is in it"));
    }
    for words in &expected.logged {
        check(log.contains(words), format!("`{words}` is not in the log"));
    }
    let seconds = ending.seconds;
    check(
        expected.by.is_none_or(|by| seconds <= by),
        format!("only after {seconds} s"),
    );
    check(
        expected.from.is_none_or(|from| seconds >= from),
        format!("after {seconds} s already"),
    );
    if let (Some(wanted), Some(writes)) = (expected.writes, ending.writes) {
        check(wanted == writes, format!("{writes} writes, not {wanted}"));
    }
    if let (Some(wanted), Some(outages)) = (expected.outages, ending.outages) {
        check(
            wanted == outages,
            format!("{outages} outages, not {wanted}"),
        );
    }
    for (name, fields) in &expected.owned {
        let object = objects.get(name).and_then(Option::as_ref);
        let found = owned(object.unwrap_or(&Value::Null));
        check(
            found == *fields,
            format!("{name}: {found:?} are Landfall's, not {fields:?}"),
        );
    }
    for (name, fields) in &expected.world {
        let object = objects.get(name).and_then(Option::as_ref);
        let Some(fields) = fields else {
            check(object.is_none(), format!("{name} is there"));
            continue;
        };
        for (pointer, wanted) in fields {
            let found = object.and_then(|object| object.pointer(pointer));
            let found = found.unwrap_or(&Value::Null);
            check(
                found == wanted,
                format!("{name}{pointer} is {found}, not {wanted}"),
            );
        }
    }
    if !faults.is_empty() {
        faults.push(format!(
            "after {seconds:.1} s, {end}, section {:?}:\n{text}",
            ending.section
        ));
        if !log.is_empty() && !expected.logged.is_empty() {
            faults.push(log.clone());
        }
    }
    faults
}

/// The fields of `spec` that Landfall owns, by the server's own notes.
/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>
fn owned(object: &Value) -> Vec<String> {
    let entries = object.pointer("/metadata/managedFields");
    let entries = entries.and_then(Value::as_array).into_iter().flatten();
    let ours = entries.filter(|entry| entry["manager"] == "landfall");
    let mut found = Vec::new();
    for entry in ours {
        leaves(&entry["fieldsV1"]["f:spec"], "", &mut found);
    }
    found
}

fn leaves(fields: &Value, path: &str, found: &mut Vec<String>) {
    let inner = fields.as_object().into_iter().flatten();
    let inner = inner.filter(|(name, _)| *name != ".").collect::<Vec<_>>();
    if inner.is_empty() && !path.is_empty() {
        found.push(path.to_owned());
    }
    for (name, fields) in inner {
        let name = name.strip_prefix("f:").unwrap_or(name);
        let path = format!("{path}/{name}");
        leaves(fields, path.trim_start_matches('/'), found);
    }
}

/// Spellings in which a secret may stand somewhere.
pub fn spellings(secret: &str) -> Vec<String> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let bytes = secret.as_bytes();
    let mut all = vec![
        secret.to_owned(),
        bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        bytes
            .iter()
            .map(u8::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        bytes
            .iter()
            .map(u8::to_string)
            .collect::<Vec<_>>()
            .join(","),
    ];
    for shift in 0..3 {
        let padded = [&vec![b' '; shift][..], bytes].concat();
        let text = engine.encode(padded);
        // What neighbours decide is left out at both ends.
        let from = [0, 2, 3][shift];
        all.push(text[from..text.len() - 2].to_owned());
    }
    all
}

#[test]
fn every_expectation_can_fail() {
    use serde_json::json;
    let given = json!({"end": "JobFailed", "section": "paused", "first": ["the Deployment"], "has": ["was paused"],
        "not": ["not started"], "by": 40, "from": 20, "writes": 2, "outages": 1, "logged": ["a line"],
        "owned": {"deployments/web": ["paused", "template/a"]},
        "world": {"deployments/web": {"/spec/paused": true}, "services/web": null}});
    let expected: Expected = serde_json::from_value(given).unwrap();
    let right = || Ending {
        end: "JobFailed".into(),
        text: "the Deployment was paused. See docs/operations.md, paused.".into(),
        section: Some("paused".into()),
        seconds: 30.0,
        writes: Some(2),
        outages: Some(1),
        log: "a line".into(),
    };
    let objects = || {
        let fields = json!({"f:spec": {"f:paused": {}, "f:template": {".": {}, "f:a": {}}}});
        let notes = json!([{"manager": "landfall", "fieldsV1": fields},
            {"manager": "kubectl", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
        let paused = json!({"metadata": {"managedFields": notes}, "spec": {"paused": true}});
        Objects::from([
            ("deployments/web".to_owned(), Some(paused)),
            ("services/web".into(), None),
        ])
    };
    assert_eq!(judge(&expected, &right(), &objects()), Vec::<String>::new());
    let wrong: [fn(&mut Ending, &mut Objects); 15] = [
        |ending, _| ending.end = "success".into(),
        |ending, _| ending.section = None,
        |ending, _| ending.text = "the Deployment was paused".into(),
        |ending, _| ending.text = "See docs/operations.md, paused.".into(),
        |ending, _| ending.text.insert_str(0, "an introduction\n"),
        |ending, _| ending.text += "\nand so on",
        |ending, _| ending.text += ", and has not started",
        |ending, _| ending.seconds = 41.0,
        |ending, _| ending.seconds = 19.0,
        |ending, _| ending.writes = Some(3),
        |ending, _| ending.outages = Some(0),
        |ending, _| ending.log.clear(),
        |_, objects| drop(objects.insert("deployments/web".into(), Some(json!({})))),
        |_, objects| {
            let paused = json!({"spec": {"paused": true}});
            objects.insert("deployments/web".into(), Some(paused));
        },
        |_, objects| drop(objects.insert("services/web".into(), Some(json!({})))),
    ];
    for (number, spoil) in wrong.iter().enumerate() {
        let (mut ending, mut objects) = (right(), objects());
        spoil(&mut ending, &mut objects);
        let faults = judge(&expected, &ending, &objects);
        assert!(!faults.is_empty(), "{number}");
    }
}
