//! What must survive to the next invocation: the little that the cluster cannot tell.
//!
//! A token reads `landfall-1.PAYLOAD.CHECK`: a version, the state together with a digest of the
//! request that it belongs to as JSON in base64url, and a digest of that. It holds no secret; the
//! digests guard against damage and mix-ups, not against somebody who can write into the pipeline.

use crate::kubernetes::object::digest;
use crate::state::baseline::Previous;
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

/// How much of the first cause a token carries. With every name at its longest (a ReplicaSet's 253
/// characters) and base64's third, the rest of a token needs fewer than 1,100 bytes.
pub const CAUSE_LIMIT: usize = 600;

const PREFIX: &str = "landfall-";
const VERSION: u32 = 1;

/// The state of a deploy between two invocations.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Continuation {
    /// The first job of the deploy: by it the cluster knows our write from others'.
    pub job: String,
    /// When the deploy began.
    pub started: Timestamp,
    /// When it must be over.
    pub deadline: Timestamp,
    /// Since when the cluster, or SSM on the way to it, has not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable_since: Option<Timestamp>,
    /// Whether the answer to the first write was lost, so that it may have been done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
    /// What the looks at the new version's pods have shown.
    #[serde(default, skip_serializing_if = "SymptomHistory::is_empty")]
    pub sights: SymptomHistory,
    /// The first look at new pods that nothing probes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<Steady>,
    /// What the API server remarked on our writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Where the strategy stands.
    pub phase: Phase,
}

/// Where a deploy stands, named for what it waits for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Waits for the cluster to be read, then writes once.
    Start,
    /// Waits for the new version to serve.
    Rollout(Rollout),
    /// Waits for the previous version to serve again.
    Rollback(Rollback),
    /// Waits for a candidate to serve in the old one's place; the Service tells how far that is.
    Switch,
    /// Waits for the old one to be all that serves, as the candidate failed.
    SwitchRollback(RecordedFailure),
}

impl Phase {
    /// The same with what it quotes run through `mask`: a token is shown in CodePipeline.
    pub fn hide(self, mask: impl Fn(&str) -> String) -> Phase {
        let Phase::SwitchRollback(failure) = self else {
            return self;
        };
        Phase::SwitchRollback(failure.hide(mask))
    }
}

/// Why the new version failed, kept while the previous one is brought back.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RecordedFailure {
    /// The first cause in words, at most [`CAUSE_LIMIT`] bytes.
    pub cause: String,
    /// The cause that the pods show, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Cause>,
    /// What was seen of it: as much as a token has room for.
    #[serde(default)]
    pub evidence: Evidence,
    /// What failed, where the pods are not to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl RecordedFailure {
    /// A failure of which no more than its cause is known.
    pub fn of(cause: &str) -> RecordedFailure {
        RecordedFailure {
            cause: clip(cause, CAUSE_LIMIT),
            kind: None,
            evidence: Evidence::default(),
            reason: None,
        }
    }

    /// The same with its texts run through `mask`.
    pub fn hide(self, mask: impl Fn(&str) -> String) -> RecordedFailure {
        RecordedFailure {
            cause: mask(&self.cause),
            evidence: self.evidence.hide(mask),
            ..self
        }
    }
}

/// What of a switch failed that is no fault of the new version's pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// The API server refused something, with this HTTP status.
    Refused(u16),
    /// The token does not reach the API server.
    TokenLost,
    /// A quota has no room for the candidate.
    Quota,
    /// A policy of the cluster refuses something.
    Policy,
    /// An admission webhook does not answer.
    Webhook,
    /// The namespace is being deleted.
    NamespaceEnding,
    /// The API server refuses an object.
    Object,
    /// The smoke test failed.
    Smoke,
    /// The Service's endpoints never were the new pods alone.
    Endpoints,
    /// The time was over.
    Time,
    /// Someone else changed what the switch is about.
    Changed,
    /// Someone else changed the selector of the Service that is to be switched.
    Selector,
    /// Kubernetes' controllers never took up what was written.
    Unobserved,
    /// The Deployment was paused in the middle of its rollout.
    Paused,
}

/// A rollout that is followed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Rollout {
    /// What we wrote, or found written.
    pub written: WriteReceipt,
    /// Whether it was ours; where there was nothing to change it is not.
    pub wrote: bool,
    /// Whether something about the Deployment was changed after our write and before we took it up
    /// again: an autoscaler's replicas, most likely, but perhaps more. It is never undone.
    #[serde(default)]
    pub changed_since: bool,
    /// What served before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

impl Rollout {
    /// One of our own behind which there is no version to return to: it is followed, no more.
    pub fn followed(written: WriteReceipt) -> Rollout {
        Rollout {
            written,
            wrote: true,
            changed_since: false,
            previous: None,
        }
    }
}

/// A rollback that is followed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Rollback {
    /// The write that brought the previous template back.
    pub written: WriteReceipt,
    /// The revision that it came from.
    pub revision: u64,
    /// Why the new version failed.
    #[serde(flatten)]
    pub failure: RecordedFailure,
    /// When the previous version must serve again.
    pub deadline: Timestamp,
}

/// Why a token cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub enum ContinuationError {
    /// It is no token of ours, or was cut or changed on the way.
    Damaged,
    /// It belongs to other user parameters or another cluster.
    Foreign,
    /// It was written by a version with another format.
    Version(String),
}

impl Continuation {
    /// A deploy that begins now.
    pub fn begin(job: &str, now: Timestamp, timeout: std::time::Duration) -> Continuation {
        Continuation {
            job: job.to_owned(),
            started: now,
            deadline: now + timeout,
            unreachable_since: None,
            unsure: false,
            sights: SymptomHistory::default(),
            steady: None,
            warnings: Vec::new(),
            phase: Phase::Start,
        }
    }

    /// Goes on in a phase; whether it is another one than before. What was seen of pods belongs to
    /// the phase in which they were followed.
    pub fn enter(&mut self, phase: Phase) -> bool {
        let is_new = std::mem::discriminant(&phase) != std::mem::discriminant(&self.phase);
        if is_new {
            self.sights = SymptomHistory::default();
            self.steady = None;
        }
        self.phase = phase;
        is_new
    }

    /// Writes the token; `bound_to` is the text of the request and the cluster.
    pub fn encode(&self, bound_to: &str) -> String {
        let mut bound = Bound {
            request: digest(bound_to),
            state: self.clone(),
        };
        loop {
            let payload = serde_json::to_string(&bound).expect("plain data is always JSON");
            let payload = URL_SAFE_NO_PAD.encode(payload);
            let token = format!("{PREFIX}{VERSION}.{payload}.{}", digest(&payload));
            // One name is short; only a version that fails in ten ways at once needs more room.
            if token.len() > TOKEN_LIMIT && bound.state.warnings.pop().is_some() {
                continue;
            }
            if token.len() > TOKEN_LIMIT && bound.state.sights.shrink() {
                continue;
            }
            let failure = match &mut bound.state.phase {
                Phase::Start | Phase::Rollout(_) | Phase::Switch => return token,
                Phase::Rollback(rollback) => &mut rollback.failure,
                Phase::SwitchRollback(failure) => failure,
            };
            if token.len() <= TOKEN_LIMIT {
                return token;
            }
            if failure.evidence.shrink() {
                continue;
            }
            // A quote takes two bytes in JSON and a control character six.
            let cause = &mut failure.cause;
            if cause.len() <= '…'.len_utf8() {
                return token;
            }
            *cause = clip(cause, cause.len() / 2);
        }
    }

    /// Reads a token back, if it is whole and belongs to this request.
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
