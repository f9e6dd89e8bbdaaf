use super::*;
use serde_json::json;

const AT: i64 = 1_790_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(AT + second).unwrap()
}

fn applied() -> Applied {
    Applied {
        generation: 3,
        uid: "u-1".into(),
        at: at(0),
    }
}

/// An object of this kind and status, as applied.
fn object(api_version: &str, kind: &str, status: Value) -> Value {
    json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x", "uid": "u-1", "generation": 3},
        "status": status,
    })
}

fn condition(name: &str, status: &str, reason: &str) -> Value {
    json!({"type": name, "status": status, "reason": reason, "message": "why."})
}

fn conditions(all: &[Value]) -> Value {
    json!({"conditions": all})
}

/// The health 60 seconds after it was applied, in one word with what it is about.
fn seen(object: &Value) -> String {
    shown(&health(object, &applied(), at(60)))
}

fn shown(health: &ObjectHealth) -> String {
    let told = |it: &Reported| {
        let Reported {
            condition,
            status,
            reason,
            message,
        } = it;
        format!("{condition}={status} {reason} {message}")
    };
    match health {
        ObjectHealth::Waiting(ObjectWait::Condition(it)) => format!("waits: {}", told(it)),
        ObjectHealth::Failed(ObjectCause::Condition(it)) => format!("fails: {}", told(it)),
        ObjectHealth::Failed(ObjectCause::NamespaceEnding(all)) => {
            format!("ending: {}", all.iter().map(told).collect::<String>())
        }
        ObjectHealth::Ready
        | ObjectHealth::Noted(_)
        | ObjectHealth::NoStatus
        | ObjectHealth::Waiting(_)
        | ObjectHealth::Failed(_)
        | ObjectHealth::Deleted => format!("{health:?}"),
    }
}

fn check(rows: &[(&str, &str, Value, &str)]) {
    for (api_version, kind, status, expected) in rows {
        let object = object(api_version, kind, status.clone());
        assert_eq!(seen(&object), *expected, "{kind}: {status}");
    }
}

#[test]
fn a_definition_is_ready_once_it_is_served() {
    let crds = "apiextensions.k8s.io/v1";
    let crd = "CustomResourceDefinition";
    let with = |names: &str, established: &str, reason: &str| {
        conditions(&[
            condition("NamesAccepted", names, "Names"),
            condition("Established", established, reason),
        ])
    };
    check(&[
        (crds, crd, json!({}), "Waiting(Status)"),
        (
            crds,
            crd,
            with("True", "True", "InitialNamesAccepted"),
            "Ready",
        ),
        (
            crds,
            crd,
            with("True", "False", "Installing"),
            "waits: Established=False Installing why",
        ),
        (
            crds,
            crd,
            with("False", "False", "NotAccepted"),
            "fails: NamesAccepted=False Names why",
        ),
        (
            crds,
            crd,
            with("True", "False", "InvalidCABundle"),
            "fails: Established=False InvalidCABundle why",
        ),
    ]);
}

#[test]
fn an_api_service_is_ready_once_it_answers() {
    let apis = "apiregistration.k8s.io/v1";
    check(&[
        (apis, "APIService", json!({}), "Waiting(Status)"),
        (
            apis,
            "APIService",
            conditions(&[condition("Available", "True", "Passed")]),
            "Ready",
        ),
        (
            apis,
            "APIService",
            conditions(&[condition("Available", "False", "MissingEndpoints")]),
            "waits: Available=False MissingEndpoints why",
        ),
    ]);
}

#[test]
fn a_namespace_that_is_being_deleted_tells_what_keeps_it() {
    let remaining = json!({"phase": "Terminating", "conditions": [
        condition("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered"),
        condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain"),
    ]});
    let expected = "ending: NamespaceFinalizersRemaining=True SomeFinalizersRemain why";
    check(&[
        ("v1", "Namespace", json!({"phase": "Active"}), "Ready"),
        ("v1", "Namespace", json!({}), "Waiting(Status)"),
        ("v1", "Namespace", remaining.clone(), expected),
    ]);
    let mut deleted = object("v1", "Namespace", remaining);
    deleted["metadata"]["deletionTimestamp"] = "2026-11-28T23:00:00Z".into();
    assert_eq!(seen(&deleted), expected);
}

#[test]
fn a_claim_may_wait_for_its_first_pod() {
    check(&[
        (
            "v1",
            "PersistentVolumeClaim",
            json!({"phase": "Bound"}),
            "Ready",
        ),
        (
            "v1",
            "PersistentVolumeClaim",
            json!({"phase": "Pending"}),
            "Noted(ClaimPending)",
        ),
        (
            "v1",
            "PersistentVolumeClaim",
            json!({"phase": "Lost"}),
            "Failed(ClaimLost)",
        ),
    ]);
}

#[test]
fn a_pod_alone_is_ready_or_has_ended_well() {
    let running = |ready: &str| json!({"phase": "Running", "conditions": [condition("Ready", ready, "ContainersNotReady")]});
    check(&[
        ("v1", "Pod", json!({}), "Waiting(Status)"),
        (
            "v1",
            "Pod",
            json!({"phase": "Pending"}),
            "Waiting(Phase(\"Pending\"))",
        ),
        (
            "v1",
            "Pod",
            json!({"phase": "Pending", "conditions": [
                condition("PodScheduled", "False", "Unschedulable")]}),
            "waits: PodScheduled=False Unschedulable why",
        ),
        ("v1", "Pod", running("True"), "Ready"),
        (
            "v1",
            "Pod",
            running("False"),
            "waits: Ready=False ContainersNotReady why",
        ),
        ("v1", "Pod", json!({"phase": "Succeeded"}), "Ready"),
        (
            "v1",
            "Pod",
            json!({"phase": "Failed", "reason": "Evicted", "message": "The node had no memory."}),
            "Failed(PodFailed(\"Evicted\", \"The node had no memory\"))",
        ),
    ]);
}

#[test]
fn a_replica_set_alone_is_ready_with_its_pods() {
    let status = |total: i64, available: i64| json!({"observedGeneration": 3, "replicas": total, "availableReplicas": available});
    let pods = |available: i64, obstacle: &str| {
        format!("Waiting(Pods {{ available: {available}, wanted: 1, obstacle: {obstacle} }})")
    };
    let mut refused = status(0, 0);
    refused["conditions"] = json!([condition("ReplicaFailure", "True", "FailedCreate")]);
    let obstacle = "Some(Reported { condition: \"ReplicaFailure\", status: \"True\", \
        reason: \"FailedCreate\", message: \"why\" })";
    check(&[
        ("apps/v1", "ReplicaSet", json!({}), "Waiting(Status)"),
        ("apps/v1", "ReplicaSet", status(1, 1), "Ready"),
        ("apps/v1", "ReplicaSet", status(1, 0), &pods(0, "None")),
        ("apps/v1", "ReplicaSet", status(2, 1), &pods(1, "None")),
        ("apps/v1", "ReplicaSet", refused, &pods(0, obstacle)),
        ("v1", "ReplicationController", status(1, 1), "Ready"),
    ]);
}

#[test]
fn what_has_no_status_of_its_own_is_ready_once_it_is_accepted() {
    check(&[
        ("v1", "ConfigMap", Value::Null, "Ready"),
        ("batch/v1", "CronJob", json!({}), "Ready"),
        ("networking.k8s.io/v1", "Ingress", json!({}), "Ready"),
        (
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            json!({}),
            "Ready",
        ),
        ("policy/v1", "PodDisruptionBudget", json!({}), "Ready"),
        ("rbac.authorization.k8s.io/v1", "Role", Value::Null, "Ready"),
        ("v1", "Service", json!({"loadBalancer": {}}), "Ready"),
    ]);
    let mut service = object("v1", "Service", json!({"loadBalancer": {}}));
    service["spec"] = json!({"type": "LoadBalancer"});
    assert_eq!(seen(&service), "Noted(AddressPending)");
    service["status"]["loadBalancer"]["ingress"] = json!([{"ip": "192.0.2.1"}]);
    assert_eq!(seen(&service), "Ready");
}

#[test]
fn a_custom_resource_is_judged_by_the_usual_conditions() {
    let issuer = ("cert-manager.io/v1", "Certificate");
    let with = |all: &[Value]| conditions(all);
    let ready = condition("Ready", "True", "Issued");
    let (group, kind) = issuer;
    check(&[
        (group, kind, with(std::slice::from_ref(&ready)), "Ready"),
        (
            group,
            kind,
            with(&[condition("Ready", "False", "Pending")]),
            "waits: Ready=False Pending why",
        ),
        (
            group,
            kind,
            with(&[condition("Ready", "Unknown", "")]),
            "waits: Ready=Unknown  why",
        ),
        // The old certificate is still good while the new one is issued.
        (
            group,
            kind,
            with(&[ready.clone(), condition("Issuing", "True", "Renewing")]),
            "waits: Issuing=True Renewing why",
        ),
        (
            group,
            kind,
            with(&[
                ready.clone(),
                condition("Reconciling", "True", "Progressing"),
            ]),
            "waits: Reconciling=True Progressing why",
        ),
        (
            group,
            kind,
            with(&[ready.clone(), condition("Stalled", "True", "Invalid")]),
            "fails: Stalled=True Invalid why",
        ),
        (
            group,
            kind,
            with(&[ready, condition("Stalled", "False", "")]),
            "Ready",
        ),
        // A status that has no such conditions is all there is to be had.
        (group, kind, json!({"phase": "Healthy"}), "Ready"),
    ]);
}

#[test]
fn a_custom_resource_without_a_status_is_waited_for_shortly() {
    let fresh = object("example.com/v1", "Widget", Value::Null);
    for (second, expected) in [
        (0, ObjectHealth::Waiting(ObjectWait::Status)),
        (9, ObjectHealth::Waiting(ObjectWait::Status)),
        (10, ObjectHealth::NoStatus),
    ] {
        assert_eq!(health(&fresh, &applied(), at(second)), expected, "{second}");
    }
}

#[test]
fn a_status_of_before_the_change_is_not_believed() {
    let ready = |observed: Value, own: Value, changed: i64| {
        let mut ready = condition("Ready", "True", "");
        ready["observedGeneration"] = own;
        ready["lastTransitionTime"] = at(changed).to_string().into();
        json!({"observedGeneration": observed, "conditions": [ready]})
    };
    let old = ObjectHealth::Waiting(ObjectWait::Observation);
    for (name, status, second, expected) in [
        (
            "of the generation before",
            ready(2.into(), Value::Null, 0),
            60,
            &old,
        ),
        (
            "of this generation",
            ready(3.into(), Value::Null, -50),
            1,
            &ObjectHealth::Ready,
        ),
        (
            "its condition is older",
            ready(3.into(), 2.into(), 0),
            60,
            &old,
        ),
        (
            "its condition is of this one",
            ready(Value::Null, 3.into(), -50),
            1,
            &ObjectHealth::Ready,
        ),
        (
            "changed since",
            ready(Value::Null, Value::Null, 1),
            2,
            &ObjectHealth::Ready,
        ),
        (
            "nobody can tell yet",
            ready(Value::Null, Value::Null, -50),
            9,
            &old,
        ),
        (
            "it would have changed by now",
            ready(Value::Null, Value::Null, -50),
            10,
            &ObjectHealth::Ready,
        ),
    ] {
        let object = object("example.com/v1", "Widget", status);
        assert_eq!(health(&object, &applied(), at(second)), *expected, "{name}");
    }
    // The answer comes from a cache that is behind.
    let mut behind = object("v1", "Namespace", json!({"phase": "Active"}));
    behind["metadata"]["generation"] = 2.into();
    assert_eq!(health(&behind, &applied(), at(60)), old);
    // Somebody else changed it after us: the status must be of that.
    let mut ahead = object("example.com/v1", "Widget", ready(3.into(), Value::Null, 0));
    ahead["metadata"]["generation"] = 4.into();
    assert_eq!(health(&ahead, &applied(), at(60)), old);
}

#[test]
fn an_object_that_is_replaced_or_deleted_is_not_ours_any_more() {
    let mut other = object("v1", "ConfigMap", Value::Null);
    other["metadata"]["uid"] = "u-2".into();
    assert_eq!(seen(&other), "Failed(Replaced)");
    let unknown = Applied {
        uid: String::new(),
        ..applied()
    };
    assert_eq!(health(&other, &unknown, at(1)), ObjectHealth::Ready);
    let mut deleted = object("v1", "ConfigMap", Value::Null);
    deleted["metadata"]["deletionTimestamp"] = "2026-11-28T23:00:00Z".into();
    assert_eq!(seen(&deleted), "Deleted");
}

#[test]
fn routes_have_conditions_for_each_parent() {
    let gateways = "gateway.networking.k8s.io/v1";
    let parents = |all: &[Value]| json!({"parents": all});
    let parent = |accepted: &str, refs: &str, observed: i64| {
        let mut all = [
            condition("Accepted", accepted, "Reason"),
            condition("ResolvedRefs", refs, "BackendNotFound"),
        ];
        all[0]["observedGeneration"] = observed.into();
        json!({"conditions": all})
    };
    check(&[
        (gateways, "HTTPRoute", json!({}), "NoStatus"),
        (gateways, "HTTPRoute", parents(&[]), "NoStatus"),
        (
            gateways,
            "HTTPRoute",
            parents(&[parent("True", "True", 3), parent("True", "True", 3)]),
            "Ready",
        ),
        (
            gateways,
            "HTTPRoute",
            parents(&[parent("True", "True", 3), parent("True", "False", 3)]),
            "waits: ResolvedRefs=False BackendNotFound why",
        ),
        (
            gateways,
            "HTTPRoute",
            parents(&[parent("True", "True", 2)]),
            "Waiting(Observation)",
        ),
        (
            gateways,
            "Gateway",
            conditions(&[
                condition("Accepted", "True", ""),
                condition("Programmed", "Unknown", "Pending"),
            ]),
            "waits: Programmed=Unknown Pending why",
        ),
        (
            gateways,
            "GatewayClass",
            conditions(&[condition("Accepted", "True", "")]),
            "Ready",
        ),
    ]);
    let fresh = object(gateways, "HTTPRoute", json!({}));
    let wait = ObjectHealth::Waiting(ObjectWait::Status);
    assert_eq!(health(&fresh, &applied(), at(1)), wait);
}

#[test]
fn what_controllers_report_is_clipped() {
    let mut stalled = condition("Stalled", "True", &"r".repeat(1000));
    stalled["message"] = "m\n".repeat(5000).into();
    let object = object("example.com/v1", "Widget", conditions(&[stalled]));
    let text = seen(&object);
    assert!(text.len() < 1100 && !text.contains('\n'), "{}", text.len());
}

#[test]
fn odd_objects_are_no_crash() {
    for odd in [
        Value::Null,
        json!([]),
        json!({"status": 1, "apiVersion": "example.com/v1"}),
        json!({"apiVersion": "example.com/v1", "status": {"conditions": [null, 1, {"type": 2}]}}),
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "status": {"parents": [1, {}]}}),
    ] {
        let unknown = Applied {
            generation: 0,
            uid: String::new(),
            at: Timestamp::MAX,
        };
        assert_ne!(
            health(&odd, &unknown, Timestamp::MIN),
            ObjectHealth::Deleted
        );
    }
}
