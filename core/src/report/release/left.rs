//! Why an object stays as it is, although it was to be deleted or put back.

use super::naming::{names, object};
use crate::kubernetes::object_id::ObjectId;
use crate::release::prune::KeepReason;
use crate::release::{JobUnseen, LeftReason};
use crate::text::{clip, one_line, quote};

/// How much of an error's text is told for each object.
const WHY_LIMIT: usize = 200;

/// How many reasons are told.
const REASONS: usize = 8;

/// The objects by their reasons, each reason once.
pub(super) fn each<'a>(
    left: impl IntoIterator<Item = &'a (ObjectId, LeftReason)>,
    namespace: &str,
) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (id, reason) in left {
        let (name, why) = (object(id, namespace), why(reason));
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, all)) => all.push(name),
            None => groups.push((why, vec![name])),
        }
    }
    let more: usize = groups.iter().skip(REASONS).map(|it| it.1.len()).sum();
    let shown = groups.into_iter().take(REASONS);
    let shown = shown.map(|(why, all)| format!("{} ({why})", names(all)));
    let shown = shown.collect::<Vec<_>>().join("; ");
    match more {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

/// The reason, in a clause.
pub(super) fn why(reason: &LeftReason) -> String {
    let text = match reason {
        LeftReason::NotAsked => "`prune` is not set",
        LeftReason::Keep(reason) => return rule(reason),
        LeftReason::JobRan => "it ran, and what it did cannot be undone",
        LeftReason::JobRuns => {
            "it still runs, and what it does cannot be undone; delete it, or retry the stage, \
             which follows it on"
        }
        LeftReason::JobMayHaveRun => {
            "it may have run, as none of its pods is left, and what it did cannot be undone"
        }
        LeftReason::JobUnseen(why) => return unseen(why),
        LeftReason::JobWaits => {
            "none of its pods has started, so it did nothing yet; delete it, or it runs when they \
             can start"
        }
        LeftReason::Definition => {
            "a definition is not taken back: objects may be stored in its new version"
        }
        LeftReason::NotRecorded => {
            "what it was before is not known: the release's record had no room for it"
        }
        LeftReason::NotServed(version) => {
            return format!(
                "the cluster does not serve its kind in `{}` any more; it may still be there in \
                 another version",
                quote(version)
            );
        }
        LeftReason::Changed => "someone else has changed it since",
        LeftReason::ChangedBy(manager) => {
            return format!(
                "`{}` has changed it since",
                clip(&quote(manager), WHY_LIMIT)
            );
        }
        LeftReason::Deleted => "someone else has deleted it since",
        LeftReason::Held(finalizers) => return super::object::going(finalizers),
        LeftReason::Refused(why) => {
            return format!(
                "the API server refused it: {}",
                clip(&quote(why), WHY_LIMIT)
            );
        }
        LeftReason::Overtaken(Some(execution)) => {
            return format!(
                "execution `{}` has deployed this release since",
                clip(&quote(execution), WHY_LIMIT)
            );
        }
        LeftReason::Overtaken(None) => "another execution has deployed this release since",
        LeftReason::NoTime => "there was no time left",
    };
    text.to_owned()
}

/// Why it is not known whether a Job ran.
fn unseen(why: &JobUnseen) -> String {
    let text = match why {
        JobUnseen::PodFailed(why) => {
            return format!(
                "it may have run: its pod failed as a whole ({}) and does not show any more \
                 whether its containers had started; what it did cannot be undone",
                clip(&quote(why), WHY_LIMIT)
            );
        }
        JobUnseen::PodEnding => {
            "it may have run: its pod is being deleted, and what it did cannot be undone"
        }
        JobUnseen::PodsLost => {
            "it may have run: earlier pods of it are gone, and what they did cannot be undone"
        }
        JobUnseen::PodsUnread => {
            "it may have run: its pods could not be read, and what it did cannot be undone"
        }
        JobUnseen::Elsewhere(manager) => {
            return format!(
                "`{}` runs it (spec.managedBy), perhaps in another cluster, so whether it ran is \
                 not known here, and what it did cannot be undone",
                clip(&quote(manager), WHY_LIMIT)
            );
        }
    };
    text.to_owned()
}

/// The rule of pruning that keeps an object.
fn rule(reason: &KeepReason) -> String {
    match reason {
        KeepReason::Kind => {
            "objects of its kind are only deleted if their annotation `landfall/prune` is `always`"
                .to_owned()
        }
        KeepReason::Annotation(name, value) => {
            format!("its annotation `{name}: {}` keeps it", quote(value))
        }
        KeepReason::NotInRelease => {
            "someone has taken the label of the release away from it".to_owned()
        }
        KeepReason::OtherRelease(other) => format!("it is in release `{}`", quote(other)),
        KeepReason::OtherSet(set) => format!("it is in ApplySet `{}`", quote(set)),
        KeepReason::Controlled(owner) => {
            format!("`{}` controls it, and deletes it itself", quote(owner))
        }
        KeepReason::Adopted(other) => format!("it belongs to {} now", one_line(other)),
        KeepReason::Marked(other) => format!(
            "it has the marks of {}, and whether its manifest had them is not known: the release's \
             record had no room for it",
            one_line(other)
        ),
    }
}
