//! What speaks against a canary: each is told before anything is written.

use super::{canary, stage, stage_since, stage_with};
use crate::blue_green::{NEW_IMAGE, replicas, service};
use crate::stage::{Stage, demo_app};
use jiff::SignedDuration;
use landfall_sandbox::gateway::{HTTP_ROUTES, IGNORE, REFUSE, sample_http_route, sample_ingress};
use landfall_sandbox::world::sample_service;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_a_canary_are_checked() {
    let stage = stage().await;
    let cases = [
        (
            "steps",
            json!([50, 10]),
            "must rise, and 10 % comes after 50 %",
        ),
        (
            "steps",
            json!([10, 10]),
            "must rise, and 10 % comes after 10 %",
        ),
        ("steps", json!([10, 150]), "from 1 to 100, and is `150`"),
        ("steps", json!([0]), "from 1 to 100, and is `0`"),
        ("steps", json!([12.5]), "a whole number of percent"),
        ("steps", json!([]), "is empty"),
        ("steps", json!("10"), "and is a string"),
        ("steps", json!([{"bake": "1s"}]), "steps[0].weight"),
        (
            "steps",
            json!([{"weight": 10, "wait": "1s"}]),
            "steps[0].wait",
        ),
        (
            "steps",
            json!([{"weight": 10, "bake": "7h"}]),
            "from 0s to 6h",
        ),
        ("steps", json!({"every": "1m"}), "must be"),
        (
            "steps",
            json!({"every": "20s", "by": 10}),
            "take at least 3 min 51 s together",
        ),
        // Each step takes its time to come into force, too.
        (
            "steps",
            json!({"every": "6s", "by": 10}),
            "take at least 1 min 45 s together, with 5 s for each to come into force",
        ),
        (
            "steps",
            json!([{"weight": 10, "bake": "5m"}]),
            "must be shorter than `timeout`",
        ),
        ("route", Value::Null, "`route` must be a string"),
        (
            "route",
            json!("web"),
            "must be `httproute/NAME` or `ingress/NAME`",
        ),
        ("route", json!("httproute/Web"), "must be `httproute/NAME`"),
        (
            "rollback",
            json!(false),
            "cannot be false with the strategy `canary`",
        ),
        ("keep", json!(1), "is only for the strategy `immutable`"),
    ];
    for (field, value, told) in cases {
        let mut parameters = canary(NEW_IMAGE);
        parameters[field] = value.clone();
        let (kind, message) = stage.refused(parameters).await;
        assert_eq!(kind, "ConfigurationError", "{value}: {message}");
        assert!(message.contains(told), "{value}: {message}");
    }
    let mut other = canary(NEW_IMAGE);
    other["strategy"] = json!("blueGreen");
    let (_, message) = stage.refused(other).await;
    assert!(
        message.contains("`steps` is only for the strategy `canary`"),
        "{message}"
    );
}

/// The route before the story, what is made of it, and what is told.
fn routes() -> Vec<(&'static str, Value, &'static str)> {
    let plain = || sample_http_route("demo-app", "demo-app");
    let with = |pointer: &str, value: Value| {
        let mut route = plain();
        *route.pointer_mut(pointer).unwrap() = value;
        route
    };
    let noted = |name: &str, text: &str| {
        let mut route = plain();
        route["metadata"]["annotations"] = json!({name: text});
        route
    };
    let backend = |name: &str, weight: u32| json!({"name": name, "port": 80, "weight": weight});
    vec![
        (
            "another Service",
            sample_http_route("demo-app", "other"),
            "does not send to Service",
        ),
        (
            "different shares",
            with(
                "/spec/rules",
                json!([{"backendRefs": [backend("demo-app", 1), backend("other", 1)]},
                    {"backendRefs": [backend("demo-app", 1)]}]),
            ),
            "different shares",
        ),
        ("no controller", noted(IGNORE, "true"), "is ignored by"),
        (
            "refused",
            noted(REFUSE, "Accepted NotAllowedByListeners"),
            "NotAllowedByListeners",
        ),
        (
            "no weight",
            with(
                "/spec/rules/0/backendRefs",
                json!([backend("demo-app", 0), backend("other", 1)]),
            ),
            "no weight",
        ),
        (
            "another manager",
            {
                let mut route = plain();
                route["metadata"]["managedFields"] = json!([{"manager": "argocd-controller",
                    "operation": "Apply", "apiVersion": "gateway.networking.k8s.io/v1",
                    "fieldsType": "FieldsV1", "time": "2026-01-01T00:00:00Z",
                    "fieldsV1": {"f:spec": {"f:rules": {}}}}]);
                route
            },
            "is applied by `argocd-controller`",
        ),
        (
            "a mesh without a controller for routes",
            {
                let mut route = noted(IGNORE, "true");
                route["spec"]["parentRefs"] = json!([{"group": "", "kind": "Service",
                    "name": "demo-app"}]);
                route
            },
            "is ignored by Service",
        ),
        (
            "an owner",
            {
                let mut route = plain();
                route["metadata"]["ownerReferences"] = json!([{"apiVersion": "flagger.app/v1beta1",
                    "kind": "Canary", "name": "demo", "uid": "1", "controller": true}]);
                route
            },
            "Canary `demo`",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_cannot_divide_the_traffic_is_told_and_nothing_is_written() {
    for (name, route, told) in routes() {
        // A controller has its time to look at it.
        let stage = stage_since(SignedDuration::from_mins(1), |world, now| {
            world.apply(sample_service("other"), now);
            world.apply(route, now);
        })
        .await;
        let (kind, message) = stage.refused(canary(NEW_IMAGE)).await;
        assert_eq!(kind, "ConfigurationError", "{name}: {message}");
        assert!(message.contains(told), "{name}: {message}");
        assert_eq!(replicas(&stage, "demo-app-blue").await, None, "{name}");
        let lock = &service(&stage).await["metadata"]["annotations"]["landfall/lock"];
        assert!(lock.is_null(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_or_a_name_that_is_not_to_be_had_is_told() {
    let stage = stage_with(|world, now| {
        world.delete(HTTP_ROUTES, "default", "demo-app", now);
    })
    .await;
    let (kind, message) = stage.refused(canary(NEW_IMAGE)).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(
        message.contains("there is no such HTTPRoute in this namespace"),
        "{message}"
    );
    let stage = Stage::given([demo_app(600), sample_service("demo-app")]).await;
    let (kind, message) = stage.refused(canary(NEW_IMAGE)).await;
    assert_eq!(kind, "ConfigurationError", "no Gateway API: {message}");
    assert!(message.contains("there is no such HTTPRoute"), "{message}");
    let stage = stage_with(|world, now| {
        world.apply(sample_service("demo-app-canary"), now);
    })
    .await;
    let (kind, message) = stage.refused(canary(NEW_IMAGE)).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(
        message.contains("needs a Service `demo-app-canary`"),
        "{message}"
    );
}

/// What a canary needs, by an HTTPRoute or by an Ingress.
pub const NEEDED: [(&str, &str); 7] = [
    ("get", "httproutes"),
    ("patch", "httproutes"),
    ("get", "ingresses"),
    ("patch", "ingresses"),
    ("create", "services"),
    ("delete", "services"),
    ("list", "events"),
];

#[tokio::test(flavor = "multi_thread")]
async fn permissions_of_a_canary_are_asked_for_before_the_first_write() {
    for (verb, resource) in NEEDED {
        let stage = stage_with(|world, now| {
            world.apply(sample_ingress("demo-app", "demo-app"), now);
        })
        .await;
        stage.cluster.forbid(verb, resource).await;
        let mut parameters = canary(NEW_IMAGE);
        if resource == "ingresses" {
            parameters["route"] = json!("ingress/demo-app");
        }
        let (kind, message) = stage.refused(parameters).await;
        assert_eq!(kind, "PermissionError", "{verb} {resource}: {message}");
        assert!(
            message.contains(verb) && message.contains(resource),
            "{message}"
        );
        assert_eq!(
            replicas(&stage, "demo-app-blue").await,
            None,
            "{verb} {resource}"
        );
    }
}
