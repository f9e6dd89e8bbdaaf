use super::*;

#[test]
fn several_causes_stand_in_brackets_and_one_alone() {
    let cause = |field: &str| Cause {
        reason: "FieldValueRequired",
        message: "Required value".to_owned(),
        field: field.to_owned(),
    };
    let message = |causes: &[Cause]| match invalid("Deployment", "apps", "web", causes).body {
        Body::Json(status) => status["message"].as_str().unwrap_or_default().to_owned(),
        Body::Text(_) | Body::Html(_) | Body::Endless => String::new(),
    };
    assert_eq!(
        message(&[cause("a")]),
        "Deployment.apps \"web\" is invalid: a: Required value"
    );
    assert_eq!(
        message(&[cause("a"), cause("b")]),
        "Deployment.apps \"web\" is invalid: [a: Required value, b: Required value]"
    );
}
