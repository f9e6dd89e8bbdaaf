//! After everything serves: the release is watched for the time of its bake. Its workloads are
//! followed on, so what fails in that time is taken back like a release that fails.

use super::super::following::Following;
use super::super::model::Engine;
use super::item::Item;
use super::model::{ReleaseEngine, Stage, Task};
use crate::kubernetes::object::digest;
use crate::kubernetes::object_id::ObjectId;
use crate::request::Request;
use crate::state::continuation::Phase;
use jiff::{SignedDuration, Timestamp};

/// A bake may last for hours: a workload is looked at so often that it has at least so many looks.
const LOOKS: i32 = 20;

/// Of how many workloads the next invocation learns what was there when the watch began: the
/// continuation has little room. What the pods of the others did before it is not counted.
const REMEMBERED: usize = 20;

/// The longest pause between two of them, so that ten minutes of a bake are some sixty calls for
/// each workload.
const BAKE_PAUSE: SignedDuration = SignedDuration::from_secs(30);

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
        let bake = SignedDuration::try_from(self.request.bake).unwrap_or(SignedDuration::MAX);
        let pause = (bake / LOOKS).min(BAKE_PAUSE).max(self.follow_pause());
        let written = rollout.written.clone();
        let request = Request {
            bake: self.request.bake,
            ..before.request
        };
        let following = Following {
            pause,
            ..self.following(request, written)
        };
        let mut engine = following.forward(true, true);
        let mut before = self.continuation.guard.served.iter();
        let before = before.find(|(known, _)| *known == key(&item.id));
        engine.continuation.sights.served = before.map(|(_, served)| served.clone());
        Some(engine)
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
