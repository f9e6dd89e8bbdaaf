use super::*;
use serde_json::json;

fn service(kind: &str, annotations: Value) -> Service {
    Service::new(
        json!({"metadata": {"name": "web", "annotations": annotations},
        "spec": {"type": kind, "selector": {"app": "web"}}}),
    )
}

fn binding(service: &str, target_type: Value, labels: Value) -> Value {
    json!({"metadata": {"name": "k8s-shop-web", "labels": labels},
        "spec": {"serviceRef": {"name": service, "port": 80}, "targetType": target_type}})
}

fn ingress(service: &str, annotations: Value) -> Value {
    json!({"metadata": {"name": "shop", "annotations": annotations},
        "spec": {"rules": [{"http": {"paths": [{"path": "/",
            "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]}})
}

#[test]
fn a_service_of_a_network_load_balancer_with_pods_as_targets() {
    let rows = [
        ("LoadBalancer", json!({NETWORK_TARGET_TYPE: "ip"}), true),
        ("LoadBalancer", json!({NETWORK_TYPE: "nlb-ip"}), true),
        (
            "LoadBalancer",
            json!({NETWORK_TARGET_TYPE: "instance"}),
            false,
        ),
        ("LoadBalancer", json!({NETWORK_TYPE: "nlb"}), false),
        ("LoadBalancer", json!({}), false),
        // What is left of another time.
        ("ClusterIP", json!({NETWORK_TARGET_TYPE: "ip"}), false),
    ];
    for (kind, annotations, is_front) in rows {
        let found = of_service(&service(kind, annotations.clone()));
        assert_eq!(found.is_some(), is_front, "{kind} {annotations}");
        if let Some(front) = found {
            assert_eq!(front, Front::of("Service", "web", Balancer::Network));
        }
    }
}

#[test]
fn a_target_group_binding_of_this_service_with_pods_as_targets() {
    let of_ingress = json!({"ingress.k8s.aws/stack-name": "shop"});
    let of_service = json!({"service.k8s.aws/stack-name": "web"});
    let rows = [
        (
            "web",
            json!("ip"),
            of_ingress.clone(),
            Some(Balancer::Application),
        ),
        (
            "web",
            json!("ip"),
            of_service.clone(),
            Some(Balancer::Network),
        ),
        ("web", json!("ip"), json!({}), Some(Balancer::Unknown)),
        ("web", json!(null), json!(null), Some(Balancer::Unknown)),
        ("web", json!("instance"), of_ingress.clone(), None),
        ("other", json!("ip"), of_ingress.clone(), None),
    ];
    for (name, target_type, labels, balancer) in rows {
        let found = of_bindings(&[binding(name, target_type.clone(), labels.clone())], "web");
        let found = found.map(|front| front.balancer);
        assert_eq!(found, balancer, "{name} {target_type} {labels}");
    }
    let slow = binding("web", json!("ip"), of_service);
    let fast = binding("web", json!("ip"), of_ingress);
    for both in [[slow.clone(), fast.clone()], [fast, slow]] {
        let front = of_bindings(&both, "web").unwrap();
        assert_eq!(front.balancer, Balancer::Network, "the slowest counts");
    }
    assert_eq!(of_bindings(&[], "web"), None);
}

#[test]
fn an_ingress_that_sends_to_pods_of_this_service() {
    let ip = || json!({TARGET_TYPE: "ip"});
    let plain = || service("ClusterIP", json!({}));
    let found = of_ingresses(&[ingress("web", ip())], &plain());
    assert_eq!(
        found,
        Some(Front::of("Ingress", "shop", Balancer::Application))
    );
    let by_service = service("ClusterIP", ip());
    assert!(of_ingresses(&[ingress("web", json!({}))], &by_service).is_some());
    let action = json!({"type": "forward", "forwardConfig": {"targetGroups": [
        {"serviceName": "web", "servicePort": 80}]}});
    let mut by_action = ingress("pick", ip());
    by_action["metadata"]["annotations"]["alb.ingress.kubernetes.io/actions.pick"] =
        json!(action.to_string());
    let path = "/spec/rules/0/http/paths/0/backend/service/port";
    *by_action.pointer_mut(path).unwrap() = json!({"name": "use-annotation"});
    assert!(of_ingresses(&[by_action], &plain()).is_some());

    let instance = service("ClusterIP", json!({TARGET_TYPE: "instance"}));
    let none = [
        (ingress("other", ip()), plain()),
        (ingress("web", json!({})), plain()),
        (ingress("web", json!({TARGET_TYPE: "instance"})), plain()),
        (ingress("web", ip()), instance),
        // One of another controller.
        (
            ingress(
                "web",
                json!({"nginx.ingress.kubernetes.io/rewrite-target": "/"}),
            ),
            plain(),
        ),
        (json!({}), plain()),
    ];
    for (ingress, service) in none {
        assert_eq!(
            of_ingresses(std::slice::from_ref(&ingress), &service),
            None,
            "{ingress}"
        );
    }
}
