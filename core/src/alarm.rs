//! CloudWatch alarms as judges of a deploy: what was read of them, and whether one rang.

mod model;
mod reading;

pub use model::{
    Alarm, AlarmState, AlarmsError, AlarmsRefusal, Judgement, REASON_LIMIT, Ring, missing,
};
pub use reading::{Known, judged};

#[cfg(test)]
mod tests;
