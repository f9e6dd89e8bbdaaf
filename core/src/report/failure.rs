//! A deploy that came to nothing.

use super::client::Client;
use super::eks;
use super::model::{Report, fail, target, who};
use super::rollout_failed::{roles, rollout_failed};
use super::{alarms, faults, outage, present};
use crate::change::asked::Lost;
use crate::change::editor::Editor;
use crate::kubernetes::call::Permission;
use crate::kubernetes::refusal::User;
use crate::outcome::{CredentialSource, FailureCode, FailureType};
use crate::request::Request;
use crate::strategy::Failure;
use crate::text::{listed, words};
use crate::workload::Kind;
use crate::workload::health::rollout::serving::Serving;
use jiff::Timestamp;
use std::time::Duration;

/// A deploy that came to nothing. `source` is where the access to the cluster comes from.
pub fn failure(request: &Request, failure: &Failure, source: &CredentialSource) -> Report {
    match failure {
        Failure::Faults(faults) => faults::refused(request, faults, None),
        Failure::Missing => missing(request),
        Failure::BeingDeleted => being_deleted(request),
        Failure::Paused => paused(request),
        Failure::TooLate => too_late(&target(request), request.timeout),
        Failure::Locked { execution, until } => locked(
            &target(request),
            request.timeout,
            (execution, "held the lock on the same Service"),
            *until,
        ),
        Failure::Ringing(ring, ended) => alarms::ringing(&target(request), ring, ended.as_deref()),
        Failure::AlarmsUnreadable(error) => alarms::unreadable(&target(request), error),
        Failure::Forbidden(permissions) => forbidden(request, permissions, source),
        Failure::Deleted(left) => deleted(request, *left),
        Failure::EndUnseen => end_unseen(request),
        Failure::OutOfSync { by, wrote } => out_of_sync(request, by.as_deref(), *wrote),
        Failure::Overwritten { lost, editor } => overwritten(request, lost, editor.as_ref()),
        Failure::SetAside {
            by,
            editor,
            present,
        } => present::set_aside(request, by.as_deref(), editor.as_ref(), present),
        Failure::Rollout {
            failure,
            rollback_result,
        } => rollout_failed(request, failure, rollback_result, source),
    }
}

fn missing(request: &Request) -> Report {
    let target = target(request);
    let namespace = &request.namespace;
    let plural = request.kind.row().names[1];
    let field = match request.kind {
        Kind::Deployment => "deployment",
        Kind::StatefulSet | Kind::DaemonSet | Kind::Job => "workload",
    };
    // A rollback has no manifest to create anything of.
    let (nothing, or_else) = match request.mode.is_rollback() {
        true => ("to roll back", ""),
        false => ("to patch", ", or give a `manifest` to create it"),
    };
    fail(
        FailureCode::Missing,
        FailureType::ConfigurationError,
        &format!("{target} does not exist, so there was nothing {nothing}."),
        &[],
        &format!(
            "Check `{field}` and `namespace` (`kubectl --namespace {namespace} get {plural}` lists \
             what is there){or_else}."
        ),
    )
}

fn being_deleted(request: &Request) -> Report {
    let target = target(request);
    fail(
        FailureCode::BeingDeleted,
        FailureType::ConfigurationError,
        &format!("{target} is being deleted, so nothing was changed."),
        &[],
        "Wait until it is gone, then create it again with a `manifest`.",
    )
}

fn paused(request: &Request) -> Report {
    let target = target(request);
    let (namespace, name) = (&request.namespace, &request.deployment);
    fail(
        FailureCode::Paused,
        FailureType::ConfigurationError,
        &format!("{target} is paused: somebody stopped its rollouts, so nothing was changed."),
        &[],
        &format!(
            "Resume it with `kubectl --namespace {namespace} rollout resume \
             deployment/{name}`, then retry the stage."
        ),
    )
}

/// The time was over before anything was written.
pub(super) fn too_late(target: &str, timeout: Duration) -> Report {
    fail(
        FailureCode::TooLate,
        FailureType::SystemUnavailable,
        &format!(
            "{target} was not changed: the timeout of {} expired before anything could be \
             written to the cluster.",
            words(timeout)
        ),
        &[],
        "Retry the stage; if the cluster is slow to answer, raise `timeout`.",
    )
}

fn deleted(request: &Request, left: Option<Serving>) -> Report {
    let headline = format!("{} was deleted during its rollout.", target(request));
    let left_alone = left.filter(|left| left.available > 0).map(|left| {
        let pods = match left.available {
            1 => "pods was left behind and is",
            _ => "pods were left behind and are",
        };
        format!(
            "{} of its {pods} still ready; nothing rolls them out any more.",
            left.available
        )
    });
    fail(
        FailureCode::Deleted,
        FailureType::JobFailed,
        &outage::told(request, left, headline),
        left_alone.as_slice(),
        "Find out who deleted it. A deploy with a `manifest` creates it again.",
    )
}

fn end_unseen(request: &Request) -> Report {
    fail(
        FailureCode::Deleted,
        FailureType::JobFailed,
        &format!(
            "{} was deleted before its end was seen, so whether it completed is unknown.",
            target(request)
        ),
        &[],
        "Find out who deleted it. Kubernetes does that itself after `ttlSecondsAfterFinished`: \
         give the Job at least 300, then retry the stage.",
    )
}

fn forbidden(request: &Request, permissions: &[Permission], source: &CredentialSource) -> Report {
    let client = Client::of(source);
    let may_not = permissions.iter().map(Permission::to_string);
    let grant = permissions
        .iter()
        .map(|right| format!("the verb `{}` on `{}`", right.verb, right.resource));
    let next = match client {
        Client::Role(cluster) => {
            let asks = may_not.clone().next().unwrap_or_default();
            let (namespace, roles) = (&request.namespace, roles(request));
            eks::give_group(cluster, &User::Unknown, &asks, namespace, roles)
        }
        Client::Token | Client::Certificate => format!(
            "Grant {} to {} by a Role in this namespace; {} all verbs that are needed.",
            listed(grant.collect()),
            client.account(),
            roles(request)
        ),
    };
    fail(
        client.code(FailureCode::Forbidden),
        FailureType::PermissionError,
        &format!(
            "{} was not changed: {} may not {}.",
            target(request),
            client.noun(),
            listed(may_not.collect())
        ),
        &[],
        &next,
    )
}

/// Another execution was at work the whole time: `at_work` says on what.
pub(super) fn locked(
    target: &str,
    timeout: Duration,
    (execution, at_work): (&str, &str),
    until: Timestamp,
) -> Report {
    fail(
        FailureCode::Locked,
        FailureType::RevisionOutOfSync,
        &format!(
            "{target} was not changed: execution `{execution}` {at_work} for as long as this one \
             could wait within its timeout of {}. Nothing was started.",
            words(timeout)
        ),
        &[],
        &format!(
            "Retry the stage when that execution has finished. If it was stopped, its lock \
             expires at {until:.0}."
        ),
    )
}

fn out_of_sync(request: &Request, by: Option<&str>, wrote: bool) -> Report {
    let who = who(by, None);
    let ours = match wrote {
        true => "this deploy wrote its version",
        false => "this deploy began",
    };
    let changed = match request.strategy.switch() {
        Some(switch) => format!("Service `{}` in `{}`", switch.service, request.namespace),
        None => target(request),
    };
    let headline =
        format!("{changed} was changed by {who} after {ours}; the later change was kept.");
    present::later(&headline, by)
}

/// Someone took back what was asked for: which field, and who.
fn overwritten(request: &Request, lost: &Lost, editor: Option<&Editor>) -> Report {
    let headline = format!(
        "{} was changed by {} after this deploy wrote its version: `{}` {}; the later change was \
         kept.",
        target(request),
        who(None, editor),
        lost.field,
        lost.problem()
    );
    present::later(&headline, None)
}
