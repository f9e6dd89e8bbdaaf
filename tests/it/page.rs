//! The report as a page, in the action's output artifact.

use crate::alarms;
use crate::blue_green::{self, SICK_IMAGE};
use crate::parameters::{fits, schema_of};
use crate::stage::{LIFE, SHORT, Stage, image};
use landfall_core::formats::archive::{Directory, Listing, Unpacked};
use landfall_sandbox::aws::AwsFault;
use serde_json::{Value, json};

const BUCKET: &str = "codepipeline-eu-central-1-111111111111";
const KEY: &str = "demo/Report/TdOSFRV";
const KMS_KEY: &str = "arn:aws:kms:eu-central-1:111111111111:key/1";
const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const SLOW_IMAGE: &str = "registry.example.com/demo-app:2.0.0-after-2s";

/// An event whose action has an output artifact.
fn event(stage: &Stage, parameters: &Value) -> Value {
    let mut event = stage.event(parameters);
    let data = &mut event["CodePipeline.job"]["data"];
    data["outputArtifacts"] = json!([{"name": "Report", "revision": null, "location": {
        "type": "S3", "s3Location": {"bucketName": BUCKET, "objectKey": KEY}}}]);
    event
}

/// A file of the archive that was written.
pub fn file(archive: &[u8], name: &str) -> String {
    let directory = Directory::find(archive, archive.len() as u64).unwrap();
    let mut listing = Listing::new(&directory, &[name.to_owned()]);
    let range = directory.range.start as usize..directory.range.end as usize;
    listing.feed(&archive[range]).unwrap();
    let member = listing.finish().unwrap().found.remove(0).unwrap().unwrap();
    let mut range = member.range();
    loop {
        let bytes = &archive[range.start as usize..range.end as usize];
        match member.unpack(bytes, range.start).unwrap() {
            Unpacked::Content(content) => return String::from_utf8(content).unwrap(),
            Unpacked::Needs(more) => range = more,
        }
    }
}

/// The page and its data, which follow the schema.
fn page(stage: &Stage) -> (String, Value) {
    let archive = stage.aws.object(BUCKET, KEY).expect("it was written");
    let report = serde_json::from_str(&file(&archive, "report.json")).unwrap();
    assert!(
        fits(&schema_of("docs/report.schema.json"), &report),
        "{report:#}"
    );
    let html = file(&archive, "report.html");
    for secret in [
        "artifact-secret-access-key",
        "artifact-session-token",
        "5ecret",
    ] {
        assert!(!html.contains(secret), "{html}");
    }
    (html, report)
}

const RESUMED: &str = "Another invocation of the function took over";

/// What happened to the versions. On a busy machine that can take more than one invocation.
fn marks(report: &Value) -> Vec<&str> {
    let marks = report["marks"].as_array().unwrap().iter();
    let marks = marks.map(|mark| mark["what"].as_str().unwrap());
    marks.filter(|what| *what != RESUMED).collect()
}

/// The available pods of the versions at the end.
fn available(report: &Value) -> Value {
    let last = report["points"].as_array().unwrap().last().unwrap();
    last["available"].clone()
}

fn told(stage: &Stage, text: &str) -> bool {
    stage.log().contains(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_is_a_page_encrypted_as_the_job_says() {
    let stage = Stage::new().await;
    let mut parameters = image(NEW_IMAGE);
    parameters["env"] = json!({"PASSWORD": "env-value-5ecret"});
    let mut event = event(&stage, &parameters);
    event["CodePipeline.job"]["data"]["encryptionKey"] = json!({"id": KMS_KEY, "type": "KMS"});
    let (summary, _) = stage.run(event, LIFE).await.success();
    let place =
        format!(" The report as a page: s3://{BUCKET}/{KEY} (report.html in this ZIP archive).");
    assert!(summary.ends_with(&place), "{summary}");
    let (html, report) = page(&stage);
    assert_eq!(report["outcome"], "SUCCEEDED");
    assert_eq!(report["deploy"]["name"], "demo-app");
    assert_eq!(report["variables"]["Image"], NEW_IMAGE);
    assert_eq!(available(&report), json!([0, 2]), "{report:#}");
    assert_eq!(
        marks(&report),
        ["The new version was written, and its rollout began"]
    );
    assert!(report["apiCalls"].as_u64() > Some(2) && report["apiBytes"].as_u64() > Some(1000));
    assert!(html.contains("<svg class=\"chart\""), "{html}");
    assert!(!html.contains("s3://"), "{html}");
    let calls = stage.aws.calls();
    let puts = calls.iter().filter(|call| call.target == "S3.PutObject");
    let encryption = puts.map(|call| call.body["Encryption"].clone());
    assert_eq!(
        encryption.collect::<Vec<_>>(),
        [format!("aws:kms {KMS_KEY}")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_a_page_with_its_evidence_and_the_message_says_where() {
    let stage = Stage::new().await;
    let event = event(&stage, &image(SICK_IMAGE));
    let (kind, message) = stage.run(event, LIFE).await.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains(&format!("page: s3://{BUCKET}/{KEY}")),
        "{message}"
    );
    let (html, report) = page(&stage);
    assert_eq!(report["failure"]["type"], "JobFailed");
    for part in ["pods", "log"] {
        let lines = report[part].as_array().unwrap();
        assert!(!lines.is_empty(), "{part}: {report:#}");
        for line in lines {
            assert!(
                message.contains(line.as_str().unwrap()),
                "{line}\n{message}"
            );
        }
    }
    let rolled_back = "The rollout had failed, and the rollback to the previous version began";
    assert!(marks(&report).contains(&rolled_back), "{report:#}");
    assert!(
        html.contains("✗ Failed") && html.contains("crash"),
        "{html}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_and_wrong_parameters_are_pages_too() {
    let stage = Stage::new().await;
    let mut parameters = image(NEW_IMAGE);
    parameters["mode"] = json!("plan");
    stage.run(event(&stage, &parameters), LIFE).await.success();
    let (html, report) = page(&stage);
    assert_eq!(report["outcome"], "PLANNED");
    let change = report["changes"][0].as_str().unwrap();
    assert!(
        change.ends_with("demo-app:1.0.0 → registry.example.com/demo-app:2.0.0"),
        "{change}"
    );
    assert!(
        html.contains("What would change") && !html.contains("<svg"),
        "{html}"
    );
    let wrong = json!({"deployment": "demo-app", "imagse": {}});
    let (kind, message) = stage.run(event(&stage, &wrong), LIFE).await.failure();
    assert_eq!(kind, "ConfigurationError");
    let (html, report) = page(&stage);
    assert!(
        message.starts_with(report["message"].as_str().unwrap()),
        "{message}"
    );
    assert!(html.contains("imagse"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_shows_where_the_traffic_went() {
    let stage = blue_green::stage().await;
    let mut parameters = blue_green::switch("blueGreen", blue_green::NEW_IMAGE);
    parameters["bake"] = json!("4s");
    stage.run(event(&stage, &parameters), LIFE).await.success();
    let (html, report) = page(&stage);
    let shifted = "The new version gets 100 % of the traffic";
    let mut all = report["marks"].as_array().unwrap().iter();
    let shift = all.find(|mark| mark["what"] == shifted);
    let shift = shift.unwrap_or_else(|| panic!("{report:#}"));
    // It had all of it during the whole bake.
    let seconds = report["variables"]["DurationSeconds"].as_str().unwrap();
    let seconds = seconds.parse::<i64>().unwrap();
    assert!(
        seconds - shift["second"].as_i64().unwrap() >= 3,
        "{report:#}"
    );
    let names = report["versions"].as_array().unwrap().iter();
    let names = names.map(|version| version["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["demo-app", "demo-app-blue"]);
    assert!(html.contains("<rect class=\"share\""), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_is_taken_back_shows_both_ways() {
    let stage = alarms::behind_a_service().await;
    let event = event(&stage, &alarms::switch("blueGreen", 50));
    let deploy = stage.run(event, LIFE);
    let (ended, ()) = tokio::join!(deploy, alarms::ring_once_switched(&stage));
    ended.failure();
    let (_, report) = page(&stage);
    assert_eq!(
        marks(&report),
        [
            "The new version starts beside the previous one",
            "The new version gets 100 % of the traffic",
            "The switch had failed, and is taken back",
            "The new version gets 0 % of the traffic",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_goes_on_in_the_next_invocation() {
    let stage = Stage::new().await;
    let event = event(&stage, &image(SLOW_IMAGE));
    stage.run(event, SHORT).await.success();
    let (html, report) = page(&stage);
    let mut marks = report["marks"].as_array().unwrap().iter();
    assert!(marks.any(|mark| mark["what"] == RESUMED), "{report:#}");
    assert_eq!(report["points"][0]["second"], 0, "{report:#}");
    assert_eq!(available(&report), json!([0, 2]), "{report:#}");
    assert!(html.contains("nothing was seen from"), "{html}");
    let puts = stage.aws.calls().into_iter();
    assert_eq!(puts.filter(|call| call.target == "S3.PutObject").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_written_changes_no_verdict() {
    let denied = format!("to perform: s3:PutObject on resource: \"arn:aws:s3:::{BUCKET}/{KEY}\"");
    for (fault, times, expected) in [
        (AwsFault::AccessDenied, 100, &*denied),
        (AwsFault::KmsAccessDenied, 100, "kms:GenerateDataKey"),
        (AwsFault::Stall, 100, "S3 did not answer in time"),
        (AwsFault::Throttling, 100, "S3"),
    ] {
        let stage = Stage::new().await;
        stage.aws.fault("S3.PutObject", fault, times);
        let event = event(&stage, &image(NEW_IMAGE));
        let (summary, _) = stage.run(event, LIFE).await.success();
        let why = format!("could not be written as a page to s3://{BUCKET}/{KEY}: ");
        assert!(
            summary.contains(&why) && summary.contains(expected),
            "{summary}"
        );
        assert!(
            told(&stage, "the report's page was not written"),
            "{}",
            stage.log()
        );
        assert_eq!(stage.aws.object(BUCKET, KEY), None);
    }
    let stage = Stage::new().await;
    stage.aws.fault("S3.PutObject", AwsFault::Unavailable, 1);
    let event = event(&stage, &image(NEW_IMAGE));
    stage.run(event, LIFE).await.success();
    page(&stage);
}

/// The policy of CodePipeline's own buckets denies what does not ask for KMS.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_wants_kms_gets_it_where_the_job_names_no_key() {
    let stage = Stage::new().await;
    stage.aws.fault("S3.PutObject", AwsFault::AccessDenied, 1);
    let event = event(&stage, &image(NEW_IMAGE));
    stage.run(event, LIFE).await.success();
    page(&stage);
    let calls = stage.aws.calls();
    let puts = calls.iter().filter(|call| call.target == "S3.PutObject");
    let encryption = puts.map(|call| call.body["Encryption"].clone());
    assert_eq!(
        encryption.collect::<Vec<_>>(),
        [json!(null), json!("aws:kms")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_credentials_or_a_place_deploys_all_the_same() {
    for (field, expected) in [
        ("/artifactCredentials", "the job brings no credentials"),
        (
            "/outputArtifacts/0/location",
            "the job does not say where in S3 it goes",
        ),
    ] {
        let stage = Stage::new().await;
        let mut event = event(&stage, &image(NEW_IMAGE));
        let place = format!("/CodePipeline.job/data{field}");
        event.pointer_mut(&place).unwrap().take();
        let (summary, _) = stage.run(event, LIFE).await.success();
        assert!(summary.contains(expected), "{summary}");
    }
}
