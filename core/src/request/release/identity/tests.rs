use crate::request::release::tests::of;

#[test]
fn names_follow_the_rule_of_their_kind() {
    let object = |version: &str, kind: &str, metadata: &str| {
        format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{{metadata}}}\n")
    };
    let long = |count: usize| format!("name: {}", "x".repeat(count));
    let rights = "rbac.authorization.k8s.io/v1";
    for (version, kind, metadata) in [
        ("v1", "Service", "name: web"),
        ("v1", "ConfigMap", "name: a.b-c.d"),
        ("v1", "ConfigMap", &long(253)),
        ("v1", "Namespace", &long(63)),
        ("v1", "ConfigMap", "name: '1'"),
        ("v1", "ConfigMap", "name: a, namespace: shop"),
        ("v1", "ConfigMap", "name: a, namespace: ''"),
        ("v1", "ConfigMap", "name: a, generateName: a-"),
        (rights, "ClusterRole", "name: 'system:metrics-server'"),
        (rights, "RoleBinding", "name: 'a:b.c_D@e'"),
        ("example.com/v1alpha1", "Menu", "name: a"),
        ("a.b.example.com/v2", "X", "name: a"),
    ] {
        let read = of(&object(version, kind, metadata));
        assert!(read.is_ok(), "{version} {kind} {metadata}: {read:?}");
    }
    for (version, kind, metadata, field, words) in [
        ("v1", "Service", "name: a.b", ".metadata.name", "at most 63"),
        (
            "v1",
            "Namespace",
            &*long(64),
            ".metadata.name",
            "at most 63",
        ),
        (
            "v1",
            "ConfigMap",
            &*long(254),
            ".metadata.name",
            "at most 253",
        ),
        (
            "v1",
            "ConfigMap",
            "name: A",
            ".metadata.name",
            "not a valid Kubernetes name",
        ),
        ("v1", "ConfigMap", "name: ''", ".metadata.name", "is empty"),
        (
            "v1",
            "ConfigMap",
            "name: 1",
            ".metadata.name",
            "a number: put it in quotes",
        ),
        (
            "v1",
            "ConfigMap",
            "name: a/b",
            ".metadata.name",
            "not a valid",
        ),
        ("v1", "ConfigMap", "name: '${X}'", ".metadata.name", "${X}"),
        (
            "v1",
            "ConfigMap",
            "name: '#{a.b}'",
            ".metadata.name",
            "did not fill in",
        ),
        (
            "v1",
            "ConfigMap",
            "labels: {}",
            ".metadata.name",
            "is missing",
        ),
        (
            "v1",
            "Pod",
            "generateName: a-",
            ".metadata.generateName",
            "one more object",
        ),
        (
            "v1",
            "ConfigMap",
            "name: a, namespace: a.b",
            ".metadata.namespace",
            "at most 63",
        ),
        (
            "v1",
            "ConfigMap",
            "name: a, namespace: 7",
            ".metadata.namespace",
            "a number",
        ),
        (
            rights,
            "Role",
            "name: a/b",
            ".metadata.name",
            "name of a Role",
        ),
        (
            rights,
            "Role",
            "name: 'a b'",
            ".metadata.name",
            "name of a Role",
        ),
        (
            rights,
            "Role",
            "name: '..'",
            ".metadata.name",
            "name of a Role",
        ),
        ("apps", "a", "name: a", ".kind", "a capital first"),
        ("v1", "deployment", "name: a", ".kind", "a capital first"),
        ("v1", "A/B", "name: a", ".kind", "letters and digits"),
        ("apps/v1/x", "A", "name: a", ".apiVersion", "`apps/v1`"),
        ("'../v1'", "A", "name: a", ".apiVersion", "`../v1`"),
        ("V1", "A", "name: a", ".apiVersion", "`V1`"),
        ("1", "A", "name: a", ".apiVersion", "a number"),
        ("''", "A", "name: a", ".apiVersion", "is ``"),
        ("null", "A", "name: a", ".apiVersion", "is missing"),
        ("v1", "null", "name: a", ".kind", "is missing"),
    ] {
        let faults = of(&object(version, kind, metadata)).unwrap_err();
        assert_eq!(faults.len(), 1, "{version} {kind} {metadata}: {faults:?}");
        let is_told = faults[0].contains(&format!(" {field}: ")) && faults[0].contains(words);
        assert!(is_told, "{version} {kind} {metadata}: {faults:?}");
        assert!(faults[0].starts_with("k8s/a.yaml:1 "), "{faults:?}");
    }
}
