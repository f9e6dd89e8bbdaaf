use super::*;
use crate::kubernetes::resource::{AUTOSCALERS, DEPLOYMENTS, REPLICA_SETS, SECRETS};

#[test]
fn a_patch_is_a_strategic_merge_patch_under_our_name() {
    let call = Call::strategic_patch(&DEPLOYMENTS, "shop", "web", json!({"spec": {}}));
    assert_eq!(call.verb.method(), "PATCH");
    assert_eq!(
        call.verb.content_type(),
        Some("application/strategic-merge-patch+json")
    );
    assert_eq!(call.path, "/apis/apps/v1/namespaces/shop/deployments/web");
    assert_eq!(
        *call.query,
        [
            ("fieldManager", "landfall".to_owned()),
            ("fieldValidation", "Strict".to_owned())
        ]
    );
    assert_eq!(call.body, Some(json!({"spec": {}})));
}

#[test]
fn a_watch_names_the_one_object_and_where_to_go_on() {
    let call = Call::watch(&DEPLOYMENTS, "shop", "web", "42", 30);
    assert_eq!(call.path, "/apis/apps/v1/namespaces/shop/deployments");
    assert_eq!(
        *call.query,
        [
            ("fieldSelector", "metadata.name=web".to_owned()),
            ("watch", "true".to_owned()),
            ("allowWatchBookmarks", "true".to_owned()),
            ("timeoutSeconds", "30".to_owned()),
            ("resourceVersion", "42".to_owned()),
        ]
    );
}

#[test]
fn a_list_is_widened_by_one_label_and_never_to_everything() {
    let wider = |selector: &str| {
        let list = Call::list(&PODS, "shop", selector);
        let wider = list.without_label("landfall/version")?;
        assert_eq!((&wider.path, wider.verb), (&list.path, list.verb));
        wider
            .query
            .iter()
            .find(|(name, _)| *name == "labelSelector")
            .cloned()
    };
    let to = |text: &str| Some(("labelSelector", text.to_owned()));
    assert_eq!(wider("app=web,landfall/version=blue"), to("app=web"));
    assert_eq!(
        wider("app=web,landfall/version=blue,tier=a"),
        to("app=web,tier=a")
    );
    for narrow in [
        "app=web",
        "landfall/version=blue",
        "",
        "app=web,landfall/version in (blue,green)",
        "app=web,landfall/version!=blue",
        "app in (web,shop),landfall/version=blue",
        "!app,landfall/version=blue",
    ] {
        assert_eq!(wider(narrow), None, "{narrow}");
    }
    let one = Call::get(&DEPLOYMENTS, "shop", "web");
    assert_eq!(one.without_label("landfall/version"), None);
}

#[test]
fn a_list_is_followed_from_its_version_without_its_pages() {
    let list = Call::list(&PODS, "shop", "app=web").page("next");
    let call = Call::watch_of(&list, "42", 30);
    assert_eq!((call.verb, &call.path), (Verb::Watch, &list.path));
    assert_eq!(
        *call.query,
        [
            ("labelSelector", "app=web".to_owned()),
            ("watch", "true".to_owned()),
            ("allowWatchBookmarks", "true".to_owned()),
            ("timeoutSeconds", "30".to_owned()),
            ("resourceVersion", "42".to_owned()),
        ]
    );
}

#[test]
fn a_list_is_paged() {
    let call = Call::list(&REPLICA_SETS, "shop", "app=web").page("next");
    assert_eq!(
        *call.query,
        [
            ("labelSelector", "app=web".to_owned()),
            ("limit", "50".to_owned()),
            ("continue", "next".to_owned()),
        ]
    );
    assert_eq!(
        *Call::list(&AUTOSCALERS, "shop", "").query,
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
    let pods = Call::list(&PODS, "shop", "app=web");
    assert_eq!(
        *pods.query,
        owned(&[("labelSelector", "app=web"), ("limit", "250")])
    );
    let events = Call::events("shop", "Pod", "web-1");
    let about = "involvedObject.kind=Pod,involvedObject.name=web-1";
    assert_eq!(
        *events.query,
        owned(&[("limit", "100"), ("fieldSelector", about)])
    );
    let log = Call::log("shop", "web-1", "app", true, 20);
    assert_eq!(log.path, "/api/v1/namespaces/shop/pods/web-1/log");
    let lines = [
        ("container", "app"),
        ("tailLines", "20"),
        ("limitBytes", "524288"),
    ];
    assert_eq!(
        *log.query,
        [owned(&lines), owned(&[("previous", "true")])].concat()
    );
    assert_eq!((&*log.resource, log.verb.rbac()), ("pods/log", "get"));
    assert_eq!((log.accept(), pods.accept()), ("*/*", "application/json"));
    let current = Call::log("shop", "web-1", "app", false, 20);
    assert_eq!(*current.query, owned(&lines));
}

#[test]
fn a_deletion_is_bound_to_the_uid() {
    let call = Call::delete(&DEPLOYMENTS, "shop", "web-blue", "u-1");
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
        (Call::get(&SERVICES, n, "web"), "services", "services/web"),
        (
            Call::merge_patch(&SERVICES, n, "web", body()),
            "services",
            "services/web",
        ),
        (Call::create(&SERVICES, n, body()), "services", "services"),
        (
            Call::delete(&SERVICES, n, "web", "u"),
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
    let call = Call::merge_patch(&AUTOSCALERS, n, "web", body());
    assert_eq!(call.resource, "horizontalpodautoscalers.autoscaling");
    assert!(call.path.ends_with("/horizontalpodautoscalers/web"));
    let slices = Call::endpoint_slices(n, "web").query;
    assert_eq!(slices[0].1, "kubernetes.io/service-name=web");
}

#[test]
fn a_call_tells_the_name_of_its_object() {
    let namespaces = Resource::new("v1", "Namespace", "namespaces", false);
    for (call, name) in [
        (Call::get(&SECRETS, "shop", "login"), Some("login")),
        (Call::get(&SECRETS, "secrets", "login"), Some("login")),
        (Call::get(&namespaces, "", "shop"), Some("shop")),
        (Call::list(&SECRETS, "shop", ""), None),
        (Call::create(&SECRETS, "shop", json!({})), None),
    ] {
        assert_eq!(call.name(), name, "{}", call.path);
    }
}

#[test]
fn a_part_that_is_not_valid_leaves_no_path() {
    let (n, body) = ("shop", || json!({}));
    let with = |name: &str| {
        vec![
            Call::get(&DEPLOYMENTS, n, name),
            Call::get(&DEPLOYMENTS, name, "web"),
            Call::watch(&DEPLOYMENTS, n, name, "1", 30),
            Call::get(&REPLICA_SETS, n, name),
            Call::events(n, "Pod", name),
            Call::log(n, name, "app", false, 20),
            Call::log(n, "web-1", name, false, 20),
            Call::strategic_patch(&DEPLOYMENTS, n, name, body()),
            Call::replace(&DEPLOYMENTS, n, name, body()),
            Call::create(&DEPLOYMENTS, name, body()),
            Call::json_patch(&DEPLOYMENTS, n, name, body()),
            Call::merge_patch(&DEPLOYMENTS, n, name, body()),
            Call::delete(&DEPLOYMENTS, n, name, "u"),
            Call::get(&SERVICES, n, name),
            Call::merge_patch(&SERVICES, n, name, body()),
            Call::delete(&SERVICES, n, name, "u"),
            Call::endpoint_slices(n, name),
            Call::proxy(n, name, "/health"),
            Call::merge_patch(&AUTOSCALERS, n, name, body()),
            Call::token(n, name, Duration::from_secs(600)),
        ]
    };
    for call in with("web") {
        assert_eq!(call.refused(), None, "{call:?}");
    }
    for bad in [
        "..",
        "../../other/secrets/x",
        "a/b",
        "a?b",
        "a#",
        "a%2fb",
        "A,b=",
        "x y",
        "a\\b",
    ] {
        for call in with(bad) {
            let refused = call.refused().expect("it has no path");
            assert!(call.path.is_empty() && refused.is_status, "{call:?}");
            let one = [Verb::Get, Verb::Delete].contains(&call.verb);
            assert!(!one || refused.code == 404);
            assert!(!refused.message.contains(bad));
        }
    }
    for resource in [&REPLICA_SETS, &PODS, &DEPLOYMENTS] {
        assert_eq!(Call::list(resource, n, "app=web").refused(), None);
        let refused = Call::list(resource, n, "app=web,a b")
            .refused()
            .expect("it has no path");
        assert_eq!(refused.code, 400);
    }
    for (target, path) in [
        ("web:80/../..", "/"),
        ("web:80", "/../x"),
        ("http:web:80", "/"),
        ("web:80:90", "/"),
        ("web:8?0", "/"),
    ] {
        assert!(
            Call::proxy(n, target, path).refused().is_some(),
            "{target}{path}"
        );
    }
    let path = Call::proxy(n, "https:web:https-1", "/x").path;
    assert_eq!(
        path,
        "/api/v1/namespaces/shop/services/https:web:https-1/proxy/x"
    );
}
