//! Secrets of Secrets Manager, which SSM passes through.
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>

use crate::aws::account::{ACCOUNT, REGION};
use crate::aws::answer::Refusal;
use crate::aws::ssm::name::Name;
use crate::aws::ssm::{Missing, ParameterStore};
use serde_json::{Value, json};

const REFERENCE: &str = "/aws/reference/secretsmanager/";

impl ParameterStore {
    pub(in crate::aws) fn put_secretsmanager(&mut self, name: &str, value: &str) {
        self.secrets.insert(name.to_owned(), value.to_owned());
    }

    /// A parameter or a secret, by any form of its name.
    pub(super) fn look_up(
        &self,
        asked: &str,
        decrypt: bool,
    ) -> Result<Result<Value, Missing>, Refusal> {
        let Some(name) = asked.strip_prefix(REFERENCE) else {
            return Ok(self.find(&Name::parse(asked)?, decrypt));
        };
        if !decrypt {
            let text = "WithDecryption flag must be True for retrieving a Secret Manager secret.";
            return Err(Refusal::validation(text));
        }
        let (name, selector) = match name.split_once(':') {
            Some((name, selector)) => (name, Some(selector)),
            None => (name, None),
        };
        let is_current = selector.is_none_or(|stage| stage == "AWSCURRENT");
        let value = self.secrets.get(name).filter(|_| is_current);
        Ok(value.ok_or(Missing::Parameter).map(|value| {
            let arn = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-a1b2c3");
            // The secret once more, in the words of Secrets Manager.
            let source = json!({"ARN": arn, "name": name, "secretString": value,
                "versionId": "00000000-1111-4222-8333-444455556666",
                "versionStages": ["AWSCURRENT"], "createdDate": "Nov 28, 2026 6:00:00 PM"});
            let mut parameter = json!({"Name": format!("{REFERENCE}{name}"),
                "Type": "SecureString", "Value": value, "Version": 0, "ARN": arn,
                "SourceResult": source.to_string(), "LastModifiedDate": 1_764_352_800.0,
                "DataType": "text"});
            if let Some(selector) = selector {
                parameter["Selector"] = format!(":{selector}").into();
            }
            parameter
        }))
    }
}
