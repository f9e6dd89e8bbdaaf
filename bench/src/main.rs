//! `landfall-bench` compares Landfall with other ways to deploy. `make bench` runs it.

mod candidate;
mod crowd;
mod deploys;
mod instructions;
mod kubectl;
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
use releases::Size;
use report::{Figures, Row};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const HELP: &str = "\
Measures Landfall beside what people would use instead.

Usage: landfall-bench COMMAND

  run           --candidates DIR --floor PATH [--rounds N] [--rollout SECONDS]
                [--only NAME,…] [--real FILE] [--out DIR]
                Everything that is measured in local servers: prints tables,
                writes report.json and bench.svg to --out.

  real          --candidates DIR --floor PATH [--rounds N] [--only NAME,…] --out DIR
                The candidates and kubectl against the control plane that
                landfall-control-plane started around this; writes real.json.

  releases      --function PATH [--rounds N] [--out DIR]
                Releases of 200 objects (and one round of 2,000 objects of 8 MB)
                beside kubectl apply and diff, against the control plane that
                landfall-control-plane started around this; writes releases.md.

  instructions  --function PATH --prices FILE
                Counts the instructions of a cold deploy (valgrind), and fails
                where they are more than a tenth above what FILE says.

Options:
  --candidates DIR    what bench/build.sh made
  --floor PATH        the program landfall-floor
  --rounds N          processes of each candidate (default: 20, at most 1000)
  --rollout SECONDS   length of the long rollout (default: 60, at most 600)
  --only NAME,…       of landfall, floor, go, node, python
  --real FILE         what `real` wrote, for the tables
  --out DIR           where the results go
  --help              this text
";

/// The default and the maximum of processes per candidate.
const ROUNDS: usize = 20;
const MOST_ROUNDS: usize = 1000;
/// The default rounds of releases: enough for a median.
const RELEASES: usize = 5;
/// The length of the long rollout in seconds; the maximum is two thirds of a Lambda's life.
const ROLLOUT: u64 = 60;
const LONGEST_ROLLOUT: u64 = 600;
/// How often each number of pods is checked: enough for a median, few enough for 5,000 pods.
const LOOKS: usize = 5;

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    command: Option<String>,
    candidates: Option<PathBuf>,
    floor: Option<PathBuf>,
    function: Option<PathBuf>,
    prices: Option<PathBuf>,
    real: Option<PathBuf>,
    out: Option<PathBuf>,
    rounds: Option<usize>,
    rollout: Option<u64>,
    only: Vec<String>,
    help: bool,
}

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
        match options.command.as_deref() {
            Some("run") => options.run().await,
            Some("real") => options.measure_real().await,
            Some("releases") => options.measure_releases().await,
            Some("instructions") => {
                let function = needed(options.function.as_ref(), "--function")?;
                instructions::check(function, needed(options.prices.as_ref(), "--prices")?).await
            }
            Some(other) => Err(format!("there is no command {other:?}")),
            None => Err("a command is missing: run, real, releases or instructions".to_owned()),
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

fn needed<'a>(path: Option<&'a PathBuf>, name: &str) -> Result<&'a Path, String> {
    path.map(PathBuf::as_path)
        .ok_or_else(|| format!("{name} is missing"))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    let made = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
    made.map_err(|error| format!("{}: {error}", path.display()))
}

impl Options {
    fn candidates(&self) -> Result<(Vec<Candidate>, Vec<&'static str>), String> {
        let absolute = |path: &Path| {
            // A process starts without our PATH and in another folder.
            std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let folder = absolute(needed(self.candidates.as_ref(), "--candidates")?)?;
        let floor = absolute(needed(self.floor.as_ref(), "--floor")?)?;
        let (mut there, missing) = Candidate::all(&folder, &floor);
        let known = there
            .iter()
            .map(|candidate| candidate.name)
            .chain(missing.iter().copied());
        let known = known.collect::<Vec<_>>();
        if let Some(unknown) = self
            .only
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            return Err(format!(
                "--only: there is no {unknown}, only {}",
                known.join(", ")
            ));
        }
        there.retain(|it| self.only.is_empty() || self.only.iter().any(|name| name == it.name));
        if there.is_empty() {
            return Err(format!("{} has no candidate", folder.display()));
        }
        Ok((there, missing))
    }

    async fn run(&self) -> Result<bool, String> {
        let (candidates, missing) = self.candidates()?;
        let rounds = self.rounds.unwrap_or(ROUNDS);
        let rollout = Duration::from_secs(self.rollout.unwrap_or(ROLLOUT));
        let (bare, deploys) = deploy(&candidates, rounds).await?;
        let rows = follow(&candidates, deploys, rollout).await?;
        let mut crowds = Vec::new();
        if let Some(landfall) = candidates.iter().find(|it| it.name == LANDFALL) {
            for pods in PODS {
                eprintln!("Pods under diagnosis: {pods}");
                crowds.push(Crowd::measure(landfall, pods, rounds.min(LOOKS)).await?);
            }
        }
        let figures = Figures {
            date: format!("{:.0}", Timestamp::now()),
            rounds,
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            bare,
            rollout: rollout.as_secs_f64(),
            rows,
            crowds,
            real: self.real()?,
            missing,
        };
        print!("{}", figures.text());
        if let Some(out) = &self.out {
            write(out, "report.json", &format!("{:#}\n", figures.json()))?;
            write(out, "report.md", &figures.text())?;
            write(out, "bench.svg", &plot::plot(&figures))?;
        }
        Ok(true)
    }

    fn real(&self) -> Result<Option<serde_json::Value>, String> {
        let Some(path) = self.real.as_ref().filter(|path| path.exists()) else {
            return Ok(None);
        };
        let told = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
        let real = serde_json::from_str(&text).map_err(|error| told(error.to_string()))?;
        Ok(Some(real))
    }

    async fn measure_real(&self) -> Result<bool, String> {
        let (candidates, _) = self.candidates()?;
        let out = needed(self.out.as_ref(), "--out")?;
        let real = real::measure(&candidates, self.rounds.unwrap_or(ROUNDS)).await?;
        write(out, "real.json", &format!("{real:#}\n"))?;
        Ok(true)
    }

    async fn measure_releases(&self) -> Result<bool, String> {
        let function = needed(self.function.as_ref(), "--function")?;
        let rounds = self.rounds.unwrap_or(RELEASES);
        let mut text = String::new();
        for size in [
            Size {
                objects: 200,
                bytes: 256 * 1024,
                rounds,
            },
            Size {
                objects: 2000,
                bytes: 7 * 1024 * 1024,
                rounds: 1,
            },
        ] {
            let table = releases::measure(function, size).await?;
            println!("{table}");
            text += &format!("{table}\n");
        }
        match &self.out {
            Some(out) => write(out, "releases.md", &text).map(|()| true),
            None => Ok(true),
        }
    }

    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
        let mut options = Options::default();
        options.read(arguments).map_err(|error| error.to_string())?;
        let fits = |name: &str, number: u64, most: u64| match number {
            number if (1..=most).contains(&number) => Ok(()),
            _ => Err(format!("{name} takes a number from 1 to {most}")),
        };
        fits(
            "--rounds",
            options.rounds.unwrap_or(ROUNDS) as u64,
            MOST_ROUNDS as u64,
        )?;
        fits(
            "--rollout",
            options.rollout.unwrap_or(ROLLOUT),
            LONGEST_ROLLOUT,
        )?;
        Ok(options)
    }

    fn read(&mut self, arguments: impl IntoIterator<Item = OsString>) -> Result<(), lexopt::Error> {
        use lexopt::prelude::{Long, Short, Value, ValueExt as _};
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("candidates") => self.candidates = Some(parser.value()?.into()),
                Long("floor") => self.floor = Some(parser.value()?.into()),
                Long("function") => self.function = Some(parser.value()?.into()),
                Long("prices") => self.prices = Some(parser.value()?.into()),
                Long("real") => self.real = Some(parser.value()?.into()),
                Long("out") => self.out = Some(parser.value()?.into()),
                Long("rounds") => self.rounds = Some(parser.value()?.parse()?),
                Long("rollout") => self.rollout = Some(parser.value()?.parse()?),
                Long("only") => {
                    let names = parser.value()?.string()?;
                    self.only = names.split(',').map(str::to_owned).collect();
                }
                Long("help") | Short('h') => self.help = true,
                Value(word) if self.command.is_none() => self.command = Some(word.string()?),
                Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests;
