//! Every sentence that a user sees. The first line of a failure says what happened to what, and
//! why; then comes the evidence; the last line says what to do next.

use crate::cluster::call::Call;
use crate::cluster::object::{Deployment, Trouble};
use crate::cluster::{CallError, Refusal};
use crate::continuation::{Continuation, Phase, Unusable};
use crate::credentials::CredentialsError;
use crate::request::{Fault, Request};
use crate::rollout::{Progress, WaitsFor};
use crate::strategy::{Aftermath, Failure, Success, Wait};
use jiff::Timestamp;
use std::fmt::Write;
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
const NEXT_LIMIT: usize = 1000;
/// How much of somebody else's text (the API server's, a proxy's) goes into one sentence.
const QUOTE_LIMIT: usize = 800;
/// The same within a cause, which must leave room for how far the rollout had come.
const CAUSE_QUOTE_LIMIT: usize = 380;
/// Lines of evidence about pods: a screen of them.
const EVIDENCE_LIMIT: usize = 12;
/// The shortest value that is masked: shorter ones are no secrets, and occur in any text.
const MASK_MINIMUM: usize = 5;

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
            Report::Failure { kind, message } => Report::Failure {
                kind: *kind,
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
            Kind::SystemUnavailable => "SystemUnavailable",
        }
    }
}

/// What must appear in no text: the token, the job's credentials, the values of variables.
#[derive(Default)]
pub struct Mask(Vec<String>);

impl Mask {
    /// Hides nothing yet.
    pub const fn new() -> Mask {
        Mask(Vec::new())
    }
    /// Adds values to hide.
    pub fn add<'a>(&mut self, secrets: impl IntoIterator<Item = &'a str>) {
        let secrets = secrets.into_iter().map(str::trim);
        let secrets = secrets.filter(|secret| secret.len() >= MASK_MINIMUM);
        self.0.extend(secrets.map(str::to_owned));
        // A value that contains another goes first.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// The text without them.
    pub fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret) {
                text.replace(secret, "[hidden]")
            } else {
                text
            }
        })
    }

    /// The report without them. Output variables and tokens are made of names alone.
    pub fn report(&self, report: Report) -> Report {
        match report {
            Report::Success {
                summary,
                external_id,
                variables,
            } => Report::Success {
                summary: self.text(&summary),
                external_id,
                variables,
            },
            Report::Progress {
                token,
                summary,
                percent,
            } => Report::Progress {
                token,
                summary: self.text(&summary),
                percent,
            },
            Report::Failure { kind, message } => Report::Failure {
                kind,
                message: self.text(&message),
            },
        }
    }
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
    let summary = if success.wrote {
        format!(
            "{target} runs revision {revision} ({image}): {pods} after {}.",
            words(Duration::from_secs(seconds.unsigned_abs()))
        )
    } else {
        format!(
            "{target} already ran this version, so nothing was changed: revision {revision} \
             ({image}), {pods}."
        )
    };
    let previous = match (success.wrote, success.previous_revision) {
        (true, previous) => previous.map(|previous| previous.to_string()),
        (false, _) => Some(revision.clone()),
    };
    let external = format!("{}/{}@{revision}", request.namespace, request.deployment);
    let variables = [
        ("Namespace", request.namespace.clone()),
        ("Deployment", request.deployment.clone()),
        ("Revision", revision),
        ("PreviousRevision", previous.unwrap_or_default()),
        ("Image", image),
        ("Strategy", request.strategy.name().to_owned()),
        ("DurationSeconds", seconds.to_string()),
    ];
    Report::Success {
        summary: clip(&summary, SUMMARY_LIMIT),
        external_id: clip(&external, EXTERNAL_ID_LIMIT),
        variables: variables
            .into_iter()
            .map(|(name, value)| (name, clip(&value, VARIABLE_LIMIT)))
            .collect(),
    }
}

/// The deploy goes on in the next invocation.
pub fn handed_over(continuation: &Continuation, bound_to: &str, waiting: Option<&Wait>) -> Report {
    let unreachable = continuation.unreachable_since;
    let summary = match (waiting, &continuation.phase, unreachable) {
        (_, _, Some(since)) => format!("the cluster has not answered since {since:.0}"),
        (Some(wait), _, _) => progress(wait),
        (None, Phase::Start, _) => "about to start".to_owned(),
        (None, Phase::Rollout(_), _) => "the rollout goes on".to_owned(),
        (None, Phase::Rollback(_), _) => "the rollback goes on".to_owned(),
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
    let state = pods_state(progress, if wait.rollback { "previous" } else { "new" });
    if wait.rollback {
        format!("rolling back: {state}")
    } else {
        state
    }
}

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
        WaitsFor::OldPods(left) => format!("{count}; {left} old {} left", pods(left)),
        WaitsFor::NewPods | WaitsFor::Availability => count,
    };
    match &progress.obstacle {
        Some(obstacle) => format!("{state}; {}", quote(obstacle)),
        None => state,
    }
}

/// The cause of a failure that Kubernetes itself declared.
pub fn deadline_exceeded(live: &Deployment, progress: &Progress) -> String {
    let seconds = live.progress_deadline_seconds().max(0).unsigned_abs();
    format!(
        "Kubernetes saw no progress for {} (progressDeadlineSeconds), with {}",
        words(Duration::from_secs(seconds)),
        pods_state(progress, "new")
    )
}

/// The cause of a failure by our own clock.
pub fn timed_out(_live: &Deployment, timeout: Duration, progress: &Progress) -> String {
    format!(
        "it was not done within {} (timeout), with {}",
        words(timeout),
        pods_state(progress, "new")
    )
}

/// The cause: what the first pod in trouble says of itself, then how far the rollout had come.
pub fn cause(stopped: &str, troubles: &Option<Result<Vec<Trouble>, String>>) -> String {
    let worst = troubles.as_ref().and_then(|troubles| {
        let troubles = troubles.as_ref().ok()?;
        let telling = |trouble: &&Trouble| trouble.reason != "NotReady";
        troubles.iter().find(telling).or(troubles.first())
    });
    match worst {
        Some(trouble) => format!("{}; {stopped}", trouble_line(trouble, CAUSE_QUOTE_LIMIT)),
        None => stopped.to_owned(),
    }
}

/// What the pods show, a line each.
pub fn evidence(troubles: &Result<Vec<Trouble>, String>) -> Vec<String> {
    match troubles {
        Ok(troubles) => {
            let mut lines = troubles
                .iter()
                .take(EVIDENCE_LIMIT)
                .map(|trouble| format!("- {}", trouble_line(trouble, QUOTE_LIMIT)))
                .collect::<Vec<_>>();
            if troubles.len() > EVIDENCE_LIMIT {
                lines.push(format!("- and {} more", troubles.len() - EVIDENCE_LIMIT));
            }
            lines
        }
        Err(why) => vec![format!("- the pods could not be read: {why}")],
    }
}

fn trouble_line(trouble: &Trouble, limit: usize) -> String {
    let Trouble {
        pod,
        container,
        reason,
        message,
    } = trouble;
    let mut line = if container.is_empty() {
        format!("pod `{pod}`: {reason}")
    } else {
        format!("`{container}` in pod `{pod}`: {reason}")
    };
    if !message.is_empty() {
        _ = write!(line, " ({})", clip(&quote(message), limit));
    }
    line
}

/// A deploy that came to nothing.
pub fn failure(request: &Request, failure: &Failure) -> Report {
    let target = target(request);
    let (namespace, name) = (&request.namespace, &request.deployment);
    match failure {
        Failure::Faults(faults) => faults_found(&format!("{target} was not changed"), faults),
        Failure::Missing => fail(
            Kind::ConfigurationError,
            &format!("{target} does not exist, so there was nothing to patch."),
            &[],
            &format!(
                "Check `deployment` and `namespace` (`kubectl --namespace {namespace} get \
                 deployments` lists what is there), or give a `manifest` to create it."
            ),
        ),
        Failure::BeingDeleted => fail(
            Kind::ConfigurationError,
            &format!("{target} is being deleted, so nothing was changed."),
            &[],
            "Wait until it is gone, then create it anew with a `manifest`.",
        ),
        Failure::Paused => fail(
            Kind::ConfigurationError,
            &format!("{target} is paused: somebody stopped its rollouts, so nothing was changed."),
            &[],
            &format!(
                "Resume it with `kubectl --namespace {namespace} rollout resume \
                 deployment/{name}`, then retry."
            ),
        ),
        Failure::TooLate => fail(
            Kind::SystemUnavailable,
            &format!(
                "{target} was not changed: its {} (timeout) were over before the cluster could be \
                 written to.",
                words(request.timeout)
            ),
            &[],
            "Retry; if the cluster is slow to answer, raise `timeout`.",
        ),
        Failure::Deleted => fail(
            Kind::JobFailed,
            &format!("{target} was deleted while its rollout was followed."),
            &[],
            "Find out who deleted it; with a `manifest` the next deploy creates it anew.",
        ),
        Failure::OutOfSync { by, wrote } => out_of_sync(request, by.as_deref(), *wrote),
        Failure::Rollout {
            cause,
            evidence,
            aftermath,
        } => rollout_failed(request, cause, evidence, aftermath),
    }
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
    fail(
        Kind::RevisionOutOfSync,
        &format!(
            "{} was changed by {who} after {ours}; the later change was left alone.",
            target(request)
        ),
        &[],
        "If the later change is the wanted one, there is nothing to do; else release this one \
         again.",
    )
}

fn rollout_failed(
    request: &Request,
    cause: &str,
    evidence: &[String],
    aftermath: &Aftermath,
) -> Report {
    let (namespace, name) = (&request.namespace, &request.deployment);
    let done = match aftermath {
        Aftermath::RollbackDisabled => "It was left as it is, as `rollback` is false.".to_owned(),
        Aftermath::NothingWritten => {
            "It ran this version before the job began, so nothing was changed or taken back."
                .to_owned()
        }
        Aftermath::NothingToReturnTo => {
            "No other version served before, so there is none to return to; it was left as it is."
                .to_owned()
        }
        Aftermath::PreviousGone(set) => format!(
            "It was left as it is: ReplicaSet `{set}`, which served before, is gone \
             (revisionHistoryLimit)."
        ),
        Aftermath::RolledBack(revision) => {
            format!("Rolled back: the version of revision {revision} serves again.")
        }
        Aftermath::RollbackFailed(revision, why) => {
            format!(
                "The version of revision {revision} was brought back and does not serve: {why}."
            )
        }
        Aftermath::OvertakenBy(by) => match by {
            Some(execution) => format!("Execution `{execution}` has deployed since."),
            None => "Someone else has changed it since.".to_owned(),
        },
    };
    let next = match aftermath {
        Aftermath::RolledBack(_) | Aftermath::NothingWritten => {
            "Correct the cause and release the change again.".to_owned()
        }
        Aftermath::RollbackDisabled
        | Aftermath::NothingToReturnTo
        | Aftermath::PreviousGone(_)
        | Aftermath::RollbackFailed(..)
        | Aftermath::OvertakenBy(_) => format!(
            "See what runs with `kubectl --namespace {namespace} get deployment,replicaset,pod`, \
             and `kubectl --namespace {namespace} rollout history deployment/{name}`."
        ),
    };
    fail(
        Kind::JobFailed,
        &format!(
            "The new version of {} does not serve: {cause}.",
            target(request)
        ),
        evidence,
        &format!("{done}\n{next}"),
    )
}

/// The user parameters are wrong.
pub fn wrong_parameters(faults: &[Fault]) -> Report {
    faults_found("Nothing was deployed", faults)
}

fn faults_found(what: &str, faults: &[Fault]) -> Report {
    let line = |fault: &Fault| format!("`{}` {}", fault.field, fault.problem);
    let (headline, evidence) = match faults {
        [fault] => (format!("{what}: {}.", line(fault)), Vec::new()),
        faults => (
            format!(
                "{what}: {} things are wrong with the user parameters.",
                faults.len()
            ),
            faults
                .iter()
                .map(|fault| format!("- {}", line(fault)))
                .collect(),
        ),
    };
    fail(
        Kind::ConfigurationError,
        &headline,
        &evidence,
        "Correct the action's UserParameters and release the change again.",
    )
}

/// The function's environment is wrong.
pub fn wrong_environment(faults: &[Fault]) -> Report {
    let lines = faults
        .iter()
        .map(|fault| format!("- `{}` {}", fault.field, fault.problem))
        .collect::<Vec<_>>();
    fail(
        Kind::ConfigurationError,
        "Nothing was deployed: the Lambda function's environment is not set up.",
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
        Kind::ConfigurationError,
        &format!("The deploy cannot go on: the continuation token cannot be used, as {why}."),
        &[],
        "This job changed nothing; what an earlier one began goes on in the cluster. Retry the \
         stage: a deploy that is already written is not written again.",
    )
}

/// Token or CA cannot be had.
pub fn no_credentials(error: &CredentialsError) -> Report {
    let next = match error.kind() {
        Kind::PermissionError => "Grant what is missing, or renew the token, then retry.",
        Kind::ConfigurationError => {
            "Correct the parameter or the function's environment, then retry."
        }
        Kind::SystemUnavailable | Kind::JobFailed | Kind::RevisionOutOfSync => {
            "Retry. In a VPC the function needs a route or interface endpoints to SSM and KMS."
        }
    };
    let headline = format!("Access to the cluster was not to be had: {error}.");
    fail(error.kind(), &headline, &[], next)
}

/// A call to the cluster failed for good.
pub fn call_failed(request: &Request, phase: &Phase, call: &Call, error: &CallError) -> Report {
    let target = target(request);
    let done = match phase {
        Phase::Start => format!("{target} was not changed"),
        Phase::Rollout(_) => format!("The rollout of {target} could not be followed to its end"),
        Phase::Rollback(_) => format!("The rollback of {target} could not be followed to its end"),
    };
    let what = format!("{} {}", call.verb.rbac(), call.resource);
    let (kind, why, next) = match error {
        CallError::Refused(refusal) => refused(&what, call, refusal),
        CallError::Unreachable(why) => (
            Kind::SystemUnavailable,
            format!("the cluster could not be reached: {why}"),
            "Retry. If it stays so: is K8S_CLUSTER right, does the function's network reach it, \
             do security groups allow port 443?"
                .to_owned(),
        ),
        CallError::Untrusted(why) => (
            Kind::ConfigurationError,
            format!("the cluster's certificate is not trusted: {why}"),
            "Set K8S_CA or K8S_CA_PARAMETER to the CA of this cluster, and K8S_CLUSTER to a name \
             that its certificate has."
                .to_owned(),
        ),
        CallError::NotKubernetes(why) => (
            Kind::ConfigurationError,
            format!("what answers at K8S_CLUSTER is no Kubernetes API: {why}"),
            "Set K8S_CLUSTER to the API server itself.".to_owned(),
        ),
        CallError::OutOfTime => (
            Kind::SystemUnavailable,
            format!("there was no time left to {what}"),
            "Retry; if it stays so, raise the function's timeout.".to_owned(),
        ),
    };
    fail(kind, &format!("{done}: {why}."), &[], &next)
}

fn refused(what: &str, call: &Call, refusal: &Refusal) -> (Kind, String, String) {
    let said = match refusal.message.as_str() {
        "" => format!("HTTP {}", refusal.code),
        message => format!("HTTP {}, \"{}\"", refusal.code, quote(message)),
    };
    match refusal.code {
        401 => (
            Kind::PermissionError,
            format!("the cluster does not accept the bearer token ({said})"),
            "Store a valid token in the SSM parameter that K8S_TOKEN_PARAMETER names; it was read \
             anew before giving up."
                .to_owned(),
        ),
        403 => (
            Kind::PermissionError,
            format!("the token may not {what} ({said})"),
            format!(
                "Grant the verb `{}` on `{}` to the token's ServiceAccount by a Role in this \
                 namespace.",
                call.verb.rbac(),
                call.resource
            ),
        ),
        409 => (
            Kind::RevisionOutOfSync,
            format!("somebody else kept changing it at the same time ({said})"),
            "Retry when the other change is through.".to_owned(),
        ),
        429 | 500.. => (
            Kind::SystemUnavailable,
            format!("the cluster could not {what} just now ({said})"),
            "Retry; the function did so itself until it gave up.".to_owned(),
        ),
        _ => (
            Kind::ConfigurationError,
            format!("the API server refused to {what} ({said})"),
            "Correct what it names in the user parameters, then release the change again."
                .to_owned(),
        ),
    }
}

/// The cluster did not answer for too long while a rollout was followed.
pub fn lost_sight(request: &Request, since: Timestamp, why: &str) -> Report {
    fail(
        Kind::SystemUnavailable,
        &format!(
            "{} is out of sight: the cluster has not answered since {since:.0} ({}).",
            target(request),
            quote(why)
        ),
        &[],
        "Whatever was written goes on in the cluster. Retry the stage when the cluster answers: a \
         version that is already there is not written again.",
    )
}

/// The code broke. The place names the fault; a panic's own words might hold a value.
pub fn panicked(place: &str) -> Report {
    fail(
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
        Kind::SystemUnavailable,
        "Nothing was deployed: the Lambda function ran out of time before it had begun.",
        &[],
        "Raise the function's timeout (a minute or more), then retry.",
    )
}

fn fail(kind: Kind, headline: &str, evidence: &[String], next: &str) -> Report {
    Report::Failure {
        kind,
        message: message(headline, evidence, next),
    }
}

/// Puts a message together within [`MESSAGE_LIMIT`], never cutting out its first or last part.
fn message(headline: &str, evidence: &[String], next: &str) -> String {
    let headline = clip(headline, HEADLINE_LIMIT);
    let next = clip(next, NEXT_LIMIT);
    let room = MESSAGE_LIMIT - headline.len() - next.len() - "\n\n\n\n".len();
    let evidence = clip(&evidence.join("\n"), room);
    if evidence.is_empty() {
        format!("{headline}\n\n{next}")
    } else {
        format!("{headline}\n\n{evidence}\n\n{next}")
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
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    clip(line.trim_end_matches('.'), QUOTE_LIMIT)
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
fn words(duration: Duration) -> String {
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
            name.is_some_and(|name| request.images.contains_key(name))
        })
        .filter_map(image_of)
        .collect::<Vec<_>>();
    if named.is_empty() {
        containers.first().and_then(image_of).unwrap_or_default()
    } else {
        named.join(",")
    }
}
