//! What is drawn at random, and what is counted.

use std::collections::BTreeMap;
use std::time::Duration;

/// What becomes of a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    Well,
    Crashes,
    FailsSmoke,
    /// Its Deployment is deleted after the switch; its pods stay, so that no endpoint is lost.
    Lost,
    /// Its pods fall ill when it has a share of the traffic.
    FallsIll,
    /// Somebody deletes its Service when it has a share of the traffic.
    LosesService,
    /// Somebody gives that Service another selector.
    LosesSelector,
    /// Somebody scales it to zero when it has a share of the traffic.
    ScaledAway,
    /// Somebody scales the version before to zero then: nothing else is left that could serve.
    Alone,
}

/// How a deploy goes on that was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Revival {
    /// Lambda delivers the event once more.
    Repeated,
    /// Somebody retries the stage, and later Lambda delivers the old event once more.
    Retried,
    /// Nobody does, the lock ends, and another execution deploys the same.
    Superseded,
}

/// When the function is killed: at any moment of the deploy, or soon after this was to be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Aim {
    Anywhere,
    Claimed,
    Switched,
    Baked,
    Failed,
    Released,
}

/// Half of all kills come at any moment; of those, few would hit what is short.
pub(super) const AIMS: [Aim; 10] = [
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Claimed,
    Aim::Switched,
    Aim::Baked,
    Aim::Failed,
    Aim::Released,
];

/// What happened in all namespaces.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) kills: u32,
    pub(super) deploys: u32,
    pub(super) undisturbed: u32,
    pub(super) states: usize,
    pub(super) stages: BTreeMap<String, u32>,
    pub(super) revivals: BTreeMap<(Revival, Version), u32>,
    pub(super) spans: BTreeMap<(String, Version), Duration>,
}

impl Tally {
    pub(super) fn words(&self) -> String {
        let Tally {
            kills,
            deploys,
            undisturbed,
            states,
            ..
        } = self;
        let mut text = format!(
            "{deploys} deploys ({undisturbed} of them never killed), killed {kills} times; \
             {states} states of endpoints were seen\n"
        );
        for (stage, count) in &self.stages {
            text += &format!("  killed when {stage}: {count}\n");
        }
        for ((revival, version), count) in &self.revivals {
            text += &format!("  {version:?}, {revival:?}: {count}\n");
        }
        for ((strategy, version), span) in &self.spans {
            text += &format!("  undisturbed {strategy} {version:?}: {span:?}\n");
        }
        text
    }
}

/// <https://en.wikipedia.org/wiki/Xorshift>
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }

    pub fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    pub fn moment(&mut self, span: Duration) -> Duration {
        Duration::from_millis(self.below(span.as_millis() as u64))
    }
}
