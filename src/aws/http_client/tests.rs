use super::*;

#[test]
fn a_host_is_named_without_the_password_of_its_address() {
    for (address, expected) in [
        (
            "https://ssm.eu-west-1.amazonaws.com/",
            "ssm.eu-west-1.amazonaws.com",
        ),
        ("http://127.0.0.1:4566/b/x?a=b@c", "127.0.0.1:4566"),
        ("http://user:s3cret@localhost:4566", "localhost:4566"),
        ("http://user:s3@cret@localhost", "localhost"),
        ("localhost", "localhost"),
    ] {
        assert_eq!(host_of(address), expected);
    }
}
