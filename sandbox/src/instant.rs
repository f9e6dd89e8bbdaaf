//! A scripted cluster that costs next to nothing: whatever is written to its one Deployment has
//! been rolled out by the next call. What is measured against it is the function, not the cluster.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Sleep, sleep};
use tokio_rustls::TlsAcceptor;

use crate::kubernetes::Authority;

/// The Deployment that is there; its container is `app`.
pub const DEPLOYMENT: &str = "demo-app";
const NAMESPACE: &str = "default";
/// A patch of a few fields is far smaller.
const BODY_BYTES: usize = 1024 * 1024;
/// The process that is measured opens two connections at the most.
const CONNECTIONS: usize = 64;
/// Moments that are remembered: many deploys' worth.
const MOMENTS: usize = 10_000;
/// Life of a watch that asks for none, the API server's own least.
const WATCH_SECONDS: u64 = 1_800;
const IMAGE: &str = "registry.example.com/demo-app:1.0";
const REPLICAS: u64 = 2;
const UID: &str = "6a1c0a52-3b0e-4b0c-9f43-0d0d5d3b1c11";
const REVISION: &str = "deployment.kubernetes.io/revision";
const CREATED: &str = "2026-01-01T00:00:00Z";

/// The server; dropping it ends it and its connections.
pub struct InstantCluster {
    url: String,
    ca: String,
    script: Arc<Mutex<Script>>,
    accepting: JoinHandle<()>,
}

impl InstantCluster {
    /// Starts on 127.0.0.1 with a Deployment whose rollout is complete.
    pub async fn start(token: &str) -> io::Result<InstantCluster> {
        InstantCluster::start_with(Script::new(token)).await
    }

    /// The same, but of each new version there are so many pods, and all of them crash.
    pub async fn start_crowded(token: &str, pods: usize) -> io::Result<InstantCluster> {
        let mut script = Script::new(token);
        script.crowd = pods;
        script.deployment["spec"]["replicas"] = json!(pods);
        InstantCluster::start_with(script).await
    }

    async fn start_with(script: Script) -> io::Result<InstantCluster> {
        let authority = Authority::generate();
        let acceptor = TlsAcceptor::from(Arc::new(authority.server_config()?));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://{}", listener.local_addr()?);
        let script = Arc::new(Mutex::new(script));
        let accepting = tokio::spawn(accept(listener, acceptor, Arc::clone(&script)));
        Ok(InstantCluster {
            url,
            ca: authority.pem().to_owned(),
            script,
            accepting,
        })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The CA that signed the server's certificate, PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// Calls so far, the refused ones among them.
    pub fn calls(&self) -> usize {
        lock(&self.script).calls
    }

    /// What came since this was asked last, and when, oldest first.
    pub fn moments(&self) -> Vec<(Moment, Timestamp)> {
        std::mem::take(&mut lock(&self.script).moments)
    }

    /// From the first page of pods asked for to the call that came after the last one, and how many
    /// bytes they had: what a look takes, with what the function makes of it.
    pub fn look(&self) -> (SignedDuration, usize) {
        let script = lock(&self.script);
        let time = match (script.look_began, script.look_ended) {
            (Some(began), Some(ended)) => ended.duration_since(began),
            _ => SignedDuration::ZERO,
        };
        (time, script.look_bytes)
    }
}

/// What a client did to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It opened a connection.
    Connected,
    /// The TLS handshake was over, as the server sees it.
    Secured,
    /// A call was there as a whole.
    Called,
}

impl Drop for InstantCluster {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What the cluster shows. The texts are made when something changes, not when they are asked for.
struct Script {
    authorization: String,
    calls: usize,
    moments: Vec<(Moment, Timestamp)>,
    /// As the next read shows it: its rollout is complete.
    deployment: Value,
    deployment_text: Bytes,
    /// The ReplicaSet of the Deployment's template.
    newest: Value,
    sets_text: Bytes,
    /// A write was answered and its rollout is not yet done.
    rolls_out: bool,
    /// How many pods a new version has, all of which crash; 0 where it serves at once.
    crowd: usize,
    /// The new version is such a one.
    sick: bool,
    look_began: Option<Timestamp>,
    look_ended: Option<Timestamp>,
    look_bytes: usize,
}

/// What is sent back: a status, and a body that may stay open.
struct Answer {
    status: StatusCode,
    content: Bytes,
    open: Duration,
}

impl Script {
    fn new(token: &str) -> Script {
        let deployment = first_deployment();
        let newest = replica_set(&deployment);
        let mut script = Script {
            authorization: format!("Bearer {token}"),
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

    fn note(&mut self, moment: Moment) {
        if self.moments.len() < MOMENTS {
            self.moments.push((moment, Timestamp::now()));
        }
    }

    fn answer(&mut self, request: &Request<()>, body: &[u8]) -> Answer {
        self.calls += 1;
        self.note(Moment::Called);
        self.roll_out();
        let authorization = request.headers().get(AUTHORIZATION);
        if authorization.is_none_or(|found| found.as_bytes() != self.authorization.as_bytes()) {
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
            (&Method::GET, "replicasets", "") => self.replica_sets(&query),
            _ => refusal(
                StatusCode::NOT_FOUND,
                "NotFound",
                "the server could not find the requested resource",
            ),
        }
    }

    /// What a deploy asks for once it does not come to its end at once.
    fn crowded(&mut self, request: &Request<()>) -> Option<Answer> {
        let core = format!("/api/v1/namespaces/{NAMESPACE}/");
        let sets = format!("/apis/apps/v1/namespaces/{NAMESPACE}/replicasets/");
        let path = request.uri().path();
        let query = Query(request.uri().query().unwrap_or_default());
        match path.strip_prefix(&core) {
            Some("pods") => return Some(self.pods(&query)),
            Some("events") => {
                self.look_ended.get_or_insert_with(Timestamp::now);
                return Some(ok(list(&[])));
            }
            Some(_) => return Some(ok("panic: no DATABASE_URL\n".into())),
            None => {}
        }
        path.strip_prefix(&sets).map(|name| {
            // The only one that is asked for is the one before.
            let mut set = self.newest.clone();
            set["metadata"]["name"] = json!(name);
            set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(IMAGE);
            ok(text(&set))
        })
    }

    /// A page of pods, each as large as a real one.
    fn pods(&mut self, query: &Query<'_>) -> Answer {
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
        let page = format!(r#"{{"kind":"PodList","metadata":{metadata},"items":[{pods}]}}"#);
        self.look_bytes += page.len();
        ok(page.into())
    }

    fn replica_sets(&self, query: &Query<'_>) -> Answer {
        let ours = format!("app={DEPLOYMENT}");
        match query.get("labelSelector") {
            Some(selector) if selector != ours => ok(list(&[])),
            Some(_) | None => ok(self.sets_text.clone()),
        }
    }

    /// One event, which tells that all is done; then the stream stays open, as a real one does.
    fn watch(&self, query: &Query<'_>) -> Answer {
        let seconds = query
            .get("timeoutSeconds")
            .and_then(|text| text.parse().ok());
        let event = json!({"type": "MODIFIED", "object": self.deployment});
        Answer {
            open: Duration::from_secs(seconds.unwrap_or(WATCH_SECONDS)),
            ..ok(format!("{event}\n").into())
        }
    }

    /// Takes what a deploy changes and answers as the real server does: with the new spec and the
    /// status of the old one.
    fn patch(&mut self, body: &[u8]) -> Answer {
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

    /// The work of the controllers between two calls.
    fn roll_out(&mut self) {
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

    fn write_texts(&mut self, older: &[Value]) {
        self.deployment_text = text(&self.deployment);
        let sets: Vec<_> = older.iter().chain([&self.newest]).collect();
        self.sets_text = list(&sets);
    }
}

/// The query of a request. Of what is escaped there only `=` is needed.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let mut pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        Some(value.replace("%3D", "="))
    }
}

fn ok(content: Bytes) -> Answer {
    Answer {
        status: StatusCode::OK,
        content,
        open: Duration::ZERO,
    }
}

fn refusal(status: StatusCode, reason: &str, message: &str) -> Answer {
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": status.as_u16()});
    Answer {
        status,
        ..ok(text(&body))
    }
}

fn text(value: &Value) -> Bytes {
    let text = serde_json::to_vec(value);
    text.expect("a value can always be written").into()
}

fn list(sets: &[&Value]) -> Bytes {
    text(&json!({"kind": "ReplicaSetList", "apiVersion": "apps/v1",
        "metadata": {"resourceVersion": "900000"}, "items": sets}))
}

fn number(value: &Value) -> u64 {
    let text = value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or(text).unwrap_or_default()
}

/// Counts up a number that the API writes as a text.
fn raise(value: &mut Value) {
    *value = json!((number(value) + 1).to_string());
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, script: Arc<Mutex<Script>>) {
    // Dropped with this task, and with it every connection.
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        while connections.try_join_next().is_some() {}
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, acceptor.clone(), Arc::clone(&script)));
        }
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, script: Arc<Mutex<Script>>) {
    let _delayed_otherwise = stream.set_nodelay(true);
    lock(&script).note(Moment::Connected);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    lock(&script).note(Moment::Secured);
    let service = service_fn(|request| respond(request, Arc::clone(&script)));
    // A client that goes away is no error of ours.
    let _closed = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    script: Arc<Mutex<Script>>,
) -> io::Result<Response<Content>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES).collect().await;
    let body = body.map_err(io::Error::other)?.to_bytes();
    let (answer, rolls_out) = {
        let mut script = lock(&script);
        let answer = script.answer(&Request::from_parts(parts, ()), &body);
        (answer, script.rolls_out)
    };
    if rolls_out {
        // While the answer is on its way; the next call does not wait for it then.
        tokio::spawn(async move { lock(&script).roll_out() });
    }
    Response::builder()
        .status(answer.status)
        .header(CONTENT_TYPE, "application/json")
        .header(CACHE_CONTROL, "no-cache, private")
        .body(Content {
            bytes: Some(answer.content),
            open: (!answer.open.is_zero()).then(|| Box::pin(sleep(answer.open))),
        })
        .map_err(io::Error::other)
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A response's body: one piece, and for a watch the time until its end.
struct Content {
    bytes: Option<Bytes>,
    open: Option<Pin<Box<Sleep>>>,
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut self.open {
            Some(open) => open.as_mut().poll(context).map(|()| None),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && self.open.is_none()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match (&self.bytes, &self.open) {
            (Some(bytes), None) => {
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                hyper::body::SizeHint::with_exact(length)
            }
            _ => hyper::body::SizeHint::default(),
        }
    }
}

/// A Deployment as a server gives it back: with its defaults, and with who owns which field.
fn first_deployment() -> Value {
    let mut deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": DEPLOYMENT, "namespace": NAMESPACE, "uid": UID,
            "resourceVersion": "812345", "generation": 1, "creationTimestamp": CREATED,
            "labels": {"app": DEPLOYMENT, "app.kubernetes.io/managed-by": "landfall"},
            "annotations": {REVISION: "1"},
            "managedFields": managed_fields()
        },
        "spec": {
            "replicas": REPLICAS, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": DEPLOYMENT}},
            "strategy": {"type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": template()
        }
    });
    deployment["status"] = status(&deployment);
    deployment
}

fn template() -> Value {
    let probe = |path: &str| {
        json!({"httpGet": {"path": path, "port": 8080, "scheme": "HTTP"}, "periodSeconds": 5,
            "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3})
    };
    json!({
        "metadata": {"creationTimestamp": null, "labels": {"app": DEPLOYMENT}},
        "spec": {
            "containers": [{
                "name": "app", "image": IMAGE, "imagePullPolicy": "IfNotPresent",
                "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
                "env": [
                    {"name": "DEMO_GREETING", "value": "Hello from the environment"},
                    {"name": "DEMO_POD", "valueFrom":
                        {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}
                ],
                "readinessProbe": probe("/"),
                "livenessProbe": probe("/alive"),
                "resources": {"limits": {"memory": "256Mi"},
                    "requests": {"cpu": "100m", "memory": "128Mi"}},
                "securityContext": {"allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File"
            }],
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
            "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532},
            "serviceAccount": DEPLOYMENT, "serviceAccountName": DEPLOYMENT
        }
    })
}

/// About 2 KB, as after `kubectl apply` and some rollouts.
fn managed_fields() -> Value {
    let probe = json!({".": {}, "f:failureThreshold": {}, "f:httpGet": {".": {}, "f:path": {},
        "f:port": {}, "f:scheme": {}}, "f:periodSeconds": {}, "f:successThreshold": {},
        "f:timeoutSeconds": {}});
    let container = json!({".": {}, "f:env": {
        ".": {}, "k:{\"name\":\"DEMO_GREETING\"}": {".": {}, "f:name": {}, "f:value": {}},
        "k:{\"name\":\"DEMO_POD\"}": {".": {}, "f:name": {}, "f:valueFrom": {"f:fieldRef": {}}}},
        "f:imagePullPolicy": {}, "f:livenessProbe": probe, "f:name": {},
        "f:ports": {".": {}, "k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":
            {".": {}, "f:containerPort": {}, "f:name": {}, "f:protocol": {}}},
        "f:readinessProbe": probe, "f:resources": {".": {}, "f:limits": {".": {}, "f:memory": {}},
            "f:requests": {".": {}, "f:cpu": {}, "f:memory": {}}},
        "f:securityContext": {".": {}, "f:allowPrivilegeEscalation": {},
            "f:capabilities": {".": {}, "f:drop": {}}, "f:readOnlyRootFilesystem": {}},
        "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {}});
    let applied = json!({"f:metadata": {"f:labels": {".": {}, "f:app": {},
        "f:app.kubernetes.io/managed-by": {}}}, "f:spec": {"f:progressDeadlineSeconds": {},
        "f:replicas": {}, "f:revisionHistoryLimit": {}, "f:selector": {}, "f:strategy":
        {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}},
        "f:template": {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec":
            {"f:containers": {"k:{\"name\":\"app\"}": container}, "f:dnsPolicy": {},
            "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
            "f:serviceAccount": {}, "f:terminationGracePeriodSeconds": {}}}}});
    let counted = json!({"f:metadata": {"f:annotations": {".": {},
        "f:deployment.kubernetes.io/revision": {}}}, "f:status": {"f:availableReplicas": {},
        "f:conditions": {".": {}, "k:{\"type\":\"Available\"}": {".": {}, "f:status": {}},
            "k:{\"type\":\"Progressing\"}": {".": {}, "f:status": {}}},
        "f:observedGeneration": {}, "f:readyReplicas": {}, "f:replicas": {},
        "f:updatedReplicas": {}}});
    let entry = |manager: &str, operation: &str, fields: Value| {
        json!({"manager": manager, "operation": operation, "apiVersion": "apps/v1",
            "time": CREATED, "fieldsType": "FieldsV1", "fieldsV1": fields})
    };
    let mut counts = entry("kube-controller-manager", "Update", counted);
    counts["subresource"] = json!("status");
    json!([entry("kubectl", "Apply", applied), counts])
}

/// The status of a Deployment all of whose pods are of its newest version.
fn status(deployment: &Value) -> Value {
    let name = set_name(deployment);
    let replicas = &deployment["spec"]["replicas"];
    let now = format!("{:.0}", Timestamp::now());
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": "True", "reason": reason, "message": message,
            "lastUpdateTime": now, "lastTransitionTime": CREATED})
    };
    let complete = format!("ReplicaSet \"{name}\" has successfully progressed.");
    json!({
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": replicas, "updatedReplicas": replicas,
        "readyReplicas": replicas, "availableReplicas": replicas,
        "conditions": [
            condition("Available", "MinimumReplicasAvailable",
                "Deployment has minimum availability."),
            condition("Progressing", "NewReplicaSetAvailable", &complete)
        ]
    })
}

/// The ReplicaSet of a Deployment's template, with every pod available.
fn replica_set(deployment: &Value) -> Value {
    let hash = template_hash(deployment);
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    let labels = template["metadata"]["labels"].clone();
    let revision = &deployment["metadata"]["annotations"][REVISION];
    let replicas = &deployment["spec"]["replicas"];
    json!({
        "metadata": {
            "name": set_name(deployment), "namespace": NAMESPACE, "generation": 1,
            "uid": format!("7b2d1b63-0000-4000-8000-00{hash}"), "creationTimestamp": CREATED,
            "resourceVersion": deployment["metadata"]["resourceVersion"], "labels": labels,
            "annotations": {REVISION: revision,
                "deployment.kubernetes.io/desired-replicas": REPLICAS.to_string(),
                "deployment.kubernetes.io/max-replicas": (REPLICAS + 1).to_string()},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment",
                "name": DEPLOYMENT, "uid": UID, "controller": true, "blockOwnerDeletion": true}]
        },
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
        "status": {"replicas": replicas, "fullyLabeledReplicas": replicas,
            "readyReplicas": replicas, "availableReplicas": replicas, "observedGeneration": 1}
    })
}

/// A pod of a ReplicaSet as an API server sends it, whose name and uid end in `POD`. Its container
/// has ended four times.
fn crashing_pod(set: &Value) -> Value {
    // A pod that is older than the deploy is judged by what it does after.
    let now = format!("{:.0}", Timestamp::now());
    let name = set["metadata"]["name"].as_str().unwrap_or_default();
    let ended = json!({"exitCode": 1, "reason": "Error", "startedAt": now,
        "finishedAt": now, "containerID": format!("containerd://{}", "6".repeat(64))});
    let back_off =
        format!("back-off 40s restarting failed container=app pod={name}-POD_{NAMESPACE}({UID})");
    let status = json!({"name": "app", "ready": false, "restartCount": 3, "started": false,
        "image": IMAGE, "imageID": format!("sha256:{}", "a".repeat(64)),
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": back_off}},
        "lastState": {"terminated": ended}});
    let condition = |kind: &str, status: &str| {
        json!({"type": kind, "status": status, "lastProbeTime": null,
            "lastTransitionTime": now})
    };
    let mut spec = set["spec"]["template"]["spec"].clone();
    spec["nodeName"] = json!("ip-10-0-1-17.eu-central-1.compute.internal");
    spec["volumes"] = json!([{"name": "kube-api-access-POD", "projected": {"defaultMode": 420,
        "sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}],
                "name": "kube-root-ca.crt"}}]}}]);
    json!({
        "metadata": {
            "name": format!("{name}-POD"), "generateName": format!("{name}-"),
            "namespace": NAMESPACE, "uid": format!("6a1c0a52-3b0e-4b0c-9f43-0d0d5d3POD"),
            "resourceVersion": "812345", "creationTimestamp": now,
            "labels": set["metadata"]["labels"], "managedFields": managed_fields(),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name,
                "uid": set["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}]
        },
        "spec": spec,
        "status": {"phase": "Running", "hostIP": "10.0.1.17", "podIP": "10.0.2.1",
            "qosClass": "Burstable", "startTime": now, "conditions": [
                condition("Initialized", "True"), condition("Ready", "False"),
                condition("ContainersReady", "False"), condition("PodScheduled", "True")],
            "containerStatuses": [status]}
    })
}

fn set_name(deployment: &Value) -> String {
    format!("{DEPLOYMENT}-{}", template_hash(deployment))
}

fn template_hash(deployment: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    let template = &deployment["spec"]["template"];
    template["spec"]["containers"][0]["image"]
        .as_str()
        .hash(&mut hasher);
    format!("{:010x}", hasher.finish() >> 24)
}

#[cfg(test)]
mod tests;
