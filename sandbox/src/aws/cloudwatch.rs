//! CloudWatch: its alarms, by RPC v2 with CBOR, which the SDK for Rust speaks, and by JSON.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>

use crate::aws::account::{ACCOUNT, REGION};
use crate::aws::answer::Refusal;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The service's name in targets and paths.
pub(super) const SERVICE: &str = "GraniteServiceVersion20100801";

/// The most names of a request.
const NAMES: usize = 100;

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    /// Its condition is not met.
    Ok,
    /// It rings.
    Alarm,
    /// There is too little data.
    InsufficientData,
}

impl AlarmState {
    const ALL: [AlarmState; 3] = [
        AlarmState::Ok,
        AlarmState::Alarm,
        AlarmState::InsufficientData,
    ];

    fn name(self) -> &'static str {
        match self {
            AlarmState::Ok => "OK",
            AlarmState::Alarm => "ALARM",
            AlarmState::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// An alarm.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// The rule of a composite alarm; `None` for one of a metric.
    pub rule: Option<String>,
    /// The state.
    pub state: AlarmState,
    /// Why it has it.
    pub reason: String,
    /// When the state changed last.
    pub transitioned: Timestamp,
    /// When it was set last, though it may not have changed.
    pub updated: Timestamp,
    /// The seconds of a datapoint.
    pub period: u32,
    /// How many bad datapoints make it ring.
    pub datapoints: u32,
}

impl Alarm {
    /// One of a metric, silent since a day.
    pub fn silent(name: &str) -> Alarm {
        let now = Timestamp::now();
        let since = now - jiff::SignedDuration::from_hours(24);
        Alarm {
            name: name.to_owned(),
            rule: None,
            state: AlarmState::Ok,
            reason: "Threshold Crossed: no datapoints were greater than the threshold".to_owned(),
            transitioned: since,
            updated: since,
            period: 60,
            datapoints: 1,
        }
    }

    fn described(&self) -> Value {
        let seconds = |time: Timestamp| time.as_millisecond() as f64 / 1000.0;
        let name = &self.name;
        let mut alarm = json!({
            "AlarmName": name,
            "AlarmArn": format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"),
            "ActionsEnabled": true,
            "StateValue": self.state.name(),
            "StateReason": self.reason,
            "StateUpdatedTimestamp": seconds(self.updated),
            "StateTransitionedTimestamp": seconds(self.transitioned),
        });
        match &self.rule {
            Some(rule) => alarm["AlarmRule"] = json!(rule),
            None => {
                alarm["MetricName"] = json!("HTTPCode_Target_5XX_Count");
                alarm["Namespace"] = json!("AWS/ApplicationELB");
                alarm["Statistic"] = json!("Sum");
                alarm["Period"] = json!(self.period);
                alarm["EvaluationPeriods"] = json!(self.datapoints);
                alarm["DatapointsToAlarm"] = json!(self.datapoints);
                alarm["Threshold"] = json!(1.5);
                alarm["ComparisonOperator"] = json!("GreaterThanThreshold");
                alarm["TreatMissingData"] = json!("notBreaching");
            }
        }
        alarm
    }
}

/// All alarms.
#[derive(Default)]
pub(super) struct Alarms(Vec<Alarm>);

impl Alarms {
    pub(super) fn put(&mut self, alarm: Alarm) {
        self.remove(&alarm.name);
        self.0.push(alarm);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|one| one.name != name);
    }

    pub(super) fn set(
        &mut self,
        name: &str,
        state: AlarmState,
        reason: &str,
        now: Timestamp,
    ) -> bool {
        let Some(alarm) = self.0.iter_mut().find(|alarm| alarm.name == name) else {
            return false;
        };
        if alarm.state != state {
            alarm.transitioned = now;
        }
        alarm.state = state;
        alarm.updated = now;
        alarm.reason = reason.to_owned();
        true
    }

    pub(super) fn answer(
        &mut self,
        operation: &str,
        body: &Value,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        match operation {
            "DescribeAlarms" => self.describe(body),
            "SetAlarmState" => self.set_state(body, now),
            _ => Err(Refusal::unknown_operation(operation)),
        }
    }

    /// Without `AlarmTypes` only alarms of metrics come, and a name that is not there is left out.
    fn describe(&self, body: &Value) -> Result<Value, Refusal> {
        let texts = |member: &str| {
            let items = body.get(member).and_then(Value::as_array)?;
            Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>())
        };
        let names = texts("AlarmNames");
        if names.as_ref().is_some_and(|names| names.len() > NAMES) {
            return Err(Refusal::validation("Too many AlarmNames"));
        }
        let types = texts("AlarmTypes").unwrap_or_else(|| vec!["MetricAlarm"]);
        let listed = |kind: &str, is_composite: bool| {
            let is_wanted = |alarm: &&Alarm| {
                types.contains(&kind)
                    && alarm.rule.is_some() == is_composite
                    && names
                        .as_ref()
                        .is_none_or(|names| names.contains(&&*alarm.name))
            };
            let found = self.0.iter().filter(is_wanted).map(Alarm::described);
            found.collect::<Vec<_>>()
        };
        Ok(json!({
            "MetricAlarms": listed("MetricAlarm", false),
            "CompositeAlarms": listed("CompositeAlarm", true),
        }))
    }

    fn set_state(&mut self, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let text = |member: &str| body[member].as_str().unwrap_or_default();
        let state = AlarmState::ALL;
        let state = state.into_iter().find(|it| it.name() == text("StateValue"));
        let state = state.ok_or_else(|| Refusal::validation("StateValue is not valid"))?;
        match self.set(text("AlarmName"), state, text("StateReason"), now) {
            true => Ok(json!({})),
            false => Err(Refusal {
                status: 404,
                ..Refusal::new("ResourceNotFound", "There is no such alarm")
            }),
        }
    }
}
