use super::*;
use std::collections::BTreeMap;

fn aws(more: &[(&str, &str)]) -> Aws {
    Aws::read(|name| {
        let own = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            (
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            ),
        ];
        let mut found = more.iter().chain(&own).filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| (*value).to_owned())
    })
}

/// The URL in the token of a cluster.
async fn url(aws: &Aws, region: &str) -> reqwest::Url {
    let now = "2026-11-28T12:00:00Z".parse().unwrap();
    let signed = sign(aws, "prod", region, aws.own_keys().unwrap(), now).await;
    let signed = signed.unwrap();
    assert_eq!(signed.renew_at, now + SignedDuration::from_mins(14));
    let encoded = signed.token.reveal().strip_prefix("k8s-aws-v1.").unwrap();
    let decoded = URL_SAFE_NO_PAD.decode(encoded).unwrap();
    String::from_utf8(decoded).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_token_is_a_signed_call_to_the_regional_sts() {
    let plain = aws(&[]);
    for (region, host) in [
        ("eu-central-1", "sts.eu-central-1.amazonaws.com"),
        ("us-east-1", "sts.us-east-1.amazonaws.com"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
    ] {
        let url = url(&plain, region).await;
        assert_eq!(
            (url.scheme(), url.host_str(), url.path()),
            ("https", Some(host), "/")
        );
        let query = url.query_pairs().into_owned().collect::<BTreeMap<_, _>>();
        let day = format!("AKIDEXAMPLE/20261128/{region}/sts/aws4_request");
        for (name, value) in [
            ("Action", "GetCallerIdentity"),
            ("Version", "2011-06-15"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &day),
            ("X-Amz-Date", "20261128T120000Z"),
            ("X-Amz-Expires", "60"),
            ("X-Amz-SignedHeaders", "host;x-k8s-aws-id"),
        ] {
            assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!((query.len(), query["X-Amz-Signature"].len()), (8, 64));
    }
    let session = [("AWS_SESSION_TOKEN", "session+/=token")];
    let url = url(&aws(&session), "eu-central-1").await;
    let token = url
        .query_pairs()
        .find(|(name, _)| name == "X-Amz-Security-Token");
    assert_eq!(token.unwrap().1, "session+/=token");
}

#[tokio::test]
async fn an_endpoint_of_our_own_is_not_signed_for() {
    let url = url(
        &aws(&[("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")]),
        "eu-west-1",
    )
    .await;
    assert_eq!(url.host_str(), Some("sts.eu-west-1.amazonaws.com"));
}

#[tokio::test]
async fn a_token_that_eks_would_not_accept_is_told() {
    let session = "s".repeat(4000);
    let aws = aws(&[("AWS_SESSION_TOKEN", &session)]);
    let now = Timestamp::UNIX_EPOCH;
    let signed = sign(&aws, "prod", "eu-west-1", aws.own_keys().unwrap(), now).await;
    assert!(
        matches!(signed, Err(EksError::TokenTooLong(5000..))),
        "{signed:?}"
    );
}
