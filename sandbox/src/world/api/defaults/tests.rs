use super::*;
use crate::world::api::defaults::pods::pull_policy;
use crate::world::sample_deployment;

#[test]
fn a_deployment_is_filled_in_and_filling_twice_changes_nothing() {
    let mut object = sample_deployment("web", "registry:5000/web");
    object["spec"]
        .as_object_mut()
        .expect("a spec")
        .remove("replicas");
    fill("Deployment", &mut object);
    let rows = [
        ("/spec/replicas", json!(1)),
        ("/spec/strategy/rollingUpdate/maxSurge", json!("25%")),
        ("/spec/revisionHistoryLimit", json!(10)),
        ("/spec/progressDeadlineSeconds", json!(600)),
        ("/spec/template/spec/restartPolicy", json!("Always")),
        ("/spec/template/spec/securityContext", json!({})),
        (
            "/spec/template/spec/containers/0/imagePullPolicy",
            json!("Always"),
        ),
        (
            "/spec/template/spec/containers/0/ports/0/protocol",
            json!("TCP"),
        ),
        (
            "/spec/template/spec/containers/0/readinessProbe/failureThreshold",
            json!(3),
        ),
        (
            "/spec/template/spec/containers/0/readinessProbe/periodSeconds",
            json!(5),
        ),
        (
            "/spec/template/spec/containers/0/readinessProbe/httpGet/scheme",
            json!("HTTP"),
        ),
    ];
    for (pointer, expected) in rows {
        assert_eq!(object.pointer(pointer), Some(&expected), "{pointer}");
    }
    let once = object.clone();
    fill("Deployment", &mut object);
    assert_eq!(object, once);
}

#[test]
fn images_are_pulled_always_when_their_tag_may_move() {
    let rows = [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("registry:5000/web", "Always"),
        ("web:1", "IfNotPresent"),
        ("web@sha256:abc", "IfNotPresent"),
    ];
    for (image, expected) in rows {
        assert_eq!(pull_policy(image), expected, "{image}");
    }
}
