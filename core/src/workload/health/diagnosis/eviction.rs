//! What a kubelet says of a pod that it evicts because its node lacks something: whether the pod
//! itself has used that up.

use crate::kubernetes::quantity;
use crate::text::quote;

/// What a node keeps free of memory if nothing else is set: the message of an older kubelet does
/// not say how much that is.
/// <https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#hard-eviction-thresholds>
const RESERVE: f64 = 100.0 * 1024.0 * 1024.0;

/// What one container has used beyond its request, as much as its node must keep free or more:
/// without it the node would not have been low. A pod that uses less is a victim of others.
#[derive(Debug, PartialEq)]
pub(super) struct Excess<'a> {
    resource: &'a str,
    container: &'a str,
    used: &'a str,
    request: &'a str,
}

impl<'a> Excess<'a> {
    /// Reads the message of an eviction; `None` if no container of the pod has used that much.
    /// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/eviction/helpers.go>
    pub(super) fn read(message: &'a str) -> Option<Excess<'a>> {
        let (_, rest) = message.split_once("node was low on resource: ")?;
        let resource = rest.split(['.', ' ']).next()?;
        let threshold = message.split_once("Threshold quantity: ");
        let threshold = threshold.and_then(|(_, rest)| quantity::read(rest.split(',').next()?));
        let reserve = threshold.unwrap_or(RESERVE);
        let uses = message.split("Container ").skip(1);
        let uses = uses.filter_map(|text| {
            let (container, rest) = text.split_once(" was using ")?;
            let (used, rest) = rest.split_once(", ")?;
            let words = ["request is ", "which exceeds its request of "];
            let request = words.iter().find_map(|words| rest.strip_prefix(words))?;
            let request = request.split([',', ' ']).next()?.trim_end_matches('.');
            let excess = quantity::read(used)? - quantity::read(request)?;
            let found = Excess {
                resource,
                container,
                used,
                request,
            };
            (excess >= reserve).then_some((excess, found))
        });
        let largest = uses.max_by(|(one, _), (other, _)| one.total_cmp(other));
        largest.map(|(_, found)| found)
    }

    /// What happened, without a full stop.
    pub(super) fn sentence(&self) -> String {
        let requests = match self.request {
            "0" => "requests none".to_owned(),
            request => format!("requests {}", quote(request)),
        };
        format!(
            "the node was low on {}, of which `{}` used {} and {requests}",
            quote(self.resource),
            quote(self.container),
            quote(self.used),
        )
    }
}

#[cfg(test)]
mod tests;
