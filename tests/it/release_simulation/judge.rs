//! What must be true when a release is over, however it was disturbed.

use super::play::{Play, RIVAL_JOB};
use super::setting::{self, Fate, OBJECTS, OTHERS};
use landfall_core::engine::release::ReleaseOutcome;
use landfall_core::kubernetes::object_id::ObjectId;
use landfall_core::release::{LeftReason, ReleaseCause, ReleaseFailure, WayBack};
use landfall_core::report::release::recorded;
use landfall_core::state::release::Status;
use serde_json::Value;

/// Holds the end of a release against what the world shows.
pub fn judge(play: &mut Play, end: &ReleaseOutcome) {
    others_are_untouched(play);
    assert_eq!(play.wrote_over, None, "it overwrites a later release");
    match end {
        ReleaseOutcome::Finished(success) => {
            assert!(play.fate == Fate::Well, "it cannot serve: {success:?}");
            assert!(!play.robbed, "it is another execution's: {success:?}");
            serves(play, &play.start.after());
            let pruned = play.start.pruned();
            if let Some(name) = pruned.filter(|name| !is_meddled(play, "configmaps", name)) {
                let live = play.object("configmaps", name);
                assert_eq!(live, None, "it was not pruned");
            }
            let newest = play.newest().unwrap();
            assert_eq!(newest.revision, success.revision);
            if !play.overtaken {
                assert_eq!(newest.status, Status::Deployed);
                is_unlocked(play);
            }
        }
        ReleaseOutcome::Failed(failure) => failed(play, failure),
        other => panic!("{other:?}"),
    }
}

fn failed(play: &Play, failure: &ReleaseFailure) {
    match failure {
        ReleaseFailure::Ended { way_back, .. } => {
            let allowed = play.fate != Fate::Well || !play.meddled.is_empty() || play.overtaken;
            assert!(allowed, "nothing was wrong: {failure:?}");
            if !play.overtaken {
                is_unlocked(play);
                let newest = play.newest().unwrap();
                // A repetition of what was deployed to its end may find somebody's change.
                let was_deployed = newest.status == Status::Deployed
                    && !way_back.tried
                    && !play.meddled.is_empty();
                assert!(
                    newest.status == Status::Failed || was_deployed,
                    "{failure:?} {:?}",
                    newest.status
                );
            }
            // What somebody else changed in the middle is left as it is, with all the rest.
            if way_back.tried && !play.overtaken {
                is_as_before(play, way_back);
            }
            if play.meddled.is_empty() && !play.overtaken {
                assert!(way_back.tried, "{failure:?}");
            }
        }
        ReleaseFailure::OutOfSync { .. } | ReleaseFailure::Locked { .. } => {
            assert!(play.overtaken, "{failure:?}");
        }
        // Before the first write, somebody's change is a conflict that is told.
        ReleaseFailure::Faults(_) if !play.meddled.is_empty() => {}
        ReleaseFailure::Faults(_)
        | ReleaseFailure::Forbidden(_)
        | ReleaseFailure::Record(..)
        | ReleaseFailure::NoRevision(_)
        | ReleaseFailure::Alarms(_)
        | ReleaseFailure::NoNamespace
        | ReleaseFailure::TooLate => panic!("{failure:?}"),
    }
}

/// The end of a release whose alarm rang: the old version is there, and the alarm is told.
pub fn judge_back(play: &Play, end: &ReleaseOutcome) {
    others_are_untouched(play);
    let (cause, way_back) = taken_back(end);
    let cause = recorded(cause).cause;
    assert!(cause.contains("CloudWatch alarm `5xx`"), "{cause}");
    is_unlocked(play);
    is_as_before(play, way_back);
}

/// Why a release failed that was taken back, and what was done.
fn taken_back(end: &ReleaseOutcome) -> (&ReleaseCause, &WayBack) {
    let ReleaseOutcome::Failed(failure) = end else {
        panic!("{end:?}");
    };
    let ReleaseFailure::Ended {
        cause, way_back, ..
    } = &**failure
    else {
        panic!("{failure:?}");
    };
    assert!(way_back.tried, "{way_back:?}");
    (cause, way_back)
}

/// The old version alone is there, and nothing was begun.
pub fn judge_unbegun(play: &Play) {
    assert_eq!(play.newest().map(|newest| newest.revision), Some(1));
    serves(play, &setting::manifests(1));
}

fn others_are_untouched(play: &Play) {
    for (plural, name) in OTHERS {
        let object = play.object(plural, name).unwrap();
        assert_eq!(object["data"]["version"], "1", "{name}");
        let managers = object["metadata"]["managedFields"].to_string();
        assert!(!managers.contains("landfall"), "{name}: {managers}");
    }
}

fn is_unlocked(play: &Play) {
    let parent = play.parent().unwrap();
    assert_eq!(parent.lock, None, "it is still locked");
}

fn is_meddled(play: &Play, plural: &str, name: &str) -> bool {
    play.meddled.contains(&format!("{plural}/{name}"))
}

/// Every object of a version is as it was asked for, and the workloads serve.
fn serves(play: &Play, manifests: &[Value]) {
    for manifest in manifests {
        let (kind, name) = (&manifest["kind"], manifest["metadata"]["name"].as_str());
        let plural = plural(kind);
        let name = name.unwrap();
        if is_meddled(play, plural, name) {
            continue;
        }
        let live = play.object(plural, name);
        let live = live.unwrap_or_else(|| panic!("{kind} {name} is not there"));
        let is_ours = live["metadata"]["labels"]["applyset.kubernetes.io/part-of"].is_string();
        assert!(is_ours, "{kind} {name} is not in the release");
        assert!(
            has(&live, manifest),
            "{kind} {name}: {live} has not {manifest}"
        );
        let status = &live["status"];
        match plural {
            "deployments" => {
                assert_eq!(status["availableReplicas"], 2, "{name}");
                assert_eq!(status["updatedReplicas"], 2, "{name}");
            }
            "jobs" => assert_eq!(status["succeeded"], 1, "{name}"),
            _ => {}
        }
    }
}

/// After the way back every object is as it was before the release, or is named as left.
fn is_as_before(play: &Play, way_back: &WayBack) {
    let before = play.start.before();
    for (plural, name) in OBJECTS {
        let is_told = |id: &ObjectId| {
            id.name == name && plural == self::plural(&Value::from(id.kind.as_str()))
        };
        let left = way_back.left.iter().find(|(id, _)| is_told(id));
        // What a Job did stays, even where it was deleted to be made anew.
        let is_object = |reason: &LeftReason| *reason != LeftReason::JobMayHaveRun;
        let checked = left.filter(|(_, reason)| is_object(reason));
        if let Some((id, reason)) = checked.filter(|_| !is_meddled(play, plural, name)) {
            let is_there = play.object(plural, name).is_some();
            let is_gone = *reason == LeftReason::Deleted;
            assert_eq!(is_there, !is_gone, "{id:?} is told as left: {reason:?}");
        }
        let is_unserved = way_back.unserved.iter().any(|(id, _)| is_told(id));
        if left.is_some() || is_meddled(play, plural, name) {
            continue;
        }
        let former = before.iter().find(|manifest| {
            plural == self::plural(&manifest["kind"]) && manifest["metadata"]["name"] == name
        });
        let live = play.object(plural, name);
        match (former, live) {
            (None, None) => {}
            (None, Some(live)) => {
                // Background deletion may still be going on.
                let going = live["metadata"]["deletionTimestamp"].is_string();
                assert!(
                    going,
                    "{plural}/{name} was new, and is neither gone nor told"
                );
            }
            (Some(_), None) => panic!("{plural}/{name} is gone, and not told"),
            (Some(former), Some(live)) => {
                assert!(
                    has(&live, former),
                    "{plural}/{name} is not as before: {live}"
                );
                if plural == "deployments" && !is_unserved {
                    assert_eq!(live["status"]["availableReplicas"], 2, "{name}");
                }
            }
        }
    }
}

fn plural(kind: &Value) -> &'static str {
    match kind.as_str() {
        Some("ConfigMap") => "configmaps",
        Some("Service") => "services",
        Some("Job") => "jobs",
        Some("Deployment") => "deployments",
        other => panic!("{other:?}"),
    }
}

/// Whether an object has everything that a manifest says.
pub fn has(live: &Value, manifest: &Value) -> bool {
    match (live, manifest) {
        (Value::Object(live), Value::Object(manifest)) => {
            let has =
                |(key, value): (&String, &Value)| live.get(key).is_some_and(|it| has(it, value));
            manifest.iter().all(has)
        }
        (Value::Array(live), Value::Array(manifest)) => {
            live.len() == manifest.len()
                && live
                    .iter()
                    .zip(manifest)
                    .all(|(one, other)| has(one, other))
        }
        _ => live == manifest,
    }
}

/// The same event once more, after all is over, changes nothing.
pub fn judge_repetition(play: &mut Play) {
    let before = play.state();
    let end = play.repeat();
    if play.meddled.is_empty() && !play.overtaken {
        assert_eq!(
            play.state(),
            before,
            "a repetition changed something: {end:?}"
        );
    }
    others_are_untouched(play);
}

/// What two releases at once came to: the one that was deployed last is what is there, as a whole,
/// and nobody claims anything else.
pub fn judge_both(play: &Play, first: &ReleaseOutcome, second: &ReleaseOutcome) {
    others_are_untouched(play);
    is_unlocked(play);
    let is_done = |end: &ReleaseOutcome| matches!(end, ReleaseOutcome::Finished(_));
    assert!(is_done(first) || is_done(second), "{first:?}\n{second:?}");
    let newest = play.newest().unwrap();
    match newest.status {
        Status::Deployed if newest.job == RIVAL_JOB => {
            assert!(is_done(second), "{second:?}");
            serves(play, &setting::manifests(3));
        }
        Status::Deployed => {
            assert!(is_done(first) && play.fate == Fate::Well, "{first:?}");
            serves(play, &play.start.after());
            let is_told = matches!(
                second,
                ReleaseOutcome::Failed(failure)
                    if matches!(**failure, ReleaseFailure::OutOfSync { .. })
            );
            assert!(is_told, "{second:?}");
        }
        Status::Failed => {
            assert!(play.fate != Fate::Well, "{first:?}\n{second:?}");
            assert!(is_done(second), "{second:?}");
        }
        other => panic!("{other:?}: {first:?}\n{second:?}"),
    }
}

/// What one release that is called for twice at once came to: it is one release, and both say so.
pub fn judge_twins(play: &Play, before: usize, first: &ReleaseOutcome, second: &ReleaseOutcome) {
    others_are_untouched(play);
    is_unlocked(play);
    assert_eq!(play.revisions(), before + 1, "{first:?}\n{second:?}");
    if play.fate == Fate::Well {
        for end in [first, second] {
            assert!(matches!(end, ReleaseOutcome::Finished(_)), "{end:?}");
        }
        return serves(play, &play.start.after());
    }
    assert_eq!(play.newest().unwrap().status, Status::Failed);
    let [cause, other] = [first, second].map(|end| {
        let (cause, way_back) = taken_back(end);
        is_as_before(play, way_back);
        recorded(cause).cause
    });
    assert_eq!(cause, other);
}

/// A release that came after one that died.
pub fn judge_successor(play: &Play, end: &ReleaseOutcome) {
    others_are_untouched(play);
    is_unlocked(play);
    assert!(matches!(end, ReleaseOutcome::Finished(_)), "{end:?}");
    assert_eq!(play.newest().unwrap().job, RIVAL_JOB);
    serves(play, &setting::manifests(3));
    assert_eq!(play.object("configmaps", "former"), None);
}
