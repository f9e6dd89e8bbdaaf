//! A release that came to nothing.

use super::super::client::{Client, placed};
use super::super::failure::{locked, too_late};
use super::super::model::{
    HEADLINE_LIMIT, MESSAGE_LIMIT, NEXT_LIMIT, PARAGRAPH, Report, fail, who,
};
use super::super::rollout_failed::failed_rollout;
use super::super::{again, alarms, eks, faults, present};
use super::fitting::fit;
use super::naming::{some_of, the_release};
use super::{cause, own_webhook, permissions, refused, way_back};
use crate::alarm::AlarmsRefusal;
use crate::kubernetes::call::Permission;
use crate::kubernetes::object_id::ObjectId;
use crate::kubernetes::refusal::User;
use crate::outcome::{CredentialSource, FailureCode, FailureType};
use crate::release::{
    LeftReason, ObjectFault, ObjectTrouble, RecordTrouble, ReleaseCause, ReleaseFailure, WayBack,
};
use crate::request::release::ReleaseRequest;
use crate::state::release::ParentFault;
use crate::text::{clip, quote};

/// Room for the section of the handbook, which comes after the next step.
const SECTION_ROOM: usize = 200;

/// What prints the rights that a release takes, before `all verbs that are needed`.
pub(super) const ROLES: &str = "`make access ARGS=\"--for FOLDER\"` prints";

/// A release that came to nothing. `source` is where the access to the cluster comes from.
pub fn failure(
    request: &ReleaseRequest,
    failure: &ReleaseFailure,
    source: &CredentialSource,
) -> Report {
    match failure {
        ReleaseFailure::Faults(faults) => faulty(request, faults),
        ReleaseFailure::Forbidden(missing) => forbidden(request, missing, source),
        ReleaseFailure::Locked { execution, until } => locked(
            &the_release(request),
            request.timeout,
            (execution, "was deploying the same release"),
            *until,
        ),
        ReleaseFailure::OutOfSync { by, wrote } => out_of_sync(request, by.as_deref(), *wrote),
        ReleaseFailure::Record(secret, trouble) => unrecorded(request, secret, trouble),
        ReleaseFailure::NoRevision(why) => super::returned::refused(request, why),
        ReleaseFailure::NoNamespace => no_namespace(request),
        ReleaseFailure::TooLate => too_late(&the_release(request), request.timeout),
        ReleaseFailure::Alarms(AlarmsRefusal::Ringing(ring)) => {
            alarms::ringing(&the_release(request), ring, None)
        }
        ReleaseFailure::Alarms(AlarmsRefusal::Unreadable(error)) => {
            alarms::unreadable(&the_release(request), error)
        }
        ReleaseFailure::Alarms(AlarmsRefusal::Missing(names)) => faults::found(
            &format!("{} was not changed", the_release(request)),
            &[alarms::missing(names)],
            &request.origin,
        ),
        ReleaseFailure::Ended {
            cause,
            others,
            way_back,
        } => {
            // An alarm judges all of them.
            let is_theirs = !matches!(**cause, ReleaseCause::Alarms(_));
            let mut others = others.clone();
            others.retain(|(id, _)| Some(id) != lost(way_back));
            let others = way_back::others(request, &others).filter(|_| is_theirs);
            ended(request, cause, others, way_back, source)
        }
    }
}

/// What to do where new definitions lack versions in which objects may be stored.
const STORED: &str = "Objects may still be stored in versions that the new definitions lack. \
    Migrate them as the upgrade notes of their project say, and remove the old versions from \
    `status.storedVersions`; then retry the stage.";

/// What to do where the Job before a workload is somebody else's.
const OTHER_JOB: &str =
    "Give the Job of `before` a name of its own; then release the change again.";

/// What to do where fields cannot be changed of an object with which data would go.
const HOLDS_DATA: &str = "Take the change of these fields back. To make the object anew \
    (`landfall/recreate: \"yes\"`) may delete its data with it.";

/// What to do where a namespace is missing.
const NO_NAMESPACE: &str = "Create it (`kubectl create namespace`) and retry the stage, or correct \
    the manifests and release the change again.";

/// What to do where objects are being deleted.
const GOING: &str = "Wait until it is gone, then retry the stage. If it stays, see why what should \
    remove its finalizers does not.";

/// Everything that is wrong with the objects, by file and line.
fn faulty(request: &ReleaseRequest, faults: &[ObjectFault]) -> Report {
    let classes = faults.iter().map(|fault| refused::class(&fault.trouble));
    let classes = classes.collect::<Vec<_>>();
    let (code, failure_type) = match classes.as_slice() {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => *first,
        _ => (FailureCode::ReleaseFaults, FailureType::ConfigurationError),
    };
    let line = |fault: &ObjectFault| {
        let ObjectFault { id, place, trouble } = fault;
        format!("`{id}` ({place}): {}", refused::wrong(id, trouble))
    };
    let release = the_release(request);
    let (headline, lines) = match faults {
        [fault] => (
            format!("{release} was not changed: {}.", line(fault)),
            Vec::new(),
        ),
        faults => (
            format!(
                "{release} was not changed: {} things are wrong with its objects.",
                faults.len()
            ),
            faults
                .iter()
                .map(|fault| format!("- {}", line(fault)))
                .collect(),
        ),
    };
    let all = |is: fn(&ObjectTrouble) -> bool| faults.iter().all(|fault| is(&fault.trouble));
    let holds_data = |fault: &ObjectFault| {
        let kinds = ["PersistentVolumeClaim", "PersistentVolume"];
        kinds.iter().any(|kind| fault.id.is("", kind))
    };
    let next = if all(refused::is_of_stored) {
        STORED
    } else if code == FailureCode::Immutable && faults.iter().all(holds_data) {
        HOLDS_DATA
    } else if all(|trouble| matches!(trouble, ObjectTrouble::BeingDeleted(_))) {
        GOING
    } else if all(refused::is_of_namespace) {
        NO_NAMESPACE
    } else if request.before.is_some() && code == FailureCode::ForeignObject {
        OTHER_JOB
    } else if request.mode.is_rollback()
        && matches!(code, FailureCode::ReleaseFaults | FailureCode::Policy)
    {
        refused::RECORDED
    } else {
        again::after(code)
    };
    let held = match code == FailureCode::Immutable && next != HOLDS_DATA {
        true => faults.iter().filter(|fault| holds_data(fault)).collect(),
        false => Vec::new(),
    };
    let held = held.into_iter().map(|fault| format!("`{}`", fault.id));
    let next = match some_of(held.collect()).as_str() {
        "" => next.to_owned(),
        held => format!("{next} To make {held} anew may delete its data with it."),
    };
    listing((code, failure_type), &headline, &lines, &next)
}

/// A failure with a list that is shown as far as it fits.
fn listing(
    (code, failure_type): (FailureCode, FailureType),
    headline: &str,
    lines: &[String],
    next: &str,
) -> Report {
    // The section of the handbook comes after the next step.
    let taken = headline.len().min(HEADLINE_LIMIT) + NEXT_LIMIT + 2 * PARAGRAPH.len();
    let lines = fit(lines, "\n", "lines", MESSAGE_LIMIT - taken);
    let evidence = Some(lines).filter(|lines| !lines.is_empty());
    fail(code, failure_type, headline, evidence.as_slice(), next)
}

/// The permissions that are missing, as rules to add.
fn forbidden(
    request: &ReleaseRequest,
    missing: &[(Permission, Option<String>)],
    source: &CredentialSource,
) -> Report {
    let client = Client::of(source);
    let permissions = match missing.len() {
        1 => "a permission that it needs".to_owned(),
        number => format!("{number} permissions that it needs"),
    };
    let headline = format!(
        "{} was not changed: {} lacks {permissions}.",
        the_release(request),
        client.noun()
    );
    let lines = permissions::rules(missing);
    let next = match (client, missing.first()) {
        (Client::Role(cluster), Some((first, namespace))) => {
            let namespace = namespace.as_deref().unwrap_or(&request.namespace);
            eks::give_group(
                cluster,
                &User::Unknown,
                &first.to_string(),
                namespace,
                ROLES,
            )
        }
        (client, _) => format!(
            "Grant these rules to {} by a RoleBinding (or a ClusterRoleBinding for those of the \
             whole cluster), then retry the stage; {ROLES} all that the release takes.",
            client.account()
        ),
    };
    let code = client.code(FailureCode::Forbidden);
    let class = (code, FailureType::PermissionError);
    listing(class, &headline, &lines, &next)
}

fn out_of_sync(request: &ReleaseRequest, by: Option<&str>, wrote: bool) -> Report {
    let ours = match wrote {
        true => "this one had begun to write",
        false => "this one began",
    };
    let headline = format!(
        "{} was deployed by {} after {ours}; the later release was kept.",
        the_release(request),
        who(by, None)
    );
    present::later(&headline, by)
}

fn unrecorded(request: &ReleaseRequest, secret: &str, trouble: &RecordTrouble) -> Report {
    let release = the_release(request);
    let why = record_trouble(trouble);
    fail(
        FailureCode::ReleaseRecord,
        FailureType::ConfigurationError,
        &format!(
            "{release} was not changed: Secret `{secret}`, in which it is recorded, cannot be \
             used: {why}."
        ),
        &[],
        again::after(FailureCode::ReleaseRecord),
    )
}

/// What is wrong with the Secret.
fn record_trouble(trouble: &RecordTrouble) -> String {
    match trouble {
        RecordTrouble::Parent(ParentFault::NoParent) => {
            "it was not made by Landfall as the record of a release".to_owned()
        }
        RecordTrouble::Parent(ParentFault::OtherTool(tool)) => {
            format!("it belongs to `{}`", quote(tool))
        }
        RecordTrouble::Parent(ParentFault::OtherId(id)) => format!(
            "it was copied from another release, whose id it has (`{}`)",
            quote(id)
        ),
        RecordTrouble::TooLarge(size) => format!(
            "the release has so many objects that even their names have no room in it ({size} \
             bytes)"
        ),
    }
}

/// Its records have no place.
fn no_namespace(request: &ReleaseRequest) -> Report {
    let namespace = &request.namespace;
    fail(
        FailureCode::ReleaseFaults,
        FailureType::ConfigurationError,
        &format!(
            "{} was not changed: namespace `{namespace}` does not exist, and the records of the \
             release are kept in it.",
            the_release(request)
        ),
        &[],
        &format!(
            "Create it (`kubectl create namespace {namespace}`) and retry the stage, or correct \
             `namespace`."
        ),
    )
}

/// It failed while it was written or followed: an outage first, then the cause and its evidence,
/// what was done about it, and what to do.
fn ended(
    request: &ReleaseRequest,
    cause: &ReleaseCause,
    others: Option<String>,
    back: &WayBack,
    source: &CredentialSource,
) -> Report {
    let (code, failure_type) = cause::class(cause);
    let code = Client::of(source).code(code);
    let headline = format!(
        "{}{}{} {}: {}.",
        outage(request, cause, back),
        way_back::unserved(request, back),
        the_release(request),
        way_back::ended(request, back),
        cause::sentence(cause, &request.namespace)
    );
    let done = way_back::done(request, back);
    let done = others.into_iter().chain([done]);
    let own = (code == FailureCode::Webhook).then(|| own_webhook::next(request, &headline));
    let next = match own.flatten() {
        Some(own) => own,
        None => placed(&next(request, code, back), source),
    };
    // The last paragraph has both, and the next step is never cut.
    let room = NEXT_LIMIT.saturating_sub(next.len() + SECTION_ROOM);
    let done = clip(&done.collect::<Vec<_>>().join("\n"), room);
    failed_rollout(
        (code, failure_type),
        &headline,
        "",
        &cause::evidence(cause),
        &format!("{done}\n{next}"),
    )
}

/// Whether a workload does not serve that served before: one that was put back, one that somebody
/// deleted meanwhile, or the one that failed where nothing was put back.
pub fn is_outage(cause: &ReleaseCause, back: &WayBack) -> bool {
    !back.unserved.is_empty() || gone_out(cause, back).is_some() || lost(back).is_some()
}

/// Pods that served before and do not serve now, where nothing was put back.
fn outage(request: &ReleaseRequest, cause: &ReleaseCause, back: &WayBack) -> String {
    let named = |id| super::naming::object(id, &request.namespace);
    match (gone_out(cause, back), lost(back)) {
        (Some(id), _) => format!("Outage: no pod of {} serves. ", named(id)),
        (None, Some(id)) => format!("Outage: {} is gone. ", named(id)),
        (None, None) => String::new(),
    }
}

/// A workload that was to be put back, and that somebody has deleted.
fn lost(back: &WayBack) -> Option<&ObjectId> {
    let mut left = back.left.iter();
    let lost = left.find(|(id, why)| id.group == "apps" && *why == LeftReason::Deleted);
    lost.map(|(id, _)| id)
}

fn gone_out<'a>(cause: &'a ReleaseCause, back: &WayBack) -> Option<&'a ObjectId> {
    let ReleaseCause::Workload { id, failure, .. } = cause else {
        return None;
    };
    (!back.tried && failure.is_outage()).then_some(id)
}

/// The next step: first what keeps something from serving.
fn next(request: &ReleaseRequest, code: FailureCode, back: &WayBack) -> String {
    let help = again::after(code);
    match back.unserved.first() {
        Some((id, _)) => format!(
            "First see what keeps `{id}` from serving: `kubectl --namespace {} describe {}/{}`. \
             {help}",
            id.namespace.as_deref().unwrap_or(&request.namespace),
            id.kind.to_lowercase(),
            id.name
        ),
        None => help.to_owned(),
    }
}
