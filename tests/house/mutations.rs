//! `tests/mutations.json` changes the rules of the code one by one, and `make mutations` shows that a
//! field case notices each. What it says of the code must stay true without that long run.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The kinds of situations that `docs/testing.md` lists.
fn kinds() -> BTreeSet<String> {
    let of_cluster = ('A'..='N').map(String::from);
    let of_inputs = (1..=14).map(|number| format!("K{number}"));
    let of_all = ["1", "2", "3", "5"].map(str::to_owned);
    of_cluster.chain(of_inputs).chain(of_all).collect()
}

#[test]
fn each_mutation_applies_once_and_names_the_cases_that_notice_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("tests/mutations.json")).unwrap();
    let mutations: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut covered = BTreeSet::new();
    for mutation in &mutations {
        let field = |name: &str| {
            let found = mutation[name].as_str().filter(|text| !text.is_empty());
            found.unwrap_or_else(|| panic!("{mutation} has no `{name}`"))
        };
        let rule = field("rule");
        covered.insert(field("kind").to_owned());
        let code = fs::read_to_string(root.join(field("file"))).unwrap();
        let count = code.matches(field("text")).count();
        assert_eq!(count, 1, "{rule}: its text is {count} times in its file");
        assert_ne!(field("with"), field("text"), "{rule}");
        let cases = mutation["cases"].as_array();
        let cases = cases.unwrap_or_else(|| panic!("{rule}: it names no cases"));
        assert!(!cases.is_empty(), "{rule}: no case would notice it");
        for case in cases {
            let path = format!("tests/field/{}.json", case.as_str().unwrap());
            assert!(root.join(&path).is_file(), "{rule}: there is no {path}");
        }
    }
    assert_eq!(covered, kinds());
}
