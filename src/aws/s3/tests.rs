use super::*;
use landfall_core::outcome::KeyFault;

fn store(endpoint: Option<&str>, fips: bool, dual_stack: bool) -> Store {
    Store::new(&Aws::read(|name| match name {
        "AWS_ENDPOINT_URL_S3" => endpoint.map(str::to_owned),
        "AWS_USE_FIPS_ENDPOINT" => Some(fips.to_string()),
        "AWS_USE_DUALSTACK_ENDPOINT" => Some(dual_stack.to_string()),
        _ => None,
    }))
}

async fn url(store: &Store, region: &str, bucket: &str, key: &str) -> String {
    store.url(&store.host(region).await.unwrap(), bucket, key)
}

#[tokio::test]
async fn addresses() {
    let plain = store(None, false, false);
    for (region, bucket, key, expected) in [
        (
            "eu-west-1",
            "artifacts",
            "p/Source/x",
            "https://artifacts.s3.eu-west-1.amazonaws.com/p/Source/x",
        ),
        (
            "eu-west-1",
            "my.bucket",
            "x",
            "https://s3.eu-west-1.amazonaws.com/my.bucket/x",
        ),
        (
            "us-east-1",
            "Old_Bucket",
            "x",
            "https://s3.us-east-1.amazonaws.com/Old_Bucket/x",
        ),
        (
            "cn-north-1",
            "b",
            "x",
            "https://b.s3.cn-north-1.amazonaws.com.cn/x",
        ),
        (
            "eu-west-1",
            "b",
            "a b/größe+1",
            "https://b.s3.eu-west-1.amazonaws.com/a%20b/gr%C3%B6%C3%9Fe%2B1",
        ),
        (
            "eu-west-1",
            "evil.com/",
            "x",
            "https://s3.eu-west-1.amazonaws.com/evil.com//x",
        ),
    ] {
        assert_eq!(url(&plain, region, bucket, key).await, expected);
    }
    let special = store(None, true, true);
    let expected = "https://b.s3-fips.dualstack.us-gov-west-1.amazonaws.com/x";
    assert_eq!(url(&special, "us-gov-west-1", "b", "x").await, expected);
    let local = store(Some("http://127.0.0.1:1/"), false, false);
    let expected = "http://127.0.0.1:1/b/x%20y";
    assert_eq!(url(&local, "r", "b", "x y").await, expected);
}

#[test]
fn what_s3_says_is_understood() {
    let meant = |status, code: &str, said: &str| match refusal(status, code, said.to_owned(), None)
    {
        (_, Failure::Transient(_)) => "passing",
        (StoreError::Missing(_), Failure::Permanent) => "missing",
        (StoreError::Frozen, Failure::Permanent) => "frozen",
        (StoreError::Denied(_), Failure::Permanent) => "denied",
        (StoreError::KeyDenied(_), Failure::Permanent) => "key",
        (StoreError::KeyUnusable(KeyFault::Disabled, _), Failure::Permanent) => "key disabled",
        (StoreError::KeyUnusable(..), Failure::Permanent) => "key unusable",
        (StoreError::NotSigned(_), Failure::Permanent) => "not signed",
        (StoreError::Clock(_), Failure::Permanent) => "clock",
        (StoreError::NoUrl, Failure::Permanent) => "no URL",
        (StoreError::Expired(_), Failure::Permanent) => "expired",
        (StoreError::Changed, Failure::Permanent) => "changed",
        (StoreError::Unreachable(_), Failure::Permanent) => "unreachable",
        (StoreError::Refused(_), Failure::Permanent) => "refused",
        (StoreError::Busy(_), Failure::Permanent) => "busy",
    };
    for (status, code, said, expected) in [
        (404, "NoSuchKey", "", "missing"),
        (404, "NoSuchBucket", "", "missing"),
        (404, "", "HTTP 404", "missing"),
        (403, "AccessDenied", "Access Denied", "denied"),
        (
            403,
            "AccessDenied",
            "not authorized to perform: kms:Decrypt on",
            "key",
        ),
        (
            400,
            "KMS.DisabledException",
            "KMS.DisabledException: arn:aws:kms:r:1:key/k is disabled",
            "key disabled",
        ),
        (
            400,
            "KMS.KMSInvalidStateException",
            "KMS.KMSInvalidStateException: arn:aws:kms:r:1:key/k is pending deletion",
            "key unusable",
        ),
        (
            400,
            "KMS.NotFoundException",
            "KMS.NotFoundException: Key 'arn:aws:kms:r:1:key/k' does not exist",
            "key unusable",
        ),
        (400, "KMS.ThrottlingException", "", "passing"),
        (
            403,
            "AccessDenied",
            "not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/ciphertext/AWSKMS\"",
            "denied",
        ),
        (
            403,
            "AccessDenied",
            "The ciphertext refers to a customer master key that",
            "key",
        ),
        (
            400,
            "ExpiredToken",
            "The provided token has expired.",
            "expired",
        ),
        (400, "InvalidToken", "", "not signed"),
        (403, "InvalidAccessKeyId", "", "not signed"),
        (403, "SignatureDoesNotMatch", "", "not signed"),
        (
            403,
            "RequestTimeTooSkewed",
            "RequestTimeTooSkewed: The difference",
            "clock",
        ),
        (403, "InvalidObjectState", "", "frozen"),
        (412, "PreconditionFailed", "", "changed"),
        (503, "SlowDown", "", "passing"),
        (500, "InternalError", "", "passing"),
        (400, "RequestTimeout", "", "passing"),
        (400, "InvalidRequest", "", "refused"),
        (301, "PermanentRedirect", "", "refused"),
        (200, "", "HTTP 200", "refused"),
    ] {
        assert_eq!(meant(status, code, said), expected, "{status} {code}");
    }
    let xml = "<Error><Code>A</Code><Message>&lt;x&gt; &amp;lt;</Message></Error>";
    assert_eq!(element(xml, "Code").as_deref(), Some("A"));
    assert_eq!(element(xml, "Message").as_deref(), Some("<x> &lt;"));
    assert_eq!(element(xml, "Region"), None);
}

#[test]
fn a_pause_that_s3_asks_for_is_taken() {
    let asked = Some(Duration::from_secs(3));
    let (_, failure) = refusal(503, "SlowDown", String::new(), asked);
    assert_eq!(failure, Failure::Transient(asked));
    let (_, failure) = refusal(403, "AccessDenied", String::new(), asked);
    assert_eq!(failure, Failure::Permanent);
}

/// In a URL `..` takes the part before it away, and another object would be read.
#[tokio::test]
async fn a_key_that_has_no_url_is_not_asked_for() {
    let store = store(Some("http://127.0.0.1:1/"), false, false);
    let keys = Keys::default();
    for key in ["..", "a/../b", "./a", "a/."] {
        let artifact = Artifact {
            key: key.into(),
            ..Artifact::default()
        };
        let opened = store.open(&keys, &artifact, 1, None).await;
        assert_eq!(opened.err(), Some(StoreError::NoUrl), "{key}");
    }
}
