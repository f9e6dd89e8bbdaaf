use super::*;
use serde_json::json;

#[test]
fn who_set_a_field_last_is_told_by_name() {
    let entry = |manager: &str, time: &str, fields: Value| json!({"manager": manager, "time": time, "fieldsV1": fields});
    let image = |name: &str| {
        json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {
            format!("k:{{\"name\":\"{name}\"}}"): {"f:image": {}}}}}}})
    };
    let status = json!({"manager": "kube-controller-manager", "time": "2026-01-01T00:09:00Z",
        "subresource": "status", "fieldsV1": image("app")});
    let object = json!({"metadata": {"managedFields": [
        entry("landfall", "2026-01-01T00:01:00Z", image("app")),
        entry("kubectl-set", "2026-01-01T00:02:00Z", image("app")),
        entry("argocd", "2026-01-01T00:00:30Z", image("app")),
        entry("hpa", "2026-01-01T00:08:00Z", json!({"f:spec": {"f:replicas": {}}})),
        status]}});
    let steps = [
        "f:spec",
        "f:template",
        "f:spec",
        "f:containers",
        "k:{\"name\":\"app\"}",
        "f:image",
    ]
    .map(str::to_owned);
    let editor = Editor::of(&object, &steps).expect("somebody");
    assert_eq!(editor.manager, "kubectl-set");
    assert_eq!(editor.time, "2026-01-01T00:02:00Z");
    // Who made the container before has not taken its variables away since.
    let container = |manager: &str, time: &str| entry(manager, time, image("app"));
    let variables = [&steps[..5], &["f:env".to_owned()]].concat();
    for (later, expected) in [
        ("2026-01-01T00:00:59Z", None),
        ("2026-01-01T00:01:00Z", Some("argocd")),
    ] {
        let object = json!({"metadata": {"managedFields": [
            container("landfall", "2026-01-01T00:01:00Z"), container("argocd", later)]}});
        let editor = Editor::of(&object, &variables);
        assert_eq!(editor.as_ref().map(|it| &*it.manager), expected, "{later}");
    }
    for nobody in [json!({}), json!({"metadata": {"managedFields": []}})] {
        assert_eq!(Editor::of(&nobody, &steps), None);
    }
    let hostile = json!({"metadata": {"managedFields": [
        entry("\u{1b}[31mred\u{7}", "x", image("app"))]}});
    assert_eq!(
        Editor::of(&hostile, &steps).map(|editor| editor.manager),
        Some("[31mred".to_owned())
    );
}
