use super::*;
use serde_json::json;

const WEB: Backends = Backends {
    namespace: "shop",
    service: "web",
    canary: "web-canary",
};

/// An HTTPRoute with these rules, accepted by one Gateway as it is.
fn http_route(rules: &Value) -> Value {
    let conditions = ["Accepted", "ResolvedRefs"].map(
        |kind| json!({"type": kind, "status": "True", "reason": kind, "observedGeneration": 3}),
    );
    json!({"metadata": {"name": "web", "namespace": "shop", "generation": 3,
            "resourceVersion": "41"},
        "spec": {"parentRefs": [{"name": "public", "namespace": "edge"}], "rules": rules},
        "status": {"parents": [{"parentRef": {"group": "gateway.networking.k8s.io",
            "kind": "Gateway", "name": "public", "namespace": "edge"},
            "controllerName": "example.com/gateway", "conditions": conditions}]}})
}

fn backend(name: &str, weight: u32) -> Value {
    json!({"name": name, "port": 80, "weight": weight})
}

fn simple() -> Value {
    http_route(&json!([{"backendRefs": [backend("web", 1)]}]))
}

/// An Ingress with this action for `web`, taken by the AWS controller.
fn ingress(action: &Value) -> Value {
    json!({"metadata": {"name": "web", "namespace": "shop", "resourceVersion": "7",
            "finalizers": ["ingress.k8s.aws/resources"],
            "annotations": {"alb.ingress.kubernetes.io/actions.web": action.to_string(),
                "alb.ingress.kubernetes.io/scheme": "internal"}},
        "spec": {"ingressClassName": "alb", "rules": [{"http": {"paths": [{"path": "/",
            "backend": {"service": {"name": "web", "port": {"name": "use-annotation"}}}}]}}]}})
}

fn forward(groups: &Value) -> Value {
    json!({"type": "forward", "forwardConfig": {"targetGroups": groups}})
}

fn group(name: &str, weight: u32) -> Value {
    json!({"serviceName": name, "servicePort": 80, "weight": weight})
}

fn route(object: &Value) -> Route {
    let kind = match object["spec"]["parentRefs"].is_null() {
        false => RouteKind::HttpRoute,
        true => RouteKind::Ingress,
    };
    Route::read(kind, object)
}

fn faults(object: &Value) -> Vec<RouteFault> {
    route(object).admission(&WEB).unwrap_err()
}

/// As the API server merges it (RFC 7396).
fn merged(object: &mut Value, patch: &Value) {
    let Some(changes) = patch.as_object() else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    let fields = object.as_object_mut().unwrap();
    for (key, change) in changes {
        if change.is_null() {
            fields.remove(key);
        } else {
            merged(fields.entry(key).or_insert(Value::Null), change);
        }
    }
}

/// The backends of a rule after a patch: `web 90, web-canary 10`.
fn rule(object: &Value, number: usize) -> String {
    let backends = object["spec"]["rules"][number - 1]["backendRefs"].as_array();
    let words = backends.unwrap().iter().map(|one| {
        let weight = one["weight"].as_u64();
        let weight = weight.map_or("-".to_owned(), |weight| weight.to_string());
        format!("{} {weight}", one["name"].as_str().unwrap())
    });
    words.collect::<Vec<_>>().join(", ")
}

fn shifted(object: &Value, percent: u8, before: &RouteBefore) -> Value {
    let shares = (route(object).percent(&WEB), percent);
    let patch = route(object).shifted(&WEB, shares, before, &[]).unwrap();
    let mut object = object.clone();
    merged(&mut object, &patch);
    object
}

fn restored(object: &Value, before: &RouteBefore) -> Value {
    restored_from(object, route(object).percent(&WEB), before)
}

/// The same where the last step gave that share.
fn restored_from(object: &Value, percent: u8, before: &RouteBefore) -> Value {
    let patch = route(object).restored(&WEB, percent, before, &[]).unwrap();
    let mut object = object.clone();
    merged(&mut object, &patch);
    object
}

#[test]
fn a_reference_is_a_known_kind_and_a_valid_name() {
    for text in ["httproute/web", "ingress/web.public"] {
        assert_eq!(RouteReference::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "web",
        "HTTPRoute/web",
        "httproute/",
        "httproute/../web",
        "grpcroute/web",
        "",
    ] {
        assert_eq!(RouteReference::parse(text), None, "{text}");
    }
}

#[test]
fn a_canary_gets_its_share_step_by_step_and_the_route_is_as_it_was_in_the_end() {
    let before = route(&simple()).admission(&WEB).unwrap();
    let first = shifted(&simple(), 10, &before);
    assert_eq!(rule(&first, 1), "web 90, web-canary 10");
    route(&first).stands_at(&WEB, 10, &before).unwrap();
    assert_eq!(route(&first).percent(&WEB), 10);
    let half = shifted(&first, 50, &before);
    assert_eq!(rule(&half, 1), "web 50, web-canary 50");
    let all = shifted(&half, 100, &before);
    assert_eq!(rule(&all, 1), "web 0, web-canary 100");
    assert!(!route(&all).spares(&WEB));
    let none = shifted(&half, 0, &before);
    assert_eq!(rule(&none, 1), "web 100, web-canary 0");
    assert!(route(&none).spares(&WEB));
    assert_eq!(restored(&all, &before), simple());
}

#[test]
fn what_is_kept_of_the_weights_before_survives_as_json() {
    let object = http_route(&json!([
        {"backendRefs": [backend("web", 80), backend("legacy", 20), backend("web-canary", 0)]}]));
    let before = route(&object).admission(&WEB).unwrap();
    let text = serde_json::to_string(&before).unwrap();
    assert_eq!(text, r#"[{"w":80,"c":true,"o":[20],"m":true}]"#);
    assert_eq!(serde_json::from_str::<RouteBefore>(&text).unwrap(), before);
    let first = shifted(&object, 10, &before);
    assert_eq!(restored(&first, &before), object);
}

#[test]
fn the_patch_names_the_state_that_was_read_and_carries_annotations() {
    let route = route(&simple());
    let before = route.admission(&WEB).unwrap();
    let marks = [("landfall/canary", Some("10")), ("landfall/old", None)];
    let patch = route.shifted(&WEB, (0, 10), &before, &marks).unwrap();
    assert_eq!(
        patch["metadata"],
        json!({"resourceVersion": "41",
            "annotations": {"landfall/canary": "10", "landfall/old": null}})
    );
    let patch = route.annotated(&[("landfall/canary", Some("x"))]);
    assert_eq!(
        patch,
        json!({"metadata": {"resourceVersion": "41", "annotations": {"landfall/canary": "x"}}})
    );
}

#[test]
fn other_rules_filters_timeouts_and_backends_stay_as_they_are() {
    let header = json!({"matches": [{"headers": [{"name": "x-canary", "value": "1"}]}],
        "backendRefs": [backend("web-canary", 1)]});
    let redirect = json!({"filters": [{"type": "RequestRedirect"}]});
    let own = json!({"name": "main", "timeouts": {"request": "5s"},
        "filters": [{"type": "URLRewrite"}],
        "backendRefs": [{"name": "web", "port": 8080, "weight": 1,
            "filters": [{"type": "RequestHeaderModifier"}]}]});
    let foreign = json!({"backendRefs": [{"name": "web", "namespace": "other", "port": 80}]});
    let cache = json!({"backendRefs": [{"name": "web", "kind": "Cache", "group": "x.io"}]});
    let rules = json!([header, redirect, own, foreign, cache]);
    let object = http_route(&rules);
    let before = route(&object).admission(&WEB).unwrap();
    let first = shifted(&object, 25, &before);
    let mut expected = rules.clone();
    expected[2]["backendRefs"] = json!([
        {"name": "web", "port": 8080, "weight": 75,
            "filters": [{"type": "RequestHeaderModifier"}]},
        {"name": "web-canary", "port": 8080, "weight": 25,
            "filters": [{"type": "RequestHeaderModifier"}]}]);
    assert_eq!(first["spec"]["rules"], expected);
    assert_eq!(restored(&first, &before), object);
}

#[test]
fn other_peoples_backends_in_the_rule_keep_their_share() {
    let at = |own: u32, other: u32, percent: u8| {
        let backends = json!([backend("web", own), backend("legacy", other)]);
        let object = http_route(&json!([{"backendRefs": backends}]));
        let before = route(&object).admission(&WEB).unwrap();
        let object = shifted(&object, percent, &before);
        route(&object).stands_at(&WEB, percent, &before).unwrap();
        rule(&object, 1)
    };
    // The figures of others stay where whole numbers allow it.
    assert_eq!(at(80, 20, 10), "web 72, web-canary 8, legacy 20");
    assert_eq!(at(1, 1, 10), "web 9, web-canary 1, legacy 10");
    assert_eq!(at(1, 1, 100), "web 0, web-canary 1, legacy 1");
    // No weight is above what a target group may have.
    assert_eq!(at(997, 3, 33), "web 999, web-canary 492, legacy 4");
    assert_eq!(at(1000, 1, 1), "web 990, web-canary 10, legacy 1");
    // But for a share that would be another one without.
    assert_eq!(at(1, 99, 1), "web 99, web-canary 1, legacy 9900");
    assert_eq!(at(1, 99, 5), "web 19, web-canary 1, legacy 1980");
    assert_eq!(at(1, 99, 10), "web 9, web-canary 1, legacy 990");
}

/// An ALB takes no weight above 999: such a share cannot be had there.
#[test]
fn a_share_that_whole_weights_cannot_give_is_a_fault() {
    let missed = |own: u32, other: u32, steps: &[u8]| {
        let groups = json!([group("web", own), group("legacy", other)]);
        let route = route(&ingress(&forward(&groups)));
        let before = route.admission(&WEB).unwrap();
        let missed = route.missed_share(&WEB, &before, steps.iter().copied());
        missed.map(|missed| (missed.asked, missed.given))
    };
    assert_eq!(missed(1, 99, &[1, 5, 100]), Some((1, 9)));
    assert_eq!(missed(1, 99, &[10, 50, 100]), None);
    assert_eq!(missed(1, 999, &[10, 100]), Some((10, 50)));
    assert_eq!(missed(80, 20, &[1, 5, 33, 100]), None);
    assert_eq!(missed(999, 1, &[1, 99, 100]), None);
    // The Gateway API has weights for it.
    let backends = json!([backend("web", 1), backend("legacy", 999)]);
    let route = route(&http_route(&json!([{"backendRefs": backends}])));
    let before = route.admission(&WEB).unwrap();
    let missed = route.missed_share(&WEB, &before, (1..=100).chain([100]));
    assert_eq!(missed, None);
}

#[test]
fn what_somebody_else_made_of_the_weights_stands_but_for_our_backend() {
    let object = http_route(&json!([
        {"backendRefs": [backend("web", 1), backend("maintenance", 0)]}]));
    let before = route(&object).admission(&WEB).unwrap();
    let step = shifted(&object, 10, &before);
    assert_eq!(rule(&step, 1), "web 9, web-canary 1, maintenance 0");
    for (weights, expected) in [
        // Theirs: all of it goes elsewhere.
        ([0, 0, 1], "web 0, maintenance 1"),
        ([0, 0, 0], "web 0, maintenance 0"),
        ([9, 1, 10], "web 10, maintenance 10"),
        ([9, 0, 10], "web 9, maintenance 10"),
        // Ours: others have what they had.
        ([9, 1, 0], "web 1, maintenance 0"),
        ([1, 9, 0], "web 1, maintenance 0"),
        ([10, 0, 0], "web 1, maintenance 0"),
    ] {
        let mut changed = step.clone();
        let backends = changed["spec"]["rules"][0]["backendRefs"].as_array_mut();
        for (one, weight) in backends.unwrap().iter_mut().zip(weights) {
            one["weight"] = json!(weight);
        }
        let end = restored_from(&changed, 10, &before);
        assert_eq!(rule(&end, 1), expected, "{weights:?}");
        let stood = route(&changed).stands_at(&WEB, 10, &before);
        assert_eq!(stood.is_ok(), weights == [9, 1, 0], "{weights:?}");
        let is_of_others = matches!(stood, Err(WeightChange::Others { .. }));
        assert_eq!(is_of_others, weights == [9, 1, 10], "{weights:?}");
    }
}

/// Its note is gone, and with it what was before.
#[test]
fn without_a_note_the_service_gets_what_the_candidate_has() {
    let backends = json!([
        backend("web", 9),
        backend("web-canary", 1),
        backend("legacy", 10)
    ]);
    let object = http_route(&json!([{"backendRefs": backends}]));
    let end = restored_from(&object, 10, &RouteBefore::default());
    assert_eq!(rule(&end, 1), "web 10, legacy 10");
}

#[test]
fn rules_in_another_order_are_known_by_their_weights() {
    let rules = json!([
        {"backendRefs": [backend("web", 5), backend("a", 3), backend("b", 2)]},
        {"backendRefs": [backend("web", 5), backend("a", 1), backend("b", 4)]}]);
    let object = http_route(&rules);
    let before = route(&object).admission(&WEB).unwrap();
    let mut step = shifted(&object, 10, &before);
    step["spec"]["rules"].as_array_mut().unwrap().reverse();
    route(&step).stands_at(&WEB, 10, &before).unwrap();
    let half = shifted(&step, 50, &before);
    let found = [1, 2].map(|number| rule(&half, number));
    let expected = [
        "web 5, web-canary 5, a 2, b 8",
        "web 5, web-canary 5, a 6, b 4",
    ];
    assert_eq!(found, expected);
    let mut end = restored(&half, &before);
    end["spec"]["rules"].as_array_mut().unwrap().reverse();
    assert_eq!(end, object);
}

#[test]
fn the_last_change_of_a_route_is_known_but_for_its_status() {
    let mut object = simple();
    assert_eq!(route(&object).changed_at(), None);
    object["metadata"]["managedFields"] = json!([
        {"manager": "kubectl", "time": "2026-01-01T00:00:10Z"},
        {"manager": "landfall", "time": "2026-01-01T00:00:20Z"},
        {"manager": "gateway", "time": "2026-01-01T00:00:30Z", "subresource": "status"}]);
    let changed = route(&object).changed_at().unwrap();
    assert_eq!(changed.to_string(), "2026-01-01T00:00:20Z");
}

#[test]
fn an_absent_weight_is_one_and_absent_again_in_the_end() {
    let object = http_route(&json!([{"backendRefs": [{"name": "web", "port": 80},
        {"name": "legacy", "port": 80}]}]));
    let before = route(&object).admission(&WEB).unwrap();
    let first = shifted(&object, 100, &before);
    assert_eq!(rule(&first, 1), "web 0, web-canary 1, legacy -");
    assert_eq!(restored(&first, &before), object);
}

#[test]
fn all_rules_that_send_to_the_service_move_together() {
    let object = http_route(&json!([
        {"backendRefs": [backend("web", 1)]}, {"backendRefs": [backend("api", 1)]},
        {"backendRefs": [backend("web", 100)]}]));
    let before = route(&object).admission(&WEB).unwrap();
    let first = shifted(&object, 10, &before);
    let rules = [1, 2, 3].map(|number| rule(&first, number));
    assert_eq!(
        rules,
        ["web 90, web-canary 10", "api 1", "web 90, web-canary 10"]
    );
    assert_eq!(restored(&first, &before), object);
}

#[test]
fn a_rule_that_came_in_the_middle_is_taken_as_it_is() {
    let before = route(&simple()).admission(&WEB).unwrap();
    let mut object = shifted(&simple(), 10, &before);
    let rules = object["spec"]["rules"].as_array_mut().unwrap();
    rules.push(json!({"backendRefs": [backend("web", 7)]}));
    let change = route(&object).stands_at(&WEB, 10, &before).unwrap_err();
    let place = Place::Rule {
        number: 2,
        name: None,
    };
    let (found, wanted) = ((7, 0), (90, 10));
    assert_eq!(
        change,
        WeightChange::Weights {
            place,
            found,
            wanted
        }
    );
    let end = restored(&object, &before);
    assert_eq!([rule(&end, 1), rule(&end, 2)], ["web 1", "web 7"]);
}

#[test]
fn a_change_of_the_weights_by_somebody_else_is_told() {
    let before = route(&simple()).admission(&WEB).unwrap();
    let first = shifted(&simple(), 10, &before);
    for (own, canary) in [(50, 50), (9, 1), (100, 0)] {
        let mut object = first.clone();
        object["spec"]["rules"][0]["backendRefs"] =
            json!([backend("web", own), backend("web-canary", canary)]);
        let change = route(&object).stands_at(&WEB, 10, &before).unwrap_err();
        let WeightChange::Weights { found, .. } = change else {
            panic!("{change:?}");
        };
        assert_eq!(found, (own, canary));
    }
    let gone = http_route(&json!([{"backendRefs": [backend("api", 1)]}]));
    let change = route(&gone).stands_at(&WEB, 10, &before);
    assert_eq!(change, Err(WeightChange::Gone));
    assert!(route(&gone).shifted(&WEB, (0, 10), &before, &[]).is_err());
}

#[test]
fn each_fault_of_the_rules_has_its_name() {
    let rules = |rules: Value| faults(&http_route(&rules)).remove(0);
    let place = || Place::Rule {
        number: 1,
        name: None,
    };
    assert_eq!(
        rules(json!([{"backendRefs": [backend("api", 1)]}])),
        RouteFault::DoesNotSend {
            to: vec!["api".into()]
        }
    );
    let elsewhere = json!([{"backendRefs": [{"name": "web", "namespace": "other", "port": 80},
        {"name": "web", "group": "x", "kind": "Bucket"}]}]);
    assert_eq!(
        rules(elsewhere),
        RouteFault::DoesNotSend {
            to: vec!["Bucket/web".into(), "other/web".into()]
        },
        "the same name elsewhere is another's"
    );
    assert_eq!(rules(json!(null)), RouteFault::DoesNotSend { to: vec![] });
    assert_eq!(
        rules(json!([{"backendRefs": [backend("web", 1), backend("web", 1)]}])),
        RouteFault::Repeated { place: place() }
    );
    assert_eq!(
        rules(json!([{"backendRefs": [backend("web", 0), backend("api", 1)]}])),
        RouteFault::NoWeight { place: place() }
    );
    assert_eq!(
        rules(json!([{"backendRefs": [backend("web", 1), {"name": "web-canary"}]}])),
        RouteFault::CanaryHasWeight {
            place: place(),
            weight: 1
        }
    );
    let full = (0..15).map(|number| backend(&format!("api-{number}"), 1));
    let full = full.chain([backend("web", 1)]).collect::<Vec<_>>();
    assert_eq!(
        rules(json!([{"backendRefs": full}])),
        RouteFault::TooManyBackends {
            place: place(),
            limit: 16
        }
    );
    let second = Place::Rule {
        number: 2,
        name: Some("half".into()),
    };
    assert_eq!(
        rules(json!([{"backendRefs": [backend("web", 1)]},
            {"name": "half", "backendRefs": [backend("web", 1), backend("api", 1)]}])),
        RouteFault::DifferentShares {
            shares: vec![(place(), 1, 1), (second, 1, 2)]
        }
    );
}

#[test]
fn each_fault_of_the_object_has_its_name() {
    let mut deleted = simple();
    deleted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(faults(&deleted), [RouteFault::BeingDeleted]);
    let mut owned = simple();
    owned["metadata"]["ownerReferences"] =
        json!([{"kind": "Canary", "name": "web", "controller": true}]);
    assert_eq!(
        faults(&owned),
        [RouteFault::Controlled {
            kind: "Canary".into(),
            name: "web".into()
        }]
    );
    let managed = |manager: &str, operation: &str, fields: Value| {
        let mut object = simple();
        object["metadata"]["managedFields"] = json!([
            {"manager": manager, "operation": operation, "fieldsV1": fields}]);
        route(&object).admission(&WEB)
    };
    let rules = || json!({"f:spec": {"f:rules": {}, "f:hostnames": {}}});
    assert_eq!(
        managed("kustomize-controller", "Apply", rules()).unwrap_err(),
        [RouteFault::OtherManager {
            manager: "kustomize-controller".into()
        }]
    );
    assert!(managed("landfall", "Apply", rules()).is_ok());
    assert!(managed("kubectl-edit", "Update", rules()).is_ok());
    let others = json!({"f:spec": {"f:hostnames": {}}});
    assert!(managed("kustomize-controller", "Apply", others).is_ok());
}

/// The route after this change of its status, and what its parents say then.
fn told(change: impl Fn(&mut Value)) -> Acceptance {
    let mut object = simple();
    change(&mut object["status"]["parents"]);
    route(&object).acceptance()
}

#[test]
fn a_route_is_accepted_when_every_parent_has_accepted_what_was_written() {
    let waiting = || Acceptance::Waiting(vec!["Gateway `public` in `edge`".into()]);
    assert_eq!(told(|_| {}), Acceptance::Accepted);
    assert_eq!(told(|parents| *parents = json!(null)), waiting());
    assert_eq!(
        told(|parents| parents[0]["conditions"][1]["observedGeneration"] = json!(2)),
        waiting()
    );
    assert_eq!(
        told(|parents| parents[0]["conditions"][0]["status"] = json!("Unknown")),
        waiting()
    );
    let other = json!("other");
    assert_eq!(
        told(|parents| parents[0]["parentRef"]["name"] = other.clone()),
        waiting()
    );
    // What a controller that is gone has left there does not count beside the present one.
    let left = |parents: &mut Value| {
        let mut old = parents[0].clone();
        old["conditions"][0]["observedGeneration"] = json!(1);
        old["controllerName"] = json!("example.com/gone");
        parents.as_array_mut().unwrap().push(old);
    };
    assert_eq!(told(left), Acceptance::Accepted);
    let ingress = route(&ingress(&forward(&json!([group("web", 1)]))));
    assert_eq!(ingress.acceptance(), Acceptance::NotReported);
}

/// Of what a controller says, it must be known of which state of the route that is true: Linkerd's
/// says it never, another's wrote 0. What nobody has looked at is another matter.
#[test]
fn a_controller_that_names_no_generation_is_told() {
    let with = |change: fn(&mut Value)| {
        let mut object = simple();
        change(&mut object["status"]["parents"]);
        route(&object).admission(&WEB)
    };
    let undated = |parents: &mut Value| {
        for condition in parents[0]["conditions"].as_array_mut().unwrap() {
            condition
                .as_object_mut()
                .unwrap()
                .remove("observedGeneration");
        }
    };
    let parent = "Gateway `public` in `edge`".to_owned();
    let controller = "example.com/gateway".to_owned();
    let faults = vec![RouteFault::Undated {
        parent: parent.clone(),
        controller,
    }];
    assert_eq!(with(undated), Err(faults.clone()));
    assert!(!faults[0].may_pass());
    let zero = |parents: &mut Value| parents[0]["conditions"][0]["observedGeneration"] = json!(0);
    assert_eq!(with(zero), Err(faults));
    let old = |parents: &mut Value| parents[0]["conditions"][0]["observedGeneration"] = json!(2);
    let ignored = Err(vec![RouteFault::Ignored { parent }]);
    assert_eq!(with(old), ignored);
    // A controller's first status decides nothing yet, whatever generation it names.
    let unknown = |parents: &mut Value| {
        let condition = &mut parents[0]["conditions"][0];
        condition["status"] = json!("Unknown");
        condition["observedGeneration"] = json!(null);
    };
    assert_eq!(with(unknown), ignored);
    // One that is gone does not count beside one that says it.
    let left = |parents: &mut Value| {
        let mut other = parents[0].clone();
        other["conditions"][0]["observedGeneration"] = json!(null);
        other["controllerName"] = json!("example.com/gone");
        let all = parents.as_array_mut().unwrap();
        all.insert(0, other.clone());
        all.push(other);
    };
    assert!(with(left).is_ok());
}

#[test]
fn every_parent_counts() {
    let mut object = simple();
    let second = json!({"name": "internal", "sectionName": "https"});
    object["spec"]["parentRefs"]
        .as_array_mut()
        .unwrap()
        .push(second.clone());
    let waiting = Acceptance::Waiting(vec!["Gateway `internal`, listener `https`".into()]);
    assert_eq!(route(&object).acceptance(), waiting);
    let mut status = object["status"]["parents"][0].clone();
    status["parentRef"] = second;
    object["status"]["parents"]
        .as_array_mut()
        .unwrap()
        .push(status);
    assert_eq!(route(&object).acceptance(), Acceptance::Accepted);
}

#[test]
fn a_refusal_says_who_and_why() {
    let refused = |condition: usize, reason: &str| {
        let acceptance = told(|parents| {
            let condition = &mut parents[0]["conditions"][condition];
            condition["status"] = json!("False");
            condition["reason"] = json!(reason);
        });
        let Acceptance::Refused(refusal) = acceptance else {
            panic!("{acceptance:?}");
        };
        assert_eq!(refusal.controller, "example.com/gateway");
        (refusal.condition.clone(), refusal.may_pass())
    };
    assert_eq!(refused(0, "NoMatchingParent"), ("Accepted".into(), false));
    assert_eq!(refused(1, "BackendNotFound"), ("ResolvedRefs".into(), true));
    assert_eq!(
        refused(1, "RefNotPermitted"),
        ("ResolvedRefs".into(), false)
    );
    // In a fall-back the old generation stays accepted.
    let partial = told(|parents| {
        parents[0]["conditions"][0]["observedGeneration"] = json!(2);
        let partial = json!({"type": "PartiallyInvalid", "status": "True",
            "reason": "UnsupportedValue", "observedGeneration": 3});
        parents[0]["conditions"]
            .as_array_mut()
            .unwrap()
            .push(partial);
    });
    assert!(
        matches!(partial, Acceptance::Refused(refusal) if refusal.reason == "UnsupportedValue")
    );
}

#[test]
fn a_route_that_nobody_follows_is_a_fault_before_anything_is_written() {
    let parent = || "Gateway `public` in `edge`".to_owned();
    let mut object = simple();
    object["status"] = json!(null);
    assert_eq!(faults(&object), [RouteFault::Ignored { parent: parent() }]);
    let mut object = simple();
    object["spec"]["parentRefs"] = json!([{"kind": "Service", "group": "", "name": "web"}]);
    let parent = "Service `web`".to_owned();
    assert_eq!(faults(&object), [RouteFault::Ignored { parent }]);
    let mut object = simple();
    object["spec"]["parentRefs"] = json!([]);
    assert_eq!(faults(&object), [RouteFault::NoParents]);
    let mut object = simple();
    object["status"]["parents"][0]["conditions"][0]["status"] = json!("False");
    assert!(matches!(faults(&object)[..], [RouteFault::Refused(_)]));
}

fn action_of(object: &Value) -> Value {
    let name = "alb.ingress.kubernetes.io/actions.web";
    let text = object["metadata"]["annotations"][name].as_str().unwrap();
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_ingress_has_its_weights_in_the_action() {
    let mut config = forward(&json!([group("web", 1)]));
    config["forwardConfig"]["targetGroupStickinessConfig"] = json!({"enabled": true});
    let object = ingress(&config);
    let before = route(&object).admission(&WEB).unwrap();
    let first = shifted(&object, 10, &before);
    let mut expected = config.clone();
    expected["forwardConfig"]["targetGroups"] = json!([group("web", 90), group("web-canary", 10)]);
    assert_eq!(action_of(&first), expected);
    route(&first).stands_at(&WEB, 10, &before).unwrap();
    let end = restored(&first, &before);
    assert_eq!(action_of(&end), config);
    assert_eq!(end["spec"], object["spec"]);
    let scheme = "alb.ingress.kubernetes.io/scheme";
    assert_eq!(end["metadata"]["annotations"][scheme], "internal");
}

/// ELB refuses a second target group where the targets are sticky and the groups are not.
#[test]
fn an_action_with_sticky_targets_needs_sticky_groups() {
    let sticky = "deregistration_delay.timeout_seconds=30, stickiness.enabled=true";
    let never = "stickiness.enabled=false";
    let slow = "deregistration_delay.timeout_seconds=30";
    let rows = [
        (None, None, None, false),
        (Some(sticky), None, None, true),
        (None, Some(sticky), None, true),
        (Some(sticky), Some(never), None, false),
        (Some(never), Some(sticky), None, true),
        (Some(sticky), Some(slow), None, false),
        (Some(sticky), Some(""), None, false),
        (Some(slow), Some(sticky), None, true),
        (
            Some("stickiness.enabled=true,stickiness.enabled=false"),
            None,
            None,
            false,
        ),
        (
            Some("stickiness.enabled=false,stickiness.enabled = true"),
            None,
            None,
            true,
        ),
        (Some(sticky), None, Some(true), false),
        (Some(sticky), None, Some(false), true),
        (
            Some("load_balancing.algorithm.type=weighted_random"),
            None,
            None,
            false,
        ),
    ];
    for (of_ingress, of_service, groups, is_fault) in rows {
        let mut action = forward(&json!([group("web", 1)]));
        if let Some(enabled) = groups {
            action["forwardConfig"]["targetGroupStickinessConfig"] = json!({"enabled": enabled});
        }
        let mut object = ingress(&action);
        object["metadata"]["annotations"][ATTRIBUTES] = json!(of_ingress);
        let service = json!({"metadata": {"name": "web", "annotations": {ATTRIBUTES: of_service}}});
        let found = route(&object).only_targets_sticky(&WEB, &Object::new(service));
        let place = Place::Action("web".into());
        let fault = RouteFault::OnlyTargetsSticky { place };
        let expected = Vec::from_iter(is_fault.then_some(fault));
        assert_eq!(found, expected, "{of_ingress:?} {of_service:?} {groups:?}");
    }
}

/// A tool that compares texts finds no difference in the end.
#[test]
fn an_action_is_given_back_as_it_was_written() {
    let annotation = "alb.ingress.kubernetes.io/actions.web";
    let text = "{\n  \"type\": \"forward\",\n  \"forwardConfig\": {\"targetGroups\": [\n    \
                {\"serviceName\": \"web\", \"servicePort\": 80}\n  ]}\n}\n";
    let mut object = ingress(&json!(null));
    object["metadata"]["annotations"][annotation] = json!(text);
    let before = route(&object).admission(&WEB).unwrap();
    let kept = serde_json::to_string(&before).unwrap();
    let before = serde_json::from_str::<RouteBefore>(&kept).unwrap();
    let step = shifted(&object, 10, &before);
    let mut end = restored(&step, &before);
    assert_eq!(end["metadata"]["annotations"][annotation], text);
    // What somebody else has changed in it since stands.
    let mut changed = action_of(&step);
    changed["forwardConfig"]["targetGroupStickinessConfig"] = json!({"enabled": true});
    end = step;
    end["metadata"]["annotations"][annotation] = json!(changed.to_string());
    let action = action_of(&restored(&end, &before));
    let config = &action["forwardConfig"];
    assert_eq!(
        config["targetGroupStickinessConfig"],
        json!({"enabled": true})
    );
    let groups = json!([{"serviceName": "web", "servicePort": 80}]);
    assert_eq!(config["targetGroups"], groups);
}

#[test]
fn an_action_in_capitals_is_read_and_stays_in_capitals() {
    let own = json!({"ServiceName": "web", "ServicePort": "http"});
    let config = json!({"Type": "forward", "ForwardConfig": {"TargetGroups": [
        own, {"TargetGroupARN": "arn:legacy", "Weight": 1}]}});
    let object = ingress(&config);
    let before = route(&object).admission(&WEB).unwrap();
    let first = shifted(&object, 50, &before);
    assert_eq!(
        action_of(&first)["ForwardConfig"]["TargetGroups"],
        json!([{"ServiceName": "web", "ServicePort": "http", "Weight": 1},
            {"ServiceName": "web-canary", "ServicePort": "http", "Weight": 1},
            {"TargetGroupARN": "arn:legacy", "Weight": 2}])
    );
    route(&first).stands_at(&WEB, 50, &before).unwrap();
    let end = restored(&first, &before);
    assert_eq!(action_of(&end), config);
}

#[test]
fn each_fault_of_an_ingress_has_its_name() {
    let mut direct = ingress(&forward(&json!([group("web", 1)])));
    direct["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] =
        json!({"number": 80});
    assert_eq!(faults(&direct), [RouteFault::NotByAction]);
    let annotation = "alb.ingress.kubernetes.io/actions.web";
    let problem = |change: Value| {
        let mut object = ingress(&json!(null));
        object["metadata"]["annotations"][annotation] = change;
        let RouteFault::InvalidAction { problem, .. } = faults(&object).remove(0) else {
            panic!("{object}");
        };
        problem
    };
    assert_eq!(problem(json!(null)), ActionProblem::Missing);
    assert_eq!(problem(json!("{")), ActionProblem::NotJson);
    let redirect = json!({"type": "redirect", "redirectConfig": {}});
    assert_eq!(
        problem(json!(redirect.to_string())),
        ActionProblem::NotForward
    );
    let arn = json!({"type": "forward", "targetGroupARN": "arn:x"});
    assert_eq!(problem(json!(arn.to_string())), ActionProblem::NotForward);
    assert_eq!(
        faults(&ingress(&forward(&json!([group("api", 1)])))),
        [RouteFault::DoesNotSend {
            to: vec!["api".into()]
        }]
    );
    let mut foreign = ingress(&forward(&json!([group("web", 1)])));
    foreign["metadata"]["finalizers"] = json!([]);
    foreign["spec"]["ingressClassName"] = json!("nginx");
    assert_eq!(
        faults(&foreign),
        [RouteFault::NotTaken {
            class: "nginx".into()
        }]
    );
    let mut applied = ingress(&forward(&json!([group("web", 1)])));
    applied["metadata"]["managedFields"] = json!([{"manager": "argocd", "operation": "Apply",
        "fieldsV1": {"f:metadata": {"f:annotations": {format!("f:{annotation}"): {}}}}}]);
    assert_eq!(
        faults(&applied),
        [RouteFault::OtherManager {
            manager: "argocd".into()
        }]
    );
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn event(reason: &str, second: i64) -> Event {
    Event {
        kind: "Normal".into(),
        reason: reason.into(),
        message: "said".into(),
        count: 1,
        last: Some(at(second)),
        ..Event::default()
    }
}

#[test]
fn a_weight_of_an_ingress_is_in_force_when_an_event_later_than_the_write_says_so() {
    let route = route(&ingress(&forward(&json!([group("web", 1)]))));
    let judge = |events: &[Event], now: i64| route.in_force(&[events], (at(100), None), at(now));
    assert_eq!(judge(&[], 101), InForce::Until(at(220)));
    assert_eq!(
        judge(&[event("SuccessfullyReconciled", 100)], 101),
        InForce::Until(at(220))
    );
    assert_eq!(
        judge(&[event("SuccessfullyReconciled", 101)], 101),
        InForce::Yes
    );
    assert_eq!(judge(&[event("Pulled", 101)], 101), InForce::Until(at(220)));
    let failed = event("FailedDeployModel", 105);
    let done = event("SuccessfullyReconciled", 110);
    assert!(matches!(
        judge(std::slice::from_ref(&failed), 106),
        InForce::Failed { .. }
    ));
    assert_eq!(judge(&[done, failed], 111), InForce::Yes);
    assert_eq!(judge(&[], 220), InForce::Unseen);
    assert_eq!(
        route.in_force(&[], (at(100), None), at(220)),
        InForce::Unseen
    );
}

/// Its time has whole seconds: what was not there right before the write is later all the same, but
/// may be about what the controller was at work on by then.
#[test]
fn an_event_of_the_same_second_counts_if_it_was_not_there_before() {
    let route = route(&ingress(&forward(&json!([group("web", 1)]))));
    let done = |count: u64, second: i64| Event {
        count,
        ..event("SuccessfullyReconciled", second)
    };
    let failed = event("FailedDeployModel", 100);
    let later = InForce::Until(at(220));
    for (before, events, now, expected) in [
        (Some(2), vec![done(3, 100)], 101, InForce::Until(at(105))),
        (Some(2), vec![done(3, 100)], 105, InForce::Yes),
        // It told again, in a later second.
        (Some(2), vec![done(4, 101)], 101, InForce::Yes),
        // It was there before, or that is not known.
        (Some(3), vec![done(3, 100)], 110, later.clone()),
        (Some(4), vec![done(3, 100)], 110, later.clone()),
        (None, vec![done(3, 100)], 110, later.clone()),
        // What is new is not of this second.
        (Some(2), vec![done(3, 99)], 110, later.clone()),
        // Others tell nothing of the weights.
        (
            Some(3),
            vec![done(3, 100), event("Synced", 100)],
            110,
            later,
        ),
    ] {
        let written = (at(100), before);
        let found = route.in_force(&[&events], written, at(now));
        assert_eq!(found, expected, "{before:?} {events:?} {now}");
    }
    let written = (at(100), Some(3));
    let found = route.in_force(&[&[done(3, 90), failed]], written, at(101));
    assert!(matches!(found, InForce::Failed { .. }), "{found:?}");
}

#[test]
fn a_weight_of_an_http_route_is_in_force_a_moment_after_it_was_accepted() {
    let plain = route(&simple());
    assert_eq!(plain.evidence(), Evidence::Conditions);
    assert_eq!(
        plain.in_force(&[], (at(100), None), at(104)),
        InForce::Until(at(105))
    );
    assert_eq!(plain.in_force(&[], (at(100), None), at(105)), InForce::Yes);
    let mut object = simple();
    object["status"]["parents"][0]["controllerName"] = json!("gateway.k8s.aws/alb");
    let gateway = |name: &str| Reporter {
        kind: "Gateway".into(),
        namespace: "edge".into(),
        name: name.into(),
    };
    let evidence = Evidence::Events(vec![gateway("public")]);
    assert_eq!(route(&object).evidence(), evidence);
    // Each listener is a parent, and each Gateway has a load balancer of its own.
    let first = object["spec"]["parentRefs"][0].clone();
    let mut second = first.clone();
    second["sectionName"] = json!("https");
    let mut internal = first.clone();
    internal["name"] = json!("internal");
    let parents = [first, second, internal];
    object["spec"]["parentRefs"] = json!(parents);
    let status = parents.map(|parent| {
        json!({"parentRef": parent, "conditions": [],
        "controllerName": "gateway.k8s.aws/alb"})
    });
    object["status"]["parents"] = json!(status);
    let both = route(&object);
    let evidence = Evidence::Events(vec![gateway("public"), gateway("internal")]);
    assert_eq!(both.evidence(), evidence);
    let done = [event("SuccessfullyReconciled", 101)];
    let failed = [event("FailedDeployModel", 101)];
    for (second, now, expected) in [
        (&done[..], 101, InForce::Yes),
        (&[], 101, InForce::Until(at(220))),
        (&[], 220, InForce::Unseen),
    ] {
        let found = both.in_force(&[&done, second], (at(100), None), at(now));
        assert_eq!(found, expected, "{second:?}");
    }
    let found = both.in_force(&[&failed, &done], (at(100), None), at(102));
    assert!(matches!(found, InForce::Failed { .. }), "{found:?}");
}

#[test]
fn hostile_objects_are_states() {
    for hostile in [
        json!(null),
        json!([1]),
        json!("x"),
        json!({"spec": {"rules": [3, null]}}),
        json!({"spec": {"rules": [{"backendRefs": [null, 3, {"name": 4}]}], "parentRefs": [null]}}),
    ] {
        for kind in RouteKind::ALL {
            let route = Route::read(kind, &hostile);
            assert!(route.admission(&WEB).is_err());
            assert!(route.spares(&WEB) && route.percent(&WEB) == 0);
            let _ = (route.acceptance(), route.evidence());
        }
    }
}
