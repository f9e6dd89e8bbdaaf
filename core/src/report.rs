//! What a user is told, in words. The first line of a failure says what happened to what, and
//! why; then comes the evidence; the last line says what to do next.

mod access;
mod again;
mod alarms;
pub mod called;
pub mod cause;
mod client;
mod contact;
mod eks;
mod failure;
mod faults;
mod handbook;
mod handover;
mod hiding;
mod kubeconfig;
mod model;
mod named;
mod network;
pub mod outage;
mod planned;
mod present;
pub mod refusal;
pub mod release;
mod returned;
mod rollout_failed;
mod route;
mod rotation;
mod success;
mod unbegun;
mod odd;
pub mod page;
mod unreachable;
mod waiting;

pub use alarms::{error_text as alarms_unread, judged as alarms_judged, missing as no_alarms};
pub use contact::{access_lost, call_failed, explanation, lost_sight};
pub use failure::failure;
pub use faults::{refused, wrong_files, wrong_parameters};
pub use kubeconfig::{kubeconfig_faults, kubeconfig_fields};
pub use model::{Explanation, MESSAGE_LIMIT, Report, SUMMARY_LIMIT};
pub use odd::{kept, what as odd};
pub use planned::planned;
pub use refusal::said;
pub use success::success;
pub use unbegun::{no_artifact, no_time, panicked, unusable_continuation, wrong_environment};
pub use unreachable::{untrusted, what as unreached};
pub use waiting::{handed_over, handed_over_silent, progress};

#[cfg(test)]
mod tests;
