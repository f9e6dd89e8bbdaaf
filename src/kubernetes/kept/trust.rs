//! For how long a watch that is silent is believed, and when one that fails is tried again.
//!
//! Silence has two causes: nothing happens, or something on the way holds the stream back. A watch
//! that has told something is not held back, and the server promises it a bookmark every minute.
//! Of one that has told nothing that is not known: reads check it, with growing pauses as long as
//! they find what it said.

use std::time::Duration;
use tokio::time::Instant;

/// How long the silence of a watch that has told nothing yet is believed at first.
const FIRST_SILENCE: Duration = Duration::from_secs(10);

/// How long that of one that has told something is believed: API servers send a bookmark about
/// every minute.
/// <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go>
const SILENCE: Duration = Duration::from_secs(75);

/// How long a watch may take to be opened, or to go on where the last one ended, while what it
/// continues is believed.
const OPENING: Duration = Duration::from_secs(1);

/// How long a watch must live for its end to be no failure: a proxy may cut silent ones after half
/// a minute, one that knows no watches ends them at once.
const LIFE: Duration = Duration::from_secs(10);

/// The pause after the second failure in a row. It doubles with each one more.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What is known of a watch, and of those before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trust {
    /// When what is kept was last known to be as in the cluster.
    proven: Instant,
    /// When the watch began; `None` while it is being opened.
    opened: Option<Instant>,
    has_told: bool,
    silence: Duration,
    /// Watches in a row that failed.
    failures: u32,
    /// When the next one may be opened.
    next: Instant,
}

impl Trust {
    /// A list was read now, and is not watched yet.
    pub fn new(now: Instant) -> Trust {
        Trust {
            proven: now,
            opened: None,
            has_told: false,
            silence: FIRST_SILENCE,
            failures: 0,
            next: now,
        }
    }

    /// Whether what is kept is as in the cluster, as far as a watch can tell.
    pub fn is_believed(&self, now: Instant) -> bool {
        let limit = match self.opened {
            None => OPENING,
            Some(_) if self.has_told => SILENCE,
            Some(_) => self.silence,
        };
        now < self.proven + limit
    }

    /// A watch is being opened.
    pub fn opening(&mut self) {
        self.opened = None;
        self.has_told = false;
        self.silence = FIRST_SILENCE;
    }

    /// The server has begun to send.
    pub fn opened(&mut self, now: Instant) {
        self.opened = Some(now);
    }

    /// It has told something, if only how far it is.
    pub fn told(&mut self, now: Instant) {
        self.proven = now;
        self.has_told = true;
        if self.opened.is_some_and(|opened| now >= opened + LIFE) {
            self.failures = 0;
        }
    }

    /// A read has found what the watch has told, or all that it has not told, as it should be.
    pub fn confirmed(&mut self, now: Instant) {
        self.proven = now;
        self.silence = (self.silence * 2).min(SILENCE);
    }

    /// A read has found something else than was kept; `is_failure` where a watch should have told.
    pub fn corrected(&mut self, is_failure: bool, now: Instant) {
        self.proven = now;
        if is_failure {
            self.fail(now);
        }
    }

    /// The watch is over. One that lived for a while may be continued at once.
    pub fn ended(&mut self, is_clean: bool, now: Instant) {
        let has_lived = self.opened.is_some_and(|opened| now >= opened + LIFE);
        if is_clean && has_lived {
            self.proven = now;
        }
        if let Some(opened) = self.opened.take() {
            self.next = self.next.max(opened + OPENING);
        }
        if !has_lived {
            self.fail(now);
        }
    }

    /// The watch is not to be had, or not of use; `at_least` is the server's wish for a pause.
    pub fn refused(&mut self, is_final: bool, at_least: Duration, now: Instant) {
        self.failures = self.failures.max(u32::from(is_final));
        self.fail(now);
        let pause = if is_final { LONGEST_PAUSE } else { at_least };
        self.next = self.next.max(now + pause);
    }

    /// Whether a watch may be opened now.
    pub fn may_open(&self, now: Instant) -> bool {
        now >= self.next
    }

    /// Whether lists take the place of watches.
    pub fn is_given_up(&self) -> bool {
        self.failures > 1
    }

    fn fail(&mut self, now: Instant) {
        self.failures += 1;
        self.opened = None;
        if let Some(doublings) = self.failures.checked_sub(2) {
            let pause = PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
            self.next = now + pause.min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests;
