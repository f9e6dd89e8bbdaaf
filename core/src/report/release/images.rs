//! The images in a plan: which version comes is what is looked for first.

use crate::change::difference::{Difference, difference, is_image};
use crate::kubernetes::object_id::ObjectId;
use crate::release::ObjectChange;
use crate::request::image::Reference;
use crate::request::release::ReleaseRequest;
use crate::text::clip;
use serde_json::Value;

/// How much of a digest is shown beside others: `sha256:`, and as much as `docker images` shows.
const DIGEST: usize = 22;

/// Whether images come with objects that change so, which are shown before what matters less is;
/// `forms` are their texts.
pub(super) fn are_shown(change: &ObjectChange, forms: &[String]) -> bool {
    if let ObjectChange::Changed(difference) = change {
        return difference.lines.iter().any(|line| is_image(line));
    }
    // What is new has a longer text for its images alone.
    *change == ObjectChange::New && forms.len() > 1
}

/// The images of an object that is new, in lines.
pub(super) fn of_new(request: &ReleaseRequest, id: &ObjectId) -> Vec<String> {
    if !["apps", "batch"].contains(&id.group.as_str()) {
        return Vec::new();
    }
    let mut manifests = request.manifests.iter();
    let manifest = manifests.find(|manifest| {
        let namespace = manifest.namespace.as_ref().unwrap_or(&request.namespace);
        manifest.kind == id.kind
            && manifest.name == id.name
            && Some(namespace) == id.namespace.as_ref()
    });
    let all = manifest.map(|it| difference(&Value::Null, &it.object()).lines);
    let mut lines = all.unwrap_or_default();
    lines.retain(|line| is_image(line));
    lines
        .iter()
        .map(|line| line.replacen("+ ", "", 1))
        .collect()
}

/// The lines of a difference, those of images first.
pub(super) fn by_weight(difference: &Difference) -> Vec<&String> {
    let mut lines = difference.lines.iter().collect::<Vec<_>>();
    lines.sort_by_key(|line| !is_image(line));
    lines
}

/// The images alone: `app :1 → :2, and 8 more fields`.
pub(super) fn in_short(lines: &[&String], number: usize) -> Option<String> {
    let images = lines.iter().map_while(|line| image_in_short(line));
    let images = images.collect::<Vec<_>>();
    let more = match number.saturating_sub(images.len()) {
        0 => String::new(),
        1 => ", and 1 more field".to_owned(),
        more => format!(", and {more} more fields"),
    };
    (!images.is_empty()).then(|| images.join(", ") + &more)
}

/// The container and what changes of its image: of one of the same name the tag or the digest.
fn image_in_short(line: &str) -> Option<String> {
    let (field, images) = line.split_once(": ")?;
    let container = field.strip_suffix("].image")?.rsplit('[').next()?;
    let (old, new) = images.split_once(" → ")?;
    let (before, after) = (Reference::parse(old).ok()?, Reference::parse(new).ok()?);
    Some(match (before.tag, after.tag, before.digest, after.digest) {
        _ if before.name != after.name => format!("{container} → {new}"),
        (Some(old), Some(new), ..) if old != new => format!("{container} :{old} → :{new}"),
        (_, _, Some(old), Some(new)) => {
            format!(
                "{container} @{} → @{}",
                clip(old, DIGEST),
                clip(new, DIGEST)
            )
        }
        _ => format!("{container} → {new}"),
    })
}
