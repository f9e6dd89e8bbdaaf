//! What a plan says, and that nothing says what a Secret holds.

use super::{GOOD, empty, release, service, settings, web};
use crate::stage::Stage;
use serde_json::json;

pub(super) fn secret(password: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\nstringData: {{PASSWORD: {password}}}\n"
    )
}

/// A text as `data` of a Secret has it.
pub(super) fn encoded(text: &str) -> String {
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

/// What stands in the open in an object is not hidden because a variable has the same value.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_a_name_that_is_also_the_value_of_a_variable() {
    let stage = empty().await;
    let old = web("web", GOOD);
    release(&stage, &[("k8s/web.yaml", &*old)], json!({}))
        .await
        .released();
    let new = old.replace(
        "    spec:\n      containers: [{name: app,",
        "    spec:\n      serviceAccountName: ${WHO}\n      containers: [{name: app, env: [{name: \
         ME, value: '${WHO}'}, {name: KEY, value: '${KEY}'}],",
    );
    assert_ne!(new, old);
    let plan = json!({"mode": "plan", "variables": {"WHO": "web-runner", "KEY": "k3y-5up3r"}});
    let (summary, variables) = release(&stage, &[("k8s/web.yaml", &*new)], plan)
        .await
        .released();
    let shown = "serviceAccountName: web-runner";
    assert!(summary.contains(shown), "{summary}");
    assert!(variables["Changes"].contains(shown), "{variables:?}");
    assert!(
        !format!("{summary}{variables:?}").contains("k3y-5up3r"),
        "{summary}"
    );
}

/// The API server's warnings are told before the approval and after the release, whoever made the
/// object, and however many are written at once. No node of a real cluster has the old label.
#[tokio::test(flavor = "multi_thread")]
async fn warnings_of_the_api_server_are_in_plan_and_summary() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    let pinned = |name: &str, arch: &str| {
        web(name, GOOD).replace(
            "    spec:\n      containers:",
            &format!("    spec:\n      nodeSelector: {{{arch}: amd64}}\n      containers:"),
        )
    };
    let old = pinned("web", "beta.kubernetes.io/arch");
    let others = ["a", "b", "c", "d"].map(|name| pinned(name, "kubernetes.io/arch"));
    let mut files = vec![("k8s/web.yaml", &*old)];
    let names = ["k8s/a.yaml", "k8s/b.yaml", "k8s/c.yaml", "k8s/d.yaml"];
    files.extend(names.into_iter().zip(others.iter().map(|text| &**text)));
    let warning =
        "spec.template.spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14";
    let plan = json!({"mode": "plan"});
    let (summary, _) = release(&stage, &files, plan).await.released();
    assert!(summary.contains(warning), "{summary}");
    let (summary, _) = release(&stage, &files, json!({"timeout": "20s"}))
        .await
        .released();
    assert!(summary.contains(warning), "{summary}");
    let (summary, _) = release(&stage, &files[1..], json!({})).await.released();
    assert!(!summary.contains("deprecated"), "{summary}");
}
