//! Rolling deploys that are guarded by an alarm, which rings at every point of them.

use super::*;
use landfall_core::alarm::AlarmsError;
use landfall_core::state::guard::UNREADABLE;

/// What rings is acted upon within this time.
const ACTED: SignedDuration = SignedDuration::from_secs(20);

fn guarded(more: Value) -> Value {
    let mut parameters = json!({"deployment": "demo-app", "images": {"app": NEW_IMAGE},
        "bake": "90s", "alarms": ["5xx"]});
    for (field, value) in more.as_object().unwrap() {
        parameters[field] = value.clone();
    }
    parameters
}

/// A person retries the stage: the execution is the same, the job is not.
fn retry(simulation: &mut Simulation) {
    let text = Parameters::Text(simulation.bound_to.clone());
    let request = Request::parse(&text, RETRY).unwrap();
    let timeout = request.timeout;
    simulation.engine.request = request;
    simulation.invoke(Continuation::begin(RETRY, simulation.now, timeout));
}

/// A good version, up to this point.
fn up_to(point: u32, parameters: &Value) -> Option<Simulation> {
    let mut simulation = Simulation::new(parameters, Health::Well);
    simulation.run_to(point).then_some(simulation)
}

fn points(parameters: &Value) -> u32 {
    let mut simulation = Simulation::new(parameters, Health::Well);
    let end = simulation.run();
    assert!(matches!(end, End::Finished(_)), "{end:?}");
    assert_eq!(simulation.image(), NEW_IMAGE);
    simulation.points
}

/// The way back is begun by a JSON patch.
fn goes_back(simulation: &mut Simulation) -> bool {
    let next = simulation.engine.next(simulation.now);
    matches!(next, Next::Ask(ask) if ask.call.verb == Verb::JsonPatch)
}

/// Runs to the end, and tells when the way back began.
fn run(simulation: &mut Simulation) -> (End, Option<Timestamp>) {
    let mut back = None;
    for _ in 0..STEPS {
        if back.is_none() && goes_back(simulation) {
            back = Some(simulation.now);
        }
        if let Some(end) = simulation.step() {
            return (end, back);
        }
    }
    panic!("it does not end");
}

/// It was brought back because of the alarm, and serves.
fn assert_back(simulation: &Simulation, end: &End, at: u32) {
    let End::Failed(Failure::Rollout {
        failure,
        rollback_result: RollbackResult::RolledBack(_),
    }) = end
    else {
        panic!("at {at}: {end:?}");
    };
    let cause = recorded((**failure).clone()).cause;
    assert!(cause.contains("CloudWatch alarm `5xx`"), "at {at}: {cause}");
    assert_eq!(simulation.image(), OLD_IMAGE, "at {at}");
    let ready = simulation.ready();
    assert!(ready.iter().all(|image| image == OLD_IMAGE), "{ready:?}");
}

#[test]
fn an_alarm_that_rings_at_any_point_brings_the_previous_version_back() {
    let parameters = guarded(json!({}));
    let all = points(&parameters);
    let mut kept = 0;
    for at in 0..=all {
        let Some(mut simulation) = up_to(at, &parameters) else {
            break;
        };
        let rang = simulation.now;
        simulation.bell.rang = Some(rang);
        let (end, back) = run(&mut simulation);
        match end {
            End::Failed(Failure::Ringing(ring, _)) => {
                assert_eq!(at, 0, "something was written: {ring:?}");
                assert_eq!((simulation.revision(), &*ring.name), (1, "5xx"));
            }
            // It rang after the last reading, which is after the end of the bake.
            End::Finished(_) => {
                assert!(simulation.bell.read <= Some(rang), "at {at} of {all}");
                kept += 1;
            }
            end @ End::Failed(_) => {
                assert_back(&simulation, &end, at);
                let acted = back.unwrap().duration_since(rang);
                assert!(acted <= ACTED, "at {at}: after {acted:?}");
            }
        }
    }
    // After the last reading there are the note of the end and the looks around it.
    assert!(kept <= 4, "{kept}");
}

#[test]
fn an_alarm_that_rings_while_the_process_is_dead_is_not_missed() {
    let parameters = guarded(json!({}));
    for at in 1..=points(&parameters) {
        for disturbance in [DiesBefore, DiesAfter, HandedOver] {
            for is_over in [false, true] {
                let Some(mut simulation) = up_to(at - 1, &parameters) else {
                    continue;
                };
                let written = simulation.image() == NEW_IMAGE;
                simulation.plan = vec![(at, disturbance)];
                let begun = simulation.now;
                while simulation.points < at && simulation.step().is_none() {}
                let notes = &simulation.deployment()["metadata"]["annotations"];
                let was_over = notes["landfall/watched"].is_string();
                // In the time that nobody looked.
                let rang = begun + SignedDuration::from_secs(1);
                simulation.bell.rang = Some(rang);
                let ended = begun + SignedDuration::from_secs(10);
                simulation.bell.silent = is_over.then_some(ended);
                let (end, _) = run(&mut simulation);
                match end {
                    // It had ended when it rang.
                    End::Finished(_) if was_over || simulation.bell.read <= Some(rang) => {}
                    End::Finished(_) if is_over && !written => {}
                    End::Failed(Failure::Ringing(..)) if !written => {
                        assert_eq!(simulation.image(), OLD_IMAGE);
                    }
                    end => assert_back(&simulation, &end, at),
                }
            }
        }
    }
}

/// What a dead deploy left may be why it rings: a retry takes it back at whatever point it died, and
/// what rang and stopped before the retry counts, too.
#[test]
fn an_alarm_that_rings_after_a_dead_deploy_is_no_reason_to_leave_what_that_left() {
    let parameters = guarded(json!({"execution": "run-1"}));
    for at in 0..=points(&parameters) {
        for is_over in [false, true] {
            let Some(mut simulation) = up_to(at, &parameters) else {
                continue;
            };
            let written = simulation.image() == NEW_IMAGE;
            let live = simulation.deployment();
            let notes = &live["metadata"]["annotations"];
            let was_over = notes["landfall/watched"].is_string();
            let rang = simulation.now + SignedDuration::from_secs(1);
            simulation.bell.rang = Some(rang);
            simulation.bell.silent = is_over.then_some(rang + SignedDuration::from_secs(10));
            simulation.pass(SignedDuration::from_secs(30));
            retry(&mut simulation);
            let (end, _) = run(&mut simulation);
            match end {
                End::Finished(success) if was_over => assert!(!success.wrote, "at {at}"),
                End::Finished(_) if is_over && !written => {
                    assert_eq!(simulation.image(), NEW_IMAGE, "at {at}");
                }
                End::Failed(Failure::Ringing(..)) if !written && !is_over => {
                    assert_eq!(simulation.image(), OLD_IMAGE, "at {at}");
                }
                end => assert_back(&simulation, &end, at),
            }
        }
    }
}

#[test]
fn one_reading_that_fails_before_throttling_does_not_make_a_bake_endless() {
    let parameters = guarded(json!({"bake": "20s"}));
    for at in 1..=points(&parameters) {
        let Some(mut simulation) = up_to(at, &parameters) else {
            continue;
        };
        if simulation.image() != NEW_IMAGE {
            continue;
        }
        simulation.bell.fails = Some(AlarmsError::Unreadable("no answer".into()));
        let since = simulation.now;
        let mut end = None;
        while simulation.engine.continuation.guard.error.is_none() && end.is_none() {
            end = simulation.step();
        }
        simulation.bell.fails = Some(AlarmsError::Throttled);
        let end = end.unwrap_or_else(|| run(&mut simulation).0);
        let took = simulation.now.duration_since(since);
        assert!(took < SignedDuration::from_mins(2), "at {at}: {took:?}");
        assert!(matches!(end, End::Finished(_)), "at {at}: {end:?}");
    }
}

#[test]
fn an_alarm_that_rings_already_refuses_the_deploy_or_is_let() {
    let rings = |parameters: &Value| {
        let mut simulation = Simulation::new(parameters, Health::Well);
        simulation.bell.rang = Some(simulation.now - SignedDuration::from_mins(5));
        let (end, _) = run(&mut simulation);
        (simulation, end)
    };
    let (simulation, end) = rings(&guarded(json!({})));
    assert!(matches!(end, End::Failed(Failure::Ringing(..))), "{end:?}");
    assert_eq!(simulation.revision(), 1);
    let ignored = json!({"alarms": {"names": ["5xx"], "ringing": "ignore"}});
    let (simulation, end) = rings(&guarded(ignored));
    assert!(matches!(end, End::Finished(_)), "{end:?}");
    assert_eq!(simulation.image(), NEW_IMAGE);
    // Nothing is to be written, so there is nothing to guard.
    let (_, end) = rings(&guarded(json!({"images": {"app": OLD_IMAGE}})));
    assert!(matches!(end, End::Finished(_)), "{end:?}");
}

#[test]
fn alarms_that_cannot_be_read_end_a_deploy_and_throttling_does_not() {
    let parameters = guarded(json!({"bake": "5m"}));
    for at in 0..=points(&parameters) {
        for (error, ends) in [
            (AlarmsError::Throttled, false),
            (AlarmsError::Unreadable("no answer".into()), true),
            (AlarmsError::Denied("no".into()), true),
        ] {
            let Some(mut simulation) = up_to(at, &parameters) else {
                continue;
            };
            let since = simulation.now;
            simulation.bell.fails = Some(error);
            let (end, back) = run(&mut simulation);
            match end {
                End::Failed(Failure::AlarmsUnreadable(_)) => {
                    assert_eq!((at, simulation.revision()), (0, 1));
                }
                End::Finished(_) => {
                    let left = simulation.now.duration_since(since);
                    assert!(
                        !ends || left < SignedDuration::from_secs(17),
                        "at {at}: {left:?}"
                    );
                }
                End::Failed(Failure::Rollout { .. }) => {
                    assert!(ends, "at {at}: {end:?}");
                    assert_eq!(simulation.image(), OLD_IMAGE);
                    let after = back.unwrap().duration_since(since);
                    assert!(after >= UNREADABLE, "at {at}: {after:?}");
                    assert!(after <= UNREADABLE + ACTED + ACTED, "at {at}: {after:?}");
                }
                end => panic!("at {at}: {end:?}"),
            }
        }
    }
}

/// A bake of ten minutes in which nothing happens.
#[test]
fn a_quiet_bake_makes_few_calls() {
    let parameters = guarded(json!({"bake": "10m"}));
    let mut simulation = Simulation::new(&parameters, Health::Well);
    let (mut asked, mut watches, mut read) = (0, 0, 0);
    for _ in 0..STEPS {
        let bakes = simulation.engine.continuation.guard.serving_since.is_some();
        match simulation.engine.next(simulation.now) {
            Next::Ask(_) if bakes => asked += 1,
            Next::Watch(_) if bakes => watches += 1,
            Next::Alarms(_) if bakes => read += 1,
            _ => {}
        }
        if let Some(end) = simulation.step() {
            assert!(matches!(end, End::Finished(_)), "{end:?}");
            // A watch is opened once a minute; the same goes on after each reading of the alarms.
            assert!(asked + 10 <= 60, "{asked} calls to the cluster");
            assert!(read <= 40, "{read} calls to CloudWatch");
            assert!(watches >= 30, "{watches}");
            return;
        }
    }
    panic!("it does not end");
}
