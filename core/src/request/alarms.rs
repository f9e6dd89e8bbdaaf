//! The field `alarms`: the CloudWatch alarms that guard a deploy.

use super::checks::unresolved;
use super::fields::Check;
use super::model::Alarms;
use super::shown::excerpt;
use crate::text::placeholder;
use serde_json::Value;

/// The most alarms of a deploy, as CodeDeploy has it. A composite alarm stands for many.
const ALARMS_LIMIT: usize = 10;

/// The longest name of an alarm.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
const NAME_LIMIT: usize = 255;

const SHAPE: &str = r#"a list of alarms' names, or {"names": ["web-5xx"], "ringing": "ignore"}"#;

impl Check<'_> {
    pub(super) fn alarms(&mut self) -> Option<Alarms> {
        let (names, field, ringing) = match self.fields.get("alarms").cloned() {
            None => return None,
            Some(Value::Array(names)) => (names, "alarms", None),
            Some(Value::Object(fields)) => {
                self.known_parts("alarms", &fields, &["names", "ringing"])?;
                let Some(Value::Array(names)) = fields.get("names") else {
                    self.fault("alarms.names", "must be a list of alarms' names");
                    return None;
                };
                let ringing = fields.get("ringing").cloned();
                (names.clone(), "alarms.names", ringing)
            }
            Some(other) => {
                self.must_be("alarms", SHAPE, &other);
                return None;
            }
        };
        let ignores_ringing = match ringing.as_ref().map(Value::as_str) {
            None | Some(Some("refuse")) => false,
            Some(Some("ignore")) => true,
            Some(_) => {
                let problem = "must be `refuse` (the default) or `ignore`";
                self.fault("alarms.ringing", problem);
                false
            }
        };
        if names.is_empty() || names.len() > ALARMS_LIMIT {
            let problem = format!(
                "must have 1 to {ALARMS_LIMIT} names; a composite alarm stands for any number of \
                 alarms"
            );
            self.fault(field, problem);
        }
        let names = self.alarm_names(field, &names);
        Some(Alarms {
            names,
            ignores_ringing,
        })
    }

    fn alarm_names(&mut self, field: &str, given: &[Value]) -> Vec<String> {
        let mut names = Vec::<String>::new();
        for (index, value) in given.iter().enumerate() {
            let place = format!("{field}[{index}]");
            let Some(name) = value.as_str() else {
                self.must_be(place, "an alarm's name", value);
                continue;
            };
            let plain = name.chars().all(|character| !character.is_control());
            if name.contains(placeholder::PIPELINE) {
                self.fault(place, unresolved(name));
            } else if name.starts_with("arn:") {
                let problem = "is an ARN, and must be the name alone: alarms are read in the \
                    function's own account and region. For an alarm of another account or region \
                    make one here that watches the same metric";
                self.fault(place, problem);
            } else if name.is_empty() || name.chars().count() > NAME_LIMIT || !plain {
                let problem = format!(
                    "must be 1 to {NAME_LIMIT} characters without line breaks, and is `{}`",
                    excerpt(name, 0)
                );
                self.fault(place, problem);
            } else if name.trim() != name {
                let problem = format!(
                    "is `{}`, with a blank at its beginning or end: leave it out",
                    excerpt(name, 0)
                );
                self.fault(place, problem);
            } else if names.iter().any(|other| other == name) {
                self.fault(place, format!("is `{}` a second time", excerpt(name, 0)));
            } else {
                names.push(name.to_owned());
            }
        }
        names
    }
}

#[cfg(test)]
mod tests;
