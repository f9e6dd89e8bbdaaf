//! Rollbacks on demand of StatefulSets and DaemonSets, whose versions are ControllerRevisions, and
//! what of other kinds is refused.

use crate::stage::Stage;
use crate::workloads::{NEW, OLD, all_serve, daemon_set, stateful_set, to};
use serde_json::{Value, json};

fn back(workload: &str, execution: &str) -> Value {
    json!({"workload": workload, "mode": "rollback", "execution": execution, "patience": "1s"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_goes_back_to_what_served_before() {
    for (workload, object) in [("sts/store", stateful_set()), ("ds/store", daemon_set())] {
        let stage = Stage::given([object]).await;
        stage.deploy(to(workload, NEW)).await.success();
        let (summary, variables) = stage.deploy(back(workload, "run-2")).await.success();
        let told = "was rolled back from revision 2 to revision 1, which is revision 3 now";
        assert!(summary.contains(told), "{summary}");
        assert_eq!(variables["Image"], OLD);
        assert_eq!(variables["Revision"], "3");
        all_serve(&stage, OLD).await;
        let (summary, _) = stage.deploy(back(workload, "run-2")).await.success();
        assert!(summary.contains("already rolled back"), "{summary}");
        let mut named = back(workload, "run-3");
        named["to"] = json!(NEW);
        stage.deploy(named).await.success();
        all_serve(&stage, NEW).await;
        let mut unknown = back(workload, "run-4");
        unknown["to"] = json!(9);
        let (kind, message) = stage.deploy(unknown).await.failure();
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(
            message.contains("has no such revision or image"),
            "{message}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_set_tells_what_would_come_back() {
    let stage = Stage::given([stateful_set()]).await;
    stage.deploy(to("sts/store", NEW)).await.success();
    let mut plan = back("sts/store", "run-2");
    plan["mode"] = json!("planRollback");
    let (summary, _) = stage.deploy(plan).await.success();
    assert!(summary.contains(&format!("{NEW} → {OLD}")), "{summary}");
    all_serve(&stage, NEW).await;
}

/// The next step is told: a release, too, has a way back.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_brought_back_is_refused_with_the_next_step() {
    let stage = Stage::new().await;
    let release = json!({"manifests": "k8s", "mode": "rollback", "execution": "run-1"});
    let (kind, message) = stage.refused(release).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("leave it out"), "{message}");
    assert!(
        message.contains("names the release to roll back"),
        "{message}"
    );
    for strategy in ["blueGreen", "immutable"] {
        let mut switched = back("sts/store", "run-1");
        switched["strategy"] = json!(strategy);
        let (kind, message) = stage.refused(switched).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.contains("deployed by `rolling`"), "{message}");
    }
    let (kind, message) = stage.refused(back("job/migrate", "run-1")).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
}
