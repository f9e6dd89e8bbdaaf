//! The command line.

use crate::demo::{ACT_COUNT, Demo};
use crate::measure::Measure;
use crate::stage::cluster::Cluster;
use crate::stage::input::read;
use crate::stage::own::OwnCluster;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
Runs the real function against a local AWS and a local Kubernetes API.

Usage: landfall-sandbox COMMAND

  demo    --function PATH [--events DIR] [--plain] [--act N ...]
          Nine deploys to watch: one that works, two that fail and are rolled
          back, one with wrong parameters, a blue/green switch, one whose smoke
          test fails, a canary whose alarm rings, a release, and one whose
          migration fails. Exit status 0 if all end so. Where nobody watches,
          several run at the same time.

  invoke  --function PATH (--event FILE | --parameters JSON) [--artifact PATH]
          [--life SECONDS] [--plain] [--raw]
          [[--kubeconfig FILE] [--context NAME]
          | --cluster URL (--token TOKEN | --token-file FILE) [--ca FILE]]
          One event, or an action with these user parameters, through all its
          continuations: the calls, the function's log, the report. Exit
          status 0 if the action succeeded, 1 if not.
          With --context or --kubeconfig in a cluster of yours, as kubectl
          reaches it; by --cluster with a token. Otherwise in a cluster of its
          own, with a Deployment demo-app in namespace default; an image there
          with missing, never-ready or crash in its name behaves so.

  serve   [EVENT ...] [--life SECONDS]
          Everything but the function: prints the environment to run it by
          hand, queues the events, and tells what happens until Ctrl-C.

  measure --function PATH [--rounds N] [--pods N]
          How long the function takes, cold and warm, for a rollout that is
          done at once; its peak memory and its calls to the cluster; and how
          long a process takes here that does nothing, to compare machines by.
          With --pods: how long a look at so many pods takes that all crash,
          and the peak memory of that.

Options:
  --function PATH    the function's binary (bootstrap)
  --event FILE       a CodePipeline job event, or a call without a pipeline, JSON
  --parameters JSON  the action's UserParameters, instead of an event
  --artifact PATH    a folder or a ZIP file as the event's input artifact
  --events DIR       the demo's events (default: events)
  --plain            a plain log, no live picture
  --act N            only this act of the demo; may be repeated
  --raw              the function's log lines as they are, JSON
  --rounds N         processes to measure (default: 20, at most 1000)
  --pods N           pods of a version that crashes (at most 10000)
  --life SECONDS     the function's timeout (default: 60)
  --context NAME     a context of a kubeconfig (default: its current one)
  --kubeconfig FILE  the kubeconfig (default: that of kubectl)
  --cluster URL      a real cluster instead of the sandbox's own
  --token TOKEN      its bearer token; --token-file reads it from a file
  --ca FILE          its CA, PEM
  --help             this text
  --version          its version
";

/// The default timeout of the function.
pub(crate) const LIFE: Duration = Duration::from_secs(60);
/// Lambda's own limit, <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const LONGEST_LIFE: u64 = 900;
/// The default and the maximum of processes to measure.
const ROUNDS: u64 = 20;
const MOST_ROUNDS: u64 = 1000;
/// The function reads at most this many pods of a Deployment.
const MOST_PODS: usize = 10_000;
/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Demo(Demo),
    Invoke(Invoke),
    Serve(Serve),
    Measure(Measure),
    Help,
    Version,
}

/// Runs one event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invoke {
    pub(crate) function: PathBuf,
    pub(crate) input: Input,
    pub(crate) artifact: Option<PathBuf>,
    pub(crate) place: Place,
    pub(crate) life: Duration,
    pub(crate) plain: bool,
    pub(crate) raw: bool,
}

/// What is invoked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The event in a file.
    Event(PathBuf),
    /// An action with these user parameters.
    Parameters(String),
}

/// The cluster that is deployed to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The sandbox's own.
    Sandbox,
    /// One that a token opens.
    Token(Cluster),
    /// One of the user's kubeconfig.
    Kubeconfig(OwnCluster),
}

/// Runs everything but the function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Serve {
    pub(crate) events: Vec<PathBuf>,
    pub(crate) life: Duration,
}

/// The options of the command line, before they are checked together.
#[derive(Default)]
struct Options {
    words: Vec<PathBuf>,
    function: Option<PathBuf>,
    event: Option<PathBuf>,
    parameters: Option<String>,
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    artifact: Option<PathBuf>,
    events: Option<PathBuf>,
    cluster: Option<String>,
    token: Option<String>,
    token_file: Option<PathBuf>,
    ca: Option<PathBuf>,
    life: Option<Duration>,
    rounds: Option<u64>,
    pods: Option<usize>,
    acts: Vec<usize>,
    plain: bool,
    raw: bool,
    help: bool,
    version: bool,
}

impl Command {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
        let mut options = Options::parse(arguments).map_err(|error| error.to_string())?;
        if options.help {
            return Ok(Command::Help);
        }
        if options.version {
            return Ok(Command::Version);
        }
        if options.words.is_empty() {
            return Err("a command is missing: demo, invoke, serve or measure".to_owned());
        }
        let name = options.words.remove(0);
        let name = name.to_string_lossy().into_owned();
        if name != "serve" && !options.words.is_empty() {
            return Err(format!("{name} takes no {:?}", options.words[0]));
        }
        let command = match name.as_str() {
            "demo" => Command::Demo(Demo {
                function: options.function()?,
                events: options
                    .events
                    .take()
                    .unwrap_or_else(|| PathBuf::from("events")),
                plain: std::mem::take(&mut options.plain),
                acts: std::mem::take(&mut options.acts),
            }),
            "invoke" => Command::Invoke(Invoke {
                function: options.function()?,
                input: options.input()?,
                artifact: options.artifact.take(),
                place: options.place()?,
                life: options.life.take().unwrap_or(LIFE),
                plain: std::mem::take(&mut options.plain),
                raw: std::mem::take(&mut options.raw),
            }),
            "serve" => Command::Serve(Serve {
                events: std::mem::take(&mut options.words),
                life: options.life.take().unwrap_or(LIFE),
            }),
            "measure" => Command::Measure(Measure {
                function: options.function()?,
                rounds: options.rounds.take().unwrap_or(ROUNDS),
                pods: options.pods.take(),
            }),
            other => return Err(format!("there is no command {other:?}")),
        };
        match options.unused() {
            Some(option @ ("--token" | "--token-file" | "--ca")) if name == "invoke" => {
                Err(format!("{option} needs --cluster"))
            }
            Some(option) => Err(format!("{name} takes no {option}")),
            None => Ok(command),
        }
    }
}

impl Options {
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, lexopt::Error> {
        use lexopt::prelude::{Long, Short, Value, ValueExt as _};
        let mut options = Options::default();
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("function") => options.function = Some(parser.value()?.into()),
                Long("event") => options.event = Some(parser.value()?.into()),
                Long("parameters") => options.parameters = Some(parser.value()?.string()?),
                Long("kubeconfig") => options.kubeconfig = Some(parser.value()?.into()),
                Long("context") => options.context = Some(parser.value()?.string()?),
                Long("artifact") => options.artifact = Some(parser.value()?.into()),
                Long("events") => options.events = Some(parser.value()?.into()),
                Long("cluster") => options.cluster = Some(parser.value()?.string()?),
                Long("token") => options.token = Some(parser.value()?.string()?),
                Long("token-file") => options.token_file = Some(parser.value()?.into()),
                Long("ca") => options.ca = Some(parser.value()?.into()),
                Long("life") => options.life = Some(parser.value()?.parse_with(life)?),
                Long("rounds") => options.rounds = Some(parser.value()?.parse_with(rounds)?),
                Long("pods") => options.pods = Some(parser.value()?.parse_with(pods)?),
                Long("act") => options.acts.push(parser.value()?.parse_with(act)?),
                Long("plain") => options.plain = true,
                Long("raw") => options.raw = true,
                Long("help") | Short('h') => options.help = true,
                Long("version") => options.version = true,
                Value(word) => options.words.push(word.into()),
                Long(_) | Short(_) => return Err(argument.unexpected()),
            }
        }
        Ok(options)
    }

    fn function(&mut self) -> Result<PathBuf, String> {
        let path = self.function.take().ok_or("--function is missing")?;
        // A process starts without our PATH, so a plain name means a file in this folder.
        std::path::absolute(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn input(&mut self) -> Result<Input, String> {
        match (self.event.take(), self.parameters.take()) {
            (Some(event), None) => Ok(Input::Event(event)),
            (None, Some(parameters)) => Ok(Input::Parameters(parameters)),
            (Some(_), Some(_)) => Err("give --event or --parameters, not both".to_owned()),
            (None, None) => Err("--event or --parameters is missing".to_owned()),
        }
    }

    fn place(&mut self) -> Result<Place, String> {
        let own = OwnCluster {
            file: self.kubeconfig.take(),
            context: self.context.take(),
        };
        match (self.cluster()?, own == OwnCluster::default()) {
            (None, true) => Ok(Place::Sandbox),
            (Some(cluster), true) => Ok(Place::Token(cluster)),
            (None, false) => Ok(Place::Kubeconfig(own)),
            (Some(_), false) => Err("give --cluster or a kubeconfig, not both".to_owned()),
        }
    }

    fn cluster(&mut self) -> Result<Option<Cluster>, String> {
        let Some(url) = self.cluster.take() else {
            return Ok(None);
        };
        let token = match (self.token.take(), self.token_file.take()) {
            (Some(token), None) => token,
            (None, Some(path)) => read(&path)?.trim().to_owned(),
            (Some(_), Some(_)) => return Err("give --token or --token-file, not both".to_owned()),
            (None, None) => return Err("--cluster needs --token or --token-file".to_owned()),
        };
        let ca = self.ca.take().map(|path| read(&path)).transpose()?;
        Ok(Some(Cluster { url, token, ca }))
    }

    /// An option that the command does not use.
    fn unused(&self) -> Option<&'static str> {
        let given = [
            ("--function", self.function.is_some()),
            ("--event", self.event.is_some()),
            ("--parameters", self.parameters.is_some()),
            ("--kubeconfig", self.kubeconfig.is_some()),
            ("--context", self.context.is_some()),
            ("--artifact", self.artifact.is_some()),
            ("--events", self.events.is_some()),
            ("--cluster", self.cluster.is_some()),
            ("--token", self.token.is_some()),
            ("--token-file", self.token_file.is_some()),
            ("--ca", self.ca.is_some()),
            ("--life", self.life.is_some()),
            ("--rounds", self.rounds.is_some()),
            ("--pods", self.pods.is_some()),
            ("--act", !self.acts.is_empty()),
            ("--plain", self.plain),
            ("--raw", self.raw),
        ];
        given
            .iter()
            .find(|(_, given)| *given)
            .map(|(name, _)| *name)
    }
}

fn rounds(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(rounds @ 1..=MOST_ROUNDS) => Ok(rounds),
        _ => Err(format!("--rounds takes a number from 1 to {MOST_ROUNDS}")),
    }
}

fn pods(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(pods @ 1..=MOST_PODS) => Ok(pods),
        _ => Err(format!("--pods takes a number from 1 to {MOST_PODS}")),
    }
}

fn act(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=ACT_COUNT) => Ok(number),
        _ => Err(format!("--act takes a number from 1 to {ACT_COUNT}")),
    }
}

fn life(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=LONGEST_LIFE) => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err(format!(
            "--life takes whole seconds from 1 to {LONGEST_LIFE}"
        )),
    }
}

#[cfg(test)]
mod tests;
