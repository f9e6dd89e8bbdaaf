//! The alarms in `events/alarms.json`, which are silent.

use landfall_sandbox::aws::{Alarm, Aws};

const ALARMS: [&str; 2] = ["demo-app-5xx", "demo-app-latency"];

/// Makes them.
pub(super) fn put(aws: &Aws) {
    for name in ALARMS {
        aws.put_alarm(Alarm::silent(name));
    }
}
