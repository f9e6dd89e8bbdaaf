//! What a reading of an alarm says, given the reading before it.
//!
//! A deploy judges by the time of the last change of state, because an alarm may have rung and
//! stopped between two readings. Of that only its traces are left: it is `OK` as before, and
//! has changed since.

use super::model::{Alarm, AlarmState};
use jiff::Timestamp;

/// What is known of an alarm. As letters, because a continuation token has little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It was `OK` whenever it was read.
    Quiet,
    /// It is `OK`, and had too little data at times.
    Patchy,
    /// It has too little data.
    NoData,
    /// It has been ringing since before the deploy.
    RangBefore,
    /// It has too little data, and was ringing since before the deploy until then.
    NoDataRangBefore,
    /// It rang during the deploy.
    Rang,
}

impl Known {
    /// The letter in a token.
    pub fn letter(self) -> char {
        match self {
            Known::Quiet => 'o',
            Known::Patchy => 'p',
            Known::NoData => 'n',
            Known::RangBefore => 'b',
            Known::NoDataRangBefore => 'm',
            Known::Rang => 'r',
        }
    }

    /// Reads a letter.
    pub fn of(letter: char) -> Option<Known> {
        let all = [
            Known::Quiet,
            Known::Patchy,
            Known::NoData,
            Known::RangBefore,
            Known::NoDataRangBefore,
            Known::Rang,
        ];
        all.into_iter().find(|one| one.letter() == letter)
    }
}

/// What is known of an alarm after another reading. `before`: what was known, and the newest change
/// of state of any alarm at that reading; `None` at the first one. `since`: when the deploy began.
pub fn judged(before: Option<(Known, Timestamp)>, alarm: &Alarm, since: Timestamp) -> Known {
    let changed_after = |time: Timestamp| alarm.transitioned.is_some_and(|at| at > time);
    match (before, alarm.state) {
        (Some((Known::Rang, _)), _) => Known::Rang,
        (None, AlarmState::Ringing) if changed_after(since) => Known::Rang,
        (None, AlarmState::Ringing) => Known::RangBefore,
        // It stopped, and rings anew.
        (Some((Known::RangBefore, newest)), AlarmState::Ringing) => {
            match changed_after(newest.max(since)) {
                true => Known::Rang,
                false => Known::RangBefore,
            }
        }
        // Its data came back, and it is as it was.
        (Some((Known::NoDataRangBefore, _)), AlarmState::Ringing) => Known::RangBefore,
        (Some(_), AlarmState::Ringing) => Known::Rang,
        (Some((Known::RangBefore | Known::NoDataRangBefore, _)), AlarmState::NoData) => {
            Known::NoDataRangBefore
        }
        (_, AlarmState::NoData) => Known::NoData,
        // An alarm that is known to lack data at times did so once more.
        (Some((Known::NoData | Known::Patchy | Known::NoDataRangBefore, _)), AlarmState::Ok) => {
            Known::Patchy
        }
        // It has left `OK` and come back since it was read last: it rang in between.
        (Some((Known::Quiet, newest)), AlarmState::Ok) if changed_after(newest) => Known::Rang,
        (Some((Known::Quiet | Known::RangBefore, _)) | None, AlarmState::Ok) => Known::Quiet,
    }
}
