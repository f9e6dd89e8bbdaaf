//! A deploy that is killed once, in any stage.

use crate::application::Application;
use crate::blue_green::{endpoints_are_known, service, switch};
use crate::cluster::Cluster;
use crate::kills::draw::{Draw, Version};
use crate::kills::life::Life;
use crate::kills::{PATIENCE, TURNS, version_of};
use crate::prober::Prober;
use crate::stage::{OLD_IMAGE, Stage, demo_app};
use landfall_sandbox::aws::Outcome;
use landfall_sandbox::world::{sample_autoscaler, sample_service};
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;

/// A moment lasts for one call of the function: on a busy machine it may be over before it is seen.
const TRIES: u32 = 4;

/// Where a deploy is killed, known by the Service, the Deployments and the smoke test's Service.
type Moment = (&'static str, Version, fn(&Value, &[Value], bool) -> bool);

fn moments() -> Vec<Moment> {
    fn noted(service: &Value, note: &str) -> bool {
        service["metadata"]["annotations"][format!("landfall/{note}")].is_string()
    }
    fn idle(deployments: &[Value]) -> usize {
        let zero = deployments.iter().filter(|it| it["spec"]["replicas"] == 0);
        zero.count()
    }
    let well = Version::Well;
    vec![
        ("claimed", well, |it, _, _| noted(it, "lock")),
        ("candidate written", well, |_, all, _| all.len() > 1),
        ("candidate ready", well, |_, all, _| {
            let ready = all
                .iter()
                .filter(|it| it["status"]["availableReplicas"] == 2);
            ready.count() > 1
        }),
        ("preview made", well, |_, _, preview| preview),
        ("switched", well, |it, _, _| noted(it, "selector-before")),
        ("old one retired", well, |_, all, _| idle(all) > 0),
        ("released", well, |it, _, _| {
            noted(it, "job") && !noted(it, "lock")
        }),
        ("switched back", Version::Lost, |it, _, _| {
            noted(it, "rolled-back")
        }),
        ("marked as failed", Version::FailsSmoke, |it, _, _| {
            noted(it, "rolled-back")
        }),
        ("candidate put away", Version::FailsSmoke, |it, all, _| {
            noted(it, "rolled-back") && (idle(all) > 0 || all.len() == 1)
        }),
        ("given up", Version::FailsSmoke, |it, _, _| {
            noted(it, "rolled-back") && !noted(it, "lock")
        }),
    ]
}

/// At its first adoption, where most is written; but for one that loses its Deployment.
#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_is_killed_in_any_stage_goes_on() {
    let rows = tokio::task::LocalSet::new();
    let turns = Rc::new(tokio::sync::Semaphore::new(TURNS));
    let mut running = Vec::new();
    for strategy in ["blueGreen", "immutable"] {
        // In the sandbox no pod outlives its Deployment.
        let real = crate::real::is_named();
        let rows_of = moments().into_iter();
        for moment in rows_of.filter(|(_, version, _)| real || *version != Version::Lost) {
            let turns = Rc::clone(&turns);
            running.push(rows.spawn_local(async move {
                let _turn = turns.acquire().await.unwrap();
                for _ in 0..TRIES {
                    if killed_at(strategy, moment).await {
                        return;
                    }
                }
                panic!("{strategy}, {}: it was not killed", moment.0);
            }));
        }
    }
    rows.await;
    for row in running {
        row.await.unwrap();
    }
}

/// Whether it was killed at this moment.
async fn killed_at(strategy: &'static str, (name, version, is_now): Moment) -> bool {
    let mut life = Life::of(Draw(1), Rc::default());
    (life.strategy, life.scaled, life.routed) = (strategy, true, false);
    let application = Application::new(OLD_IMAGE, 200, "ok").await;
    let objects = [
        application.of(demo_app(600)),
        Application::behind(sample_service("demo-app")),
        sample_autoscaler("demo-app", 1, 5),
    ];
    let mut stage = Stage::given(objects).await;
    endpoints_are_known(&stage).await;
    let contains = match version {
        Version::FailsSmoke => "what nobody says",
        _ => "ok",
    };
    let mut parameters = switch(strategy, "registry.example.com/demo-app:2.0.0");
    parameters["smoke"] = json!({"path": "/", "contains": contains});
    if version == Version::Lost {
        // The plain Deployment selects the orphaned pods as well: its controller would adopt them as
        // an old version of its own, and scale them down. The next ones have their own selectors.
        // https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/controller/controller_ref_manager.go
        let first = "registry.example.com/demo-app:1.5.0";
        let (_, variables) = stage.deploy(switch(strategy, first)).await.success();
        life.live = variables["Deployment"].clone();
        life.serving = first.into();
        stage.cluster.delete().await;
        parameters["bake"] = json!("20s");
    }
    life.tell(format!("{strategy}, {name}"));
    let mut prober = Prober::start(&stage.cluster, 2).await;
    let deploy = async {
        let job = life.submit(&stage, &parameters, true);
        let before = version_of(&service(&stage).await).filter(|_| version == Version::Lost);
        let mut loss = before.map(Loss::Awaited);
        while stage.aws.outcome(&job, Duration::ZERO).await == Outcome::Pending {
            let preview = stage.cluster.object("services", "demo-app-preview").await;
            let all = stage.cluster.objects("deployments").await;
            let service = service(&stage).await;
            if let Some(loss) = &mut loss {
                loss.go_on(&stage, &service).await;
            }
            if life.tally.borrow().kills == 0 && is_now(&service, &all, preview.is_some()) {
                life.kill(&mut stage).await;
                assert!(stage.aws.retry(&job));
            }
        }
        let ended = stage.aws.outcome(&job, PATIENCE).await;
        life.judge(&stage, &parameters, version, &ended).await;
    };
    tokio::select! {
        () = deploy => {}
        complaint = prober.complaint() => panic!("{strategy}, {name}: {complaint}"),
    }
    prober.finish().await.unwrap();
    // The last moments may be over before they are seen.
    life.tally.borrow().kills == 1 || ["released", "given up"].contains(&name)
}

/// Somebody deletes the candidate's Deployment after the switch and leaves its pods; these go when
/// the Service has no use for them.
enum Loss {
    /// Until the Service selects another version than this one.
    Awaited(String),
    /// The candidate's pods, and the version that the Service is to select again.
    Orphaned {
        candidate: String,
        before: String,
    },
    Over,
}

impl Loss {
    async fn go_on(&mut self, stage: &Stage, service: &Value) {
        let Cluster::Real(namespace) = &stage.cluster else {
            return;
        };
        let Some(selected) = version_of(service) else {
            return;
        };
        match &*self {
            Loss::Awaited(before) if *before != selected => {
                let name = format!("deployments/demo-app-{selected}");
                let path = namespace.path("apps/v1", &name);
                namespace
                    .delete(&format!("{path}?propagationPolicy=Orphan"))
                    .await;
                *self = Loss::Orphaned {
                    before: before.clone(),
                    candidate: selected,
                };
            }
            Loss::Orphaned { candidate, before } if *before == selected => {
                // The endpoints follow the selector a little later.
                let slices = stage.cluster.objects("endpointslices").await;
                let slices = slices.iter().filter(|slice| slice["endpoints"].is_array());
                let text = slices.map(|slice| slice["endpoints"].to_string());
                if text
                    .collect::<String>()
                    .contains(&format!("\"demo-app-{candidate}-"))
                {
                    return;
                }
                let of = format!("replicasets?labelSelector=landfall%2Fversion%3D{candidate}");
                namespace.delete(&namespace.path("apps/v1", &of)).await;
                *self = Loss::Over;
            }
            Loss::Awaited(_) | Loss::Orphaned { .. } | Loss::Over => {}
        }
    }
}
