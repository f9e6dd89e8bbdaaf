use super::*;
use crate::kubernetes::resource::SERVICES;
use crate::request::Parameters;
use crate::workload::Kind;
use serde_json::json;

#[test]
fn a_merge_patch_is_compared_field_by_field() {
    let service = json!({"metadata": {"name": "web", "annotations": {"a": "1"}},
        "spec": {"selector": {"app": "web"}, "replicas": 3}});
    for (patch, expected) in [
        (json!({"spec": {"selector": {"app": "web"}}}), None),
        (
            json!({"metadata": {"resourceVersion": "7", "uid": "u"}}),
            None,
        ),
        (
            json!({"metadata": {"annotations": {"b": null}}, "spec": {"paused": false}}),
            None,
        ),
        (
            json!({"spec": {"selector": {"color": "blue"}}}),
            Some(("spec.selector.color", "`blue`", None)),
        ),
        (
            json!({"metadata": {"annotations": {"a": null}}}),
            Some(("metadata.annotations.a", "absent", Some("`1`"))),
        ),
        (
            json!({"spec": {"replicas": 0}}),
            Some(("spec.replicas", "0", Some("3"))),
        ),
    ] {
        let call = Call::merge_patch(&SERVICES, "shop", "web", patch.clone());
        let found = fields(&call, &service);
        let found = found.as_ref().map(|kept| {
            (
                kept.field.as_str(),
                kept.wanted.as_str(),
                kept.found.as_deref(),
            )
        });
        assert_eq!(found, expected, "{patch}");
    }
    let other = Call::create(&SERVICES, "shop", json!({"spec": {"replicas": 1}}));
    assert_eq!(fields(&other, &service), None);
}

#[test]
fn a_version_is_kept_where_nothing_of_it_is_there() {
    let fields = json!({"deployment": "web", "images": {"app": "web:2"}});
    let request = Request::parse(&Parameters::Text(fields.to_string()), "new").unwrap();
    let live = |image: &str, generation: i64, job: &str| {
        Workload::new(
            Kind::Deployment,
            json!({"metadata": {"name": "web", "generation": generation,
            "annotations": {"landfall/job": job}},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [
                {"name": "app", "image": image}]}}}, "status": {"availableReplicas": 2}}),
        )
    };
    let before = live("web:1", 4, "old");
    for (after, is_kept, is_in_part) in [
        (live("web:2", 5, "new"), false, false),
        (live("web:1", 4, "old"), true, false),
        (live("web:1", 4, "new"), true, true),
        // Something was changed: the rollout looks at it itself.
        (live("web:3", 5, "new"), false, false),
    ] {
        let kept = version(&request, "new", Some(&before), &after);
        assert_eq!(kept.is_some(), is_kept);
        if let Some(kept) = kept {
            assert_eq!(kept.is_in_part, is_in_part);
            assert_eq!(kept.available, Some((2, 2)));
            assert_eq!(kept.field, "spec.template.spec.containers[app].image");
        }
    }
    assert!(undo(3, Some(&before), &before).is_some());
    assert!(undo(3, Some(&before), &live("web:0", 5, "new")).is_none());
}
