//! Time passes: tasks are planned, and run when they are due.

use crate::world::state::{Task, World};
use crate::world::store::Key;
use jiff::{SignedDuration, Timestamp};

/// The most steps of one call of [`World::advance`], so that a world that never settles does not
/// hang its caller.
const STEPS_PER_ADVANCE: u32 = 100_000;
/// How far [`World::settle`] advances: beyond the default progress deadline, but not forever in a
/// crash loop.
const SETTLE_LIMIT: SignedDuration = SignedDuration::from_mins(30);

impl World {
    /// Runs controllers and pods up to `now`. Time never runs backwards.
    pub fn advance(&mut self, now: Timestamp) {
        for _ in 0..STEPS_PER_ADVANCE {
            let Some((task, at)) = self.next_task().filter(|(_, at)| *at <= now) else {
                break;
            };
            self.due.remove(&task);
            self.clock = self.clock.max(at);
            self.run(task);
        }
        self.clock = self.clock.max(now);
    }

    /// Advances until no task is left, at most half an hour; returns the time.
    pub fn settle(&mut self, now: Timestamp) -> Timestamp {
        self.advance(now);
        let end = self.clock + SETTLE_LIMIT;
        while let Some(at) = self.next_change().filter(|at| *at <= end) {
            self.advance(at);
        }
        self.clock
    }

    pub(crate) fn next_task(&self) -> Option<(Task, Timestamp)> {
        let next = self.due.iter().min_by_key(|(task, at)| (**at, *task))?;
        Some((next.0.clone(), *next.1))
    }

    pub(crate) fn run(&mut self, task: Task) {
        match task {
            Task::Definition(key) => self.establish(&key),
            Task::Deployment(key) => self.sync_deployment(&key),
            Task::ReplicaSet(key) => self.sync_replica_set(&key),
            Task::Pod(key) => self.live(&key),
            Task::Removal(key) => self.bury(&key),
            Task::Service(key) => self.sync_endpoints(&key),
            Task::Other(key) => self.sync_other(&key),
        }
    }

    /// Plans a task, unless it is already planned for an earlier time.
    pub(crate) fn plan(&mut self, task: Task, at: Timestamp) {
        self.due
            .entry(task)
            .and_modify(|planned| *planned = at.min(*planned))
            .or_insert(at);
    }

    pub(crate) fn plan_step(&mut self, task: Task) {
        self.plan(task, self.clock + self.timing.step);
    }

    pub(crate) fn plan_endpoints(&mut self, service: Key) {
        self.plan(Task::Service(service), self.clock + self.timing.endpoints);
    }
}
