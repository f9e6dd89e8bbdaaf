use super::*;
use aws_sdk_cloudwatch::types::{MetricDataQuery, MetricStat};

#[test]
fn what_keeps_alarms_from_being_read() {
    let refused = |status, code: &str| unread(AwsError::Refused(status, code.into(), "why".into()));
    for code in ["Throttling", "ThrottlingException", "RequestLimitExceeded"] {
        assert_eq!(refused(400, code), AlarmsError::Throttled);
    }
    assert_eq!(refused(429, "x"), AlarmsError::Throttled);
    for code in ["AccessDenied", "AccessDeniedException"] {
        assert_eq!(refused(403, code), AlarmsError::Denied("why".into()));
    }
    for (status, code) in [(500, "InternalServiceFault"), (403, "ExpiredToken")] {
        let why = AlarmsError::Unreadable(format!("{code}: why"));
        assert_eq!(refused(status, code), why);
    }
    let silent = unread(AwsError::Unreachable("refused".into()));
    assert_eq!(silent, AlarmsError::Unreadable("refused".into()));
}

#[test]
fn the_time_that_an_alarm_needs_to_ring() {
    let window = |alarm: MetricAlarm| metric(&alarm).window.map(|window| window.as_secs());
    let plain = || MetricAlarm::builder().period(60).evaluation_periods(5);
    assert_eq!(window(plain().build()), Some(300));
    assert_eq!(window(plain().datapoints_to_alarm(3).build()), Some(180));
    // Of an expression only its metrics have a period.
    let stat = MetricStat::builder().period(30).build();
    let query = |id| MetricDataQuery::builder().id(id);
    let alarm = MetricAlarm::builder().evaluation_periods(2);
    let alarm = alarm.metrics(query("e").build());
    let alarm = alarm.metrics(query("m").metric_stat(stat).build());
    assert_eq!(window(alarm.build()), Some(60));
    assert_eq!(window(MetricAlarm::builder().build()), None);
}

#[test]
fn an_alarm_as_it_is_judged() {
    let at = DateTime::from_secs_f64(1_700_000_000.5);
    let alarm = CompositeAlarm::builder()
        .alarm_name("a")
        .state_value(StateValue::Alarm)
        .state_reason("why")
        .state_updated_timestamp(DateTime::from_secs(1_800_000_000))
        .state_transitioned_timestamp(at)
        .build();
    let read = composite(&alarm);
    assert_eq!(
        (&*read.name, read.state, &*read.reason),
        ("a", AlarmState::Ringing, "why")
    );
    assert_eq!(
        read.transitioned.unwrap().as_millisecond(),
        1_700_000_000_500
    );
    for (value, expected) in [
        (Some(StateValue::Ok), AlarmState::Ok),
        (Some(StateValue::InsufficientData), AlarmState::NoData),
        (Some(StateValue::from("NEW")), AlarmState::NoData),
        (None, AlarmState::NoData),
    ] {
        assert_eq!(state(value.as_ref()), expected);
    }
}
