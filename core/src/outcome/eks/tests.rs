use super::*;

#[test]
fn each_answer_of_aws_is_classified() {
    let denied = "User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not \
                  authorized to perform: sts:AssumeRole on resource: x";
    let expired = "Signature expired: 20260101T120000Z is now earlier than 20260101T121000Z";
    let early = "Signature not yet current: 20260101T120000Z is still later than 20260101T113000Z";
    type Made = fn(String) -> AwsFault;
    let rows: [(u16, &str, &str, Made); 16] = [
        (403, "AccessDenied", denied, AwsFault::Denied),
        (403, "AccessDeniedException", "no", AwsFault::Denied),
        (403, "ClientException", denied, AwsFault::Denied),
        (
            403,
            "ExpiredToken",
            "The security token is expired",
            AwsFault::NotSigned,
        ),
        (
            403,
            "UnrecognizedClientException",
            "invalid",
            AwsFault::NotSigned,
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "It does not match",
            AwsFault::NotSigned,
        ),
        (403, "SignatureDoesNotMatch", expired, AwsFault::Clock),
        (403, "InvalidSignatureException", early, AwsFault::Clock),
        (
            400,
            "RequestExpired",
            "Request has expired",
            AwsFault::Clock,
        ),
        (403, "RequestTimeTooSkewed", "too far", AwsFault::Clock),
        (
            429,
            "TooManyRequestsException",
            "slow down",
            AwsFault::Throttled,
        ),
        (
            400,
            "ThrottlingException",
            "Rate exceeded",
            AwsFault::Throttled,
        ),
        (500, "ServerException", "oops", AwsFault::Broken),
        (503, "ServiceUnavailableException", "oops", AwsFault::Broken),
        (400, "InvalidParameterException", "no", AwsFault::Refused),
        (
            403,
            "RegionDisabledException",
            "not activated",
            AwsFault::Refused,
        ),
    ];
    for (status, code, message, expected) in rows {
        let fault = AwsFault::answered(status, code, message);
        assert_eq!(fault, expected(format!("{code}: {message}")), "{code}");
    }
}

#[test]
fn the_request_that_aws_quotes_is_not_kept() {
    let message = "The request signature we calculated does not match the signature you provided. \
                   Check your AWS Secret Access Key. The Canonical String for this request should \
                   have been 'POST\n/\nx-amz-security-token:c4n4ry'";
    let fault = AwsFault::answered(403, "SignatureDoesNotMatch", message);
    let told = EksError::Call(EksCall::DescribeCluster, fault).to_string();
    assert!(told.contains("Access Key"), "{told}");
    assert!(
        !told.contains("c4n4ry") && !told.contains("Canonical"),
        "{told}"
    );
}
