use super::*;
use serde_json::json;

#[test]
fn labels_match_as_the_server_reads_them() {
    let object = json!({"metadata": {"labels": {"app": "web", "tier": "front", "size": "2"}}});
    let rows = [
        ("app=web", true),
        ("app==web,tier=front", true),
        ("app=web,tier=back", false),
        ("app!=web", false),
        ("colour!=green", true),
        ("app in (web, api),tier notin (back)", true),
        ("app in (api)", false),
        ("app,!colour", true),
        ("colour", false),
        ("size>1,size<3", true),
        ("size>2", false),
        ("app=", false),
        ("", true),
    ];
    for (text, expected) in rows {
        let labels = Labels::parse(text).expect(text);
        assert_eq!(labels.match_object(&object), expected, "{text}");
    }
    let rows = [
        (
            "app is web",
            "unable to parse requirement: found 'is', expected: in, notin, =, ==, !=, gt, lt",
        ),
        (
            "app=not good",
            "found 'good', expected: ',' or 'end of string'",
        ),
        (
            "app in (web",
            "unable to parse requirement: found '', expected: ',' or ')'",
        ),
        (
            "=web",
            "found '=', expected: !, identifier, or 'end of string'",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(
            Labels::parse(text).err().as_deref(),
            Some(expected),
            "{text}"
        );
    }
}

#[test]
fn fields_are_known_or_refused() {
    let object = json!({"metadata": {"name": "web"}});
    let fields = Fields::parse("deployments", "metadata.name=web").expect("known");
    assert!(fields.match_object(&object));
    assert_eq!(fields.name(), Some("web"));
    assert!(
        !Fields::parse("pods", "metadata.name!=web")
            .expect("known")
            .match_object(&object)
    );
    assert!(Fields::parse("deployments", "spec.replicas=2").is_err());
}
