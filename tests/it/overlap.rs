//! A switch behind a load balancer whose targets are pods: with a cut it has no healthy target for a
//! while, with an overlap always.

use crate::blue_green::{
    NEW_IMAGE, SICK_IMAGE, at_rest, endpoints_are_known, is_switched, replicas, service,
};
use crate::prober::Prober;
use crate::stage::{LIFE, OLD_IMAGE, SHORT, Stage, beside, demo_app};
use jiff::SignedDuration;
use landfall_sandbox::aws::Outcome;
use landfall_sandbox::balancer::sample_binding;
use landfall_sandbox::world::{sample_deployment, sample_service};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long a new target is not healthy.
const UNHEALTHY: Duration = Duration::from_millis(1500);

fn switch(image: &str, handover: Value) -> Value {
    let mut parameters = json!({"deployment": "demo-app", "service": "demo-app",
        "strategy": "blueGreen", "images": {"app": image}, "bake": "2s", "timeout": "50s"});
    if !handover.is_null() {
        parameters["handover"] = handover;
    }
    parameters
}

/// Both versions behind a Service and a load balancer's target group.
async fn behind_a_load_balancer() -> Stage {
    let stage = Stage::in_sandbox(|world, now| {
        world.timing().targets_seen = SignedDuration::from_millis(200);
        world.timing().target_healthy = SignedDuration::try_from(UNHEALTHY).unwrap();
        world.install_target_groups(now);
        world.apply(demo_app(600), now);
        world.apply(sample_service("demo-app"), now);
        world.apply(sample_binding("k8s-demo-app", "demo-app"), now);
    })
    .await;
    endpoints_are_known(&stage).await;
    while healthy(&stage).len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stage
}

/// The Deployments of the load balancer's healthy targets, one for each target.
fn healthy(stage: &Stage) -> Vec<String> {
    let targets = stage.sandbox().world(|world, now| {
        world.advance(now);
        world.healthy_targets("default", "k8s-demo-app")
    });
    let of = |pod: &String| pod.rsplitn(3, '-').last().unwrap().to_owned();
    targets.iter().map(of).collect()
}

/// What a load balancer had in a story.
struct Seen {
    /// The longest time without a healthy target.
    gap: Duration,
    /// Whether it sent to two versions at some time.
    mixed: bool,
}

/// Waits until both versions serve.
async fn overlaps(stage: &Stage) {
    while service(stage).await["metadata"]["annotations"]["landfall/overlap"].is_null() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Runs a story while the target group is looked at all the time.
async fn watched<T>(stage: &Stage, story: impl Future<Output = T>) -> (T, Seen) {
    let mut seen = Seen {
        gap: Duration::ZERO,
        mixed: false,
    };
    let mut since = None;
    let look = async {
        loop {
            let mut targets = healthy(stage);
            targets.dedup();
            since = match targets.len() {
                0 => since.or_else(|| Some(Instant::now())),
                _ => None,
            };
            let gap = since.map_or(Duration::ZERO, |since: Instant| since.elapsed());
            seen.gap = seen.gap.max(gap);
            seen.mixed |= targets.len() > 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let told = beside(story, look).await;
    (told, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_leaves_a_load_balancer_without_a_healthy_target() {
    let stage = behind_a_load_balancer().await;
    let deploy = stage.deploy(switch(NEW_IMAGE, json!("cut")));
    let (ended, seen) = watched(&stage, deploy).await;
    let (summary, _) = ended.success();
    assert!(seen.gap > UNHEALTHY / 2, "{:?}", seen.gap);
    assert!(!seen.mixed, "a cut never mixes");
    assert!(!summary.contains("Both versions"), "{summary}");
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlap_leaves_no_gap() {
    let stage = behind_a_load_balancer().await;
    let overlap = json!({"overlap": "4s"});
    // The first one adopts a plain Deployment; then two take turns.
    for (image, name) in [
        (NEW_IMAGE, "demo-app-blue"),
        ("registry.example.com/demo-app:3.0.0", "demo-app-green"),
    ] {
        let deploy = stage.deploy(switch(image, overlap.clone()));
        let (ended, seen) = watched(&stage, deploy).await;
        let (summary, variables) = ended.success();
        assert_eq!(seen.gap, Duration::ZERO, "{name}");
        assert!(seen.mixed, "both versions serve for a while");
        assert_eq!(variables["Deployment"], name);
        let told = "Both versions served for 4 s before the previous one left (`handover`).";
        assert!(summary.contains(told), "{summary}");
        assert_eq!(healthy(&stage), [name, name]);
        at_rest(&stage).await;
        let notes = service(&stage).await["metadata"]["annotations"].take();
        assert!(notes["landfall/overlap"].is_null(), "{notes:#}");
    }
}

/// It is seen in the overlap, so that the old version just stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_falls_ill_in_the_overlap_leaves_without_a_gap() {
    let stage = behind_a_load_balancer().await;
    let mut parameters = switch(NEW_IMAGE, json!({"overlap": "20s"}));
    parameters["patience"] = json!("1s");
    let illness = async {
        overlaps(&stage).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        stage.cluster.strike("demo-app-blue", NEW_IMAGE).await;
    };
    let story = async { tokio::join!(stage.deploy(parameters), illness) };
    let ((ended, ()), seen) = watched(&stage, story).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("exits with code 1"), "{message}");
    assert_eq!(seen.gap, Duration::ZERO);
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    let selector = service(&stage).await["spec"]["selector"].take();
    assert_eq!(selector, json!({"app": "demo-app"}));
    at_rest(&stage).await;
}

/// After the overlap the old version is not registered any more: the way back needs one, too.
#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_after_the_overlap_leaves_no_gap() {
    let stage = behind_a_load_balancer().await;
    let mut parameters = switch(NEW_IMAGE, json!({"overlap": "3s"}));
    parameters["bake"] = json!("20s");
    let intrusion = async {
        is_switched(&stage).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        // The pods keep serving; they just are not what was asked for any more.
        stage.sandbox().world(|world, now| {
            let found = world.deployment("default", "demo-app-blue");
            let mut theirs = found.cloned().unwrap();
            theirs["spec"]["paused"] = json!(true);
            theirs["spec"]["template"]["spec"]["containers"][0]["image"] = json!("theirs:1");
            world.apply(theirs, now);
        });
    };
    let story = async { tokio::join!(stage.deploy(parameters), intrusion) };
    let ((ended, ()), seen) = watched(&stage, story).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("changed Deployment `demo-app-blue`"),
        "{message}"
    );
    assert_eq!(seen.gap, Duration::ZERO, "{message}");
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
    at_rest(&stage).await;
}

/// Each invocation goes on where the one before ended, and one that dies leaves no gap either.
#[tokio::test(flavor = "multi_thread")]
async fn an_overlap_goes_on_over_invocations_and_after_a_death() {
    let mut stage = behind_a_load_balancer().await;
    let parameters = switch(NEW_IMAGE, json!({"overlap": "5s"}));
    let (ended, seen) = watched(&stage, stage.deploy_in(SHORT, parameters)).await;
    ended.success();
    assert_eq!(seen.gap, Duration::ZERO);
    assert!(stage.aws.reports().len() > 2, "it took several invocations");

    let overlap = json!({"overlap": "5s"});
    let event = stage.event(&switch("registry.example.com/demo-app:3.0.0", overlap));
    let job = stage.aws.submit(event, LIFE);
    overlaps(&stage).await;
    stage.function.kill();
    assert_ne!(healthy(&stage).len(), 0);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(stage.aws.retry(&job));
    let (outcome, seen) = watched(&stage, stage.aws.outcome(&job, LIFE)).await;
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{}", stage.log());
    assert_eq!(seen.gap, Duration::ZERO);
    at_rest(&stage).await;
}

/// It dies for good while both versions serve: whoever deploys next finds the old one in service.
#[tokio::test(flavor = "multi_thread")]
async fn an_overlap_that_was_left_is_ended_by_the_next_deploy() {
    let mut stage = behind_a_load_balancer().await;
    let mut first = switch(NEW_IMAGE, json!({"overlap": "30s"}));
    first["execution"] = json!("run-1");
    let event = stage.event(&first);
    stage.aws.submit(event, LIFE);
    overlaps(&stage).await;
    stage.function.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The stage is retried: the same execution, another job.
    let mut second = switch(
        "registry.example.com/demo-app:3.0.0",
        json!({"overlap": "3s"}),
    );
    second["execution"] = json!("run-1");
    let event = stage.event(&second);
    let job = stage.aws.submit(event, LIFE);
    let (outcome, seen) = watched(&stage, stage.aws.outcome(&job, LIFE)).await;
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{}", stage.log());
    assert_eq!(healthy(&stage), ["demo-app-blue", "demo-app-blue"]);
    assert_eq!(seen.gap, Duration::ZERO);
    at_rest(&stage).await;
}

/// What is in front of the Service decides where the user does not, and is told beforehand.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_front_of_the_service_decides() {
    let plan = |handover: Value| {
        let mut parameters = switch(NEW_IMAGE, handover);
        parameters["mode"] = json!("plan");
        parameters["timeout"] = json!("5m");
        parameters
    };
    let stage = behind_a_load_balancer().await;
    let (summary, _) = stage.deploy(plan(Value::Null)).await.success();
    let told = "Both versions would serve for 1 min before the previous one leaves, so that the \
        Application Load Balancer sees the new pods healthy first (TargetGroupBinding \
        `k8s-demo-app`).";
    assert!(summary.contains(told), "{summary}");
    // A canary by pods ends the same way, and each of its shares takes that time.
    let mut canary = plan(Value::Null);
    canary["strategy"] = json!("canary");
    canary["steps"] = json!([50]);
    let (summary, _) = stage.deploy(canary.clone()).await.success();
    assert!(summary.contains(told), "{summary}");
    canary["timeout"] = json!("2m");
    let (_, message) = stage.refused(canary).await;
    let short = "needs up to 1 min with each share to see new pods healthy (`handover`), which \
        takes 2 min 4 s";
    assert!(message.contains(short), "{message}");
    let (summary, _) = stage.deploy(plan(json!("cut"))).await.success();
    assert!(
        summary.contains("would be switched at once (`handover`)"),
        "{summary}"
    );

    // What may not be read is said, and the strategy's promise is kept.
    let cluster = &stage.cluster;
    cluster.forbid("list", "targetgroupbindings").await;
    cluster.forbid("list", "ingresses").await;
    let (summary, _) = stage.deploy(plan(Value::Null)).await.success();
    let told = "the token may not list `targetgroupbindings.elbv2.k8s.aws` and \
        `ingresses.networking.k8s.io`";
    assert!(summary.contains("would be switched at once."), "{summary}");
    assert!(summary.contains(told), "{summary}");
    let (summary, _) = stage.deploy(switch(NEW_IMAGE, Value::Null)).await.success();
    assert!(summary.contains(told), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_load_balancer_it_is_a_cut_that_says_so() {
    let stage = crate::blue_green::stage().await;
    let deploy = stage.deploy(switch(NEW_IMAGE, Value::Null));
    let (summary, _) = stage.probed(deploy).await.success();
    let told = "It was switched at once, as no load balancer of AWS with pods as its targets";
    assert!(summary.contains(told), "{summary}");
    at_rest(&stage).await;
}

/// Both versions together are found by `app` alone, and so would be another application's pods.
#[tokio::test(flavor = "multi_thread")]
async fn an_overlap_never_sends_to_pods_of_something_else() {
    let stage = Stage::in_sandbox(|world, now| {
        world.apply(demo_app(600), now);
        world.apply(sample_service("demo-app"), now);
    })
    .await;
    endpoints_are_known(&stage).await;
    stage
        .deploy(switch(NEW_IMAGE, json!("cut")))
        .await
        .success();
    let mut other = sample_deployment("other", "registry.example.com/other:1.0.0");
    let labels = json!({"app": "demo-app", "part": "cron"});
    for pointer in [
        "/spec/selector/matchLabels",
        "/spec/template/metadata/labels",
    ] {
        *other.pointer_mut(pointer).unwrap() = labels.clone();
    }
    stage.sandbox().world(|world, now| world.apply(other, now));
    let is_other = |pod: &Value| {
        pod["metadata"]["name"]
            .as_str()
            .unwrap()
            .starts_with("other-")
    };
    while stage
        .cluster
        .pods()
        .await
        .iter()
        .filter(|pod| is_other(pod))
        .count()
        < 2
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let next = "registry.example.com/demo-app:3.0.0";
    let (kind, message) = stage
        .deploy(switch(next, json!({"overlap": "3s"})))
        .await
        .failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(
        message.contains("`handover` asks for an overlap"),
        "{message}"
    );
    assert!(message.contains("pod `other-"), "{message}");
    // A cut is possible as ever.
    let deploy = stage.deploy(switch(next, json!("cut")));
    stage.probed(deploy).await.success();
    at_rest(&stage).await;
}

/// In any cluster: the Service is never empty, and sends to both versions for no longer than that.
#[tokio::test(flavor = "multi_thread")]
async fn both_versions_are_endpoints_for_the_time_of_the_overlap() {
    let stage = crate::blue_green::stage().await;
    let mut prober = Prober::timing(&stage.cluster).await;
    let overlap = json!({"overlap": "4s"});
    stage
        .deploy(switch(NEW_IMAGE, overlap.clone()))
        .await
        .success();
    let spans = prober.spans().await;
    assert_eq!(spans.empty, Duration::ZERO, "{}", prober.states());
    assert!(spans.mixed >= Duration::from_secs(4), "{:?}", spans.mixed);
    assert!(spans.mixed < Duration::from_secs(12), "{:?}", spans.mixed);
    at_rest(&stage).await;
    // What never is ready never serves beside the other.
    let mut prober = Prober::timing(&stage.cluster).await;
    stage.deploy(switch(SICK_IMAGE, overlap)).await.failure();
    let spans = prober.spans().await;
    assert_eq!((spans.empty, spans.mixed), Default::default());
    at_rest(&stage).await;
}
