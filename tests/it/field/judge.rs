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
    /// The section of the handbook, where it is known otherwise than by the text.
    pub section: Option<String>,
    pub seconds: f64,
    pub writes: Option<usize>,
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
        let told = ending.section.as_deref() == Some(section) || text.contains(section);
        check(told, format!("section {:?}, not {section}", ending.section));
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
    let given = json!({"end": "JobFailed", "section": "paused", "has": ["was paused"],
        "not": ["not started"], "by": 40, "from": 20, "writes": 2, "logged": ["a line"],
        "world": {"deployments/web": {"/spec/paused": true}, "services/web": null}});
    let expected: Expected = serde_json::from_value(given).unwrap();
    let right = || Ending {
        end: "JobFailed".into(),
        text: "the Deployment was paused".into(),
        section: Some("paused".into()),
        seconds: 30.0,
        writes: Some(2),
        log: "a line".into(),
    };
    let objects = || {
        let paused = json!({"spec": {"paused": true}});
        Objects::from([
            ("deployments/web".to_owned(), Some(paused)),
            ("services/web".into(), None),
        ])
    };
    assert_eq!(judge(&expected, &right(), &objects()), Vec::<String>::new());
    let wrong: [fn(&mut Ending, &mut Objects); 10] = [
        |ending, _| ending.end = "success".into(),
        |ending, _| ending.section = None,
        |ending, _| ending.text = "paused".into(),
        |ending, _| ending.text += ", and has not started",
        |ending, _| ending.seconds = 41.0,
        |ending, _| ending.seconds = 19.0,
        |ending, _| ending.writes = Some(3),
        |ending, _| ending.log.clear(),
        |_, objects| drop(objects.insert("deployments/web".into(), Some(json!({})))),
        |_, objects| drop(objects.insert("services/web".into(), Some(json!({})))),
    ];
    for (number, spoil) in wrong.iter().enumerate() {
        let (mut ending, mut objects) = (right(), objects());
        spoil(&mut ending, &mut objects);
        let faults = judge(&expected, &ending, &objects);
        // Without its word a section is found in the text.
        let text_has_it = number == 1;
        assert_eq!(faults.is_empty(), text_has_it, "{number}: {faults:?}");
    }
}
