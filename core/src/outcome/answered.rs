//! What an error of SSM means, which passes on what KMS says of a parameter's key.
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html>

use super::access::{CredentialsError, KeyFault};

/// What a call of SSM takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwsPermission {
    /// The right to call it.
    pub call: &'static str,
    /// The right on the key of what is encrypted.
    pub key: &'static str,
}

impl AwsPermission {
    /// Reading parameters.
    pub const READING: AwsPermission = AwsPermission {
        call: "ssm:GetParameters",
        key: "kms:Decrypt",
    };

    /// Reading how one is kept.
    pub const LOOKING: AwsPermission = AwsPermission {
        call: "ssm:GetParameterHistory",
        key: "kms:Decrypt",
    };

    /// Writing one: a standard parameter is encrypted by the key itself, an advanced one by a data
    /// key. <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>
    pub const WRITING: AwsPermission = AwsPermission {
        call: "ssm:PutParameter",
        key: "kms:Encrypt and kms:GenerateDataKey",
    };
}

impl CredentialsError {
    /// What an answer of SSM means that is an error.
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
