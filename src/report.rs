//! Every sentence that a user sees. The first line of a failure says what happened to what, and
//! why; then comes the evidence; the last line says what to do next.

mod faults;
mod hiding;
pub mod outage;
mod handbook;
pub mod refusal;
mod unreachable;

mod present;

pub use faults::{wrong_files, wrong_parameters};

use crate::artifact::ArtifactError;
use crate::change;
use crate::change::asked::Lost;
use crate::change::editor::Editor;
use crate::cluster::call::{Call, Right};
use crate::cluster::object::Deployment;
use crate::cluster::{CallError, Refusal};
use crate::continuation::{Continuation, Phase, Reason, Unusable};
use crate::credentials::CredentialsError;
use crate::diagnosis::{Cause, Evidence};
use crate::plan::Plan;
use crate::request::{Fault, Request, located};
use crate::rollout::{Progress, WaitsFor};
use crate::strategy::steadiness::SECOND_LOOK;
use crate::strategy::{Aftermath, Failure, Fate, Stage, Success, Switched, Wait};
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
const NEXT_LIMIT: usize = 1200;
/// How much of somebody else's text (the API server's, a proxy's) goes into one sentence.
const QUOTE_LIMIT: usize = 800;
/// How much of a cause is what is wrong with the pods; the rest is for how far the rollout came.
const TOLD_LIMIT: usize = 440;
/// The same within a cause, which must leave room for how far the rollout had come.
const CAUSE_QUOTE_LIMIT: usize = 380;
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

/// CodePipeline's types of failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Parameters or manifest are wrong, or do not fit the cluster.
    ConfigurationError,
    /// SSM, KMS or the cluster denies access.
    PermissionError,
    /// The rollout failed or ran out of time.
    JobFailed,
    /// Someone else deployed after us.
    RevisionOutOfSync,
    /// An input artifact, or what it should have, is not there.
    RevisionUnavailable,
    /// The cluster or AWS cannot be reached.
    SystemUnavailable,
}

impl Kind {
    /// The name in CodePipeline's API.
    pub fn name(self) -> &'static str {
        match self {
            Kind::ConfigurationError => "ConfigurationError",
            Kind::PermissionError => "PermissionError",
            Kind::JobFailed => "JobFailed",
            Kind::RevisionOutOfSync => "RevisionOutOfSync",
            Kind::RevisionUnavailable => "RevisionUnavailable",
            Kind::SystemUnavailable => "SystemUnavailable",
        }
    }
}

/// What a failure is about. Each has a heading in `docs/operations.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Topic {
    /// The new version does not serve, and its pods say why.
    Pods(Cause),
    /// The new version does not serve, and no pod says why.
    NoProgress,
    /// The user parameters are wrong, or do not fit the Deployment.
    Parameters,
    /// An input artifact cannot be read, or a file in it.
    Artifact,
    /// The function's environment is wrong.
    Environment,
    /// The continuation token cannot be used.
    Continuation,
    /// Token or CA cannot be had.
    Credentials,
    /// The Deployment is not there.
    Missing,
    /// It is being deleted.
    BeingDeleted,
    /// It is paused.
    Paused,
    /// The time was over before anything was written.
    TooLate,
    /// Kubernetes' controllers do not take up what was written.
    ControllerSilent,
    /// It went away while it was followed.
    Deleted,
    /// Someone else's change came after ours, or in between.
    OutOfSync,
    /// Another execution is at work on the Service.
    Locked,
    /// The smoke test failed.
    Smoke,
    /// The Service does not send to the new pods.
    Endpoints,
    /// The cluster does not accept the token.
    TokenRefused,
    /// The token does not reach the cluster.
    TokenLost,
    /// The token lacks a verb.
    Forbidden,
    /// A quota has no room.
    Quota,
    /// A policy of the cluster refuses the object.
    Policy,
    /// An admission webhook does not answer.
    Webhook,
    /// The API server refuses the object.
    ObjectRefused,
    /// The API server is overloaded or broken.
    ClusterUnavailable,
    /// Nothing answers.
    Unreachable,
    /// The cluster's certificate is not trusted.
    Untrusted,
    /// What answers is no Kubernetes.
    NotKubernetes,
    /// The invocation was too short for a call.
    OutOfTime,
    /// The cluster went silent in the middle of a rollout.
    OutOfSight,
    /// Landfall itself broke.
    Bug,
    /// The function's own timeout is too short.
    NoTime,
}

impl Topic {
    /// The heading in `docs/operations.md`.
    pub fn anchor(self) -> &'static str {
        match self {
            Topic::Pods(cause) => cause.anchor(),
            Topic::NoProgress => "no-progress",
            Topic::Parameters => "parameters",
            Topic::Artifact => "artifact",
            Topic::Environment => "environment",
            Topic::Continuation => "continuation",
            Topic::Credentials => "credentials",
            Topic::Missing => "missing",
            Topic::BeingDeleted => "being-deleted",
            Topic::Paused => "paused",
            Topic::TooLate => "too-late",
            Topic::ControllerSilent => "controller-silent",
            Topic::Deleted => "deleted",
            Topic::OutOfSync => "out-of-sync",
            Topic::Locked => "locked",
            Topic::Smoke => "smoke-test",
            Topic::Endpoints => "endpoints",
            Topic::TokenRefused => "token-refused",
            Topic::TokenLost => "token-lost",
            Topic::Forbidden => "forbidden",
            Topic::Quota => "quota",
            Topic::Policy => "policy",
            Topic::Webhook => "webhook",
            Topic::ObjectRefused => "object-refused",
            Topic::ClusterUnavailable => "cluster-unavailable",
            Topic::Unreachable => "unreachable",
            Topic::Untrusted => "untrusted",
            Topic::NotKubernetes => "not-kubernetes",
            Topic::OutOfTime => "out-of-time",
            Topic::OutOfSight => "out-of-sight",
            Topic::Bug => "bug",
            Topic::NoTime => "no-time",
        }
    }

    /// What a rollout failed of.
    fn of(cause: Option<Cause>) -> Topic {
        cause.map_or(Topic::NoProgress, Topic::Pods)
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
            crate::manifest::told(beside)
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
    let became = match switched.from_is_gone {
        true => "was deleted by someone else meanwhile",
        false => "is scaled to zero",
    };
    let from = from.map(|from| format!(" `{from}`, which served before, {became}."));
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

/// The pods that a rollback waits for.
const PREVIOUS: &str = "previous";

fn pods_state(progress: &Progress, which: &str) -> String {
    let Progress {
        available, wanted, ..
    } = progress;
    let count = format!(
        "{available} of {wanted} {which} {} available",
        pods(*wanted)
    );
    let state = match progress.waits_for {
        WaitsFor::Observation => "Kubernetes has not taken up the change yet".to_owned(),
        WaitsFor::Resumption => format!("{count}; the Deployment was paused"),
        WaitsFor::OldPods(left) if which == PREVIOUS => {
            format!("{count}; {left} failed {} left", pods(left))
        }
        WaitsFor::OldPods(left) => format!("{count}; {left} old {} left", pods(left)),
        WaitsFor::EndingPods(left) => format!(
            "{count}; {left} old {} still ending, and no new one starts before (Recreate)",
            if left == 1 { "pod is" } else { "pods are" }
        ),
        WaitsFor::SecondLook => format!(
            "{count}; looked at once more in some seconds, as nothing probes whether they serve"
        ),
        WaitsFor::NewPods | WaitsFor::Availability => count,
    };
    match &progress.obstacle {
        Some(obstacle) => format!("{state}; {}", quote(obstacle)),
        None => state,
    }
}

/// The cause of a failure that Kubernetes itself declared. `which` pods: `new` or `previous`.
pub fn deadline_exceeded(live: &Deployment, progress: &Progress, which: &str) -> String {
    let seconds = live.progress_deadline_seconds().max(0).unsigned_abs();
    format!(
        "Kubernetes saw no progress for {} (progressDeadlineSeconds), with {}",
        words(Duration::from_secs(seconds)),
        pods_state(progress, which)
    )
}

/// The cause of a failure by our own clock. `which` pods: `new` or `previous`.
pub fn timed_out(timeout: Duration, progress: &Progress, which: &str) -> String {
    let joint = match progress.waits_for {
        WaitsFor::Resumption => {
            return format!(
                "the Deployment was paused (spec.paused) in the middle of its rollout, with {} of \
                 {} {which} {} available, and was not resumed within {} (timeout)",
                progress.available,
                progress.wanted,
                pods(progress.wanted),
                words(timeout)
            );
        }
        WaitsFor::Observation => "and",
        WaitsFor::NewPods
        | WaitsFor::OldPods(_)
        | WaitsFor::EndingPods(_)
        | WaitsFor::SecondLook
        | WaitsFor::Availability => "with",
    };
    format!(
        "the rollout was not done within {} (timeout), {joint} {}",
        words(timeout),
        pods_state(progress, which)
    )
}

/// The cause where Kubernetes may not even create the new version's ReplicaSet.
pub fn no_replica_set(refused: &str) -> String {
    format!(
        "no new pod can be created, as its ReplicaSet is refused: {}",
        clip(&quote(refused), CAUSE_QUOTE_LIMIT)
    )
}

/// The cause where the new version fails its smoke test.
pub fn smoke_failed(path: &str, tries: u32, why: &str) -> String {
    let why = clip(why, CAUSE_QUOTE_LIMIT);
    format!("its smoke test, GET {path}, failed {tries} times, the last time so: {why}")
}

/// The cause where pods are ready and no traffic goes to them.
pub fn endpoints_missing(service: &str, deployment: &str) -> String {
    format!(
        "the endpoints of Service `{service}` never became the ready pods of `{deployment}` and \
         no others"
    )
}

/// The cause where somebody else has changed a Service's selector.
pub fn selector_changed(service: &str) -> String {
    format!("the selector of Service `{service}` was changed by someone else meanwhile")
}

/// The cause where somebody has scaled the new version to zero.
pub fn scaled_away(deployment: &str) -> String {
    format!("`{deployment}` was scaled to zero by someone else")
}

/// The cause where somebody has deleted a Service in the middle.
pub fn service_deleted(service: &str) -> String {
    format!("Service `{service}` was deleted by someone else in the middle of the deploy")
}

/// The cause where the time was over before the switch.
pub fn switch_timed_out(timeout: Duration, service: &str) -> String {
    format!(
        "Service `{service}` could not be switched within {} (timeout)",
        words(timeout)
    )
}

/// The cause: what is wrong with the pods, then what has run out. One of them is there.
pub fn cause(told: Option<String>, stopped: Option<String>) -> String {
    let told = told.map(|told| clip(&told, TOLD_LIMIT));
    told.into_iter()
        .chain(stopped)
        .collect::<Vec<_>>()
        .join("; ")
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
                 deployment/{name}`, then retry."
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
            "Retry; if the cluster is slow to answer, raise `timeout`.",
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

/// `a`, `a and b`, `a, b and c`.
fn listed(mut all: Vec<String>) -> String {
    match all.pop() {
        Some(last) if all.is_empty() => last,
        Some(last) => format!("{} and {last}", all.join(", ")),
        None => String::new(),
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
            "Retry when that execution is through. If it was stopped, its lock ends by itself at \
             {until:.0}."
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
        "If the later change is the wanted one, there is nothing to do; else release this one \
         again.",
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
        "If the later change is the wanted one, there is nothing to do; else release this one \
         again.",
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
    let headline = outage::first(&target(request), headline, evidence, aftermath);
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
    let mut help = String::new();
    if topic != Topic::NoProgress {
        help = format!(" ({})", handbook::section(topic));
    }
    if topic == Topic::ControllerSilent {
        return format!(
            "Have the cluster's kube-controller-manager looked at{help}; when it works again, \
             retry the stage."
        );
    }
    match aftermath {
        Aftermath::RolledBack(_)
        | Aftermath::NothingWritten
        | Aftermath::Unswitched(_)
        | Aftermath::SwitchedBack(..) => {
            format!("Correct the cause{help} and release the change again.")
        }
        Aftermath::Paused => format!(
            "Find out who paused it and why{help}; then `kubectl --namespace {namespace} rollout \
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
                "Correct the cause{help}. See what runs with \
                 `kubectl --namespace {namespace} get deployment,pod`, and what is served \
                 with `kubectl --namespace {namespace} describe service/{}`.",
                switch.service
            ),
            None => format!(
                "Correct the cause{help}. See what runs with `kubectl --namespace {namespace} get \
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
        "Correct the function's environment variables, then retry.",
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

/// Token or CA cannot be had.
pub fn no_credentials(error: &CredentialsError) -> Report {
    locked_out(error, None)
}

/// The same in the middle of a deploy, whose first cause, if there is one, is told as well.
pub fn access_lost(request: &Request, phase: &Phase, error: &CredentialsError) -> Report {
    let target = target(request);
    let cause = first_cause(&target, phase, None).or_else(|| match phase {
        Phase::Start => None,
        Phase::Rollout(_) | Phase::Rollback(_) | Phase::Switch | Phase::Return(_) => Some(format!(
            "The new version of {target} has been written, and goes on without being followed."
        )),
    });
    locked_out(error, cause)
}

fn locked_out(error: &CredentialsError, cause: Option<String>) -> Report {
    let next = match error.kind() {
        Kind::PermissionError => "Grant what is missing, or renew the token, then retry.",
        Kind::ConfigurationError => {
            "Correct the parameter or the function's environment, then retry."
        }
        Kind::SystemUnavailable
        | Kind::JobFailed
        | Kind::RevisionOutOfSync
        | Kind::RevisionUnavailable => {
            "Retry. In a VPC the function needs a route to SSM, or its interface endpoint."
        }
    };
    let headline = format!("There is no access to the cluster: {error}.");
    fail(
        Topic::Credentials,
        error.kind(),
        &headline,
        cause.as_slice(),
        next,
    )
}

/// A call to the cluster failed for good.
pub fn call_failed(
    request: &Request,
    continuation: &Continuation,
    call: &Call,
    error: &CallError,
) -> Report {
    let phase = &continuation.phase;
    let target = target(request);
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
    let (topic, kind, why, next) = trouble(error, &what).unwrap_or_else(|refusal| {
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
    let also = format!("{done}: {why}.");
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
            failed_rollout(failed, &cause, &also, &seen, &next)
        }
        None => fail(topic, kind, &also, &[], &next),
    }
}

/// Of what kind a failure is, why it is one, and what to do.
pub type Trouble = (Topic, Kind, String, String);

/// The words for a call that failed. `what` it was to do; a refusal is given back.
pub fn trouble<'a>(error: &'a CallError, what: &str) -> Result<Trouble, &'a Refusal> {
    Ok(match error {
        CallError::Refused(refusal) => return Err(refusal),
        CallError::Unreachable(why) => (
            Topic::Unreachable,
            Kind::SystemUnavailable,
            format!("the cluster could not be reached: {why}"),
            unreachable::next(why).to_owned(),
        ),
        CallError::Untrusted(why) => (
            Topic::Untrusted,
            Kind::ConfigurationError,
            format!("the cluster's certificate is not trusted: {why}"),
            unreachable::certificate(why).to_owned(),
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
            "Retry; if it stays so, raise the function's timeout.".to_owned(),
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
            operations.find(|operation| operation["path"] == change::CAUSE_PATH)?["value"]
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
        "Raise the function's timeout (a minute or more), then retry.",
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

/// The beginning of a text in at most so many bytes, with an ellipsis where it was cut.
pub fn clip(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub('…'.len_utf8());
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end));
    format!("{}…", &text[..end.unwrap_or(0)])
}

/// Somebody else's text in one line and of bounded length; a final full stop is ours to set.
fn quote(text: &str) -> String {
    clip(one_line(text).trim_end_matches('.'), QUOTE_LIMIT)
}

/// A text in one line, its blanks made one each.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn target(request: &Request) -> String {
    format!(
        "Deployment `{}` in `{}`",
        request.deployment, request.namespace
    )
}

fn pods(count: i64) -> &'static str {
    if count == 1 { "pod" } else { "pods" }
}

/// `90s` as `1 min 30 s`.
pub fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "min"), (seconds, "s")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let words = parts.map(|(count, unit)| format!("{count} {unit}"));
    let words = words.collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        "0 s".to_owned()
    } else {
        words
    }
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
mod tests {
    use super::*;
    use crate::continuation::{Rollback, Rollout};
    use crate::job::Parameters;
    use crate::rollout::Written;
    use insta::assert_snapshot;
    use serde_json::{Value, json};

    fn at(seconds: u64) -> Timestamp {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        start + Duration::from_secs(seconds)
    }

    fn request() -> Request {
        parsed(json!({"deployment": "web", "namespace": "shop", "images": {"app": "app:2"}}))
    }

    fn parsed(fields: Value) -> Request {
        Request::parse(&Parameters::Text(fields.to_string()), "job-1").unwrap()
    }

    /// A request whose names are as long as they can be.
    fn longest_request() -> Request {
        parsed(
            json!({"deployment": "w".repeat(253), "namespace": "n".repeat(63),
            "restart": true, "execution": "é".repeat(128)}),
        )
    }

    fn live(replicas: i64, image: &str) -> Deployment {
        Deployment::new(json!({
            "metadata": {"annotations": {"deployment.kubernetes.io/revision": "7"}},
            "spec": {"replicas": replicas, "progressDeadlineSeconds": 600,
                "template": {"spec": {
                    "initContainers": [{"name": "setup", "image": "setup:1"}],
                    "containers": [{"name": "proxy", "image": "proxy:1"},
                        {"name": "app", "image": image}]}}},
            "status": {"replicas": replicas, "availableReplicas": replicas}}))
    }

    fn begun() -> Continuation {
        Continuation::begin("job-1", at(0), Duration::from_secs(900))
    }

    fn in_phase(phase: Phase) -> Continuation {
        Continuation { phase, ..begun() }
    }

    fn written() -> Written {
        Written::new(None, &live(2, "app:2"), at(0))
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
            cause: "it broke".into(),
            kind: None,
            evidence: Evidence::default(),
            reason: None,
            deadline: at(900),
        })
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
            serving: None,
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
            Report::Failure { kind, message, .. } => format!("{}: {message}", kind.name()),
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
            obstacle: Some("pods \"web-1\" is forbidden:\n  exceeded quota.".into()),
            ..progress_of(WaitsFor::NewPods, 0, 2)
        };
        let stuck = progress(&wait(stuck, false));
        let lines = format!("{}\n{stuck}", summaries.join("\n"));
        assert_snapshot!(wrapped(&lines), @r#"
        Kubernetes has not taken up the change yet
        rolling back: Kubernetes has not taken up the change yet
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
        let finished = |wrote, from: Option<&str>, left: &[(&str, &str)]| {
            let mut blue = live(2, "app:2").value().clone();
            blue["metadata"]["name"] = json!("web-blue");
            let left = left.iter();
            let success = Success {
                deployment: Deployment::new(blue),
                wrote,
                previous_revision: None,
                switched: Some(Switched {
                    service: "web".into(),
                    from: from.map(str::to_owned),
                    from_is_gone: false,
                    left: left
                        .map(|(name, why)| (name.to_string(), why.to_string()))
                        .collect(),
                }),
            };
            super::success(&switching(json!({})), &begun(), &success, at(41))
        };
        let reports = [
            finished(true, Some("web-green"), &[]),
            finished(
                true,
                Some("web"),
                &[("web-1", "the token may not delete deployments.apps")],
            ),
            finished(false, None, &[]),
        ];
        assert_snapshot!(shown(&reports), @r#"
        shop/web-blue@7: Service `web` in `shop` sends to Deployment `web-blue` (app:2): 2 of
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
        shop/web-blue@7: Service `web` in `shop` sends to Deployment `web-blue` (app:2): 2 of
        2 pods available after 41 s. `web`, which served before, is scaled to zero. `web-1`
        could not be cleared away: the token may not delete deployments.apps.
        Namespace=shop
        Deployment=web-blue
        Revision=7
        PreviousRevision=
        Image=app:2
        Strategy=blueGreen
        DurationSeconds=41
        Execution=job-1
        --
        shop/web-blue@7: Service `web` in `shop` already sent to this version, so nothing was
        changed: Deployment `web-blue` (app:2): 2 of 2 pods available.
        Namespace=shop
        Deployment=web-blue
        Revision=7
        PreviousRevision=7
        Image=app:2
        Strategy=blueGreen
        DurationSeconds=41
        Execution=job-1
        "#);
    }

    #[test]
    fn stages_of_a_switch() {
        let until = at(90);
        let lines = [
            Stage::Newcomer("web-blue".into()),
            Stage::Lock {
                execution: "run-1".into(),
                until,
            },
            Stage::Smoke,
            Stage::Endpoints("web".into()),
            Stage::Bake {
                newcomer: "web-blue".into(),
                until,
            },
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
        assert_snapshot!(wrapped(&lines.join("\n")), @r#"
        `web-blue`: 1 of 2 new pods available
        taking back: `web-blue`: 1 of 2 new pods available
        execution `run-1` is at work on the Service, until 2026-01-01T00:01:30Z at the latest
        taking back: execution `run-1` is at work on the Service, until 2026-01-01T00:01:30Z
        at the latest
        the smoke test goes on
        taking back: the smoke test goes on
        waiting for the endpoints of Service `web` to follow
        taking back: waiting for the endpoints of Service `web` to follow
        `web-blue` serves (1 of 2 new pods available); the version before is kept until
        2026-01-01T00:01:30Z
        taking back: `web-blue` serves (1 of 2 new pods available); the version before is kept
        until 2026-01-01T00:01:30Z
        waiting for the pods of `web-blue` to end
        taking back: waiting for the pods of `web-blue` to end
        `web` is being scaled or rolled out
        taking back: `web` is being scaled or rolled out
        "#);
    }

    #[test]
    fn switches_that_failed() {
        let smoke = smoke_failed("/health", 3, "HTTP 500: oops");
        let failed = |aftermath, request: &Request| {
            let of_smoke = Failure::Rollout {
                cause: smoke.clone(),
                kind: None,
                evidence: Evidence::default(),
                aftermath,
                reason: Some(Reason::Smoke),
            };
            failure(request, &of_smoke)
        };
        let usual = switching(json!({}));
        let left = switching(json!({"rollback": false}));
        let blue = || "web-blue".to_owned();
        let locked = Failure::Locked {
            execution: "run-1".into(),
            until: at(90),
        };
        let refused = |code| {
            let cause = "the token may not patch deployments.apps".to_owned();
            let refused = Failure::Rollout {
                cause,
                kind: None,
                evidence: Evidence::default(),
                aftermath: Aftermath::Unswitched(Fate::Gone),
                reason: Some(Reason::Refused(code)),
            };
            failure(&usual, &refused)
        };
        let rights = [&Right::SMOKE[..], &[Right::SCALE]].concat();
        let reports = [
            failed(Aftermath::Unswitched(Fate::ScaledDown(blue())), &usual),
            failed(Aftermath::Unswitched(Fate::Gone), &usual),
            failed(Aftermath::Unswitched(Fate::Left(blue())), &left),
            failed(
                Aftermath::SwitchedBack("web".into(), Fate::ScaledDown(blue())),
                &usual,
            ),
            failed(Aftermath::LeftSwitched, &left),
            failed(Aftermath::NoWayBack, &usual),
            refused(403),
            refused(422),
            refused(503),
            failure(&usual, &Failure::Forbidden(rights)),
            failed(Aftermath::ReturnFailed(blue()), &usual),
            failure(&usual, &locked),
        ];
        assert_snapshot!(shown(&reports), @r#"
        JobFailed: The new version of Deployment `web` in `shop` was not put into service: its
        smoke test, GET /health, failed 3 times, the last time so: HTTP 500: oops.

        Service `web` sends to the version before, as all along. `web-blue` was scaled to
        zero.
        Correct the cause (docs/operations.md, smoke-test) and release the change again.
        --
        JobFailed: The new version of Deployment `web` in `shop` was not put into service: its
        smoke test, GET /health, failed 3 times, the last time so: HTTP 500: oops.

        Service `web` sends to the version before, as all along. No pod of the new version is
        left.
        Correct the cause (docs/operations.md, smoke-test) and release the change again.
        --
        JobFailed: The new version of Deployment `web` in `shop` was not put into service: its
        smoke test, GET /health, failed 3 times, the last time so: HTTP 500: oops.

        Service `web` sends to the version before, as all along. `web-blue` was left as it is,
        as `rollback` is false.
        Correct the cause (docs/operations.md, smoke-test) and release the change again.
        --
        JobFailed: The new version of Deployment `web` in `shop` was taken out of service
        again: its smoke test, GET /health, failed 3 times, the last time so: HTTP 500: oops.

        Service `web` sends to `web` again. `web-blue` was scaled to zero.
        Correct the cause (docs/operations.md, smoke-test) and release the change again.
        --
        JobFailed: The deploy of Deployment `web` in `shop` failed after its Service was
        switched: its smoke test, GET /health, failed 3 times, the last time so: HTTP 500:
        oops.

        Service `web` was left sending to the new version, as `rollback` is false.
        Correct the cause (docs/operations.md, smoke-test). See what runs with `kubectl
        --namespace shop get deployment,pod`, and what is served with `kubectl --namespace
        shop describe service/web`.
        --
        JobFailed: The deploy of Deployment `web` in `shop` failed after its Service was
        switched: its smoke test, GET /health, failed 3 times, the last time so: HTTP 500:
        oops.

        Service `web` was left sending to the new version, as the version before has fewer
        pods available and cannot take over again.
        Correct the cause (docs/operations.md, smoke-test). See what runs with `kubectl
        --namespace shop get deployment,pod`, and what is served with `kubectl --namespace
        shop describe service/web`.
        --
        PermissionError: The new version of Deployment `web` in `shop` was not put into
        service: the token may not patch deployments.apps.

        Service `web` sends to the version before, as all along. No pod of the new version is
        left.
        Correct the cause (docs/operations.md, forbidden) and release the change again.
        --
        ConfigurationError: The new version of Deployment `web` in `shop` was not put into
        service: the token may not patch deployments.apps.

        Service `web` sends to the version before, as all along. No pod of the new version is
        left.
        Correct the cause (docs/operations.md, object-refused) and release the change again.
        --
        JobFailed: The new version of Deployment `web` in `shop` was not put into service: the
        token may not patch deployments.apps.

        Service `web` sends to the version before, as all along. No pod of the new version is
        left.
        Correct the cause (docs/operations.md, cluster-unavailable) and release the change
        again.
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
        test, GET /health, failed 3 times, the last time so: HTTP 500: oops.

        Service `web` sends to the version before, but `web-blue` could not be cleared away in
        time.
        Correct the cause (docs/operations.md, smoke-test). See what runs with `kubectl
        --namespace shop get deployment,pod`, and what is served with `kubectl --namespace
        shop describe service/web`.
        --
        RevisionOutOfSync: Deployment `web` in `shop` was not changed: for 15 min (timeout)
        execution `run-1` has been at work on the same Service. Nothing was begun.

        Retry when that execution is through. If it was stopped, its lock ends by itself at
        2026-01-01T00:01:30Z. See docs/operations.md, locked.
        "#);
        let timed_out = switch_timed_out(Duration::from_secs(900), "web");
        let missing = endpoints_missing("web", "web-blue");
        assert_snapshot!(wrapped(&format!("{timed_out}\n{missing}")), @r#"
        Service `web` could not be switched within 15 min (timeout)
        the endpoints of Service `web` never became the ready pods of `web-blue` and no others
        "#);
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
        assert_snapshot!(shown(&reports), @r#"
        0 %: about to start
        --
        0 %: the rollout goes on
        --
        0 %: the rollback goes on
        --
        50 %: 1 of 2 new pods available
        --
        99 %: 2 of 2 new pods available; 1 old pod left
        --
        0 %: 0 of 0 new pods available
        --
        0 %: rolling back: 1 of 2 previous pods available
        --
        50 %: since 2026-01-01T00:01:01Z the cluster does not answer as it should
        "#);
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
            Failure::Deleted,
            out_of_sync(Some("run-3"), true),
            out_of_sync(None, true),
            out_of_sync(None, false),
        ]
        .map(|failure| super::failure(&request(), &failure));
        assert_snapshot!(shown(&reports), @r#"
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

        Wait until it is gone, then create it anew with a `manifest`. See docs/operations.md,
        being-deleted.
        --
        ConfigurationError: Deployment `web` in `shop` is paused: somebody stopped its
        rollouts, so nothing was changed.

        Resume it with `kubectl --namespace shop rollout resume deployment/web`, then retry.
        See docs/operations.md, paused.
        --
        SystemUnavailable: Deployment `web` in `shop` was not changed: its 15 min (timeout)
        were over before the cluster could be written to.

        Retry; if the cluster is slow to answer, raise `timeout`. See docs/operations.md,
        too-late.
        --
        JobFailed: Deployment `web` in `shop` was deleted while its rollout was followed.

        Find out who deleted it; with a `manifest` the next deploy creates it anew. See
        docs/operations.md, deleted.
        --
        RevisionOutOfSync: Deployment `web` in `shop` was changed by execution `run-3` after
        this deploy wrote its version; the later change was left alone.

        If the later change is the wanted one, there is nothing to do; else release this one
        again. See docs/operations.md, out-of-sync.
        --
        RevisionOutOfSync: Deployment `web` in `shop` was changed by someone else after this
        deploy wrote its version; the later change was left alone.

        If the later change is the wanted one, there is nothing to do; else release this one
        again. See docs/operations.md, out-of-sync.
        --
        RevisionOutOfSync: Deployment `web` in `shop` was changed by someone else after this
        deploy began; the later change was left alone.

        If the later change is the wanted one, there is nothing to do; else release this one
        again. See docs/operations.md, out-of-sync.
        "#);
    }

    #[test]
    fn rollouts_that_failed() {
        let short = progress_of(WaitsFor::Availability, 1, 2);
        let stopped = deadline_exceeded(&live(2, "app:2"), &short, "new");
        let crash = "`app` in pod `web-1` exits with code 1, 3 times: `panic: no DATABASE_URL`";
        let told = cause(Some(crash.into()), Some(stopped.clone()));
        let seen = evidence(
            &["34 s after the change 1 of 2 new pods so far were ready, of 2 wanted."],
            &[
                "The last lines of `app` in pod `web-1`:",
                "  panic: no DATABASE_URL",
            ],
        );
        let why = timed_out(Duration::from_secs(900), &short, "previous");
        let rollout = |cause: &str, seen: &Evidence, aftermath| {
            let failure = Failure::Rollout {
                cause: cause.to_owned(),
                kind: cause.contains("exits").then_some(Cause::Crash),
                evidence: seen.clone(),
                aftermath,
                reason: None,
            };
            super::failure(&request(), &failure)
        };
        let unread = evidence(&["The new pods could not be read: HTTP 403."], &[]);
        let none = &Evidence::default();
        let reports = [
            rollout(crash, &seen, Aftermath::RolledBack(version())),
            rollout(&told, &seen, Aftermath::RolledBack(version())),
            rollout(&stopped, &unread, Aftermath::NothingWritten),
            rollout("it broke", none, Aftermath::RollbackDisabled),
            rollout("it broke", none, Aftermath::NothingToReturnTo),
            rollout("it broke", none, Aftermath::NothingServed),
            rollout("it broke", none, Aftermath::PreviousGone("web-6".into())),
            rollout("it broke", none, Aftermath::RollbackFailed(version(), why)),
            rollout(
                "it broke",
                none,
                Aftermath::OvertakenBy(Some("run-3".into())),
            ),
            rollout("it broke", none, Aftermath::OvertakenBy(None)),
            rollout("it broke", none, Aftermath::Deleted),
        ];
        assert_snapshot!(shown(&reports), @r#"
        JobFailed: The new version of Deployment `web` in `shop` does not serve: `app` in pod
        `web-1` exits with code 1, 3 times: `panic: no DATABASE_URL`.

        34 s after the change 1 of 2 new pods so far were ready, of 2 wanted.

        The last lines of `app` in pod `web-1`:
        panic: no DATABASE_URL

        Rolled back: the version of revision 8 (shop/web:1) serves again.
        Correct the cause (docs/operations.md, crash) and release the change again.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: `app` in pod
        `web-1` exits with code 1, 3 times: `panic: no DATABASE_URL`; Kubernetes saw no
        progress for 10 min (progressDeadlineSeconds), with 1 of 2 new pods available.

        34 s after the change 1 of 2 new pods so far were ready, of 2 wanted.

        The last lines of `app` in pod `web-1`:
        panic: no DATABASE_URL

        Rolled back: the version of revision 8 (shop/web:1) serves again.
        Correct the cause (docs/operations.md, crash) and release the change again.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: Kubernetes
        saw no progress for 10 min (progressDeadlineSeconds), with 1 of 2 new pods available.

        The new pods could not be read: HTTP 403.

        It ran this version before the job began, so nothing was changed or taken back.
        Correct the cause and release the change again. See docs/operations.md, no-progress.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

        It was left as it is, as `rollback` is false.
        Correct the cause. See what runs with `kubectl --namespace shop get
        deployment,replicaset,pod`, and `kubectl --namespace shop rollout history
        deployment/web`. See docs/operations.md, no-progress.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

        No other version served before, so there is none to return to; it was left as it is.
        Correct the cause. See what runs with `kubectl --namespace shop get
        deployment,replicaset,pod`, and `kubectl --namespace shop rollout history
        deployment/web`. See docs/operations.md, no-progress.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

        It was left as it is: the version before did not serve either.
        Correct the cause. See what runs with `kubectl --namespace shop get
        deployment,replicaset,pod`, and `kubectl --namespace shop rollout history
        deployment/web`. See docs/operations.md, no-progress.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

        It was left as it is: ReplicaSet `web-6`, which served before, is gone
        (revisionHistoryLimit).
        Correct the cause. See what runs with `kubectl --namespace shop get
        deployment,replicaset,pod`, and `kubectl --namespace shop rollout history
        deployment/web`. See docs/operations.md, no-progress.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

        The version of revision 8 (shop/web:1) was brought back and does not serve: the
        rollout was not done within 15 min (timeout), with 1 of 2 previous pods available.
        Correct the cause. See what runs with `kubectl --namespace shop get
        deployment,replicaset,pod`, and `kubectl --namespace shop rollout history
        deployment/web`. See docs/operations.md, no-progress.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

        Execution `run-3` has deployed since.
        Correct the cause. See what runs with `kubectl --namespace shop get
        deployment,replicaset,pod`, and `kubectl --namespace shop rollout history
        deployment/web`. See docs/operations.md, no-progress.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

        Someone else has changed it since, so that it was left as it is.
        Correct the cause. See what runs with `kubectl --namespace shop get
        deployment,replicaset,pod`, and `kubectl --namespace shop rollout history
        deployment/web`. See docs/operations.md, no-progress.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

        It was deleted while the previous version was brought back.
        Correct the cause. See what runs with `kubectl --namespace shop get
        deployment,replicaset,pod`, and `kubectl --namespace shop rollout history
        deployment/web`. See docs/operations.md, no-progress.
        "#);
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
            timed_out(Duration::from_secs(90), &progress, "new")
        });
        let obstacle = Progress {
            obstacle: Some("exceeded quota".into()),
            ..progress_of(WaitsFor::NewPods, 0, 2)
        };
        let exceeded = deadline_exceeded(&live(2, "app:2"), &obstacle, "new");
        let lines = format!("{}\n{exceeded}", lines.join("\n"));
        assert_snapshot!(wrapped(&lines), @r#"
        the rollout was not done within 1 min 30 s (timeout), and Kubernetes has not taken up
        the change yet
        the rollout was not done within 1 min 30 s (timeout), with 0 of 2 new pods available
        the rollout was not done within 1 min 30 s (timeout), with 2 of 2 new pods available;
        1 old pod left
        the Deployment was paused (spec.paused) in the middle of its rollout, with 1 of 2 new
        pods available, and was not resumed within 1 min 30 s (timeout)
        Kubernetes saw no progress for 10 min (progressDeadlineSeconds), with 0 of 2 new pods
        available; exceeded quota
        "#);
    }

    #[test]
    fn access_that_is_lost_keeps_the_first_cause() {
        let error = CredentialsError::Unreachable("SSM is away".into());
        let told = |phase: &Phase| {
            let Report::Failure { message, .. } = access_lost(&request(), phase, &error) else {
                panic!("it failed")
            };
            message
        };
        assert!(!told(&Phase::Start).contains("does not serve"));
        assert!(told(&rolling_out()).contains("has been written"));
        let back = told(&rolling_back());
        assert!(back.contains("does not serve: it broke."), "{back}");
    }

    #[test]
    fn calls_that_failed() {
        let patch = Call::patch("shop", "web", json!({}));
        let refused = |code, message: &str| {
            CallError::Refused(Refusal {
                code,
                message: message.to_owned(),
                is_status: code != 400,
                ..Refusal::default()
            })
        };
        let start = [
            refused(400, "The plain HTTP request was sent to HTTPS port"),
            refused(401, "Unauthorized"),
            refused(403, "deployments.apps \"web\" is forbidden: no."),
            refused(409, ""),
            refused(422, "Deployment.apps \"web\" is invalid"),
            refused(429, ""),
            refused(503, "etcd\nis away"),
            CallError::Unreachable("connection refused".into()),
            CallError::Untrusted("it was signed by another CA than the one given".into()),
            CallError::NotKubernetes("HTTP 200 with \"Welcome\"".into()),
            CallError::OutOfTime,
        ]
        .map(|error| call_failed(&request(), &begun(), &patch, &error));
        assert_snapshot!(shown(&start), @r#"
        ConfigurationError: Deployment `web` in `shop` was not changed: what answers to patch
        deployments.apps is not a Kubernetes API server (HTTP 400, "The plain HTTP request was
        sent to HTTPS port").

        A proxy, a load balancer or a firewall refuses it, or K8S_CLUSTER is another address:
        it must reach the API server itself, by https. Then retry the stage. See
        docs/operations.md, not-kubernetes.
        --
        PermissionError: Deployment `web` in `shop` was not changed: the cluster does not
        accept the bearer token (HTTP 401, "Unauthorized").

        Store a valid token in the SSM parameter that K8S_TOKEN_PARAMETER names, then retry
        the stage. The parameter was read again, and its token was refused as well. See
        docs/operations.md, token-refused.
        --
        ConfigurationError: Deployment `web` in `shop` was not changed: the API server refused
        to patch deployments.apps (HTTP 403, "deployments.apps "web" is forbidden: no").

        Correct what it names, then release the change again. See docs/operations.md,
        object-refused.
        --
        RevisionOutOfSync: Deployment `web` in `shop` was not changed: somebody else kept
        changing it at the same time (HTTP 409).

        Retry the stage when the other change is through. See docs/operations.md, out-of-sync.
        --
        ConfigurationError: Deployment `web` in `shop` was not changed: the API server refused
        to patch deployments.apps (HTTP 422, "Deployment.apps "web" is invalid").

        Correct what it names, then release the change again. See docs/operations.md,
        object-refused.
        --
        SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not
        patch deployments.apps just now (HTTP 429).

        Retry the stage when the API server is well again; the function retried until it gave
        up. See docs/operations.md, cluster-unavailable.
        --
        SystemUnavailable: Whether Deployment `web` in `shop` was changed is not known: the
        cluster could not patch deployments.apps just now (HTTP 503, "etcd is away").

        Retry the stage when the API server is well again; the function retried until it gave
        up. See docs/operations.md, cluster-unavailable.
        --
        SystemUnavailable: Whether Deployment `web` in `shop` was changed is not known: the
        cluster could not be reached: connection refused.

        The host is there, and nothing listens on the port: correct the port of K8S_CLUSTER,
        or see whether the API server runs. Then retry. See docs/operations.md, unreachable.
        --
        ConfigurationError: Deployment `web` in `shop` was not changed: the cluster's
        certificate is not trusted: it was signed by another CA than the one given.

        Set K8S_CA or K8S_CA_PARAMETER to the CA of this cluster, and K8S_CLUSTER to a name
        that its certificate has. Then retry. See docs/operations.md, untrusted.
        --
        ConfigurationError: Deployment `web` in `shop` was not changed: what answers at
        K8S_CLUSTER is no Kubernetes API: HTTP 200 with "Welcome".

        Set K8S_CLUSTER to the API server itself. See docs/operations.md, not-kubernetes.
        --
        SystemUnavailable: Deployment `web` in `shop` was not changed: there was no time left
        to patch deployments.apps.

        Retry; if it stays so, raise the function's timeout. See docs/operations.md,
        out-of-time.
        "#);
        let get = Call::deployment("shop", "web");
        let later = [rolling_out(), rolling_back()]
            .map(|phase| call_failed(&request(), &in_phase(phase), &get, &refused(403, "")));
        let undo = change::undo(&live(2, "app:2"), &json!({}), "job-1", "it broke");
        let undo = Call::operations("shop", "web", undo);
        let undone = call_failed(
            &request(),
            &in_phase(rolling_out()),
            &undo,
            &refused(422, "no"),
        );
        let unseen = CallError::Unreachable("connection refused".into());
        let unread = call_failed(&request(), &begun(), &get, &unseen);
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
        no-progress.
        --
        JobFailed: The new version of Deployment `web` in `shop` does not serve: it broke.

        Deployment `web` in `shop` could not be rolled back: the API server refused to patch
        deployments.apps (HTTP 422, "no").

        Correct what it names, then release the change again. See docs/operations.md,
        no-progress.
        --
        SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not
        be reached: connection refused.

        The host is there, and nothing listens on the port: correct the port of K8S_CLUSTER,
        or see whether the API server runs. Then retry. See docs/operations.md, unreachable.
        "#);
    }

    #[test]
    fn access_that_there_is_not() {
        let name = || "token".to_owned();
        let reports = [
            CredentialsError::Missing("`token`".into()),
            CredentialsError::Denied(
                "ssm:GetParameters, or kms:Decrypt for it",
                "AccessDeniedException: no".into(),
            ),
            CredentialsError::Refused("ValidationException: no".into()),
            CredentialsError::Unreachable("it did not answer in time".into()),
            CredentialsError::NoToken(name(), "is empty"),
            CredentialsError::Expired(name(), at(0)),
            CredentialsError::Ca("SSM parameter `ca` holds neither PEM nor base64 of it".into()),
        ]
        .map(|error| no_credentials(&error));
        assert_snapshot!(shown(&reports), @r#"
        ConfigurationError: There is no access to the cluster: SSM has no parameter `token`
        (with that version or label) in this account and region.

        Correct the parameter or the function's environment, then retry. See
        docs/operations.md, credentials.
        --
        PermissionError: There is no access to the cluster: AWS denies ssm:GetParameters, or
        kms:Decrypt for it (AccessDeniedException: no).

        Grant what is missing, or renew the token, then retry. See docs/operations.md,
        credentials.
        --
        ConfigurationError: There is no access to the cluster: SSM refused the call
        (ValidationException: no).

        Correct the parameter or the function's environment, then retry. See
        docs/operations.md, credentials.
        --
        SystemUnavailable: There is no access to the cluster: SSM could not be reached: it did
        not answer in time.

        Retry. In a VPC the function needs a route to SSM, or its interface endpoint. See
        docs/operations.md, credentials.
        --
        ConfigurationError: There is no access to the cluster: the token in SSM parameter
        `token` is empty.

        Correct the parameter or the function's environment, then retry. See
        docs/operations.md, credentials.
        --
        PermissionError: There is no access to the cluster: the token in SSM parameter `token`
        expired at 2026-01-01T00:00:00Z.

        Grant what is missing, or renew the token, then retry. See docs/operations.md,
        credentials.
        --
        ConfigurationError: There is no access to the cluster: the cluster's CA cannot be
        used: SSM parameter `ca` holds neither PEM nor base64 of it.

        Correct the parameter or the function's environment, then retry. See
        docs/operations.md, credentials.
        "#);
    }

    #[test]
    fn whatever_else_goes_wrong() {
        let faults = [Fault::new("K8S_CLUSTER", "is missing")];
        let reports = [
            wrong_parameters(&faults),
            wrong_environment(&faults),
            unusable_continuation(&Unusable::Damaged),
            unusable_continuation(&Unusable::Foreign),
            unusable_continuation(&Unusable::Version("2".into())),
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
        assert_snapshot!(shown(&reports), @r#"
        ConfigurationError: Nothing was deployed: `K8S_CLUSTER` is missing.

        Correct the action's UserParameters and release the change again. See
        docs/operations.md, parameters.
        --
        ConfigurationError: Nothing was deployed: the Lambda function's environment is not set
        up correctly.

        - `K8S_CLUSTER` is missing

        Correct the function's environment variables, then retry. See docs/operations.md,
        environment.
        --
        ConfigurationError: The deploy cannot go on: the continuation token cannot be used, as
        it is none of Landfall's, or was changed on the way.

        This job changed nothing; what an earlier one began goes on in the cluster. Retry the
        stage: a version that is already there is not written again. See docs/operations.md,
        continuation.
        --
        ConfigurationError: The deploy cannot go on: the continuation token cannot be used, as
        it belongs to other user parameters or another cluster.

        This job changed nothing; what an earlier one began goes on in the cluster. Retry the
        stage: a version that is already there is not written again. See docs/operations.md,
        continuation.
        --
        ConfigurationError: The deploy cannot go on: the continuation token cannot be used, as
        its format 2 is not the one of this version of the function; the function was replaced
        in the middle of the deploy.

        This job changed nothing; what an earlier one began goes on in the cluster. Retry the
        stage: a version that is already there is not written again. See docs/operations.md,
        continuation.
        --
        SystemUnavailable: Lost contact with the cluster during the deploy of Deployment `web`
        in `shop`: the cluster has not answered since 2026-01-01T00:01:01Z (HTTP 503: etcd is
        away).

        Whatever was written goes on in the cluster. Retry the stage when the cluster answers:
        a version that is already there is not written again. See docs/operations.md,
        out-of-sight.
        --
        SystemUnavailable: Lost contact with the cluster during the deploy of Deployment `web`
        in `shop`: the cluster has not answered since 2026-01-01T00:01:01Z (connection
        refused).

        The new version of Deployment `web` in `shop` does not serve: it broke.

        Whatever was written goes on in the cluster. Retry the stage when the cluster answers:
        a version that is already there is not written again. See docs/operations.md,
        out-of-sight.
        --
        SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster has not
        answered since 2026-01-01T00:01:01Z (it did not answer in time).

        Nothing was written. Retry the stage when the cluster answers. See docs/operations.md,
        out-of-sight.
        --
        JobFailed: Landfall itself broke at src/deploy.rs:1:2; what was written before goes on
        in the cluster.

        Please report this place as a bug. Retrying the stage is safe. See docs/operations.md,
        bug.
        --
        SystemUnavailable: Nothing was deployed: the Lambda function ran out of time before it
        had begun.

        Raise the function's timeout (a minute or more), then retry. See docs/operations.md,
        no-time.
        "#);
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
        assert_snapshot!(shown(&bare), @r#"
        landfall: The new version serves.
        --
        0 %: The deploy goes on.
        --
        SystemUnavailable: Nothing was deployed: the Lambda function ran out of time before it
        had begun.
        "#);
        let token = |report: &Report| match report {
            Report::Progress { token, .. } => Some(token.clone()),
            Report::Success { .. } | Report::Failure { .. } => None,
        };
        assert!(token(&bare[1]).is_some());
        assert_eq!(token(&bare[1]), token(&reports[1]));
    }

    #[test]
    fn a_cause_is_what_is_wrong_and_what_ran_out() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(cause(some("a"), some("b")), "a; b");
        assert_eq!(cause(None, some("b")), "b");
        assert_eq!(cause(some("a"), None), "a");
        let long = cause(Some("a".repeat(9000)), some("; the end"));
        assert!(long.len() < TOLD_LIMIT + 20 && long.ends_with("the end"));
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
            obstacle: Some("€".repeat(10_000)),
            ..progress_of(WaitsFor::OldPods(i64::MAX), i64::MAX / 100, i64::MAX)
        };
        let over = handed_over(&begun(), "bound", Some(&wait(stuck.clone(), false)));
        let Report::Progress { summary, .. } = over else {
            panic!("it goes on")
        };
        assert!(summary.len() <= SUMMARY_LIMIT);
        let line = "😀".repeat(70);
        let failed = Failure::Rollout {
            cause: clip(
                &cause(Some("😀".repeat(5000)), Some("it stopped".into())),
                600,
            ),
            kind: Some(Cause::ContainerNotCreated),
            evidence: Evidence {
                pods: vec![line.clone(); 9],
                events: vec![line.clone(); 9],
                log: [vec![line; 20], vec!["the last line".into()]].concat(),
                serving: None,
            },
            aftermath: Aftermath::RollbackFailed(
                crate::strategy::Version {
                    revision: u64::MAX,
                    image: "i".repeat(200),
                },
                timed_out(request.timeout, &stuck, "previous"),
            ),
            reason: None,
        };
        let failed = failure(&request, &failed);
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
        let rollout = |aftermath| Failure::Rollout {
            cause: "it broke".into(),
            kind: None,
            evidence: Evidence::default(),
            aftermath,
            reason: None,
        };
        let by = || Some("😀".repeat(128));
        for failure in [
            Failure::Missing,
            Failure::Paused,
            rollout(Aftermath::PreviousGone("s".repeat(253))),
            rollout(Aftermath::OvertakenBy(by())),
            Failure::OutOfSync {
                by: by(),
                wrote: true,
            },
        ] {
            let report = super::failure(&request, &failure);
            assert!(!message_of(&report).contains('…'), "{failure:?}");
        }
    }
}
