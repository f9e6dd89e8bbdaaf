//! The function dies by SIGKILL at random moments of a deploy, and is called again as it would be.
//! Whatever was going on, the Service always has its pods, and nothing of the dead one is left.

use crate::application::Application;
use crate::blue_green::{at_rest, endpoints_are_known, service, switch};
use crate::cluster::Cluster;
use crate::prober::Prober;
use crate::stage::{LIFE, OLD_IMAGE, Stage, demo_app};
use landfall_sandbox::aws::{Job, JobResult, Outcome};
use landfall_sandbox::world::{sample_autoscaler, sample_service};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

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

/// What becomes of a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    Well,
    Crashes,
    FailsSmoke,
    /// Its Deployment is deleted after the switch; its pods stay, so that no endpoint is lost.
    Lost,
}

/// How a deploy goes on that was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Revival {
    /// Lambda delivers the event once more.
    Repeated,
    /// Somebody retries the stage, and later Lambda delivers the old event once more.
    Retried,
    /// Nobody does, the lock ends, and another execution deploys the same.
    Superseded,
}

/// When the function is killed: at any moment of the deploy, or soon after this was to be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Aim {
    Anywhere,
    Claimed,
    Switched,
    Baked,
    Failed,
    Released,
}

/// Half of all kills come at any moment; of those, few would hit what is short.
const AIMS: [Aim; 10] = [
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Anywhere,
    Aim::Claimed,
    Aim::Switched,
    Aim::Baked,
    Aim::Failed,
    Aim::Released,
];

/// What happened in all namespaces.
#[derive(Default)]
struct Tally {
    kills: u32,
    deploys: u32,
    undisturbed: u32,
    states: usize,
    stages: BTreeMap<String, u32>,
    revivals: BTreeMap<(Revival, Version), u32>,
    spans: BTreeMap<(String, Version), Duration>,
    failures: Vec<String>,
}

/// <https://en.wikipedia.org/wiki/Xorshift>
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }

    fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn moment(&mut self, span: Duration) -> Duration {
        Duration::from_millis(self.below(span.as_millis() as u64))
    }
}

fn asked(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute; make conformance runs it"]
async fn no_kill_leaves_the_service_without_pods() {
    let kills = asked("LANDFALL_KILLS", KILLS);
    let seed = asked("LANDFALL_SEED", 1);
    let tally = Rc::new(RefCell::new(Tally::default()));
    let stages = tokio::task::LocalSet::new();
    for number in 0..asked("LANDFALL_STAGES", STAGES) {
        let tally = Rc::clone(&tally);
        stages.spawn_local(async move {
            let mut life = 0;
            while tally.borrow().kills < kills && tally.borrow().failures.len() < 5 {
                life += 1;
                let seed = u64::from(seed * 1_000_003 + number * 10_007 + life);
                let draw = Draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
                let lived = tokio::task::spawn_local(live(draw, kills, Rc::clone(&tally)));
                if let Err(problem) = lived.await {
                    let panic = problem.into_panic();
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.unwrap_or_else(|| "it panicked".into());
                    tally
                        .borrow_mut()
                        .failures
                        .push(format!("{number}.{life}: {text}"));
                }
            }
        });
    }
    stages.await;
    let tally = tally.borrow();
    println!("{}", tally.words());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n\n"));
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
    let mut stage = Stage::given(objects).await;
    endpoints_are_known(&stage).await;
    let mut prober = Prober::start(&stage.cluster, 2).await;
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
    };
    let complaint = complaint.or(prober.finish().await.map_or_else(Some, |states| {
        life.tally.borrow_mut().states += states;
        None
    }));
    if let Some(complaint) = complaint {
        panic!("{complaint}\n{}\n{}", life.story.join("\n"), stage.log());
    }
}

/// A namespace, and what it went through.
struct Life {
    draw: Draw,
    strategy: &'static str,
    scaled: bool,
    live: String,
    serving: String,
    executions: u32,
    /// The id of the last job.
    job: String,
    story: Vec<String>,
    tally: Rc<RefCell<Tally>>,
}

impl Life {
    fn of(mut draw: Draw, tally: Rc<RefCell<Tally>>) -> Life {
        for _ in 0..8 {
            draw.below(1);
        }
        Life {
            strategy: draw.one(&["blueGreen", "immutable"]),
            scaled: draw.one(&[true, false]),
            draw,
            live: "demo-app".into(),
            serving: OLD_IMAGE.into(),
            executions: 0,
            job: String::new(),
            story: Vec::new(),
            tally,
        }
    }

    fn tell(&mut self, text: String) {
        self.story
            .push(format!("{} {text}", jiff::Timestamp::now()));
    }

    /// One deploy with its deaths, up to the next one that can begin.
    async fn deploy(&mut self, stage: &mut Stage, number: u32, last: bool) {
        let version = match last {
            true => Version::Well,
            false => self.draw.one(&[
                Version::Well,
                Version::Well,
                Version::Crashes,
                Version::FailsSmoke,
            ]),
        };
        let parameters = self.parameters(number, version);
        let (ended, late) = self.run(stage, &parameters, version, last).await;
        self.judge(stage, &parameters, version, &ended).await;
        if let Some(old) = late {
            self.deliver_late(stage, &old).await;
        }
        self.tally.borrow_mut().deploys += 1;
    }

    fn parameters(&mut self, number: u32, version: Version) -> Value {
        // Now and then a family changes its ways.
        let strategy = match self.draw.below(8) {
            0 => self.draw.one(&["blueGreen", "immutable"]),
            _ => self.strategy,
        };
        let sick = if version == Version::Crashes {
            "-crash"
        } else {
            ""
        };
        let image = format!("registry.example.com/demo-app:{}.0.0{sick}", number + 2);
        let mut parameters = switch(strategy, &image);
        parameters["bake"] = json!(self.draw.one(&["0s", "1s", "2s"]));
        parameters["patience"] = json!("3s");
        if version == Version::FailsSmoke {
            parameters["smoke"] = json!({"path": "/", "contains": "what nobody says"});
        } else if self.draw.one(&[true, false]) {
            parameters["smoke"] = json!({"path": "/", "contains": "ok"});
        }
        self.tell(format!("{version:?}, scaled {}: {parameters}", self.scaled));
        parameters
    }

    /// Submits it as an execution of its own, or as the last one.
    fn submit(&mut self, stage: &Stage, parameters: &Value, another: bool) -> Job {
        self.executions += u32::from(another);
        let mut parameters = parameters.clone();
        parameters["execution"] = json!(format!("execution-{}", self.executions));
        let event = stage.event(&parameters);
        self.job = event["CodePipeline.job"]["id"].as_str().unwrap().to_owned();
        stage.aws.submit(event, LIFE)
    }

    /// The end of a deploy that is killed once, twice or three times, and a job that was given up.
    async fn run(
        &mut self,
        stage: &mut Stage,
        parameters: &Value,
        version: Version,
        last: bool,
    ) -> (Outcome, Option<Job>) {
        let kind = (parameters["strategy"].to_string(), version);
        let mut span = self
            .tally
            .borrow()
            .spans
            .get(&kind)
            .copied()
            .unwrap_or(SPAN);
        let deaths = if last {
            0
        } else {
            self.draw.one(&[1, 1, 1, 2, 2, 3])
        };
        let mut job = self.submit(stage, parameters, true);
        let bake = parameters["bake"].as_str().unwrap().trim_end_matches('s');
        let bake = Duration::from_secs(bake.parse().unwrap());
        let (began, mut died, mut late) = (Instant::now(), 0, None);
        while died < deaths {
            self.take_aim(stage, &job, bake, span).await;
            if stage.aws.outcome(&job, Duration::ZERO).await != Outcome::Pending {
                break;
            }
            let traced = self.kill(stage).await;
            died += 1;
            // What is left to do may be little.
            span = self.draw.one(&[span, span / 2, span / 8]);
            let revival = self.draw.one(&[
                Revival::Repeated,
                Revival::Repeated,
                Revival::Retried,
                Revival::Superseded,
            ]);
            self.tell(format!("{revival:?}"));
            *self
                .tally
                .borrow_mut()
                .revivals
                .entry((revival, version))
                .or_default() += 1;
            match revival {
                Revival::Repeated => assert!(stage.aws.retry(&job)),
                Revival::Retried => {
                    late = traced.then_some(job).or(late);
                    job = self.submit(stage, parameters, false);
                }
                Revival::Superseded => {
                    expire(stage).await;
                    late = traced.then_some(job).or(late);
                    job = self.submit(stage, parameters, true);
                }
            }
        }
        let ended = stage.aws.outcome(&job, PATIENCE).await;
        if died == 0 {
            let mut tally = self.tally.borrow_mut();
            tally.undisturbed += 1;
            tally.spans.insert(kind, began.elapsed());
        }
        (ended, late)
    }

    /// Waits for the moment of the next kill, or for the end of the job.
    async fn take_aim(&mut self, stage: &Stage, job: &Job, bake: Duration, span: Duration) {
        let aim = self.draw.one(&AIMS);
        let mut held = false;
        loop {
            let notes = service(stage).await["metadata"]["annotations"].take();
            let ours = |note: &str| {
                let text = notes[format!("landfall/{note}")].as_str();
                text.is_some_and(|text| text.contains(&self.job))
            };
            let locked = ours("lock");
            held |= locked;
            let reached = match aim {
                Aim::Anywhere => true,
                Aim::Claimed => locked,
                Aim::Switched | Aim::Baked => ours("job"),
                Aim::Failed => ours("rolled-back"),
                Aim::Released => held && !locked,
            };
            if reached || stage.aws.outcome(job, Duration::ZERO).await != Outcome::Pending {
                break;
            }
            sleep(LOOK).await;
        }
        sleep(match aim {
            Aim::Anywhere => self.draw.moment(span),
            Aim::Claimed | Aim::Switched | Aim::Failed => self.draw.moment(SOON),
            Aim::Baked => bake + self.draw.moment(SOON),
            Aim::Released => self.draw.moment(SOON / 8),
        })
        .await;
    }

    /// Kills the function; whether its job has left a trace in the cluster by which it is known
    /// later. One that has not is new whenever it comes.
    async fn kill(&mut self, stage: &mut Stage) -> bool {
        stage.function.kill();
        let service = service(stage).await;
        let deployments = stage.cluster.objects("deployments").await;
        let at = stage_of(&service, &deployments, &self.job);
        self.tell(format!(
            "killed: {at}; {}",
            service["metadata"]["annotations"]
        ));
        self.count(at);
        sleep(self.draw.moment(REPEAT)).await;
        let notes = service["metadata"]["annotations"].to_string();
        notes.contains(&self.job)
    }

    fn count(&self, stage: String) {
        let mut tally = self.tally.borrow_mut();
        tally.kills += 1;
        *tally.stages.entry(stage).or_default() += 1;
    }

    /// The report is true, one version serves, and nothing that belongs to the deploy is left.
    async fn judge(
        &mut self,
        stage: &Stage,
        parameters: &Value,
        version: Version,
        ended: &Outcome,
    ) {
        self.tell(format!("{ended:?}"));
        let told = |what: &str| format!("{what}\n{}\n{}", self.story.join("\n"), stage.log());
        let wanted = parameters["images"]["app"].as_str().unwrap();
        match (version, ended) {
            (Version::Well, Outcome::Succeeded(report)) => {
                let JobResult::Success {
                    output_variables, ..
                } = &report.result
                else {
                    panic!("{}", told("no success"));
                };
                assert_eq!(output_variables["Image"], wanted);
                self.live = output_variables["Deployment"].clone();
                self.serving = wanted.into();
            }
            (_, Outcome::Failed(report)) if version != Version::Well => {
                let JobResult::Failure { kind, message, .. } = &report.result else {
                    panic!("{}", told("no failure"));
                };
                let untouched = "sends to the version before, as all along";
                let again = format!("sends to `{}` again", self.live);
                let (words, untouched) = match version {
                    Version::Crashes => ("exits with code 1", untouched),
                    Version::Lost => ("was deleted", again.as_str()),
                    _ => ("smoke test", untouched),
                };
                let true_told = kind == "JobFailed" && message.contains(words);
                assert!(
                    true_told && message.contains(untouched),
                    "{}",
                    told(message)
                );
                assert!(!message.contains("could not be"), "{}", told(message));
            }
            _ => panic!("{}", told("it ends otherwise")),
        }
        if let Err(problem) = self.in_order(stage, parameters).await {
            panic!("{}", told(&problem));
        }
    }

    /// What there is when nobody is at work.
    async fn in_order(&self, stage: &Stage, parameters: &Value) -> Result<(), String> {
        let ensure = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
        at_rest(stage).await;
        let service = service(stage).await;
        let mut selector = json!({"app": "demo-app"});
        if let Some(version) = self.live.strip_prefix("demo-app-") {
            selector["landfall/version"] = json!(version);
        }
        let found = &service["spec"]["selector"];
        ensure(
            *found == selector,
            format!("selector {found}, not {selector}"),
        )?;
        let mut idle = 0;
        for one in stage.cluster.objects("deployments").await {
            let (name, replicas) = (&one["metadata"]["name"], &one["spec"]["replicas"]);
            let image = &one["spec"]["template"]["spec"]["containers"][0]["image"];
            let live = *name == self.live;
            let wanted = if live { 2 } else { 0 };
            ensure(*replicas == wanted, format!("{name}: {replicas} replicas"))?;
            ensure(!live || *image == self.serving, format!("{name}: {image}"))?;
            idle += u32::from(!live && *name != "demo-app");
        }
        // A success takes away what is beyond `keep`.
        let wanted = parameters["images"]["app"] == self.serving;
        let kept = parameters["strategy"] != "immutable" || !wanted || idle <= 1;
        ensure(kept, format!("{idle} idle Deployments"))?;
        if self.scaled {
            let scaler = stage
                .cluster
                .object("horizontalpodautoscalers", "demo-app")
                .await;
            let scaler = scaler.unwrap();
            let target = &scaler["spec"]["scaleTargetRef"]["name"];
            let held = &scaler["metadata"]["annotations"]["landfall/min-replicas"];
            let floor = &scaler["spec"]["minReplicas"];
            let is_so = *target == self.live && held.is_null() && *floor == 1;
            ensure(
                is_so,
                format!("autoscaler of {target}, floor {floor}, held {held}"),
            )?;
        }
        Ok(())
    }

    /// Lambda's last delivery of an event whose job was retried long ago changes nothing.
    async fn deliver_late(&mut self, stage: &Stage, old: &Job) {
        let before = [
            service(stage).await,
            json!(stage.cluster.objects("deployments").await),
        ];
        let version = |all: &[Value; 2]| {
            let [service, deployments] = all;
            let deployments = deployments.as_array().into_iter().flatten();
            let all = std::iter::once(service).chain(deployments);
            all.map(|it| {
                json!([
                    it["metadata"]["name"],
                    it["metadata"]["annotations"],
                    it["spec"]
                ])
            })
            .collect::<Vec<_>>()
        };
        assert!(stage.aws.retry(old));
        let ended = stage.aws.outcome(old, PATIENCE).await;
        self.tell(format!("late: {ended:?}"));
        let after = [
            service(stage).await,
            json!(stage.cluster.objects("deployments").await),
        ];
        let (before, after) = (version(&before), version(&after));
        let told = || format!("{}\n{}", self.story.join("\n"), stage.log());
        assert!(
            ended != Outcome::Pending,
            "the late one does not end\n{}",
            told()
        );
        assert_eq!(before, after, "the late one changed something\n{}", told());
    }
}

/// Time goes by until the lock of the dead one has ended.
async fn expire(stage: &Stage) {
    let service = service(stage).await;
    let Some(lock) = service["metadata"]["annotations"]["landfall/lock"].as_str() else {
        return;
    };
    let mut lock = serde_json::from_str::<Value>(lock).unwrap();
    let deadline = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(3);
    lock["deadline"] = json!(deadline.to_string());
    let notes = json!({"landfall/lock": lock.to_string()});
    let place = ["metadata", "annotations"];
    stage
        .cluster
        .change("services", "demo-app", place, notes)
        .await;
}

/// Where a job's deploy was when the function died.
fn stage_of(service: &Value, deployments: &[Value], job: &str) -> String {
    let note = |name: &str| &service["metadata"]["annotations"][format!("landfall/{name}")];
    let Some(lock) = note("lock").as_str() else {
        return NO_TRACE.into();
    };
    let lock = serde_json::from_str::<Value>(lock).unwrap();
    if lock["job"] != job {
        return NO_TRACE.into();
    }
    let newcomer = deployments
        .iter()
        .find(|it| it["metadata"]["annotations"]["landfall/job"] == job);
    let running = deployments.iter().filter(|it| it["spec"]["replicas"] != 0);
    if note("rolled-back") == job {
        return "5 taking back".into();
    }
    match (note("job") == job, newcomer) {
        (true, _) if running.count() > 1 => "4 switched, baking".into(),
        (true, _) => "4 switched, retiring".into(),
        (false, None) => "2 claimed".into(),
        (false, Some(found)) => {
            let ready = found["status"]["availableReplicas"] == found["spec"]["replicas"];
            let ready = if ready { "ready" } else { "not ready" };
            format!("3 newcomer {ready}")
        }
    }
}

impl Tally {
    fn words(&self) -> String {
        let Tally {
            kills,
            deploys,
            undisturbed,
            states,
            ..
        } = self;
        let mut text = format!(
            "{deploys} deploys ({undisturbed} of them never killed), killed {kills} times; \
             {states} states of endpoints were seen\n"
        );
        for (stage, count) in &self.stages {
            text += &format!("  killed when {stage}: {count}\n");
        }
        for ((revival, version), count) in &self.revivals {
            text += &format!("  {version:?}, {revival:?}: {count}\n");
        }
        for ((strategy, version), span) in &self.spans {
            text += &format!("  undisturbed {strategy} {version:?}: {span:?}\n");
        }
        text
    }
}

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
        ("newcomer written", well, |_, all, _| all.len() > 1),
        ("newcomer ready", well, |_, all, _| {
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
        ("newcomer put away", Version::FailsSmoke, |it, all, _| {
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
    let turns = Rc::new(tokio::sync::Semaphore::new(5));
    let mut running = Vec::new();
    for strategy in ["blueGreen", "immutable"] {
        // In the sandbox no pod outlives its Deployment.
        let real = crate::real::is_named();
        let rows_of = moments().into_iter();
        for moment in rows_of.filter(|(_, version, _)| real || *version != Version::Lost) {
            let turns = Rc::clone(&turns);
            running.push(rows.spawn_local(async move {
                let _turn = turns.acquire().await.unwrap();
                killed_at(strategy, moment).await;
            }));
        }
    }
    rows.await;
    for row in running {
        row.await.unwrap();
    }
}

async fn killed_at(strategy: &'static str, (name, version, is_now): Moment) {
    let mut life = Life::of(Draw(1), Rc::default());
    (life.strategy, life.scaled) = (strategy, true);
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
    let seen = life.tally.borrow().kills == 1 || ["released", "given up"].contains(&name);
    assert!(seen, "{strategy}, {name}: it was not killed");
}

/// Somebody deletes the newcomer's Deployment after the switch and leaves its pods; these go when
/// the Service has no use for them.
enum Loss {
    /// Until the Service selects another version than this one.
    Awaited(String),
    /// The newcomer's pods, and the version that the Service is to select again.
    Orphaned {
        newcomer: String,
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
                    newcomer: selected,
                };
            }
            Loss::Orphaned { newcomer, before } if *before == selected => {
                // The endpoints follow the selector a little later.
                let slices = stage.cluster.objects("endpointslices").await;
                let slices = slices.iter().filter(|slice| slice["endpoints"].is_array());
                let text = slices.map(|slice| slice["endpoints"].to_string());
                if text
                    .collect::<String>()
                    .contains(&format!("\"demo-app-{newcomer}-"))
                {
                    return;
                }
                let of = format!("replicasets?labelSelector=landfall%2Fversion%3D{newcomer}");
                namespace.delete(&namespace.path("apps/v1", &of)).await;
                *self = Loss::Over;
            }
            Loss::Awaited(_) | Loss::Orphaned { .. } | Loss::Over => {}
        }
    }
}

/// The version that a Service selects.
fn version_of(service: &Value) -> Option<String> {
    let version = service["spec"]["selector"]["landfall/version"].as_str();
    version.map(str::to_owned)
}
