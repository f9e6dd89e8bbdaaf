//! State passed to the next invocation: only what cannot be recovered from the cluster.
//!
//! A token has the form `landfall-1.PAYLOAD.CHECK`: a version; the state, with a digest of the
//! request that it belongs to, as JSON in base64url; and a digest of that. It contains no secret.
//! The digests protect against damage and mix-ups, not against someone who can change the pipeline.

mod binding;

use crate::kubernetes::object::digest;
use crate::state::baseline::Previous;
use crate::state::guard::Guard;
use crate::state::timeline::Timeline;
use crate::text::clip;
use crate::workload::health::diagnosis::{Cause, Evidence, SymptomHistory};
use crate::workload::health::rollout::WriteReceipt;
use crate::workload::health::steadiness::Steady;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// CodePipeline's limit for a continuation token.
/// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobSuccessResult.html>
pub const TOKEN_LIMIT: usize = 2048;

/// The longest cause in a token. With every name at its longest (a ReplicaSet's 253 characters) and
/// base64's third, the rest of a token needs fewer than 1,100 bytes.
pub const CAUSE_LIMIT: usize = 600;

const PREFIX: &str = "landfall-";
const VERSION: u32 = 1;

/// The state of a deploy between two invocations.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Continuation {
    /// The first job of the deploy, by which Landfall recognizes its own writes in the cluster.
    pub job: String,
    /// When the deploy began.
    pub started: Timestamp,
    /// When the deploy times out.
    pub deadline: Timestamp,
    /// Since when the cluster, or SSM on the way to it, has not responded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable_since: Option<Timestamp>,
    /// A digest of the API server's address, once it is known: a name of a cluster may come to mean
    /// another one during a deploy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// A digest of the files that the deploy began with, if its caller names them in each call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
    /// Whether the response to the first write was lost, so the write may have happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
    /// What the earlier checks of the new version's pods have shown.
    #[serde(default, skip_serializing_if = "SymptomHistory::is_empty")]
    pub sights: SymptomHistory,
    /// The first check of new pods without a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<Steady>,
    /// The watch over the new version.
    #[serde(default, skip_serializing_if = "Guard::is_empty")]
    pub guard: Guard,
    /// The API server's warnings about our writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What was seen over time, where a page of the report is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline>,
    /// The phase of the strategy.
    pub phase: Phase,
}

/// The phases of a deploy, named for what each waits for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Reads the cluster, then writes once.
    Start,
    /// Waits for the new version to become ready.
    Rollout(Rollout),
    /// Waits for the previous version to become ready again.
    Rollback(Rollback),
    /// Waits for the candidate to become active; the Service shows the progress.
    Switch,
    /// Waits until only the previous version gets traffic, because the candidate failed.
    SwitchRollback(RecordedFailure),
    /// Writes and follows the objects of a release, or takes it back; its record shows the
    /// progress.
    Release(ReleasePhase),
}

/// A release in progress.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ReleasePhase {
    /// The revision of its record; 0 if nothing had to be written, so that there is none.
    pub revision: u64,
    /// Why it failed, and until when it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_back: Option<(RecordedFailure, Timestamp)>,
}

impl Phase {
    /// Redacts the texts of the phase with `mask`: CodePipeline shows the token.
    pub fn hide(self, mask: impl Fn(&str) -> String) -> Phase {
        match self {
            Phase::SwitchRollback(failure) => Phase::SwitchRollback(failure.hide(mask)),
            Phase::Release(ReleasePhase {
                revision,
                way_back: Some((failure, until)),
            }) => Phase::Release(ReleasePhase {
                revision,
                way_back: Some((failure.hide(mask), until)),
            }),
            Phase::Start
            | Phase::Rollout(_)
            | Phase::Rollback(_)
            | Phase::Switch
            | Phase::Release(_) => self,
        }
    }
}

/// Why the new version failed, kept during the rollback.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RecordedFailure {
    /// The first cause in words, at most [`CAUSE_LIMIT`] bytes.
    pub cause: String,
    /// The cause that the pods show, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Cause>,
    /// The evidence, as much as fits into a token.
    #[serde(default)]
    pub evidence: Evidence,
    /// What failed, if the pods are not the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl RecordedFailure {
    /// Builds a failure from its cause alone.
    pub fn of(cause: &str) -> RecordedFailure {
        RecordedFailure {
            cause: clip(cause, CAUSE_LIMIT),
            kind: None,
            evidence: Evidence::default(),
            reason: None,
        }
    }

    /// Redacts the texts with `mask`.
    pub fn hide(self, mask: impl Fn(&str) -> String) -> RecordedFailure {
        RecordedFailure {
            cause: mask(&self.cause),
            evidence: self.evidence.hide(mask),
            ..self
        }
    }
}

/// Why a switch failed, if the new version's pods are not the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// The API server refused a call with this HTTP status.
    Refused(u16),
    /// The token does not reach the API server.
    TokenLost,
    /// A quota has no room for the candidate.
    Quota,
    /// A policy of the cluster refuses an object.
    Policy,
    /// An admission webhook does not respond.
    Webhook,
    /// The namespace is being deleted.
    NamespaceEnding,
    /// The API server refuses an object.
    Object,
    /// The smoke test failed.
    Smoke,
    /// The Service never routed only to the new pods.
    Endpoints,
    /// A route did not take the weights of a canary.
    Route,
    /// The time was over.
    Time,
    /// Someone else changed an object of the switch.
    Changed,
    /// Someone else changed the selector of the Service.
    Selector,
    /// Kubernetes' controllers did not process the change.
    Unobserved,
    /// The Deployment was paused during its rollout.
    Paused,
    /// No node matches a DaemonSet that had pods before.
    NoNode,
    /// An alarm rang.
    Alarm,
    /// The alarms could not be read.
    AlarmsUnreadable,
    /// A Job of a release did not complete.
    Job,
    /// An object of a release did not get ready.
    NotReady,
    /// Someone else deleted an object of a release.
    Deleted,
    /// Another manager owns fields of an object of a release.
    Conflict,
    /// A release was not complete in its time.
    Timeout,
    /// Someone else changed an object of a release after it was applied.
    Overtaken,
}

/// A rollout in progress.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Rollout {
    /// The written change: ours, or one found in the cluster.
    pub written: WriteReceipt,
    /// Whether this deploy wrote the change; false if nothing had to change.
    pub wrote: bool,
    /// Whether someone changed the Deployment after our write and before this deploy continued:
    /// most likely an autoscaler, but perhaps more. Such a change is never undone.
    #[serde(default)]
    pub changed_since: bool,
    /// The previous version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

impl Rollout {
    /// Follows our own change without a previous version to return to.
    pub fn followed(written: WriteReceipt) -> Rollout {
        Rollout {
            written,
            wrote: true,
            changed_since: false,
            previous: None,
        }
    }
}

/// A rollback in progress.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Rollback {
    /// The write that restored the previous template.
    pub written: WriteReceipt,
    /// The revision of the previous version.
    pub revision: u64,
    /// Why the new version failed.
    #[serde(flatten)]
    pub failure: RecordedFailure,
    /// When the previous version must be ready again.
    pub deadline: Timestamp,
}

/// Why a token cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub enum ContinuationError {
    /// Landfall did not issue the token, or it was altered in transit.
    Damaged,
    /// The token belongs to other user parameters or another cluster.
    Foreign,
    /// The artifacts have other files now than when the deploy began.
    Replaced,
    /// Another version of Landfall wrote the token in another format.
    Version(String),
}

impl Continuation {
    /// Begins a deploy now.
    pub fn begin(job: &str, now: Timestamp, timeout: std::time::Duration) -> Continuation {
        Continuation {
            job: job.to_owned(),
            started: now,
            deadline: now + timeout,
            unreachable_since: None,
            server: None,
            files: None,
            unsure: false,
            sights: SymptomHistory::default(),
            steady: None,
            guard: Guard::default(),
            warnings: Vec::new(),
            timeline: None,
            phase: Phase::Start,
        }
    }

    /// Whether something was written, or may have been.
    pub fn has_begun(&self) -> bool {
        self.phase != Phase::Start || self.unsure
    }

    /// Enters a phase, and returns whether it is a new one: each has symptoms of its own.
    pub fn enter(&mut self, phase: Phase) -> bool {
        let is_new = std::mem::discriminant(&phase) != std::mem::discriminant(&self.phase);
        if is_new {
            self.sights = SymptomHistory::default();
            self.steady = None;
        }
        self.phase = phase;
        is_new
    }

    /// Encodes the token. `bound_to` is the text of the request and the cluster.
    pub fn encode(&self, bound_to: &str) -> String {
        let mut bound = Bound {
            request: digest(bound_to),
            state: self.clone(),
        };
        loop {
            let payload = serde_json::to_string(&bound).expect("plain data is always JSON");
            let payload = URL_SAFE_NO_PAD.encode(payload);
            let token = format!("{PREFIX}{VERSION}.{payload}.{}", digest(&payload));
            if token.len() > TOKEN_LIMIT
                && bound.state.timeline.as_mut().is_some_and(Timeline::thin)
            {
                continue;
            }
            // One warning is short; only a version that fails in ten ways at once needs more room.
            if token.len() > TOKEN_LIMIT && bound.state.warnings.pop().is_some() {
                continue;
            }
            if token.len() > TOKEN_LIMIT && bound.state.sights.shrink() {
                continue;
            }
            if token.len() > TOKEN_LIMIT && bound.state.guard.served.pop().is_some() {
                continue;
            }
            let is_long = token.len() > TOKEN_LIMIT;
            let failure = match &mut bound.state.phase {
                Phase::Rollout(Rollout { written, .. })
                | Phase::Rollback(Rollback { written, .. })
                    if is_long && !written.selector.is_empty() =>
                {
                    written.selector.clear();
                    continue;
                }
                Phase::Start | Phase::Rollout(_) | Phase::Switch => return token,
                Phase::Rollback(rollback) => &mut rollback.failure,
                Phase::SwitchRollback(failure) => failure,
                Phase::Release(release) => match &mut release.way_back {
                    Some((failure, _)) => failure,
                    None => return token,
                },
            };
            if token.len() <= TOKEN_LIMIT {
                return token;
            }
            if failure.evidence.shrink() {
                continue;
            }
            // In JSON a quote takes two bytes and a control character six.
            let cause = &mut failure.cause;
            if cause.len() <= '…'.len_utf8() {
                return token;
            }
            *cause = clip(cause, cause.len() / 2);
        }
    }

    /// Decodes a token that is undamaged and belongs to this request.
    pub fn decode(token: &str, bound_to: &str) -> Result<Continuation, ContinuationError> {
        if token.len() > TOKEN_LIMIT {
            return Err(ContinuationError::Damaged);
        }
        let token = token
            .strip_prefix(PREFIX)
            .ok_or(ContinuationError::Damaged)?;
        let (version, rest) = token.split_once('.').ok_or(ContinuationError::Damaged)?;
        if version
            .parse::<u32>()
            .is_ok_and(|version| version != VERSION)
        {
            return Err(ContinuationError::Version(version.to_owned()));
        }
        let (payload, check) = rest.split_once('.').ok_or(ContinuationError::Damaged)?;
        if version.parse() != Ok(VERSION) || check != digest(payload) {
            return Err(ContinuationError::Damaged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(payload);
        let bytes = bytes.map_err(|_| ContinuationError::Damaged)?;
        let bound: Bound =
            serde_json::from_slice(&bytes).map_err(|_| ContinuationError::Damaged)?;
        if bound.request != digest(bound_to) {
            return Err(ContinuationError::Foreign);
        }
        Ok(bound.state)
    }
}

#[derive(Deserialize, Serialize)]
struct Bound {
    request: String,
    state: Continuation,
}

#[cfg(test)]
mod tests;
