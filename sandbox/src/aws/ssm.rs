//! SSM Parameter Store: parameters with versions and labels, read by name, selector or ARN.

mod name;
mod secret;

use crate::aws::account::{ACCOUNT, REGION};
use crate::aws::answer::Refusal;
use crate::aws::ssm::name::{NAME_RULE, Name};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

/// How many versions of a parameter SSM keeps before it deletes the oldest.
const VERSIONS: usize = 100;
/// The most names in one `GetParameters`.
const NAMES: usize = 10;
/// The most versions in a page of `GetParameterHistory`.
const PAGE: usize = 50;
/// The default key.
const DEFAULT_KEY: &str = "alias/aws/ssm";

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Plain text.
    String,
    /// Encrypted: without `WithDecryption` SSM returns only the ciphertext.
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
    /// The secrets of Secrets Manager.
    secrets: BTreeMap<String, String>,
}

struct Version {
    value: String,
    kind: ParameterKind,
    /// The key that encrypts the value.
    key: Option<String>,
    description: Option<String>,
    labels: BTreeSet<String>,
    modified: Timestamp,
}

/// The newest version of a parameter, for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The number of the version.
    pub version: u64,
    /// The decrypted value.
    pub value: String,
    /// The type.
    pub kind: ParameterKind,
    /// The KMS key of a `SecureString`.
    pub key: Option<String>,
    /// The description.
    pub description: Option<String>,
}

enum Missing {
    Parameter,
    Version,
}

impl ParameterStore {
    /// Stores a new version and returns its number.
    pub(super) fn put(
        &mut self,
        name: &str,
        value: &str,
        kind: ParameterKind,
        now: Timestamp,
    ) -> u64 {
        self.put_under(name, value, kind, (None, None), now)
    }

    /// Stores a new version with a key and a description.
    pub(super) fn put_under(
        &mut self,
        name: &str,
        value: &str,
        kind: ParameterKind,
        (key, description): (Option<&str>, Option<&str>),
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
            key: match kind {
                ParameterKind::SecureString => Some(key.unwrap_or(DEFAULT_KEY).to_owned()),
                ParameterKind::String => None,
            },
            description: description.map(str::to_owned),
            labels: BTreeSet::new(),
            modified: now,
        };
        versions.insert(number, version);
        number
    }

    /// The newest version.
    pub(super) fn newest(&self, name: &str) -> Option<Parameter> {
        let (number, version) = self.parameters.get(name)?.last_key_value()?;
        Some(Parameter {
            version: *number,
            value: version.value.clone(),
            kind: version.kind,
            key: version.key.clone(),
            description: version.description.clone(),
        })
    }

    /// Moves a label to a version; a parameter has each label only once.
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
            "GetParameterHistory" => self.get_parameter_history(body),
            "PutParameter" => self.put_parameter(body, now),
            _ => Err(Refusal::unknown_operation(operation)),
        }
    }

    fn get_parameter(&self, body: &Value) -> Result<Value, Refusal> {
        let asked = text(body, "Name")?;
        match self.look_up(asked, decryption(body)?)? {
            Ok(parameter) => Ok(json!({"Parameter": parameter})),
            // Like the real SSM, the message has at most the name.
            Err(Missing::Parameter) => Err(Refusal::new("ParameterNotFound", String::new())),
            Err(Missing::Version) => {
                let name = Name::parse(asked)?;
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
            match self.look_up(asked, decrypt)? {
                Ok(parameter) => found.push(parameter),
                Err(Missing::Parameter | Missing::Version) => invalid.push(asked),
            }
        }
        // SSM promises no order; sorting exposes callers that rely on their own order.
        found.sort_by_key(|parameter| parameter["Name"].as_str().map(str::to_owned));
        Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
    }

    /// Lists the oldest version first, like SSM.
    fn get_parameter_history(&self, body: &Value) -> Result<Value, Refusal> {
        let name = Name::parse(text(body, "Name")?)?;
        let decrypt = decryption(body)?;
        let most = match body.get("MaxResults").and_then(Value::as_u64) {
            None => PAGE,
            Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
        };
        if most == 0 || most > PAGE {
            let text = "Value at 'maxResults' failed to satisfy constraint";
            return Err(Refusal::validation(text));
        }
        let missing = |_| Refusal::new("ParameterNotFound", String::new());
        let (known, versions) = self.versions(&name).map_err(missing)?;
        let from = body.get("NextToken").and_then(Value::as_str);
        let from = from.map_or(Ok(0), str::parse::<u64>);
        let from = from.map_err(|_| Refusal::new("InvalidNextToken", String::new()))?;
        let mut rest = versions.range(from..);
        let page = rest.by_ref().take(most);
        let page = page.map(|(number, version)| {
            let mut entry = version.shown(known, *number, decrypt);
            // An entry of the history has no ARN, and more data about the version.
            let fields = entry.as_object_mut().expect("it is made as one");
            fields.remove("ARN");
            let labels = version.labels.iter().cloned().collect::<Vec<_>>();
            fields.insert("Labels".to_owned(), labels.into());
            fields.insert("Tier".to_owned(), "Standard".into());
            fields.insert("LastModifiedUser".to_owned(), "N/A".into());
            for (field, value) in [
                ("KeyId", &version.key),
                ("Description", &version.description),
            ] {
                if let Some(value) = value {
                    fields.insert(field.to_owned(), value.as_str().into());
                }
            }
            entry
        });
        let mut answer = json!({"Parameters": page.collect::<Vec<_>>()});
        if let Some((next, _)) = rest.next() {
            answer["NextToken"] = next.to_string().into();
        }
        Ok(answer)
    }

    fn put_parameter(&mut self, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let name = text(body, "Name")?;
        let value = text(body, "Value")?;
        // "You can't enter the Amazon Resource Name (ARN) for a parameter."
        if Name::parse(name)?.selector.is_some() || name.starts_with("arn:") {
            return Err(Refusal::validation(NAME_RULE));
        }
        let overwrite = body.get("Overwrite").and_then(Value::as_bool) == Some(true);
        let former = self.newest(name);
        if former.is_some() && !overwrite {
            let text = "The parameter already exists. To overwrite this value, \
                        set the overwrite option in the request to true.";
            return Err(Refusal::new("ParameterAlreadyExists", text));
        }
        let kind = match (body.get("Type").and_then(Value::as_str), &former) {
            (Some("SecureString"), _) => ParameterKind::SecureString,
            (Some("String" | "StringList"), _) => ParameterKind::String,
            (None, Some(former)) => former.kind,
            (_, _) => return Err(Refusal::validation("A parameter type is required.")),
        };
        let given = |member: &str| body.get(member).and_then(Value::as_str);
        if given("KeyId").is_some() && kind == ParameterKind::String {
            let text = "KeyId is required for SecureString type parameter only.";
            return Err(Refusal::validation(text));
        }
        // Without a key SSM uses its own, whatever the previous version used.
        let more = (given("KeyId"), given("Description"));
        let version = self.put_under(name, value, kind, more, now);
        Ok(json!({"Version": version, "Tier": "Standard"}))
    }

    /// Finds a parameter by any form of its name.
    fn versions(&self, asked: &Name<'_>) -> Result<(&str, &BTreeMap<u64, Version>), Missing> {
        // `/a` and `a` have the same ARN.
        let found = self
            .parameters
            .get_key_value(asked.plain)
            .or_else(|| self.parameters.get_key_value(asked.rooted.as_deref()?));
        let (name, versions) = found.ok_or(Missing::Parameter)?;
        Ok((name, versions))
    }

    fn find(&self, asked: &Name<'_>, decrypt: bool) -> Result<Value, Missing> {
        let (name, versions) = self.versions(asked)?;
        let (number, version) = match asked.selector {
            None => versions.last_key_value().ok_or(Missing::Parameter)?,
            Some(selector) => versions
                .iter()
                .find(|(number, version)| {
                    number.to_string() == selector || version.labels.contains(selector)
                })
                .ok_or(Missing::Version)?,
        };
        let mut parameter = version.shown(name, *number, decrypt);
        if let Some(selector) = asked.selector {
            parameter["Selector"] = Value::from(format!(":{selector}"));
        }
        Ok(parameter)
    }
}

impl Version {
    fn shown(&self, name: &str, number: u64, decrypt: bool) -> Value {
        let value = match self.kind {
            ParameterKind::SecureString if !decrypt => ciphertext(name, number, &self.value),
            ParameterKind::SecureString | ParameterKind::String => self.value.clone(),
        };
        json!({
            "Name": name,
            "Type": self.kind.name(),
            "Value": value,
            "Version": number,
            "ARN": arn(name),
            "LastModifiedDate": self.modified.as_millisecond() as f64 / 1000.0,
            "DataType": "text",
        })
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

/// Looks like KMS's ciphertext, is always the same for the same value, and cannot be decrypted.
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
mod tests;
