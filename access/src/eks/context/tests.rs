use super::*;

#[test]
fn addresses_are_the_same_in_any_spelling() {
    let endpoint = "https://A1B2.gr7.eu-west-1.eks.amazonaws.com";
    for (server, expected) in [
        (endpoint, true),
        ("https://a1b2.gr7.eu-west-1.eks.amazonaws.com/", true),
        ("https://A1B2.gr7.eu-west-1.eks.amazonaws.com:443", true),
        ("https://A1B2.gr7.eu-west-1.eks.amazonaws.com:8443", false),
        (
            "https://A1B2.gr7.eu-west-1.eks.amazonaws.com.example.com",
            false,
        ),
        ("http://A1B2.gr7.eu-west-1.eks.amazonaws.com", false),
        ("", false),
    ] {
        assert_eq!(is_at(server, endpoint), expected, "{server}");
    }
}
