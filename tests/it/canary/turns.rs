//! Several who are at one route: another Service's canary, and people who keep it in order.

use super::watch::{observed, share_is};
use super::{canary, deploy, is_given_back, route, stage_with};
use crate::blue_green::{NEW_IMAGE, replicas};
use crate::stage::{LIFE, demo_app};
use landfall_sandbox::aws::Outcome;
use landfall_sandbox::function::Function;
use landfall_sandbox::gateway::sample_http_route;
use landfall_sandbox::world::sample_service;
use serde_json::{Value, json};
use std::time::Duration;

/// Of both deploys together.
const PATIENCE: Duration = Duration::from_secs(120);

/// The same object of an application `api`.
fn of_api(object: &Value) -> Value {
    let text = object.to_string().replace("demo-app", "api");
    serde_json::from_str(&text).unwrap()
}

/// Both come up at once, and each changes the route that the other one is at.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_canaries_by_one_route_the_second_waits_for_its_turn() {
    let stage = stage_with(|world, now| {
        world.apply(of_api(&demo_app(600)), now);
        world.apply(of_api(&sample_service("demo-app")), now);
        let mut route = sample_http_route("demo-app", "demo-app");
        let own = route["spec"]["rules"][0].clone();
        let of_api = json!({"matches": [{"path": {"type": "PathPrefix", "value": "/api"}}],
            "backendRefs": [{"name": "api", "port": 80}]});
        route["spec"]["rules"] = json!([own, of_api]);
        world.apply(route, now);
    })
    .await;
    let variables = [
        ("K8S_CLUSTER", stage.cluster.url()),
        ("K8S_CA", stage.cluster.ca()),
    ];
    let binary = crate::stage::function();
    let _second = Function::start(&binary, &stage.aws, &variables).unwrap();
    let both = async {
        let jobs = ["demo-app", "api"].map(|name| {
            let mut parameters = canary(NEW_IMAGE);
            parameters["deployment"] = json!(name);
            parameters["service"] = json!(name);
            parameters["steps"] = json!([50]);
            stage.aws.submit(stage.event(&parameters), LIFE)
        });
        for job in jobs {
            let ended = stage.aws.outcome(&job, PATIENCE).await;
            let is_done = matches!(ended, Outcome::Succeeded(_));
            assert!(is_done, "{ended:?}\n{}", stage.log());
        }
    };
    let ((), _) = observed(&stage, both).await;
    is_given_back(&stage).await;
    let rules = &route(&stage)["spec"]["rules"];
    let names = |rule: usize| {
        let backends = rules[rule]["backendRefs"].as_array().unwrap().iter();
        backends.map(|one| one["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!([names(0), names(1)], [[json!("demo-app")], [json!("api")]]);
    let left = stage.cluster.object("services", "api-canary").await;
    assert_eq!(left, None);
    for (name, wanted) in [
        ("demo-app", 0),
        ("api", 0),
        ("demo-app-blue", 2),
        ("api-blue", 2),
    ] {
        assert_eq!(replicas(&stage, name).await, Some(wanted), "{name}");
    }
}

/// As long as there is no candidate, the backend of that rule is not there.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_for_testers_may_name_the_candidates_service() {
    let stage = stage_with(|world, now| {
        let mut service = sample_service("demo-app");
        let ways = json!({"sessionAffinity": "ClientIP", "internalTrafficPolicy": "Local",
            "trafficDistribution": "PreferClose"});
        for (way, value) in ways.as_object().unwrap() {
            service["spec"][way] = value.clone();
        }
        world.apply(service, now);
        let mut route = sample_http_route("demo-app", "demo-app");
        let own = route["spec"]["rules"][0].clone();
        let testers = json!({"matches": [{"headers": [{"name": "x-canary", "value": "1"}]}],
            "backendRefs": [{"name": "demo-app-canary", "port": 80}]});
        route["spec"]["rules"] = json!([own, testers]);
        world.apply(route, now);
    })
    .await;
    let looks = async {
        share_is(&stage, 50).await;
        let found = stage.cluster.object("services", "demo-app-canary").await;
        let found = found.unwrap();
        // What decides which pod a connection goes to is that of the Service.
        for (way, expected) in [
            ("sessionAffinity", "ClientIP"),
            ("internalTrafficPolicy", "Local"),
            ("trafficDistribution", "PreferClose"),
        ] {
            assert_eq!(found["spec"][way], expected, "{way}");
        }
    };
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([50]);
    let (ended, ()) = tokio::join!(deploy(&stage, parameters), looks);
    ended.success();
    is_given_back(&stage).await;
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
}
