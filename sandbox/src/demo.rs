//! `landfall-sandbox demo` shows nine deploys.

mod acts;

use crate::demo::acts::{ACTS, Act, Expected, Moment};
use crate::pipeline::{Deploy, FRAME, Pipeline, boxed};
use crate::report::report;
use crate::screen::{self, Screen, Tone};
use crate::stage::Stage;
use crate::stage::input::{read_event, told};
use crate::stage::narration::log_line;
use crate::terminal::{columns, padded, paint, wrap, write};
use landfall_sandbox::function::Function;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// The function's timeout: long enough for each act, so that only a hanging function reaches it.
const LIFE: Duration = Duration::from_secs(60);
/// An act that takes longer has failed; all acts together take less than two minutes.
const ACT: Duration = Duration::from_secs(35);
/// How long the report of an act can be read before the next one begins.
const READING: Duration = Duration::from_millis(2500);
/// What is shown of the function's log where something went wrong.
const LAST: usize = 20;

/// How many acts there are.
pub(crate) const ACT_COUNT: usize = ACTS.len();

/// The options of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demo {
    pub(crate) function: PathBuf,
    pub(crate) events: PathBuf,
    pub(crate) plain: bool,
    /// The numbers of the acts, from 1; all where there are none.
    pub(crate) acts: Vec<usize>,
}

/// An act that is to be played: its number, and what the pipeline sends.
struct Part {
    number: usize,
    act: &'static Act,
    event: Value,
}

/// An act that was played.
struct Played {
    number: usize,
    heading: &'static str,
    end: String,
    seconds: f64,
    problem: Option<&'static str>,
}

impl Demo {
    /// Runs all acts; returns whether each ended as expected.
    pub(crate) async fn run(&self) -> Result<bool, String> {
        let scenes = self.scenes()?;
        let mut screen = Screen::new(self.plain);
        let mut played = Vec::new();
        if screen.live {
            for scene in scenes {
                played.extend(self.play(scene, &mut screen).await?);
            }
        } else {
            // Nobody waits for one act after the other.
            let set = LocalSet::new();
            let mut running = Vec::new();
            for scene in scenes {
                let demo = self.clone();
                running.push(set.spawn_local(async move {
                    let mut screen = Screen::kept();
                    let played = demo.play(scene, &mut screen).await;
                    (played, screen.taken())
                }));
            }
            for scene in running {
                let ended = set.run_until(scene).await;
                let (scene, text) = ended.map_err(|error| error.to_string())?;
                write(&text);
                played.extend(scene?);
            }
        }
        let width = screen.width();
        screen.print(&card(&played, width));
        Ok(played.iter().all(|one| one.problem.is_none()))
    }

    /// The acts that are to be played; those of a scene need the same cluster.
    fn scenes(&self) -> Result<Vec<Vec<Part>>, String> {
        let is_wanted = |number: usize| self.acts.is_empty() || self.acts.contains(&number);
        let (mut scenes, mut used) = (Vec::<Vec<Part>>::new(), BTreeSet::new());
        let numbered = (1..).zip(&ACTS);
        for (number, act) in numbered.filter(|(number, _)| is_wanted(*number)) {
            let event = read_event(&self.events.join(act.file), &mut used)?;
            let part = Part { number, act, event };
            match scenes.last_mut().filter(|_| act.continues) {
                Some(scene) => scene.push(part),
                None => scenes.push(vec![part]),
            }
        }
        Ok(scenes)
    }

    /// One act after the other, with a cluster and a function of their own.
    async fn play(&self, scene: Vec<Part>, screen: &mut Screen) -> Result<Vec<Played>, String> {
        let mut stage = Stage::local().await.map_err(|error| error.to_string())?;
        let function = start(&stage, &self.function)?;
        let mut played = Vec::new();
        for part in scene {
            played.push(part.play(&mut stage, screen, &function).await);
            if screen.live {
                tokio::time::sleep(READING).await;
            }
        }
        Ok(played)
    }
}

/// Starts the function, or says why not.
pub(crate) fn start(stage: &Stage, binary: &Path) -> Result<Function, String> {
    let started = stage.function(binary);
    started.map_err(|error| {
        let (binary, problem) = (binary.display(), told(&error));
        format!(
            "the function {binary} cannot start: {problem}. `make build` makes \
             target/debug/landfall"
        )
    })
}

impl Part {
    async fn play(self, stage: &mut Stage, screen: &mut Screen, function: &Function) -> Played {
        let Part { number, act, event } = self;
        stage.shows_shop = matches!(act.expected, Expected::Released | Expected::NotReleased);
        stage.shows_route = act.expected == Expected::TakenBack;
        let before = Moment::of(stage);
        let is_old = |hash: &str| before.hashes.contains(hash);
        screen.open(screen::Act::new(
            (number, ACT_COUNT),
            (act.heading, act.story),
            Pipeline::of(&event),
        ));
        screen.show(stage.picture(&is_old));
        let job = stage.aws.submit(event, LIFE);
        let submitted = Instant::now();
        let outcome = stage.follow(&job, ACT, None, screen, &is_old).await;
        let seconds = submitted.elapsed().as_secs_f64();
        let end = Deploy::of(&outcome);
        if let Some(act) = screen.act() {
            act.pipeline.deploy = end.clone();
        }
        stage.rest(None, screen, &is_old).await;
        screen.close();
        screen.print(&report(&outcome, screen.width()));
        let problem = act.problem(&outcome, &before, &Moment::of(stage));
        let took = format!("{seconds:.1} s from the job to its report.");
        match &problem {
            None => screen.say(Tone::Good, &format!("{took} As it should be.")),
            Some(problem) => {
                let text = format!("{took} Not as it should be: {problem}. The function's log:");
                screen.say(Tone::Bad, &text);
                let log = function.log();
                for line in &log[log.len().saturating_sub(LAST)..] {
                    screen.say(Tone::Faint, &log_line(line));
                }
            }
        }
        Played {
            number,
            heading: act.heading,
            end: end.word().to_owned(),
            seconds,
            problem,
        }
    }
}

/// What was shown, at the end.
fn card(played: &[Played], width: usize) -> Vec<String> {
    let inner = width.saturating_sub(2 + FRAME);
    // Columns stand below one another where they have room; a narrow terminal breaks the lines.
    let broken = |text: &str, inner: usize| match columns(text) <= inner {
        true => vec![text.to_owned()],
        false => wrap(text, inner),
    };
    let widest = played.iter().map(|one| one.heading.len()).max();
    let row = |one: &Played| {
        let sign = match one.problem {
            None => paint("32", "✔"),
            Some(_) => paint("31", "✖"),
        };
        let heading = padded(one.heading, widest.unwrap_or(0));
        let (number, end, seconds) = (one.number, &one.end, one.seconds);
        let text = format!("{number}  {heading}  {end:<10} {seconds:>5.1} s");
        let signs = std::iter::once(sign).chain(std::iter::repeat(" ".to_owned()));
        let lines = signs.zip(broken(&text, inner.saturating_sub(2)));
        lines.map(|(sign, text)| format!("{sign} {text}"))
    };
    let mut lines = played.iter().flat_map(row).collect::<Vec<_>>();
    lines.push(String::new());
    let bad = played.iter().filter(|one| one.problem.is_some()).count();
    let (colour, verdict) = match bad {
        0 => (
            "32",
            "All ended as they should: failures fail, and the old version serves.".to_owned(),
        ),
        bad => ("31", format!("{bad} did not end as they should.")),
    };
    let verdict = broken(&verdict, inner).into_iter();
    lines.extend(verdict.map(|line| paint(colour, &line)));
    lines.push(String::new());
    for next in [
        "Your own event:    make invoke EVENT=events/image.json",
        "Your own cluster:  docs/setup-eks.md",
    ] {
        lines.extend(broken(next, inner));
    }
    let boxed = boxed("Landfall", &lines, 0).into_iter();
    let boxed = boxed.map(|line| format!("  {line}"));
    std::iter::once(String::new()).chain(boxed).collect()
}

#[cfg(test)]
mod tests;
