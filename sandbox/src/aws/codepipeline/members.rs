//! Validates the members of a request by CodePipeline's constraints.

use crate::aws::answer::Refusal;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

pub(super) const TOKEN: RangeInclusive<usize> = 1..=2048;
pub(super) const SUMMARY: RangeInclusive<usize> = 1..=2048;
pub(super) const EXTERNAL_ID: RangeInclusive<usize> = 1..=1500;
pub(super) const MESSAGE: RangeInclusive<usize> = 1..=5000;
pub(super) const REVISION: RangeInclusive<usize> = 1..=1500;
pub(super) const CHANGE_IDENTIFIER: RangeInclusive<usize> = 1..=100;
pub(super) const PERCENT: RangeInclusive<i64> = 0..=100;
const JOB_ID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const VARIABLE_NAME: &str = r"[A-Za-z0-9@\-_]+";
const FAILURE_TYPES: [&str; 6] = [
    "JobFailed",
    "ConfigurationError",
    "PermissionError",
    "RevisionOutOfSync",
    "RevisionUnavailable",
    "SystemUnavailable",
];

/// The members of a request. Collects all violated constraints, because AWS reports them together.
pub(super) struct Members<'a> {
    pub(super) body: &'a Map<String, Value>,
    pub(super) violations: Vec<String>,
}

impl<'a> Members<'a> {
    pub(super) fn of(body: &'a Value) -> Result<Members<'a>, Refusal> {
        let body = body.as_object().ok_or_else(Refusal::serialization)?;
        let violations = Vec::new();
        Ok(Members { body, violations })
    }

    pub(super) fn check(&self) -> Result<(), Refusal> {
        let count = self.violations.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        let all = self.violations.join("; ");
        let text = format!("{count} validation error{plural} detected: {all}");
        Err(Refusal::validation(text))
    }

    pub(super) fn at(&self, path: &str) -> Option<&'a Value> {
        let mut names = path.split('.');
        let first = self.body.get(names.next()?)?;
        names
            .try_fold(first, |value, name| value.get(name))
            .filter(|value| !value.is_null())
    }

    pub(super) fn violation(&mut self, value: &str, path: &str, constraint: &str) {
        self.violations.push(format!(
            "Value {value} at '{path}' failed to satisfy constraint: {constraint}"
        ));
    }

    pub(super) fn missing(&mut self, path: &str) {
        self.violation("null", path, "Member must not be null");
    }

    pub(super) fn object(&self, path: &str) -> Result<Option<&'a Map<String, Value>>, Refusal> {
        self.at(path)
            .map(|value| value.as_object().ok_or_else(Refusal::serialization))
            .transpose()
    }

    pub(super) fn string(&self, path: &str) -> Result<Option<&'a str>, Refusal> {
        self.at(path)
            .map(|value| value.as_str().ok_or_else(Refusal::serialization))
            .transpose()
    }

    pub(super) fn text(
        &mut self,
        path: &str,
        lengths: RangeInclusive<usize>,
    ) -> Result<Option<String>, Refusal> {
        let Some(text) = self.string(path)? else {
            return Ok(None);
        };
        let length = text.chars().count();
        let bound = if length < *lengths.start() {
            Some(("greater", lengths.start()))
        } else if length > *lengths.end() {
            Some(("less", lengths.end()))
        } else {
            None
        };
        if let Some((side, bound)) = bound {
            let constraint = format!("Member must have length {side} than or equal to {bound}");
            self.violation(&format!("'{text}'"), path, &constraint);
        }
        Ok(Some(text.to_owned()))
    }

    pub(super) fn required(
        &mut self,
        path: &str,
        lengths: RangeInclusive<usize>,
    ) -> Result<String, Refusal> {
        let text = self.text(path, lengths)?;
        if text.is_none() {
            self.missing(path);
        }
        Ok(text.unwrap_or_default())
    }

    pub(super) fn number(
        &mut self,
        path: &str,
        values: RangeInclusive<i64>,
    ) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.at(path) else {
            return Ok(None);
        };
        let number = value.as_i64().ok_or_else(Refusal::serialization)?;
        if !values.contains(&number) {
            let (side, bound) = if number < *values.start() {
                ("greater", values.start())
            } else {
                ("less", values.end())
            };
            let constraint = format!("Member must have value {side} than or equal to {bound}");
            self.violation(&format!("'{number}'"), path, &constraint);
        }
        Ok(Some(number))
    }

    pub(super) fn job_id(&mut self) -> Result<String, Refusal> {
        let id = self.string("jobId")?;
        match id {
            None => self.missing("jobId"),
            Some(id) if !is_job_id(id) => {
                let constraint =
                    format!("Member must satisfy regular expression pattern: {JOB_ID}");
                self.violation(&format!("'{id}'"), "jobId", &constraint);
            }
            Some(_) => {}
        }
        Ok(id.unwrap_or_default().to_owned())
    }

    pub(super) fn failure_type(&mut self) -> Result<String, Refusal> {
        let path = "failureDetails.type";
        let kind = self.string(path)?;
        match kind {
            None => self.missing(path),
            Some(kind) if !FAILURE_TYPES.contains(&kind) => {
                let set = FAILURE_TYPES.join(", ");
                let constraint = format!("Member must satisfy enum value set: [{set}]");
                self.violation(&format!("'{kind}'"), path, &constraint);
            }
            Some(_) => {}
        }
        Ok(kind.unwrap_or_default().to_owned())
    }

    pub(super) fn variables(&mut self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut variables = BTreeMap::new();
        let Some(object) = self.object("outputVariables")? else {
            return Ok(variables);
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '_');
        for (name, value) in object {
            let value = value.as_str().ok_or_else(Refusal::serialization)?;
            if name.is_empty() || !name.chars().all(allowed) {
                let constraint = format!(
                    "Map keys must satisfy constraint: \
                     [Member must satisfy regular expression pattern: {VARIABLE_NAME}]"
                );
                self.violation(&format!("'{name}'"), "outputVariables", &constraint);
            }
            variables.insert(name.clone(), value.to_owned());
        }
        Ok(variables)
    }
}

pub(super) fn is_job_id(id: &str) -> bool {
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    id.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && id.bytes().all(|byte| byte == b'-' || hexadecimal(byte))
}
