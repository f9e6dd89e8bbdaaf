//! Generated pods and containers.

use proptest::prelude::*;
use serde_json::{Value, json};

pub(super) type Field = (&'static str, f64, BoxedStrategy<Value>);

/// An object that has each field with its probability.
pub(super) fn object(fields: Vec<Field>) -> BoxedStrategy<Value> {
    let parts: Vec<_> = fields
        .into_iter()
        .map(|(name, share, value)| {
            proptest::option::weighted(share, value.prop_map(move |value| (name, value)))
        })
        .collect();
    parts
        .prop_map(|found| {
            let fields = found.into_iter().flatten();
            Value::Object(
                fields
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            )
        })
        .boxed()
}

pub(super) fn one_of(values: Value) -> BoxedStrategy<Value> {
    let values = values.as_array().unwrap().clone();
    proptest::sample::select(values).boxed()
}

pub(super) fn list(item: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    proptest::collection::vec(item, 0..3)
        .prop_map(Value::from)
        .boxed()
}

pub(super) fn pod() -> BoxedStrategy<Value> {
    let directive = || one_of(json!(["delete", "delete", "replace", "merge"]));
    let volume = object(vec![
        ("name", 0.97, one_of(json!(["data", "new", "Bad", ""]))),
        ("emptyDir", 0.6, one_of(json!([{}, null]))),
        ("$patch", 0.15, directive()),
    ]);
    let secret = object(vec![
        ("name", 0.95, one_of(json!(["key", "other"]))),
        ("$patch", 0.2, directive()),
    ]);
    let texts = one_of(json!([null, [], ["a"], ["c", "d"], [""], "x", [1]]));
    object(vec![
        (
            "containers",
            0.8,
            list(container_of(&["app", "side", "new"])),
        ),
        (
            "initContainers",
            0.15,
            list(container_of(&["first", "second"])),
        ),
        ("volumes", 0.15, list(volume)),
        ("imagePullSecrets", 0.1, list(secret)),
        (
            "nodeSelector",
            0.1,
            one_of(json!([null, {}, {"disk": "hdd"}, {"a": ""}, {"a": 1}])),
        ),
        (
            "restartPolicy",
            0.05,
            one_of(json!(["Always", "Never", "Now", null])),
        ),
        (
            "terminationGracePeriodSeconds",
            0.1,
            one_of(json!([0, 60, null])),
        ),
        (
            "serviceAccountName",
            0.1,
            one_of(json!(["runner", "", null, "Bad_"])),
        ),
        ("hostname", 0.05, one_of(json!(["h", ""]))),
        (
            "$setElementOrder/containers",
            0.1,
            one_of(json!([
            [{"name": "side"}, {"name": "app"}], [{"name": "app"}]])),
        ),
        ("container", 0.05, texts),
    ])
}

pub(super) fn container_of(names: &'static [&'static str]) -> BoxedStrategy<Value> {
    let directive = || one_of(json!(["delete", "delete", "replace", "merge"]));
    let texts = || one_of(json!([null, [], ["a"], ["c", "d"], "x", [1]]));
    let source = one_of(
        json!([null, {}, {"fieldRef": {"fieldPath": "metadata.uid"}},
        {"secretKeyRef": {"name": "s", "key": "k"}}]),
    );
    let variable = object(vec![
        (
            "name",
            0.97,
            one_of(json!(["A", "B", "C", "D", "DEMO_GREETING", "", "A=B"])),
        ),
        ("value", 0.7, one_of(json!(["", "1", "new", null, 7]))),
        ("valueFrom", 0.15, source),
        ("$patch", 0.15, directive()),
    ]);
    let port = object(vec![
        (
            "containerPort",
            0.95,
            one_of(json!([8080, 9090, 1, 0, 70000])),
        ),
        ("name", 0.4, one_of(json!(["http", "m", "", "Bad", null]))),
        ("protocol", 0.2, one_of(json!(["TCP", "UDP", "HTTP", null]))),
        ("$patch", 0.1, directive()),
    ]);
    let mount = object(vec![
        ("name", 0.9, one_of(json!(["data", "conf", "missing"]))),
        ("mountPath", 0.95, one_of(json!(["/data", "/conf"]))),
        ("readOnly", 0.3, one_of(json!([true, false]))),
    ]);
    let probe = object(vec![
        (
            "httpGet",
            0.4,
            one_of(json!([null, {"port": 80}, {"port": "http", "path": "/x"}])),
        ),
        ("tcpSocket", 0.2, one_of(json!([null, {"port": 1}]))),
        ("periodSeconds", 0.3, one_of(json!([0, 3, -1, null]))),
        ("failureThreshold", 0.2, one_of(json!([0, 5]))),
    ]);
    let probe = prop_oneof![3 => probe, 1 => Just(Value::Null)].boxed();
    object(vec![
        ("name", 0.97, one_of(names.into())),
        (
            "image",
            0.7,
            one_of(json!([
                "web:2",
                "web",
                "web:latest",
                "r:5000/x@sha256:ab",
                "",
                null,
                "r:5000/y"
            ])),
        ),
        ("env", 0.5, list(variable)),
        ("ports", 0.2, list(port)),
        ("volumeMounts", 0.1, list(mount)),
        ("command", 0.15, texts()),
        ("args", 0.1, texts()),
        (
            "imagePullPolicy",
            0.1,
            one_of(json!(["Always", "Never", "Sometimes", null, ""])),
        ),
        ("readinessProbe", 0.1, probe.clone()),
        ("livenessProbe", 0.1, probe),
        ("workingDir", 0.1, one_of(json!(["/", ""]))),
        ("tty", 0.05, one_of(json!([true, false, null, "yes"]))),
        ("imag", 0.03, one_of(json!(["x"]))),
        ("$patch", 0.05, directive()),
        (
            "$setElementOrder/env",
            0.1,
            one_of(json!([
            [{"name": "B"}, {"name": "A"}], [{"name": "A"}]])),
        ),
    ])
}
