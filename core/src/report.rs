//! Every sentence that a user sees. The first line of a failure says what happened to what, and
//! why; then comes the evidence; the last line says what to do next.

pub mod access;
mod again;
mod faults;
mod hiding;
pub mod outage;
mod handbook;
pub mod refusal;
mod unreachable;

mod present;

pub use faults::{wrong_files, wrong_parameters};
pub use unreachable::{untrusted, what as unreached};

use crate::change::asked::Lost;
use crate::change::editor::Editor;
use crate::kubernetes::call::{Call, Right};
use crate::kubernetes::object::Deployment;
use crate::kubernetes::{CallError, Refusal};
use crate::outcome::ArtifactError;
use crate::outcome::{CredentialsError, ParameterPlace};
use crate::outcome::{Kind, Topic};
use crate::plan::Plan;
use crate::problem::Fault;
use crate::request::{Request, located};
use crate::state::continuation::{Continuation, Phase, Reason, Unusable};
use crate::state::marks;
use crate::strategy::causes::{CAUSE_QUOTE_LIMIT, PREVIOUS, pods, pods_state};
use crate::strategy::{Aftermath, Failure, Fate, Former, Present, Stage, Success, Switched, Wait};
use crate::text::{clip, listed, quote, words};
use crate::workload::health::diagnosis::{Cause, Evidence};
use crate::workload::health::steadiness::SECOND_LOOK;
use jiff::Timestamp;
use std::time::Duration;

/// CodePipeline's limits, in characters; we count bytes, which are never fewer.
/// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_FailureDetails.html>
pub const MESSAGE_LIMIT: usize = 5000;
/// The limit of a summary.
pub const SUMMARY_LIMIT: usize = 2048;
/// The limit of an external execution id.
const EXTERNAL_ID_LIMIT: usize = 1500;
/// How much of an output variable is kept; all of them may have 122,880 bytes together.
const VARIABLE_LIMIT: usize = 4096;
/// How much of a message the first and the last part may take, so that both always fit.
const HEADLINE_LIMIT: usize = 1500;
/// See [`HEADLINE_LIMIT`].
const NEXT_LIMIT: usize = 1300;
/// The output variable with what a plan would change: the one that has values of others in it.
const CHANGES: &str = "Changes";
/// Room for how many lines of a plan were left out.
const PLAN_TAIL: usize = 30;
/// What is between the parts of a message.
const PARAGRAPH: &str = "\n\n";

/// What CodePipeline is told about a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The new version serves.
    Success {
        /// What runs now, where, and how long it took.
        summary: String,
        /// `namespace/deployment@revision`.
        external_id: String,
        /// What later actions may use.
        variables: Vec<(&'static str, String)>,
    },
    /// The deploy goes on in another invocation.
    Progress {
        /// What the next invocation needs.
        token: String,
        /// How far it is.
        summary: String,
        /// The same in percent.
        percent: i32,
    },
    /// It failed.
    Failure {
        /// The type by CodePipeline's names.
        kind: Kind,
        /// Where to read more of it.
        topic: Topic,
        /// The message.
        message: String,
    },
}

impl Report {
    /// The same with nothing in it that CodePipeline could refuse.
    pub fn bare(&self) -> Report {
        match self {
            Report::Success { .. } => Report::Success {
                summary: "The new version serves.".to_owned(),
                external_id: "landfall".to_owned(),
                variables: Vec::new(),
            },
            Report::Progress { token, .. } => Report::Progress {
                token: token.clone(),
                summary: "The deploy goes on.".to_owned(),
                percent: 0,
            },
            Report::Failure {
                kind,
                topic,
                message,
            } => Report::Failure {
                kind: *kind,
                topic: *topic,
                message: clip(
                    message.lines().next().unwrap_or("It failed."),
                    HEADLINE_LIMIT,
                ),
            },
        }
    }
}

/// A message that hiding made longer, within the limit again.
fn refit(text: String) -> String {
    if text.len() <= MESSAGE_LIMIT {
        return text;
    }
    let (headline, rest) = text.split_once(PARAGRAPH).unwrap_or((&text, ""));
    let (evidence, next) = rest.rsplit_once(PARAGRAPH).unwrap_or(("", rest));
    message(headline, &[evidence.to_owned()], next)
}

/// The new version serves.
pub fn success(
    request: &Request,
    continuation: &Continuation,
    success: &Success,
    now: Timestamp,
) -> Report {
    let live = &success.deployment;
    let seconds = now.duration_since(continuation.started).as_secs().max(0);
    let image = image(request, live);
    let revision = live.revision().map(|revision| revision.to_string());
    let revision = revision.unwrap_or_else(|| "1".to_owned());
    let target = target(request);
    let pods = match live.replicas() {
        0 => "it is scaled to zero, so no pod runs".to_owned(),
        wanted => format!(
            "{} of {wanted} {} available",
            live.available_replicas(),
            pods(wanted)
        ),
    };
    let time = words(Duration::from_secs(seconds.unsigned_abs()));
    let summary = match (success.wrote, live.replicas()) {
        (true, 0) => {
            format!("{target} has revision {revision} ({image}) after {time}; {pods}.")
        }
        (true, _) => {
            format!("{target} runs revision {revision} ({image}): {pods} after {time}.")
        }
        (false, _) => format!(
            "{target} already ran this version, so nothing was changed: revision {revision} \
             ({image}); {pods}."
        ),
    };
    let summary = match &success.switched {
        Some(switched) => {
            let runs = format!("`{}` ({image}): {pods}", live.name());
            switched_summary(request, success.wrote, switched, &runs, &time)
        }
        None => summary,
    };
    let previous = match (success.wrote, success.previous_revision) {
        (true, previous) => previous.map(|previous| previous.to_string()),
        (false, _) => Some(revision.clone()),
    };
    let name = match success.switched {
        Some(_) => live.name(),
        None => &*request.deployment,
    };
    let external = format!("{}/{name}@{revision}", request.namespace);
    let twice = match &continuation.steady {
        Some(steady) if steady.held => format!(
            " Nothing probes whether it serves: its pods were seen unchanged twice, {} apart.",
            words(SECOND_LOOK)
        ),
        Some(_) | None => String::new(),
    };
    let summary = summary + &twice + &warned(&continuation.warnings) + &beside(request);
    let variables = [
        ("Namespace", request.namespace.clone()),
        ("Deployment", name.to_owned()),
        ("Revision", revision),
        ("PreviousRevision", previous.unwrap_or_default()),
        ("Image", image),
        ("Strategy", request.strategy.name().to_owned()),
        ("DurationSeconds", seconds.to_string()),
    ];
    succeeded(request, &summary, &external, variables)
}

/// A success within CodePipeline's limits, with what the deploy came from.
fn succeeded<const N: usize>(
    request: &Request,
    summary: &str,
    external: &str,
    variables: [(&'static str, String); N],
) -> Report {
    let variables = variables.into_iter().chain(origin(request));
    Report::Success {
        summary: clip(summary, SUMMARY_LIMIT),
        external_id: clip(external, EXTERNAL_ID_LIMIT),
        variables: variables
            .map(|(name, value)| (name, clip(&value, VARIABLE_LIMIT)))
            .collect(),
    }
}

/// The facts of where a version comes from, where they are known.
fn origin(request: &Request) -> Vec<(&'static str, String)> {
    let execution = ("Execution", request.execution.clone());
    let commit = request
        .commit
        .iter()
        .map(|commit| ("Commit", commit.clone()));
    let beside = (!request.beside.is_empty()).then(|| ("NotApplied", request.beside.join(",")));
    std::iter::once(execution)
        .chain(commit)
        .chain(beside)
        .collect()
}

/// What the API server remarked on a write, as `kubectl` prints it.
fn warned(warnings: &[String]) -> String {
    let warnings = warnings
        .iter()
        .map(|warning| format!(" Warning: {warning}"));
    warnings.collect()
}

/// What was in the manifest's file and is not applied.
fn beside(request: &Request) -> String {
    match request.beside.as_slice() {
        [] => String::new(),
        beside => format!(
            " The manifest's file has more, which was not applied: {}.",
            crate::text::told(beside)
        ),
    }
}

/// What a deploy would change. Nothing was written.
pub fn planned(request: &Request, plan: &Plan) -> Report {
    let target = target(request);
    let Plan {
        after,
        live,
        difference,
        warnings,
    } = plan;
    let serving = live.as_ref().or(after.as_ref());
    let count = difference.count();
    let things = if count == 1 { "thing" } else { "things" };
    let headline = match (live, after) {
        (_, Some(_)) if count == 0 => format!("Plan: nothing would change in {target}"),
        (_, None) => format!("Plan: nothing would change in {target}"),
        (None, Some(_)) => format!("Plan: {target} would be created"),
        (Some(_), Some(_)) => format!("Plan: {count} {things} would change in {target}"),
    };
    let lines = |limit: usize| {
        let mut text = String::new();
        for (index, line) in difference.lines.iter().enumerate() {
            let left = count - index;
            if text.len() + line.len() + PLAN_TAIL > limit {
                text.push_str(&format!("\n… and {left} more"));
                return text;
            }
            text.push_str(if text.is_empty() { "" } else { "\n" });
            text.push_str(line);
        }
        match difference.more {
            0 => text,
            more => format!("{text}\n… and {more} more"),
        }
    };
    let strategy = match request.strategy.switch() {
        Some(switch) => format!(
            " The strategy `{}` brings it up beside the old one and switches Service `{}`.",
            request.strategy.name(),
            switch.service
        ),
        None => String::new(),
    };
    let rest = format!(
        "{headline}. Nothing was written.{strategy}{}{}",
        warned(warnings),
        beside(request)
    );
    let listed = lines(SUMMARY_LIMIT - rest.len().min(SUMMARY_LIMIT / 2));
    let summary = match listed.is_empty() {
        true => rest,
        false => format!("{rest}\n{listed}"),
    };
    let revision = live
        .as_ref()
        .and_then(Deployment::revision)
        .unwrap_or_default()
        .to_string();
    let images = after
        .as_ref()
        .or(serving)
        .map(|object| image(request, object));
    let name = match (request.strategy.switch(), serving) {
        (Some(_), Some(serving)) => serving.name().to_owned(),
        _ => request.deployment.clone(),
    };
    let external = format!("{}/{name}@{revision}", request.namespace);
    let variables = [
        ("Namespace", request.namespace.clone()),
        ("Deployment", name),
        ("Revision", revision),
        ("Image", images.unwrap_or_default()),
        ("Strategy", request.strategy.name().to_owned()),
        ("Mode", "plan".to_owned()),
        ("ChangeCount", count.to_string()),
        (CHANGES, lines(VARIABLE_LIMIT)),
    ];
    succeeded(request, &summary, &external, variables)
}

fn switched_summary(
    request: &Request,
    wrote: bool,
    switched: &Switched,
    runs: &str,
    time: &str,
) -> String {
    let service = &switched.service;
    let namespace = &request.namespace;
    if !wrote {
        return format!(
            "Service `{service}` in `{namespace}` already sent to this version, so nothing was \
             changed: Deployment {runs}."
        );
    }
    let from = switched.from.iter();
    let from = from.map(|(from, became)| {
        let became = match became {
            Former::ScaledDown => "is scaled to zero",
            Former::NotKept => "was deleted, as `keep` is 0",
            Former::DeletedByOthers => "was deleted by someone else meanwhile",
        };
        format!(" `{from}`, which served before, {became}.")
    });
    let left = switched.left.iter();
    let left =
        left.map(|(name, why)| format!(" `{name}` could not be cleared away: {}.", quote(why)));
    let more = from.chain(left).collect::<String>();
    format!("Service `{service}` in `{namespace}` sends to Deployment {runs} after {time}.{more}")
}

/// The deploy goes on in the next invocation.
pub fn handed_over(continuation: &Continuation, bound_to: &str, waiting: Option<&Wait>) -> Report {
    let unreachable = continuation.unreachable_since;
    let summary = match (waiting, &continuation.phase, unreachable) {
        (_, Phase::Start, Some(since)) if !continuation.unsure => format!(
            "nothing is written yet: since {since:.0} the cluster does not answer as it should, \
             and is asked again"
        ),
        (_, _, Some(since)) => format!("since {since:.0} the cluster does not answer as it should"),
        (Some(wait), _, _) => progress(wait),
        (None, Phase::Start, _) => "about to start".to_owned(),
        (None, Phase::Rollout(_), _) => "the rollout goes on".to_owned(),
        (None, Phase::Rollback(_), _) => "the rollback goes on".to_owned(),
        (None, Phase::Switch, _) => "the switch goes on".to_owned(),
        (None, Phase::Return(_), _) => "what was written is being taken back".to_owned(),
    };
    let percent = waiting
        .filter(|wait| !wait.rollback && wait.progress.wanted > 0)
        .map_or(0, |wait| {
            wait.progress.available * 100 / wait.progress.wanted
        });
    Report::Progress {
        token: continuation.encode(bound_to),
        summary: clip(&summary, SUMMARY_LIMIT),
        // A hundred is said by success alone.
        percent: i32::try_from(percent.clamp(0, 99)).unwrap_or(0),
    }
}

/// How far a rollout is: "1 of 2 new pods available".
pub fn progress(wait: &Wait) -> String {
    let progress = &wait.progress;
    let new = || pods_state(progress, "new");
    let switching = match &wait.stage {
        Stage::Rollout => None,
        Stage::Newcomer(name) => Some(format!("`{name}`: {}", new())),
        Stage::Lock { execution, until } => Some(format!(
            "execution `{execution}` is at work on the Service, until {until:.0} at the latest"
        )),
        Stage::Smoke => Some("the smoke test goes on".to_owned()),
        Stage::Endpoints(service) => Some(format!(
            "waiting for the endpoints of Service `{service}` to follow"
        )),
        Stage::Bake { newcomer, until } => Some(format!(
            "`{newcomer}` serves ({}); the version before is kept until {until:.0}",
            new()
        )),
        Stage::Leaving(name) => Some(format!("waiting for the pods of `{name}` to end")),
        Stage::Settling(name) => Some(format!("`{name}` is being scaled or rolled out")),
    };
    if let Some(state) = switching {
        return match wait.rollback {
            true => format!("taking back: {state}"),
            false => state,
        };
    }
    let state = pods_state(progress, if wait.rollback { PREVIOUS } else { "new" });
    if wait.rollback {
        format!("rolling back: {state}")
    } else {
        state
    }
}

/// A deploy that came to nothing.
pub fn failure(request: &Request, failure: &Failure) -> Report {
    let target = target(request);
    let (namespace, name) = (&request.namespace, &request.deployment);
    match failure {
        Failure::Faults(faults) => faults::found(
            &format!("{target} was not changed"),
            faults,
            &request.origin,
        ),
        Failure::Missing => fail(
            Topic::Missing,
            Kind::ConfigurationError,
            &format!("{target} does not exist, so there was nothing to patch."),
            &[],
            &format!(
                "Check `deployment` and `namespace` (`kubectl --namespace {namespace} get \
                 deployments` lists what is there), or give a `manifest` to create it."
            ),
        ),
        Failure::BeingDeleted => fail(
            Topic::BeingDeleted,
            Kind::ConfigurationError,
            &format!("{target} is being deleted, so nothing was changed."),
            &[],
            "Wait until it is gone, then create it anew with a `manifest`.",
        ),
        Failure::Paused => fail(
            Topic::Paused,
            Kind::ConfigurationError,
            &format!("{target} is paused: somebody stopped its rollouts, so nothing was changed."),
            &[],
            &format!(
                "Resume it with `kubectl --namespace {namespace} rollout resume \
                 deployment/{name}`, then retry the stage."
            ),
        ),
        Failure::TooLate => fail(
            Topic::TooLate,
            Kind::SystemUnavailable,
            &format!(
                "{target} was not changed: its {} (timeout) were over before the cluster could be \
                 written to.",
                words(request.timeout)
            ),
            &[],
            "Retry the stage; if the cluster is slow to answer, raise `timeout`.",
        ),
        Failure::Locked { execution, until } => locked(request, execution, *until),
        Failure::Forbidden(rights) => forbidden(request, rights),
        Failure::Deleted => fail(
            Topic::Deleted,
            Kind::JobFailed,
            &format!("{target} was deleted while its rollout was followed."),
            &[],
            "Find out who deleted it; with a `manifest` the next deploy creates it anew.",
        ),
        Failure::OutOfSync { by, wrote } => out_of_sync(request, by.as_deref(), *wrote),
        Failure::Overwritten { lost, editor } => overwritten(request, lost, editor.as_ref()),
        Failure::SetAside {
            by,
            editor,
            present,
        } => present::set_aside(request, by.as_deref(), editor.as_ref(), present),
        Failure::Rollout {
            cause,
            kind,
            evidence,
            reason,
            aftermath,
        } => {
            let (topic, kind) = what_failed(*kind, *reason);
            rollout_failed(request, cause, (topic, kind), evidence, aftermath)
        }
    }
}

fn forbidden(request: &Request, rights: &[Right]) -> Report {
    let may_not = rights
        .iter()
        .map(|right| format!("{} {}", right.verb, right.resource));
    let grant = rights
        .iter()
        .map(|right| format!("the verb `{}` on `{}`", right.verb, right.resource));
    fail(
        Topic::Forbidden,
        Kind::PermissionError,
        &format!(
            "{} was not changed: the token may not {}.",
            target(request),
            listed(may_not.collect())
        ),
        &[],
        &format!(
            "Grant {} to the token's ServiceAccount by a Role in this namespace; {} all verbs that \
             are needed.",
            listed(grant.collect()),
            roles(request)
        ),
    )
}

/// What a rollout or a switch failed of.
fn what_failed(cause: Option<Cause>, reason: Option<Reason>) -> (Topic, Kind) {
    let Some(reason) = reason else {
        return (Topic::of(cause), Kind::JobFailed);
    };
    match reason {
        Reason::Refused(401) => (Topic::TokenRefused, Kind::PermissionError),
        Reason::Refused(403) => (Topic::Forbidden, Kind::PermissionError),
        Reason::Refused(400 | 422) => (Topic::ObjectRefused, Kind::ConfigurationError),
        Reason::Refused(_) => (Topic::ClusterUnavailable, Kind::JobFailed),
        Reason::TokenLost => (Topic::TokenLost, Kind::PermissionError),
        Reason::Quota => (Topic::Quota, Kind::ConfigurationError),
        Reason::Policy => (Topic::Policy, Kind::ConfigurationError),
        Reason::Webhook => (Topic::Webhook, Kind::SystemUnavailable),
        Reason::NamespaceEnding => (Topic::BeingDeleted, Kind::ConfigurationError),
        Reason::Object => (Topic::ObjectRefused, Kind::ConfigurationError),
        Reason::Smoke => (Topic::Smoke, Kind::JobFailed),
        Reason::Endpoints => (Topic::Endpoints, Kind::JobFailed),
        Reason::Time => (Topic::NoProgress, Kind::JobFailed),
        Reason::Changed => (Topic::OutOfSync, Kind::JobFailed),
        Reason::Selector => (Topic::OutOfSync, Kind::RevisionOutOfSync),
        Reason::Unobserved => (Topic::ControllerSilent, Kind::SystemUnavailable),
        Reason::Paused => (Topic::Paused, Kind::JobFailed),
    }
}

/// The files that have all verbs which the request needs.
fn roles(request: &Request) -> &'static str {
    match request.strategy.switch() {
        Some(_) => "deploy/rbac.yaml and deploy/rbac-switching.yaml have",
        None => "deploy/rbac.yaml has",
    }
}

fn locked(request: &Request, execution: &str, until: Timestamp) -> Report {
    fail(
        Topic::Locked,
        Kind::RevisionOutOfSync,
        &format!(
            "{} was not changed: for {} (timeout) execution `{execution}` has been at work on the \
             same Service. Nothing was begun.",
            target(request),
            words(request.timeout)
        ),
        &[],
        &format!(
            "Retry the stage when that execution is through. If it was stopped, its lock ends by \
             itself at {until:.0}."
        ),
    )
}

fn out_of_sync(request: &Request, by: Option<&str>, wrote: bool) -> Report {
    let who = match by {
        Some(execution) => format!("execution `{execution}`"),
        None => "someone else".to_owned(),
    };
    let ours = if wrote {
        "this deploy wrote its version"
    } else {
        "this deploy began"
    };
    let changed = match request.strategy.switch() {
        Some(switch) => format!("Service `{}` in `{}`", switch.service, request.namespace),
        None => target(request),
    };
    fail(
        Topic::OutOfSync,
        Kind::RevisionOutOfSync,
        &format!(
            "{} was changed by {who} after {ours}; the later change was left alone.",
            changed
        ),
        &[],
        match by {
            Some(_) => present::LEAVE_OR_RELEASE,
            None => present::LEAVE_OR_RETRY,
        },
    )
}

/// Someone took back what was asked for: which field, and who.
fn overwritten(request: &Request, lost: &Lost, editor: Option<&Editor>) -> Report {
    let who = match editor {
        Some(editor) => format!("`{}` (at {})", editor.manager, editor.time),
        None => "someone else".to_owned(),
    };
    fail(
        Topic::OutOfSync,
        Kind::RevisionOutOfSync,
        &format!(
            "{} was changed by {who} after this deploy wrote its version: `{}` {}; the later \
             change was left alone.",
            target(request),
            lost.field,
            lost.problem()
        ),
        &[],
        present::LEAVE_OR_RETRY,
    )
}

fn rollout_failed(
    request: &Request,
    cause: &str,
    (topic, kind): (Topic, Kind),
    evidence: &Evidence,
    aftermath: &Aftermath,
) -> Report {
    let done = done_about(request, evidence, aftermath);
    let next = next_after(request, topic, aftermath);
    let headline = match topic == Topic::ControllerSilent {
        true => format!(
            "The new version of {} was not rolled out: {cause}.",
            target(request)
        ),
        false => headline(&target(request), cause, aftermath),
    };
    let headline = outage::first(request, headline, evidence, aftermath);
    failed_rollout(
        (topic, kind),
        &headline,
        "",
        evidence,
        &format!("{done}\n{next}"),
    )
}

/// What was done about it.
fn done_about(request: &Request, evidence: &Evidence, aftermath: &Aftermath) -> String {
    match aftermath {
        Aftermath::RollbackDisabled => "It was left as it is, as `rollback` is false.".to_owned(),
        Aftermath::NothingWritten => {
            "It ran this version before the job began, so nothing was changed or taken back."
                .to_owned()
        }
        Aftermath::NothingToReturnTo => {
            "No other version served before, so there is none to return to; it was left as it is."
                .to_owned()
        }
        Aftermath::NothingServed => {
            "It was left as it is: the version before did not serve either.".to_owned()
        }
        Aftermath::PreviousGone(set) => format!(
            "It was left as it is: ReplicaSet `{set}`, which served before, is gone \
             (revisionHistoryLimit)."
        ),
        Aftermath::NotReturned(revision, why) => format!(
            "It was left as it is: the version of revision {revision} could not be brought back: \
             {}.",
            clip(why, CAUSE_QUOTE_LIMIT)
        ),
        Aftermath::RolledBack(version) => {
            format!("Rolled back: {} serves again.", outage::named(version))
        }
        Aftermath::RollbackFailed(version, why) => {
            outage::rollback_failed(version, why, evidence.serving)
        }
        Aftermath::Paused => "It was left as it is: somebody paused it, and a rollback would go \
                              over that."
            .to_owned(),
        Aftermath::OvertakenBy(by) => match by {
            Some(execution) => format!("Execution `{execution}` has deployed since."),
            None => "Someone else has changed it since, so that it was left as it is.".to_owned(),
        },
        Aftermath::Deleted => {
            "It was deleted while the previous version was brought back.".to_owned()
        }
        Aftermath::ServiceGone => present::SERVICE_GONE.to_owned(),
        Aftermath::Unswitched(_)
        | Aftermath::SwitchedBack(..)
        | Aftermath::LeftSwitched
        | Aftermath::NoWayBack
        | Aftermath::ReturnFailed(_) => of_switch(request, aftermath),
    }
}

/// What to do next.
fn next_after(request: &Request, topic: Topic, aftermath: &Aftermath) -> String {
    let (namespace, name) = (&request.namespace, &request.deployment);
    let help = again::after(topic);
    if topic == Topic::ControllerSilent {
        return help.to_owned();
    }
    match aftermath {
        Aftermath::RolledBack(_)
        | Aftermath::NothingWritten
        | Aftermath::Unswitched(_)
        | Aftermath::SwitchedBack(..) => help.to_owned(),
        Aftermath::Paused => format!(
            "Find out who paused it and why; then `kubectl --namespace {namespace} rollout \
             resume deployment/{name}` lets the new version go on, and `kubectl --namespace \
             {namespace} rollout undo deployment/{name}` after that brings the one before back."
        ),
        Aftermath::RollbackDisabled
        | Aftermath::NothingToReturnTo
        | Aftermath::NothingServed
        | Aftermath::PreviousGone(_)
        | Aftermath::NotReturned(..)
        | Aftermath::RollbackFailed(..)
        | Aftermath::OvertakenBy(_)
        | Aftermath::Deleted
        | Aftermath::ServiceGone
        | Aftermath::LeftSwitched
        | Aftermath::NoWayBack
        | Aftermath::ReturnFailed(_) => match request.strategy.switch() {
            Some(switch) => format!(
                "{help} See what runs with \
                 `kubectl --namespace {namespace} get deployment,pod`, and what is served \
                 with `kubectl --namespace {namespace} describe service/{}`.",
                switch.service
            ),
            None => format!(
                "{help} See what runs with `kubectl --namespace {namespace} get \
                 deployment,replicaset,pod`, and `kubectl --namespace {namespace} rollout history \
                 deployment/{name}`."
            ),
        },
    }
}

/// What happened to what, and why.
fn headline(target: &str, cause: &str, aftermath: &Aftermath) -> String {
    match aftermath {
        Aftermath::Unswitched(_) | Aftermath::ServiceGone => {
            format!("The new version of {target} was not put into service: {cause}.")
        }
        Aftermath::SwitchedBack(..) => {
            format!("The new version of {target} was taken out of service again: {cause}.")
        }
        Aftermath::LeftSwitched | Aftermath::NoWayBack => {
            format!("The deploy of {target} failed after its Service was switched: {cause}.")
        }
        Aftermath::Paused => format!("The rollout of {target} was not completed: {cause}."),
        Aftermath::RollbackDisabled
        | Aftermath::NothingWritten
        | Aftermath::NothingToReturnTo
        | Aftermath::NothingServed
        | Aftermath::PreviousGone(_)
        | Aftermath::NotReturned(..)
        | Aftermath::RolledBack(_)
        | Aftermath::RollbackFailed(..)
        | Aftermath::OvertakenBy(_)
        | Aftermath::Deleted
        | Aftermath::ReturnFailed(_) => {
            format!("The new version of {target} does not serve: {cause}.")
        }
    }
}

/// What became of a Service and of the newcomer.
fn of_switch(request: &Request, aftermath: &Aftermath) -> String {
    let service = request
        .strategy
        .switch()
        .map_or("", |switch| &*switch.service);
    let fate = |fate: &Fate| match fate {
        Fate::Gone => "No pod of the new version is left.".to_owned(),
        Fate::ScaledDown(name) => format!("`{name}` was scaled to zero."),
        Fate::Left(name) if request.rollback => format!("`{name}` was left as it is."),
        Fate::Left(name) => format!("`{name}` was left as it is, as `rollback` is false."),
    };
    if let Aftermath::Unswitched(end) = aftermath {
        let end = fate(end);
        return format!("Service `{service}` sends to the version before, as all along. {end}");
    }
    if let Aftermath::SwitchedBack(old, end) = aftermath {
        return format!("Service `{service}` sends to `{old}` again. {}", fate(end));
    }
    if let Aftermath::ReturnFailed(name) = aftermath {
        return format!(
            "Service `{service}` sends to the version before, but `{name}` could not be cleared \
             away in time."
        );
    }
    let why = match request.rollback {
        false => "as `rollback` is false",
        true => "as the version before has fewer pods available and cannot take over again",
    };
    format!("Service `{service}` was left sending to the new version, {why}.")
}

/// A failure with what came of it and as much evidence as there is room for.
fn failed_rollout(
    (topic, kind): (Topic, Kind),
    headline: &str,
    also: &str,
    evidence: &Evidence,
    next: &str,
) -> Report {
    let also = clip(also, HEADLINE_LIMIT);
    let next = &handbook::with_section(next, topic, NEXT_LIMIT);
    let taken = [
        headline.len().min(HEADLINE_LIMIT),
        also.len(),
        next.len().min(NEXT_LIMIT),
        3 * PARAGRAPH.len(),
    ];
    let text = evidence.text(MESSAGE_LIMIT - taken.iter().sum::<usize>());
    let parts = [also, text].into_iter().filter(|part| !part.is_empty());
    let lines = parts.collect::<Vec<_>>().join(PARAGRAPH);
    let lines = Some(lines).filter(|lines| !lines.is_empty());
    fail(topic, kind, headline, lines.as_slice(), next)
}

/// A file of an input artifact cannot be had. `phase` is how far the deploy had come.
pub fn no_artifact(error: &ArtifactError, phase: &Phase) -> Report {
    let begun = match phase {
        Phase::Start => Vec::new(),
        Phase::Rollout(_) | Phase::Rollback(_) | Phase::Switch | Phase::Return(_) => vec![
            "An earlier invocation had begun to write the new version. What it wrote stays, and is \
             not followed any more."
                .to_owned(),
        ],
    };
    let headline = format!("{error}.");
    fail(
        Topic::Artifact,
        error.kind(),
        &headline,
        &begun,
        &error.next(),
    )
}

/// The function's environment is wrong.
pub fn wrong_environment(faults: &[Fault]) -> Report {
    let lines = faults
        .iter()
        .map(|fault| format!("- `{}` {}", fault.field, fault.problem))
        .collect::<Vec<_>>();
    fail(
        Topic::Environment,
        Kind::ConfigurationError,
        "Nothing was deployed: the Lambda function's environment is not set up correctly.",
        &lines,
        "Correct the function's environment variables, then retry the stage.",
    )
}

/// The continuation token cannot be used.
pub fn unusable_continuation(unusable: &Unusable) -> Report {
    let why = match unusable {
        Unusable::Damaged => "it is none of Landfall's, or was changed on the way".to_owned(),
        Unusable::Foreign => "it belongs to other user parameters or another cluster".to_owned(),
        Unusable::Version(version) => format!(
            "its format {version} is not the one of this version of the function; the function was \
             replaced in the middle of the deploy"
        ),
    };
    fail(
        Topic::Continuation,
        Kind::ConfigurationError,
        &format!("The deploy cannot go on: the continuation token cannot be used, as {why}."),
        &[],
        "This job changed nothing; what an earlier one began goes on in the cluster. Retry the \
         stage: a version that is already there is not written again.",
    )
}

/// Token or CA cannot be had. `place` is where the token is kept.
pub fn no_credentials(error: &CredentialsError, place: &ParameterPlace) -> Report {
    locked_out(error, place, None)
}

/// The same in the middle of a deploy, whose first cause, if there is one, is told as well.
pub fn access_lost(
    request: &Request,
    phase: &Phase,
    error: &CredentialsError,
    place: &ParameterPlace,
) -> Report {
    let target = target(request);
    let cause = first_cause(&target, phase, None).or_else(|| match phase {
        Phase::Start => None,
        Phase::Rollout(_) | Phase::Rollback(_) | Phase::Switch | Phase::Return(_) => Some(format!(
            "The new version of {target} has been written, and goes on without being followed."
        )),
    });
    locked_out(error, place, cause)
}

fn locked_out(error: &CredentialsError, place: &ParameterPlace, cause: Option<String>) -> Report {
    let headline = format!("There is no access to the cluster: {error}.");
    let kept = format!("The token is kept in {place}.");
    let evidence = cause.into_iter().chain([kept]).collect::<Vec<_>>();
    fail(
        Topic::Credentials,
        error.kind(),
        &headline,
        &evidence,
        &access::next(error, place),
    )
}

/// A call to the cluster failed for good.
pub fn call_failed(
    request: &Request,
    continuation: &Continuation,
    call: &Call,
    error: &CallError,
    present: Option<&Present>,
    place: &ParameterPlace,
) -> Report {
    let phase = &continuation.phase;
    let target = target(request);
    let first = |headline| outage::told(request, present.map(Present::serving), headline);
    let now = present.map(Present::sentence);
    let lost = continuation.unsure || call.changes() && error.may_have_been_done();
    let done = match phase {
        // A write whose answer was lost may have been performed.
        Phase::Start if lost => {
            format!("Whether {target} was changed is not known")
        }
        Phase::Start => format!("{target} was not changed"),
        Phase::Rollout(_) if call.verb.writes() => format!("{target} could not be rolled back"),
        Phase::Rollout(_) => format!("The rollout of {target} could not be followed to its end"),
        Phase::Rollback(_) => format!("The rollback of {target} could not be followed to its end"),
        Phase::Switch => format!("The switch to the new version of {target} was not completed"),
        Phase::Return(_) => format!("The failed switch of {target} could not be taken back"),
    };
    let what = format!("{} {}", call.verb.rbac(), call.resource);
    let (topic, kind, why, mut next) = trouble(error, &what).unwrap_or_else(|refusal| {
        let place = match &request.manifest {
            Some(manifest) if refusal.cause() == refusal::Cause::Object => {
                located(&refusal.message, manifest)
            }
            Some(_) | None => None,
        };
        let told = refusal::told(refusal, call, &what, &request.namespace, roles(request));
        match place {
            Some(place) => {
                let next = format!("{place} Correct it, then release the change again.");
                (told.0, told.1, told.2, next)
            }
            None => told,
        }
    });
    let since = match (error, continuation.unreachable_since) {
        (CallError::Unreachable(_), Some(since)) => format!(", again and again since {since:.0}"),
        (_, _) => String::new(),
    };
    let also = format!("{done}: {why}{since}.");
    let mut token = None;
    if topic == Topic::TokenRefused
        && let CallError::Refused(refusal) = error
    {
        let seen = refusal.token;
        next = access::store_another(place, seen.map(|(life, _)| life));
        token = seen.map(|(life, at)| access::refused_token(place, life, at));
    }
    let beside = token.into_iter().chain(now).collect::<Vec<_>>();
    match first_cause(&target, phase, call.body.as_ref()) {
        // The rollout failed before the call did, and that is what the deploy failed of.
        Some(cause) => {
            let (failed, seen) = match phase {
                Phase::Rollback(rollback) => {
                    (what_failed(rollback.kind, None), rollback.evidence.clone())
                }
                Phase::Return(back) => (what_failed(back.kind, back.reason), back.evidence.clone()),
                Phase::Start | Phase::Rollout(_) | Phase::Switch => {
                    (what_failed(None, None), Evidence::default())
                }
            };
            // What is refused comes with the section that helps there.
            let next = handbook::with_two_sections(&next, topic, failed.0, NEXT_LIMIT);
            let also = [also].into_iter().chain(beside).collect::<Vec<_>>();
            failed_rollout(failed, &first(cause), &also.join("\n"), &seen, &next)
        }
        None => fail(topic, kind, &first(also), &beside, &next),
    }
}

/// Of what kind a failure is, why it is one, and what to do.
pub type Trouble = (Topic, Kind, String, String);

/// The words for a call that failed. `what` it was to do; a refusal is given back.
pub fn trouble<'a>(error: &'a CallError, what: &str) -> Result<Trouble, &'a Refusal> {
    Ok(match error {
        CallError::Refused(refusal) => return Err(refusal),
        CallError::Unreachable(unreached) => (
            Topic::Unreachable,
            Kind::SystemUnavailable,
            format!(
                "the cluster could not be reached at {}",
                unreachable::what(unreached)
            ),
            unreachable::next(unreached.cause).to_owned(),
        ),
        CallError::Untrusted(untrusted) => (
            Topic::Untrusted,
            Kind::ConfigurationError,
            format!(
                "the cluster's certificate, as `{}` shows it, is not trusted: {}",
                untrusted.host,
                unreachable::untrusted(untrusted)
            ),
            unreachable::trust(&untrusted.fault).to_owned(),
        ),
        CallError::NotKubernetes(why) => (
            Topic::NotKubernetes,
            Kind::ConfigurationError,
            format!("what answers at K8S_CLUSTER is no Kubernetes API: {why}"),
            "Set K8S_CLUSTER to the API server itself.".to_owned(),
        ),
        CallError::OutOfTime => (
            Topic::OutOfTime,
            Kind::SystemUnavailable,
            format!("there was no time left to {what}"),
            "Retry the stage; if it stays so, raise the function's timeout.".to_owned(),
        ),
    })
}

/// Why the new version failed, where the trouble came with its rollback or the writing of that.
fn first_cause(target: &str, phase: &Phase, written: Option<&serde_json::Value>) -> Option<String> {
    let cause = match phase {
        Phase::Start | Phase::Switch => return None,
        Phase::Rollback(rollback) => &rollback.cause,
        Phase::Return(back) => &back.cause,
        Phase::Rollout(_) => {
            let mut operations = written?.as_array()?.iter();
            operations.find(|operation| operation["path"] == marks::CAUSE_PATH)?["value"]
                .as_str()?
        }
    };
    Some(format!(
        "The new version of {target} does not serve: {cause}."
    ))
}

/// What the cluster says of a call that it refuses.
pub fn said(refusal: &Refusal) -> String {
    match refusal.message.as_str() {
        "" => format!("HTTP {}", refusal.code),
        message => format!("HTTP {}, \"{}\"", refusal.code, quote(message)),
    }
}

/// The cluster did not answer for too long.
pub fn lost_sight(
    request: &Request,
    continuation: &Continuation,
    since: Timestamp,
    why: &str,
) -> Report {
    let phase = &continuation.phase;
    let target = target(request);
    let cause = first_cause(&target, phase, None);
    let said = format!(
        "the cluster has not answered since {since:.0} ({})",
        quote(why)
    );
    let (headline, next) = match phase {
        Phase::Start if !continuation.unsure => (
            format!("{target} was not changed: {said}."),
            "Nothing was written. Retry the stage when the cluster answers.",
        ),
        Phase::Start
        | Phase::Rollout(_)
        | Phase::Rollback(_)
        | Phase::Switch
        | Phase::Return(_) => (
            format!("Lost contact with the cluster during the deploy of {target}: {said}."),
            "Whatever was written goes on in the cluster. Retry the stage when the cluster \
             answers: a version that is already there is not written again.",
        ),
    };
    fail(
        Topic::OutOfSight,
        Kind::SystemUnavailable,
        &headline,
        cause.as_slice(),
        next,
    )
}

/// The code broke. The place names the fault; a panic's own words might hold a value.
pub fn panicked(place: &str) -> Report {
    fail(
        Topic::Bug,
        Kind::JobFailed,
        &format!(
            "Landfall itself broke at {place}; what was written before goes on in the cluster."
        ),
        &[],
        "Please report this place as a bug. Retrying the stage is safe.",
    )
}

/// The invocation ended before the deploy knew what it is about.
pub fn no_time() -> Report {
    fail(
        Topic::NoTime,
        Kind::SystemUnavailable,
        "Nothing was deployed: the Lambda function ran out of time before it had begun.",
        &[],
        "Raise the function's timeout (a minute or more), then retry the stage.",
    )
}

fn fail(topic: Topic, kind: Kind, headline: &str, evidence: &[String], next: &str) -> Report {
    Report::Failure {
        kind,
        topic,
        message: message(
            headline,
            evidence,
            &handbook::with_section(next, topic, NEXT_LIMIT),
        ),
    }
}

/// Puts a message together within [`MESSAGE_LIMIT`], never cutting out its first or last part.
fn message(headline: &str, evidence: &[String], next: &str) -> String {
    let headline = clip(headline, HEADLINE_LIMIT);
    let next = clip(next, NEXT_LIMIT);
    let room = MESSAGE_LIMIT - headline.len() - next.len() - 2 * PARAGRAPH.len();
    let evidence = clip(&evidence.join("\n"), room);
    if evidence.is_empty() {
        format!("{headline}{PARAGRAPH}{next}")
    } else {
        format!("{headline}{PARAGRAPH}{evidence}{PARAGRAPH}{next}")
    }
}

fn target(request: &Request) -> String {
    format!(
        "Deployment `{}` in `{}`",
        request.deployment, request.namespace
    )
}

/// The images that the request is about, else the first container's.
fn image(request: &Request, live: &Deployment) -> String {
    let containers = ["containers", "initContainers"]
        .map(|list| live.containers(list))
        .concat();
    let image_of =
        |container: &serde_json::Value| Some(container.get("image")?.as_str()?.to_owned());
    let named = containers
        .iter()
        .filter(|container| {
            let name = container.get("name").and_then(serde_json::Value::as_str);
            let sole = live.containers("containers").len() == 1;
            name.is_some_and(|name| request.image(name, sole).is_some())
        })
        .filter_map(image_of)
        .collect::<Vec<_>>();
    if named.is_empty() {
        containers.first().and_then(image_of).unwrap_or_default()
    } else {
        named.join(",")
    }
}

#[cfg(test)]
mod tests;
