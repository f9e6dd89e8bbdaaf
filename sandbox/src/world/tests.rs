//! The world as a client sees it: requests in, answers and time out.

mod api;
mod applied;
mod controllers;
mod routes;
mod target_groups;
mod workloads;

use super::*;
use crate::world::object::{integer, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const TOKEN: &str = "a-token";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json-patch+json";
const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";
const ALL: &str = "/apis/apps/v1/namespaces/default/deployments";

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// A settled world with the sample as `web`, and the time.
fn settled() -> (World, Timestamp) {
    let mut world = World::new(TOKEN);
    world.apply(sample_deployment("web", "web:1"), start());
    let now = world.settle(start());
    (world, now)
}

fn request(method: &str, path: &str, content_type: &str, body: &Value) -> Request {
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        content_type: Some(content_type.to_owned()).filter(|it| !it.is_empty()),
        authorization: Some(format!("Bearer {TOKEN}")),
        certificate: None,
        user_agent: Some("landfall/0.1".to_owned()),
        body: if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        },
    }
}

/// Status and body of an answer.
fn ask(world: &mut World, request: &Request, now: Timestamp) -> (u16, Value) {
    match world.answer(request, now) {
        Reply::Answer(Answer {
            status,
            body: Body::Json(value),
            ..
        }) => (status, value),
        Reply::Answer(Answer {
            status,
            body: Body::Text(text),
            ..
        }) => (status, text.into()),
        other @ (Reply::Answer(_) | Reply::Watch(_) | Reply::Stall | Reply::Cut) => {
            panic!("not an object: {other:?}")
        }
    }
}

fn get(world: &mut World, path: &str, now: Timestamp) -> (u16, Value) {
    ask(world, &request("GET", path, "", &Value::Null), now)
}

fn patch(world: &mut World, content_type: &str, body: Value, now: Timestamp) -> (u16, Value) {
    ask(world, &request("PATCH", WEB, content_type, &body), now)
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}})
}

fn web(world: &World) -> &Value {
    world.deployment("default", "web").expect("it is there")
}

fn reason<'a>(world: &'a World, kind: &str) -> &'a str {
    object::condition(web(world), kind).map_or("", |it| text(it, "/reason"))
}

fn revision(world: &World) -> &str {
    web(world)["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        .as_str()
        .unwrap_or("")
}

/// (size, image, revision) of each ReplicaSet, by revision.
fn sets(world: &World) -> Vec<(i64, String, String)> {
    let mut sets: Vec<_> = world
        .objects("replicasets")
        .into_iter()
        .map(|set| {
            let revision = &set["metadata"]["annotations"]["deployment.kubernetes.io/revision"];
            (
                integer(set, "/spec/replicas"),
                text(set, "/spec/template/spec/containers/0/image").to_owned(),
                revision.as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    sets.sort_by(|left, right| left.2.cmp(&right.2));
    sets
}
