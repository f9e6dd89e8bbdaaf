//! One of the two clusters: the sandbox's, or a namespace of a real one.

use crate::differential::comparable::plain;
use crate::differential::step::{JSON, Step, Who, get};
use jiff::{SignedDuration, Timestamp};
use landfall::http::{self, Trust};
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::{Behaviour, World};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WARNING};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a rollout may take on either side.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);
/// Nothing may change for so long before a rollout counts as settled.
pub(super) const QUIET: Duration = Duration::from_millis(400);

/// One of the two clusters.
pub(super) struct Peer {
    pub(super) cluster: Cluster,
    pub(super) client: reqwest::Client,
    pub(super) url: String,
    pub(super) tokens: [String; 2],
    /// What `$name` stands for.
    pub(super) memory: BTreeMap<&'static str, String>,
}

pub(super) enum Cluster {
    Sandbox(Kubernetes),
    Real { _namespace: Namespace },
}

impl Peer {
    pub(super) async fn sandbox(namespace: &str) -> Peer {
        let mut world = World::new("landfall-token");
        world.default_behaviour(Behaviour::Ready {
            after: SignedDuration::from_millis(100),
        });
        let message = "0/3 nodes are available".to_owned();
        world.behave("never", Behaviour::Unschedulable { message });
        let object = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": namespace}});
        world.apply(object, Timestamp::now());
        world.sign_in(format!("system:serviceaccount:{namespace}:landfall"));
        let server = Kubernetes::start(world).await.unwrap();
        Peer {
            client: http::client(Trust::Only(server.ca())).unwrap(),
            url: server.url().to_owned(),
            tokens: ["landfall-token".to_owned(), "landfall-token".to_owned()],
            memory: BTreeMap::from([("namespace", namespace.to_owned())]),
            cluster: Cluster::Sandbox(server),
        }
    }

    pub(super) async fn real(namespace: &str) -> Peer {
        let space = Namespace::make(namespace).await;
        let ca = std::fs::read_to_string(variable("LANDFALL_CLUSTER_CA")).unwrap();
        Peer {
            client: http::client(Trust::Only(&ca)).unwrap(),
            url: variable("LANDFALL_CLUSTER"),
            tokens: [space.token("landfall").await, space.token("nobody").await],
            memory: BTreeMap::from([("namespace", namespace.to_owned())]),
            cluster: Cluster::Real { _namespace: space },
        }
    }

    /// Sends a request; gives what is to be compared.
    pub(super) async fn ask(&mut self, step: &Step) -> Value {
        self.limit_rights(step.who, World::forbid);
        let answer = self.answer(step).await;
        self.limit_rights(step.who, World::grant);
        plain(answer, step.ignored)
    }

    /// The sandbox has one account, whose rights are taken away for one request.
    pub(super) fn limit_rights(
        &self,
        who: Who,
        change: fn(&mut World, &'static str, &'static str),
    ) {
        if let (Cluster::Sandbox(server), Who::Nobody) = (&self.cluster, who) {
            server.world(|world, _| change(world, "*", "*"));
        }
    }

    pub(super) async fn answer(&mut self, step: &Step) -> Value {
        let url = format!("{}{}", self.url, self.filled(&step.target()));
        let method = step.method.parse().unwrap();
        let mut request = self.client.request(method, url).header(ACCEPT, step.accept);
        let token = match step.who {
            Who::Landfall => self.tokens[0].as_str(),
            Who::Nobody => self.tokens[1].as_str(),
            Who::Stranger => "nobody-knows-this-token",
        };
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        if !step.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, step.content_type);
        }
        if !step.body.is_empty() {
            request = request.body(self.filled(&step.body));
        }
        let response = request.send().await.unwrap_or_else(|error| {
            panic!("{}: {}", step.name, http::chain(&error));
        });
        let status = response.status().as_u16();
        let headers = [CONTENT_TYPE, WARNING, RETRY_AFTER].map(|name| {
            let all = response.headers().get_all(&name).into_iter();
            let texts = all.map(|value| value.to_str().unwrap().to_owned());
            // The server also warns of what is good and looks odd (two ports of a number).
            let texts = texts.filter(|text| name != WARNING || text.contains("unknown field"));
            let mut texts: Vec<String> = texts.collect();
            texts.sort_unstable();
            (name.to_string(), json!(texts))
        });
        let body = response.text().await.unwrap();
        let body = read(&body);
        self.remember(&body);
        json!({"status": status, "headers": Map::from_iter(headers), "body": body})
    }

    pub(super) fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&&str, &String)| {
            text.replace(&format!("${name}"), value)
        };
        self.memory.iter().fold(text.to_owned(), fill)
    }

    pub(super) fn remember(&mut self, body: &Value) {
        for (name, pointer) in [
            ("version", "/metadata/resourceVersion"),
            ("uid", "/metadata/uid"),
            ("continue", "/metadata/continue"),
        ] {
            if let Some(value) = body.pointer(pointer).and_then(Value::as_str) {
                self.memory.insert(name, value.to_owned());
            }
        }
    }

    /// Waits until a rollout stands still in this state; gives the Deployment, its ReplicaSets and
    /// their pods.
    pub(super) async fn settled(&mut self, name: &str, state: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        let mut since = Instant::now();
        let mut before = Value::Null;
        loop {
            let found = self.rollout(name).await;
            let deployment = &found["deployment"];
            let observed = deployment["status"]["observedGeneration"].as_i64();
            let available = deployment["status"]["availableReplicas"].as_i64();
            let serves = available.unwrap_or(0) == deployment["spec"]["replicas"];
            let stands = observed == deployment["metadata"]["generation"].as_i64()
                && reason(deployment, "Progressing") == state
                && (serves || !["", "NewReplicaSetAvailable"].contains(&state));
            if found != before || !stands {
                since = Instant::now();
            } else if since.elapsed() >= QUIET {
                return plain(found, &[]);
            }
            assert!(
                Instant::now() < end,
                "{} does not become {state}: {found:#}",
                self.url
            );
            before = found;
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn rollout(&mut self, name: &str) -> Value {
        let selector = format!("labelSelector=app%3D{name}");
        let deployment = get("", &format!("deployments/{name}"));
        let sets = get("", &format!("replicasets?{selector}"));
        let pods = get("", &format!("pods?{selector}"));
        json!({"deployment": self.answer(&deployment).await["body"],
            "sets": self.answer(&sets).await["body"]["items"],
            "pods": self.answer(&pods).await["body"]["items"]})
    }
}

pub(super) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run make conformance"))
}

pub(super) fn reason<'a>(object: &'a Value, kind: &str) -> &'a str {
    let conditions = object.pointer("/status/conditions");
    let conditions = conditions.and_then(Value::as_array).into_iter().flatten();
    let mut found = conditions.filter(|condition| condition["type"] == kind);
    found
        .next()
        .map_or("", |it| it["reason"].as_str().unwrap_or(""))
}

/// A body as one value: an object, the lines of a watch, or text.
pub(super) fn read(body: &str) -> Value {
    let lines = body.lines().map(serde_json::from_str);
    match (serde_json::from_str(body), lines.collect()) {
        (Ok(object), _) => object,
        (Err(_), Ok(events)) if !body.is_empty() => Value::Array(events),
        (Err(_), _) => body.into(),
    }
}

/// A namespace of the real cluster, with its accounts; it goes when this is dropped.
pub(super) struct Namespace {
    name: String,
}

impl Namespace {
    pub(super) async fn make(name: &str) -> Namespace {
        let made = Namespace {
            name: name.to_owned(),
        };
        let object = json!({"metadata": {"name": name}});
        made.admin("POST", "/api/v1/namespaces", &object);
        for account in ["landfall", "nobody"] {
            let object = json!({"metadata": {"name": account}});
            made.admin("POST", &made.path("serviceaccounts"), &object);
        }
        // Not the ClusterRole `admin`: it is put together by a controller that need not run here.
        let binding = json!({"metadata": {"name": "landfall"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "landfall", "namespace": name}]});
        let bindings = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/rolebindings");
        made.admin("POST", &bindings, &binding);
        // Without it no pod can be created.
        let end = Instant::now() + PATIENCE;
        while made.admin("GET", &made.path("serviceaccounts/default"), &Value::Null)["kind"]
            != "ServiceAccount"
        {
            assert!(Instant::now() < end, "no default ServiceAccount");
            sleep(Duration::from_millis(20)).await;
        }
        made
    }

    pub(super) fn path(&self, rest: &str) -> String {
        format!("/api/v1/namespaces/{}/{rest}", self.name)
    }

    pub(super) async fn token(&self, account: &str) -> String {
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600}});
        let path = self.path(&format!("serviceaccounts/{account}/token"));
        let answer = self.admin("POST", &path, &request);
        answer["status"]["token"].as_str().unwrap().to_owned()
    }

    /// Over a plain connection to a proxy on this machine: it must work while a test panics, too.
    pub(super) fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = variable("LANDFALL_CLUSTER_ADMIN");
        let address = url.strip_prefix("http://").expect("a proxy without TLS");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: {JSON}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = TcpStream::connect(address).and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        });
        let answer = answer.unwrap_or_else(|error| error.to_string());
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        serde_json::from_str(body).unwrap_or(Value::Null)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let path = format!("/api/v1/namespaces/{}", self.name);
        self.admin("DELETE", &path, &Value::Null);
    }
}
