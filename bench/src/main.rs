//! `landfall-bench` compares Landfall with other ways to deploy. `make bench` runs it.

mod audit;
mod candidate;
mod crowd;
mod deploys;
mod doom;
mod felt;
mod instructions;
mod kubectl;
mod load;
mod options;
mod plane;
mod plot;
mod price;
mod process;
mod real;
mod releases;
mod report;
mod rollouts;
mod spread;

use candidate::{Candidate, FLOOR, LANDFALL};
use crowd::{Crowd, PODS};
use deploys::Deploys;
use jiff::Timestamp;
use landfall_sandbox::ending::{INTERRUPTED, USAGE_ERROR, interrupted};
use landfall_sandbox::instant::InstantCluster;
use options::{HELP, Options, ROLLOUT, ROUNDS, needed};
use releases::Size;
use report::{Figures, Row};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The default rounds of releases: enough for a median.
const RELEASES: usize = 5;
/// How often each number of pods is checked: enough for a median, few enough for 5,000 pods.
const LOOKS: usize = 5;

/// The objects of the releases, and the bytes of one of them.
const OBJECTS: [usize; 2] = [200, 2_000];
const OBJECT: usize = 3_670;
/// Releases of so many objects are measured in one round.
const LARGE: usize = 1_000;

#[tokio::main]
async fn main() -> ExitCode {
    let run = async {
        let options = Options::parse(std::env::args_os().skip(1));
        let options =
            options.map_err(|problem| format!("{problem}\nTry: landfall-bench --help"))?;
        if options.help {
            print!("{HELP}");
            return Ok(true);
        }
        if options.version {
            println!("landfall-bench {}", env!("CARGO_PKG_VERSION"));
            return Ok(true);
        }
        match options.command.as_deref() {
            Some("run") => options.run().await,
            Some("real") => options.measure_real().await,
            Some("load") => options.measure_load().await,
            Some("releases") => options.measure_releases().await,
            Some("instructions") => {
                let function = needed(options.function.as_ref(), "--function")?;
                instructions::check(function, needed(options.prices.as_ref(), "--prices")?).await
            }
            Some(other) => Err(format!("there is no command {other:?}")),
            None => {
                Err("a command is missing: run, real, load, releases or instructions".to_owned())
            }
        }
    };
    // Dropping the running task also ends every process.
    let ended = tokio::select! {
        ended = run => ended,
        () = interrupted() => return ExitCode::from(INTERRUPTED),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("landfall-bench: {problem}");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    let made = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
    made.map_err(|error| format!("{}: {error}", path.display()))
}

/// What another command wrote; nothing where it has not run.
fn read(path: Option<&PathBuf>) -> Result<Option<serde_json::Value>, String> {
    let Some(path) = path.filter(|path| path.exists()) else {
        return Ok(None);
    };
    let told = |error: String| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| told(error.to_string()))
}

impl Options {
    async fn run(&self) -> Result<bool, String> {
        let (candidates, missing) = self.candidates()?;
        let rounds = self.rounds.unwrap_or(ROUNDS);
        let rollout = Duration::from_secs(self.rollout.unwrap_or(ROLLOUT));
        let (bare, deploys) = deploy(&candidates, rounds).await?;
        let rows = follow(&candidates, deploys, rollout).await?;
        let (mut crowds, mut doom) = (Vec::new(), Vec::new());
        if let Some(landfall) = candidates.iter().find(|it| it.name == LANDFALL) {
            for pods in PODS {
                eprintln!("Pods under diagnosis: {pods}");
                crowds.push(Crowd::measure(landfall, pods, rounds.min(LOOKS)).await?);
            }
            doom = doom::seen(landfall, rounds.min(LOOKS)).await?;
        }
        let figures = Figures {
            date: format!("{:.0}", Timestamp::now()),
            rounds,
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            bare,
            rollout: rollout.as_secs_f64(),
            rows,
            crowds,
            real: read(self.real.as_ref())?,
            load: read(self.load.as_ref())?,
            doom,
            missing,
        };
        print!("{}", figures.text());
        if let Some(out) = &self.out {
            write(out, "report.json", &format!("{:#}\n", figures.json()))?;
            write(out, "report.md", &figures.text())?;
            write(out, "bench.svg", &plot::plot(&figures))?;
            write(out, "felt.md", &figures.felt())?;
            if let Some(chart) = figures.felt_chart() {
                write(out, "felt.svg", &chart)?;
            }
        }
        Ok(true)
    }

    async fn measure_real(&self) -> Result<bool, String> {
        let (candidates, _) = self.candidates()?;
        let out = needed(self.out.as_ref(), "--out")?;
        let real = real::measure(&candidates, self.rounds.unwrap_or(ROUNDS)).await?;
        write(out, "real.json", &format!("{real:#}\n"))?;
        Ok(true)
    }

    async fn measure_load(&self) -> Result<bool, String> {
        let (candidates, _) = self.candidates()?;
        let out = needed(self.out.as_ref(), "--out")?;
        let or = |chosen: &[usize], default: &[usize]| match chosen.is_empty() {
            true => default.to_vec(),
            false => chosen.to_vec(),
        };
        let (pods, deploys) = (
            or(&self.pods, &load::PODS),
            or(&self.deploys, &load::DEPLOYS),
        );
        let load = load::measure(&candidates, &pods, &deploys).await?;
        let text = load::text(&load);
        print!("{text}");
        write(out, "load.json", &format!("{load:#}\n"))?;
        write(out, "load.md", &text)?;
        Ok(true)
    }

    async fn measure_releases(&self) -> Result<bool, String> {
        let function = needed(self.function.as_ref(), "--function")?;
        let rounds = self.rounds.unwrap_or(RELEASES);
        let mut text = String::new();
        let objects = match self.objects.as_slice() {
            [] => &OBJECTS[..],
            chosen => chosen,
        };
        for &objects in objects {
            let size = Size {
                objects,
                bytes: objects * OBJECT,
                rounds: if objects < LARGE { rounds } else { 1 },
            };
            let table = releases::measure(function, size).await?;
            println!("{table}");
            text += &format!("{table}\n");
        }
        match &self.out {
            Some(out) => write(out, "releases.md", &text).map(|()| true),
            None => Ok(true),
        }
    }
}

/// Measures cold and warm deploys of all candidates in turn, so other work on the machine affects
/// all of them, and also a process that does nothing.
async fn deploy(
    candidates: &[Candidate],
    rounds: usize,
) -> Result<(Vec<f64>, Vec<Deploys>), String> {
    let cluster = InstantCluster::start(process::TOKEN)
        .await
        .map_err(|error| error.to_string())?;
    let mut deploys = vec![Deploys::default(); candidates.len()];
    let mut bare = Vec::new();
    for round in 0..rounds {
        eprintln!("Round {} of {rounds}", round + 1);
        bare.push(process::bare()?);
        // Each round starts with another candidate, because the largest one leaves the caches cold
        // for the next.
        for turn in 0..candidates.len() {
            let number = (round + turn) % candidates.len();
            let candidate = &candidates[number];
            let image = round * candidates.len() + number;
            let done = deploys[number].round(candidate, &cluster, image).await;
            done.map_err(|problem| format!("{}: {problem}", candidate.name))?;
        }
    }
    Ok((bare, deploys))
}

/// Measures the rest for each candidate.
async fn follow(
    candidates: &[Candidate],
    deploys: Vec<Deploys>,
    rollout: Duration,
) -> Result<Vec<Row>, String> {
    eprintln!(
        "A rollout of {} s, all candidates at the same time",
        rollout.as_secs()
    );
    let waits = candidates.iter().map(|candidate| {
        let candidate = candidate.clone();
        tokio::spawn(async move { rollouts::wait(&candidate, rollout).await })
    });
    let waits = waits.collect::<Vec<_>>();
    let mut waited = Vec::new();
    for wait in waits {
        waited.push(wait.await.map_err(|error| error.to_string())??);
    }
    let cluster = InstantCluster::start(process::TOKEN)
        .await
        .map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for ((candidate, deploys), waited) in candidates.iter().zip(deploys).zip(waited) {
        eprintln!("Ends of rollouts, and job after job: {}", candidate.name);
        let told = |problem| format!("{}: {problem}", candidate.name);
        rows.push(Row {
            name: candidate.name,
            title: candidate.title,
            package: candidate
                .package_bytes()
                .filter(|_| candidate.name != FLOOR),
            deploys,
            ends: rollouts::ends(candidate).await.map_err(told)?,
            waited: Some(waited),
            after: deploys::jobs(candidate, &cluster).await.map_err(told)?,
        });
    }
    Ok(rows)
}
