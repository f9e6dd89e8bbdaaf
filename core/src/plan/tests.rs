use super::*;
use serde_json::json;

#[test]
fn the_first_write_is_tried_and_nothing_else() {
    use crate::request::Parameters;
    use crate::snapshot::Query;
    use crate::state::continuation::{Continuation, Phase};
    use crate::strategy::Failure;
    let text = r#"{"deployment": "web", "restart": true, "mode": "plan"}"#;
    let request = Request::parse(&Parameters::Text(text.into()), "job").unwrap();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let context = Context {
        request: &request,
        continuation: &Continuation::begin("job", now, request.timeout),
        snapshot: &Snapshot::default(),
        now,
    };
    let step = |decision: Decision| step(&context, &decision);
    assert_eq!(
        step(Decision::Read(Query::deployment("web"))),
        PlanStep::GoOn
    );
    assert_eq!(step(Decision::GiveUp(Failure::Missing)), PlanStep::GoOn);
    assert_eq!(
        step(Decision::Enter(Phase::Switch)),
        PlanStep::Nothing(None)
    );
    for action in [
        Action::Patch(json!({})),
        Action::Put(json!({})),
        Action::Create(json!({})),
    ] {
        let PlanStep::Try(call, None) = step(Decision::Act(action.clone())) else {
            panic!("{action:?} is not tried");
        };
        assert!(
            call.query.contains(&("dryRun", "All".to_owned())),
            "{call:?}"
        );
        assert!(
            call.query
                .contains(&("fieldValidation", "Strict".to_owned())),
            "{call:?}"
        );
    }
}
