//! Runs the user's own programs and reads their output.

use crate::command::Command;
use crate::failure::Refusal;
use crate::token::redact;
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// How long a program may take: it may ask its user to sign in.
const PATIENCE: Duration = Duration::from_secs(180);

/// The output and the exit status of a program.
pub(crate) struct Answer {
    pub(crate) printed: String,
    pub(crate) said: String,
    pub(crate) code: Option<i32>,
}

impl Command {
    /// Runs the command and returns its output.
    ///
    /// # Errors
    ///
    /// The command fails: its own message, without its input.
    pub(crate) async fn ask(&self, input: Option<&str>) -> Result<String, Refusal> {
        let answer = self.run(input).await?;
        match answer.code {
            Some(0) => Ok(answer.printed),
            _ => Err(self.refusal(&answer.said)),
        }
    }

    /// Runs the command until it ends, successfully or not.
    ///
    /// # Errors
    ///
    /// The command cannot be started or does not end.
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
                // A program that ends before it has read everything says why.
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

    /// The message as an error.
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
