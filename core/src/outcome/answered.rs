//! Classifies AWS's errors, those of SSM above all. SSM and S3 pass on what KMS says about a key.
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html>

use super::access::{CredentialsError, KeyFault};
use super::aws::{NOT_SIGNED, is_about_key, is_of_clock};

/// The permissions that a call to SSM needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwsPermission {
    /// The permission for the call.
    pub call: &'static str,
    /// The permission for the encryption key.
    pub key: &'static str,
}

impl AwsPermission {
    /// The permissions to read parameters.
    pub const READING: AwsPermission = AwsPermission {
        call: "ssm:GetParameters",
        key: "kms:Decrypt",
    };

    /// The permissions to read a parameter's history.
    pub const LOOKING: AwsPermission = AwsPermission {
        call: "ssm:GetParameterHistory",
        key: "kms:Decrypt",
    };

    /// The permissions to write a parameter: the key itself encrypts a standard parameter, a data
    /// key encrypts an advanced one.
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>
    pub const WRITING: AwsPermission = AwsPermission {
        call: "ssm:PutParameter",
        key: "kms:Encrypt and kms:GenerateDataKey",
    };
}

/// Why nobody can use the key that an error is about; `None` if it is not about the key's state.
pub fn key_fault(said: &str) -> Option<KeyFault> {
    let has = |word: &str| said.contains(word);
    if !is_about_key(said) {
        None
    } else if has("DisabledException") || has("is disabled") {
        Some(KeyFault::Disabled)
    } else if has("pending deletion") || has("PendingDeletion") {
        Some(KeyFault::PendingDeletion)
    } else if has("InvalidStateException") || has("NotFoundException") || has("InvalidKeyUsage") {
        Some(KeyFault::Other)
    } else {
        None
    }
}

impl CredentialsError {
    /// Classifies an error response of SSM.
    pub fn answered(
        right: AwsPermission,
        status: u16,
        code: &str,
        message: &str,
    ) -> CredentialsError {
        let said = format!("{code}: {message}");
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let is_of_key = is_about_key(&said);
        if let Some(fault @ (KeyFault::Disabled | KeyFault::PendingDeletion)) = key_fault(&said) {
            return CredentialsError::KeyUnusable(fault, said);
        }
        if is_of_clock(&said) {
            return CredentialsError::Clock(said);
        }
        match code {
            code if NOT_SIGNED.contains(&code) => CredentialsError::NotSigned(said),
            "NotAuthorized" => CredentialsError::Denied(right.call, said),
            _ if has(&["AccessDenied", "not authorized to perform"]) && is_of_key => {
                CredentialsError::KeyDenied(right.key, said)
            }
            _ if has(&["AccessDenied", "not authorized to perform"]) => {
                CredentialsError::Denied(right.call, said)
            }
            "RequestLimitExceeded" | "TooManyUpdates" | "TooManyRequestsException" | "SlowDown" => {
                CredentialsError::Throttled(said)
            }
            code if status == 429 || code.contains("hrottl") => CredentialsError::Throttled(said),
            "InternalServerError" | "ServiceUnavailable" | "RequestTimeout" => {
                CredentialsError::Broken(said)
            }
            "InvalidKeyId" => CredentialsError::KeyUnusable(KeyFault::Other, said),
            _ if status >= 500 => CredentialsError::Broken(said),
            _ => CredentialsError::Refused(said),
        }
    }
}

#[cfg(test)]
mod tests;
