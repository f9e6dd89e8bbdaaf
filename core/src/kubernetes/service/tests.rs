use super::*;
use serde_json::json;

#[test]
fn absent_fields_are_states() {
    for hostile in [json!(null), json!([1]), json!("x"), json!({"spec": 3})] {
        let service = Service::new(hostile.clone());
        assert_eq!((service.name(), service.kind()), ("", "ClusterIP"));
        assert!(service.selector().is_empty() && service.ports().is_empty());
        assert_eq!(ServicePod::read(&hostile), ServicePod::default());
        assert!(!Autoscaler::new(hostile).scales("Deployment", "web"));
    }
    assert_eq!(
        Endpoints::read(&[json!(null), json!({})]),
        Endpoints::default()
    );
}

#[test]
fn a_member_that_is_going_is_not_ready() {
    let pod = |changes: &str| {
        let mut pod = json!({"metadata": {"name": "a", "ownerReferences": [
                    {"name": "other"}, {"name": "web-1", "controller": true}]},
                "status": {"phase": "Running",
                    "conditions": [{"type": "Ready", "status": "True"}]}});
        match changes {
            "going" => pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"),
            "unready" => pod["status"]["conditions"][0]["status"] = json!("False"),
            "over" => pod["status"]["phase"] = json!("Failed"),
            _ => {}
        }
        let member = ServicePod::read(&pod);
        assert_eq!((&*member.name, &*member.owner), ("a", "web-1"));
        (member.ready, member.going, member.over)
    };
    assert_eq!(pod(""), (true, false, false));
    assert_eq!(pod("going"), (false, true, false));
    assert_eq!(pod("unready"), (false, false, false));
    assert_eq!(pod("over"), (true, false, true));
}

#[test]
fn endpoints_are_ready_unless_they_say_otherwise_and_count_once() {
    let endpoint = |pod: &str, ready: Value| {
        json!({"addresses": ["10.0.0.1"], "conditions": {"ready": ready},
                "targetRef": {"kind": "Pod", "name": pod}})
    };
    let slices = [
        json!({"endpoints": [endpoint("a", json!(true)), endpoint("b", json!(false))]}),
        json!({"endpoints": [endpoint("a", json!(true)), endpoint("c", json!(null)),
                {"addresses": ["10.0.0.9"]}]}),
        json!({"endpoints": null}),
    ];
    let endpoints = Endpoints::read(&slices);
    let ready = endpoints
        .ready
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>();
    assert_eq!(ready, ["10.0.0.9", "a", "c"]);
    let member = |name: &str| ServicePod {
        name: name.into(),
        ..ServicePod::default()
    };
    let known = ["10.0.0.9", "a", "c", "d"].map(member);
    assert!(endpoints.are_all_of(&known, 3));
    assert!(!endpoints.are_all_of(&known, 4), "too few");
    assert!(!endpoints.are_all_of(&known[1..], 1), "one is foreign");
}

#[test]
fn an_autoscaler_scales_one_object_by_kind_and_name() {
    let scales = |target: Value| {
        let scaler = Autoscaler::new(json!({"spec": {"scaleTargetRef": target}}));
        scaler.scales("Deployment", "web")
    };
    assert!(scales(json!({"kind": "Deployment", "name": "web"})));
    assert!(!scales(json!({"kind": "Deployment", "name": "web-2"})));
    assert!(!scales(json!({"kind": "StatefulSet", "name": "web"})));
    assert!(!scales(json!("web")));
}
