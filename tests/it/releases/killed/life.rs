//! The life of one namespace: releases, kills, and what is delivered after them.

use super::draw::{AIMS, Aim, FATES, Fate, REVIVALS, Revival, Tally};
use super::judge::state;
use super::others::{Others, nobodys};
use super::version::Version;
use crate::kills::draw::Draw;
use crate::kills::expire;
use crate::releases::{given, with_artifact};
use crate::stage::{LIFE, Stage};
use landfall_sandbox::aws::{Job, Outcome};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a release takes, before one was seen.
const SPAN: Duration = Duration::from_secs(4);
/// How often the cluster is looked at by one that waits for something in it.
const LOOK: Duration = Duration::from_millis(10);
/// Within this the function is killed, after what was waited for.
const SOON: Duration = Duration::from_millis(250);
/// Within this an event is repeated.
const REPEAT: Duration = Duration::from_millis(120);
/// A release that takes longer, with all its deaths, does not end.
const PATIENCE: Duration = Duration::from_secs(100);
/// A life of an invocation in which few releases are done.
const SHORT: Duration = Duration::from_secs(3);

/// A namespace, and what it went through.
pub struct Life {
    pub draw: Draw,
    pub stage: Stage,
    pub others: Others,
    /// The last version that was released as a whole.
    pub good: Option<Version>,
    /// The one that served before.
    former: Option<Version>,
    version: u32,
    executions: u32,
    /// The id of the last job.
    job: String,
    story: Vec<String>,
    pub tally: Rc<RefCell<Tally>>,
}

impl Life {
    pub async fn begin(mut draw: Draw, tally: Rc<RefCell<Tally>>) -> Life {
        for _ in 0..8 {
            draw.below(1);
        }
        let stage = given([nobodys()]).await;
        Life {
            draw,
            others: Others::release(&stage).await,
            stage,
            good: None,
            former: None,
            version: 0,
            executions: 0,
            job: String::new(),
            story: Vec::new(),
            tally,
        }
    }

    pub fn tell(&mut self, text: String) {
        let now = jiff::Timestamp::now();
        self.story.push(format!("{now} {text}"));
    }

    pub fn give_up(&self, problem: &str) -> ! {
        panic!("{problem}\n{}\n{}", self.story.join("\n"), self.stage.log())
    }

    /// One release with its deaths, up to the next one that can begin.
    pub async fn deploy(&mut self, last: bool) {
        let mut late = Vec::new();
        let (version, ended) = self.run(last, &mut late).await;
        self.judge(version, &ended).await;
        for old in late {
            self.deliver_late(&old).await;
        }
        self.tally.borrow_mut().releases += 1;
    }

    /// A version serves as a whole.
    pub fn served(&mut self, version: Version) {
        if self.good.map(|good| good.number) != Some(version.number) {
            self.former = self.good;
        }
        self.good = Some(version);
    }

    /// The version that a rollback on demand brings back, where that is drawn.
    fn returned(&mut self, last: bool) -> Option<Version> {
        let is_drawn = self.draw.one(&[true, false, false]) && !last;
        let former = self.former.filter(|_| is_drawn)?;
        let version = Version {
            back: true,
            ..former
        };
        self.tell(format!("{version:?}"));
        self.tally.borrow_mut().backs += 1;
        Some(version)
    }

    fn next_version(&mut self, last: bool) -> Version {
        self.version += 1;
        let fate = if last {
            Fate::Well
        } else {
            self.draw.one(&FATES)
        };
        let version = Version {
            number: self.version,
            fate,
            back: false,
        };
        self.tell(format!("{version:?}"));
        version
    }

    /// Submits it as an execution of its own, or as the last one.
    fn submit(&mut self, version: Version, another: bool) -> Job {
        self.executions += u32::from(another);
        let execution = format!("execution-{}", self.executions);
        let mut parameters = json!({"release": "shop", "execution": execution,
            "prune": true, "patience": "1s"});
        match version.back {
            true => parameters["mode"] = json!("rollback"),
            false => parameters["manifests"] = json!("k8s"),
        }
        let mut event = self.stage.event(&parameters);
        self.job = event["CodePipeline.job"]["id"].as_str().unwrap().to_owned();
        if !version.back {
            let files = version.files();
            let files = files.iter().map(|(name, text)| (&**name, &**text));
            event = with_artifact(&self.stage, event, &files.collect::<Vec<_>>());
        }
        let life = self.draw.one(&[LIFE, LIFE, SHORT]);
        self.stage.aws.submit(event, life)
    }

    /// The end of a release that is killed once, twice or three times, and the jobs that were given
    /// up.
    async fn run(&mut self, last: bool, late: &mut Vec<Job>) -> (Version, Outcome) {
        let mut version = match self.returned(last) {
            Some(former) => former,
            None => self.next_version(last),
        };
        let span = self.tally.borrow().spans.get(&version.fate).copied();
        let mut span = span.unwrap_or(SPAN);
        let deaths = if last {
            0
        } else {
            self.draw.one(&[1, 1, 1, 2, 2, 3])
        };
        let mut job = self.submit(version, true);
        let (began, mut died) = (Instant::now(), 0);
        while died < deaths {
            self.take_aim(&job, version, span).await;
            if self.stage.aws.outcome(&job, Duration::ZERO).await != Outcome::Pending {
                break;
            }
            let traced = self.kill(version).await;
            died += 1;
            // What is left to do may be little.
            span = self.draw.one(&[span, span / 2, span / 8]);
            let revival = match self.draw.one(&REVIVALS) {
                // Another execution would go back from what the dead one has left.
                Revival::Superseded if version.back => Revival::Retried,
                revival => revival,
            };
            self.tell(format!("{revival:?}"));
            self.count_revival(revival, version.fate);
            if revival == Revival::Repeated {
                assert!(self.stage.aws.retry(&job));
                continue;
            }
            late.extend(traced.then_some(job));
            if revival != Revival::Retried {
                expire(&self.stage, "secrets", "landfall.shop", "until").await;
            }
            if revival == Revival::Replaced {
                version = self.next_version(false);
            }
            job = self.submit(version, revival != Revival::Retried);
        }
        let ended = self.stage.aws.outcome(&job, PATIENCE).await;
        if died == 0 {
            let mut tally = self.tally.borrow_mut();
            tally.undisturbed += 1;
            tally.spans.insert(version.fate, began.elapsed());
        }
        (version, ended)
    }

    fn count_revival(&self, revival: Revival, fate: Fate) {
        let mut tally = self.tally.borrow_mut();
        *tally.revivals.entry((revival, fate)).or_default() += 1;
    }

    /// The records of the release, the oldest first.
    pub async fn records(&self) -> Vec<Value> {
        let mut all = self.stage.cluster.objects("secrets").await;
        all.retain(|secret| {
            let name = secret["metadata"]["name"].as_str();
            name.is_some_and(|name| name.starts_with("landfall.shop.v"))
        });
        let revision = |secret: &Value| {
            let text = secret["metadata"]["labels"]["landfall/revision"].as_str();
            text.and_then(|text| text.parse::<u32>().ok())
        };
        all.sort_by_key(revision);
        all
    }

    /// Where the release of the last job stands, by what it has left in the cluster.
    async fn stage_of(&self, version: Version) -> String {
        let records = self.records().await;
        let note = |record: &Value, name: &str| {
            let note = &record["metadata"]["annotations"][format!("landfall/{name}")];
            note.as_str().unwrap_or_default().to_owned()
        };
        let own = records
            .iter()
            .rev()
            .find(|record| note(record, "job") == self.job);
        let locked = self.is_locked().await;
        let status = own.map(|own| note(own, "status")).unwrap_or_default();
        let has_new = async |resource, name: &str| {
            let live = self.stage.cluster.object(resource, name).await;
            live.is_some_and(|it| it["metadata"]["deletionTimestamp"].is_null())
        };
        let only = format!("only-{}", version.number);
        let settings = self.stage.cluster.object("configmaps", "settings").await;
        let settings = settings.unwrap_or_default();
        let number = version.number.to_string();
        let is_new = settings["data"]["LEVEL"].as_str() == Some(&number);
        match (status.as_str(), locked) {
            ("", false) => "1 not begun".into(),
            ("", true) => "2 locked, not recorded".into(),
            ("pending", _) if is_new && has_new("configmaps", &only).await => {
                match self.is_applied(version).await {
                    true => "4 applied, followed or pruned".into(),
                    false => "4 being applied".into(),
                }
            }
            ("pending", _) => "3 recorded, or being taken back".into(),
            (status, true) => format!("5 {status}, locked"),
            (status, false) => format!("6 {status}, unlocked"),
        }
    }

    async fn is_locked(&self) -> bool {
        let parent = self.stage.cluster.object("secrets", "landfall.shop").await;
        let parent = parent.unwrap_or_default();
        let lock = parent["metadata"]["annotations"]["landfall/lock"].as_str();
        lock.is_some_and(|lock| lock.contains(&self.job))
    }

    async fn is_applied(&self, version: Version) -> bool {
        let web = self
            .stage
            .cluster
            .object("deployments", "web")
            .await
            .unwrap_or_default();
        let image = web["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
        image.is_some_and(|image| image.contains(&format!(":{}-", version.number)))
    }

    /// Waits for the moment of the next kill, or for the end of the job.
    async fn take_aim(&mut self, job: &Job, version: Version, span: Duration) {
        let aim = self.draw.one(&AIMS);
        self.tell(format!("{aim:?}"));
        let mut was_applied = false;
        loop {
            let reached = match aim {
                Aim::Anywhere => true,
                Aim::Locked => self.is_locked().await,
                Aim::Recorded => self.stage_of(version).await.starts_with('3'),
                Aim::Applied => self.is_applied(version).await,
                Aim::Deleted => {
                    // What a version alone has goes with the next one, or with its own failure.
                    was_applied |= self.is_applied(version).await;
                    let former = match (version.fate, self.good) {
                        (Fate::Well, Some(good)) => format!("only-{}", good.number),
                        _ => format!("only-{}", version.number),
                    };
                    let live = self.stage.cluster.object("configmaps", &former).await;
                    was_applied && live.is_none()
                }
                Aim::Closed => self.stage_of(version).await.starts_with('5'),
            };
            if reached || self.stage.aws.outcome(job, Duration::ZERO).await != Outcome::Pending {
                break;
            }
            sleep(LOOK).await;
        }
        let limit = match aim {
            Aim::Anywhere => span,
            Aim::Closed => SOON / 16,
            Aim::Deleted => SOON / 4,
            Aim::Locked | Aim::Recorded | Aim::Applied => SOON,
        };
        sleep(self.draw.moment(limit)).await;
    }

    /// Kills the function; whether its job has left a record by which it is known later. One that
    /// has not is new whenever it comes.
    async fn kill(&mut self, version: Version) -> bool {
        self.stage.function.kill();
        let at = self.stage_of(version).await;
        self.tell(format!("killed: {at}"));
        let traced = at.as_bytes()[0] > b'2';
        if at.contains("deployed") {
            self.served(version);
        }
        self.count(at);
        sleep(self.draw.moment(REPEAT)).await;
        traced
    }

    fn count(&self, stage: String) {
        let mut tally = self.tally.borrow_mut();
        tally.kills += 1;
        *tally.stages.entry(stage).or_default() += 1;
    }

    /// Lambda's last delivery of an event whose job was given up long ago changes nothing.
    async fn deliver_late(&mut self, old: &Job) {
        let before = state(&self.stage).await;
        assert!(self.stage.aws.retry(old));
        let ended = self.stage.aws.outcome(old, PATIENCE).await;
        self.tell(format!("late: {ended:?}"));
        self.tally.borrow_mut().late += 1;
        if ended == Outcome::Pending {
            self.give_up("the late one does not end");
        }
        let after = state(&self.stage).await;
        if before != after {
            let new = after.iter().filter(|it| !before.contains(it));
            let new = new.map(Value::to_string).collect::<Vec<_>>().join("\n");
            self.give_up(&format!("the late one changed something: {new}"));
        }
    }
}
