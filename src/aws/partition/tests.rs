use super::*;

/// <https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json>
#[tokio::test]
async fn addresses_end_as_their_partition_has_it() {
    for (region, expected) in [
        ("us-east-1", "amazonaws.com"),
        ("eu-central-2", "amazonaws.com"),
        ("mx-central-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("us-isof-south-1", "csp.hci.ic.gov"),
        ("eu-isoe-west-1", "cloud.adc-e.uk"),
        ("eusc-de-east-1", "amazonaws.eu"),
        ("xx-new-9", "amazonaws.com"),
    ] {
        assert_eq!(suffix(region).await.as_deref(), Ok(expected), "{region}");
    }
}

#[tokio::test]
async fn what_is_no_region_has_no_address() {
    for hostile in ["", "a/b", "a b", "evil.example#"] {
        assert!(suffix(hostile).await.is_err(), "{hostile:?}");
    }
}
