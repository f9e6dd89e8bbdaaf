//! A permission, as a rule of a Role grants it.

use super::resource::{AUTOSCALERS, PROXY, SERVICES};

/// A permission, as a rule of a Role grants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The verb.
    pub verb: &'static str,
    /// The resource with its group and subresource: `deployments.apps`, `services/proxy`.
    pub resource: &'static str,
}

impl Permission {
    /// The permissions to create, delete and call the preview Service.
    pub const SMOKE: [Permission; 3] = [
        Permission {
            verb: "create",
            resource: SERVICES.name,
        },
        Permission {
            verb: "delete",
            resource: SERVICES.name,
        },
        Permission {
            verb: "get",
            resource: PROXY.name,
        },
    ];
    /// The permission to change an autoscaler.
    pub const SCALE: Permission = Permission {
        verb: "patch",
        resource: AUTOSCALERS.name,
    };
}
