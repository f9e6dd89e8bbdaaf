//! How the items of a list are called in a path.

use serde_json::Value;

/// The longest name of an object in a message.
const LABEL_LIMIT: usize = 100;

/// The name of a list's item in a path: its `name`, if it is readable, else its index.
pub(crate) fn place_of(item: &Value, index: usize) -> String {
    let name = item.get("name").and_then(Value::as_str);
    let is_plain = |name: &&str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !name.is_empty() && name.len() <= LABEL_LIMIT && name.bytes().all(inner)
    };
    name.filter(is_plain)
        .map_or_else(|| index.to_string(), str::to_owned)
}
