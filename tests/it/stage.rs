//! A stage for a story: a local AWS, a local cluster, and the real function between them.

use crate::cluster::Cluster;
use jiff::Timestamp;
use landfall_sandbox::aws::{
    Aws, EksCluster, InvocationEnd, Job, JobResult, Outcome, ParameterKind, Report,
};
use landfall_sandbox::function::Function;
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::{Seen, World, sample_deployment};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use crate::cluster::TOKEN;

/// The image that runs before a story begins.
pub const OLD_IMAGE: &str = "registry.example.com/demo-app:1.0.0";
/// How long a story may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long Lambda lets an invocation run where a story says nothing else.
pub const LIFE: Duration = Duration::from_secs(30);
/// A life in which a rollout of two seconds is not done.
pub const SHORT: Duration = Duration::from_millis(1500);

/// Variables of the function beside the usual ones; `None` takes one away.
pub type Environment<'a> = &'a [(&'a str, Option<&'a str>)];

pub struct Stage {
    pub aws: Aws,
    pub cluster: Cluster,
    pub function: Function,
    jobs: std::cell::Cell<u32>,
}

/// The article's Deployment, its progress deadline as given.
pub fn demo_app(progress_deadline_seconds: u32) -> Value {
    let mut deployment = sample_deployment("demo-app", OLD_IMAGE);
    deployment["spec"]["progressDeadlineSeconds"] = json!(progress_deadline_seconds);
    deployment
}

impl Stage {
    /// A cluster in which `demo-app` runs with two replicas.
    pub async fn new() -> Stage {
        Stage::given([demo_app(600)]).await
    }

    /// A cluster in which these objects are.
    pub async fn given(objects: impl IntoIterator<Item = Value>) -> Stage {
        Stage::given_with(objects, &[]).await
    }

    /// The same with more variables for the function.
    pub async fn given_with(
        objects: impl IntoIterator<Item = Value>,
        environment: Environment<'_>,
    ) -> Stage {
        let cluster = Cluster::given(objects.into_iter().collect()).await;
        Stage::upon(cluster, environment).await
    }

    /// The sandbox's cluster, for what cannot be provoked in a real one.
    pub async fn in_sandbox(prepare: impl FnOnce(&mut World, Timestamp)) -> Stage {
        Stage::in_sandbox_with(prepare, &[]).await
    }

    /// The same with more variables for the function.
    pub async fn in_sandbox_with(
        prepare: impl FnOnce(&mut World, Timestamp),
        environment: Environment<'_>,
    ) -> Stage {
        Stage::upon(Cluster::sandbox(prepare).await, environment).await
    }

    /// Upon a cluster that is there.
    pub async fn upon(cluster: Cluster, environment: Environment<'_>) -> Stage {
        let aws = Aws::start().await.unwrap();
        aws.put_parameter(
            "k8s-bear-token",
            cluster.token(),
            ParameterKind::SecureString,
        );
        let mut variables = match cluster.eks() {
            Some(name) => {
                let eks = EksCluster::active(name, cluster.url(), cluster.ca());
                aws.put_cluster(eks);
                BTreeMap::from([("EKS_CLUSTER", name)])
            }
            None => BTreeMap::from([("K8S_CLUSTER", cluster.url()), ("K8S_CA", cluster.ca())]),
        };
        for (name, value) in environment {
            match value {
                Some(value) => variables.insert(name, value),
                None => variables.remove(name),
            };
        }
        let variables = variables.into_iter().collect::<Vec<_>>();
        let function = Function::supervise(&function(), &aws, &variables).unwrap();
        Stage {
            aws,
            cluster,
            function,
            jobs: std::cell::Cell::new(0),
        }
    }

    /// The sandbox's cluster, in stories of [`Stage::in_sandbox`].
    pub fn sandbox(&self) -> &Kubernetes {
        match &self.cluster {
            Cluster::Sandbox(kubernetes) => kubernetes,
            Cluster::Real(_) => panic!("the story is for the sandbox alone"),
        }
    }

    /// An event with these user parameters and a job id of its own.
    pub fn event(&self, parameters: &Value) -> Value {
        self.jobs.set(self.jobs.get() + 1);
        let mut parameters = parameters.clone();
        if let Some(manifest) = parameters.get_mut("manifest") {
            self.cluster.place(manifest);
        }
        if parameters.is_object() && parameters.get("namespace").is_none() {
            parameters["namespace"] = json!(self.cluster.namespace());
        }
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

    /// The failure of a deploy that must not have written anything.
    pub async fn refused(&self, parameters: Value) -> (String, String) {
        let failure = self.deploy(parameters).await.failure();
        self.wrote(&[]);
        failure
    }

    /// Runs an event to the end of its action.
    pub async fn run(&self, event: Value, life: Duration) -> Ended {
        let job = self.aws.submit(event, life);
        self.ended(&job, PATIENCE).await
    }

    /// The end of an action, which must come within this time.
    pub async fn ended(&self, job: &Job, within: Duration) -> Ended {
        let outcome = self.aws.outcome(job, within).await;
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
        Ended {
            report,
            namespace: self.cluster.namespace().to_owned(),
        }
    }

    /// Invariant 1: every invocation that had a job and ended sent one report and returned success.
    pub fn each_invocation_reported_once(&self) {
        let reports = self.aws.reports();
        for invocation in self.aws.invocations() {
            let (Some(end), Some(job)) = (invocation.end, invocation.job) else {
                continue;
            };
            assert!(
                matches!(end, InvocationEnd::Response(_)),
                "{end:?}\n{}",
                self.log()
            );
            let count = reports.iter().filter(|report| report.job == job).count();
            assert_eq!(count, 1, "reports of job {job}");
        }
    }

    pub fn log(&self) -> String {
        self.function.log().join("\n")
    }

    /// The Deployment as it is now.
    pub async fn deployment(&self) -> Value {
        self.cluster.deployment().await.unwrap()
    }

    /// The first container of the Deployment.
    pub async fn container(&self) -> Value {
        self.deployment().await["spec"]["template"]["spec"]["containers"][0].take()
    }

    pub async fn image(&self) -> String {
        self.container().await["image"].as_str().unwrap().to_owned()
    }

    /// What the function changed, it changed by these methods. A write that was refused changed
    /// nothing; one whose answer came too late (5xx) may have, and is the same as its repetition.
    #[track_caller]
    pub fn wrote(&self, methods: &[&str]) {
        if let Some(writes) = self.writes() {
            let body = |seen: &Seen| {
                let mut body = seen.body.clone().unwrap_or_default();
                if let Some(time) = body.pointer_mut("/metadata/annotations/landfall~1deployed-at")
                {
                    time.take();
                }
                body
            };
            let is_same = |one: &Seen, other: &Seen| {
                (&one.method, &one.path) == (&other.method, &other.path) && body(one) == body(other)
            };
            let done = writes.iter().enumerate().filter(|(index, seen)| {
                let again = writes
                    .get(index + 1)
                    .is_some_and(|next| is_same(seen, next));
                let repeated = seen.status >= 500 && again;
                !repeated && !(400..500).contains(&seen.status)
            });
            let found = done.map(|(_, seen)| &*seen.method).collect::<Vec<_>>();
            assert_eq!(found, methods, "{writes:#?}");
        }
    }

    /// The requests that changed something, or tried to; None where the cluster does not tell.
    pub fn writes(&self) -> Option<Vec<Seen>> {
        let requests = self.cluster.requests()?.into_iter();
        let asks = |seen: &Seen| {
            ["dryRun=All", "selfsubjectaccessreviews"]
                .iter()
                .any(|part| seen.path.contains(part))
        };
        let writes = requests.filter(|seen| seen.method != "GET" && !asks(seen));
        Some(writes.collect())
    }

    /// The sandbox's requests.
    pub fn requests(&self) -> Vec<Seen> {
        self.sandbox().world(|world, _| world.requests().to_vec())
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
        loop {
            let deployment = self.cluster.deployment().await.unwrap_or_default();
            if deployment["metadata"]["annotations"]["landfall/job"].is_string() {
                return;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "nothing is written\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The images of the pods that are ready and not about to end.
    pub async fn ready_images(&self) -> Vec<String> {
        let pods = self.cluster.pods().await.into_iter();
        let living = pods.filter(|pod| pod["metadata"].get("deletionTimestamp").is_none());
        let ready = living.filter(|pod| {
            let conditions = pod["status"]["conditions"].as_array();
            conditions
                .into_iter()
                .flatten()
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
        });
        let image = |pod: Value| {
            pod["spec"]["containers"][0]["image"]
                .as_str()
                .map(str::to_owned)
        };
        ready.filter_map(image).collect()
    }
}

/// Runs a story while something is looked at all the time.
pub async fn beside<T>(story: impl Future<Output = T>, look: impl Future<Output = ()>) -> T {
    tokio::select! {
        told = story => told,
        () = look => unreachable!("it looks for ever"),
    }
}

/// The function's binary, or another build of it, such as the form that is shipped.
pub fn function() -> PathBuf {
    let named = std::env::var_os("LANDFALL_FUNCTION");
    named.map_or_else(|| env!("CARGO_BIN_EXE_landfall").into(), PathBuf::from)
}

/// The parameters of a deploy that gives the container this image.
pub fn image(image: &str) -> Value {
    json!({"deployment": "demo-app", "images": {"app": image}})
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
    /// The namespace of the story, which reads as `default` whatever it was.
    namespace: String,
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
                let name = match variables.get("Workload") {
                    Some(workload) => workload.split_once('/').unwrap().1,
                    None => &variables["Deployment"],
                };
                let expected = format!(
                    "{}/{name}@{}",
                    variables["Namespace"], variables["Revision"]
                );
                assert_eq!(external_execution_id, Some(expected));
                assert_eq!(variables["Namespace"], self.namespace);
                (usual(&summary.unwrap(), &self.namespace), output_variables)
            }
            other => panic!("no success: {other:#?}"),
        }
    }

    /// The summary and output variables of a release that worked.
    pub fn released(self) -> (String, BTreeMap<String, String>) {
        match self.report.result {
            JobResult::Success {
                summary,
                output_variables,
                continuation_token: None,
                ..
            } => (usual(&summary.unwrap(), &self.namespace), output_variables),
            other => panic!("no success: {other:#?}"),
        }
    }

    /// The type and message of a failure, or `success` and its summary.
    pub fn either(self) -> (String, String) {
        match self.report.result {
            JobResult::Failure { .. } => self.failure(),
            JobResult::Success {
                ref output_variables,
                ..
            } => {
                let is_release = output_variables.contains_key("Release");
                let success = if is_release {
                    Ended::released
                } else {
                    Ended::success
                };
                ("success".to_owned(), success(self).0)
            }
        }
    }

    /// Whether a release worked, and what is told of it.
    pub fn verdict(self) -> (bool, String) {
        match self.report.result {
            JobResult::Failure { .. } => (false, self.failure().1),
            JobResult::Success { .. } => (true, self.released().0),
        }
    }

    /// The type and message of a failure.
    pub fn failure(self) -> (String, String) {
        match self.report.result {
            JobResult::Failure { kind, message, .. } => (kind, usual(&message, &self.namespace)),
            other => panic!("no failure: {other:#?}"),
        }
    }
}

/// A text with `default` for the story's namespace.
fn usual(text: &str, namespace: &str) -> String {
    text.replace(namespace, "default")
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
