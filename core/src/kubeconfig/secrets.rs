//! What is secret in a kubeconfig, found by the names of fields wherever they are: a misplaced
//! password is a password.

use crate::formats::private_key;
use crate::kubernetes::token::appearance;
use crate::text::redaction::{HIDDEN, MINIMUM};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Parts of the names of fields, options and variables that have a secret.
const NAMES: [&str; 8] = [
    "token",
    "password",
    "passphrase",
    "secret",
    "key-data",
    "external-id",
    "access_key",
    "credential",
];

/// The option that is named like one, and has no value.
const TOKEN_ONLY: &str = "--token-only";

/// The option of `aws-iam-authenticator` for an external id.
const EXTERNAL_ID: &str = "-e";

/// The longest name that is shown: a context of EKS is called by the cluster's ARN.
const NAME_LIMIT: usize = 200;

/// What base64 of PEM begins with.
const ENCODED_PEM: &str = "LS0tLS1";

/// All secrets of a kubeconfig, as written and decoded.
pub(super) fn of(root: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = Vec::new();
    fields(root, false, &mut found);
    let mut secrets = BTreeSet::new();
    for text in found {
        secrets.extend(decoded(text));
        secrets.insert(text.to_owned());
    }
    secrets.retain(|secret| secret.trim().len() >= MINIMUM);
    secrets
}

/// A name as it may be shown: not if it looks like a secret, or is a part of one.
pub(super) fn shown(name: &str, secrets: &BTreeSet<String>) -> String {
    let is_part = |secret: &String| {
        name.contains(secret.trim()) || name.len() >= MINIMUM && secret.contains(name)
    };
    let is_secret = name.len() > NAME_LIMIT
        || name.contains("-----")
        || name.contains(ENCODED_PEM)
        || appearance::resembles_a_token(name.trim())
        || secrets.iter().any(is_part);
    match is_secret {
        true => HIDDEN.to_owned(),
        false => name.replace(|it: char| it.is_control() || it == '`', " "),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // A token's file has a path.
    NAMES.iter().any(|part| name.contains(part)) && !name.ends_with("file")
}

fn fields<'a>(map: &'a Map<String, Value>, all: bool, found: &mut Vec<&'a str>) {
    // A variable is a mapping of its name and its value.
    let variable = map
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(is_secret);
    for (name, value) in map {
        let is_value = variable && name == "value";
        match (&**name, value) {
            ("args", Value::Array(args)) => options(args, found),
            _ => values(value, all || is_value || is_secret(name), found),
        }
    }
}

fn values<'a>(value: &'a Value, all: bool, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if all => found.push(text),
        Value::String(text) => found.extend(of_url(text)),
        Value::Array(items) => items.iter().for_each(|item| values(item, all, found)),
        Value::Object(map) => fields(map, all, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Secrets among the arguments of a program: `--token=…`, `--token …`, `-e…`, or a token itself.
fn options<'a>(args: &'a [Value], found: &mut Vec<&'a str>) {
    let mut is_next = false;
    for arg in args {
        let Some(text) = arg.as_str() else {
            values(arg, false, found);
            continue;
        };
        let named = text.split_once('=').filter(|(name, _)| is_secret(name));
        if is_next || appearance::resembles_a_token(text) {
            found.push(text);
        } else if let Some((_, value)) = named {
            found.push(value);
        } else if let Some(value) = text.strip_prefix(EXTERNAL_ID) {
            found.push(value.trim_start_matches('='));
        } else {
            found.extend(of_url(text));
        }
        let has_next = is_secret(text) && named.is_none() && text != TOKEN_ONLY;
        is_next = text.starts_with('-') && (has_next || text == EXTERNAL_ID);
    }
}

/// The user and the password of an address, such as a proxy's.
fn of_url(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let (user, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    Some(user)
}

/// What a secret means: base64 decoded, a key in its other spellings, a password of an address.
fn decoded(text: &str) -> Vec<String> {
    let joined = text.split_whitespace().collect::<String>();
    let inner = STANDARD.decode(&joined).ok();
    let inner = inner.and_then(|inner| String::from_utf8(inner).ok());
    let key = private_key::read(text).ok().map(|key| key.pem);
    let password = text.split_once(':').map(|(_, password)| password);
    let password = password.filter(|_| !text.contains(char::is_whitespace));
    let pem = [inner.as_deref(), key.as_deref(), Some(text)]
        .into_iter()
        .flatten();
    let bodies = pem.flat_map(bodies).map(str::to_owned).collect::<Vec<_>>();
    let all = [inner, key, password.map(str::to_owned)];
    all.into_iter().flatten().chain(bodies).collect()
}

/// The texts between the markers of PEM, however damaged it is.
fn bodies(text: &str) -> impl Iterator<Item = &str> {
    let is_marker = |part: &str| ["BEGIN", "END"].iter().any(|word| part.starts_with(word));
    let parts = text.split("-----").filter(|_| text.contains("-----"));
    parts.map(str::trim).filter(move |part| !is_marker(part))
}
