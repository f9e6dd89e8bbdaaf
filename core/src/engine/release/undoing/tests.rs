use super::*;

/// What stays needs no permission to be deleted.
#[test]
fn only_what_the_way_back_deletes_asks_for_the_permission() {
    for (group, kind, expected) in [
        ("", "ConfigMap", true),
        ("apps", "Deployment", true),
        ("rbac.authorization.k8s.io", "ClusterRole", true),
        ("batch", "Job", false),
        ("", "Namespace", false),
        ("", "PersistentVolumeClaim", false),
        ("storage.k8s.io", "StorageClass", false),
        ("apiextensions.k8s.io", "CustomResourceDefinition", false),
    ] {
        let id = ObjectId {
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: "x".to_owned(),
            ..ObjectId::default()
        };
        assert_eq!(is_deleted_on_the_way_back(&id), expected, "{kind}");
        let object = RecordedObject {
            id,
            api_version: "v1".to_owned(),
            plural: "things".to_owned(),
            wave: 0,
            stays: false,
            follow: true,
            left: false,
            had: 0,
            uid: None,
            manifest: Kept::Omitted,
            before: Before::Absent,
        };
        let back = back_to(&object, None);
        assert_eq!(back == Some(BackTo::Nothing), expected, "{kind}");
        let may_go = back == Some(BackTo::NothingUnlessRan);
        assert_eq!(may_go, kind == "Job", "{kind}");
    }
}
