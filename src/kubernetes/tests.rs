use super::*;

#[test]
fn the_header_of_a_token_cannot_be_printed() {
    let header = bearer(&Token::new("very-secret")).expect("plain text");
    assert!(!format!("{header:?}").contains("very-secret"));
    for text in ["two\nlines", "\u{7}", "plain", "über", "del\u{7f}"] {
        let token = Token::new(text);
        assert_eq!(bearer(&token).is_some(), token.fits_a_header(), "{text:?}");
    }
}
