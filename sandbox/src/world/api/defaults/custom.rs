//! The defaults in the schema of a custom resource.
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting>

use crate::world::object::list;
use serde_json::Value;

/// Sets the defaults of a custom resource, in the first served version.
pub(crate) fn fill(definition: &Value, object: &mut Value) {
    let mut versions = list(definition, "/spec/versions").iter();
    let served = versions.find(|version| version["served"] == true);
    if let Some(schema) = served.and_then(|one| one.pointer("/schema/openAPIV3Schema")) {
        walk(schema, object);
    }
}

fn walk(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            for (name, schema) in properties {
                if let (false, Some(default)) = (fields.contains_key(name), schema.get("default")) {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(value) = fields.get_mut(name) {
                    walk(schema, value);
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| walk(&schema["items"], item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
