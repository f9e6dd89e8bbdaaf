//! What a rule of a Role grants.

use super::resource::{AUTOSCALERS, PROXY, SERVICES};

/// What a rule of a Role grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The verb.
    pub verb: &'static str,
    /// The resource with its group and its part: `deployments.apps`, `services/proxy`.
    pub resource: &'static str,
}

impl Permission {
    /// To create and delete a Service, and to ask its pods.
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
    /// To change an autoscaler.
    pub const SCALE: Permission = Permission {
        verb: "patch",
        resource: AUTOSCALERS.name,
    };
}
