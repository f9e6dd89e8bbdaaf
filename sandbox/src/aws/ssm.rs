//! SSM Parameter Store: parameters with versions and labels, read by name, selector or ARN.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::endpoint::Refusal;
use super::{ACCOUNT, REGION};

/// SSM keeps this many versions of a parameter and then deletes the oldest.
const VERSIONS: usize = 100;
/// Names in one `GetParameters`.
const NAMES: usize = 10;
/// `Name` is at most this long.
const NAME_LENGTH: usize = 2048;

/// What a parameter's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Plain text.
    String,
    /// Encrypted: without `WithDecryption` only the ciphertext is answered.
    SecureString,
}

impl ParameterKind {
    fn name(self) -> &'static str {
        match self {
            ParameterKind::String => "String",
            ParameterKind::SecureString => "SecureString",
        }
    }
}

#[derive(Default)]
pub(super) struct ParameterStore {
    parameters: BTreeMap<String, BTreeMap<u64, Version>>,
}

struct Version {
    value: String,
    kind: ParameterKind,
    labels: BTreeSet<String>,
    modified: Timestamp,
}

enum Missing {
    Parameter,
    Version,
}

impl ParameterStore {
    /// Stores a new version and answers its number.
    pub(super) fn put(
        &mut self,
        name: &str,
        value: &str,
        kind: ParameterKind,
        now: Timestamp,
    ) -> u64 {
        let versions = self.parameters.entry(name.to_owned()).or_default();
        let number = versions.keys().last().copied().unwrap_or_default() + 1;
        while versions.len() >= VERSIONS {
            versions.pop_first();
        }
        let version = Version {
            value: value.to_owned(),
            kind,
            labels: BTreeSet::new(),
            modified: now,
        };
        versions.insert(number, version);
        number
    }

    /// Moves a label to one version; a label is on one version of a parameter at a time.
    pub(super) fn label(&mut self, name: &str, number: u64, label: &str) -> bool {
        let Some(versions) = self.parameters.get_mut(name) else {
            return false;
        };
        if !versions.contains_key(&number) {
            return false;
        }
        for (at, version) in versions {
            if *at == number {
                version.labels.insert(label.to_owned());
            } else {
                version.labels.remove(label);
            }
        }
        true
    }

    pub(super) fn answer(
        &mut self,
        operation: &str,
        body: &Value,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        match operation {
            "GetParameter" => self.get_parameter(body),
            "GetParameters" => self.get_parameters(body),
            "PutParameter" => self.put_parameter(body, now),
            _ => Err(Refusal::unknown_operation(operation)),
        }
    }

    fn get_parameter(&self, body: &Value) -> Result<Value, Refusal> {
        let asked = text(body, "Name")?;
        let name = Name::parse(asked)?;
        match self.find(&name, decryption(body)?) {
            Ok(parameter) => Ok(json!({"Parameter": parameter})),
            // As in real SSM: only the name comes in the message, if anything.
            Err(Missing::Parameter) => Err(Refusal::new("ParameterNotFound", String::new())),
            Err(Missing::Version) => {
                let text = format!(
                    "Systems Manager could not find version {} of {}. \
                     Verify the version and try again.",
                    name.selector.unwrap_or_default(),
                    name.plain
                );
                Err(Refusal::new("ParameterVersionNotFound", text))
            }
        }
    }

    fn get_parameters(&self, body: &Value) -> Result<Value, Refusal> {
        let names = body.get("Names").unwrap_or(&Value::Null);
        let names: Vec<&str> = match names {
            Value::Array(names) => names
                .iter()
                .map(|name| name.as_str().ok_or_else(Refusal::serialization))
                .collect::<Result<_, _>>()?,
            Value::Null => return Err(Refusal::required("names")),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                return Err(Refusal::serialization());
            }
        };
        check_count(&names)?;
        let decrypt = decryption(body)?;
        let mut found = Vec::new();
        let mut invalid = Vec::new();
        for asked in names {
            match self.find(&Name::parse(asked)?, decrypt) {
                Ok(parameter) => found.push(parameter),
                Err(Missing::Parameter | Missing::Version) => invalid.push(asked),
            }
        }
        // SSM promises no order; sorted, a caller that relies on its own order is found out.
        found.sort_by_key(|parameter| parameter["Name"].as_str().map(str::to_owned));
        Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
    }

    fn put_parameter(&mut self, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let name = text(body, "Name")?;
        let value = text(body, "Value")?;
        let kind = match body.get("Type").and_then(Value::as_str) {
            Some("SecureString") => ParameterKind::SecureString,
            Some("String" | "StringList") => ParameterKind::String,
            Some(_) | None => return Err(Refusal::validation("A parameter type is required.")),
        };
        if Name::parse(name)?.selector.is_some() {
            return Err(Refusal::validation(NAME_RULE));
        }
        let overwrite = body.get("Overwrite").and_then(Value::as_bool) == Some(true);
        if self.parameters.contains_key(name) && !overwrite {
            let text = "The parameter already exists. To overwrite this value, \
                        set the overwrite option in the request to true.";
            return Err(Refusal::new("ParameterAlreadyExists", text));
        }
        let version = self.put(name, value, kind, now);
        Ok(json!({"Version": version, "Tier": "Standard"}))
    }

    fn find(&self, asked: &Name<'_>, decrypt: bool) -> Result<Value, Missing> {
        // The ARN of `/a` and that of `a` are the same.
        let (name, versions) = self
            .parameters
            .get_key_value(asked.plain)
            .or_else(|| self.parameters.get_key_value(asked.rooted.as_deref()?))
            .ok_or(Missing::Parameter)?;
        let (number, version) = match asked.selector {
            None => versions.last_key_value().ok_or(Missing::Parameter)?,
            Some(selector) => versions
                .iter()
                .find(|(number, version)| {
                    number.to_string() == selector || version.labels.contains(selector)
                })
                .ok_or(Missing::Version)?,
        };
        let value = match version.kind {
            ParameterKind::SecureString if !decrypt => ciphertext(name, *number, &version.value),
            ParameterKind::SecureString | ParameterKind::String => version.value.clone(),
        };
        let mut parameter = json!({
            "Name": name,
            "Type": version.kind.name(),
            "Value": value,
            "Version": number,
            "ARN": arn(name),
            "LastModifiedDate": version.modified.as_millisecond() as f64 / 1000.0,
            "DataType": "text",
        });
        if let Some(selector) = asked.selector {
            parameter["Selector"] = Value::from(format!(":{selector}"));
        }
        Ok(parameter)
    }
}

fn check_count(names: &[&str]) -> Result<(), Refusal> {
    if names.is_empty() || names.len() > NAMES {
        let (side, bound) = if names.is_empty() {
            ("greater", 1)
        } else {
            ("less", NAMES)
        };
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '[{}]' at 'names' failed to satisfy constraint: \
             Member must have length {side} than or equal to {bound}",
            names.join(", ")
        )));
    }
    let unique: BTreeSet<_> = names.iter().collect();
    if unique.len() < names.len() {
        return Err(Refusal::validation(
            "Duplicate parameter names are not allowed.",
        ));
    }
    Ok(())
}

pub(super) fn arn(name: &str) -> String {
    let slash = if name.starts_with('/') { "" } else { "/" };
    format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{slash}{name}")
}

const NAME_RULE: &str = "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). \
    If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can \
    be formed as a mix of letters, numbers and the following 3 symbols .-_";

/// A parameter as a caller names it: `name`, `name:version`, `name:label` or an ARN of these.
struct Name<'a> {
    plain: &'a str,
    rooted: Option<String>,
    selector: Option<&'a str>,
}

impl<'a> Name<'a> {
    fn parse(asked: &'a str) -> Result<Name<'a>, Refusal> {
        let length = asked.chars().count();
        if length == 0 || length > NAME_LENGTH {
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value '{asked}' at 'name' failed to satisfy \
                 constraint: Member must have length between 1 and {NAME_LENGTH}"
            )));
        }
        let home = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/");
        let local = asked.strip_prefix(home.as_str());
        let (plain, selector) = match local.unwrap_or(asked).split_once(':') {
            // The ARN of another account or region: a well-formed name that is not here.
            Some(_) if asked.starts_with("arn:") && local.is_none() => (asked, None),
            Some((plain, selector)) => (plain, Some(selector)),
            None => (local.unwrap_or(asked), None),
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
        let foreign = plain.starts_with("arn:");
        if !foreign && (plain.is_empty() || !plain.chars().all(allowed)) {
            return Err(Refusal::validation(NAME_RULE));
        }
        Ok(Name {
            plain,
            rooted: local.map(|_| format!("/{plain}")),
            selector,
        })
    }
}

fn text<'a>(body: &'a Value, member: &str) -> Result<&'a str, Refusal> {
    match body.get(member) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Err(Refusal::required(&member.to_lowercase())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Refusal::serialization())
        }
    }
}

fn decryption(body: &Value) -> Result<bool, Refusal> {
    match body.get("WithDecryption") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(decrypt)) => Ok(*decrypt),
        Some(Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Refusal::serialization())
        }
    }
}

/// Looks like what KMS makes, is the same each time, and cannot be turned back.
fn ciphertext(name: &str, version: u64, value: &str) -> String {
    let mut bytes = vec![1, 2, 2, 0, 0x78];
    for block in 0..18_u64 {
        let mut hasher = DefaultHasher::new();
        (name, version, value, block).hash(&mut hasher);
        bytes.extend(hasher.finish().to_be_bytes());
    }
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> ParameterStore {
        let mut store = ParameterStore::default();
        let now = Timestamp::UNIX_EPOCH;
        store.put("token", "first", ParameterKind::SecureString, now);
        store.put("token", "second", ParameterKind::SecureString, now);
        store.put("/cluster/ca", "authority", ParameterKind::String, now);
        store.put("alias", "other", ParameterKind::String, now);
        assert!(store.label("token", 1, "old"));
        store
    }

    #[test]
    fn selectors_name_versions() {
        let cases = [
            ("token".to_owned(), "second", 2, None),
            ("token:1".to_owned(), "first", 1, Some(":1")),
            ("token:2".to_owned(), "second", 2, Some(":2")),
            ("token:old".to_owned(), "first", 1, Some(":old")),
            (arn("token"), "second", 2, None),
            (format!("{}:1", arn("token")), "first", 1, Some(":1")),
            (arn("/cluster/ca"), "authority", 1, None),
            ("token:3".to_owned(), "ParameterVersionNotFound", 0, None),
            ("token:new".to_owned(), "ParameterVersionNotFound", 0, None),
            ("other".to_owned(), "ParameterNotFound", 0, None),
            (
                arn("token").replace("eu-", "us-"),
                "ParameterNotFound",
                0,
                None,
            ),
            ("to ken".to_owned(), "ValidationException", 0, None),
            ("token:1:2".to_owned(), "ParameterVersionNotFound", 0, None),
            (String::new(), "ValidationException", 0, None),
        ];
        for (asked, expected, version, selector) in cases {
            let body = json!({"Name": asked, "WithDecryption": true});
            match store().answer("GetParameter", &body, Timestamp::UNIX_EPOCH) {
                Ok(answer) => {
                    let parameter = &answer["Parameter"];
                    assert_eq!(parameter["Value"], expected, "{asked}");
                    assert_eq!(parameter["Version"], version, "{asked}");
                    assert_eq!(parameter["Selector"].as_str(), selector, "{asked}");
                }
                Err(refusal) => assert_eq!(refusal.kind, expected, "{asked}"),
            }
        }
    }

    #[test]
    fn a_label_moves() {
        let mut store = store();
        assert!(store.label("token", 2, "old"));
        assert!(!store.label("token", 3, "old"));
        assert!(!store.label("other", 1, "old"));
        let body = json!({"Name": "token:old"});
        let answer = store.answer("GetParameter", &body, Timestamp::UNIX_EPOCH);
        assert_eq!(answer.ok().unwrap()["Parameter"]["Version"], 2);
    }

    #[test]
    fn a_secure_string_is_unreadable_without_decryption() {
        for body in [
            json!({"Name": "token"}),
            json!({"Name": "token", "WithDecryption": false}),
        ] {
            let answer = store()
                .answer("GetParameter", &body, Timestamp::UNIX_EPOCH)
                .ok()
                .unwrap();
            let value = answer["Parameter"]["Value"].as_str().unwrap().to_owned();
            assert!(STANDARD.decode(&value).unwrap().len() > 100, "{value}");
            assert!(!value.contains("second"));
        }
        let body = json!({"Name": "/cluster/ca"});
        let answer = store()
            .answer("GetParameter", &body, Timestamp::UNIX_EPOCH)
            .ok()
            .unwrap();
        assert_eq!(answer["Parameter"]["Value"], "authority");
    }

    #[test]
    fn several_are_sorted_and_the_missing_listed() {
        let body = json!({"Names": ["alias", "token", "nope", "/cluster/ca", "token:9"]});
        let answer = store()
            .answer("GetParameters", &body, Timestamp::UNIX_EPOCH)
            .ok()
            .unwrap();
        let parameters = answer["Parameters"].as_array().unwrap();
        let names: Vec<_> = parameters
            .iter()
            .map(|one| one["Name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["/cluster/ca", "alias", "token"]);
        assert_eq!(answer["InvalidParameters"], json!(["nope", "token:9"]));
    }

    #[test]
    fn bad_lists_are_refused() {
        let eleven: Vec<_> = (0..11).map(|number| format!("p{number}")).collect();
        let cases = [
            (
                "duplicates",
                json!({"Names": ["token", "token"]}),
                "ValidationException",
            ),
            ("eleven", json!({"Names": eleven}), "ValidationException"),
            ("none", json!({"Names": []}), "ValidationException"),
            ("absent", json!({}), "ValidationException"),
            (
                "no list",
                json!({"Names": "token"}),
                "SerializationException",
            ),
        ];
        for (name, body, kind) in cases {
            let refusal = store()
                .answer("GetParameters", &body, Timestamp::UNIX_EPOCH)
                .err();
            assert_eq!(refusal.unwrap().kind, kind, "{name}");
        }
    }

    #[test]
    fn put_needs_overwrite_for_a_second_version() {
        let mut store = store();
        let mut body = json!({"Name": "token", "Value": "third", "Type": "SecureString"});
        let refused = store
            .answer("PutParameter", &body, Timestamp::UNIX_EPOCH)
            .err()
            .unwrap();
        assert_eq!(refused.kind, "ParameterAlreadyExists");
        body["Overwrite"] = Value::from(true);
        let answer = store
            .answer("PutParameter", &body, Timestamp::UNIX_EPOCH)
            .ok()
            .unwrap();
        assert_eq!(answer["Version"], 3);
    }
}
