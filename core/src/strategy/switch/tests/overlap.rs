//! A switch in which both versions serve for a while.

use super::*;
use crate::strategy::service_lock::overlap::{Leaves, Overlap};

const BOTH: &str = "app=web";

/// Our lock, for a switch with an overlap of 90 s, `why`.
fn lock_of(job: &str, why: Value) -> Value {
    let lock = json!({"execution": "run-2", "job": job, "version": "blue",
        "since": at(0).to_string(), "deadline": at(900).to_string(),
        "handover": {"seconds": 90, "why": why}});
    json!(lock.to_string())
}

fn asked() -> Value {
    lock_of("job-2", json!("asked"))
}

/// Right before both are to serve: the candidate is ready.
fn ready(lock: Value) -> Snapshot {
    let notes = json!({marks::LOCK: lock, marks::ORIGINAL_SELECTOR: r#"{"app":"web"}"#});
    let narrowed = service(json!({"app": "web", TEMPLATE_HASH: "h"}), notes);
    let mut snapshot = seen(narrowed, Some(blue(json!({}))));
    snapshot.set(pods_of(BOTH), both());
    snapshot
}

fn both() -> Vec<ServicePod> {
    let all = members("web").into_iter().chain(members("web-blue"));
    all.collect()
}

/// The Service sends to the pods of both.
fn sends_to_both(snapshot: &mut Snapshot) {
    snapshot.set(pods_of(BOTH), both());
    let names = both().into_iter().map(|pod| pod.name).collect();
    let endpoints = Endpoints {
        ready: names,
        ..Endpoints::default()
    };
    snapshot.set(endpoints_of("web"), endpoints);
}

/// Both serve, and the Service sends to all of them.
fn under_way(leaves: Leaves, since: Option<u64>, more: Value) -> Snapshot {
    let overlap = Overlap {
        since: since.map(at),
        ..Overlap::of(leaves, Duration::from_secs(90))
    };
    let mut notes = json!({marks::OVERLAP: json!(overlap).to_string(), marks::LOCK: asked()});
    merge(&mut notes, &more);
    let mut wide = switched(notes).value().clone();
    wide["spec"]["selector"] = json!({"app": "web"});
    let mut snapshot = seen(Service::new(wide), Some(blue(json!({}))));
    sends_to_both(&mut snapshot);
    snapshot
}

/// Another version of the family that is up.
fn with_green(mut snapshot: Snapshot) -> Snapshot {
    let green = deployment("web-green", "app:0", json!({}));
    snapshot.set(Query::deployment("web-green"), Some(green.clone()));
    snapshot.change(Query::family("web"), |it: &mut Vec<_>| it.push(green));
    snapshot
}

fn with_pods_of(mut snapshot: Snapshot, others: &str) -> Snapshot {
    let more = members(others);
    snapshot.change(pods_of(BOTH), |it: &mut Vec<_>| it.extend(more));
    snapshot
}

const WIDEN: &str = "patch services/web \
    {\"selector\":{\"app\":\"web\",\"pod-template-hash\":null}} -cause +deployed-at +execution \
    +from +handover +job +lock +overlap -retiring -rolled-back -rolled-back-at +selector-before \
    -superseded +to";
const FOREIGN: &str = "return: Service `web` would also send to pod `api-h-1`, which is not one of \
    `web-blue`";
const NARROW: &str = "patch services/web {\"selector\":{\"app\":\"web\",\
    \"landfall/version\":\"blue\"}} +deployed-at +lock -overlap";
const CUT: &str = "patch services/web {\"selector\":{\"app\":\"web\",\"landfall/version\":\"blue\",\
    \"pod-template-hash\":null}} -cause +deployed-at +execution +from +handover +job +lock \
    -retiring -rolled-back -rolled-back-at +selector-before -superseded +to";

#[test]
fn both_serve_once_nothing_else_has_their_labels() {
    let front = json!({"front": {"object": ["Ingress", "web"], "balancer": "Application"}});
    let by_front = || ready(lock_of("job-2", front.clone()));
    let mut unforced = with_green(ready(asked()));
    unforced
        .left
        .push(("web-green".to_owned(), "a policy".to_owned()));
    let mut going = with_pods_of(ready(asked()), "api");
    going.change(pods_of(BOTH), |it: &mut Vec<ServicePod>| {
        let others = it.iter_mut().filter(|pod| pod.owner == "api-h");
        others.for_each(|pod| pod.going = true);
    });
    let rows = [
        ("they serve", ready(asked()), WIDEN),
        ("as what is in front wants it", by_front(), WIDEN),
        (
            "another version goes first",
            with_green(ready(asked())),
            r#"patch deployments/web-green {"replicas":0} +replicas"#,
        ),
        ("or stays, and it is a cut", unforced, CUT),
        (
            "others have these labels",
            with_pods_of(ready(asked()), "api"),
            FOREIGN,
        ),
        (
            "where it was not asked for, it is a cut",
            with_pods_of(by_front(), "api"),
            CUT,
        ),
        ("a pod that goes gets nothing", going, WIDEN),
    ];
    let request = request(json!({}));
    for (name, snapshot, expected) in rows {
        let found = decided(&request, &Phase::Switch, &snapshot, at(6));
        assert_eq!(found, expected, "{name}");
    }
    let mut ending = with_green(with_pods_of(ready(asked()), "web-green"));
    let none = deployment("web-green", "app:0", json!({"spec": {"replicas": 0}}));
    ending.change(Query::family("web"), |it: &mut Vec<_>| it[1] = none);
    let found = decided(&request, &Phase::Switch, &ending, at(6));
    assert_eq!(found, "wait 1s Leaving(\"web-green\")");
}

#[test]
fn the_old_one_leaves_when_the_new_one_had_its_time() {
    let since = |since| under_way(Leaves::Old, since, json!({}));
    let mut behind = since(None);
    behind.set(endpoints_of("web"), endpoints("web"));
    let again = json!({"metadata": {"annotations": {marks::DEPLOYED_AT: at(80).to_string()}}});
    let mut scaled = since(Some(61));
    let again = blue(again);
    scaled.set(Query::deployment("web-blue"), Some(again));
    let mut rolled = since(Some(61));
    rolled.change(pods_of(BOTH), |it: &mut Vec<ServicePod>| {
        it[0].owner = "web-other".to_owned();
    });
    let mut unchecked = since(Some(61));
    unchecked.forget(is_again);
    let mut unlocked = since(Some(61));
    let mut without = unlocked.seen_service("web").unwrap().value().clone();
    without["metadata"]["annotations"][marks::LOCK] = Value::Null;
    unlocked.set(Query::service("web"), Some(Service::new(without)));
    let out_of_sync = "give up SetAside { by: None, editor: None";
    let until = "wait 4s Overlap { stays: \"web-blue\", until: Some(2026-01-01T00:02:31Z) }";
    let rows = [
        (
            "the endpoints lag",
            behind,
            61,
            "wait 1s Endpoints(\"web\")",
        ),
        (
            "it counts",
            since(None),
            61,
            "patch services/web null +lock +overlap",
        ),
        ("both serve", since(Some(61)), 62, until),
        (
            "for as long as was said",
            since(Some(61)),
            150,
            "wait 1s Overlap { stays: \"web-blue\", until: Some(2026-01-01T00:02:31Z) }",
        ),
        ("then the old one leaves", since(Some(61)), 151, NARROW),
        (
            "after a last look",
            unchecked,
            151,
            "read ServiceAgain(\"web\")",
        ),
        (
            "it was scaled away",
            scaled,
            151,
            "patch services/web null +lock +overlap",
        ),
        (
            "the old one was rolled",
            rolled,
            62,
            "return: someone else changed Deployment `web` during the deploy",
        ),
        (
            "others came",
            with_pods_of(since(Some(61)), "api"),
            62,
            FOREIGN,
        ),
        ("somebody took the lock away", unlocked, 62, out_of_sync),
    ];
    let request = request(json!({}));
    for (name, snapshot, now, expected) in rows {
        for phase in [Phase::Switch, Phase::Start] {
            let found = decided(&request, &phase, &snapshot, at(now));
            assert!(found.starts_with(expected), "{name}, {phase:?}: {found}");
        }
    }
}

/// While both serve the old version is in the load balancer: it just stays, whatever `rollback`
/// says of a switch that is done.
#[test]
fn a_failure_while_both_serve_leaves_the_old_one() {
    let back = "patch services/web {\"selector\":{\"app\":\"web\",\"pod-template-hash\":\"h\"}} \
        +cause +lock -overlap +rolled-back +rolled-back-at -superseded";
    let phase = Phase::SwitchRollback(failed());
    for rollback in [true, false] {
        let request = request(json!({"rollback": rollback}));
        let snapshot = under_way(Leaves::Old, Some(61), json!({}));
        assert_eq!(decided(&request, &phase, &snapshot, at(62)), back);
    }
    // It is gone: the new one keeps what it has, alone.
    let request = request(json!({}));
    let mut alone = under_way(Leaves::Old, Some(61), json!({}));
    let gone = deployment("web", "app:1", json!({"spec": {"replicas": 0}}));
    alone.set(Query::deployment("web"), Some(gone));
    let found = decided(&request, &phase, &alone, at(62));
    let expected = "patch services/web {\"selector\":{\"app\":\"web\",\
        \"landfall/version\":\"blue\"}} +cause -lock -overlap";
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn after_the_overlap_the_way_back_is_one_too() {
    let request = request(json!({}));
    let phase = Phase::SwitchRollback(failed());
    let baking = |why: Value| {
        let mut snapshot = seen(switched(json!({marks::LOCK: why})), Some(blue(json!({}))));
        snapshot.set(pods_of(BOTH), both());
        snapshot
    };
    let widen = "patch services/web {\"selector\":{\"app\":\"web\",\"landfall/version\":null}} \
        +cause +lock +overlap +rolled-back +rolled-back-at -superseded";
    let cut = "patch services/web {\"selector\":{\"app\":\"web\",\"landfall/version\":null,\
        \"pod-template-hash\":\"h\"}} +cause +lock +rolled-back +rolled-back-at -superseded";
    let mut dead = baking(asked());
    dead.change(pods_of(BOTH), |it: &mut Vec<ServicePod>| {
        let new = it.iter_mut().filter(|pod| pod.owner == "web-blue-h");
        new.for_each(|pod| pod.ready = false);
    });
    let cut_lock = json!(lock("job-2", "run-2"));
    for (name, snapshot, expected) in [
        ("both serve", baking(asked()), widen),
        ("nothing is left of the new one", dead, cut),
        (
            "others have these labels",
            with_pods_of(baking(asked()), "api"),
            cut,
        ),
        ("the switch was a cut", baking(cut_lock), cut),
    ] {
        let found = decided(&request, &phase, &snapshot, at(62));
        assert_eq!(found, expected, "{name}");
    }
    let going_back = |since| {
        let failed = json!({marks::ROLLED_BACK: "job-2", marks::CAUSE: "it broke"});
        under_way(Leaves::New, since, failed)
    };
    let mut behind = going_back(None);
    behind.set(endpoints_of("web"), endpoints("web-blue"));
    let mut gone = going_back(Some(61));
    gone.set(
        pods_of("app=web,landfall/version=blue"),
        Vec::<ServicePod>::new(),
    );
    let end =
        "patch services/web {\"selector\":{\"app\":\"web\",\"pod-template-hash\":\"h\"}} -overlap";
    let mut lost = going_back(None);
    lost.set(
        pods_of("app=web,pod-template-hash=h"),
        Vec::<ServicePod>::new(),
    );
    let keep = "patch services/web {\"selector\":{\"app\":\"web\",\
        \"landfall/version\":\"blue\"}} -overlap";
    let waits = "wait 1s Overlap { stays: \"web\", until: None }";
    for (name, snapshot, now, expected) in [
        ("the endpoints lag", behind, 61, waits),
        (
            "it counts",
            going_back(None),
            61,
            "patch services/web null +overlap",
        ),
        (
            "both serve",
            going_back(Some(61)),
            62,
            "wait 4s Overlap { stays: \"web\", until: Some(2026-01-01T00:02:31Z) }",
        ),
        ("the new one leaves", going_back(Some(61)), 151, end),
        ("it has left by itself", gone, 62, end),
        ("there is no more time", going_back(None), 900, end),
        ("the old one may come back", lost.clone(), 62, waits),
        ("and does not", lost, 900, keep),
    ] {
        let found = decided(&request, &phase, &snapshot, at(now));
        assert_eq!(found, expected, "{name}");
    }
}

/// Whoever comes after a deploy that died while both served begins from the version that was in
/// service all the time.
#[test]
fn an_overlap_of_a_dead_deploy_is_ended() {
    let request = request(json!({}));
    let dead = json!({marks::LOCK: lock_of("job-1", json!("asked")), marks::JOB: "job-1"});
    let end =
        "patch services/web {\"selector\":{\"app\":\"web\",\"pod-template-hash\":\"h\"}} -overlap";
    let decided = |snapshot: &Snapshot, now| decided(&request, &Phase::Start, snapshot, at(now));
    let forward = under_way(Leaves::Old, Some(61), dead.clone());
    assert_eq!(decided(&forward, 62), end);
    let mut gone = forward;
    gone.set(
        pods_of("app=web,pod-template-hash=h"),
        Vec::<ServicePod>::new(),
    );
    let keep = "patch services/web {\"selector\":{\"app\":\"web\",\
        \"landfall/version\":\"blue\"}} -overlap";
    assert_eq!(decided(&gone, 62), keep);
    // On the way back the old one must have its time, too.
    let mut failed = dead;
    merge(&mut failed, &json!({marks::ROLLED_BACK: "job-1"}));
    let back = |since| under_way(Leaves::New, since, failed.clone());
    assert_eq!(decided(&back(None), 62), "patch services/web null +overlap");
    assert!(decided(&back(Some(61)), 62).starts_with("wait 4s Overlap"));
    assert_eq!(decided(&back(Some(61)), 151), end);
}

/// What speaks against an overlap is said before anything is written, where one is asked for.
#[test]
fn others_with_the_same_labels_are_told_beforehand() {
    let blue = || service(json!({"app": "web", VERSION: "blue"}), json!({}));
    let serving = || {
        let mut snapshot = seen(blue(), Some(blue_that_served()));
        snapshot.set(Query::deployment("web-green"), None::<Workload>);
        with_pods_of(snapshot, "api")
    };
    let ask = |handover: Value| request(json!({"handover": handover, "images": {"app": "app:3"}}));
    let told = decided(&ask(json!("overlap")), &Phase::Start, &serving(), at(1));
    let expected = "`handover` asks for an overlap, and without the version Service `web` selects \
        by `app=web`, which pod `api-h-1` of others has, too";
    assert!(told.starts_with(expected), "{told}");
    let cut = decided(&ask(json!("cut")), &Phase::Start, &serving(), at(1));
    assert!(cut.starts_with("patch services/web null +lock"), "{cut}");
    let bare = service(json!({VERSION: "blue"}), json!({}));
    let mut bare = seen(bare, Some(blue_that_served()));
    bare.set(Query::deployment("web-green"), None::<Workload>);
    bare.set(pods_of("landfall/version=blue"), members("web-blue"));
    let told = decided(&ask(json!({"overlap": "9s"})), &Phase::Start, &bare, at(1));
    assert!(
        told.contains("selects by nothing but the version"),
        "{told}"
    );
}

fn blue_that_served() -> Workload {
    let notes = json!({"metadata": {"annotations": {marks::JOB: "job-0"}}});
    let blue = blue(notes);
    let plain = json!({"spec": {"replicas": 2}});
    let mut object = blue.value().clone();
    merge(&mut object, &plain);
    Workload::new(workload::Kind::Deployment, object)
}

/// A canary by pods behind a load balancer: the new pods have their share only once they are
/// healthy there, and the old ones leave only when all of the new ones are.
#[test]
fn a_canary_by_pods_waits_for_the_load_balancer_as_well() {
    let canary = request(json!({"strategy": "canary", "steps": [{"weight": 50, "bake": "10s"}]}));
    let front = json!({"front": {"object": ["Ingress", "web"], "balancer": "Application"}});
    let lock = json!({"execution": "run-2", "job": "job-2", "version": "blue",
        "since": at(0).to_string(), "deadline": at(900).to_string(),
        "handover": {"seconds": 60, "why": front},
        "pinned": {"app": "web", TEMPLATE_HASH: "h"}, "selector": {"app": "web"},
        "share": {"step": 0, "percent": 50, "at": at(6).to_string()}});
    let notes = json!({marks::LOCK: lock.to_string(),
        marks::ORIGINAL_SELECTOR: r#"{"app":"web"}"#});
    let wide = service(json!({"app": "web"}), notes);
    let mut snapshot = seen(wide, Some(blue(json!({}))));
    sends_to_both(&mut snapshot);
    snapshot.pods = Some(PodSnapshot {
        at: at(76),
        set: ReplicaSet::default(),
        pods: Ok(Pods::default()),
    });
    let found = decided(&canary, &Phase::Switch, &snapshot, at(20));
    assert!(found.starts_with("wait 56s Share"), "{found}");
    let found = decided(&canary, &Phase::Switch, &snapshot, at(76));
    let both_serve = "patch services/web {\"selector\":{\"app\":\"web\"}} -cause +deployed-at \
        +execution +from +handover +job +lock +overlap";
    assert!(found.starts_with(both_serve), "{found}");
}

#[test]
fn the_time_of_a_load_balancer_must_fit_into_the_timeout() {
    let plain = || seen(service(json!({"app": "web"}), json!({})), None);
    let canary = json!({"strategy": "canary", "steps": [10, 50], "bake": "10s"});
    let behind = || {
        let mut snapshot = plain();
        let balancer = json!({"metadata": {"name": "web", "annotations":
            {"alb.ingress.kubernetes.io/target-type": "ip"}},
            "spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "web"}}}});
        snapshot.set(list_of(Items::Ingresses), Listed::Items(vec![balancer]));
        snapshot
    };
    let of = |mut fields: Value, timeout: &str| {
        fields["timeout"] = json!(timeout);
        request(fields)
    };
    let fits = "patch services/web";
    let rows = [
        (
            of(json!({"handover": "overlap"}), "2m"),
            plain(),
            "`timeout` is 2 min, and a load balancer in front of Service `web` needs up to 1 min \
             30 s to see new pods healthy (`handover`), which takes 2 min with all bakes",
        ),
        (of(json!({"handover": "overlap"}), "3m"), plain(), fits),
        (
            of(json!({}), "1m"),
            behind(),
            "`timeout` is 1 min, and a load balancer in front of Service `web` needs up to 1 min",
        ),
        (of(json!({"handover": "cut"}), "1m"), behind(), fits),
        (
            of(canary.clone(), "3m"),
            behind(),
            "`timeout` is 3 min, and a load balancer in front of Service `web` needs up to 1 min \
             with each share to see new pods healthy (`handover`), which takes 3 min 30 s",
        ),
        (of(canary.clone(), "4m"), behind(), fits),
        (of(canary, "1m"), plain(), fits),
    ];
    for (request, snapshot, expected) in rows {
        let found = decided(&request, &Phase::Start, &snapshot, at(1));
        assert!(found.starts_with(expected), "{found}");
    }
}
