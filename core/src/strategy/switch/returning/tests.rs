use super::*;
use crate::snapshot::Snapshot;
use crate::state::continuation::Continuation;
use crate::tests::{merge, request};
use crate::workload::Kind;

/// One of the family: its version, image and notes.
fn one(version: &str, image: &str, notes: Value) -> Workload {
    let (name, labels) = match version {
        "" => ("web".to_owned(), json!({"app": "web"})),
        version => (
            format!("web-{version}"),
            json!({"app": "web", "landfall/version": version}),
        ),
    };
    let mut object = json!({
        "metadata": {"name": name, "annotations": {"landfall/deployed-at": "2026-01-01T00:00:00Z"}},
        "spec": {"selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "app", "image": image}]}}}});
    merge(&mut object["metadata"]["annotations"], &notes);
    Workload::new(Kind::Deployment, object)
}

fn service(from: &str, to: &str, more: Value) -> Service {
    let mut notes = json!({"landfall/from": from, "landfall/to": to,
        "landfall/deployed-at": "2026-01-01T01:00:00Z"});
    merge(&mut notes, &more);
    Service::new(json!({"metadata": {"name": "web", "annotations": notes}}))
}

fn candidate(
    more: Value,
    service: &Service,
    live: &Workload,
    all: &[&Workload],
) -> Result<Candidate, String> {
    let mut fields = json!({"deployment": "web", "mode": "rollback", "execution": "run-9",
        "strategy": "blueGreen", "service": "web"});
    merge(&mut fields, &more);
    let request = request("job-9", &fields);
    let now = "2026-01-01T02:00:00Z".parse().unwrap();
    let continuation = Continuation::begin("job-9", now, request.timeout);
    let known = Known {
        request: &request,
        continuation: &continuation,
        snapshot: &Snapshot::default(),
        now,
    };
    let context = Context::of(&known).unwrap();
    context.rendered(service, live, all).map_err(|faults| {
        let fault = &faults[0];
        format!("{} {}", fault.field, fault.problem)
    })
}

/// The name under which a version is brought back, and its image.
fn back(
    more: Value,
    service: &Service,
    live: &Workload,
    all: &[&Workload],
) -> Result<(String, String), String> {
    let found = candidate(more, service, live, all)?;
    let request = request(
        "job-9",
        &json!({"deployment": "web", "restart": true, "strategy": "blueGreen",
            "service": "web", "execution": "run-9"}),
    );
    let object = found.create(&request, live, &crate::tests::author());
    let image = object["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
    Ok((found.name, image.unwrap_or_default().to_owned()))
}

fn is(name: &str, image: &str) -> Result<(String, String), String> {
    Ok((name.into(), image.into()))
}

#[test]
fn what_served_before_the_last_switch_comes_back() {
    let (plain, blue) = (one("", "app:1", json!({})), one("blue", "app:2", json!({})));
    let green = one("green", "app:3", json!({}));
    let all = [&plain, &blue, &green];
    let last = service("web-blue", "web-green", json!({"landfall/served": "web"}));
    assert_eq!(
        back(json!({}), &last, &green, &all),
        is("web-blue", "app:2")
    );
    // The plain one's version goes into the idle one: it has no label of its own.
    let first = service("web", "web-blue", json!({}));
    assert_eq!(
        back(json!({}), &first, &blue, &[&plain, &blue]),
        is("web-green", "app:1")
    );
    // The last switch was taken back: what served before that one counts.
    let failed = service("web-blue", "web-green", json!({"landfall/served": "web"}));
    assert_eq!(
        back(json!({}), &failed, &blue, &all),
        is("web-green", "app:1")
    );
}

#[test]
fn an_immutable_version_comes_back_under_its_name() {
    let digest = json!({"landfall/digest": "0123456789abcdef"});
    let (plain, old) = (
        one("", "app:1", json!({})),
        one("0123456789", "app:2", digest),
    );
    let live = one("fedcba9876", "app:3", json!({}));
    let immutable = json!({"strategy": "immutable"});
    let last = service("web-0123456789", "web-fedcba9876", json!({}));
    let all = [&plain, &old, &live];
    let found = candidate(immutable.clone(), &last, &live, &all).unwrap();
    assert_eq!(found.name, "web-0123456789");
    assert_eq!(
        found.digest, "0123456789abcdef",
        "a later deploy knows it again"
    );
    // It failed when it was deployed again since: it did serve, and its name is its version.
    let sick = one(
        "0123456789",
        "app:2",
        json!({"landfall/rolled-back": "job-5"}),
    );
    let all = [&plain, &sick, &live];
    let found = candidate(immutable, &last, &live, &all).unwrap();
    assert_eq!(found.name, "web-0123456789");
}

/// Of two Deployments that take turns the idle one may have another version since.
#[test]
fn a_version_that_was_written_over_is_not_taken_for_what_served() {
    let plain = one("", "app:1", json!({}));
    let green = one("green", "app:3", json!({}));
    let last = service("web-blue", "web-green", json!({}));
    let failed = one(
        "blue",
        "app:4",
        json!({"landfall/rolled-back": "job-5", "landfall/execution": "run-5"}),
    );
    let told = back(json!({}), &last, &green, &[&plain, &failed, &green]).unwrap_err();
    insta::assert_snapshot!(told, @"mode is `rollback`, and the version that served before is lost: execution run-5 has written another one, which failed, into `web-blue`. Deploy that version again, or name one by `to`; the other versions are `web` (app:1) and `web-blue` (app:4)");
    // Its deploy died before the switch.
    let unseen = one(
        "blue",
        "app:4",
        json!({"landfall/deployed-at": "2026-01-01T02:00:00Z"}),
    );
    assert!(back(json!({}), &last, &green, &[&plain, &unseen, &green]).is_err());
    // A rollback of it that failed or died has left it as it was.
    let again = one(
        "blue",
        "app:2",
        json!({"landfall/deployed-at": "2026-01-01T02:00:00Z", "landfall/rolled-back": "job-5",
            "landfall/returned-to": "web-blue@0123456789abcdef"}),
    );
    let all = [&plain, &again, &green];
    assert_eq!(
        back(json!({}), &last, &green, &all),
        is("web-blue", "app:2")
    );
    // Another one's version was put into it.
    let other = one(
        "blue",
        "app:1",
        json!({"landfall/deployed-at": "2026-01-01T02:00:00Z",
            "landfall/returned-to": "web@0123456789abcdef"}),
    );
    assert!(back(json!({}), &last, &green, &[&plain, &other, &green]).is_err());
    // It failed after its switch, over the one that had served before.
    let taken_back = service(
        "web-green",
        "web-blue",
        json!({"landfall/served": "web-blue,web"}),
    );
    let over = one("blue", "app:4", json!({}));
    assert!(back(json!({}), &taken_back, &green, &[&plain, &over, &green]).is_err());
    // What is named is taken whatever became of it.
    let named = json!({"to": "web"});
    assert_eq!(
        back(named, &last, &green, &[&plain, &failed, &green]),
        is("web-blue", "app:1")
    );
}

#[test]
fn a_version_is_named_by_deployment_version_or_image() {
    let (plain, blue) = (one("", "app:1", json!({})), one("blue", "app:2", json!({})));
    let green = one("green", "app:3", json!({}));
    let last = service("web-blue", "web-green", json!({}));
    let all = [&plain, &blue, &green];
    for to in ["web-blue", "blue", "app:2"] {
        let found = back(json!({"to": to}), &last, &green, &all);
        assert_eq!(found, is("web-blue", "app:2"), "{to}");
    }
    // It serves: there is nothing to do.
    for to in ["web-green", "green", "app:3"] {
        let found = candidate(json!({"to": to}), &last, &green, &all).unwrap();
        assert!(found.is_live(&green), "{to}");
    }
    let told = back(json!({"to": 7}), &last, &green, &all).unwrap_err();
    insta::assert_snapshot!(told, @"to is `7`, and no Deployment of `web` has that name, version or image; the other versions are `web` (app:1) and `web-blue` (app:2)");
    let twin = one("", "app:2", json!({}));
    let told = back(
        json!({"to": "app:2"}),
        &last,
        &green,
        &[&twin, &blue, &green],
    )
    .unwrap_err();
    insta::assert_snapshot!(told, @"to is `app:2`, which is the image of `web` and `web-blue`: name one of these Deployments");
}

#[test]
fn where_nothing_served_before_that_is_told() {
    let plain = one("", "app:1", json!({}));
    let fresh = Service::new(json!({"metadata": {"name": "web"}}));
    let told = back(json!({}), &fresh, &plain, &[&plain]).unwrap_err();
    insta::assert_snapshot!(told, @"mode is `rollback`, and Service `web` was never switched from another version to `web`. To roll a Deployment back to an earlier revision of its own, use the strategy `rolling`");
    let blue = one("blue", "app:2", json!({}));
    let gone = service("web", "web-blue", json!({}));
    let told = back(json!({}), &gone, &blue, &[&blue]).unwrap_err();
    insta::assert_snapshot!(told, @"mode is `rollback`, and `web`, which served before, no longer exists. Deploy that version again, or name another one by `to`; there is no version beside `web-blue`");
}

/// A retry has the same execution, and what it brought back serves; another execution goes on.
#[test]
fn the_same_execution_does_not_roll_back_twice() {
    let green = one("green", "app:3", json!({}));
    let notes = json!({"landfall/returned-to": "web-blue@0123456789abcdef",
        "landfall/execution": "run-9"});
    let blue = one("blue", "app:2", notes);
    let last = service("web-green", "web-blue", json!({}));
    let all = [&blue, &green];
    let found = candidate(json!({}), &last, &blue, &all).unwrap();
    assert!(found.is_live(&blue));
    let other = json!({"execution": "run-10"});
    assert_eq!(back(other, &last, &blue, &all), is("web-green", "app:3"));
}

#[test]
fn a_switch_notes_what_served_before() {
    let live = one("green", "app:3", json!({}));
    let noted = |service: &Service| {
        let patch = remember(json!({"metadata": {"annotations": {}}}), service, &live);
        patch["metadata"]["annotations"][SERVED].clone()
    };
    assert_eq!(
        noted(&Service::new(json!({"metadata": {"name": "web"}}))),
        Value::Null
    );
    assert_eq!(
        noted(&service(
            "web-blue",
            "web-green",
            json!({"landfall/served": "web-blue,web,../x"})
        )),
        json!("web-blue,web")
    );
    // The last switch failed and was taken back: its version never counted.
    assert_eq!(
        noted(&service(
            "web-green",
            "web-blue",
            json!({"landfall/served": "web"})
        )),
        json!("web")
    );
    let long = json!({"landfall/served": "a,b,c,d,e,f"});
    assert_eq!(
        noted(&service("web-blue", "web-green", long)),
        json!("web-blue,a,b,c")
    );
}

/// Somebody else changes the template that was brought back: that is another version.
#[test]
fn a_template_that_was_changed_since_is_told_apart() {
    let (blue, green) = (
        one("blue", "app:2", json!({})),
        one("green", "app:3", json!({})),
    );
    let last = service("web-blue", "web-green", json!({}));
    let found = candidate(json!({}), &last, &green, &[&blue, &green]).unwrap();
    let fields = json!({"deployment": "web", "restart": true, "strategy": "blueGreen",
        "service": "web"});
    let request = request("job-9", &fields);
    let object = found.create(&request, &green, &crate::tests::author());
    let mut written = Workload::new(Kind::Deployment, object);
    assert!(candidate::is_as_returned(&written));
    let mut object = written.value().clone();
    object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("app:9");
    written = Workload::new(Kind::Deployment, object);
    assert!(!candidate::is_as_returned(&written));
}
