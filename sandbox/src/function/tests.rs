use super::*;
use crate::aws::{InvocationEnd, Outcome};
use serde_json::json;

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
