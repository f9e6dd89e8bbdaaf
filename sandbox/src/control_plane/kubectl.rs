//! The cluster's own client, for administrative tasks.

use serde_json::Value;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// `kubectl` with its kubeconfig and context.
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    context: Option<String>,
}

impl Kubectl {
    pub(crate) fn new(program: PathBuf, kubeconfig: PathBuf, context: Option<String>) -> Kubectl {
        Kubectl {
            program,
            kubeconfig,
            context,
        }
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs `kubectl` and returns its output.
    ///
    /// # Errors
    ///
    /// The message of `kubectl`.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        self.answer(arguments, None)
    }

    /// Creates an object that may exist already.
    pub(crate) fn create(&self, object: &Value) -> Result<(), String> {
        self.apply(&object.to_string())
    }

    /// Applies a manifest.
    pub(crate) fn apply(&self, file: &str) -> Result<(), String> {
        self.answer(&["apply", "--filename=-"], Some(file))
            .map(drop)
    }

    /// Puts the kubeconfig and the context before the given arguments.
    pub(crate) fn arguments(&self, arguments: &[&str]) -> Vec<OsString> {
        let mut all = vec![
            OsString::from("--kubeconfig"),
            self.kubeconfig.clone().into(),
        ];
        if let Some(context) = &self.context {
            all.extend(["--context".into(), context.into()]);
        }
        all.extend(arguments.iter().map(OsString::from));
        all
    }

    fn answer(&self, arguments: &[&str], input: Option<&str>) -> Result<String, String> {
        let output = self
            .run(arguments, input)
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let words = String::from_utf8_lossy(&output.stderr);
            Err(format!("kubectl {}: {}", arguments.join(" "), words.trim()))
        }
    }

    fn run(&self, arguments: &[&str], input: Option<&str>) -> io::Result<Output> {
        let mut child = Command::new(&self.program)
            .args(self.arguments(arguments))
            .stdin(if input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
            stdin.write_all(text.as_bytes())?;
        }
        child.wait_with_output()
    }
}
