use super::*;

#[test]
fn each_cause_has_its_own_next_step() {
    for (why, words) in [
        (
            "client error (Connect): dns error: failed to lookup address information: Name or \
             service not known",
            "is not known where the function runs",
        ),
        (
            "client error (Connect): tcp connect error: Connection refused (os error 111)",
            "nothing listens on the port",
        ),
        (
            "client error (Connect): tcp connect error: deadline has elapsed",
            "Nothing answers",
        ),
        (
            "it took the call and did not answer in time",
            "Nothing answers",
        ),
        (
            "connection closed before message completed",
            "If it stays so",
        ),
    ] {
        assert!(next(why).contains(words), "{why}: {}", next(why));
    }
}

#[test]
fn an_expired_certificate_is_renewed_and_nothing_else_is_changed() {
    let expired = format!("{EXPIRED}2020-02-01T00:00:00Z");
    assert!(certificate(&expired).starts_with("Renew the API server's certificate"));
    assert!(certificate(NOT_YET_VALID).contains("clock"));
    let other = certificate("it was signed by another CA than the one given");
    assert!(other.starts_with("Set K8S_CA"), "{other}");
    let name = certificate("certificate not valid for name \"a\"; certificate is only valid for b");
    assert!(name.starts_with("Set K8S_CLUSTER"), "{name}");
}
