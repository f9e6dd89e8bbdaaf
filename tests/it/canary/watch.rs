//! What the requests of a story get by the route, looked at every few milliseconds.

use crate::stage::{Stage, beside};
use landfall_sandbox::gateway::HTTP_ROUTES;
use landfall_sandbox::traffic::Traffic;
use serde_json::{Value, json};
use std::time::Duration;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// The pods that all requests need.
const WANTED: usize = 2;

/// What the rules of the route send where.
fn traffic(stage: &Stage) -> Vec<Traffic> {
    let world = stage.sandbox();
    let routes = [HTTP_ROUTES, "ingresses"];
    world.world(|world, _| {
        let all = routes.map(|resource| world.traffic(resource, "default", "demo-app"));
        all.concat()
    })
}

/// The shares by version in whole percents, as an object.
fn shares(traffic: &Traffic) -> Value {
    let all = traffic.by_version().into_iter();
    let whole = all.map(|(version, share)| (version, json!((share * 100.0).round())));
    let whole = whole.map(|(version, share)| (version, json!(share.as_f64().unwrap() as i64)));
    Value::Object(whole.collect())
}

/// Runs a story while the route is looked at, and returns what it sent where, one after the other.
/// No backend may have weight without the pods that its share needs, whoever fails.
pub async fn observed<T>(stage: &Stage, story: impl Future<Output = T>) -> (T, Vec<Value>) {
    observed_by(stage, false, story).await
}

/// The same where pods fail that have a share: that is nobody's fault.
pub async fn observed_failing<T>(stage: &Stage, story: impl Future<Output = T>) -> (T, Vec<Value>) {
    observed_by(stage, true, story).await
}

async fn observed_by<T>(
    stage: &Stage,
    may_fail: bool,
    story: impl Future<Output = T>,
) -> (T, Vec<Value>) {
    let mut seen: Vec<Value> = Vec::new();
    let mut problems = Vec::new();
    let look = async {
        loop {
            for traffic in traffic(stage) {
                if let Some(problem) = traffic.problem(WANTED) {
                    problems.push(problem);
                }
                let shares = shares(&traffic);
                if seen.last() != Some(&shares) {
                    seen.push(shares);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let told = beside(story, look).await;
    let unserved = |shares: &&Value| shares.get("500").is_some();
    assert_eq!(seen.iter().find(unserved), None, "{seen:?}");
    assert!(may_fail || problems.is_empty(), "{problems:?}");
    (told, seen)
}

/// Waits until the candidate has this share.
pub async fn share_is(stage: &Stage, percent: i64) {
    share_where(stage, |name| name != "demo-app", percent).await;
}

/// Waits until this Deployment has this share.
pub async fn share_of(stage: &Stage, deployment: &str, percent: i64) {
    share_where(stage, |name| name == deployment, percent).await;
}

async fn share_where(stage: &Stage, is_it: impl Fn(&str) -> bool, percent: i64) {
    let has = |shares: Value| {
        let shares = shares.as_object().cloned().unwrap_or_default();
        let mut new = shares.iter().filter(|(name, _)| is_it(name));
        new.any(|(_, share)| *share == percent)
    };
    loop {
        if traffic(stage).iter().any(|one| has(shares(one))) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
