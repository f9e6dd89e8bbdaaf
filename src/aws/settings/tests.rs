use super::*;

fn read(set: &[(&str, &str)]) -> Settings {
    Settings::read(|name| {
        let found = set.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn an_endpoint_of_a_service_comes_before_that_of_all() {
    let settings = read(&[
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1/"),
        ("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:2/base/"),
    ]);
    let endpoint = |service| settings.endpoint(service).unwrap();
    assert_eq!(endpoint(AwsService::Ssm), "http://127.0.0.1:2/base");
    assert_eq!(endpoint(AwsService::CodePipeline), "http://127.0.0.1:1");
    assert_eq!(endpoint(AwsService::S3), "http://127.0.0.1:1");
    let others = read(&[
        ("AWS_ENDPOINT_URL_CODEPIPELINE", "http://c"),
        ("AWS_ENDPOINT_URL_S3", "http://s"),
    ]);
    assert_eq!(others.endpoint(AwsService::CodePipeline), Some("http://c"));
    assert_eq!(others.endpoint(AwsService::S3), Some("http://s"));
    assert_eq!(others.endpoint(AwsService::Ssm), None);
}

#[test]
fn keys_are_both_or_none_and_are_not_printed() {
    for (id, secret, expected) in [
        (None, None, false),
        (Some("id"), None, false),
        (None, Some("s3cret"), false),
        (Some("id"), Some("s3cret"), true),
        (Some("id\n"), Some("s3cret"), false),
        (Some("id"), Some("s3 cret"), false),
    ] {
        let id = id.map(|id| ("AWS_ACCESS_KEY_ID", id));
        let secret = secret.map(|secret| ("AWS_SECRET_ACCESS_KEY", secret));
        let session = Some(("AWS_SESSION_TOKEN", "s3ssion"));
        let set = [id, secret, session].into_iter().flatten();
        let settings = read(&set.collect::<Vec<_>>());
        assert_eq!(settings.keys.is_some(), expected);
        let printed = format!("{settings:?}");
        assert!(!printed.contains("s3"), "{printed}");
        if let Some(keys) = settings.keys {
            assert_eq!(keys.session.as_deref(), Some("s3ssion"));
        }
    }
}

#[test]
fn region_and_flags() {
    assert_eq!(read(&[]).region, None);
    let default = ("AWS_DEFAULT_REGION", "eu-west-2");
    assert_eq!(read(&[default]).region.as_deref(), Some("eu-west-2"));
    let both = read(&[default, ("AWS_REGION", "eu-west-1")]);
    assert_eq!(both.region.as_deref(), Some("eu-west-1"));
    let flags = read(&[
        ("AWS_USE_FIPS_ENDPOINT", "TRUE"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "yes"),
    ]);
    assert!(flags.fips && !flags.dual_stack);
}
