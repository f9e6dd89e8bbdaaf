use super::*;

fn jwt(claims: &str) -> Token {
    Token(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

#[test]
fn a_token_cannot_be_printed() {
    let token = Token("very-secret".into());
    let credentials = Credentials {
        token: token.clone(),
        ca: None,
    };
    assert!(!format!("{token:?} {credentials:?}").contains("very-secret"));
    let header = token.header().expect("plain text");
    assert!(!format!("{header:?}").contains("very-secret"));
}

#[test]
fn an_expired_jwt_is_known_without_asking_the_cluster() {
    let expired = check(&jwt(r#"{"exp": 100}"#), "t", at(101));
    assert_eq!(expired, Err(CredentialsError::Expired("t".into(), at(100))));
    for good in [
        r#"{"exp": 102}"#,
        r#"{"exp": 1e10}"#,
        r#"{"sub": "x"}"#,
        "no json",
    ] {
        assert_eq!(check(&jwt(good), "t", at(101)), Ok(()), "{good}");
    }
    for opaque in ["abc", "a.b", "k8s-aws-v1.aHR0cHM", "a.b.c"] {
        assert_eq!(
            check(&Token(opaque.into()), "t", at(101)),
            Ok(()),
            "{opaque}"
        );
    }
}

#[test]
fn a_token_that_no_header_carries_is_refused() {
    for bad in ["", "two words", "line\nbreak", "\u{7}"] {
        let checked = check(&Token(bad.into()), "t", at(0));
        assert!(
            matches!(checked, Err(CredentialsError::NoToken(..))),
            "{bad:?}"
        );
    }
}

#[test]
fn a_parameter_is_found_by_name_version_label_and_arn() {
    let plain = Parameter::builder()
        .name("t")
        .arn("arn:aws:ssm:r:1:parameter/t");
    let versioned = plain.clone().selector(":3").build();
    let plain = plain.build();
    assert!(is_named(&plain, "t") && is_named(&plain, "arn:aws:ssm:r:1:parameter/t"));
    assert!(is_named(&versioned, "t:3") && is_named(&versioned, "t"));
    assert!(is_named(&versioned, "arn:aws:ssm:r:1:parameter/t:3"));
    assert!(!is_named(&plain, "other") && !is_named(&plain, "t:3"));
    assert!(!is_named(&versioned, "t:4") && !is_named(&versioned, "token"));
    let apart = Parameter::builder().name("t").version(3).build();
    assert!(is_named(&apart, "t:3") && is_named(&apart, "t:label"));
    assert!(!is_named(&apart, "t:4") && !is_named(&apart, "token"));
}
