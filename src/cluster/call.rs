//! Each API call as a value: method, path, query, content type, body.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/>

use serde_json::{Value, json};
use std::time::Duration;

/// Who we are in `managedFields`.
pub const FIELD_MANAGER: &str = "landfall";

/// Items asked for in one page of a list: old ReplicaSets with large templates stay below
/// [`super::MAX_BODY`].
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
    pub path: String,
    /// Query parameters, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// The body of a write.
    pub body: Option<Value>,
    /// The resource as RBAC names it, for the words of a refusal: `deployments.apps`.
    pub resource: &'static str,
}

/// What a call does: method, content type and RBAC's verb follow from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verb {
    /// Reads one object.
    Get,
    /// Reads one page of a list.
    List,
    /// Follows changes as a stream.
    Watch,
    /// Creates an object.
    Create,
    /// Replaces an object.
    Update,
    /// Patches, lists merged by their keys.
    StrategicMergePatch,
    /// Patches by operations, all or none.
    JsonPatch,
    /// Patches by RFC 7396: `null` removes.
    MergePatch,
    /// Deletes an object.
    Delete,
    /// Asks a pod through the API server.
    Proxy,
}

impl Verb {
    /// The HTTP method.
    pub fn method(self) -> &'static str {
        match self {
            Verb::Get | Verb::List | Verb::Watch | Verb::Proxy => "GET",
            Verb::Create => "POST",
            Verb::Update => "PUT",
            Verb::StrategicMergePatch | Verb::JsonPatch | Verb::MergePatch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }

    /// The verb that a Role must grant.
    pub fn rbac(self) -> &'static str {
        match self {
            Verb::Get | Verb::Proxy => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::StrategicMergePatch | Verb::JsonPatch | Verb::MergePatch => "patch",
            Verb::Delete => "delete",
        }
    }

    /// The body's content type, where there is a body.
    pub fn content_type(self) -> Option<&'static str> {
        match self {
            Verb::Get | Verb::List | Verb::Watch | Verb::Proxy => None,
            Verb::Create | Verb::Update | Verb::Delete => Some("application/json"),
            Verb::MergePatch => Some("application/merge-patch+json"),
            Verb::StrategicMergePatch => Some("application/strategic-merge-patch+json"),
            Verb::JsonPatch => Some("application/json-patch+json"),
        }
    }

    /// Whether the call has a body, and is of the kind that changes the cluster.
    pub fn writes(self) -> bool {
        self.content_type().is_some()
    }
}

/// What a rule of a Role grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The verb.
    pub verb: &'static str,
    /// The resource with its group and its part: `deployments.apps`, `services/proxy`.
    pub resource: &'static str,
}

impl Right {
    /// To create and delete a Service, and to ask its pods.
    pub const SMOKE: [Right; 3] = [
        Right {
            verb: "create",
            resource: SERVICES,
        },
        Right {
            verb: "delete",
            resource: SERVICES,
        },
        Right {
            verb: "get",
            resource: PROXY,
        },
    ];
    /// To change an autoscaler.
    pub const SCALE: Right = Right {
        verb: "patch",
        resource: AUTOSCALERS,
    };
}

impl Call {
    /// Asks whether the token has a right. Every account may ask this about itself.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>
    pub fn may(namespace: &str, right: Right) -> Call {
        let (whole, group) = right
            .resource
            .split_once('.')
            .unwrap_or((right.resource, ""));
        let (resource, part) = whole.split_once('/').unwrap_or((whole, ""));
        let body = json!({"apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"namespace": namespace, "verb": right.verb,
                "group": group, "resource": resource, "subresource": part}}});
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        Call {
            resource: REVIEWS,
            ..write(Verb::Create, path.to_owned(), body)
        }
    }

    /// Asks whose token we have, which everyone may who has a valid one.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review>
    pub fn who_am_i() -> Call {
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        Call {
            resource: IDENTITIES,
            ..write(Verb::Create, path.to_owned(), body)
        }
    }

    /// Asks for another token of a ServiceAccount, for the API server itself.
    /// <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/>
    pub fn token(namespace: &str, account: &str, lifetime: Duration) -> Call {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
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
        call.query.push(("watch", "true".into()));
        call.query
            .push(("fieldSelector", format!("metadata.name={name}")));
        call.query.push(("allowWatchBookmarks", "true".into()));
        call.query.push(("timeoutSeconds", seconds.to_string()));
        if !resource_version.is_empty() {
            call.query
                .push(("resourceVersion", resource_version.to_owned()));
        }
        call
    }

    /// One page of the ReplicaSets under a label selector.
    pub fn replica_sets(namespace: &str, selector: &str) -> Call {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/replicasets");
        list(path, selector, "replicasets.apps")
    }

    /// One ReplicaSet, for its template.
    pub fn replica_set(namespace: &str, name: &str) -> Call {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/replicasets/{name}");
        read(Verb::Get, path, "replicasets.apps")
    }

    /// One page of the pods under a label selector.
    pub fn pods(namespace: &str, selector: &str) -> Call {
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let mut call = list(path, selector, "pods");
        call.limit(PODS_PAGE);
        call
    }

    /// The events about one object.
    pub fn events(namespace: &str, kind: &str, name: &str) -> Call {
        let path = format!("/api/v1/namespaces/{namespace}/events");
        let mut call = list(path, "", "events");
        let about = format!("involvedObject.kind={kind},involvedObject.name={name}");
        call.query.push(("fieldSelector", about));
        call.limit(EVENTS_PAGE);
        call
    }

    /// The last lines of a container's log; `previous`: of the life before this one.
    pub fn log(namespace: &str, pod: &str, container: &str, previous: bool, lines: usize) -> Call {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log");
        let mut call = read(Verb::Get, path, LOGS);
        call.query.push(("container", container.to_owned()));
        call.query.push(("tailLines", lines.to_string()));
        call.query.push(("limitBytes", LOG_BYTES.into()));
        if previous {
            call.query.push(("previous", "true".into()));
        }
        call
    }

    /// One page of the namespace's HorizontalPodAutoscalers.
    pub fn autoscalers(namespace: &str) -> Call {
        list(autoscalers_path(namespace), "", AUTOSCALERS)
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
        self.query.push(("dryRun", "All".into()));
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
        let path = format!("{}/{name}", services_path(namespace));
        read(Verb::Get, path, SERVICES)
    }

    /// Patches a Service; its `null`s remove.
    pub fn merge_service(namespace: &str, name: &str, patch: Value) -> Call {
        let path = format!("{}/{name}", services_path(namespace));
        Call {
            resource: SERVICES,
            ..write(Verb::MergePatch, path, patch)
        }
    }

    /// Creates a Service.
    pub fn create_service(namespace: &str, object: Value) -> Call {
        Call {
            resource: SERVICES,
            ..write(Verb::Create, services_path(namespace), object)
        }
    }

    /// Deletes the Service of this uid.
    pub fn delete_service(namespace: &str, name: &str, uid: &str) -> Call {
        let path = format!("{}/{name}", services_path(namespace));
        delete(path, SERVICES, uid)
    }

    /// One page of a Service's EndpointSlices.
    pub fn endpoint_slices(namespace: &str, service: &str) -> Call {
        let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
        let selector = format!("kubernetes.io/service-name={service}");
        list(path, &selector, "endpointslices.discovery.k8s.io")
    }

    /// Asks a Service's pod over the API server's proxy; `target` is `[https:]name:port`, and
    /// `path` a checked path of HTTP.
    /// <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/>
    pub fn proxy(namespace: &str, target: &str, path: &str) -> Call {
        let path = format!("{}/{target}/proxy{path}", services_path(namespace));
        read(Verb::Proxy, path, PROXY)
    }

    /// Patches a HorizontalPodAutoscaler; its `null`s remove.
    pub fn merge_autoscaler(namespace: &str, name: &str, patch: Value) -> Call {
        let path = format!("{}/{name}", autoscalers_path(namespace));
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

    fn limit(&mut self, page: &str) {
        self.query.retain(|(name, _)| *name != "limit");
        self.query.push(("limit", page.to_owned()));
    }

    /// The next page of the same list.
    pub fn page(mut self, token: &str) -> Call {
        self.query.push(("continue", token.to_owned()));
        self
    }
}

const LOGS: &str = "pods/log";
const REVIEWS: &str = "selfsubjectaccessreviews.authorization.k8s.io";
const IDENTITIES: &str = "selfsubjectreviews.authentication.k8s.io";
const TOKENS: &str = "serviceaccounts/token";
const DEPLOYMENTS: &str = "deployments.apps";
const SERVICES: &str = "services";
const PROXY: &str = "services/proxy";
const AUTOSCALERS: &str = "horizontalpodautoscalers.autoscaling";

fn deployments_path(namespace: &str) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/deployments")
}

fn services_path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/services")
}

fn autoscalers_path(namespace: &str) -> String {
    format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers")
}

fn deployment_path(namespace: &str, name: &str) -> String {
    format!("{}/{name}", deployments_path(namespace))
}

fn read(verb: Verb, path: String, resource: &'static str) -> Call {
    Call {
        verb,
        path,
        query: Vec::new(),
        body: None,
        resource,
    }
}

fn list(path: String, selector: &str, resource: &'static str) -> Call {
    let mut call = read(Verb::List, path, resource);
    if !selector.is_empty() {
        call.query.push(("labelSelector", selector.to_owned()));
    }
    call.query.push(("limit", PAGE.into()));
    call
}

/// Every write carries our name and has its unknown fields refused, as `kubectl` does since 1.27.
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation>
fn write(verb: Verb, path: String, body: Value) -> Call {
    Call {
        verb,
        path,
        query: vec![
            ("fieldManager", FIELD_MANAGER.into()),
            ("fieldValidation", "Strict".into()),
        ],
        body: Some(body),
        resource: DEPLOYMENTS,
    }
}

/// The object that was read, or none: one of the same name that came since has another uid.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/>
fn delete(path: String, resource: &'static str, uid: &str) -> Call {
    let body = json!({"apiVersion": "v1", "kind": "DeleteOptions",
        "propagationPolicy": "Background", "preconditions": {"uid": uid}});
    Call {
        query: Vec::new(),
        resource,
        ..write(Verb::Delete, path, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_a_strategic_merge_patch_under_our_name() {
        let call = Call::patch("shop", "web", json!({"spec": {}}));
        assert_eq!(call.verb.method(), "PATCH");
        assert_eq!(
            call.verb.content_type(),
            Some("application/strategic-merge-patch+json")
        );
        assert_eq!(call.path, "/apis/apps/v1/namespaces/shop/deployments/web");
        assert_eq!(
            call.query,
            [
                ("fieldManager", "landfall".to_owned()),
                ("fieldValidation", "Strict".to_owned())
            ]
        );
        assert_eq!(call.body, Some(json!({"spec": {}})));
    }

    #[test]
    fn a_watch_names_the_one_object_and_where_to_go_on() {
        let call = Call::watch("shop", "web", "42", 30);
        assert_eq!(call.path, "/apis/apps/v1/namespaces/shop/deployments");
        assert_eq!(
            call.query,
            [
                ("watch", "true".to_owned()),
                ("fieldSelector", "metadata.name=web".to_owned()),
                ("allowWatchBookmarks", "true".to_owned()),
                ("timeoutSeconds", "30".to_owned()),
                ("resourceVersion", "42".to_owned()),
            ]
        );
    }

    #[test]
    fn a_list_is_paged() {
        let call = Call::replica_sets("shop", "app=web").page("next");
        assert_eq!(
            call.query,
            [
                ("labelSelector", "app=web".to_owned()),
                ("limit", "50".to_owned()),
                ("continue", "next".to_owned()),
            ]
        );
        assert_eq!(
            Call::autoscalers("shop").query,
            [("limit", "50".to_owned())]
        );
    }

    #[test]
    fn only_writes_have_a_content_type() {
        for (verb, method, rbac, writes) in [
            (Verb::Get, "GET", "get", false),
            (Verb::List, "GET", "list", false),
            (Verb::Watch, "GET", "watch", false),
            (Verb::Create, "POST", "create", true),
            (Verb::Update, "PUT", "update", true),
            (Verb::StrategicMergePatch, "PATCH", "patch", true),
            (Verb::JsonPatch, "PATCH", "patch", true),
            (Verb::MergePatch, "PATCH", "patch", true),
            (Verb::Delete, "DELETE", "delete", true),
            (Verb::Proxy, "GET", "get", false),
        ] {
            assert_eq!((verb.method(), verb.rbac()), (method, rbac));
            assert_eq!(verb.writes(), writes);
        }
    }

    #[test]
    fn what_explains_a_failure_is_limited() {
        let owned = |pairs: &[(&'static str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| (*name, value.to_string()));
            pairs.collect::<Vec<_>>()
        };
        let pods = Call::pods("shop", "app=web");
        assert_eq!(
            pods.query,
            owned(&[("labelSelector", "app=web"), ("limit", "250")])
        );
        let events = Call::events("shop", "Pod", "web-1");
        let about = "involvedObject.kind=Pod,involvedObject.name=web-1";
        assert_eq!(
            events.query,
            owned(&[("fieldSelector", about), ("limit", "100")])
        );
        let log = Call::log("shop", "web-1", "app", true, 20);
        assert_eq!(log.path, "/api/v1/namespaces/shop/pods/web-1/log");
        let lines = [
            ("container", "app"),
            ("tailLines", "20"),
            ("limitBytes", "524288"),
        ];
        assert_eq!(
            log.query,
            [owned(&lines), owned(&[("previous", "true")])].concat()
        );
        assert_eq!((log.resource, log.verb.rbac()), ("pods/log", "get"));
        assert_eq!((log.accept(), pods.accept()), ("*/*", "application/json"));
        let current = Call::log("shop", "web-1", "app", false, 20);
        assert_eq!(current.query, owned(&lines));
    }

    #[test]
    fn a_deletion_is_bound_to_the_uid() {
        let call = Call::delete("shop", "web-blue", "u-1");
        assert_eq!(
            call.path,
            "/apis/apps/v1/namespaces/shop/deployments/web-blue"
        );
        let body = call.body.expect("it has options");
        assert_eq!(body["preconditions"], json!({"uid": "u-1"}));
    }

    #[test]
    fn each_call_names_its_resource_as_rbac_does() {
        let (body, n) = (|| json!({}), "shop");
        for (call, resource, path) in [
            (Call::service(n, "web"), "services", "services/web"),
            (
                Call::merge_service(n, "web", body()),
                "services",
                "services/web",
            ),
            (Call::create_service(n, body()), "services", "services"),
            (
                Call::delete_service(n, "web", "u"),
                "services",
                "services/web",
            ),
            (
                Call::proxy(n, "web-preview:80", "/health?deep=1"),
                "services/proxy",
                "services/web-preview:80/proxy/health?deep=1",
            ),
        ] {
            assert_eq!(call.resource, resource);
            assert_eq!(call.path, format!("/api/v1/namespaces/shop/{path}"));
        }
        let call = Call::token(n, "landfall", Duration::from_secs(86_400));
        assert_eq!(call.resource, "serviceaccounts/token");
        assert_eq!(
            call.path,
            "/api/v1/namespaces/shop/serviceaccounts/landfall/token"
        );
        assert_eq!(
            call.body.as_ref().expect("it has one")["spec"],
            json!({"expirationSeconds": 86_400})
        );
        assert!(call.changes() && call.is_answered_in_secret());
        let call = Call::who_am_i();
        assert!(call.path.ends_with("/selfsubjectreviews"));
        assert!(!call.changes() && !call.is_answered_in_secret());
        let call = Call::merge_autoscaler(n, "web", body());
        assert_eq!(call.resource, "horizontalpodautoscalers.autoscaling");
        assert!(call.path.ends_with("/horizontalpodautoscalers/web"));
        let slices = Call::endpoint_slices(n, "web").query;
        assert_eq!(slices[0].1, "kubernetes.io/service-name=web");
    }
}
