//! What refuses a request although its sender may do it: policies, quotas, webhooks that are down.

use super::api::Call;
use super::{Answer, World, status};
use jiff::Timestamp;
use serde_json::json;

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

impl World {
    /// Admission: <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/>
    pub(super) fn check_admission(&mut self, method: &str, call: &Call<'_>) -> Result<(), Answer> {
        let now = self.clock;
        for refusal in &mut self.refusals {
            let hit = match &refusal.method {
                Some(wanted) => wanted == method,
                None => method != "GET",
            };
            let in_time = refusal.from.is_none_or(|from| now >= from)
                && refusal.until.is_none_or(|until| now < until);
            let hit = hit
                && call.target.kind.plural == refusal.resource
                && call.target.subresource.is_none()
                && (call.dry_run || !refusal.trials_only);
            if !hit || !in_time {
                continue;
            }
            if refusal.skip > 0 {
                // A trial is refused with the write that it is for.
                refusal.skip -= u32::from(!call.dry_run);
                continue;
            }
            let (code, reason) = (refusal.status, refusal.reason.as_str());
            return Err(status::refusal(code, reason, &refusal.message, json!({})));
        }
        Ok(())
    }
}
