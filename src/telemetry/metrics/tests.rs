use super::*;

#[test]
fn a_directive_names_what_is_in_the_line() {
    let now: Timestamp = "2026-01-01T00:00:00.5Z".parse().unwrap();
    let Value::Object(mut fields) = json!({"FunctionName": "f", "Deploys": 1, "Failures": 1,
            "message": "counted"})
    else {
        panic!("an object")
    };
    let found = directive(&fields, now);
    assert_eq!(found["Timestamp"], 1_767_225_600_500_i64);
    let of = |found: &Value, part: &str| found["CloudWatchMetrics"][0][part].clone();
    assert_eq!(of(&found, "Namespace"), "Landfall");
    assert_eq!(of(&found, "Dimensions"), json!([["FunctionName"]]));
    let counts = [
        json!({"Name": "Deploys", "Unit": "Count"}),
        json!({"Name": "Failures", "Unit": "Count"}),
    ];
    assert_eq!(of(&found, "Metrics"), json!(counts));
    fields.extend([
        ("Namespace".to_owned(), json!("shop")),
        ("Deployment".to_owned(), json!("web")),
        ("LeadTime".to_owned(), json!(60.0)),
    ]);
    let found = directive(&fields, now);
    let all = json!([
        ["FunctionName"],
        ["FunctionName", "Namespace", "Deployment"]
    ]);
    assert_eq!(of(&found, "Dimensions"), all);
    let lead = json!({"Name": "LeadTime", "Unit": "Seconds"});
    assert_eq!(of(&found, "Metrics")[2], lead);
}
