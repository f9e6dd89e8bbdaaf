//! What all commands share: a local AWS, a cluster, the function, and the news of what they do.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::{Aws, AwsCall, Invocation, InvocationEnd, Job, Outcome, ParameterKind};
use landfall_sandbox::function::{CREDENTIALS, Function, lambda_environment};
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::{Behaviour, Seen, World, sample_deployment, sample_service};
use serde_json::Value;

use crate::picture::{Picture, Screen, Tone, clip};

/// Where the function looks for the token.
pub(crate) const TOKEN_PARAMETER: &str = "k8s-bear-token";
/// The Deployment that is there from the beginning.
pub(crate) const DEPLOYMENT: &str = "demo-app";
pub(crate) const NAMESPACE: &str = "default";
/// The artifact that the events in `events/` name, and what is in it.
const ARTIFACT: (&str, &str) = (
    "codepipeline-eu-central-1-111111111111",
    "demo/SourceArti/TdOSFRV",
);
/// See [`ARTIFACT`].
const ARCHIVE: &[u8] = include_bytes!("../../tests/archives/infozip-deflated.zip");
const IMAGE: &str = "registry.example.com/demo-app:1.0";
const TOKEN: &str = "not-a-real-bearer-token-of-the-sandbox";
/// Slow enough to be watched, fast enough not to bore.
const POD_START: SignedDuration = SignedDuration::from_millis(1500);
const POD_STOP: SignedDuration = SignedDuration::from_millis(800);
/// A real kubelet waits ten seconds before the second restart of a container.
const BACK_OFF: SignedDuration = SignedDuration::from_secs(2);
/// How often the picture is drawn, at most.
const FRAME: Duration = Duration::from_millis(100);
/// As in a pipeline: noticeable, and one can see that the action goes on.
const REINVOKE_AFTER: Duration = Duration::from_secs(1);
/// A PEM file is a few kilobytes; an event is at most 256 KB.
const FILE_BYTES: u64 = 1024 * 1024;

/// What CodePipeline stores of an action's UserParameters,
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>.
const USER_PARAMETERS: usize = 1000;
/// What of the caller's environment the function gets.
const HANDED_ON: [&str; 2] = ["AWS_LAMBDA_LOG_LEVEL", "RUST_LOG"];

/// Where a cluster is and how to get in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) ca: Option<String>,
}

/// Without the token: it may be a real one.
impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cluster")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Everything that runs; dropping it stops it.
pub(crate) struct Stage {
    pub(crate) aws: Aws,
    pub(crate) kubernetes: Option<Kubernetes>,
    /// What the function needs in its environment to find the cluster.
    pub(crate) environment: Vec<(String, String)>,
    /// Tells the function's log lines as they are.
    pub(crate) raw: bool,
    told: Told,
}

/// A file that goes when it is dropped.
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

/// How much of everything has been told already.
#[derive(Default)]
struct Told {
    calls: usize,
    requests: usize,
    invocations: usize,
    log: usize,
}

impl Stage {
    /// With a world of its own: one Deployment that serves, and a Service before it.
    pub(crate) async fn local() -> io::Result<Stage> {
        let mut world = World::new(TOKEN);
        world.timing().termination = POD_STOP;
        world.timing().back_off = BACK_OFF;
        world.default_behaviour(Behaviour::Ready { after: POD_START });
        for (image, behaviour) in behaviours() {
            world.behave(image, behaviour);
        }
        let mut deployment = sample_deployment(DEPLOYMENT, IMAGE);
        deployment["spec"]["progressDeadlineSeconds"] = Value::from(20);
        let now = Timestamp::now();
        // The world must not be ahead of the clock when the server takes it over.
        let before = now
            .checked_sub(SignedDuration::from_hours(1))
            .unwrap_or(now);
        world.apply(deployment, before);
        world.apply(sample_service(DEPLOYMENT), before);
        world.say("unhealthy", 500, "no connection to postgres://orders");
        world.settle(before);
        let kubernetes = Kubernetes::start(world).await?;
        let cluster = Cluster {
            url: kubernetes.url().to_owned(),
            token: TOKEN.to_owned(),
            ca: Some(kubernetes.ca().to_owned()),
        };
        Stage::with(cluster, Some(kubernetes)).await
    }

    /// Against a cluster that is there already.
    pub(crate) async fn against(cluster: Cluster) -> io::Result<Stage> {
        Stage::with(cluster, None).await
    }

    async fn with(cluster: Cluster, kubernetes: Option<Kubernetes>) -> io::Result<Stage> {
        let aws = Aws::start().await?;
        aws.reinvoke_after(REINVOKE_AFTER);
        aws.put_parameter(TOKEN_PARAMETER, &cluster.token, ParameterKind::SecureString);
        let (bucket, key) = ARTIFACT;
        aws.put_object(bucket, key, ARCHIVE);
        let mut environment = vec![
            ("K8S_CLUSTER".to_owned(), cluster.url),
            ("K8S_TOKEN_PARAMETER".to_owned(), TOKEN_PARAMETER.to_owned()),
        ];
        environment.extend(cluster.ca.map(|ca| ("K8S_CA".to_owned(), ca)));
        Ok(Stage {
            aws,
            kubernetes,
            environment,
            raw: false,
            told: Told::default(),
        })
    }

    pub(crate) fn function(&self, binary: &Path) -> io::Result<Function> {
        let handed_on = handed_on(|name| std::env::var(name).ok());
        let environment = self.environment.iter().chain(&handed_on);
        let environment: Vec<_> = environment.map(|(k, v)| (k.as_str(), v.as_str())).collect();
        Function::supervise(binary, &self.aws, &environment)
    }

    /// Tells what happens until an action has ended, or `within` is over.
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
            self.tell(log, screen);
            screen.show(self.picture(is_old));
            if outcome != Outcome::Pending || started.elapsed() > within {
                return outcome;
            }
        }
    }

    /// Tells everything that is new, in the order in which it happened.
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

    /// A line without a time belongs to the one before it.
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
        let Some(kubernetes) = &self.kubernetes else {
            return Picture::default();
        };
        kubernetes.world(|world, _| {
            let deployment = world.deployment(NAMESPACE, &serving(world));
            Picture::of(deployment, &world.objects("pods"), is_old)
        })
    }

    /// The Service as it stands; null where the cluster is not ours.
    pub(crate) fn service(&self) -> Value {
        let Some(kubernetes) = &self.kubernetes else {
            return Value::Null;
        };
        kubernetes
            .world(|world, _| world.object("services", NAMESPACE, DEPLOYMENT).cloned())
            .unwrap_or_default()
    }

    /// The Deployment as it stands; null where the cluster is not ours.
    pub(crate) fn deployment(&self) -> Value {
        let Some(kubernetes) = &self.kubernetes else {
            return Value::Null;
        };
        kubernetes
            .world(|world, _| world.deployment(NAMESPACE, DEPLOYMENT).cloned())
            .unwrap_or_default()
    }

    /// The hashes of the pod templates that have pods.
    pub(crate) fn hashes(&self) -> BTreeSet<String> {
        let Some(kubernetes) = &self.kubernetes else {
            return BTreeSet::new();
        };
        let hash = |pod: &Value| {
            let hash = pod["metadata"]["labels"]["pod-template-hash"].as_str();
            hash.map(str::to_owned)
        };
        kubernetes.world(|world, _| world.objects("pods").into_iter().filter_map(hash).collect())
    }

    /// Shell commands that let a function in that shell find everything.
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

    /// What to do with the exports, as comments: the whole text can be sourced.
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

    /// The cluster's CA in a file, for as long as it is held.
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

    /// Shows the pods until they rest, for a while.
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

/// The last words of a version that crashes.
const CRASH_LOG: &str = "demo-app 2.1 starts\nconnecting to postgres://orders\n\
    panic: no DATABASE_URL in the environment\n\ngoroutine 1 [running]:\nmain.main()\n";

/// The Deployment that the Service sends to.
fn serving(world: &World) -> String {
    let service = world.object("services", NAMESPACE, DEPLOYMENT);
    let version = service.and_then(|it| it["spec"]["selector"]["landfall/version"].as_str());
    version.map_or_else(
        || DEPLOYMENT.to_owned(),
        |version| format!("{DEPLOYMENT}-{version}"),
    )
}

/// What pods do whose image's name says so.
fn behaviours() -> [(&'static str, Behaviour); 3] {
    [
        ("missing", Behaviour::ImagePull),
        ("never-ready", Behaviour::NeverReady),
        (
            "crash",
            Behaviour::CrashLoop {
                exit_code: 1,
                log: CRASH_LOG.to_owned(),
                reason: None,
            },
        ),
    ]
}

/// The variables of the caller that the function gets too.
fn handed_on(variable: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let set = HANDED_ON.map(|name| Some((name.to_owned(), variable(name)?)));
    set.into_iter().flatten().collect()
}

/// When the function wrote a log line, where that stands in it.
fn log_time(line: &str) -> Option<Timestamp> {
    let line: Value = serde_json::from_str(line).ok()?;
    line["timestamp"].as_str()?.parse().ok()
}

/// A JSON log line for a person: level, message, and what only this line says.
pub(crate) fn log_line(line: &str) -> String {
    const SAME: [&str; 6] = [
        "timestamp",
        "level",
        "message",
        "requestId",
        "jobId",
        "execution",
    ];
    let fields = match serde_json::from_str(line) {
        Ok(Value::Object(fields)) if fields.contains_key("message") => fields,
        Ok(_) | Err(_) => return line.to_owned(),
    };
    let plain = |value: &Value| match value.as_str() {
        Some(text) => text.replace(char::is_control, " "),
        None => value.to_string(),
    };
    let of = |name: &str| fields.get(name).map(plain).unwrap_or_default();
    let mut text = format!("{} {}", of("level"), of("message"));
    let rest: Vec<_> = fields
        .iter()
        .filter(|(name, _)| !SAME.contains(&name.as_str()))
        .collect();
    if let [(name, value)] = rest[..]
        && matches!(name.as_str(), "summary" | "cause")
    {
        return format!("{text}: {}", plain(value));
    }
    for (name, value) in rest {
        let bare = value.as_str().filter(|text| !text.contains(' '));
        let value = bare.map_or_else(|| value.to_string(), |_| plain(value));
        text.push_str(&format!(" {name}={value}"));
    }
    text
}

fn aws_call(call: &AwsCall) -> (Timestamp, Tone, String) {
    let (service, operation) = call.target.split_once('.').unwrap_or(("AWS", &call.target));
    let service = match service {
        "AmazonSSM" => "SSM",
        "CodePipeline_20150709" => "CodePipeline",
        other => other,
    };
    let mut text = format!("→ {service} {operation}");
    if call.body["continuationToken"].is_string() {
        let details = &call.body["executionDetails"];
        let summary = details["summary"].as_str().unwrap_or_default();
        let percent = details["percentComplete"].as_i64().unwrap_or_default();
        text = format!("→ {service}: goes on, {percent} %: {summary}");
    }
    match (&call.error, call.status) {
        (Some(error), _) => (call.at, Tone::Bad, format!("{text}  {error}")),
        (None, Some(_)) => (call.at, Tone::Normal, text),
        (None, None) => (call.at, Tone::Bad, format!("{text}  no answer")),
    }
}

/// As many reads one after another are told in one line: what counts is what is written.
const READS: usize = 4;

fn cluster_calls(requests: &[Seen]) -> Vec<(Timestamp, Tone, String)> {
    let parts = requests.chunk_by(|one, other| is_plain_read(one) && is_plain_read(other));
    let told = parts.flat_map(|part| match part {
        [first, ..] if part.len() >= READS => {
            let kinds = part.iter().map(|seen| kind_of(&seen.path));
            let kinds = kinds.collect::<BTreeSet<_>>().into_iter();
            let kinds = kinds.collect::<Vec<_>>().join(", ");
            let text = clip(&format!("→ {} reads: {kinds}", part.len()), 72);
            vec![(first.time, Tone::Faint, text)]
        }
        part => part.iter().map(cluster_call).collect(),
    });
    told.collect()
}

/// A read of what is there, or is not.
fn is_plain_read(seen: &Seen) -> bool {
    let proxied = seen.path.contains("/proxy/");
    let watch = seen.path.contains("watch=true");
    let there = matches!(seen.status, 200 | 404);
    seen.method == "GET" && there && !proxied && !watch
}

/// `pods`, of any path to one or all of them.
fn kind_of(path: &str) -> &str {
    let path = path.split('?').next().unwrap_or_default();
    let rest = path.split_once("/namespaces/").map_or("", |(_, rest)| rest);
    rest.split('/').nth(1).unwrap_or(path)
}

/// What a write is about, where it is one thing.
fn gist(body: Option<&Value>) -> Option<String> {
    let body = body?;
    let review = &body["spec"]["resourceAttributes"];
    if let (Some(verb), Some(resource)) = (review["verb"].as_str(), review["resource"].as_str()) {
        let part = review["subresource"].as_str().unwrap_or_default();
        let slash = if part.is_empty() { "" } else { "/" };
        return Some(format!("may I {verb} {resource}{slash}{part}?"));
    }
    if body["kind"].is_string() {
        return None;
    }
    if let Some(labels) = body["spec"]["selector"].as_object() {
        let labels = labels.iter().map(|(key, value)| (key, value.as_str()));
        let labels = labels.filter_map(|(key, value)| Some(format!("{key}={}", value?)));
        // What tells versions apart, where anything does.
        let (apart, common) = labels.partition::<Vec<_>, _>(|label| {
            label.starts_with("landfall/") || label.starts_with("pod-template-hash")
        });
        let told = if apart.is_empty() { common } else { apart };
        return Some(format!("selects {}", told.join(",")));
    }
    let notes = &body["metadata"]["annotations"];
    match notes.get("landfall/lock") {
        Some(_) if notes["landfall/rolled-back"].is_string() => {
            return Some("marked as failed".to_owned());
        }
        Some(Value::Null) => return Some("lock given up".to_owned()),
        Some(_) => return Some("lock taken".to_owned()),
        None => {}
    }
    let replicas = body["spec"]["replicas"].as_i64()?;
    Some(format!("replicas: {replicas}"))
}

fn cluster_call(seen: &Seen) -> (Timestamp, Tone, String) {
    let gist = gist(seen.body.as_ref()).filter(|_| seen.method != "GET");
    let gist = gist.map(|gist| format!("  ({gist})")).unwrap_or_default();
    let line = request_line(&seen.method, &seen.path);
    let text = format!("→ {line}{gist}");
    match seen.status {
        200..=299 => (seen.time, Tone::Normal, format!("{text}  {}", seen.status)),
        0 => (seen.time, Tone::Bad, format!("{text}  no answer")),
        status => (seen.time, Tone::Bad, format!("{text}  {status}")),
    }
}

/// `GET …/deployments/demo-app`: what a person looks for in the path, and no more.
fn request_line(method: &str, path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let has = |name: &str, value: &str| {
        query
            .split('&')
            .any(|pair| pair.split_once('=') == Some((name, value)))
    };
    let watch = has("watch", "true") || has("watch", "1");
    let verb = if watch { "watch" } else { method };
    let short = match path
        .split_once("/namespaces/")
        .and_then(|(_, rest)| rest.split_once('/'))
    {
        Some((_, rest)) => format!("…/{rest}"),
        None if path.ends_with("/selfsubjectaccessreviews") => "…/accessreviews".to_owned(),
        None => path.to_owned(),
    };
    let one = query.split('&').find_map(|pair| {
        pair.strip_prefix("fieldSelector=metadata.name%3D")
            .or_else(|| pair.strip_prefix("fieldSelector=metadata.name="))
    });
    let name = one.map(|name| format!("/{name}")).unwrap_or_default();
    let dry_run = if has("dryRun", "All") {
        " (dry run)"
    } else {
        ""
    };
    clip(&format!("{verb} {short}{name}{dry_run}"), 64)
}

fn invocation_end(invocation: &Invocation) -> Option<(Timestamp, Tone, String)> {
    let ended = invocation.ended?;
    let started = invocation.started.unwrap_or(ended);
    let seconds = ended.duration_since(started).as_secs_f64();
    let (tone, how) = match invocation.end.as_ref()? {
        InvocationEnd::Response(_) => (Tone::Normal, "done"),
        InvocationEnd::Error(_) => (Tone::Bad, "failed"),
        InvocationEnd::TimedOut => (Tone::Bad, "timed out"),
        InvocationEnd::Crashed(_) => (Tone::Bad, "died"),
    };
    Some((
        ended,
        tone,
        format!("← Lambda: invocation {how} after {seconds:.1} s"),
    ))
}

/// Reads a text file of reasonable size; the error names the file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let problem = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let size = std::fs::metadata(path)
        .map_err(|error| problem(&error))?
        .len();
    if size > FILE_BYTES {
        return Err(problem(&format!("more than {FILE_BYTES} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| problem(&error))
}

/// Reads an event. One whose job is in `used` gets a new job id: here it is a new action.
pub(crate) fn read_event(path: &Path, used: &mut BTreeSet<String>) -> Result<Value, String> {
    let text = read(path)?;
    let mut event: Value = serde_json::from_str(&text)
        .map_err(|error| format!("{} is no JSON: {error}", path.display()))?;
    check_parameters(&event).map_err(|problem| format!("{}: {problem}", path.display()))?;
    if let Some(Value::String(id)) = event.pointer_mut("/CodePipeline.job/id")
        && !used.insert(id.clone())
    {
        *id = format!("{:08x}-5a5d-4b0c-8e0f-000000000000", used.len());
        used.insert(id.clone());
    }
    Ok(event)
}

/// A pipeline with longer UserParameters cannot be stored. (Its variables are expanded only
/// later, but an event written here that is longer is most likely a pipeline that is refused.)
fn check_parameters(event: &Value) -> Result<(), String> {
    const PARAMETERS: &str =
        "/CodePipeline.job/data/actionConfiguration/configuration/UserParameters";
    let parameters = event.pointer(PARAMETERS).and_then(Value::as_str);
    let length = parameters.map_or(0, |text| text.chars().count());
    if length <= USER_PARAMETERS {
        return Ok(());
    }
    let (length, most) = (thousands(length), thousands(USER_PARAMETERS));
    Err(format!(
        "UserParameters have {length} characters; CodePipeline takes {most}"
    ))
}

fn thousands(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}

#[cfg(test)]
mod tests;
