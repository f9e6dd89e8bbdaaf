//! What a load balancer knows of pods.

use jiff::Timestamp;
use std::collections::BTreeMap;

/// The target group of a TargetGroupBinding.
#[derive(Clone, Debug, Default)]
pub(crate) struct TargetGroup {
    /// The registered pods, and when each is healthy. Before that it gets no request.
    pub(crate) targets: BTreeMap<String, Timestamp>,
}
