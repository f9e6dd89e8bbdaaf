//! Paths and queries of the API, built only from checked parts.

use super::name::{Name, Rule, is_plain_path};
use super::resource::{Resource, parts};
use std::fmt;
use std::ops::Deref;

/// A path of the API, built from checked parts; empty if one of them is invalid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path(String);

impl Path {
    /// The path of a collection, or of an object and its subresource.
    pub(super) fn of(resource: &Resource, namespace: &str, name: Option<&str>) -> Path {
        let path = || {
            let mut path = Path::of_version(&resource.api_version).0;
            if path.is_empty() {
                return None;
            }
            if resource.namespaced {
                path += "/namespaces/";
                path += &Name::new(namespace, Rule::Label)?;
            }
            let (plural, part, _) = parts(&resource.name);
            path += "/";
            path += &Name::new(plural, Rule::Label)?;
            if let Some(name) = name {
                path += "/";
                path += &Name::new(name, resource.rule)?;
                if !part.is_empty() {
                    path += "/";
                    path += part;
                }
            }
            Some(path)
        };
        Path(path().unwrap_or_default())
    }

    /// The name of the object of this resource that it leads to.
    pub(super) fn name(&self, resource: &str) -> Option<&str> {
        let (plural, ..) = parts(resource);
        let (_, rest) = self.0.rsplit_once(&format!("/{plural}/"))?;
        rest.split('/').next()
    }

    /// The path of a group in a version: `apps/v1`, or `v1` for the core group.
    pub(super) fn of_version(api_version: &str) -> Path {
        let (group, version) = match api_version.split_once('/') {
            Some((group, version)) => (Some(group), version),
            None => (None, api_version),
        };
        let path = || {
            let version = Name::new(version, Rule::Label)?;
            Some(match group {
                Some(group) => format!("/apis/{}/{version}", Name::new(group, Rule::Subdomain)?),
                None => format!("/api/{version}"),
            })
        };
        Path(path().unwrap_or_default())
    }

    /// A path behind a Service's proxy; `target` is `[https:]name[:port]`.
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

    /// The collection of an object that this is the path of, and the object's name.
    pub fn parent(&self) -> (Path, &str) {
        let (above, name) = self.0.rsplit_once('/').unwrap_or_default();
        (Path(above.to_owned()), name)
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

/// The parameters of a query, which are encoded when they are sent. Its selectors are checked.
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
