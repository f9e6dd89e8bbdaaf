use super::*;

fn rights(all: &[(Matter, &[&str])]) -> Rights {
    let mut rights = Rights::default();
    for (matter, verbs) in all {
        rights.grant(matter, verbs, &Reason::Objects);
    }
    rights
}

fn written(rights: &Rights) -> Vec<String> {
    let rule = |rule: &Rule| {
        let matters = rule.matters.iter().map(|matter| match matter {
            Matter::Resource {
                group,
                resource,
                names,
            } => {
                let names = names.iter().cloned().collect::<Vec<_>>();
                format!("{resource}.{group} {}", names.join(","))
                    .trim_end()
                    .to_owned()
            }
            Matter::Url(path) => path.clone(),
        });
        let matters = matters.collect::<Vec<_>>().join(" + ");
        format!("{matters}: {}", rule.verbs.join(","))
    };
    rights.rules().iter().map(rule).collect()
}

#[test]
fn resources_with_the_same_verbs_are_one_rule() {
    let rights = rights(&[
        (Matter::all("", "services"), &["patch", "get"]),
        (Matter::all("", "pods"), &["list"]),
        (Matter::all("", "configmaps"), &["get"]),
        (Matter::all("", "configmaps"), &["patch"]),
        (Matter::all("apps", "deployments"), &["get", "patch"]),
    ]);
    assert_eq!(
        written(&rights),
        [
            "configmaps. + services.: get,patch",
            "pods.: list",
            "deployments.apps: get,patch",
        ]
    );
}

#[test]
fn what_another_rule_grants_is_left_out() {
    let all = Matter::all("", "secrets");
    let one = Matter::named("", "secrets", ["a"]);
    let two = Matter::named("", "secrets", ["a", "b"]);
    for (given, expected) in [
        (
            vec![
                (all.clone(), &["get"][..]),
                (one.clone(), &["get", "patch"]),
            ],
            vec!["secrets.: get", "secrets. a: patch"],
        ),
        (
            vec![(one.clone(), &["get"][..]), (two.clone(), &["get"])],
            vec!["secrets. a,b: get"],
        ),
        (
            vec![(all.clone(), &["*"][..]), (one.clone(), &["get"])],
            vec!["secrets.: *"],
        ),
        (vec![(all.clone(), &["*", "get"][..])], vec!["secrets.: *"]),
        (
            vec![
                (Matter::all("*", "*"), &["get"][..]),
                (all.clone(), &["get", "list"]),
            ],
            vec!["secrets.: list", "*.*: get"],
        ),
        (
            vec![
                (Matter::Url("/metrics".into()), &["get"][..]),
                (Matter::Url("/healthz".into()), &["get"]),
                (Matter::all("*", "*"), &["get"]),
            ],
            vec!["*.*: get", "/healthz + /metrics: get"],
        ),
    ] {
        assert_eq!(written(&rights(&given)), expected);
    }
}

/// A right to some names is not one to all of them.
#[test]
fn a_narrow_right_replaces_no_wide_one() {
    let rights = rights(&[
        (Matter::named("", "secrets", ["a"]), &["get"]),
        (Matter::all("", "secrets"), &["get"]),
    ]);
    assert_eq!(written(&rights), ["secrets.: get"]);
}
