use super::*;
use crate::request::File;
use crate::request::release::tests::{WEB, release};
use insta::assert_snapshot;
use serde_json::json;

fn used(wanted: &[&str], files: &[(&str, &str)]) -> Vec<Use> {
    let reference = |path: &&str| FileReference {
        artifact: None,
        path: (*path).to_owned(),
    };
    let file = |(path, content): &(&str, &str)| NamedFile {
        path: (*path).to_owned(),
        file: File {
            content: content.as_bytes().to_vec(),
            ..File::default()
        },
    };
    let files = files.iter().map(file).collect::<Vec<_>>();
    uses(&files, &wanted.iter().map(reference).collect::<Vec<_>>())
}

#[test]
fn files_of_a_folder_are_read_by_their_names() {
    for (path, is_read) in [
        ("k8s/web.yaml", true),
        ("k8s/web.yml", true),
        ("k8s/web.json", true),
        ("k8s/WEB.YAML", true),
        ("k8s/sub/my-values.yaml", true),
        ("k8s/README.md", false),
        ("k8s/notes.txt", false),
        ("k8s/web.yaml.bak", false),
        ("k8s/web.yaml.tpl", false),
        ("k8s/Makefile", false),
        ("k8s/yaml", false),
        ("k8s/values.yaml", false),
        ("k8s/values-prod.yaml", false),
        ("k8s/values.prod.yml", false),
        ("k8s/imagedefinitions.json", false),
        ("k8s/imageDetail.json", false),
        ("k8s/package.json", false),
        ("k8s/buildspec.yml", false),
    ] {
        let expected = if is_read { Use::Read } else { Use::Skip };
        assert_eq!(used(&["k8s"], &[(path, "")]), [expected], "{path}");
        assert_eq!(used(&["k8s/*"], &[(path, "")]).len(), 1);
    }
}

#[test]
fn a_file_that_is_named_is_read_or_refused() {
    for (path, is_read) in [
        ("k8s/web.yaml", true),
        ("k8s/values.yaml", true),
        ("k8s/.hidden.yml", true),
        ("k8s/kustomization.yaml", true),
        ("k8s/README.md", false),
        ("k8s/manifest", false),
    ] {
        let used = used(&[path], &[(path, "")]);
        let is_right = match &used[0] {
            Use::Read => is_read,
            Use::Fault(problem) => !is_read && problem.contains(".yaml, .yml or .json"),
            Use::Skip => false,
        };
        assert!(is_right, "{path} {used:?}");
    }
}

#[test]
fn a_kustomization_may_only_list_what_is_read_anyway() {
    let beside = [("k8s/a.yaml", ""), ("k8s/b/c.yaml", ""), ("a.yaml", "")];
    let with = |path: &'static str, text: &'static str| {
        let mut files = vec![(path, text)];
        files.extend(beside);
        used(&["k8s", "a.yaml"], &files).swap_remove(0)
    };
    for (path, text) in [
        ("k8s/kustomization.yaml", "resources: [a.yaml, ./b/c.yaml]"),
        (
            "k8s/kustomization.yml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization",
        ),
        (
            "k8s/Kustomization",
            "resources: [a.yaml]\nmetadata: {name: x}",
        ),
        ("k8s/b/kustomization.yaml", "resources:\n- c.yaml"),
        ("kustomization.yaml", "resources: [k8s/a.yaml]"),
    ] {
        assert_eq!(with(path, text), Use::Skip, "{path} {text}");
    }
    let refused = [
        "resources: [a.yaml]\nnamePrefix: x-\nimages: []",
        "resources: [../base]",
        "resources: [a.yaml, d.yaml]",
        "resources: [{a: b}]",
        "a\n",
        "a: [",
        "",
        "resources: []\n---\nresources: []",
    ];
    let told = refused.map(|text| match with("k8s/kustomization.yaml", text) {
        Use::Fault(problem) => problem,
        other @ (Use::Read | Use::Skip) => format!("{other:?}"),
    });
    assert_snapshot!(told.join("\n"), @r"
    is a Kustomization with `images`, `namePrefix`: run `kustomize build` in the build, and name the file that it writes
    is a Kustomization with resources that are not among the files, `../base`: run `kustomize build` in the build, and name the file that it writes
    is a Kustomization with resources that are not among the files, `d.yaml`: run `kustomize build` in the build, and name the file that it writes
    is a Kustomization with resources that are not among the files, `?`: run `kustomize build` in the build, and name the file that it writes
    is a Kustomization: run `kustomize build` in the build, and name the file that it writes
    is a Kustomization: run `kustomize build` in the build, and name the file that it writes
    is a Kustomization: run `kustomize build` in the build, and name the file that it writes
    is a Kustomization: run `kustomize build` in the build, and name the file that it writes
    ");
}

#[test]
fn a_chart_is_to_be_rendered_and_told_once() {
    let template = "kind: {{ .Values.kind }}\n";
    let chart = [
        ("k8s/Chart.yaml", "name: a\nversion: 1.0.0\n"),
        ("k8s/charts/b/Chart.yaml", ""),
        ("k8s/templates/web.yaml", template),
        ("k8s/values.yaml", "a: b"),
        ("k8s.yaml", WEB),
    ];
    let faults = release(&json!({"manifests": ["k8s", "k8s.yaml"]}), &chart).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    let problem = "k8s/Chart.yaml: is of a Helm chart that was not rendered: run `helm template`";
    assert!(faults[0].starts_with(problem), "{faults:?}");
    // What `helm template` prints is often kept under this name.
    release(&json!({}), &[("k8s/chart.yaml", WEB)]).unwrap();
    let alone = [("k8s/a.yaml", template)];
    let faults = release(&json!({}), &alone).unwrap_err();
    assert!(
        faults[0].starts_with("k8s/a.yaml:1: looks like a Helm template"),
        "{faults:?}"
    );
}
