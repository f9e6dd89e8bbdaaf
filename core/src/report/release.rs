//! What a user is told about a release, in words: the same order as for one workload, with all
//! objects of the release in view.

mod cause;
mod contact;
mod failure;
mod fitting;
mod images;
mod left;
mod naming;
mod object;
mod own_webhook;
mod permissions;
mod planned;
mod progress;
mod refused;
mod returned;
mod success;
mod way_back;

pub use cause::{evidence, recorded};
pub use contact::{access_lost, broken, lost_sight};
pub use failure::{failure, is_outage};
pub use object::waiting;
pub use planned::{plan_lines, planned, planned_before};
pub use progress::{handed_over, progress};
pub use refused::names;
pub use success::success;

#[cfg(test)]
mod tests;
