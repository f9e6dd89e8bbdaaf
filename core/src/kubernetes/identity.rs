//! Which object a call asks for, and whether that is what came. A proxy that mixes answers up, or
//! caches them, must not have one Deployment written with what is in another.

use super::call::{Call, Verb};
use super::contact::{Identity, OddAnswer};
use serde_json::Value;

/// What a call asks for; `None` where the answer is a text.
pub fn asked(call: &Call) -> Option<Identity> {
    let kind = call.answer.as_deref()?;
    // `/api/v1/…` of the core group, `/apis/GROUP/VERSION/…` of all others.
    let root = if call.path.starts_with("/api/") { 3 } else { 4 };
    let parts = call.path.split('/').skip(root).collect::<Vec<_>>();
    let (namespace, object) = match parts.as_slice() {
        ["namespaces", namespace, object @ ..] if !object.is_empty() => (*namespace, object),
        object => ("", object),
    };
    // What is created is named by its body; a part of an object, such as a token, by its path.
    let body = call.body.as_ref().filter(|_| call.verb == Verb::Create);
    let named = body.and_then(|body| body.pointer("/metadata/name")?.as_str());
    let named = named.or_else(|| object.get(1).copied());
    let list = if call.verb == Verb::List { "List" } else { "" };
    Some(Identity {
        kind: format!("{kind}{list}"),
        namespace: namespace.to_owned(),
        name: named.unwrap_or_default().to_owned(),
    })
}

/// Refuses an answer with another object than the call asks for, or with a list of other things.
pub fn expected(call: &Call, answer: &Value) -> Result<(), OddAnswer> {
    let Some(asked) = asked(call) else {
        return Ok(());
    };
    let mut came = Identity::of(answer);
    // A deletion may be answered by a Status of success.
    let deleted = call.verb == Verb::Delete && came.kind == "Status";
    let mut is_taken = asked.is(&came) || deleted && answer["status"] == "Success";
    if call.verb == Verb::List {
        is_taken = asked.kind == came.kind;
        let items = answer["items"].as_array().into_iter().flatten();
        let mut items = items.map(Identity::of);
        if let Some(item) = items.find(|item| item.namespace != asked.namespace) {
            (is_taken, came) = (false, item);
        }
    }
    match is_taken {
        true => Ok(()),
        false => Err(OddAnswer::Other { asked, came }),
    }
}

#[cfg(test)]
mod tests;
