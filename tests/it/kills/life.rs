//! The life of one cluster: deploys, kills, deliveries, and what is judged of them.

use crate::blue_green::{at_rest, service, switch};
use crate::canary::stand_in::{backends, note, route};
use crate::kills::draw::{AIMS, Aim, Draw, Revival, Tally, Version};
use crate::kills::stages::stage_of;
use crate::kills::{LOOK, PATIENCE, REPEAT, SOON, SPAN};
use crate::stage::{LIFE, OLD_IMAGE, Stage};
use landfall_sandbox::aws::{Job, JobResult, Outcome};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A namespace, and what it went through.
pub(super) struct Life {
    pub(super) draw: Draw,
    pub(super) strategy: &'static str,
    /// Whether a route sends to the Service, so that canaries are made.
    pub(super) routed: bool,
    pub(super) scaled: bool,
    pub(super) live: String,
    pub(super) serving: String,
    pub(super) executions: u32,
    /// The id of the last job.
    pub(super) job: String,
    pub(super) story: Vec<String>,
    pub(super) tally: Rc<RefCell<Tally>>,
}

impl Life {
    pub(super) fn of(mut draw: Draw, tally: Rc<RefCell<Tally>>) -> Life {
        for _ in 0..8 {
            draw.below(1);
        }
        let strategy = draw.one(&["blueGreen", "immutable", "canary"]);
        Life {
            strategy,
            routed: strategy == "canary",
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

    pub(super) fn tell(&mut self, text: String) {
        self.story
            .push(format!("{} {text}", jiff::Timestamp::now()));
    }

    /// One deploy with its deaths, up to the next one that can begin.
    pub(super) async fn deploy(&mut self, stage: &mut Stage, number: u32, last: bool) {
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

    pub(super) fn parameters(&mut self, number: u32, version: Version) -> Value {
        // Now and then a family changes its ways.
        let strategy = match self.draw.below(8) {
            0 if self.routed => "blueGreen",
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
        if strategy == "canary" {
            parameters["route"] = json!("httproute/demo-app");
            parameters["steps"] = json!([{"weight": 20, "bake": "1s"}]);
            // The controller has its time for each of three changes.
            parameters["timeout"] = json!("90s");
        }
        if version == Version::FailsSmoke {
            parameters["smoke"] = json!({"path": "/", "contains": "what nobody says"});
        } else if self.draw.one(&[true, false]) {
            parameters["smoke"] = json!({"path": "/", "contains": "ok"});
        }
        self.tell(format!("{version:?}, scaled {}: {parameters}", self.scaled));
        parameters
    }

    /// Submits it as an execution of its own, or as the last one.
    pub(super) fn submit(&mut self, stage: &Stage, parameters: &Value, another: bool) -> Job {
        self.executions += u32::from(another);
        let mut parameters = parameters.clone();
        parameters["execution"] = json!(format!("execution-{}", self.executions));
        let event = stage.event(&parameters);
        self.job = event["CodePipeline.job"]["id"].as_str().unwrap().to_owned();
        stage.aws.submit(event, LIFE)
    }

    /// The end of a deploy that is killed once, twice or three times, and a job that was given up.
    pub(super) async fn run(
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
                    expire(stage, "services", "demo-app", "deadline").await;
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
    pub(super) async fn take_aim(
        &mut self,
        stage: &Stage,
        job: &Job,
        bake: Duration,
        span: Duration,
    ) {
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
    pub(super) async fn kill(&mut self, stage: &mut Stage) -> bool {
        stage.function.kill();
        let service = service(stage).await;
        let deployments = stage.cluster.objects("deployments").await;
        let mut at = stage_of(&service, &deployments, &self.job);
        if self.routed
            && at.starts_with('3')
            && let Some(note) = note(&route(stage).await)
        {
            at = format!("3 canary at step {}", note["step"]);
        }
        self.tell(format!(
            "killed: {at}; {}",
            service["metadata"]["annotations"]
        ));
        self.count(at);
        sleep(self.draw.moment(REPEAT)).await;
        let notes = service["metadata"]["annotations"].to_string();
        notes.contains(&self.job)
    }

    pub(super) fn count(&self, stage: String) {
        let mut tally = self.tally.borrow_mut();
        tally.kills += 1;
        *tally.stages.entry(stage).or_default() += 1;
    }

    /// The report is true, one version serves, and nothing that belongs to the deploy is left.
    pub(super) async fn judge(
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
                let untouched = "still routes to the previous version";
                if version == Version::Alone {
                    self.live = "demo-app-blue".into();
                    self.serving = wanted.into();
                }
                let again = format!("routes to `{}` again", self.live);
                let (words, untouched) = match version {
                    Version::Crashes => ("exits with code 1", untouched),
                    Version::Lost => ("someone else deleted", again.as_str()),
                    Version::FallsIll => ("of the traffic, ", untouched),
                    Version::LosesService => ("someone else deleted Service", untouched),
                    Version::LosesSelector => ("of Service `demo-app-canary`", untouched),
                    Version::ScaledAway => ("someone else scaled `demo-app-blue`", untouched),
                    Version::Alone => (
                        "someone else scaled `demo-app` to",
                        "now routes to `demo-app-blue`",
                    ),
                    _ => ("smoke test", untouched),
                };
                let untouched = match version {
                    Version::FallsIll if message.contains(&again) => again.as_str(),
                    _ => untouched,
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
    pub(super) async fn in_order(&self, stage: &Stage, parameters: &Value) -> Result<(), String> {
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
        if self.routed {
            let backends = backends(&route(stage).await);
            let is_so = backends == [("demo-app".to_owned(), 1)];
            ensure(is_so, format!("the route sends to {backends:?}"))?;
        }
        let candidate = stage.cluster.object("services", "demo-app-canary").await;
        ensure(
            candidate.is_none(),
            "the candidate's Service is there".into(),
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
    pub(super) async fn deliver_late(&mut self, stage: &Stage, old: &Job) {
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

/// Time goes by until the lock of the dead one has ended, whose end is in this field of it.
pub async fn expire(stage: &Stage, resource: &str, name: &str, end: &str) {
    let locked = stage
        .cluster
        .object(resource, name)
        .await
        .unwrap_or_default();
    let Some(lock) = locked["metadata"]["annotations"]["landfall/lock"].as_str() else {
        return;
    };
    let mut lock = serde_json::from_str::<Value>(lock).unwrap();
    let ended = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(3);
    lock[end] = json!(ended.to_string());
    let notes = json!({"landfall/lock": lock.to_string()});
    let place = ["metadata", "annotations"];
    stage.cluster.change(resource, name, place, notes).await;
}
