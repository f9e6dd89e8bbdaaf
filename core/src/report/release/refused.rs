//! What keeps an object from being applied, in a clause about it.

use super::super::refusal;
use super::super::rollout_failed::what_failed;
use super::object;
use crate::change::apply::{ApplyRefusal, FieldConflict};
use crate::kubernetes::Refusal;
use crate::kubernetes::object_id::ObjectId;
use crate::outcome::{FailureCode, FailureType};
use crate::release::{ObjectFault, ObjectTrouble, ReleaseFailure};
use crate::state::continuation::Reason;
use crate::text::{clip, list, one_line, quote};
use std::collections::BTreeMap;

/// The status of a call that the authorizer denies.
const FORBIDDEN: u16 = 403;

/// How much of the API server's words is told of one object.
const SAID_LIMIT: usize = 400;

/// What keeps a release from beginning, by names alone, for the log: objects with their files and
/// fields, or permissions.
pub fn names(failure: &ReleaseFailure) -> Vec<String> {
    if let ReleaseFailure::Faults(faults) = failure {
        return faults.iter().map(name).collect();
    }
    if let ReleaseFailure::Forbidden(missing) = failure {
        let missing = missing.iter();
        let missing = missing.map(|(it, _)| format!("{} {}", it.verb, it.resource));
        return missing.collect();
    }
    Vec::new()
}

fn name(fault: &ObjectFault) -> String {
    let ObjectFault { id, place, trouble } = fault;
    let fields = fields(trouble).join(" ");
    format!("{id} ({place}) {fields}").trim_end().to_owned()
}

/// The fields that an object's trouble is about.
fn fields(trouble: &ObjectTrouble) -> Vec<&str> {
    if let ObjectTrouble::Fault(fault) = trouble {
        return vec![fault.field.as_str()];
    }
    let ObjectTrouble::Refused(meaning, _) = trouble else {
        return Vec::new();
    };
    if let ApplyRefusal::Invalid(wrong) = meaning {
        return wrong.iter().map(|(field, _)| field.as_str()).collect();
    }
    if let ApplyRefusal::Conflict(fields) = meaning {
        return fields.iter().map(|it| it.field.as_str()).collect();
    }
    if let ApplyRefusal::UnknownField(fields) | ApplyRefusal::Immutable(fields) = meaning {
        return fields.iter().map(String::as_str).collect();
    }
    Vec::new()
}

/// What is wrong with an object, without its name: "its namespace does not exist".
pub(super) fn wrong(id: &ObjectId, trouble: &ObjectTrouble) -> String {
    let text = match trouble {
        ObjectTrouble::Fault(fault) => fault.to_string(),
        ObjectTrouble::UnknownKind(version) => format!(
            "the cluster does not serve its kind in `{}`, and no CustomResourceDefinition of the \
             release brings it",
            quote(version)
        ),
        ObjectTrouble::OwnNamespace => "it is the namespace of the release itself, whose records \
            are kept in it: create it before (`kubectl create namespace`), or name another one by \
            `namespace`, and this one by `namespaces`"
            .to_owned(),
        ObjectTrouble::BeingDeleted(finalizers) => object::going(finalizers),
        ObjectTrouble::Foreign(owners) => {
            let owners = owners.iter().map(|owner| owner.to_string());
            let owners = owners.collect::<Vec<_>>().join(" and ");
            format!("it belongs to {}", one_line(&owners))
        }
        ObjectTrouble::Refused(ApplyRefusal::NamespaceMissing, _) => match &id.namespace {
            Some(namespace) => format!("its namespace `{namespace}` does not exist"),
            None => "its namespace does not exist".to_owned(),
        },
        ObjectTrouble::Refused(meaning, refusal) => refused(meaning, refusal),
    };
    clip(&text, SAID_LIMIT)
}

fn refused(meaning: &ApplyRefusal, refusal: &Refusal) -> String {
    match meaning {
        ApplyRefusal::Conflict(fields) => conflict(fields),
        ApplyRefusal::Stale => "somebody else kept changing it at the same time".to_owned(),
        ApplyRefusal::UnknownField(fields) => {
            format!("its kind has no {}", list(fields))
        }
        ApplyRefusal::DuplicateKey(said) => {
            let said = said.iter().map(|line| quote(line)).collect::<Vec<_>>();
            format!("it has something twice: {}", said.join("; "))
        }
        ApplyRefusal::Immutable(fields) if fields.iter().all(String::is_empty) => {
            "it cannot be changed as its manifest asks for".to_owned()
        }
        ApplyRefusal::Immutable(fields) => {
            format!("{} cannot be changed once it exists", list(fields))
        }
        ApplyRefusal::Invalid(wrong) => {
            let each = wrong.iter().map(|(field, wrong)| match field.as_str() {
                "" => quote(wrong),
                field => format!("`{field}`: {}", quote(wrong)),
            });
            each.collect::<Vec<_>>().join("; ")
        }
        ApplyRefusal::NamespaceMissing => "its namespace does not exist".to_owned(),
        ApplyRefusal::NamespaceEnding => "its namespace is being deleted".to_owned(),
        ApplyRefusal::KindMissing => {
            "the cluster does not serve its kind in this version".to_owned()
        }
        ApplyRefusal::RoleMissing(role) => {
            format!("the role `{}` that it binds does not exist", quote(role))
        }
        ApplyRefusal::Forbidden(_) => {
            format!("the function may not apply it ({})", refusal::said(refusal))
        }
        ApplyRefusal::Escalation(rules) => {
            let rules = rules.iter().map(|rule| quote(rule)).collect::<Vec<_>>();
            format!(
                "it grants what the function itself may not do: {}",
                rules.join("; ")
            )
        }
        ApplyRefusal::WebhookAway { name, .. } => match name.as_str() {
            "" => format!(
                "an admission webhook does not answer ({})",
                refusal::said(refusal)
            ),
            name => format!("the admission webhook `{}` does not answer", quote(name)),
        },
        ApplyRefusal::QuotaRace => {
            "others kept changing the quota that it counts against".to_owned()
        }
        ApplyRefusal::OtherVersion => format!(
            "its fields were applied in another version of its kind, in which it has no place any \
             more ({})",
            refusal::said(refusal)
        ),
        ApplyRefusal::Other(_) => refusal::why(refusal, "apply it"),
    }
}

/// Whether a definition is refused because objects may be stored in a version that it lacks.
pub(super) fn is_of_stored(trouble: &ObjectTrouble) -> bool {
    let ObjectTrouble::Refused(ApplyRefusal::Invalid(wrong), _) = trouble else {
        return false;
    };
    let mut fields = wrong.iter().map(|(field, _)| field);
    fields.all(|field| field.starts_with("status.storedVersions"))
}

/// Whether its namespace is missing.
pub(super) fn is_of_namespace(trouble: &ObjectTrouble) -> bool {
    matches!(
        trouble,
        ObjectTrouble::Refused(ApplyRefusal::NamespaceMissing, _)
    )
}

/// The fields by the manager that owns them.
fn conflict(fields: &[FieldConflict]) -> String {
    let mut owned: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for FieldConflict { field, manager } in fields {
        owned.entry(manager).or_default().push(field.clone());
    }
    let owned = owned.iter();
    let owned =
        owned.map(|(manager, fields)| format!("`{}` owns {}", quote(manager), list(fields)));
    owned.collect::<Vec<_>>().join("; ")
}

/// What to do where the objects of an earlier revision are refused, which nobody can correct.
pub(super) const RECORDED: &str = "The manifests are those of the earlier revision: change what \
    keeps them out of the cluster and retry the stage, or release corrected ones in place of the \
    rollback.";

/// Section and type.
pub(super) fn class(trouble: &ObjectTrouble) -> (FailureCode, FailureType) {
    let code = match trouble {
        ObjectTrouble::Fault(_) | ObjectTrouble::UnknownKind(_) | ObjectTrouble::OwnNamespace => {
            FailureCode::ReleaseFaults
        }
        ObjectTrouble::BeingDeleted(_) => FailureCode::BeingDeleted,
        ObjectTrouble::Foreign(_) => FailureCode::ForeignObject,
        ObjectTrouble::Refused(ApplyRefusal::Other(cause), _) => return refusal::class(cause),
        ObjectTrouble::Refused(ApplyRefusal::Immutable(_), _) => FailureCode::Immutable,
        ObjectTrouble::Refused(..) => {
            let reason = reason(trouble);
            // Otherwise the manifest is wrong.
            if reason != Reason::Object {
                return what_failed(None, Some(reason));
            }
            FailureCode::ReleaseFaults
        }
    };
    (code, FailureType::ConfigurationError)
}

/// What failed, for a later invocation.
pub(super) fn reason(trouble: &ObjectTrouble) -> Reason {
    let ObjectTrouble::Refused(meaning, refusal) = trouble else {
        return Reason::Object;
    };
    match meaning {
        ApplyRefusal::Conflict(_) => Reason::Conflict,
        ApplyRefusal::Stale => Reason::Overtaken,
        ApplyRefusal::NamespaceEnding => Reason::NamespaceEnding,
        ApplyRefusal::Forbidden(_) | ApplyRefusal::Escalation(_) => Reason::Refused(FORBIDDEN),
        ApplyRefusal::WebhookAway { .. } => Reason::Webhook,
        ApplyRefusal::QuotaRace => Reason::Quota,
        ApplyRefusal::Other(_) => refusal::reason(refusal),
        ApplyRefusal::UnknownField(_)
        | ApplyRefusal::DuplicateKey(_)
        | ApplyRefusal::Immutable(_)
        | ApplyRefusal::Invalid(_)
        | ApplyRefusal::NamespaceMissing
        | ApplyRefusal::KindMissing
        | ApplyRefusal::OtherVersion
        | ApplyRefusal::RoleMissing(_) => Reason::Object,
    }
}
