//! Changes by mutating webhooks before an object is stored.

use serde_json::Value;

/// The change to every written object of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutation {
    /// `deployments`, …
    pub resource: String,
    /// An image to replace, and its replacement, as by a webhook that turns tags into digests.
    pub image: Option<(String, String)>,
    /// Fields that every container gets if it lacks them, like on GKE Autopilot.
    pub container: Value,
}
