//! Canaries over an Ingress of the AWS Load Balancer Controller, whose action has the weights.
//!
//! The load balancer has a minute for new targets. In these stories it passes at once: what counts
//! it is made older, and the function is called again.

use super::canary;
use super::stand_in::{backends, note, route, stage_over, step_is, weighed};
use super::watch::{observed, observed_failing};
use crate::blue_green::{NEW_IMAGE, at_rest, replicas, service};
use crate::stage::{Ended, Stage, demo_app};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::gateway::{ACTIONS, sample_ingress};
use landfall_sandbox::world::{sample_deployment, sample_service};
use serde_json::{Value, json};
use std::time::Duration;

/// In this time nothing is seen of a minute that passed.
const LIFE: Duration = Duration::from_secs(4);
/// Of all together.
const PATIENCE: Duration = Duration::from_secs(100);

fn over_ingress(image: &str) -> Value {
    let mut parameters = canary(image);
    parameters["route"] = json!("ingress/demo-app");
    parameters
}

/// An Ingress with more than what is ours: another backend in our action, another action, a rule
/// that sends to another Service.
fn ingress() -> Value {
    let mut ingress = sample_ingress("demo-app", "demo-app");
    // As a person writes it.
    let action = r#"{
        "type": "forward",
        "forwardConfig": {"targetGroups": [
            {"serviceName": "demo-app", "servicePort": 80, "weight": 4},
            {"serviceName": "another", "servicePort": "80", "weight": 1}],
          "targetGroupStickinessConfig": {"enabled": false}}}
    "#;
    let moved = json!({"type": "redirect", "redirectConfig": {"protocol": "HTTPS",
        "port": "443", "statusCode": "HTTP_301"}});
    let annotations = &mut ingress["metadata"]["annotations"];
    annotations[format!("{ACTIONS}demo-app")] = json!(action);
    annotations[format!("{ACTIONS}moved")] = json!(moved.to_string());
    annotations["alb.ingress.kubernetes.io/target-type"] = json!("ip");
    let port = |name: &str| json!({"name": name});
    let path = |path: &str, service: &str, port: Value| {
        json!({"path": path, "pathType": "Prefix",
            "backend": {"service": {"name": service, "port": port}}})
    };
    let by_action = port("use-annotation");
    ingress["spec"]["rules"][0]["http"]["paths"] = json!([
        path("/moved", "moved", by_action.clone()),
        path("/another", "another", json!({"number": 80})),
        path("/", "demo-app", by_action),
    ]);
    ingress
}

async fn stage() -> (Stage, impl Drop) {
    let image = "registry.example.com/another:1.0.0";
    let objects = vec![
        demo_app(600),
        sample_service("demo-app"),
        sample_deployment("another", image),
        sample_service("another"),
    ];
    stage_over(ingress(), objects).await
}

/// A deploy in many short invocations.
async fn deploy(stage: &Stage, parameters: Value) -> Ended {
    let job = stage.aws.submit(stage.event(&parameters), LIFE);
    stage.ended(&job, PATIENCE).await
}

/// Runs a story while the weights are looked at, and what requests get, where that is known.
async fn seen<T>(
    stage: &Stage,
    may_fail: bool,
    story: impl Future<Output = T>,
) -> (T, Vec<Vec<u64>>) {
    let story = weighed(stage, story);
    match (crate::real::is_named(), may_fail) {
        (true, _) => story.await,
        (false, true) => observed_failing(stage, story).await.0,
        (false, false) => observed(stage, story).await.0,
    }
}

fn a_minute_ago() -> String {
    let ago = Timestamp::now() - SignedDuration::from_mins(2);
    ago.to_string()
}

async fn age(stage: &Stage, resource: &str, note: &str, text: String) {
    let note = json!({format!("landfall/{note}"): text});
    let place = ["metadata", "annotations"];
    stage
        .cluster
        .change(resource, "demo-app", place, note)
        .await;
}

/// The candidate is a backend without weight, and has none before the minute is over.
async fn targets_become_healthy(stage: &Stage) {
    step_is(stage, 0).await;
    tokio::time::sleep(LIFE).await;
    let route = route(stage).await;
    let mut note = note(&route).unwrap();
    assert_eq!(note["step"], 0, "{note}");
    assert_eq!(backends(&route)[1], ("demo-app-canary".to_owned(), 0));
    note["since"] = json!(a_minute_ago());
    age(stage, "ingresses", "canary", note.to_string()).await;
}

/// The same after the Service was switched, before the route is given back.
async fn switched_targets_become_healthy(stage: &Stage) {
    while service(stage).await["metadata"]["annotations"]["landfall/retiring"].is_null() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(backends(&route(stage).await)[0].1, 0);
    assert_eq!(replicas(stage, "demo-app").await, Some(2));
    age(stage, "services", "deployed-at", a_minute_ago()).await;
}

/// Everything that is not Landfall's is as it was, to the last byte.
async fn is_given_back(stage: &Stage) {
    at_rest(stage).await;
    let (found, before) = (route(stage).await, ingress());
    assert_eq!(found["spec"]["rules"], before["spec"]["rules"]);
    let (found, before) = (
        &found["metadata"]["annotations"],
        &before["metadata"]["annotations"],
    );
    let names = |all: &Value| all.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(before));
    for (name, text) in before.as_object().unwrap() {
        assert_eq!(found[name], *text, "{name}");
    }
    let candidate = stage.cluster.object("services", "demo-app-canary").await;
    assert_eq!(candidate, None);
}

/// The writes of the Ingress that changed an action.
fn weights_written(stage: &Stage) -> Option<usize> {
    let writes = stage.writes()?.into_iter();
    let done = writes.filter(|seen| seen.status < 300 && seen.path.contains("ingresses/"));
    let annotations = done.filter_map(|seen| {
        let body = seen.body?;
        body["metadata"]["annotations"].as_object().cloned()
    });
    let of_actions = annotations.filter(|all| all.keys().any(|name| name.starts_with(ACTIONS)));
    Some(of_actions.count())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_gives_the_new_version_its_shares_and_all_others_keep_theirs() {
    let (stage, _controller) = stage().await;
    let mut parameters = over_ingress(NEW_IMAGE);
    parameters["steps"] = json!([10]);
    let minutes = async {
        targets_become_healthy(&stage).await;
        switched_targets_become_healthy(&stage).await;
    };
    let story = async { tokio::join!(deploy(&stage, parameters), minutes) };
    let ((ended, ()), seen) = seen(&stage, false, story).await;
    let (summary, variables) = ended.success();
    assert_eq!(variables["Deployment"], "demo-app-blue");
    let said = "Ingress `demo-app` gave it 10 %, 100 % of the traffic before.";
    assert!(summary.contains(said), "{summary}");
    // The other backend keeps a fifth of all requests.
    let shares: [&[u64]; 5] = [&[4, 1], &[4, 0, 1], &[18, 2, 5], &[0, 4, 1], &[4, 1]];
    assert_eq!(seen, shares);
    assert_eq!(replicas(&stage, "demo-app").await, Some(0));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
    is_given_back(&stage).await;
    assert!(
        stage.aws.invocations().len() > 3,
        "it went on several times"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_fails_with_a_share_of_an_action_is_taken_back_by_one_write() {
    let (stage, _controller) = stage().await;
    let mut parameters = over_ingress(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "90s"}]);
    parameters["timeout"] = json!("5m");
    parameters["patience"] = json!("1s");
    let strike = async {
        targets_become_healthy(&stage).await;
        step_is(&stage, 1).await;
        stage.cluster.strike("demo-app-blue", NEW_IMAGE).await;
    };
    let story = async { tokio::join!(deploy(&stage, parameters), strike) };
    let ((ended, ()), seen) = seen(&stage, true, story).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let said = "failed: with 10 % of the traffic, ";
    assert!(message.contains(said), "{message}");
    let said = "Ingress `demo-app` sends nothing to the new one";
    assert!(message.contains(said), "{message}");
    let shares: [&[u64]; 4] = [&[4, 1], &[4, 0, 1], &[18, 2, 5], &[4, 1]];
    assert_eq!(seen, shares);
    // One for each of the last three.
    assert!(weights_written(&stage).is_none_or(|count| count == 3));
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    is_given_back(&stage).await;
}

/// A target group has at most the weight 999, so beside a greater one of others a small share
/// cannot be had.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_the_weights_of_an_action_cannot_give_is_told() {
    let stage = super::stage_with(|world, now| {
        let mut ingress = sample_ingress("demo-app", "demo-app");
        let action = json!({"type": "forward", "forwardConfig": {"targetGroups": [
            {"serviceName": "demo-app", "servicePort": 80, "weight": 1},
            {"serviceName": "another", "servicePort": 80, "weight": 99}]}});
        ingress["metadata"]["annotations"][format!("{ACTIONS}demo-app")] =
            json!(action.to_string());
        world.apply(ingress, now);
    })
    .await;
    let mut parameters = over_ingress(NEW_IMAGE);
    parameters["steps"] = json!([1, 50]);
    let (kind, message) = stage.refused(parameters).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    let told = "`steps` asks for 1 %, and the whole weights that the route may have would give 9 % \
                beside the other backends of action `demo-app`";
    assert!(message.contains(told), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingress_that_has_no_weights_is_told_and_nothing_is_written() {
    let by_name = |ingress: &mut Value| {
        ingress["spec"]["rules"][0]["http"]["paths"][2]["backend"]["service"]["port"] =
            json!({"number": 80});
    };
    let of_nginx = |ingress: &mut Value| ingress["spec"]["ingressClassName"] = json!("nginx");
    type Change = fn(&mut Value);
    let sticky = |ingress: &mut Value| {
        let attributes = "alb.ingress.kubernetes.io/target-group-attributes";
        ingress["metadata"]["annotations"][attributes] = json!("stickiness.enabled=true");
    };
    let not_taken = "was not taken by the AWS Load Balancer Controller";
    let rows: [(Change, &str); 3] = [
        (by_name, "by its name"),
        (of_nginx, not_taken),
        (
            sticky,
            "give its `forwardConfig` a `targetGroupStickinessConfig`",
        ),
    ];
    for (change, told) in rows {
        let stage = super::stage_with(|world, now| {
            let mut ingress = ingress();
            change(&mut ingress);
            world.apply(ingress, now);
        })
        .await;
        let (kind, message) = stage.refused(over_ingress(NEW_IMAGE)).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.contains(told), "{message}");
        assert_eq!(replicas(&stage, "demo-app-blue").await, None, "{told}");
    }
}
