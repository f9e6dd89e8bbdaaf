//! CodePipeline rolls a stage back because an alarm rings: nothing in the event says so, and the
//! cluster's own record does.

use super::retried::{WAYS, reported, with_image};
use super::{NEW_IMAGE, behind_a_service, is_alarm, ring, silence};
use crate::executions::serves;
use crate::stage::{OLD_IMAGE, Stage};
use serde_json::json;

const NEWER_IMAGE: &str = "registry.example.com/demo-app:3.0.0";

/// A stage on which two versions were deployed, the second of which makes an alarm ring.
async fn ringing(way: &str) -> Stage {
    let stage = behind_a_service().await;
    for (execution, image) in [("run-1", NEW_IMAGE), ("run-2", NEWER_IMAGE)] {
        reported(&stage, &with_image(way, execution, image))
            .await
            .expect(way);
    }
    ring(&stage, "web 5xx");
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn what_served_before_comes_back_although_an_alarm_rings() {
    for way in WAYS {
        let stage = ringing(way).await;
        let summary = reported(&stage, &with_image(way, "run-3", NEW_IMAGE))
            .await
            .expect(way);
        for told in [
            "An alarm rang when it began, and did not hold it up",
            "`web 5xx` rings since before the deploy, so it judged nothing",
        ] {
            assert!(summary.contains(told), "{way}: {summary}");
        }
        serves(&stage, (NEW_IMAGE, "")).await;
        // A retry changes nothing.
        let summary = reported(&stage, &with_image(way, "run-3", NEW_IMAGE))
            .await
            .expect(way);
        assert!(summary.contains("nothing was changed"), "{way}: {summary}");
    }
}

/// Neither a new version, nor the one that was left because of the alarm.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_begins_while_an_alarm_rings() {
    for way in WAYS {
        let stage = ringing(way).await;
        let new = with_image(way, "run-3", "registry.example.com/demo-app:4.0.0");
        // The same image with another variable is another version.
        let mut other = with_image(way, "run-4", NEW_IMAGE);
        other["env"] = json!({"COLOUR": "green"});
        for refused in [new, other] {
            let message = reported(&stage, &refused).await.expect_err(way);
            is_alarm(&message, "web 5xx");
            assert!(message.contains("was not changed"), "{way}: {message}");
        }
        serves(&stage, (NEWER_IMAGE, "")).await;
        reported(&stage, &with_image(way, "run-5", NEW_IMAGE))
            .await
            .expect(way);
        let left = with_image(way, "run-6", NEWER_IMAGE);
        let message = reported(&stage, &left).await.expect_err(way);
        assert!(message.contains("was not changed"), "{way}: {message}");
        serves(&stage, (NEW_IMAGE, "")).await;
        silence(&stage, "web 5xx");
        reported(&stage, &left).await.expect(way);
        serves(&stage, (NEWER_IMAGE, "")).await;
    }
}

/// An alarm that stops, and rings anew, judges what was brought back as well.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_judged_by_what_rings_anew() {
    let stage = ringing("rolling").await;
    let mut returning = with_image("rolling", "run-3", NEW_IMAGE);
    returning["bake"] = json!("60s");
    let meanwhile = async {
        crate::bake::watched(&stage).await;
        silence(&stage, "web 5xx");
        tokio::time::sleep(std::time::Duration::from_secs(18)).await;
        ring(&stage, "web 5xx");
    };
    let (report, ()) = tokio::join!(reported(&stage, &returning), meanwhile);
    let message = report.unwrap_err();
    is_alarm(&message, "web 5xx");
    assert!(message.contains("Rolled back"), "{message}");
    assert_ne!(stage.image().await, OLD_IMAGE);
}
