use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn jwt(claims: &str) -> Token {
    Token::new(&format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

#[test]
fn an_expired_jwt_is_known_without_asking_the_cluster() {
    let expired = check(&jwt(r#"{"exp": 100}"#), "t", at(101));
    assert_eq!(
        expired,
        Err(CredentialsError::Expired(
            "t".into(),
            at(100),
            Duration::from_secs(1)
        ))
    );
    for good in [
        r#"{"exp": 102}"#,
        r#"{"exp": 1e10}"#,
        r#"{"sub": "x"}"#,
        "no json",
    ] {
        assert_eq!(check(&jwt(good), "t", at(101)), Ok(()), "{good}");
    }
    for opaque in ["abc", "a.b", "k8s-aws-v1.aHR0cHM", "a.b.c"] {
        assert_eq!(check(&Token::new(opaque), "t", at(101)), Ok(()), "{opaque}");
    }
}

#[test]
fn a_token_that_no_header_carries_is_refused() {
    for bad in ["", "two words", "line\nbreak", "\u{7}"] {
        let checked = check(&Token::new(bad), "t", at(0));
        assert!(
            matches!(checked, Err(CredentialsError::NoToken(..))),
            "{bad:?}"
        );
    }
}

#[test]
fn a_place_has_what_is_known_of_it() {
    let told = |name, account, region| ParameterPlace::new(name, account, region).to_string();
    let (account, region) = (Some("111122223333"), Some("eu-central-1"));
    for (name, account, region, expected) in [
        (
            "t",
            account,
            region,
            "SSM parameter `t` (account 111122223333, region eu-central-1)",
        ),
        ("t", None, region, "SSM parameter `t` (region eu-central-1)"),
        ("t", None, None, "SSM parameter `t`"),
        (
            "arn:aws:ssm:eu-west-1:444455556666:parameter/t",
            account,
            region,
            "SSM parameter `arn:aws:ssm:eu-west-1:444455556666:parameter/t` (account 444455556666, region eu-west-1)",
        ),
    ] {
        assert_eq!(told(name, account, region), expected);
    }
}

#[test]
fn a_version_or_label_that_is_missing_is_told_as_one() {
    let told = |names: &str| CredentialsError::Missing(names.to_owned()).to_string();
    for (names, has) in [
        ("`t`", false),
        ("`t:9`", true),
        ("`t:live`", true),
        ("`arn:aws:ssm:r:1:parameter/t`", false),
        ("`arn:aws:ssm:r:1:parameter/t:9`", true),
    ] {
        assert_eq!(told(names).contains("number or label"), has, "{names}");
    }
}

#[test]
fn what_may_pass_is_not_what_somebody_has_to_mend() {
    let said = || "said".to_owned();
    for (error, expected) in [
        (CredentialsError::Throttled(said()), true),
        (CredentialsError::Broken(said()), true),
        (CredentialsError::Unreachable(said()), true),
        (CredentialsError::Clock(said()), true),
        (
            CredentialsError::Unreachable("AWS_REGION is not set".into()),
            false,
        ),
        (CredentialsError::Denied("ssm:GetParameters", said()), false),
        (CredentialsError::NotSigned(said()), false),
        (CredentialsError::Missing(said()), false),
        (CredentialsError::Refused(said()), false),
    ] {
        assert_eq!(error.may_pass(), expected, "{error:?}");
    }
}
