use super::*;

#[test]
fn a_field_is_of_the_file_that_it_was_read_from() {
    let member = |path: &str| {
        Some(FileReference {
            artifact: None,
            path: path.to_owned(),
        })
    };
    let file = |artifact: &str| {
        Some(File {
            artifact: artifact.to_owned(),
            ..File::default()
        })
    };
    let wanted = Wanted {
        manifest: member("k8s/a.yaml"),
        images: member("b.json"),
        ..Wanted::default()
    };
    let files = Files {
        manifest: file("Source"),
        images: None,
        ..Files::default()
    };
    let origin = Origin::new(&wanted, &files);
    let manifest = Some("`k8s/a.yaml` in artifact `Source`");
    for (field, expected, touches) in [
        ("manifest.spec.selector", manifest, true),
        ("manifest.metadata.name", None, true),
        ("manifest", None, true),
        ("variables.A", None, true),
        ("images.web", None, false),
        ("manifests.x", None, false),
        ("timeout", None, false),
    ] {
        assert_eq!(origin.of(field), expected, "{field}");
        assert_eq!(origin.touches(field), touches, "{field}");
    }
    assert_eq!(Origin::default().of("manifest.spec"), None);
    assert!(!Origin::default().touches("manifest.spec"));
}
