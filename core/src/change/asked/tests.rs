use super::*;
use crate::tests::{self, overlay};
use crate::workload::Kind;

fn request(more: Value) -> Request {
    let mut fields = json!({"deployment": "web"});
    overlay(&mut fields, &more);
    tests::request("job-1", &fields)
}

fn manifest(spec: &Value) -> Request {
    request(
        json!({"manifest": {"spec": {"selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}}}}),
    )
}

fn live(spec: Value) -> Workload {
    Workload::new(
        Kind::Deployment,
        json!({"metadata": {"annotations": {DEPLOYED_AT: "2026-01-01T00:00:10Z"}},
        "spec": {"template": {"metadata": {"labels": {"app": "web", "more": "x"}}, "spec": spec}}}),
    )
}

fn container(more: Value) -> Value {
    let mut container = json!({"name": "app", "image": "shop/web:2"});
    overlay(&mut container, &more);
    json!({"containers": [container]})
}

#[test]
fn what_server_and_policies_make_of_a_template_is_the_same_version() {
    let image = |image: &str| json!({"containers": [{"name": "app", "image": image}]});
    let cases = [
        ("as it is", container(json!({})), container(json!({}))),
        (
            "defaults",
            container(json!({})),
            container(json!({"imagePullPolicy": "Always", "terminationMessagePath": "/x"})),
        ),
        (
            "a digest for the tag",
            container(json!({})),
            image("shop/web@sha256:abc"),
        ),
        (
            "the tag with its digest",
            container(json!({})),
            image("shop/web:2@sha256:abc"),
        ),
        (
            "a mirror",
            container(json!({})),
            image("mirror.local/hub/shop/web:2"),
        ),
        (
            "no tag is latest",
            image("web"),
            image("docker.io/library/web:latest"),
        ),
        (
            "resources that a policy sets",
            container(json!({"resources": {"limits": {"cpu": "1"}}})),
            container(json!({"resources": {"limits": {"cpu": "2", "memory": "1Gi"}}})),
        ),
        (
            "quantities",
            json!({"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1024Mi"}}]}),
            json!({"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}]}),
        ),
        (
            "a sidecar",
            container(json!({})),
            json!({"containers": [{"name": "proxy", "image": "p:1"},
                {"name": "app", "image": "shop/web:2"}]}),
        ),
        (
            "variables of others",
            container(json!({"env": [{"name": "A", "value": "1"}]})),
            container(json!({"env": [{"name": "X", "value": "9"}, {"name": "A", "value": "1"}]})),
        ),
        (
            "an empty value",
            container(json!({"env": [{"name": "A", "value": ""}], "ports": []})),
            container(json!({"env": [{"name": "A"}]})),
        ),
        (
            "the last of two of a name",
            container(json!({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]})),
            container(json!({"env": [{"name": "A", "value": "2"}]})),
        ),
        (
            "a field that the server does not know",
            container(json!({"imagePullPolcy": "Always"})),
            container(json!({})),
        ),
        (
            "the default of a port",
            container(json!({"ports": [{"containerPort": 80}]})),
            container(json!({"ports": [{"containerPort": 80, "protocol": "TCP"}]})),
        ),
    ];
    for (name, wanted, found) in cases {
        assert_eq!(lost(&manifest(&wanted), &live(found)), None, "{name}");
    }
}

#[test]
fn what_well_known_webhooks_add_is_the_same_version() {
    let asked = container(json!({
        "env": [{"name": "A", "value": "1"}],
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "10m"}},
        "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}]}));
    let added = |more: Value, pod: Value| {
        let mut spec = asked.clone();
        let app = spec["containers"][0].as_object_mut().unwrap();
        for (key, value) in more.as_object().unwrap() {
            match (app.get_mut(key), value) {
                (Some(Value::Array(all)), Value::Array(more)) => all.extend(more.clone()),
                (_, value) => drop(app.insert(key.clone(), value.clone())),
            }
        }
        for (key, value) in pod.as_object().unwrap() {
            match (spec.get_mut(key), value) {
                (Some(Value::Array(all)), Value::Array(more)) => all.extend(more.clone()),
                (_, value) => spec[key] = value.clone(),
            }
        }
        spec
    };
    let sidecar = |name: &str| json!({"name": name, "image": "mesh/proxy:1"});
    let cases = [
        (
            "Istio",
            added(
                json!({"livenessProbe": {"httpGet":
                    {"path": "/app-health/app/livez", "port": 15020}}}),
                json!({"containers": [sidecar("istio-proxy")],
                    "initContainers": [sidecar("istio-init")],
                    "volumes": [{"name": "istio-envoy", "emptyDir": {}}],
                    "securityContext": {"fsGroup": 1337}}),
            ),
        ),
        (
            "Linkerd",
            added(
                json!({}),
                json!({"initContainers": [sidecar("linkerd-init"), sidecar("linkerd-proxy")]}),
            ),
        ),
        (
            "Vault's agent",
            added(
                json!({"volumeMounts": [{"name": "vault-secrets", "mountPath": "/vault/secrets"}]}),
                json!({"initContainers": [sidecar("vault-agent-init")],
                    "containers": [sidecar("vault-agent")], "shareProcessNamespace": false,
                    "volumes": [{"name": "vault-secrets", "emptyDir": {"medium": "Memory"}}]}),
            ),
        ),
        (
            "Datadog",
            added(
                json!({"env": [{"name": "DD_AGENT_HOST", "valueFrom":
                    {"fieldRef": {"fieldPath": "status.hostIP"}}}]}),
                json!({}),
            ),
        ),
        (
            "Kyverno's mirror",
            added(
                json!({"image": "harbor.internal:5000/proxy/docker.io/shop/web:2"}),
                json!({"imagePullSecrets": [{"name": "harbor"}]}),
            ),
        ),
        (
            "AWS's identity of pods",
            added(
                json!({"env": [{"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::1:role/web"}],
                    "volumeMounts": [{"name": "aws-iam-token", "readOnly": true,
                        "mountPath": "/var/run/secrets/eks.amazonaws.com/serviceaccount"}]}),
                json!({"volumes": [{"name": "aws-iam-token", "projected": {"sources": []}}]}),
            ),
        ),
        (
            "GKE's Autopilot",
            added(
                json!({"resources": {"requests": {"cpu": "50m", "memory": "52Mi"}},
                    "securityContext": {"capabilities": {"drop": ["NET_RAW"]}}}),
                json!({"tolerations": [{"key": "kubernetes.io/arch", "operator": "Equal"}],
                    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}),
            ),
        ),
        (
            "OPA's mutations",
            added(
                json!({"imagePullPolicy": "Always", "securityContext": {"runAsNonRoot": true}}),
                json!({"nodeSelector": {"pool": "apps"}, "priorityClassName": "low"}),
            ),
        ),
    ];
    for (name, found) in cases {
        assert_eq!(lost(&manifest(&asked), &live(found)), None, "{name}");
    }
    for (name, more, field) in [
        (
            "a probe of others",
            json!({"livenessProbe": {"httpGet": {"path": "/other", "port": 8080}}}),
            "spec.template.spec.containers[app].livenessProbe.httpGet.path",
        ),
        (
            "a mirror with another tag",
            json!({"image": "harbor.internal/shop/web:1"}),
            "spec.template.spec.containers[app].image",
        ),
        (
            "another value of a variable",
            json!({"env": [{"name": "A", "value": "2"}]}),
            "spec.template.spec.containers[app].env[A].value",
        ),
    ] {
        let lost = lost(&manifest(&asked), &live(added(more, json!({}))));
        assert_eq!(
            lost.map(|lost| lost.field),
            Some(field.to_owned()),
            "{name}"
        );
    }
}

#[test]
fn another_template_is_told_by_its_field() {
    let port = |protocol: &str| json!({"containerPort": 53, "protocol": protocol});
    let cases = [
        (
            "another image",
            container(json!({})),
            json!({"containers": [{"name": "app", "image": "shop/web:3"}]}),
            "spec.template.spec.containers[app].image",
        ),
        (
            "another image of the same tag",
            container(json!({})),
            json!({"containers": [{"name": "app", "image": "shop/worker:2"}]}),
            "spec.template.spec.containers[app].image",
        ),
        (
            "a port that was lost",
            container(json!({"ports": [port("UDP"), port("TCP")]})),
            container(json!({"ports": [port("TCP")]})),
            "spec.template.spec.containers[app].ports[53/UDP]",
        ),
        (
            "the value of a variable",
            container(json!({"env": [{"name": "A", "value": "0.5"}]})),
            container(json!({"env": [{"name": "A", "value": "500m"}]})),
            "spec.template.spec.containers[app].env[A].value",
        ),
        (
            "a reference in place of a value",
            container(json!({"env": [{"name": "A", "value": "1"}]})),
            container(json!({"env": [{"name": "A", "valueFrom": {}}]})),
            "spec.template.spec.containers[app].env[A].value",
        ),
        (
            "arguments in another order",
            container(json!({"args": ["a", "b"]})),
            container(json!({"args": ["b", "a"]})),
            "spec.template.spec.containers[app].args",
        ),
        (
            "a container",
            container(json!({})),
            json!({"containers": [{"name": "other", "image": "shop/web:2"}]}),
            "spec.template.spec.containers[app]",
        ),
        (
            "a volume",
            json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
            json!({}),
            "spec.template.spec.volumes",
        ),
    ];
    for (name, wanted, found, field) in cases {
        let lost = lost(&manifest(&wanted), &live(found)).expect(name);
        assert_eq!(lost.field, field, "{name}");
        assert!(!lost.problem().contains("500m"), "a value is told: {name}");
    }
}

#[test]
fn what_a_request_without_a_manifest_asks_for_is_held_too() {
    let images = |image: &str| request(json!({"images": {"app": image}}));
    let found = || live(container(json!({"env": [{"name": "A", "value": "1"}]})));
    assert_eq!(lost(&images("shop/web:2"), &found()), None);
    let other = lost(&images("shop/web:4"), &found()).expect("another image");
    assert_eq!(other.field, "spec.template.spec.containers[app].image");
    let renamed = request(json!({"images": {"gone": "shop/web:2"}}));
    assert!(lost(&renamed, &found()).is_some());
    let env = |value: Value| request(json!({"env": {"A": value}}));
    assert_eq!(lost(&env(json!("1")), &found()), None);
    assert!(lost(&env(json!("2")), &found()).is_some());
    let kept = lost(&env(Value::Null), &found()).expect("it was to go");
    assert_eq!(kept.field, "spec.template.spec.containers[app].env[A]");
}

#[test]
fn a_restart_stands_as_long_as_a_later_one_takes_its_place() {
    let request = request(json!({"restart": true}));
    let restarted = |at: Option<&str>| {
        let notes = at.map_or(json!({}), |at| json!({RESTARTED_AT: at}));
        Workload::new(
            Kind::Deployment,
            json!({
            "metadata": {"annotations": {DEPLOYED_AT: "2026-01-01T00:00:10Z"}},
            "spec": {"template": {"metadata": {"annotations": notes}, "spec": {}}}}),
        )
    };
    for (at, stands) in [
        (Some("2026-01-01T00:00:10Z"), true),
        (Some("2026-01-01T02:00:20+02:00"), true),
        (Some("2025-12-31T00:00:00Z"), false),
        (None, false),
    ] {
        assert_eq!(
            lost_since(&request, &restarted(at)).is_none(),
            stands,
            "{at:?}"
        );
    }
}
