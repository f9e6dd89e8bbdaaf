//! The command line.

use crate::candidate::Candidate;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub(crate) const HELP: &str = "\
Measures Landfall beside what people would use instead.

Usage: landfall-bench COMMAND

  run           --candidates DIR --floor PATH [--rounds N] [--rollout SECONDS]
                [--only NAME,…] [--real FILE] [--load FILE] [--out DIR]
                Everything that is measured in local servers: prints tables,
                writes report.json, bench.svg and felt.svg to --out.

  real          --candidates DIR --floor PATH [--rounds N] [--only NAME,…] --out DIR
                The candidates and kubectl against the control plane that
                landfall-control-plane started around this; writes real.json.

  load          --candidates DIR --floor PATH [--pods N,…] [--deploys N,…]
                [--only NAME,…] --out DIR
                What deploys ask of the API server of the control plane that
                landfall-control-plane started around this: rollouts of so many
                pods, a switch, so many deploys at once, beside kubectl; writes
                load.json and load.md.

  releases      --function PATH [--rounds N] [--objects N,…] [--out DIR]
                Releases of so many objects (one round where they are 1,000 or
                more) beside kubectl apply and diff, against the control plane
                that landfall-control-plane started around this; writes
                releases.md.

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
  --load FILE         what `load` wrote, for the tables
  --pods N,…          of the rollouts (default: 3,100,5000)
  --deploys N,…       at once (default: 1,10,100)
  --objects N,…       of the releases (default: 200,2000)
  --out DIR           where the results go
  --help              this text
  --version           its version
";

/// The default and the maximum of processes per candidate.
pub(crate) const ROUNDS: usize = 20;
const MOST_ROUNDS: usize = 1000;
/// The length of the long rollout in seconds; the maximum is two thirds of a Lambda's life.
pub(crate) const ROLLOUT: u64 = 60;
const LONGEST_ROLLOUT: u64 = 600;
/// The most pods, deploys or objects.
const MOST: usize = 10_000;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) command: Option<String>,
    pub(crate) candidates: Option<PathBuf>,
    pub(crate) floor: Option<PathBuf>,
    pub(crate) function: Option<PathBuf>,
    pub(crate) prices: Option<PathBuf>,
    pub(crate) real: Option<PathBuf>,
    pub(crate) load: Option<PathBuf>,
    pub(crate) out: Option<PathBuf>,
    pub(crate) rounds: Option<usize>,
    pub(crate) rollout: Option<u64>,
    pub(crate) only: Vec<String>,
    pub(crate) pods: Vec<usize>,
    pub(crate) deploys: Vec<usize>,
    pub(crate) objects: Vec<usize>,
    pub(crate) help: bool,
    pub(crate) version: bool,
}

pub(crate) fn needed<'a>(path: Option<&'a PathBuf>, name: &str) -> Result<&'a Path, String> {
    path.map(PathBuf::as_path)
        .ok_or_else(|| format!("{name} is missing"))
}

impl Options {
    pub(crate) fn candidates(&self) -> Result<(Vec<Candidate>, Vec<&'static str>), String> {
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

    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
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
                Long("load") => self.load = Some(parser.value()?.into()),
                Long("pods") => self.pods = numbers(&mut parser)?,
                Long("deploys") => self.deploys = numbers(&mut parser)?,
                Long("objects") => self.objects = numbers(&mut parser)?,
                Long("only") => {
                    let names = parser.value()?.string()?;
                    self.only = names.split(',').map(str::to_owned).collect();
                }
                Long("help") | Short('h') => self.help = true,
                Long("version") => self.version = true,
                Value(word) if self.command.is_none() => self.command = Some(word.string()?),
                Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
            }
        }
        Ok(())
    }
}

/// A list such as `3,100,5000`.
fn numbers(parser: &mut lexopt::Parser) -> Result<Vec<usize>, lexopt::Error> {
    use lexopt::ValueExt as _;
    let list = parser.value()?.string()?;
    let numbers = list.split(',').map(|number| match number.parse() {
        Ok(number @ 1..=MOST) => Ok(number),
        _ => Err(format!("{number:?} is not a number from 1 to {MOST}").into()),
    });
    numbers.collect()
}

#[cfg(test)]
mod tests;
