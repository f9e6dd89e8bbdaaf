//! Generated requests, each as a dry run on the same two Deployments.

mod values;

use crate::differential::generated::values::{object, one_of, pod};
use crate::differential::pair::Pair;
use crate::differential::step::{
    MERGE, MOVING, OPERATIONS, STRATEGIC, Step, patch, post, put, still,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use std::cell::RefCell;

/// Generated requests.
const CASES: u32 = 1_000;

/// Generated patches of each type, and PUTs, each as a dry run on the same two Deployments.
#[test]
#[ignore = "needs a real control plane: make conformance"]
fn generated_requests_are_answered_alike() {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let pair = runtime.block_on(async {
        let mut pair = Pair::new("generated").await;
        for (name, object) in [("web", still("web")), ("rich", rich())] {
            pair.ask(&post("create", "deployments", &object)).await;
            pair.settle("created", name, "DeploymentPaused").await;
        }
        RefCell::new(pair)
    });
    let seed = std::env::var("LANDFALL_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("LANDFALL_SEED={seed}");
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&u64::to_le_bytes(seed));
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, random);
    let result = runner.run(&request(), |step| {
        let mut pair = pair.borrow_mut();
        runtime.block_on(pair.ask(&step));
        let found = std::mem::take(&mut pair.differences);
        prop_assert!(found.is_empty(), "{}", found.join("\n"));
        Ok(())
    });
    let pair = pair.into_inner();
    // The servers end within their runtime.
    runtime.block_on(async move { drop(pair) });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// A Deployment with something in every list that a patch merges.
pub(super) fn rich() -> Value {
    let mut object = still("rich");
    object["metadata"]["annotations"] = json!({"a": "1", "b": "2"});
    object["spec"]["strategy"] = json!({"type": "Recreate"});
    object["spec"]["minReadySeconds"] = 5.into();
    object["spec"]["template"]["spec"] = json!({
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "conf", "configMap": {"name": "c"}}],
        "initContainers": [{"name": "first", "image": "i:1", "command": ["a", "b"]}],
        "imagePullSecrets": [{"name": "key"}],
        "nodeSelector": {"disk": "ssd"},
        "containers": [
            {"name": "app", "image": "web:1", "args": ["x"],
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"},
                    {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 9090}],
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                "livenessProbe": {"tcpSocket": {"port": 8080}}},
            {"name": "side", "image": "side"}]});
    object
}

pub(super) fn request() -> impl Strategy<Value = Step> {
    let target = (
        any::<bool>(),
        prop_oneof![Just(""), Just("&fieldValidation=Strict")],
    );
    (target, 0..4_u8, change(), operations()).prop_map(|((is_rich, strict), kind, change, list)| {
        let (name, base) = if is_rich {
            ("rich", rich())
        } else {
            ("web", still("web"))
        };
        let path = format!("deployments/{name}?dryRun=All{strict}");
        let step = match kind {
            0 => patch("strategic", STRATEGIC, &path, change),
            1 => patch("merge", MERGE, &path, change),
            2 => patch("operations", OPERATIONS, &path, list),
            _ => {
                let mut object = base;
                merge(&mut object, &change);
                put("put", &path, &object)
            }
        };
        let what = format!("{} {} {}", step.name, step.path, step.body);
        Step { name: what, ..step }.ignoring(MOVING)
    })
}

pub(super) fn merge(object: &mut Value, change: &Value) {
    let Some(change) = change.as_object() else {
        *object = change.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (name, value) in change {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut object[name], value);
        }
    }
}

/// What a manifest, or a patch of one, may bring. Left out, as real Kubernetes has them and the
/// sandbox does not: quantities (it keeps `0.5` where the server writes `500m`), security contexts,
/// affinity and tolerations (it takes anything there), the sources of volumes; and numbers beyond
/// 32 bits, which a strategic patch wraps around and everything else refuses; and an empty
/// `$setElementOrder`, whose order of new elements is an accident of the server's sorting.
pub(super) fn change() -> BoxedStrategy<Value> {
    let names = json!([null, "1", "x", ""]);
    let labels = |own: BoxedStrategy<Value>| {
        object(vec![
            ("app", 0.2, own),
            ("a", 0.5, one_of(names.clone())),
            ("example.com/b", 0.2, one_of(names.clone())),
            ("$patch", 0.1, one_of(json!(["replace", "delete"]))),
        ])
    };
    let metadata = object(vec![
        ("labels", 0.4, labels(one_of(json!(["web", "other"])))),
        ("annotations", 0.4, labels(one_of(json!([null, "1"])))),
        (
            "finalizers",
            0.1,
            one_of(json!([null, ["example.com/b"], ["example.com/a"]])),
        ),
    ]);
    let rolling = object(vec![
        (
            "maxSurge",
            0.7,
            one_of(json!([null, 0, 1, "0%", "25%", "x", -1, "200%"])),
        ),
        (
            "maxUnavailable",
            0.7,
            one_of(json!([null, 0, 2, "0%", "50%", "y", "150%"])),
        ),
    ]);
    let strategy = object(vec![
        (
            "type",
            0.7,
            one_of(json!([null, "Recreate", "RollingUpdate", "RollingUpdate"])),
        ),
        (
            "rollingUpdate",
            0.5,
            prop_oneof![2 => rolling, 1 => Just(Value::Null)].boxed(),
        ),
        (
            "$retainKeys",
            0.2,
            one_of(json!([["type"], ["type", "rollingUpdate"]])),
        ),
    ]);
    let template = object(vec![
        (
            "metadata",
            0.2,
            object(vec![
                ("labels", 0.4, labels(one_of(json!(["web", "rich"])))),
                ("annotations", 0.6, labels(one_of(json!([null, "1"])))),
            ]),
        ),
        ("spec", 0.9, pod()),
    ]);
    let spec = object(vec![
        (
            "replicas",
            0.2,
            one_of(json!([null, 0, 1, 3, -1, "x", 1.5])),
        ),
        ("paused", 0.1, one_of(json!([true, false, null]))),
        ("minReadySeconds", 0.1, one_of(json!([0, 3, 700, -1, null]))),
        (
            "progressDeadlineSeconds",
            0.1,
            one_of(json!([null, 0, 5, 2147483647])),
        ),
        ("revisionHistoryLimit", 0.1, one_of(json!([null, 0, 3, -1]))),
        ("strategy", 0.2, strategy),
        (
            "selector",
            0.05,
            one_of(json!([null, {"matchLabels": {"app": "x"}}])),
        ),
        ("template", 0.9, template),
        ("replica", 0.05, one_of(json!([1, {"a": 1}]))),
    ]);
    object(vec![("metadata", 0.3, metadata), ("spec", 0.95, spec)])
}

/// Up to three operations on paths that are there, and some that are not.
pub(super) fn operations() -> BoxedStrategy<Value> {
    let path = one_of(json!([
        "/spec/replicas",
        "/spec/minReadySeconds",
        "/spec/template/spec/containers/0/image",
        "/spec/template/spec/containers/0",
        "/spec/template/spec/containers/1",
        "/spec/template/spec/containers/-",
        "/spec/template/spec/containers/7",
        "/spec/template/spec/containers/0/env/0",
        "/spec/template/spec/containers/0/env/-",
        "/spec/template/spec/nodeSelector",
        "/spec/template/spec/nodeSelector/a~1b",
        "/spec/template/metadata/annotations",
        "/metadata/annotations/a",
        "/metadata/labels/app",
        "/spec/nothing",
        "/spec/nothing/at/all",
        "/spec/strategy",
        "/spec/template",
        "/metadata/annotations"
    ]));
    let value = one_of(
        json!([null, 0, 2, "x", "web:3", {}, [], {"a": "b"}, {"name": "new",
        "image": "n:1"}, {"name": "NEW", "value": "1"}, {"type": "Recreate"}]),
    );
    let name = one_of(json!([
        "add", "replace", "remove", "test", "add", "replace", "copy", "move"
    ]));
    let operation = (name, path.clone(), value, path).prop_map(|(name, path, value, from)| {
        match name.as_str() {
            Some("remove") => json!({"op": name, "path": path}),
            Some("copy" | "move") => json!({"op": name, "path": path, "from": from}),
            _ => json!({"op": name, "path": path, "value": value}),
        }
    });
    proptest::collection::vec(operation, 0..4)
        .prop_map(Value::from)
        .boxed()
}
