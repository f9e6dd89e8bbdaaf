//! A stage for a story: a local AWS, a local cluster, and the real function between them.

use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::{Aws, InvocationEnd, JobResult, Outcome, ParameterKind, Report};
use landfall_sandbox::function::Function;
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::{Behaviour, Seen, World, sample_deployment};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The cluster's bearer token: a text that must appear nowhere.
pub const TOKEN: &str = "bearer-token-5up3r-s3cr3t";
/// The image that runs before a story begins.
pub const OLD_IMAGE: &str = "registry.example.com/demo-app:1.0.0";
/// How long a story may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long Lambda lets an invocation run where a story says nothing else.
pub const LIFE: Duration = Duration::from_secs(30);

pub struct Stage {
    pub aws: Aws,
    pub kubernetes: Kubernetes,
    pub function: Function,
    jobs: std::cell::Cell<u32>,
}

/// A world in which `demo-app` runs with two replicas, and pods take a tenth of a second.
pub fn world() -> World {
    let mut world = World::new(TOKEN);
    world.default_behaviour(Behaviour::Ready {
        after: SignedDuration::from_millis(100),
    });
    world
}

/// The article's Deployment, its progress deadline as given.
pub fn demo_app(progress_deadline_seconds: u32) -> Value {
    let mut deployment = sample_deployment("demo-app", OLD_IMAGE);
    deployment["spec"]["progressDeadlineSeconds"] = json!(progress_deadline_seconds);
    deployment
}

impl Stage {
    /// The usual world.
    pub async fn new() -> Stage {
        Stage::with(|world, now| world.apply(demo_app(600), now)).await
    }

    /// A world prepared by the story. It has settled a minute before the story begins.
    pub async fn with(prepare: impl FnOnce(&mut World, Timestamp)) -> Stage {
        Stage::with_environment(prepare, &[]).await
    }

    /// The same with more variables for the function; `None` takes one away.
    pub async fn with_environment(
        prepare: impl FnOnce(&mut World, Timestamp),
        environment: &[(&str, Option<&str>)],
    ) -> Stage {
        let mut world = world();
        let earlier = Timestamp::now() - SignedDuration::from_mins(1);
        prepare(&mut world, earlier);
        world.settle(earlier);
        let kubernetes = Kubernetes::start(world).await.unwrap();
        let aws = Aws::start().await.unwrap();
        aws.put_parameter("k8s-bear-token", TOKEN, ParameterKind::SecureString);
        let mut variables = BTreeMap::from([
            ("K8S_CLUSTER", kubernetes.url()),
            ("K8S_CA", kubernetes.ca()),
        ]);
        for (name, value) in environment {
            match value {
                Some(value) => variables.insert(name, value),
                None => variables.remove(name),
            };
        }
        let variables = variables.into_iter().collect::<Vec<_>>();
        let binary = Path::new(env!("CARGO_BIN_EXE_landfall"));
        let function = Function::supervise(binary, &aws, &variables).unwrap();
        Stage {
            aws,
            kubernetes,
            function,
            jobs: std::cell::Cell::new(0),
        }
    }

    /// An event with these user parameters and a job id of its own.
    pub fn event(&self, parameters: &Value) -> Value {
        self.jobs.set(self.jobs.get() + 1);
        event(self.jobs.get(), &parameters.to_string())
    }

    /// Runs a deploy to its end.
    pub async fn deploy(&self, parameters: Value) -> Ended {
        self.deploy_in(LIFE, parameters).await
    }

    /// Runs a deploy in invocations that may take so long each.
    pub async fn deploy_in(&self, life: Duration, parameters: Value) -> Ended {
        self.run(self.event(&parameters), life).await
    }

    /// Runs an event to the end of its action.
    pub async fn run(&self, event: Value, life: Duration) -> Ended {
        let job = self.aws.submit(event, life);
        let outcome = self.aws.outcome(&job, PATIENCE).await;
        let report = match outcome {
            Outcome::Succeeded(report) | Outcome::Failed(report) => report,
            Outcome::Silent(end) => panic!("nothing was reported: {end:?}\n{}", self.log()),
            Outcome::Pending => panic!("the story does not end\n{}", self.log()),
        };
        self.each_invocation_reported_once();
        assert_eq!(
            self.aws.refused(),
            [],
            "CodePipeline or SSM refused a request"
        );
        Ended { report }
    }

    /// Invariant 1: every invocation that ended sent one report and returned success.
    pub fn each_invocation_reported_once(&self) {
        let reports = self.aws.reports();
        for invocation in self.aws.invocations() {
            let Some(end) = invocation.end else { continue };
            assert!(
                matches!(end, InvocationEnd::Response(_)),
                "{end:?}\n{}",
                self.log()
            );
            let job = invocation.job.unwrap();
            let count = reports.iter().filter(|report| report.job == job).count();
            assert_eq!(count, 1, "reports of job {job}");
        }
    }

    pub fn log(&self) -> String {
        self.function.log().join("\n")
    }

    /// The Deployment as it is now.
    pub fn deployment(&self) -> Value {
        self.kubernetes
            .world(|world, _| world.deployment("default", "demo-app").cloned())
            .unwrap()
    }

    /// The first container of the Deployment.
    pub fn container(&self) -> Value {
        self.deployment()["spec"]["template"]["spec"]["containers"][0].take()
    }

    pub fn image(&self) -> String {
        self.container()["image"].as_str().unwrap().to_owned()
    }

    /// The requests that changed something, or tried to.
    pub fn writes(&self) -> Vec<Seen> {
        self.requests()
            .into_iter()
            .filter(|seen| seen.method != "GET")
            .collect()
    }

    /// Waits until a text is in the log, which is read behind the function's back.
    pub async fn logged(&self, text: &str) {
        let end = tokio::time::Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            assert!(
                tokio::time::Instant::now() < end,
                "`{text}` is not in\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the function has written something.
    pub async fn written(&self) {
        let end = tokio::time::Instant::now() + PATIENCE;
        while self.writes().is_empty() {
            assert!(
                tokio::time::Instant::now() < end,
                "nothing is written\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn requests(&self) -> Vec<Seen> {
        self.kubernetes.world(|world, _| world.requests().to_vec())
    }

    /// The images of the pods that are ready and not about to end.
    pub fn ready_images(&self) -> Vec<String> {
        self.kubernetes.world(|world, _| {
            let pods = world.objects("pods");
            let living = |pod: &&Value| pod["metadata"].get("deletionTimestamp").is_none();
            let ready = pods.into_iter().filter(living).filter(|pod| {
                let conditions = pod["status"]["conditions"].as_array();
                conditions
                    .into_iter()
                    .flatten()
                    .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
            });
            let image = |pod: &Value| {
                pod["spec"]["containers"][0]["image"]
                    .as_str()
                    .map(str::to_owned)
            };
            ready.filter_map(image).collect()
        })
    }
}

/// A CodePipeline event with credentials that must appear nowhere.
pub fn event(number: u32, parameters: &str) -> Value {
    json!({"CodePipeline.job": {
        "id": format!("{number:08}-abcd-1111-abcd-111111111111"),
        "accountId": "111111111111",
        "data": {
            "actionConfiguration": {"configuration": {
                "FunctionName": "landfall", "UserParameters": parameters}},
            "inputArtifacts": [],
            "outputArtifacts": [],
            "artifactCredentials": {
                "accessKeyId": "ASIA-ARTIFACT-KEY-ID",
                "secretAccessKey": "artifact-secret-access-key",
                "sessionToken": "artifact-session-token",
                "expirationTime": 1924992000000_i64}}}})
}

/// How a story ended.
#[derive(Debug)]
pub struct Ended {
    report: Report,
}

impl Ended {
    /// The summary and output variables of a success.
    pub fn success(self) -> (String, BTreeMap<String, String>) {
        match self.report.result {
            JobResult::Success {
                summary,
                output_variables,
                percent_complete,
                external_execution_id,
                continuation_token: None,
            } => {
                assert_eq!(percent_complete, Some(100));
                let variables = &output_variables;
                let expected = format!(
                    "{}/{}@{}",
                    variables["Namespace"], variables["Deployment"], variables["Revision"]
                );
                assert_eq!(external_execution_id, Some(expected));
                (summary.unwrap(), output_variables)
            }
            other => panic!("no success: {other:#?}"),
        }
    }

    /// The type and message of a failure.
    pub fn failure(self) -> (String, String) {
        match self.report.result {
            JobResult::Failure { kind, message, .. } => (kind, message),
            other => panic!("no failure: {other:#?}"),
        }
    }
}

/// Replaces what differs from run to run: ids, hashes of pods, times.
pub fn plain(text: &str) -> String {
    let mut words = Vec::new();
    for line in text.lines() {
        let parts = line.split(' ').map(|word| {
            let inner = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            if inner.starts_with("demo-app-") {
                word.replace(inner, "demo-app-POD")
            } else {
                word.to_owned()
            }
        });
        words.push(parts.collect::<Vec<_>>().join(" "));
    }
    words.join("\n")
}
