use crate::request::{Parameters, Request, Strategy};
use crate::workload::Kind;
use serde_json::{Value, json};

fn parsed(parameters: Value) -> Result<Request, Vec<String>> {
    let parsed = Request::parse(&Parameters::Text(parameters.to_string()), "job");
    let said = |faults: Vec<crate::problem::Fault>| {
        let faults = faults.into_iter();
        faults
            .map(|it| format!("{} {}", it.field, it.problem))
            .collect()
    };
    parsed.map_err(said)
}

fn restart(workload: &str) -> Value {
    json!({"workload": workload, "restart": true})
}

#[test]
fn a_workload_is_named_by_kind_and_name() {
    for (text, kind) in [
        ("deployment/db", Kind::Deployment),
        ("deploy/db", Kind::Deployment),
        ("statefulset/db", Kind::StatefulSet),
        ("sts/db", Kind::StatefulSet),
        ("StatefulSet/db", Kind::StatefulSet),
        ("statefulsets.apps/db", Kind::StatefulSet),
        ("daemonset/db", Kind::DaemonSet),
        ("ds/db", Kind::DaemonSet),
    ] {
        let request = parsed(restart(text)).unwrap();
        assert_eq!((request.kind, &*request.deployment), (kind, "db"), "{text}");
        assert_eq!(request.strategy, Strategy::Rolling);
    }
    let short = parsed(json!({"deployment": "web", "restart": true})).unwrap();
    let long = parsed(restart("deployment/web")).unwrap();
    assert_eq!(short, long);
    let both = json!({"deployment": "web", "workload": "deployment/web", "restart": true});
    assert_eq!(parsed(both).unwrap(), long);
}

#[test]
fn what_is_not_a_workload_is_refused_with_the_reason() {
    let with = |workload: &str, more: Value| {
        let mut parameters = restart(workload);
        for (field, value) in more.as_object().unwrap() {
            parameters[field] = value.clone();
        }
        parsed(parameters).unwrap_err().join("\n")
    };
    let none = || json!({});
    for (workload, more, expected) in [
        (
            "db",
            none(),
            "workload must be a kind and a name such as `statefulset/db`, and is `db`",
        ),
        (
            "pod/db",
            none(),
            "workload must be a kind and a name such as `statefulset/db`, of a kind that is \
             `deployment`, `statefulset` or `daemonset`, and is `pod/db`",
        ),
        (
            "job/migrate",
            none(),
            "workload is a Job, which cannot get a new version: Kubernetes never lets its pod \
             template change. Run Jobs as part of a release, by `manifests`",
        ),
        (
            "sts/DB",
            none(),
            "workload is `DB`, which is not a valid Kubernetes name: at most 253 lower-case \
             letters, digits, `-` and `.`, a letter or digit first and last",
        ),
        (
            "sts/db",
            json!({"deployment": "db"}),
            "workload is `statefulset/db` and `deployment` is `db`; they must agree",
        ),
        (
            "deploy/db",
            json!({"deployment": "web"}),
            "workload is `deployment/db` and `deployment` is `web`; they must agree",
        ),
        (
            "sts/db",
            json!({"strategy": "blueGreen", "service": "db"}),
            "strategy is `blueGreen`, by which only a Deployment can be deployed. A StatefulSet is \
             deployed by `rolling`, which is the default",
        ),
        (
            "ds/agent",
            json!({"strategy": "immutable", "service": "agent"}),
            "strategy is `immutable`, by which only a Deployment can be deployed. A DaemonSet is \
             deployed by `rolling`, which is the default",
        ),
        (
            "sts/db",
            json!({"manifest": {"metadata": {"name": "db"}, "kind": "Deployment",
                "spec": {"template": {"spec": {}}}}}),
            "manifest.kind must be `StatefulSet`, and is \"Deployment\"",
        ),
        (
            "sts/db",
            json!({"manifest": {"metadata": {"name": "web"}, "kind": "StatefulSet",
                "spec": {"template": {"spec": {}}}}}),
            "manifest.metadata.name is `web` and `workload` is `db`; they must agree",
        ),
    ] {
        assert_eq!(with(workload, more), expected, "{workload}");
    }
}
