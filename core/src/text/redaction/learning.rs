//! What an object of the cluster tells about values: which are those of variables, and which texts
//! stand in the open.

use serde_json::Value;

/// What a text of an object is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Word {
    /// The value of a variable.
    Value,
    /// A name, a label, a selector or an image.
    Open,
    /// A name that the object refers to.
    Reference,
}

/// Tells each word of an object or of a list.
pub(super) fn each(object: &Value, tell: &mut impl FnMut(Word, &str)) {
    match object.get("items").and_then(Value::as_array) {
        Some(items) => items.iter().for_each(|item| of_one(item, tell)),
        None => of_one(object, tell),
    }
}

fn of_one(object: &Value, tell: &mut impl FnMut(Word, &str)) {
    let (metadata, spec) = (&object["metadata"], &object["spec"]);
    let template = &spec["template"];
    let lists = ["containers", "initContainers"].map(|list| template["spec"][list].as_array());
    let containers = lists.into_iter().flatten().flatten();
    let images = containers
        .clone()
        .flat_map(|it| [&it["name"], &it["image"]]);
    let maps = [
        &metadata["labels"],
        &spec["selector"],
        &spec["selector"]["matchLabels"],
        &template["metadata"]["labels"],
    ];
    let maps = maps.into_iter().filter_map(Value::as_object);
    let labels = maps.flat_map(|map| map.values());
    let names = [&metadata["name"], &metadata["namespace"]].into_iter();
    let open = names.chain(images).chain(labels);
    open.filter_map(Value::as_str)
        .for_each(|text| tell(Word::Open, text));
    references(object, &mut |name| tell(Word::Reference, name));
    let env = containers.filter_map(|it| it["env"].as_array()).flatten();
    env.filter_map(|one| one["value"].as_str())
        .for_each(|value| tell(Word::Value, value));
}

/// The parts of an object in which a field that is called a name may be anything.
const WITHOUT_REFERENCES: [&str; 5] = ["data", "stringData", "binaryData", "annotations", "status"];

/// Tells each name that an object of Kubernetes' own kinds refers to: of a service account, a
/// volume, a class, a role. What a custom resource calls a name may be a login.
fn references(object: &Value, tell: &mut impl FnMut(&str)) {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let is_own = !group.contains('.') || group.ends_with(".k8s.io");
    if is_own {
        names_in(object, tell);
    }
}

fn names_in(value: &Value, tell: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                if let Value::String(text) = value
                    && (field == "name" || field.ends_with("Name"))
                {
                    tell(text);
                } else if !WITHOUT_REFERENCES.contains(&field.as_str()) {
                    names_in(value, tell);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names_in(item, tell)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
