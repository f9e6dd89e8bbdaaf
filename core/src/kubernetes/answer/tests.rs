use super::*;
use serde_json::json;

#[test]
fn managed_fields_are_left_out_of_objects_lists_and_events() {
    let object = |managed: bool| {
        let mut object = json!({"kind": "Deployment", "metadata": {"name": "a", "labels": {}},
                "spec": {"replicas": 2, "template": {"metadata": {"managedFields": "a label"}}},
                "status": {"conditions": [{"type": "Available"}], "managedFields": [1]}});
        if managed {
            object["metadata"]["managedFields"] = json!([{"manager": "kubectl",
                    "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
        }
        object
    };
    let list = |managed| json!({"kind": "List", "metadata": {"continue": ""}, "items": [object(managed), object(managed)]});
    let event = |managed| json!({"type": "MODIFIED", "object": object(managed)});
    for (came, expected) in [
        (object(true), object(false)),
        (object(false), object(false)),
        (list(true), list(false)),
        (event(true), event(false)),
    ] {
        assert_eq!(read(came.to_string().as_bytes()), Some(expected), "{came}");
    }
}

#[test]
fn all_else_is_read_as_it_came() {
    for came in [
        json!({}),
        json!({"metadata": null, "items": null, "object": true}),
        json!({"metadata": [1, -1, 1.5, "a\n", {"managedFields": 1}], "items": {"a": []}}),
        json!({"metadata": "x", "items": ["y", 7, null, []], "object": -3}),
        json!({"data": {"metadata": {"managedFields": 1}, "items": [{"metadata": {"managedFields": 1}}]}}),
        json!({"metadata": {"number": 18_446_744_073_709_551_615_u64}}),
    ] {
        assert_eq!(read(came.to_string().as_bytes()), Some(came));
    }
}

#[test]
fn what_is_no_object_is_none() {
    for hostile in [
        "", "null", "[]", "7", "\"x\"", "{", "{}x", "{} {}", "{\"a\":}", "\u{0}",
    ] {
        assert_eq!(read(hostile.as_bytes()), None, "{hostile}");
    }
    assert_eq!(read(b"{\"a\": \"\xff\"}"), None);
    let deep = format!("{{\"items\":{}", "[".repeat(100_000));
    assert_eq!(read(deep.as_bytes()), None);
}

#[test]
fn a_fault_of_an_answer_is_told_apart() {
    for (body, expected) in [
        (&b""[..], Some(JsonFault::Empty)),
        (b" \r\n", Some(JsonFault::Empty)),
        (b"\xef\xbb\xbf{}", Some(JsonFault::ByteOrderMark)),
        (b"\xff\xfe{\0}\0", Some(JsonFault::ByteOrderMark)),
        (b"{\"kind\": \"Deploy", Some(JsonFault::CutOff)),
        (b"{\"kind\":", Some(JsonFault::CutOff)),
        (b"{} {}", Some(JsonFault::Several)),
        (b"{}x", Some(JsonFault::Several)),
        (b"{\"a\": 1, \"a\": 1}", Some(JsonFault::Repeated)),
        (
            b"{\"spec\": {\"a\": [{\"b\": 1, \"b\": 2}]}}",
            Some(JsonFault::Repeated),
        ),
        (b"[]", Some(JsonFault::NoObject)),
        (b"null", Some(JsonFault::NoObject)),
        (b"404 page not found", None),
        (b"<html>", None),
        (b"{\"a\":}", None),
        (b"{\"a\": \"\xff\"}", None),
    ] {
        assert_eq!(fault(body), expected, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn a_field_that_is_there_twice_is_not_read() {
    for body in [
        "{\"kind\": \"A\", \"kind\": \"B\"}",
        "{\"metadata\": {\"name\": \"a\", \"name\": \"b\"}}",
        "{\"items\": [{\"spec\": {\"a\": 1, \"a\": 1}}]}",
        "{\"object\": {\"metadata\": {\"name\": 1, \"name\": 1}}}",
    ] {
        assert_eq!(read(body.as_bytes()), None, "{body}");
    }
}
