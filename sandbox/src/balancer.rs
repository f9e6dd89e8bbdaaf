//! What the AWS Load Balancer Controller adds to a cluster for target groups, as far as tests need
//! it: the definition of TargetGroupBindings, and samples.

use serde_json::{Value, json};

/// The resource of TargetGroupBindings, with its group.
pub const TARGET_GROUP_BINDINGS: &str = "targetgroupbindings.elbv2.k8s.aws";

/// The definition of TargetGroupBindings: the fields that Landfall and the world read, in a schema
/// of our own.
pub fn definition() -> Value {
    let text = json!({"type": "string"});
    let port = json!({"x-kubernetes-int-or-string": true});
    let reference = json!({"type": "object", "required": ["name", "port"],
        "properties": {"name": text, "port": port}});
    let spec = json!({"type": "object", "required": ["serviceRef", "targetGroupARN"],
        "properties": {"serviceRef": reference, "targetGroupARN": text,
            "targetType": {"type": "string", "enum": ["instance", "ip"]}}});
    let schema = json!({"type": "object", "properties": {"apiVersion": text, "kind": text,
        "metadata": {"type": "object"}, "spec": spec}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": TARGET_GROUP_BINDINGS},
        "spec": {
            "group": "elbv2.k8s.aws",
            "scope": "Namespaced",
            "names": {"plural": "targetgroupbindings", "singular": "targetgroupbinding",
                "kind": "TargetGroupBinding", "listKind": "TargetGroupBindingList"},
            "versions": [{"name": "v1beta1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}}]
        }
    })
}

/// A TargetGroupBinding of this name with the Service's pods as targets, as the controller makes it
/// for an Ingress.
pub fn sample_binding(name: &str, service: &str) -> Value {
    let arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/web/0123456789";
    json!({
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "TargetGroupBinding",
        "metadata": {"name": name, "namespace": "default",
            "labels": {"ingress.k8s.aws/stack-name": service}},
        "spec": {"serviceRef": {"name": service, "port": 80}, "targetType": "ip",
            "targetGroupARN": arn}
    })
}
