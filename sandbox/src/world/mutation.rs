//! What mutating webhooks make of an object before it is stored.

use serde_json::Value;

/// What is changed in every object of a resource that is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutation {
    /// `deployments`, …
    pub resource: String,
    /// An image that is replaced, as by a webhook that turns tags into digests, and by which.
    pub image: Option<(String, String)>,
    /// Fields that every container gets where it has them not, as GKE Autopilot does it.
    pub container: Value,
}
