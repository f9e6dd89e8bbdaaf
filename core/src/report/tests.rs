use super::cause::{NEW, PREVIOUS, TOLD_LIMIT, cause};
use super::model::{
    EXTERNAL_ID_LIMIT, HEADLINE_LIMIT, NEXT_LIMIT, VARIABLE_LIMIT, message, target,
};
use super::rollout_failed::what_failed;
use super::*;
use crate::change;
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::contact::{
    CertificateFault, OddAnswer, Unreached, UnreachedCause, Untrusted,
};
use crate::kubernetes::resource::DEPLOYMENTS;
use crate::kubernetes::{CallError, Refusal};
use crate::outcome::{
    CredentialSource, CredentialsError, FailureCode, FailureType, ParameterPlace,
};
use crate::problem::Fault;
use crate::request::Request;
use crate::state::continuation::{
    Continuation, ContinuationError, Phase, Reason, RecordedFailure, Rollback, Rollout,
};
use crate::strategy::causes::{RolloutCause, RolloutFailure, Stop};
use crate::strategy::{
    CandidateState, Failure, Former, RollbackResult, Stage, Success, Switched, TrafficState, Wait,
};
use crate::tests::{self, at};
use crate::text::{clip, distance, words};
use crate::workload::health::diagnosis::{Cause, Evidence};
use crate::workload::health::rollout::serving::Serving;
use crate::workload::health::rollout::{Obstacle, Progress, WaitsFor, WriteReceipt};
use crate::workload::{Kind, Workload};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::time::Duration;

fn place() -> CredentialSource {
    let region = Some("eu-central-1");
    let place = ParameterPlace::new("k8s-bear-token", Some("111122223333"), region);
    CredentialSource::Parameter(place)
}

/// A call that was tried five times.
fn unreached(cause: UnreachedCause) -> Unreached {
    let host = "k8s.example.com:6443".to_owned();
    let once = Unreached::new(cause, host);
    Unreached { tries: 5, ..once }
}

fn request() -> Request {
    parsed(json!({"deployment": "web", "namespace": "shop", "images": {"app": "app:2"}}))
}

fn parsed(fields: Value) -> Request {
    tests::request("job-1", &fields)
}

/// A request whose names are as long as they can be.
fn longest_request() -> Request {
    parsed(
        json!({"deployment": "w".repeat(253), "namespace": "n".repeat(63),
            "restart": true, "execution": "é".repeat(128)}),
    )
}

fn live(replicas: i64, image: &str) -> Workload {
    Workload::new(
        Kind::Deployment,
        json!({
            "metadata": {"annotations": {"deployment.kubernetes.io/revision": "7"}},
            "spec": {"replicas": replicas, "progressDeadlineSeconds": 600,
                "template": {"spec": {
                    "initContainers": [{"name": "setup", "image": "setup:1"}],
                    "containers": [{"name": "proxy", "image": "proxy:1"},
                        {"name": "app", "image": image}]}}},
            "status": {"replicas": replicas, "availableReplicas": replicas}}),
    )
}

fn begun() -> Continuation {
    Continuation::begin("job-1", at(0), Duration::from_secs(900))
}

fn in_phase(phase: Phase) -> Continuation {
    Continuation { phase, ..begun() }
}

fn written() -> WriteReceipt {
    WriteReceipt::new(None, &live(2, "app:2"), at(0))
}

fn rolling_out() -> Phase {
    Phase::Rollout(Rollout {
        written: written(),
        wrote: true,
        changed_since: false,
        previous: None,
    })
}

fn rolling_back() -> Phase {
    Phase::Rollback(Rollback {
        written: written(),
        revision: 6,
        failure: RecordedFailure::of("it broke"),
        deadline: at(900),
    })
}

fn recorded(cause: &str) -> RolloutFailure {
    RecordedFailure::of(cause).into()
}

fn stopped(told: Option<&str>, stop: Option<Stop>) -> RolloutCause {
    RolloutCause::Pods {
        told: told.map(str::to_owned),
        stopped: stop,
    }
}

fn timed_out(seconds: u64, progress: &Progress) -> Stop {
    Stop::TimedOut {
        timeout: Duration::from_secs(seconds),
        progress: progress.clone(),
    }
}

fn deadline_exceeded(progress: &Progress) -> Stop {
    Stop::DeadlineExceeded {
        deadline: Duration::from_secs(600),
        progress: progress.clone(),
    }
}

fn progress_of(waits_for: WaitsFor, available: i64, wanted: i64) -> Progress {
    Progress {
        waits_for,
        available,
        wanted,
        obstacle: None,
    }
}

fn wait(progress: Progress, rollback: bool) -> Wait {
    Wait {
        progress,
        rollback,
        at_most: Duration::from_secs(1),
        stage: Stage::Rollout,
    }
}

fn evidence(pods: &[&str], log: &[&str]) -> Evidence {
    let lines = |lines: &[&str]| lines.iter().map(|line| line.to_string()).collect();
    Evidence {
        pods: lines(pods),
        events: Vec::new(),
        log: lines(log),
        ..Evidence::default()
    }
}

fn version() -> crate::strategy::Version {
    crate::strategy::Version {
        revision: 8,
        image: "shop/web:1".into(),
    }
}

fn message_of(report: &Report) -> &str {
    match report {
        Report::Failure { message, .. } => message,
        Report::Success { .. } | Report::Progress { .. } => panic!("{report:?}"),
    }
}

/// Reports as a person reads them, in lines that fit here.
fn shown(reports: &[Report]) -> String {
    let one = |report: &Report| match report {
        Report::Success {
            summary,
            external_id,
            variables,
        } => {
            let variables = variables.iter();
            let variables = variables.map(|(name, value)| format!("\n{name}={value}"));
            format!("{external_id}: {summary}{}", variables.collect::<String>())
        }
        Report::Progress {
            summary, percent, ..
        } => format!("{percent} %: {summary}"),
        Report::Failure {
            failure_type,
            message,
            ..
        } => format!("{}: {message}", failure_type.name()),
    };
    let texts = reports.iter().map(one).collect::<Vec<_>>();
    wrapped(&texts.join("\n--\n"))
}

fn wrapped(text: &str) -> String {
    let mut rows = Vec::new();
    for line in text.lines() {
        let mut row = String::new();
        for word in line.split(' ') {
            if row.chars().count() + word.chars().count() > 85 {
                rows.push(std::mem::take(&mut row));
            }
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
        rows.push(row);
    }
    rows.join("\n")
}

#[test]
fn successes() {
    let finished = |replicas, wrote, previous_revision, request: &Request, seconds| {
        let success = Success {
            deployment: live(replicas, "app:2"),
            revision: None,
            note: None,
            wrote,
            previous_revision,
            switched: None,
        };
        super::success(request, &begun(), &success, at(seconds))
    };
    let two_images = parsed(json!({"deployment": "web",
            "images": {"app": "app:2", "setup": "setup:1"}}));
    let reports = [
        finished(2, true, Some(6), &request(), 90),
        finished(1, true, None, &two_images, 0),
        finished(0, true, Some(6), &longest_image_free(), 7200),
        finished(2, false, None, &request(), 1),
        finished(0, false, None, &request(), 1),
    ];
    assert_snapshot!(shown(&reports), @r#"
        shop/web@7: Deployment `web` in `shop` runs revision 7 (app:2): 2 of 2 pods available
        after 1 min 30 s.
        Namespace=shop
        Deployment=web
        Revision=7
        PreviousRevision=6
        Image=app:2
        Strategy=rolling
        DurationSeconds=90
        Execution=job-1
        --
        default/web@7: Deployment `web` in `default` runs revision 7 (app:2,setup:1): 1 of 1
        pod available after 0 s.
        Namespace=default
        Deployment=web
        Revision=7
        PreviousRevision=
        Image=app:2,setup:1
        Strategy=rolling
        DurationSeconds=0
        Execution=job-1
        --
        default/web@7: Deployment `web` in `default` has revision 7 (proxy:1) after 2 h; it is
        scaled to zero, so no pod runs.
        Namespace=default
        Deployment=web
        Revision=7
        PreviousRevision=6
        Image=proxy:1
        Strategy=rolling
        DurationSeconds=7200
        Execution=job-1
        --
        shop/web@7: Deployment `web` in `shop` already ran this version, so nothing was
        changed: revision 7 (app:2); 2 of 2 pods available.
        Namespace=shop
        Deployment=web
        Revision=7
        PreviousRevision=7
        Image=app:2
        Strategy=rolling
        DurationSeconds=1
        Execution=job-1
        --
        shop/web@7: Deployment `web` in `shop` already ran this version, so nothing was
        changed: revision 7 (app:2); it is scaled to zero, so no pod runs.
        Namespace=shop
        Deployment=web
        Revision=7
        PreviousRevision=7
        Image=app:2
        Strategy=rolling
        DurationSeconds=1
        Execution=job-1
        "#);
}

/// A request that names no image: the first container's is told.
fn longest_image_free() -> Request {
    parsed(json!({"deployment": "web", "restart": true}))
}

#[test]
fn progresses() {
    let summaries = [
        WaitsFor::Observation,
        WaitsFor::NewPods,
        WaitsFor::Availability,
        WaitsFor::OldPods(1),
        WaitsFor::OldPods(2),
        WaitsFor::Resumption,
    ]
    .map(|waits_for| {
        let new = progress(&wait(progress_of(waits_for, 1, 2), false));
        let back = progress(&wait(progress_of(waits_for, 0, 1), true));
        format!("{new}\n{back}")
    });
    let stuck = Progress {
        obstacle: Some(Obstacle::Told(
            "pods \"web-1\" is forbidden:\n  exceeded quota.".into(),
        )),
        ..progress_of(WaitsFor::NewPods, 0, 2)
    };
    let stuck = progress(&wait(stuck, false));
    let lines = format!("{}\n{stuck}", summaries.join("\n"));
    assert_snapshot!(wrapped(&lines), @r#"
    Kubernetes has not processed the change yet
    rolling back: Kubernetes has not processed the change yet
    1 of 2 new pods available
    rolling back: 0 of 1 previous pod available
    1 of 2 new pods available
    rolling back: 0 of 1 previous pod available
    1 of 2 new pods available; 1 old pod left
    rolling back: 0 of 1 previous pod available; 1 failed pod left
    1 of 2 new pods available; 2 old pods left
    rolling back: 0 of 1 previous pod available; 2 failed pods left
    1 of 2 new pods available; the Deployment was paused
    rolling back: 0 of 1 previous pod available; the Deployment was paused
    0 of 2 new pods available; pods "web-1" is forbidden: exceeded quota
    "#);
}

fn switching(more: Value) -> Request {
    let mut fields = json!({"deployment": "web", "namespace": "shop", "service": "web",
            "strategy": "blueGreen", "images": {"app": "app:2"}});
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    parsed(fields)
}

#[test]
fn switches_that_succeeded() {
    let ended = |wrote, from: Option<(&str, Former)>, left: &[(&str, &str)]| {
        let mut blue = live(2, "app:2").value().clone();
        blue["metadata"]["name"] = json!("web-blue");
        let left = left.iter();
        let success = Success {
            deployment: Workload::new(Kind::Deployment, blue),
            revision: None,
            note: None,
            wrote,
            previous_revision: None,
            switched: Some(Switched {
                service: "web".into(),
                from: from.map(|(from, became)| (from.to_owned(), became)),
                handover: None,
                left: left
                    .map(|(name, why)| (name.to_string(), why.to_string()))
                    .collect(),
                shares: Vec::new(),
                taken_back: None,
            }),
        };
        super::success(&switching(json!({})), &begun(), &success, at(41))
    };
    let finished = |wrote, from: Option<&str>, left: &[(&str, &str)]| {
        ended(wrote, from.map(|from| (from, Former::ScaledDown)), left)
    };
    let up = ended(true, Some(("web", Former::StillUp)), &[]);
    assert_eq!(
        shown(&[up])
            .split(" s. ")
            .nth(1)
            .and_then(|rest| rest.lines().next()),
        Some("`web`, which served before, is still scaled up.")
    );
    let reports = [
        finished(true, Some("web-green"), &[]),
        finished(
            true,
            Some("web"),
            &[("web-1", "the token may not delete deployments.apps")],
        ),
        finished(false, None, &[]),
    ];
    assert_snapshot!(shown(&reports), @r"
    shop/web-blue@7: Service `web` in `shop` routes to Deployment `web-blue` (app:2): 2 of
    2 pods available after 41 s. `web-green`, which served before, is scaled to zero.
    Namespace=shop
    Deployment=web-blue
    Revision=7
    PreviousRevision=
    Image=app:2
    Strategy=blueGreen
    DurationSeconds=41
    Execution=job-1
    --
    shop/web-blue@7: Service `web` in `shop` routes to Deployment `web-blue` (app:2): 2 of
    2 pods available after 41 s. `web`, which served before, is scaled to zero. `web-1`
    could not be cleaned up: the token may not delete deployments.apps.
    Namespace=shop
    Deployment=web-blue
    Revision=7
    PreviousRevision=
    Image=app:2
    Strategy=blueGreen
    DurationSeconds=41
    Execution=job-1
    --
    shop/web-blue@7: Service `web` in `shop` already routed to this version, so nothing
    was changed: Deployment `web-blue` (app:2): 2 of 2 pods available.
    Namespace=shop
    Deployment=web-blue
    Revision=7
    PreviousRevision=7
    Image=app:2
    Strategy=blueGreen
    DurationSeconds=41
    Execution=job-1
    ");
}

#[test]
fn stages_of_a_switch() {
    let until = at(90);
    let bake = Stage::Bake {
        candidate: "web-blue".into(),
        until: Some(until),
    };
    let share = Stage::Share {
        candidate: "web-blue".into(),
        percent: 10,
        until: Some(until),
    };
    let lines = [
        Stage::Candidate("web-blue".into()),
        Stage::Lock {
            execution: "run-1".into(),
            until,
        },
        Stage::Smoke,
        Stage::Endpoints("web".into()),
        bake.clone(),
        bake.ahead(until),
        Stage::Watched(Some(until)),
        Stage::Watched(Some(until)).ahead(until),
        share.clone(),
        share.ahead(until),
        Stage::Leaving("web-blue".into()),
        Stage::Settling("web".into()),
    ]
    .map(|stage| {
        let wait = |rollback| Wait {
            stage: stage.clone(),
            ..wait(progress_of(WaitsFor::Availability, 1, 2), rollback)
        };
        format!("{}\n{}", progress(&wait(false)), progress(&wait(true)))
    });
    assert_snapshot!(wrapped(&lines.join("\n")), @r"
    `web-blue`: 1 of 2 new pods available
    rolling back: `web-blue`: 1 of 2 new pods available
    waiting for execution `run-1`, which holds the lock on the Service until
    2026-01-01T00:01:30Z at the latest
    rolling back: waiting for execution `run-1`, which holds the lock on the Service until
    2026-01-01T00:01:30Z at the latest
    the smoke test is running
    rolling back: the smoke test is running
    waiting for the endpoints of Service `web` to be updated
    rolling back: waiting for the endpoints of Service `web` to be updated
    `web-blue` serves (1 of 2 new pods available); the previous version is kept until
    2026-01-01T00:01:30Z
    rolling back: `web-blue` serves (1 of 2 new pods available); the previous version is
    kept until 2026-01-01T00:01:30Z
    `web-blue` serves (1 of 2 new pods available); the previous version is kept until the
    last checks are made
    rolling back: `web-blue` serves (1 of 2 new pods available); the previous version is
    kept until the last checks are made
    it serves (1 of 2 new pods available), and is watched until 2026-01-01T00:01:30Z
    rolling back: it serves (1 of 2 new pods available), and is watched until
    2026-01-01T00:01:30Z
    it serves (1 of 2 new pods available), and is watched until the last checks are made
    rolling back: it serves (1 of 2 new pods available), and is watched until the last
    checks are made
    `web-blue` gets 10 % of the traffic (1 of 2 new pods available) until
    2026-01-01T00:01:30Z
    rolling back: `web-blue` gets 10 % of the traffic (1 of 2 new pods available) until
    2026-01-01T00:01:30Z
    `web-blue` gets 10 % of the traffic (1 of 2 new pods available)
    rolling back: `web-blue` gets 10 % of the traffic (1 of 2 new pods available)
    waiting for the pods of `web-blue` to terminate
    rolling back: waiting for the pods of `web-blue` to terminate
    `web` is being scaled or rolled out
    rolling back: `web` is being scaled or rolled out
    ");
}

#[test]
fn a_canary_that_waits_for_its_turn_says_for_whom() {
    let stage = Stage::Turn {
        route: crate::kubernetes::route::RouteReference::parse("httproute/web").unwrap(),
        service: "api".into(),
    };
    let wait = Wait {
        stage,
        ..wait(progress_of(WaitsFor::Availability, 0, 2), false)
    };
    assert_eq!(
        progress(&wait),
        "waiting for the canary of Service `api`, which moves traffic by HTTPRoute `web`"
    );
}

#[test]
fn switches_that_failed() {
    let failed = |rollback_result, request: &Request| {
        let of_smoke = Failure::Rollout {
            failure: Box::new(RolloutFailure::of(RolloutCause::Smoke {
                path: "/health".into(),
                tries: 3,
                last: "HTTP 500: oops".into(),
            })),
            rollback_result,
        };
        failure(request, &of_smoke, &place())
    };
    let usual = switching(json!({}));
    let left = switching(json!({"rollback": false}));
    let blue = || "web-blue".to_owned();
    let locked = Failure::Locked {
        execution: "run-1".into(),
        until: at(90),
    };
    let refused = |code| {
        let refused = Failure::Rollout {
            failure: Box::new(RolloutFailure {
                reason: Some(Reason::Refused(code)),
                ..recorded("the token may not patch deployments.apps")
            }),
            rollback_result: RollbackResult::Unswitched(CandidateState::Gone, "web".into(), false),
        };
        failure(&usual, &refused, &place())
    };
    let permissions = [&Permission::smoke()[..], &[Permission::scale()]].concat();
    let reports = [
        failed(
            RollbackResult::Unswitched(CandidateState::ScaledDown(blue()), "web".into(), false),
            &usual,
        ),
        failed(
            RollbackResult::Unswitched(CandidateState::Gone, "web".into(), false),
            &usual,
        ),
        failed(
            RollbackResult::Unswitched(CandidateState::Left(blue()), "web".into(), false),
            &left,
        ),
        failed(
            RollbackResult::SwitchedBack("web".into(), CandidateState::ScaledDown(blue())),
            &usual,
        ),
        failed(RollbackResult::LeftSwitched, &left),
        failed(RollbackResult::NoWayBack, &usual),
        refused(403),
        refused(422),
        refused(503),
        failure(&usual, &Failure::Forbidden(permissions), &place()),
        failed(RollbackResult::SwitchRollbackFailed(blue()), &usual),
        failure(&usual, &locked, &place()),
    ];
    assert_snapshot!(shown(&reports), @r"
    JobFailed: The new version of Deployment `web` in `shop` was not put into service: its
    smoke test (GET /health) failed 3 times; last error: HTTP 500: oops.

    Service `web` still routes to the previous version. `web-blue` was scaled to zero.
    Correct the cause and release the change again. See docs/operations.md, smoke-test.
    --
    JobFailed: The new version of Deployment `web` in `shop` was not put into service: its
    smoke test (GET /health) failed 3 times; last error: HTTP 500: oops.

    Service `web` still routes to the previous version. No pod of the new version is left.
    Correct the cause and release the change again. See docs/operations.md, smoke-test.
    --
    JobFailed: The new version of Deployment `web` in `shop` was not put into service: its
    smoke test (GET /health) failed 3 times; last error: HTTP 500: oops.

    Service `web` still routes to the previous version. `web-blue` was left as it is,
    because `rollback` is false.
    Correct the cause and release the change again. See docs/operations.md, smoke-test.
    --
    JobFailed: The new version of Deployment `web` in `shop` was taken out of service
    again: its smoke test (GET /health) failed 3 times; last error: HTTP 500: oops.

    Service `web` routes to `web` again. `web-blue` was scaled to zero.
    Correct the cause and release the change again. See docs/operations.md, smoke-test.
    --
    JobFailed: The deploy of Deployment `web` in `shop` failed after its Service was
    switched: its smoke test (GET /health) failed 3 times; last error: HTTP 500: oops.

    Service `web` still routes to the new version, because `rollback` is false.
    Correct the cause and release the change again. See what runs with `kubectl
    --namespace shop get deployment,pod`, and what is served with `kubectl --namespace
    shop describe service/web`. See docs/operations.md, smoke-test.
    --
    JobFailed: The deploy of Deployment `web` in `shop` failed after its Service was
    switched: its smoke test (GET /health) failed 3 times; last error: HTTP 500: oops.

    Service `web` still routes to the new version, because the previous version has fewer
    pods available and cannot take over again.
    Correct the cause and release the change again. See what runs with `kubectl
    --namespace shop get deployment,pod`, and what is served with `kubectl --namespace
    shop describe service/web`. See docs/operations.md, smoke-test.
    --
    PermissionError: The new version of Deployment `web` in `shop` was not put into
    service: the token may not patch deployments.apps.

    Service `web` still routes to the previous version. No pod of the new version is left.
    Grant the permission that is missing, then retry the stage. See docs/operations.md,
    forbidden.
    --
    ConfigurationError: The new version of Deployment `web` in `shop` was not put into
    service: the token may not patch deployments.apps.

    Service `web` still routes to the previous version. No pod of the new version is left.
    Correct the cause and release the change again. See docs/operations.md,
    object-refused.
    --
    JobFailed: The new version of Deployment `web` in `shop` was not put into service: the
    token may not patch deployments.apps.

    Service `web` still routes to the previous version. No pod of the new version is left.
    Retry the stage when the API server is healthy again. See docs/operations.md,
    cluster-unavailable.
    --
    PermissionError: Deployment `web` in `shop` was not changed: the token may not create
    services, delete services, get services/proxy and patch
    horizontalpodautoscalers.autoscaling.

    Grant the verb `create` on `services`, the verb `delete` on `services`, the verb `get`
    on `services/proxy` and the verb `patch` on `horizontalpodautoscalers.autoscaling` to
    the token's ServiceAccount by a Role in this namespace; deploy/rbac.yaml and
    deploy/rbac-switching.yaml have all verbs that are needed. See docs/operations.md,
    forbidden.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: its smoke
    test (GET /health) failed 3 times; last error: HTTP 500: oops.

    Service `web` routes to the previous version, but `web-blue` could not be cleaned up
    in time.
    Correct the cause and release the change again. See what runs with `kubectl
    --namespace shop get deployment,pod`, and what is served with `kubectl --namespace
    shop describe service/web`. See docs/operations.md, smoke-test.
    --
    RevisionOutOfSync: Deployment `web` in `shop` was not changed: execution `run-1` held
    the lock on the same Service for as long as this one could wait within its timeout of
    15 min. Nothing was started.

    Retry the stage when that execution has finished. If it was stopped, its lock expires
    at 2026-01-01T00:01:30Z. See docs/operations.md, locked.
    ");
    let (service, deployment) = (|| "web".to_owned(), || "web-blue".to_owned());
    let causes = [
        RolloutCause::SwitchTimedOut {
            timeout: Duration::from_secs(900),
            service: service(),
        },
        RolloutCause::Endpoints {
            service: service(),
            deployment: deployment(),
        },
        RolloutCause::ForeignPod {
            service: service(),
            pod: "api-1".into(),
            deployment: deployment(),
        },
        RolloutCause::SelectorChanged(service()),
        RolloutCause::ServiceDeleted(service()),
        RolloutCause::DeploymentChanged(deployment()),
        RolloutCause::DeploymentDeleted(deployment()),
        RolloutCause::ScaledToZero(deployment()),
        RolloutCause::ScaleHeld {
            deployment: deployment(),
            replicas: 1,
            wanted: 3,
        },
    ];
    let lines = causes.map(|it| cause(&it, NEW)).join("\n");
    assert_snapshot!(wrapped(&lines), @r"
    Service `web` could not be switched within 15 min (timeout)
    Service `web` never routed only to the ready pods of `web-blue`
    Service `web` would also send to pod `api-1`, which is not one of `web-blue`
    someone else changed the selector of Service `web` during the deploy
    someone else deleted Service `web` during the deploy
    someone else changed Deployment `web-blue` during the deploy
    someone else deleted Deployment `web-blue` during the deploy
    someone else scaled `web-blue` to zero
    someone else keeps `web-blue` at 1 of 3 replicas
    ");
}

#[test]
fn handovers() {
    let half = wait(progress_of(WaitsFor::Availability, 1, 2), false);
    let all = wait(progress_of(WaitsFor::OldPods(1), 2, 2), false);
    let none = wait(progress_of(WaitsFor::NewPods, 0, 0), false);
    let back = wait(progress_of(WaitsFor::Availability, 1, 2), true);
    let over = |phase, unreachable_since, waiting: Option<&Wait>| {
        let continuation = Continuation {
            phase,
            unreachable_since,
            ..begun()
        };
        handed_over(&continuation, "bound", waiting)
    };
    let reports = [
        over(Phase::Start, None, None),
        over(rolling_out(), None, None),
        over(rolling_back(), None, None),
        over(rolling_out(), None, Some(&half)),
        over(rolling_out(), None, Some(&all)),
        over(rolling_out(), None, Some(&none)),
        over(rolling_back(), None, Some(&back)),
        over(rolling_out(), Some(at(61)), Some(&half)),
    ];
    assert_snapshot!(shown(&reports), @r"
    0 %: about to start
    --
    0 %: the rollout continues
    --
    0 %: the rollback continues
    --
    50 %: 1 of 2 new pods available
    --
    99 %: 2 of 2 new pods available; 1 old pod left
    --
    0 %: 0 of 0 new pods available
    --
    0 %: rolling back: 1 of 2 previous pods available
    --
    50 %: the cluster has not answered correctly since 2026-01-01T00:01:01Z; retrying
    ");
    let Report::Progress { token, .. } = &reports[0] else {
        panic!("it goes on")
    };
    assert_eq!(Continuation::decode(token, "bound"), Ok(begun()));
}

#[test]
fn failures() {
    let one = vec![Fault::new(
        "images.web",
        "names container `web`, which the Deployment does not have; it has `app`",
    )];
    let two = [one.clone(), vec![Fault::new("timeout", "must be x")]].concat();
    let out_of_sync = |by: Option<&str>, wrote| Failure::OutOfSync {
        by: by.map(str::to_owned),
        wrote,
    };
    let reports = [
        Failure::Faults(one),
        Failure::Faults(two),
        Failure::Missing,
        Failure::BeingDeleted,
        Failure::Paused,
        Failure::TooLate,
        Failure::Deleted(None),
        Failure::Deleted(Some(Serving {
            available: 0,
            wanted: 1,
        })),
        Failure::Deleted(Some(Serving {
            available: 2,
            wanted: 1,
        })),
        out_of_sync(Some("run-3"), true),
        out_of_sync(None, true),
        out_of_sync(None, false),
    ]
    .map(|failure| super::failure(&request(), &failure, &place()));
    assert_snapshot!(shown(&reports), @r"
    ConfigurationError: Deployment `web` in `shop` was not changed: `images.web` names
    container `web`, which the Deployment does not have; it has `app`.

    Correct the action's UserParameters and release the change again. See
    docs/operations.md, parameters.
    --
    ConfigurationError: Deployment `web` in `shop` was not changed: 2 things are wrong
    with the user parameters.

    - `images.web` names container `web`, which the Deployment does not have; it has `app`
    - `timeout` must be x

    Correct the action's UserParameters and release the change again. See
    docs/operations.md, parameters.
    --
    ConfigurationError: Deployment `web` in `shop` does not exist, so there was nothing to
    patch.

    Check `deployment` and `namespace` (`kubectl --namespace shop get deployments` lists
    what is there), or give a `manifest` to create it. See docs/operations.md, missing.
    --
    ConfigurationError: Deployment `web` in `shop` is being deleted, so nothing was
    changed.

    Wait until it is gone, then create it again with a `manifest`. See docs/operations.md,
    being-deleted.
    --
    ConfigurationError: Deployment `web` in `shop` is paused: somebody stopped its
    rollouts, so nothing was changed.

    Resume it with `kubectl --namespace shop rollout resume deployment/web`, then retry
    the stage. See docs/operations.md, paused.
    --
    SystemUnavailable: Deployment `web` in `shop` was not changed: the timeout of 15 min
    expired before anything could be written to the cluster.

    Retry the stage; if the cluster is slow to answer, raise `timeout`. See
    docs/operations.md, too-late.
    --
    JobFailed: Deployment `web` in `shop` was deleted during its rollout.

    Find out who deleted it. A deploy with a `manifest` creates it again. See
    docs/operations.md, deleted.
    --
    JobFailed: Outage: no pod of Deployment `web` in `shop` serves. Deployment `web` in
    `shop` was deleted during its rollout.

    Find out who deleted it. A deploy with a `manifest` creates it again. See
    docs/operations.md, deleted.
    --
    JobFailed: Deployment `web` in `shop` was deleted during its rollout.

    2 of its pods were left behind and are still ready; nothing rolls them out any more.

    Find out who deleted it. A deploy with a `manifest` creates it again. See
    docs/operations.md, deleted.
    --
    RevisionOutOfSync: Deployment `web` in `shop` was changed by execution `run-3` after
    this deploy wrote its version; the later change was kept.

    To keep the version that serves now, do nothing; to deploy this version, release the
    change again. See docs/operations.md, out-of-sync.
    --
    RevisionOutOfSync: Deployment `web` in `shop` was changed by someone else after this
    deploy wrote its version; the later change was kept.

    To keep the version that serves now, do nothing; to deploy this version, retry the
    stage. See docs/operations.md, out-of-sync.
    --
    RevisionOutOfSync: Deployment `web` in `shop` was changed by someone else after this
    deploy began; the later change was kept.

    To keep the version that serves now, do nothing; to deploy this version, retry the
    stage. See docs/operations.md, out-of-sync.
    ");
}

#[test]
fn rollouts_that_failed() {
    let short = progress_of(WaitsFor::Availability, 1, 2);
    let exceeded = || Some(deadline_exceeded(&short));
    let crash = "`app` in pod `web-1` exits with code 1, 3 times: `panic: no DATABASE_URL`";
    let seen = evidence(
        &["34 s after the change 1 of 2 new pods so far were ready, of 2 wanted."],
        &[
            "The last lines of `app` in pod `web-1`:",
            "  panic: no DATABASE_URL",
        ],
    );
    let why = stopped(None, Some(timed_out(900, &short)));
    let of = |cause: RolloutCause, seen: &Evidence, rollback_result| {
        let is_crash = matches!(&cause, RolloutCause::Pods { told: Some(_), .. });
        let failure = Failure::Rollout {
            failure: Box::new(RolloutFailure {
                cause,
                kind: is_crash.then_some(Cause::Crash),
                evidence: seen.clone(),
                reason: None,
                traffic: None,
            }),
            rollback_result,
        };
        super::failure(&request(), &failure, &place())
    };
    let rollout = |cause: &str, seen: &Evidence, rollback_result| {
        of(recorded(cause).cause, seen, rollback_result)
    };
    let unread = evidence(&["The new pods could not be read: HTTP 403."], &[]);
    let none = &Evidence::default();
    let reports = [
        of(
            stopped(Some(crash), None),
            &seen,
            RollbackResult::RolledBack(version()),
        ),
        of(
            stopped(Some(crash), exceeded()),
            &seen,
            RollbackResult::RolledBack(version()),
        ),
        of(
            stopped(None, exceeded()),
            &unread,
            RollbackResult::NothingWritten,
        ),
        rollout("it broke", none, RollbackResult::RollbackDisabled),
        rollout("it broke", none, RollbackResult::NothingToRollBackTo),
        rollout("it broke", none, RollbackResult::NothingServed),
        rollout(
            "it broke",
            none,
            RollbackResult::PreviousGone("web-6".into()),
        ),
        rollout(
            "it broke",
            none,
            RollbackResult::RollbackFailed(version(), why),
        ),
        rollout(
            "it broke",
            none,
            RollbackResult::OvertakenBy(Some("run-3".into())),
        ),
        rollout("it broke", none, RollbackResult::OvertakenBy(None)),
        rollout("it broke", none, RollbackResult::Deleted),
    ];
    assert_snapshot!(shown(&reports), @r"
    JobFailed: The new version of Deployment `web` in `shop` does not serve: `app` in pod
    `web-1` exits with code 1, 3 times: `panic: no DATABASE_URL`.

    34 s after the change 1 of 2 new pods so far were ready, of 2 wanted.

    The last lines of `app` in pod `web-1`:
    panic: no DATABASE_URL

    Rolled back: revision 8 (shop/web:1) serves again.
    Correct the cause and release the change again. See docs/operations.md, crash.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: `app` in pod
    `web-1` exits with code 1, 3 times: `panic: no DATABASE_URL`; Kubernetes saw no
    progress for 10 min (progressDeadlineSeconds), with 1 of 2 new pods available.

    34 s after the change 1 of 2 new pods so far were ready, of 2 wanted.

    The last lines of `app` in pod `web-1`:
    panic: no DATABASE_URL

    Rolled back: revision 8 (shop/web:1) serves again.
    Correct the cause and release the change again. See docs/operations.md, crash.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: Kubernetes
    saw no progress for 10 min (progressDeadlineSeconds), with 1 of 2 new pods available.

    The new pods could not be read: HTTP 403.

    It already ran this version before the job began, so nothing was changed or rolled
    back.
    If the version itself is at fault, correct it and release the change again; otherwise
    fix the cause in the cluster and retry the stage. See docs/operations.md, no-progress.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    It was left as it is, because `rollback` is false.
    If the version itself is at fault, correct it and release the change again; otherwise
    fix the cause in the cluster and retry the stage. See what runs with `kubectl
    --namespace shop get deployment,replicaset,pod`, and `kubectl --namespace shop rollout
    history deployment/web`. See docs/operations.md, no-progress.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    No earlier version served, so there is none to roll back to; it was left as it is.
    If the version itself is at fault, correct it and release the change again; otherwise
    fix the cause in the cluster and retry the stage. See what runs with `kubectl
    --namespace shop get deployment,replicaset,pod`, and `kubectl --namespace shop rollout
    history deployment/web`. See docs/operations.md, no-progress.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    It was left as it is: the previous version did not serve either.
    If the version itself is at fault, correct it and release the change again; otherwise
    fix the cause in the cluster and retry the stage. See what runs with `kubectl
    --namespace shop get deployment,replicaset,pod`, and `kubectl --namespace shop rollout
    history deployment/web`. See docs/operations.md, no-progress.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    It was left as it is: ReplicaSet `web-6` of the previous version no longer exists
    (revisionHistoryLimit).
    If the version itself is at fault, correct it and release the change again; otherwise
    fix the cause in the cluster and retry the stage. See what runs with `kubectl
    --namespace shop get deployment,replicaset,pod`, and `kubectl --namespace shop rollout
    history deployment/web`. See docs/operations.md, no-progress.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    Revision 8 (shop/web:1) was restored, but it does not serve: the rollout was not
    complete within 15 min (timeout), with 1 of 2 previous pods available.
    If the version itself is at fault, correct it and release the change again; otherwise
    fix the cause in the cluster and retry the stage. See what runs with `kubectl
    --namespace shop get deployment,replicaset,pod`, and `kubectl --namespace shop rollout
    history deployment/web`. See docs/operations.md, no-progress.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    Execution `run-3` has deployed since.
    If the version itself is at fault, correct it and release the change again; otherwise
    fix the cause in the cluster and retry the stage. See what runs with `kubectl
    --namespace shop get deployment,replicaset,pod`, and `kubectl --namespace shop rollout
    history deployment/web`. See docs/operations.md, no-progress.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    Someone else has changed it since, so it was left as it is.
    If the version itself is at fault, correct it and release the change again; otherwise
    fix the cause in the cluster and retry the stage. See what runs with `kubectl
    --namespace shop get deployment,replicaset,pod`, and `kubectl --namespace shop rollout
    history deployment/web`. See docs/operations.md, no-progress.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    It was deleted during the rollback.
    If the version itself is at fault, correct it and release the change again; otherwise
    fix the cause in the cluster and retry the stage. See what runs with `kubectl
    --namespace shop get deployment,replicaset,pod`, and `kubectl --namespace shop rollout
    history deployment/web`. See docs/operations.md, no-progress.
    ");
}

#[test]
fn causes_by_time() {
    let lines = [
        (WaitsFor::Observation, 0),
        (WaitsFor::NewPods, 0),
        (WaitsFor::OldPods(1), 2),
        (WaitsFor::Resumption, 1),
    ]
    .map(|(waits_for, available)| {
        let progress = progress_of(waits_for, available, 2);
        cause(&stopped(None, Some(timed_out(90, &progress))), NEW)
    });
    let obstacle = Progress {
        obstacle: Some(Obstacle::Told("exceeded quota".into())),
        ..progress_of(WaitsFor::NewPods, 0, 2)
    };
    let exceeded = stopped(None, Some(deadline_exceeded(&obstacle)));
    let exceeded = cause(&exceeded, PREVIOUS);
    let refused = stopped(None, Some(Stop::NoReplicaSet("exceeded quota".into())));
    let refused = cause(&refused, NEW);
    let lines = format!("{}\n{exceeded}\n{refused}", lines.join("\n"));
    assert_snapshot!(wrapped(&lines), @r"
    the rollout was not complete within 1 min 30 s (timeout), and Kubernetes has not
    processed the change yet
    the rollout was not complete within 1 min 30 s (timeout), with 0 of 2 new pods
    available
    the rollout was not complete within 1 min 30 s (timeout), with 2 of 2 new pods
    available; 1 old pod left
    the Deployment was paused (spec.paused) in the middle of its rollout, with 1 of 2 new
    pods available, and was not resumed within 1 min 30 s (timeout)
    Kubernetes saw no progress for 10 min (progressDeadlineSeconds), with 0 of 2 previous
    pods available; exceeded quota
    no new pod can be created, because its ReplicaSet is refused: exceeded quota
    ");
}

#[test]
fn access_that_is_lost_keeps_the_first_cause() {
    let error = CredentialsError::Unreachable("SSM is away".into());
    let told = |phase: &Phase| {
        let Report::Failure { message, .. } = access_lost(
            &request(),
            phase,
            &error,
            &CredentialSource::Parameter(ParameterPlace::default()),
        ) else {
            panic!("it failed")
        };
        message
    };
    assert!(!told(&Phase::Start).contains("does not serve"));
    assert!(told(&rolling_out()).contains("was written. Its rollout continues"));
    let back = told(&rolling_back());
    assert!(back.contains("does not serve: it broke."), "{back}");
}

#[test]
fn calls_that_failed() {
    let patch = Call::strategic_patch(&DEPLOYMENTS, "shop", "web", json!({}));
    let refused = |code, message: &str| {
        CallError::Refused(Refusal {
            code,
            message: message.to_owned(),
            is_status: true,
            ..Refusal::default()
        })
    };
    let start = [
        refused(400, "the request is malformed"),
        refused(401, "Unauthorized"),
        refused(403, "deployments.apps \"web\" is forbidden: no."),
        refused(409, ""),
        refused(422, "Deployment.apps \"web\" is invalid"),
        refused(429, ""),
        refused(503, "etcd\nis away"),
        CallError::Unreachable(Box::new(unreached(UnreachedCause::ConnectionRefused))),
        CallError::Untrusted(Box::new(Untrusted {
            host: "k8s.example.com:6443".into(),
            fault: CertificateFault::OtherCa,
        })),
        CallError::NotKubernetes(Box::new(OddAnswer::Text(200, Some("Welcome".into())))),
        CallError::OutOfTime,
    ]
    .map(|error| call_failed(&request(), &begun(), &patch, &error, None, &place()));
    assert_snapshot!(shown(&start), @r#"
    ConfigurationError: Deployment `web` in `shop` was not changed: the API server refused
    to patch deployments.apps (HTTP 400, "the request is malformed").

    Correct what it names, then release the change again; where that is something in the
    cluster, retry the stage. See docs/operations.md, object-refused.
    --
    PermissionError: Deployment `web` in `shop` was not changed: the cluster does not
    accept the bearer token (HTTP 401, "Unauthorized").

    Store a valid token of this cluster in SSM parameter `k8s-bear-token`, then retry the
    stage. The parameter was read again, and its token was refused as well. See
    docs/operations.md, token-refused.
    --
    ConfigurationError: Deployment `web` in `shop` was not changed: the API server refused
    to patch deployments.apps (HTTP 403, "deployments.apps "web" is forbidden: no").

    Correct what it names, then release the change again; where that is something in the
    cluster, retry the stage. See docs/operations.md, object-refused.
    --
    RevisionOutOfSync: Deployment `web` in `shop` was not changed: somebody else kept
    changing it at the same time (HTTP 409).

    Retry the stage when the other change is through. See docs/operations.md, out-of-sync.
    --
    ConfigurationError: Deployment `web` in `shop` was not changed: the API server refused
    to patch deployments.apps (HTTP 422, "Deployment.apps "web" is invalid").

    Correct what it names, then release the change again; where that is something in the
    cluster, retry the stage. See docs/operations.md, object-refused.
    --
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not
    patch deployments.apps just now (HTTP 429).

    Retry the stage when the API server is healthy again; the function retried until it
    gave up. See docs/operations.md, cluster-unavailable.
    --
    SystemUnavailable: It is not known whether Deployment `web` in `shop` was changed: the
    cluster could not patch deployments.apps just now (HTTP 503, "etcd is away").

    Retry the stage when the API server is healthy again; the function retried until it
    gave up. See docs/operations.md, cluster-unavailable.
    --
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not
    be reached at `k8s.example.com:6443`: the connection was refused (tried 5 times).

    The host is there, and nothing listens on the port: correct the port in K8S_CLUSTER,
    or start the API server. Then retry the stage. See docs/operations.md, unreachable.
    --
    ConfigurationError: Deployment `web` in `shop` was not changed: the certificate that
    `k8s.example.com:6443` presents is not trusted: it was signed by another CA than the
    one given.

    Set K8S_CA or K8S_CA_PARAMETER to the CA of this cluster, or K8S_CLUSTER to the
    cluster of this CA, then retry the stage. A proxy that opens TLS on the way shows like
    this, too. See docs/operations.md, untrusted.
    --
    ConfigurationError: It is not known whether Deployment `web` in `shop` was changed:
    the answer at K8S_CLUSTER is not a Kubernetes API server's: HTTP 200 with "Welcome".

    Set K8S_CLUSTER to the API server itself: a login page, a proxy, a load balancer or a
    firewall answers there. Then retry the stage. See docs/operations.md, not-kubernetes.
    --
    SystemUnavailable: Deployment `web` in `shop` was not changed: there was no time left
    to patch deployments.apps.

    Retry the stage; if this happens again, raise the function's timeout. See
    docs/operations.md, out-of-time.
    "#);
    let get = Call::get(&DEPLOYMENTS, "shop", "web");
    let later = [rolling_out(), rolling_back()].map(|phase| {
        call_failed(
            &request(),
            &in_phase(phase),
            &get,
            &refused(403, ""),
            None,
            &place(),
        )
    });
    let undo = change::undo(&live(2, "app:2"), &json!({}), "job-1", "it broke");
    let undo = Call::json_patch(&DEPLOYMENTS, "shop", "web", undo);
    let undone = call_failed(
        &request(),
        &in_phase(rolling_out()),
        &undo,
        &refused(422, "no"),
        None,
        &place(),
    );
    let unseen = CallError::Unreachable(Box::new(unreached(UnreachedCause::ConnectionRefused)));
    let unread = call_failed(&request(), &begun(), &get, &unseen, None, &place());
    let later = [&later[..], &[undone, unread]].concat();
    assert_snapshot!(shown(&later), @r#"
    ConfigurationError: The rollout of Deployment `web` in `shop` could not be followed to
    its end: the API server forbids to get deployments.apps and does not say why (HTTP
    403).

    See whether the token has the permission: `kubectl --namespace shop auth can-i get
    deployments.apps`, with the token. If it has, a policy or an admission plugin of the
    cluster refuses the object; the API server's log says which. See docs/operations.md,
    object-refused.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    The rollback of Deployment `web` in `shop` could not be followed to its end: the API
    server forbids to get deployments.apps and does not say why (HTTP 403).

    See whether the token has the permission: `kubectl --namespace shop auth can-i get
    deployments.apps`, with the token. If it has, a policy or an admission plugin of the
    cluster refuses the object; the API server's log says which. See docs/operations.md,
    object-refused, and for what the new version failed of docs/operations.md,
    no-progress.
    --
    JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

    Deployment `web` in `shop` could not be rolled back: the API server refused to patch
    deployments.apps (HTTP 422, "no").

    Correct what it names, then release the change again; where that is something in the
    cluster, retry the stage. See docs/operations.md, object-refused, and for what the new
    version failed of docs/operations.md, no-progress.
    --
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not
    be reached at `k8s.example.com:6443`: the connection was refused (tried 5 times).

    The host is there, and nothing listens on the port: correct the port in K8S_CLUSTER,
    or start the API server. Then retry the stage. See docs/operations.md, unreachable.
    "#);
}

#[test]
fn whatever_else_goes_wrong() {
    let faults = [Fault::new("K8S_CLUSTER", "is missing")];
    let reports = [
        wrong_parameters(&faults),
        wrong_environment(&faults),
        unusable_continuation(&ContinuationError::Damaged),
        unusable_continuation(&ContinuationError::Foreign),
        unusable_continuation(&ContinuationError::Version("2".into())),
        lost_sight(
            &request(),
            &in_phase(rolling_out()),
            at(61),
            "HTTP 503: etcd is away.",
        ),
        lost_sight(
            &request(),
            &in_phase(rolling_back()),
            at(61),
            "connection refused",
        ),
        lost_sight(&request(), &begun(), at(61), "it did not answer in time"),
        panicked("src/deploy.rs:1:2"),
        no_time(),
    ];
    assert_snapshot!(shown(&reports), @r"
    ConfigurationError: Nothing was deployed: `K8S_CLUSTER` is missing.

    Correct the action's UserParameters and release the change again. See
    docs/operations.md, parameters.
    --
    ConfigurationError: Nothing was deployed: the Lambda function's environment is not set
    up correctly.

    - `K8S_CLUSTER` is missing

    Correct the function's environment variables, then retry the stage. See
    docs/operations.md, environment.
    --
    ConfigurationError: The deploy cannot continue because its continuation token cannot
    be used: Landfall did not issue it, or it was altered in transit.

    This job changed nothing; what an earlier job started continues in the cluster. Retry
    the stage: a version that is already there is not written again. See
    docs/operations.md, continuation.
    --
    ConfigurationError: The deploy cannot continue because its continuation token cannot
    be used: it belongs to other user parameters or another cluster.

    This job changed nothing; what an earlier job started continues in the cluster. Retry
    the stage: a version that is already there is not written again. See
    docs/operations.md, continuation.
    --
    ConfigurationError: The deploy cannot continue because its continuation token cannot
    be used: its format 2 is not the format of this version of the function; the function
    was replaced during the deploy.

    This job changed nothing; what an earlier job started continues in the cluster. Retry
    the stage: a version that is already there is not written again. See
    docs/operations.md, continuation.
    --
    SystemUnavailable: Lost contact with the cluster during the deploy of Deployment `web`
    in `shop`: the cluster has not answered since 2026-01-01T00:01:01Z (HTTP 503: etcd is
    away).

    What was written continues in the cluster. Retry the stage when the cluster answers: a
    version that is already there is not written again. See docs/operations.md,
    out-of-sight.
    --
    SystemUnavailable: Lost contact with the cluster during the deploy of Deployment `web`
    in `shop`: the cluster has not answered since 2026-01-01T00:01:01Z (connection
    refused).

    The new version of Deployment `web` in `shop` does not serve: it broke.

    What was written continues in the cluster. Retry the stage when the cluster answers: a
    version that is already there is not written again. See docs/operations.md,
    out-of-sight.
    --
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster has not
    answered since 2026-01-01T00:01:01Z (it did not answer in time).

    Nothing was written. Retry the stage when the cluster answers. See docs/operations.md,
    out-of-sight.
    --
    JobFailed: Landfall crashed at src/deploy.rs:1:2; what it had written before continues
    in the cluster.

    Please report this place as a bug. Retrying the stage is safe. See docs/operations.md,
    bug.
    --
    SystemUnavailable: Nothing was deployed: the Lambda function ran out of time before it
    could start.

    Raise the function's timeout (a minute or more), then retry the stage. See
    docs/operations.md, no-time.
    ");
}

#[test]
fn what_is_left_of_a_report_that_was_refused() {
    let reports = [
        Report::Success {
            summary: "odd".into(),
            external_id: "odd".into(),
            variables: vec![("Image", "odd".into())],
        },
        handed_over(&begun(), "bound", None),
        no_time(),
    ];
    let bare = reports.each_ref().map(Report::bare);
    assert_snapshot!(shown(&bare), @r"
    landfall: It succeeded; the function's log says more.
    --
    0 %: The deploy continues.
    --
    SystemUnavailable: Nothing was deployed: the Lambda function ran out of time before it
    could start.
    ");
    let token = |report: &Report| match report {
        Report::Progress { token, .. } => Some(token.clone()),
        Report::Success { .. } | Report::Failure { .. } => None,
    };
    assert!(token(&bare[1]).is_some());
    assert_eq!(token(&bare[1]), token(&reports[1]));
}

#[test]
fn a_cause_is_what_is_wrong_and_what_ran_out() {
    let stop = || timed_out(90, &progress_of(WaitsFor::NewPods, 0, 2));
    let of = |told: Option<&str>, stop| cause(&stopped(told, stop), NEW);
    let alone = of(None, Some(stop()));
    assert_eq!(of(Some("a"), Some(stop())), format!("a; {alone}"));
    assert_eq!(of(Some("a"), None), "a");
    let long = of(Some(&"a".repeat(9000)), Some(stop()));
    assert!(long.len() <= TOLD_LIMIT + 2 + alone.len() && long.ends_with(&alone));
}

#[test]
fn a_duration_in_words() {
    for (seconds, expected) in [
        (0, "0 s"),
        (1, "1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (3600, "1 h"),
        (3601, "1 h 1 s"),
        (7200, "2 h"),
        (86_399, "23 h 59 min 59 s"),
        (90_000, "25 h"),
    ] {
        assert_eq!(words(Duration::from_secs(seconds)), expected);
        assert_eq!(distance(Duration::from_secs(seconds)), expected);
    }
    for (hours, expected) in [(47, "47 h"), (48, "2 days"), (26_655, "1110 days")] {
        assert_eq!(distance(Duration::from_secs(hours * 3600)), expected);
    }
    assert_eq!(words(Duration::from_millis(999)), "0 s");
}

#[test]
fn a_cut_is_between_characters() {
    for (text, limit, expected) in [
        ("", 0, ""),
        ("abc", 3, "abc"),
        ("abcd", 3, "…"),
        ("abcde", 4, "a…"),
        ("éé", 4, "éé"),
        ("ééé", 5, "é…"),
        ("ééé", 4, "…"),
        ("a😀😀", 8, "a😀…"),
        ("a😀😀", 7, "a…"),
    ] {
        assert_eq!(clip(text, limit), expected, "{text} in {limit}");
    }
}

#[test]
fn a_message_keeps_its_first_and_its_last_part() {
    let letters = ["x", "é", "€", "😀"];
    for letter in letters {
        for (headline, line, lines, next) in [
            (10, 10, 0, 10),
            (10, 2000, 50, 10),
            (300, 1, 10_000, 200),
            (10_000, 10_000, 2, 10_000),
            (10_000, 0, 0, 10_000),
        ] {
            let headline = format!("first {}", letter.repeat(headline));
            let next = format!("{} last", letter.repeat(next));
            let evidence = vec![letter.repeat(line); lines];
            let message = message(&headline, &evidence, &next);
            assert!(message.len() <= MESSAGE_LIMIT, "{}", message.len());
            let parts = message.split("\n\n").collect::<Vec<_>>();
            assert_eq!(parts[0], clip(&headline, HEADLINE_LIMIT));
            assert_eq!(parts[parts.len() - 1], clip(&next, NEXT_LIMIT));
            if headline.len() <= HEADLINE_LIMIT && next.len() <= NEXT_LIMIT {
                assert!(message.ends_with(" last"));
            }
            let room = MESSAGE_LIMIT - 4 - HEADLINE_LIMIT - NEXT_LIMIT;
            assert!(lines == 0 || parts[1].len() >= room.min(line * lines) - 8);
        }
    }
}

#[test]
fn no_input_makes_a_report_too_long() {
    let request = longest_request();
    let image = "é".repeat(10_000);
    let success = Success {
        deployment: live(i64::MAX, &image),
        revision: None,
        note: None,
        wrote: true,
        previous_revision: Some(u64::MAX),
        switched: None,
    };
    let named = Request {
        images: [("app".to_owned(), image)].into(),
        ..request.clone()
    };
    let Report::Success {
        summary,
        external_id,
        variables,
    } = super::success(&named, &begun(), &success, at(86_400))
    else {
        panic!("it is a success")
    };
    assert!(summary.len() <= SUMMARY_LIMIT && summary.len() > SUMMARY_LIMIT - 8);
    assert!(external_id.len() <= EXTERNAL_ID_LIMIT);
    assert!(
        variables
            .iter()
            .all(|(_, value)| value.len() <= VARIABLE_LIMIT)
    );
    let stuck = Progress {
        obstacle: Some(Obstacle::Told("€".repeat(10_000))),
        ..progress_of(WaitsFor::OldPods(i64::MAX), i64::MAX / 100, i64::MAX)
    };
    let over = handed_over(&begun(), "bound", Some(&wait(stuck.clone(), false)));
    let Report::Progress { summary, .. } = over else {
        panic!("it goes on")
    };
    assert!(summary.len() <= SUMMARY_LIMIT);
    let line = "😀".repeat(70);
    let failed = Failure::Rollout {
        failure: Box::new(RolloutFailure {
            cause: stopped(Some(&"😀".repeat(5000)), Some(timed_out(900, &stuck))),
            kind: Some(Cause::ContainerNotCreated),
            evidence: Evidence {
                pods: vec![line.clone(); 9],
                events: vec![line.clone(); 9],
                log: [vec![line; 20], vec!["the last line".into()]].concat(),
                ..Evidence::default()
            },
            reason: None,
            traffic: None,
        }),
        rollback_result: RollbackResult::RollbackFailed(
            crate::strategy::Version {
                revision: u64::MAX,
                image: "i".repeat(200),
            },
            stopped(None, Some(timed_out(request.timeout.as_secs(), &stuck))),
        ),
    };
    let failed = failure(&request, &failed, &place());
    let message = message_of(&failed);
    assert!(message.len() <= MESSAGE_LIMIT);
    // The last line is a command: half of it would be of no use.
    let command = format!("rollout history deployment/{}`.", request.deployment);
    assert!(message.contains(&command), "{message}");
    let headline = format!("The new version of {}", target(&request));
    assert!(message.starts_with(&headline), "{message}");
    assert!(message.contains("\nthe last line\n\n"), "{message}");
}

#[test]
fn every_last_line_fits_the_longest_names() {
    let request = longest_request();
    let rollout = |rollback_result| Failure::Rollout {
        failure: recorded("it broke").into(),
        rollback_result,
    };
    let by = || Some("😀".repeat(128));
    for failure in [
        Failure::Missing,
        Failure::Paused,
        rollout(RollbackResult::PreviousGone("s".repeat(253))),
        rollout(RollbackResult::OvertakenBy(by())),
        Failure::OutOfSync {
            by: by(),
            wrote: true,
        },
    ] {
        let report = super::failure(&request, &failure, &place());
        assert!(!message_of(&report).contains('…'), "{failure:?}");
    }
}

#[test]
fn a_switch_that_stepped_aside_says_whether_its_version_gets_traffic() {
    let request = switching(json!({}));
    let told = |version: Option<&str>| {
        let present = TrafficState {
            service: "front".into(),
            is_there: true,
            detour: None,
            sends: [("web-blue".to_owned(), 2)].into(),
            up: [("web-blue".to_owned(), 2)].into(),
            version: version.map(str::to_owned),
        };
        let Report::Failure { message, .. } = present::set_aside(&request, None, None, &present)
        else {
            panic!("it stepped aside");
        };
        message
    };
    for (version, expected) in [
        (
            Some("web-blue"),
            "This deploy's version, `web-blue`, gets traffic now. Retry the stage",
        ),
        (
            Some("web-green"),
            "This deploy's version, `web-green`, gets no traffic now. To keep",
        ),
        (
            None,
            "(2 replicas). To keep the version that serves now, do nothing",
        ),
    ] {
        let told = told(version)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(told.contains(expected), "{told}");
        assert!(!told.contains("nothing to do"), "{told}");
    }
}

#[test]
fn a_selector_that_others_changed_is_out_of_sync() {
    let found = what_failed(None, Some(Reason::Selector));
    assert_eq!(
        found,
        (FailureCode::OutOfSync, FailureType::RevisionOutOfSync)
    );
    let found = what_failed(None, Some(Reason::Changed));
    assert_eq!(found, (FailureCode::OutOfSync, FailureType::JobFailed));
}
