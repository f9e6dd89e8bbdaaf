//! The API server's warnings about an object that it accepts: the header `Warning`.
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/api/pod/warnings.go>

use crate::world::api::message::{Answer, Body};
use serde_json::Value;
use std::collections::BTreeSet;

/// Adds warnings about duplicate variables to the response to a write.
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
    let warnings = warnings.into_iter();
    answer
        .headers
        .extend(warnings.map(|text| ("warning".to_owned(), text)));
    answer
}
