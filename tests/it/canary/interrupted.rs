//! Canaries that are interrupted: by the end of an invocation, by other people, by another deploy.

use super::stand_in::note;
use super::watch::{observed, share_is};
use super::{canary, deploy, is_given_back, route, stage, stage_with};
use crate::blue_green::{NEW_IMAGE, at_rest, replicas, service, switch};
use crate::stage::{LIFE, Stage};
use landfall_sandbox::aws::{JobResult, Outcome};
use landfall_sandbox::function::Function;
use landfall_sandbox::gateway::{HTTP_ROUTES, REFUSE, sample_http_route};
use landfall_sandbox::world::sample_service;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn many_short_invocations_come_to_the_same_end() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([20]);
    let short = stage.deploy_in(Duration::from_millis(2500), parameters);
    let (ended, seen) = observed(&stage, short).await;
    ended.success();
    let shares = [
        json!({"demo-app": 100}),
        json!({"demo-app": 80, "demo-app-blue": 20}),
        json!({"demo-app-blue": 100}),
    ];
    assert_eq!(seen, shares);
    is_given_back(&stage).await;
}

/// Somebody else changes the route while the candidate has its share.
fn change(stage: &Stage, make: impl FnOnce(&mut Value)) {
    let mut route = route(stage);
    make(&mut route);
    stage.sandbox().world(|world, now| world.apply(route, now));
}

async fn fails_when(make: impl FnOnce(&mut Value)) -> (String, Stage) {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "8s"}]);
    let meddle = async {
        share_is(&stage, 10).await;
        change(&stage, make);
    };
    let story = async { tokio::join!(deploy(&stage, parameters), meddle) };
    let ((ended, ()), _) = observed(&stage, story).await;
    let (_, message) = ended.failure();
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    (message, stage)
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_of_somebody_else_end_the_canary() {
    let (message, stage) = fails_when(|route| {
        route["spec"]["rules"][0]["backendRefs"][1]["weight"] = json!(90);
    })
    .await;
    assert!(
        message.contains("changed HTTPRoute `demo-app`"),
        "{message}"
    );
    assert!(message.contains("90:90 instead of 90:10"), "{message}");
    is_given_back(&stage).await;
}

/// What is left of the canary is known by its Service: its pods do not go before its weight.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_whose_note_is_gone_is_given_back() {
    let (message, stage) = fails_when(|route| {
        let notes = route["metadata"]["annotations"].as_object_mut();
        notes.unwrap().remove("landfall/canary");
    })
    .await;
    for told in [
        "which gives the new version weight without Landfall's note of that",
        "HTTPRoute `demo-app` sends nothing to the new one",
    ] {
        assert!(message.contains(told), "{message}");
    }
    let backends = &route(&stage)["spec"]["rules"][0]["backendRefs"];
    let expected = json!([{"name": "demo-app", "port": 80, "weight": 100}]);
    assert_eq!(without_defaults(backends), expected);
    assert!(note(&route(&stage)).is_none());
    let candidate = stage.cluster.object("services", "demo-app-canary").await;
    assert_eq!(candidate, None);
}

/// The backends, without what the server fills in.
fn without_defaults(backends: &Value) -> Value {
    let mut backends = backends.clone();
    for one in backends.as_array_mut().unwrap() {
        let kept = ["name", "port", "weight"];
        let fields = one.as_object_mut().unwrap();
        fields.retain(|field, _| kept.contains(&field.as_str()));
    }
    backends
}

/// In an emergency somebody sends all of it elsewhere: the canary ends, and that stays.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_sends_elsewhere_stays_there() {
    let backend = |name: &str, weight: u32| json!({"name": name, "port": 80, "weight": weight});
    let stage = stage_with(|world, now| {
        let mut other = sample_service("demo-app");
        other["metadata"]["name"] = json!("maintenance");
        world.apply(other, now);
        let mut route = sample_http_route("demo-app", "demo-app");
        route["spec"]["rules"][0]["backendRefs"] =
            json!([backend("demo-app", 1), backend("maintenance", 0)]);
        world.apply(route, now);
    })
    .await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "8s"}]);
    let close = async {
        share_is(&stage, 10).await;
        change(&stage, |route| {
            route["spec"]["rules"][0]["backendRefs"] = json!([
                backend("demo-app", 0),
                backend("demo-app-canary", 0),
                backend("maintenance", 1)
            ]);
        });
    };
    let (ended, ()) = tokio::join!(deploy(&stage, parameters), close);
    let (_, message) = ended.failure();
    assert!(message.contains("0:0 instead of 9:1"), "{message}");
    let backends = &route(&stage)["spec"]["rules"][0]["backendRefs"];
    let expected = json!([backend("demo-app", 0), backend("maintenance", 1)]);
    assert_eq!(without_defaults(backends), expected);
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
}

/// Changes a note of JSON of an object.
async fn renote(stage: &Stage, resource: &str, name: &str, field: &str, value: &str) {
    let object = stage.cluster.object(resource, "demo-app").await.unwrap();
    let text = object["metadata"]["annotations"][name].as_str().unwrap();
    let mut note = serde_json::from_str::<Value>(text).unwrap();
    note[field] = json!(value);
    let note = json!({name: note.to_string()});
    let place = ["metadata", "annotations"];
    stage
        .cluster
        .change(resource, "demo-app", place, note)
        .await;
}

/// The function died after the switch, and its time is over when it comes back: the new version
/// serves, so the route is given back all the same. Whoever does not know of the route must not
/// take away the pods that it may still send to.
#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_comes_too_late_to_its_end_leaves_a_note_of_its_route() {
    const LONG_AGO: &str = "2020-01-01T00:00:00Z";
    let mut stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([50]);
    let job = stage.aws.submit(stage.event(&parameters), LIFE);
    while service(&stage).await["metadata"]["annotations"]["landfall/retiring"].is_null() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stage.function.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    renote(&stage, "services", "landfall/lock", "deadline", LONG_AGO).await;
    // Its controller follows no more.
    change(&stage, |route| {
        route["metadata"]["annotations"][REFUSE] = json!("Accepted UnsupportedValue");
    });
    assert!(stage.aws.retry(&job));
    while note(&route(&stage)).is_none_or(|note| note["returned"] != true) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stage.function.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    renote(&stage, HTTP_ROUTES, "landfall/canary", "at", LONG_AGO).await;
    assert!(stage.aws.retry(&job));
    let Outcome::Succeeded(report) = stage.aws.outcome(&job, LIFE).await else {
        panic!("{}", stage.log());
    };
    let JobResult::Success { summary, .. } = report.result else {
        panic!("it succeeded");
    };
    let summary = summary.unwrap();
    assert!(summary.contains("did not confirm the weights"), "{summary}");
    at_rest(&stage).await;
    let notes = service(&stage).await["metadata"]["annotations"].take();
    assert_eq!(notes["landfall/route-left"], "httproute/demo-app");
    let mut other = switch("blueGreen", "registry.example.com/demo-app:3.0.0");
    other["timeout"] = json!("60s");
    let message = ended(&stage, other).await.unwrap_err();
    let told =
        "`route` must be `httproute/demo-app`: a canary that used that route was interrupted";
    assert!(message.contains(told), "{message}");
    assert!(message.contains("landfall/route-left"), "{message}");
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
    // The same version again does the rest.
    change(&stage, |route| {
        let notes = route["metadata"]["annotations"].as_object_mut();
        notes.unwrap().remove(REFUSE);
    });
    ended(&stage, parameters).await.unwrap();
    is_given_back(&stage).await;
    let notes = service(&stage).await["metadata"]["annotations"].take();
    assert_eq!(notes["landfall/route-left"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_the_controller_refuses_is_taken_back() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "2s"}]);
    let refuse = async {
        share_is(&stage, 10).await;
        change(&stage, |route| {
            route["metadata"]["annotations"][REFUSE] = json!("ResolvedRefs UnsupportedProtocol");
        });
        // It was the new backend that it did not like.
        while route(&stage)["spec"]["rules"][0]["backendRefs"][1] != Value::Null {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        change(&stage, |route| {
            route["metadata"]["annotations"]
                .as_object_mut()
                .unwrap()
                .remove(REFUSE);
        });
    };
    let story = async { tokio::join!(deploy(&stage, parameters), refuse) };
    let ((ended, ()), _) = observed(&stage, story).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed");
    assert!(message.contains("UnsupportedProtocol"), "{message}");
    is_given_back(&stage).await;
}

/// As long as nobody says that the weights from before are in force, the candidate may get its
/// share, and must not lose its pods.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_stays_refused_keeps_the_candidate_up_and_is_told() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "3s"}]);
    parameters["timeout"] = json!("20s");
    let refuse = async {
        share_is(&stage, 10).await;
        change(&stage, |route| {
            route["metadata"]["annotations"][REFUSE] = json!("Accepted UnsupportedValue");
            // Somebody changes the weights, so that the canary fails.
            route["spec"]["rules"][0]["backendRefs"][1]["weight"] = json!(20);
        });
    };
    let (ended, ()) = tokio::join!(deploy(&stage, parameters), refuse);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.starts_with("The canary of Deployment `demo-app`"),
        "{message}"
    );
    for told in [
        "HTTPRoute `demo-app` gives the new version nothing any more, but its controller did not \
         confirm that within 20 s, so `demo-app-blue` may still get a share, and was left up.",
        "`kubectl --namespace default get httproute demo-app --output yaml`",
    ] {
        assert!(message.contains(told), "{message}");
    }
    // It does: a route that is refused is not followed.
    share_is(&stage, 10).await;
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
    change(&stage, |route| {
        let notes = route["metadata"]["annotations"].as_object_mut();
        notes.unwrap().remove(REFUSE);
    });
    expire(&stage).await;
    let mut next = canary("registry.example.com/demo-app:3.0.0");
    next["steps"] = json!([20]);
    deploy(&stage, next).await.success();
    is_given_back(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_route_ends_the_canary_and_the_old_version_stays() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "5s"}]);
    let remove = async {
        share_is(&stage, 10).await;
        stage.cluster.remove(HTTP_ROUTES, "demo-app").await;
    };
    let (ended, ()) = tokio::join!(deploy(&stage, parameters), remove);
    let (_, message) = ended.failure();
    assert!(
        message.contains("someone else deleted HTTPRoute `demo-app`"),
        "{message}"
    );
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
}

/// What is reported of a deploy after another one was killed, which never reports.
pub async fn ended(stage: &Stage, parameters: Value) -> Result<String, String> {
    let job = stage
        .aws
        .submit(stage.event(&parameters), Duration::from_secs(20));
    let report = match stage.aws.outcome(&job, LIFE + LIFE).await {
        Outcome::Succeeded(report) | Outcome::Failed(report) => report,
        other => panic!("{other:?}"),
    };
    match report.result {
        JobResult::Success { summary, .. } => Ok(summary.unwrap_or_default()),
        JobResult::Failure { message, .. } => Err(message),
    }
}

/// The lock of a canary that is not alive any more.
pub async fn expire(stage: &Stage) {
    for (field, value) in [
        ("since", "2020-01-01T00:00:00Z"),
        ("deadline", "2020-01-01T01:00:00Z"),
    ] {
        renote(stage, "services", "landfall/lock", field, value).await;
    }
}

/// The pods that the Service sends to.
async fn ready(stage: &Stage) -> usize {
    let slices = stage.cluster.objects("endpointslices").await;
    let of_ours =
        |slice: &&Value| slice["metadata"]["labels"]["kubernetes.io/service-name"] == "demo-app";
    let endpoints = slices.iter().filter(of_ours);
    let endpoints = endpoints.filter_map(|slice| slice["endpoints"].as_array());
    let is_ready = |endpoint: &&Value| endpoint["conditions"]["ready"] == true;
    endpoints.flatten().filter(is_ready).count()
}

/// A canary at 30 % whose function is dead, and whose lock has expired.
async fn left() -> Stage {
    let mut stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 30, "bake": "60s"}]);
    stage.aws.submit(stage.event(&parameters), LIFE);
    share_is(&stage, 30).await;
    stage.function.kill();
    expire(&stage).await;
    stage
}

/// The Service is held to the pods that serve: a rolling deploy would take them from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_deploy_waits_until_an_interrupted_canary_is_at_its_end() {
    let stage = left().await;
    let rolling = json!({"deployment": "demo-app", "timeout": "50s",
        "images": {"app": "registry.example.com/demo-app:3.0.0"}});
    let message = ended(&stage, rolling.clone()).await.unwrap_err();
    let told = "`demo-app-blue` runs beside `demo-app`";
    assert!(message.contains(told), "{message}");
    assert_eq!(ready(&stage).await, 2);
    let mut next = canary(NEW_IMAGE);
    next["mode"] = json!("rollback");
    next["execution"] = json!("run-9");
    next.as_object_mut().unwrap().remove("images");
    ended(&stage, next).await.unwrap();
    ended(&stage, rolling).await.unwrap();
    assert_eq!(ready(&stage).await, 2);
}

/// What was only to go a little further is not gone back behind: the version that served all along
/// stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_on_demand_stops_a_canary_half_way() {
    let stage = left().await;
    let mut back = canary(NEW_IMAGE);
    back["mode"] = json!("planRollback");
    back["execution"] = json!("run-9");
    back.as_object_mut().unwrap().remove("images");
    let plan = ended(&stage, back.clone()).await.unwrap();
    let told = "The last deploy, of `demo-app-blue`, is not done: it would be taken back";
    assert!(plan.contains(told), "{plan}");
    share_is(&stage, 30).await;
    back["mode"] = json!("rollback");
    let (end, seen) = observed(&stage, ended(&stage, back.clone())).await;
    let summary = end.unwrap();
    let told = "The last deploy, of `demo-app-blue`, was not done: it was taken back";
    assert!(summary.contains(told), "{summary}");
    assert!(
        summary.contains("routes to Deployment `demo-app` ("),
        "{summary}"
    );
    assert_eq!(seen.last(), Some(&json!({"demo-app": 100})));
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    is_given_back(&stage).await;
    // The stage is retried.
    let summary = ended(&stage, back).await.unwrap();
    let told = "nothing was changed";
    assert!(summary.contains(told), "{summary}");
    let told = "This execution had already taken back the last deploy, of `demo-app-blue`";
    assert!(summary.contains(told), "{summary}");
    is_given_back(&stage).await;
}

/// A canary that is alive is stopped at once: its lock is not waited for, and it gives way.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_on_demand_stops_a_canary_that_is_under_way() {
    for route in [true, false] {
        let stage = stage().await;
        let variables = [
            ("K8S_CLUSTER", stage.cluster.url()),
            ("K8S_CA", stage.cluster.ca()),
        ];
        let _second = Function::start(&crate::stage::function(), &stage.aws, &variables).unwrap();
        let mut parameters = canary(NEW_IMAGE);
        parameters["steps"] = json!([{"weight": 30, "bake": "60s"}]);
        let fields = parameters.as_object_mut().unwrap();
        fields.retain(|name, _| route || name != "route");
        let job = stage.aws.submit(stage.event(&parameters), LIFE);
        match route {
            true => share_is(&stage, 30).await,
            // One pod beside the two.
            false => {
                while ready(&stage).await < 3 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        let mut back = parameters.clone();
        back["mode"] = json!("rollback");
        back["execution"] = json!("run-9");
        back.as_object_mut().unwrap().remove("images");
        let since = std::time::Instant::now();
        let summary = ended(&stage, back).await.unwrap();
        assert!(since.elapsed() < Duration::from_secs(20), "{route}");
        let told = "The last deploy, of `demo-app-blue`, was not done: it was taken back";
        assert!(summary.contains(told), "{summary}");
        let Outcome::Failed(report) = stage.aws.outcome(&job, LIFE).await else {
            panic!("{}", stage.log());
        };
        let JobResult::Failure { kind, message, .. } = report.result else {
            panic!("it failed");
        };
        assert_eq!(kind, "RevisionOutOfSync", "{message}");
        assert!(message.contains("`run-9`"), "{message}");
        assert_eq!(replicas(&stage, "demo-app").await, Some(2));
        assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
        is_given_back(&stage).await;
    }
}

/// Nothing but the new version is left: the Service has its pods before the route sends everything
/// there.
#[tokio::test(flavor = "multi_thread")]
async fn traffic_never_goes_back_to_an_old_version_that_is_gone() {
    for is_deleted in [true, false] {
        let stage = stage().await;
        let mut parameters = canary(NEW_IMAGE);
        parameters["steps"] = json!([{"weight": 50, "bake": "4s"}]);
        let meddle = async {
            share_is(&stage, 50).await;
            match is_deleted {
                true => stage.cluster.remove("deployments", "demo-app").await,
                false => stage.cluster.scale(0).await,
            }
            // Until it is given back, the route sends a half to nobody.
            while route(&stage)["spec"]["rules"][0]["backendRefs"][1] != Value::Null {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            ready(&stage).await
        };
        let (ended, ready) = tokio::join!(deploy(&stage, parameters), meddle);
        assert_eq!(ready, 2, "{is_deleted}");
        let (kind, message) = ended.failure();
        assert_eq!(kind, "JobFailed", "{message}");
        let told = "Service `demo-app` now routes to `demo-app-blue` (2 pods)";
        assert!(message.contains(told), "{message}");
        assert!(!message.contains("sends nothing"), "{message}");
        assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
        is_given_back(&stage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_canary_takes_back_what_an_interrupted_one_has_left() {
    let stage = left().await;
    // Another strategy does not know where that share goes.
    let mut other = canary("registry.example.com/demo-app:3.0.0");
    for (field, value) in [
        ("strategy", json!("blueGreen")),
        ("steps", Value::Null),
        ("route", Value::Null),
    ] {
        other[field] = value;
    }
    other
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let message = ended(&stage, other).await.unwrap_err();
    assert!(
        message.contains("a canary that used that route was interrupted"),
        "{message}"
    );
    let mut next = canary("registry.example.com/demo-app:3.0.0");
    next["steps"] = json!([20]);
    let (end, seen) = observed(&stage, ended(&stage, next)).await;
    assert!(end.unwrap().contains("demo-app:3.0.0"));
    let old = json!({"demo-app": 100});
    assert!(
        seen.contains(&old),
        "all went back before the next began: {seen:?}"
    );
    is_given_back(&stage).await;
}
