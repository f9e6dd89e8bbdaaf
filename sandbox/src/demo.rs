//! `landfall-sandbox demo` shows nine deploys.

use crate::report::report;
use crate::screen::{Screen, Tone};
use crate::stage::Stage;
use crate::stage::input::read_event;
use crate::stage::narration::log_line;
use landfall_sandbox::aws::{JobResult, Outcome};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The function's timeout: long enough for each act, so that only a hanging function reaches it.
const LIFE: Duration = Duration::from_secs(60);
/// An act that takes longer has failed; all acts together take less than two minutes.
const ACT: Duration = Duration::from_secs(35);

/// The options of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demo {
    pub(crate) function: PathBuf,
    pub(crate) events: PathBuf,
    pub(crate) plain: bool,
}

struct Act {
    file: &'static str,
    heading: &'static str,
    story: &'static str,
    expected: Expected,
}

#[derive(Clone, Copy)]
enum Expected {
    NewVersion,
    RolledBack,
    Refused,
    /// Another Deployment gets the traffic.
    Switched,
    /// The Service still routes to the same Deployment.
    NotSwitched,
    /// The Service still routes to the same Deployment, and a route, too.
    TakenBack,
    /// The workloads of the release are new.
    Released,
    /// The workloads of the release are what they were.
    NotReleased,
}

const ACTS: [Act; 9] = [
    Act {
        file: "rolling.json",
        heading: "1. A new version",
        story: "The pipeline changes DEMO_GREETING; the pods are replaced one by one.",
        expected: Expected::NewVersion,
    },
    Act {
        file: "crashing.json",
        heading: "2. A version that crashes",
        story: "Its container ends again and again: the log says why, the old version comes back.",
        expected: Expected::RolledBack,
    },
    Act {
        file: "failing.json",
        heading: "3. A version that does not exist",
        story: "No registry has the image: the deploy fails, the old version goes on serving.",
        expected: Expected::RolledBack,
    },
    Act {
        file: "wrong.json",
        heading: "4. Wrong parameters",
        story: "The parameters are refused, all faults at once; nothing is changed.",
        expected: Expected::Refused,
    },
    Act {
        file: "blue-green.json",
        heading: "5. Blue and green",
        story: "New pods come up beside the old ones; then the Service is switched, all at once.",
        expected: Expected::Switched,
    },
    Act {
        file: "smoke.json",
        heading: "6. A version that fails its smoke test",
        story: "Its pods are ready, but it answers with 500: the Service is never switched to it.",
        expected: Expected::NotSwitched,
    },
    Act {
        file: "canary-fails.json",
        heading: "7. A canary that fails",
        story: "It gets 10 % of the requests, breaks down, and loses them by one change.",
        expected: Expected::TakenBack,
    },
    Act {
        file: "shop.json",
        heading: "8. A whole release",
        story: "Settings, a migration, a Service and two workloads are applied in their order.",
        expected: Expected::Released,
    },
    Act {
        file: "migration.json",
        heading: "9. A release whose migration fails",
        story: "No workload is touched: the report has the last words of the migration.",
        expected: Expected::NotReleased,
    },
];

impl Demo {
    /// Runs all acts; returns whether each ended as expected.
    pub(crate) async fn run(&self) -> Result<bool, String> {
        let mut stage = Stage::local().await.map_err(|error| error.to_string())?;
        let (mut events, mut used) = (Vec::new(), BTreeSet::new());
        for act in &ACTS {
            events.push(read_event(&self.events.join(act.file), &mut used)?);
        }
        let function = start(&stage, &self.function)?;
        let mut screen = Screen::new(self.plain);
        let mut good = true;
        for (act, event) in ACTS.iter().zip(events) {
            good &= act.play(event, &mut stage, &mut screen).await;
        }
        let (tone, text) = match good {
            true => (Tone::Good, "All nine ended as they should."),
            false => (
                Tone::Bad,
                "Not all nine ended as they should; the function's last words:",
            ),
        };
        screen.print(&[String::new()]);
        screen.say(tone, text);
        if !good {
            const LAST: usize = 20;
            let log = function.log();
            for line in &log[log.len().saturating_sub(LAST)..] {
                screen.say(Tone::Faint, &log_line(line));
            }
        }
        Ok(good)
    }
}

/// Starts the function, or says why not.
pub(crate) fn start(
    stage: &Stage,
    binary: &Path,
) -> Result<landfall_sandbox::function::Function, String> {
    let started = stage.function(binary);
    started.map_err(|error| format!("the function {} cannot start: {error}", binary.display()))
}

impl Act {
    async fn play(&self, event: Value, stage: &mut Stage, screen: &mut Screen) -> bool {
        screen.print(&[String::new()]);
        screen.say(Tone::Heading, self.heading);
        screen.say(Tone::Heading, self.story);
        screen.print(&[String::new()]);
        stage.shows_shop = matches!(self.expected, Expected::Released | Expected::NotReleased);
        stage.shows_route = matches!(self.expected, Expected::TakenBack);
        let before = Moment::of(stage);
        let is_old = |hash: &str| before.hashes.contains(hash);
        screen.show(stage.picture(&is_old));
        let job = stage.aws.submit(event, LIFE);
        let submitted = Instant::now();
        let outcome = stage.follow(&job, ACT, None, screen, &is_old).await;
        let seconds = submitted.elapsed().as_secs_f64();
        stage.rest(None, screen, &is_old).await;
        screen.leave();
        screen.print(&report(&outcome));
        let took = format!("{seconds:.1} s from the job to its report.");
        screen.say(Tone::Faint, &took);
        let problem = self.problem(&outcome, &before, &Moment::of(stage));
        match &problem {
            None => screen.say(Tone::Good, "As it should be."),
            Some(problem) => screen.say(Tone::Bad, &format!("Not as it should be: {problem}.")),
        }
        problem.is_none()
    }

    fn problem(&self, outcome: &Outcome, before: &Moment, after: &Moment) -> Option<&'static str> {
        let same_containers = before.containers == after.containers;
        let untouched = before.generation == after.generation;
        let (failure, changed) = match self.expected {
            Expected::NewVersion => (None, !same_containers),
            Expected::RolledBack => (Some("JobFailed"), same_containers && !untouched),
            Expected::Refused => (Some("ConfigurationError"), untouched),
            Expected::Switched => (None, before.selector != after.selector),
            Expected::NotSwitched | Expected::TakenBack => {
                (Some("JobFailed"), before.selector == after.selector)
            }
            Expected::Released => (None, before.shop != after.shop),
            Expected::NotReleased => (Some("JobFailed"), before.shop == after.shop),
        };
        if ended_with(outcome) != Some(failure) {
            return Some("another report was expected");
        }
        if !changed {
            return Some("what is in the cluster is not what it should be");
        }
        None
    }
}

/// The failure type; `None` inside for a success.
fn ended_with(outcome: &Outcome) -> Option<Option<&str>> {
    match outcome {
        Outcome::Succeeded(_) => Some(None),
        Outcome::Failed(report) => match &report.result {
            JobResult::Failure { kind, .. } => Some(Some(kind)),
            JobResult::Success { .. } => None,
        },
        Outcome::Silent(_) | Outcome::Pending => None,
    }
}

/// The state of the cluster by which an act is judged.
struct Moment {
    hashes: BTreeSet<String>,
    containers: Value,
    generation: Value,
    /// The Service's selector.
    selector: Value,
    /// The templates of the release's workloads.
    shop: Value,
}

impl Moment {
    fn of(stage: &Stage) -> Moment {
        let deployment = stage.deployment();
        Moment {
            hashes: stage.hashes(),
            containers: deployment["spec"]["template"]["spec"]["containers"].clone(),
            generation: deployment["metadata"]["generation"].clone(),
            selector: stage.service()["spec"]["selector"].clone(),
            shop: stage.shop_templates(),
        }
    }
}
