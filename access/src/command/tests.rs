use super::*;

#[test]
fn a_command_is_shown_as_it_is_typed() {
    let mut tools = Tools::new(&Options {
        region: Some("eu-west-1".into()),
        ..Options::default()
    });
    tools.pin("admin@kind");
    tools.pin("another");
    tools.pin_region("eu-north-1");
    let path = "-o=jsonpath={.data.token}";
    let command = tools.kubectl(&["get", "secret", path]);
    assert_eq!(
        command.to_string(),
        "kubectl --context admin@kind get secret '-o=jsonpath={.data.token}'"
    );
    let command = tools.aws(&["ssm", "put-parameter", "--value", STDIN]);
    assert_eq!(
        command.to_string(),
        "aws --region eu-west-1 ssm put-parameter --value file:///dev/stdin"
    );
}

#[test]
fn words_are_quoted_for_a_shell() {
    for (word, expected) in [
        ("arn:aws:kms:r:1:key/k", "arn:aws:kms:r:1:key/k"),
        ("", "''"),
        ("a b", "'a b'"),
        ("$(reboot)", "'$(reboot)'"),
        ("it's", r"'it'\''s'"),
    ] {
        assert_eq!(quoted(word), expected);
    }
}
