//! The end of the watch over a new version, and what a retry finds of one that had none.

use super::*;
use crate::kubernetes::call::Call;

/// The annotations that a decision writes, and nothing else.
fn notes(decision: &Decision) -> Option<(&Call, &Value)> {
    let Decision::Act(Action::Step(step)) = decision else {
        return None;
    };
    let body = step.call.body.as_ref()?;
    Some((&step.call, &body["metadata"]["annotations"]))
}

#[test]
fn the_end_of_a_watch_is_noted_and_a_note_that_is_refused_costs_nothing() {
    let up = seen_with(live(json!({})), old_and_new(2));
    let end = baking(json!({}), 20, &up, 140);
    let (call, written) = notes(&end).unwrap_or_else(|| panic!("{end:?}"));
    // The write moves the generation, and nobody else does.
    let expected = json!({marks::WATCHED: "job-2", marks::GENERATION: "5"});
    assert_eq!(written, &expected);
    let bound = &call.body.as_ref().unwrap()["metadata"]["resourceVersion"];
    assert_eq!(bound, "41");
    let mut refused = up.clone();
    refused.left.push(("web".into(), "no right".into()));
    let end = baking(json!({}), 20, &refused, 140);
    assert!(matches!(end, Decision::Finish(_)), "{end:?}");
    // What a release wrote is followed without a note of its own.
    let theirs = json!({"metadata": {"annotations": {marks::JOB: "job-1"}}});
    let theirs = seen_with(live(theirs), old_and_new(2));
    let end = baking(json!({}), 20, &theirs, 140);
    assert!(matches!(end, Decision::Finish(_)), "{end:?}");
}

#[test]
fn what_a_dead_deploy_of_the_same_execution_left_is_taken_over() {
    let watched = json!({"bake": "2m"});
    let complete = json!([{"type": "Progressing", "status": "True",
        "reason": "NewReplicaSetAvailable"}]);
    let rows = [
        ("it was not watched to its end", json!({}), &watched, true),
        (
            "it was",
            json!({"metadata": {"annotations": {marks::WATCHED: "job-1"}}}),
            &watched,
            false,
        ),
        (
            "an earlier one was",
            json!({"metadata": {"annotations": {marks::WATCHED: "job-0"}}}),
            &watched,
            true,
        ),
        (
            "another execution's",
            json!({"metadata": {"annotations": {marks::EXECUTION: "run-1"}}}),
            &watched,
            false,
        ),
        (
            "it was rolled back",
            json!({"metadata": {"annotations": {marks::ROLLED_BACK: "job-1"}}}),
            &watched,
            false,
        ),
        ("nothing was to be watched", json!({}), &json!({}), false),
        ("it was being rolled out", short(), &json!({}), true),
        (
            "it was rolled out, and fell ill later",
            json!({"status": {"availableReplicas": 1, "conditions": complete}}),
            &json!({}),
            false,
        ),
        (
            "a plan",
            json!({}),
            &json!({"bake": "2m", "mode": "plan"}),
            false,
        ),
        (
            "what it restarted is not restarted again",
            json!({}),
            &json!({"bake": "2m", "restart": true}),
            true,
        ),
    ];
    for (name, changes, fields, expected) in rows {
        let mut all = json!({"metadata": {"annotations": {marks::JOB: "job-1",
            marks::SUPERSEDED: "job-0"}}});
        merge(&mut all, &changes);
        let left = seen_with(live(all), old_and_new(2));
        let found = decide(
            &request(fields.clone()),
            &begun(Phase::Start),
            &left,
            at(200),
        );
        let written = notes(&found).map(|(_, written)| written.clone());
        let taken = json!({marks::JOB: "job-2", marks::SUPERSEDED: "job-1,job-0",
            marks::GENERATION: "5"});
        assert_eq!(written, expected.then_some(taken), "{name}: {found:?}");
    }
    // From then on it is ours, with the way back that the dead one had noted.
    let ours = seen_with(live(json!({})), old_and_new(2));
    let found = decide(&request(watched), &begun(Phase::Start), &ours, at(200));
    let Decision::Enter(Phase::Rollout(rollout)) = found else {
        panic!("{found:?}");
    };
    assert_eq!((rollout.wrote, rollout.previous), (true, Some(previous())));
}
