use crate::request::release::tests::{of, release, told};
use insta::assert_snapshot;
use serde_json::json;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\n";

#[test]
fn variables_fill_the_strings_of_all_objects() {
    let a = format!(
        "{MAP}metadata: {{name: 'a-${{ENV}}'}}\ndata: {{x: '${{ENV}} $${{ENV}} $(ENV)'}}\n"
    );
    let b = format!("{MAP}metadata: {{name: b}}\ndata: {{x: '${{TAG}}', '${{ENV}}': z}}\n");
    let fields = json!({"variables": {"ENV": "prod", "TAG": "7"}});
    let read = release(&fields, &[("k8s/a.yaml", &a), ("k8s/b.yaml", &b)]).unwrap();
    assert_eq!(
        told(&read),
        ["k8s/a.yaml:1 ConfigMap/a-prod", "k8s/b.yaml:1 ConfigMap/b"]
    );
    assert_eq!(
        read.manifests[0].object()["data"]["x"],
        "prod ${ENV} $(ENV)"
    );
    assert_eq!(
        read.manifests[1].object()["data"],
        json!({"x": "7", "${ENV}": "z"})
    );
    // Without variables nothing is filled.
    let plain = of(&b).unwrap();
    assert_eq!(plain.manifests[0].object()["data"]["x"], "${TAG}");
    let fields = json!({"variables": {"ENV": "prod", "OLD": "x"}});
    let faults = release(&fields, &[("k8s/a.yaml", &a), ("k8s/b.yaml", &b)]).unwrap_err();
    assert_snapshot!(faults.join("\n"), @r"
    k8s/b.yaml:1 ConfigMap/b .data.x: has `${TAG}`, and `variables` has no TAG. Where the text itself is meant, write `$${TAG}`
    variables.OLD: has no place in the manifests: no string in it has `${OLD}` (keys are not filled)
    ");
    let many = format!(
        "{MAP}metadata: {{name: a}}\ndata: {{x: '{}'}}\n",
        "${A}".repeat(20_001)
    );
    let fields = json!({"variables": {"A": "b"}});
    let faults = release(&fields, &[("k8s/a.yaml", &many)]).unwrap_err();
    assert!(
        faults.len() == 1 && faults[0].contains("at most 20000"),
        "{faults:?}"
    );
}

#[test]
fn an_object_is_there_once() {
    let object = |version: &str, metadata: &str| {
        format!("---\napiVersion: {version}\nkind: Ingress\nmetadata: {{{metadata}}}\n")
    };
    let first = object("networking.k8s.io/v1", "name: a");
    for (second, is_twice) in [
        (object("networking.k8s.io/v1", "name: a"), true),
        (object("networking.k8s.io/v1beta1", "name: a"), true),
        (
            object("networking.k8s.io/v1", "name: a, namespace: default"),
            true,
        ),
        (object("networking.k8s.io/v1", "name: b"), false),
        (
            object("networking.k8s.io/v1", "name: a, namespace: b"),
            false,
        ),
        (object("extensions/v1beta1", "name: a"), false),
    ] {
        let read = release(
            &json!({}),
            &[("k8s/a.yaml", &first), ("k8s/b.yaml", &second)],
        );
        match is_twice {
            false => assert_eq!(read.unwrap().manifests.len(), 2, "{second}"),
            true => {
                let faults = read.unwrap_err();
                let expected = "k8s/b.yaml:2 Ingress/a: is there twice: also at k8s/a.yaml:2";
                assert_eq!(faults, [expected], "{second}");
            }
        }
    }
}

#[test]
fn what_is_no_manifest_is_told_as_what_it_is() {
    for (text, words) in [
        ("a: b\n", "has a document without a `kind`"),
        ("- a\n", "has a document without a `kind`"),
        ("just a text\n", "does not begin like a manifest"),
        ("services:\n  web: {image: a}\n", "a Compose file"),
        ("replicaCount: 1\n", "values of a Helm chart"),
        ("resources: [a.yaml]\n", "a Kustomization"),
        ("kind: [\n", "is not valid YAML"),
        ("kind: {{ .Values.kind }}\n", "Helm template"),
        ("<<<<<<< HEAD\nkind: A\n", "merge conflict"),
        ("<!DOCTYPE html><html>", "an HTML page"),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
            "a Git LFS pointer",
        ),
        ("kind: A\nkind: B\n", "`kind` twice"),
        (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: a}",
            "kustomize build",
        ),
        (
            "apiVersion: v1\nkind: List\nitems: [text]\n",
            "has a document without a `kind`",
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: landfall.web}\n",
            "is reserved",
        ),
        (
            "apiVersion: v1\nkind: A\nmetadata: {name: a, labels: {a: 1}}\n",
            "put it in quotes",
        ),
    ] {
        let faults = of(text).unwrap_err();
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        let is_placed = faults[0].starts_with("k8s/a.yaml");
        assert!(is_placed && faults[0].contains(words), "{text}: {faults:?}");
    }
    let latin = [b'k', 0xe4, b'\n'];
    let mut files = crate::request::release::tests::files(&[("k8s/a.yaml", "")]);
    files.manifests[0].file.content = latin.to_vec();
    let faults = crate::request::release::tests::complete(&json!({}), files).unwrap_err();
    assert!(
        faults[0].starts_with("k8s/a.yaml: is not UTF-8 text (line 1)"),
        "{faults:?}"
    );
}

#[test]
fn fields_of_the_wrong_type_are_told_in_every_kind_with_pods() {
    let pod = "containers: [{name: app, image: a, ports: [{containerPort: '80'}]}]";
    for (version, kind, spec, path) in [
        (
            "apps/v1",
            "StatefulSet",
            format!("{{template: {{spec: {{{pod}}}}}}}"),
            ".spec.template",
        ),
        (
            "batch/v1",
            "Job",
            format!("{{template: {{spec: {{{pod}}}}}}}"),
            ".spec.template",
        ),
        (
            "batch/v1",
            "CronJob",
            format!("{{jobTemplate: {{spec: {{template: {{spec: {{{pod}}}}}}}}}}}"),
            ".spec.jobTemplate.spec.template",
        ),
    ] {
        let text =
            format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n");
        let faults = of(&text).unwrap_err();
        let expected =
            format!("k8s/a.yaml:1 {kind}/a {path}.spec.containers[app].ports[0].containerPort: ");
        assert!(
            faults.len() == 1 && faults[0].starts_with(&expected),
            "{faults:?}"
        );
    }
    // An operator's kind may have other types.
    let rollout = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: a}}\n\
        spec: {{strategy: canary, template: {{spec: {{{pod}}}}}}}\n"
    );
    assert!(of(&rollout).is_ok());
    let paused =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {paused: true}\n";
    let faults = of(paused).unwrap_err();
    assert!(
        faults[0].starts_with("k8s/a.yaml:1 Deployment/a .spec.paused: "),
        "{faults:?}"
    );
    let unfollowed = paused.replace("name: a", "name: a, annotations: {landfall/follow: 'no'}");
    assert!(of(&unfollowed).is_ok());
}
