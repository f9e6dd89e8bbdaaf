use super::*;

#[test]
fn a_token_says_whose_it_is_and_until_when_and_is_never_printed() {
    let token = sample(r#"{"sub": "system:serviceaccount:shop:landfall", "exp": 100}"#);
    assert_eq!(
        token.subject().unwrap(),
        "system:serviceaccount:shop:landfall"
    );
    assert_eq!(token.expires().unwrap().as_second(), 100);
    assert_eq!(format!("{token:?}"), "Token(…)");
    let endless = sample(r#"{"sub": "x"}"#);
    assert_eq!(
        (endless.expires(), endless.subject().as_deref()),
        (None, Some("x"))
    );
    for opaque in ["abc", "a.b", "a.b.c", "k8s-aws-v1.aHR0"] {
        let token = Token::new(opaque).unwrap();
        assert_eq!((token.expires(), token.subject()), (None, None), "{opaque}");
    }
}

#[test]
fn what_is_no_token() {
    for text in ["", " \n", "two words", "line\nbreak", "ä"] {
        assert_eq!(Token::new(text), None, "{text}");
    }
    assert_eq!(Token::new(" abc\n").unwrap().reveal(), "abc");
    assert_eq!(Token::decode("YWJj").unwrap().reveal(), "abc");
    for text in ["", "YWJ", "/w=="] {
        assert_eq!(Token::decode(text), None, "{text}");
    }
}

#[test]
fn words_of_others_lose_the_secret() {
    let words = redact("JSON received: {\"Value\":\"abc\"} abc", &["abc", ""]);
    assert_eq!(words, "JSON received: {\"Value\":\"…\"} …");
}
