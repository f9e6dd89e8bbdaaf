//! Counts the instructions of a cold deploy with callgrind, and compares them with the recorded
//! number. The count does not depend on the machine's load.

use crate::candidate::Candidate;
use crate::process::{Cluster, Process, TOKEN, event};
use crate::spread::Spread;
use landfall_sandbox::instant::InstantCluster;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many deploys are counted. They differ by a thousandth, because of hash seeds and TLS's
/// random numbers.
const ROUNDS: usize = 3;
/// The time limit of a deploy; under valgrind everything takes fifty times as long.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long callgrind may take to write its result.
const WRITING: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);
/// How much a change may add before it must be recorded: a hundred times the noise.
const MARGIN: f64 = 0.10;

/// How much a deploy by IAM may cost beyond one by a token: the signature of another call.
const IAM_MARGIN: f64 = 0.15;

/// The result of the comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Holds,
    /// The count exceeds the recorded number by this factor.
    Dearer(f64),
    Cheaper(f64),
    /// Nothing is recorded for this processor.
    Unknown,
}

/// The way into the cluster of a deploy that is counted.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// By a bearer token in SSM.
    Token,
    /// By IAM, into a cluster of EKS.
    Iam,
}

/// Millions of instructions in each of several cold deploys.
pub(crate) async fn count(function: &Path, valgrind: &Path, way: Way) -> Result<Vec<f64>, String> {
    let mut counts = Vec::new();
    for round in 0..ROUNDS {
        // Each deploy finds the same state: a Deployment that was never changed.
        let cluster = match way {
            Way::Token => InstantCluster::start(TOKEN).await,
            Way::Iam => InstantCluster::start_for_iam().await,
        };
        let cluster = cluster.map_err(|error| error.to_string())?;
        let name = format!("landfall-bench-{}-{round}.callgrind", std::process::id());
        let file = std::env::temp_dir().join(name);
        let counted = one(function, valgrind, &cluster, way, &file).await;
        let text = counted.and_then(|()| {
            std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
        });
        let _gone = std::fs::remove_file(&file);
        let count = total(&text?).ok_or("callgrind wrote no total")?;
        counts.push(count / 1_000_000.0);
    }
    Ok(counts)
}

/// Runs a cold deploy under callgrind, which writes its result when the process is asked to end.
async fn one(
    function: &Path,
    valgrind: &Path,
    cluster: &InstantCluster,
    way: Way,
    file: &Path,
) -> Result<(), String> {
    let output = format!("--callgrind-out-file={}", file.display());
    let arguments = ["--tool=callgrind".to_owned(), "--quiet".to_owned(), output];
    let candidate = Candidate {
        name: "landfall",
        title: "",
        program: valgrind.to_owned(),
        arguments: arguments
            .into_iter()
            .chain([function.display().to_string()])
            .collect(),
        environment: Vec::new(),
        package: None,
    };
    let access = Cluster {
        url: cluster.url(),
        ca: cluster.ca(),
        token: match way {
            Way::Token => Some(TOKEN),
            Way::Iam => None,
        },
    };
    let job = event("registry.example.com/demo-app:4.0");
    let mut process = Process::start(&candidate, access, job).await?;
    process.first(PATIENCE).await?;
    process.terminate()?;
    let ended = async {
        while process.function.running() {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let ended = tokio::time::timeout(WRITING, ended).await;
    ended.map_err(|_| "callgrind does not come to its end".to_owned())
}

/// The instructions of a whole run.
fn total(file: &str) -> Option<f64> {
    let line = file
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    line.trim().parse().ok()
}

/// The last recorded number for this processor: lines of `processor millions reason`.
pub(crate) fn held(file: &str, processor: &str) -> Option<f64> {
    let mut prices = file.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == processor).then(|| words.next()?.parse().ok())?
    });
    prices.next_back()
}

pub(crate) fn judge(found: f64, held: Option<f64>) -> Verdict {
    match held {
        None => Verdict::Unknown,
        Some(held) if found > held * (1.0 + MARGIN) => Verdict::Dearer(found / held - 1.0),
        Some(held) if found < held * (1.0 - MARGIN) => Verdict::Cheaper(1.0 - found / held),
        Some(_) => Verdict::Holds,
    }
}

/// Counts, compares and prints the result; returns whether it is good.
pub(crate) async fn check(function: &Path, prices: &Path) -> Result<bool, String> {
    let Some(valgrind) = program("valgrind") else {
        println!("The instructions of a cold deploy were not counted: valgrind is not installed.");
        return Ok(true);
    };
    let counts = count(function, &valgrind, Way::Token).await?;
    let spread = Spread::of(counts).ok_or("nothing was counted")?;
    let by_iam = Spread::of(count(function, &valgrind, Way::Iam).await?);
    let by_iam = by_iam.ok_or("nothing was counted")?;
    let text = std::fs::read_to_string(prices);
    let text = text.map_err(|error| format!("{}: {error}", prices.display()))?;
    let processor = std::env::consts::ARCH;
    let held = held(&text, processor);
    let verdict = judge(spread.median, held);
    println!(
        "A cold deploy takes {:.2} million instructions on {processor} ({:.2} to {:.2} in {} \
         runs).",
        spread.median, spread.best, spread.worst, spread.count
    );
    println!(
        "{}",
        sentence(verdict, held, spread.median, processor, prices)
    );
    let more = by_iam.median / spread.median - 1.0;
    println!(
        "By IAM on EKS it takes {:.2} million, {:+.0} %; {:.0} % more are allowed.",
        by_iam.median,
        more * 100.0,
        IAM_MARGIN * 100.0
    );
    Ok(!matches!(verdict, Verdict::Dearer(_)) && more <= IAM_MARGIN)
}

fn sentence(
    verdict: Verdict,
    held: Option<f64>,
    found: f64,
    processor: &str,
    prices: &Path,
) -> String {
    let held = held.unwrap_or(0.0);
    let file = prices.display();
    let write = format!("write this line at the end of {file}:\n{processor} {found:.2} <reason>");
    match verdict {
        Verdict::Holds => format!("{file} has {held:.2}: it holds."),
        Verdict::Dearer(more) => format!(
            "{file} has {held:.2}: this is {:.0} % more, and {:.0} % are allowed.\nMake it \
             cheaper, or, where it is worth its price, {write}",
            more * 100.0,
            MARGIN * 100.0
        ),
        Verdict::Cheaper(less) => format!(
            "{file} has {held:.2}: this is {:.0} % less. To hold it there, {write}",
            less * 100.0
        ),
        Verdict::Unknown => format!("{file} has no price for {processor} yet; {write}"),
    }
}

/// Finds a program on the PATH.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(name));
    found.find(|path| path.is_file())
}

#[cfg(test)]
mod tests;
