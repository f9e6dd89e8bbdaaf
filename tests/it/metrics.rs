//! What CloudWatch reads from the log: one line for each deploy that ended.

use crate::stage::{SHORT, Stage, image};
use serde_json::{Value, json};

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const SLOW_IMAGE: &str = "registry.example.com/demo-app:3.0.0-after-2s";

/// The lines that are metrics, once there are so many: they are written after the report.
pub async fn counted(stage: &Stage, count: usize) -> Vec<Value> {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let log = stage.function.log();
        let lines = log.iter().map(|line| serde_json::from_str(line).unwrap());
        let lines = lines.filter(|line: &Value| line.get("_aws").is_some());
        let lines = lines.collect::<Vec<_>>();
        if lines.len() >= count || tokio::time::Instant::now() > deadline {
            return lines;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// A line's numbers, those that the directive names and no others.
fn numbers(line: &Value) -> Vec<&str> {
    let metrics = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
    let metrics = metrics.as_array().unwrap().iter();
    let names = metrics.map(|metric| metric["Name"].as_str().unwrap());
    names
        .inspect(|name| assert!(line[name].is_number(), "{line}"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_is_counted_with_its_lead_time() {
    let stage = Stage::new().await;
    let mut parameters = image(NEW_IMAGE);
    let now = jiff::Timestamp::now();
    let hour = now - jiff::SignedDuration::from_secs(3600);
    parameters["committed"] = json!(hour.to_string());
    stage.deploy(parameters.clone()).await.success();
    let lines = counted(&stage, 1).await;
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(
        numbers(line),
        [
            "Deploys", "Failures", "Outages", "Duration", "LeadTime", "ApiCalls", "ApiBytes"
        ]
    );
    let asked = |name: &str| line[name].as_u64().unwrap();
    if let Some(requests) = stage.cluster.requests() {
        assert_eq!(asked("ApiCalls"), requests.len() as u64, "{line}");
    }
    assert!((1_000..1_000_000).contains(&asked("ApiBytes")), "{line}");
    assert_eq!(
        (&line["Deploys"], &line["Failures"]),
        (&json!(1), &json!(0))
    );
    let lead = line["LeadTime"].as_f64().unwrap();
    assert!((3600.0..3700.0).contains(&lead), "{line}");
    assert!(line["Duration"].as_f64().unwrap() < 60.0, "{line}");
    assert_eq!(line["FunctionName"], "landfall");
    assert_eq!(line["Namespace"], stage.cluster.namespace());
    assert_eq!(line["Deployment"], "demo-app");
    let aws = &line["_aws"];
    assert!(aws["Timestamp"].as_i64().unwrap() >= now.as_millisecond());
    for set in aws["CloudWatchMetrics"][0]["Dimensions"]
        .as_array()
        .unwrap()
    {
        for name in set.as_array().unwrap() {
            assert!(line[name.as_str().unwrap()].is_string(), "{line}");
        }
    }
    // What ran already took no time to get there.
    stage.deploy(parameters).await.success();
    let lines = counted(&stage, 2).await;
    assert_eq!(
        numbers(&lines[1]),
        [
            "Deploys", "Failures", "Outages", "Duration", "ApiCalls", "ApiBytes"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_counted_also_where_nothing_is_known() {
    let stage = Stage::new().await;
    stage
        .deploy(json!({"deployment": "nobody", "restart": true}))
        .await
        .failure();
    stage.deploy(json!({"deployment": 7})).await.failure();
    let lines = counted(&stage, 2).await;
    let [known, unknown] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(
        (&known["Failures"], &known["Deployment"]),
        (&json!(1), &json!("nobody"))
    );
    assert_eq!(
        numbers(known),
        [
            "Deploys", "Failures", "Outages", "Duration", "ApiCalls", "ApiBytes"
        ]
    );
    assert_eq!(unknown["Failures"], 1);
    assert_eq!(
        numbers(unknown),
        ["Deploys", "Failures", "Outages", "ApiCalls", "ApiBytes"]
    );
    assert_eq!(
        (&unknown["ApiCalls"], &unknown["ApiBytes"]),
        (&json!(0), &json!(0))
    );
    let dimensions = &unknown["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
    assert_eq!(*dimensions, json!([["FunctionName"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_deploy_that_goes_on_only_its_calls_are_counted_and_of_a_plan_nothing() {
    let stage = Stage::new().await;
    let mut parameters = image(NEW_IMAGE);
    parameters["mode"] = json!("plan");
    stage.deploy(parameters).await.success();
    // Several invocations, one deploy.
    stage.deploy_in(SHORT, image(SLOW_IMAGE)).await.success();
    let reports = stage.aws.reports().len();
    assert!(reports > 2);
    let lines = counted(&stage, reports - 1).await;
    assert_eq!(lines.len(), reports - 1);
    let (last, others) = lines.split_last().unwrap();
    assert_eq!(last["Deploys"], 1);
    for line in others {
        assert_eq!(numbers(line), ["ApiCalls", "ApiBytes"]);
        assert_eq!(line["Deployment"], "demo-app");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_token_is_counted() {
    let stage = crate::rotation::stage(&[]).await;
    crate::rotation::rotate(&stage).await;
    let lines = counted(&stage, 1).await;
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(numbers(line), ["Rotations"]);
    assert_eq!(
        (&line["Rotations"], &line["FunctionName"]),
        (&json!(1), &json!("landfall"))
    );
}
