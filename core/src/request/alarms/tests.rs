use crate::problem::Fault;
use crate::request::{Parameters, Request};
use serde_json::{Value, json};

fn parse(alarms: Value) -> Result<Request, Vec<Fault>> {
    let fields = json!({"deployment": "web", "images": {"web": "web:2"}, "alarms": alarms});
    Request::parse(&Parameters::Text(fields.to_string()), "job")
}

#[test]
fn alarms_are_named_and_may_ring_already_where_that_is_said() {
    for (given, names, ignores) in [
        (json!(["web 5xx/α"]), vec!["web 5xx/α"], false),
        (json!({"names": ["a", "b"]}), vec!["a", "b"], false),
        (
            json!({"names": ["a"], "ringing": "refuse"}),
            vec!["a"],
            false,
        ),
        (
            json!({"names": ["a"], "ringing": "ignore"}),
            vec!["a"],
            true,
        ),
    ] {
        let alarms = parse(given).unwrap().alarms.unwrap();
        assert_eq!(
            (alarms.names, alarms.ignores_ringing),
            (names.iter().map(|it| (*it).to_owned()).collect(), ignores)
        );
    }
    let none = json!({"deployment": "web", "images": {"web": "web:2"}});
    let none = Request::parse(&Parameters::Text(none.to_string()), "job").unwrap();
    assert_eq!(none.alarms, None);
}

#[test]
fn faults_of_alarms() {
    let arn = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:a";
    for (given, field, problem) in [
        (json!("a"), "alarms", "a list of alarms' names, or"),
        (json!(null), "alarms", "and is null"),
        (json!([]), "alarms", "1 to 10 names"),
        (json!({"names": []}), "alarms.names", "1 to 10 names"),
        (json!({}), "alarms.names", "must be a list"),
        (json!({"names": "a"}), "alarms.names", "must be a list"),
        (
            json!({"names": ["a"], "ring": 1}),
            "alarms.ring",
            "is unknown",
        ),
        (
            json!({"names": ["a"], "ringing": true}),
            "alarms.ringing",
            "`ignore`",
        ),
        (
            json!({"names": ["a"], "ringing": "no"}),
            "alarms.ringing",
            "`ignore`",
        ),
        (json!([7]), "alarms[0]", "and is a number"),
        (json!(["a", ""]), "alarms[1]", "1 to 255 characters"),
        (json!(["a\nb"]), "alarms[0]", "without line breaks"),
        (json!(["x".repeat(256)]), "alarms[0]", "1 to 255 characters"),
        (json!(["a", "b "]), "alarms[1]", "blank at its beginning"),
        (json!([" a"]), "alarms[0]", "is ` a`, with a blank"),
        (json!(["#{build.ALARM}"]), "alarms[0]", "did not fill in"),
        (json!(["a", "a"]), "alarms[1]", "a second time"),
        (
            json!({"names": [arn]}),
            "alarms.names[0]",
            "function's own account",
        ),
    ] {
        let faults = parse(given.clone()).expect_err(&given.to_string());
        assert_eq!(faults.len(), 1, "{given}: {faults:?}");
        assert_eq!(faults[0].field, field, "{given}");
        assert!(faults[0].problem.contains(problem), "{given}: {faults:?}");
    }
    let many = (0..11).map(|number| number.to_string()).collect::<Vec<_>>();
    assert!(parse(json!(many)).is_err());
    assert!(parse(json!(many[..10])).is_ok());
}
