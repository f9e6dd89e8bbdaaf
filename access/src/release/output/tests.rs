use super::*;
use landfall_core::formats::yaml;
use serde_json::{Value, json};

fn plan(prune: bool) -> Plan<'static> {
    Plan {
        release: "web",
        namespace: "shop",
        prune,
        rollback: true,
    }
}

fn needs() -> Needs {
    let mut needs = Needs::default();
    let mut rights = Rights::default();
    let all = Matter::all("", "secrets");
    rights.grant(&all, &["get", "list"], &Reason::Records("web".into()));
    rights.grant(&Matter::all("", "configmaps"), &["get"], &Reason::Objects);
    rights.grant(
        &Matter::all("*", "*"),
        &["*"],
        &Reason::Held("Role/all".into()),
    );
    let mut cluster = Rights::default();
    let named = Matter::named("", "namespaces", ["on", "0777"]);
    cluster.grant(&named, &["patch"], &Reason::Named);
    cluster.grant(
        &Matter::Url("/metrics".into()),
        &["get"],
        &Reason::Held("ClusterRole/x".into()),
    );
    needs.rights.insert(Some("shop".into()), rights);
    needs.rights.insert(None, cluster);
    needs
}

fn written(needs: &Needs, prune: bool) -> String {
    text(&plan(prune), needs, "tools", "landfall-access --for k8s")
}

#[test]
fn it_is_yaml_of_roles_with_their_bindings() {
    let mut documents = Vec::new();
    yaml::read(&written(&needs(), true), |document: Value| {
        documents.push(document);
    })
    .unwrap();
    let kinds = documents.iter().map(|it| it["kind"].as_str().unwrap());
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
    );
    assert_eq!(
        documents[0]["metadata"],
        json!({"name": "landfall-release-shop.web"})
    );
    assert_eq!(
        documents[0]["rules"],
        json!([{"apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["0777", "on"],
                "verbs": ["patch"]},
            {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}])
    );
    let metadata = json!({"name": "landfall-release-web", "namespace": "shop"});
    assert_eq!(documents[2]["metadata"], metadata);
    // All of it is allowed by the last one, so the others are left out.
    assert_eq!(
        documents[2]["rules"],
        json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])
    );
    assert_eq!(
        documents[3]["roleRef"],
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
            "name": "landfall-release-web"})
    );
    assert_eq!(
        documents[3]["subjects"],
        json!([{"kind": "ServiceAccount", "name": "landfall", "namespace": "tools"},
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "landfall"}])
    );
}

#[test]
fn comments_say_what_is_for_what_and_fit_on_a_screen() {
    let mut needs = needs();
    needs.brought = vec!["shop".into(), "elsewhere".into()];
    needs.notes = vec!["ClusterRole/y in a.yaml collects others.".into()];
    let text = written(&needs, false);
    assert!(
        text.lines().all(|line| line.chars().count() <= WIDTH),
        "{text}"
    );
    let unbroken = text.replace("\n# ", " ");
    for words in [
        "#   landfall-access --for k8s\n",
        "For releases with `prune`, add --prune.",
        "kubectl create namespace shop",
        "ClusterRole/y in a.yaml collects others.",
        "instead of `escalate`",
    ] {
        assert!(
            text.contains(words) || unbroken.contains(words),
            "{words}: {text}"
        );
    }
    // No Role is for it, so it need not be there.
    assert!(!text.contains("namespace elsewhere"), "{text}");
    assert!(!written(&needs, true).contains("add --prune"));
}

#[test]
fn a_text_stays_a_text() {
    for (text, expected) in [
        ("deployments", "deployments"),
        ("pods/log", "pods/log"),
        ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io"),
        ("", "\"\""),
        ("*", "\"*\""),
        ("on", "\"on\""),
        ("y", "\"y\""),
        ("1e3", "\"1e3\""),
        ("system:node", "\"system:node\""),
        ("a\"b", "\"a\\\"b\""),
    ] {
        assert_eq!(scalar(text), expected);
    }
}
