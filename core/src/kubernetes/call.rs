//! Each API call as a value: method, path, query, content type, body.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/>
//!
//! A path and a selector are made of checked parts alone, here and nowhere else. A call with a part
//! that is not valid has no path, is never sent, and is answered as the API server would answer it.

use super::error::Refusal;
use super::name::{LabelSelector, Name, Rule};
use super::path::One;
pub use super::path::{Path, Query};
pub use super::permission::Permission;
use super::resource::{
    AUTOSCALERS, DEPLOYMENTS, IDENTITIES, LOGS, PROXY, REVIEWS, SERVICES, TOKENS, autoscalers_path,
    deployment_path, deployments_path, services_path,
};
pub use super::verb::Verb;
use serde_json::{Value, json};
use std::time::Duration;

/// Who we are in `managedFields`.
pub const FIELD_MANAGER: &str = "landfall";

/// The most that one answer may have. An object is at most 1.5 MiB in etcd, and a page of a list
/// has 50 of them, which are a few kilobytes each in practice.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// Items in one page of a list: old ReplicaSets with large templates stay below [`MAX_BODY`].
const PAGE: &str = "50";

/// The same for pods, which are read typed and page by page: 30 KB each fit, and they have ten.
const PODS_PAGE: &str = "250";

/// Events asked for: one pod has few kinds of them.
const EVENTS_PAGE: &str = "100";

/// How much of a log is asked for: the server cuts the end, so that twenty long lines must fit.
const LOG_BYTES: &str = "524288";

/// One request to the API server.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What it does.
    pub verb: Verb,
    /// The path, without host and query. All its parts are checked names.
    pub path: Path,
    /// Query parameters, not yet encoded.
    pub query: Query,
    /// The body of a write.
    pub body: Option<Value>,
    /// The resource as RBAC names it, for the words of a refusal: `deployments.apps`.
    pub resource: &'static str,
}

impl Call {
    /// Asks whether the token has a right. Every account may ask this about itself.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>
    pub fn may(namespace: &str, right: Permission) -> Call {
        let (whole, group) = right
            .resource
            .split_once('.')
            .unwrap_or((right.resource, ""));
        let (resource, part) = whole.split_once('/').unwrap_or((whole, ""));
        let body = json!({"apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"namespace": namespace, "verb": right.verb,
                "group": group, "resource": resource, "subresource": part}}});
        let path = Path::fixed("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
        Call {
            resource: REVIEWS,
            ..write(Verb::Create, path, body)
        }
    }

    /// Asks whose token we have, which everyone may who has a valid one.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review>
    pub fn who_am_i() -> Call {
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let path = Path::fixed("/apis/authentication.k8s.io/v1/selfsubjectreviews");
        Call {
            resource: IDENTITIES,
            ..write(Verb::Create, path, body)
        }
    }

    /// Asks for another token of a ServiceAccount, for the API server itself.
    /// <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/>
    pub fn token(namespace: &str, account: &str, lifetime: Duration) -> Call {
        let account = Some(One(account, Rule::Subdomain));
        let path = Path::of("api/v1", namespace, "serviceaccounts", account).part("/token");
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": lifetime.as_secs()}});
        Call {
            resource: TOKENS,
            ..write(Verb::Create, path, body)
        }
    }

    /// Whether the answer has a secret, so that nothing of it may be quoted.
    pub fn is_answered_in_secret(&self) -> bool {
        self.resource == TOKENS
    }

    /// Whether the call changes something in the cluster.
    pub fn changes(&self) -> bool {
        let dry = self.query.iter().any(|(name, _)| *name == "dryRun");
        self.verb.writes() && !dry && ![REVIEWS, IDENTITIES].contains(&self.resource)
    }

    /// Reads the Deployment.
    pub fn deployment(namespace: &str, name: &str) -> Call {
        read(Verb::Get, deployment_path(namespace, name), DEPLOYMENTS)
    }

    /// Follows the one Deployment from a resource version on; the server ends the stream after
    /// `seconds`. A field selector on the name matches a Role that is limited to that name.
    pub fn watch(namespace: &str, name: &str, resource_version: &str, seconds: u64) -> Call {
        let mut call = read(Verb::Watch, deployments_path(namespace), DEPLOYMENTS);
        call.query.push("watch", "true");
        match Name::new(name, Rule::Subdomain) {
            Some(name) => call
                .query
                .push("fieldSelector", format!("metadata.name={name}")),
            None => call.path = Path::default(),
        }
        call.query.push("allowWatchBookmarks", "true");
        call.query.push("timeoutSeconds", seconds.to_string());
        if !resource_version.is_empty() {
            call.query.push("resourceVersion", resource_version);
        }
        call
    }

    /// One page of the ReplicaSets under a label selector.
    pub fn replica_sets(namespace: &str, selector: &str) -> Call {
        let path = Path::of("apis/apps/v1", namespace, "replicasets", None);
        list(path, selector, "replicasets.apps")
    }

    /// One ReplicaSet, for its template.
    pub fn replica_set(namespace: &str, name: &str) -> Call {
        let name = Some(One(name, Rule::Subdomain));
        let path = Path::of("apis/apps/v1", namespace, "replicasets", name);
        read(Verb::Get, path, "replicasets.apps")
    }

    /// One page of the pods under a label selector.
    pub fn pods(namespace: &str, selector: &str) -> Call {
        let path = Path::of("api/v1", namespace, "pods", None);
        let mut call = list(path, selector, "pods");
        call.limit(PODS_PAGE);
        call
    }

    /// The events about one object.
    pub fn events(namespace: &str, kind: &str, name: &str) -> Call {
        let path = Path::of("api/v1", namespace, "events", None);
        let mut call = list(path, "", "events");
        let kind_is_plain = kind.bytes().all(|byte| byte.is_ascii_alphabetic());
        match Name::new(name, Rule::Subdomain).filter(|_| kind_is_plain) {
            Some(name) => {
                let about = format!("involvedObject.kind={kind},involvedObject.name={name}");
                call.query.push("fieldSelector", about);
            }
            None => call.path = Path::default(),
        }
        call.limit(EVENTS_PAGE);
        call
    }

    /// The last lines of a container's log; `previous`: of the life before this one.
    pub fn log(namespace: &str, pod: &str, container: &str, previous: bool, lines: usize) -> Call {
        let pod = Some(One(pod, Rule::Subdomain));
        let path = Path::of("api/v1", namespace, "pods", pod).part("/log");
        let mut call = read(Verb::Get, path, LOGS);
        match Name::new(container, Rule::Label) {
            Some(container) => call.query.push("container", container),
            None => call.path = Path::default(),
        }
        call.query.push("tailLines", lines.to_string());
        call.query.push("limitBytes", LOG_BYTES);
        if previous {
            call.query.push("previous", "true");
        }
        call
    }

    /// One page of the namespace's HorizontalPodAutoscalers.
    pub fn autoscalers(namespace: &str) -> Call {
        list(autoscalers_path(namespace, None), "", AUTOSCALERS)
    }

    /// Patches the named fields of the Deployment.
    pub fn patch(namespace: &str, name: &str, patch: Value) -> Call {
        let path = deployment_path(namespace, name);
        write(Verb::StrategicMergePatch, path, patch)
    }

    /// Replaces the Deployment.
    pub fn put(namespace: &str, name: &str, object: Value) -> Call {
        write(Verb::Update, deployment_path(namespace, name), object)
    }

    /// Creates the Deployment.
    pub fn create(namespace: &str, object: Value) -> Call {
        write(Verb::Create, deployments_path(namespace), object)
    }

    /// The same write, checked by the server in every way and not done.
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run>
    pub fn dry_run(mut self) -> Call {
        self.query.push("dryRun", "All");
        self
    }

    /// Applies JSON-patch operations to the Deployment.
    pub fn operations(namespace: &str, name: &str, operations: Value) -> Call {
        write(
            Verb::JsonPatch,
            deployment_path(namespace, name),
            operations,
        )
    }

    /// One page of the Deployments under a label selector.
    pub fn deployments(namespace: &str, selector: &str) -> Call {
        list(deployments_path(namespace), selector, DEPLOYMENTS)
    }

    /// Patches the Deployment; its `null`s remove.
    pub fn merge(namespace: &str, name: &str, patch: Value) -> Call {
        write(Verb::MergePatch, deployment_path(namespace, name), patch)
    }

    /// Deletes the Deployment of this uid, its pods behind it.
    pub fn delete(namespace: &str, name: &str, uid: &str) -> Call {
        delete(deployment_path(namespace, name), DEPLOYMENTS, uid)
    }

    /// Reads a Service.
    pub fn service(namespace: &str, name: &str) -> Call {
        let path = services_path(namespace, Some(name));
        read(Verb::Get, path, SERVICES)
    }

    /// Patches a Service; its `null`s remove.
    pub fn merge_service(namespace: &str, name: &str, patch: Value) -> Call {
        let path = services_path(namespace, Some(name));
        Call {
            resource: SERVICES,
            ..write(Verb::MergePatch, path, patch)
        }
    }

    /// Creates a Service.
    pub fn create_service(namespace: &str, object: Value) -> Call {
        Call {
            resource: SERVICES,
            ..write(Verb::Create, services_path(namespace, None), object)
        }
    }

    /// Deletes the Service of this uid.
    pub fn delete_service(namespace: &str, name: &str, uid: &str) -> Call {
        let path = services_path(namespace, Some(name));
        delete(path, SERVICES, uid)
    }

    /// One page of a Service's EndpointSlices.
    pub fn endpoint_slices(namespace: &str, service: &str) -> Call {
        let path = Path::of(
            "apis/discovery.k8s.io/v1",
            namespace,
            "endpointslices",
            None,
        );
        let selector = Name::new(service, Rule::Label)
            .map(|service| format!("kubernetes.io/service-name={service}"));
        let mut call = list(
            path,
            selector.as_deref().unwrap_or_default(),
            "endpointslices.discovery.k8s.io",
        );
        if selector.is_none() {
            call.path = Path::default();
        }
        call
    }

    /// Asks a Service's pod over the API server's proxy; `target` is `[https:]name:port`, and
    /// `path` a checked path of HTTP.
    /// <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/>
    pub fn proxy(namespace: &str, target: &str, path: &str) -> Call {
        let path = services_path(namespace, None).behind(target, path);
        read(Verb::Proxy, path, PROXY)
    }

    /// Patches a HorizontalPodAutoscaler; its `null`s remove.
    pub fn merge_autoscaler(namespace: &str, name: &str, patch: Value) -> Call {
        let path = autoscalers_path(namespace, Some(name));
        Call {
            resource: AUTOSCALERS,
            ..write(Verb::MergePatch, path, patch)
        }
    }

    /// The types of answer that are taken: a log is a text, and an application says what it likes.
    pub fn accept(&self) -> &'static str {
        if [LOGS, PROXY].contains(&self.resource) {
            "*/*"
        } else {
            "application/json"
        }
    }

    /// How the API server would refuse a call with a part that is not valid. Nothing is sent.
    pub fn refused(&self) -> Option<Refusal> {
        if !self.path.is_void() {
            return None;
        }
        let (code, reason, message) = match self.verb {
            Verb::Get
            | Verb::Update
            | Verb::StrategicMergePatch
            | Verb::JsonPatch
            | Verb::MergePatch
            | Verb::Delete => (404, "NotFound", "its name is not a valid Kubernetes name"),
            Verb::List | Verb::Watch | Verb::Create | Verb::Proxy => {
                (400, "BadRequest", "a name or a selector in it is not valid")
            }
        };
        Some(Refusal {
            code,
            reason: reason.to_owned(),
            message: message.to_owned(),
            is_status: true,
            ..Refusal::default()
        })
    }

    fn limit(&mut self, page: &str) {
        self.query.0.retain(|(name, _)| *name != "limit");
        self.query.push("limit", page);
    }

    /// The next page of the same list.
    pub fn page(mut self, token: &str) -> Call {
        self.query.push("continue", token);
        self
    }
}

fn read(verb: Verb, path: Path, resource: &'static str) -> Call {
    Call {
        verb,
        path,
        query: Query::default(),
        body: None,
        resource,
    }
}

fn list(path: Path, selector: &str, resource: &'static str) -> Call {
    let mut call = read(Verb::List, path, resource);
    match LabelSelector::new(selector) {
        Some(_) if selector.is_empty() => {}
        Some(selector) => call.query.push("labelSelector", selector),
        None => call.path = Path::default(),
    }
    call.query.push("limit", PAGE);
    call
}

/// Every write carries our name and has its unknown fields refused, as `kubectl` does since 1.27.
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation>
fn write(verb: Verb, path: Path, body: Value) -> Call {
    Call {
        verb,
        path,
        query: Query(vec![
            ("fieldManager", FIELD_MANAGER.into()),
            ("fieldValidation", "Strict".into()),
        ]),
        body: Some(body),
        resource: DEPLOYMENTS,
    }
}

/// The object that was read, or none: one of the same name that came since has another uid.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/>
fn delete(path: Path, resource: &'static str, uid: &str) -> Call {
    let body = json!({"apiVersion": "v1", "kind": "DeleteOptions",
        "propagationPolicy": "Background", "preconditions": {"uid": uid}});
    Call {
        query: Query::default(),
        resource,
        ..write(Verb::Delete, path, body)
    }
}

#[cfg(test)]
mod tests;
