mod watched;

use super::*;
use crate::change::editor::Editor;
use crate::change::{self, Change, asked};
use crate::kubernetes::pod::{Container, Pod, Pods, State};
use crate::kubernetes::service::Autoscaler;
use crate::problem::Fault;
use crate::report::cause::{PREVIOUS, cause, recorded};
use crate::request::Request;
use crate::snapshot::{DryRun, Kind, Query, Snapshot};
use crate::state::continuation::{CAUSE_LIMIT, Continuation, Reason, RecordedFailure};
use crate::state::marks;
use crate::strategy::causes::{RolloutCause, RolloutFailure};
use crate::strategy::{Failure, RollbackResult, Stage, Success, Version, Wait};
use crate::tests::{self, at, merge, overlay, replica_set};
use crate::workload::health::diagnosis::{self, Evidence, Explanation, PodSnapshot, Served};
use crate::workload::health::rollout::serving::Serving;
use crate::workload::health::rollout::{Obstacle, Progress, WaitsFor};
use crate::workload::health::steadiness::{Roster, Steady};
use crate::workload::replica_set::ReplicaSet;
use crate::workload::{self, REVISION};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// The decision once the last look is remembered, which is a step of its own.
fn decide(
    request: &Request,
    continuation: &Continuation,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Decision {
    let decision = super::decide(&known(request, continuation, snapshot, now));
    let Decision::Remember(sights) = decision else {
        return worded(decision);
    };
    let continuation = Continuation {
        sights,
        ..continuation.clone()
    };
    worded(super::decide(&known(request, &continuation, snapshot, now)))
}

fn known<'a>(
    request: &'a Request,
    continuation: &'a Continuation,
    snapshot: &'a Snapshot,
    now: Timestamp,
) -> Context<'a> {
    Context {
        request,
        continuation,
        snapshot,
        now,
    }
}

/// The decision with its causes in words.
fn worded(decision: Decision) -> Decision {
    if let Decision::RollBack(undo) = decision {
        let failure = recorded(undo.failure.clone());
        let author = change::Author {
            execution: "run-2",
            job: "job-2",
            now: at(0),
        };
        return Decision::Act(undo.action(&author, failure));
    }
    let Decision::GiveUp(Failure::Rollout {
        failure,
        mut rollback_result,
    }) = decision
    else {
        return decision;
    };
    if let RollbackResult::RollbackFailed(_, why) = &mut rollback_result {
        *why = RolloutCause::Recorded(cause(why, PREVIOUS));
    }
    Decision::GiveUp(Failure::Rollout {
        failure: recorded(*failure).into(),
        rollback_result,
    })
}

/// A request for a new image, with more fields.
fn request(more: Value) -> Request {
    let mut fields = json!({"deployment": "web", "images": {"app": "app:2"},
            "execution": "run-2"});
    merge(&mut fields, &more);
    tests::request("job-2", &fields)
}

fn manifest(more: Value) -> Value {
    let mut manifest = json!({"spec": {"replicas": 5,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}});
    merge(&mut manifest, &more);
    json!({"manifest": manifest})
}

fn merged(base: &Value, changes: Value) -> Value {
    let mut all = base.clone();
    merge(&mut all, &changes);
    all
}

/// The new version as it serves, written by this deploy, with some fields that differ.
fn live(changes: Value) -> Workload {
    let mut object = json!({
            "metadata": {"name": "web", "uid": "uid-1", "resourceVersion": "41", "generation": 4,
                "annotations": {REVISION: "2", marks::JOB: "job-2", marks::EXECUTION: "run-2",
                    marks::GENERATION: "4", marks::PREVIOUS: "web-1@1",
                    marks::DEPLOYED_AT: at(5).to_string()}},
            "spec": {"replicas": 2, "minReadySeconds": 1, "selector": {"matchLabels": {"app": "web"}},
                "template": template("app:2")},
            "status": {"observedGeneration": 4, "replicas": 2, "updatedReplicas": 2,
                "availableReplicas": 2}});
    merge(&mut object, &changes);
    Workload::new(workload::Kind::Deployment, object)
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": image}]}})
}

/// The version before, which nobody of us wrote.
fn before(changes: Value) -> Workload {
    let mut all = json!({
            "metadata": {"generation": 3, "annotations": {REVISION: "1", marks::JOB: null,
                marks::EXECUTION: null, marks::GENERATION: null, marks::PREVIOUS: null,
                marks::DEPLOYED_AT: null}},
            "spec": {"template": template("app:1")},
            "status": {"observedGeneration": 3}});
    overlay(&mut all, &changes);
    live(all)
}

/// Another deploy's version after ours.
fn theirs(changes: Value) -> Value {
    let mut all = json!({"metadata": {"generation": 5,
                "annotations": {marks::JOB: "job-3", marks::EXECUTION: "run-3"}},
            "spec": {"template": template("app:3")}});
    overlay(&mut all, &changes);
    all
}

fn deleting() -> Value {
    json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
}

/// One of two pods is not available.
fn short() -> Value {
    json!({"status": {"availableReplicas": 1}})
}

/// The same, and Kubernetes has given it up.
fn exceeded() -> Value {
    json!({"status": {"availableReplicas": 1, "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                "lastUpdateTime": "2026-01-01T00:00:30Z"}]}})
}

fn set(name: &str, revision: u64, available: i64) -> ReplicaSet {
    ReplicaSet {
        template_hash: format!("hash-{revision}"),
        ..replica_set(name, "uid-1", revision, available)
    }
}

fn old_and_new(available: i64) -> Vec<ReplicaSet> {
    vec![set("web-1", 1, 0), set("web-2", 2, available)]
}

fn seen(deployment: Workload) -> Snapshot {
    Snapshot::of(deployment)
}

/// There is no Deployment.
fn absent() -> Snapshot {
    Snapshot::default().with_deployment("web", None)
}

fn seen_with(deployment: Workload, sets: Vec<ReplicaSet>) -> Snapshot {
    let sets_query = Query::replica_sets(&deployment.selector());
    seen(deployment).with(sets_query, sets)
}

/// All that a failed rollout looks at, up to the template to return to.
fn seen_failing(deployment: Workload, previous: Option<Value>) -> Snapshot {
    seen_with(deployment, old_and_new(1))
        .with_pods(sight(Ok(unready())))
        .with_explanation(explained())
        .with_previous(Ok(previous))
}

/// The newest look of all rows.
fn sight(pods: Result<Pods, String>) -> PodSnapshot {
    PodSnapshot {
        at: at(899),
        set: set("web-2", 2, 1),
        pods,
    }
}

/// One pod that runs and is not ready.
fn unready() -> Pods {
    let container = Container {
        name: "app".into(),
        state: State::Running,
        ..Container::default()
    };
    let pod = Pod {
        name: "web-2-x".into(),
        containers: vec![container],
        ..Pod::default()
    };
    Pods {
        others: vec![pod],
        ..Pods::default()
    }
}

/// All was read, and there was nothing.
fn explained() -> Explanation {
    Explanation {
        events: Some(Ok(Vec::new())),
        log: Some(Ok(Vec::new())),
    }
}

/// What is shown of [`seen_failing`]. Its text is held in `diagnosis`.
fn evidence(live: &Workload) -> Evidence {
    let sight = sight(Ok(unready()));
    let patience = Duration::from_secs(30);
    let finding = diagnosis::explain(&sight, at(0), patience);
    let finding = finding.as_ref();
    Evidence::of(
        live,
        Some(&sight),
        finding,
        &explained(),
        &at(0).into(),
        patience,
    )
}

fn begun(phase: Phase) -> Continuation {
    Continuation {
        phase,
        ..Continuation::begin("job-2", at(0), Duration::from_secs(900))
    }
}

fn previous() -> Previous {
    Previous {
        name: "web-1".into(),
        revision: 1,
    }
}

fn rollout() -> Rollout {
    Rollout {
        written: WriteReceipt::new(None, &live(json!({})), at(0)),
        wrote: true,
        changed_since: false,
        previous: Some(previous()),
    }
}

/// Back at the version before, by an undo.
fn undone(changes: Value) -> Workload {
    let mut all = json!({"metadata": {"generation": 5, "annotations": {REVISION: "3",
                marks::ROLLED_BACK: "job-2", marks::CAUSE: "it broke"}},
            "spec": {"template": template("app:1")},
            "status": {"observedGeneration": 5}});
    overlay(&mut all, &changes);
    live(all)
}

fn rollback() -> Rollback {
    Rollback {
        written: WriteReceipt::new(None, &undone(json!({})), at(60)),
        revision: 1,
        failure: RecordedFailure::of("it broke"),
        deadline: at(960),
    }
}

/// What [`undone`] is called.
fn brought_back() -> Version {
    Version {
        revision: 3,
        image: "app:1".into(),
    }
}

fn progress(waits_for: WaitsFor, available: i64) -> Progress {
    Progress {
        waits_for,
        available,
        wanted: 2,
        obstacle: None,
    }
}

fn wait(progress: Progress, seconds: u64, rollback: bool) -> Decision {
    Decision::Wait(Wait {
        progress,
        rollback,
        at_most: Duration::from_secs(seconds),
        stage: Stage::Rollout,
    })
}

/// The template of the ReplicaSet that a rollback returned to has been read.
fn seen_back(deployment: Workload, template: Value) -> Snapshot {
    seen(deployment).with_previous(Ok(Some(template)))
}

fn look_at_previous() -> Decision {
    Decision::Read(Query::Get(Kind::ReplicaSet, "web-1".into()))
}

fn replica_sets() -> Decision {
    Decision::Read(Query::replica_sets("app=web"))
}

fn pods(selector: &str) -> Decision {
    let selector = selector.into();
    let (set, owner) = ("web-2".into(), "web-2".into());
    Decision::Read(Query::Pods {
        selector,
        set,
        owner,
    })
}

/// The image is another: who set it?
fn editor_query() -> Query {
    let steps = ["f:spec", "f:template", "f:spec", "f:containers"];
    let steps = steps.into_iter().chain(["k:{\"name\":\"app\"}", "f:image"]);
    Query::Editor {
        kind: Kind::Deployment,
        name: "web".into(),
        field: steps.map(str::to_owned).collect(),
    }
}

fn asks_who() -> Decision {
    Decision::Read(editor_query())
}

fn roster_query() -> Query {
    Query::Roster {
        selector: "app=web,pod-template-hash=hash-2".into(),
        owner: "web-2".into(),
    }
}

/// An autoscaler of the Deployment, or of another one.
fn scalers(of_web: bool) -> Vec<Autoscaler> {
    let name = if of_web { "web" } else { "api" };
    let target = json!({"kind": "Deployment", "name": name});
    vec![Autoscaler::new(json!({"spec": {"scaleTargetRef": target}}))]
}

fn out_of_sync(by: Option<&str>, wrote: bool) -> Decision {
    let by = by.map(str::to_owned);
    Decision::GiveUp(Failure::OutOfSync { by, wrote })
}

fn gives_up(cause: &str, evidence: Evidence, rollback_result: RollbackResult) -> Decision {
    let seen = evidence != Evidence::default();
    let in_a_pod = seen && cause.contains("in pod");
    Decision::GiveUp(Failure::Rollout {
        failure: Box::new(RolloutFailure {
            cause: RolloutCause::Recorded(cause.into()),
            kind: in_a_pod.then_some(diagnosis::Cause::NotReady),
            evidence,
            reason: None,
            traffic: None,
        }),
        rollback_result,
    })
}

type Row<'a> = (&'a str, Request, Snapshot, u64, Decision);

/// Each row: what is asked for, what is seen, when, and what must follow.
fn check(phase: &Phase, rows: Vec<Row>) {
    for (name, request, observation, seconds, expected) in rows {
        let continuation = begun(phase.clone());
        let mut decision = decide(&request, &continuation, &observation, at(seconds));
        // What serves is counted in tests of its own.
        if let Decision::GiveUp(Failure::Rollout { failure, .. }) = &mut decision {
            failure.evidence.serving = None;
        }
        assert_eq!(decision, expected, "{name}");
    }
}

#[test]
fn a_start_that_comes_to_nothing() {
    let patch = || request(json!({}));
    let put = |more: Value| request(manifest(more));
    let give_up = Decision::GiveUp;
    let fault = |problem: &str| give_up(Failure::Faults(vec![Fault::new("images.app", problem)]));
    let not_there = |listed: &str| {
        fault(&format!(
            "names container `app`, which the Deployment does not have; it has `{listed}`"
        ))
    };
    let other = json!({"spec": {"template":
            {"spec": {"containers": [{"name": "api", "image": "api:1"}]}}}});
    let paused = json!({"spec": {"paused": true}});
    let superseded = theirs(json!({"metadata": {"annotations": {
            marks::SUPERSEDED: "job-9,job-2,job-1"}}}));
    let superseded_and_deadline = seen(live(superseded.clone()));
    let none = || absent();
    check(
        &Phase::Start,
        vec![
            ("missing", patch(), none(), 1, give_up(Failure::Missing)),
            (
                "missing, too late",
                patch(),
                none(),
                900,
                give_up(Failure::TooLate),
            ),
            (
                "missing, a container too",
                put(other.clone()),
                none(),
                1,
                not_there("api"),
            ),
            (
                "being deleted",
                patch(),
                seen(before(deleting())),
                1,
                give_up(Failure::BeingDeleted),
            ),
            (
                "superseded",
                patch(),
                seen(live(superseded)),
                1,
                out_of_sync(Some("run-3"), true),
            ),
            (
                "superseded, too late",
                patch(),
                superseded_and_deadline,
                9000,
                out_of_sync(Some("run-3"), true),
            ),
            (
                "too late",
                patch(),
                seen(before(json!({}))),
                900,
                give_up(Failure::TooLate),
            ),
            (
                "paused",
                patch(),
                seen(before(paused.clone())),
                1,
                give_up(Failure::Paused),
            ),
            (
                "paused, a manifest that does not say",
                put(json!({})),
                seen(before(paused)),
                1,
                give_up(Failure::Paused),
            ),
            (
                "another container",
                patch(),
                seen_with(before(other), vec![]),
                1,
                not_there("api"),
            ),
        ],
    );
}

/// The Service of a first switch is held to the pods that a rollout would replace.
#[test]
fn a_deployment_beside_which_a_switch_is_at_work_is_not_rolled() {
    let of = |name: &str, version: &str, pods: i64| ReplicaSet {
        template_hash: "h".into(),
        version: version.into(),
        replicas: pods,
        ..replica_set(name, "uid-blue", 1, pods)
    };
    let retired = json!({"metadata": {"annotations": {marks::REPLICAS: "2"}}});
    let rows = [
        ("at work", json!({}), of("web-blue-h", "blue", 1), true),
        ("over", json!({}), of("web-blue-h", "blue", 0), false),
        (
            "on its way back to rolling",
            retired,
            of("web-blue-h", "blue", 2),
            false,
        ),
        ("of another", json!({}), of("api-blue-h", "blue", 2), false),
        ("of nobody", json!({}), of("web-blue-h", "", 2), false),
    ];
    for (name, changes, other, refused) in rows {
        let sets = vec![set("web-1", 1, 2), other];
        let seen = || seen_with(before(changes.clone()), sets.clone());
        for asked in [json!({}), json!({"mode": "rollback", "images": null})] {
            let is_rollback = !asked["mode"].is_null();
            let decision = decide(&request(asked), &begun(Phase::Start), &seen(), at(1));
            let told = format!("{decision:?}");
            let found = told.contains("`web-blue` runs beside `web`");
            assert_eq!(found, refused, "{name}, {is_rollback}: {told}");
        }
    }
}

#[test]
fn a_start_that_looks_and_writes() {
    let patch = request(json!({}));
    let put = request(manifest(json!({})));
    let same = request(json!({"images": {"app": "app:1"}}));
    let resume = request(manifest(json!({"spec": {"paused": false}})));
    let continuation = begun(Phase::Start);
    let plan = |request: &Request, sets: &[ReplicaSet], autoscaled| {
        let live = before(json!({}));
        let snapshot = Snapshot::default();
        let author = known(request, &continuation, &snapshot, at(1)).author();
        match change::plan(request, &live, sets, autoscaled, &author).unwrap() {
            Change::Patch(patch) => Decision::Act(Action::Patch(patch)),
            Change::Put(object) => Decision::Act(Action::Put(object)),
            Change::Nothing => panic!("there is something to change"),
        }
    };
    let sets = vec![set("web-1", 1, 2)];
    let found = || seen_with(before(json!({})), sets.clone());
    let scaled = |autoscaled| found().with(Query::autoscalers(), scalers(autoscaled));
    let nothing = Snapshot::default();
    let author = known(&put, &continuation, &nothing, at(1)).author();
    let create = change::create(&put, &author).unwrap();
    let autoscalers = Decision::Read(Query::autoscalers());
    let paused = before(json!({"spec": {"paused": true}}));
    let unwritten = Decision::Enter(Phase::Rollout(Rollout {
        written: WriteReceipt::adopted(&before(json!({})), at(1)),
        wrote: false,
        changed_since: false,
        previous: None,
    }));
    let unchanged = request(merged(
        &manifest(json!({})),
        json!({"images": {"app": "app:1"}}),
    ));
    let restarted = request(merged(
        &manifest(json!({})),
        json!({"images": {"app": "app:1"}, "restart": true}),
    ));
    let would = |seen: Snapshot, after: Workload| seen.with_dry_run(DryRun::Would(after));
    let tried = |autoscaled| {
        let Decision::Act(action) = plan(&put, &sets, autoscaled) else {
            panic!("it is written");
        };
        Decision::Read(Query::DryRun(Box::new(action.call(&put).dry_run())))
    };
    let nothing = Snapshot::default();
    let of_before = seen(before(json!({})));
    let created = Decision::Act(Action::Create(create));
    check(
        &Phase::Start,
        vec![
            (
                "nothing seen",
                patch.clone(),
                nothing,
                1,
                Decision::Read(Query::deployment("web")),
            ),
            ("missing, a manifest", put.clone(), absent(), 1, created),
            (
                "sets not read",
                patch.clone(),
                of_before.clone(),
                1,
                replica_sets(),
            ),
            (
                "the last moment",
                patch.clone(),
                of_before,
                899,
                replica_sets(),
            ),
            (
                "a manifest that resumes",
                resume,
                seen(paused),
                1,
                replica_sets(),
            ),
            (
                "it differs",
                patch.clone(),
                found(),
                1,
                plan(&patch, &sets, false),
            ),
            ("it does not", same, found(), 1, unwritten.clone()),
            (
                "a manifest that scales",
                put.clone(),
                found(),
                1,
                autoscalers,
            ),
            ("and may", put.clone(), scaled(false), 1, tried(false)),
            (
                "and may, the server would do as it is asked",
                put.clone(),
                would(scaled(false), live(json!({}))),
                1,
                plan(&put, &sets, false),
            ),
            (
                "and may, and it cannot be tried",
                put.clone(),
                scaled(false).with_dry_run(DryRun::Unable),
                1,
                plan(&put, &sets, false),
            ),
            (
                "the server would make something else of it",
                put.clone(),
                would(scaled(false), before(json!({}))),
                1,
                Decision::GiveUp(Failure::Faults(vec![
                    asked::lost(&put, &before(json!({}))).unwrap().fault(&put),
                ])),
            ),
            (
                "the server would change nothing",
                unchanged.clone(),
                would(
                    scaled(false),
                    before(json!({"metadata": {"annotations": {
                    marks::JOB: "job-2", marks::GENERATION: "4"}}})),
                ),
                1,
                unwritten.clone(),
            ),
            (
                "it would, but for a restart",
                restarted.clone(),
                would(scaled(false), before(json!({}))),
                1,
                plan(&restarted, &sets, false),
            ),
            (
                "and may not",
                put.clone(),
                would(scaled(true), live(json!({}))),
                1,
                plan(&put, &sets, true),
            ),
        ],
    );
    assert_ne!(plan(&put, &sets, false), plan(&put, &sets, true));
}

#[test]
fn a_start_that_was_made_before() {
    let patch = || request(json!({}));
    let taken_up = |live: &Workload, seconds, previous| {
        Decision::Enter(Phase::Rollout(Rollout {
            written: WriteReceipt::adopted(live, at(seconds)),
            wrote: true,
            changed_since: false,
            previous,
        }))
    };
    let ours = live(json!({}));
    let scaled = live(json!({"metadata": {"generation": 5}, "spec": {"replicas": 3}}));
    let changed = live(json!({"metadata": {"generation": 5},
            "spec": {"template": template("app:3")}}));
    let bare = live(
        json!({"metadata": {"annotations": {marks::DEPLOYED_AT: null,
            marks::PREVIOUS: null}}}),
    );
    let unrelated = live(json!({"metadata": {"annotations": {marks::ROLLED_BACK: "job-1"}}}));
    let paused = live(json!({"spec": {"paused": true}}));
    let taken_back = Decision::Enter(Phase::Rollback(Rollback {
        written: WriteReceipt::new(None, &undone(json!({})), at(70)),
        deadline: at(970),
        ..rollback()
    }));
    let past = at(5);
    assert_eq!(WriteReceipt::adopted(&ours, past).at, past);
    let followed = |live: &Workload| taken_up(live, 5, Some(previous()));
    let touched = |live: &Workload| {
        Decision::Enter(Phase::Rollout(Rollout {
            written: WriteReceipt::adopted(live, past),
            wrote: true,
            changed_since: true,
            previous: Some(previous()),
        }))
    };
    let three = [old_and_new(1), vec![set("web-3", 3, 1)]].concat();
    check(
        &Phase::Start,
        vec![
            (
                "ours again",
                patch(),
                seen(ours.clone()),
                60,
                followed(&ours),
            ),
            (
                "ours again, late",
                patch(),
                seen(ours.clone()),
                9000,
                followed(&ours),
            ),
            (
                "ours, scaled since",
                patch(),
                seen_with(scaled.clone(), old_and_new(1)),
                60,
                touched(&scaled),
            ),
            (
                "ours, and a third template since, with our image",
                patch(),
                seen_with(scaled.clone(), three),
                60,
                touched(&scaled),
            ),
            (
                "ours, paused since",
                patch(),
                seen(paused.clone()),
                60,
                followed(&paused),
            ),
            (
                "without its notes",
                patch(),
                seen(bare.clone()),
                60,
                taken_up(&bare, 60, None),
            ),
            (
                "overwritten",
                patch(),
                seen_with(changed.clone(), old_and_new(1)),
                60,
                asks_who(),
            ),
            (
                "overwritten, by whom is read",
                patch(),
                seen_with(changed.clone(), old_and_new(1)).with(editor_query(), None::<Editor>),
                60,
                Decision::GiveUp(Failure::Overwritten {
                    lost: asked::lost(&patch(), &changed).unwrap(),
                    editor: None,
                }),
            ),
            (
                "rolled back, its template not read",
                patch(),
                seen(undone(json!({}))),
                70,
                look_at_previous(),
            ),
            (
                "rolled back",
                patch(),
                seen_back(undone(json!({})), template("app:1")),
                70,
                taken_back,
            ),
            (
                "rolled back, and changed by someone since",
                patch(),
                seen_back(undone(json!({})), template("app:9")),
                70,
                gives_up(
                    "it broke",
                    Evidence::default(),
                    RollbackResult::OvertakenBy(None),
                ),
            ),
            (
                "an older rollback's note",
                patch(),
                seen(unrelated.clone()),
                60,
                followed(&unrelated),
            ),
        ],
    );
}

/// A call without a pipeline can come again for days.
#[test]
fn what_a_deploy_did_long_ago_is_followed_and_not_undone() {
    let ours = live(json!({}));
    for (seconds, wrote) in [(4000, true), (5000, false)] {
        let continuation = Continuation::begin("job-2", at(seconds), Duration::from_secs(900));
        let decision = decide(
            &request(json!({})),
            &continuation,
            &seen(ours.clone()),
            at(seconds),
        );
        let Decision::Enter(Phase::Rollout(rollout)) = decision else {
            panic!("{decision:?}");
        };
        assert_eq!(rollout.wrote, wrote, "{seconds}");
    }
}

#[test]
fn a_rollback_that_is_taken_up_again_keeps_to_its_bounds() {
    let long = json!({"metadata": {"annotations": {marks::CAUSE: "c".repeat(5000)}}});
    let mut exceeded = exceeded();
    overlay(&mut exceeded, &long);
    let live = undone(exceeded);
    for (timeout, deadline) in [("5m", 360), ("2h", 960)] {
        let request = request(json!({"timeout": timeout}));
        let seen = seen_back(live.clone(), template("app:1"));
        let decision = decide(&request, &begun(Phase::Start), &seen, at(60));
        let Decision::Enter(Phase::Rollback(rollback)) = decision else {
            panic!("it goes on with the rollback, and not: {decision:?}")
        };
        assert_eq!(rollback.deadline, at(deadline), "{timeout}");
        assert_eq!(rollback.failure.cause.len(), CAUSE_LIMIT);
        // The deadline that the new version missed is not the old one's.
        let stale = rollback.written.stale_deadline.as_deref();
        assert_eq!(stale, Some("2026-01-01T00:00:30Z"));
    }
}

#[test]
fn a_rollout_that_is_followed() {
    let patch = || request(json!({}));
    let older = live(json!({"metadata": {"generation": 3},
            "status": {"observedGeneration": 3}}));
    let older_and_odd = before(deleting());
    let unobserved = || progress(WaitsFor::Observation, 0);
    let available = |count| progress(WaitsFor::Availability, count);
    let paused = live(json!({"spec": {"paused": true}, "status": {"availableReplicas": 1}}));
    let hpa = live(json!({"metadata": {"generation": 5}}));
    let finished = |live: Workload| {
        Decision::Finish(Success {
            deployment: live,
            revision: None,
            wrote: true,
            previous_revision: Some(1),
            switched: None,
            note: None,
        })
    };
    let done = || live(json!({}));
    let looked = |live| seen(live).with_pods(sight(Ok(Pods::default())));
    let up = || seen_with(done(), old_and_new(2));
    let behind = || seen_with(done(), old_and_new(1));
    let resumed = progress(WaitsFor::Resumption, 1);
    check(
        &Phase::Rollout(rollout()),
        vec![
            (
                "nothing seen",
                patch(),
                Snapshot::default(),
                60,
                Decision::Read(Query::deployment("web")),
            ),
            (
                "an older object",
                patch(),
                seen(older),
                60,
                wait(unobserved(), 1, false),
            ),
            (
                "an older object says nothing",
                patch(),
                seen(older_and_odd),
                60,
                wait(unobserved(), 1, false),
            ),
            (
                "a change that is not observed",
                patch(),
                seen(hpa),
                60,
                wait(unobserved(), 1, false),
            ),
            (
                "not available",
                patch(),
                seen(live(short())),
                1,
                wait(available(1), 3, false),
            ),
            (
                "not available near the end",
                patch(),
                looked(live(short())),
                898,
                wait(available(1), 2, false),
            ),
            (
                "paused meanwhile",
                patch(),
                seen(paused),
                60,
                wait(resumed, 10, false),
            ),
            (
                "complete, sets not read",
                patch(),
                seen(done()),
                60,
                replica_sets(),
            ),
            (
                "complete and confirmed",
                patch(),
                up(),
                60,
                finished(done()),
            ),
            ("complete in the end", patch(), up(), 9000, finished(done())),
            (
                "not confirmed",
                patch(),
                behind(),
                60,
                wait(available(2), 1, false),
            ),
        ],
    );
}

#[test]
fn a_rollout_that_was_overtaken() {
    let patch = || request(json!({}));
    let by_us = |changes: Value| {
        let mut all = json!({"metadata": {"annotations": {marks::JOB: "job-2"}}});
        overlay(&mut all, &changes);
        theirs(all)
    };
    let recreated = live(theirs(
        json!({"metadata": {"uid": "uid-2", "generation": 1}}),
    ));
    let taken_back = |live: &Workload| {
        Decision::Enter(Phase::Rollback(Rollback {
            written: WriteReceipt::new(None, live, at(60)),
            ..rollback()
        }))
    };
    let undone = undone(json!({}));
    let other = |wrote| match wrote {
        true => asks_who(),
        false => out_of_sync(None, false),
    };
    let gone = |wrote| {
        Decision::Enter(Phase::Rollout(Rollout {
            wrote,
            ..rollout_that_is_gone(60)
        }))
    };
    let rows = |wrote| {
        vec![
            ("gone", patch(), absent(), 60, gone(wrote)),
            (
                "being deleted",
                patch(),
                seen(live(deleting())),
                60,
                gone(wrote),
            ),
            (
                "another object",
                patch(),
                seen(recreated.clone()),
                60,
                out_of_sync(Some("run-3"), wrote),
            ),
            (
                "another deploy",
                patch(),
                seen(live(theirs(json!({})))),
                60,
                out_of_sync(Some("run-3"), wrote),
            ),
            (
                "another deploy, late",
                patch(),
                seen(live(theirs(json!({})))),
                9000,
                out_of_sync(Some("run-3"), wrote),
            ),
            (
                "another template by nobody of us",
                patch(),
                seen(live(by_us(json!({})))),
                60,
                other(wrote),
            ),
            (
                "our own rollback",
                patch(),
                seen_back(undone.clone(), template("app:1")),
                60,
                taken_back(&undone),
            ),
            (
                "a rollback of another job",
                patch(),
                seen(live(by_us(json!({"metadata": {
                        "annotations": {marks::ROLLED_BACK: "job-1"}}})))),
                60,
                other(wrote),
            ),
        ]
    };
    check(&Phase::Rollout(rollout()), rows(true));
    let unwritten = Rollout {
        wrote: false,
        changed_since: false,
        ..rollout()
    };
    check(&Phase::Rollout(unwritten), rows(false));
}

/// The Deployment of the rollout was seen to be gone so many seconds after the new year.
fn rollout_that_is_gone(seconds: u64) -> Rollout {
    let rollout = rollout();
    Rollout {
        written: WriteReceipt {
            gone: Some(at(seconds)),
            ..rollout.written
        },
        ..rollout
    }
}

#[test]
fn a_deployment_that_is_gone_is_told_with_the_pods_that_it_left() {
    let patch = || request(json!({}));
    let left = |sets: Vec<ReplicaSet>| {
        let selector = live(json!({})).selector();
        absent().with(Query::replica_sets(&selector), sets)
    };
    let orphans = || {
        let mut sets = old_and_new(1);
        for set in &mut sets {
            set.owner.clear();
        }
        sets
    };
    let others = || {
        vec![ReplicaSet {
            owner: "uid-9".into(),
            ..set("web-7", 7, 5)
        }]
    };
    let end = |available, wanted| {
        let serving = Serving { available, wanted };
        Decision::GiveUp(Failure::Deleted(Some(serving)))
    };
    let leaves = |available| {
        wait(
            Progress {
                wanted: 0,
                ..progress(WaitsFor::OldPods(available), 0)
            },
            1,
            false,
        )
    };
    let asks = Decision::Read(Query::replica_sets(&live(json!({})).selector()));
    check(
        &Phase::Rollout(rollout_that_is_gone(60)),
        vec![
            ("what is left is not known", patch(), absent(), 60, asks),
            (
                "its versions go with it",
                patch(),
                left(old_and_new(1)),
                60,
                leaves(1),
            ),
            ("they are gone", patch(), left(others()), 62, end(0, 1)),
            (
                "their pods are",
                patch(),
                left(old_and_new(0)),
                62,
                end(0, 1),
            ),
            ("orphans serve on", patch(), left(orphans()), 62, end(1, 1)),
            (
                "nobody collects them",
                patch(),
                left(old_and_new(1)),
                70,
                end(1, 1),
            ),
        ],
    );
    let first = Rollout {
        previous: None,
        ..rollout_that_is_gone(60)
    };
    check(
        &Phase::Rollout(first),
        vec![(
            "nothing served before",
            patch(),
            left(others()),
            62,
            end(0, 0),
        )],
    );
}

const EXCEEDED: &str = "Kubernetes saw no progress for 10 min (progressDeadlineSeconds), with \
        1 of 2 new pods available";
const IN_A_POD: &str = "`app` in pod `web-2-x` runs and is not ready";

/// Pods of which none will ever start.
fn hopeless() -> Pods {
    let mut pods = unready();
    pods.others[0].containers[0].state = State::Waiting {
        reason: "InvalidImageName".into(),
        message: String::new(),
    };
    pods
}

#[test]
fn pods_are_looked_at_in_their_own_time() {
    let patch = || request(json!({}));
    let stuck = || live(short());
    let looked = |pods| {
        seen_with(stuck(), old_and_new(1)).with_pods(PodSnapshot {
            at: at(20),
            ..sight(pods)
        })
    };
    let pods = || pods("app=web,pod-template-hash=hash-2");
    let waits = |seconds| wait(progress(WaitsFor::Availability, 1), seconds, false);
    let mut doubtful = unready();
    doubtful.others[0].containers[0].restarts = 1;
    let told = Progress {
        obstacle: Some(Obstacle::Told(
            "`app` in pod `web-2-x` runs (it was restarted once) and is not ready".into(),
        )),
        ..progress(WaitsFor::Availability, 1)
    };
    let paused = live(json!({"spec": {"paused": true}, "status": {"availableReplicas": 1}}));
    let unmade = vec![set("web-1", 1, 2)];
    let events = Query::Events {
        kind: "Pod",
        name: "web-2-x".into(),
    };
    let refused = || looked(Err("HTTP 403".into()));
    check(
        &Phase::Rollout(rollout()),
        vec![
            ("right after the write", patch(), seen(stuck()), 1, waits(3)),
            ("soon after", patch(), seen(stuck()), 4, replica_sets()),
            (
                "then",
                patch(),
                seen_with(stuck(), old_and_new(1)),
                4,
                pods(),
            ),
            (
                "no new ReplicaSet",
                patch(),
                seen_with(stuck(), unmade),
                4,
                waits(4),
            ),
            (
                "nothing wrong",
                patch(),
                looked(Ok(unready())),
                21,
                waits(3),
            ),
            (
                "some time later",
                patch(),
                looked(Ok(unready())),
                24,
                pods(),
            ),
            ("unreadable", patch(), refused(), 24, waits(10)),
            ("unreadable, later", patch(), refused(), 50, pods()),
            (
                "suspicious",
                patch(),
                looked(Ok(doubtful)),
                22,
                wait(told, 2, false),
            ),
            (
                "doomed",
                patch(),
                looked(Ok(hopeless())),
                22,
                Decision::Read(events),
            ),
            (
                "paused",
                patch(),
                seen(paused),
                60,
                wait(progress(WaitsFor::Resumption, 1), 10, false),
            ),
        ],
    );
}

#[test]
fn a_doomed_rollout_is_undone_at_once() {
    let seen =
        seen_failing(live(short()), Some(template("app:1"))).with_pods(sight(Ok(hopeless())));
    let phase = Phase::Rollout(rollout());
    let decision = decide(&request(json!({})), &begun(phase), &seen, at(20));
    let Decision::Act(Action::Undo { failure, .. }) = decision else {
        panic!("{decision:?}")
    };
    assert_eq!(failure.kind, Some(diagnosis::Cause::ImageName));
    assert_eq!(
        failure.cause,
        "`app` in pod `web-2-x` cannot start: `app:2` is not a valid image name"
    );
}

#[test]
fn a_rollout_that_failed_is_looked_into_and_undone() {
    let patch = || request(json!({}));
    let failing = || live(exceeded());
    let unmade = vec![set("web-1", 1, 2)];
    let unhashed = ReplicaSet {
        template_hash: String::new(),
        ..set("web-2", 2, 1)
    };
    let told = |pods: Result<Pods, String>, explanation| {
        seen_with(failing(), old_and_new(1))
            .with_pods(sight(pods))
            .with_explanation(explanation)
    };
    let events_read = || Explanation {
        events: Some(Err("HTTP 403".into())),
        log: None,
    };
    let events = || {
        Decision::Read(Query::Events {
            kind: "Pod",
            name: "web-2-x".into(),
        })
    };
    let log = || {
        Decision::Read(Query::Log {
            pod: "web-2-x".into(),
            container: "app".into(),
            previous: false,
        })
    };
    let previous = || look_at_previous();
    let undo = |cause: &str, live: &Workload| {
        let operations = change::undo(live, &template("app:1"), "job-2", cause);
        Decision::Act(Action::Undo {
            operations,
            revision: 1,
            failure: RecordedFailure {
                cause: cause.into(),
                kind: Some(diagnosis::Cause::NotReady),
                evidence: evidence(live),
                reason: None,
            },
        })
    };
    let cause = format!("{IN_A_POD}; {EXCEEDED}");
    let late = format!(
        "{IN_A_POD}; the rollout was not complete within 15 min (timeout), with 1 of 2 new pods \
             available"
    );
    let unconfirmed = format!(
        "{IN_A_POD}; the rollout was not complete within 15 min (timeout), with 2 of 2 new pods \
             available"
    );
    let back = || Some(template("app:1"));
    let stuck = seen_failing(live(short()), back());
    let all_there = seen_failing(live(json!({})), back());
    check(
        &Phase::Rollout(rollout()),
        vec![
            (
                "sets not read",
                patch(),
                seen(failing()),
                60,
                replica_sets(),
            ),
            (
                "pods not read",
                patch(),
                seen_with(failing(), old_and_new(1)),
                60,
                pods("app=web,pod-template-hash=hash-2"),
            ),
            (
                "pods without a hash",
                patch(),
                seen_with(failing(), vec![unhashed]),
                60,
                pods("app=web"),
            ),
            (
                "no new ReplicaSet: the pods are the old ones",
                patch(),
                seen_with(failing(), unmade),
                60,
                previous(),
            ),
            (
                "events not read",
                patch(),
                told(Ok(unready()), Explanation::default()),
                60,
                events(),
            ),
            (
                "log not read",
                patch(),
                told(Ok(unready()), events_read()),
                60,
                log(),
            ),
            (
                "the way back not read",
                patch(),
                told(Ok(unready()), explained()),
                60,
                previous(),
            ),
            (
                "nothing to explain",
                patch(),
                told(Ok(Pods::default()), Explanation::default()),
                60,
                previous(),
            ),
            (
                "pods that cannot be read",
                patch(),
                told(Err("no".into()), Explanation::default()),
                60,
                previous(),
            ),
            (
                "given up by Kubernetes",
                patch(),
                seen_failing(failing(), back()),
                60,
                undo(&cause, &failing()),
            ),
            (
                "our own deadline",
                patch(),
                stuck.clone(),
                900,
                undo(&late, &live(short())),
            ),
            (
                "a second before",
                patch(),
                stuck,
                899,
                wait(progress(WaitsFor::Availability, 1), 1, false),
            ),
            (
                "complete and never confirmed",
                patch(),
                all_there,
                900,
                undo(&unconfirmed, &live(json!({}))),
            ),
        ],
    );
}

#[test]
fn a_rollout_that_failed_and_stays() {
    let patch = || request(json!({}));
    let no_rollback = || request(json!({"rollback": false}));
    let cause = format!("{IN_A_POD}; {EXCEEDED}");
    let failing = || live(exceeded());
    let end = |rollback_result| gives_up(&cause, evidence(&failing()), rollback_result);
    let to = |previous: Option<Value>| seen_failing(failing(), previous);
    let mut same = template("app:2");
    same["metadata"]["labels"]["pod-template-hash"] = json!("hash-2");
    let gone = || RollbackResult::PreviousGone("web-1".into());
    let unread = seen_with(failing(), old_and_new(1))
        .with_pods(sight(Err("HTTP 403".into())))
        .with_previous(Ok(None));
    let unread_line = Evidence {
        pods: vec!["The new pods could not be read: HTTP 403.".into()],
        ..Evidence::default()
    };
    check(
        &Phase::Rollout(rollout()),
        vec![
            (
                "rollback off",
                no_rollback(),
                to(None),
                60,
                end(RollbackResult::RollbackDisabled),
            ),
            ("previous gone", patch(), to(None), 60, end(gone())),
            (
                "previous equal",
                patch(),
                to(Some(same)),
                60,
                end(RollbackResult::NothingToRollBackTo),
            ),
            (
                "pods unread",
                patch(),
                unread,
                60,
                gives_up(EXCEEDED, unread_line, gone()),
            ),
        ],
    );
    let back = || to(Some(template("app:1")));
    let first = Rollout {
        previous: None,
        ..rollout()
    };
    let rows = vec![(
        "nothing served",
        patch(),
        back(),
        60,
        end(RollbackResult::NothingServed),
    )];
    check(&Phase::Rollout(first.clone()), rows);
    let anew = live(json!({"metadata": {"annotations": {REVISION: "1"}},
            "status": exceeded()["status"]}));
    let end_anew = gives_up(&cause, evidence(&anew), RollbackResult::NothingToRollBackTo);
    let rows = vec![(
        "the first ever",
        patch(),
        seen_failing(anew, None),
        60,
        end_anew,
    )];
    check(&Phase::Rollout(first.clone()), rows);
    let touched = Rollout {
        changed_since: true,
        ..rollout()
    };
    let rows = vec![(
        "changed by someone since",
        patch(),
        back(),
        60,
        end(RollbackResult::OvertakenBy(None)),
    )];
    check(&Phase::Rollout(touched), rows);
    let unwritten = Rollout {
        wrote: false,
        changed_since: false,
        ..first
    };
    let rows = vec![(
        "unwritten",
        no_rollback(),
        back(),
        60,
        end(RollbackResult::NothingWritten),
    )];
    check(&Phase::Rollout(unwritten), rows);
}

#[test]
fn a_rollback_is_followed_to_its_end() {
    let patch = || request(json!({}));
    let back = |changes: Value| seen(undone(changes));
    let sets = |available| vec![set("web-2", 2, 0), set("web-1", 3, available)];
    let up = |available| seen_with(undone(json!({})), sets(available));
    let looked_into = |changes: Value| {
        seen_with(undone(changes), sets(1)).with_pods(PodSnapshot {
            at: at(960),
            ..sight(Ok(Pods::default()))
        })
    };
    let end = |rollback_result| gives_up("it broke", Evidence::default(), rollback_result);
    let failed = |why: &str| {
        end(RollbackResult::RollbackFailed(
            brought_back(),
            RolloutCause::Recorded(why.into()),
        ))
    };
    let none_yet = || progress(WaitsFor::Availability, 1);
    let gone_since = || Rollback {
        written: WriteReceipt {
            gone: Some(at(90)),
            ..rollback().written
        },
        ..rollback()
    };
    let gone = || Decision::Enter(Phase::Rollback(gone_since()));
    let collected = absent().with(
        Query::replica_sets(&live(json!({})).selector()),
        Vec::<ReplicaSet>::new(),
    );
    check(
        &Phase::Rollback(gone_since()),
        vec![(
            "its versions, too",
            patch(),
            collected,
            92,
            end(RollbackResult::Deleted),
        )],
    );
    let overwritten = |changes: Value| seen(live(theirs(changes)));
    let older = json!({"metadata": {"generation": 4}, "status": {"observedGeneration": 4}});
    let exceeded_why = EXCEEDED.replace("new", "previous");
    let late = "the rollout was not complete within 15 min (timeout), with 1 of 2 previous pods \
            available";
    check(
        &Phase::Rollback(rollback()),
        vec![
            (
                "nothing seen",
                patch(),
                Snapshot::default(),
                90,
                Decision::Read(Query::deployment("web")),
            ),
            ("gone", patch(), absent(), 90, gone()),
            ("being deleted", patch(), back(deleting()), 90, gone()),
            (
                "overtaken",
                patch(),
                overwritten(json!({})),
                90,
                end(RollbackResult::OvertakenBy(Some("run-3".into()))),
            ),
            (
                "overtaken by nobody of us",
                patch(),
                overwritten(json!({"metadata": {"annotations": {marks::JOB: "job-2"}}})),
                90,
                end(RollbackResult::OvertakenBy(None)),
            ),
            (
                "an older object",
                patch(),
                back(older),
                90,
                wait(progress(WaitsFor::Observation, 0), 1, true),
            ),
            (
                "not available",
                patch(),
                back(short()),
                90,
                wait(none_yet(), 10, true),
            ),
            (
                "near its deadline",
                patch(),
                back(short()),
                950,
                wait(none_yet(), 10, true),
            ),
            (
                "complete, sets not read",
                patch(),
                back(json!({})),
                90,
                replica_sets(),
            ),
            (
                "complete and confirmed",
                patch(),
                up(2),
                90,
                end(RollbackResult::RolledBack(brought_back())),
            ),
            (
                "confirmed in the end",
                patch(),
                up(2),
                9000,
                end(RollbackResult::RolledBack(brought_back())),
            ),
            (
                "not confirmed",
                patch(),
                up(1),
                90,
                wait(progress(WaitsFor::Availability, 2), 1, true),
            ),
            (
                "given up, ReplicaSets not read",
                patch(),
                back(exceeded()),
                90,
                replica_sets(),
            ),
            (
                "given up",
                patch(),
                looked_into(exceeded()),
                90,
                failed(&exceeded_why),
            ),
            (
                "its deadline",
                patch(),
                looked_into(short()),
                960,
                failed(late),
            ),
        ],
    );
}

#[test]
fn a_write_leads_to_the_phase_that_follows_it() {
    let seen_before = seen_with(before(exceeded()), vec![set("web-1", 1, 2)]);
    let after = live(json!({}));
    let phase = |action: Action, seen: &Snapshot, timeout: &str| {
        let request = request(json!({"timeout": timeout}));
        let continuation = begun(Phase::Start);
        acted(
            &known(&request, &continuation, seen, at(60)),
            &action,
            &after,
        )
    };
    let written = WriteReceipt {
        stale_deadline: Some("2026-01-01T00:00:30Z".into()),
        ..WriteReceipt::new(None, &after, at(60))
    };
    let rolling = Phase::Rollout(Rollout {
        written: written.clone(),
        wrote: true,
        changed_since: false,
        previous: Some(previous()),
    });
    let nothing = || json!({});
    assert_eq!(
        phase(Action::Patch(nothing()), &seen_before, "15m"),
        rolling
    );
    assert_eq!(phase(Action::Put(nothing()), &seen_before, "15m"), rolling);
    let created = phase(Action::Create(nothing()), &absent(), "15m");
    let first = Phase::Rollout(Rollout {
        written: WriteReceipt::new(None, &after, at(60)),
        wrote: true,
        changed_since: false,
        previous: None,
    });
    assert_eq!(created, first);
    for (timeout, deadline) in [("5m", 360), ("15m", 960), ("2h", 960)] {
        let undo = Action::Undo {
            operations: json!([]),
            revision: 1,
            failure: RecordedFailure::of("it broke"),
        };
        let expected = Phase::Rollback(Rollback {
            written: written.clone(),
            revision: 1,
            failure: RecordedFailure::of("it broke"),
            deadline: at(deadline),
        });
        assert_eq!(phase(undo, &seen_before, timeout), expected, "{timeout}");
    }
}

/// Someone changes another field of the template in the middle: a reloader its mark, a person a
/// restart, a webhook a digest.
#[test]
fn what_others_change_beside_is_followed_and_never_undone() {
    let beside = |template: Value, job: Value| {
        live(
            json!({"metadata": {"generation": 6, "annotations": {marks::JOB: job}},
            "spec": {"template": template}, "status": {"observedGeneration": 6}}),
        )
    };
    let marked = json!({"spec": {"containers": [{"name": "app", "image": "app:2",
        "env": [{"name": "RELOADED", "value": "1"}]}]}});
    let restarted = json!({"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt":
        "2026-01-01T00:00:20Z"}}});
    let pinned = json!({"spec": {"containers": [{"name": "app", "image": "app@sha256:1"}]}});
    for (name, template) in [
        ("a variable", marked),
        ("a restart", restarted),
        ("a digest", pinned),
    ] {
        for job in [json!("job-2"), Value::Null] {
            let live = beside(template.clone(), job);
            let decision = decide(
                &request(json!({})),
                &begun(Phase::Rollout(rollout())),
                &seen(live.clone()),
                at(60),
            );
            let Decision::Enter(Phase::Rollout(followed)) = decision else {
                panic!("{name}: {decision:?}");
            };
            assert!(followed.changed_since && followed.wrote, "{name}");
            assert_eq!(followed.written.generation, 6, "{name}");
            assert_eq!(followed.written.template, live.template_digest(), "{name}");
            // It fails later: it is theirs, too, and is left.
            let failing = seen_failing(
                Workload::new(workload::Kind::Deployment, merged(live.value(), exceeded())),
                Some(template.clone()),
            );
            let phase = begun(Phase::Rollout(followed));
            let Decision::GiveUp(Failure::Rollout {
                rollback_result, ..
            }) = decide(&request(json!({})), &phase, &failing, at(900))
            else {
                panic!("{name}: it is over");
            };
            assert_eq!(rollback_result, RollbackResult::OvertakenBy(None), "{name}");
        }
    }
}

#[test]
fn another_template_than_asked_for_is_no_success_and_is_taken_back() {
    let image = |image: &str| live(json!({"spec": {"template": template(image)}}));
    let stored = image("app:9");
    let phase = Phase::Rollout(Rollout {
        written: WriteReceipt::new(None, &stored, at(0)),
        ..rollout()
    });
    let decision =
        |seen: Snapshot| decide(&request(json!({})), &begun(phase.clone()), &seen, at(60));
    assert_eq!(decision(seen(stored.clone())), replica_sets());
    let observation = seen_with(stored.clone(), vec![set("web-1", 1, 2)])
        .with_previous(Ok(Some(template("app:1"))));
    let Decision::Act(Action::Undo { failure, .. }) = decision(observation) else {
        panic!("it is taken back");
    };
    let cause = &failure.cause;
    assert!(
        cause.contains("spec.template.spec.containers[app].image"),
        "{cause}"
    );
    assert_eq!(failure.reason, Some(Reason::Refused(422)));
}

/// A controller that may not create the ReplicaSet never says that it has seen the generation.
#[test]
fn a_refused_replica_set_is_a_failure_after_the_grace_of_a_quota() {
    let refused = |reason: &str| {
        live(json!({"status": {"observedGeneration": 3, "conditions": [
            {"type": "Progressing", "status": "False", "reason": reason,
                "message": "exceeded quota: sets"}]}}))
    };
    let sets = || vec![set("web-1", 1, 2)];
    let seen = |reason: &str| {
        seen_with(refused(reason), sets())
            .with_previous(Ok(Some(template("app:1"))))
            .with_pods(sight(Ok(Pods::default())))
    };
    let at_time = |reason: &str, seconds| {
        decide(
            &request(json!({})),
            &begun(Phase::Rollout(rollout())),
            &seen(reason),
            at(seconds),
        )
    };
    assert!(matches!(
        at_time("ReplicaSetCreateError", 119),
        Decision::Wait(_)
    ));
    let Decision::Act(Action::Undo { failure, .. }) = at_time("ReplicaSetCreateError", 120) else {
        panic!("it is taken back");
    };
    let cause = &failure.cause;
    assert!(cause.contains("exceeded quota: sets"), "{cause}");
    assert_eq!(failure.kind, Some(diagnosis::Cause::PodNotCreated));
    assert_eq!(failure.reason, None);
    // Of a controller that says nothing, nothing is said but that.
    assert!(matches!(at_time("Whatever", 899), Decision::Wait(_)));
    let Decision::Act(Action::Undo { failure, .. }) = at_time("Whatever", 900) else {
        panic!("it is taken back");
    };
    assert_eq!(failure.reason, Some(Reason::Unobserved));
}

#[test]
fn a_silent_controller_is_not_waited_for_twice_and_the_old_pods_are_counted() {
    let silent = undone(json!({"status": {"observedGeneration": 3}}));
    let phase = Phase::Rollback(Rollback {
        failure: RecordedFailure {
            reason: Some(Reason::Unobserved),
            ..RecordedFailure::of("it broke")
        },
        deadline: at(90),
        ..rollback()
    });
    let pods = Pods {
        ready: 2,
        ..Pods::default()
    };
    let observation = seen_with(silent, vec![set("web-1", 1, 2)]).with_pods(PodSnapshot {
        at: at(90),
        set: set("web-1", 1, 2),
        pods: Ok(pods),
    });
    let decision = decide(&request(json!({})), &begun(phase), &observation, at(90));
    let Decision::GiveUp(Failure::Rollout {
        failure,
        rollback_result,
    }) = decision
    else {
        panic!("it is over: {decision:?}");
    };
    assert_eq!(failure.reason, Some(Reason::Unobserved));
    let serving = failure.evidence.serving;
    assert_eq!(
        serving.map(|serving| (serving.available, serving.wanted)),
        Some((2, 2))
    );
    assert!(matches!(
        rollback_result,
        RollbackResult::RollbackFailed(..)
    ));
}

#[test]
fn a_pause_is_the_cause_and_nothing_is_written_over_it() {
    let paused = live(json!({"spec": {"paused": true}, "status": {"availableReplicas": 1}}));
    let seen = seen_failing(paused, Some(template("app:1")));
    let decision = decide(
        &request(json!({})),
        &begun(Phase::Rollout(rollout())),
        &seen,
        at(900),
    );
    let Decision::GiveUp(Failure::Rollout {
        failure,
        rollback_result,
    }) = decision
    else {
        panic!("it is over: {decision:?}");
    };
    let cause = recorded((*failure).clone()).cause;
    assert!(cause.starts_with("the Deployment was paused"), "{cause}");
    assert_eq!(
        (failure.reason, rollback_result),
        (Some(Reason::Paused), RollbackResult::Paused)
    );
}

/// Nothing was available before the write, and the old version is when the new one fails.
#[test]
fn what_is_available_at_the_end_is_returned_to() {
    let phase = Phase::Rollout(Rollout {
        previous: None,
        ..rollout()
    });
    let seen = seen_failing(live(exceeded()), Some(template("app:1"))).with(
        Query::replica_sets("app=web"),
        vec![set("web-1", 1, 2), set("web-2", 2, 0)],
    );
    let decision = decide(&request(json!({})), &begun(phase), &seen, at(60));
    let Decision::Act(Action::Undo { revision, .. }) = decision else {
        panic!("it is taken back: {decision:?}");
    };
    assert_eq!(revision, 1);
}

/// What nothing probes is looked at twice, some seconds apart.
#[test]
fn what_nothing_probes_is_seen_twice_before_it_is_said_to_serve() {
    let bare = || live(json!({"spec": {"minReadySeconds": 0}}));
    let roster = |seconds, pods: &str| {
        seen_with(bare(), old_and_new(2)).with(
            roster_query(),
            Roster {
                at: at(seconds),
                pods: pods.into(),
            },
        )
    };
    let step = |steady: Option<Steady>, seen: &Snapshot, seconds| {
        let continuation = Continuation {
            steady,
            ..begun(Phase::Rollout(rollout()))
        };
        decide(&request(json!({})), &continuation, seen, at(seconds))
    };
    let first = step(None, &seen_with(bare(), old_and_new(2)), 10);
    assert!(
        matches!(first, Decision::Read(Query::Roster { .. })),
        "{first:?}"
    );
    let Decision::Steady(steady) = step(None, &roster(10, "a"), 10) else {
        panic!("the first look is kept");
    };
    assert!(!steady.held);
    let wait = step(Some(steady.clone()), &roster(11, "a"), 11);
    let Decision::Wait(wait) = wait else {
        panic!("a second look is waited for: {wait:?}");
    };
    assert_eq!(wait.at_most, Duration::from_secs(4));
    // A container that was started again begins anew.
    let Decision::Steady(anew) = step(Some(steady.clone()), &roster(15, "b"), 15) else {
        panic!("other pods are looked at anew");
    };
    assert_eq!((anew.since, anew.held), (at(15), false));
    let late = step(Some(steady.clone()), &roster(900, "b"), 900);
    assert!(
        !matches!(late, Decision::Steady(_) | Decision::Finish(_)),
        "{late:?}"
    );
    let Decision::Steady(held) = step(Some(steady), &roster(15, "a"), 15) else {
        panic!("it held");
    };
    assert!(held.held);
    let done = step(Some(held), &roster(15, "a"), 15);
    assert!(matches!(done, Decision::Finish(_)), "{done:?}");
}

/// The new version, all of whose pods are available, once it was seen so at `since`.
fn baking(more: Value, since: u64, seen: &Snapshot, seconds: u64) -> Decision {
    let mut fields = json!({"bake": "2m"});
    merge(&mut fields, &more);
    let mut continuation = begun(Phase::Rollout(rollout()));
    continuation.guard.serving_since = Some(at(since));
    continuation.sights.served = Some(Served::of(2, &Pods::default()));
    let mut seen = seen.clone();
    seen.pods.get_or_insert(PodSnapshot {
        at: at(seconds),
        ..sight(Ok(Pods::default()))
    });
    decide(&request(fields), &continuation, &seen, at(seconds))
}

#[test]
fn a_version_that_serves_is_watched_for_its_bake() {
    let up = || seen_with(live(json!({})), old_and_new(2));
    let fields = || json!({"bake": "2m"});
    let phase = |wrote| Phase::Rollout(Rollout { wrote, ..rollout() });
    let first = |wrote| decide(&request(fields()), &begun(phase(wrote)), &up(), at(20));
    assert_eq!(first(true), Decision::Serves(at(20)));
    // What this deploy did not write it does not watch.
    assert!(matches!(first(false), Decision::Finish(_)));
    let watched = |at_most| {
        Decision::Wait(Wait {
            progress: progress(WaitsFor::Availability, 2),
            rollback: false,
            at_most: Duration::from_secs(at_most),
            stage: Stage::Watched(Some(at(140))),
        })
    };
    assert_eq!(baking(json!({}), 20, &up(), 20), watched(30));
    assert_eq!(baking(json!({}), 20, &up(), 135), watched(5));
    let noted = json!({"metadata": {"annotations": {marks::WATCHED: "job-2"}}});
    let noted = seen_with(live(noted), old_and_new(2));
    let done = |more, since, seconds| baking(more, since, &noted, seconds);
    assert!(matches!(done(json!({}), 20, 140), Decision::Finish(_)));
    // A bake that has begun is finished, whatever the timeout is.
    assert_eq!(
        baking(json!({}), 889, &up(), 1000),
        Decision::Wait(Wait {
            progress: progress(WaitsFor::Availability, 2),
            rollback: false,
            at_most: Duration::from_secs(9),
            stage: Stage::Watched(Some(at(1009))),
        })
    );
    assert!(matches!(done(json!({}), 890, 1010), Decision::Finish(_)));
    let none = json!({"bake": "0s"});
    assert!(matches!(done(none, 20, 20), Decision::Finish(_)));
}

#[test]
fn a_version_that_fails_during_its_bake_is_rolled_back() {
    let seen = |pods: Pods| {
        seen_with(live(short()), old_and_new(1))
            .with_pods(PodSnapshot {
                at: at(100),
                ..sight(Ok(pods))
            })
            .with_explanation(explained())
            .with_previous(Ok(Some(template("app:1"))))
    };
    let undone = baking(json!({"patience": "1s"}), 20, &seen(hopeless()), 100);
    assert!(
        matches!(undone, Decision::Act(Action::Undo { .. })),
        "{undone:?}"
    );
    // One that is not ready for a moment is waited for, also beyond the bake.
    for seconds in [100, 150] {
        let waits = baking(json!({}), 20, &seen(unready()), seconds);
        assert!(
            matches!(waits, Decision::Wait(_) | Decision::Read(_)),
            "{waits:?}"
        );
    }
}
