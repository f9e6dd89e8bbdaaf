use super::*;
use serde_json::json;

fn list(names: &[&str]) -> Value {
    let all = names.iter().map(|name| {
        let plural = format!("{}s", name.to_lowercase());
        json!({"name": plural, "kind": name, "namespaced": true})
    });
    json!({"resources": all.collect::<Vec<_>>()})
}

fn has(known: &KnownKinds, api_version: &str, kind: &str) -> bool {
    known
        .get(&(api_version.to_owned(), kind.to_owned()))
        .is_some()
}

#[test]
fn a_new_list_replaces_the_former_one_of_its_version_alone() {
    let mut known = KnownKinds::default();
    known.take("example.com/v1", &list(&["Gadget", "Widget"]));
    known.take("example.com/v2", &list(&["Gadget"]));
    known.take("example.com/v1", &list(&["Widget"]));
    assert!(!has(&known, "example.com/v1", "Gadget"));
    assert!(has(&known, "example.com/v1", "Widget"));
    assert!(has(&known, "example.com/v2", "Gadget"));
}

#[test]
fn a_kind_is_forgotten_in_all_its_versions_and_no_other_group() {
    let mut known = KnownKinds::default();
    for version in ["example.com/v1", "example.com/v2", "example.org/v1"] {
        known.take(version, &list(&["Gadget", "Widget"]));
    }
    known.forget("example.com", "Gadget");
    assert!(!has(&known, "example.com/v1", "Gadget"));
    assert!(!has(&known, "example.com/v2", "Gadget"));
    assert!(has(&known, "example.com/v1", "Widget"));
    assert!(has(&known, "example.org/v1", "Gadget"));
}

#[test]
fn more_than_fit_are_not_kept() {
    let names = (0..=KINDS).map(|number| format!("Kind{number}"));
    let names = names.collect::<Vec<_>>();
    let all = names.iter().map(String::as_str).collect::<Vec<_>>();
    let of = |count: usize| {
        let mut known = KnownKinds::default();
        known.take("example.com/v1", &list(&all[..count]));
        known.kept()
    };
    assert!(has(&of(KINDS), "example.com/v1", "Kind0"));
    assert_eq!(of(KINDS + 1), KnownKinds::default());
}
