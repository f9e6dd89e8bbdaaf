//! Waiting: by a watch where one can be had, else by reads with pauses between them.

use super::brief::in_short;
use super::model::{Engine, Heard, Note, Watching};
use crate::kubernetes::call::Call;
use crate::report;
use crate::snapshot::Followed;
use crate::strategy::{Stage, Wait};
use crate::workload::Workload;
use jiff::{SignedDuration, Timestamp};

/// How long the server is to keep a watch open. One watch serves several waits.
const WATCH_SECONDS: i64 = 300;

/// Watches that told nothing at all before reads take their place: some proxies hold a stream back.
const MUTE_WATCHES: u32 = 2;

/// Calls of one invocation, of which a deploy of an hour has four, after which its waits are
/// longer. With watches it makes some dozens of them; one read a second makes a thousand in a
/// quarter of an hour.
const CALLS: u64 = 1_000;

/// Bytes that one invocation reads before its waits are longer: forty lists of 1,250 pods.
const BYTES: u64 = 256 * 1024 * 1024;

/// The shortest wait of an invocation that has asked too much.
const THRIFTY_PAUSE: SignedDuration = SignedDuration::from_secs(15);

impl Engine {
    /// The same, but it reads after a pause in the place of each watch: after `bake_pause` while a
    /// bake goes on and all pods are ready.
    pub(super) fn polling(mut self, pause: SignedDuration, bake_pause: SignedDuration) -> Engine {
        self.mute_watches = MUTE_WATCHES;
        self.poll_pause = pause;
        self.bake_pause = bake_pause;
        self
    }

    /// What is waited for, in words.
    pub(super) fn waits_for(&self) -> String {
        let waiting = self.waiting.as_ref();
        waiting.map(report::progress).unwrap_or_default()
    }

    /// Waits for the Deployment to change, at most as long as the decision says.
    pub(super) fn wait(&mut self, wait: Wait) -> Option<Watching> {
        let stage = wait.stage.ahead(self.now);
        let wait = Wait { stage, ..wait };
        // Everything that is needed could be read.
        self.continuation.unreachable_since = None;
        self.hindrance = None;
        // What a watch told was not so: it is behind, and would undo what was read.
        self.stale_watch |= std::mem::take(&mut self.looks_again);
        let at_most = SignedDuration::try_from(wait.at_most).unwrap_or(SignedDuration::MAX);
        let least = self.least_pause(&wait.stage);
        let end = self
            .now
            .saturating_add(at_most.max(least))
            .unwrap_or(Timestamp::MAX);
        let begun = self.wait_ends.filter(|begun| self.now < *begun);
        let end = self.until.min(end).min(begun.unwrap_or(Timestamp::MAX));
        if self.waiting.as_ref().map(|waiting| &waiting.progress) != Some(&wait.progress) {
            self.notes.push(Note::Waiting(report::progress(&wait)));
        }
        self.waiting = Some(wait);
        let Some(name) = self.watched() else {
            self.snapshot.invalidate_all();
            self.paused = Some(end);
            return None;
        };
        let seen = self.seen_version(&name);
        // A watch that told nothing while the Deployment changed is held back somewhere.
        if self.unheard.take().is_some_and(|old| Some(old) != seen) {
            self.mute_watches = MUTE_WATCHES;
            self.stale_watch = true;
        }
        if std::mem::take(&mut self.just_written) && self.is_alone() {
            // Where the controller was as fast as we are, one read tells all. A watch would occupy
            // the connection, and whatever is read beside it would need another handshake.
            self.snapshot.invalidate_all();
            return None;
        }
        if self.mute_watches >= MUTE_WATCHES {
            self.wait_by_reads(&name, least);
            return None;
        }
        let left = self.until.duration_since(self.now).as_secs() + 1;
        let seconds = left.clamp(1, WATCH_SECONDS).unsigned_abs();
        let version = seen.unwrap_or_default();
        self.watched_since = self.now;
        let end = end.min(*self.checks_at.get_or_insert(end));
        let due = self.alarms_due().filter(|due| *due < end);
        self.wait_ends = due.map(|_| end);
        Some(Watching {
            call: Call::watch(
                self.request.kind.row().resource,
                &self.request.namespace,
                &name,
                &version,
                seconds,
            ),
            name,
            fresh: std::mem::take(&mut self.stale_watch),
            until: due.unwrap_or(end),
        })
    }

    /// Waits without a watch, not for less than `least`.
    fn wait_by_reads(&mut self, name: &str, least: SignedDuration) {
        let stage = self.waiting.as_ref().map(|wait| &wait.stage);
        let Some(Stage::Watched(until)) = stage.cloned() else {
            self.snapshot.invalidate_all();
            return self.pause(self.poll_pause.max(least));
        };
        self.snapshot.invalidate_if_changed(name);
        self.pause(self.bake_pause.max(least));
        // A bake ends when it is over, however seldom its pods are looked at.
        if let Some(until) = until {
            self.paused = self.paused.map(|end| end.min(until.max(self.now)));
        }
    }

    /// Takes note of how the pods are followed.
    pub fn follows(&mut self, pods: Followed) {
        self.snapshot.followed = pods;
    }

    /// Takes note of what this invocation has asked of the cluster so far.
    pub fn spent(&mut self, calls: u64, bytes: u64) {
        if !self.is_thrifty && (calls >= CALLS || bytes >= BYTES) {
            self.is_thrifty = true;
            self.notes.push(Note::Thrifty(calls, bytes));
        }
    }

    /// How long not to look again. What is known to end by itself is not slept through.
    fn least_pause(&self, stage: &Stage) -> SignedDuration {
        if !self.is_thrifty {
            return SignedDuration::ZERO;
        }
        let ends = [stage.until(), Some(self.continuation.deadline)];
        let ends = ends.into_iter().flatten().filter(|end| self.now < *end);
        let left = ends.map(|end| end.duration_since(self.now));
        left.fold(THRIFTY_PAUSE, SignedDuration::min)
    }

    /// Takes what a watch told; `is_alive` where it said anything at all, also of no change.
    pub fn heard(&mut self, heard: Heard, is_alive: bool, now: Timestamp) {
        self.now = now;
        if is_alive {
            self.mute_watches = 0;
        }
        let Some(name) = self.watched() else {
            return;
        };
        // What was seen is as good as before: only the alarms are read.
        if heard == Heard::Nothing && self.wait_ends.is_some() {
            return;
        }
        self.wait_ends = None;
        // A change that another watch reports does not show that this watch is alive.
        if heard != Heard::Beside {
            self.checks_at = None;
        }
        match heard {
            // What keeps us from it, a read will tell in its own words.
            Heard::Unopened(error) => {
                self.mute_watches += 1;
                self.notes.push(Note::Unwatched(in_short(&error)));
                self.snapshot.invalidate_all();
                self.pause(self.poll_pause);
            }
            Heard::Now(object) => {
                let now = Workload::new(self.request.kind, object);
                self.snapshot.invalidate_pods(&name, Some(now));
                self.snapshot.was_heard(&name);
            }
            Heard::Beside if self.is_alone() => {
                let same = self.snapshot.seen_deployment(&name).cloned();
                self.snapshot.invalidate_pods(&name, same);
            }
            // A switch follows other objects as well.
            Heard::Beside => self.snapshot.invalidate_all(),
            Heard::Deleted => self.snapshot.invalidate_pods(&name, None),
            Heard::Over => {
                self.mute_watches += 1;
                self.snapshot.invalidate_all();
                // A server that ends every watch at once must not make us ask without a pause.
                self.paused = Some(self.until.min(self.watched_since + self.poll_pause));
            }
            Heard::Nothing => {
                self.unheard = self.seen_version(&name);
                self.snapshot.invalidate_all();
            }
        }
    }

    /// The Deployment that is waited for.
    fn watched(&self) -> Option<String> {
        let stage = &self.waiting.as_ref()?.stage;
        stage.watched(&self.request).map(str::to_owned)
    }

    /// Whether the wait is about one Deployment, its versions and its pods, and nothing else.
    fn is_alone(&self) -> bool {
        let waiting = self.waiting.as_ref();
        waiting.is_some_and(|wait| wait.stage.is_alone())
    }

    fn seen_version(&self, name: &str) -> Option<String> {
        let seen = self.snapshot.seen_deployment(name)?;
        Some(seen.resource_version().to_owned())
    }
}
