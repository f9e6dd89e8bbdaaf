//! Strategic merge patches.
//!
//! <https://github.com/kubernetes/apimachinery/blob/master/pkg/util/strategicpatch/patch.go>

use super::schema::{Shape, shape};
use serde_json::{Map, Value};

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Applies a strategic merge patch to an object of a kind.
pub(super) fn strategic(kind: &str, object: &mut Value, patch: &Value) -> Result<(), String> {
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
    match patch.get(DIRECTIVE).and_then(Value::as_str) {
        Some("replace") => {
            *object = clean_object(patch);
            return Ok(());
        }
        Some("delete") => {
            object.clear();
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(format!("Unknown patch type found: {other}")),
    }
    if let Some(keys) = patch.get(RETAIN).and_then(Value::as_array) {
        object.retain(|name, _| keys.iter().any(|key| key == name));
    }
    for (name, value) in patch {
        if let Some(field) = name.strip_prefix(DELETE_FROM) {
            delete_primitives(object, field, value);
        } else if let Some(field) = name.strip_prefix(ORDER) {
            if !patch.contains_key(field) {
                merge_list(kind, object, field, &[], Some(value))?;
            }
        } else if name != DIRECTIVE && name != RETAIN {
            let order = patch.get(&format!("{ORDER}{name}"));
            merge_field(kind, object, name, value, order)?;
        }
    }
    Ok(())
}

fn merge_field(
    kind: Option<&str>,
    object: &mut Map<String, Value>,
    name: &str,
    value: &Value,
    order: Option<&Value>,
) -> Result<(), String> {
    match (object.get_mut(name), value) {
        (_, Value::Null) => {
            object.remove(name);
        }
        (Some(Value::Object(current)), Value::Object(patch)) => {
            let inner = shape(kind, name).object();
            merge_object(inner, current, patch)?;
        }
        (Some(Value::Array(_)), Value::Array(patch)) => {
            merge_list(kind, object, name, patch, order)?;
        }
        (_, value) => {
            object.insert(name.to_owned(), clean(value));
        }
    }
    Ok(())
}

fn merge_list(
    kind: Option<&str>,
    object: &mut Map<String, Value>,
    name: &str,
    patch: &[Value],
    order: Option<&Value>,
) -> Result<(), String> {
    let Some(Value::Array(current)) = object.get_mut(name) else {
        return Ok(());
    };
    let shape = shape(kind, name);
    if let Shape::List {
        item,
        key: Some(key),
    } = shape
    {
        let order = order.and_then(Value::as_array);
        *current = merge_by_key(item, key, current, patch, order)?;
    } else if shape == (Shape::TextList { merged: true }) {
        let new: Vec<Value> = patch
            .iter()
            .filter(|item| !current.contains(item))
            .cloned()
            .collect();
        current.extend(new);
    } else {
        *current = patch.iter().map(clean).collect();
    }
    Ok(())
}

/// Joins two lists by key, with the elements in the order that the server gives them.
fn merge_by_key(
    kind: Option<&str>,
    key: &str,
    server: &[Value],
    patch: &[Value],
    order: Option<&Vec<Value>>,
) -> Result<Vec<Value>, String> {
    for item in patch.iter().filter(|item| item[DIRECTIVE] != "replace") {
        if item.get(key).is_none() {
            return Err(format!(
                "map: {} does not contain declared merge key: {key}",
                go(item)
            ));
        }
    }
    if patch.iter().any(|item| item[DIRECTIVE] == "replace") {
        let rest = patch.iter().filter(|item| item[DIRECTIVE] != "replace");
        return Ok(rest.map(clean).collect());
    }
    let mut merged: Vec<Value> = server.to_vec();
    for item in patch {
        let found = merged.iter().position(|element| element[key] == item[key]);
        match (found, item[DIRECTIVE] == "delete") {
            (Some(index), true) => {
                merged.remove(index);
            }
            (None, true) => {}
            (Some(index), false) => {
                if let (Some(element), Some(item)) =
                    (merged[index].as_object_mut(), item.as_object())
                {
                    merge_object(kind, element, item)?;
                }
            }
            (None, false) => merged.push(clean(item)),
        }
    }
    let order = order.map_or(patch, Vec::as_slice);
    Ok(sorted(merged, server, order, key))
}

/// The order of a merged list: the patch's elements in the patch's order, and each element that
/// only the server has after those that stood before it. A new element so comes first, not last.
fn sorted(merged: Vec<Value>, server: &[Value], order: &[Value], key: &str) -> Vec<Value> {
    let place =
        |list: &[Value], item: &Value| list.iter().position(|other| other[key] == item[key]);
    let (mut named, mut rest): (Vec<Value>, Vec<Value>) = merged
        .into_iter()
        .partition(|item| place(order, item).is_some());
    named.sort_by_key(|item| place(order, item));
    rest.sort_by_key(|item| place(server, item));
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

/// A value that a patch brings where there was none: without nulls and directives.
fn clean(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(clean_object(map)),
        Value::Array(items) => {
            let kept = items.iter().filter(|item| item[DIRECTIVE] != "delete");
            Value::Array(kept.map(clean).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn clean_object(map: &Map<String, Value>) -> Map<String, Value> {
    let kept = map.iter().filter(|(name, value)| {
        !value.is_null()
            && *name != DIRECTIVE
            && *name != RETAIN
            && !name.starts_with(ORDER)
            && !name.starts_with(DELETE_FROM)
    });
    kept.map(|(name, value)| (name.clone(), clean(value)))
        .collect()
}

/// A value as Go's `%v` prints it.
pub(super) fn go(value: &Value) -> String {
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
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(spec: Value, patch: Value) -> Value {
        let mut object = json!({"spec": {"template": {"spec": spec}}});
        let patch = json!({"spec": {"template": {"spec": patch}}});
        strategic("Deployment", &mut object, &patch).expect("a good patch");
        object["spec"]["template"]["spec"].take()
    }

    fn environment(names: &[&str]) -> Value {
        let env: Vec<Value> = names
            .iter()
            .map(|name| json!({"name": name, "value": "1"}))
            .collect();
        json!({"containers": [{"name": "app", "env": env}]})
    }

    #[test]
    fn lists_are_merged_as_the_server_merges_them() {
        let base = || {
            json!({"containers": [
            {"name": "app", "image": "a:1", "command": ["a", "b"], "ports": [{"containerPort": 1}]},
            {"name": "side", "image": "s:1"}]})
        };
        let rows = [
            (
                "an image",
                json!({"containers": [{"name": "side", "image": "s:2"}]}),
                json!({"containers": [
                    {"name": "app", "image": "a:1", "command": ["a", "b"],
                     "ports": [{"containerPort": 1}]},
                    {"name": "side", "image": "s:2"}]}),
            ),
            (
                "a command is replaced whole, a port joins in front",
                json!({"containers": [
                    {"name": "app", "command": ["c"], "ports": [{"containerPort": 2}]}]}),
                json!({"containers": [
                    {"name": "app", "image": "a:1", "command": ["c"],
                     "ports": [{"containerPort": 2}, {"containerPort": 1}]},
                    {"name": "side", "image": "s:1"}]}),
            ),
            (
                "delete",
                json!({"containers": [{"name": "app", "$patch": "delete"}]}),
                json!({"containers": [{"name": "side", "image": "s:1"}]}),
            ),
            (
                "replace",
                json!({"containers": [{"name": "new", "image": "n:1"}, {"$patch": "replace"}]}),
                json!({"containers": [{"name": "new", "image": "n:1"}]}),
            ),
            (
                "null deletes",
                json!({"containers": [{"name": "app", "command": null, "ports": null}]}),
                json!({"containers": [
                    {"name": "app", "image": "a:1"}, {"name": "side", "image": "s:1"}]}),
            ),
            (
                "order",
                json!({"$setElementOrder/containers": [{"name": "side"}, {"name": "app"}],
                    "containers": [
                        {"name": "app", "image": "a:2", "command": null, "ports": null}]}),
                json!({"containers": [
                    {"name": "side", "image": "s:1"}, {"name": "app", "image": "a:2"}]}),
            ),
        ];
        for (name, patch, expected) in rows {
            assert_eq!(patched(base(), patch), expected, "{name}");
        }
    }

    #[test]
    fn a_new_variable_comes_first_and_a_deleted_one_goes() {
        let patch = json!({"containers": [{"name": "app", "env": [
            {"name": "NEW", "value": "1"}, {"name": "B", "$patch": "delete"}]}]});
        assert_eq!(
            patched(environment(&["A", "B", "C"]), patch),
            environment(&["NEW", "A", "C"])
        );
    }

    #[test]
    fn retain_keys_clears_what_it_does_not_name() {
        let mut object =
            json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}}});
        let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
        strategic("Deployment", &mut object, &patch).expect("a good patch");
        assert_eq!(object, json!({"spec": {"strategy": {"type": "Recreate"}}}));
    }

    #[test]
    fn an_element_without_its_key_is_refused() {
        let mut object = json!({"spec": {"template": {"spec": environment(&["A"])}}});
        let patch = json!({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}});
        assert_eq!(
            strategic("Deployment", &mut object, &patch),
            Err("map: map[image:x] does not contain declared merge key: name".to_owned())
        );
    }
}
