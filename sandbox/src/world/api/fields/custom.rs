//! The type of a custom resource, from the schema in its definition.

use crate::world::api::fields::types::{By, Field, Scalar, Struct, Type};
use crate::world::object::{list, text};
use serde_json::Value;
use std::collections::BTreeMap;

/// The type of a custom resource in a version.
pub(crate) fn of_definition(definition: &Value, version: &str) -> Type {
    let versions = list(definition, "/spec/versions");
    let found = versions.iter().find(|it| it["name"] == version);
    let schema = found.and_then(|it| it.pointer("/schema/openAPIV3Schema"));
    let mut of = match schema.map(of_schema) {
        Some(Type::Struct(of)) => of,
        _ => Struct {
            rest: Some(Box::new(Type::Any { whole: false })),
            ..Struct::default()
        },
    };
    for (name, field) in [
        ("apiVersion", Type::Scalar(Scalar::Text)),
        ("kind", Type::Scalar(Scalar::Text)),
        ("metadata", Type::metadata()),
    ] {
        of.fields.insert(name.to_owned(), Field::of(field));
    }
    Type::Struct(of)
}

impl Field {
    fn of(of: Type) -> Field {
        Field { of, default: None }
    }
}

fn of_schema(schema: &Value) -> Type {
    if schema["x-kubernetes-int-or-string"] == true {
        return Type::Scalar(Scalar::Any);
    }
    let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
    match text(schema, "/type") {
        "string" => Type::Scalar(Scalar::Text),
        "integer" | "number" => Type::Scalar(Scalar::Number),
        "boolean" => Type::Scalar(Scalar::Flag),
        "array" => Type::List {
            of: Box::new(
                schema
                    .get("items")
                    .map_or(Type::Any { whole: true }, of_schema),
            ),
            by: by(schema),
        },
        "object" => of_object(schema, open),
        _ => Type::Any { whole: false },
    }
}

fn by(schema: &Value) -> By {
    match text(schema, "/x-kubernetes-list-type") {
        "set" => By::Item,
        "map" => {
            let keys = list(schema, "/x-kubernetes-list-map-keys").iter();
            By::Keys(keys.filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => By::Whole,
    }
}

fn of_object(schema: &Value, open: bool) -> Type {
    let whole = schema["x-kubernetes-map-type"] == "atomic";
    let properties = schema["properties"].as_object();
    let others = &schema["additionalProperties"];
    let of = if others.is_object() {
        Some(of_schema(others))
    } else {
        (open || *others == true).then_some(Type::Any { whole: false })
    };
    match (properties, of) {
        (None, Some(of)) => Type::Map {
            of: Box::new(of),
            whole,
        },
        (properties, rest) => Type::Struct(Struct {
            whole,
            fields: properties
                .into_iter()
                .flatten()
                .map(field)
                .collect::<BTreeMap<_, _>>(),
            rest: rest.map(Box::new),
        }),
    }
}

fn field((name, schema): (&String, &Value)) -> (String, Field) {
    let default = schema.get("default").cloned();
    let field = Field {
        of: of_schema(schema),
        default,
    };
    (name.clone(), field)
}
