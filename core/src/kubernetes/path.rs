//! Paths and queries of the API, made of checked parts alone.

use super::name::{Name, Rule, is_plain_path};
use std::fmt;
use std::ops::Deref;

/// A path of the API, made of checked parts; empty where one of them is not valid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path(String);

impl Path {
    /// The path of a collection in a namespace, or of one object of it.
    pub(super) fn of(
        api: &'static str,
        namespace: &str,
        resource: &'static str,
        name: Option<One<'_>>,
    ) -> Path {
        let path = || {
            let namespace = Name::new(namespace, Rule::Label)?;
            let collection = format!("/{api}/namespaces/{namespace}/{resource}");
            let Some(One(name, rule)) = name else {
                return Some(collection);
            };
            Some(format!("{collection}/{}", Name::new(name, rule)?))
        };
        Path(path().unwrap_or_default())
    }

    /// A path that is written out in this file.
    pub(super) fn fixed(path: &'static str) -> Path {
        Path(path.to_owned())
    }

    /// The same with a part of the object behind it.
    pub(super) fn part(mut self, part: &'static str) -> Path {
        if !self.is_void() {
            self.0.push_str(part);
        }
        self
    }

    /// What is asked behind a Service's proxy: `target` is `[https:]name[:port]`.
    pub(super) fn behind(self, target: &str, path: &str) -> Path {
        let (scheme, rest) = match target.strip_prefix("https:") {
            Some(rest) => ("https:", rest),
            None => ("", target),
        };
        let (name, port) = rest.split_once(':').unwrap_or((rest, ""));
        let port_is_plain = port
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-');
        match Name::new(name, Rule::Label) {
            Some(name) if !self.is_void() && port_is_plain && is_plain_path(path) => {
                let colon = if port.is_empty() { "" } else { ":" };
                Path(format!("{self}/{scheme}{name}{colon}{port}/proxy{path}"))
            }
            Some(_) | None => Path::default(),
        }
    }

    pub(super) fn is_void(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deref for Path {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl<Text: AsRef<str>> PartialEq<Text> for Path {
    fn eq(&self, other: &Text) -> bool {
        self.0 == other.as_ref()
    }
}

/// The name of one object, and what it has to be.
pub(super) struct One<'a>(pub(super) &'a str, pub(super) Rule);

/// The parameters of a query, which are encoded when they are sent. Selectors in it are checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query(pub(super) Vec<(&'static str, String)>);

impl Query {
    pub(super) fn push(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, value.into()));
    }
}

impl Deref for Query {
    type Target = [(&'static str, String)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Query {
    type Item = &'a (&'static str, String);
    type IntoIter = std::slice::Iter<'a, (&'static str, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
