use super::*;

fn patched(spec: Value, patch: Value) -> Value {
    let mut object = json!({"spec": {"template": {"spec": spec}}});
    let patch = json!({"spec": {"template": {"spec": patch}}});
    strategic("Deployment", &mut object, &patch).expect("a good patch");
    object["spec"]["template"]["spec"].take()
}

fn environment(names: &[&str]) -> Value {
    let env: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "value": "1"}))
        .collect();
    json!({"containers": [{"name": "app", "env": env}]})
}

#[test]
fn lists_are_merged_as_the_server_merges_them() {
    let base = || {
        json!({"containers": [
            {"name": "app", "image": "a:1", "command": ["a", "b"], "ports": [{"containerPort": 1}]},
            {"name": "side", "image": "s:1"}]})
    };
    let rows = [
        (
            "an image",
            json!({"containers": [{"name": "side", "image": "s:2"}]}),
            json!({"containers": [
                    {"name": "app", "image": "a:1", "command": ["a", "b"],
                     "ports": [{"containerPort": 1}]},
                    {"name": "side", "image": "s:2"}]}),
        ),
        (
            "a command is replaced whole, a port joins in front",
            json!({"containers": [
                    {"name": "app", "command": ["c"], "ports": [{"containerPort": 2}]}]}),
            json!({"containers": [
                    {"name": "app", "image": "a:1", "command": ["c"],
                     "ports": [{"containerPort": 2}, {"containerPort": 1}]},
                    {"name": "side", "image": "s:1"}]}),
        ),
        (
            "delete",
            json!({"containers": [{"name": "app", "$patch": "delete"}]}),
            json!({"containers": [{"name": "side", "image": "s:1"}]}),
        ),
        (
            "replace",
            json!({"containers": [{"name": "new", "image": "n:1"}, {"$patch": "replace"}]}),
            json!({"containers": [{"name": "new", "image": "n:1"}]}),
        ),
        (
            "null deletes",
            json!({"containers": [{"name": "app", "command": null, "ports": null}]}),
            json!({"containers": [
                    {"name": "app", "image": "a:1"}, {"name": "side", "image": "s:1"}]}),
        ),
        (
            "order",
            json!({"$setElementOrder/containers": [{"name": "side"}, {"name": "app"}],
                    "containers": [
                        {"name": "app", "image": "a:2", "command": null, "ports": null}]}),
            json!({"containers": [
                    {"name": "side", "image": "s:1"}, {"name": "app", "image": "a:2"}]}),
        ),
    ];
    for (name, patch, expected) in rows {
        assert_eq!(patched(base(), patch), expected, "{name}");
    }
}

#[test]
fn a_new_variable_comes_first_and_a_deleted_one_goes() {
    let patch = json!({"containers": [{"name": "app", "env": [
            {"name": "NEW", "value": "1"}, {"name": "B", "$patch": "delete"}]}]});
    assert_eq!(
        patched(environment(&["A", "B", "C"]), patch),
        environment(&["NEW", "A", "C"])
    );
}

#[test]
fn retain_keys_clears_what_it_does_not_name() {
    let mut object = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}}});
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    strategic("Deployment", &mut object, &patch).expect("a good patch");
    assert_eq!(object, json!({"spec": {"strategy": {"type": "Recreate"}}}));
}

#[test]
fn what_only_the_patch_has_is_taken_as_it_is_in_a_list_and_cleaned_elsewhere() {
    let new = json!({"name": "new", "image": null, "$setElementOrder/env": []});
    let base = json!({"containers": [{"name": "app"}]});
    assert_eq!(
        patched(base.clone(), json!({"containers": [new]})),
        json!({"containers": [new, {"name": "app"}]})
    );
    let volumes = json!([{"name": "a", "emptyDir": null}, {"name": "b", "$patch": "delete"}]);
    assert_eq!(
        patched(base, json!({"volumes": volumes})),
        json!({"containers": [{"name": "app"}], "volumes": [{"name": "a"}]})
    );
}

#[test]
fn directives_that_do_not_fit_are_refused() {
    let rows = [
        (
            json!({"$retainKeys": ["a"], "b": 1}),
            "invalid patch format of retainKeys",
        ),
        (
            json!({"$patch": "erase"}),
            "unknown patch type: erase in map: map[$patch:erase]",
        ),
        (
            json!({"containers": [{"name": "app", "$patch": "merge"}]}),
            "merging lists cannot yet be specified in the patch",
        ),
        (
            json!({"containers": [7]}),
            "list element types are not identical: [[map[name:app]] [7]]",
        ),
        (
            json!({"$setElementOrder/containers": [{"name": "x"}],
                    "containers": [{"name": "app"}]}),
            "The order in patch list:\n[map[name:app]]\n doesn't match $setElementOrder \
                 list:\n[map[name:x]]\n",
        ),
    ];
    for (patch, expected) in rows {
        let base = json!({"containers": [{"name": "app"}]});
        let mut object = json!({"spec": {"template": {"spec": base}}});
        let whole = json!({"spec": {"template": {"spec": patch}}});
        let error = strategic("Deployment", &mut object, &whole);
        assert_eq!(error, Err(expected.to_owned()), "{patch}");
    }
}

#[test]
fn operations_are_as_lenient_as_the_servers() {
    let rows = [
        (
            json!([{"op": "replace", "path": "/new", "value": 1}]),
            Some("/new"),
        ),
        (
            json!([{"op": "copy", "from": "/none", "path": "/new"}]),
            Some("/new"),
        ),
        (
            json!([{"op": "move", "from": "/list", "path": "/new"}]),
            Some("/new"),
        ),
        (
            json!([{"op": "test", "path": "/none", "value": null}]),
            Some("/list"),
        ),
        (
            json!([{"op": "test", "path": "/list/-", "value": null}]),
            None,
        ),
        (json!([{"op": "test", "path": "/none", "value": 1}]), None),
        (
            json!([{"op": "move", "from": "/none", "path": "/new"}]),
            None,
        ),
        (json!([{"op": "remove", "path": "/none"}]), None),
        (
            json!([{"op": "replace", "path": "/list/9", "value": 1}]),
            None,
        ),
        (
            json!([{"op": "replace", "path": "/no/thing", "value": 1}]),
            None,
        ),
        (json!([{"op": "change", "path": "/list"}]), None),
    ];
    for (list, there) in rows {
        let before = json!({"list": [1]});
        let mut object = before.clone();
        let done = operations(&mut object, list.as_array().expect("a list"));
        assert_eq!(done.is_ok(), there.is_some(), "{list}");
        match there {
            Some(path) => assert!(object.pointer(path).is_some(), "{list}: {object}"),
            None => assert_eq!(object, before, "{list}"),
        }
    }
}

#[test]
fn an_element_without_its_key_is_refused() {
    let mut object = json!({"spec": {"template": {"spec": environment(&["A"])}}});
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}});
    assert_eq!(
        strategic("Deployment", &mut object, &patch),
        Err("map: map[image:x] does not contain declared merge key: name".to_owned())
    );
}
