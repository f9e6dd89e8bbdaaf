//! Alarms as they are read, and what they say of a deploy.

use crate::text::clip;
use crate::text::percent_encoded;
use jiff::Timestamp;
use std::time::Duration;

/// How much of an alarm's reason is told: CloudWatch's own has the datapoints first.
pub const REASON_LIMIT: usize = 300;

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    /// Its condition is not met.
    Ok,
    /// Its condition is met: it rings.
    Ringing,
    /// There is too little data to know.
    NoData,
}

/// An alarm as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: AlarmState,
    /// When its state changed last. That it was updated since says nothing.
    pub transitioned: Option<Timestamp>,
    /// Why it has this state, in CloudWatch's words.
    pub reason: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// The shortest time of bad data in which it can ring; `None` for a composite alarm.
    pub window: Option<Duration>,
}

/// An alarm that rang.
#[derive(Clone, Debug, PartialEq)]
pub struct Ring {
    /// Its name.
    pub name: String,
    /// When its state changed last.
    pub since: Option<Timestamp>,
    /// Why, in CloudWatch's words.
    pub reason: String,
    /// The page with its graph.
    pub link: Option<String>,
    /// Whether it has stopped since: it rang between two readings.
    pub is_over: bool,
}

impl Ring {
    /// The ring of an alarm as it was read.
    pub fn of(alarm: &Alarm) -> Ring {
        Ring {
            name: alarm.name.clone(),
            since: alarm.transitioned,
            reason: clip(&alarm.reason, REASON_LIMIT),
            link: alarm.arn.as_deref().and_then(link),
            is_over: alarm.state != AlarmState::Ringing,
        }
    }
}

/// What the alarms say of a deploy.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// One rang.
    Rang(Ring),
    /// They could not be read for too long, and why.
    Unreadable(Timestamp, AlarmsError),
}

/// Why alarms could not be read.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmsError {
    /// The function's role may not read them, with AWS's words.
    Denied(String),
    /// CloudWatch has too many requests of this account.
    Throttled,
    /// CloudWatch did not answer as it should, and how.
    Unreadable(String),
    /// There are no alarms of these names in the function's account and region.
    Missing(Vec<String>),
}

/// Why a deploy does not begin, by its alarms.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmsRefusal {
    /// One rings already.
    Ringing(Ring),
    /// There are no alarms of these names.
    Missing(Vec<String>),
    /// They cannot be read.
    Unreadable(AlarmsError),
}

/// The names that were asked for and did not come. CloudWatch leaves unknown names out in silence.
pub fn missing(names: &[String], alarms: &[Alarm]) -> Vec<String> {
    let is_there = |name: &String| alarms.iter().any(|alarm| alarm.name == *name);
    names
        .iter()
        .filter(|name| !is_there(name))
        .cloned()
        .collect()
}

/// The console's page of an alarm, with its graph.
pub(super) fn link(arn: &str) -> Option<String> {
    let mut parts = arn.splitn(7, ':');
    let (partition, region) = (parts.nth(1)?, parts.nth(1)?);
    let name = parts.nth(2)?;
    let domain = match partition {
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    let encoded = percent_encoded(name, b"-_.");
    Some(format!(
        "https://{region}.{domain}/cloudwatch/home?region={region}#alarmsV2:alarm/{encoded}"
    ))
}
