use super::*;

fn owner() -> Owner {
    Owner {
        id: "applyset-x-v1".to_owned(),
        release: "shop/web".to_owned(),
    }
}

/// What is applied, without whose it is.
fn sent(manifest: &Value, live: Option<&Value>, scaled_by: Option<&str>) -> Value {
    let mut object = body(manifest, live, scaled_by, &owner());
    assert_eq!(object["metadata"]["labels"][PART_OF], "applyset-x-v1");
    assert_eq!(object["metadata"]["annotations"][RELEASE], "shop/web");
    object.as_object_mut().unwrap().remove("metadata");
    object
}

#[test]
fn an_object_says_whose_it_is() {
    let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c",
        "labels": null, "annotations": {"landfall/wave": "-1"}, "creationTimestamp": null,
        "uid": "1", "resourceVersion": "2", "generation": 3, "managedFields": []}});
    assert_eq!(
        body(&manifest, None, None, &owner()),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c",
            "labels": {"applyset.kubernetes.io/part-of": "applyset-x-v1"},
            "annotations": {"landfall/wave": "-1", "landfall/release": "shop/web"}}})
    );
}

/// Who owns the replicas of the live object.
fn owned_by(entries: &[(&str, &str, &str)]) -> Vec<Value> {
    let entry = |(manager, operation, subresource): &(&str, &str, &str)| {
        json!({"manager": manager, "operation": operation, "subresource": subresource,
            "apiVersion": "apps/v1", "fieldsV1": {"f:spec": {"f:replicas": {}}}})
    };
    entries.iter().map(entry).collect()
}

#[test]
fn replicas_are_left_to_those_who_scale() {
    const OURS: (&str, &str, &str) = ("landfall", "Apply", "");
    const PATCHED: (&str, &str, &str) = ("landfall", "Update", "");
    const KUBECTL: (&str, &str, &str) = ("kubectl-client-side-apply", "Update", "");
    const SCALED: (&str, &str, &str) = ("kubectl", "Update", "scale");
    const HPA: (&str, &str, &str) = ("kube-controller-manager", "Update", "scale");
    const EDITED: (&str, &str, &str) = ("kubectl-edit", "Update", "");
    let (auto, manual) = (true, false);
    let live_count = Some(7);
    for (wanted, owners, scaled, expected) in [
        // The manifest says so, and nothing scales.
        (Some(2), &[OURS][..], manual, Some(2)),
        (Some(2), &[OURS, SCALED], manual, Some(2)),
        (Some(2), &[], manual, Some(2)),
        // An autoscaler: another owns it, or we alone.
        (Some(2), &[HPA], auto, None),
        (Some(2), &[OURS, HPA], auto, None),
        (Some(2), &[EDITED], auto, None),
        (Some(2), &[OURS], auto, live_count),
        (Some(2), &[], auto, live_count),
        // Those whose fields become ours are not others.
        (Some(2), &[KUBECTL], auto, live_count),
        (Some(2), &[PATCHED], auto, live_count),
        (Some(2), &[KUBECTL, HPA], auto, None),
        // A manifest without replicas never changes the count, at the first and at later applies.
        (None, &[KUBECTL], manual, live_count),
        (None, &[PATCHED], manual, live_count),
        (None, &[OURS], manual, live_count),
        (None, &[OURS], auto, live_count),
        (None, &[OURS, SCALED], manual, None),
        (None, &[SCALED], manual, None),
        (None, &[], manual, None),
        (None, &[], auto, None),
    ] {
        for kind in ["Deployment", "StatefulSet", "ReplicaSet"] {
            let spec = match wanted {
                Some(count) => json!({"replicas": count}),
                None => json!({}),
            };
            let manifest = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {},
                "spec": spec});
            let live = json!({"metadata": {"managedFields": owned_by(owners)},
                "spec": {"replicas": 7}});
            let scaled = scaled.then_some("web");
            let object = sent(&manifest, Some(&live), scaled);
            let told = format!("{wanted:?} {owners:?} {scaled:?}");
            assert_eq!(object["spec"]["replicas"].as_i64(), expected, "{told}");
            assert_eq!(
                object["spec"].get("replicas").is_some(),
                expected.is_some(),
                "{told}"
            );
            // A new object gets what the manifest says.
            assert_eq!(
                sent(&manifest, None, scaled)["spec"],
                manifest["spec"],
                "{told}"
            );
        }
    }
    // Other kinds mean something else by it.
    let cluster = json!({"apiVersion": "x.io/v1", "kind": "Deployment", "metadata": {},
        "spec": {"replicas": 1}});
    let live = json!({"spec": {"replicas": 7}});
    assert_eq!(
        sent(&cluster, Some(&live), Some("a"))["spec"]["replicas"],
        1
    );
}

#[test]
fn only_a_headless_service_says_its_address() {
    for (spec, expected) in [
        (json!({"clusterIP": "None", "clusterIPs": ["None"]}), None),
        (json!({"clusterIP": "10.0.0.9"}), None),
        (json!({"clusterIP": "", "clusterIPs": []}), Some(json!({}))),
        (
            json!({"clusterIP": null, "clusterIPs": [""]}),
            Some(json!({})),
        ),
        (json!({"ports": []}), None),
    ] {
        let manifest = json!({"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": spec});
        let expected = expected.unwrap_or(spec);
        assert_eq!(sent(&manifest, None, None)["spec"], expected);
    }
}

#[test]
fn a_placeholder_is_not_sent_as_certificate() {
    // A DER sequence of its own length: the reader of PEM looks no deeper.
    let der = [&[0x30, 100][..], &[1; 100]].concat();
    let der = STANDARD.encode(der);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
    for (bundle, stays) in [
        (STANDARD.encode(pem), true),
        ("Cg==".to_owned(), false),
        (String::new(), false),
        (
            STANDARD.encode("-----BEGIN CERTIFICATE-----\nCg==\n-----END CERTIFICATE-----"),
            false,
        ),
    ] {
        let conversion = json!({"strategy": "Webhook", "webhook": {"clientConfig":
            {"caBundle": bundle, "service": {"name": "hook"}}}});
        let manifest = json!({"apiVersion": "apiextensions.k8s.io/v1", "metadata": {},
            "kind": "CustomResourceDefinition", "spec": {"conversion": conversion}});
        let object = sent(&manifest, None, None);
        let client = &object["spec"]["conversion"]["webhook"]["clientConfig"];
        assert_eq!(client.get("caBundle").is_some(), stays, "{bundle}");
        assert_eq!(client["service"]["name"], "hook");
        let hook = json!({"clientConfig": {"caBundle": bundle, "service": {"name": "hook"}}});
        let manifest = json!({"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {},
            "kind": "MutatingWebhookConfiguration", "webhooks": [{}, hook]});
        let object = sent(&manifest, None, None);
        let client = &object["webhooks"][1]["clientConfig"];
        assert_eq!(client.get("caBundle").is_some(), stays, "{bundle}");
        assert_eq!(client["service"]["name"], "hook");
    }
}

#[test]
fn texts_of_a_secret_are_sent_as_data() {
    let secret = |fields: Value| {
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}});
        merge_into(&mut secret, fields.as_object().unwrap().clone());
        secret
    };
    for (written, expected) in [
        (
            json!({"data": {"a": "MQ==", "b": "Mg=="}, "stringData": {"b": "3", "c": "4"}}),
            json!({"data": {"a": "MQ==", "b": "Mw==", "c": "NA=="}}),
        ),
        (
            json!({"stringData": {"a": "1"}}),
            json!({"data": {"a": "MQ=="}}),
        ),
        (json!({"stringData": {}}), json!({})),
        // For the server to refuse.
        (
            json!({"stringData": {"a": 1}}),
            json!({"stringData": {"a": 1}}),
        ),
    ] {
        let mut expected = secret(expected);
        expected.as_object_mut().unwrap().remove("metadata");
        assert_eq!(sent(&secret(written), None, None), expected);
    }
}
