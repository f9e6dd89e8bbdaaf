use super::*;

#[test]
fn a_file_is_called_what_it_is() {
    for (text, told) in [
        (
            "kind: Deployment\n<<<<<<< HEAD\nspec: {}\n=======\nspec: {a: 1}\n>>>>>>> main\n",
            "has the marks of a merge conflict (`<<<<<<<` in line 2)",
        ),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 123\n",
            "is a Git LFS pointer",
        ),
        ("\n<!DOCTYPE html>\n<html lang=\"en\">\n", "is an HTML page"),
        ("<html><body>404</body></html>", "is an HTML page"),
        (
            "../base/deployment.yaml",
            "has nothing but the path `../base/deployment.yaml`",
        ),
        (
            "deployment.yml\n",
            "has nothing but the path `deployment.yml`",
        ),
        (
            "resources:\n- deployment.yaml\nimages:\n- name: web\n",
            "looks like a Kustomization: run `kustomize build`",
        ),
        (
            "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: \"1.0\"\n",
            "looks like the Chart.yaml of a Helm chart: run `helm template`",
        ),
        (
            "# Default values\nreplicaCount: 1\nimage:\n  repository: nginx\n",
            "looks like the values of a Helm chart: run `helm template`",
        ),
        (
            "version: \"3\"\nservices:\n  web:\n    image: web:1\n",
            "looks like a Compose file",
        ),
        (
            "version: 0.2\nphases:\n  build:\n    commands: [make]\n",
            "looks like a build specification of CodeBuild",
        ),
        (
            "{\n  \"family\": \"web\",\n  \"containerDefinitions\": []\n}\n",
            "looks like a task definition of ECS",
        ),
        (
            "NAME: web\nLAST DEPLOYED: Sat Nov 28\nMANIFEST:\n---\nkind: Deployment\n",
            "looks like the output of `helm install --dry-run`: run `helm template`",
        ),
        (
            "Name:                   web\nCreationTimestamp:      Sat, 28 Nov 2026 10:00:00\n",
            "looks like the output of `kubectl describe`",
        ),
        (
            "bash: line 3: kustomize: command not found\n",
            "has what a command printed (`command not found` in line 1)",
        ),
        (
            "\nW1129 10:11:12.123456    1234 warnings.go:70] deprecated\nkind: Deployment\n",
            "has what a command printed (`W1129` in line 2)",
        ),
        (
            "TAG=s3cret-value\n",
            "does not begin like a manifest (line 1): look at the step that writes the file",
        ),
        (
            "# a page\n```yaml\nkind: Deployment\n",
            "looks like a page of Markdown",
        ),
        ("FROM alpine:3.20\n", "looks like a Dockerfile"),
        (
            "sops:\n    kms: []\n",
            "looks like a file that sops has encrypted",
        ),
        (
            "name: x\non: push\njobs: {}\n",
            "looks like a workflow of GitHub Actions",
        ),
        (
            "version: 0.0\nos: linux\nhooks: {}\n",
            "looks like an AppSpec file",
        ),
        (
            "AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n",
            "looks like a template of CloudFormation",
        ),
    ] {
        let known = known(text).unwrap_or_default();
        assert!(known.starts_with(told), "{text}: {known}");
    }
}

#[test]
fn what_may_be_a_manifest_is_called_nothing_else() {
    for text in [
        "",
        "kind: Deployment\nresources: {}\nversion: 1\n",
        "replicas: 1\n",
        "a: b/c\n",
        "spec:\n  services: []\n  version: 1\n",
    ] {
        assert_eq!(known(text), None, "{text}");
    }
}

#[test]
fn a_template_of_ytt_is_recognized_although_it_can_be_read() {
    for (text, line) in [
        ("#@ load(\"@ytt:data\", \"data\")\nkind: Deployment\n", 1),
        (
            "kind: Deployment\nspec:\n  replicas: #@ data.values.replicas\n",
            3,
        ),
        ("args:\n- #@ data.values.arg\n", 2),
        ("#@data/values\n---\nreplicas: 1\n", 1),
        ("a: 1\n#@ if/end data.values.on:\nb: 1\n", 2),
    ] {
        let told = ytt(text).unwrap_or_default();
        assert!(told.contains(&format!("in line {line})")), "{text}: {told}");
        assert!(told.starts_with("looks like a template of ytt"), "{told}");
    }
    for text in [
        "kind: Deployment\n",
        "#@me: look at this\nkind: Deployment\n",
        "replicas: 1 #@ as ever\n",
        "data:\n  config.yml: |\n    #@ load(\"@ytt:data\", \"data\")\n    a: #@ data.values.a\n",
        "a: \"x: #@ b\"\n",
    ] {
        assert_eq!(ytt(text), None, "{text}");
    }
}

#[test]
fn a_line_that_is_no_yaml_is_mended_by_what_it_lacks() {
    let rows = [
        (
            "spec:\n  replicas:2\n  paused: false\n",
            3,
            "in line 2 a space is missing after the colon of `replicas:`",
        ),
        (
            "kind:Deployment\n",
            1,
            "a space is missing after the colon of `kind:`",
        ),
        ("a: @b\n", 1, "a text that begins with `@` needs quotes"),
        ("- `b`\n", 1, "a text that begins with ``` needs quotes"),
        (
            "args:\n- * # all\n",
            2,
            "a text that begins with `*` needs quotes",
        ),
        ("image: @image@\n", 1, "nothing filled in a place"),
        ("image: %TAG%\n", 1, "nothing filled in a place"),
        ("a: b: c\n", 1, "a text with `: ` in it needs quotes"),
        ("- \"a\" b\n", 1, "put the quotes around the whole text"),
        (
            "a: \"b \\\" c\" d\n",
            1,
            "put the quotes around the whole text",
        ),
        ("a: 'it''s' so\n", 1, "put the quotes around the whole text"),
        ("- {name: A, value: ${V}}\n", 1, "a `${…}` between"),
        ("args: [${V}, b]\n", 1, "a `${…}` between"),
        ("- {image: ${V}}\nb: c\n", 2, "in line 1 a `${…}` between"),
    ];
    for (text, line, told) in rows {
        let hint = hint::hint(text, line).unwrap_or_default();
        assert!(hint.starts_with(told), "{text}: {hint}");
    }
    for (text, line) in [
        ("", 1),
        ("a: b\n", 0),
        ("a: b\n  c: d\n", 2),
        ("a: \"b\"\n", 1),
        ("- \"a \\\" b\"\n", 1),
        ("a: {b: \"${V}\"}\n", 1),
        ("a: ${V}\n", 1),
        ("- https://example.com\n", 1),
        ("# a:b\n", 1),
        ("key: value:with:colons\n", 1),
    ] {
        assert_eq!(hint::hint(text, line), None, "{text}");
    }
}

#[test]
fn what_a_tool_reads_from_its_file_is_no_object() {
    let of = |version: &str, kind: &str| {
        configuration(&serde_json::json!({"apiVersion": version, "kind": kind}))
    };
    for (version, kind) in [
        ("v1", "Config"),
        ("kind.x-k8s.io/v1alpha4", "Cluster"),
        ("eksctl.io/v1alpha5", "ClusterConfig"),
        ("kubelet.config.k8s.io/v1beta1", "KubeletConfiguration"),
        ("audit.k8s.io/v1", "Policy"),
    ] {
        assert!(of(version, kind).is_some(), "{version} {kind}");
    }
    for (version, kind) in [
        ("v1", "ConfigMap"),
        ("config.gatekeeper.sh/v1alpha1", "Config"),
        ("imageregistry.operator.openshift.io/v1", "Config"),
        ("cluster.x-k8s.io/v1beta1", "Cluster"),
        ("auditregistration.k8s.io/v1alpha1", "AuditSink"),
        ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
        ("policy/v1", "PodDisruptionBudget"),
    ] {
        assert_eq!(of(version, kind), None, "{version} {kind}");
    }
}
