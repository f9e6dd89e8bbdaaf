use crate::problem::Fault;
use crate::request::{Asked, Draft, Files, Mode, Parameters, ReleaseRequest, Request};
use crate::tests::merge;
use serde_json::{Value, json};

fn parsed(more: Value) -> Result<Request, String> {
    let mut fields = json!({"deployment": "web", "mode": "rollback", "execution": "run-1"});
    merge(&mut fields, &more);
    Request::parse(&Parameters::Text(fields.to_string()), "job").map_err(|faults| {
        let told = faults
            .iter()
            .map(|fault| format!("{} {}", fault.field, fault.problem));
        told.collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn a_rollback_takes_what_a_switch_takes() {
    let more = json!({"strategy": "blueGreen", "service": "web", "bake": "1m", "smoke": "/",
        "rollback": false, "timeout": "5m", "patience": "5s", "to": "web-blue"});
    let request = parsed(more).unwrap();
    assert_eq!(request.strategy.name(), "blueGreen");
    assert_eq!(request.to.unwrap().text(), "web-blue");
    let more = json!({"strategy": "immutable", "service": "web", "keep": 3});
    assert_eq!(parsed(more).unwrap().strategy.name(), "immutable");
    let missing = parsed(json!({"strategy": "immutable"})).unwrap_err();
    assert!(missing.contains("service is missing"), "{missing}");
}

#[test]
fn a_revision_is_a_number_as_kubernetes_writes_it() {
    let revision = |to: Value| parsed(json!({"to": to})).unwrap().to.unwrap().revision();
    assert_eq!(revision(json!(3)), Some(3));
    assert_eq!(revision(json!("3")), Some(3));
    for other in ["+3", "03", "0", "3.0", "web:3"] {
        assert_eq!(revision(json!(other)), None, "{other}");
    }
    for (to, told) in [
        (json!(0), "from 1 on, or an image, and is 0"),
        (json!(-1), "and is -1"),
        (json!(2.5), "and is 2.5"),
        (json!(true), "and is true or false"),
        (json!([3]), "and is a list"),
        (json!(""), "must be 1 to 512 characters"),
        (json!("a b"), "without spaces"),
        (json!("#{Deploy.Revision}"), "CodePipeline did not fill in"),
    ] {
        let faults = parsed(json!({"to": to})).unwrap_err();
        assert!(
            faults.starts_with("to ") && faults.contains(told),
            "{faults}"
        );
        assert_eq!(faults.lines().count(), 1, "{faults}");
    }
}

#[test]
fn only_what_writes_needs_the_execution() {
    let none = json!({"execution": null});
    let faults = parsed(none).unwrap_err();
    assert!(faults.starts_with("execution is missing"), "{faults}");
    let plan = parsed(json!({"execution": null, "mode": "planRollback"})).unwrap();
    assert!(plan.mode.is_plan() && plan.mode.is_rollback());
    assert_eq!(plan.execution, "job");
}

fn of_release(more: Value) -> Result<ReleaseRequest, Vec<String>> {
    let faults = asked_of_release(more);
    faults.map_err(|faults| faults.into_iter().map(|it| it.field).collect())
}

fn problems_of_release(more: Value) -> Vec<String> {
    let faults = asked_of_release(more).unwrap_err().into_iter();
    faults.map(|fault| fault.problem).collect()
}

fn asked_of_release(more: Value) -> Result<ReleaseRequest, Vec<Fault>> {
    let mut fields = json!({"release": "shop", "mode": "rollback", "execution": "run-1"});
    merge(&mut fields, &more);
    let draft = Draft::read(&Parameters::Text(fields.to_string()));
    let asked = draft.and_then(|draft| {
        assert!(draft.wanted.manifests.is_empty());
        draft.complete(Files::default(), "job")
    });
    match asked {
        Ok(Asked::Release(request)) => Ok(request),
        Ok(other) => panic!("{other:?}"),
        Err(faults) => Err(faults),
    }
}

#[test]
fn a_release_goes_back_by_its_name_and_needs_no_manifests() {
    let more = json!({"namespace": "prod", "to": "3", "prune": true, "force": true, "bake": "1m",
        "alarms": ["5xx"], "rollback": false, "timeout": "5m", "patience": "5s"});
    let request = of_release(more).unwrap();
    assert_eq!((&*request.name, &*request.namespace), ("shop", "prod"));
    assert_eq!((request.to, request.mode), (Some(3), Mode::Rollback));
    assert!(request.prune && request.force && !request.rollback);
    // That it rings is why people go back.
    assert!(request.watch().ignores_ringing);
    let plan = json!({"mode": "planRollback", "execution": null});
    assert_eq!(of_release(plan).unwrap().to, None);
}

#[test]
fn what_says_what_a_release_is_cannot_be_given_for_its_rollback() {
    for (more, fields) in [
        (json!({"manifests": "k8s"}), &["manifests"][..]),
        (
            json!({"manifests": "k8s", "release": null}),
            &["manifests", "release"],
        ),
        (
            json!({"images": {"app": "app:2"}, "variables": {"A": "1"}}),
            &["images", "variables"],
        ),
        (
            json!({"namespaces": ["jobs"], "committed": "2026-01-01T00:00:00Z"}),
            &["namespaces", "committed"],
        ),
        (
            json!({"strategy": "rolling", "restart": true}),
            &["strategy", "restart"],
        ),
        (json!({"execution": null}), &["execution"]),
        (json!({"to": "app:2"}), &["to"]),
        (json!({"to": "03"}), &["to"]),
        (json!({"to": true}), &["to"]),
        // A workload has no release.
        (json!({"deployment": "web"}), &["release"]),
    ] {
        assert_eq!(of_release(more.clone()).unwrap_err(), fields, "{more}");
    }
}

#[test]
fn the_revision_of_a_release_is_a_number_and_no_image() {
    for (to, told) in [
        (json!(0), "from 1 on, and is 0; leave it out"),
        (json!(2.5), "from 1 on, and is 2.5; leave it out"),
        (json!("app:2"), "from 1 on, and is `app:2`"),
        (json!("0"), "from 1 on, and is `0`"),
        (json!(true), "from 1 on, and is true or false"),
    ] {
        let problems = problems_of_release(json!({"to": to}));
        let [problem] = &*problems else {
            panic!("{problems:?}");
        };
        let said = "must be the number of a revision of the release, ";
        assert!(
            problem.starts_with(said) && problem.contains(told),
            "{problem}"
        );
    }
}

/// What else would be wrong in another mode would mislead.
#[test]
fn a_mode_that_is_spelt_otherwise_is_known() {
    for (mode, meant) in [
        ("Rollback", "rollback"),
        ("roll-back", "rollback"),
        ("plan_rollback", "planRollback"),
        ("PLAN ROLLBACK", "planRollback"),
    ] {
        let faults = parsed(json!({"mode": mode})).unwrap_err();
        let told = format!("mode must be `{meant}`, and is `{mode}`");
        assert_eq!(faults, told);
    }
    let faults = parsed(json!({"mode": "revert"})).unwrap_err();
    assert!(
        faults.contains("must be `deploy`, `plan`, `rollback`"),
        "{faults}"
    );
}
