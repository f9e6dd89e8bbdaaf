//! What the errors of all AWS services have in common.

/// The error codes for a request whose time is too far from AWS's.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
const CLOCK_ERRORS: [&str; 3] = [
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
];

/// What AWS says of such a request under the code of a wrong signature.
const CLOCK_WORDS: [&str; 2] = ["Signature expired: ", "Signature not yet current: "];

/// What to do about the function's clock.
pub const CLOCK_NEXT: &str = "Retry the stage. Lambda sets this clock: if this happens again, \
    deploy the function again, so that it runs on another machine.";

/// The error codes for credentials or a signature that AWS does not accept.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html>
pub(super) const NOT_SIGNED: [&str; 10] = [
    "ExpiredTokenException",
    "ExpiredToken",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "AuthFailure",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];

/// Whether AWS refuses a request because of its time. `said` begins with the error code.
pub fn is_of_clock(said: &str) -> bool {
    CLOCK_ERRORS.iter().any(|code| said.starts_with(code))
        || CLOCK_WORDS.iter().any(|words| said.contains(words))
}

/// Whether an error is about a KMS key. If AWS names the denied action, only that counts: the names
/// of roles, parameters and objects may contain any word.
pub fn is_about_key(said: &str) -> bool {
    match said.split_once("not authorized to perform: ") {
        Some((_, action)) => action.starts_with("kms:"),
        None => ["KMS", "kms:", "Service: Kms", "ciphertext", "InvalidKeyId"]
            .iter()
            .any(|word| said.contains(word)),
    }
}

/// What denies a call, by AWS's message.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denier {
    /// The policy of the VPC endpoint.
    Endpoint,
    /// A policy of the organization.
    Organization,
    /// The caller's permissions boundary; whether it denies the call explicitly.
    Boundary(bool),
    /// A statement that denies the call explicitly.
    Statement,
    /// No policy of the caller allows the call.
    NoIdentityPolicy,
    /// No policy of the resource allows the call.
    NoResourcePolicy,
    /// AWS does not say.
    Unsaid,
}

impl Denier {
    /// Reads AWS's message.
    pub fn of(said: &str) -> Denier {
        let has = |words: &str| said.contains(words);
        if has("VPC endpoint policy") {
            Denier::Endpoint
        } else if has("service control policy") || has("resource control policy") {
            Denier::Organization
        } else if has("permissions boundary") {
            Denier::Boundary(has("explicit deny"))
        } else if has("explicit deny") {
            Denier::Statement
        } else if has("no identity-based policy") {
            Denier::NoIdentityPolicy
        } else if has("no resource-based policy") {
            Denier::NoResourcePolicy
        } else {
            Denier::Unsaid
        }
    }
}
