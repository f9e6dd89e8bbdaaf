//! A canary that is killed once, at each step, forwards and backwards, over a route and by its pods.

use super::draw::{Draw, Version};
use super::life::Life;
use super::{PATIENCE, TURNS};
use crate::blue_green::service;
use crate::canary::stand_in::{self, Controller, stage_over};
use crate::prober::Prober;
use crate::prober::route::RouteProber;
use crate::stage::{Stage, demo_app};
use landfall_sandbox::aws::Outcome;
use landfall_sandbox::gateway::sample_http_route;
use landfall_sandbox::world::{sample_autoscaler, sample_service};
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;

/// A moment lasts for one call of the function: on a busy machine it may be over before it is seen.
const TRIES: u32 = 4;
const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

/// What is to be seen of a canary.
struct View {
    /// The note on the route.
    note: Option<Value>,
    route: Value,
    service: Value,
    deployments: Vec<Value>,
    has_candidate_service: bool,
}

impl View {
    async fn of(stage: &Stage, by_route: bool) -> View {
        let route = match by_route {
            true => stand_in::route(stage).await,
            false => Value::Null,
        };
        let candidate = stage.cluster.object("services", "demo-app-canary").await;
        View {
            note: stand_in::note(&route),
            route,
            service: service(stage).await,
            deployments: stage.cluster.objects("deployments").await,
            has_candidate_service: candidate.is_some(),
        }
    }

    fn noted(&self, note: &str) -> bool {
        self.service["metadata"]["annotations"][format!("landfall/{note}")].is_string()
    }

    /// Whether the route is at this step, and whether its weights are in force.
    fn at(&self, step: u64, in_force: bool) -> bool {
        let note = self.note.as_ref().filter(|note| note["step"] == step);
        note.is_some_and(|note| note["since"].is_string() == in_force)
    }

    /// Whether the pods of the candidate have this share, from 0.
    fn shares(&self, step: u64) -> bool {
        let lock = self.service["metadata"]["annotations"]["landfall/lock"].as_str();
        let lock = lock.and_then(|text| serde_json::from_str::<Value>(text).ok());
        lock.is_some_and(|lock| lock["share"]["step"] == step)
    }

    fn rolled_back(&self) -> bool {
        let notes =
            |object: &Value| object["metadata"]["annotations"]["landfall/rolled-back"].is_string();
        notes(&self.route) || notes(&self.service)
    }

    /// How many Deployments have no pods.
    fn idle(&self) -> usize {
        let zero = self
            .deployments
            .iter()
            .filter(|it| it["spec"]["replicas"] == 0);
        zero.count()
    }
}

type Moment = (&'static str, Version, bool, fn(&View) -> bool);

/// Each moment, what becomes of the version, and whether there is a route.
fn moments() -> Vec<Moment> {
    let (well, ill) = (Version::Well, Version::FallsIll);
    let (lost, turned) = (Version::LosesService, Version::LosesSelector);
    let (away, alone) = (Version::ScaledAway, Version::Alone);
    vec![
        ("its Service made", well, true, |it| {
            it.has_candidate_service && it.note.is_none()
        }),
        ("a backend without weight", well, true, |it| it.at(0, false)),
        ("first step written", well, true, |it| it.at(1, false)),
        ("first step in force", well, true, |it| it.at(1, true)),
        ("last step written", well, true, |it| it.at(2, false)),
        ("last step in force", well, true, |it| it.at(2, true)),
        ("Service switched", well, true, |it| {
            it.noted("selector-before")
        }),
        ("retiring", well, true, |it| it.noted("retiring")),
        ("route given back", well, true, |it| {
            it.note
                .as_ref()
                .is_some_and(|note| note["returned"] == true)
        }),
        ("old one retired", well, true, |it| it.idle() > 0),
        ("released", well, true, |it| {
            it.noted("job") && !it.noted("lock")
        }),
        ("taken back", ill, true, View::rolled_back),
        ("candidate put away", ill, true, |it| {
            it.rolled_back() && it.idle() > 0
        }),
        ("given up", ill, true, |it| {
            it.noted("rolled-back") && !it.noted("lock")
        }),
        ("without its Service", lost, true, |it| {
            it.at(1, true) && !it.has_candidate_service
        }),
        ("taken back without it", lost, true, View::rolled_back),
        ("put away without it", lost, true, |it| {
            it.rolled_back() && it.idle() > 0
        }),
        (
            "taken back for its selector",
            turned,
            true,
            View::rolled_back,
        ),
        (
            "taken back as it is scaled away",
            away,
            true,
            View::rolled_back,
        ),
        ("scaled away", away, true, |it| {
            it.at(1, true) && it.idle() > 0
        }),
        ("left alone", alone, true, |it| {
            it.at(1, true) && it.idle() > 0
        }),
        ("selected as it is alone", alone, true, |it| {
            it.service["spec"]["selector"]["landfall/version"] == "blue"
        }),
        ("route given back as it is alone", alone, true, |it| {
            it.note
                .as_ref()
                .is_some_and(|note| note["returned"] == true)
        }),
        ("first share of pods", well, false, |it| it.shares(0)),
        ("second share of pods", well, false, |it| it.shares(1)),
        ("switched from shares", well, false, |it| {
            it.noted("selector-before")
        }),
        ("share taken back", ill, false, View::rolled_back),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_is_killed_at_any_step_goes_on() {
    let rows = tokio::task::LocalSet::new();
    let turns = Rc::new(tokio::sync::Semaphore::new(TURNS));
    let mut running = Vec::new();
    for moment in moments() {
        let turns = Rc::clone(&turns);
        running.push(rows.spawn_local(async move {
            let _turn = turns.acquire().await.unwrap();
            for _ in 0..TRIES {
                if killed_at(&moment).await {
                    return;
                }
            }
            panic!("{}: it was not killed", moment.0);
        }));
    }
    rows.await;
    for row in running {
        row.await.unwrap();
    }
}

async fn stage(by_route: bool) -> (Stage, Option<Controller>) {
    let objects = vec![
        demo_app(600),
        sample_service("demo-app"),
        sample_autoscaler("demo-app", 1, 5),
    ];
    if by_route {
        let route = sample_http_route("demo-app", "demo-app");
        let (stage, controller) = stage_over(route, objects).await;
        return (stage, Some(controller));
    }
    let stage = Stage::given(objects).await;
    crate::blue_green::endpoints_are_known(&stage).await;
    (stage, None)
}

/// What ends a canary that has a share.
async fn strike(stage: &Stage, version: Version) {
    let name = "demo-app-canary";
    match version {
        Version::LosesService => stage.cluster.remove("services", name).await,
        Version::LosesSelector => {
            let selector = json!({"app": "elsewhere"});
            let part = ["spec", "selector"];
            stage.cluster.change("services", name, part, selector).await;
        }
        Version::ScaledAway => stage.cluster.scale_of("demo-app-blue", 0).await,
        Version::Alone => stage.cluster.scale_of("demo-app", 0).await,
        _ => stage.cluster.strike("demo-app-blue", NEW_IMAGE).await,
    }
}

/// Whether it was killed at this moment.
async fn killed_at((name, version, by_route, is_now): &Moment) -> bool {
    let mut life = Life::of(Draw(1), Rc::default());
    // An autoscaler stays with the version before, and nobody moves it where that is gone.
    (life.scaled, life.routed) = (*version != Version::Alone, *by_route);
    let (mut stage, _controller) = stage(*by_route).await;
    let bake = match version {
        Version::FallsIll => "60s",
        // The route's way is looked at when the step is over.
        Version::LosesService | Version::LosesSelector | Version::Alone => "6s",
        _ => "1s",
    };
    let mut parameters = json!({"deployment": "demo-app", "service": "demo-app",
        "strategy": "canary", "images": {"app": NEW_IMAGE}, "bake": "1s", "patience": "2s",
        "steps": [{"weight": 20, "bake": bake}], "timeout": "90s"});
    match by_route {
        true => parameters["route"] = json!("httproute/demo-app"),
        false => parameters["steps"] = json!([{"weight": 20, "bake": bake}, 50]),
    }
    life.tell((*name).to_owned());
    let mut prober = match by_route {
        // The Service loses the pods that it sends to.
        true if *version == Version::Alone => Prober::timing(&stage.cluster).await,
        true => Prober::start(&stage.cluster, 2).await,
        false => Prober::sharing(&stage.cluster, 2).await,
    };
    let is_fair = *by_route && *version != Version::Alone;
    let mut of_route = is_fair.then(|| RouteProber::start(&stage.cluster, 2));
    let forgives = of_route.as_ref().map(RouteProber::forgiveness);
    let deploy = async {
        let job = life.submit(&stage, &parameters, true);
        let mut struck = false;
        while stage.aws.outcome(&job, Duration::ZERO).await == Outcome::Pending {
            let view = View::of(&stage, *by_route).await;
            let has_share = view.at(1, true) || view.shares(0);
            if *version != Version::Well && has_share && !struck {
                struck = true;
                forgives.iter().for_each(|forgive| forgive());
                strike(&stage, *version).await;
            }
            if life.tally.borrow().kills == 0 && is_now(&view) {
                life.kill(&mut stage).await;
                assert!(stage.aws.retry(&job));
            }
        }
        let ended = stage.aws.outcome(&job, PATIENCE).await;
        life.judge(&stage, &parameters, *version, &ended).await;
    };
    let of_traffic = async {
        match &mut of_route {
            Some(prober) => prober.complaint().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = deploy => {}
        complaint = prober.complaint() => panic!("{name}: {complaint}\n{}", stage.log()),
        complaint = of_traffic => panic!("{name}: {complaint}\n{}", stage.log()),
    }
    prober.finish().await.unwrap();
    if let Some(prober) = &of_route {
        let looks = prober.finish().unwrap();
        assert!(looks > 10, "{looks}");
    }
    // The last moments may be over before they are seen.
    life.tally.borrow().kills == 1 || ["released", "given up"].contains(name)
}
