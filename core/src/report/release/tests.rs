use super::*;
use crate::change::apply::{ApplyRefusal, FieldConflict, ForeignOwner, OtherWriter};
use crate::change::difference::difference;
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::contact::{Unreached, UnreachedCause};
use crate::kubernetes::object_id::ObjectId;
use crate::kubernetes::resource::{DEPLOYMENTS, PODS, SECRETS, SERVICES};
use crate::kubernetes::{CallError, Refusal};
use crate::outcome::{CredentialSource, CredentialsError, ParameterPlace};
use crate::problem::Fault;
use crate::release::prune::KeepReason;
use crate::release::*;
use crate::report::{MESSAGE_LIMIT, Report, SUMMARY_LIMIT};
use crate::request::release::ReleaseRequest;
use crate::request::{Asked, Draft, File, Files, Mode, NamedFile, Parameters};
use crate::state::continuation::{Continuation, Phase, RecordedFailure, ReleasePhase};
use crate::state::guard::Guard;
use crate::state::release::{ParentFault, Status};
use crate::strategy::causes::{RolloutCause, RolloutFailure, Stop};
use crate::strategy::{Failure, RollbackResult};
use crate::tests::at;
use crate::workload::health::diagnosis::{Cause, Evidence};
use crate::workload::health::job::JobFailure;
use crate::workload::health::object::{ObjectCause, ObjectNote, ObjectWait, Reported};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::time::Duration;

fn source() -> CredentialSource {
    let region = Some("eu-central-1");
    let place = ParameterPlace::new("k8s-bear-token", Some("111122223333"), region);
    CredentialSource::Parameter(place)
}

fn asked(more: &Value) -> ReleaseRequest {
    let mut fields = json!({"manifests": "k8s", "release": "shop", "namespace": "prod",
        "execution": "run-7", "variables": {}});
    fields.as_object_mut().unwrap().remove("variables");
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    let content = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n";
    let files = Files {
        manifests: vec![NamedFile {
            path: "k8s/web.yaml".to_owned(),
            file: File {
                artifact: "Source".to_owned(),
                revision: Some("e0c7b6e".to_owned()),
                content: content.into(),
            },
        }],
        ..Files::default()
    };
    let draft = Draft::read(&Parameters::Text(fields.to_string())).unwrap();
    match draft.complete(files, "job-1").unwrap() {
        Asked::Release(mut release) => {
            release.commit = Some("e0c7b6e".to_owned());
            release
        }
        Asked::Workload(other, _) => panic!("{other:?}"),
    }
}

fn request() -> ReleaseRequest {
    asked(&json!({}))
}

fn guard() -> Guard {
    Guard::default()
}

fn id(text: &str) -> ObjectId {
    let (kind, name) = text.split_once('/').unwrap();
    let group = match kind {
        "Deployment" | "StatefulSet" => "apps",
        "Job" => "batch",
        _ => "",
    };
    ObjectId {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: Some("prod".to_owned()),
        name: name.to_owned(),
    }
}

fn ids(all: &[&str]) -> Vec<ObjectId> {
    all.iter().map(|one| id(one)).collect()
}

fn text(report: &Report) -> String {
    match report {
        Report::Success {
            summary, variables, ..
        } => {
            assert!(summary.len() <= SUMMARY_LIMIT, "{}", summary.len());
            let variables = variables
                .iter()
                .map(|(name, value)| format!("\n{name}={value}"));
            format!("{summary}\n{}", variables.collect::<String>())
        }
        Report::Progress {
            summary, percent, ..
        } => format!("{percent} %: {summary}"),
        Report::Failure {
            failure_type,
            message,
            ..
        } => {
            assert!(message.len() <= MESSAGE_LIMIT, "{}", message.len());
            format!("{}\n{message}", failure_type.name())
        }
    }
}

fn serving() -> ReleaseSuccess {
    let workload = |name: &str, image: &str, state| FollowedWorkload {
        id: id(name),
        images: vec![image.to_owned()],
        state,
    };
    ReleaseSuccess {
        revision: 7,
        previous: Some(6),
        back_to: None,
        returned_from: None,
        wrote: true,
        committed: None,
        new: 3,
        changed: 4,
        unchanged: 12,
        deleted: ids(&["ConfigMap/old"]),
        kept: vec![(
            id("PersistentVolumeClaim/data"),
            LeftReason::Keep(KeepReason::Kind),
        )],
        workloads: vec![
            workload("Deployment/web", "web:2", Followed::Available(3, 3)),
            workload("StatefulSet/db", "db:1", Followed::OnDelete),
            workload("Deployment/spare", "web:2", Followed::Available(0, 0)),
            workload("Job/migrate", "migrate:2", Followed::Complete),
        ],
        notes: vec![
            ReleaseNote::NotFollowed(id("Deployment/canary")),
            ReleaseNote::ShortLived(id("Job/migrate"), Duration::from_secs(5)),
            ReleaseNote::Pending(id("Service/web"), ObjectNote::AddressPending),
        ],
    }
}

#[test]
fn a_success_tells_what_runs_and_what_is_left() {
    let mut request = request();
    request.hooks = vec!["Job/chart-test (test)".to_owned()];
    let warnings = ["spec.template: deprecated".to_owned()];
    let report = success(&request, &serving(), (&guard(), &warnings), at(0), at(80));
    assert_snapshot!(text(&report), @r"
    Release `shop` in `prod` serves as revision 7 after 1 min 20 s: 3 objects new, 4 changed, 12 unchanged, 1 deleted. `Deployment/web` (web:2): 3 of 3 pods available; `StatefulSet/db` (db:1): a pod gets this version when somebody deletes it (OnDelete); `Deployment/spare` (web:2): scaled to zero; `Job/migrate` completed. Not in the release any more, and not deleted: `PersistentVolumeClaim/data` (objects of its kind are only deleted if their annotation `landfall/prune` is `always`). Not followed, because `landfall/follow` says so: `Deployment/canary`. Deleted by Kubernetes after its end (ttlSecondsAfterFinished), so a later release runs it again: `Job/migrate` (5 s). Applied, and not complete yet: `Service/web` (its load balancer has no address yet). Hooks of Helm charts are not applied: `Job/chart-test (test)`. Warning: spec.template: deprecated

    Namespace=prod
    Release=shop
    Revision=7
    PreviousRevision=6
    Images=db:1,migrate:2,web:2
    Changed=8
    DurationSeconds=80
    Strategy=release
    Execution=run-7
    Commit=e0c7b6e
    NotApplied=Job/chart-test (test)
    ");
    let nothing = ReleaseSuccess {
        wrote: false,
        new: 0,
        changed: 0,
        unchanged: 19,
        deleted: Vec::new(),
        kept: Vec::new(),
        notes: vec![ReleaseNote::NotPruned(ids(&["ConfigMap/old"]))],
        ..serving()
    };
    let report = success(&self::request(), &nothing, (&guard(), &[]), at(0), at(2));
    assert_snapshot!(text(&report), @r"
    Release `shop` in `prod` already was as its manifests say, so nothing was changed: revision 7, 19 objects. `Deployment/web` (web:2): 3 of 3 pods available; `StatefulSet/db` (db:1): a pod gets this version when somebody deletes it (OnDelete); `Deployment/spare` (web:2): scaled to zero; `Job/migrate` completed. Left, because `prune` is not set, though the release does not have it any more: `ConfigMap/old`.

    Namespace=prod
    Release=shop
    Revision=7
    PreviousRevision=6
    Images=db:1,migrate:2,web:2
    Changed=0
    DurationSeconds=2
    Strategy=release
    Execution=run-7
    Commit=e0c7b6e
    ");
}

#[test]
fn a_rollback_on_demand_tells_from_where_to_where() {
    let mut request = request();
    request.mode = Mode::Rollback;
    let headline = |more: ReleaseSuccess| {
        let told = text(&success(&request, &more, (&guard(), &[]), at(0), at(80)));
        told.split_once(". `").unwrap().0.to_owned()
    };
    let back = ReleaseSuccess {
        back_to: Some(4),
        workloads: serving().workloads,
        notes: vec![
            ReleaseNote::JobNotRun(id("Job/migrate")),
            ReleaseNote::NotTakenBack(id("PersistentVolumeClaim/data")),
            ReleaseNote::TakenFrom(
                id("ConfigMap/web"),
                vec![ForeignOwner::Helm("prod/old".to_owned())],
            ),
        ],
        ..serving()
    };
    assert_snapshot!(headline(back.clone()), @"Release `shop` in `prod` was rolled back from revision 6 to revision 4, which is revision 7 now, and serves after 1 min 20 s: 3 objects new, 4 changed, 12 unchanged, 1 deleted");
    let told = text(&success(&request, &back, (&guard(), &[]), at(0), at(80)));
    for said in [
        "Jobs, which a rollback neither runs again nor deletes: `Job/migrate`.",
        "Not taken back, because objects or data may depend on what they are now: \
         `PersistentVolumeClaim/data`.",
        "Taken over from other tools, whose labels and annotations go where no file has them: \
         `ConfigMap/web` (of Helm release `prod/old`).",
    ] {
        assert!(told.contains(said), "{told}");
    }
    let nothing = ReleaseSuccess {
        new: 0,
        changed: 0,
        deleted: Vec::new(),
        ..back
    };
    // Another execution has taken back its release while this one waited for it.
    assert_snapshot!(headline(nothing.clone()), @"Release `shop` in `prod` already was as revision 4 had it, so nothing was changed: revision 7, 12 objects");
    let again = ReleaseSuccess {
        wrote: false,
        ..nothing
    };
    assert_snapshot!(headline(again.clone()), @"Release `shop` in `prod` was already rolled back from revision 6 to revision 4 by this execution, so nothing was changed: revision 7, 12 objects");
    let there = ReleaseSuccess {
        previous: Some(7),
        ..again
    };
    assert_snapshot!(headline(there), @"Release `shop` in `prod` already was as revision 4 had it, so nothing was changed: revision 7, 12 objects");
}

#[test]
fn a_rollback_that_is_refused_says_why_and_what_there_is() {
    let mut request = request();
    request.mode = Mode::Rollback;
    let mut told = |to: Option<u64>, why: NoRevision| {
        request.to = to;
        let failed = ReleaseFailure::NoRevision(why);
        let report = failure(&request, &failed, &source());
        let told = text(&report);
        assert!(
            told.starts_with("ConfigurationError\nRelease `shop` in `prod` was not rolled back: ")
        );
        let line = told.lines().nth(1).unwrap();
        line.split_once(": ").unwrap().1.to_owned()
    };
    let not_one = |status, good: &[u64]| NoRevision::NotOne {
        to: 3,
        status,
        good: good.to_vec(),
    };
    let all = [
        told(None, NoRevision::NoRelease),
        told(None, NoRevision::NoneBefore(None)),
        told(None, NoRevision::NoneBefore(Some(7))),
        told(Some(3), not_one(None, &[])),
        told(Some(3), not_one(Some(Status::Failed), &[2])),
        told(Some(3), not_one(Some(Status::Pending), &[5, 4, 2])),
        told(None, NoRevision::Deleted(3)),
        told(Some(3), NoRevision::Damaged(3)),
        told(None, NoRevision::Incomplete(3, ids(&["ConfigMap/large"]))),
        told(Some(3), NoRevision::OnlyJobs(3)),
    ];
    assert_snapshot!(all.join("\n"), @r"
    `mode` is `rollback`, and the cluster has no record of release `shop` in `prod`: correct `release` and `namespace`, or release its manifests.
    `mode` is `rollback`, and no revision of release `shop` in `prod` was ever deployed as a whole: release manifests that work.
    `mode` is `rollback`, and no revision of release `shop` in `prod` that worked is recorded before revision 7: release the earlier manifests.
    `to` is 3, and revision 3 of release `shop` in `prod` is not recorded; no revision that worked is recorded, so release manifests that work.
    `to` is 3, and revision 3 of release `shop` in `prod` failed; only revision 2 can be brought back.
    `to` is 3, and revision 3 of release `shop` in `prod` was never deployed as a whole; revisions 5, 4, 2 can be brought back.
    `mode` is `rollback`, and the record of revision 3 of release `shop` in `prod` was deleted: name another one by `to`.
    `to` is 3, and the record of revision 3 of release `shop` in `prod` cannot be read: it was changed, or another version of Landfall wrote it. Name another one by `to`.
    `mode` is `rollback`, and the record of revision 3 of release `shop` in `prod` had no room for `ConfigMap/large`: release the earlier manifests, or name another revision by `to`.
    `to` is 3, and revision 3 of release `shop` in `prod` has only Jobs, which a rollback does not run again: release its manifests.
    ");
}

#[test]
fn a_success_of_many_workloads_fits() {
    let image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/app@sha256:0123456789abcdef";
    let workloads = (0..200).map(|number| FollowedWorkload {
        id: id(&format!("Deployment/worker-{number}")),
        images: vec![format!("{image}{number}")],
        state: Followed::Available(1, 1),
    });
    let many = ReleaseSuccess {
        workloads: workloads.collect(),
        ..serving()
    };
    let told = text(&success(&request(), &many, (&guard(), &[]), at(0), at(80)));
    assert!(told.contains("more workloads."), "{told}");
    assert!(told.contains("Not in the release any more"), "{told}");
}

fn plan() -> ReleasePlan {
    let of = |name: &str, change| ObjectPlan {
        id: id(name),
        change,
    };
    let image = |image: &str| json!({"spec": {"replicas": 2, "image": image}});
    ReleasePlan {
        newest: 7,
        from: None,
        back_to: None,
        served_before: false,
        revision: Some(8),
        objects: vec![
            of("Namespace/prod", ObjectChange::Unchanged),
            of("ConfigMap/web", ObjectChange::New),
            of("Widget/web", ObjectChange::NewUntried(Untried::NewKind)),
            of("Certificate/web", ObjectChange::Untried(Untried::Webhook)),
            of("StatefulSet/db", ObjectChange::Again(6)),
            of(
                "Deployment/web",
                ObjectChange::Changed(difference(&image("web:1"), &image("web:2"))),
            ),
            of("Service/web", ObjectChange::TakenOver),
            of("Service/api", ObjectChange::Noted),
            of(
                "Job/migrate",
                ObjectChange::Recreated(Some(difference(&image("db:1"), &image("db:2")))),
            ),
            of("Deployment/api", ObjectChange::Recreated(None)),
            of("ConfigMap/old", ObjectChange::Deleted),
            of("Secret/kept", ObjectChange::Kept(LeftReason::NotAsked)),
        ],
        notes: Vec::new(),
        warnings: vec!["unknown field \"spec.foo\"".to_owned()],
    }
}

#[test]
fn a_plan_tells_what_is_lost_before_what_comes() {
    assert_snapshot!(text(&planned(&request(), &guard(), &plan())), @r#"
    Plan: release `shop` in `prod` would become revision 8: 1 object deleted, 2 deleted and made anew, 2 changed, 1 taken into the release, 3 new, 1 not tried, 1 kept, 1 unchanged. Nothing was written. Warning: unknown field "spec.foo"
    - ConfigMap/old: deleted
    ! Job/migrate: deleted and made anew, so it runs again:
      spec.image: db:1 → db:2
    ! Deployment/api: deleted and made anew, as its `landfall/recreate` asks for
    Deployment/web:
      spec.image: web:1 → web:2
    + StatefulSet/db: made again, as it is gone since revision 6
    Service/api: its fields become the release's, or its annotations for Landfall change; otherwise unchanged
    Service/web: taken into the release, otherwise unchanged
    + ConfigMap/web: new
    + Widget/web: new, and not tried, because its kind comes with this release
    Certificate/web: not tried, because a webhook of the cluster takes no dry runs
    Secret/kept: not in the release any more, and kept: `prune` is not set

    Namespace=prod
    Release=shop
    Revision=8
    Mode=plan
    ChangeCount=10
    Changes=- ConfigMap/old: deleted
    ! Job/migrate: deleted and made anew, so it runs again:
      spec.image: db:1 → db:2
    ! Deployment/api: deleted and made anew, as its `landfall/recreate` asks for
    Deployment/web:
      spec.image: web:1 → web:2
    + StatefulSet/db: made again, as it is gone since revision 6
    Service/api: its fields become the release's, or its annotations for Landfall change; otherwise unchanged
    Service/web: taken into the release, otherwise unchanged
    + ConfigMap/web: new
    + Widget/web: new, and not tried, because its kind comes with this release
    Certificate/web: not tried, because a webhook of the cluster takes no dry runs
    Secret/kept: not in the release any more, and kept: `prune` is not set
    Strategy=release
    Execution=run-7
    Commit=e0c7b6e
    "#);
    let nothing = ReleasePlan {
        revision: None,
        newest: 7,
        objects: vec![ObjectPlan {
            id: id("Service/web"),
            change: ObjectChange::Unchanged,
        }],
        ..ReleasePlan::default()
    };
    let Report::Success { external_id, .. } = planned(&request(), &guard(), &nothing) else {
        panic!("a plan is a success");
    };
    assert_eq!(external_id, "prod/shop@7");
    assert_snapshot!(text(&planned(&request(), &guard(), &nothing)), @r"
    Plan: nothing would change in release `shop` in `prod` (1 object). Nothing was written.

    Namespace=prod
    Release=shop
    Revision=
    Mode=plan
    ChangeCount=0
    Changes=
    Strategy=release
    Execution=run-7
    Commit=e0c7b6e
    ");
}

/// As with a new version of a chart: a label of all objects, and the image of one.
#[test]
fn objects_that_change_alike_are_told_together() {
    let web = |version: &str, image: &str| {
        let labels = json!({"helm.sh/chart": format!("shop-{version}")});
        json!({"metadata": {"labels": labels}, "spec": {"image": image}})
    };
    let of = |name: &str, image: &str| ObjectPlan {
        id: id(name),
        change: ObjectChange::Changed(difference(&web("1.0", "web:1"), &web("2.0", image))),
    };
    let alike = (0..400).map(|number| of(&format!("ConfigMap/dashboard-{number}"), "web:1"));
    let plan = ReleasePlan {
        objects: alike.chain([of("Deployment/web", "web:2")]).collect(),
        warnings: Vec::new(),
        ..plan()
    };
    let Report::Success {
        summary, variables, ..
    } = planned(&request(), &guard(), &plan)
    else {
        panic!("a plan is a success");
    };
    let changes = variables.iter().find(|(name, _)| *name == "Changes");
    let changes = &changes.unwrap().1;
    for text in [&summary, changes] {
        for said in [
            "spec.image: web:1 → web:2",
            "ConfigMap/dashboard-0, ConfigMap/dashboard-1, ",
            " and 392 more:\n  metadata.labels.helm.sh/chart: shop-1.0 → shop-2.0",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }
    let lines = plan_lines(&request(), &plan).join("\n");
    assert!(lines.contains("ConfigMap/dashboard-399:\n"), "{lines}");
}

/// Whoever approves looks for the images first, of all workloads.
#[test]
fn images_come_first_and_are_there_where_nothing_else_has_room() {
    let workload = |name: &str, version: u32| {
        let annotations =
            (0..9).map(|number| (format!("note-{number}"), json!(version.to_string())));
        let annotations = annotations.collect::<serde_json::Map<_, _>>();
        let image = format!("registry.example.com/{name}:{version}");
        json!({"metadata": {"annotations": annotations}, "spec": {"template": {"spec": {
            "containers": [{"name": "app", "image": image}]}}}})
    };
    let of = |name: &str| ObjectPlan {
        id: id(&format!("Deployment/{name}")),
        change: ObjectChange::Changed(difference(&workload(name, 1), &workload(name, 2))),
    };
    let names = (0..50).map(|number| format!("service-{number:02}"));
    let names = names.collect::<Vec<_>>();
    let plan = ReleasePlan {
        objects: names.iter().map(|name| of(name)).collect(),
        warnings: Vec::new(),
        ..plan()
    };
    let Report::Success { variables, .. } = planned(&request(), &guard(), &plan) else {
        panic!("a plan is a success");
    };
    let changes = variables.iter().find(|(name, _)| *name == "Changes");
    let changes = &changes.unwrap().1;
    let long = "Deployment/service-00:\n  spec.template.spec.containers[app].image: \
        registry.example.com/service-00:1 → registry.example.com/service-00:2\n  metadata.";
    assert!(changes.starts_with(long), "{changes}");
    for name in &names[20..] {
        let said = format!("\nDeployment/{name}: app :1 → :2, and 9 more fields");
        assert!(changes.contains(&said), "{said}: {changes}");
    }
    let short = |old: &str, new: &str| {
        let line = format!("spec.template.spec.containers[app].image: {old} → {new}");
        images::in_short(&[&line], 1).unwrap()
    };
    let digest = |digit: &str| format!("r.io/web@sha256:{}", digit.repeat(64));
    for (old, new, said) in [
        ("r.io/web:1", "r.io/web:2", "app :1 → :2"),
        ("r.io:5000/web", "r.io:5000/web:2", "app → r.io:5000/web:2"),
        ("r.io/web:1", "mirror.io/web:2", "app → mirror.io/web:2"),
        (
            &*digest("a"),
            &*digest("b"),
            "app @sha256:aaaaaaaaaaaa… → @sha256:bbbbbbbbbbbb…",
        ),
    ] {
        assert_eq!(short(old, new), said);
    }
}

#[test]
fn a_plan_of_many_objects_counts_what_does_not_fit() {
    let new = (0..300).map(|number| ObjectPlan {
        id: id(&format!("ConfigMap/configuration-{number:03}")),
        change: ObjectChange::New,
    });
    let plan = ReleasePlan {
        objects: plan().objects.into_iter().chain(new).collect(),
        ..plan()
    };
    let Report::Success {
        summary, variables, ..
    } = planned(&request(), &guard(), &plan)
    else {
        panic!("a plan");
    };
    assert!(summary.len() <= SUMMARY_LIMIT, "{}", summary.len());
    assert!(summary.contains("- ConfigMap/old: deleted"), "{summary}");
    assert!(summary.ends_with("more objects"), "{summary}");
    let changes = variables.iter().find(|(name, _)| *name == "Changes");
    let (_, changes) = changes.unwrap();
    assert!(changes.len() <= 4096, "{}", changes.len());
    assert!(changes.ends_with("more objects"), "{changes}");
}

#[test]
fn progress_tells_what_is_waited_for() {
    let wait = ReleaseWait {
        applied: 12,
        objects: 19,
        ready: 7,
        waiting: vec![
            (id("Deployment/web"), "1 of 3 new pods available".to_owned()),
            (id("Service/web"), String::new()),
        ],
        ..ReleaseWait::default()
    };
    let continuation = Continuation::begin("job-1", at(0), Duration::from_secs(900));
    let told = |continuation: &Continuation, wait: &ReleaseWait| {
        text(&handed_over(continuation, "bound", wait))
    };
    assert_snapshot!(told(&continuation, &wait), @r"50 %: 12 of 19 objects applied, 7 ready; waiting for `Deployment/web` (1 of 3 new pods available), `Service/web`");
    let back = ReleaseWait {
        is_way_back: true,
        ..wait.clone()
    };
    assert_snapshot!(told(&continuation, &back), @r"0 %: the release failed and is being rolled back; waiting for `Deployment/web` (1 of 3 new pods available), `Service/web`");
    let locked = ReleaseWait {
        locked_by: Some("run-6".to_owned()),
        ..ReleaseWait::default()
    };
    assert_snapshot!(told(&continuation, &locked), @r"0 %: waiting for execution `run-6`, which is deploying the same release");
    let silent = Continuation {
        unreachable_since: Some(at(60)),
        ..continuation.clone()
    };
    assert_snapshot!(told(&silent, &wait), @r"50 %: nothing is written yet: the cluster has not answered correctly since 2026-01-01T00:01:00Z; retrying");
    let all = ReleaseWait {
        applied: 19,
        ready: 19,
        ..wait
    };
    assert!(told(&continuation, &all).starts_with("99 %"));
}

fn refusal(code: u16, message: &str) -> Box<Refusal> {
    Box::new(Refusal {
        code,
        message: message.to_owned(),
        ..Refusal::default()
    })
}

fn fault(name: &str, place: &str, trouble: ObjectTrouble) -> ObjectFault {
    ObjectFault {
        id: id(name),
        place: place.to_owned(),
        trouble,
    }
}

fn reported() -> Reported {
    Reported {
        condition: "Ready".to_owned(),
        status: "False".to_owned(),
        reason: "IssuerNotFound".to_owned(),
        message: "Issuer letsencrypt not found".to_owned(),
    }
}

#[test]
fn objects_tell_why_they_are_not_ready() {
    let pods = |obstacle| ObjectWait::Pods {
        available: 1,
        wanted: 3,
        obstacle,
    };
    let waits = [
        ObjectWait::Observation,
        ObjectWait::Status,
        ObjectWait::Condition(reported()),
        pods(Some(reported())),
        pods(None),
        ObjectWait::Phase("Pending".to_owned()),
    ];
    assert_snapshot!(waits.map(|wait| waiting(&wait)).join("\n"), @r"
    its controller has not seen the change yet
    it has no status yet
    Ready is False (IssuerNotFound: Issuer letsencrypt not found)
    1 of 3 pods available; Ready is False (IssuerNotFound: Issuer letsencrypt not found)
    1 of 3 pods available
    its phase is Pending
    ");
    let causes = [
        ObjectCause::Replaced,
        ObjectCause::Condition(reported()),
        ObjectCause::ClaimLost,
        ObjectCause::PodFailed("Evicted".to_owned(), String::new()),
        ObjectCause::NamespaceEnding(vec![reported()]),
    ];
    assert_snapshot!(causes.map(|cause| object::cause(&cause)).join("\n"), @r"
    someone else deleted it and made another of the same name
    it does not get ready: Ready is False (IssuerNotFound: Issuer letsencrypt not found)
    it has lost its volume
    the pod failed: Evicted
    it is being deleted, and is still there: Ready is False (IssuerNotFound: Issuer letsencrypt not found)
    ");
}

fn conflict() -> ObjectTrouble {
    let owned = |field: &str| FieldConflict {
        field: field.to_owned(),
        manager: "kubectl-edit".to_owned(),
    };
    let fields = vec![owned("spec.replicas"), owned("spec.paused")];
    ObjectTrouble::Refused(ApplyRefusal::Conflict(fields), refusal(409, "conflict"))
}

fn faulty(faults: Vec<ObjectFault>) -> String {
    text(&failure(
        &request(),
        &ReleaseFailure::Faults(faults),
        &source(),
    ))
}

#[test]
fn nobody_is_led_to_delete_a_claim_because_a_field_of_it_cannot_be_changed() {
    let immutable = ApplyRefusal::Immutable(vec!["spec".to_owned()]);
    let told = |name: &str| {
        let trouble = ObjectTrouble::Refused(immutable.clone(), refusal(422, "x"));
        faulty(vec![fault(name, "k8s/a.yaml:1", trouble)])
    };
    let claim = told("PersistentVolumeClaim/data");
    assert!(claim.contains("may delete its data with it"), "{claim}");
    let job = told("Job/migrate");
    assert!(job.contains("made anew by the annotation"), "{job}");
    // The way out of the others is told, too.
    let trouble = || ObjectTrouble::Refused(immutable.clone(), refusal(422, "x"));
    let names = ["Job/migrate", "PersistentVolumeClaim/data"];
    let both = faulty(names.map(|it| fault(it, "k8s/a.yaml:1", trouble())).into());
    let warning = "To make `PersistentVolumeClaim/data` anew may delete its data with it";
    for said in ["made anew by the annotation", warning] {
        assert!(both.contains(said), "{both}");
    }
}

#[test]
fn faults_of_all_objects_are_told_with_their_places() {
    let unknown = ApplyRefusal::UnknownField(vec!["spec.replica".to_owned()]);
    let invalid = ApplyRefusal::Invalid(vec![(
        "spec.ports[0].port".to_owned(),
        "Invalid value: 0: must be between 1 and 65535, inclusive".to_owned(),
    )]);
    let immutable = ApplyRefusal::Immutable(vec!["spec.selector".to_owned()]);
    let quota = Refusal {
        reason: "Forbidden".to_owned(),
        ..*refusal(
            403,
            "exceeded quota: pods, requested: pods=9, limited: pods=8",
        )
    };
    let quota_cause = ApplyRefusal::Other(quota.cause());
    let owner = vec![ForeignOwner::Helm("prod/shop".to_owned())];
    let all = vec![
        fault(
            "Deployment/web",
            "k8s/web.yaml:1",
            ObjectTrouble::Refused(unknown, refusal(500, "x")),
        ),
        fault(
            "Service/web",
            "k8s/web.yaml:31",
            ObjectTrouble::Refused(invalid, refusal(422, "x")),
        ),
        fault(
            "ConfigMap/web",
            "k8s/config.yaml:4",
            ObjectTrouble::Fault(Fault::new(
                "metadata.namespace",
                "is `other`, and must be `prod`",
            )),
        ),
        fault(
            "Certificate/web",
            "k8s/tls.yaml:1",
            ObjectTrouble::UnknownKind("cert-manager.io/v1".to_owned()),
        ),
        fault(
            "Secret/web",
            "k8s/tls.yaml:9",
            ObjectTrouble::Foreign(owner),
        ),
        fault(
            "Deployment/db",
            "k8s/db.yaml:1",
            ObjectTrouble::Refused(immutable, refusal(422, "x")),
        ),
        fault("Deployment/api", "k8s/api.yaml:1", conflict()),
        fault(
            "Deployment/big",
            "k8s/big.yaml:1",
            ObjectTrouble::Refused(quota_cause, Box::new(quota)),
        ),
        fault(
            "ConfigMap/x",
            "k8s/x.yaml:1",
            ObjectTrouble::Refused(ApplyRefusal::NamespaceMissing, refusal(404, "x")),
        ),
    ];
    assert_snapshot!(faulty(all), @r#"
    ConfigurationError
    Release `shop` in `prod` was not changed: 9 things are wrong with its objects.

    - `Deployment/web` (k8s/web.yaml:1): its kind has no `spec.replica`
    - `Service/web` (k8s/web.yaml:31): `spec.ports[0].port`: Invalid value: 0: must be between 1 and 65535, inclusive
    - `ConfigMap/web` (k8s/config.yaml:4): `metadata.namespace` is `other`, and must be `prod`
    - `Certificate/web` (k8s/tls.yaml:1): the cluster does not serve its kind in `cert-manager.io/v1`, and no CustomResourceDefinition of the release brings it
    - `Secret/web` (k8s/tls.yaml:9): it belongs to Helm release `prod/shop`
    - `Deployment/db` (k8s/db.yaml:1): `spec.selector` cannot be changed once it exists
    - `Deployment/api` (k8s/api.yaml:1): `kubectl-edit` owns `spec.replicas`, `spec.paused`
    - `Deployment/big` (k8s/big.yaml:1): the API server refused to apply it (HTTP 403, "exceeded quota: pods, requested: pods=9, limited: pods=8")
    - `ConfigMap/x` (k8s/x.yaml:1): its namespace `prod` does not exist

    Correct the manifests and release the change again. See docs/operations.md, release-faults.
    "#);
}

#[test]
fn one_fault_is_told_in_the_first_line_with_its_own_next_step() {
    let api = || fault("Deployment/api", "k8s/api.yaml:1", conflict());
    assert_snapshot!(faulty(vec![api()]), @r#"
    ConfigurationError
    Release `shop` in `prod` was not changed: `Deployment/api` (k8s/api.yaml:1): `kubectl-edit` owns `spec.replicas`, `spec.paused`.

    Leave these fields out of the manifests, or take them over with `"force": true`; then release the change again. See docs/operations.md, conflict.
    "#);
    let immutable = ApplyRefusal::Immutable(vec!["spec.template".to_owned()]);
    let immutable = ObjectTrouble::Refused(immutable, refusal(422, "x"));
    assert_snapshot!(faulty(vec![fault("Job/migrate", "k8s/job.yaml:1", immutable)]), @r#"
    ConfigurationError
    Release `shop` in `prod` was not changed: `Job/migrate` (k8s/job.yaml:1): `spec.template` cannot be changed once it exists.

    Take the change of these fields back, or let the object be deleted and made anew by the annotation `landfall/recreate: "yes"`; then release the change again. See docs/operations.md, immutable.
    "#);
    let stored = vec![(
        "status.storedVersions[0]".to_owned(),
        "missing from spec.versions".to_owned(),
    )];
    let stored = ObjectTrouble::Refused(ApplyRefusal::Invalid(stored), refusal(422, "x"));
    let definition = "CustomResourceDefinition/kafkas.example.com";
    assert_snapshot!(faulty(vec![fault(definition, "k8s/crd.yaml:1", stored)]), @r#"
    ConfigurationError
    Release `shop` in `prod` was not changed: `CustomResourceDefinition/kafkas.example.com` (k8s/crd.yaml:1): `status.storedVersions[0]`: missing from spec.versions.

    Objects may still be stored in versions that the new definitions lack. Migrate them as the upgrade notes of their project say, and remove the old versions from `status.storedVersions`; then retry the stage. See docs/operations.md, release-faults.
    "#);
    let owner = ObjectTrouble::Foreign(vec![ForeignOwner::Release("prod/other".to_owned())]);
    assert_snapshot!(faulty(vec![fault("Secret/web", "k8s/tls.yaml:9", owner)]), @r#"
    ConfigurationError
    Release `shop` in `prod` was not changed: `Secret/web` (k8s/tls.yaml:9): it belongs to release `prod/other`.

    Leave the object out of the manifests, or take it over with `"force": true`; then release the change again. See docs/operations.md, foreign-object.
    "#);
    let mut denied = refusal(
        422,
        "configmaps \"web\" is forbidden: ValidatingAdmissionPolicy 'strict' with binding 'b' \
         denied request: no version 1",
    );
    denied.is_status = true;
    let meaning = ApplyRefusal::Other(denied.cause());
    let denied = fault(
        "ConfigMap/web",
        "revision 1",
        ObjectTrouble::Refused(meaning, denied),
    );
    let mut back = request();
    back.mode = Mode::Rollback;
    let denied = ReleaseFailure::Faults(vec![denied]);
    assert_snapshot!(text(&failure(&back, &denied, &source())), @r#"
    ConfigurationError
    Release `shop` in `prod` was not changed: `ConfigMap/web` (revision 1): the ValidatingAdmissionPolicy `strict` refused to apply it (HTTP 422, "configmaps "web" is forbidden: ValidatingAdmissionPolicy 'strict' with binding 'b' denied request: no version 1").

    The manifests are those of the earlier revision: change what keeps them out of the cluster and retry the stage, or release corrected ones in place of the rollback. See docs/operations.md, policy.
    "#);
    let many = (0..200).map(|_| api()).collect::<Vec<_>>();
    let told = faulty(many);
    assert!(told.contains("more lines\n\n"), "{told}");
    assert!(told.contains("200 things are wrong"), "{told}");
    assert!(
        told.ends_with("See docs/operations.md, conflict."),
        "{told}"
    );
}

#[test]
fn missing_permissions_are_told_as_the_rules_that_grant_them() {
    let permission = |verb: &'static str, resource: &'static str| Permission {
        verb,
        resource: resource.into(),
    };
    let prod = || Some("prod".to_owned());
    let missing = vec![
        (permission("patch", "deployments.apps"), prod()),
        (permission("patch", "statefulsets.apps"), prod()),
        (permission("get", "deployments.apps"), prod()),
        (permission("get", "statefulsets.apps"), prod()),
        (permission("get", "pods/log"), prod()),
        (permission("patch", "services"), Some("other".to_owned())),
        (
            permission("create", "clusterroles.rbac.authorization.k8s.io"),
            None,
        ),
    ];
    let told = failure(&request(), &ReleaseFailure::Forbidden(missing), &source());
    assert_snapshot!(text(&told), @r#"
    PermissionError
    Release `shop` in `prod` was not changed: the token lacks 7 permissions that it needs.

    Rules for a ClusterRole:
    - {apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"], verbs: ["create"]}
    Rules for a Role in `other`:
    - {apiGroups: [""], resources: ["services"], verbs: ["patch"]}
    Rules for a Role in `prod`:
    - {apiGroups: [""], resources: ["pods/log"], verbs: ["get"]}
    - {apiGroups: ["apps"], resources: ["deployments", "statefulsets"], verbs: ["get", "patch"]}

    Grant these rules to the token's ServiceAccount by a RoleBinding (or a ClusterRoleBinding for those of the whole cluster), then retry the stage; `make access ARGS="--for FOLDER"` prints all that the release takes. See docs/operations.md, forbidden.
    "#);
}

#[test]
fn what_keeps_a_release_from_beginning_is_told() {
    let told = |it: ReleaseFailure| text(&failure(&request(), &it, &source()));
    let locked = ReleaseFailure::Locked {
        execution: "run-6".to_owned(),
        until: at(900),
    };
    assert_snapshot!(told(locked), @r"
    RevisionOutOfSync
    Release `shop` in `prod` was not changed: execution `run-6` was deploying the same release for as long as this one could wait within its timeout of 15 min. Nothing was started.

    Retry the stage when that execution has finished. If it was stopped, its lock expires at 2026-01-01T00:15:00Z. See docs/operations.md, locked.
    ");
    let overtaken = ReleaseFailure::OutOfSync {
        by: Some("run-8".to_owned()),
        wrote: true,
    };
    assert_snapshot!(told(overtaken), @r"
    RevisionOutOfSync
    Release `shop` in `prod` was deployed by execution `run-8` after this one had begun to write; the later release was kept.

    To keep the version that serves now, do nothing; to deploy this version, release the change again. See docs/operations.md, out-of-sync.
    ");
    assert_snapshot!(told(ReleaseFailure::NoNamespace), @r"
    ConfigurationError
    Release `shop` in `prod` was not changed: namespace `prod` does not exist, and the records of the release are kept in it.

    Create it (`kubectl create namespace prod`) and retry the stage, or correct `namespace`. See docs/operations.md, release-faults.
    ");
    assert_snapshot!(told(ReleaseFailure::TooLate), @r"
    SystemUnavailable
    Release `shop` in `prod` was not changed: the timeout of 15 min expired before anything could be written to the cluster.

    Retry the stage; if the cluster is slow to answer, raise `timeout`. See docs/operations.md, too-late.
    ");
    let secret = "landfall.shop".to_owned();
    let trouble = RecordTrouble::Parent(ParentFault::OtherTool("kubectl/v1.33".to_owned()));
    assert_snapshot!(told(ReleaseFailure::Record(secret, trouble)), @r"
    ConfigurationError
    Release `shop` in `prod` was not changed: Secret `landfall.shop`, in which it is recorded, cannot be used: it belongs to `kubectl/v1.33`.

    Give the release another name, or remove the Secret if nothing else needs it, then retry the stage. See docs/operations.md, release-record.
    ");
}

fn rollout(cause: RolloutCause, kind: Option<Cause>, evidence: Evidence) -> Box<Failure> {
    Box::new(Failure::Rollout {
        failure: Box::new(RolloutFailure {
            kind,
            evidence,
            ..RolloutFailure::of(cause)
        }),
        rollback_result: RollbackResult::RollbackDisabled,
    })
}

fn workload_request(name: &str) -> Box<crate::request::Request> {
    let fields = json!({"deployment": name, "namespace": "prod", "restart": true});
    Box::new(crate::tests::request("job-1", &fields))
}

fn crashing() -> ReleaseCause {
    let told = "container `app` in pod `web-7d9f-x2x` exits again and again, with code 1 (Error)";
    let cause = RolloutCause::Pods {
        told: Some(told.to_owned()),
        stopped: None,
    };
    let lines = |all: &[&str]| all.iter().map(|line| (*line).to_owned()).collect();
    let evidence = Evidence {
        pods: lines(&["31 s after the change: 0 of 1 new pod ready, 3 wanted."]),
        events: lines(&["BackOff: Back-off restarting failed container"]),
        log: lines(&[
            "The last lines of `app` in `web-7d9f-x2x`:",
            "  panic: no DATABASE_URL",
        ]),
        ..Evidence::default()
    };
    ReleaseCause::Workload {
        id: id("Deployment/web"),
        is_new: true,
        request: workload_request("web"),
        failure: rollout(cause, Some(Cause::Crash), evidence),
    }
}

fn migration() -> ReleaseCause {
    let cause = RolloutCause::Pods {
        told: Some("container `migrate` in pod `migrate-x2x` ended with code 1 (Error)".to_owned()),
        stopped: Some(Stop::JobFailed(JobFailure {
            reason: "BackoffLimitExceeded".to_owned(),
            message: "Job has reached the specified backoff limit".to_owned(),
            indexes: String::new(),
        })),
    };
    let evidence = Evidence {
        log: vec![
            "The last lines of `migrate` in `migrate-x2x`:".to_owned(),
            "  ERROR: column \"price\" already exists".to_owned(),
        ],
        ..Evidence::default()
    };
    ReleaseCause::Workload {
        id: id("Job/migrate"),
        is_new: true,
        request: workload_request("migrate"),
        failure: rollout(cause, Some(Cause::Crash), evidence),
    }
}

fn rolled_back() -> WayBack {
    WayBack {
        unread: false,
        tried: true,
        overtaken: false,
        overtaken_by: None,
        revision: Some(6),
        restored: ids(&["Deployment/web", "Service/web", "ConfigMap/web"]),
        deleted: ids(&["ConfigMap/new"]),
        left: vec![(id("Job/migrate"), LeftReason::JobRan)],
        unserved: Vec::new(),
        failure: None,
    }
}

fn ended_as(request: &ReleaseRequest, cause: ReleaseCause, way_back: WayBack) -> String {
    let failed = ReleaseFailure::Ended {
        cause: Box::new(cause),
        others: vec![
            (id("Deployment/api"), true),
            (id("StatefulSet/db"), true),
            (id("Deployment/worker"), false),
        ],
        way_back,
    };
    text(&failure(request, &failed, &source()))
}

#[test]
fn a_workload_that_somebody_deleted_meanwhile_is_an_outage() {
    let mut back = rolled_back();
    for (lost, reason, is_outage) in [
        ("ConfigMap/menu", LeftReason::Deleted, false),
        ("Deployment/api", LeftReason::Changed, false),
        ("Deployment/api", LeftReason::Deleted, true),
    ] {
        back.left = vec![(id(lost), reason)];
        let told = ended_as(&request(), crashing(), back.clone());
        let said = "\nOutage: `Deployment/api` is gone. Release `shop` in `prod` failed";
        assert_eq!(told.contains(said), is_outage, "{told}");
        let ready = "these were ready: `Deployment/api`";
        assert_eq!(told.contains(ready), !is_outage, "{told}");
        assert_eq!(failure::is_outage(&crashing(), &back), is_outage, "{told}");
    }
}

/// Nobody has named the release of a Job that runs before a workload, or said that it is not to be
/// taken back.
#[test]
fn a_job_before_a_workload_fails_in_the_name_of_the_workload() {
    let mut request = request();
    request.rollback = false;
    request.before = Some(id("Deployment/web"));
    let told = ended_as(&request, migration(), WayBack::default());
    for said in [
        "\n`Deployment/web` in `prod` was not changed: `Job/migrate`: ",
        "\nThe Job stays as it is, and the workload as it was.\n",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(!told.contains("rollback"), "{told}");
    let foreign = ObjectTrouble::Foreign(vec![ForeignOwner::Release("prod/shop".to_owned())]);
    let faults = vec![fault("Job/migrate", "k8s/migrate.yaml:1", foreign)];
    let told = text(&failure(
        &request,
        &ReleaseFailure::Faults(faults),
        &source(),
    ));
    assert!(told.contains("a name of its own"), "{told}");
    assert!(!told.contains("force"), "{told}");
}

#[test]
fn a_workload_that_is_doomed_is_told_first_with_its_evidence() {
    assert_snapshot!(ended_as(&request(), crashing(), rolled_back()), @r"
    JobFailed
    Release `shop` in `prod` failed and was rolled back to revision 6: `Deployment/web`: container `app` in pod `web-7d9f-x2x` exits again and again, with code 1 (Error).

    31 s after the change: 0 of 1 new pod ready, 3 wanted.

    BackOff: Back-off restarting failed container

    The last lines of `app` in `web-7d9f-x2x`:
      panic: no DATABASE_URL

    Of the other workloads, these were ready: `Deployment/api`, `StatefulSet/db`; these were not yet: `Deployment/worker`.
    3 objects were put back as in revision 6: `Deployment/web`, `Service/web`, `ConfigMap/web`. 1 object was new, and deleted again: `ConfigMap/new`. Not taken back: `Job/migrate` (it ran, and what it did cannot be undone).
    Correct the cause and release the change again. See docs/operations.md, crash.
    ");
    let off = asked(&json!({"rollback": false}));
    assert_snapshot!(ended_as(&off, crashing(), WayBack::default()), @r"
    JobFailed
    Release `shop` in `prod` failed and was left as it is: `Deployment/web`: container `app` in pod `web-7d9f-x2x` exits again and again, with code 1 (Error).

    31 s after the change: 0 of 1 new pod ready, 3 wanted.

    BackOff: Back-off restarting failed container

    The last lines of `app` in `web-7d9f-x2x`:
      panic: no DATABASE_URL

    Of the other workloads, these were ready: `Deployment/api`, `StatefulSet/db`; these were not yet: `Deployment/worker`.
    What was written stays as it is, because `rollback` is false.
    Correct the cause and release the change again. See docs/operations.md, crash.
    ");
}

#[test]
fn a_job_that_fails_shows_its_log() {
    let back = WayBack {
        restored: Vec::new(),
        ..rolled_back()
    };
    assert_snapshot!(ended_as(&request(), migration(), back), @r#"
    JobFailed
    Release `shop` in `prod` failed and was rolled back to revision 6: `Job/migrate`: container `migrate` in pod `migrate-x2x` ended with code 1 (Error); Kubernetes gave the Job up (BackoffLimitExceeded): Job has reached the specified backoff limit.

    The last lines of `migrate` in `migrate-x2x`:
      ERROR: column "price" already exists

    Of the other workloads, these were ready: `Deployment/api`, `StatefulSet/db`; these were not yet: `Deployment/worker`.
    1 object was new, and deleted again: `ConfigMap/new`. Not taken back: `Job/migrate` (it ran, and what it did cannot be undone).
    Correct the Job and release the change again, or what it works on and retry the stage. See docs/operations.md, job-failed.
    "#);
}

#[test]
fn a_job_with_indexes_names_those_that_failed() {
    let failed = |stop: fn(JobFailure) -> Stop| {
        let cause = RolloutCause::Pods {
            told: None,
            stopped: Some(stop(JobFailure {
                reason: "FailedIndexes".to_owned(),
                message: "Job has failed indexes".to_owned(),
                indexes: "1,3-5".to_owned(),
            })),
        };
        let cause = ReleaseCause::Workload {
            id: id("Job/migrate"),
            is_new: true,
            request: workload_request("migrate"),
            failure: rollout(cause, None, Evidence::default()),
        };
        ended_as(&request(), cause, rolled_back())
    };
    let said = "`Job/migrate`: Kubernetes gave the Job up (FailedIndexes): Job has failed indexes; \
                failed indexes: 1,3-5";
    let told = failed(Stop::JobFailed);
    assert!(told.contains(&format!("{said}.\n")), "{told}");
    let told = failed(Stop::JobGone);
    let gone = format!("{said}. Its log was deleted with it: ");
    assert!(told.contains(&gone), "{told}");
}

/// What never ran is not said to have run, and what may still run is told.
#[test]
fn a_job_that_stays_is_told_by_what_its_pods_show() {
    for (reason, said) in [
        (
            LeftReason::JobRan,
            "`Job/migrate` (it ran, and what it did cannot be undone).",
        ),
        (
            LeftReason::JobMayHaveRun,
            "`Job/migrate` (it may have run, as none of its pods is left, and what it did cannot \
             be undone).",
        ),
        (
            LeftReason::JobWaits,
            "`Job/migrate` (none of its pods has started, so it did nothing yet; delete it, or it \
             runs when they can start).",
        ),
    ] {
        let back = WayBack {
            left: vec![(id("Job/migrate"), reason)],
            ..rolled_back()
        };
        let told = ended_as(&request(), migration(), back);
        assert!(told.contains(said), "{told}");
        assert!(told.contains("was rolled back to revision 6"), "{told}");
    }
}

/// Nothing is said not to have been changed, where it may have been.
#[test]
fn permissions_that_are_taken_away_in_the_middle_are_named() {
    let missing = vec![
        (Permission::of("get", &SECRETS), Some("prod".to_owned())),
        (Permission::of("get", &PODS), None),
    ];
    let cause = || ReleaseCause::Forbidden(missing.clone());
    let told = ended_as(&request(), cause(), rolled_back());
    let said = "PermissionError\nRelease `shop` in `prod` failed and was rolled back to revision 6: \
                permissions that it needs were taken away after it had begun: `get secrets` in \
                `prod`, `get pods` in the whole cluster.";
    assert!(told.starts_with(said), "{told}");
    let unread = WayBack {
        unread: true,
        ..WayBack::default()
    };
    let told = ended_as(&request(), cause(), unread);
    assert!(told.contains("could not be read"), "{told}");
    assert!(!told.contains("Nothing was written"), "{told}");
}

#[test]
fn what_does_not_serve_after_the_way_back_comes_first() {
    let back = WayBack {
        left: vec![
            (
                id("Service/web"),
                LeftReason::Refused("HTTP 503, \"overloaded\"".to_owned()),
            ),
            (id("CustomResourceDefinition/x"), LeftReason::Definition),
        ],
        unserved: vec![(
            id("Deployment/web"),
            "0 of 3 previous pods available".to_owned(),
        )],
        ..rolled_back()
    };
    assert_snapshot!(ended_as(&request(), crashing(), back), @r#"
    JobFailed
    `Deployment/web` was put back and does not serve as it should: 0 of 3 previous pods available. Release `shop` in `prod` failed and was rolled back only in part: `Deployment/web`: container `app` in pod `web-7d9f-x2x` exits again and again, with code 1 (Error).

    31 s after the change: 0 of 1 new pod ready, 3 wanted.

    BackOff: Back-off restarting failed container

    The last lines of `app` in `web-7d9f-x2x`:
      panic: no DATABASE_URL

    Of the other workloads, these were ready: `Deployment/api`, `StatefulSet/db`; these were not yet: `Deployment/worker`.
    3 objects were put back as in revision 6: `Deployment/web`, `Service/web`, `ConfigMap/web`. 1 object was new, and deleted again: `ConfigMap/new`. Not taken back: `Service/web` (the API server refused it: HTTP 503, "overloaded"); `CustomResourceDefinition/x` (a definition is not taken back: objects may be stored in its new version).
    First see what keeps `Deployment/web` from serving: `kubectl --namespace prod describe deployment/web`. Correct the cause and release the change again. See docs/operations.md, crash.
    "#);
}

#[test]
fn a_first_release_that_fails_leaves_nothing() {
    let back = WayBack {
        revision: None,
        restored: Vec::new(),
        deleted: ids(&["Deployment/web", "Service/web"]),
        left: Vec::new(),
        ..rolled_back()
    };
    let told = ended_as(&request(), crashing(), back);
    assert!(told.contains("failed and was taken back: "), "{told}");
    let deleted = "2 objects were new, and deleted again: `Deployment/web`, `Service/web`.";
    assert!(told.contains(deleted), "{told}");
}

/// The names of definitions are long, and an operator has a dozen.
#[test]
fn however_many_objects_stay_the_reason_is_told() {
    let named = |kind: &str, number: usize| id(&format!("{kind}/{}-{number}", "w".repeat(60)));
    let all = |kind: &str| (0..30).map(|n| named(kind, n)).collect::<Vec<_>>();
    let definitions = all("CustomResourceDefinition").into_iter();
    let back = WayBack {
        restored: all("Deployment"),
        deleted: all("PrometheusRule"),
        left: definitions.map(|id| (id, LeftReason::Definition)).collect(),
        ..rolled_back()
    };
    let told = ended_as(&request(), crashing(), back);
    let said = " more (a definition is not taken back: objects may be stored in its new version).";
    assert!(told.contains(said), "{told}");
    assert!(
        told.contains("30 objects were new, and deleted again: `Prom"),
        "{told}"
    );
}

/// However much is to be told, the cause comes first and the next step last.
#[test]
fn a_way_back_of_many_objects_leaves_room_for_the_next_step() {
    let many = (0..300).map(|number| id(&format!("Deployment/{}-{number}", "w".repeat(200))));
    let many = many.collect::<Vec<_>>();
    let why = LeftReason::Refused("x".repeat(3000));
    let back = WayBack {
        restored: many.clone(),
        deleted: many.clone(),
        left: many.iter().map(|id| (id.clone(), why.clone())).collect(),
        unserved: many
            .iter()
            .map(|id| (id.clone(), "y".repeat(3000)))
            .collect(),
        ..rolled_back()
    };
    let told = ended_as(&request(), crashing(), back);
    assert!(told.ends_with("See docs/operations.md, crash."), "{told}");
    assert!(told.contains("Correct the cause and release"), "{told}");
    assert!(told.contains("panic: no DATABASE_URL"), "{told}");
    assert!(told.contains("exits again and again"), "{told}");
}

#[test]
fn other_causes_are_told_with_their_object() {
    let told = |cause| ended_as(&request(), cause, rolled_back());
    let object = ReleaseCause::Object {
        id: id("PersistentVolumeClaim/data"),
        cause: ObjectCause::ClaimLost,
    };
    assert_snapshot!(told(object), @r"
    JobFailed
    Release `shop` in `prod` failed and was rolled back to revision 6: `PersistentVolumeClaim/data`: it has lost its volume.

    Of the other workloads, these were ready: `Deployment/api`, `StatefulSet/db`; these were not yet: `Deployment/worker`.
    3 objects were put back as in revision 6: `Deployment/web`, `Service/web`, `ConfigMap/web`. 1 object was new, and deleted again: `ConfigMap/new`. Not taken back: `Job/migrate` (it ran, and what it did cannot be undone).
    If the manifests are at fault, correct them and release the change again; otherwise fix the cause in the cluster and retry the stage. See docs/operations.md, object-not-ready.
    ");
    assert_snapshot!(told(ReleaseCause::Gone(id("Service/web"))), @r"
    JobFailed
    Release `shop` in `prod` failed and was rolled back to revision 6: someone else deleted `Service/web`, or replaced it, while it was followed.

    Of the other workloads, these were ready: `Deployment/api`, `StatefulSet/db`; these were not yet: `Deployment/worker`.
    3 objects were put back as in revision 6: `Deployment/web`, `Service/web`, `ConfigMap/web`. 1 object was new, and deleted again: `ConfigMap/new`. Not taken back: `Job/migrate` (it ran, and what it did cannot be undone).
    Correct the cause and release the change again. See docs/operations.md, deleted.
    ");
    let timed_out = ReleaseCause::TimedOut {
        timeout: Duration::from_secs(900),
        waiting: vec![(id("Deployment/web"), "1 of 3 new pods available".to_owned())],
    };
    assert_snapshot!(told(timed_out), @r"
    JobFailed
    Release `shop` in `prod` failed and was rolled back to revision 6: it was not complete within 15 min (timeout); it still waited for `Deployment/web` (1 of 3 new pods available).

    Of the other workloads, these were ready: `Deployment/api`, `StatefulSet/db`; these were not yet: `Deployment/worker`.
    3 objects were put back as in revision 6: `Deployment/web`, `Service/web`, `ConfigMap/web`. 1 object was new, and deleted again: `ConfigMap/new`. Not taken back: `Job/migrate` (it ran, and what it did cannot be undone).
    If it was only slow, retry the stage or set a longer `timeout`; if the manifests are at fault, correct them and release the change again. See docs/operations.md, release-timed-out.
    ");
    let refused = ReleaseCause::Refused(fault("Deployment/api", "k8s/api.yaml:7", conflict()));
    assert_snapshot!(told(refused), @r#"
    ConfigurationError
    Release `shop` in `prod` failed and was rolled back to revision 6: `Deployment/api` (k8s/api.yaml:7) could not be applied: `kubectl-edit` owns `spec.replicas`, `spec.paused`.

    Of the other workloads, these were ready: `Deployment/api`, `StatefulSet/db`; these were not yet: `Deployment/worker`.
    3 objects were put back as in revision 6: `Deployment/web`, `Service/web`, `ConfigMap/web`. 1 object was new, and deleted again: `ConfigMap/new`. Not taken back: `Job/migrate` (it ran, and what it did cannot be undone).
    Leave these fields out of the manifests, or take them over with `"force": true`; then release the change again. See docs/operations.md, conflict.
    "#);
    let call = Call::get(&DEPLOYMENTS, "prod", "web");
    let broken = ReleaseCause::Broken {
        id: Some(id("Deployment/web")),
        call: Box::new(call),
        error: CallError::Refused(*refusal(410, "too old")),
    };
    assert_snapshot!(told(broken), @r#"
    ConfigurationError
    Release `shop` in `prod` failed and was rolled back to revision 6: the call for `Deployment/web` failed (get deployments.apps): the API server refused to get deployments.apps (HTTP 410, "too old").

    Of the other workloads, these were ready: `Deployment/api`, `StatefulSet/db`; these were not yet: `Deployment/worker`.
    3 objects were put back as in revision 6: `Deployment/web`, `Service/web`, `ConfigMap/web`. 1 object was new, and deleted again: `ConfigMap/new`. Not taken back: `Job/migrate` (it ran, and what it did cannot be undone).
    Correct the cause and release the change again. See docs/operations.md, object-refused.
    "#);
}

/// What a later invocation says is what the first one knew.
#[test]
fn a_cause_survives_into_the_next_invocation() {
    let object = ReleaseCause::Object {
        id: id("PersistentVolumeClaim/data"),
        cause: ObjectCause::Condition(reported()),
    };
    let timed_out = ReleaseCause::TimedOut {
        timeout: Duration::from_secs(900),
        waiting: Vec::new(),
    };
    for cause in [
        crashing(),
        migration(),
        object,
        timed_out,
        ReleaseCause::Gone(id("Service/web")),
        ReleaseCause::Refused(fault("Deployment/api", "k8s/api.yaml:7", conflict())),
    ] {
        let kept = ReleaseCause::Recorded(recorded(&cause));
        let section = |told: &str| told.rsplit(", ").next().unwrap().to_owned();
        let first = ended_as(&request(), cause, rolled_back());
        let later = ended_as(&request(), kept, rolled_back());
        assert_eq!(section(&first), section(&later), "{first}\n{later}");
        let kind = |told: &str| told.lines().next().map(str::to_owned);
        assert_eq!(kind(&first), kind(&later), "{first}\n{later}");
        let log = "\n  panic: no DATABASE_URL";
        assert_eq!(first.contains(log), later.contains(log), "{later}");
    }
}

fn begun(way_back: Option<RecordedFailure>) -> Continuation {
    let phase = Phase::Release(ReleasePhase {
        revision: 7,
        way_back: way_back.map(|failure| (failure, at(900))),
    });
    Continuation {
        phase,
        ..Continuation::begin("job-1", at(0), Duration::from_secs(900))
    }
}

fn start() -> Continuation {
    Continuation::begin("job-1", at(0), Duration::from_secs(900))
}

#[test]
fn a_call_that_fails_for_good_is_told_with_what_it_leaves() {
    let call = Call::get(&SERVICES, "prod", "web");
    let refused = CallError::Refused(*refusal(410, "gone away"));
    let told = |continuation: &Continuation, error: &CallError| {
        text(&broken(&request(), continuation, &call, error, &source()))
    };
    assert_snapshot!(told(&start(), &refused), @r#"
    ConfigurationError
    Release `shop` in `prod` was not changed: the API server refused to get services `web` (HTTP 410, "gone away").

    Correct what it names, then release the change again; where that is something in the cluster, retry the stage. See docs/operations.md, object-refused.
    "#);
    assert_snapshot!(told(&begun(None), &refused), @r#"
    ConfigurationError
    Release `shop` in `prod` was not completed: the API server refused to get services `web` (HTTP 410, "gone away").

    What was written stays in the cluster and is no longer followed; nothing was taken back.

    Correct what it names, then release the change again; where that is something in the cluster, retry the stage. See docs/operations.md, object-refused.
    "#);
    let failed = recorded(&crashing());
    assert_snapshot!(told(&begun(Some(failed)), &refused), @r#"
    JobFailed
    Release `shop` in `prod` failed: `Deployment/web` in `prod`: container `app` in pod `web-7d9f-x2x` exits again and again, with code 1 (Error).

    Its rollback was not completed: the API server refused to get services `web` (HTTP 410, "gone away").

    31 s after the change: 0 of 1 new pod ready, 3 wanted.

    BackOff: Back-off restarting failed container

    The last lines of `app` in `web-7d9f-x2x`:
      panic: no DATABASE_URL

    Correct what it names, then release the change again; where that is something in the cluster, retry the stage. See docs/operations.md, object-refused, and for what the new version failed of docs/operations.md, crash.
    "#);
    let host = "k8s.example.com:6443".to_owned();
    let silent = Unreached::new(UnreachedCause::ConnectionRefused, host);
    let silent = CallError::Unreachable(Box::new(silent));
    assert_snapshot!(told(&start(), &silent), @r"
    SystemUnavailable
    Release `shop` in `prod` was not changed: the cluster could not be reached at `k8s.example.com:6443`: the connection was refused (tried once).

    The host is there, and nothing listens on the port: correct the port in K8S_CLUSTER, or start the API server. Then retry the stage. See docs/operations.md, unreachable.
    ");
}

#[test]
fn a_cluster_out_of_sight_is_told_with_what_continues() {
    let told = |continuation: &Continuation| {
        text(&lost_sight(&request(), continuation, at(60), "no answer"))
    };
    assert_snapshot!(told(&start()), @r"
    SystemUnavailable
    Release `shop` in `prod` was not changed: the cluster has not answered since 2026-01-01T00:01:00Z (no answer).

    Nothing was written. Retry the stage when the cluster answers. See docs/operations.md, out-of-sight.
    ");
    assert_snapshot!(told(&begun(Some(recorded(&crashing())))), @r"
    SystemUnavailable
    Lost contact with the cluster during release `shop` in `prod`: the cluster has not answered since 2026-01-01T00:01:00Z (no answer).

    The release had failed before: `Deployment/web` in `prod`: container `app` in pod `web-7d9f-x2x` exits again and again, with code 1 (Error).

    What was written continues in the cluster. Retry the stage when the cluster answers: what is already there is not written again. See docs/operations.md, out-of-sight.
    ");
    let error = CredentialsError::Throttled("ThrottlingException".to_owned());
    let told = |continuation: &Continuation| {
        text(&access_lost(
            &request(),
            &continuation.phase,
            &error,
            &source(),
        ))
    };
    assert_snapshot!(told(&start()), @r"
    SystemUnavailable
    There is no access to the cluster: SSM throttles the calls of this account (ThrottlingException).

    The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).

    Retry the stage. Where many deploys begin at once, raise the throughput of Parameter Store (`aws ssm update-service-setting --setting-id /ssm/parameter-store/high-throughput-enabled --setting-value true`). See docs/operations.md, credentials.
    ");
    assert_snapshot!(told(&begun(None)), @r"
    SystemUnavailable
    There is no access to the cluster: SSM throttles the calls of this account (ThrottlingException).

    Release `shop` in `prod` was begun. What was written continues, but is no longer followed.
    The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).

    Retry the stage. Where many deploys begin at once, raise the throughput of Parameter Store (`aws ssm update-service-setting --setting-id /ssm/parameter-store/high-throughput-enabled --setting-value true`). See docs/operations.md, credentials.
    ");
}

/// Fifty definitions stay for one reason, and that is said once.
#[test]
fn a_reason_is_told_once_with_all_its_objects() {
    let left = [
        (id("CustomResourceDefinition/a"), LeftReason::Definition),
        (id("Job/migrate"), LeftReason::JobRan),
        (id("CustomResourceDefinition/b"), LeftReason::Definition),
        (
            id("ConfigMap/web"),
            LeftReason::ChangedBy("kubectl-edit".to_owned()),
        ),
        (id("ConfigMap/old"), LeftReason::Deleted),
    ];
    let back = WayBack {
        left: left.to_vec(),
        ..rolled_back()
    };
    let told = ended_as(&request(), crashing(), back);
    let said = "Not taken back: `CustomResourceDefinition/a`, `CustomResourceDefinition/b` (a \
        definition is not taken back: objects may be stored in its new version); `Job/migrate` (it \
        ran, and what it did cannot be undone); `ConfigMap/web` (`kubectl-edit` has changed it \
        since); `ConfigMap/old` (someone else has deleted it since).";
    assert!(told.contains(said), "{told}");
    assert!(
        told.contains("failed and was rolled back only in part"),
        "{told}"
    );
}

#[test]
fn a_change_of_somebody_else_is_out_of_sync() {
    let nothing = || WayBack {
        overtaken: true,
        ..WayBack::default()
    };
    for by in [
        OtherWriter::Manager(FieldConflict {
            field: "data.LEVEL".to_owned(),
            manager: "kubectl-edit".to_owned(),
        }),
        OtherWriter::Release("prod/other".to_owned()),
        OtherWriter::Removed("data.LEVEL".to_owned()),
    ] {
        let cause = ReleaseCause::Overwritten {
            id: id("ConfigMap/web"),
            by,
        };
        let told = ended_as(&request(), cause.clone(), nothing());
        assert!(told.starts_with("RevisionOutOfSync\n"), "{told}");
        assert!(told.contains("What was written stays as it is"), "{told}");
        assert!(told.ends_with("docs/operations.md, out-of-sync."), "{told}");
        let kept = ReleaseCause::Recorded(recorded(&cause));
        let later = ended_as(&request(), kept, nothing());
        assert_eq!(later.lines().next(), told.lines().next());
    }
    let later = WayBack {
        overtaken_by: Some("run-9".to_owned()),
        ..nothing()
    };
    let told = ended_as(&request(), crashing(), later);
    assert!(told.starts_with("JobFailed\n"), "{told}");
    assert!(
        told.contains("execution `run-9` has deployed this release since"),
        "{told}"
    );
}
