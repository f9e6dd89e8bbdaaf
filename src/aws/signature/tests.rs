use super::*;

/// AWS's own example, "GET Object".
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
#[test]
fn signatures_are_those_of_awss_example() {
    let keys = Keys {
        id: "AKIAIOSFODNN7EXAMPLE".into(),
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
        session: None,
    };
    let signature = Signature {
        service: "s3",
        region: "us-east-1",
        keys: &keys,
        now: "2013-05-24T00:00:00Z".parse().unwrap(),
    };
    let mut headers = HeaderMap::new();
    headers.insert("range", HeaderValue::from_static("bytes=0-9"));
    let url = "https://examplebucket.s3.amazonaws.com/test.txt";
    let signed = signature.sign("GET", url, headers, &[]).unwrap();
    assert_eq!(
        signed["authorization"],
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=\
             f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    assert!(
        !format!("{signed:?}").contains("f0e8bdb"),
        "it is marked as sensitive"
    );
}
