//! The cluster that a story is given: the sandbox's, or a real one where `make conformance` names it.

use crate::real::{self, Namespace};
use jiff::{SignedDuration, Timestamp};
use landfall::http::{self, Trust};
use landfall_sandbox::gateway::HTTP_ROUTES;
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::{Behaviour, Seen, World};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// The bearer token of the sandbox's cluster: a text that must appear nowhere.
pub const TOKEN: &str = "bearer-token-5up3r-s3cr3t";
const NAME: &str = "demo-app";

pub enum Cluster {
    Sandbox(Kubernetes),
    Real(Namespace),
}

/// A world in which pods take a tenth of a second, unless their image says otherwise: the same
/// words as in `sandbox/src/control_plane/stages.yaml`.
pub fn world() -> World {
    let mut world = World::new(TOKEN);
    let ready = |milliseconds| Behaviour::Ready {
        after: SignedDuration::from_millis(milliseconds),
    };
    world.default_behaviour(ready(100));
    for (image, behaviour) in [
        ("after-1500ms", ready(1500)),
        ("after-2s", ready(2000)),
        ("after-3s", ready(3000)),
        ("after-4s", ready(4000)),
        ("never-ready", Behaviour::NeverReady),
        ("crash", crash(1, None)),
        ("out-of-memory", crash(137, Some("OOMKilled"))),
        ("missing", Behaviour::ImagePull),
        ("Demo", Behaviour::InvalidImageName),
        (
            "no-config",
            Behaviour::ConfigError {
                message: "secret \"web\" not found".into(),
            },
        ),
    ] {
        world.behave(image, behaviour);
    }
    world
}

fn crash(exit_code: i32, reason: Option<&str>) -> Behaviour {
    Behaviour::CrashLoop {
        exit_code,
        log: "reading the configuration\npanic: no DATABASE_URL\n".into(),
        reason: reason.map(str::to_owned),
    }
}

/// The status of a pod that has served, and ends again and again.
fn ill() -> Value {
    let now = Timestamp::now();
    let now = now.round(jiff::Unit::Second).unwrap().to_string();
    let not = |kind: &str| {
        json!({"type": kind, "status": "False", "lastTransitionTime": now,
        "reason": "ContainersNotReady", "message": "containers with unready status: [app]"})
    };
    let ended = json!({"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now});
    json!({"conditions": [not("Ready"), not("ContainersReady")],
        "containerStatuses": [{"name": "app", "image": "", "imageID": "", "ready": false,
            "started": false, "restartCount": 4, "lastState": {"terminated": ended},
            "state": {"running": null, "waiting": {"reason": "CrashLoopBackOff",
                "message": "back-off 10s restarting failed container=app"}}}]})
}

impl Cluster {
    /// With these objects in it, which have settled before the story begins.
    pub async fn given(objects: Vec<Value>) -> Cluster {
        if real::is_named() {
            return Cluster::in_namespace(Namespace::new().await, objects).await;
        }
        Cluster::sandbox(|world, now| objects.into_iter().for_each(|it| world.apply(it, now))).await
    }

    /// In a real cluster, for a user that nothing but the group `landfall` lets in.
    pub async fn for_member(user: &str, objects: Vec<Value>) -> Cluster {
        Cluster::in_namespace(Namespace::for_member(user).await, objects).await
    }

    async fn in_namespace(namespace: Namespace, objects: Vec<Value>) -> Cluster {
        for object in objects {
            establish(&namespace, object).await;
        }
        Cluster::Real(namespace)
    }

    /// The sandbox's, prepared by the story. It has settled a minute before the story begins.
    pub async fn sandbox(prepare: impl FnOnce(&mut World, Timestamp)) -> Cluster {
        let mut world = world();
        let earlier = Timestamp::now() - SignedDuration::from_mins(1);
        prepare(&mut world, earlier);
        world.settle(earlier);
        Cluster::Sandbox(Kubernetes::start(world).await.unwrap())
    }

    pub fn url(&self) -> &str {
        match self {
            Cluster::Sandbox(kubernetes) => kubernetes.url(),
            Cluster::Real(namespace) => &namespace.url,
        }
    }

    pub fn ca(&self) -> &str {
        match self {
            Cluster::Sandbox(kubernetes) => kubernetes.ca(),
            Cluster::Real(namespace) => &namespace.ca,
        }
    }

    /// The name in EKS, where the function is let in by IAM.
    pub fn eks(&self) -> Option<&str> {
        match self {
            Cluster::Sandbox(_) => None,
            Cluster::Real(namespace) => namespace.eks.as_deref(),
        }
    }

    pub fn token(&self) -> &str {
        match self {
            Cluster::Sandbox(_) => TOKEN,
            Cluster::Real(namespace) => &namespace.token,
        }
    }

    /// Where the story's Deployment is. Stories speak of `default` in either case.
    pub fn namespace(&self) -> &str {
        match self {
            Cluster::Sandbox(_) => "default",
            Cluster::Real(namespace) => &namespace.name,
        }
    }

    /// Fits a manifest of a story to the cluster.
    pub fn place(&self, manifest: &mut Value) {
        if let Cluster::Real(namespace) = self
            && let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.remove("namespace");
            namespace.place(manifest);
        }
    }

    /// The Deployment `demo-app` as it is now.
    pub async fn deployment(&self) -> Option<Value> {
        match self {
            Cluster::Sandbox(kubernetes) => {
                kubernetes.world(|world, _| world.deployment("default", NAME).cloned())
            }
            Cluster::Real(namespace) => namespace.get(&deployment(namespace)).await,
        }
    }

    pub async fn pods(&self) -> Vec<Value> {
        self.objects("pods").await
    }

    /// All objects of a resource, as they are now.
    pub async fn objects(&self, resource: &str) -> Vec<Value> {
        match self {
            Cluster::Sandbox(kubernetes) => {
                kubernetes.world(|world, _| world.objects(resource).into_iter().cloned().collect())
            }
            Cluster::Real(namespace) => namespace.list(version_of(resource), resource).await,
        }
    }

    /// One object as it is now.
    pub async fn object(&self, resource: &str, name: &str) -> Option<Value> {
        match self {
            Cluster::Sandbox(kubernetes) => {
                kubernetes.world(|world, _| world.object(resource, "default", name).cloned())
            }
            Cluster::Real(namespace) => namespace.get(&path_of(namespace, resource, name)).await,
        }
    }

    /// Somebody else changes an object, by a merge patch of one level within `part`.
    pub async fn change(&self, resource: &str, name: &str, part: [&str; 2], value: Value) {
        let [outer, inner] = part;
        match self {
            Cluster::Sandbox(kubernetes) => kubernetes.world(|world, now| {
                let mut object = world.object(resource, "default", name).cloned().unwrap();
                for (field, value) in value.as_object().unwrap() {
                    object[outer][inner][field] = value.clone();
                }
                let part = object[outer][inner].as_object_mut().unwrap();
                part.retain(|_, value| !value.is_null());
                world.apply(object, now);
            }),
            Cluster::Real(namespace) => {
                let path = path_of(namespace, resource, name);
                namespace
                    .merge(&path, &json!({outer: {inner: value}}))
                    .await;
            }
        }
    }

    /// Somebody else gives the container another image.
    pub async fn set_image(&self, image: &str) {
        self.set_image_of(NAME, image).await;
    }

    /// The same for any Deployment.
    pub async fn set_image_of(&self, name: &str, image: &str) {
        match self {
            Cluster::Sandbox(kubernetes) => kubernetes.world(|world, now| {
                let mut deployment = world.deployment("default", name).cloned().unwrap();
                deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
                world.apply(deployment, now);
            }),
            Cluster::Real(namespace) => {
                let operations = json!([{"op": "replace", "value": image,
                    "path": "/spec/template/spec/containers/0/image"}]);
                let path = namespace.path("apps/v1", &format!("deployments/{name}"));
                let kind = "application/json-patch+json";
                let body = operations.to_string();
                let (status, answer) = namespace.send(Method::PATCH, &path, kind, body).await;
                assert_eq!(status, 200, "{answer}");
            }
        }
    }

    /// Somebody else, or an autoscaler, scales the Deployment.
    pub async fn scale(&self, replicas: i64) {
        self.scale_of(NAME, replicas).await;
    }

    /// The same for any Deployment.
    pub async fn scale_of(&self, name: &str, replicas: i64) {
        match self {
            Cluster::Sandbox(kubernetes) => {
                kubernetes.world(|world, now| world.scale("default", name, replicas, now));
            }
            Cluster::Real(namespace) => {
                let path = namespace.path("apps/v1", &format!("deployments/{name}/scale"));
                namespace
                    .merge(&path, &json!({"spec": {"replicas": replicas}}))
                    .await;
            }
        }
    }

    /// Somebody else deletes the Deployment.
    pub async fn delete(&self) {
        match self {
            Cluster::Sandbox(kubernetes) => {
                kubernetes.world(|world, now| world.delete("deployments", "default", NAME, now));
            }
            Cluster::Real(namespace) => namespace.delete(&deployment(namespace)).await,
        }
    }

    /// Somebody else deletes an object.
    pub async fn remove(&self, resource: &str, name: &str) {
        match self {
            Cluster::Sandbox(kubernetes) => {
                kubernetes.world(|world, now| world.delete(resource, "default", name, now));
            }
            Cluster::Real(namespace) => {
                namespace.delete(&path_of(namespace, resource, name)).await;
            }
        }
    }

    /// Whoever has to do something before an object goes has done it.
    pub async fn finish(&self, resource: &str, name: &str) {
        match self {
            Cluster::Sandbox(kubernetes) => kubernetes.world(|world, now| {
                let mut object = world.object(resource, "default", name).cloned().unwrap();
                object["metadata"]["finalizers"] = json!([]);
                world.apply(object, now);
            }),
            Cluster::Real(namespace) => {
                let path = path_of(namespace, resource, name);
                let patch = json!({"metadata": {"finalizers": null}});
                namespace.merge(&path, &patch).await;
            }
        }
    }

    /// A client writes an object in the name of a manager of fields, by a POST, a PUT or an apply.
    pub async fn write_as(&self, manager: &str, method: Method, path: &str, object: &Value) {
        let path = format!("{path}?fieldManager={manager}");
        let kind = match method {
            Method::POST | Method::PUT => "application/json",
            _ => "application/apply-patch+yaml",
        };
        let body = object.to_string();
        if let Cluster::Real(namespace) = self {
            let (status, answer) = namespace.send(method, &path, kind, body).await;
            return assert!((200..300).contains(&status), "{path}: {answer}");
        }
        let client = http::client(Trust::Only(self.ca())).unwrap();
        let request = client.request(method, format!("{}{path}", self.url()));
        let request = request.bearer_auth(self.token()).header(CONTENT_TYPE, kind);
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
    }

    /// All pods of a Deployment fall ill that have served.
    pub async fn strike(&self, deployment: &str, image: &str) {
        let namespace = match self {
            Cluster::Sandbox(kubernetes) => {
                return kubernetes.world(|world, _| world.strike(image, crash(1, None)));
            }
            Cluster::Real(namespace) => namespace,
        };
        for pod in self.pods().await {
            let name = pod["metadata"]["name"].as_str().unwrap();
            if !name.starts_with(deployment) {
                continue;
            }
            let path = namespace.path("v1", &format!("pods/{name}/status"));
            let kind = "application/strategic-merge-patch+json";
            let body = json!({"status": ill()}).to_string();
            let (status, answer) = namespace.send(Method::PATCH, &path, kind, body).await;
            assert_eq!(status, 200, "{answer}");
        }
    }

    /// Gives the function more, by a file of `deploy/`; in the sandbox it may do everything.
    pub async fn grant(&self, documents: &str) {
        if let Cluster::Real(namespace) = self {
            namespace.grant(documents).await;
        }
    }

    /// Takes a verb from the function.
    pub async fn forbid(&self, verb: &str, resource: &str) {
        match self {
            Cluster::Sandbox(kubernetes) => {
                kubernetes.world(|world, _| world.forbid(verb, resource));
            }
            Cluster::Real(namespace) => namespace.forbid(verb, resource).await,
        }
    }

    /// The token is good no longer; the one that is returned is.
    pub async fn rotate_token(&self) -> String {
        match self {
            Cluster::Sandbox(kubernetes) => {
                kubernetes.world(|world, _| world.rotate_token("another-token"));
                "another-token".into()
            }
            Cluster::Real(namespace) => namespace.rotate_token().await,
        }
    }

    /// The function's requests; None where the cluster does not tell.
    pub fn requests(&self) -> Option<Vec<Seen>> {
        match self {
            Cluster::Sandbox(kubernetes) => {
                Some(kubernetes.world(|world, _| world.requests().to_vec()))
            }
            Cluster::Real(namespace) => namespace.requests(),
        }
    }
}

fn deployment(namespace: &Namespace) -> String {
    namespace.path("apps/v1", &format!("deployments/{NAME}"))
}

/// The path of an object in a real cluster, where the name of a resource has no group.
fn path_of(namespace: &Namespace, resource: &str, name: &str) -> String {
    let plain = resource.split('.').next().unwrap_or(resource);
    namespace.path(version_of(resource), &format!("{plain}/{name}"))
}

/// The API version of a resource that stories look at.
fn version_of(resource: &str) -> &'static str {
    match resource {
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" => "apps/v1",
        "jobs" => "batch/v1",
        "endpointslices" => "discovery.k8s.io/v1",
        "ingresses" => "networking.k8s.io/v1",
        HTTP_ROUTES => "gateway.networking.k8s.io/v1",
        "horizontalpodautoscalers" => "autoscaling/v2",
        _ => "v1",
    }
}

/// Creates an object and waits until the controllers are done with it.
async fn establish(namespace: &Namespace, mut object: Value) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("namespace");
    }
    let version = object["apiVersion"].as_str().unwrap().to_owned();
    let resource = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
    if resource != "deployments" {
        if object["spec"]["template"].is_object() {
            namespace.place(&mut object);
        }
        let made = namespace
            .create(&namespace.path(&version, &resource), &object)
            .await;
        let settled = |found: &Value| match resource.as_str() {
            "statefulsets" => found["status"]["readyReplicas"] == found["spec"]["replicas"],
            "daemonsets" => {
                let status = &found["status"];
                let wanted = status["desiredNumberScheduled"].as_i64();
                wanted > Some(0) && status["numberReady"].as_i64() == wanted
            }
            _ => true,
        };
        let path = format!("{resource}/{}", made["metadata"]["name"].as_str().unwrap());
        namespace
            .until(&namespace.path(&version, &path), settled)
            .await;
        return;
    }
    namespace.place(&mut object);
    let made = namespace
        .create(&namespace.path(&version, &resource), &object)
        .await;
    let replicas = made["spec"]["replicas"].clone();
    let image = made["spec"]["template"]["spec"]["containers"][0]["image"].to_string();
    let sick = image.contains("never-ready");
    let path = format!("{resource}/{}", made["metadata"]["name"].as_str().unwrap());
    let count = if sick {
        "updatedReplicas"
    } else {
        "availableReplicas"
    };
    let settled = |found: &Value| {
        let status = &found["status"];
        let rolled = status[count] == replicas || replicas == 0;
        let failed = status["conditions"]
            .to_string()
            .contains("ProgressDeadlineExceeded");
        status["observedGeneration"].is_i64() && rolled && (failed || !sick)
            || made["spec"]["paused"] == true
    };
    namespace
        .until(&namespace.path(&version, &path), settled)
        .await;
}
