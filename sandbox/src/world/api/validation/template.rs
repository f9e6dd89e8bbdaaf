//! The rules for pod templates that Deployments, StatefulSets and DaemonSets share.

use crate::world::api::validation::metadata::{annotations, labels};
use crate::world::api::validation::rules::Faults;
use crate::world::selector::Labels;
use serde_json::Value;

/// The pods must be those that the selector finds.
pub(crate) fn matching(spec: &Value, faults: &mut Faults) {
    let selector = &spec["selector"];
    let labels_of_template = spec["template"]
        .pointer("/metadata/labels")
        .unwrap_or(&Value::Null);
    if selector.is_null() || !Labels::of_spec(selector).match_labels(labels_of_template) {
        let why = "`selector` does not match template `labels`";
        faults.invalid("spec.template.metadata.labels", labels_of_template, why);
    }
}

pub(crate) fn template_metadata(spec: &Value, faults: &mut Faults) {
    let field = "spec.template.labels";
    labels(spec, "/template/metadata/labels", field, faults);
    let field = "spec.template.annotations";
    annotations(spec, "/template/metadata/annotations", field, faults);
}

pub(crate) fn restarts(spec: &Value, faults: &mut Faults) {
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if policy != "Always" {
        let field = "spec.template.spec.restartPolicy";
        faults.unsupported(field, policy, &["Always"]);
    }
}
