use super::*;
use proptest::prelude::*;

#[test]
fn a_set_reads_as_it_is_written() {
    for set in [
        json!({}),
        json!({"f:spec": {"f:replicas": {}}}),
        json!({"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {}}}}}),
        json!({"f:metadata": {"f:finalizers": {".": {}, "v:\"a/b\"": {}}}}),
    ] {
        assert_eq!(Fields::read(&set).write(), set);
    }
}

#[test]
fn a_field_and_what_is_below_it_are_two() {
    let leaf = json!({"f:a": {}});
    let below = json!({"f:a": {"f:b": {}}});
    let both = json!({"f:a": {".": {}, "f:b": {}}});
    let union = |left: &Value, right: &Value| {
        let (left, right) = (Fields::read(left), Fields::read(right));
        left.union(right).write()
    };
    for (left, right, expected) in [
        (&leaf, &below, &both),
        (&below, &leaf, &both),
        (&below, &below, &below),
        (&both, &below, &both),
        (&json!({}), &leaf, &leaf),
        // A value that is not a set counts as an empty set.
        (&Value::Null, &leaf, &leaf),
    ] {
        assert_eq!(union(left, right), *expected);
    }
}

#[test]
fn a_field_is_owned_with_what_is_below_it() {
    let set = Fields::read(&json!({"f:spec": {"f:replicas": {}, "f:template": {"f:x": {}}}}));
    for (path, expected) in [
        (&["f:spec"][..], true),
        (&["f:spec", "f:replicas"], true),
        (&["f:spec", "f:template"], true),
        (&["f:spec", "f:paused"], false),
        (&["f:status"], false),
        (&["f:spec", "f:replicas", "f:deeper"], false),
    ] {
        assert_eq!(set.owns(path), expected, "{path:?}");
    }
    assert!(Fields::read(&json!({})).is_empty());
}

#[test]
fn a_path_is_found_in_an_object() {
    let object = json!({"metadata": {"finalizers": ["a/b"]}, "spec": {"args": [1, 2], "ports": [
        {"port": 80, "protocol": "UDP"}, {"port": 80}]}});
    for (path, expected) in [
        (&["f:spec", "f:ports"][..], true),
        (
            &[
                "f:spec",
                "f:ports",
                "k:{\"port\":80,\"protocol\":\"TCP\"}",
                "f:port",
            ],
            true,
        ),
        (&["f:spec", "f:ports", "k:{\"port\":81}"], false),
        (&["f:spec", "f:args", "i:1"], true),
        (&["f:spec", "f:args", "i:2"], false),
        (&["f:metadata", "f:finalizers", "v:\"a/b\""], true),
        (&["f:metadata", "f:finalizers", "v:\"a/c\""], false),
        (&["f:metadata", "f:labels"], false),
        (&["spec"], false),
        (&["x:spec"], false),
    ] {
        assert_eq!(get(&object, path).is_some(), expected, "{path:?}");
    }
}

#[test]
fn fields_are_removed_from_an_object() {
    let object = || {
        json!({"metadata": {"labels": {"a": "1", "b": "2"}, "finalizers": ["x", "y"]},
            "spec": {"args": ["-v"], "containers": [{"name": "app", "image": "i", "args": ["a"]},
                {"name": "side", "image": "s"}]}})
    };
    let item =
        |fields: Value| json!({"f:spec": {"f:containers": {"k:{\"name\":\"side\"}": fields}}});
    for (set, pointer, expected) in [
        (
            json!({"f:metadata": {"f:labels": {"f:a": {}}}}),
            "/metadata/labels",
            json!({"b": "2"}),
        ),
        (
            json!({"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}),
            "/metadata",
            json!({"finalizers": ["x", "y"]}),
        ),
        // A map goes when nothing is left in it.
        (
            json!({"f:metadata": {"f:labels": {"f:a": {}, "f:b": {}}}}),
            "/metadata",
            json!({"finalizers": ["x", "y"]}),
        ),
        (
            json!({"f:metadata": {"f:finalizers": {"v:\"x\"": {}}}}),
            "/metadata/finalizers",
            json!(["y"]),
        ),
        // A list without keys is one value.
        (
            json!({"f:spec": {"f:args": {}}}),
            "/spec",
            json!({"containers": object()["spec"]["containers"]}),
        ),
        (
            item(json!({".": {}, "f:name": {}, "f:image": {}})),
            "/spec/containers",
            json!([object()["spec"]["containers"][0]]),
        ),
        (
            item(json!({"f:image": {}})),
            "/spec/containers/1",
            json!({"name": "side"}),
        ),
        (json!({"f:nothing": {"f:here": {}}}), "", object()),
        (json!({}), "", object()),
    ] {
        let mut changed = object();
        Fields::read(&set).remove_from(&mut changed);
        assert_eq!(changed.pointer(pointer), Some(&expected), "{set}");
    }
}

/// Any set of few names, so that two have much in common.
fn sets() -> impl Strategy<Value = Fields> {
    let leaf = Just(json!({}));
    let tree = leaf.prop_recursive(4, 24, 4, |below| {
        let key = prop_oneof![
            "f:[ab]",
            Just("k:{\"n\":1}".to_owned()),
            Just(SELF.to_owned())
        ];
        proptest::collection::btree_map(key, below, 0..4)
            .prop_map(|keys| Value::Object(keys.into_iter().collect()))
    });
    tree.prop_map(|set| Fields::read(&set))
}

/// Every field of a set.
fn paths(set: &Fields) -> std::collections::BTreeSet<Vec<String>> {
    let found = std::cell::RefCell::new(std::collections::BTreeSet::new());
    set.filter(&|path: &[&str]| {
        let path = path.iter().map(|element| (*element).to_owned());
        found.borrow_mut().insert(path.collect())
    });
    found.into_inner()
}

proptest! {
    #[test]
    fn a_union_has_the_fields_of_both_and_no_others(a in sets(), b in sets(), c in sets()) {
        let union = a.clone().union(b.clone());
        prop_assert_eq!(paths(&union), &paths(&a) | &paths(&b));
        prop_assert_eq!(&union, &b.clone().union(a.clone()));
        prop_assert_eq!(&a.clone().union(a.clone()), &a);
        prop_assert_eq!(&union.clone().union(a.clone()), &union);
        prop_assert_eq!(
            a.clone().union(b.clone()).union(c.clone()),
            a.clone().union(b.union(c))
        );
        prop_assert_eq!(Fields::read(&union.write()), union);
    }

    #[test]
    fn a_filter_keeps_what_it_is_told_to(a in sets()) {
        prop_assert_eq!(&a.filter(&|_| true), &a);
        prop_assert!(a.filter(&|_| false).is_empty());
        let kept = a.filter(&|path: &[&str]| path.contains(&"f:a"));
        let expected = paths(&a).into_iter();
        let expected = expected.filter(|path| path.iter().any(|element| element == "f:a"));
        prop_assert_eq!(paths(&kept), expected.collect());
    }
}
