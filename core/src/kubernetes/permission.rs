//! What a rule of a Role grants.

use super::resource::{AUTOSCALERS, PROXY, SERVICES};

/// What a rule of a Role grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The verb.
    pub verb: &'static str,
    /// The resource with its group and its part: `deployments.apps`, `services/proxy`.
    pub resource: &'static str,
}

impl Right {
    /// To create and delete a Service, and to ask its pods.
    pub const SMOKE: [Right; 3] = [
        Right {
            verb: "create",
            resource: SERVICES,
        },
        Right {
            verb: "delete",
            resource: SERVICES,
        },
        Right {
            verb: "get",
            resource: PROXY,
        },
    ];
    /// To change an autoscaler.
    pub const SCALE: Right = Right {
        verb: "patch",
        resource: AUTOSCALERS,
    };
}
