//! What a manager no longer applies leaves the object, unless another manager has it.

use crate::world::api::fields::remove::without;
use crate::world::api::fields::set::Set;
use crate::world::api::fields::types::Type;
use crate::world::api::fields::walk::fields_of;
use serde_json::Value;

/// The merged object without the fields that were applied last time and that nobody has any more.
/// `all` is what all managers have, the applying one included.
pub(crate) fn pruned(of: &Type, merged: &Value, last: &Set, all: &Set) -> Value {
    if last.is_empty() {
        return merged.clone();
    }
    let last = last.with_named(Some(of));
    let bare = without(of, merged, &last);
    let has = fields_of(of, merged).with_named(Some(of));
    let kept = fields_of(of, &bare).with_named(Some(of));
    let owned = all.with_named(Some(of));
    let bare = without(of, merged, &has.difference(&kept.union(&owned)));
    // Only what was applied last time goes.
    let kept = fields_of(of, &bare).with_named(Some(of));
    without(of, merged, &has.difference(&kept).intersection(&last))
}
