//! What is drawn at random, and what is counted.

use std::collections::BTreeMap;
use std::time::Duration;

/// How a version fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It serves.
    Well,
    /// The pods of one workload crash.
    Doomed,
    /// The migration fails.
    NoMigration,
}

pub const FATES: [Fate; 5] = [
    Fate::Well,
    Fate::Well,
    Fate::Doomed,
    Fate::Doomed,
    Fate::NoMigration,
];

/// How a release goes on that was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revival {
    /// Lambda delivers the event once more.
    Repeated,
    /// Somebody retries the stage, and later Lambda delivers the old event once more.
    Retried,
    /// Nobody does, the lock ends, and another execution releases the same.
    Superseded,
    /// The same, and the other execution releases another version.
    Replaced,
}

pub const REVIVALS: [Revival; 6] = [
    Revival::Repeated,
    Revival::Repeated,
    Revival::Repeated,
    Revival::Retried,
    Revival::Superseded,
    Revival::Replaced,
];

/// When the function is killed: at any moment of the release, or soon after this was to be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    Anywhere,
    /// The parent is locked.
    Locked,
    /// The record of the revision is there.
    Recorded,
    /// A workload has the new image.
    Applied,
    /// What left the release is deleted, or what was new is taken back.
    Deleted,
    /// The record is closed, as deployed or as failed.
    Closed,
}

/// Of kills at any moment few would hit what is short.
pub const AIMS: [Aim; 10] = [
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Locked,
    Aim::Recorded,
    Aim::Recorded,
    Aim::Applied,
    Aim::Applied,
    Aim::Deleted,
    Aim::Closed,
];

/// What happened in all namespaces.
#[derive(Default)]
pub struct Tally {
    pub kills: u32,
    pub releases: u32,
    pub backs: u32,
    pub undisturbed: u32,
    pub late: u32,
    pub stages: BTreeMap<String, u32>,
    pub revivals: BTreeMap<(Revival, Fate), u32>,
    pub spans: BTreeMap<Fate, Duration>,
}

impl Tally {
    pub fn words(&self) -> String {
        let Tally {
            kills,
            releases,
            backs,
            undisturbed,
            late,
            ..
        } = self;
        let mut text = format!(
            "{releases} releases ({backs} rollbacks on demand, {undisturbed} never killed), killed \
             {kills} times; {late} late events\n"
        );
        for (stage, count) in &self.stages {
            text += &format!("  killed when {stage}: {count}\n");
        }
        for ((revival, fate), count) in &self.revivals {
            text += &format!("  {fate:?}, {revival:?}: {count}\n");
        }
        for (fate, span) in &self.spans {
            text += &format!("  undisturbed {fate:?}: {span:?}\n");
        }
        text
    }
}
