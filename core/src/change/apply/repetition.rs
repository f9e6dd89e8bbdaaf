//! Whether an apply would change nothing, as far as the object itself tells: then the server need
//! not be asked.

use super::fields::{Fields, get_item};
use super::takeover::{entries, is_ours, owned, takeover};
use serde_json::Value;

/// Metadata that says which object it is; nobody owns it.
const IDENTITY: [&str; 2] = ["name", "namespace"];

/// Whether applying `body` to the object as it was read certainly changes nothing: we own exactly
/// what is applied, all of it has the value that is applied, and nothing is to be taken over.
///
/// `false` does not mean that something changes. The server writes many values in another form
/// (`1000m` as `1`), and may fill in parts of what is owned as a whole; only a dry run tells.
pub fn is_repetition(body: &Value, live: &Value) -> bool {
    let mut all = entries(live).iter().filter(|entry| is_ours(entry));
    let (Some(ours), None) = (all.next(), all.next()) else {
        return false;
    };
    // The paths of another version may mean something else.
    if ours["apiVersion"] != body["apiVersion"] || live["apiVersion"] != body["apiVersion"] {
        return false;
    }
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !["apiVersion", "kind"].contains(&name.as_str()));
    }
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !IDENTITY.contains(&name.as_str()));
    }
    is_same(&body, live, &owned(ours)) && takeover(live).is_none()
}

fn is_same(body: &Value, live: &Value, ours: &Fields) -> bool {
    if ours.is_leaf() {
        return body == live && !body.is_null();
    }
    match (body, live) {
        (Value::Object(fields), Value::Object(_)) => {
            fields.len() == ours.len()
                && fields.iter().all(|(name, value)| {
                    let own = ours.child(&format!("f:{name}"));
                    let found = live.get(name);
                    let both = found.zip(own);
                    both.is_some_and(|(live, own)| is_same(value, live, own))
                })
        }
        (Value::Array(items), Value::Array(found)) => {
            items.len() == ours.len() && are_same(items, found, ours)
        }
        (_, _) => false,
    }
}

/// Whether the items of a list are the same ones in the same order.
fn are_same(items: &[Value], found: &[Value], ours: &Fields) -> bool {
    let mut places = Vec::new();
    for (element, own) in ours.children() {
        let (Some(at), Some(place)) = (get_item(items, element), get_item(found, element)) else {
            return false;
        };
        if !is_same(&items[at], &found[place], own) {
            return false;
        }
        places.push((at, place));
    }
    places.sort_unstable();
    places
        .windows(2)
        .all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1)
}

#[cfg(test)]
mod tests;
