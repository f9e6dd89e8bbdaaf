//! `landfall-sandbox` runs the real function against a local AWS and a local Kubernetes.

#![cfg_attr(
    test,
    allow(clippy::too_many_lines, reason = "tables of cases are long")
)]

mod arguments;
mod demo;
mod measure;
mod picture;
mod pipeline;
mod report;
mod requests;
mod screen;
mod stage;
mod terminal;

use crate::arguments::{Command, HELP, Input, Invoke, Place, Serve};
use crate::report::report;
use crate::screen::{Screen, Tone};
use crate::stage::Stage;
use crate::stage::called::next_call;
use crate::stage::input::{cluster_of, event_of, read_event};
use landfall_sandbox::aws::{InvocationEnd, JobResult, Outcome};
use landfall_sandbox::ending::{INTERRUPTED, USAGE_ERROR, interrupted};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

/// CodePipeline gives a Lambda action at most a day.
const ACTION: Duration = Duration::from_secs(24 * 60 * 60);
/// Printed for an external cluster, whose calls the sandbox does not see.
const CALLS_UNSEEN: [&str; 2] = [
    "The calls to a real cluster can be seen in the function's log only,",
    "with AWS_LAMBDA_LOG_LEVEL=debug in the environment.",
];

#[tokio::main]
async fn main() -> ExitCode {
    let command = match Command::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(problem) => {
            eprintln!("landfall-sandbox: {problem}\nTry: landfall-sandbox --help");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    let run = async {
        match command {
            Command::Demo(demo) => demo.run().await,
            Command::Invoke(invoke) => invoke.run().await,
            Command::Serve(serve) => serve.run().await,
            Command::Measure(measure) => measure.run().await,
            Command::Help => {
                print!("{HELP}");
                Ok(true)
            }
            Command::Version => {
                println!("landfall-sandbox {}", env!("CARGO_PKG_VERSION"));
                Ok(true)
            }
        }
    };
    // Dropping the running task also ends every process and deletes every file.
    let ended = tokio::select! {
        ended = run => ended,
        () = interrupted() => return ExitCode::from(INTERRUPTED),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("landfall-sandbox: {problem}");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

impl Place {
    async fn stage(&self) -> Result<Stage, String> {
        let stage = match self {
            Place::Sandbox => Stage::local().await,
            Place::Token(cluster) => Stage::against(cluster.clone()).await,
            Place::Kubeconfig(own) => Stage::of_own(&own.read().await?).await,
        };
        stage.map_err(|error| error.to_string())
    }
}

impl Invoke {
    async fn run(self) -> Result<bool, String> {
        let mut event = match &self.input {
            Input::Event(file) => read_event(file, &mut BTreeSet::new())?,
            Input::Parameters(text) => event_of(text, self.artifact.is_some())?,
        };
        let mut stage = self.place.stage().await?;
        if !matches!(self.place, Place::Kubeconfig(_)) {
            stage.serve_clusters(&cluster_of(&event).into_iter().collect());
        }
        stage.put_artifact(self.artifact.as_deref())?;
        let function = demo::start(&stage, &self.function)?;
        stage.raw = self.raw;
        let mut screen = Screen::new(self.plain);
        if stage.kubernetes.is_none() {
            screen.print(&CALLS_UNSEEN.map(str::to_owned));
        }
        let hashes = stage.hashes();
        let is_old = |hash: &str| hashes.contains(hash);
        let outcome = loop {
            let job = stage.aws.submit(event.clone(), self.life);
            let outcome = stage
                .follow(&job, ACTION, Some(&function), &mut screen, &is_old)
                .await;
            match next_call(&event, &outcome).await {
                Some(next) => event = next,
                None => break outcome,
            }
        };
        let succeeded = match &outcome {
            Outcome::Succeeded(_) => true,
            Outcome::Silent(InvocationEnd::Response(answer)) => !answer.is_null(),
            Outcome::Failed(_) | Outcome::Silent(_) | Outcome::Pending => false,
        };
        if succeeded {
            stage.rest(Some(&function), &mut screen, &is_old).await;
        }
        stage.tell(Some(&function), &mut screen);
        screen.leave();
        screen.print(&report(&outcome, screen.width()));
        if let Some(path) = stage.leave_page(&event)? {
            screen.print(&[format!("The report as a page: {}", path.display())]);
        }
        Ok(succeeded)
    }
}

impl Serve {
    async fn run(self) -> Result<bool, String> {
        let (mut events, mut used) = (Vec::new(), BTreeSet::new());
        for path in &self.events {
            events.push(read_event(path, &mut used)?);
        }
        let mut stage = Stage::local().await.map_err(|error| error.to_string())?;
        stage.serve_clusters(&events.iter().filter_map(cluster_of).collect());
        let authority = stage.write_authority()?;
        print!("{}", stage.exports(authority.path()));
        println!("{}", stage.advice(authority.path()));
        for event in events {
            stage.aws.submit(event, self.life);
        }
        let mut screen = Screen::new(true);
        let mut told = 0;
        loop {
            let mut changed = stage.aws.changes();
            stage.tell(None, &mut screen);
            let reports = stage.aws.reports();
            for one in reports.iter().skip(told) {
                let outcome = match one.result {
                    JobResult::Success { .. } if !one.result.ends_action() => continue,
                    JobResult::Success { .. } => Outcome::Succeeded(one.clone()),
                    JobResult::Failure { .. } => Outcome::Failed(one.clone()),
                };
                screen.say(Tone::Normal, &format!("report for job {}", one.job));
                screen.print(&report(&outcome, screen.width()));
            }
            told = reports.len();
            let _a_call_or_a_moment =
                tokio::time::timeout(Duration::from_millis(200), changed.changed()).await;
        }
    }
}
