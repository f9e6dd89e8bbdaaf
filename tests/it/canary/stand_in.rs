//! Clusters in which an application serves over a route. On the real control plane no controller
//! takes routes, so that small stand-ins do: a Gateway's, which accepts every route, and the AWS
//! one, which puts its finalizer on an Ingress and tells by an event that it has done its work.

use crate::blue_green::endpoints_are_known;
use crate::cluster::Cluster;
use crate::real::Namespace;
use crate::stage::{Stage, beside};
use landfall::http::{self, Trust};
use landfall_sandbox::gateway::{FINALIZER, HTTP_ROUTES, content, definition, parents};
use landfall_sandbox::traffic::of_route;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::AbortHandle;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const JSON: &str = "application/json";
/// How often a stand-in, or a story, looks at the route.
const LOOK: Duration = Duration::from_millis(20);
/// What calls of ELB take. An event's time has whole seconds, and must be after the write.
const ELB: Duration = Duration::from_millis(1200);

/// The stand-in, until it is dropped; none in the sandbox, whose world has its own.
pub struct Controller(Option<AbortHandle>);

impl Drop for Controller {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// A cluster with these objects, in which `demo-app` serves over this route, once a controller has
/// taken it.
pub async fn stage_over(mut route: Value, objects: Vec<Value>) -> (Stage, Controller) {
    if !crate::real::is_named() {
        let stage = Stage::in_sandbox(|world, now| {
            world.install_gateway_api(now);
            world.timing().route_in_force = jiff::SignedDuration::try_from(ELB).unwrap();
            for object in objects.into_iter().chain([route]) {
                world.apply(object, now);
            }
        })
        .await;
        endpoints_are_known(&stage).await;
        return (stage, Controller(None));
    }
    let stage = Stage::given(objects).await;
    let Cluster::Real(namespace) = &stage.cluster else {
        unreachable!()
    };
    let resource = resource_of(&route);
    if resource == "httproutes" {
        define(namespace).await;
    }
    let version = route["apiVersion"].as_str().unwrap().to_owned();
    let metadata = route["metadata"].as_object_mut().unwrap();
    metadata.remove("namespace");
    let routes = namespace.path(&version, resource);
    namespace.create(&routes, &route).await;
    let path = format!("{routes}/demo-app");
    let base = namespace.admin().to_owned();
    let events = namespace.path("v1", "events");
    let task = match resource {
        "httproutes" => tokio::spawn(accept(format!("{base}{path}"))),
        _ => tokio::spawn(reconcile(
            format!("{base}{path}"),
            format!("{base}{events}"),
        )),
    };
    namespace.until(&path, is_taken).await;
    endpoints_are_known(&stage).await;
    (stage, Controller(Some(task.abort_handle())))
}

fn resource_of(route: &Value) -> &'static str {
    match route["kind"].as_str() {
        Some("HTTPRoute") => "httproutes",
        _ => "ingresses",
    }
}

fn is_taken(route: &Value) -> bool {
    route["status"]["parents"].is_array() || has_finalizer(route)
}

fn has_finalizer(ingress: &Value) -> bool {
    let finalizers = ingress["metadata"]["finalizers"].as_array();
    finalizers.into_iter().flatten().any(|one| one == FINALIZER)
}

/// Stories at the same time may define it both.
async fn define(namespace: &Namespace) {
    let body = definition().to_string();
    let (status, answer) = namespace.send(Method::POST, DEFINITIONS, JSON, body).await;
    assert!([201, 409].contains(&status), "{answer}");
    let is_established = |definition: &Value| {
        let conditions = definition["status"]["conditions"].as_array();
        let mut conditions = conditions.into_iter().flatten();
        conditions.any(|one| one["type"] == "Established" && one["status"] == "True")
    };
    let path = format!("{DEFINITIONS}/{HTTP_ROUTES}");
    namespace.until(&path, is_established).await;
}

async fn got(client: &reqwest::Client, url: &str) -> Option<Value> {
    let answer = client.get(url).send().await.ok()?;
    serde_json::from_str(&answer.text().await.ok()?).ok()
}

/// Writes the status of the route whenever it has another generation.
async fn accept(url: String) {
    let client = http::client(Trust::Public).unwrap();
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(mut route) = got(&client, &url).await else {
            continue;
        };
        let seen = &route["status"]["parents"][0]["conditions"][0]["observedGeneration"];
        if *seen == route["metadata"]["generation"] {
            continue;
        }
        let parents = parents(&route, &[], &now());
        route["status"]["parents"] = parents;
        let request = client.put(format!("{url}/status"));
        let request = request.header("content-type", JSON);
        // One that is too late is repeated.
        drop(request.body(route.to_string()).send().await);
    }
}

/// Takes an Ingress, and says so after each change of what it routes by.
async fn reconcile(url: String, events: String) {
    let client = http::client(Trust::Public).unwrap();
    let mut done = Value::Null;
    for number in 0.. {
        tokio::time::sleep(LOOK).await;
        let Some(ingress) = got(&client, &url).await else {
            continue;
        };
        if ingress["metadata"]["name"].is_null() {
            continue;
        }
        if !has_finalizer(&ingress) {
            let patch = json!({"metadata": {"finalizers": [FINALIZER]}}).to_string();
            let request = client.patch(&url);
            let request = request.header("content-type", "application/merge-patch+json");
            drop(request.body(patch).send().await);
            continue;
        }
        if done == content(&ingress) {
            continue;
        }
        tokio::time::sleep(ELB).await;
        let about = &ingress["metadata"];
        let event = json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": format!("demo-app.{number}"), "namespace": about["namespace"]},
            "involvedObject": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "name": about["name"], "namespace": about["namespace"], "uid": about["uid"]},
            "reason": "SuccessfullyReconciled", "message": "Successfully reconciled",
            "type": "Normal", "count": 1, "source": {"component": "ingress"},
            "firstTimestamp": now(), "lastTimestamp": now()});
        let request = client.post(&events).header("content-type", JSON);
        let told = request.body(event.to_string()).send().await;
        if told.is_ok_and(|answer| answer.status().is_success()) {
            done = content(&ingress);
        }
    }
}

/// The time as Kubernetes writes it.
fn now() -> String {
    let now = jiff::Timestamp::now();
    let whole = jiff::TimestampRound::new().smallest(jiff::Unit::Second);
    let whole = whole.mode(jiff::RoundMode::Trunc);
    now.round(whole).unwrap().to_string()
}

/// The route `demo-app` as it is now, of whatever kind.
pub async fn route(stage: &Stage) -> Value {
    for resource in [HTTP_ROUTES, "ingresses"] {
        if let Some(route) = stage.cluster.object(resource, "demo-app").await {
            return route;
        }
    }
    panic!("there is no route");
}

/// The Services of the place that sends to `demo-app`, each with its weight.
pub fn backends(route: &Value) -> Vec<(String, u64)> {
    let mut places = of_route(&content(route), |_| None).into_iter();
    let ours = places.find(|place| place.backends.iter().any(|it| it.service == "demo-app"));
    let pairs = ours.unwrap_or_default().backends.into_iter();
    pairs.map(|one| (one.service, one.weight)).collect()
}

/// All weights that the route had while a story ran.
pub async fn weighed<T>(stage: &Stage, story: impl Future<Output = T>) -> (T, Vec<Vec<u64>>) {
    let mut seen = Vec::new();
    let look = async {
        loop {
            let weights = backends(&route(stage).await);
            let weights = weights.into_iter().map(|one| one.1).collect::<Vec<_>>();
            if seen.last() != Some(&weights) {
                seen.push(weights);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let told = beside(story, look).await;
    (told, seen)
}

/// Landfall's note on the route.
pub fn note(route: &Value) -> Option<Value> {
    let text = route["metadata"]["annotations"]["landfall/canary"].as_str()?;
    serde_json::from_str(text).ok()
}

/// Waits until the weights of this step are in force, as Landfall sees it.
pub async fn step_is(stage: &Stage, step: u64) -> Value {
    loop {
        let route = route(stage).await;
        if let Some(note) = note(&route)
            && note["step"] == step
            && note["since"].is_string()
        {
            return note;
        }
        tokio::time::sleep(LOOK).await;
    }
}
