//! People and GitOps tools in the middle of a switch: they scale, delete, apply again, roll, and
//! edit the selector, and now and then the function dies as well. The Service's endpoints are
//! watched all along: neither is it empty nor does it send to two versions for longer than Landfall
//! takes to notice and to mend it, and the next deploy finds everything in order.

use crate::application::Application;
use crate::blue_green::{at_rest, endpoints_are_known, service, switch};
use crate::field::case::Edit;
use crate::field::door::perform;
use crate::prober::{Prober, Spans};
use crate::stage::{LIFE, OLD_IMAGE, Stage, demo_app};
use landfall_sandbox::aws::{Job, JobResult, Outcome};
use landfall_sandbox::world::sample_service;
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The longest that a Service may be empty or mixed: Landfall's own reaction, and what pods and
/// endpoints take after it. `docs/strategies.md` has what was measured.
const REACTION: Duration = Duration::from_secs(8);
/// How long a deploy may take, with everything that happens to it.
const PATIENCE: Duration = Duration::from_secs(100);
/// How long a moment is waited for.
const MOMENT: Duration = Duration::from_secs(30);
/// From somebody's deed to the death of the function, where it dies.
const DEATH: Duration = Duration::from_millis(300);
/// Namespaces that live at the same time.
const AT_ONCE: usize = 6;

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    ScalesNewcomerToZero,
    DeletesCandidate,
    /// `kubectl rollout restart` of what serves.
    RollsLive,
    /// A GitOps tool finds a selector that is not in its repository.
    SetsSelectorBack,
    /// `kubectl replace` of the Service from a file: its notes are gone as well.
    AppliesServiceAgain,
    /// The Service is deleted and made anew.
    MakesServiceAnew,
}

/// When they do it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// The Service selects one version alone, and the new one comes up.
    ComesUp,
    /// The Service has been switched, and the new version is watched.
    Bakes,
}

use Deed::*;
use Moment::*;

/// What is not in it would be no meddling: who restarts the old version after the switch restarts
/// what serves nobody.
const ROWS: [(Deed, Moment); 11] = [
    (ScalesNewcomerToZero, ComesUp),
    (ScalesNewcomerToZero, Bakes),
    (DeletesCandidate, ComesUp),
    (DeletesCandidate, Bakes),
    (RollsLive, ComesUp),
    (SetsSelectorBack, ComesUp),
    (SetsSelectorBack, Bakes),
    (AppliesServiceAgain, ComesUp),
    (AppliesServiceAgain, Bakes),
    (MakesServiceAnew, ComesUp),
    (MakesServiceAnew, Bakes),
];

/// One story: a row, a strategy, and whether the function dies after the deed.
#[derive(Clone, Copy, Debug)]
struct Story {
    deed: Deed,
    moment: Moment,
    strategy: &'static str,
    dies: bool,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; make kills runs it"]
async fn nobody_in_the_middle_leaves_the_service_empty_or_mixed() {
    let rows = tokio::task::LocalSet::new();
    let turns = Rc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let picked = std::env::var("LANDFALL_CASE").unwrap_or_default();
    let mut running = Vec::new();
    for (deed, moment) in ROWS {
        for strategy in ["blueGreen", "immutable"] {
            for dies in [false, true] {
                let story = Story {
                    deed,
                    moment,
                    strategy,
                    dies,
                };
                let name = format!("{deed:?} {moment:?} {strategy} {dies}");
                if !name.contains(&picked) {
                    continue;
                }
                let turns = Rc::clone(&turns);
                let told = rows.spawn_local(async move {
                    let _turn = turns.acquire().await.unwrap();
                    story.play().await
                });
                running.push((story, told));
            }
        }
    }
    rows.await;
    let (mut worst, mut wrong) = (Spans::default(), Vec::new());
    for (story, told) in running {
        match told.await {
            Ok((spans, _)) if spans.empty.max(spans.mixed) <= REACTION => {
                println!("  {story:?}: {spans:?}");
                worst.empty = worst.empty.max(spans.empty);
                worst.mixed = worst.mixed.max(spans.mixed);
            }
            Ok((spans, states)) => wrong.push(format!("{story:?}: {spans:?}{states}")),
            Err(error) => {
                let panic = error.into_panic();
                let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                wrong.push(format!("{story:?}: {text}"));
            }
        }
    }
    println!("the longest: {worst:?}");
    assert!(
        wrong.is_empty(),
        "{} went wrong\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

impl Story {
    async fn play(self) -> (Spans, String) {
        let application = Application::new(OLD_IMAGE, 200, "ok").await;
        let mut stage = Stage::given([
            application.of(demo_app(600)),
            Application::behind(sample_service("demo-app")),
        ])
        .await;
        endpoints_are_known(&stage).await;
        // What is adopted already is in the middle of its life.
        let first = "registry.example.com/demo-app:1.5.0";
        let (_, variables) = stage.deploy(switch(self.strategy, first)).await.success();
        let before = variables["Deployment"].clone();
        let mut prober = Prober::timing(&stage.cluster).await;
        let mut parameters = switch(
            self.strategy,
            "registry.example.com/demo-app:2.0.0-after-3s",
        );
        parameters["bake"] = json!("12s");
        parameters["patience"] = json!("3s");
        let job = stage.aws.submit(stage.event(&parameters), LIFE);
        let candidate = self.await_moment(&stage, &job, &before).await;
        for edit in self.deed.edits(&before, &candidate) {
            let (status, answer) =
                perform(&stage.cluster, edit.deed(stage.cluster.namespace())).await;
            assert!((200..300).contains(&status), "{edit:?}: {answer}");
        }
        if self.dies {
            sleep(DEATH).await;
            if stage.aws.outcome(&job, Duration::ZERO).await == Outcome::Pending {
                stage.function.kill();
                assert!(stage.aws.retry(&job));
            }
        }
        let ended = stage.aws.outcome(&job, PATIENCE).await;
        let told = words(&ended);
        let mut states = format!("\n{told}{}", prober.states());
        // The next one mends what is left, and has nobody in its way.
        let next = switch(self.strategy, "registry.example.com/demo-app:3.0.0");
        let next = stage.aws.submit(stage.event(&next), LIFE);
        let next = stage.aws.outcome(&next, PATIENCE).await;
        let Outcome::Succeeded(report) = &next else {
            panic!("{told}\nThe next one: {}{}", words(&next), prober.states());
        };
        let JobResult::Success {
            output_variables, ..
        } = &report.result
        else {
            panic!("{report:?}");
        };
        at_rest(&stage).await;
        let live = &output_variables["Deployment"];
        for one in stage.cluster.objects("deployments").await {
            let (name, replicas) = (&one["metadata"]["name"], &one["spec"]["replicas"]);
            let wanted = if name == live { 2 } else { 0 };
            assert_eq!(*replicas, wanted, "{name} at the end\n{told}");
        }
        let spans = prober.spans().await;
        states += &prober.states();
        (spans, states)
    }

    /// Waits for it; gives the candidate's name.
    async fn await_moment(&self, stage: &Stage, job: &Job, before: &str) -> String {
        let end = Instant::now() + MOMENT;
        loop {
            let service = service(stage).await;
            let lock = service["metadata"]["annotations"]["landfall/lock"].is_string();
            let selected = &service["spec"]["selector"]["landfall/version"];
            let selected = selected.as_str().unwrap_or_default();
            let switched = lock && !before.ends_with(&format!("-{selected}"));
            let all = stage.cluster.objects("deployments").await;
            let fresh = all.iter().find(|one| {
                let image = &one["spec"]["template"]["spec"]["containers"][0]["image"];
                image.as_str().is_some_and(|image| image.contains("2.0.0"))
                    && one["spec"]["replicas"] != 0
            });
            let is_now = match self.moment {
                ComesUp => lock && !switched && fresh.is_some(),
                Bakes => switched,
            };
            if let Some(fresh) = fresh.filter(|_| is_now) {
                return fresh["metadata"]["name"].as_str().unwrap().to_owned();
            }
            let ended = stage.aws.outcome(job, Duration::ZERO).await;
            let over = ended != Outcome::Pending || Instant::now() > end;
            assert!(!over, "the moment did not come: {}", words(&ended));
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Deed {
    fn edits(self, before: &str, candidate: &str) -> Vec<Edit> {
        let edit = |by: &str, resource: &str, name: &str, patch: Value| {
            let edit =
                json!({"at": 0, "by": by, "resource": resource, "name": name, "patch": patch});
            serde_json::from_value::<Edit>(edit).unwrap()
        };
        let made = |object: Value| {
            let edit =
                json!({"at": 0, "resource": "services", "name": "demo-app", "create": object});
            serde_json::from_value::<Edit>(edit).unwrap()
        };
        let selector = json!({"app": "demo-app"});
        let plain = json!([{"op": "replace", "path": "/spec/selector", "value": selector}]);
        match self {
            ScalesNewcomerToZero => {
                let patch = json!({"spec": {"replicas": 0}});
                vec![edit("kubectl-scale", "deployments", candidate, patch)]
            }
            DeletesCandidate => vec![edit("kubectl", "deployments", candidate, Value::Null)],
            RollsLive => {
                let at = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
                let patch = json!({"spec": {"template": {"metadata": {"annotations": at}}}});
                vec![edit("kubectl-rollout", "deployments", before, patch)]
            }
            SetsSelectorBack => vec![edit("argocd-controller", "services", "demo-app", plain)],
            AppliesServiceAgain => {
                let notes = json!({"op": "remove", "path": "/metadata/annotations"});
                let all = json!([plain[0], notes]);
                vec![edit("kubectl-replace", "services", "demo-app", all)]
            }
            MakesServiceAnew => {
                let mut service = Application::behind(sample_service("demo-app"));
                service["metadata"]
                    .as_object_mut()
                    .unwrap()
                    .remove("namespace");
                vec![
                    edit("kubectl", "services", "demo-app", Value::Null),
                    made(service),
                ]
            }
        }
    }
}

fn words(ended: &Outcome) -> String {
    match ended {
        Outcome::Succeeded(report) | Outcome::Failed(report) => match &report.result {
            JobResult::Success { summary, .. } => {
                format!("success: {}", summary.clone().unwrap_or_default())
            }
            JobResult::Failure { kind, message, .. } => format!("{kind}: {message}"),
        },
        Outcome::Silent(end) => format!("{end:?}"),
        Outcome::Pending => "it does not end".to_owned(),
    }
}
