//! The alarms in `events/alarms.json` and `events/canary-alarm.json`, which are silent at first.

use landfall_sandbox::aws::{Alarm, AlarmState, Aws};

const ALARMS: [&str; 2] = ["demo-app-5xx", "demo-app-latency"];

/// Makes them.
pub(super) fn put(aws: &Aws) {
    for name in ALARMS {
        aws.put_alarm(Alarm::silent(name));
    }
}

/// The first one rings.
pub(super) fn ring(aws: &Aws) {
    let why = "Threshold Crossed: 1 datapoint [38.0] was greater than the threshold (1.5).";
    aws.set_alarm(ALARMS[0], AlarmState::Alarm, why);
}
