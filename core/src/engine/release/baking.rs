//! After everything serves: the release is watched for the time of its bake. Its workloads are
//! followed on, so what fails in that time is taken back like a release that fails.

use super::super::following::Following;
use super::super::model::Engine;
use super::following::workload_kind;
use super::item::Item;
use super::model::{ReleaseEngine, Stage, Task};
use crate::kubernetes::object::digest;
use crate::kubernetes::object_id::ObjectId;
use crate::request::Request;
use crate::state::continuation::Phase;
use jiff::{SignedDuration, Timestamp};

/// Each workload is looked at so often in a bake, or more often.
const LOOKS: i32 = 10;

/// Of how many workloads the next invocation learns what was there when the watch began: the
/// continuation has little room. What the pods of the others did before it is not counted.
const REMEMBERED: usize = 20;

/// The pause between two looks at a workload for each that is watched, and the longest one: in ten
/// minutes of a bake up to four of them cost 40 reads and what is read when it begins and ends.
const BAKE_PAUSE: SignedDuration = SignedDuration::from_secs(15);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// The pause while a pod of a workload is not ready.
const UNREADY_PAUSE: SignedDuration = SignedDuration::from_secs(5);

impl ReleaseEngine {
    /// Whether the release is watched after everything of it serves. What changed nothing is not.
    fn is_baked(&self) -> bool {
        let is_watched = !self.request.bake.is_zero() || self.request.alarms.is_some();
        is_watched && self.record.is_some()
    }

    /// Until when the release is watched, once everything of it serves.
    pub(super) fn baked_at(&self) -> Option<Timestamp> {
        let since = self.continuation.guard.serving_since?;
        Some(since + self.request.bake)
    }

    /// When the release must be complete: a bake that has begun is finished, and what is not ready
    /// at the last look may pass.
    pub(super) fn deadline(&self) -> Timestamp {
        let last_look = self.last_look.map(|at| at + self.request.patience);
        let later = self.baked_at().max(last_look);
        later.map_or(self.continuation.deadline, |later| {
            later.max(self.continuation.deadline)
        })
    }

    /// Watches the release until its bake is over.
    pub(super) fn bake(&mut self) {
        if !self.is_baked() {
            self.stage = Stage::LookAgain;
            return;
        }
        let since = *self
            .continuation
            .guard
            .serving_since
            .get_or_insert(self.now);
        let until = since + self.request.bake;
        if self.now < until {
            for place in 0..self.items.len() {
                if let Some(follower) = &mut self.items[place].follower {
                    follower.continuation.guard.serving_since = Some(since);
                    self.push(Task::Follow(place));
                }
            }
            return self.push_at(until, Task::Wake);
        }
        if self.were_alarms_read_at(until) {
            self.stage = Stage::LookAgain;
        }
    }

    /// The engine that goes on with a workload which serves, for as long as the release is watched;
    /// `None` where it is not, or ends by itself.
    pub(super) fn watched_on(&self, item: &Item, before: Box<Engine>) -> Option<Box<Engine>> {
        let Phase::Rollout(rollout) = &before.continuation.phase else {
            return None;
        };
        if !self.is_baked() || self.request.bake.is_zero() || item.id.is_job() {
            return None;
        }
        let bake_pause = self.bake_pause();
        let written = rollout.written.clone();
        let request = Request {
            bake: self.request.bake,
            ..before.request
        };
        let following = Following {
            pause: UNREADY_PAUSE.min(bake_pause),
            bake_pause,
            ..self.following(request, written)
        };
        let mut engine = following.forward(true, true);
        let mut before = self.continuation.guard.served.iter();
        let before = before.find(|(known, _)| *known == key(&item.id));
        engine.continuation.sights.served = before.map(|(_, served)| served.clone());
        Some(engine)
    }

    /// The pause between two looks at a workload while nothing happens.
    fn bake_pause(&self) -> SignedDuration {
        let bake = SignedDuration::try_from(self.request.bake).unwrap_or(SignedDuration::MAX);
        let watched = self.items.iter();
        let watched = watched.filter(|it| workload_kind(&it.id).is_some() && !it.id.is_job());
        let watched = i32::try_from(watched.count()).unwrap_or(i32::MAX);
        let longest = LONGEST_PAUSE.min(bake / LOOKS);
        let pause = BAKE_PAUSE.saturating_mul(watched).min(longest);
        pause.max(self.follow_pause())
    }

    /// Takes note of what was there when the watch began, for the next invocation.
    pub(super) fn remember_served(&mut self) {
        let followed = self.items.iter().filter_map(|item| {
            let served = item.follower.as_ref()?.continuation.sights.served.clone()?;
            Some((key(&item.id), served))
        });
        for (name, served) in followed.collect::<Vec<_>>() {
            let known = &mut self.continuation.guard.served;
            known.retain(|(known, _)| *known != name);
            if known.len() < REMEMBERED {
                known.push((name, served));
            }
        }
    }
}

/// A short name of an object that no other of the release has.
fn key(id: &ObjectId) -> String {
    digest(&format!("{} {} {id}", id.group, id.namespace_or_empty()))[..8].to_owned()
}
