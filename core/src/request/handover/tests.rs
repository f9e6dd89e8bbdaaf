use crate::request::{AskedHandover, Parameters, Request};
use serde_json::{Value, json};
use std::time::Duration;

fn parsed(handover: Value) -> Result<AskedHandover, String> {
    let parameters = json!({"deployment": "web", "restart": true, "strategy": "blueGreen",
        "service": "web", "timeout": "10m", "bake": "1m", "handover": handover});
    let parsed = Request::parse(&Parameters::Text(parameters.to_string()), "job-1");
    match parsed {
        Ok(request) => Ok(request.strategy.switch().unwrap().handover),
        Err(faults) => {
            let faults = faults
                .iter()
                .map(|it| format!("{}: {}", it.field, it.problem));
            Err(faults.collect::<Vec<_>>().join("\n"))
        }
    }
}

#[test]
fn handovers_that_can_be_asked_for() {
    let seconds = |seconds| AskedHandover::Overlap(Some(Duration::from_secs(seconds)));
    for (value, expected) in [
        (json!("cut"), AskedHandover::Cut),
        (json!("overlap"), AskedHandover::Overlap(None)),
        (json!({"overlap": "90s"}), seconds(90)),
        (json!({"overlap": "1m30s"}), seconds(90)),
        (json!({"overlap": "1s"}), seconds(1)),
    ] {
        assert_eq!(parsed(value.clone()), Ok(expected), "{value}");
    }
    let without = json!({"deployment": "web", "restart": true, "strategy": "immutable",
        "service": "web"});
    let without = Request::parse(&Parameters::Text(without.to_string()), "job-1").unwrap();
    let handover = without.strategy.switch().unwrap().handover;
    assert_eq!(handover, AskedHandover::Auto);
}

#[test]
fn handovers_that_cannot() {
    for (value, told) in [
        (json!("Cut"), "handover: must be \"cut\", \"overlap\" or"),
        (json!("90s"), "and is `90s`"),
        (json!(90), "and is a number"),
        (json!(null), "and is null"),
        (json!(["cut"]), "and is a list"),
        (json!({}), "handover: must be \"cut\""),
        (
            json!({"overlap": "soon"}),
            "handover.overlap: must be a duration",
        ),
        (
            json!({"overlap": 90}),
            "handover.overlap: must be a duration",
        ),
        (
            json!({"overlap": true}),
            "handover.overlap: must be a duration",
        ),
        (
            json!({"overlap": "0s"}),
            "handover.overlap: must be from 1s to 1h",
        ),
        (
            json!({"overlap": "61m"}),
            "handover.overlap: must be from 1s to 1h",
        ),
        (
            json!({"overlap": "90s", "cut": "1s"}),
            "handover.cut: is unknown",
        ),
        // With the bake of a minute nothing is left of the ten minutes.
        (
            json!({"overlap": "9m"}),
            "handover.overlap: is 9 min, and with `bake` (1 min) must",
        ),
    ] {
        let faults = parsed(value.clone()).unwrap_err();
        assert!(faults.contains(told), "{value}: {faults}");
    }
    assert!(parsed(json!({"overlap": "8m"})).is_ok());
}

#[test]
fn only_a_switch_hands_over() {
    let rolling = json!({"deployment": "web", "restart": true, "handover": "cut"});
    let faults = Request::parse(&Parameters::Text(rolling.to_string()), "job-1").unwrap_err();
    assert_eq!(faults[0].field, "handover");
    assert!(faults[0].problem.contains("`blueGreen` and `immutable`"));
}
