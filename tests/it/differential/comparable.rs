//! Answers without what cannot be equal: ids, times, versions, hashes.

use serde_json::{Map, Value, json};

/// Without what cannot be equal.
pub(super) fn plain(mut answer: Value, ignored: &[&str]) -> Value {
    for pointer in ignored {
        if let Some(value) = answer.pointer_mut(pointer) {
            value.take();
        }
    }
    // A fault of the metadata is found by several layers; the message has it once.
    if let Some(Value::Array(causes)) = answer.pointer_mut("/body/details/causes") {
        let mut seen = Vec::new();
        causes.retain(|cause| {
            let new = !seen.contains(cause);
            seen.push(cause.clone());
            new
        });
    }
    // The server names managers in no order.
    if let Some(Value::Array(causes)) = answer.pointer_mut("/body/details/causes")
        && causes
            .iter()
            .any(|it| it["reason"] == "FieldManagerConflict")
    {
        causes.sort_by_key(Value::to_string);
    }
    let mut hashes = Vec::new();
    let uid = answer.pointer("/body/metadata/uid").and_then(Value::as_str);
    hashes.extend(uid.map(str::to_owned));
    gather(&answer, "pod-template-hash", &mut hashes);
    scrub(&mut answer, &hashes);
    answer
}

/// Who manages an answered object, without times and without controllers.
pub(super) fn managers(answer: &Value) -> Value {
    let entries = answer.pointer("/body/metadata/managedFields");
    let entries = entries.and_then(Value::as_array).into_iter().flatten();
    let entries = entries.filter(|entry| entry["manager"] != "kube-controller-manager");
    let mut entries: Vec<Value> = entries.cloned().collect();
    for entry in &mut entries {
        if let Some(time) = entry.get_mut("time") {
            *time = "TIME".into();
        }
        // Without a name it is that of the client program.
        if entry["operation"] == "Update" && entry["manager"] == "unknown" {
            entry["manager"] = "CLIENT".into();
        }
    }
    entries.sort_by_key(Value::to_string);
    json!({"status": answer["status"], "managers": entries})
}

pub(super) fn gather(value: &Value, field: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let text = map.get(field).and_then(Value::as_str);
            found.extend(text.map(str::to_owned));
            map.values().for_each(|value| gather(value, field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(super) fn scrub(value: &mut Value, hashes: &[String]) {
    match value {
        Value::Object(map) => {
            scrub_object(map);
            map.values_mut().for_each(|value| scrub(value, hashes));
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| scrub(item, hashes));
            // In the order of their names, which are hashes, or in which controllers came by.
            if items.iter().any(|item| item.get("metadata").is_some())
                || items
                    .iter()
                    .any(|item| item.get("lastTransitionTime").is_some())
            {
                items.sort_by_key(Value::to_string);
            }
        }
        Value::String(text) => *text = plain_text(text, hashes),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(super) fn scrub_object(map: &mut Map<String, Value>) {
    // How many steps a ReplicaSet took is a matter of time; that it is observed is not.
    let generation = map.get("metadata").map(|it| it["generation"].clone());
    let owner = map
        .get("metadata")
        .and_then(|it| it.pointer("/ownerReferences/0/kind"));
    let is_set = owner.is_some_and(|owner| owner == "Deployment");
    if let Some(observed) = map
        .get_mut("status")
        .and_then(|it| it.get_mut("observedGeneration"))
        && is_set
    {
        let is_current = Some(&*observed) == generation.as_ref();
        *observed = is_current.into();
        map["metadata"]["generation"] = "SOME".into();
    }
    let is_pod = map
        .get("metadata")
        .is_some_and(|it| it.get("generateName").is_some());
    if is_pod {
        // The kubelet's side of a pod is compared where pods are looked at.
        map.remove("status");
        map.remove("spec");
        map["metadata"]["name"] = "POD".into();
    }
    if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
        metadata.remove("managedFields");
        for field in ["resourceVersion", "uid", "creationTimestamp"] {
            if let Some(value) = metadata.get_mut(field) {
                *value = "SOME".into();
            }
        }
        if let Some(token) = metadata.get_mut("continue") {
            *token = "TOKEN".into();
        }
    }
    for field in ["lastTransitionTime", "lastUpdateTime", "lastProbeTime"] {
        if let Some(time) = map.get_mut(field) {
            *time = "TIME".into();
        }
    }
}

/// Without hashes, ids and the account's name.
pub(super) fn plain_text(text: &str, hashes: &[String]) -> String {
    let mut text = text.to_owned();
    for hash in hashes {
        text = text.replace(hash.as_str(), "HASH");
    }
    for before in ["ReplicaSet \"", "replica set \""] {
        if let Some((head, tail)) = text.split_once(before) {
            let (name, rest) = tail.split_once('"').unwrap_or((tail, ""));
            let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
            text = format!("{head}{before}{name}-HASH\"{rest}");
        }
    }
    if let Some((head, tail)) = text.split_once("system:serviceaccount:") {
        let rest = tail.find('"').map_or("", |end| &tail[end..]);
        text = format!("{head}ACCOUNT{rest}");
    }
    // A merge or JSON patch that makes no object is refused with the whole object, in Go's order.
    for open in ["Invalid value: \"{", "Invalid value: \\\"{"] {
        if let (Some(start), Some(end)) = (text.find(open), text.rfind("}\": ")) {
            text.replace_range(start..end + 2, "Invalid value: OBJECT");
        }
    }
    // What does not fit stands in no order.
    if let Some((head, tail)) = text.split_once("errors:\n") {
        let mut lines: Vec<&str> = tail.split('\n').collect();
        lines.sort_unstable();
        text = format!("{head}errors:\n{}", lines.join("\n"));
    }
    // Unknown fields stand in the order of the document, which here is that of the alphabet.
    if let Some((head, tail)) = text.split_once("strict decoding error: ") {
        let mut fields: Vec<&str> = tail.split(", ").collect();
        fields.sort_unstable();
        text = format!("{head}strict decoding error: {}", fields.join(", "));
    }
    // Go tells an empty map from none.
    text = text.replace(
        "Invalid value: {}: `selector`",
        "Invalid value: null: `selector`",
    );
    // The server shows a strategic patch as its merging left it.
    if let (Some(start), Some(end)) = (text.find("Invalid value: \"map["), text.rfind("]\": ")) {
        text.replace_range(start..end + 2, "Invalid value: PATCH");
    }
    without_uids(&text)
}

pub(super) fn without_uids(text: &str) -> String {
    const SHAPE: &str = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    let fits = |part: &str| {
        let mut pairs = part.chars().zip(SHAPE.chars());
        pairs.all(|(is, wanted)| is == wanted || wanted == 'h' && is.is_ascii_hexdigit())
    };
    let mut plain = text.to_owned();
    let mut from = 0;
    while let Some(part) = plain.get(from..from + SHAPE.len()) {
        if fits(part) {
            plain.replace_range(from..from + SHAPE.len(), "UID");
        }
        from += 1;
        while !plain.is_char_boundary(from) {
            from += 1;
        }
    }
    plain
}
