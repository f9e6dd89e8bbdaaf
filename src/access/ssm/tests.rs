use super::*;

#[test]
fn a_token_cannot_be_printed() {
    let token = Token::new("very-secret");
    let credentials = Credentials {
        token: token.clone(),
        ca: None,
    };
    assert!(!format!("{token:?} {credentials:?}").contains("very-secret"));
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
