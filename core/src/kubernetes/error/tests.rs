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

#[test]
fn a_refused_value_is_left_out_and_what_is_wrong_with_it_is_kept() {
    for (message, expected) in [
        (
            r#"Invalid value: "s3cret": must be a number"#,
            "must be a number",
        ),
        (r#"Invalid value: "s3cret""#, "Invalid value"),
        (
            r#"Unsupported value: "s3cret": supported values: "Always", "Never""#,
            r#"supported values: "Always", "Never""#,
        ),
        (r#"Duplicate value: "s3cret""#, "Duplicate value"),
        ("Required value", "Required value"),
        (
            r#"Required value: valid values: "OnFailure", "Never""#,
            r#"Required value: valid values: "OnFailure", "Never""#,
        ),
        (
            "Too long: may not be more than 15",
            "Too long: may not be more than 15",
        ),
    ] {
        assert_eq!(without_value(message), expected, "{message}");
    }
}
