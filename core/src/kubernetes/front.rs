//! What stands in front of a Service and sends to its pods by their addresses: a load balancer of
//! AWS, which must see a new pod healthy before it gets traffic.
//!
//! The AWS Load Balancer Controller makes a TargetGroupBinding for every target group of a Service
//! or an Ingress, so that these tell everything where they may be read.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/targetgroupbinding/>

use super::route::{Route, RouteKind};
use super::service::Service;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where an Ingress or a Service says what its targets are: nodes or pods.
const TARGET_TYPE: &str = "alb.ingress.kubernetes.io/target-type";

/// The same for the Service of a Network Load Balancer.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#nlb-target-type>
const NETWORK_TARGET_TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type";

/// An older way to say it, as `nlb-ip`.
const NETWORK_TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-type";

/// The beginnings of the labels by which the controller knows the TargetGroupBindings that it made:
/// of an Ingress, of a Service.
const MADE_FOR: [(&str, Balancer); 2] = [
    ("ingress.k8s.aws/", Balancer::Application),
    ("service.k8s.aws/", Balancer::Network),
];

/// An object by which a load balancer sends to the pods of a Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Front {
    /// The object: its kind and name.
    pub object: (String, String),
    /// What kind of load balancer it is for.
    pub balancer: Balancer,
}

/// The kinds of load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Balancer {
    /// It checks a new target within seconds.
    Application,
    /// It takes minutes to register a target before it checks it.
    Network,
    /// The object does not say.
    Unknown,
}

impl Front {
    fn of(kind: &str, name: &str, balancer: Balancer) -> Front {
        Front {
            object: (kind.to_owned(), name.to_owned()),
            balancer,
        }
    }
}

/// What a Service says about itself.
pub fn of_service(service: &Service) -> Option<Front> {
    let says = |name: &str, wanted: &str| service.annotation(name) == Some(wanted);
    let pods = says(NETWORK_TARGET_TYPE, "ip") || says(NETWORK_TYPE, "nlb-ip");
    (service.kind() == "LoadBalancer" && pods)
        .then(|| Front::of("Service", service.name(), Balancer::Network))
}

/// The TargetGroupBinding of this Service whose targets are pods. The controller fills an absent
/// type in: as long as it is absent, it may be either.
pub fn of_bindings(bindings: &[Value], service: &str) -> Option<Front> {
    let all = bindings.iter().filter(|binding| {
        let spec = &binding["spec"];
        spec["serviceRef"]["name"] == *service && spec["targetType"] != "instance"
    });
    // Of several the slowest counts.
    let fronts = all.map(|binding| {
        let name = binding["metadata"]["name"].as_str().unwrap_or_default();
        let labels = binding["metadata"]["labels"].as_object();
        let mut labels = labels.into_iter().flat_map(|labels| labels.keys());
        let made_for = labels.find_map(|label| {
            let mut known = MADE_FOR.iter();
            known.find(|(beginning, _)| label.starts_with(beginning))
        });
        let balancer = made_for.map_or(Balancer::Unknown, |(_, balancer)| *balancer);
        Front::of("TargetGroupBinding", name, balancer)
    });
    fronts.max_by_key(|front| front.balancer != Balancer::Application)
}

/// The Ingress of the AWS controller that sends to pods of this Service.
pub fn of_ingresses(ingresses: &[Value], service: &Service) -> Option<Front> {
    let found = ingresses.iter().find(|ingress| {
        let annotations = &ingress["metadata"]["annotations"];
        // What the Service says goes before.
        let of_ingress = || annotations[TARGET_TYPE].as_str();
        let targets = service.annotation(TARGET_TYPE).or_else(of_ingress);
        let sends = || Route::read(RouteKind::Ingress, ingress).sends_to(service.name());
        targets == Some("ip") && sends()
    });
    let name = found?["metadata"]["name"].as_str().unwrap_or_default();
    Some(Front::of("Ingress", name, Balancer::Application))
}

#[cfg(test)]
mod tests;
