//! The user's own programs, `kubectl` and `aws`: how they are called, and what they said.

use crate::failure::Refusal;
use crate::options::Options;
use crate::token::redact;
use std::fmt;
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// How long a program may take: one that asks its user to sign in waits for a person.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long a call to the API server may take. `kubectl` itself would wait for ever.
const KUBECTL_LIMIT: &str = "--request-timeout=20s";
/// How long AWS may take to be reached and to answer, several times over: the CLI repeats.
const AWS_LIMITS: [&str; 2] = ["--cli-connect-timeout=10", "--cli-read-timeout=30"];
/// Where a program finds what is not for its command line, which `ps` shows to everybody.
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

    /// What is not shown of each call, as it changes nothing: its time limits, and its output's
    /// form, which the user may have set otherwise.
    fn silent(self) -> Vec<&'static str> {
        match self {
            Tool::Kubectl => vec![KUBECTL_LIMIT],
            Tool::Aws => [&AWS_LIMITS[..], &["--output=json"]].concat(),
        }
    }
}

/// A command, as it is run and as a person would type it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) tool: Tool,
    pub(crate) arguments: Vec<String>,
}

/// What a program printed, and how it ended.
pub(crate) struct Answer {
    pub(crate) printed: String,
    pub(crate) said: String,
    pub(crate) code: Option<i32>,
}

/// The words that name cluster and account in each command.
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
                ("--context", options.context.clone()),
            ]),
            aws: pairs(&[
                ("--profile", options.profile.clone()),
                ("--region", options.region.clone()),
            ]),
        }
    }

    /// Holds to a context: somebody may choose another one in the kubeconfig meanwhile.
    pub(crate) fn pin(&mut self, context: &str) {
        if !self.kubectl.iter().any(|word| word == "--context") {
            self.kubectl
                .extend(["--context".to_owned(), context.to_owned()]);
        }
    }

    /// Holds to a region, so that each command can be typed as it stands.
    pub(crate) fn pin_region(&mut self, region: &str) {
        if !self.aws.iter().any(|word| word == "--region") {
            self.aws.extend(["--region".to_owned(), region.to_owned()]);
        }
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

    /// Runs it and returns what it prints.
    ///
    /// # Errors
    ///
    /// Where it does not succeed: its own words, without what it was given on its input.
    pub(crate) async fn ask(&self, input: Option<&str>) -> Result<String, Refusal> {
        let answer = self.run(input).await?;
        match answer.code {
            Some(0) => Ok(answer.printed),
            _ => Err(self.refusal(&answer.said)),
        }
    }

    /// Runs it to its end, whichever that is.
    ///
    /// # Errors
    ///
    /// Where it cannot be started or does not end.
    pub(crate) async fn run(&self, input: Option<&str>) -> Result<Answer, Refusal> {
        let program = self.tool.name();
        let start = self.start(input.is_some());
        let mut child = start.map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                return Refusal::NoProgram(self.tool);
            }
            self.refusal(&format!("{program} cannot be started: {error}"))
        })?;
        let stdin = child.stdin.take();
        let ended = async {
            if let (Some(text), Some(mut stdin)) = (input, stdin) {
                // A program that ends before it has read everything says itself why.
                let _read = stdin.write_all(text.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let output = tokio::time::timeout(PATIENCE, ended).await;
        let output = output.map_err(|_| Refusal::Silent(self.clone()))?;
        let output = output.map_err(|error| self.refusal(&error.to_string()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        Ok(Answer {
            printed: String::from_utf8_lossy(&output.stdout).into_owned(),
            said: redact(said.trim(), input.as_slice()),
            code: output.status.code(),
        })
    }

    /// The same words as an error.
    pub(crate) fn refusal(&self, said: &str) -> Refusal {
        Refusal::Said {
            command: self.clone(),
            said: said.to_owned(),
        }
    }

    fn start(&self, has_input: bool) -> std::io::Result<tokio::process::Child> {
        let input = if has_input {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        tokio::process::Command::new(self.tool.name())
            .args(&self.arguments)
            .args(self.tool.silent())
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
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

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_./:=@,+%".contains(it);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
