//! What is kept of the watch over a new version from one invocation to the next.

use crate::alarm::{Alarm, AlarmState, AlarmsError, Judgement, Known, Ring, judged, missing};
use crate::workload::health::diagnosis::Served;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long alarms may be unreadable before a deploy that they guard is stopped: CloudWatch's own
/// evaluation takes a minute or two, so that less would stop more than it finds. That CloudWatch
/// throttles alone does not count.
pub const UNREADABLE: SignedDuration = SignedDuration::from_mins(2);

/// The watch over a new version.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Guard {
    /// Since when the new version of a rolling deploy has served everything: its bake begins then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serving_since: Option<Timestamp>,
    /// Of a release, what was there of each workload when the watch began, by a digest of its name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub served: Vec<(String, Served)>,
    /// When the alarms were read for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What is known of each alarm, a letter each, in the order of the request.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub letters: String,
    /// The newest change of state of any of them at the last reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// Since when they cannot be read, throttling apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable_since: Option<Timestamp>,
    /// When this invocation read them last, or tried to.
    #[serde(skip)]
    pub tried: Option<Timestamp>,
    /// Why the last reading failed, if it did.
    #[serde(skip)]
    pub error: Option<AlarmsError>,
    /// The alarms as they were read last, in the order of the request.
    #[serde(skip)]
    pub alarms: Vec<Alarm>,
    /// What they say of the deploy, once they say anything.
    #[serde(skip)]
    pub judgement: Option<Judgement>,
}

/// What the last reading says of a watch at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastReading {
    /// It was before the end.
    Early,
    /// It failed, and is to be made again.
    Failed,
    /// It was made, or CloudWatch throttles: that alone is not waited for.
    Made,
}

impl Guard {
    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        *self == Guard::default()
    }

    /// Forgets what is known of the alarms.
    pub fn forget(&mut self) {
        *self = Guard {
            serving_since: self.serving_since,
            served: std::mem::take(&mut self.served),
            unreadable_since: self.unreadable_since,
            ..Guard::default()
        };
    }

    /// Takes a reading of the alarms of these names.
    pub fn read(
        &mut self,
        names: &[String],
        result: Result<Vec<Alarm>, AlarmsError>,
        now: Timestamp,
    ) {
        self.tried = Some(now);
        let alarms = match result {
            Ok(alarms) => alarms,
            Err(error) => return self.failed(error, now),
        };
        let gone = missing(names, &alarms);
        if !gone.is_empty() {
            return self.failed(AlarmsError::Missing(gone), now);
        }
        self.error = None;
        self.unreadable_since = None;
        let find = |name: &String| alarms.iter().find(|alarm| alarm.name == *name);
        self.alarms = names.iter().filter_map(find).cloned().collect();
        let since = *self.since.get_or_insert(now);
        let newest = self.newest.unwrap_or(since);
        let known = self.letters.chars().map(Known::of).collect::<Vec<_>>();
        let letters = self.alarms.iter().enumerate().map(|(index, alarm)| {
            let before = known.get(index).copied().flatten();
            judged(before.map(|letter| (letter, newest)), alarm, since).letter()
        });
        self.letters = letters.collect();
        self.newest = self
            .alarms
            .iter()
            .filter_map(|alarm| alarm.transitioned)
            .max();
        self.judge();
    }

    fn failed(&mut self, error: AlarmsError, now: Timestamp) {
        if error != AlarmsError::Throttled {
            let since = *self.unreadable_since.get_or_insert(now);
            if now.duration_since(since) >= UNREADABLE && self.judgement.is_none() {
                self.judgement = Some(Judgement::Unreadable(since, error.clone()));
            }
        }
        self.error = Some(error);
    }

    /// What the last reading says of a watch that ends at this time.
    pub fn last_reading(&self, end: Timestamp) -> LastReading {
        match &self.error {
            _ if self.tried.is_none_or(|tried| tried < end) => LastReading::Early,
            None | Some(AlarmsError::Throttled) => LastReading::Made,
            Some(_) => LastReading::Failed,
        }
    }

    /// The deploy began at this time, by what it left in the cluster: what an invocation reads
    /// first that knows nothing of the one before may be what the deploy itself has done, and what
    /// changed to `OK` since then was not so before, while nobody looked. `ignores`: whether it may
    /// have begun although an alarm rang, which may have stopped since.
    pub fn began(&mut self, began: Timestamp, ignores: bool) {
        if self.since.is_none_or(|since| since <= began) {
            return;
        }
        self.since = Some(began);
        let is_later = |alarm: &Alarm| alarm.transitioned.is_some_and(|at| at > began);
        let letters = self.letters.chars().zip(&self.alarms);
        self.letters = letters
            .map(|(letter, alarm)| match Known::of(letter) {
                Some(Known::RangBefore) if !ignores || is_later(alarm) => Known::Rang.letter(),
                Some(Known::Quiet) if !ignores && is_later(alarm) => Known::Rang.letter(),
                Some(_) | None => letter,
            })
            .collect();
        self.judge();
    }

    fn judge(&mut self) {
        let rang = self.of(Known::Rang).next().map(Ring::of);
        if let Some(rang) = rang.filter(|_| self.judgement.is_none()) {
            self.judgement = Some(Judgement::Rang(rang));
        }
    }

    /// The alarms of which this is known.
    fn of(&self, wanted: Known) -> impl Iterator<Item = &Alarm> {
        let all = self.letters.chars().zip(&self.alarms);
        all.filter(move |(letter, _)| Known::of(*letter) == Some(wanted))
            .map(|(_, alarm)| alarm)
    }

    /// The alarms that ring, and did so before the deploy: they judge nothing.
    pub fn ringing_since_before(&self) -> impl Iterator<Item = &Alarm> {
        self.of(Known::RangBefore)
    }

    /// The alarms that rang during the deploy.
    pub fn rung(&self) -> impl Iterator<Item = &Alarm> {
        self.of(Known::Rang)
    }

    /// The alarms that are `OK` and did not ring during the deploy.
    pub fn silent(&self) -> impl Iterator<Item = &Alarm> {
        let quiet = self.of(Known::Quiet);
        quiet.chain(self.of(Known::Patchy))
    }

    /// The first alarm that rang already when the deploy began.
    pub fn rang_before(&self) -> Option<Ring> {
        let mut before = self.of(Known::RangBefore).chain(self.of(Known::Rang));
        before.next().map(Ring::of)
    }

    /// The alarms that have no data: they judge nothing.
    pub fn without_data(&self) -> impl Iterator<Item = &Alarm> {
        let all = self.alarms.iter();
        all.filter(|alarm| alarm.state == AlarmState::NoData)
    }
}

#[cfg(test)]
mod tests;
