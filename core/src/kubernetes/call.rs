//! Each API call as a value: method, path, query, content type, body.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/>
//!
//! A path and a selector are made of checked parts alone, here and nowhere else. A call with a part
//! that is not valid has no path, is never sent, and is answered as the API server would answer it.

mod watching;

use super::error::Refusal;
use super::name::{LabelSelector, Name, Rule};
pub use super::path::{Path, Query};
pub use super::permission::Permission;
use super::resource::{
    ENDPOINT_SLICES, EVENTS, IDENTITIES, LOGS, PODS, PROXY, REVIEWS, Resource, SERVICES, TOKENS,
    parts,
};
pub use super::verb::Verb;
use serde_json::{Value, json};
use std::borrow::Cow;
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

/// The kind of an object's metadata alone.
const METADATA: &str = "PartialObjectMetadata";

/// How a list of them is asked for.
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

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
    pub resource: Cow<'static, str>,
    /// The kind of the answer; `None` where that is a text.
    pub answer: Option<Cow<'static, str>>,
}

impl Call {
    /// The permission that it takes.
    pub fn permission(&self) -> Permission {
        Permission {
            verb: self.verb.rbac(),
            resource: self.resource.clone(),
        }
    }

    /// Reads one object, or the part of it that the resource is.
    pub fn get(resource: &Resource, namespace: &str, name: &str) -> Call {
        Call::new(Verb::Get, resource, namespace, Some(name))
    }

    /// One page of the objects under a label selector; of all where it is empty.
    pub fn list(resource: &Resource, namespace: &str, selector: &str) -> Call {
        let mut call = Call::new(Verb::List, resource, namespace, None);
        if !selector.is_empty() {
            call.select("labelSelector", LabelSelector::new(selector));
        }
        let page = if *resource == PODS {
            PODS_PAGE
        } else if *resource == EVENTS {
            EVENTS_PAGE
        } else {
            PAGE
        };
        call.query.push("limit", page);
        call
    }

    /// The collection of the object that the call writes: what is created has no path yet.
    pub fn collection(&self) -> Path {
        match self.verb == Verb::Create {
            true => self.path.clone(),
            false => self.path.parent().0,
        }
    }

    /// Creates an object.
    pub fn create(resource: &Resource, namespace: &str, object: Value) -> Call {
        Call::new(Verb::Create, resource, namespace, None).with(object)
    }

    /// Replaces an object.
    pub fn replace(resource: &Resource, namespace: &str, name: &str, object: Value) -> Call {
        Call::new(Verb::Update, resource, namespace, Some(name)).with(object)
    }

    /// Patches an object; lists are merged by their keys.
    pub fn strategic_patch(resource: &Resource, namespace: &str, name: &str, patch: Value) -> Call {
        Call::new(Verb::StrategicMergePatch, resource, namespace, Some(name)).with(patch)
    }

    /// Patches an object; its `null`s remove.
    pub fn merge_patch(resource: &Resource, namespace: &str, name: &str, patch: Value) -> Call {
        Call::new(Verb::MergePatch, resource, namespace, Some(name)).with(patch)
    }

    /// Applies JSON-patch operations to an object, all or none.
    pub fn json_patch(resource: &Resource, namespace: &str, name: &str, patch: Value) -> Call {
        Call::new(Verb::JsonPatch, resource, namespace, Some(name)).with(patch)
    }

    /// Applies what an object's manifest says, by server-side apply: it is created where it does
    /// not exist. Fields that another manager owns are taken over with `force`, and are a conflict
    /// without it. JSON is YAML, too.
    /// <https://kubernetes.io/docs/reference/using-api/server-side-apply/>
    pub fn apply(
        resource: &Resource,
        namespace: &str,
        name: &str,
        object: Value,
        force: bool,
    ) -> Call {
        let mut call = Call::new(Verb::Apply, resource, namespace, Some(name)).with(object);
        call.query.push("force", force.to_string());
        call
    }

    /// The resources of a group in a version, such as `apps/v1`: everyone may read them.
    /// <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>
    pub fn resources(api_version: &str) -> Call {
        Call {
            verb: Verb::Get,
            path: Path::of_version(api_version),
            query: Query::default(),
            body: None,
            resource: Cow::Borrowed("APIResourceList"),
            answer: Some(Cow::Borrowed("APIResourceList")),
        }
    }

    /// Deletes the object of this uid, its pods behind it. One of the same name that came since has
    /// another uid, and stays.
    /// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/>
    pub fn delete(resource: &Resource, namespace: &str, name: &str, uid: &str) -> Call {
        let mut call = Call::delete_any(resource, namespace, name);
        if let Some(body) = &mut call.body {
            body["preconditions"] = json!({"uid": uid});
        }
        call
    }

    /// Deletes the object of this uid in this state: one that somebody has changed since stays.
    pub fn delete_version(
        resource: &Resource,
        namespace: &str,
        name: &str,
        uid: &str,
        version: &str,
    ) -> Call {
        let mut call = Call::delete(resource, namespace, name, uid);
        if let Some(body) = &mut call.body {
            body["preconditions"]["resourceVersion"] = json!(version);
        }
        call
    }

    /// Deletes the object of this name, whichever it is.
    pub fn delete_any(resource: &Resource, namespace: &str, name: &str) -> Call {
        let body = json!({"apiVersion": "v1", "kind": "DeleteOptions",
            "propagationPolicy": "Background"});
        Call {
            body: Some(body),
            ..Call::new(Verb::Delete, resource, namespace, Some(name))
        }
    }

    /// The same deletion, but what the object owns stays: a StatefulSet that is made anew finds its
    /// pods there.
    /// <https://kubernetes.io/docs/tasks/administer-cluster/use-cascading-deletion/>
    pub fn leaving_pods(mut self) -> Call {
        if let Some(body) = &mut self.body {
            body["propagationPolicy"] = json!("Orphan");
        }
        self
    }

    /// The same list, of the objects' metadata alone.
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches>
    pub fn metadata_alone(mut self) -> Call {
        self.answer = Some(Cow::Borrowed(METADATA));
        self
    }

    /// Asks whether the token has a right. Every account may ask this about itself.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>
    pub fn may(namespace: &str, right: &Permission) -> Call {
        let (resource, part, group) = parts(&right.resource);
        let body = json!({"apiVersion": REVIEWS.api_version, "kind": REVIEWS.kind,
            "spec": {"resourceAttributes": {"namespace": namespace, "verb": right.verb,
                "group": group, "resource": resource, "subresource": part}}});
        Call::create(&REVIEWS, "", body)
    }

    /// Asks whose token we have, which everyone may who has a valid one.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review>
    pub fn who_am_i() -> Call {
        let body = json!({"apiVersion": IDENTITIES.api_version, "kind": IDENTITIES.kind});
        Call::create(&IDENTITIES, "", body)
    }

    /// Asks for another token of a ServiceAccount, for the API server itself.
    /// <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/>
    pub fn token(namespace: &str, account: &str, lifetime: Duration) -> Call {
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": lifetime.as_secs()}});
        Call::new(Verb::Create, &TOKENS, namespace, Some(account)).with(body)
    }

    /// The events about one object.
    pub fn events(namespace: &str, kind: &str, name: &str) -> Call {
        Call::events_about(namespace, kind, name, None)
    }

    /// The events of the Job of this uid alone: one of the same name may have been there before.
    pub fn events_of_job(namespace: &str, name: &str, uid: &str) -> Call {
        Call::events_about(namespace, "Job", name, Some(uid))
    }

    fn events_about(namespace: &str, kind: &str, name: &str, uid: Option<&str>) -> Call {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let all_plain = kind
            .bytes()
            .chain(uid.unwrap_or_default().bytes())
            .all(is_plain);
        let name = Name::new(name, Rule::Subdomain).filter(|_| all_plain);
        let uid = uid.map(|uid| format!(",involvedObject.uid={uid}"));
        let uid = uid.unwrap_or_default();
        let about =
            name.map(|name| format!("involvedObject.kind={kind},involvedObject.name={name}{uid}"));
        let mut call = Call::list(&EVENTS, namespace, "");
        call.select("fieldSelector", about);
        call
    }

    /// The last lines of a container's log; `previous`: of the life before this one.
    pub fn log(namespace: &str, pod: &str, container: &str, previous: bool, lines: usize) -> Call {
        let mut call = Call::get(&LOGS, namespace, pod);
        call.select("container", Name::new(container, Rule::Label));
        call.query.push("tailLines", lines.to_string());
        call.query.push("limitBytes", LOG_BYTES);
        if previous {
            call.query.push("previous", "true");
        }
        call
    }

    /// One page of a Service's EndpointSlices.
    pub fn endpoint_slices(namespace: &str, service: &str) -> Call {
        let selector = format!("kubernetes.io/service-name={service}");
        let mut call = Call::list(&ENDPOINT_SLICES, namespace, &selector);
        if Name::new(service, SERVICES.rule).is_none() {
            call.path = Path::default();
        }
        call
    }

    /// Asks a Service's pod over the API server's proxy; `target` is `[https:]name:port`, and
    /// `path` a checked path of HTTP.
    /// <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/>
    pub fn proxy(namespace: &str, target: &str, path: &str) -> Call {
        let call = Call::new(Verb::Proxy, &PROXY, namespace, None);
        Call {
            path: call.path.behind(target, path),
            ..call
        }
    }

    /// The same write, checked by the server in every way and not done.
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run>
    pub fn dry_run(mut self) -> Call {
        self.query.push("dryRun", "All");
        self
    }

    /// The next page of the same list.
    pub fn page(mut self, token: &str) -> Call {
        self.query.push("continue", token);
        self
    }

    /// The name of the object that it is about; `None` for a collection.
    pub fn name(&self) -> Option<&str> {
        self.path.name(&self.resource)
    }

    /// Whether the answer has a secret, so that nothing of it may be quoted.
    pub fn is_answered_in_secret(&self) -> bool {
        self.resource == TOKENS.name
    }

    /// Whether the call changes something in the cluster.
    pub fn changes(&self) -> bool {
        let dry = self.query.iter().any(|(name, _)| *name == "dryRun");
        self.verb.writes() && !dry && ![&REVIEWS.name, &IDENTITIES.name].contains(&&self.resource)
    }

    /// The types of answer that are taken: a log is a text, and an application says what it likes.
    pub fn accept(&self) -> &'static str {
        match self.answer.as_deref() {
            Some(METADATA) => METADATA_LIST,
            Some(_) => "application/json",
            None => "*/*",
        }
    }

    /// How the API server would refuse a call with a part that is not valid. Nothing is sent.
    pub fn refused(&self) -> Option<Refusal> {
        if !self.path.is_void() {
            return None;
        }
        let has_no_name = matches!(
            self.verb,
            Verb::List | Verb::Watch | Verb::Create | Verb::Proxy
        );
        let (code, reason, message) = match has_no_name {
            false => (404, "NotFound", "its name is not a valid Kubernetes name"),
            true => (400, "BadRequest", "a name or a selector in it is not valid"),
        };
        Some(Refusal {
            code,
            reason: reason.to_owned(),
            message: message.to_owned(),
            is_status: true,
            ..Refusal::default()
        })
    }

    fn new(verb: Verb, resource: &Resource, namespace: &str, name: Option<&str>) -> Call {
        Call {
            verb,
            path: Path::of(resource, namespace, name),
            query: Query::default(),
            body: None,
            resource: resource.name.clone(),
            answer: resource.answered(),
        }
    }

    /// Every write carries our name and has its unknown fields refused, as `kubectl` does since
    /// 1.27.
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation>
    fn with(mut self, body: Value) -> Call {
        self.query.push("fieldManager", FIELD_MANAGER);
        self.query.push("fieldValidation", "Strict");
        self.body = Some(body);
        self
    }

    /// Selects by a checked text; one that was not valid leaves no path.
    fn select(&mut self, parameter: &'static str, selector: Option<impl Into<String>>) {
        match selector {
            Some(selector) => self.query.push(parameter, selector),
            None => self.path = Path::default(),
        }
    }
}

#[cfg(test)]
mod tests;
