//! The commands of the user's own programs, `kubectl` and `aws`.

use crate::options::Options;
use std::fmt;
use std::path::Path;

/// The time limit of a call to the API server. `kubectl` itself has none.
const KUBECTL_LIMIT: &str = "--request-timeout=20s";
/// The time limits for connecting to AWS and for its response; the CLI retries several times.
const AWS_LIMITS: [&str; 2] = ["--cli-connect-timeout=10", "--cli-read-timeout=30"];
/// The file from which a program reads what must not be on its command line, which `ps` shows to
/// everybody.
pub(crate) const STDIN: &str = "file:///dev/stdin";

/// One of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Kubectl,
    Aws,
}

impl Tool {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tool::Kubectl => "kubectl",
            Tool::Aws => "aws",
        }
    }

    /// The options that are not shown, because they change nothing: time limits, and the output
    /// format, which the user may have configured differently.
    pub(crate) fn silent(self) -> Vec<&'static str> {
        match self {
            Tool::Kubectl => vec![KUBECTL_LIMIT],
            Tool::Aws => [&AWS_LIMITS[..], &["--output=json"]].concat(),
        }
    }
}

/// A command, for running it and for showing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) tool: Tool,
    pub(crate) arguments: Vec<String>,
}

/// The options that select the cluster and the account in each command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tools {
    kubectl: Vec<String>,
    aws: Vec<String>,
}

impl Tools {
    pub(crate) fn new(options: &Options) -> Tools {
        let pairs = |pairs: &[(&str, Option<String>)]| {
            let given = pairs
                .iter()
                .filter_map(|(name, value)| Some((name, value.clone()?)));
            given
                .flat_map(|(name, value)| [(*name).to_owned(), value])
                .collect()
        };
        let kubeconfig = options
            .kubeconfig
            .as_ref()
            .map(|path| path.display().to_string());
        Tools {
            kubectl: pairs(&[
                ("--kubeconfig", kubeconfig),
                ("--context", options.context().map(str::to_owned)),
            ]),
            aws: pairs(&[
                ("--profile", options.profile.clone()),
                ("--region", options.region.clone()),
            ]),
        }
    }

    /// For a context of a kubeconfig that was made.
    pub(crate) fn of_file(file: &Path, context: &str) -> Tools {
        let file = file.display().to_string();
        Tools {
            kubectl: ["--kubeconfig", &file, "--context", context]
                .map(str::to_owned)
                .to_vec(),
            aws: Vec::new(),
        }
    }

    /// Pins the context, because someone may select another one in the kubeconfig meanwhile.
    pub(crate) fn pin(&mut self, context: &str) {
        if !self.kubectl.iter().any(|word| word == "--context") {
            self.kubectl
                .extend(["--context".to_owned(), context.to_owned()]);
        }
    }

    /// Pins the region, so that each shown command works on its own.
    pub(crate) fn pin_region(&mut self, region: &str) {
        if !self.aws.iter().any(|word| word == "--region") {
            self.aws.extend(["--region".to_owned(), region.to_owned()]);
        }
    }

    /// The same, in the region of a cluster.
    pub(crate) fn in_region(&self, region: &str) -> Tools {
        let mut tools = self.clone();
        let given = tools.aws.iter().position(|word| word == "--region");
        match given.and_then(|at| tools.aws.get_mut(at + 1)) {
            Some(value) => region.clone_into(value),
            None => tools.pin_region(region),
        }
        tools
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Command {
        Command::new(Tool::Kubectl, &self.kubectl, arguments)
    }

    pub(crate) fn aws(&self, arguments: &[&str]) -> Command {
        Command::new(Tool::Aws, &self.aws, arguments)
    }
}

impl Command {
    fn new(tool: Tool, common: &[String], arguments: &[&str]) -> Command {
        let arguments = arguments.iter().map(|&word| word.to_owned());
        let arguments = common.iter().cloned().chain(arguments).collect();
        Command { tool, arguments }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.tool.name())?;
        let words = self.arguments.iter();
        words
            .into_iter()
            .try_for_each(|word| write!(formatter, " {}", quoted(word)))
    }
}

/// Quotes a word for a shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_./:=@,+%".contains(it);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
