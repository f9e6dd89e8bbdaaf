//! The responses of the scripted cluster.

use crate::instant::objects::{
    DEPLOYMENT, IMAGE, NAMESPACE, REVISION, crashing_pod, first_deployment, replica_set, status,
};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::{Method, Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// An action of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The client opened a connection.
    Connected,
    /// The TLS handshake ended, as the server sees it.
    Secured,
    /// A whole call arrived.
    Called,
}

/// The state of the cluster. Response texts are created when something changes, not when they are
/// requested.
pub(crate) struct Script {
    pub(crate) admits: Admits,
    pub(crate) calls: usize,
    pub(crate) moments: Vec<(Moment, Timestamp)>,
    /// The Deployment in the next read: its rollout is complete.
    pub(crate) deployment: Value,
    pub(crate) deployment_text: Bytes,
    /// The ReplicaSet of the Deployment's template.
    pub(crate) newest: Value,
    pub(crate) sets_text: Bytes,
    /// Whether a write was answered and its rollout is not done yet.
    pub(crate) rolls_out: bool,
    /// How many pods a new version has, all of which crash; 0 if it becomes ready at once.
    pub(crate) crowd: usize,
    /// Whether the new version crashes.
    pub(crate) sick: bool,
    pub(crate) look_began: Option<Timestamp>,
    pub(crate) look_ended: Option<Timestamp>,
    pub(crate) look_bytes: usize,
}

/// Whose calls are answered.
pub(crate) enum Admits {
    /// Those with this header.
    Token(String),
    /// Those with a token of IAM, whose signature is not checked: that would be measured, too.
    Iam,
}

/// A response: a status, and a body that may stay open.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content: Bytes,
    pub(crate) open: Duration,
}

impl Script {
    pub(crate) fn new(token: &str) -> Script {
        let deployment = first_deployment();
        let newest = replica_set(&deployment);
        let mut script = Script {
            admits: Admits::Token(format!("Bearer {token}")),
            calls: 0,
            moments: Vec::new(),
            deployment,
            deployment_text: Bytes::new(),
            newest,
            sets_text: Bytes::new(),
            rolls_out: false,
            crowd: 0,
            sick: false,
            look_began: None,
            look_ended: None,
            look_bytes: 0,
        };
        script.write_texts(&[]);
        script
    }

    pub(crate) fn note(&mut self, moment: Moment) {
        if self.moments.len() < MOMENTS {
            self.moments.push((moment, Timestamp::now()));
        }
    }

    pub(crate) fn answer(&mut self, request: &Request<()>, body: &[u8]) -> Answer {
        self.calls += 1;
        self.note(Moment::Called);
        self.roll_out();
        let authorization = request.headers().get(AUTHORIZATION);
        let authorization = authorization.map(HeaderValue::as_bytes).unwrap_or_default();
        let is_admitted = match &self.admits {
            Admits::Token(token) => authorization == token.as_bytes(),
            Admits::Iam => authorization.starts_with(b"Bearer k8s-aws-v1."),
        };
        if !is_admitted {
            return refusal(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized");
        }
        if self.sick
            && let Some(answer) = self.crowded(request)
        {
            return answer;
        }
        let collections = format!("/apis/apps/v1/namespaces/{NAMESPACE}/");
        let path = request.uri().path().strip_prefix(&collections);
        let (resource, name) =
            path.map_or(("", ""), |path| path.split_once('/').unwrap_or((path, "")));
        let query = Query(request.uri().query().unwrap_or_default());
        match (request.method(), resource, name) {
            (&Method::GET, "deployments", DEPLOYMENT) => ok(self.deployment_text.clone()),
            (&Method::PATCH, "deployments", DEPLOYMENT) => self.patch(body),
            (&Method::GET, "deployments", "") if query.get("watch").is_some() => self.watch(&query),
            (&Method::GET, "replicasets", "") if query.get("watch").is_some() => open(&query, &[]),
            (&Method::GET, "replicasets", "") => self.replica_sets(&query),
            _ => refusal(
                StatusCode::NOT_FOUND,
                "NotFound",
                "the server could not find the requested resource",
            ),
        }
    }

    /// The responses for a deploy that does not end at once.
    pub(crate) fn crowded(&mut self, request: &Request<()>) -> Option<Answer> {
        let core = format!("/api/v1/namespaces/{NAMESPACE}/");
        let sets = format!("/apis/apps/v1/namespaces/{NAMESPACE}/replicasets/");
        let path = request.uri().path();
        let query = Query(request.uri().query().unwrap_or_default());
        match path.strip_prefix(&core) {
            Some("pods") if query.get("watch").is_some() => return Some(open(&query, &[])),
            Some("pods") => return Some(self.pods(&query)),
            Some("events") => {
                self.look_ended.get_or_insert_with(Timestamp::now);
                return Some(ok(list("v1", "EventList", &[])));
            }
            Some(_) => return Some(ok("panic: no DATABASE_URL\n".into())),
            None => {}
        }
        path.strip_prefix(&sets).map(|name| {
            // A deploy only requests the previous one. Alone an object has a kind, in a list not.
            let mut set = self.newest.clone();
            set["apiVersion"] = json!("apps/v1");
            set["kind"] = json!("ReplicaSet");
            set["metadata"]["name"] = json!(name);
            set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(IMAGE);
            ok(text(&set))
        })
    }

    /// A page of pods, each as large as a real one.
    pub(crate) fn pods(&mut self, query: &Query<'_>) -> Answer {
        self.look_began.get_or_insert_with(Timestamp::now);
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
        let from = number("continue").unwrap_or(0);
        let to = (from + number("limit").unwrap_or(self.crowd)).min(self.crowd);
        let pattern = crashing_pod(&self.newest).to_string();
        let pods = (from..to).map(|number| pattern.replace("POD", &format!("{number:05}")));
        let pods = pods.collect::<Vec<_>>().join(",");
        let next = if to < self.crowd {
            to.to_string()
        } else {
            String::new()
        };
        let metadata = json!({"resourceVersion": "900000", "continue": next});
        let head = format!(r#""kind":"PodList","apiVersion":"v1","metadata":{metadata}"#);
        let page = format!(r#"{{{head},"items":[{pods}]}}"#);
        self.look_bytes += page.len();
        ok(page.into())
    }

    pub(crate) fn replica_sets(&self, query: &Query<'_>) -> Answer {
        let ours = format!("app={DEPLOYMENT}");
        match query.get("labelSelector") {
            Some(selector) if selector != ours => ok(list(SETS.0, SETS.1, &[])),
            Some(_) | None => ok(self.sets_text.clone()),
        }
    }

    /// One event, which says that the rollout is done; then the stream stays open, like a real one.
    pub(crate) fn watch(&self, query: &Query<'_>) -> Answer {
        let event = json!({"type": "MODIFIED", "object": self.deployment});
        open(query, format!("{event}\n").as_bytes())
    }

    /// Applies a change and responds like the real server: with the new spec and the old status.
    pub(crate) fn patch(&mut self, body: &[u8]) -> Answer {
        let Ok(patch) = serde_json::from_slice::<Value>(body) else {
            let text = "the body of the request was in an unknown format";
            return refusal(StatusCode::BAD_REQUEST, "BadRequest", text);
        };
        let undone = patch.as_array();
        let undone = undone.and_then(|all| all.iter().find(|it| it["path"] == "/spec/template"));
        if let Some(operation) = undone {
            self.deployment["spec"]["template"] = operation["value"].clone();
        }
        self.sick = self.crowd > 0 && undone.is_none();
        let container = patch.pointer("/spec/template/spec/containers/0");
        let named = container.filter(|container| container["name"] == "app");
        if let Some(image) = named.and_then(|container| container.get("image")) {
            self.deployment["spec"]["template"]["spec"]["containers"][0]["image"] = image.clone();
        }
        let annotations = &mut self.deployment["metadata"]["annotations"];
        let changes = patch.pointer("/metadata/annotations");
        for (name, value) in changes.and_then(Value::as_object).into_iter().flatten() {
            match (value, annotations.as_object_mut()) {
                (Value::Null, Some(annotations)) => {
                    annotations.remove(name);
                }
                _ => annotations[name] = value.clone(),
            }
        }
        let metadata = &mut self.deployment["metadata"];
        metadata["generation"] = json!(number(&metadata["generation"]) + 1);
        raise(&mut metadata["resourceVersion"]);
        self.rolls_out = true;
        ok(text(&self.deployment))
    }

    /// Does the controllers' work between two calls.
    pub(crate) fn roll_out(&mut self) {
        if !std::mem::take(&mut self.rolls_out) {
            return;
        }
        let metadata = &mut self.deployment["metadata"];
        raise(&mut metadata["resourceVersion"]);
        raise(&mut metadata["annotations"][REVISION]);
        self.deployment["status"] = status(&self.deployment);
        if self.sick {
            let status = &mut self.deployment["status"];
            status["readyReplicas"] = json!(0);
            status["availableReplicas"] = json!(0);
            status["conditions"][1]["reason"] = json!("ReplicaSetUpdated");
        }
        let mut old = std::mem::replace(&mut self.newest, replica_set(&self.deployment));
        old["spec"]["replicas"] = json!(0);
        old["status"] = json!({"replicas": 0, "observedGeneration": 2});
        self.write_texts(&[old]);
    }

    pub(crate) fn write_texts(&mut self, older: &[Value]) {
        self.deployment_text = text(&self.deployment);
        let sets: Vec<_> = older.iter().chain([&self.newest]).collect();
        self.sets_text = list(SETS.0, SETS.1, &sets);
    }
}

/// The query of a request. Only an escaped `=` needs decoding.
pub(crate) struct Query<'a>(&'a str);

impl Query<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let mut pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        Some(value.replace("%3D", "="))
    }
}

pub(crate) fn ok(content: Bytes) -> Answer {
    Answer {
        status: StatusCode::OK,
        content,
        open: Duration::ZERO,
    }
}

/// A watch that begins with these events, and is silent until its time is over.
pub(crate) fn open(query: &Query<'_>, events: &[u8]) -> Answer {
    let seconds = query.get("timeoutSeconds");
    let seconds = seconds.and_then(|text| text.parse().ok());
    Answer {
        open: Duration::from_secs(seconds.unwrap_or(WATCH_SECONDS)),
        ..ok(events.to_vec().into())
    }
}

pub(crate) fn refusal(status: StatusCode, reason: &str, message: &str) -> Answer {
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": status.as_u16()});
    Answer {
        status,
        ..ok(text(&body))
    }
}

pub(crate) fn text(value: &Value) -> Bytes {
    let text = serde_json::to_vec(value);
    text.expect("a value can always be written").into()
}

pub(crate) fn list(version: &str, kind: &str, items: &[&Value]) -> Bytes {
    text(&json!({"kind": kind, "apiVersion": version,
        "metadata": {"resourceVersion": "900000"}, "items": items}))
}

pub(crate) fn number(value: &Value) -> u64 {
    let text = value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or(text).unwrap_or_default()
}

/// Increments a number that the API writes as a string.
pub(crate) fn raise(value: &mut Value) {
    *value = json!((number(value) + 1).to_string());
}

/// The version and the kind of a list of ReplicaSets.
const SETS: (&str, &str) = ("apps/v1", "ReplicaSetList");
/// How many moments are remembered: those of many deploys.
pub(crate) const MOMENTS: usize = 10_000;
/// The duration of a watch that requests none: the API server's minimum.
pub(crate) const WATCH_SECONDS: u64 = 1_800;
