use super::*;
use serde_json::json;

/// What is wrong with a container that has these fields.
fn container_faults(fields: Value) -> Vec<String> {
    let mut container = json!({"name": "app", "image": "web:1"});
    for (name, value) in fields.as_object().unwrap() {
        container[name] = value.clone();
    }
    told(&json!({"spec": {"template": {"spec": {"containers": [container]}}}}))
}

fn told(manifest: &Value) -> Vec<String> {
    let faults = wrong_types(manifest, "manifest").into_iter();
    let told = faults.map(|fault| format!("`{}` {}", fault.field, fault.problem));
    told.collect()
}

const APP: &str = "manifest.spec.template.spec.containers[app]";

#[test]
fn a_value_without_its_quotes_is_told_by_its_path() {
    for (fields, path, problem) in [
        (
            json!({"env": [{"name": "A", "value": 8080}]}),
            "env[A].value",
            "must be text, and is a number: put it in quotes",
        ),
        (
            json!({"env": [{"name": "A", "value": true}]}),
            "env[A].value",
            "must be text, and is true or false: put it in quotes. Without them YAML reads `yes`",
        ),
        (
            json!({"env": [{"name": "A", "value": {"b": 1}}]}),
            "env[A].value",
            "must be text, and is an object: put it in quotes where",
        ),
        (
            json!({"env": [{"name": 1, "value": "x"}]}),
            "env[0].name",
            "must be text, and is the number 1",
        ),
        (
            json!({"env": {"A": "1"}}),
            "env",
            "must be a list, and is an object: begin each entry with `- `",
        ),
        (
            json!({"env": ["A=1"]}),
            "env[0]",
            "must be an object, and is a string",
        ),
        (
            json!({"args": ["--port", 8080]}),
            "args[1]",
            "must be text, and is the number 8080: put it in quotes",
        ),
        (
            json!({"args": [{"--port": 8080}]}),
            "args[0]",
            "with `: ` in it",
        ),
        (
            json!({"command": "sh -c x"}),
            "command",
            "must be a list of texts, and is a string: write [\"…\"]",
        ),
        (
            json!({"image": 1.5}),
            "image",
            "must be text, and is the number 1.5: put it in quotes",
        ),
        (
            json!({"ports": [{"name": "http", "containerPort": "80"}]}),
            "ports[http].containerPort",
            "must be a whole number, and is a string: leave the quotes out",
        ),
        (
            json!({"ports": [{"containerPort": "${PORT}"}]}),
            "ports[0].containerPort",
            "a filled `${…}` always is",
        ),
        (
            json!({"stdin": "true"}),
            "stdin",
            "must be true or false, and is a string: leave the quotes out",
        ),
        (
            json!({"resources": {"limits": {"cpu": true}}}),
            "resources.limits.cpu",
            "must be an amount",
        ),
        (
            json!({"resources": {"limits": "1"}}),
            "resources.limits",
            "must be an object of amounts",
        ),
        (
            json!({"readinessProbe": {"periodSeconds": "5"}}),
            "readinessProbe.periodSeconds",
            "a whole number",
        ),
        (
            json!({"readinessProbe": {"httpGet": {"port": 1.5}}}),
            "readinessProbe.httpGet.port",
            "or text",
        ),
        (
            json!({"readinessProbe": {"httpGet": {"path": 1}}}),
            "readinessProbe.httpGet.path",
            "must be text",
        ),
        (
            json!({"securityContext": {"runAsUser": "1000"}}),
            "securityContext.runAsUser",
            "a whole number",
        ),
        (
            json!({"securityContext": {"capabilities": ["ALL"]}}),
            "securityContext.capabilities",
            "must be an object, and is a list",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": "x"}]}),
            "env[A].valueFrom",
            "must be an object, and is a string",
        ),
        (
            json!({"securityContext": {"capabilities": {"drop": "ALL"}}}),
            "securityContext.capabilities.drop",
            "a list of texts",
        ),
        (
            json!({"volumeMounts": [{"name": "data", "mountPath": 1}]}),
            "volumeMounts[data].mountPath",
            "text",
        ),
    ] {
        let told = container_faults(fields);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("`{APP}.{path}` ")), "{told:?}");
        assert!(told[0].contains(problem), "{told:?}");
    }
    assert!(
        !container_faults(json!({"env": [{"name": "A", "value": 31337}]}))[0].contains("31337")
    );
}

#[test]
fn amounts_are_those_of_kubernetes() {
    let fault =
        |amount: &str| container_faults(json!({"resources": {"limits": {"memory": amount}}}));
    for amount in [
        "1", "0.5", ".5", "5.", "+1", "-1", "500m", "512Mi", "1Gi", "2Ei", "1e3", "1E3", "1e-3",
        "2E", "100n", "3k",
    ] {
        assert_eq!(fault(amount), Vec::<String>::new(), "{amount}");
    }
    for amount in [
        "512MB",
        "512mb",
        "1 Gi",
        "1GiB",
        "K",
        "",
        ".",
        "1.2.3",
        "1e",
        "1,5",
        "1gi",
        "${MEMORY}",
    ] {
        let told = fault(amount);
        assert!(
            told.len() == 1 && told[0].contains("must be an amount such as"),
            "{amount}: {told:?}"
        );
    }
    assert!(fault("512MB")[0].ends_with("and is `512MB`"));
}

#[test]
fn the_rest_of_a_deployment_is_looked_at() {
    for (manifest, path) in [
        (
            json!({"metadata": {"annotations": {"a": 1}}}),
            "metadata.annotations.a",
        ),
        (
            json!({"metadata": {"labels": {"version": 1.0}}}),
            "metadata.labels.version",
        ),
        (json!({"metadata": {"labels": ["a"]}}), "metadata.labels"),
        (json!({"metadata": {"name": 12}}), "metadata.name"),
        (
            json!({"spec": {"selector": {"matchLabels": {"v": true}}}}),
            "spec.selector.matchLabels.v",
        ),
        (
            json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0.5}}}}),
            "spec.strategy.rollingUpdate.maxSurge",
        ),
        (json!({"spec": {"strategy": "Recreate"}}), "spec.strategy"),
        (
            json!({"spec": {"minReadySeconds": "5"}}),
            "spec.minReadySeconds",
        ),
        (
            json!({"spec": {"template": {"metadata": {"annotations": {"prometheus.io/port": 80}}}}}),
            "spec.template.metadata.annotations.prometheus.io/port",
        ),
        (
            json!({"spec": {"template": {"spec": {"nodeSelector": {"gpu": true}}}}}),
            "spec.template.spec.nodeSelector.gpu",
        ),
        (
            json!({"spec": {"template": {"spec": {"tolerations": [{"key": "a", "value": true}]}}}}),
            "spec.template.spec.tolerations[0].value",
        ),
        (
            json!({"spec": {"template": {"spec": {"containers": {"name": "a"}}}}}),
            "spec.template.spec.containers",
        ),
        (
            json!({"spec": {"template": {"spec": {"volumes": [{"name": "v", "configMap":
            {"name": "c", "defaultMode": "0644"}}]}}}}),
            "spec.template.spec.volumes[v].configMap.defaultMode",
        ),
        (
            json!({"spec": {"template": {"spec": {"affinity": {"nodeAffinity": {"x": [{"matchExpressions":
            [{"key": "a", "operator": "In", "values": [1]}]}]}}}}}}),
            "spec.template.spec.affinity.nodeAffinity.x[0].matchExpressions[0].values[0]",
        ),
    ] {
        let told = told(&manifest);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with(&format!("`manifest.{path}` must be ")),
            "{told:?}"
        );
    }
}

#[test]
fn what_the_api_server_takes_is_taken() {
    let manifest = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}, "annotations": null, "uid": 7},
        "spec": {
            "replicas": 2, "paused": null, "minReadySeconds": 5,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {
                "nodeSelector": {"a": null}, "unknown": {"value": 1},
                "containers": [{"name": "web", "image": "web:1", "args": ["a", null], "$patch": "merge",
                    "env": [{"name": "A", "value": null}, {"name": "B", "valueFrom":
                        {"secretKeyRef": {"name": "s", "key": "k", "optional": true}}}],
                    "resources": {"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": 0.5}},
                    "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 5},
                    "readinessProbe": {"tcpSocket": {"port": 80}},
                    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                    "securityContext": {"capabilities": {"drop": ["ALL"]}, "seccompProfile": null},
                    "ports": [{"containerPort": 80}]}],
                "affinity": {"podAntiAffinity": {"x": [{"weight": 1, "podAffinityTerm":
                    {"topologyKey": "zone", "labelSelector": {"matchLabels": {"key": "1"}}}}]}},
                "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}], "readinessGates": ["x"],
                "topologySpreadConstraints": [{"maxSkew": 1, "matchLabelKeys": ["a"]}],
                "volumes": [{"name": "v", "emptyDir": {"sizeLimit": 1_000_000}},
                    {"name": "w", "configMap": {"name": "c", "defaultMode": 420}}],
            }},
        },
    });
    assert_eq!(told(&manifest), Vec::<String>::new());
}

#[test]
fn not_more_than_a_person_reads_is_told() {
    let labels = (0..100).map(|number| (format!("l{number}"), json!(1)));
    let labels = labels.collect::<serde_json::Map<_, _>>();
    assert_eq!(told(&json!({"metadata": {"labels": labels}})).len(), TOLD);
}
