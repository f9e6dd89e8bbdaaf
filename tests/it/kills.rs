//! The function dies by SIGKILL at random moments of a deploy, and is called again as it would be.
//! Whatever was going on, the Service always has its pods, and nothing of the dead one is left.

mod canary;
pub mod draw;
mod life;
mod loss;
mod stages;

pub use life::expire;

use crate::application::Application;
use crate::blue_green::endpoints_are_known;
use crate::canary::stand_in::stage_over;
use crate::kills::draw::{Draw, Tally};
use crate::kills::life::Life;
use crate::prober::Prober;
use crate::prober::route::RouteProber;
use crate::stage::{OLD_IMAGE, Stage, demo_app};
use landfall_sandbox::gateway::sample_http_route;
use landfall_sandbox::world::{sample_autoscaler, sample_service};
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Rows of a table that live at the same time.
const TURNS: usize = 6;
/// How often the function is killed; `LANDFALL_KILLS` asks for more.
const KILLS: u32 = 25;
/// Namespaces that live at the same time; `LANDFALL_STAGES` asks for others.
const STAGES: u32 = 5;
/// Deploys of one namespace: the first is its adoption.
const DEPLOYS: u32 = 5;
/// How long a deploy takes, before one was seen.
const SPAN: Duration = Duration::from_secs(4);
/// The first and the last moments of a deploy: no lock.
const NO_TRACE: &str = "1 not begun, or released";
/// How often the Service is looked at by one that waits for something on it.
const LOOK: Duration = Duration::from_millis(4);
/// Within this the function is killed, after what was waited for.
const SOON: Duration = Duration::from_millis(250);
/// Within this an event is repeated.
const REPEAT: Duration = Duration::from_millis(120);
/// A deploy that takes longer, with all its deaths, does not end.
const PATIENCE: Duration = Duration::from_secs(100);

pub fn asked(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute; make conformance runs it"]
async fn no_kill_leaves_the_service_without_pods() {
    let kills = asked("LANDFALL_KILLS", KILLS);
    let tally = Rc::new(RefCell::new(Tally::default()));
    let goes_on = {
        let tally = Rc::clone(&tally);
        move || tally.borrow().kills < kills
    };
    let lives = {
        let tally = Rc::clone(&tally);
        move |draw| live(draw, kills, Rc::clone(&tally))
    };
    let failures = in_namespaces(STAGES, goes_on, lives).await;
    println!("{}", tally.borrow().words());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Lives one life after the other in several namespaces at the same time, each with draws of its
/// own, while they are to go on and few have failed. What has failed.
pub async fn in_namespaces<Life: Future<Output = ()> + 'static>(
    usual: u32,
    goes_on: impl Fn() -> bool + Clone + 'static,
    lives: impl Fn(Draw) -> Life + Clone + 'static,
) -> Vec<String> {
    let seed = asked("LANDFALL_SEED", 1);
    let failures = Rc::new(RefCell::new(Vec::new()));
    let stages = tokio::task::LocalSet::new();
    for number in 0..asked("LANDFALL_STAGES", usual) {
        let (goes_on, lives) = (goes_on.clone(), lives.clone());
        let failures = Rc::clone(&failures);
        stages.spawn_local(async move {
            let mut life = 0;
            while goes_on() && failures.borrow().len() < 5 {
                life += 1;
                let seed = u64::from(seed * 1_000_003 + number * 10_007 + life);
                let draw = Draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
                if let Err(problem) = tokio::task::spawn_local(lives(draw)).await {
                    let panic = problem.into_panic();
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.unwrap_or_else(|| "it panicked".into());
                    failures
                        .borrow_mut()
                        .push(format!("{number}.{life}: {text}"));
                }
            }
        });
    }
    stages.await;
    failures.take()
}

/// One namespace from its first adoption on.
async fn live(draw: Draw, kills: u32, tally: Rc<RefCell<Tally>>) {
    let application = Application::new(OLD_IMAGE, 200, "ok").await;
    let service = Application::behind(sample_service("demo-app"));
    let mut objects = vec![application.of(demo_app(600)), service];
    let mut life = Life::of(draw, tally);
    if life.scaled {
        objects.push(sample_autoscaler("demo-app", 1, 5));
    }
    let (mut stage, _controller) = match life.routed {
        true => {
            let route = sample_http_route("demo-app", "demo-app");
            let (stage, controller) = stage_over(route, objects).await;
            (stage, Some(controller))
        }
        false => (Stage::given(objects).await, None),
    };
    endpoints_are_known(&stage).await;
    let mut prober = Prober::start(&stage.cluster, 2).await;
    let mut of_route = life.routed.then(|| RouteProber::start(&stage.cluster, 2));
    let of_traffic = async {
        match &mut of_route {
            Some(prober) => prober.complaint().await,
            None => std::future::pending().await,
        }
    };
    let deploys = async {
        for number in 0..DEPLOYS {
            // The last one is left alone: it must find everything in order.
            let last = number + 1 == DEPLOYS || life.tally.borrow().kills >= kills;
            life.deploy(&mut stage, number, last).await;
            if last {
                break;
            }
        }
    };
    let complaint = tokio::select! {
        () = deploys => None,
        complaint = prober.complaint() => Some(complaint),
        complaint = of_traffic => Some(complaint),
    };
    let complaint = complaint.or(prober.finish().await.map_or_else(Some, |states| {
        life.tally.borrow_mut().states += states;
        None
    }));
    if let Some(complaint) = complaint {
        panic!("{complaint}\n{}\n{}", life.story.join("\n"), stage.log());
    }
}

/// The version that a Service selects.
fn version_of(service: &Value) -> Option<String> {
    let version = service["spec"]["selector"]["landfall/version"].as_str();
    version.map(str::to_owned)
}
