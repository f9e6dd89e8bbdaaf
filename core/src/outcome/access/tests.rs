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
