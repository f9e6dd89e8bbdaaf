//! `landfall-control-plane` runs a real Kubernetes for the stories or for experiments.

mod cluster;
mod iam;
mod kubectl;
mod plane;
mod process;
mod stories;

use cluster::Cluster;
use landfall_sandbox::ending::{INTERRUPTED, USAGE_ERROR, interrupted};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Starts a real Kubernetes control plane on loopback, its nodes and pods played by
kwok, and ends it with everything it started.

Usage: landfall-control-plane --programs DIR [OPTION ...] [-- COMMAND [ARGUMENT ...]]

Without a COMMAND it puts a Deployment demo-app there, prints how to deploy to it,
and runs until Ctrl-C.
A COMMAND runs with LANDFALL_CLUSTER (the API server's URL), LANDFALL_CLUSTER_CA
(a PEM file), LANDFALL_CLUSTER_ADMIN (kubectl proxy, for what an administrator
does), LANDFALL_CLUSTER_VERSION, LANDFALL_CLUSTER_AUDIT (the API server's audit
log, where it is ours) and KUBECONFIG in its environment. A cluster of ours is
also one of EKS, LANDFALL_CLUSTER_EKS by name; LANDFALL_CLUSTER_IAM is a JSON file
that says who is let in. LANDFALL_CLUSTER_CLIENTS is the folder with the CA of
client certificates (clients.crt, clients.key).

Options:
  --programs DIR       kube-apiserver, kube-controller-manager, kube-scheduler,
                       kubectl, etcd, kwok and authenticator, as `make control-plane`
                       builds them
  --kubeconfig FILE    a cluster that runs already, instead of a new one: kwok
                       gets three tainted nodes in it, for as long as it is used
  --context NAME       the context of that kubeconfig, if not the current one
  --stories            the COMMAND is a Rust test run: print one line for each
                       story and peer
  --help               this text
  --version            its version
";

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    programs: Option<PathBuf>,
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    stories: bool,
    help: bool,
    version: bool,
    command: Vec<OsString>,
}

/// Uses one thread: the kernel ends a tethered process when the *thread* that started it ends.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).collect::<Vec<_>>();
    if let [word, parent, program, rest @ ..] = arguments.as_slice()
        && word == process::TETHER
    {
        let problem = process::tether(&parent.to_string_lossy(), program, rest);
        eprintln!("{}: {problem}", program.display());
        return ExitCode::from(USAGE_ERROR);
    }
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("landfall-control-plane: {problem}\nTry: landfall-control-plane --help");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    if options.help || options.version {
        match options.help {
            true => print!("{HELP}"),
            false => println!("landfall-control-plane {}", env!("CARGO_PKG_VERSION")),
        }
        return ExitCode::SUCCESS;
    }
    match run(options).await {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("landfall-control-plane: {problem}");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

async fn run(options: Options) -> Result<ExitCode, String> {
    let programs = options.programs.ok_or("--programs is missing")?;
    let programs = std::path::absolute(programs).map_err(|error| error.to_string())?;
    let cluster = match options.kubeconfig {
        Some(kubeconfig) => Cluster::join(&programs, kubeconfig, options.context)?,
        None => Cluster::start(&programs)?,
    };
    let ended = async {
        match options.command.split_first() {
            None => {
                println!("{}", cluster.prepare()?);
                std::future::pending().await
            }
            Some((program, arguments)) if options.stories => {
                stories::run(program, arguments, &cluster).await
            }
            Some((program, arguments)) => {
                let mut command = tokio::process::Command::new(program);
                command.args(arguments).envs(cluster.environment());
                let status = command.status().await;
                status.map_err(|error| format!("{}: {error}", program.display()))
            }
        }
    };
    // Dropping the running task also ends every process and deletes every file.
    tokio::select! {
        status = ended => Ok(code(status?)),
        () = interrupted() => Ok(ExitCode::from(INTERRUPTED)),
    }
}

fn code(status: std::process::ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}

impl Options {
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
        use lexopt::prelude::{Long, Short, Value, ValueExt as _};
        let mut options = Options::default();
        let mut arguments = arguments.into_iter();
        let own = arguments.by_ref().take_while(|word| word != "--");
        let mut parser = lexopt::Parser::from_args(own.collect::<Vec<_>>());
        let mut read = || -> Result<(), lexopt::Error> {
            while let Some(argument) = parser.next()? {
                match argument {
                    Long("programs") => options.programs = Some(parser.value()?.into()),
                    Long("kubeconfig") => options.kubeconfig = Some(parser.value()?.into()),
                    Long("context") => options.context = Some(parser.value()?.string()?),
                    Long("stories") => options.stories = true,
                    Long("help") | Short('h') => options.help = true,
                    Long("version") => options.version = true,
                    Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
                }
            }
            Ok(())
        };
        read().map_err(|error| error.to_string())?;
        options.command = arguments.collect();
        if options.context.is_some() && options.kubeconfig.is_none() {
            return Err("--context needs --kubeconfig".into());
        }
        if options.kubeconfig.is_some() && options.command.is_empty() {
            return Err("--kubeconfig needs a COMMAND".into());
        }
        if options.stories && options.command.is_empty() {
            return Err("--stories needs a COMMAND".into());
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests;
