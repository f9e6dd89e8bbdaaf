use super::*;
use crate::world::api::defaults;

/// The faults of a set with these fields in its spec, as the server joins field and message.
fn told(kind: &str, fields: Value) -> Vec<String> {
    let mut object = json!({"metadata": {"name": "db"}, "spec": {
        "selector": {"matchLabels": {"app": "db"}},
        "template": {"metadata": {"labels": {"app": "db"}},
            "spec": {"containers": [{"name": "app", "image": "db:1"}]}}}});
    for (name, value) in fields.as_object().unwrap() {
        object["spec"][name] = value.clone();
    }
    defaults::fill(kind, &mut object);
    let mut faults = Faults::default();
    match kind {
        "StatefulSet" => stateful_set(&object["spec"], &mut faults),
        _ => daemon_set(&object["spec"], &mut faults),
    }
    let found = faults.0.iter();
    let found = found.map(|cause| format!("{}: {}", cause.field, cause.message));
    found.collect()
}

#[test]
fn what_the_server_takes_has_no_fault() {
    for (kind, fields) in [
        ("StatefulSet", json!({})),
        (
            "StatefulSet",
            json!({"updateStrategy": {"type": "OnDelete"}}),
        ),
        ("DaemonSet", json!({})),
        ("DaemonSet", json!({"updateStrategy": {"type": "OnDelete"}})),
        (
            "DaemonSet",
            json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%"}}}),
        ),
    ] {
        assert_eq!(
            told(kind, fields.clone()),
            Vec::<String>::new(),
            "{kind} {fields}"
        );
    }
}

/// Each row was seen beside the real API server: `tests/differential/workload_patches.json`.
#[test]
fn a_strategy_is_refused_in_the_words_of_the_server() {
    let strategy = |strategy: Value| json!({"updateStrategy": strategy});
    let rolling = |field: &str, value: Value| json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {field: value}}});
    for (kind, fields, fault) in [
        (
            "StatefulSet",
            strategy(json!({"type": "Sometimes"})),
            "spec.updateStrategy: Invalid value: {\"Type\":\"Sometimes\",\"RollingUpdate\":null}: \
             must be 'RollingUpdate' or 'OnDelete'",
        ),
        (
            "StatefulSet",
            strategy(json!({"type": "OnDelete", "rollingUpdate": {"partition": 1}})),
            "spec.updateStrategy.rollingUpdate: Invalid value: \
             {\"Partition\":1,\"MaxUnavailable\":null}: only allowed for updateStrategy \
             'RollingUpdate'",
        ),
        (
            "StatefulSet",
            rolling("partition", json!(-1)),
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than \
             or equal to 0",
        ),
        (
            "DaemonSet",
            strategy(json!({"type": "Sometimes"})),
            "spec.updateStrategy: Unsupported value: \
             {\"Type\":\"Sometimes\",\"RollingUpdate\":null}: supported values: \
             \"RollingUpdate\", \"OnDelete\"",
        ),
        (
            "DaemonSet",
            rolling("maxUnavailable", json!(0)),
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when \
             maxSurge is 0",
        ),
        (
            "DaemonSet",
            rolling("maxSurge", json!(1)),
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when \
             maxUnavailable is non-zero",
        ),
        (
            "DaemonSet",
            rolling("maxUnavailable", json!("101%")),
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: \"101%\": must not \
             be greater than 100%",
        ),
    ] {
        assert_eq!(told(kind, fields.clone()), [fault], "{kind} {fields}");
    }
}
