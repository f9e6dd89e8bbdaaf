//! A deploy that goes on in the next invocation, and how far it is.

use super::cause::{NEW, PREVIOUS, pods_state};
use super::model::{Report, SUMMARY_LIMIT};
use super::route;
use crate::state::continuation::{Continuation, Phase};
use crate::strategy::{Stage, Wait};
use crate::text::clip;
use jiff::Timestamp;

/// The deploy goes on in the next invocation.
pub fn handed_over(continuation: &Continuation, bound_to: &str, waiting: Option<&Wait>) -> Report {
    let unreachable = continuation.unreachable_since;
    let summary = match (waiting, &continuation.phase, unreachable) {
        (_, Phase::Start, Some(since)) if !continuation.unsure => format!(
            "nothing is written yet: the cluster has not answered correctly since {since:.0}; \
             retrying"
        ),
        (_, _, Some(since)) => format!(
            "the cluster has not answered correctly since {since:.0}; \
            retrying"
        ),
        (Some(wait), _, _) => progress(wait),
        (None, Phase::Start, _) => "about to start".to_owned(),
        (None, Phase::Rollout(_), _) => "the rollout continues".to_owned(),
        (None, Phase::Rollback(_), _) => "the rollback continues".to_owned(),
        (None, Phase::Switch, _) => "the switch continues".to_owned(),
        (None, Phase::Release(_), _) => "the release goes on".to_owned(),
        (None, Phase::SwitchRollback(_), _) => "the switch is being rolled back".to_owned(),
    };
    let percent = waiting
        .filter(|wait| !wait.rollback && wait.progress.wanted > 0)
        .map_or(0, |wait| {
            if let Stage::Share { percent, .. } = wait.stage {
                return i64::from(percent);
            }
            wait.progress.available * 100 / wait.progress.wanted
        });
    Report::Progress {
        token: continuation.encode(bound_to),
        summary: clip(&summary, SUMMARY_LIMIT),
        // A hundred is said by success alone.
        percent: i32::try_from(percent.clamp(0, 99)).unwrap_or(0),
    }
}

/// The same before the cluster was asked: `who` does not answer.
pub fn handed_over_silent(continuation: &Continuation, bound_to: &str, who: &str) -> Report {
    let since = match continuation.unreachable_since {
        Some(since) => format!(" since {since:.0}"),
        None => String::new(),
    };
    let begun = match continuation.has_begun() {
        true => "",
        false => "nothing is written yet: ",
    };
    Report::Progress {
        token: continuation.encode(bound_to),
        summary: format!("{begun}{who} has not answered correctly{since}; retrying"),
        percent: 0,
    }
}

/// Until when a bake lasts. One whose time is over waits for its last checks.
fn end_of_bake(until: Option<Timestamp>) -> String {
    match until {
        Some(until) => format!("{until:.0}"),
        None => "the last checks are made".to_owned(),
    }
}

/// How far a rollout is: "1 of 2 new pods available".
pub fn progress(wait: &Wait) -> String {
    let progress = &wait.progress;
    let new = || pods_state(progress, NEW);
    let switching = match &wait.stage {
        Stage::Rollout => None,
        Stage::Candidate(name) => Some(format!("`{name}`: {}", new())),
        Stage::Lock { execution, until } => Some(format!(
            "waiting for execution `{execution}`, which holds the lock on the Service until \
             {until:.0} at the latest"
        )),
        Stage::Smoke => Some("the smoke test is running".to_owned()),
        Stage::Endpoints(service) => Some(format!(
            "waiting for the endpoints of Service `{service}` to be updated"
        )),
        Stage::Bake { candidate, until } => {
            let (new, end) = (new(), end_of_bake(*until));
            Some(format!(
                "`{candidate}` serves ({new}); the previous version is kept until {end}"
            ))
        }
        Stage::Watched(until) => Some(format!(
            "it serves ({}), and is watched until {}",
            new(),
            end_of_bake(*until)
        )),
        Stage::Share {
            candidate,
            percent,
            until,
        } => Some(route::share(candidate, *percent, *until, &new())),
        Stage::Route(reference) => Some(route::settling(reference)),
        Stage::Turn { route, service } => Some(route::turn(route, service)),
        Stage::Overlap { stays, until } => Some(match until {
            Some(until) => format!(
                "both versions serve until {until:.0}, so that a load balancer sees the pods of \
                 `{stays}` healthy"
            ),
            None => format!("both versions serve; `{stays}`: {}", new()),
        }),
        Stage::Leaving(name) => Some(format!("waiting for the pods of `{name}` to terminate")),
        Stage::Settling(name) => Some(format!("`{name}` is being scaled or rolled out")),
    };
    let which = if wait.rollback { PREVIOUS } else { NEW };
    let state = switching.unwrap_or_else(|| pods_state(progress, which));
    match wait.rollback {
        true => format!("rolling back: {state}"),
        false => state,
    }
}
