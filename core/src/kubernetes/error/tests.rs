use super::*;

#[test]
fn a_quoted_object_is_left_out() {
    let quoted = r#"Deployment.apps "web" is invalid: patch: Invalid value: "{\"env\":\"s3cret\"}": strict decoding error: unknown field "spec.x""#;
    let cut = r#"Deployment.apps "web" is invalid: patch: Invalid value: "{\"env\":\"s3cret"#;
    for (message, expected) in [
        (
            quoted,
            r#"Deployment.apps "web" is invalid: patch: Invalid value: (the object): strict decoding error: unknown field "spec.x""#,
        ),
        (
            cut,
            r#"Deployment.apps "web" is invalid: patch: Invalid value: (the object): "#,
        ),
        (
            "spec.replicas: Invalid value: -1",
            "spec.replicas: Invalid value: -1",
        ),
        ("", ""),
    ] {
        assert_eq!(without_object(message), expected);
    }
}
