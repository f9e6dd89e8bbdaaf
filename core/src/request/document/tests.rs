use super::filling::PLACES_LIMIT;
use super::*;
use serde_json::json;

fn deployment(name: &str) -> String {
    format!("kind: Deployment\nmetadata:\n  name: {name}\n")
}

const SERVICE: &str = "---\nkind: Service\nmetadata: {name: web}\n---\n";

fn problem(chosen: Result<Chosen, NotChosen>) -> String {
    match chosen.expect_err("there is no Deployment to write") {
        NotChosen::Unreadable(problem) | NotChosen::NotFound(problem) => problem,
    }
}

fn by(name: Option<&str>) -> Meant<'_> {
    Meant {
        kind: Kind::Deployment,
        name,
        namespace: None,
        variables: None,
    }
}

#[test]
fn namespace_and_variables_tell_which_one_is_meant() {
    let file = "kind: Deployment\nmetadata: {name: '${N}', namespace: staging}\n---\n\
                    kind: Deployment\nmetadata: {name: web, namespace: shop}\n";
    let variables = BTreeMap::from([("N".to_owned(), "web".to_owned())]);
    let chosen = |namespace: Option<&str>, filled: bool| {
        let meant = Meant {
            kind: Kind::Deployment,
            name: Some("web"),
            namespace,
            variables: Some(&variables).filter(|_| filled),
        };
        let chosen = choose(file.as_bytes(), meant).ok()?;
        Some(
            chosen.deployment["metadata"]["namespace"]
                .as_str()?
                .to_owned(),
        )
    };
    assert_eq!(chosen(Some("staging"), true).as_deref(), Some("staging"));
    assert_eq!(chosen(Some("shop"), true).as_deref(), Some("shop"));
    assert_eq!(chosen(None, true), None, "there are two");
    assert_eq!(chosen(None, false).as_deref(), Some("shop"));
    assert_eq!(chosen(Some("other"), true), None);
}

#[test]
fn the_deployment_is_found_and_the_rest_is_told() {
    let list = "kind: List\nitems:\n- kind: Deployment\n  metadata: {name: a}\n\
                    - kind: ConfigMap\n  metadata: {name: c}\n";
    for (text, name, expected, skipped) in [
        (deployment("a"), None, "a", vec![]),
        (deployment("a"), Some("a"), "a", vec![]),
        (deployment("a") + SERVICE, None, "a", vec!["Service/web"]),
        (
            SERVICE.to_owned() + &deployment("a"),
            None,
            "a",
            vec!["Service/web"],
        ),
        (
            deployment("a") + "---\n" + &deployment("b"),
            Some("b"),
            "b",
            vec!["Deployment/a"],
        ),
        (list.to_owned(), None, "a", vec!["ConfigMap/c"]),
        (
            r#"{"kind": "Deployment", "metadata": {"name": "a"}}"#.into(),
            None,
            "a",
            vec![],
        ),
        (
            "---\n# none\n---\n".to_owned() + &deployment("a"),
            None,
            "a",
            vec![],
        ),
    ] {
        let chosen = choose(text.as_bytes(), by(name)).unwrap_or_else(|why| panic!("{why:?}"));
        assert_eq!(chosen.deployment["metadata"]["name"], expected, "{text}");
        assert_eq!(chosen.skipped, skipped, "{text}");
    }
}

#[test]
fn a_file_without_the_one_deployment_is_refused() {
    let refused = |text: &str, name: Option<&str>| problem(choose(text.as_bytes(), by(name)));
    let two = deployment("a") + "---\n" + &deployment("b");
    insta::assert_snapshot!(refused("", None), @"is empty: it has no Deployment");
    insta::assert_snapshot!(refused(SERVICE, None), @"has no Deployment; it has `Service/web`");
    insta::assert_snapshot!(refused(SERVICE, Some("a")),
            @"has no Deployment; it has `Service/web`");
    insta::assert_snapshot!(refused("kind: Kustomization\nresources: [a.yaml]\n", None),
            @"is a Kustomization, which has no Deployment in it: run `kustomize build` in the build, and name the file that it writes");
    insta::assert_snapshot!(refused("kind: Deployment\n<<<<<<< HEAD\n", None),
            @"has the marks of a merge conflict (`<<<<<<<` in line 2): resolve it and commit the file");
    insta::assert_snapshot!(refused(&two, None),
            @"has several Deployments, `Deployment/a`, `Deployment/b`. One deploy is for one: name it by `deployment`");
    insta::assert_snapshot!(refused(&two, Some("c")),
            @"has no Deployment `c`; it has `Deployment/a`, `Deployment/b`");
    insta::assert_snapshot!(refused(&(deployment("a") + "---\n" + &deployment("a")), Some("a")),
            @"has 2 Deployments of the name `a`");
    insta::assert_snapshot!(refused("a: [\n", None), @r"is not valid YAML: unclosed bracket '[' (line 1)");
    insta::assert_snapshot!(refused("replicas: 1\n", None),
            @"has a document without a `kind`: each must be an object of Kubernetes. Templates (of Helm, say) must be rendered before");
    insta::assert_snapshot!(refused("- a\n", None),
            @"has a document without a `kind`: each must be an object of Kubernetes. Templates (of Helm, say) must be rendered before");
    assert!(choose(&[0xff, 0xfe], by(None)).is_err());
    let many = (0..20)
        .map(|number| format!("S/{number}"))
        .collect::<Vec<_>>();
    assert!(list(&many).ends_with("`S/9` and 10 more"));
}

#[test]
fn a_template_that_nobody_rendered_is_called_one() {
    let refused = |text: &str, name: Option<&str>| problem(choose(text.as_bytes(), by(name)));
    let helm = "looks like a Helm template that was not rendered (";
    for (text, place) in [
        (
            "{{- if .Values.enabled }}\nkind: Deployment\n{{- end }}\n",
            "`{{- if .Values.enabled }}` in line 1",
        ),
        (
            "kind: Deployment\nmetadata:\n  labels:\n    {{- include \"x\" . | nindent 4 }}\nspec: {}\n",
            "`{{- include \"x\" . | nindent 4 }}` in line 4",
        ),
        (
            "kind: Deployment\nspec:\n  replicas: {{ .Values.n }}\n",
            "`replicas: {{ .Values.n }}` in line 3",
        ),
        (
            "{{/* a helper */}}\n{{- define \"x\" -}}\nx\n{{- end -}}\n",
            "in line 1",
        ),
        (
            "kind: Deployment\nspec:\n  a:\n  {{- range .Values.x }}\n  - b\n  {{- end }}\n",
            "in line 4",
        ),
        (
            "kind: Deployment\n# a comment: {{ x }}\nname: a\n{{ toYaml . }}: x\n  c: d\n",
            "in line 4",
        ),
    ] {
        let problem = refused(text, None);
        assert!(
            problem.starts_with(helm) && problem.contains(place),
            "{problem}"
        );
        assert!(problem.contains("run `helm template`"), "{problem}");
    }
    let named = "kind: Deployment\nmetadata: {name: \"{{ .Release.Name }}\"}\n";
    assert!(refused(named, Some("web")).starts_with(helm));
    let jinja = "kind: Deployment\n{% if x %}\nspec: {}\n{% endif %}\n";
    assert!(refused(jinja, None).starts_with("looks like a Jinja template"));
    // Templates within texts are meant, and another fault is told as it is.
    let rules = "kind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: |\n    {{ define \"x\" }}\n    \
                     y\n  b: \"{{ $labels.x }}\"\n  c: 'it is {{ x }}'\n---\n";
    let fine = format!("{rules}{}", deployment("a"));
    assert!(choose(fine.as_bytes(), by(None)).is_ok());
    let broken = format!("{rules}a: [\n");
    assert!(refused(&broken, None).starts_with("is not valid YAML"));
}

#[test]
fn what_nobody_sees_is_named_beside_a_parsers_words() {
    for (text, told) in [
        (
            "kind: Deployment\nspec:\n  replicas:\u{a0}2\n  paused: false\n",
            "There is a no-break space (U+00A0) in line 3",
        ),
        (
            "kind: Deployment\nspec:\n\tx: 1\n\t- y\n",
            "There is a tab (U+0009) in line 3: indent by blanks",
        ),
    ] {
        let problem = problem(choose(text.as_bytes(), by(None)));
        assert!(problem.contains(told), "{problem}");
    }
}

fn variables(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    entries.iter().map(owned).collect()
}

#[test]
fn places_are_filled_in_strings_alone() {
    let given = variables(&[("A", "1"), ("B_2", "x\": [y]\n- ${A}")]);
    for (text, expected) in [
        ("${A}", "1"),
        ("v${A}.${A}", "v1.1"),
        ("$${A}", "${A}"),
        ("$${A} ${A}", "${A} 1"),
        ("$$${A}", "$${A}"),
        ("$(A) $A ${} ${A", "$(A) $A ${} ${A"),
        ("${A:-x} ${a.b}", "${A:-x} ${a.b}"),
        ("${B_2}", "x\": [y]\n- ${A}"),
        ("größe ${A} größe", "größe 1 größe"),
        ("$", "$"),
    ] {
        let mut object = json!({"text": text, "used": "${A}${B_2}", "${A}": [7, {"a": text}]});
        assert_eq!(fill(&mut object, &given), [], "{text}");
        assert_eq!(object["text"], expected, "{text}");
        assert_eq!(object["${A}"], json!([7, {"a": expected}]), "{text}");
    }
}

#[test]
fn every_fault_of_the_variables_is_found_at_once() {
    let mut object = json!({"spec": [{"image": "web:${TAG}"}], "a": "${A} ${MISSING}",
            "${KEY}": 1});
    let given = variables(&[("A", "1"), ("KEY", "k"), ("UNUSED", "u")]);
    let faults = fill(&mut object, &given);
    let lines = faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.problem));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
        manifest.a has `${MISSING}`, and `variables` has no MISSING. Where the text itself is meant, write `$${MISSING}`
        manifest.spec[0].image has `${TAG}`, and `variables` has no TAG. Where the text itself is meant, write `$${TAG}`
        variables.KEY has no place in the manifest: no string in it has `${KEY}` (keys are not filled)
        variables.UNUSED has no place in the manifest: no string in it has `${UNUSED}` (keys are not filled)
        "#);
}

#[test]
fn too_many_places_are_refused() {
    let text = "${A}".repeat(PLACES_LIMIT + 1);
    assert_eq!(fill(&mut json!([text]), &variables(&[("A", "1")])).len(), 1);
    let text = "${A}".repeat(20);
    let long = "x".repeat(100_000);
    assert_eq!(
        fill(&mut json!([text]), &variables(&[("A", &long)])).len(),
        1
    );
    let missing = "${B}".repeat(PLACES_LIMIT * 10);
    let faults = fill(&mut json!([missing]), &BTreeMap::new());
    assert_eq!(faults.len(), PLACES_LIMIT + 1);
}

#[test]
fn a_workload_of_another_kind_is_found_in_the_same_file() {
    let file = "kind: Deployment\nmetadata: {name: db}\n---\n\
                kind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 3}\n";
    let meant = |kind| Meant {
        kind,
        ..by(Some("db"))
    };
    let chosen = choose(file.as_bytes(), meant(Kind::StatefulSet)).unwrap();
    assert_eq!(chosen.deployment["spec"], json!({"replicas": 3}));
    assert_eq!(chosen.skipped, ["Deployment/db"]);
    assert_eq!(
        problem(choose(file.as_bytes(), meant(Kind::DaemonSet))),
        "has no DaemonSet; it has `Deployment/db`, `StatefulSet/db`"
    );
}
