use super::*;
use crate::kubernetes::resource::DEPLOYMENTS;
use crate::tests;
use serde_json::json;

fn all() -> Vec<Sought> {
    vec![
        Sought::Service,
        Sought::ServiceAgain,
        Sought::Preview,
        Sought::Deployment("web".into()),
        Sought::Versions,
        Sought::ReplicaSets("app=web".into()),
        Sought::Members("app=web".into()),
        Sought::Autoscalers,
        Sought::Endpoints("web".into()),
        Sought::Permission(Permission::SCALE),
        Sought::Trial(Box::new(
            Call::create(&DEPLOYMENTS, "shop", json!({})).dry_run(),
        )),
        smoke(None),
    ]
}

fn smoke(contains: Option<&str>) -> Sought {
    Sought::Smoke {
        target: "front-preview:80".into(),
        path: "/health".into(),
        contains: contains.map(str::to_owned),
    }
}

#[test]
fn each_look_is_a_read_and_is_taken_in() {
    let fields = json!({"deployment": "web", "namespace": "shop", "service": "front",
            "strategy": "blueGreen", "restart": true});
    let request = tests::request("job", &fields);
    let paths = [
        "/api/v1/namespaces/shop/services/front",
        "/api/v1/namespaces/shop/services/front",
        "/api/v1/namespaces/shop/services/front-preview",
        "/apis/apps/v1/namespaces/shop/deployments/web",
        "/apis/apps/v1/namespaces/shop/deployments",
        "/apis/apps/v1/namespaces/shop/replicasets",
        "/api/v1/namespaces/shop/pods",
        "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
        "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/apps/v1/namespaces/shop/deployments",
        "/api/v1/namespaces/shop/services/front-preview:80/proxy/health",
    ];
    for (sought, path) in all().iter().zip(paths) {
        let call = sought.call(&request);
        assert_eq!(call.path, path, "{sought:?}");
        assert!(!call.changes());
        let answer = match sought.shape() {
            Shape::One => Answer::One(None),
            Shape::List => Answer::List(Vec::new()),
            Shape::Text => Answer::Text(Ok(String::new())),
        };
        let mut scene = Scene::default();
        scene.take(sought, answer);
        assert_ne!(scene, Scene::default(), "{sought:?}");
    }
}

#[test]
fn a_smoke_test_passes_or_says_what_is_wrong() {
    let ok = || Ok("all ok".to_owned());
    for (contains, text, expected) in [
        (None, ok(), Ok(())),
        (Some("ok"), ok(), Ok(())),
        (
            Some("fine"),
            ok(),
            Err("its answer does not contain `fine`"),
        ),
        (None, Err("HTTP 500".to_owned()), Err("HTTP 500")),
    ] {
        let mut scene = Scene::default();
        scene.take(&smoke(contains), Answer::Unanswered("no endpoints".into()));
        assert_eq!((scene.smoke.tries, scene.smoke.unanswered), (0, 1));
        scene.smoke.unanswered = 0;
        scene.take(&smoke(contains), Answer::Text(text));
        assert_eq!(scene.smoke.tries, 1);
        assert_eq!(scene.smoke.last, Some(expected.map_err(str::to_owned)));
        // What passed is not asked again; what failed is.
        let passed = expected.is_ok().then_some(Ok(()));
        assert_eq!(
            scene.forgotten().smoke,
            Smoked {
                tries: 1,
                unanswered: 0,
                last: passed
            }
        );
    }
}

#[test]
fn pods_that_are_over_are_no_members() {
    let pod = |phase: &str| json!({"metadata": {"name": phase}, "status": {"phase": phase}});
    let pods = ["Running", "Failed", "Succeeded", "Pending"].map(pod);
    let mut scene = Scene::default();
    scene.take(&Sought::Members("x".into()), Answer::List(pods.to_vec()));
    let names = scene.members["x"].iter().map(|member| &*member.name);
    assert_eq!(names.collect::<Vec<_>>(), ["Running", "Pending"]);
}

#[test]
fn what_stirs_the_candidate_leaves_the_rest() {
    let mut scene = Scene::default();
    for sought in all() {
        scene.take(
            &sought,
            match sought.shape() {
                Shape::One => Answer::One(Some(json!({}))),
                Shape::List => Answer::List(Vec::new()),
                Shape::Text => Answer::Text(Ok(String::new())),
            },
        );
    }
    scene.left.push(("old".into(), "no right".into()));
    let stirred = scene.clone().stirred();
    assert!(stirred.members.is_empty() && stirred.endpoints.is_empty() && !stirred.rechecked);
    assert!(stirred.service.is_some() && stirred.versions.is_some());
    let forgotten = scene.clone().forgotten();
    let expected = Scene {
        smoke: scene.smoke,
        left: scene.left,
        ..Scene::default()
    };
    assert_eq!(forgotten, expected);
}
