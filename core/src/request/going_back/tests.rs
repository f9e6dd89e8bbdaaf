use crate::request::{Parameters, Request};
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

#[test]
fn a_release_is_refused_with_the_next_step_alone() {
    for more in [
        json!({"deployment": null, "release": "shop"}),
        json!({"deployment": null, "release": "shop", "mode": "planRollback", "to": 3}),
        json!({"deployment": null, "release": "shop", "manifests": "k8s"}),
    ] {
        let faults = parsed(more).unwrap_err();
        assert!(faults.starts_with("mode is for a workload"), "{faults}");
        assert!(
            faults.contains("roll the stage back in CodePipeline"),
            "{faults}"
        );
        assert_eq!(faults.lines().count(), 1, "{faults}");
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
