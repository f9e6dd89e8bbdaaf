//! A namespace of its own in a real cluster, for one story. `make conformance` names the cluster.

use landfall::http::{self, Trust};
use landfall_sandbox::world::Seen;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What a user applies.
const GRANTS: [&str; 5] = [
    include_str!("../../deploy/rbac.yaml"),
    include_str!("../../deploy/rbac-switching.yaml"),
    include_str!("../../deploy/rbac-workloads.yaml"),
    include_str!("../../deploy/rbac-rotation.yaml"),
    include_str!("../../deploy/token-secret.yaml"),
];
/// The function's session, as EKS names it to the API server.
pub const IAM_USER: &str = "arn:aws:sts::111122223333:assumed-role/landfall/landfall";
/// The Roles of those files, and of the one that a story may add.
const ROLES: [&str; 5] = [
    "landfall",
    "landfall-switching",
    "landfall-workloads",
    "landfall-rotation",
    "landfall-release",
];
/// How long the cluster may take to do what it is told.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

static STORIES: AtomicU32 = AtomicU32::new(0);

pub struct Namespace {
    pub name: String,
    /// The ServiceAccount's token, from its Secret as a user takes it.
    pub token: String,
    /// The cluster's name in EKS, where the stories' function is let in by IAM.
    pub eks: Option<String>,
    /// The user that the function is in the cluster.
    user: String,
    /// Whether the Roles are bound to the group alone.
    by_group: bool,
    /// The API server's address and CA.
    pub url: String,
    pub ca: String,
    admin: String,
    client: reqwest::Client,
}

/// The named variable of the environment that `make conformance` sets.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether stories are to run against a real cluster.
pub fn is_named() -> bool {
    variable("LANDFALL_CLUSTER").is_some()
}

/// The cluster's name in EKS, where it is one of EKS.
pub fn eks() -> Option<String> {
    variable("LANDFALL_CLUSTER_EKS")
}

impl Namespace {
    /// Makes one, with what the files in `deploy/` grant to the ServiceAccount or to the group.
    pub async fn new() -> Namespace {
        if variable("LANDFALL_STORIES_BY").is_none_or(|way| way != "iam") {
            return Namespace::made(None).await;
        }
        let mut namespace = Namespace::for_member(IAM_USER).await;
        namespace.eks = Some(eks().expect("the cluster is not one of EKS"));
        namespace
    }

    /// Makes one for a user that nothing but the group lets in.
    pub async fn for_member(user: &str) -> Namespace {
        Namespace::made(Some(user)).await
    }

    async fn made(member: Option<&str>) -> Namespace {
        let needed = |name| variable(name).unwrap_or_else(|| panic!("{name}: make conformance"));
        let number = STORIES.fetch_add(1, Ordering::Relaxed);
        let mut namespace = Namespace {
            name: format!("story-{}-{number}", std::process::id()),
            token: String::new(),
            eks: None,
            user: String::new(),
            by_group: member.is_some(),
            url: needed("LANDFALL_CLUSTER"),
            ca: std::fs::read_to_string(needed("LANDFALL_CLUSTER_CA")).unwrap(),
            admin: needed("LANDFALL_CLUSTER_ADMIN"),
            client: http::client(Trust::Public).unwrap(),
        };
        let object = json!({"metadata": {"name": namespace.name}});
        namespace.create("/api/v1/namespaces", &object).await;
        let account = format!("system:serviceaccount:{}:landfall", namespace.name);
        namespace.user = member.map_or(account, str::to_owned);
        namespace.grant(&GRANTS.join("\n---\n")).await;
        namespace.token = namespace.secret().await;
        // Without it no pod is admitted, and the controller's next try comes later and later.
        let account = namespace.path("v1", "serviceaccounts/default");
        namespace.until(&account, |_| true).await;
        namespace
    }

    /// Applies files of `deploy/` to this namespace.
    pub async fn grant(&self, documents: &str) {
        let namespace = format!("namespace: {}", self.name);
        for document in documents
            .replace("namespace: default", &namespace)
            .split("\n---\n")
        {
            let document = match self.by_group {
                true => document.replace(&account_subject(&namespace), "subjects:"),
                false => document.to_owned(),
            };
            let (_, kind) = document.split_once("\nkind: ").unwrap();
            let path = match kind.lines().next().unwrap() {
                "ServiceAccount" => self.path("v1", "serviceaccounts"),
                "Secret" => self.path("v1", "secrets"),
                "Role" => self.path("rbac.authorization.k8s.io/v1", "roles"),
                "RoleBinding" => self.path("rbac.authorization.k8s.io/v1", "rolebindings"),
                other => panic!("no story grants a {other}"),
            };
            let (status, answer) = self
                .send(Method::POST, &path, "application/yaml", document)
                .await;
            assert_eq!(status, 201, "{path}: {answer}");
        }
    }

    /// The token of the Secret, once the controller has filled it in.
    async fn secret(&self) -> String {
        use base64::Engine as _;
        let path = self.path("v1", "secrets/landfall-token");
        let secret = self
            .until(&path, |secret| secret["data"]["token"].is_string())
            .await;
        let token = secret["data"]["token"].as_str().unwrap();
        let token = base64::engine::general_purpose::STANDARD
            .decode(token)
            .unwrap();
        String::from_utf8(token).unwrap()
    }

    /// The path of something in this namespace: `("apps/v1", "deployments/web")`.
    pub fn path(&self, version: &str, rest: &str) -> String {
        let group = if version == "v1" { "api" } else { "apis" };
        format!("/{group}/{version}/namespaces/{}/{rest}", self.name)
    }

    /// A request of the administrator: status and answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: String,
    ) -> (u16, Value) {
        let request = self.client.request(method, format!("{}{path}", self.admin));
        // What a story sets up is another's in `managedFields`, not Landfall's.
        let answer = request
            .header(USER_AGENT, "story")
            .header(CONTENT_TYPE, content_type)
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (
            status,
            serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default(),
        )
    }

    pub async fn create(&self, path: &str, object: &Value) -> Value {
        let body = object.to_string();
        let (status, answer) = self
            .send(Method::POST, path, "application/json", body)
            .await;
        assert_eq!(status, 201, "{path}: {answer}");
        answer
    }

    pub async fn merge(&self, path: &str, patch: &Value) -> Value {
        let kind = "application/merge-patch+json";
        let (status, answer) = self
            .send(Method::PATCH, path, kind, patch.to_string())
            .await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub async fn delete(&self, path: &str) {
        let (status, answer) = self
            .send(Method::DELETE, path, "application/json", "".into())
            .await;
        assert_eq!(status, 200, "{path}: {answer}");
    }

    /// None where there is no such thing.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let (status, answer) = self
            .send(Method::GET, path, "application/json", "".into())
            .await;
        (status == 200).then_some(answer)
    }

    /// The administrator's address, for a connection of one's own.
    pub fn admin(&self) -> &str {
        &self.admin
    }

    pub async fn list(&self, version: &str, resource: &str) -> Vec<Value> {
        let mut list = self.get(&self.path(version, resource)).await.unwrap();
        list["items"]
            .as_array_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Waits until what is there is as it should be.
    pub async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.get(path).await;
            if let Some(object) = found.clone().filter(&is_so) {
                return object;
            }
            assert!(
                Instant::now() < end,
                "{path} does not become as it should: {found:?}"
            );
            sleep(PAUSE).await;
        }
    }

    /// Takes a verb from the story's Roles and waits until the API server knows it.
    pub async fn forbid(&self, verb: &str, resource: &str) {
        let (mut group, mut name) = (Value::Null, Value::Null);
        for role in ROLES {
            let path = self.path("rbac.authorization.k8s.io/v1", &format!("roles/{role}"));
            let Some(role) = self.get(&path).await else {
                continue;
            };
            let mut rules = Vec::new();
            for mut rule in role["rules"].as_array().unwrap().clone() {
                let has = |field: &str, wanted: &str| {
                    let values = rule[field].as_array().unwrap();
                    values.iter().any(|value| value == wanted)
                };
                if has("resources", resource) && has("verbs", verb) {
                    group = rule["apiGroups"][0].clone();
                    name = rule["resourceNames"][0].clone();
                    let mut others = rule.clone();
                    let of_others = others["resources"].as_array_mut().unwrap();
                    of_others.retain(|it| it != resource);
                    rules.push(others);
                    rule["resources"] = json!([resource]);
                    let verbs = rule["verbs"].as_array_mut().unwrap();
                    verbs.retain(|it| it != verb);
                }
                rules.push(rule);
            }
            rules.retain(|rule| rule["verbs"] != json!([]) && rule["resources"] != json!([]));
            self.merge(&path, &json!({"rules": rules})).await;
        }
        assert!(group.is_string(), "{verb} {resource} is not granted");
        let (kind, part) = resource.split_once('/').unwrap_or((resource, ""));
        let question = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": self.user, "groups": ["landfall"],
                "resourceAttributes": {"namespace": self.name, "verb": verb, "group": group,
                    "resource": kind, "subresource": part, "name": name}}});
        let reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let end = Instant::now() + PATIENCE;
        while self.create(reviews, &question).await["status"]["allowed"] == true {
            assert!(Instant::now() < end, "{verb} {resource} stays allowed");
            sleep(PAUSE).await;
        }
    }

    /// Revokes the token, waits until the API server has forgotten it (it remembers good ones for
    /// ten seconds), and gives another.
    pub async fn rotate_token(&self) -> String {
        let secrets = self.path("v1", "secrets");
        let path = format!("{secrets}/landfall-token");
        let old = self.get(&path).await.unwrap();
        self.delete(&path).await;
        let client = http::client(Trust::Only(&self.ca)).unwrap();
        let question = format!(
            "{}{}",
            self.url,
            self.path("apps/v1", "deployments/demo-app")
        );
        let end = Instant::now() + PATIENCE;
        let asked = || {
            client
                .get(&question)
                .header(AUTHORIZATION, format!("Bearer {}", self.token))
        };
        while asked().send().await.unwrap().status() != 401 {
            assert!(Instant::now() < end, "the token stays good");
            sleep(Duration::from_millis(200)).await;
        }
        let metadata = json!({"name": "landfall-token",
            "annotations": {"kubernetes.io/service-account.name": "landfall"}});
        self.create(
            &secrets,
            &json!({"metadata": metadata, "type": old["type"]}),
        )
        .await;
        self.secret().await
    }

    /// The story's own requests by the API server's audit log; None where that is not at hand.
    pub fn requests(&self) -> Option<Vec<Seen>> {
        let log = std::fs::read_to_string(variable("LANDFALL_CLUSTER_AUDIT")?).unwrap();
        let events = log.lines().filter(|line| line.contains(&self.name));
        let events = events.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        // Sessions of one role are one user in all namespaces.
        let of = |event: &Value| {
            let review = &event["requestObject"]["spec"]["resourceAttributes"]["namespace"];
            event["objectRef"]["namespace"] == *self.name || review == self.name.as_str()
        };
        let is_ours = |event: &Value| event["user"]["username"] == *self.user && of(event);
        Some(events.filter(is_ours).map(seen).collect())
    }

    /// Lets a Deployment's pods run where kwok plays the nodes, in a cluster that has others.
    pub fn place(&self, deployment: &mut Value) {
        let Some(label) = variable("LANDFALL_CLUSTER_NODES") else {
            return;
        };
        let pod = &mut deployment["spec"]["template"]["spec"];
        if pod["nodeSelector"].is_null() {
            pod["nodeSelector"] = json!({&label: "true"});
        }
        pod["tolerations"] = json!([{"key": label, "operator": "Exists"}]);
    }
}

/// The beginning of a binding's subjects, with the ServiceAccount first.
fn account_subject(namespace: &str) -> String {
    format!("subjects:\n- kind: ServiceAccount\n  name: landfall\n  {namespace}")
}

/// <https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/>
fn seen(mut event: Value) -> Seen {
    let method = match event["verb"].as_str().unwrap() {
        "create" => "POST",
        "update" => "PUT",
        "patch" => "PATCH",
        "delete" => "DELETE",
        _ => "GET",
    };
    Seen {
        method: method.to_owned(),
        path: event["requestURI"].as_str().unwrap().to_owned(),
        content_type: None,
        body: Some(event["requestObject"].take()).filter(|body| !body.is_null()),
        authorized: true,
        user: event["user"]["username"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        status: event["responseStatus"]["code"].as_u64().unwrap_or(0) as u16,
        time: event["requestReceivedTimestamp"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap(),
    }
}

/// Also when the story panics. The administrator's address is plain HTTP on loopback.
impl Drop for Namespace {
    fn drop(&mut self) {
        let address = self.admin.trim_start_matches("http://");
        let request = format!(
            "DELETE /api/v1/namespaces/{} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n",
            self.name
        );
        let asked = TcpStream::connect(address).and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            stream.read_to_string(&mut String::new())
        });
        if let Err(error) = asked {
            eprintln!("namespace {} is still there: {error}", self.name);
        }
    }
}
