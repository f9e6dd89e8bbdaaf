//! The one next step of a deploy.

use super::action::{Action, Step};
use super::causes::RolloutFailure;
use super::result::{Failure, Success};
use crate::change::{self, Author};
use crate::kubernetes::call::Call;
use crate::kubernetes::route::RouteReference;
use crate::request::Request;
use crate::snapshot::Query;
use crate::state::continuation::{Phase, RecordedFailure};
use crate::workload::Workload;
use crate::workload::health::diagnosis::SymptomHistory;
use crate::workload::health::rollout::Progress;
use crate::workload::health::steadiness::Steady;
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// The one next step of a deploy.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Read this, then decide again.
    Read(Query),
    /// Write this, then decide again on the object that comes back.
    Act(Action),
    /// Bring the template of the previous version back.
    RollBack(Box<Undo>),
    /// Nothing to write: go on in this phase.
    Enter(Phase),
    /// Nothing to write: the switch has failed, and what was written is to be taken back.
    TakeBack(RolloutFailure),
    /// Keep in mind what the looks at the new version's pods have shown.
    Remember(SymptomHistory),
    /// Keep in mind that pods which nothing probes were seen available.
    Steady(Steady),
    /// Keep in mind since when the new version of a rolling deploy serves everything.
    Serves(Timestamp),
    /// Read the alarms, then decide again.
    ReadAlarms,
    /// Wait for the Deployment to change.
    Wait(Wait),
    /// The new version serves.
    Finish(Success),
    /// It came to nothing, and all that can be done about it is done.
    GiveUp(Failure),
}

impl Decision {
    /// One of the writes of a switch, or of annotations alone.
    pub(super) fn step(call: Call, then: Phase, clears: Option<String>) -> Decision {
        Decision::Act(Action::Step(Box::new(Step { call, then, clears })))
    }

    /// Whether it ends the deploy, or turns it back: then it is to be made upon what was read.
    pub fn is_verdict(&self) -> bool {
        matches!(
            self,
            Decision::RollBack(_)
                | Decision::TakeBack(_)
                | Decision::Finish(_)
                | Decision::GiveUp(_)
        )
    }
}

impl From<Query> for Decision {
    fn from(query: Query) -> Decision {
        Decision::Read(query)
    }
}

/// The way back to the previous version, of which only the cause is to be put into words.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// The Deployment as it was seen.
    pub live: Workload,
    /// The template that is brought back.
    pub template: Value,
    /// Its revision.
    pub revision: u64,
    /// Why the new version failed.
    pub failure: RolloutFailure,
    /// Whether another deploy, which died, has written what is taken back.
    pub is_of_another: bool,
}

impl Undo {
    /// The write, with the failure in words.
    pub fn action(self, author: &Author, failure: RecordedFailure) -> Action {
        let mut operations = change::undo(&self.live, &self.template, author.job, &failure.cause);
        if self.is_of_another {
            change::undo_of_another(&mut operations, &self.live, author);
        }
        Action::Undo {
            operations,
            revision: self.revision,
            failure,
        }
    }
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// How far it is.
    pub progress: Progress,
    /// Whether the previous version is being brought back.
    pub rollback: bool,
    /// When to read again even if nothing is heard.
    pub at_most: Duration,
    /// What it is about.
    pub stage: Stage,
}

/// What a wait is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stage {
    /// The rollout of the Deployment that the request names.
    #[default]
    Rollout,
    /// The candidate of this name, before the switch.
    Candidate(String),
    /// Another execution is at work on the Service.
    Lock {
        /// Which.
        execution: String,
        /// When its lock ends by itself.
        until: Timestamp,
    },
    /// The smoke test.
    Smoke,
    /// The endpoints of this Service.
    Endpoints(String),
    /// The old version is still there at full scale.
    Bake {
        /// The candidate.
        candidate: String,
        /// Until when; `None` once that is over and the last checks are made.
        until: Option<Timestamp>,
    },
    /// The new version of a rolling deploy serves, and is watched until then; `None` likewise.
    Watched(Option<Timestamp>),
    /// The candidate has a share of the traffic.
    Share {
        /// The candidate.
        candidate: String,
        /// The share in percent.
        percent: u8,
        /// Until when it is watched with that; unknown before the share is in force, and `None`
        /// once that is over.
        until: Option<Timestamp>,
    },
    /// The weights of this route are to come into force.
    Route(RouteReference),
    /// A canary of another Service moves traffic by this route.
    Turn {
        /// The route.
        route: RouteReference,
        /// That Service.
        service: String,
    },
    /// Both versions serve.
    Overlap {
        /// The Deployment that stays.
        stays: String,
        /// Until when, once that is known.
        until: Option<Timestamp>,
    },
    /// Pods of this Deployment are to end.
    Leaving(String),
    /// This Deployment is being changed by somebody else.
    Settling(String),
}

impl Stage {
    /// Whether it is about one Deployment, its versions and its pods, and nothing else.
    pub fn is_alone(&self) -> bool {
        matches!(self, Stage::Rollout | Stage::Watched(_))
    }

    /// The same without an end that has passed already: nobody waits until then.
    pub fn ahead(mut self, now: Timestamp) -> Stage {
        if let Stage::Bake { until, .. }
        | Stage::Watched(until)
        | Stage::Share { until, .. }
        | Stage::Overlap { until, .. } = &mut self
        {
            *until = until.filter(|until| now < *until);
        }
        self
    }

    /// When it is over by itself, where that is known.
    pub fn until(&self) -> Option<Timestamp> {
        if let Stage::Lock { until, .. } = self {
            return Some(*until);
        }
        let (Stage::Bake { until, .. }
        | Stage::Watched(until)
        | Stage::Share { until, .. }
        | Stage::Overlap { until, .. }) = self
        else {
            return None;
        };
        *until
    }

    /// The Deployment whose changes end the wait, where there is one.
    pub fn watched<'a>(&'a self, request: &'a Request) -> Option<&'a str> {
        match self {
            Stage::Rollout | Stage::Watched(_) => Some(&request.deployment),
            Stage::Candidate(name)
            | Stage::Overlap { stays: name, .. }
            | Stage::Bake {
                candidate: name, ..
            }
            | Stage::Share {
                candidate: name, ..
            } => Some(name),
            Stage::Lock { .. }
            | Stage::Smoke
            | Stage::Endpoints(_)
            | Stage::Route(_)
            | Stage::Turn { .. }
            | Stage::Leaving(_)
            | Stage::Settling(_) => None,
        }
    }
}
