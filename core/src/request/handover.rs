//! The field `handover`: whether both versions serve for a while in a switch.

use super::checks::kind;
use super::fields::Check;
use super::model::{AskedHandover, Switch};
use super::shown::excerpt;
use crate::text::{duration, words};
use serde_json::Value;
use std::time::Duration;

/// The longest overlap. In it two versions serve, which is not what a switch is for.
const LONGEST_OVERLAP: Duration = Duration::from_secs(3600);

/// What the field may be.
const SHAPE: &str = r#""cut", "overlap" or {"overlap": "90s"}"#;

impl Check<'_> {
    pub(super) fn handover(&mut self) -> AskedHandover {
        let problem = match self.fields.get("handover").cloned() {
            None => return AskedHandover::Auto,
            Some(Value::String(text)) => match &*text {
                "cut" => return AskedHandover::Cut,
                "overlap" => return AskedHandover::Overlap(None),
                _ => format!("must be {SHAPE}, and is `{}`", excerpt(&text, 0)),
            },
            Some(Value::Object(fields)) => {
                let parts = self.known_parts("handover", &fields, &["overlap"]);
                if parts.is_none() {
                    return AskedHandover::Auto;
                }
                let overlap = fields.get("overlap");
                match overlap.map(|text| text.as_str().map(duration)) {
                    Some(Some(Some(time))) => return self.overlap(time),
                    Some(_) => {
                        let problem = "must be a duration in quotes; write 90s, 15m or 1h";
                        self.fault("handover.overlap", problem);
                        return AskedHandover::Auto;
                    }
                    None => format!("must be {SHAPE}"),
                }
            }
            Some(other) => format!("must be {SHAPE}, and is {}", kind(&other)),
        };
        self.fault("handover", problem);
        AskedHandover::Auto
    }

    fn overlap(&mut self, time: Duration) -> AskedHandover {
        if time.is_zero() || time > LONGEST_OVERLAP {
            let problem = "must be from 1s to 1h";
            self.fault("handover.overlap", problem);
            return AskedHandover::Auto;
        }
        AskedHandover::Overlap(Some(time))
    }

    /// What a switch waits for by the clock must fit into the `timeout`.
    pub(super) fn overlap_fits(&mut self, switch: Option<&Switch>, timeout: Duration) {
        let Some(&Switch { bake, handover, .. }) = switch else {
            return;
        };
        if let AskedHandover::Overlap(Some(overlap)) = handover
            && bake < timeout
            && bake + overlap >= timeout
        {
            let problem = format!(
                "is {}, and with `bake` ({}) must be shorter than `timeout`, which is for the \
                 whole deploy and is {}: give a shorter one or a longer `timeout`",
                words(overlap),
                words(bake),
                words(timeout)
            );
            self.fault("handover.overlap", problem);
        }
    }
}

#[cfg(test)]
mod tests;
