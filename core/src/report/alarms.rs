//! What the CloudWatch alarms that guard a deploy say of it.

use super::model::{Report, fail};
use super::{again, faults};
use crate::alarm::{Alarm, AlarmsError, Judgement, REASON_LIMIT, Ring};
use crate::outcome::{FailureCode, FailureType};
use crate::problem::Fault;
use crate::request::Watch;
use crate::state::guard::Guard;
use crate::strategy::causes::RolloutCause;
use crate::text::{clip, listed, quote, words};
use std::time::Duration;

/// How much of an alarm's name is told.
const NAME_LIMIT: usize = 120;

fn named(name: &str) -> String {
    format!("`{}`", clip(&quote(name), NAME_LIMIT))
}

/// Why the alarms ended a deploy, in a sentence without its full stop.
pub fn judged(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Rang(ring) => rang(ring),
        Judgement::Unreadable(since, error) => format!(
            "its CloudWatch alarms could not be read since {since:.0}: {}",
            error_text(error)
        ),
    }
}

fn rang(ring: &Ring) -> String {
    let name = named(&ring.name);
    let since = ring.since.map(|since| format!("{since:.0}"));
    let what = match (ring.is_over, since) {
        (false, Some(since)) => format!("CloudWatch alarm {name} is in ALARM since {since}"),
        (false, None) => format!("CloudWatch alarm {name} is in ALARM"),
        (true, Some(since)) => format!(
            "CloudWatch alarm {name} was not OK during the deploy, and came back to it at {since}"
        ),
        (true, None) => format!("CloudWatch alarm {name} was not OK during the deploy"),
    };
    match ring.reason.is_empty() {
        true => what,
        false => {
            let reason = clip(&quote(&ring.reason), REASON_LIMIT);
            format!("{what}: {}", reason.trim_end_matches('.'))
        }
    }
}

/// Why alarms could not be read, in words.
pub fn error_text(error: &AlarmsError) -> String {
    match error {
        AlarmsError::Denied(said) => format!(
            "the function's role may not read them: {}",
            clip(&quote(said), REASON_LIMIT)
        ),
        AlarmsError::Throttled => "CloudWatch throttles this account's requests".to_owned(),
        AlarmsError::Unreadable(why) => clip(&quote(why), REASON_LIMIT),
        AlarmsError::Missing(names) => {
            let names = names.iter().map(|name| named(name));
            format!("there is no {} any more", listed(names.collect()))
        }
    }
}

/// Where the graph of the alarm is that rang.
pub(super) fn graph(cause: &RolloutCause) -> Option<String> {
    if let RolloutCause::AtShare { cause, .. } | RolloutCause::OfAnother { cause, .. } = cause {
        return graph(cause);
    }
    let RolloutCause::Alarms(judgement) = cause else {
        return None;
    };
    graph_of_judgement(judgement)
}

/// Where the graph of the alarm is, if a judgement is one of an alarm.
pub(super) fn graph_of_judgement(judgement: &Judgement) -> Option<String> {
    match judgement {
        Judgement::Rang(ring) => graph_of(ring),
        Judgement::Unreadable(..) => None,
    }
}

fn graph_of(ring: &Ring) -> Option<String> {
    let link = ring.link.as_deref()?;
    Some(format!("The graph of {}: {link}", named(&ring.name)))
}

/// An alarm rings already. `ended`: the execution of a canary that died, and whose share was taken
/// back before.
pub(super) fn ringing(target: &str, ring: &Ring, ended: Option<&str>) -> Report {
    let ended = ended.map(|execution| {
        format!(
            "{}. If the alarm rang because of that share, it stops by itself.",
            faults::ended_share(execution)
        )
    });
    let evidence = ended.into_iter().chain(graph_of(ring));
    fail(
        FailureCode::AlarmRinging,
        FailureType::JobFailed,
        &format!("{target} was not changed: {}.", rang(ring)),
        &evidence.collect::<Vec<_>>(),
        &format!(
            "{} What served before comes back although it rings: by a rollback of the stage, or by \
             an action with the mode `rollback`. If this deploy is what silences it, set `alarms` \
             to {{\"names\": […], \"ringing\": \"ignore\"}}: then the alarm counts only when it \
             rings anew.",
            again::after(FailureCode::AlarmRinging)
        ),
    )
}

/// The alarms cannot be read before anything is written.
pub(super) fn unreadable(target: &str, error: &AlarmsError) -> Report {
    let is_denied = matches!(error, AlarmsError::Denied(_));
    let (failure_type, next) = match is_denied {
        true => (
            FailureType::PermissionError,
            "Set the parameter `Alarms` of template.yaml to `yes`, or grant \
             `cloudwatch:DescribeAlarms` on `*` to the function's role (composite alarms are not \
             returned otherwise); then retry the stage.",
        ),
        false => (
            FailureType::SystemUnavailable,
            "Retry the stage when CloudWatch answers again.",
        ),
    };
    fail(
        FailureCode::AlarmsUnreadable,
        failure_type,
        &format!(
            "{target} was not changed: the CloudWatch alarms that guard it cannot be read: {}.",
            error_text(error)
        ),
        &[],
        next,
    )
}

/// Alarms that do not exist, as a fault of the request.
pub fn missing(names: &[String]) -> Fault {
    let (are, they) = match names.len() {
        1 => (
            "names",
            "which is neither a metric alarm nor a composite alarm",
        ),
        _ => (
            "name",
            "which are neither metric alarms nor composite alarms",
        ),
    };
    let names = names.iter().map(|name| named(name));
    let problem = format!(
        "{are} {}, {they} of the function's own account and region. Names are case-sensitive; a \
         composite alarm is only found if the role may call `cloudwatch:DescribeAlarms` on `*`",
        listed(names.collect())
    );
    Fault::new("alarms", problem)
}

/// What the alarms said of a deploy that worked. One that wrote nothing had nothing to guard.
pub(super) fn judged_well(watch: Watch<'_>, guard: &Guard, wrote: bool) -> String {
    if watch.alarms.is_none() || !wrote {
        return String::new();
    }
    let quiet = guard.silent().map(|alarm| named(&alarm.name));
    let quiet = quiet.collect::<Vec<_>>();
    let as_read = match &guard.error {
        Some(_) => ", as far as was read",
        None => "",
    };
    let quiet = match quiet.len() {
        0 => String::new(),
        1 => format!(" Its alarm {} did not ring{as_read}.", quiet[0]),
        _ => format!(" Its alarms {} did not ring{as_read}.", listed(quiet)),
    };
    let last = match &guard.error {
        Some(error) => format!(
            " The last reading of the alarms failed, so what they said at the end is unknown: {}.",
            error_text(error)
        ),
        None => String::new(),
    };
    // Otherwise the deploy had failed.
    let late = guard.rung().map(|alarm| {
        format!(
            " {}. By then the previous version was being taken away, so nothing was taken back.",
            rang(&Ring::of(alarm))
        )
    });
    let before = guard.ringing_since_before().map(|alarm| {
        format!(
            " {} rings since before the deploy, so it judged nothing.",
            named(&alarm.name)
        )
    });
    let late = late.collect::<String>();
    let before = before.collect::<String>();
    quiet + &late + &before + &without_data(guard) + &too_short(watch, guard) + &last
}

/// What an alarm that rings would do to the deploy that a plan is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Beginning {
    /// It would refuse it.
    Refused,
    /// The version served before.
    Return,
    /// There is nothing to write.
    Unneeded,
}

/// What the alarms would say to a deploy.
pub(super) fn planned(watch: Watch<'_>, guard: &Guard, beginning: Beginning) -> String {
    if watch.alarms.is_none() {
        return String::new();
    }
    let ringing = guard.rang_before().map(|ring| {
        let then = match (watch.ignores_ringing, beginning) {
            (_, Beginning::Unneeded) => "which refuses no deploy that changes nothing",
            (true, _) => "so it would count only when it rings anew",
            (false, Beginning::Refused) => "so a deploy would be refused now",
            (false, Beginning::Return) => {
                "which would not hold it up, because this version served before"
            }
        };
        format!(" {}, {then}.", rang(&ring))
    });
    ringing.unwrap_or_default() + &without_data(guard) + &too_short(watch, guard)
}

fn without_data(guard: &Guard) -> String {
    let sentences = guard.without_data().map(|alarm| {
        format!(
            " {} has too little data (INSUFFICIENT_DATA), so it judged nothing.",
            named(&alarm.name)
        )
    });
    sentences.collect()
}

/// The alarms that need more time to ring than the bake has.
fn too_short(watch: Watch<'_>, guard: &Guard) -> String {
    let is_short = |window: Duration| watch.bake < window;
    let short = |alarm: &Alarm| {
        let window = alarm.window.filter(|window| is_short(*window))?;
        Some(format!(
            " {} needs {} of bad data to ring (its period times its datapoints), and the bake is \
             {}: it may ring after the deploy has ended.",
            named(&alarm.name),
            words(window),
            words(watch.bake)
        ))
    };
    let short = guard.alarms.iter().filter_map(short).collect::<String>();
    short + &steps_too_short(watch, guard)
}

/// The first share of a canary that an alarm may be too slow to judge, where the bake is not.
fn steps_too_short(watch: Watch<'_>, guard: &Guard) -> String {
    let windows = guard.alarms.iter();
    let windows = windows.filter_map(|alarm| Some((alarm, alarm.window?)));
    let slowest = windows.filter(|(_, window)| *window <= watch.bake);
    let Some((alarm, window)) = slowest.max_by_key(|(_, window)| *window) else {
        return String::new();
    };
    let mut steps = watch.steps.iter();
    let Some(step) = steps.find(|step| step.weight < 100 && step.bake < window) else {
        return String::new();
    };
    format!(
        " {} needs {} of bad data to ring, and the new version has {} % for {}: it may ring only \
         when more of the traffic goes there.",
        named(&alarm.name),
        words(window),
        step.weight,
        words(step.bake)
    )
}

#[cfg(test)]
mod tests;
