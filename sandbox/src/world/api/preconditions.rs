//! What a body must match: the path's names, the object's uid and version.

use crate::world::api::kinds::Kind;
use crate::world::api::message::Answer;
use crate::world::api::status;
use crate::world::object::text;
use crate::world::store::version_of;
use serde_json::Value;

pub(crate) fn check_namespace(object: &Value, namespace: &str) -> Result<(), Answer> {
    match text(object, "/metadata/namespace") {
        said if said.is_empty() || said == namespace => Ok(()),
        _ => Err(status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
    }
}

pub(crate) fn check_name(object: &Value, name: &str) -> Result<(), Answer> {
    match text(object, "/metadata/name") {
        "" => Err(status::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        said if said == name => Ok(()),
        said => Err(status::bad_request(format!(
            "the name of the object ({said}) does not match the name on the URL ({name})"
        ))),
    }
}

/// A patch cannot turn the object into another one.
pub(crate) fn check_uid(kind: &Kind, object: &Value, old: &Value) -> Result<(), Answer> {
    let (ours, theirs) = (&object["metadata"]["uid"], &old["metadata"]["uid"]);
    if ours == theirs || ours.is_null() {
        return Ok(());
    }
    let cause = status::Cause {
        reason: "FieldValueInvalid",
        message: format!("Invalid value: {ours}: field is immutable"),
        field: "metadata.uid".to_owned(),
    };
    let name = text(old, "/metadata/name");
    Err(status::invalid(kind.name, kind.group, name, &[cause]))
}

pub(crate) fn check_version(kind: &Kind, object: &Value, old: &Value) -> Result<(), Answer> {
    match version_of(object) {
        said if said.is_empty() || said == version_of(old) => Ok(()),
        said if said.parse::<u64>().is_err() => {
            let message = status::no_number(said);
            Err(status::refusal(500, "", message, Value::Null))
        }
        _ => Err(status::modified(kind, text(old, "/metadata/name"))),
    }
}

pub(crate) fn check_preconditions(
    kind: &Kind,
    name: &str,
    options: &Value,
    old: &Value,
) -> Result<(), Answer> {
    let (uid, current) = (
        text(options, "/preconditions/uid"),
        text(old, "/metadata/uid"),
    );
    if !uid.is_empty() && uid != current {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({current}). \
             The object might have been deleted and then recreated"
        );
        return Err(status::conflict(kind, name, &why));
    }
    let (version, current) = (
        text(options, "/preconditions/resourceVersion"),
        version_of(old),
    );
    if !version.is_empty() && version != current {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the \
             ResourceVersion in record ({current}). The object might have been modified"
        );
        return Err(status::conflict(kind, name, &why));
    }
    Ok(())
}
