//! What refuses a request although its sender may do it: policies, quotas, webhooks that are down.

use jiff::Timestamp;

/// Which requests are refused, when, and in which words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// `POST`, `PUT`, `PATCH`, `DELETE` or `GET`; None is any that writes.
    pub method: Option<String>,
    /// `deployments`, `services`, …
    pub resource: String,
    /// Only trials (`dryRun=All`).
    pub trials_only: bool,
    /// So many matching requests are let through first.
    pub skip: u32,
    /// From when on; None is always.
    pub from: Option<Timestamp>,
    /// Until when; None is for ever.
    pub until: Option<Timestamp>,
    /// The HTTP status.
    pub status: u16,
    /// Kubernetes' reason; empty where it gives none.
    pub reason: String,
    /// The message of the answer.
    pub message: String,
}
