mod overlap;
mod stopping;

use super::*;
use crate::change::editor::Editor;
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::pod::Pods;
use crate::kubernetes::service::{Autoscaler, Endpoints, ServicePod, written};
use crate::report::cause::recorded;
use crate::snapshot::{DryRun, Items, Kind, Listed, Smoked};
use crate::state::continuation::{Reason, RecordedFailure};
use crate::state::marks::{FAMILY, MIN_REPLICAS, PREVIEW_OF, VERSION};
use crate::strategy::action::Action;
use crate::strategy::service_lock;
use crate::tests::{self, at, merge};
use crate::workload::health::diagnosis::PodSnapshot;
use crate::workload::replica_set::ReplicaSet;
use crate::workload::{self, TEMPLATE_HASH, Workload};
use serde_json::{Value, json};
use std::time::Duration;

fn request(more: Value) -> Request {
    let mut fields = json!({"deployment": "web", "service": "web", "images": {"app": "app:2"},
            "strategy": "blueGreen", "execution": "run-2", "namespace": "shop"});
    merge(&mut fields, &more);
    tests::request("job-2", &fields)
}

/// A Deployment of two pods that serve.
fn deployment(name: &str, image: &str, more: Value) -> Workload {
    let version = name.strip_prefix("web-");
    let mut labels = json!({"app": "web"});
    let mut object = json!({
            "metadata": {"name": name, "uid": format!("uid-{name}"), "resourceVersion": "7",
                "generation": 1, "labels": {}, "annotations": {workload::REVISION: "1"}},
            "spec": {"replicas": 2, "minReadySeconds": 1},
            "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2,
                "availableReplicas": 2}});
    if let Some(version) = version {
        labels[VERSION] = json!(version);
        object["metadata"]["labels"]["landfall/deployment"] = json!("web");
    }
    object["spec"]["selector"] = json!({"matchLabels": labels});
    object["spec"]["template"] = json!({"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": image}]}});
    merge(&mut object, &more);
    Workload::new(workload::Kind::Deployment, object)
}

/// The candidate as this deploy wrote it.
fn blue(more: Value) -> Workload {
    let written = json!({marks::JOB: "job-2", marks::DEPLOYED_AT: at(5).to_string(),
            marks::CREATED_BY: "job-2"});
    let mut all = json!({"metadata": {"annotations": written}});
    merge(&mut all, &more);
    deployment("web-blue", "app:2", all)
}

fn set(deployment: &str) -> ReplicaSet {
    ReplicaSet {
        name: format!("{deployment}-h"),
        revision: 1,
        owner: format!("uid-{deployment}"),
        template_hash: "h".into(),
        replicas: 2,
        available: 2,
        ..ReplicaSet::default()
    }
}

fn members(deployment: &str) -> Vec<ServicePod> {
    let member = |number| ServicePod {
        name: format!("{deployment}-h-{number}"),
        owner: format!("{deployment}-h"),
        ready: true,
        ..ServicePod::default()
    };
    vec![member(1), member(2)]
}

fn service(selector: Value, notes: Value) -> Service {
    Service::new(json!({
            "metadata": {"name": "web", "resourceVersion": "3", "annotations": notes},
            "spec": {"selector": selector, "ports": [{"port": 80}]}}))
}

fn lock(job: &str, execution: &str) -> String {
    json!({"execution": execution, "job": job, "version": "blue", "since": at(0).to_string(),
            "deadline": at(900).to_string()})
    .to_string()
}

/// The Service under our lock, held to the plain Deployment's ReplicaSet.
fn narrowed() -> Service {
    let notes = json!({marks::LOCK: lock("job-2", "run-2"),
            marks::ORIGINAL_SELECTOR: r#"{"app":"web"}"#});
    service(json!({"app": "web", TEMPLATE_HASH: "h"}), notes)
}

/// The Service after the switch to blue.
fn switched(more: Value) -> Service {
    let mut notes = json!({marks::LOCK: lock("job-2", "run-2"), marks::JOB: "job-2",
            marks::DEPLOYED_AT: at(60).to_string(), marks::FROM: "web", marks::TO: "web-blue",
            marks::ORIGINAL_SELECTOR: r#"{"app":"web"}"#,
            marks::SELECTOR_BEFORE: r#"{"app":"web","pod-template-hash":"h"}"#});
    merge(&mut notes, &more);
    service(json!({"app": "web", VERSION: "blue"}), notes)
}

/// All has been seen that can be, with `web` serving.
fn seen(service: Service, candidate: Option<Workload>) -> Snapshot {
    let plain = deployment("web", "app:1", json!({}));
    let of_blue = [("app", "web"), (VERSION, "blue")];
    let of_hash = [("app", "web"), (TEMPLATE_HASH, "h")];
    let selector = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(key, value)| format!("{key}={value}"));
        pairs.collect::<Vec<_>>().join(",")
    };
    let versions = candidate.iter().cloned().collect::<Vec<_>>();
    let editor = Query::Editor {
        kind: Kind::Service,
        name: "web".into(),
        field: vec!["f:spec".into(), "f:selector".into()],
    };
    let mut snapshot = Snapshot::default()
        .with(editor, None::<Editor>)
        .with(Query::service("web"), Some(service))
        .with(Query::ServiceAgain("web".into()), true)
        .with(Query::service("web-preview"), None::<Service>)
        .with(Query::family("web"), versions)
        .with_deployment("web", Some(plain))
        .with_deployment("web-blue", candidate)
        .with(sets_of("app=web"), vec![set("web")])
        .with(
            sets_of("app=web,landfall/version=blue"),
            vec![set("web-blue")],
        )
        .with(pods_of(&selector(&[("app", "web")])), members("web"))
        .with(pods_of(&selector(&of_hash)), members("web"))
        .with(pods_of(&selector(&of_blue)), members("web-blue"))
        .with(endpoints_of("web"), endpoints("web-blue"))
        .with(Query::autoscalers(), Vec::<Autoscaler>::new())
        .with(list_of(Items::TargetGroupBindings), Listed::Unserved)
        .with(list_of(Items::Ingresses), Listed::Items(Vec::new()))
        .with_dry_run(DryRun::Unable);
    for right in Permission::smoke() {
        snapshot.set(Query::Permission(right), true);
    }
    snapshot
}

fn list_of(items: Items) -> Query {
    Query::List(items, String::new())
}

fn is_again(query: &Query) -> bool {
    matches!(query, Query::ServiceAgain(_))
}

fn sets_of(selector: &str) -> Query {
    Query::replica_sets(selector)
}

fn pods_of(selector: &str) -> Query {
    Query::List(Items::ServicePods, selector.into())
}

fn endpoints_of(service: &str) -> Query {
    Query::List(Items::EndpointSlices, service.into())
}

fn endpoints(deployment: &str) -> Endpoints {
    let names = members(deployment).into_iter().map(|member| member.name);
    Endpoints {
        ready: names.collect(),
        ..Endpoints::default()
    }
}

fn failed() -> RecordedFailure {
    RecordedFailure::of("it broke")
}

fn decided(request: &Request, phase: &Phase, observation: &Snapshot, now: Timestamp) -> String {
    let mut continuation = Continuation {
        phase: phase.clone(),
        ..Continuation::begin("job-2", at(0), Duration::from_secs(900))
    };
    let switch = request.strategy.switch().unwrap();
    let decide = |continuation: &_| decide(request, switch, continuation, observation, now);
    // What was seen is remembered before anything is done about it.
    for _ in 0..2 {
        let next = decide(&continuation);
        let Decision::Remember(sights) = next else {
            return outline(&next);
        };
        continuation.sights = sights;
    }
    outline(&decide(&continuation))
}

/// Whether a write finds only what was read: by its version, by what it is, or by there being none.
fn is_bound(call: &Call) -> bool {
    let body = call.body.as_ref().unwrap();
    match call.verb.rbac() {
        "create" => body["metadata"]["name"].is_string(),
        "delete" => body["preconditions"]["uid"].is_string(),
        _ => body["metadata"]["resourceVersion"].is_string(),
    }
}

/// A decision in a line: a write with its path and what it changes of spec and notes.
fn outline(decision: &Decision) -> String {
    match decision {
        Decision::Read(Query::DryRun(call)) => {
            assert!(!call.changes());
            format!("try to {} {}", call.verb.rbac(), call.path)
        }
        Decision::Read(query) => format!("read {query:?}"),
        Decision::Act(Action::Step(step)) => {
            assert!(is_bound(&step.call), "{:?}", step.call);
            let body = step.call.body.clone().unwrap_or_default();
            let place = step.call.path.rsplit_once("shop/").unwrap().1.to_owned();
            let verb = step.call.verb.rbac();
            let spec = match verb {
                "patch" => body["spec"].to_string(),
                _ => body["spec"]["replicas"].to_string(),
            };
            let notes = body["metadata"]["annotations"].as_object().cloned();
            let notes = notes.unwrap_or_default().into_iter();
            let notes = notes.filter(|(name, _)| name.starts_with("landfall/"));
            let notes = notes.map(|(name, value)| {
                let sign = if value.is_null() { "-" } else { "+" };
                format!("{sign}{}", name.trim_start_matches("landfall/"))
            });
            format!(
                "{verb} {place} {spec} {}",
                notes.collect::<Vec<_>>().join(" ")
            )
        }
        Decision::Act(action) => format!("{action:?}"),
        Decision::RollBack(undo) => format!("{undo:?}"),
        Decision::TakeBack(failure) => format!("return: {}", recorded(failure.clone()).cause),
        Decision::Enter(Phase::SwitchRollback(back)) => format!("return: {}", back.cause),
        Decision::Enter(phase) => format!("enter {phase:?}"),
        Decision::Wait(wait) => format!("wait {}s {:?}", wait.at_most.as_secs(), wait.stage),
        Decision::Finish(success) => {
            let switched = success.switched.as_ref().unwrap();
            let name = success.deployment.name();
            let from = switched.from.as_ref().map(|(from, _)| from);
            format!("finish {name} {} {:?}", success.wrote, from)
        }
        Decision::GiveUp(Failure::Faults(faults)) => {
            let lines = faults
                .iter()
                .map(|it| format!("`{}` {}", it.field, it.problem));
            lines.collect::<Vec<_>>().join("; ")
        }
        Decision::GiveUp(Failure::Rollout {
            failure,
            rollback_result,
        }) => {
            let cause = recorded((**failure).clone()).cause;
            format!("failed: {cause}: {rollback_result:?}")
        }
        Decision::GiveUp(failure) => format!("give up {failure:?}"),
        Decision::Steady(steady) => format!("steady {steady:?}"),
        Decision::Remember(sights) => format!("remember {sights:?}"),
        Decision::ReadAlarms => "read the alarms".to_owned(),
        Decision::Serves(since) => format!("serves since {since}"),
    }
}

#[test]
fn nothing_is_written_before_all_is_known() {
    let plain = || service(json!({"app": "web"}), json!({}));
    let list = |items, selector: &str| Query::List(items, selector.to_owned());
    let forget = [
        Query::service("web"),
        Query::deployment("web"),
        list(Items::ReplicaSets, "app=web"),
        list(Items::ServicePods, "app=web"),
        Query::deployment("web-blue"),
        Query::service("web-preview"),
        Query::autoscalers(),
        Query::family("web"),
        list(Items::EndpointSlices, "web"),
        list(Items::TargetGroupBindings, ""),
        list(Items::Ingresses, ""),
        Query::Permission(Permission::smoke()[0].clone()),
    ];
    let request = request(json!({"smoke": "/"}));
    for query in forget {
        let mut observation = seen(plain(), None);
        observation.forget(|it| *it == query);
        let found = decided(&request, &Phase::Start, &observation, at(1));
        assert_eq!(found, format!("read {query:?}"));
    }
    let mut untried = seen(plain(), None);
    untried.forget(|it| matches!(it, Query::DryRun(_)));
    let found = decided(&request, &Phase::Start, &untried, at(1));
    let expected = "try to create /apis/apps/v1/namespaces/shop/deployments";
    assert_eq!(found, expected);
}

#[test]
fn all_rights_that_are_missing_are_told_at_once() {
    let of_family = Autoscaler::new(json!({"spec": {"scaleTargetRef":
            {"kind": "Deployment", "name": "web"}}}));
    let of_others = Autoscaler::new(json!({"spec": {"scaleTargetRef":
            {"kind": "Deployment", "name": "api"}}}));
    let [create, delete, proxy] = Permission::smoke();
    for (smoke, scaler, granted, missing) in [
        (false, of_others.clone(), vec![], vec![]),
        (
            true,
            of_others.clone(),
            Permission::smoke().to_vec(),
            vec![],
        ),
        (
            true,
            of_others,
            vec![delete.clone()],
            vec![create.clone(), proxy.clone()],
        ),
        (false, of_family.clone(), vec![Permission::scale()], vec![]),
        (
            true,
            of_family,
            vec![create],
            vec![delete, proxy, Permission::scale()],
        ),
    ] {
        let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
        observation.set(Query::autoscalers(), vec![scaler]);
        let all = Permission::smoke().into_iter().chain([Permission::scale()]);
        for right in all {
            observation.set(Query::Permission(right.clone()), granted.contains(&right));
        }
        let request = request(if smoke {
            json!({"smoke": "/"})
        } else {
            json!({})
        });
        let found = decided(&request, &Phase::Start, &observation, at(1));
        let expected = format!("give up {:?}", Failure::Forbidden(missing.clone()));
        assert_eq!(found == expected, !missing.is_empty(), "{found}");
        assert_eq!(found.starts_with("patch services/web"), missing.is_empty());
    }
}

/// A write that made it may still be under way, and would make it anew.
#[test]
fn a_version_that_failed_is_kept_at_zero_and_known_to_have_failed() {
    let request = request(json!({"strategy": "immutable"}));
    for (job, is_left, replicas, expected) in [
        (
            "job-2",
            false,
            2,
            r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
        ),
        (
            "job-1",
            false,
            2,
            r#"patch deployments/web-blue {"replicas":0} +replicas"#,
        ),
        (
            "job-2",
            true,
            2,
            "failed: it broke: SwitchRollbackFailed(\"web-blue\")",
        ),
        ("job-2", false, 0, "wait 1s Leaving(\"web-blue\")"),
    ] {
        let one = blue(json!({"metadata": {"annotations": {marks::JOB: job}},
                "spec": {"replicas": replicas}}));
        let notes = json!({marks::LOCK: lock("job-2", "run-2"), marks::ROLLED_BACK: "job-2",
                marks::ORIGINAL_SELECTOR: r#"{"app":"web"}"#});
        let selector = json!({"app": "web", TEMPLATE_HASH: "h"});
        let mut observation = seen(service(selector, notes), Some(one));
        observation.set(pods_of("app=web"), members("web-blue"));
        if is_left {
            let left = ("web-blue".to_owned(), "the token may not".to_owned());
            observation.left.push(left);
        }
        let phase = Phase::SwitchRollback(failed());
        let found = decided(&request, &phase, &observation, at(100));
        assert_eq!(found, expected, "{job} {is_left} {replicas}");
    }
}

/// Its pods were rolled away since, and the Service sends to none.
#[test]
fn a_dead_deploys_narrowing_is_done_once_more() {
    let notes = json!({marks::ORIGINAL_SELECTOR: r#"{"app":"web"}"#});
    let outdated = service(json!({"app": "web", TEMPLATE_HASH: "gone"}), notes);
    let first = decided(
        &request(json!({})),
        &Phase::Start,
        &seen(outdated, None),
        at(1),
    );
    assert_eq!(
        first,
        r#"patch services/web {"selector":{"app":"web","pod-template-hash":"h"}} +lock -retiring -superseded +wide-selector"#
    );
}

/// Each would retire what the other one sends to.
#[test]
fn two_services_do_not_take_turns_on_one_deployment() {
    let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
    let behind = |service: &str| {
        let notes = json!({"metadata": {"annotations": {marks::SERVICE: service}}});
        deployment("web-green", "app:1", notes)
    };
    for (other, refused) in [("web", false), ("front", true)] {
        observation.set(Query::family("web"), vec![behind(other)]);
        let found = decided(&request(json!({})), &Phase::Start, &observation, at(1));
        let told = found.contains("is not the one that `web-green` was deployed behind");
        assert_eq!(told, refused, "{found}");
    }
}

#[test]
fn a_candidate_is_scaled_up_once_to_what_serves_now() {
    let live = deployment("web", "app:1", json!({"spec": {"replicas": 5}}));
    let observed = |wanted: Option<&str>, is_read: bool| {
        let one = blue(json!({"metadata": {"annotations": {marks::WANTED: wanted}}}));
        let mut observation = seen(narrowed(), Some(one));
        observation.set(Query::deployment("web"), Some(live.clone()));
        if !is_read {
            observation.was_told(Query::deployment("web"));
        }
        decided(&request(json!({})), &Phase::Switch, &observation, at(30))
    };
    assert_eq!(observed(None, false), r#"read Get(Deployment, "web")"#);
    let up = r#"patch deployments/web-blue {"replicas":5} +deployed-at +wanted"#;
    assert_eq!(observed(None, true), up);
    assert_eq!(observed(Some("3"), true), up);
    let held = "return: someone else keeps `web-blue` at 2 of 5 replicas";
    assert_eq!(observed(Some("5"), true), held);
}

#[test]
fn the_first_write_locks_and_narrows() {
    let wide = service(json!({"app": "web"}), json!({}));
    let first = decided(&request(json!({})), &Phase::Start, &seen(wide, None), at(1));
    assert_eq!(
        first,
        r#"patch services/web {"selector":{"app":"web","pod-template-hash":"h"}} +lock -retiring -superseded +wide-selector"#
    );
    // One that sends to a version already needs no narrowing.
    let green = service(json!({"app": "web", VERSION: "green"}), json!({}));
    let mut observation = seen(green, None);
    let live = deployment("web-green", "app:1", json!({}));
    let selector = live.selector();
    observation.set(Query::deployment("web-green"), Some(live));
    observation.set(pods_of(&selector), members("web-green"));
    observation.set(sets_of(&selector), vec![set("web-green")]);
    let first = decided(&request(json!({})), &Phase::Start, &observation, at(1));
    assert_eq!(first, "patch services/web null +lock -retiring -superseded");
}

/// By `kubectl replace`, say. It sends to one version all the same, and is held to that again.
#[test]
fn a_selector_that_was_set_back_is_narrowed_to_the_version_that_serves() {
    let green = |replicas: i64| {
        deployment(
            "web-green",
            "app:1",
            json!({"spec": {"replicas": replicas}}),
        )
    };
    let given = |plain: i64, green: Workload| {
        let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
        let plain = deployment("web", "app:0", json!({"spec": {"replicas": plain}}));
        observation.set(Query::deployment("web"), Some(plain));
        observation.set(Query::deployment("web-green"), Some(green.clone()));
        // Those of the one that was retired last may still be there, or not know it yet.
        let going = ServicePod {
            owner: "web-h".into(),
            going: true,
            ..ServicePod::default()
        };
        let retired = members("web").into_iter().chain([going]);
        let all = members("web-green").into_iter().chain(retired);
        observation.set(pods_of("app=web"), all.collect::<Vec<_>>());
        observation.set(sets_of(&green.selector()), vec![set("web-green")]);
        observation.set(Query::family("web"), vec![green]);
        decided(&request(json!({})), &Phase::Start, &observation, at(1))
    };
    assert_eq!(
        given(0, green(2)),
        r#"patch services/web {"selector":{"app":"web","landfall/version":"green"}} +lock -retiring -superseded"#
    );
    // What a dead deploy left beside the one that serves is of the family.
    assert_eq!(
        given(2, green(2)),
        r#"patch services/web {"selector":{"app":"web","pod-template-hash":"h"}} +lock -retiring -superseded +wide-selector"#
    );
}

#[test]
fn a_service_of_others_as_well_is_not_narrowed() {
    let given = |others: ServicePod| {
        let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
        let mut all = members("web");
        all.push(others);
        observation.set(pods_of("app=web"), all);
        decided(&request(json!({})), &Phase::Start, &observation, at(1))
    };
    let strange = given(ServicePod {
        owner: "shop-h".into(),
        ready: true,
        ..ServicePod::default()
    });
    assert!(
        strange.contains("selects pods of others as well"),
        "{strange}"
    );
    let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
    observation.change(endpoints_of("web"), |it: &mut Endpoints| {
        it.strangers.insert("by-hand".into());
    });
    let found = decided(&request(json!({})), &Phase::Start, &observation, at(1));
    assert!(found.contains("EndpointSlice `by-hand`"), "{found}");
    // What alone serves is what is taken over from.
    let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
    let blue = ServicePod {
        ready: true,
        ..members("web-blue")[0].clone()
    };
    let down = members("web").into_iter().map(|member| ServicePod {
        ready: false,
        ..member
    });
    let all = down.chain([blue]).collect::<Vec<_>>();
    observation.set(pods_of("app=web"), all);
    observation.set(
        Query::family("web"),
        vec![deployment("web-blue", "app:0", json!({}))],
    );
    observation.forget(|it| *it == Query::deployment("web-blue"));
    let found = decided(&request(json!({})), &Phase::Start, &observation, at(1));
    assert_eq!(found, r#"read Get(Deployment, "web-blue")"#);
}

#[test]
fn what_speaks_against_a_switch_is_said_before_anything_is_written() {
    let wide = |spec: Value| {
        let mut object = json!({"metadata": {"name": "web"},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
        merge(&mut object["spec"], &spec);
        Service::new(object)
    };
    let live = |changes: Value| deployment("web", "app:1", changes);
    let foreign = ServicePod {
        name: "api-1".into(),
        owner: "api-h".into(),
        ..ServicePod::default()
    };
    let strange = || {
        deployment(
            "web-blue",
            "x",
            json!({"metadata": {"labels": {FAMILY: "other"}}}),
        )
    };
    let taken = || Service::new(json!({"metadata": {"name": "web-preview"}}));
    type Prepare<'a> = Box<dyn Fn(&mut Snapshot) + 'a>;
    let put = |live: Workload| -> Prepare<'_> {
        Box::new(move |it| {
            it.set(Query::deployment("web"), Some(live.clone()));
        })
    };
    let send = |spec: Value| -> Prepare<'_> {
        Box::new(move |it| it.set(Query::service("web"), Some(wide(spec.clone()))))
    };
    let rows: [(&str, Prepare<'_>); 14] = [
        (
            "does not exist",
            Box::new(|it| it.set(Query::service("web"), None::<Service>)),
        ),
        ("ExternalName", send(json!({"type": "ExternalName"}))),
        ("has no selector", send(json!({"selector": null}))),
        (
            "lack",
            send(json!({"selector": {"app": "web", "tier": "front"}})),
        ),
        ("needs a port", send(json!({"ports": null}))),
        (
            "selects no pods",
            Box::new(|it| it.set(pods_of("app=web"), Vec::<ServicePod>::new())),
        ),
        (
            "pods of others as well, such as `api-1`",
            Box::new(|it| {
                it.change(pods_of("app=web"), |it: &mut Vec<_>| {
                    it.push(foreign.clone());
                })
            }),
        ),
        (
            "which does not exist. This strategy takes over",
            Box::new(|it| it.set(Query::deployment("web"), None::<Workload>)),
        ),
        ("Paused", put(live(json!({"spec": {"paused": true}})))),
        (
            "BeingDeleted",
            put(live(
                json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
            )),
        ),
        (
            "Settling",
            put(live(json!({"metadata": {"generation": 2}}))),
        ),
        (
            "middle of a rollout",
            Box::new(|it| {
                let mut older = set("web");
                older.name = "web-old".into();
                older.revision = 0;
                it.change(sets_of("app=web"), |it: &mut Vec<_>| it.push(older));
            }),
        ),
        (
            "that Landfall did not make",
            Box::new(|it| it.set(Query::deployment("web-blue"), Some(strange()))),
        ),
        (
            "one of that name is there",
            Box::new(|it| it.set(Query::service("web-preview"), Some(taken()))),
        ),
    ];
    let request = request(json!({"smoke": "/", "manifest": {"spec": {"template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "app:2"}]}}}}}));
    for (words, prepare) in rows {
        let mut observation = seen(wide(json!({})), None);
        let labels = "app=web,tier=front".to_owned();
        observation.set(pods_of(&labels), members("web"));
        prepare(&mut observation);
        let found = decided(&request, &Phase::Start, &observation, at(21));
        assert!(found.contains(words), "{words}: {found}");
        assert!(!found.starts_with("patch"), "{found}");
        // Others' pods may be those of an execution that began since the Service was read.
        if words.starts_with("pods of others") {
            observation.forget(is_again);
            let found = decided(&request, &Phase::Start, &observation, at(21));
            assert_eq!(found, r#"read ServiceAgain("web")"#);
        }
    }
    let mut scaled = seen(wide(json!({})), None);
    let well = decided(&request, &Phase::Start, &scaled, at(1));
    assert!(well.starts_with("patch services/web"), "{well}");
    put(live(json!({"metadata": {"generation": 2}})))(&mut scaled);
    let waits = decided(&request, &Phase::Start, &scaled, at(1));
    assert_eq!(waits, "wait 1s Settling(\"web\")");
}

#[test]
fn somebody_elses_lock_is_waited_for_until_it_ends() {
    let locked = |execution: &str| {
        let notes = json!({marks::LOCK: lock("job-1", execution)});
        seen(service(json!({"app": "web"}), notes), None)
    };
    let patient = request(json!({"timeout": "1h"}));
    let late = |now| {
        let continuation = Continuation::begin("job-2", at(0), Duration::from_secs(60));
        let request = request(json!({}));
        let switch = request.strategy.switch().unwrap();
        outline(&decide(
            &request,
            switch,
            &continuation,
            &locked("run-1"),
            now,
        ))
    };
    let found =
        |execution: &str, phase: Phase, now| decided(&patient, &phase, &locked(execution), at(now));
    let waits = found("run-1", Phase::Start, 1);
    assert!(
        waits.starts_with("wait 5s Lock { execution: \"run-1\""),
        "{waits}"
    );
    assert!(
        late(at(61)).starts_with("give up Locked"),
        "{}",
        late(at(61))
    );
    // The margin belongs to the lock, too.
    assert!(late(at(59)).starts_with("wait"), "{}", late(at(59)));
    for (name, taken) in [
        ("the same execution", found("run-2", Phase::Start, 1)),
        ("one that has ended by itself", {
            let continuation = Continuation::begin("job-2", at(1000), Duration::from_secs(60));
            let switch = patient.strategy.switch().unwrap();
            let seen = locked("run-1");
            outline(&decide(&patient, switch, &continuation, &seen, at(1021)))
        }),
    ] {
        assert!(taken.starts_with("patch services/web"), "{name}: {taken}");
        assert!(taken.contains("+superseded"), "{name}: {taken}");
    }
    let lost = found("run-1", Phase::Switch, 1);
    assert!(lost.contains("SetAside"), "{lost}");
}

#[test]
fn a_selector_that_is_edited_while_it_is_pinned_ends_the_deploy_as_out_of_sync() {
    let pinned = json!({"app": "web", TEMPLATE_HASH: "h"});
    let mut ours: Value = serde_json::from_str(&lock("job-2", "run-2")).unwrap();
    ours["selector"] = pinned.clone();
    let notes =
        json!({marks::LOCK: ours.to_string(), marks::ORIGINAL_SELECTOR: r#"{"app":"web"}"#});
    let of = |selector: &Value, notes: &Value, candidate: Workload, phase: Phase| {
        let mut observation = seen(service(selector.clone(), notes.clone()), Some(candidate));
        let edited = written(&service(selector.clone(), json!({})).selector());
        if observation
            .get::<Vec<ServicePod>>(pods_of(&edited))
            .is_err()
        {
            observation.set(pods_of(&edited), members("web"));
        }
        observation.set(pods_of("app=web,tier=front"), members("web"));
        observation.set(endpoints_of("web"), endpoints("web"));
        let continuation = Continuation {
            phase,
            ..Continuation::begin("job-2", at(0), Duration::from_secs(900))
        };
        let request = request(json!({}));
        let switch = request.strategy.switch().unwrap();
        decide(&request, switch, &continuation, &observation, at(6))
    };
    let up = || blue(json!({}));
    let idle = || blue(json!({"spec": {"replicas": 0}}));
    // What was written is as it was: the deploy goes on.
    let on = outline(&of(&pinned, &notes, up(), Phase::Switch));
    assert!(!on.starts_with("return"), "{on}");
    let edits = [
        json!({"app": "web", TEMPLATE_HASH: "h", "tier": "front"}),
        json!({TEMPLATE_HASH: "h"}),
        json!({"app": "web", TEMPLATE_HASH: "other"}),
    ];
    for edited in edits {
        let decision = of(&edited, &notes, up(), Phase::Switch);
        let Decision::TakeBack(failure) = decision else {
            panic!("{edited}: {decision:?}");
        };
        assert_eq!(failure.reason, Some(Reason::Selector), "{edited}");
    }
    // Nothing of theirs is overwritten on the way back, and the candidate is put away.
    let edited = json!({"app": "web", TEMPLATE_HASH: "h", "tier": "front"});
    let mark = outline(&of(&edited, &notes, up(), Phase::SwitchRollback(failed())));
    assert_eq!(
        mark,
        "patch services/web null +cause +lock +rolled-back +rolled-back-at -superseded"
    );
    let mut marked = notes.clone();
    marked[marks::ROLLED_BACK] = json!("job-2");
    let away = outline(&of(&edited, &marked, up(), Phase::SwitchRollback(failed())));
    assert_eq!(
        away,
        r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#
    );
    let release = outline(&of(
        &edited,
        &marked,
        idle(),
        Phase::SwitchRollback(failed()),
    ));
    let kept = r#"{"selector":{"app":"web","pod-template-hash":null,"tier":"front"}}"#;
    assert!(release.contains(kept), "{release}");
}

#[test]
fn up_to_the_switch() {
    let smoking = request(json!({"smoke": {"path": "/health", "contains": "ok"}}));
    let plain = request(json!({}));
    let preview = Service::new(json!({"metadata": {"name": "web-preview", "uid": "u",
                "annotations": {PREVIEW_OF: "web"}},
            "spec": {"selector": {"app": "web", VERSION: "blue"}, "ports": [{"port": 80}]}}));
    let with_preview = |last: Option<Result<(), String>>, tries| {
        let mut observation = seen(narrowed(), Some(blue(json!({}))));
        observation.set(Query::service("web-preview"), Some(preview.clone()));
        let of_blue = endpoints("web-blue");
        observation.set(endpoints_of("web-preview"), of_blue);
        observation.smoke = Smoked {
            tries,
            unanswered: 0,
            last,
        };
        observation
    };
    let scaler = Autoscaler::new(json!({"metadata": {"name": "web", "resourceVersion": "1"},
            "spec": {"minReplicas": 1, "maxReplicas": 5,
                "scaleTargetRef": {"kind": "Deployment", "name": "web"}}}));
    let mut scaled = seen(narrowed(), Some(blue(json!({}))));
    scaled.set(Query::autoscalers(), vec![scaler]);
    let mut foreign = seen(narrowed(), Some(blue(json!({}))));
    let of_blue = written(&service_lock::of_version(&narrowed().selector(), "blue"));
    let more = |it: &mut Vec<_>| it.extend(members("api"));
    foreign.change(pods_of(&of_blue), more);
    let mut fewer = seen(narrowed(), Some(blue(json!({}))));
    let unready = |it: &mut Vec<ServicePod>| it[0].ready = false;
    fewer.change(pods_of(&of_blue), unready);
    let mut rolled = seen(narrowed(), Some(blue(json!({}))));
    let newer = ReplicaSet {
        revision: 2,
        template_hash: "other".into(),
        ..set("web")
    };
    rolled.set(sets_of("app=web"), vec![set("web"), newer]);
    let idle = blue(json!({"metadata": {"annotations": {marks::JOB: "job-1"}},
            "spec": {"replicas": 0}}));
    let switch = r#"patch services/web {"selector":{"app":"web","landfall/version":"blue","pod-template-hash":null}} -cause +deployed-at +execution +from +job +lock -retiring -rolled-back -rolled-back-at +selector-before -superseded +to"#;
    let wrong = |tries| with_preview(Some(Err("HTTP 500".into())), tries);
    let rows = [
        (
            &plain,
            seen(narrowed(), None),
            "create deployments 2 +created-by +deployed-at +digest +execution +job +service",
        ),
        (
            &plain,
            seen(narrowed(), Some(idle)),
            "update deployments/web-blue 2 +created-by +deployed-at +digest +execution +job +service",
        ),
        (
            &plain,
            seen(
                narrowed(),
                Some(blue(json!({"status": {"availableReplicas": 1}}))),
            ),
            "wait 3s Candidate(\"web-blue\")",
        ),
        (&plain, seen(narrowed(), Some(blue(json!({})))), switch),
        (&plain, fewer, "wait 1s Candidate(\"web-blue\")"),
        (
            &plain,
            foreign,
            "return: Service `web` would also send to pod `api-h-1`, which is not one of `web-blue`",
        ),
        (
            &plain,
            rolled,
            "return: someone else changed Deployment `web` during the deploy",
        ),
        (
            &plain,
            scaled,
            r#"patch horizontalpodautoscalers/web {"minReplicas":2,"scaleTargetRef":{"name":"web-blue"}} +min-replicas"#,
        ),
        (
            &smoking,
            seen(narrowed(), Some(blue(json!({})))),
            "create services null +preview-of",
        ),
        (
            &smoking,
            with_preview(None, 0),
            r#"read Proxy { target: "web-preview:80", path: "/health", contains: Some("ok") }"#,
        ),
        (&smoking, wrong(2), "wait 2s Smoke"),
        (
            &smoking,
            wrong(3),
            "return: its smoke test (GET /health) failed 3 times; last error: HTTP 500",
        ),
        (&smoking, with_preview(Some(Ok(())), 3), switch),
    ];
    for (request, observation, expected) in rows {
        let found = decided(request, &Phase::Switch, &observation, at(6));
        assert_eq!(found, expected);
    }
    let small = blue(json!({"spec": {"replicas": 1}, "status": {"replicas": 1,
            "updatedReplicas": 1, "availableReplicas": 1}}));
    let small = decided(
        &plain,
        &Phase::Switch,
        &seen(narrowed(), Some(small)),
        at(6),
    );
    assert_eq!(
        small,
        r#"patch deployments/web-blue {"replicas":2} +deployed-at +wanted"#
    );
    let late = decided(
        &plain,
        &Phase::Switch,
        &seen(narrowed(), Some(blue(json!({})))),
        at(900),
    );
    assert_eq!(
        late,
        "return: Service `web` could not be switched within 15 min (timeout)"
    );
}

#[test]
fn after_the_switch() {
    let request = request(json!({}));
    let baking = || seen(switched(json!({})), Some(blue(json!({}))));
    let mut both = baking();
    both.change(endpoints_of("web"), |it: &mut Endpoints| {
        it.ready.insert("web-h-1".into());
    });
    let mut elsewhere = baking();
    let to_green = service(
        json!({"app": "web", VERSION: "green"}),
        json!({
            marks::LOCK: lock("job-2", "run-2"), marks::JOB: "job-2"}),
    );
    elsewhere.set(Query::service("web"), Some(to_green));
    let green = deployment("web-green", "app:1", json!({}));
    elsewhere.set(Query::deployment("web-green"), Some(green.clone()));
    elsewhere.change(Query::family("web"), |it: &mut Vec<_>| it.push(green));
    let of_green = pods_of("app=web,landfall/version=green");
    elsewhere.set(of_green, members("web-green"));
    let mut scaled = elsewhere.clone();
    scaled.set(
        Query::autoscalers(),
        vec![Autoscaler::new(json!({
            "metadata": {"name": "hpa", "annotations": {MIN_REPLICAS: "1"}},
            "spec": {"minReplicas": 3, "scaleTargetRef":
                {"kind": "Deployment", "name": "web-blue"}}}))],
    );
    let mut aside = elsewhere.clone();
    let notes = json!({marks::JOB: "job-2", marks::EXECUTION: "run-2",
            marks::SUPERSEDED: "job-2,job-1"});
    let selector = json!({"app": "web", VERSION: "green"});
    aside.set(Query::service("web"), Some(service(selector, notes)));
    let told = |query: Query| {
        let mut told = baking();
        told.was_told(query);
        told
    };
    let gone = || {
        let gone = deployment("web", "app:1", json!({"spec": {"replicas": 0}}));
        (Query::deployment("web"), Some(gone))
    };
    let mut taken = baking();
    let (query, of_old) = gone();
    taken.set(query, of_old);
    let mut done = taken.clone();
    done.set(
        Query::service("web"),
        Some(switched(
            json!({marks::LOCK: null, marks::SELECTOR_BEFORE: null}),
        )),
    );
    let mut robbed = baking();
    robbed.set(
        Query::service("web"),
        Some(switched(json!({marks::LOCK: null}))),
    );
    let retiring = || {
        let notes = json!({marks::RETIRING: "true"});
        seen(switched(notes), Some(blue(json!({}))))
    };
    let mut retired = retiring();
    let (query, of_old) = gone();
    retired.set(query, of_old);
    let mut kept = retiring();
    let refused = ("web".to_owned(), "a policy".to_owned());
    kept.left.push(refused);
    let away = |more: Value| {
        let mut none = json!({"spec": {"replicas": 0}});
        merge(&mut none, &more);
        let lock = json!({"execution": "run-2", "job": "job-2", "version": "blue", "wanted": 2,
                "since": at(0).to_string(), "deadline": at(900).to_string()});
        let notes = json!({marks::LOCK: lock.to_string()});
        seen(switched(notes), Some(blue(none)))
    };
    let scaled_again = json!({"metadata": {"annotations": {
        marks::DEPLOYED_AT: at(80).to_string(), marks::WANTED: "2"}}});
    let again = seen(switched(json!({})), Some(blue(scaled_again)));
    let three = || {
        Some(blue(
            json!({"spec": {"replicas": 3}, "status": {"replicas": 3,
            "updatedReplicas": 3, "availableReplicas": 3}}),
        ))
    };
    let mut asked = seen(switched(json!({})), three());
    let undone = json!({"metadata": {"annotations": {marks::WANTED: "3"}}});
    asked.set(
        Query::deployment("web"),
        Some(deployment("web", "app:1", undone)),
    );
    let mut empty = retiring();
    empty.set(endpoints_of("web"), Endpoints::default());
    let mut wide = baking();
    let mut back = switched(json!({})).value().clone();
    back["spec"]["selector"] = json!({"app": "web"});
    wide.set(Query::service("web"), Some(Service::new(back)));
    let both_pods = members("web").into_iter().chain(members("web-blue"));
    wide.set(pods_of("app=web"), both_pods.collect::<Vec<_>>());
    let mut alone = wide.clone();
    alone.set(pods_of("app=web"), members("web-blue"));
    let rows = [
        (
            "it bakes",
            baking(),
            61,
            "wait 4s Bake { candidate: \"web-blue\", until: Some(2026-01-01T00:01:30Z) }",
        ),
        (
            "endpoints lag",
            both.clone(),
            61,
            "wait 1s Endpoints(\"web\")",
        ),
        (
            "and lag too long",
            both,
            900,
            "return: Service `web` never routed only to the ready pods of `web-blue`",
        ),
        (
            "somebody switched it",
            elsewhere,
            61,
            "patch services/web null -lock -retiring -selector-before +superseded -wide-selector",
        ),
        (
            "and there is an autoscaler",
            scaled,
            61,
            r#"patch horizontalpodautoscalers/hpa {"minReplicas":1,"scaleTargetRef":{"name":"web-green"}} -min-replicas"#,
        ),
        (
            "what was held is given up",
            aside,
            61,
            "give up SetAside { by: None, editor: None, present: TrafficState { service: \"web\", is_there: true, detour: None, sends: {\"web-blue\": 2}, up: {\"web\": 2, \"web-blue\": 2, \"web-green\": 2}, version: Some(\"web-blue\") } }",
        ),
        (
            "it looks once more",
            told(Query::deployment("web-blue")),
            90,
            r#"read Get(Deployment, "web-blue")"#,
        ),
        (
            "also at where it sends",
            told(endpoints_of("web")),
            90,
            r#"read List(EndpointSlices, "web")"#,
        ),
        (
            "the old one is written as it is known",
            told(Query::deployment("web")),
            90,
            "patch services/web null +retiring",
        ),
        (
            "somebody scaled it to zero",
            away(json!({})),
            89,
            r#"patch deployments/web-blue {"replicas":2} +deployed-at +wanted"#,
        ),
        (
            "and does so again",
            away(json!({"metadata": {"annotations": {marks::WANTED: "2"}}})),
            89,
            "return: someone else keeps `web-blue` at 0 of 2 replicas",
        ),
        (
            "an autoscaler gives the new one a pod more, and the old one keeps pace",
            seen(switched(json!({})), three()),
            62,
            r#"patch deployments/web {"replicas":3} +wanted"#,
        ),
        (
            "whoever undoes that means it",
            asked,
            62,
            "wait 1s Bake { candidate: \"web-blue\", until: Some(2026-01-01T00:01:30Z) }",
        ),
        (
            "it serves again, and bakes anew",
            again,
            95,
            "patch services/web null +deployed-at +lock",
        ),
        (
            "the old one stays while no pod serves",
            empty,
            90,
            "wait 1s Endpoints(\"web\")",
        ),
        (
            "a tool set the selector back: it goes where the old one serves without it",
            wide.clone(),
            61,
            r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
        ),
        (
            "but not where it serves alone",
            alone,
            61,
            "patch services/web null -lock -retiring -selector-before +superseded -wide-selector",
        ),
        (
            "no way back from here",
            baking(),
            90,
            "patch services/web null +retiring",
        ),
        (
            "the old one goes",
            retiring(),
            90,
            r#"patch deployments/web {"replicas":0} +replicas"#,
        ),
        (
            "as nothing speaks against it",
            kept,
            90,
            "patch services/web null -lock -retiring -selector-before -wide-selector",
        ),
        (
            "somebody else takes the old one away: the new one bakes on",
            taken,
            61,
            "wait 4s Bake { candidate: \"web-blue\", until: Some(2026-01-01T00:01:30Z) }",
        ),
        (
            "the lock goes",
            retired,
            61,
            "patch services/web null -lock -retiring -selector-before -wide-selector",
        ),
        (
            "somebody took the lock away",
            robbed,
            61,
            "give up SetAside { by: None, editor: None, present: TrafficState { service: \"web\", is_there: true, detour: None, sends: {\"web-blue\": 2}, up: {\"web\": 2, \"web-blue\": 2}, version: Some(\"web-blue\") } }",
        ),
        ("it is done", done, 95, "finish web-blue true Some(\"web\")"),
    ];
    for (name, observation, now, expected) in rows {
        let observation = observation.with_pods(PodSnapshot {
            at: at(now),
            set: ReplicaSet::default(),
            pods: Ok(Pods::default()),
        });
        let found = decided(&request, &Phase::Switch, &observation, at(now));
        assert_eq!(found, expected, "{name}");
        let restarted = decided(&request, &Phase::Start, &observation, at(now));
        assert_eq!(
            restarted, expected,
            "{name}, by a process that knows nothing"
        );
    }
}

#[test]
fn a_failure_is_taken_back_step_by_step() {
    let request_of = |rollback: bool| request(json!({"rollback": rollback}));
    let marked = |service: Service, lock: bool| {
        let mut object = json!({"metadata": {"name": "web", "resourceVersion": "3"}});
        object["spec"]["selector"] = json!(service.selector());
        let kept = [
            marks::LOCK,
            marks::ORIGINAL_SELECTOR,
            marks::JOB,
            marks::FROM,
            marks::TO,
        ];
        for note in kept.into_iter().filter(|note| lock || *note != marks::LOCK) {
            if let Some(text) = service.annotation(note) {
                object["metadata"]["annotations"][note] = json!(text);
            }
        }
        object["metadata"]["annotations"][marks::ROLLED_BACK] = json!("job-2");
        object["metadata"]["annotations"][marks::CAUSE] = json!("it broke");
        Service::new(object)
    };
    let back = |switched: &Service| {
        let before = service_lock::selector_before(switched).unwrap();
        let notes = json!({marks::LOCK: lock("job-2", "run-2"), marks::JOB: "job-2",
                marks::FROM: "web", marks::TO: "web-blue",
                marks::ORIGINAL_SELECTOR: r#"{"app":"web"}"#});
        service(json!(before), notes)
    };
    let down = || blue(json!({"spec": {"replicas": 0}}));
    let mut left = seen(marked(narrowed(), true), Some(down()));
    left.change(pods_of("app=web"), |it: &mut Vec<_>| {
        it.extend(members("web-blue"));
    });
    let mut lagging = seen(
        marked(back(&switched(json!({}))), true),
        Some(blue(json!({}))),
    );
    lagging.set(endpoints_of("web"), endpoints("web-blue"));
    let mut returned = lagging.clone();
    returned.set(endpoints_of("web"), endpoints("web"));
    let mut going = seen(switched(json!({})), Some(blue(json!({}))));
    let down_already = deployment("web", "app:1", json!({"spec": {"replicas": 0}}));
    going.set(Query::deployment("web"), Some(down_already));
    let mut weak = seen(switched(json!({})), Some(blue(json!({}))));
    let of_hash = "app=web,pod-template-hash=h".to_owned();
    weak.set(pods_of(&of_hash), members("web")[..1].to_vec());
    let of_two = json!({"execution": "run-2", "job": "job-2", "version": "blue", "wanted": 2,
        "since": at(0).to_string(), "deadline": at(900).to_string()});
    let more = blue(json!({"spec": {"replicas": 5}, "status": {"availableReplicas": 5}}));
    let outgrown = switched(json!({marks::LOCK: of_two.to_string()}));
    let retiring = json!({marks::RETIRING: "true"});
    let retiring = seen(switched(retiring), Some(blue(json!({}))));
    let release = r#"patch services/web {"selector":{"app":"web","pod-template-hash":null}} -lock -retiring -selector-before -wide-selector"#;
    let rows = [
        (
            "mark",
            true,
            seen(narrowed(), Some(blue(json!({})))),
            "patch services/web null +cause +lock +rolled-back +rolled-back-at -superseded",
        ),
        (
            "mark and switch back",
            true,
            seen(switched(json!({})), Some(blue(json!({})))),
            r#"patch services/web {"selector":{"app":"web","landfall/version":null,"pod-template-hash":"h"}} +cause +lock +rolled-back +rolled-back-at -superseded"#,
        ),
        (
            "to one that has what was wanted at the switch, too",
            true,
            seen(outgrown, Some(more)),
            r#"patch services/web {"selector":{"app":"web","landfall/version":null,"pod-template-hash":"h"}} +cause +lock +rolled-back +rolled-back-at -superseded"#,
        ),
        (
            "not to a version that is being scaled down",
            true,
            going,
            "patch services/web null +cause -lock -retiring +rolled-back +rolled-back-at -selector-before -superseded -wide-selector",
        ),
        (
            "not to a version that serves less",
            true,
            weak,
            "patch services/web null +cause -lock -retiring +rolled-back +rolled-back-at -selector-before -superseded -wide-selector",
        ),
        (
            "not to one that may be on its way down",
            true,
            retiring,
            "patch services/web null +cause -lock -retiring +rolled-back +rolled-back-at -selector-before -superseded -wide-selector",
        ),
        (
            "not where nobody wants it",
            false,
            seen(switched(json!({})), Some(blue(json!({})))),
            "patch services/web null +cause -lock -retiring +rolled-back +rolled-back-at -selector-before -superseded -wide-selector",
        ),
        (
            "the candidate goes",
            true,
            seen(marked(narrowed(), true), Some(blue(json!({})))),
            r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
        ),
        (
            "also where it is to be left, as it would get traffic",
            false,
            seen(marked(narrowed(), true), Some(blue(json!({})))),
            r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
        ),
        ("its pods end", true, left, "wait 1s Leaving(\"web-blue\")"),
        (
            "the selector is as it was",
            true,
            seen(marked(narrowed(), true), Some(down())),
            release,
        ),
        (
            "endpoints follow first",
            true,
            lagging,
            "wait 1s Endpoints(\"web\")",
        ),
        (
            "then it goes",
            true,
            returned,
            r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
        ),
        (
            "it is reported",
            true,
            seen(
                marked(service(json!({"app": "web"}), json!({})), false),
                Some(down()),
            ),
            "failed: it broke: Unswitched(ScaledDown(\"web-blue\"), \"web\", false)",
        ),
    ];
    for (name, rollback, observation, expected) in rows {
        let phase = Phase::SwitchRollback(failed());
        let found = decided(&request_of(rollback), &phase, &observation, at(100));
        assert_eq!(found, expected, "{name}");
    }
    // A process that knows nothing goes on backwards, by what the Service says.
    let known = seen(marked(narrowed(), true), Some(down()));
    let first = decided(&request_of(true), &Phase::Start, &known, at(100));
    assert_eq!(first, "return: it broke");
    let late = decided(
        &request_of(true),
        &Phase::SwitchRollback(failed()),
        &known,
        at(900),
    );
    assert_eq!(late, "failed: it broke: SwitchRollbackFailed(\"web-blue\")");
}

#[test]
fn a_version_that_serves_is_not_deployed_again() {
    let again = request(json!({"images": {"app": "app:1"}}));
    let wide = |notes: Value| {
        let serving = deployment("web", "app:1", json!({}));
        let mut observation = seen(service(json!({"app": "web"}), notes), Some(serving));
        observation.set(endpoints_of("web"), endpoints("web"));
        observation
    };
    let found = decided(&again, &Phase::Start, &wide(json!({})), at(1));
    assert_eq!(found, "finish web false None");
    // What a dead deploy left is brought to its end first, also where the version is sick.
    let dead = json!({marks::LOCK: lock("job-1", "run-2")});
    let found = decided(&again, &Phase::Start, &wide(dead), at(1));
    assert_eq!(found, "patch services/web null +lock -retiring +superseded");
    let mut observation = wide(json!({}));
    observation.set(Query::service("web"), Some(narrowed()));
    observation.set(Query::family("web"), vec![blue(json!({}))]);
    let found = decided(&again, &Phase::Switch, &observation, at(1));
    assert_eq!(
        found,
        r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#
    );
}

#[test]
fn a_job_that_others_came_after_stops() {
    let notes = json!({marks::SUPERSEDED: "job-3,job-2", marks::EXECUTION: "run-9"});
    let observation = seen(service(json!({"app": "web"}), notes), None);
    let found = decided(&request(json!({})), &Phase::Start, &observation, at(1));
    assert_eq!(
        found,
        "give up SetAside { by: Some(\"run-9\"), editor: None, present: TrafficState { service: \"web\", is_there: true, detour: None, sends: {\"web-blue\": 2}, up: {\"web\": 2}, version: None } }"
    );
}

#[test]
fn who_gets_traffic_is_read_before_the_switch() {
    let before = |told: &[Query]| {
        let mut observation = seen(narrowed(), Some(blue(json!({}))));
        observation.forget(is_again);
        for query in told {
            observation.was_told(query.clone());
        }
        decided(&request(json!({})), &Phase::Switch, &observation, at(30))
    };
    let pods = pods_of("app=web,landfall/version=blue");
    let plain = Query::deployment("web");
    assert!(before(&[]).starts_with("patch services/web"));
    assert!(before(&[Query::service("web")]).starts_with("patch services/web"));
    assert_eq!(
        before(std::slice::from_ref(&pods)),
        format!("read {pods:?}")
    );
    let told = [plain.clone(), Query::deployment("web-blue")];
    assert_eq!(before(&told), format!("read {plain:?}"));
}

#[test]
fn a_trial_tells_that_a_name_is_free() {
    let named = Query::deployment("web-blue");
    let first = |tried: Option<DryRun>, is_taken: bool| {
        let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
        observation.forget(|it| *it == named || matches!(it, Query::DryRun(_)));
        if let Some(tried) = tried {
            observation = observation.with_dry_run(tried);
        }
        observation.is_taken = is_taken;
        decided(&request(json!({})), &Phase::Start, &observation, at(1))
    };
    let is_tried = first(None, false);
    assert!(is_tried.starts_with("try to create"), "{is_tried}");
    let would = || Some(DryRun::Would(blue(json!({}))));
    assert!(first(would(), false).starts_with("patch services/web"));
    for (tried, is_taken) in [(None, true), (Some(DryRun::Unable), false)] {
        assert_eq!(first(tried, is_taken), format!("read {named:?}"));
    }
}

/// What a dead deploy has begun is all that a rollback on demand takes back: the version that serves
/// was not replaced yet.
#[test]
fn a_rollback_on_demand_takes_an_unfinished_deploy_back() {
    let back = |to: Option<&str>| {
        let mut fields = json!({"mode": "rollback", "images": null});
        if let Some(to) = to {
            fields["to"] = json!(to);
        }
        request(fields)
    };
    let dead = |more: Value| {
        let mut lock = json!({"execution": "run-2", "job": "job-1", "version": "blue",
            "since": at(0).to_string(), "deadline": at(900).to_string()});
        merge(&mut lock, &more);
        let mut notes = json!({marks::LOCK: lock.to_string(),
            marks::ORIGINAL_SELECTOR: r#"{"app":"web"}"#, marks::SERVED: "web-green"});
        if lock["notes"].is_object() {
            merge(&mut notes, &lock["notes"]);
        }
        let mut service = narrowed().value().clone();
        service["metadata"]["annotations"] = notes;
        if lock["pinned"].is_object() {
            service["spec"]["selector"] = json!({"app": "web"});
        }
        seen(Service::new(service), Some(blue(json!({}))))
    };
    let taken = |lock: Value, job: &str| {
        let note = json!({"execution": "run-2", "job": job, "deployment": "web-blue"});
        let mut notes = json!({marks::TAKEN_BACK: note.to_string()});
        merge(&mut notes, &lock);
        let mut snapshot = seen(service(json!({"app": "web"}), notes), None);
        snapshot.set(endpoints_of("web"), endpoints("web"));
        snapshot
    };
    let share = json!({"pinned": {"app": "web", TEMPLATE_HASH: "h"}, "selector": {"app": "web"},
        "share": {"step": 0, "percent": 50, "at": at(1).to_string()}});
    let mut died = share.clone();
    died["back"] = json!(true);
    let long_dead = |notes: Value| {
        json!({"since": "2020-01-01T00:00:00Z", "deadline": "2020-01-01T01:00:00Z",
            "notes": notes})
    };
    let awaited = json!({"executions": ["run-2"], "job": "job-1"});
    let rows = [
        (
            "with a share of the pods the Service is held again",
            None,
            dead(share.clone()),
            r#"patch services/web {"selector":{"app":"web","pod-template-hash":"h"}} +lock -retiring +superseded +taken-back"#,
        ),
        (
            "one that had no traffic, and was under way when this one began",
            None,
            dead(json!({})),
            "patch services/web null +lock -retiring +superseded +taken-back",
        ),
        (
            "one that was dead by then, and had none, is only cleared away first",
            None,
            dead(long_dead(json!({}))),
            "patch services/web null +lock -retiring +superseded",
        ),
        (
            "the same of which this execution knows that it was under way",
            None,
            dead(long_dead(json!({marks::AWAITED: awaited.to_string()}))),
            "patch services/web null +lock -retiring +superseded +taken-back",
        ),
        (
            "the same where nothing served before",
            None,
            dead(long_dead(json!({marks::SERVED: ""}))),
            "patch services/web null +lock -retiring +superseded +taken-back",
        ),
        (
            "a rollback that died is gone on with",
            None,
            dead(died),
            r#"patch services/web {"selector":{"app":"web","pod-template-hash":"h"}} +lock -retiring +superseded"#,
        ),
        (
            "where a version is named, what died is only cleared away first",
            Some("web-green"),
            dead(share),
            r#"patch services/web {"selector":{"app":"web","pod-template-hash":"h"}} +lock -retiring +superseded"#,
        ),
        (
            "it is done",
            None,
            taken(json!({}), "job-2"),
            "finish web true None",
        ),
        (
            "a repetition goes no further back",
            None,
            taken(json!({}), "job-1"),
            "finish web false None",
        ),
    ];
    for (name, to, snapshot, expected) in rows {
        let found = decided(&back(to), &Phase::Start, &snapshot, at(20));
        assert!(found.starts_with(expected), "{name}: {found}");
        let notes = |text: &str| text.contains("+taken-back");
        assert_eq!(notes(&found), notes(expected), "{name}: {found}");
    }
}
