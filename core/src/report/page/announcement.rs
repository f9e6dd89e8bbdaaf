//! The event for an event bus: what the page has as data, without the evidence.

use super::Page;

/// The fields of the page that the event has, too.
const TOLD: [&str; 12] = [
    "format",
    "outcome",
    "message",
    "failure",
    "rolledBackTo",
    "job",
    "deploy",
    "started",
    "ended",
    "variables",
    "versions",
    "marks",
];

impl Page {
    /// The detail of the event as JSON, by docs/event.schema.json. `outage` is whether nothing
    /// serves any more.
    pub fn announcement(&self, outage: bool) -> String {
        let mut event = serde_json::to_value(self).expect("plain data is always JSON");
        if let Some(fields) = event.as_object_mut() {
            fields.retain(|name, _| TOLD.contains(&name.as_str()));
        }
        event["outage"] = outage.into();
        if let Some(started) = self.started {
            let seconds = self.ended.duration_since(started).as_secs().max(0);
            event["seconds"] = seconds.into();
        }
        event.to_string()
    }
}
