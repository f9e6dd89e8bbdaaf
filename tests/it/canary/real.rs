//! Stories that also run on the real control plane, with the definition of HTTPRoutes and a small
//! stand-in for a Gateway's controller: it accepts every route, as soon as it sees it.

use super::{canary, deploy};
use crate::blue_green::{NEW_IMAGE, SICK_IMAGE, at_rest, endpoints_are_known, replicas};
use crate::cluster::Cluster;
use crate::real::Namespace;
use crate::stage::{Stage, beside, demo_app};
use landfall::http::{self, Trust};
use landfall_sandbox::gateway::{HTTP_ROUTES, definition, parents, sample_http_route};
use landfall_sandbox::world::sample_service;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::AbortHandle;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const VERSION: &str = "gateway.networking.k8s.io/v1";
const JSON: &str = "application/json";

/// The stand-in, until it is dropped.
struct Controller(Option<AbortHandle>);

impl Drop for Controller {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// A cluster in which `demo-app` serves over a route.
async fn stage() -> (Stage, Controller) {
    if !crate::real::is_named() {
        return (super::stage().await, Controller(None));
    }
    let stage = Stage::given([demo_app(600), sample_service("demo-app")]).await;
    let Cluster::Real(namespace) = &stage.cluster else {
        unreachable!()
    };
    let body = definition().to_string();
    let (status, answer) = namespace.send(Method::POST, DEFINITIONS, JSON, body).await;
    assert!([201, 409].contains(&status), "{answer}");
    let path = format!("{DEFINITIONS}/{HTTP_ROUTES}");
    namespace.until(&path, is_established).await;
    let mut route = sample_http_route("demo-app", "demo-app");
    route["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("namespace");
    let routes = namespace.path(VERSION, "httproutes");
    let made = namespace.create(&routes, &route).await;
    assert_eq!(made["metadata"]["name"], "demo-app");
    let path = format!("{routes}/demo-app");
    let url = format!("{}{path}", namespace.admin());
    let task = tokio::spawn(accept(url)).abort_handle();
    namespace
        .until(&path, |route| route["status"]["parents"].is_array())
        .await;
    endpoints_are_known(&stage).await;
    (stage, Controller(Some(task)))
}

fn is_established(definition: &Value) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|one| one["type"] == "Established" && one["status"] == "True")
}

/// Writes the status of the route whenever it has another generation.
async fn accept(url: String) {
    let client = http::client(Trust::Public).unwrap();
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let Ok(answer) = client.get(&url).send().await else {
            continue;
        };
        let text = answer.text().await.unwrap_or_default();
        let Ok(mut route) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        let seen = &route["status"]["parents"][0]["conditions"][0]["observedGeneration"];
        if *seen == route["metadata"]["generation"] {
            continue;
        }
        let now = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap();
        let parents = parents(&route, &[], &now.to_string());
        route["status"]["parents"] = parents;
        let request = client.put(format!("{url}/status"));
        let request = request.header("content-type", JSON);
        // One that is too late is repeated.
        drop(request.body(route.to_string()).send().await);
    }
}

/// The backends of the route, each with its weight.
async fn backends(stage: &Stage) -> Vec<(String, u64)> {
    let route = match &stage.cluster {
        Cluster::Sandbox(_) => super::route(stage),
        Cluster::Real(namespace) => route_of(namespace).await,
    };
    let backends = route["spec"]["rules"][0]["backendRefs"].as_array().unwrap();
    let pairs = backends.iter().map(|one| {
        let name = one["name"].as_str().unwrap().to_owned();
        (name, one["weight"].as_u64().unwrap())
    });
    pairs.collect()
}

async fn route_of(namespace: &Namespace) -> Value {
    let path = namespace.path(VERSION, "httproutes/demo-app");
    namespace.get(&path).await.unwrap()
}

/// All weights that the route had while a story ran.
async fn weighed<T>(stage: &Stage, story: impl Future<Output = T>) -> (T, Vec<Vec<u64>>) {
    let mut seen = Vec::new();
    let look = async {
        loop {
            let weights = backends(stage).await.into_iter().map(|one| one.1);
            let weights = weights.collect::<Vec<_>>();
            if seen.last() != Some(&weights) {
                seen.push(weights);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let told = beside(story, look).await;
    (told, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_written_step_by_step_and_given_back() {
    let (stage, _controller) = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([10]);
    let (ended, seen) = weighed(&stage, deploy(&stage, parameters)).await;
    ended.success();
    let shares: [&[u64]; 5] = [&[1], &[100, 0], &[90, 10], &[0, 100], &[1]];
    assert_eq!(seen, shares);
    assert_eq!(backends(&stage).await, [("demo-app".to_owned(), 1)]);
    assert_eq!(replicas(&stage, "demo-app").await, Some(0));
    let candidate = stage.cluster.object("services", "demo-app-canary").await;
    assert_eq!(candidate, None);
    at_rest(&stage).await;
    // A version that never serves changes no weight.
    let (ended, seen) = weighed(&stage, deploy(&stage, canary(SICK_IMAGE))).await;
    let (_, message) = ended.failure();
    assert!(message.contains("exits with code 1"), "{message}");
    assert_eq!(seen, [vec![1]]);
    at_rest(&stage).await;
}
