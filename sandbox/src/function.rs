//! Runs the function's real binary like Lambda does.

use crate::aws::{Aws, Environment, REGION};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;

pub use crate::aws::CREDENTIALS;

/// How many log lines are kept; a function that logs more in a test logs too much.
const LOG_LINES: usize = 10_000;
/// A longer line is split.
const LINE_BYTES: u64 = 64 * 1024;
/// How often a process is checked if nothing else wakes us.
const LOOK: Duration = Duration::from_millis(20);
/// The limit of restarts for a function that dies at each start.
const RESTARTS: usize = 100;
const BEFORE_RESTART: Duration = Duration::from_millis(50);

/// A process of the function. It ends when an invocation times out, as in Lambda.
pub struct Function {
    process: Arc<Mutex<Process>>,
    log: Arc<Mutex<Log>>,
    watching: AbortHandle,
}

struct Process {
    child: Child,
    environment: Environment,
    stopped: bool,
}

/// How to start a process, also again.
struct Start {
    binary: PathBuf,
    arguments: Vec<String>,
    endpoint: String,
    environment: Vec<(String, String)>,
    restarts: usize,
}

#[derive(Default)]
struct Log {
    lines: VecDeque<String>,
    dropped: usize,
}

impl Function {
    /// Starts one process. Must be called inside a Tokio runtime.
    ///
    /// The process does not get our environment, only Lambda's variables and `environment`.
    pub fn start(binary: &Path, aws: &Aws, environment: &[(&str, &str)]) -> io::Result<Function> {
        Function::run(binary, &[], aws, environment, 0)
    }

    /// Starts one process of a program with arguments, such as an interpreter.
    pub fn start_program(
        program: &Path,
        arguments: &[String],
        aws: &Aws,
        environment: &[(&str, &str)],
    ) -> io::Result<Function> {
        Function::run(program, arguments, aws, environment, 0)
    }

    /// Starts a process, and a new one each time it dies, as Lambda does.
    pub fn supervise(
        binary: &Path,
        aws: &Aws,
        environment: &[(&str, &str)],
    ) -> io::Result<Function> {
        Function::run(binary, &[], aws, environment, RESTARTS)
    }

    fn run(
        binary: &Path,
        arguments: &[String],
        aws: &Aws,
        environment: &[(&str, &str)],
        restarts: usize,
    ) -> io::Result<Function> {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let start = Start {
            binary: binary.to_owned(),
            arguments: arguments.to_vec(),
            endpoint: aws.endpoint(),
            environment: environment.iter().map(own).collect(),
            restarts,
        };
        let log = Arc::default();
        let process = Arc::new(Mutex::new(start.process(aws.environment()?, &log)?));
        let watching = tokio::spawn(watch(start, Arc::clone(&process), Arc::clone(&log)));
        Ok(Function {
            process,
            log,
            watching: watching.abort_handle(),
        })
    }

    /// Returns all lines of standard output and standard error so far.
    pub fn log(&self) -> Vec<String> {
        self.log_after(0)
    }

    /// Returns the lines after the first `seen`; only the last 10,000 are kept.
    pub fn log_after(&self, seen: usize) -> Vec<String> {
        let log = lock(&self.log);
        let skipped = seen.saturating_sub(log.dropped);
        log.lines.iter().skip(skipped).cloned().collect()
    }

    /// Ends the process with SIGKILL; its current invocation counts as crashed.
    pub fn kill(&mut self) {
        lock(&self.process).stop("signal: 9 (SIGKILL)");
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        lock(&self.process).child.id()
    }

    /// Whether the process is alive.
    pub fn running(&mut self) -> bool {
        matches!(lock(&self.process).child.try_wait(), Ok(None))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.watching.abort();
        self.kill();
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Function")
            .field("id", &self.id())
            .finish()
    }
}

impl Process {
    fn stop(&mut self, reason: &str) {
        self.stopped = true;
        // Both only fail if the process has already been reaped.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        self.environment.close(reason);
    }

    /// Whether the process has ended; ends it if an invocation has timed out.
    fn over(&mut self, log: &Mutex<Log>) -> bool {
        if self.stopped {
            return true;
        }
        if let Some(late) = self.environment.timed_out() {
            let life = late.life.as_secs_f64();
            let (now, id) = (Timestamp::now(), late.request_id);
            lock(log).push(format!(
                "{now:.3} {id} Task timed out after {life:.2} seconds"
            ));
            self.stop("timed out");
            return true;
        }
        match self.child.try_wait() {
            Ok(None) => false,
            Ok(Some(status)) => {
                self.exited(status, log);
                true
            }
            Err(error) => {
                lock(log).push(format!("the process cannot be watched: {error}"));
                self.stop("the process cannot be watched");
                true
            }
        }
    }

    fn exited(&mut self, status: ExitStatus, log: &Mutex<Log>) {
        self.stopped = true;
        let reason = format!("Runtime exited with error: {status}");
        lock(log).push(format!("{reason} Runtime.ExitError"));
        self.environment.died(&reason);
    }
}

impl Start {
    fn process(&self, environment: Environment, log: &Arc<Mutex<Log>>) -> io::Result<Process> {
        let mut child = Command::new(&self.binary)
            .args(&self.arguments)
            .env_clear()
            .envs(lambda_environment())
            .envs(CREDENTIALS)
            .env("AWS_LAMBDA_RUNTIME_API", environment.address())
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(output) = child.stdout.take() {
            follow(output, Arc::clone(log));
        }
        if let Some(output) = child.stderr.take() {
            follow(output, Arc::clone(log));
        }
        Ok(Process {
            child,
            environment,
            stopped: false,
        })
    }
}

/// The variables that Lambda sets for every function, without credentials and endpoints.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
pub fn lambda_environment() -> [(&'static str, &'static str); 14] {
    [
        ("_HANDLER", "bootstrap"),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", "landfall"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/landfall"),
        (
            "AWS_LAMBDA_LOG_STREAM_NAME",
            "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
        ),
        ("AWS_REGION", REGION),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
        ("TZ", ":UTC"),
    ]
}

async fn watch(start: Start, process: Arc<Mutex<Process>>, log: Arc<Mutex<Log>>) {
    let mut changed = lock(&process).environment.changes();
    let mut restarts = 0;
    loop {
        let _woken = tokio::time::timeout(LOOK, changed.changed()).await;
        if !lock(&process).over(&log) {
            continue;
        }
        if restarts == start.restarts {
            return;
        }
        restarts += 1;
        tokio::time::sleep(BEFORE_RESTART).await;
        let mut old = lock(&process);
        let next = old.environment.another();
        match next.and_then(|environment| start.process(environment, &log)) {
            Ok(new) => *old = new,
            Err(error) => {
                lock(&log).push(format!("the function cannot be started again: {error}"));
                return;
            }
        }
    }
}

/// Reads in a separate thread, so that the function never waits for us.
fn follow(output: impl Read + Send + 'static, log: Arc<Mutex<Log>>) {
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        loop {
            line.clear();
            match output
                .by_ref()
                .take(LINE_BYTES)
                .read_until(b'\n', &mut line)
            {
                Ok(0) | Err(_) => return,
                Ok(_) => {
                    let text = String::from_utf8_lossy(&line);
                    lock(&log).push(text.trim_end_matches(['\n', '\r']).to_owned());
                }
            }
        }
    });
}

impl Log {
    fn push(&mut self, line: String) {
        if self.lines.len() >= LOG_LINES {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
