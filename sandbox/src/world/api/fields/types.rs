//! The types that server-side apply merges by, as a table.
//!
//! `types.txt` has one type a line, `Type field:shape …`. Shapes: `s` text, `n` number, `b`
//! boolean, `u` number or text, `*` anything, `{T}` a map, `[T]` a list with one owner, `[T]=` a
//! set, `[T]@key,key` a list that is merged by keys, else another type. With `!` a value has one
//! owner as a whole. What follows `=` is the default of a key. `tests/tools/field_types.py` prints
//! it.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// A primitive type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Text,
    Number,
    Flag,
    Any,
}

/// How a list is merged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum By {
    /// Not at all: the last writer owns it.
    Whole,
    /// As a set of primitives.
    Item,
    /// By these fields of its items.
    Keys(Vec<String>),
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Scalar(Scalar),
    /// Anything: what it is, the value says.
    Any {
        whole: bool,
    },
    Map {
        of: Box<Type>,
        whole: bool,
    },
    List {
        of: Box<Type>,
        by: By,
    },
    Struct(Struct),
    Named {
        name: &'static str,
        whole: bool,
    },
}

/// A type with named fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Struct {
    pub(crate) whole: bool,
    pub(crate) fields: BTreeMap<String, Field>,
    /// The type of other fields, where they are allowed.
    pub(crate) rest: Option<Box<Type>>,
}

/// A field of a [`Struct`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) of: Type,
    pub(crate) default: Option<Value>,
}

static ANY: Type = Type::Any { whole: false };
static ANY_WHOLE: Type = Type::Any { whole: true };

static TYPES: LazyLock<HashMap<&'static str, Type>> =
    LazyLock::new(|| include_str!("types.txt").lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<(&'static str, Type)> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let fields = words.filter_map(|word| word.split_once(':'));
    let fields = fields.map(|(name, shape)| (name.to_owned(), Field::parse(shape)));
    let of = Type::Struct(Struct {
        whole: name.ends_with('!'),
        fields: fields.collect(),
        rest: None,
    });
    Some((name.trim_end_matches('!'), of))
}

impl Field {
    fn parse(text: &'static str) -> Field {
        let (shape, default) = match text.rsplit_once('=') {
            Some((shape, default)) if !shape.ends_with(']') => (shape, Some(default)),
            _ => (text, None),
        };
        let default = default.map(|text| match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        });
        Field {
            of: Type::parse(shape),
            default,
        }
    }
}

impl Type {
    fn parse(text: &'static str) -> Type {
        let (shape, whole) = match text.strip_suffix('!') {
            Some(shape) => (shape, true),
            None => (text, false),
        };
        match shape {
            "s" => Type::Scalar(Scalar::Text),
            "n" => Type::Scalar(Scalar::Number),
            "b" => Type::Scalar(Scalar::Flag),
            "u" => Type::Scalar(Scalar::Any),
            "*" => Type::Any { whole },
            map if map.starts_with('{') => Type::Map {
                of: Box::new(Type::parse(&map[1..map.len() - 1])),
                whole,
            },
            list if list.starts_with('[') => {
                let (item, by) = list[1..].rsplit_once(']').unwrap_or((&list[1..], ""));
                let by = match by.strip_prefix('@') {
                    Some(keys) => By::Keys(keys.split(',').map(str::to_owned).collect()),
                    None if by == "=" => By::Item,
                    None => By::Whole,
                };
                let of = Box::new(Type::parse(item));
                Type::List { of, by }
            }
            name => Type::Named { name, whole },
        }
    }

    /// The type of a kind in a version; none where the table does not have it.
    pub(crate) fn of_kind(group: &str, version: &str, kind: &str) -> Option<&'static Type> {
        let group = match group.split('.').next().unwrap_or_default() {
            "" => "core",
            group => group,
        };
        TYPES.get(format!("{group}.{version}.{kind}").as_str())
    }

    /// The type of every object's metadata.
    pub(crate) fn metadata() -> Type {
        Type::Named {
            name: "meta.v1.ObjectMeta",
            whole: false,
        }
    }
}

/// What a value of a type is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Atom<'a> {
    Scalar(Scalar),
    Map(Fields<'a>),
    List(&'a Type, &'a By),
}

/// The fields of a map or a struct.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) whole: bool,
    named: Option<&'a BTreeMap<String, Field>>,
    rest: Option<&'a Type>,
}

impl<'a> Fields<'a> {
    /// The type of a field; none where the field does not exist.
    pub(crate) fn of(&self, name: &str) -> Option<&'a Type> {
        self.named(name).map(|field| &field.of).or(self.rest)
    }

    /// A field that the type names.
    pub(crate) fn named(&self, name: &str) -> Option<&'a Field> {
        self.named?.get(name)
    }
}

/// What a value is by its type; the value decides where the type allows several.
pub(crate) fn atom<'a>(of: &'a Type, value: Option<&Value>) -> Atom<'a> {
    match of {
        Type::Scalar(scalar) => Atom::Scalar(*scalar),
        Type::Map { of, whole } => Atom::Map(Fields {
            whole: *whole,
            named: None,
            rest: Some(of),
        }),
        Type::List { of, by } => Atom::List(of, by),
        Type::Struct(of) => Atom::Map(Fields {
            whole: of.whole,
            named: Some(&of.fields),
            rest: of.rest.as_deref(),
        }),
        Type::Named { name, whole } => match TYPES.get(name).map(|of| atom(of, value)) {
            Some(Atom::Map(fields)) => Atom::Map(Fields {
                whole: *whole || fields.whole,
                ..fields
            }),
            Some(atom) => atom,
            None => any(false, value),
        },
        Type::Any { whole } => any(*whole, value),
    }
}

fn any<'a>(whole: bool, value: Option<&Value>) -> Atom<'a> {
    match value {
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => Atom::Scalar(Scalar::Any),
        Some(Value::Array(_)) => Atom::List(&ANY_WHOLE, &By::Whole),
        None | Some(Value::Null | Value::Object(_)) => Atom::Map(Fields {
            whole,
            named: None,
            rest: Some(if whole { &ANY_WHOLE } else { &ANY }),
        }),
    }
}
