use super::*;

fn store() -> ParameterStore {
    let mut store = ParameterStore::default();
    let now = Timestamp::UNIX_EPOCH;
    store.put("token", "first", ParameterKind::SecureString, now);
    store.put("token", "second", ParameterKind::SecureString, now);
    store.put("/cluster/ca", "authority", ParameterKind::String, now);
    store.put("alias", "other", ParameterKind::String, now);
    assert!(store.label("token", 1, "old"));
    store
}

#[test]
fn selectors_name_versions() {
    let cases = [
        ("token".to_owned(), "second", 2, None),
        ("token:1".to_owned(), "first", 1, Some(":1")),
        ("token:2".to_owned(), "second", 2, Some(":2")),
        ("token:old".to_owned(), "first", 1, Some(":old")),
        (arn("token"), "second", 2, None),
        (format!("{}:1", arn("token")), "first", 1, Some(":1")),
        (arn("/cluster/ca"), "authority", 1, None),
        ("token:3".to_owned(), "ParameterVersionNotFound", 0, None),
        ("token:new".to_owned(), "ParameterVersionNotFound", 0, None),
        ("other".to_owned(), "ParameterNotFound", 0, None),
        (
            arn("token").replace("eu-", "us-"),
            "ParameterNotFound",
            0,
            None,
        ),
        ("to ken".to_owned(), "ValidationException", 0, None),
        ("token:1:2".to_owned(), "ParameterVersionNotFound", 0, None),
        (String::new(), "ValidationException", 0, None),
    ];
    for (asked, expected, version, selector) in cases {
        let body = json!({"Name": asked, "WithDecryption": true});
        match store().answer("GetParameter", &body, Timestamp::UNIX_EPOCH) {
            Ok(answer) => {
                let parameter = &answer["Parameter"];
                assert_eq!(parameter["Value"], expected, "{asked}");
                assert_eq!(parameter["Version"], version, "{asked}");
                assert_eq!(parameter["Selector"].as_str(), selector, "{asked}");
            }
            Err(refusal) => assert_eq!(refusal.kind, expected, "{asked}"),
        }
    }
}

#[test]
fn a_label_moves() {
    let mut store = store();
    assert!(store.label("token", 2, "old"));
    assert!(!store.label("token", 3, "old"));
    assert!(!store.label("other", 1, "old"));
    let body = json!({"Name": "token:old"});
    let answer = store.answer("GetParameter", &body, Timestamp::UNIX_EPOCH);
    assert_eq!(answer.ok().unwrap()["Parameter"]["Version"], 2);
}

#[test]
fn a_secure_string_is_unreadable_without_decryption() {
    for body in [
        json!({"Name": "token"}),
        json!({"Name": "token", "WithDecryption": false}),
    ] {
        let answer = store()
            .answer("GetParameter", &body, Timestamp::UNIX_EPOCH)
            .ok()
            .unwrap();
        let value = answer["Parameter"]["Value"].as_str().unwrap().to_owned();
        assert!(STANDARD.decode(&value).unwrap().len() > 100, "{value}");
        assert!(!value.contains("second"));
    }
    let body = json!({"Name": "/cluster/ca"});
    let answer = store()
        .answer("GetParameter", &body, Timestamp::UNIX_EPOCH)
        .ok()
        .unwrap();
    assert_eq!(answer["Parameter"]["Value"], "authority");
}

#[test]
fn several_are_sorted_and_the_missing_listed() {
    let body = json!({"Names": ["alias", "token", "nope", "/cluster/ca", "token:9"]});
    let answer = store()
        .answer("GetParameters", &body, Timestamp::UNIX_EPOCH)
        .ok()
        .unwrap();
    let parameters = answer["Parameters"].as_array().unwrap();
    let names: Vec<_> = parameters
        .iter()
        .map(|one| one["Name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["/cluster/ca", "alias", "token"]);
    assert_eq!(answer["InvalidParameters"], json!(["nope", "token:9"]));
}

#[test]
fn bad_lists_are_refused() {
    let eleven: Vec<_> = (0..11).map(|number| format!("p{number}")).collect();
    let cases = [
        (
            "duplicates",
            json!({"Names": ["token", "token"]}),
            "ValidationException",
        ),
        ("eleven", json!({"Names": eleven}), "ValidationException"),
        ("none", json!({"Names": []}), "ValidationException"),
        ("absent", json!({}), "ValidationException"),
        (
            "no list",
            json!({"Names": "token"}),
            "SerializationException",
        ),
    ];
    for (name, body, kind) in cases {
        let refusal = store()
            .answer("GetParameters", &body, Timestamp::UNIX_EPOCH)
            .err();
        assert_eq!(refusal.unwrap().kind, kind, "{name}");
    }
}

#[test]
fn put_needs_overwrite_for_a_second_version() {
    let mut store = store();
    let mut body = json!({"Name": "token", "Value": "third", "Type": "SecureString"});
    let refused = store
        .answer("PutParameter", &body, Timestamp::UNIX_EPOCH)
        .err()
        .unwrap();
    assert_eq!(refused.kind, "ParameterAlreadyExists");
    body["Overwrite"] = Value::from(true);
    let answer = store
        .answer("PutParameter", &body, Timestamp::UNIX_EPOCH)
        .ok()
        .unwrap();
    assert_eq!(answer["Version"], 3);
}

#[test]
fn a_version_has_the_key_that_it_was_put_with() {
    let mut store = store();
    let now = Timestamp::UNIX_EPOCH;
    for (more, key, description) in [
        (json!({"KeyId": "a-key"}), Some("a-key"), None),
        (
            json!({"Type": "SecureString", "Description": "ours"}),
            Some(DEFAULT_KEY),
            Some("ours"),
        ),
        (json!({"Type": "String"}), None, None),
    ] {
        let mut body = json!({"Name": "token", "Value": "next", "Overwrite": true});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert!(store.answer("PutParameter", &body, now).is_ok(), "{body}");
        let newest = store.newest("token").unwrap();
        assert_eq!(newest.key.as_deref(), key, "{body}");
        assert_eq!(newest.description.as_deref(), description, "{body}");
    }
    for refused in [
        json!({"Name": "token", "Value": "v", "Overwrite": true, "Type": "String", "KeyId": "k"}),
        json!({"Name": arn("token"), "Value": "v", "Overwrite": true}),
        json!({"Name": "token:1", "Value": "v", "Overwrite": true}),
        json!({"Name": "new", "Value": "v", "Overwrite": true}),
    ] {
        let answer = store.answer("PutParameter", &refused, now);
        assert_eq!(
            answer.err().unwrap().kind,
            "ValidationException",
            "{refused}"
        );
    }
}

#[test]
fn a_history_comes_in_pages_and_tells_keys() {
    let mut store = store();
    let now = Timestamp::UNIX_EPOCH;
    for number in 0..60 {
        let value = format!("{number}");
        let more = (Some("a-key"), None);
        store.put_under("token", &value, ParameterKind::SecureString, more, now);
    }
    let mut body = json!({"Name": arn("token")});
    let mut found = Vec::new();
    loop {
        let answer = store
            .answer("GetParameterHistory", &body, now)
            .ok()
            .unwrap();
        found.extend(answer["Parameters"].as_array().unwrap().clone());
        match answer.get("NextToken") {
            Some(token) => body["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(found.len(), 62);
    assert_eq!(found[0]["KeyId"], DEFAULT_KEY);
    assert_eq!(found[0]["Labels"], json!(["old"]));
    let last = &found[61];
    assert_eq!(
        (&last["Name"], &last["KeyId"]),
        (&json!("token"), &json!("a-key"))
    );
    assert!(last["Value"].as_str().unwrap().len() > 100, "{last}");
    for (body, kind) in [
        (json!({"Name": "nope"}), "ParameterNotFound"),
        (
            json!({"Name": "token", "MaxResults": 51}),
            "ValidationException",
        ),
        (
            json!({"Name": "token", "NextToken": "x"}),
            "InvalidNextToken",
        ),
    ] {
        let refused = store.answer("GetParameterHistory", &body, now);
        assert_eq!(refused.err().unwrap().kind, kind, "{body}");
    }
}
