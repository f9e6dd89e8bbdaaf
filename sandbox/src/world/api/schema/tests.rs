use super::*;
use crate::world::api::schema::shape::{Shape, TYPES, knows};
use serde_json::json;

#[test]
fn unknown_fields_are_named_with_their_index_and_dropped() {
    let mut object = json!({"kind": "Deployment", "spec": {"foo": 1, "template": {"spec":
            {"containers": [{"name": "a"}, {"name": "b", "imag": "x"}]}}}});
    let found = decode("Deployment", &mut object);
    assert_eq!(
        found.unknown,
        ["spec.foo", "spec.template.spec.containers[1].imag"]
    );
    assert!(object.pointer("/spec/foo").is_none());
}

#[test]
fn a_number_as_an_environment_value_is_named_as_go_names_it() {
    let mut object = json!({"spec": {"template": {"spec":
            {"containers": [{"name": "a", "env": [{"name": "N", "value": 8}]}]}}}});
    assert_eq!(
        decode("Deployment", &mut object)
            .mismatch
            .map(|it| it.decoder)
            .as_deref(),
        Some(
            "json: cannot unmarshal number into Go struct field \
                 EnvVar.spec.template.spec.containers.env.value of type string"
        )
    );
}

#[test]
fn the_decoder_and_the_converter_meet_another_value_first() {
    let mut object = json!({"spec": {"template": {"spec": {
            "containers": [{"name": "a", "command": "x"}],
            "initContainers": [{"name": "b", "env": [{"name": 7}]}]}}}});
    let found = decode("Deployment", &mut object).mismatch.expect("one");
    assert!(found.decoder.contains("containers.command"), "{found:?}");
    assert_eq!(found.converter, "cannot convert int64 to string");
}

#[test]
fn numbers_have_to_fit() {
    let rows = [
        ("replicas", json!(3), None),
        ("replicas", json!(1.5), Some("number 1.5")),
        (
            "replicas",
            json!(99_999_999_999_i64),
            Some("number 99999999999"),
        ),
        ("paused", json!(1), Some("number into")),
    ];
    for (field, value, expected) in rows {
        let mut object = json!({"spec": {field: value}});
        let found = decode("Deployment", &mut object).mismatch;
        let said = found.as_ref().map(|it| it.decoder.as_str());
        let fits = expected.is_none_or(|text| said.is_some_and(|it| it.contains(text)));
        assert_eq!(
            (said.is_some(), fits),
            (expected.is_some(), true),
            "{field} {value}"
        );
    }
}

#[test]
fn zero_values_go_and_pointers_stay() {
    let mut object = json!({"metadata": {"annotations": {}, "creationTimestamp": null},
            "spec": {"replicas": 0, "minReadySeconds": 0, "paused": false}});
    decode("Deployment", &mut object);
    assert_eq!(object, json!({"metadata": {}, "spec": {"replicas": 0}}));
}

#[test]
fn every_type_that_the_table_names_is_in_the_table() {
    for (name, fields) in TYPES.iter() {
        for (field, (_, shape)) in fields {
            let named = match shape {
                Shape::Object(kind) => Some(*kind),
                Shape::List { item, .. } => *item,
                Shape::Text { .. } | Shape::Integer { .. } | Shape::Boolean { .. } => None,
                Shape::Any | Shape::TextMap | Shape::AnyMap | Shape::TextList { .. } => None,
            };
            assert!(named.is_none_or(knows), "{name}.{field}: {named:?}");
        }
    }
}
