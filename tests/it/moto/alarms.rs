//! An alarm in moto's CloudWatch guards a deploy. moto has no composite alarms: `PutCompositeAlarm`
//! is not implemented.

use super::LIFE;
use super::server::{Moto, call};
use crate::cluster::Cluster;
use crate::stage::{OLD_IMAGE, demo_app, event};
use landfall_sandbox::aws::{Aws, Job, JobResult, Outcome, Report};
use serde_json::{Value, json};
use std::time::Duration;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

impl Moto {
    async fn cloudwatch(&self, operation: &str, body: &Value) {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        let address = self.address.to_string();
        let (status, answer) = call(&address, "monitoring", &target, body).await;
        assert_eq!(status, 200, "{operation}: {answer}");
    }
}

async fn image(cluster: &Cluster) -> Value {
    let live = cluster.object("deployments", "demo-app").await.unwrap();
    live["spec"]["template"]["spec"]["containers"][0]["image"].clone()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: make conformance"]
async fn an_alarm_that_moto_makes_ring_takes_the_deploy_back() {
    let cluster = Cluster::given(vec![demo_app(600)]).await;
    let moto = Moto::like_aws(&cluster, &json!({})).await;
    moto.store(&cluster).await;
    let alarm = json!({"AlarmName": "web 5xx", "Namespace": "web", "MetricName": "5xx",
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold"});
    moto.cloudwatch("PutMetricAlarm", &alarm).await;
    let aws = Aws::start().await.unwrap();
    let function = moto.function(&aws, &cluster, ("plain", "ca"));
    let submit = |number: u32, alarms: Value| {
        let parameters = json!({"deployment": "demo-app", "namespace": cluster.namespace(),
            "images": {"app": NEW_IMAGE}, "bake": "50s", "alarms": alarms});
        aws.submit(event(number, &parameters.to_string()), 2 * LIFE)
    };
    let failed = async |job: &Job| match aws.outcome(job, 2 * LIFE).await {
        Outcome::Failed(Report {
            result: JobResult::Failure { kind, message, .. },
            ..
        }) => (kind, message),
        other => panic!("{other:?}\n{}", function.log().join("\n")),
    };
    let job = submit(1, json!(["web 5xx", "misspelt"]));
    let (kind, message) = failed(&job).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("`misspelt`"), "{message}");
    assert_eq!(image(&cluster).await, OLD_IMAGE);
    let job = submit(2, json!(["web 5xx"]));
    while image(&cluster).await == OLD_IMAGE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ringing = json!({"AlarmName": "web 5xx", "StateValue": "ALARM",
        "StateReason": "Threshold Crossed: 1 datapoint was greater than the threshold"});
    moto.cloudwatch("SetAlarmState", &ringing).await;
    let (kind, message) = failed(&job).await;
    assert_eq!(kind, "JobFailed", "{message}");
    let told = "CloudWatch alarm `web 5xx` is in ALARM since ";
    assert!(message.contains(told), "{message}");
    assert!(
        message.contains("Threshold Crossed: 1 datapoint"),
        "{message}"
    );
    assert_eq!(image(&cluster).await, OLD_IMAGE);
}
