//! Whether an end is the right one for what happened.

use super::disturbance::*;
use super::outcome::{PLANS, TOLD_EVERY};
use super::play::{End, Simulation};
use super::setting::*;
use super::{EARLIER_IMAGE, LAST_IMAGE, NEW_IMAGE, REQUIRED};
use jiff::SignedDuration;
use landfall_core::report::cause::recorded;
use landfall_core::strategy::{CandidateState, Failure, Former, RollbackResult, Success};
use landfall_sandbox::world::{Reply, sample_service};
use std::sync::atomic::Ordering;

/// A rollback that waited for a deploy which died finds that what served before it still does. A
/// retry that began after that one's end may have gone back from there.
fn expect_what_served(simulation: &mut Simulation) {
    let setting = simulation.setting;
    let waited = setting.start == Start::Back && setting.locked == Locked::Live;
    let is_first = !simulation.job.starts_with('2');
    let (_, images) = simulation.serving();
    // A Service that was made anew a moment ago sends to nobody yet.
    let went_back = images.iter().any(|image| *image == NEW_IMAGE);
    if waited && is_first && (!went_back || simulation.happened.is_empty()) {
        EARLIER_IMAGE.clone_into(&mut simulation.image);
    }
}

pub fn judge(simulation: &mut Simulation, end: &End) {
    let plans = PLANS.fetch_add(1, Ordering::Relaxed) + 1;
    if plans.is_multiple_of(TOLD_EVERY) {
        println!("{plans} plans");
    }
    let all = simulation.happened.clone();
    expect_what_served(simulation);
    let happened = |disturbance| all.contains(&disturbance);
    let refused = happened(Refused);
    let unavailable = happened(Unavailable) || happened(DoneUnavailable);
    let other = simulation.job.starts_with('2');
    let sick = !other && ![Well, Slow].contains(&simulation.setting.health);
    let stranger = happened(Overtaken);
    if MEDDLING.iter().any(|it| happened(*it)) {
        return judge_meddled(simulation, end);
    }
    for call in std::mem::take(&mut simulation.late) {
        let reply = simulation.send(&call);
        let Reply::Answer(answer) = reply else {
            panic!("{reply:?}");
        };
        let code = answer.status;
        simulation.note(|| format!("{code} for a late {} {}", call.verb.method(), call.path));
    }
    simulation.pass(SignedDuration::from_secs(5));
    let (_, images) = simulation.serving();
    let serves = images.first().cloned().unwrap_or_default();
    let mut clean = !stranger;
    match end {
        _ if stranger => {}
        End::Finished(success) => {
            assert!(
                !sick,
                "a version that does not serve was reported as a success"
            );
            assert_eq!(serves, simulation.image, "another version serves");
            assert_eq!(success.deployment.name(), simulation.live_name());
            judge_success(simulation, success);
            clean = success.switched.as_ref().is_none_or(|switched| {
                let is_up = matches!(switched.from, Some((_, Former::StillUp)));
                switched.left.is_empty() && !is_up
            });
            assert!(clean || refused, "something was left: {success:?}");
        }
        End::Failed(Failure::Rollout {
            failure,
            rollback_result,
        }) => {
            let cause = recorded((**failure).clone()).cause;
            assert!(sick || refused, "it failed without a reason: {cause}");
            judge_aftermath(simulation, rollback_result, &serves);
            if let RollbackResult::Unswitched(CandidateState::Left(_), ..)
            | RollbackResult::SwitchedBack(_, CandidateState::Left(_)) = rollback_result
            {
                clean = false;
            }
            let told: &[&str] = match simulation.setting.health {
                _ if refused => &[""],
                Well | Slow => &[""],
                // A Deployment that was given up once is never given up again by Kubernetes itself.
                NeverReady => &["progress", "timeout"],
                Doomed | FallsIll => &["exit"],
                // The cluster's own answer counts as the version's where no other comes after it.
                FailsSmoke if unavailable => &["500", "503"],
                FailsSmoke => &["500"],
            };
            let said = told.iter().any(|words| cause.contains(words));
            assert!(said, "{told:?} is not in: {cause}");
            // What is older than its own past may hide the pods that would take over.
            let stale = happened(Stale) && *rollback_result == RollbackResult::NoWayBack;
            if let RollbackResult::NoWayBack | RollbackResult::SwitchRollbackFailed(_) =
                rollback_result
            {
                assert!(happened(Scaled) || refused || stale, "{rollback_result:?}");
                clean = false;
            }
            let mut told = failure.evidence.pods.iter();
            if refused && told.any(|line| line.contains("could not be cleaned up")) {
                clean = false;
            }
        }
        End::Failed(Failure::Locked { .. }) => {
            assert!(other, "nobody else's lock was there");
            clean = false;
        }
        End::Broken(code, why) => {
            let explained = refused || unavailable && *code == 503;
            assert!(explained, "{code} {why}");
            clean = false;
        }
        End::Failed(failure) => {
            // A stale read may return a Service that was deleted since.
            let stale = happened(Stale) && matches!(failure, Failure::Faults(_));
            // Who waited for a dead one's lock, or died again and again, may have no time left.
            let late = simulation.happened.len() > 1 && *failure == Failure::TooLate;
            assert!(refused || stale || late, "unexplained {failure:?}");
            clean = false;
        }
    }
    if clean {
        simulation.check_clean();
    }
}

/// What must hold whatever others did: where the Service is there and was not left to somebody else's
/// selector, pods of one version serve, and a success is one.
pub fn judge_meddled(simulation: &mut Simulation, end: &End) {
    simulation.plan.clear();
    for call in std::mem::take(&mut simulation.late) {
        drop(simulation.send(&call));
    }
    simulation.pass(SignedDuration::from_secs(60));
    if simulation
        .world
        .object("services", "default", "demo-app")
        .is_none()
    {
        let wrong = matches!(end, End::Finished(_));
        // It may have been deleted after the last look.
        assert!(!wrong || !simulation.happened.is_empty(), "{end:?}");
        return;
    }
    let (count, images) = simulation.serving();
    if let End::Finished(_) = end {
        // The last look was answered from before the new version was scaled away, as if that had
        // been done right after it. Kubernetes answers no `get` so.
        // <https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list>
        let happened = |it| simulation.happened.contains(&it);
        if count == 0 && happened(ScaledAway) && happened(Stale) {
            return;
        }
        assert!(!images.is_empty(), "success, and nothing serves");
        assert!(
            images.contains(&simulation.image) || simulation.happened.len() > 1,
            "success, and {images:?} serve"
        );
    }
    let told = matches!(end, End::Failed(_) | End::Broken(..));
    assert!(count > 0 || told, "no pod serves after {end:?}");
    let mut meddled = MEDDLING
        .iter()
        .filter(|it| simulation.happened.contains(it));
    let took_way = |it: &Disturbance| [WayDeleted, WayTurned].contains(it);
    // Whoever was kept out by the lock of a dead canary has left its share to the next.
    let is_kept_out = matches!(end, End::Failed(Failure::Locked { .. }))
        && simulation.happened.iter().any(took_way);
    let may_have_weight = is_kept_out || matches!(end, End::Broken(..));
    if meddled.all(took_way) && !may_have_weight {
        let has_weight = simulation.candidate_has_weight();
        assert!(!has_weight, "the candidate has weight after {end:?}");
    }
}

/// What a report of success says of where the traffic came from.
pub fn judge_success(simulation: &Simulation, success: &Success) {
    let switched = success.switched.as_ref().expect("a switch tells of it");
    assert_eq!(switched.service, "demo-app");
    let disturbed = !simulation.happened.is_empty();
    assert!(success.wrote || disturbed, "it says that it wrote nothing");
    if simulation.image == EARLIER_IMAGE {
        // It has written only that there was nothing to take back.
        assert_eq!(switched.from, None);
        return;
    }
    assert_eq!(success.wrote, switched.from.is_some());
    let Some((from, became)) = &switched.from else {
        return;
    };
    assert_ne!(*from, simulation.live_name());
    let old = simulation.world.deployment("default", from);
    assert!(disturbed || old.is_some(), "{from} was not kept");
    // Of an immutable version that is superseded twice nothing may be left.
    if let Some(old) = old {
        let is_down = old["spec"]["replicas"] == 0;
        assert_eq!(*became == Former::ScaledDown, is_down, "{from}: {became:?}");
        if is_down && switched.left.is_empty() {
            let before = &old["metadata"]["annotations"]["landfall/replicas"];
            let before = before.as_str().and_then(|count| count.parse().ok());
            assert!(before >= Some(REQUIRED), "{from} had {before:?} pods");
        }
    }
}

pub fn judge_aftermath(simulation: &Simulation, rollback_result: &RollbackResult, serves: &str) {
    // Whoever came after a death may have found the version before already taken over.
    let old = [&*simulation.before, NEW_IMAGE];
    let old = if simulation.job.starts_with('2') {
        &old[..]
    } else {
        &old[..1]
    };
    let fate = match rollback_result {
        RollbackResult::NothingWritten => None,
        RollbackResult::Unswitched(fate, ..) => Some(fate),
        RollbackResult::SwitchedBack(name, fate) => {
            assert_eq!(*name, simulation.live_name());
            Some(fate)
        }
        RollbackResult::NoWayBack | RollbackResult::SwitchRollbackFailed(_) => return,
        other => panic!("{other:?}"),
    };
    assert!(
        old.contains(&serves),
        "{rollback_result:?}, and {serves} serves"
    );
    if simulation.setting.start == Start::Adoption && !simulation.job.starts_with('2') {
        assert_eq!(
            simulation.service()["spec"]["selector"],
            simulation.selector
        );
    }
    match fate {
        None | Some(CandidateState::Gone) => {}
        Some(CandidateState::ScaledDown(name)) => assert!(!simulation.running().contains(name)),
        Some(CandidateState::Left(name)) => {
            let refused = simulation.happened.contains(&Refused);
            assert!(refused, "{name} was left");
        }
    }
}

/// The same event comes once more and changes nothing; then another version is deployed.
pub fn afterwards(simulation: &mut Simulation, end: &End) {
    simulation.plan.clear();
    simulation.missed = std::mem::take(&mut simulation.aims);
    let before = simulation.selector_now();
    // A return that was given up is gone on with by whoever comes.
    let broken = match end {
        End::Finished(_) => false,
        End::Failed(Failure::Rollout {
            rollback_result, ..
        }) => {
            matches!(
                rollback_result,
                RollbackResult::SwitchRollbackFailed(_) | RollbackResult::ShareUnconfirmed(..)
            )
        }
        End::Failed(_) | End::Broken(..) => true,
    };
    simulation.note(|| "the same event once more".to_owned());
    let is_there = simulation
        .world
        .object("services", "default", "demo-app")
        .is_some();
    let meddled = MEDDLING.iter().any(|it| simulation.happened.contains(it));
    if !broken && !simulation.happened.contains(&Overtaken) && is_there && !meddled {
        simulation.restart();
        let again = simulation.run();
        let after = simulation.service()["spec"]["selector"].clone();
        assert_eq!(after, before, "a repetition moved the Service: {again:?}");
    }
    if simulation.happened.contains(&Overtaken) {
        return;
    }
    let meddled = MEDDLING.iter().any(|it| simulation.happened.contains(it));
    if meddled {
        return after_meddling(simulation);
    }
    simulation.note(|| "another deploy".to_owned());
    // A lock that a dead one left ends by itself.
    if broken {
        simulation.pass(SignedDuration::from_mins(15));
    }
    simulation.begin("9", "run-9", LAST_IMAGE);
    let next = simulation.run();
    assert!(
        matches!(next, End::Finished(_)),
        "the next deploy: {next:?}"
    );
    simulation.pass(SignedDuration::from_secs(5));
    assert_eq!(
        simulation.serving().1.first().map(String::as_str),
        Some(LAST_IMAGE)
    );
    simulation.check_clean();
}

/// Whoever deploys next repairs what was left, with the Service back from its file where it is gone.
pub fn after_meddling(simulation: &mut Simulation) {
    simulation.pass(SignedDuration::from_mins(15));
    if simulation
        .world
        .object("services", "default", "demo-app")
        .is_none()
    {
        simulation
            .world
            .apply(sample_service("demo-app"), simulation.now);
        simulation.pass(SignedDuration::from_secs(5));
    }
    // Where somebody has scaled all of them to zero there is nothing to take over from, nor where
    // what is selected was scaled away and could not be scaled up for want of a permission.
    let happened = |disturbance| simulation.happened.contains(&disturbance);
    let is_away = happened(ScaledAway) && happened(Refused) && simulation.serving().0 == 0;
    if is_away || simulation.running().is_empty() {
        return;
    }
    simulation.note(|| "another deploy".to_owned());
    simulation.begin("9", "run-9", LAST_IMAGE);
    let next = simulation.run();
    assert!(
        matches!(next, End::Finished(_)),
        "the next deploy: {next:?}"
    );
    simulation.pass(SignedDuration::from_secs(5));
    let (count, images) = simulation.serving();
    assert!(count > 0, "nothing serves after the next deploy");
    let has_weight = simulation.candidate_has_weight();
    assert!(
        !has_weight,
        "the candidate has weight after the next deploy"
    );
    assert_eq!(images.iter().collect::<Vec<_>>(), [LAST_IMAGE]);
}
