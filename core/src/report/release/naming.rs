//! How messages about a release name it and its objects.

use crate::kubernetes::object_id::ObjectId;
use crate::request::release::ReleaseRequest;

/// How many objects a message names in one list.
const NAMED: usize = 8;

/// How long the names of one list are together: the names of definitions are long.
const NAMES_LIMIT: usize = 200;

/// The release: `release `shop` in `prod``, without a capital.
pub(super) fn release(request: &ReleaseRequest) -> String {
    format!("release `{}` in `{}`", request.name, request.namespace)
}

/// The release at the beginning of a sentence; of a Job that runs before a workload, the workload.
pub(super) fn the_release(request: &ReleaseRequest) -> String {
    if let Some(workload) = &request.before {
        return object(workload, "");
    }
    format!("Release `{}` in `{}`", request.name, request.namespace)
}

/// An object, with its namespace where that is not the release's.
pub(super) fn object(id: &ObjectId, namespace: &str) -> String {
    match id.namespace.as_deref() {
        Some(other) if other != namespace => format!("`{id}` in `{other}`"),
        Some(_) | None => format!("`{id}`"),
    }
}

/// Some objects by their names, and how many more there are.
pub(super) fn objects<'a>(ids: impl IntoIterator<Item = &'a ObjectId>, namespace: &str) -> String {
    let all = ids.into_iter().map(|id| object(id, namespace));
    names(all.collect())
}

/// Names in a row, as many as are read at a glance, so that what is said of them has room.
pub(super) fn names(all: Vec<String>) -> String {
    row(all, NAMES_LIMIT)
}

/// Some texts in a row, and how many more there are.
pub(super) fn some_of(all: Vec<String>) -> String {
    row(all, usize::MAX)
}

/// At least one text, as far as there is one, and no more than together have this length.
fn row(mut all: Vec<String>, limit: usize) -> String {
    let mut length = 0;
    let fits = all.iter().take(NAMED).take_while(|text| {
        length += text.len();
        length <= limit
    });
    let shown = fits.count().max(1).min(all.len());
    let more = all.len() - shown;
    all.truncate(shown);
    match more {
        0 => all.join(", "),
        more => format!("{} and {more} more", all.join(", ")),
    }
}

/// `1 object`, `2 objects`.
pub(super) fn count(number: usize) -> String {
    match number {
        1 => "1 object".to_owned(),
        number => format!("{number} objects"),
    }
}

/// `2 objects new, 1 changed`: what there is of these.
pub(super) fn counted(parts: &[(usize, &str)]) -> String {
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts = parts
        .enumerate()
        .map(|(index, (number, what))| match index {
            0 => format!("{} {what}", count(*number)),
            _ => format!("{number} {what}"),
        });
    parts.collect::<Vec<_>>().join(", ")
}
