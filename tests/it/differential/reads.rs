//! Reads, and requests that have no table of their own.

use crate::differential::pair::Pair;
use crate::differential::step::{
    JSON, MERGE, MESSAGE, MOVING, OPERATIONS, STRATEGIC, Step, WEB, Who, get, patch, post, put,
    step, still, with,
};
use crate::differential::tables::reads;
use landfall_sandbox::world::sample_autoscaler;
use serde_json::json;

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
pub(super) async fn objects_are_read_alike() {
    let mut pair = Pair::new("reads").await;
    for name in ["web", "api", "job"] {
        let mut object = still(name);
        object["metadata"]["labels"]["tier"] = name[..1].into();
        pair.ask(&post("create", "deployments", &object)).await;
        pair.settle("created", name, "DeploymentPaused").await;
    }
    let autoscaler = sample_autoscaler("web", 2, 5);
    let mut autoscaler = autoscaler.clone();
    autoscaler["metadata"]["namespace"] = "$namespace".into();
    pair.ask(
        &post("an autoscaler", "horizontalpodautoscalers", &autoscaler).ignoring(&[
            "/body/status",
            "/body/spec/metrics",
            "/body/metadata/generation",
        ]),
    )
    .await;
    for path in reads() {
        pair.ask(&get(&path, &path)).await;
    }
    // The rest of its words is what Go makes of the garbage.
    pair.ask(&get("garbage", "deployments?continue=garbage").ignoring(MESSAGE))
        .await;
    let list = "deployments?limit=2";
    pair.all(&[
        get("the first page", list),
        get("the second page", &format!("{list}&continue=$continue")),
        get(
            "a token and a version",
            &format!("{list}&continue=$continue&resourceVersion=1"),
        ),
        get("autoscalers", "horizontalpodautoscalers?limit=50").ignoring(&[
            "/body/items/0/status",
            "/body/items/0/spec/metrics",
            "/body/items/0/metadata/generation",
        ]),
    ])
    .await;
    pair.all(&requests()).await;
    pair.end();
}

pub(super) fn requests() -> Vec<Step> {
    let large = with(
        still("web"),
        "/metadata/annotations",
        json!({"a": "x".repeat(3 * 1024 * 1024)}),
    );
    let all = "deployments?watch=1&timeoutSeconds=1";
    let one = "&fieldSelector=metadata.name%3Dweb";
    let change = json!({"metadata": {"labels": {"seen": "yes"}}});
    vec![
        step("POST to an object", "POST", WEB, "{}").typed(JSON),
        step("PUT to a collection", "PUT", "deployments", "{}").typed(JSON),
        step("PATCH of a collection", "PATCH", "deployments", "{}").typed(MERGE),
        step("a method of its own", "BREW", WEB, ""),
        step("POST to a log", "POST", "pods/web/log", ""),
        get("anything is wanted", WEB).accepting("*/*"),
        get("JSON or anything", WEB).accepting("application/json, */*"),
        step("PUT of a text", "PUT", WEB, "text").typed("text/plain"),
        step("PUT without a type", "PUT", WEB, still("web").to_string()).ignoring(MOVING),
        put("PUT with a charset", WEB, &still("web"))
            .typed("application/json; charset=utf-8")
            .ignoring(MOVING),
        step("PATCH without a type", "PATCH", WEB, "{}"),
        step("PATCH of JSON", "PATCH", WEB, "{}").typed(JSON),
        step("PATCH with a charset", "PATCH", WEB, "{}")
            .typed("application/merge-patch+json; charset=utf-8")
            .ignoring(MOVING),
        // The words of Go's decoder, which no request of ours calls forth.
        step("a broken PUT", "PUT", WEB, "{")
            .typed(JSON)
            .ignoring(MESSAGE),
        step("a broken merge patch", "PATCH", WEB, "{")
            .typed(MERGE)
            .ignoring(MESSAGE),
        step("a broken strategic patch", "PATCH", WEB, "{")
            .typed(STRATEGIC)
            .ignoring(MESSAGE),
        step("broken operations", "PATCH", WEB, "[")
            .typed(OPERATIONS)
            .ignoring(MESSAGE),
        step("an empty patch", "PATCH", WEB, "")
            .typed(MERGE)
            .ignoring(MESSAGE),
        put("a large PUT", WEB, &large),
        get("another token", WEB).by(Who::Stranger),
        get("no right to get", WEB).by(Who::Nobody),
        get("no right to list", "deployments").by(Who::Nobody),
        get(
            "no right to list by name",
            "deployments?fieldSelector=metadata.name%3Dweb",
        )
        .by(Who::Nobody),
        get("no right to watch", all).by(Who::Nobody),
        get("no right to watch by name", &format!("{all}{one}")).by(Who::Nobody),
        get("no right to logs", "pods/web/log").by(Who::Nobody),
        get("no right to pods", "pods?limit=50").by(Who::Nobody),
        get("no right to what is missing", "deployments/missing").by(Who::Nobody),
        patch("no right to patch", MERGE, WEB, json!({})).by(Who::Nobody),
        put("no right to put", WEB, &still("web")).by(Who::Nobody),
        post("no right to create", "deployments", &still("new")).by(Who::Nobody),
        step("no right to delete", "DELETE", WEB, "").by(Who::Nobody),
        get("no right to scale", "deployments/web/scale").by(Who::Nobody),
        get("a watch from now", &all.replace("watch=1", "watch=true")),
        get("a watch of one", &format!("{all}{one}")),
        get("where a watch begins", WEB).ignoring(MOVING),
        patch("a change to watch", MERGE, WEB, change).ignoring(MOVING),
        get(
            "a watch of nothing new",
            &format!("{all}{one}&resourceVersion=$version"),
        ),
        get(
            "a watch of an object",
            &format!("{WEB}?watch=1&timeoutSeconds=1"),
        ),
        get(
            "a watch with a broken version",
            &format!("{all}&resourceVersion=x"),
        ),
        get(
            "a watch of an unknown field",
            &format!("{all}&fieldSelector=spec.replicas%3D1"),
        ),
        get(
            "a watch with a broken selector",
            &format!("{all}&labelSelector=a+b"),
        ),
        // The message has the cluster's own version.
        get(
            "a list from the future",
            "deployments?resourceVersion=99999999999",
        )
        .ignoring(MESSAGE),
        get(
            "a watch from the future",
            &format!("{all}&resourceVersion=99999999999"),
        ),
    ]
}
