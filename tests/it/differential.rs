//! The sandbox beside real Kubernetes: the same requests, and the answers must agree.
//!
//! Compared are the HTTP status, the headers that a client heeds, every word of a refusal, and of
//! objects all but what cannot be equal: ids, times, versions, hashes.

mod applied;
mod step;
mod comparable;
mod peer;
mod pair;
mod generated;
mod reads;
mod tables;
mod workloads;

use crate::differential::pair::Pair;
use crate::differential::step::{
    JSON, MERGE, MESSAGE, MOVING, OPERATIONS, STRATEGIC, WEB, Who, get, patch, post, put, step,
    still, with,
};
use crate::differential::tables::{faults, patches, rollouts};
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn objects_are_created_and_replaced_alike() {
    let mut pair = Pair::new("objects").await;
    let web = still("web");
    pair.all(&[
        get("a missing object", WEB),
        put("PUT of a missing object", WEB, &web),
        patch(
            "PATCH of a missing object",
            MERGE,
            WEB,
            json!({"spec": {"replicas": 1}}),
        ),
        step("DELETE of a missing object", "DELETE", WEB, ""),
        post("create", "deployments", &web),
    ])
    .await;
    pair.settle("created", "web", "DeploymentPaused").await;
    pair.all(&[
        post("create again", "deployments", &web),
        get("get", WEB),
        put("PUT without resourceVersion", WEB, &web),
    ])
    .await;
    pair.settle("as it was", "web", "DeploymentPaused").await;
    let set = |pointer: &str, value: &str| with(still("web"), pointer, value.into());
    pair.all(&[
        get("get before a PUT", WEB),
        put(
            "PUT with resourceVersion",
            WEB,
            &set("/metadata/resourceVersion", "$version"),
        ),
        put(
            "PUT with a stale one",
            WEB,
            &set("/metadata/resourceVersion", "1"),
        ),
        put(
            "PUT with a future one",
            WEB,
            &set("/metadata/resourceVersion", "99999999999"),
        ),
        put(
            "PUT with a broken one",
            WEB,
            &set("/metadata/resourceVersion", "new"),
        ),
        put("PUT with its uid", WEB, &set("/metadata/uid", "$uid")),
        put("PUT with another uid", WEB, &set("/metadata/uid", "other")),
        put(
            "PUT with another name",
            WEB,
            &set("/metadata/name", "other"),
        ),
        put("PUT without a name", WEB, &set("/metadata/name", "")),
        put(
            "PUT with another namespace",
            WEB,
            &set("/metadata/namespace", "other"),
        ),
        put(
            "PUT without a namespace",
            WEB,
            &set("/metadata/namespace", ""),
        ),
        put("PUT with another kind", WEB, &set("/kind", "ReplicaSet")),
        put("PUT with an unknown kind", WEB, &set("/kind", "Nothing")),
        put("PUT without a kind", WEB, &set("/kind", "")),
        put(
            "PUT with another version",
            WEB,
            &set("/apiVersion", "apps/v1beta1"),
        ),
        put("PUT with another group", WEB, &set("/apiVersion", "v1")),
        put("PUT without a version", WEB, &set("/apiVersion", "")),
        post(
            "create with a resourceVersion",
            "deployments",
            &with(still("api"), "/metadata/resourceVersion", "1".into()),
        ),
        post(
            "create in another namespace",
            "deployments",
            &with(still("api"), "/metadata/namespace", "other".into()),
        ),
        post(
            "create without a name",
            "deployments",
            &with(still("api"), "/metadata/name", "".into()),
        ),
        post(
            "create with another kind",
            "deployments",
            &with(still("api"), "/kind", "Service".into()),
        ),
        post("create dry", "deployments?dryRun=All", &still("api")),
        get("nothing was created", "deployments/api"),
        put(
            "PUT dry",
            &format!("{WEB}?dryRun=All"),
            &with(still("web"), "/spec/minReadySeconds", 7.into()),
        ),
        get("nothing was replaced", WEB).ignoring(MOVING),
        put(
            "PUT with a wrong dryRun",
            &format!("{WEB}?dryRun=Some"),
            &web,
        ),
        put(
            "PUT with a wrong fieldValidation",
            &format!("{WEB}?fieldValidation=Hard"),
            &web,
        ),
        put("PUT without a body", WEB, &Value::Null).typed(JSON),
        step("PUT with an empty body", "PUT", WEB, "")
            .typed(JSON)
            .ignoring(MESSAGE),
        put("PUT of a text", WEB, &"text".into()).ignoring(MESSAGE),
        put("PUT of a list", WEB, &json!([])).ignoring(MESSAGE),
        put("PUT of an empty object", WEB, &json!({})),
    ])
    .await;
    pair.end();
}

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn patches_are_applied_alike() {
    let mut pair = Pair::new("patches").await;
    pair.ask(&post("create", "deployments", &still("web")))
        .await;
    pair.settle("created", "web", "DeploymentPaused").await;
    for row in patches() {
        pair.ask(&patch(&row.name, row.content_type, WEB, row.body).ignoring(MOVING))
            .await;
    }
    pair.settle("at the end", "web", "DeploymentPaused").await;
    pair.end();
}

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn faults_are_told_alike() {
    let mut pair = Pair::new("faults").await;
    pair.ask(&post("create", "deployments", &still("web")))
        .await;
    pair.settle("created", "web", "DeploymentPaused").await;
    for row in faults() {
        let object = with(still("web"), &row.pointer, row.value);
        pair.ask(&put(&row.name, &format!("{WEB}?dryRun=All"), &object).ignoring(MOVING))
            .await;
    }
    let unknown = with(still("web"), "/spec/foo", 1.into());
    let unknown = with(unknown, "/spec/template/spec/containers/0/imag", "x".into());
    let change = json!({"spec": {"foo": 1, "template": {"spec": {"containers": [
        {"name": "app", "imag": "x"}]}}}});
    let add = json!([{"op": "add", "path": "/spec/foo", "value": 1}]);
    for level in ["Strict", "Warn", "Ignore"] {
        let path = format!("{WEB}?dryRun=All&fieldValidation={level}");
        pair.all(&[
            put(&format!("PUT unknown {level}"), &path, &unknown).ignoring(MOVING),
            patch(
                &format!("strategic unknown {level}"),
                STRATEGIC,
                &path,
                change.clone(),
            )
            .ignoring(MOVING),
            patch(
                &format!("merge unknown {level}"),
                MERGE,
                &path,
                json!({"spec": {"foo": 1}}),
            )
            .ignoring(MOVING),
            patch(
                &format!("operations unknown {level}"),
                OPERATIONS,
                &path,
                add.clone(),
            )
            .ignoring(MOVING),
        ])
        .await;
    }
    pair.end();
}

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn tokens_are_issued_alike() {
    let mut pair = Pair::new("tokens").await;
    let path = "serviceaccounts/landfall/token";
    let request = |seconds: i64| {
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds}})
    };
    // Who issues it and for whom is the cluster's own name.
    let good = |name: &str, body: &Value| {
        post(name, path, body).ignoring(&[
            "/body/status/token",
            "/body/status/expirationTimestamp",
            "/body/spec/audiences",
        ])
    };
    let reviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let who = |name: &str| {
        post(name, reviews, &review)
            .ignoring(&["/body/status/userInfo/uid", "/body/status/userInfo/extra"])
    };
    pair.all(&[
        good("a token", &request(600)),
        good("a token for a day", &request(86_400)),
        good(
            "a token of the usual life",
            &with(request(0), "/spec", json!({})),
        ),
        post("too short", path, &request(599)),
        post("no life at all", path, &request(0)),
        post("too long", path, &request((1 << 32) + 1)),
        post("no right to it", path, &request(600)).by(Who::Nobody),
        post("no token to ask with", path, &request(600)).by(Who::Stranger),
        get("no such thing to read", path),
        who("who am I"),
        who("who is a stranger").by(Who::Stranger),
    ])
    .await;
    pair.end();
}

#[tokio::test]
#[ignore = "needs a real control plane: make conformance"]
async fn rollouts_go_alike() {
    let mut pair = Pair::new("rollouts").await;
    let mut web = still("web");
    web["spec"]["paused"] = false.into();
    web["spec"]["replicas"] = 2.into();
    pair.ask(&post("create", "deployments", &web).ignoring(&["/body/status"]))
        .await;
    pair.settle("created", "web", "NewReplicaSetAvailable")
        .await;
    for row in rollouts() {
        pair.ask(&patch(&row.name, row.content_type, WEB, row.body).ignoring(MOVING))
            .await;
        pair.settle(&row.name, "web", &row.rests).await;
    }
    pair.end();
}
