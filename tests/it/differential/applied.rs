//! Server-side apply: what both make of the same, and who manages it afterwards.

use crate::differential::comparable::managers;
use crate::differential::pair::Pair;
use crate::differential::step::{APPLY, JSON, MERGE, OPERATIONS, STRATEGIC, Step, step};
use crate::differential::tables::applies;
use serde_json::Value;

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
pub(super) async fn objects_are_applied_alike() {
    let mut pair = Pair::new("applies").await;
    for row in applies() {
        let step = asked(&row).ignoring(&[
            "/body/status",
            "/body/spec/clusterIP",
            "/body/spec/clusterIPs",
            // A claim is bound at once in the sandbox, and some moments later in a cluster.
            "/body/spec/volumeName",
            "/body/metadata/generation",
            "/body/metadata/annotations/deployment.kubernetes.io~1revision",
        ]);
        let (sandbox, real) = (
            pair.sandbox.answer(&step).await,
            pair.real.answer(&step).await,
        );
        let name = format!("managers of {}", step.name);
        pair.compare(&name, &managers(&sandbox), &managers(&real));
        pair.judge(&step, sandbox, real);
    }
    pair.end();
}

/// A row of the table as a request.
fn asked(row: &Value) -> Step {
    let text = |field: &str| row[field].as_str().unwrap_or_default();
    let (method, content_type) = match text("do") {
        "apply" => ("PATCH", APPLY),
        "merge" => ("PATCH", MERGE),
        "strategic" => ("PATCH", STRATEGIC),
        "operations" => ("PATCH", OPERATIONS),
        "post" => ("POST", JSON),
        "put" => ("PUT", JSON),
        "get" => ("GET", ""),
        "delete" => ("DELETE", JSON),
        other => panic!("{row} does {other}"),
    };
    let mut query = vec![text("query").to_owned()];
    if let Some(manager) = row["by"].as_str() {
        query.push(format!("fieldManager={manager}"));
    }
    if row["force"] == true {
        query.push("force=true".to_owned());
    }
    query.retain(|part| !part.is_empty());
    let path = format!("{}?{}", text("path"), query.join("&"));
    let body = match &row["body"] {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    step(text("name"), method, &path, body).typed(content_type)
}
