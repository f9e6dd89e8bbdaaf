//! Refuses permitted requests: policies, quotas, unavailable webhooks.

use jiff::Timestamp;

/// Which requests are refused, when, and with which message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// `POST`, `PUT`, `PATCH`, `DELETE` or `GET`; `None` for any writing method.
    pub method: Option<String>,
    /// `deployments`, `services`, …
    pub resource: String,
    /// Refuses only what has this text in its body; empty for all.
    pub having: String,
    /// Refuses only dry runs (`dryRun=All`).
    pub trials_only: bool,
    /// Lets this many matching requests through first.
    pub skip: u32,
    /// The start; `None` for always.
    pub from: Option<Timestamp>,
    /// The end; `None` for never.
    pub until: Option<Timestamp>,
    /// The HTTP status.
    pub status: u16,
    /// Kubernetes' reason; empty if there is none.
    pub reason: String,
    /// The message in the response.
    pub message: String,
}
