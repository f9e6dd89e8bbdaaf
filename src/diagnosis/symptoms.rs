//! What earlier looks at the pods have shown, and since when something can have lasted.

use super::classification::findings;
use super::{Cause, Sight};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest time from one look to the next that is counted as if there had been none between.
const LOOKS: Duration = Duration::from_secs(8);

/// What earlier looks have shown: since when each cause may have been there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Sights {
    /// The last look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Causes that it showed, each with the look before the first that did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<(Cause, Timestamp)>,
}

impl Sights {
    /// Whether nothing has been looked at.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// With one more look. What it shows for the first time began after the look before, which may
    /// be long ago where the invocations have a gap between them.
    pub fn with(&self, sight: &Sight, written: Timestamp) -> Sights {
        let before = self.last.unwrap_or(written);
        let before = before.max(sight.at - LOOKS).min(sight.at);
        let pods = sight.pods.iter();
        let found = pods.flat_map(|pods| findings(pods, sight, &written.into(), Duration::ZERO));
        let mut seen = Vec::new();
        for cause in found.map(|finding| finding.cause).collect::<BTreeSet<_>>() {
            let known = self.seen.iter().find(|(known, _)| *known == cause);
            seen.push(known.copied().unwrap_or((cause, before)));
        }
        Sights {
            last: Some(sight.at),
            seen,
        }
    }
}

/// Since when something can have lasted.
#[derive(Clone, Debug)]
pub struct Since<'a> {
    /// When the new version was written: nothing of it is older.
    pub written: Timestamp,
    /// What earlier looks have shown; a cause that is not there is not limited by them.
    pub seen: &'a [(Cause, Timestamp)],
}

impl From<Timestamp> for Since<'_> {
    fn from(written: Timestamp) -> Self {
        Since { written, seen: &[] }
    }
}

impl Since<'_> {
    pub(super) fn of(&self, cause: Cause) -> Timestamp {
        let seen = self.seen.iter().find(|(known, _)| *known == cause);
        seen.map_or(self.written, |(_, since)| self.written.max(*since))
    }
}
