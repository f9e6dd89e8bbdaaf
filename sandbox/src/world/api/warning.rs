//! The API server's warnings about an object that it accepts: the header `Warning`.
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/api/pod/warnings.go>

use crate::world::api::message::{Answer, Body};
use serde_json::Value;
use std::collections::BTreeSet;

/// Labels of nodes that have other names now.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/api/node/util.go>
const RENAMED: [(&str, &str); 2] = [
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
];

/// Adds warnings about duplicate variables and old labels of nodes to the response to a write.
pub(crate) fn added(mut answer: Answer) -> Answer {
    let Body::Json(object) = &answer.body else {
        return answer;
    };
    let containers = object.pointer("/spec/template/spec/containers");
    let containers = containers.and_then(Value::as_array).into_iter().flatten();
    let mut warnings = Vec::new();
    for (place, container) in containers.enumerate() {
        let mut seen = BTreeSet::new();
        let variables = container["env"].as_array().into_iter().flatten();
        for (at, variable) in variables.enumerate() {
            let name = variable["name"].as_str().unwrap_or_default();
            if !seen.insert(name) {
                warnings.push(format!(
                    "299 - \"spec.template.spec.containers[{place}].env[{at}]: hides previous \
                     definition of \\\"{name}\\\", which may be dropped when using apply\""
                ));
            }
        }
    }
    let selector = object.pointer("/spec/template/spec/nodeSelector");
    for (old, new) in RENAMED {
        if selector.is_some_and(|it| it.get(old).is_some()) {
            warnings.push(format!(
                "299 - \"spec.template.spec.nodeSelector[{old}]: deprecated since v1.14; use \
                 \\\"{new}\\\" instead\""
            ));
        }
    }
    let warnings = warnings.into_iter();
    answer
        .headers
        .extend(warnings.map(|text| ("warning".to_owned(), text)));
    answer
}
