use crate::request::PrunePolicy::{Allowed, Never};
use crate::request::release::tests::of;

fn object(kind: &str, annotations: &str) -> String {
    let version = match kind {
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "Job" => "batch/v1",
        _ => "v1",
    };
    format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a, annotations: \
         {{{annotations}}}}}\n"
    )
}

#[test]
fn annotations_say_how_an_object_is_applied() {
    for (kind, annotations, expected) in [
        ("ConfigMap", "", (0, Allowed, true, false)),
        (
            "ConfigMap",
            "a: b, other/wave: x",
            (0, Allowed, true, false),
        ),
        (
            "ConfigMap",
            "landfall/wave: '-1'",
            (-1, Allowed, true, false),
        ),
        (
            "ConfigMap",
            "landfall/wave: ' 10 '",
            (10, Allowed, true, false),
        ),
        (
            "ConfigMap",
            "landfall/wave: '+2'",
            (2, Allowed, true, false),
        ),
        (
            "ConfigMap",
            "landfall/prune: never",
            (0, Never, true, false),
        ),
        (
            "ConfigMap",
            "landfall/prune: always",
            (0, Allowed, true, false),
        ),
        (
            "ConfigMap",
            "helm.sh/resource-policy: keep",
            (0, Never, true, false),
        ),
        (
            "ConfigMap",
            "landfall/follow: 'no'",
            (0, Allowed, false, false),
        ),
        (
            "ConfigMap",
            "landfall/follow: 'yes'",
            (0, Allowed, true, false),
        ),
        (
            "ConfigMap",
            "landfall/recreate: 'yes'",
            (0, Allowed, true, true),
        ),
        (
            "ConfigMap",
            "landfall/recreate: 'no'",
            (0, Allowed, true, false),
        ),
        ("Namespace", "", (0, Never, true, false)),
        ("PersistentVolume", "", (0, Never, true, false)),
        ("PersistentVolumeClaim", "", (0, Never, true, false)),
        ("CustomResourceDefinition", "", (0, Never, true, false)),
        (
            "Namespace",
            "landfall/prune: always",
            (0, Allowed, true, false),
        ),
        (
            "CustomResourceDefinition",
            "helm.sh/resource-policy: keep",
            (0, Never, true, false),
        ),
    ] {
        let read = of(&object(kind, annotations)).unwrap();
        let it = &read.manifests[0];
        assert_eq!(
            (it.wave, it.prune, it.follow, it.recreate),
            expected,
            "{kind} {annotations}"
        );
    }
}

#[test]
fn wrong_annotations_are_faults() {
    for (annotations, field, words) in [
        ("landfall/wave: -1", "landfall/wave", "put it in quotes"),
        ("landfall/wave: first", "landfall/wave", "\"-1\""),
        ("landfall/wave: '1.5'", "landfall/wave", "an integer"),
        ("landfall/wave: ''", "landfall/wave", "an integer"),
        (
            "landfall/wave: '99999999999'",
            "landfall/wave",
            "an integer",
        ),
        (
            "landfall/prune: 'no'",
            "landfall/prune",
            "\"always\" or \"never\"",
        ),
        (
            "landfall/prune: false",
            "landfall/prune",
            "put it in quotes",
        ),
        ("landfall/follow: no", "landfall/follow", "put it in quotes"),
        (
            "landfall/follow: never",
            "landfall/follow",
            "\"yes\" or \"no\"",
        ),
        (
            "landfall/recreate: 'true'",
            "landfall/recreate",
            "\"yes\" or \"no\"",
        ),
        (
            "landfall/waves: '1'",
            "landfall/waves",
            "did you mean `landfall/wave`",
        ),
        (
            "landfall.wave: '1'",
            "landfall.wave",
            "did you mean `landfall/wave`",
        ),
    ] {
        let faults = of(&object("ConfigMap", annotations)).unwrap_err();
        let field = format!(" .metadata.annotations.{field}: ");
        let is_told = faults.len() == 1 && faults[0].contains(&field) && faults[0].contains(words);
        assert!(is_told, "{annotations} {faults:?}");
    }
}

#[test]
fn hooks_of_charts_are_listed_and_not_applied() {
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\n";
    for (kind, annotations, expected) in [
        (
            "Job",
            "helm.sh/hook: 'pre-install,pre-upgrade'",
            Some(
                "Job/a (pre-install,pre-upgrade; to run it in the release, give it \
                landfall/wave: \"-1\")",
            ),
        ),
        (
            "Job",
            "helm.sh/hook: post-install",
            Some("Job/a (post-install; to run it in the release, give it landfall/wave: \"1\")"),
        ),
        (
            "ConfigMap",
            "helm.sh/hook: pre-install",
            Some("ConfigMap/a (pre-install)"),
        ),
        ("Pod", "helm.sh/hook: test", Some("Pod/a (test)")),
        (
            "Job",
            "helm.sh/hook: pre-delete",
            Some("Job/a (pre-delete)"),
        ),
        (
            "Job",
            "helm.sh/hook: 'pre-rollback'",
            Some("Job/a (pre-rollback)"),
        ),
        (
            "Job",
            "helm.sh/hook: test, landfall/wave: '1'",
            Some("Job/a (test)"),
        ),
        (
            "Job",
            "helm.sh/hook: pre-upgrade, landfall/wave: '-1'",
            None,
        ),
        (
            "CustomResourceDefinition",
            "helm.sh/hook: crd-install",
            None,
        ),
        ("Job", "helm.sh/hook-weight: '1'", None),
    ] {
        let read = of(&format!("{other}{}", object(kind, annotations))).unwrap();
        let applied = 1 + usize::from(expected.is_none());
        assert_eq!(read.manifests.len(), applied, "{annotations}");
        let expected = expected.map(str::to_owned).into_iter().collect::<Vec<_>>();
        assert_eq!(read.hooks, expected, "{annotations}");
    }
}
