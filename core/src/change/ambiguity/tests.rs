use super::*;

fn settled(mut patch: Value, live: &Value) -> Value {
    settle(&mut patch, live);
    patch
}

#[test]
fn a_list_whose_items_cannot_be_told_apart_is_written_whole() {
    let tcp = json!({"containerPort": 53, "protocol": "TCP"});
    let udp = json!({"containerPort": 53, "protocol": "UDP"});
    let web = json!({"containerPort": 80, "protocol": "TCP"});
    let with = |ports: Value| json!({"containers": [{"name": "a", "ports": ports}]});
    let replace = json!({"$patch": "replace"});
    let cases = [
        (
            "two of one number",
            json!([tcp, udp]),
            json!([tcp]),
            json!([tcp, udp, replace]),
        ),
        (
            "the live ones are",
            json!([tcp]),
            json!([udp, tcp, web]),
            json!([tcp, web, replace]),
        ),
        (
            "none is",
            json!([tcp, web]),
            json!([tcp]),
            json!([tcp, web]),
        ),
    ];
    for (name, wanted, found, expected) in cases {
        assert_eq!(
            settled(with(wanted), &with(found)),
            with(expected),
            "{name}"
        );
    }
    let new = settled(
        with(json!([tcp, udp])),
        &json!({"containers": [{"name": "a"}]}),
    );
    assert_eq!(new, with(json!([tcp, udp, replace])));
}

#[test]
fn one_of_several_fields_takes_the_place_of_another() {
    let cases = [
        (
            "a probe of another kind",
            json!({"readinessProbe": {"exec": {"command": ["x"]}}}),
            json!({"readinessProbe": {"httpGet": {"port": 1}, "periodSeconds": 5}}),
            json!({"readinessProbe": {"exec": {"command": ["x"]}, "httpGet": null}}),
        ),
        (
            "a probe of the same kind",
            json!({"readinessProbe": {"httpGet": {"port": 2}}}),
            json!({"readinessProbe": {"httpGet": {"port": 1}}}),
            json!({"readinessProbe": {"httpGet": {"port": 2}}}),
        ),
        (
            "a variable that referred",
            json!({"env": [{"name": "A", "value": "1"}]}),
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {}}}]}),
            json!({"env": [{"name": "A", "value": "1", "valueFrom": null}]}),
        ),
        (
            "a volume of another kind",
            json!({"volumes": [{"name": "v", "configMap": {"name": "c"}}]}),
            json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
            json!({"volumes": [{"name": "v", "configMap": {"name": "c"}, "emptyDir": null}]}),
        ),
        (
            "Recreate",
            json!({"strategy": {"type": "Recreate"}}),
            json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}),
            json!({"strategy": {"type": "Recreate", "rollingUpdate": null}}),
        ),
        (
            "the same strategy",
            json!({"strategy": {"type": "RollingUpdate"}}),
            json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}),
            json!({"strategy": {"type": "RollingUpdate"}}),
        ),
    ];
    for (name, wanted, found, expected) in cases {
        assert_eq!(settled(wanted, &found), expected, "{name}");
    }
}
