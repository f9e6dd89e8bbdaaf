//! Strategic merge patches.
//!
//! <https://github.com/kubernetes/apimachinery/blob/master/pkg/util/strategicpatch/patch.go>

use crate::world::api::schema::shape::{Shape, shape, unstructured_kind};
use serde_json::{Map, Value, json};

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const ORDER_NAME: &str = "$setElementOrder";
/// The only fault that counts as the client's; the server treats all others as its own.
pub(crate) const BAD_RETAIN: &str = "invalid patch format of retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Applies JSON-patch operations, all or none, like the server's library: it replaces missing
/// values, copies missing ones as null, and a test for null succeeds for a missing value.
/// <https://github.com/evanphx/json-patch/blob/v4.13.0/patch.go>
pub(crate) fn operations(object: &mut Value, operations: &[Value]) -> Result<(), ()> {
    let mut result = object.clone();
    for given in operations {
        let path = given["path"].as_str().unwrap_or_default();
        let from = given["from"].as_str().unwrap_or_default();
        let missing = result.pointer(path).is_none();
        let mut operation = given.clone();
        match given["op"].as_str() {
            Some("test") if missing && given["value"].is_null() && in_object(&result, path) => {
                continue;
            }
            Some("replace") if missing && in_object(&result, path) => {
                operation["op"] = "add".into();
            }
            // The target is resolved after the source was removed.
            Some("move") => {
                let value = result.pointer(from).cloned().ok_or(())?;
                apply(&mut result, json!({"op": "remove", "path": from}))?;
                operation = json!({"op": "add", "path": path, "value": value});
            }
            Some("copy") if result.pointer(from).is_none() && in_object(&result, from) => {
                operation = json!({"op": "add", "path": path, "value": null});
            }
            _ => {}
        }
        apply(&mut result, operation)?;
    }
    *object = result;
    Ok(())
}

fn apply(object: &mut Value, operation: Value) -> Result<(), ()> {
    let operation: json_patch::PatchOperation =
        serde_json::from_value(operation).map_err(|_| ())?;
    json_patch::patch(object, &[operation]).map_err(|_| ())
}

fn in_object(value: &Value, path: &str) -> bool {
    let parent = path.rsplit_once('/').map(|(parent, _)| parent);
    parent
        .and_then(|parent| value.pointer(parent))
        .is_some_and(Value::is_object)
}

/// Applies a strategic merge patch to an object of a kind.
pub(crate) fn strategic(kind: &str, object: &mut Value, patch: &Value) -> Result<(), String> {
    match (object.as_object_mut(), patch.as_object()) {
        (Some(object), Some(patch)) => merge_object(Some(kind), object, patch),
        _ => Err("invalid JSON document".to_owned()),
    }
}

fn merge_object(
    kind: Option<&str>,
    object: &mut Map<String, Value>,
    patch: &Map<String, Value>,
) -> Result<(), String> {
    match patch.get(DIRECTIVE).map(Value::as_str) {
        Some(Some("replace")) => {
            *object = patch.clone();
            object.remove(DIRECTIVE);
            return Ok(());
        }
        Some(Some("delete")) => {
            object.clear();
            return Ok(());
        }
        Some(_) => return Err(unknown_directive(patch)),
        None => {}
    }
    retain_keys(object, patch)?;
    for (name, order) in patch {
        if let Some(field) = name.strip_prefix(ORDER) {
            merge_ordered(kind, object, field, patch.get(field), order)?;
        }
    }
    for (name, value) in patch {
        let is_ordered = patch.contains_key(&format!("{ORDER}{name}"));
        if let Some(field) = name.strip_prefix(DELETE_FROM) {
            delete_primitives(object, field, value);
        } else if name != RETAIN && !name.starts_with(ORDER) && !is_ordered {
            merge_field(kind, object, name, value)?;
        }
    }
    Ok(())
}

fn unknown_directive(patch: &Map<String, Value>) -> String {
    let directive = go(patch.get(DIRECTIVE).unwrap_or(&Value::Null));
    let patch = go(&Value::Object(patch.clone()));
    format!("unknown patch type: {directive} in map: {patch}")
}

/// Removes the keys that the directive does not name; it must name the keys of the patch.
fn retain_keys(object: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<(), String> {
    let Some(directive) = patch.get(RETAIN) else {
        return Ok(());
    };
    let broken = || BAD_RETAIN.to_owned();
    let keys = directive.as_array().ok_or_else(broken)?;
    let named = |name: &String| keys.iter().any(|key| key == name);
    let free =
        |name: &str| name == RETAIN || name.starts_with(ORDER) || name.starts_with(DELETE_FROM);
    let mut fields = patch.iter();
    if !fields.all(|(name, value)| value.is_null() || free(name) || named(name)) {
        return Err(broken());
    }
    object.retain(|name, _| named(name));
    Ok(())
}

fn merge_field(
    kind: Option<&str>,
    object: &mut Map<String, Value>,
    name: &str,
    value: &Value,
) -> Result<(), String> {
    match (object.get_mut(name), value) {
        (_, Value::Null) => {
            object.remove(name);
        }
        (Some(Value::Object(current)), Value::Object(patch)) => {
            merge_object(shape(kind, name).object(), current, patch)?;
        }
        (Some(Value::Array(current)), Value::Array(patch)) => {
            *current = merge_list(shape(kind, name), current, patch)?;
        }
        (_, value) => match without_directives(&without_nulls(value)) {
            Some(value) => {
                object.insert(name.to_owned(), value);
            }
            None => {
                object.remove(name);
            }
        },
    }
    Ok(())
}

/// Merges a list with `$setElementOrder`, which also sorts the elements that the patch does not
/// contain.
fn merge_ordered(
    kind: Option<&str>,
    object: &mut Map<String, Value>,
    name: &str,
    patch: Option<&Value>,
    order: &Value,
) -> Result<(), String> {
    let wrong = |value: &Value| {
        let kind = unstructured_kind(value);
        format!("expected a []interface {{}}, but received a {kind}")
    };
    let as_list = |value: &Value| value.as_array().cloned().ok_or_else(|| wrong(value));
    let order = as_list(order)?;
    let server = object.get(name).map(as_list).transpose()?;
    let patch = patch.map(as_list).transpose()?;
    let shape = shape(kind, name);
    let key = shape.key();
    check_order(patch.as_deref().unwrap_or_default(), &order, key)?;
    let merged = match (&server, &patch) {
        (None, None) => return Ok(()),
        (Some(server), None) => server.clone(),
        (None, Some(patch)) => patch.iter().filter_map(without_directives).collect(),
        (Some(server), Some(patch)) => merge_list(shape, server, patch)?,
    };
    let server = server.unwrap_or_default();
    if server.is_empty() && patch.is_none_or(|patch| patch.is_empty()) {
        return Err("no elements in any of the given slices".to_owned());
    }
    let sorted = sorted(merged, &server, &order, |item| identity(item, key));
    object.insert(name.to_owned(), sorted.into());
    Ok(())
}

fn identity(item: &Value, key: Option<&str>) -> Value {
    key.map_or_else(|| item.clone(), |key| item[key].clone())
}

fn merge_list(shape: Shape, server: &[Value], patch: &[Value]) -> Result<Vec<Value>, String> {
    if let Shape::List {
        item,
        key: Some(key),
    } = shape
    {
        return merge_by_key(item, key, server, patch);
    }
    if shape != (Shape::TextList { merged: true }) {
        return Ok(patch.to_vec());
    }
    let new = patch.iter().filter(|item| !server.contains(item));
    let merged = server.iter().chain(new).cloned().collect();
    Ok(sorted(merged, server, patch, Value::clone))
}

/// Merges two lists by key. An element that only the patch has is used unchanged, with its nulls
/// and directives.
fn merge_by_key(
    kind: Option<&str>,
    key: &str,
    server: &[Value],
    patch: &[Value],
) -> Result<Vec<Value>, String> {
    let mut merged = server.to_vec();
    let mut rest = Vec::new();
    let mut replaces = false;
    for item in patch {
        let Some(fields) = item.as_object() else {
            let (server, patch) = (go(&server.into()), go(&patch.into()));
            return Err(format!(
                "list element types are not identical: [{server} {patch}]"
            ));
        };
        match fields.get(DIRECTIVE).map(|directive| directive.as_str()) {
            None => rest.push(item),
            Some(Some("replace")) => replaces = true,
            Some(Some("delete")) => {
                check_key(item, key)?;
                merged.retain(|element| element[key] != item[key]);
            }
            Some(Some("merge")) => {
                return Err("merging lists cannot yet be specified in the patch".to_owned());
            }
            Some(_) => return Err(unknown_directive(fields)),
        }
    }
    if replaces {
        rest.iter().try_for_each(|item| check_key(item, key))?;
        return Ok(rest.into_iter().cloned().collect());
    }
    let left = merged.clone();
    let order: Vec<Value> = rest.iter().copied().cloned().collect();
    for item in rest {
        check_key(item, key)?;
        let found = merged.iter_mut().find(|element| element[key] == item[key]);
        match (found.and_then(Value::as_object_mut), item.as_object()) {
            (Some(element), Some(item)) => merge_object(kind, element, item)?,
            _ => merged.push(item.clone()),
        }
    }
    Ok(sorted(merged, &left, &order, |item| item[key].clone()))
}

fn check_key(item: &Value, key: &str) -> Result<(), String> {
    if item.get(key).is_some() {
        return Ok(());
    }
    Err(format!(
        "map: {} does not contain declared merge key: {key}",
        go(item)
    ))
}

/// Whether an order names every element of the patch, in the patch's order.
fn check_order(patch: &[Value], order: &[Value], key: Option<&str>) -> Result<(), String> {
    if order.is_empty() {
        return Ok(());
    }
    let mut kept = patch.iter().filter(|item| item.get(DIRECTIVE).is_none());
    let mut places = order.iter();
    if kept.all(|item| places.any(|place| identity(place, key) == identity(item, key))) {
        return Ok(());
    }
    let (patch, order) = (go(&patch.into()), go(&order.into()));
    Err(format!(
        "The order in patch list:\n{patch}\n doesn't match {ORDER_NAME} list:\n{order}\n"
    ))
}

/// The order of a merged list: the patch's elements in the patch's order, and each element that
/// only the server has after the elements before it. So a new element comes first, not last.
fn sorted(
    merged: Vec<Value>,
    server: &[Value],
    order: &[Value],
    key: impl Fn(&Value) -> Value,
) -> Vec<Value> {
    let place =
        |list: &[Value], item: &Value| list.iter().position(|other| key(other) == key(item));
    let (mut named, mut rest): (Vec<Value>, Vec<Value>) = merged
        .into_iter()
        .partition(|item| place(order, item).is_some());
    named.sort_by_key(|item| place(order, item));
    // New elements that the order does not name come last.
    rest.sort_by_key(|item| place(server, item).unwrap_or(server.len()));
    let mut all = Vec::with_capacity(named.len() + rest.len());
    let (mut named, mut rest) = (named.into_iter().peekable(), rest.into_iter().peekable());
    while let (Some(left), Some(right)) = (rest.peek(), named.peek()) {
        let before =
            matches!((place(server, left), place(server, right)), (Some(l), Some(r)) if l < r);
        all.extend(if before { rest.next() } else { named.next() });
    }
    all.extend(rest);
    all.extend(named);
    all
}

fn delete_primitives(object: &mut Map<String, Value>, field: &str, values: &Value) {
    if let (Some(Value::Array(current)), Some(values)) = (object.get_mut(field), values.as_array())
    {
        current.retain(|item| !values.contains(item));
    }
}

/// Removes nulls, but not inside lists within lists.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Removes objects that are directives; `None` if the value is one itself.
fn without_directives(value: &Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => {
            let kept = map.iter().filter_map(|(name, value)| {
                without_directives(value).map(|value| (name.clone(), value))
            });
            Some(kept.collect())
        }
        Value::Array(items) => Some(items.iter().filter_map(without_directives).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
    }
}

/// Prints a value like Go's `%v`.
pub(crate) fn go(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<String> = map
                .iter()
                .map(|(name, value)| format!("{name}:{}", go(value)))
                .collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(go).collect::<Vec<String>>().join(" ")
            )
        }
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
