//! What a plan says, and that nothing says what a Secret holds.

use super::{GOOD, empty, release, service, settings, web};
use serde_json::json;

fn secret(password: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\nstringData: {{PASSWORD: {password}}}\n"
    )
}

/// A text as `data` of a Secret has it.
fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_what_is_new_what_changes_and_what_goes() {
    let stage = empty().await;
    let (config, web_old, service) = (settings("info"), web("web", GOOD), service("web"));
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*web_old),
        ("k8s/service.yaml", &*service),
    ];
    release(&stage, &files, json!({})).await.released();
    let before = stage.writes().map(|writes| writes.len());
    let (config, worker) = (settings("debug"), web("worker", GOOD));
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*web_old),
        ("k8s/worker.yaml", &*worker),
    ];
    let parameters = json!({"mode": "plan", "prune": true});
    let (summary, variables) = release(&stage, &files, parameters).await.released();
    for said in [
        "revision 2",
        "ConfigMap/settings",
        "data.LEVEL",
        "info",
        "debug",
    ] {
        assert!(summary.contains(said), "{said}: {summary}");
    }
    for said in ["Deployment/worker", "new", "Service/web", "deleted"] {
        assert!(summary.contains(said), "{said}: {summary}");
    }
    assert!(!summary.contains("Deployment/web"), "{summary}");
    assert_eq!(variables["ChangeCount"], "3", "{variables:?}");
    assert_eq!(stage.writes().map(|writes| writes.len()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_plan_report_log_or_variable_has_the_value_of_a_secret() {
    let stage = empty().await;
    let values = ["first-pass-5up3r", "second-pass-5up3r"];
    let web_good = web("web", GOOD);
    let web_bad = web("web", "registry.example.com/web:crash");
    let mut told = String::new();
    let first = secret(values[0]);
    let files = [("k8s/login.yaml", &*first), ("k8s/web.yaml", &*web_good)];
    let second = secret(values[1]);
    let changed = [("k8s/login.yaml", &*second), ("k8s/web.yaml", &*web_bad)];
    let (summary, variables) = release(&stage, &files, json!({})).await.released();
    told += &format!("{summary}{variables:?}");
    let plan = json!({"mode": "plan"});
    let (summary, variables) = release(&stage, &changed, plan).await.released();
    assert!(summary.contains("Secret/login"), "{summary}");
    told += &format!("{summary}{variables:?}");
    let ended = release(&stage, &changed, json!({"patience": "0s"})).await;
    told += &ended.failure().1;
    let wrong = second.replace("stringData", "stringDate");
    let wrong = [("k8s/login.yaml", &*wrong)];
    told += &release(&stage, &wrong, json!({})).await.failure().1;
    told += &stage.log();
    for value in values {
        assert!(!told.contains(value), "{told}");
        assert!(!told.contains(&encoded(value)), "{told}");
    }
}
