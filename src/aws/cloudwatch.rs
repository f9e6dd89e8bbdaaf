//! The CloudWatch alarms that guard a deploy.

use super::clients::Aws;
use super::failure::{self, AwsError};
use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_sdk_cloudwatch::types::{AlarmType, CompositeAlarm, MetricAlarm, StateValue};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use landfall_core::alarm::{Alarm, AlarmState, AlarmsError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The error codes for a missing permission, by the service's several protocols.
const DENIED: [&str; 2] = ["AccessDenied", "AccessDeniedException"];

/// Reads the alarms of these names. Without `AlarmTypes`, composite alarms would be left out, also
/// where one is asked for by its name.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
pub async fn alarms(
    aws: &Aws,
    names: &[String],
    until: Instant,
) -> Result<Vec<Alarm>, AlarmsError> {
    let client = aws.cloudwatch().map_err(AlarmsError::Unreadable)?;
    let call = client
        .describe_alarms()
        .set_alarm_names(Some(names.to_vec()))
        .alarm_types(AlarmType::MetricAlarm)
        .alarm_types(AlarmType::CompositeAlarm)
        .send();
    let late = || AlarmsError::Unreadable("CloudWatch did not answer in time".to_owned());
    let answer = timeout_at(until, call).await.map_err(|_| late())?;
    let answer = answer.map_err(|error| unread(failure::read(error)))?;
    let metric = answer.metric_alarms().iter().map(metric);
    let composite = answer.composite_alarms().iter().map(composite);
    Ok(metric.chain(composite).collect())
}

fn unread(error: AwsError) -> AlarmsError {
    match error {
        AwsError::Unreachable(why) => AlarmsError::Unreadable(why),
        AwsError::Refused(429, ..) => AlarmsError::Throttled,
        AwsError::Refused(_, code, _) if THROTTLING_ERRORS.contains(&&*code) => {
            AlarmsError::Throttled
        }
        AwsError::Refused(_, code, said) if DENIED.contains(&&*code) => AlarmsError::Denied(said),
        AwsError::Refused(_, code, said) => AlarmsError::Unreadable(format!("{code}: {said}")),
    }
}

fn metric(alarm: &MetricAlarm) -> Alarm {
    let periods = alarm.metrics().iter().filter_map(|query| {
        let of_metric = query.metric_stat().and_then(|stat| stat.period());
        query.period().or(of_metric)
    });
    let period = alarm.period().into_iter().chain(periods).max();
    let points = alarm.datapoints_to_alarm().or(alarm.evaluation_periods());
    let seconds = |count: i32| u64::try_from(count).ok();
    let window = period.and_then(seconds).zip(points.and_then(seconds));
    Alarm {
        name: alarm.alarm_name().unwrap_or_default().to_owned(),
        state: state(alarm.state_value()),
        transitioned: alarm.state_transitioned_timestamp().and_then(timestamp),
        reason: alarm.state_reason().unwrap_or_default().to_owned(),
        arn: alarm.alarm_arn().map(str::to_owned),
        window: window.map(|(period, points)| Duration::from_secs(period.saturating_mul(points))),
    }
}

fn composite(alarm: &CompositeAlarm) -> Alarm {
    Alarm {
        name: alarm.alarm_name().unwrap_or_default().to_owned(),
        state: state(alarm.state_value()),
        transitioned: alarm.state_transitioned_timestamp().and_then(timestamp),
        reason: alarm.state_reason().unwrap_or_default().to_owned(),
        arn: alarm.alarm_arn().map(str::to_owned),
        window: None,
    }
}

/// A state that is new to us tells nothing.
fn state(value: Option<&StateValue>) -> AlarmState {
    match value {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Ringing,
        Some(_) | None => AlarmState::NoData,
    }
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    let nanos = i32::try_from(time.subsec_nanos()).ok()?;
    Timestamp::new(time.secs(), nanos).ok()
}

#[cfg(test)]
mod tests;
