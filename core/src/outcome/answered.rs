//! Classifies SSM's errors. SSM passes on what KMS says about a parameter's key.
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html>

use super::access::{CredentialsError, KeyFault};

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
        let is_of_key = has(&["AWSKMS", "kms:", "KMS", "ciphertext", "InvalidKeyId"]);
        if has(&["DisabledException"]) || is_of_key && has(&["is disabled"]) {
            return CredentialsError::KeyUnusable(KeyFault::Disabled, said);
        }
        if is_of_key && has(&["pending deletion", "PendingDeletion"]) {
            return CredentialsError::KeyUnusable(KeyFault::PendingDeletion, said);
        }
        match code {
            "ExpiredTokenException"
            | "ExpiredToken"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "MissingAuthenticationTokenException" => CredentialsError::NotSigned(said),
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
