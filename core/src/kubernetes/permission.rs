//! A permission, as a rule of a Role grants it.

use super::resource::{AUTOSCALERS, PROXY, Resource, SERVICES};
use std::borrow::Cow;
use std::fmt;

/// A permission, as a rule of a Role grants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The verb.
    pub verb: &'static str,
    /// The resource with its group and subresource: `deployments.apps`, `services/proxy`.
    pub resource: Cow<'static, str>,
}

impl Permission {
    /// The permission for a verb on a resource.
    pub fn of(verb: &'static str, resource: &Resource) -> Permission {
        Permission {
            verb,
            resource: resource.name.clone(),
        }
    }

    /// The permissions to create, delete and call the preview Service.
    pub fn smoke() -> [Permission; 3] {
        [
            Permission::of("create", &SERVICES),
            Permission::of("delete", &SERVICES),
            Permission::of("get", &PROXY),
        ]
    }

    /// The permission to change an autoscaler.
    pub fn scale() -> Permission {
        Permission::of("patch", &AUTOSCALERS)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.verb, self.resource)
    }
}
