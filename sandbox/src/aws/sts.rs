//! STS: AssumeRole, for roles whose trust policies name the function's role.
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use crate::aws::answer::Refusal;
use crate::iam::{AccessKey, AccessKeys, Principal};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A role that the function may assume.
#[derive(Clone, Debug)]
pub struct Role {
    /// The ARN.
    pub arn: String,
    /// What its trust policy asks for.
    pub external_id: Option<String>,
    /// How long its sessions last.
    pub life: SignedDuration,
}

impl Role {
    /// A role whose sessions last an hour and which asks for no external id.
    pub fn new(arn: &str) -> Role {
        Role {
            arn: arn.to_owned(),
            external_id: None,
            life: SignedDuration::from_hours(1),
        }
    }
}

/// All roles that may be assumed.
#[derive(Default)]
pub(super) struct Roles {
    roles: Vec<Role>,
    /// How many sessions were given out.
    sessions: usize,
}

impl Roles {
    /// Adds a role in the place of the one with its ARN.
    pub(super) fn put(&mut self, role: Role) {
        self.roles.retain(|one| one.arn != role.arn);
        self.roles.push(role);
    }

    pub(super) fn answer(
        &mut self,
        operation: &str,
        body: &Value,
        caller: &Principal,
        keys: &AccessKeys,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        if operation != "AssumeRole" {
            return Err(Refusal::new(
                "InvalidAction",
                format!("Could not find {operation}"),
            ));
        }
        let text = |member: &str| body.get(member).and_then(Value::as_str);
        let (Some(arn), Some(session)) = (text("RoleArn"), text("RoleSessionName")) else {
            let missing = "RoleArn and RoleSessionName must not be null";
            return Err(Refusal::new("ValidationError", missing));
        };
        // Whether the role, the permission or the external id is wrong, STS does not tell.
        let role = self.roles.iter().find(|role| {
            let expected = role.external_id.as_deref();
            role.arn == arn && (expected.is_none() || text("ExternalId") == expected)
        });
        let role = role.ok_or_else(|| Refusal {
            status: 403,
            ..Refusal::new(
                "AccessDenied",
                format!(
                    "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                    caller.arn()
                ),
            )
        })?;
        self.sessions += 1;
        let number = self.sessions;
        let key = AccessKey {
            id: format!("ASIAIOSFODNN7ROLE{number:03}"),
            secret: format!("not-a-real-secret-access-key-of-session-{number:03}"),
            session: format!("not-a-real-session-token-of-session-{number:03}"),
            principal: Principal {
                role: arn.to_owned(),
                session: session.to_owned(),
            },
            expires: now + role.life,
        };
        keys.add(key.clone());
        Ok(json!({
            "AssumedRoleUser": {
                "AssumedRoleId": format!("AROA3XFRBF535PLBIFPI4:{session}"),
                "Arn": key.principal.arn(),
            },
            "Credentials": {
                "AccessKeyId": key.id,
                "SecretAccessKey": key.secret,
                "SessionToken": key.session,
                "Expiration": key.expires.strftime("%FT%TZ").to_string(),
            },
        }))
    }
}
