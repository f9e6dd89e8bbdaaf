//! A case through the front door: the real function, its event, its token, its sockets.

use super::case::{Artifact, Case, Edit, Given, On, merge, seconds};
use super::judge::{Ending, Objects, judge, spellings};
use super::people::Deed;
use super::real_objects::{self, is_established};
use crate::artifact::{BUCKET, zip};
use crate::cluster::Cluster;
use crate::stage::{LIFE, Stage, event};
use jiff::Timestamp;
use landfall_sandbox::aws::ParameterKind;
use landfall_sandbox::world::{self, Seen};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a first write is waited for by those who come after it.
const BEGINNING: Duration = Duration::from_secs(40);

/// How long the log is waited for. A plan is not counted, and waits this long.
const LOGGED: Duration = Duration::from_secs(2);

/// Plays it to its end; gives what differs from what is expected.
pub async fn play(case: &Case) -> Vec<String> {
    let given = &case.given;
    let stage = set_up(case).await;
    for former in &given.before {
        stage
            .run(make_event(&stage, &given.former(former)), LIFE)
            .await;
    }
    for edit in &given.prepared {
        let pods = stage.cluster.objects("pods").await;
        let named = edit.of_pod(&pods).deed(stage.cluster.namespace());
        let (status, answer) = perform(&stage.cluster, named).await;
        assert!((200..300).contains(&status), "{edit:?}: {answer}");
    }
    for _ in 1..given.times.unwrap_or(1) {
        stage.run(make_event(&stage, given), LIFE).await;
    }
    let reports = given.before.len() + given.times.unwrap_or(1);
    let before = stage.writes().map_or(0, |writes| done(&writes));
    let event = make_event(&stage, given);
    let life = given.life.map_or(LIFE * 4, Duration::from_secs_f64);
    let began = Instant::now();
    begin(&stage, given);
    let run = stage.run(event, life);
    let (ended, ()) = tokio::join!(run, meddle(&stage, &given.edits, before));
    let seconds = began.elapsed().as_secs_f64();
    let (end, text) = ended.either();
    let told = told(&stage, reports).await;
    let log = stage.log();
    let mut faults = leaks(&stage, given, &text, &log);
    let writes = stage.writes().map(|writes| done(&writes));
    let ending = Ending {
        end,
        text,
        section: told.section,
        seconds,
        writes,
        outages: told.outages,
        log,
    };
    let objects = objects(&stage, case).await;
    if let Cluster::Real(namespace) = &stage.cluster {
        let made = given.edits.iter().map(|edit| &edit.create);
        let all = given
            .objects
            .iter()
            .chain(made.filter(|made| made.is_object()));
        real_objects::clear(namespace, all).await;
    }
    faults.extend(judge(&case.expected, &ending, &objects));
    faults
}

/// What the log has of the last report.
#[derive(Default)]
struct Told {
    section: Option<String>,
    outages: Option<u64>,
}

/// Reads it once all reports are in the log, which is written beside them.
async fn told(stage: &Stage, reports: usize) -> Told {
    let asked = Instant::now();
    loop {
        let lines = stage.function.log().into_iter();
        let lines = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        let lines = lines.collect::<Vec<_>>();
        let is = |line: &&Value, message: &str| line["message"] == message;
        let ends = ["reporting success", "reporting failure"];
        let mut ended = lines
            .iter()
            .filter(|line| ends.iter().any(|end| is(line, end)));
        let mut counted = lines.iter().filter(|line| is(line, "counted"));
        if counted.clone().count() >= reports || asked.elapsed() > LOGGED {
            let section = ended.next_back().and_then(|line| line["topic"].as_str());
            return Told {
                section: section.map(str::to_owned),
                outages: counted
                    .next_back()
                    .and_then(|line| line["Outages"].as_u64()),
            };
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn set_up(case: &Case) -> Stage {
    let given = &case.given;
    let environment = given.environment.iter();
    let mut environment = environment
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Vec<_>>();
    let cluster = match case.on {
        On::Real => {
            let (plain, others) = given.objects().into_iter().partition(is_established);
            let cluster = Cluster::given(plain).await;
            if let Cluster::Real(namespace) = &cluster {
                let others: Vec<Value> = others;
                real_objects::label(namespace, &given.namespace_labels).await;
                real_objects::create(namespace, &others).await;
            }
            cluster
        }
        On::Time | On::Door => {
            Cluster::sandbox(|world, now| {
                for object in given.objects() {
                    world.apply(object, now);
                }
                given.prepare(world);
            })
            .await
        }
    };
    if let Some(ca) = &given.ca {
        environment.push(("K8S_CA".into(), Some(form_of(ca, cluster.ca()))));
    }
    for (_, value) in &mut environment {
        let port = cluster.url().rsplit(':').next().unwrap_or_default();
        *value = value.take().map(|value| value.replace("${PORT}", port));
    }
    let token = given.token.as_ref();
    let token = token.map(|token| token.replace("${TOKEN}", cluster.token()));
    let environment = environment.iter();
    let environment = environment.map(|(name, value)| (name.as_str(), value.as_deref()));
    let stage = Stage::upon(cluster, &environment.collect::<Vec<_>>()).await;
    if let Some(token) = token {
        stage
            .aws
            .put_parameter("k8s-bear-token", &token, ParameterKind::SecureString);
    }
    stage
}

/// The CA as people mangle it.
fn form_of(wanted: &str, ca: &str) -> String {
    use base64::Engine as _;
    let ca = ca.trim();
    let lines = ca.lines().collect::<Vec<_>>();
    let indented = lines
        .iter()
        .map(|line| format!("    {line}\n"))
        .collect::<String>();
    let wrapped = |text: &str| {
        let parts = text.as_bytes().chunks(76).map(String::from_utf8_lossy);
        parts.collect::<Vec<_>>().join("\n")
    };
    let other = landfall_sandbox::kubernetes::Authority::generate();
    let other = other.pem().trim().to_owned();
    let cut = lines[..lines.len() - 1].join("\n");
    let encoded = base64::engine::general_purpose::STANDARD.encode(ca);
    let forms = [
        ("${CA}", ca.to_owned()),
        ("${CA in one line}", lines.join(" ")),
        ("${CA escaped}", lines.join("\\n")),
        ("${CA glued}", lines.concat()),
        ("${CA indented}", indented),
        ("${CA cut}", cut),
        ("${CA wrapped}", wrapped(&encoded)),
        ("${CA base64}", encoded),
        ("${CA with CRLF}", lines.join("\r\n")),
        ("${other CA}", other),
    ];
    let replace = |text: String, (name, form): &(&str, String)| text.replace(name, form);
    forms.iter().fold(wanted.to_owned(), replace)
}

fn make_event(stage: &Stage, given: &Given) -> Value {
    let parameters = given.parameters();
    let mut made = match serde_json::from_str::<Value>(&parameters) {
        Ok(parameters) if parameters.is_object() => stage.event(&parameters),
        _ => event(1, &parameters),
    };
    let data = &mut made["CodePipeline.job"]["data"];
    let artifacts = given.artifacts.iter().map(|artifact| put(stage, artifact));
    data["inputArtifacts"] = artifacts.collect();
    merge(data, &given.event);
    made
}

fn put(stage: &Stage, artifact: &Artifact) -> Value {
    let name = &artifact.name;
    let key = format!("demo/{name}/TdOSFRV");
    let content = match &artifact.content {
        Some(content) => content.bytes(),
        None => {
            let files = artifact.files.iter();
            let files = files.map(|(name, content)| (name.as_str(), content.bytes()));
            let files = files.collect::<Vec<_>>();
            let members = files
                .iter()
                .map(|(name, content)| (*name, content.as_slice()));
            zip(&members.collect::<Vec<_>>())
        }
    };
    // One object is there whatever is asked for: the bucket is.
    let stored = if artifact.gone { "other" } else { &key };
    stage.aws.put_object(BUCKET, stored, content);
    json!({"name": name, "revision": null, "location": {"type": "S3",
        "s3Location": {"bucketName": BUCKET, "objectKey": key}}})
}

/// What is so from the deploy's beginning on.
fn begin(stage: &Stage, given: &Given) {
    if let Cluster::Sandbox(kubernetes) = &stage.cluster {
        kubernetes.world(|world, _| {
            given.begin(world);
            for refusal in given.refusals(Timestamp::now()) {
                world.refuse(refusal);
            }
        });
    }
    for failing in &given.aws {
        stage.aws.fault(&failing.of, failing.fault(), failing.times);
    }
}

/// Does what others do, counted from our first write.
async fn meddle(stage: &Stage, edits: &[Edit], before: usize) {
    if edits.is_empty() {
        return;
    }
    let asked = Instant::now();
    while stage.writes().is_none_or(|writes| done(&writes) == before) {
        if asked.elapsed() > BEGINNING {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    let written = Instant::now();
    for edit in edits {
        let at = written + seconds(edit.at).unsigned_abs();
        tokio::time::sleep_until(at).await;
        let deed = edit.deed(stage.cluster.namespace());
        let (status, answer) = perform(&stage.cluster, deed).await;
        assert!((200..300).contains(&status), "{edit:?}: {answer}");
    }
}

/// Somebody else's request: its status and answer.
pub async fn perform(cluster: &Cluster, deed: Deed) -> (u16, Value) {
    match cluster {
        Cluster::Sandbox(kubernetes) => kubernetes.world(|world, now| {
            let request = world::Request {
                method: deed.method.to_owned(),
                path: deed.path,
                content_type: Some(deed.content_type.to_owned()),
                authorization: Some(format!("Bearer {}", crate::stage::TOKEN)),
                certificate: None,
                user_agent: None,
                body: deed.body.to_string().into_bytes(),
            };
            let reply = world.answer(&request, now);
            (reply.status(), json!(format!("{reply:?}")))
        }),
        Cluster::Real(namespace) => {
            let method = deed.method.parse().unwrap();
            let body = deed.body.to_string();
            namespace
                .send(method, &deed.path, deed.content_type, body)
                .await
        }
    }
}

/// How many writes were carried out.
fn done(writes: &[Seen]) -> usize {
    let ours = |seen: &&Seen| !seen.path.contains("fieldManager=") || is_ours(seen);
    let done = writes.iter().filter(ours);
    done.filter(|seen| (200..300).contains(&seen.status))
        .count()
}

fn is_ours(seen: &Seen) -> bool {
    seen.path.contains("fieldManager=landfall")
}

async fn objects(stage: &Stage, case: &Case) -> Objects {
    let mut found = Objects::new();
    let expected = &case.expected;
    for key in expected.world.keys().chain(expected.owned.keys()) {
        let (resource, name) = key.split_once('/').unwrap();
        found.insert(key.clone(), stage.cluster.object(resource, name).await);
    }
    found
}

/// Where a secret of the case is found.
fn leaks(stage: &Stage, given: &Given, text: &str, log: &str) -> Vec<String> {
    let mut secrets = given.secrets.clone();
    secrets.push(stage.cluster.token().to_owned());
    let mut faults = Vec::new();
    for secret in &secrets {
        for spelling in spellings(secret) {
            for (place, where_to) in [(text, "report"), (log, "log")] {
                if place.contains(&spelling) {
                    faults.push(format!("the {where_to} has a secret as `{spelling}`"));
                }
            }
        }
    }
    faults
}
