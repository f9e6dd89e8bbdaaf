//! The function's real binary, run as Lambda runs it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::AbortHandle;

use crate::aws::{Aws, Environment, REGION};

/// What the function signs with; tests look for these where they must not be.
pub const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7SANDBOX"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "not-a-real-secret-access-key-of-the-sandbox",
    ),
    (
        "AWS_SESSION_TOKEN",
        "not-a-real-session-token-of-the-sandbox",
    ),
];

/// Lines kept; a function that logs more than this in a test logs too much.
const LOG_LINES: usize = 10_000;
/// A longer line is cut in pieces.
const LINE_BYTES: u64 = 64 * 1024;
/// How often a process is looked at where nothing else wakes us.
const LOOK: Duration = Duration::from_millis(20);
/// A function that dies at each start must not be started for ever.
const RESTARTS: usize = 100;
const BEFORE_RESTART: Duration = Duration::from_millis(50);

/// A process of the function. It ends where an invocation outlives its time, as in Lambda.
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

/// How a process is started, each time again.
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
    /// The process sees nothing of our environment, only what Lambda sets and `environment`.
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

    /// Every line of standard output and standard error so far.
    pub fn log(&self) -> Vec<String> {
        self.log_after(0)
    }

    /// The lines after the first `seen`; of what came before the last 10,000 nothing is left.
    pub fn log_after(&self, seen: usize) -> Vec<String> {
        let log = lock(&self.log);
        let skipped = seen.saturating_sub(log.dropped);
        log.lines.iter().skip(skipped).cloned().collect()
    }

    /// Ends the process with SIGKILL; what it was doing counts as crashed.
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
        // Both fail only where the process has been reaped already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        self.environment.close(reason);
    }

    /// Whether the process is over; ends it where an invocation has outlived its time.
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

/// What Lambda sets for every function, without credentials and endpoints.
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

/// Reads in a thread of its own, so that a function never waits for us to read.
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::{InvocationEnd, Outcome};

    const WITHIN: Duration = Duration::from_secs(10);
    /// A function in bash that takes one invocation.
    const TAKE: &str = "exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}\n\
        printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3\n\
        read -r line <&3; echo taken\n";

    /// Bash reads the script in `BASH_ENV`; an executable file could be busy in parallel tests.
    struct Script(PathBuf);

    impl Script {
        fn new(name: &str, text: &str) -> Script {
            let file = format!("landfall-sandbox-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(file);
            std::fs::write(&path, text).unwrap();
            Script(path)
        }

        fn run(&self, aws: &Aws, restarts: usize) -> Function {
            let environment = [("BASH_ENV", self.0.to_str().unwrap()), ("OWN", "value")];
            Function::run(Path::new("/bin/bash"), &[], aws, &environment, restarts).unwrap()
        }
    }

    impl Drop for Script {
        fn drop(&mut self) {
            let _gone = std::fs::remove_file(&self.0);
        }
    }

    async fn logged(function: &Function, text: &str) -> bool {
        for _ in 0..500 {
            if function.log().iter().any(|line| line.contains(text)) {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
        false
    }

    #[tokio::test]
    async fn the_process_sees_what_lambda_sets_and_no_more() {
        let aws = Aws::start().await.unwrap();
        let script = Script::new("env", "env; echo done >&2; exec sleep 60");
        let mut function = script.run(&aws, 0);
        assert!(logged(&function, "done").await);
        let log = function.log().join("\n");
        for line in [
            "OWN=value",
            "TZ=:UTC",
            "AWS_REGION=eu-central-1",
            "AWS_ENDPOINT_URL=http://",
        ] {
            assert!(log.contains(line), "{line} in {log}");
        }
        assert!(!log.contains("CARGO"), "{log}");
        assert!(function.running());
        function.kill();
        assert!(!function.running());
    }

    #[tokio::test]
    async fn a_program_gets_its_arguments() {
        let aws = Aws::start().await.unwrap();
        let arguments = ["-c", "echo got $0 $OWN; exec sleep 60", "them"].map(str::to_owned);
        let environment = [("OWN", "too")];
        let bash = Path::new("/bin/bash");
        let function = Function::start_program(bash, &arguments, &aws, &environment).unwrap();
        assert!(logged(&function, "got them too").await);
    }

    #[tokio::test]
    async fn a_process_ends_with_the_life_of_its_invocation() {
        let aws = Aws::start().await.unwrap();
        let script = Script::new("late", &format!("{TAKE}exec sleep 60"));
        let mut function = script.run(&aws, 0);
        let job = aws.submit(json!({}), Duration::from_millis(1500));
        assert_eq!(
            aws.outcome(&job, WITHIN).await,
            Outcome::Silent(InvocationEnd::TimedOut)
        );
        assert!(logged(&function, "Task timed out after 1.50 seconds").await);
        assert!(!function.running());
    }

    #[tokio::test]
    async fn a_killed_process_crashes_its_invocation() {
        let aws = Aws::start().await.unwrap();
        let script = Script::new("killed", &format!("{TAKE}exec sleep 60"));
        let mut function = script.run(&aws, 0);
        let job = aws.submit(json!({}), WITHIN);
        assert!(logged(&function, "taken").await);
        function.kill();
        let outcome = aws.outcome(&job, WITHIN).await;
        assert!(
            matches!(outcome, Outcome::Silent(InvocationEnd::Crashed(_))),
            "{outcome:?}"
        );
    }

    #[tokio::test]
    async fn a_supervised_process_is_started_again() {
        let aws = Aws::start().await.unwrap();
        let script = Script::new("again", &format!("{TAKE}exit 3"));
        let function = script.run(&aws, 2);
        let first = aws.submit(json!({}), WITHIN);
        let second = aws.submit(json!({}), WITHIN);
        for job in [first, second] {
            let outcome = aws.outcome(&job, WITHIN).await;
            let Outcome::Silent(InvocationEnd::Crashed(reason)) = outcome else {
                panic!("{outcome:?}");
            };
            assert!(reason.contains("exit status: 3"), "{reason}");
        }
        assert!(logged(&function, "Runtime.ExitError").await);
    }

    #[tokio::test]
    async fn dying_at_start_fails_the_waiting_invocation() {
        let aws = Aws::start().await.unwrap();
        let job = aws.submit(json!({}), WITHIN);
        let script = Script::new("start", "echo no cluster >&2; exit 1");
        let _function = script.run(&aws, 0);
        let outcome = aws.outcome(&job, WITHIN).await;
        assert!(
            matches!(outcome, Outcome::Silent(InvocationEnd::Crashed(_))),
            "{outcome:?}"
        );
    }
}
