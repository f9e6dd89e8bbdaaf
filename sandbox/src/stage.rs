//! The parts that all commands share: a local AWS, a cluster, the function, and the output about
//! them.

mod alarms;
mod artifact;
mod behaviours;
pub(crate) mod called;
mod canary;
pub(crate) mod cluster;
pub(crate) mod input;
pub(crate) mod narration;
pub(crate) mod own;
mod several;
mod page;
mod shop;
mod shop_files;
mod token;

use crate::picture::{Picture, version_of};
use crate::screen::{Screen, Tone};
use crate::stage::cluster::Cluster;
use crate::stage::narration::{
    aws_call, cluster_calls, handed_on, invocation_end, log_line, log_time,
};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::{Aws, Job, Outcome};
use landfall_sandbox::function::{CREDENTIALS, Function, lambda_environment};
use landfall_sandbox::gateway::HTTP_ROUTES;
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::{Behaviour, World, sample_deployment, sample_service};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The function's token parameter.
pub(crate) const TOKEN_PARAMETER: &str = "k8s-bear-token";
/// The Deployment that exists at the start.
pub(crate) const DEPLOYMENT: &str = "demo-app";
pub(crate) const NAMESPACE: &str = "default";
/// The content of [`ARTIFACT`](input::ARTIFACT).
const ARCHIVE: &[u8] = include_bytes!("../../tests/archives/infozip-deflated.zip");
/// The artifact in `events/release.json`, in the same bucket, and its content.
const RELEASE_KEY: &str = "demo/SourceArti/KwRmDbe";
/// See [`RELEASE_KEY`].
const RELEASE_ARCHIVE: &[u8] = include_bytes!("../../tests/archives/release.zip");
const IMAGE: &str = "registry.example.com/demo-app:1.0";
const TOKEN: &str = "not-a-real-bearer-token-of-the-sandbox";
/// Slow enough to watch, but not boring.
const POD_START: SignedDuration = SignedDuration::from_millis(1200);
const POD_STOP: SignedDuration = SignedDuration::from_millis(800);
/// A real kubelet waits ten seconds before the second restart of a container.
const BACK_OFF: SignedDuration = SignedDuration::from_secs(2);
/// The shortest time between two drawings of the picture.
const FRAME: Duration = Duration::from_millis(100);
/// As in a pipeline: long enough to see that the action continues.
const REINVOKE_AFTER: Duration = Duration::from_secs(1);

/// Everything that runs; dropping it stops it.
pub(crate) struct Stage {
    pub(crate) aws: Aws,
    pub(crate) kubernetes: Option<Kubernetes>,
    /// The environment variables with which the function finds the cluster.
    pub(crate) environment: Vec<(String, String)>,
    /// Whether to print the function's log lines unchanged.
    pub(crate) raw: bool,
    /// Whether the picture is that of the release, instead of that of the Deployment.
    pub(crate) shows_shop: bool,
    /// Whether the requests come in by the route.
    pub(crate) shows_route: bool,
    /// Whether a version that fails with a share of the traffic has had some.
    loaded: bool,
    told: Told,
}

/// A file that is deleted when it is dropped.
pub(crate) struct AuthorityFile(PathBuf);

impl AuthorityFile {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for AuthorityFile {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// How much of everything has been printed already.
#[derive(Default)]
struct Told {
    calls: usize,
    requests: usize,
    invocations: usize,
    log: usize,
}

impl Stage {
    /// Starts a local world with a ready Deployment and a Service.
    pub(crate) async fn local() -> io::Result<Stage> {
        let mut world = World::new(TOKEN);
        world.timing().termination = POD_STOP;
        world.timing().back_off = BACK_OFF;
        world.default_behaviour(Behaviour::Ready { after: POD_START });
        for (image, behaviour) in behaviours::all() {
            world.behave(image, behaviour);
        }
        let mut deployment = sample_deployment(DEPLOYMENT, IMAGE);
        deployment["spec"]["progressDeadlineSeconds"] = Value::from(20);
        let now = Timestamp::now();
        // The world must not be ahead of the clock when the server starts.
        let before = now
            .checked_sub(SignedDuration::from_hours(1))
            .unwrap_or(now);
        world.apply(deployment, before);
        world.apply(sample_service(DEPLOYMENT), before);
        Stage::prepare_route(&mut world, before);
        world.say("unhealthy", 500, "no connection to postgres://orders");
        world.settle(before);
        let kubernetes = Kubernetes::start(world).await?;
        let cluster = Cluster {
            url: kubernetes.url().to_owned(),
            token: TOKEN.to_owned(),
            ca: Some(kubernetes.ca().to_owned()),
        };
        Stage::by_token(cluster, Some(kubernetes)).await
    }

    /// Puts a folder or a ZIP file where the events have their input artifact.
    pub(crate) fn put_artifact(&self, path: Option<&Path>) -> Result<(), String> {
        if let Some(path) = path {
            let (bucket, key) = input::ARTIFACT;
            let content = artifact::read(path)?;
            for key in [key, RELEASE_KEY] {
                self.aws.put_object(bucket, key, content.clone());
            }
            self.put_called_artifact(content);
        }
        Ok(())
    }

    async fn with(
        mut environment: Vec<(String, String)>,
        kubernetes: Option<Kubernetes>,
    ) -> io::Result<Stage> {
        environment.push(Stage::called_variable());
        let aws = Aws::start().await?;
        aws.reinvoke_after(REINVOKE_AFTER);
        alarms::put(&aws);
        let (bucket, key) = input::ARTIFACT;
        aws.put_object(bucket, key, ARCHIVE);
        aws.put_object(bucket, RELEASE_KEY, RELEASE_ARCHIVE);
        shop_files::put_artifacts(&aws, bucket);
        let stage = Stage {
            aws,
            kubernetes,
            environment,
            raw: false,
            shows_shop: false,
            shows_route: false,
            loaded: false,
            told: Told::default(),
        };
        stage.put_called_artifact(ARCHIVE.to_vec());
        Ok(stage)
    }

    pub(crate) fn function(&self, binary: &Path) -> io::Result<Function> {
        let handed_on = handed_on(|name| std::env::var(name).ok());
        let environment = self.environment.iter().chain(&handed_on);
        let environment: Vec<_> = environment.map(|(k, v)| (k.as_str(), v.as_str())).collect();
        Function::supervise(binary, &self.aws, &environment)
    }

    /// Prints what happens until an action has ended, or `within` is over.
    pub(crate) async fn follow(
        &mut self,
        job: &Job,
        within: Duration,
        log: Option<&Function>,
        screen: &mut Screen,
        is_old: &impl Fn(&str) -> bool,
    ) -> Outcome {
        let started = std::time::Instant::now();
        loop {
            let outcome = self.aws.outcome(job, FRAME).await;
            self.load();
            self.tell(log, screen);
            screen.show(self.picture(is_old));
            if outcome != Outcome::Pending || started.elapsed() > within {
                return outcome;
            }
        }
    }

    /// Prints everything that is new, in its order.
    pub(crate) fn tell(&mut self, log: Option<&Function>, screen: &mut Screen) {
        let mut news = self.log_news(log);
        let calls = self.aws.calls();
        news.extend(calls.iter().skip(self.told.calls).map(aws_call));
        self.told.calls = calls.len();
        if let Some(kubernetes) = &self.kubernetes {
            let told = self.told.requests;
            let requests = kubernetes.world(|world, _| world.requests()[told..].to_vec());
            self.told.requests += requests.len();
            news.extend(cluster_calls(&requests));
        }
        let ended = self.aws.invocations().into_iter();
        let ended: Vec<_> = ended.take_while(|one| one.end.is_some()).collect();
        news.extend(
            ended
                .iter()
                .skip(self.told.invocations)
                .filter_map(invocation_end),
        );
        self.told.invocations = ended.len();
        news.sort_by_key(|(at, ..)| *at);
        for (_, tone, text) in news {
            screen.say(tone, &text);
        }
    }

    /// A line without a time belongs to the previous one.
    fn log_news(&mut self, log: Option<&Function>) -> Vec<(Timestamp, Tone, String)> {
        let lines = log.map(|function| function.log_after(self.told.log));
        let lines = lines.unwrap_or_default();
        self.told.log += lines.len();
        let mut at = Timestamp::MIN;
        let mut news = Vec::with_capacity(lines.len());
        for line in lines {
            at = log_time(&line).unwrap_or(at);
            let text = if self.raw { line } else { log_line(&line) };
            news.push((at, Tone::Faint, format!("log {text}")));
        }
        news
    }

    pub(crate) fn picture(&self, is_old: &impl Fn(&str) -> bool) -> Picture {
        if self.shows_shop {
            return self.shop_picture(is_old);
        }
        let Some(kubernetes) = &self.kubernetes else {
            return Picture::default();
        };
        kubernetes.world(|world, _| {
            let deployment = world.deployment(NAMESPACE, &serving(world));
            let picture = Picture::of(deployment, &world.objects("pods"), is_old);
            picture.with(Stage::requests(world, DEPLOYMENT, self.shows_route))
        })
    }

    /// The current Service; null for an external cluster.
    pub(crate) fn service(&self) -> Value {
        self.object("services", DEPLOYMENT)
    }

    /// The current Deployment; null for an external cluster.
    pub(crate) fn deployment(&self) -> Value {
        self.object("deployments", DEPLOYMENT)
    }

    /// The route of the demo; null for an external cluster.
    pub(crate) fn route(&self) -> Value {
        self.object(HTTP_ROUTES, DEPLOYMENT)
    }

    /// The first candidate of a switch; null where there is none.
    pub(crate) fn candidate(&self) -> Value {
        self.object("deployments", &format!("{DEPLOYMENT}-blue"))
    }

    fn object(&self, resource: &str, name: &str) -> Value {
        let Some(kubernetes) = &self.kubernetes else {
            return Value::Null;
        };
        let found = kubernetes.world(|world, _| world.object(resource, NAMESPACE, name).cloned());
        found.unwrap_or_default()
    }

    /// The hashes of the pod templates that have pods.
    pub(crate) fn hashes(&self) -> BTreeSet<String> {
        let Some(kubernetes) = &self.kubernetes else {
            return BTreeSet::new();
        };
        let hash = |pod: &Value| version_of(pod).to_owned();
        kubernetes.world(|world, _| world.objects("pods").into_iter().map(hash).collect())
    }

    /// Shell commands that set up a function in that shell.
    pub(crate) fn exports(&self, authority: &Path) -> String {
        let mut text = format!(
            "export AWS_LAMBDA_RUNTIME_API={}\nexport AWS_ENDPOINT_URL={}\n",
            self.aws.runtime_api(),
            self.aws.endpoint()
        );
        for (name, value) in lambda_environment().into_iter().chain(CREDENTIALS) {
            // The shell's own PATH and language are better than Lambda's.
            if name.starts_with("AWS_") {
                text.push_str(&format!("export {name}='{value}'\n"));
            }
        }
        for (name, value) in &self.environment {
            let value = match name.as_str() {
                "K8S_CA" => format!("\"$(cat '{}')\"", authority.display()),
                _ => format!("'{value}'"),
            };
            text.push_str(&format!("export {name}={value}\n"));
        }
        text
    }

    /// Instructions for the exports, as comments, so that the whole text can be sourced.
    pub(crate) fn advice(&self, authority: &Path) -> String {
        let cluster = self.kubernetes.as_ref().map(Kubernetes::url);
        format!(
            "\n\
             # In another shell: paste the lines above, then run the function's binary there,\n\
             #   target/debug/landfall\n\
             # Or let `make invoke` use the sandbox's cluster as if it were a real one:\n\
             #   echo {TOKEN} > /tmp/sandbox-token\n\
             #   make invoke CLUSTER={} TOKEN_FILE=/tmp/sandbox-token \\\n\
             #     CA={}\n",
            cluster.unwrap_or_default(),
            authority.display()
        )
    }

    /// Writes the cluster's CA to a file, which exists as long as the result is held.
    pub(crate) fn write_authority(&self) -> Result<AuthorityFile, String> {
        let name = format!("landfall-sandbox-{}-ca.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        let pem = self
            .kubernetes
            .as_ref()
            .map(Kubernetes::ca)
            .unwrap_or_default();
        let file = std::fs::File::create_new(&path);
        match file.and_then(|mut file| file.write_all(pem.as_bytes())) {
            Ok(()) => Ok(AuthorityFile(path)),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Shows the pods until all are ready, for a limited time.
    pub(crate) async fn rest(
        &mut self,
        log: Option<&Function>,
        screen: &mut Screen,
        is_old: &impl Fn(&str) -> bool,
    ) {
        const FRAMES: u32 = 80;
        for _ in 0..FRAMES {
            let picture = self.picture(is_old);
            let rests = picture.rests();
            self.tell(log, screen);
            screen.show(picture);
            if rests {
                return;
            }
            tokio::time::sleep(FRAME).await;
        }
    }
}

/// The Deployment that the Service routes to.
fn serving(world: &World) -> String {
    let service = world.object("services", NAMESPACE, DEPLOYMENT);
    let version = service.and_then(|it| it["spec"]["selector"]["landfall/version"].as_str());
    version.map_or_else(
        || DEPLOYMENT.to_owned(),
        |version| format!("{DEPLOYMENT}-{version}"),
    )
}

#[cfg(test)]
mod tests;
