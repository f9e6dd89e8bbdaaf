//! Whole requests: parameters and files in, a release or all faults out.

use super::*;
use crate::request::{Asked, Draft, File, Files, NamedFile, Origin, Parameters};
use insta::assert_snapshot;
use serde_json::{Value, json};

pub(super) const JOB: &str = "job-1";

/// A Deployment as small as it can be.
pub(super) const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  \
    template:\n    spec:\n      containers:\n      - {name: app, image: 'registry/web:1'}\n";

pub(super) fn files(files: &[(&str, &str)]) -> Files {
    let file = |(path, content): &(&str, &str)| NamedFile {
        path: path.to_string(),
        file: File {
            artifact: "Source".to_owned(),
            revision: Some("e0c7b6e".to_owned()),
            content: content.as_bytes().to_vec(),
        },
    };
    Files {
        manifests: files.iter().map(file).collect(),
        ..Files::default()
    }
}

/// Reads a release from the folder `k8s` with these files and fields; `null` removes a field.
pub(super) fn complete(fields: &Value, files: Files) -> Result<ReleaseRequest, Vec<String>> {
    let mut all = json!({"manifests": "k8s", "release": "shop"});
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    all.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let read = Draft::read(&Parameters::Text(all.to_string()));
    let asked = read.and_then(|draft| draft.complete(files, JOB));
    let told = |faults: Vec<crate::problem::Fault>| {
        let line = |fault: crate::problem::Fault| format!("{}: {}", fault.field, fault.problem);
        faults.into_iter().map(line).collect::<Vec<_>>()
    };
    match asked.map_err(told)? {
        Asked::Release(release) => Ok(release),
        Asked::Workload(..) => panic!("a workload: {all}"),
    }
}

pub(super) fn release(fields: &Value, all: &[(&str, &str)]) -> Result<ReleaseRequest, Vec<String>> {
    complete(fields, files(all))
}

/// A release of one file.
pub(super) fn of(text: &str) -> Result<ReleaseRequest, Vec<String>> {
    release(&json!({}), &[("k8s/a.yaml", text)])
}

/// The objects of a release with their places.
pub(super) fn told(release: &ReleaseRequest) -> Vec<String> {
    let line = |it: &Manifest| format!("{} {}", it.place, it.label());
    release.manifests.iter().map(line).collect()
}

#[test]
fn all_objects_of_all_files_are_read_with_their_places() {
    let list = "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n\
        {\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"c\"}},\n\
        {\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n\
        {\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"d\"}}]}]}\n";
    let two = "# first\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\n\n---\n# b\n\
        apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleList\nitems:\n\
        - apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata: {name: 'x:y'}\n";
    // `kubectl get --output yaml` writes `items` before `kind`.
    let got = "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n\
        kind: List\nmetadata: {resourceVersion: ''}\n";
    let odd = "apiVersion: example.com/v1\nitems:\n- {apiVersion: v1, kind: A}\nkind: Menu\n\
        metadata: {name: m}\n";
    let read = release(
        &json!({}),
        &[
            ("k8s/a.yaml", two),
            ("k8s/b/c.json", list),
            ("k8s/d.yml", got),
            ("k8s/menu.yaml", odd),
            ("k8s/web.yaml", WEB),
        ],
    );
    let read = read.unwrap();
    assert_snapshot!(told(&read).join("\n"), @r"
    k8s/a.yaml:2 Service/a
    k8s/a.yaml:12 Role/x:y
    k8s/b/c.json:2 ConfigMap/c
    k8s/b/c.json:3 ConfigMap/d
    k8s/d.yml:3 Secret/s
    k8s/menu.yaml:1 Menu/m
    k8s/web.yaml:1 Deployment/web
    ");
    let menu = read.manifests[5].object();
    assert_eq!(menu["items"], json!([{"apiVersion": "v1", "kind": "A"}]));
    assert_eq!(
        read.manifests[6].object()["spec"]["template"]["spec"]["containers"][0]["name"],
        "app"
    );
    assert_eq!(read.commit.as_deref(), Some("e0c7b6e"));
}

#[test]
fn what_a_release_comes_to() {
    let least = release(&json!({"release": null}), &[("k8s/web.yaml", WEB)]).unwrap();
    let expected = |release: ReleaseRequest| ReleaseRequest {
        name: "web".into(),
        namespace: "default".into(),
        namespaces: Vec::new(),
        cluster: None,
        hooks: Vec::new(),
        prune: false,
        force: false,
        rollback: true,
        mode: crate::request::Mode::Deploy,
        timeout: std::time::Duration::from_secs(900),
        patience: std::time::Duration::from_secs(30),
        execution: JOB.into(),
        commit: Some("e0c7b6e".into()),
        committed: None,
        ..release
    };
    assert_eq!(expected(least.clone()), least);
    let fields = json!({"release": "all", "namespace": "shop", "namespaces": ["logs", "db"],
        "cluster": "prod", "prune": true, "force": true, "rollback": false, "mode": "plan",
        "timeout": "1h", "patience": "1m", "execution": "e-1",
        "committed": "2026-01-31T12:00:00Z", "variables": {"COMMIT": "abc"}});
    let text = WEB.replace("registry/web:1", "registry/web:${COMMIT}");
    let all = release(&fields, &[("k8s/web.yaml", &text)]).unwrap();
    let expected = ReleaseRequest {
        name: "all".into(),
        namespace: "shop".into(),
        namespaces: vec!["logs".into(), "db".into()],
        cluster: Some("prod".into()),
        prune: true,
        force: true,
        rollback: false,
        mode: crate::request::Mode::Plan,
        timeout: std::time::Duration::from_secs(3600),
        patience: std::time::Duration::from_secs(60),
        execution: "e-1".into(),
        commit: Some("abc".into()),
        committed: Some("2026-01-31T12:00:00Z".parse().unwrap()),
        ..all.clone()
    };
    assert_eq!(all, expected);
    assert!(all.manifests[0].text().contains("registry/web:abc"));
}

#[test]
fn the_files_of_a_release_are_wanted_as_they_are_named() {
    for (manifests, expected) in [
        (json!("k8s"), vec!["`k8s`"]),
        (json!("k8s/"), vec!["`k8s`"]),
        (json!("."), vec!["`.`"]),
        (json!(["./", "Rendered::."]), vec!["`.`", "`Rendered::.`"]),
        (json!("./k8s/*.yaml"), vec!["`k8s/*.yaml`"]),
        (json!("Rendered::all.yaml"), vec!["`Rendered::all.yaml`"]),
        (
            json!(["k8s/base", "B::k8s/**/*.yml"]),
            vec!["`k8s/base`", "`B::k8s/**/*.yml`"],
        ),
    ] {
        let text = json!({"manifests": manifests}).to_string();
        let wanted = Draft::read(&Parameters::Text(text)).unwrap().wanted;
        let told = wanted
            .manifests
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        assert_eq!(told, expected);
        assert_eq!((wanted.manifest, wanted.images), (None, None));
    }
    for manifests in [
        json!(""),
        json!("/"),
        json!("../a"),
        json!("a/../b"),
        json!([]),
        json!([1]),
        json!(["a", ""]),
        json!({}),
        json!(true),
        json!("B ad::k8s"),
        json!("#{Source.Path}"),
        json!(vec!["a"; 101]),
        json!(null),
    ] {
        let text = json!({"manifests": manifests}).to_string();
        let faults = Draft::read(&Parameters::Text(text.clone())).err().unwrap();
        assert!(
            faults.iter().all(|it| it.field.starts_with("manifests")),
            "{text} {faults:?}"
        );
    }
}

#[test]
fn fields_of_another_deploy_do_not_fit_a_release() {
    for (field, value) in [
        ("workload", json!("statefulset/db")),
        ("deployment", json!("web")),
        ("manifest", json!("a.yaml")),
        ("method", json!("put")),
        ("strategy", json!("blueGreen")),
        ("service", json!("web")),
        ("steps", json!([10])),
        ("route", json!("httproute/web")),
        ("smoke", json!("/")),
        ("keep", json!(1)),
        ("env", json!({"A": "b"})),
        ("container", json!("app")),
        ("restart", json!(true)),
    ] {
        let faults = release(&json!({field: value}), &[]).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].starts_with(&format!("{field}: cannot be combined")),
            "{faults:?}"
        );
    }
    for (field, value) in [
        ("release", json!("a")),
        ("prune", json!(true)),
        ("force", json!(false)),
        ("namespaces", json!(["a"])),
    ] {
        let text = json!({"deployment": "web", "restart": true, field: value}).to_string();
        let faults = Draft::read(&Parameters::Text(text)).err().unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].problem.contains("there are no `manifests`"),
            "{faults:?}"
        );
    }
    let faults = release(
        &json!({"prune": "yes", "namespaces": ["A", "b"], "release": "a.b"}),
        &[],
    );
    assert_snapshot!(faults.unwrap_err().join("\n"), @r"
    release: is `a.b`, which is not a valid Kubernetes name: at most 40 lower-case letters, digits and `-`, a letter or digit first and last
    namespaces[0]: is `A`, which is not a valid Kubernetes name: at most 63 lower-case letters, digits and `-`, a letter or digit first and last
    prune: must be true or false without quotes, and is a string
    ");
}

#[test]
fn a_release_has_the_name_of_its_only_workload() {
    let named = |kind: &str, name: &str| {
        format!("---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n")
    };
    let job = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\n";
    let long = "x".repeat(41);
    for (text, expected) in [
        (named("Deployment", "web"), Ok("web")),
        (format!("{}{job}", named("StatefulSet", "db")), Ok("db")),
        (named("DaemonSet", "agent"), Ok("agent")),
        (named("Deployment", &long[1..]), Ok(&long[1..])),
        (job.to_owned(), Err("no workload")),
        (named("ReplicaSet", "old"), Err("no workload")),
        (
            named("Deployment", "web") + &named("DaemonSet", "agent"),
            Err("2 workloads"),
        ),
        (named("Deployment", &long), Err("at most 40")),
        (
            named("Deployment", "web.v1"),
            Err("cannot be the release's"),
        ),
    ] {
        let read = release(&json!({"release": null}), &[("k8s/a.yaml", &text)]);
        match expected {
            Ok(name) => assert_eq!(read.unwrap().name, name),
            Err(words) => {
                let faults = read.unwrap_err();
                assert!(faults.len() == 1 && faults[0].starts_with("release: is missing"));
                assert!(faults[0].contains(words), "{faults:?}");
            }
        }
    }
}

#[test]
fn faults_of_all_objects_are_told_at_once_with_their_places() {
    let a = "apiVersion: v1\nkind: Service\nmetadata: {name: Web}\n---\napiVersion: apps/v1\n\
        kind: Deployment\nmetadata:\n  name: web\n  namespace: Shop\nspec:\n  paused: true\n  \
        template:\n    spec:\n      containers:\n      - {image: 'registry/web:1', ports: \
        [{containerPort: '80'}]}\n";
    let b = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '${NAME}'}\n---\nkind: Pod\n";
    let c = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: 'not base64!'}\n---\n[";
    let fields = json!({"variables": {"COMMIT": "1"}, "images": {"api": "registry/api:2"}});
    let read = release(
        &fields,
        &[("k8s/a.yaml", a), ("k8s/b.yaml", b), ("k8s/c.yaml", c)],
    );
    assert_snapshot!(read.unwrap_err().join("\n"), @r"
    k8s/a.yaml:1 Service/Web .metadata.name: is `Web`, which is not a valid Kubernetes name: at most 63 lower-case letters, digits and `-`, a letter or digit first and last
    k8s/a.yaml:5 Deployment/web .metadata.namespace: is `Shop`, which is not a valid Kubernetes name: at most 63 lower-case letters, digits and `-`, a letter or digit first and last
    k8s/b.yaml:1 ConfigMap/${NAME} .metadata.name: has `${NAME}`, and `variables` has no NAME. Where the text itself is meant, write `$${NAME}`
    k8s/b.yaml:1 ConfigMap/${NAME} .metadata.name: is `${NAME}`: nothing filled in `${NAME}`. In a manifest `variables` do that; elsewhere the step that writes it must
    k8s/b.yaml:5 Pod/? .apiVersion: is missing
    k8s/b.yaml:5 Pod/? .metadata.name: is missing
    k8s/c.yaml:1 Secret/s .data.a: is not base64: write the text itself into `stringData`
    k8s/c.yaml:6: is not valid YAML: unclosed bracket '[' (line 6)
    variables.COMMIT: has no place in the manifests: no string in it has `${COMMIT}` (keys are not filled)
    images.api: matches no container and no image: no object of the manifests has an image
    ");
}

#[test]
fn faults_have_a_limit_and_the_rest_is_counted() {
    let text = "---\napiVersion: v1\nkind: Service\n".repeat(60);
    let faults = of(&text).unwrap_err();
    assert_eq!(faults.len(), 51);
    assert_eq!(faults[50], "manifests: have 10 more faults like these");
}

#[test]
fn a_release_has_limits() {
    let one = |index: usize| {
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{index}}}\n")
    };
    let most = (0..OBJECTS_LIMIT).map(one).collect::<String>();
    assert_eq!(of(&most).unwrap().manifests.len(), OBJECTS_LIMIT);
    let faults = of(&(most + &one(OBJECTS_LIMIT))).unwrap_err();
    assert!(faults[0].contains("up to 2000"), "{faults:?}");
    let many = vec![("k8s/a.txt", ""); 501];
    let faults = release(&json!({}), &many).unwrap_err();
    assert_eq!(
        faults,
        ["manifests: have 501 files, and a release has up to 500"]
    );
    let long = format!("{}data: {{a: {}}}\n", one(0), "x".repeat(3 << 20));
    let three = [
        ("k8s/a.yaml", &*long),
        ("k8s/b.yaml", &*long),
        ("k8s/c.yaml", &*long),
    ];
    let faults = release(&json!({}), &three).unwrap_err();
    assert_eq!(
        faults,
        ["manifests: have 10 MiB of text, and a release has up to 8"]
    );
    // Aliases of ten lines stand for more text than a release may have.
    let item = "- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: *all}\n";
    let bomb = format!(
        "kind: List\nmetadata: &all {{a: {}}}\nitems:\n{}",
        "x".repeat(1 << 20),
        item.repeat(10)
    );
    let faults = of(&bomb).unwrap_err();
    assert!(
        faults.len() == 1 && faults[0].contains("more text than"),
        "{faults:?}"
    );
}

#[test]
fn a_release_without_objects_is_none() {
    for (files, words) in [
        (vec![], "have no object"),
        (vec![("k8s/README.md", "# Hello")], "have no object"),
        (vec![("k8s/a.yaml", "---\n# nothing\n")], "have no object"),
        (
            vec![("k8s/a.yaml", "kind: List\napiVersion: v1\nitems: []\n")],
            "have no object",
        ),
        (
            vec![(
                "k8s/a.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: \
                {helm.sh/hook: test}}\n",
            )],
            "but hooks of Helm",
        ),
    ] {
        let faults = release(&json!({}), &files).unwrap_err();
        assert!(
            faults.len() == 1 && faults[0].contains(words),
            "{files:?} {faults:?}"
        );
    }
}

#[test]
fn secrets_are_the_data_of_secrets_and_the_variables_of_containers() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\ndata: {a: aHVudGVyMg==, n: \
        d2Vi}\nstringData: {b: swordfish}\n---\napiVersion: batch/v1\nkind: CronJob\nmetadata: \
        {name: web}\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          \
        containers:\n          - {name: app, image: a, env: [{name: A, value: topsecret}, {name: \
        B, value: app}, {name: C, value: 'true'}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: \
        {name: p}\nspec:\n  containers:\n  - {name: x, image: b, env: [{name: A, value: podsecret}]}\n";
    let read = of(text).unwrap();
    let secrets = read.secrets().collect::<Vec<_>>();
    assert_eq!(
        secrets,
        [
            "aHVudGVyMg==",
            "c3dvcmRmaXNo",
            "d2Vi",
            "hunter2",
            "podsecret",
            "swordfish",
            "topsecret"
        ]
    );
    let shown = format!("{read:?}");
    assert!(
        secrets.iter().all(|secret| !shown.contains(secret)),
        "{shown}"
    );
}

#[test]
fn a_fault_in_a_file_is_to_be_corrected_there() {
    let files = files(&[("k8s/a.yaml", ""), ("k8s/a", "")]);
    let origin = Origin::new(&crate::request::Wanted::default(), &files);
    let file = |field: &str| {
        let fault = crate::problem::Fault::new(field, "is wrong");
        origin.of_fault(&fault).map(str::to_owned)
    };
    let a = Some("`k8s/a.yaml` in artifact `Source`".to_owned());
    assert_eq!(file("k8s/a.yaml:12 Deployment/web .spec"), a);
    assert_eq!(file("k8s/a.yaml"), a);
    for other in [
        "k8s/b.yaml:1",
        "k8s/a.yamlx",
        "manifests",
        "release",
        "images.k8s/a.yaml",
    ] {
        assert_eq!(file(other), None, "{other}");
    }
    assert!(origin.touches("variables.A") && !origin.touches("namespace"));
}

#[test]
fn the_namespace_of_an_object_is_its_own_or_the_releases() {
    let text = "---\napiVersion: v1\nkind: A\nmetadata: {name: a}\n---\napiVersion: v1\nkind: A\n\
        metadata: {name: b, namespace: shop}\n---\napiVersion: v1\nkind: A\nmetadata: {name: c, \
        namespace: logs}\n---\napiVersion: v1\nkind: A\nmetadata: {name: d, namespace: other}\n";
    let fields = json!({"namespace": "shop", "namespaces": ["logs"]});
    let read = release(&fields, &[("k8s/a.yaml", text)]).unwrap();
    let of = |index: usize, namespaced| namespace_of(&read.manifests[index], namespaced, &read);
    let some = |namespace: &str| Ok(Some(namespace.to_owned()));
    assert_eq!(
        [of(0, true), of(1, true), of(2, true)],
        [some("shop"), some("shop"), some("logs")]
    );
    for index in 0..4 {
        assert_eq!(of(index, false), Ok(None));
    }
    let fault = of(3, true).unwrap_err();
    assert_snapshot!(format!("{}: {}", fault.field, fault.problem), @"metadata.namespace: is `other`, and the release is for `shop`: add `other` to `namespaces` if the release may write there too");
}
