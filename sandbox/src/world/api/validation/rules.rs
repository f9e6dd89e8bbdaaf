//! The rules for names, labels and numbers, and their faults.

use crate::world::api::status::Cause;
use serde_json::Value;

pub(crate) const LABEL: &str = "\
    a lowercase RFC 1123 label must consist of lower case alphanumeric characters \
    or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', \
    regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
pub(crate) const SUBDOMAIN: &str = "\
    a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
    'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
pub(crate) const LABEL_VALUE: &str = "\
    a valid label must be an empty string or consist of alphanumeric \
    characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
    'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
pub(crate) const VARIABLE: &str = "\
    a valid environment variable name must consist only of printable ASCII \
    characters other than '='";
pub(crate) const NAME_PART: &str = "\
    name part must consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or \
    '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
pub(crate) const PERCENT: &str = "\
    a valid percent string must be a numeric string followed by an ending '%' \
    (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
/// The largest total size of annotations in bytes.
pub(crate) const ANNOTATION_LIMIT: usize = 256 * 1024;
/// The longest name of a port.
pub(crate) const PORT_NAME_LIMIT: usize = 15;
/// The longest name of an object that is a DNS subdomain.
pub(crate) const SUBDOMAIN_LIMIT: usize = 253;
/// The longest label value and container name.
pub(crate) const LABEL_LIMIT: usize = 63;

/// The faults of an object.
#[derive(Default)]
pub(crate) struct Faults(pub(crate) Vec<Cause>);

impl Faults {
    pub(crate) fn add(
        &mut self,
        reason: &'static str,
        field: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.0.push(Cause {
            reason,
            message: message.into(),
            field: field.into(),
        });
    }

    pub(crate) fn required(&mut self, field: impl Into<String>) {
        self.add("FieldValueRequired", field, "Required value");
    }

    pub(crate) fn required_because(&mut self, field: impl Into<String>, why: &str) {
        self.add(
            "FieldValueRequired",
            field,
            format!("Required value: {why}"),
        );
    }

    pub(crate) fn invalid(&mut self, field: impl Into<String>, value: &Value, why: &str) {
        self.add(
            "FieldValueInvalid",
            field,
            format!("Invalid value: {value}: {why}"),
        );
    }

    pub(crate) fn forbidden(&mut self, field: impl Into<String>, why: &str) {
        self.add("FieldValueForbidden", field, format!("Forbidden: {why}"));
    }

    pub(crate) fn duplicate(&mut self, field: impl Into<String>, value: &Value) {
        self.add(
            "FieldValueDuplicate",
            field,
            format!("Duplicate value: {value}"),
        );
    }

    pub(crate) fn unsupported(
        &mut self,
        field: impl Into<String>,
        value: &Value,
        supported: &[&str],
    ) {
        let quoted: Vec<String> = supported
            .iter()
            .map(|value| format!("\"{value}\""))
            .collect();
        let message = format!(
            "Unsupported value: {value}: supported values: {}",
            quoted.join(", ")
        );
        self.add("FieldValueNotSupported", field, message);
    }

    pub(crate) fn not_label(&mut self, field: impl Into<String>, name: &str) {
        let field = field.into();
        if name.len() > LABEL_LIMIT {
            self.invalid(&*field, &name.into(), "must be no more than 63 characters");
        }
        if !is_part(name) {
            self.invalid(field, &name.into(), LABEL);
        }
    }

    pub(crate) fn one_of(&mut self, field: impl Into<String>, value: &Value, supported: &[&str]) {
        if !supported.iter().any(|known| value == known) {
            self.unsupported(field, value, supported);
        }
    }

    pub(crate) fn not_negative(&mut self, field: &str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| value.as_i64().is_some_and(|number| number < 0)) {
            self.invalid(field, value, "must be greater than or equal to 0");
        }
    }
}

pub(crate) fn is_label(text: &str) -> bool {
    text.len() <= LABEL_LIMIT && is_part(text)
}

pub(crate) fn is_subdomain(text: &str) -> bool {
    text.len() <= SUBDOMAIN_LIMIT && text.split('.').all(is_part)
}

pub(crate) fn is_part(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

pub(crate) fn is_label_value(text: &str) -> bool {
    let edge = |byte: &u8| byte.is_ascii_alphanumeric();
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    bytes.first().is_none_or(edge) && bytes.last().is_none_or(edge) && text.bytes().all(inner)
}

pub(crate) fn percent(text: &str) -> Option<u64> {
    let number = text.strip_suffix('%')?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| digits)
}

/// An object's JSON with its fields in the order of a Go type.
pub(crate) fn in_order(object: &Value, fields: &[&str]) -> String {
    if object.is_null() {
        return "null".to_owned();
    }
    let fields = fields
        .iter()
        .map(|name| format!("\"{name}\":{}", object[*name]));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}
