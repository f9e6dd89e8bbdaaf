use super::*;

/// What the answer is taken for, in a word.
fn read(status: u16, code: &str, message: &str) -> &'static str {
    match CredentialsError::answered(AwsPermission::READING, status, code, message) {
        CredentialsError::Denied("ssm:GetParameters", _) => "denied",
        CredentialsError::KeyDenied("kms:Decrypt", _) => "key denied",
        CredentialsError::KeyUnusable(KeyFault::Disabled, _) => "key disabled",
        CredentialsError::KeyUnusable(KeyFault::PendingDeletion, _) => "key to be deleted",
        CredentialsError::KeyUnusable(KeyFault::Other, _) => "key unusable",
        CredentialsError::NotSigned(_) => "not signed",
        CredentialsError::Clock(_) => "clock",
        CredentialsError::Throttled(_) => "throttled",
        CredentialsError::Broken(_) => "broken",
        CredentialsError::Refused(_) => "refused",
        CredentialsError::Denied(..)
        | CredentialsError::KeyDenied(..)
        | CredentialsError::Missing(_)
        | CredentialsError::Unreachable(_)
        | CredentialsError::NoToken(..)
        | CredentialsError::Expired(..)
        | CredentialsError::Eks(_)
        | CredentialsError::ClientCertificate(_)
        | CredentialsError::Proxy(_)
        | CredentialsError::Kubeconfig(_)
        | CredentialsError::Ca(_) => "no answer of SSM",
    }
}

#[test]
fn each_answer_has_its_own_cause() {
    let role = "User: arn:aws:sts::1:assumed-role/landfall/landfall is not authorized to perform: ";
    for (status, code, message, expected) in [
        (
            400,
            "AccessDeniedException",
            &*format!(
                "{role}ssm:GetParameters on resource: arn:aws:ssm:r:1:parameter/t because no identity-based policy allows the ssm:GetParameters action"
            ),
            "denied",
        ),
        (
            400,
            "AccessDeniedException",
            &*format!(
                "{role}kms:Decrypt on resource: arn:aws:kms:r:1:key/k because no identity-based policy allows the kms:Decrypt action"
            ),
            "key denied",
        ),
        (
            400,
            "AccessDeniedException",
            "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access. (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException)",
            "key denied",
        ),
        (
            400,
            "InvalidKeyId",
            "arn:aws:kms:r:1:key/k is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException)",
            "key disabled",
        ),
        (
            400,
            "InvalidKeyId",
            "arn:aws:kms:r:1:key/k is pending deletion. (Service: AWSKMS; Status Code: 400; Error Code: KMSInvalidStateException)",
            "key to be deleted",
        ),
        (400, "InvalidKeyId", "Invalid keyId 'x'", "key unusable"),
        (
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "not signed",
        ),
        (
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            "not signed",
        ),
        (400, "ThrottlingException", "Rate exceeded", "throttled"),
        (500, "InternalServerError", "", "broken"),
        (503, "HTTP 503", "no message", "broken"),
        (403, "SignatureDoesNotMatch", "", "not signed"),
        (401, "AuthFailure", "", "not signed"),
        (403, "MissingAuthenticationToken", "", "not signed"),
        (400, "RequestExpired", "Request has expired.", "clock"),
        (403, "RequestTimeTooSkewed", "", "clock"),
        (
            400,
            "InvalidSignatureException",
            "Signature expired: 20261128T190000Z is now earlier than 20261128T191500Z (20261128T192000Z - 5 min.)",
            "clock",
        ),
        (
            400,
            "InvalidSignatureException",
            "Signature not yet current: 20261128T190000Z is still later than 20261128T185500Z",
            "clock",
        ),
        (
            400,
            "NotAuthorized",
            "You do not have permission to perform this action.",
            "denied",
        ),
        (
            400,
            "InvalidKeyId",
            "arn:aws:kms:r:1:key/k is disabled. (Service: Kms, Status Code: 400)",
            "key disabled",
        ),
        (
            400,
            "InvalidKeyId",
            "arn:aws:kms:r:1:key/k is pending import. (Service: Kms, Status Code: 400)",
            "key unusable",
        ),
        (
            400,
            "ValidationException",
            "1 validation error detected",
            "refused",
        ),
    ] {
        assert_eq!(read(status, code, message), expected, "{code}: {message}");
    }
}

#[test]
fn a_name_with_a_word_of_kms_does_not_make_it_the_key() {
    for name in ["prod/KMS/token", "AWSKMS", "ciphertext", "kms:token"] {
        for role in ["landfall", "KMSUser"] {
            let message = format!(
                "User: arn:aws:sts::1:assumed-role/{role}/landfall is not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:r:1:parameter/{name} because no identity-based policy allows the ssm:GetParameters action"
            );
            assert_eq!(read(400, "AccessDeniedException", &message), "denied");
        }
    }
}
