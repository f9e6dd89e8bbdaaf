use super::*;

fn target(namespace: &str, home: &str) -> Target {
    Target {
        context: String::new(),
        namespace: namespace.into(),
        home: home.into(),
        server: String::new(),
        ca: None,
        warnings: Vec::new(),
    }
}

fn grant(outlook_lines: &str) -> Grant {
    Grant {
        file: "deploy/rbac.yaml".into(),
        text: String::new(),
        outlook: outlook(outlook_lines),
        difference: Vec::new(),
    }
}

#[test]
fn what_is_there_is_known_by_each_object() {
    for (lines, is_there) in [
        ("serviceaccount/landfall unchanged (server dry run)\n", true),
        (
            "a/b unchanged (server dry run)\nc/d configured (server dry run)\n",
            false,
        ),
        ("a/b created (server dry run)\n", false),
        ("", false),
    ] {
        assert_eq!(grant(lines).is_there(), is_there, "{lines}");
    }
}

#[test]
fn what_was_only_tried_is_not_said_to_be_done() {
    let lines = "serviceaccount/landfall created (server dry run)\n\
                 role/landfall configured (server dry run)\n\
                 role/created unchanged (server dry run)\n";
    let mut grant = grant(lines);
    grant.difference = vec!["+  - created".to_owned()];
    assert_eq!(
        grant.foreseen(),
        [
            "serviceaccount/landfall would be created",
            "role/landfall would be configured",
            "role/created unchanged",
            "+  - created"
        ]
    );
}

#[test]
fn the_namespace_is_put_in_as_the_heads_of_the_files_say() {
    let (tools, grant) = (Tools::default(), grant(""));
    assert_eq!(
        grant.typed(&tools, &target("shop", "shop")),
        "sed 's/namespace: default$/namespace: shop/' deploy/rbac.yaml | kubectl apply -f -"
    );
    assert_eq!(
        grant.typed(&tools, &target("default", "default")),
        "kubectl apply -f deploy/rbac.yaml"
    );
    assert_eq!(
        fitted("a:\n  namespace: default\n", &target("shop", "shop")).unwrap(),
        "a:\n  namespace: shop\n"
    );
    assert!(fitted("a:\n  namespace: web\n", &target("shop", "shop")).is_err());
}

/// What is printed to be typed does to the files of `deploy/` what is done.
#[test]
fn a_further_namespace_is_granted_to_the_account_there_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    for (file, kinds) in [
        (BASE, ["kind: Role", "kind: RoleBinding"]),
        ("rbac-switching.yaml", ["kind: Role", "kind: RoleBinding"]),
    ] {
        let path = folder.join(file).display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        for (namespace, home) in [("web", "shop"), ("web", "default"), ("default", "shop")] {
            let target = target(namespace, home);
            let fitted = fitted(&text, &target).unwrap();
            let lines = |start: &str| {
                let lines = fitted.lines().filter(|line| line.starts_with(start));
                lines.map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(lines("kind:"), kinds, "{file}");
            let namespaces = [namespace, namespace, home];
            let expected = namespaces.map(|name| format!("  namespace: {name}"));
            assert_eq!(lines("  namespace:"), expected, "{file}");
            let grant = Grant {
                file: path.clone(),
                ..grant("")
            };
            let command = format!("sed {} {}", grant.edits(&target), quoted(&path));
            let typed = std::process::Command::new("sh")
                .args(["-c", &command])
                .output()
                .unwrap();
            let typed = String::from_utf8(typed.stdout).unwrap();
            assert_eq!(typed.trim(), fitted.trim(), "{command}");
        }
    }
}

#[test]
fn a_binding_that_awaits_its_role_is_no_failure() {
    let awaits = "Error from server (NotFound): error when creating \"STDIN\": \
            roles.rbac.authorization.k8s.io \"landfall\" not found";
    let namespace = "Error from server (NotFound): error when creating \"STDIN\": namespaces \
            \"shop\" not found";
    let forbidden = "Error from server (Forbidden): roles.rbac.authorization.k8s.io \
            \"landfall\" is forbidden";
    assert!(awaits_its_role(awaits));
    for said in [namespace, forbidden, "", &format!("{awaits}\n{forbidden}")] {
        assert!(!awaits_its_role(said), "{said}");
    }
}

#[test]
fn a_difference_has_its_surroundings() {
    let printed = "diff -u -N /tmp/LIVE-1/r /tmp/MERGED-2/r\n--- /tmp/LIVE-1/r\t2026\n\
            +++ /tmp/MERGED-2/r\t2026\n@@ -1,2 +1,3 @@\n-  generation: 1\n+  generation: 2\n \
            rules:\n+- verbs: [get]\n-- verbs: [list]\n";
    assert_eq!(
        difference(printed),
        [" rules:", "+- verbs: [get]", "-- verbs: [list]"]
    );
}

#[test]
fn files_by_what_is_wanted() {
    let options = |switching, rotation| Options {
        switching,
        rotation,
        ..Options::default()
    };
    for (options, expected) in [
        (options(false, None), vec!["rbac", "token-secret"]),
        (
            options(true, None),
            vec!["rbac", "rbac-switching", "token-secret"],
        ),
        (
            options(true, Some(600)),
            vec!["rbac", "rbac-switching", "rbac-rotation"],
        ),
        (options(false, Some(600)), vec!["rbac", "rbac-rotation"]),
        (
            Options {
                for_account: Some("shop".into()),
                ..options(true, None)
            },
            vec!["rbac", "rbac-switching"],
        ),
        (
            Options {
                workloads: true,
                ..options(true, Some(600))
            },
            vec!["rbac", "rbac-switching", "rbac-workloads", "rbac-rotation"],
        ),
    ] {
        let expected: Vec<_> = expected.iter().map(|name| format!("{name}.yaml")).collect();
        assert_eq!(files(&options), expected);
    }
}
