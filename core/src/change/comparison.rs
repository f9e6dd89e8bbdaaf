//! Whether two values mean the same to Kubernetes.

use serde_json::Value;

/// Whether `found` contains everything that `wanted` names. The server adds defaults, removes empty
/// fields and normalizes quantities.
pub fn contains(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            let found = found.get(key);
            found.map_or(is_empty(wanted), |found| contains(found, wanted))
        }),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && found
                    .iter()
                    .zip(wanted)
                    .all(|(found, wanted)| contains(found, wanted))
        }
        (found, wanted) => found == wanted || is_same_quantity(found, wanted),
    }
}

/// Whether the server omits the value: null, false, 0, "", [] and {}.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(value) => value.is_empty(),
        Value::Object(value) => value.values().all(is_empty),
    }
}

/// Whether two quantities are equal, such as `0.5` and `500m`, or `1024Mi` and `1Gi`.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
pub(super) fn is_same_quantity(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (quantity(one), quantity(other)) else {
        return false;
    };
    (one - other).abs() <= one.abs() * 1e-12
}

pub(super) fn quantity(value: &Value) -> Option<f64> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    crate::kubernetes::quantity::read(&text)
}

/// Whether admission may have turned one image into the other: with its digest, or from a mirror.
pub(super) fn is_same_image(wanted: &str, found: &str) -> bool {
    let parts = |image: &str| {
        let image = image.trim();
        let last = image.rsplit('/').next().unwrap_or_default().to_owned();
        let (named, digest) = match last.split_once('@') {
            Some((named, digest)) => (named.to_owned(), Some(digest.to_owned())),
            None => (last, None),
        };
        let (name, tag) = match named.split_once(':') {
            Some((name, tag)) => (name.to_owned(), Some(tag.to_owned())),
            None => (named, None),
        };
        (name, tag, digest)
    };
    let (name, tag, digest) = parts(wanted);
    let (found_name, found_tag, found_digest) = parts(found);
    if wanted == found {
        return true;
    }
    let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
    let same_tag = found_tag == tag || (found_tag.is_none() && tag.as_deref() == Some("latest"));
    name == found_name
        && match (&digest, &found_digest) {
            (Some(digest), found) => found.as_ref() == Some(digest),
            (None, Some(_)) => found_tag.is_none() || same_tag,
            (None, None) => same_tag,
        }
}
