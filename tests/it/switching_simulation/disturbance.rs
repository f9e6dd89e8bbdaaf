//! What may happen to a deploy at one point.

use landfall_core::engine::Next;

/// What happens at one point: a call, or a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// The call is not carried out; it is tried again.
    Retried,
    /// The call is carried out and its answer lost; it is tried again.
    AnswerLost,
    /// 429, 503 or silence until all tries are used up. The call is not carried out. These are one
    /// class: the cluster's client tries each of them again, and the engine makes no difference
    /// between them.
    Unavailable,
    /// The same, but the call is carried out.
    DoneUnavailable,
    /// 409: another write came between.
    Conflict,
    /// 422 or 403, as from a webhook.
    Refused,
    /// A read gives the object as it was before its last change.
    Stale,
    /// The process dies before the call; Lambda repeats the event.
    DiesBefore,
    /// The process dies after the call; Lambda repeats the event.
    DiesAfter,
    /// The invocation's time is over; the next one has the token.
    HandedOver,
    /// The next invocation comes with the oldest token.
    Replayed,
    /// It dies before the call for good; a person retries the stage: another job, same execution.
    AgainBefore,
    /// The same after the call.
    AgainAfter,
    /// It dies for good before the call; another execution deploys another version.
    OtherBefore,
    /// The same after the call.
    OtherAfter,
    /// The process dies while its write is under way; that arrives when all is over.
    Late,
    /// The same, and another execution deploys another version meanwhile.
    LateOther,
    /// A watch is cut, or tells of a change that is none to us: the wait ends at once.
    Cut,
    /// A watch tells of nothing: the wait ends with its time.
    Deaf,
    /// A proxy holds the watches of what was read back for some seconds.
    HeldBack,
    /// Somebody scales the live Deployment.
    Scaled,
    /// Somebody changes the live Deployment's image by hand.
    Overtaken,
    /// Somebody scales what the last switch was to, or the candidate that comes up, to zero.
    ScaledAway,
    /// Somebody deletes the Service.
    ServiceDeleted,
    /// Somebody deletes it and makes it anew from its file.
    ServiceAnew,
    /// A tool sets the selector to what its file says.
    SelectorSetBack,
    /// Somebody restarts the pods of the live Deployment.
    Rolled,
    /// Somebody deletes the Service of a canary's candidate.
    WayDeleted,
    /// Somebody gives it another selector.
    WayTurned,
}

pub use Disturbance::*;

pub const ALL: [Disturbance; 29] = [
    Retried,
    AnswerLost,
    Unavailable,
    DoneUnavailable,
    Conflict,
    Refused,
    Stale,
    DiesBefore,
    DiesAfter,
    HandedOver,
    Replayed,
    AgainBefore,
    AgainAfter,
    OtherBefore,
    OtherAfter,
    Late,
    LateOther,
    Cut,
    Deaf,
    HeldBack,
    Scaled,
    Overtaken,
    ScaledAway,
    ServiceDeleted,
    ServiceAnew,
    SelectorSetBack,
    Rolled,
    WayDeleted,
    WayTurned,
];

/// What people and their tools do in the middle. The Service may be empty or of two versions for as
/// long as it takes to see it; after that what is promised must hold again.
pub const MEDDLING: [Disturbance; 7] = [
    ScaledAway,
    ServiceDeleted,
    ServiceAnew,
    SelectorSetBack,
    Rolled,
    WayDeleted,
    WayTurned,
];

impl Disturbance {
    /// Whether it means something at a wait as well.
    pub fn suits_wait(self) -> bool {
        self.suits_read() && ![Retried, Unavailable, Refused, Stale].contains(&self)
            || [Cut, Deaf, HeldBack].contains(&self)
    }

    /// Whether it means something at a read. What was read before a death is as good as never read.
    pub fn suits_read(self) -> bool {
        let all = [
            Retried,
            Unavailable,
            Refused,
            Stale,
            DiesBefore,
            HandedOver,
            Replayed,
            AgainBefore,
            OtherBefore,
            Scaled,
            Overtaken,
            ScaledAway,
            ServiceDeleted,
            ServiceAnew,
            SelectorSetBack,
            Rolled,
            WayDeleted,
            WayTurned,
        ];
        all.contains(&self)
    }

    /// Whether it means something at a write.
    pub fn suits_write(self) -> bool {
        ![Stale, Cut, Deaf, HeldBack].contains(&self)
    }
}

/// Every disturbance that means something at this point.
pub fn suitable(next: &Next) -> Vec<Disturbance> {
    let all = ALL.into_iter();
    match next {
        Next::Ask(ask) if ask.call.changes() => all.filter(|it| it.suits_write()).collect(),
        Next::Ask(_) => all.filter(|it| it.suits_read()).collect(),
        Next::Watch(_) | Next::Sleep(_) => all.filter(|it| it.suits_wait()).collect(),
        Next::Alarms(_) | Next::Done(_) => Vec::new(),
    }
}
