//! The user parameters of the pipeline's action: raw text in, a checked [`Request`] out, or every
//! fault at once, each by its field's name.

use crate::image::{self, Definitions};
use crate::job::Parameters;
use crate::manifest::{self, Chosen};
use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The shortest and the longest `timeout`. CodePipeline gives a Lambda action 24 hours in all.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
const TIMEOUT_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));

/// The `timeout` where none is given.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The longest `patience`; 0 s takes every state that could pass for final at once.
const LONGEST_PATIENCE: Duration = Duration::from_secs(3600);

/// The `patience` where none is given: in this time a kubelet tries three times (at once, after 10
/// and after 20 seconds more), so that doom rests on three tries that failed.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);

/// The `bake` where none is given: proxies and load balancers have heard of the switch by then.
const DEFAULT_BAKE: Duration = Duration::from_secs(30);

/// The longest `bake`: for all this time there are twice as many pods.
const LONGEST_BAKE: Duration = Duration::from_secs(6 * 3600);

/// The superseded versions that are kept where `keep` is not given, and the most that may be.
const DEFAULT_KEEP: usize = 1;
/// See [`DEFAULT_KEEP`].
const MOST_KEPT: u64 = 20;

/// The longest `smoke` path, and the longest text that it `contains`.
const SMOKE_LIMIT: usize = 300;

/// A Deployment's name with `-` and a version of ten characters after it must leave room for what
/// ReplicaSets and pods add, and is a label's value, which has 63 characters.
const SWITCHED_NAME_LIMIT: usize = 45;

/// How many characters around a syntax error are shown.
const EXCERPT: usize = 30;

/// The longest `execution`: CodePipeline's are 36 characters, other callers may use words.
const EXECUTION_LIMIT: usize = 128;

/// The longest path of a file in an artifact.
const PATH_LIMIT: usize = 300;

/// The longest name of an artifact.
/// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_InputArtifact.html>
const ARTIFACT_LIMIT: usize = 100;

/// The most of a commit that is kept; an S3 source has version ids of up to 1,024 characters.
const COMMIT_LIMIT: usize = 128;

/// The fields of the contract, in the order in which the documentation lists them.
pub const FIELDS: [&str; 20] = [
    "deployment",
    "namespace",
    "images",
    "env",
    "container",
    "manifest",
    "variables",
    "method",
    "restart",
    "strategy",
    "service",
    "bake",
    "keep",
    "smoke",
    "timeout",
    "patience",
    "rollback",
    "mode",
    "execution",
    "committed",
];

/// What a job asks for, checked.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// The Deployment's name.
    pub deployment: String,
    /// Its namespace.
    pub namespace: String,
    /// Container name to image.
    pub images: BTreeMap<String, String>,
    /// The image for the one container that there is, from a file that names none.
    pub sole_image: Option<String>,
    /// Variable to value; `None` removes it.
    pub env: BTreeMap<String, Option<Hidden>>,
    /// The one container that gets `env`; `None` for all.
    pub container: Option<String>,
    /// A whole Deployment, its variables filled in.
    pub manifest: Option<Value>,
    /// What else was in the manifest's file, `Kind/name`, and is not applied.
    pub beside: Vec<String>,
    /// The commit that is deployed, where it is known.
    pub commit: Option<String>,
    /// Whether anything is to be written.
    pub mode: Mode,
    /// How the change is written.
    pub method: Method,
    /// Roll the pods even where nothing changed.
    pub restart: bool,
    /// How the new version takes over.
    pub strategy: Strategy,
    /// For the whole deploy.
    pub timeout: Duration,
    /// How long a state that may pass must last before it is taken for final.
    pub patience: Duration,
    /// On failure bring the previous version back.
    pub rollback: bool,
    /// Who deploys: the pipeline's execution, else the job.
    pub execution: String,
    /// When what is deployed was committed: the lead time is counted from there.
    pub committed: Option<Timestamp>,
}

impl fmt::Debug for Request {
    /// Without the manifest, which has values of variables in it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("deployment", &self.deployment)
            .field("namespace", &self.namespace)
            .field("images", &self.images)
            .field("sole_image", &self.sole_image)
            .field("env", &self.env)
            .field("container", &self.container)
            .field("beside", &self.beside)
            .field("commit", &self.commit)
            .field("mode", &self.mode)
            .field("method", &self.method)
            .field("restart", &self.restart)
            .field("strategy", &self.strategy)
            .field("timeout", &self.timeout)
            .field("patience", &self.patience)
            .field("rollback", &self.rollback)
            .field("execution", &self.execution)
            .field("committed", &self.committed)
            .finish_non_exhaustive()
    }
}

/// A value that no log and no debug output shows.
#[derive(Clone, PartialEq)]
pub struct Hidden(String);

impl Hidden {
    /// The value itself, for the request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hidden")
    }
}

/// How the change is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// A strategic merge patch of the fields named.
    Patch,
    /// The whole object, replaced by `manifest`.
    Put,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// The new version is to serve.
    Deploy,
    /// The difference is to be told and nothing written.
    Plan,
}

/// A file in an input artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The artifact's name; `None` for the first one that has the file.
    pub artifact: Option<String>,
    /// Its path in there, with `/` between folders.
    pub path: String,
}

impl fmt::Display for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.artifact {
            Some(artifact) => write!(formatter, "`{artifact}::{}`", self.path),
            None => write!(formatter, "`{}`", self.path),
        }
    }
}

/// The files that a request names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Of `manifest`.
    pub manifest: Option<Member>,
    /// Of `images`.
    pub images: Option<Member>,
}

/// A file that was read.
#[derive(Clone, Default, PartialEq)]
pub struct File {
    /// The artifact that it is from.
    pub artifact: String,
    /// The artifact's revision: of a source artifact the commit.
    pub revision: Option<String>,
    /// What is in it.
    pub content: Vec<u8>,
}

impl fmt::Debug for File {
    /// Without the content, which may have values of variables in it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("File")
            .field("artifact", &self.artifact)
            .field("revision", &self.revision)
            .field("length", &self.content.len())
            .finish()
    }
}

/// The files of [`Wanted`], read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Files {
    /// Of `manifest`.
    pub manifest: Option<File>,
    /// Of `images`.
    pub images: Option<File>,
}

/// User parameters that are right as far as can be told without the files that they name.
#[derive(Clone)]
pub struct Draft {
    fields: Map<String, Value>,
    /// For the whole deploy.
    pub timeout: Duration,
    /// What must be read to complete it.
    pub wanted: Wanted,
}

/// How the new version takes over.
#[derive(Clone, Debug, PartialEq)]
pub enum Strategy {
    /// Kubernetes' own rolling update.
    Rolling,
    /// Two Deployments take turns behind a Service.
    BlueGreen(Switch),
    /// A Deployment for each version behind a Service.
    Immutable {
        /// How the Service is switched.
        switch: Switch,
        /// How many superseded versions stay, scaled to zero.
        keep: usize,
    },
}

/// How a Service is switched from one Deployment to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Switch {
    /// The Service.
    pub service: String,
    /// How long the old version is kept at full scale after the switch.
    pub bake: Duration,
    /// What is asked of the new version before the switch.
    pub smoke: Option<Smoke>,
}

/// A question that the new version must answer with a status of 2xx.
#[derive(Clone, Debug, PartialEq)]
pub struct Smoke {
    /// A path of HTTP.
    pub path: String,
    /// A text that must be in the answer.
    pub contains: Option<String>,
    /// The name or the number of the Service's port; its first one where absent.
    pub port: Option<String>,
}

impl Strategy {
    /// The name as the user parameters have it.
    pub fn name(&self) -> &'static str {
        match self {
            Strategy::Rolling => "rolling",
            Strategy::BlueGreen(_) => "blueGreen",
            Strategy::Immutable { .. } => "immutable",
        }
    }

    /// How the Service is switched, where one is.
    pub fn switch(&self) -> Option<&Switch> {
        match self {
            Strategy::Rolling => None,
            Strategy::BlueGreen(switch) | Strategy::Immutable { switch, .. } => Some(switch),
        }
    }
}

/// One thing that is wrong with the user parameters, or with what they ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The field, with dots: `images.web`.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

impl Fault {
    /// A fault of a field.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Fault {
        Fault {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

impl Request {
    /// Checks user parameters that name no files. `job` stands in where no `execution` is given.
    pub fn parse(parameters: &Parameters, job: &str) -> Result<Request, Vec<Fault>> {
        Draft::read(parameters)?.complete(&Files::default(), job)
    }

    /// The image for a container, given whether it is one that `images` may mean without its name.
    pub fn image(&self, container: &str, is_sole: bool) -> Option<&String> {
        let sole = self.sole_image.as_ref().filter(|_| is_sole);
        self.images.get(container).or(sole)
    }

    /// Every value that must appear in no text: the variables that the request sets, but for values
    /// that are words of the request's own names, which no text can do without.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let env = self.env.values().flatten().map(Hidden::reveal);
        let manifest = self.manifest.iter().flat_map(manifest_values);
        env.chain(manifest).filter(|value| !self.names(value))
    }
}

impl Request {
    fn names(&self, value: &str) -> bool {
        let names = [&self.deployment, &self.namespace, &self.execution];
        let names = names.into_iter().chain(&self.container);
        let names = names.chain(&self.commit).chain(&self.sole_image);
        let names = names.chain(self.images.keys()).chain(self.images.values());
        let in_manifest = self.manifest.iter().flat_map(containers);
        let in_manifest = in_manifest.filter_map(|(_, container)| container["image"].as_str());
        let mut names = names.map(String::as_str).chain(in_manifest);
        value == "true" || value == "false" || names.any(|name| name.contains(value))
    }
}

impl Draft {
    /// Checks all that can be checked before the files are read.
    pub fn read(parameters: &Parameters) -> Result<Draft, Vec<Fault>> {
        let fields = object(parameters).map_err(|fault| vec![fault])?;
        let mut check = Check::new(fields, None);
        check.request("");
        let timeout = check.timeout.unwrap_or(DEFAULT_TIMEOUT);
        match check.faults.is_empty() {
            true => Ok(Draft {
                fields: check.fields,
                timeout,
                wanted: check.wanted,
            }),
            false => Err(check.faults),
        }
    }

    /// Checks everything, with the files that were wanted.
    pub fn complete(self, files: &Files, job: &str) -> Result<Request, Vec<Fault>> {
        let mut check = Check::new(self.fields, Some(files));
        match check.request(job) {
            Some(request) if check.faults.is_empty() => Ok(request),
            _ => Err(check.faults),
        }
    }
}

/// The containers in a manifest, each with its list and its place in there.
fn containers(manifest: &Value) -> impl Iterator<Item = (String, &Value)> {
    let spec = manifest.pointer("/spec/template/spec");
    let lists = ["containers", "initContainers"].into_iter();
    lists.flat_map(move |list| {
        let items = spec.and_then(|spec| spec.get(list)?.as_array());
        let items = items.into_iter().flatten().enumerate();
        items.map(move |(index, item)| (format!("{list}[{index}]"), item))
    })
}

/// The values of all variables in a manifest.
fn manifest_values(manifest: &Value) -> Vec<&str> {
    containers(manifest)
        .filter_map(|(_, container)| container.get("env")?.as_array())
        .flatten()
        .filter_map(|variable| variable.get("value")?.as_str())
        .collect()
}

/// The parameters as an object, or what keeps them from being one.
fn object(parameters: &Parameters) -> Result<Map<String, Value>, Fault> {
    let fault = |problem: String| Fault::new("UserParameters", problem);
    let text = match parameters {
        Parameters::Absent => {
            return Err(fault(format!("are missing. Give at least {EXAMPLE}")));
        }
        Parameters::Object(fields) => return Ok(fields.clone()),
        Parameters::Text(text) => text,
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => match repeated(text) {
            None => Ok(fields),
            Some(field) => Err(fault(format!(
                "have `{field}` twice. Where a #{{variable}} stands in them, its value may have \
                 brought quotes and fields of its own: use variables only whose values nobody \
                 else can write, such as a commit id"
            ))),
        },
        Ok(_) => Err(fault(format!(
            "must be one JSON object such as {EXAMPLE}, and are `{}`",
            excerpt(text, 0)
        ))),
        Err(_) if !text.trim_start().starts_with('{') => Err(fault(format!(
            "must be one JSON object such as {EXAMPLE}; they begin with `{}`",
            excerpt(text, 0)
        ))),
        Err(error) => Err(fault(syntax(text, &error))),
    }
}

/// The first field that an object has twice, at any depth, in one or several JSON documents. JSON
/// readers take the last one in silence, so that a text that closes its string could choose the
/// image.
pub fn repeated(text: &str) -> Option<String> {
    let mut names = Names::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    loop {
        names.path.clear();
        // That it is JSON has been seen before.
        if names.deserialize(&mut reader).is_err() || reader.end().is_ok() {
            return names.found;
        }
    }
}

/// Reads any JSON for its objects' names alone. The path is one for all that is read: a copy for
/// each item would make a long name before a long list take minutes.
#[derive(Default)]
struct Names {
    path: String,
    found: Option<String>,
}

impl<'de> DeserializeSeed<'de> for &mut Names {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Names {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        let length = self.path.len();
        while let Some(name) = fields.next_key::<String>()? {
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(&name);
            if !names.insert(name) {
                self.found.get_or_insert_with(|| self.path.clone());
            }
            fields.next_value_seed(&mut *self)?;
            self.path.truncate(length);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(&mut *self)?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

const EXAMPLE: &str = r#"{"deployment": "web", "images": {"web": "registry/web:1.2.3"}}"#;

/// Says where the JSON breaks, and what most often breaks it.
fn syntax(text: &str, error: &serde_json::Error) -> String {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    // Column 0 is the line break that ends the line before.
    let position = (line_start + error.column()).saturating_sub(1);
    let position = position.min(text.len());
    let what = error.to_string();
    let what = match what.split(" at line ").next().unwrap_or_default() {
        control if control.starts_with("control character") => {
            "a line break or another control character is inside a string"
        }
        what => what,
    };
    let character = text
        .char_indices()
        .take_while(|(start, _)| *start < position)
        .count();
    let help = if what.contains("trailing comma") {
        "There is a comma too many"
    } else if text
        .get(position..)
        .is_some_and(|rest| rest.starts_with('\''))
    {
        "JSON takes double quotes"
    } else {
        SUBSTITUTION
    };
    format!(
        "are not valid JSON. At character {}, the arrow in `{}`: {what}. {help}",
        character + 1,
        excerpt(text, position)
    )
}

/// What most often breaks the JSON of an action.
const SUBSTITUTION: &str = "CodePipeline puts the value of a #{variable} into the text as it is \
    and escapes nothing: a quote, a backslash or a line break in a value (a commit message, say) \
    breaks the JSON. Use variables whose values have none of them, such as a commit id";

/// The surroundings of a place in a text, in one line, with an arrow before it.
fn excerpt(text: &str, position: usize) -> String {
    let position = (0..=position.min(text.len()))
        .rev()
        .find(|place| text.is_char_boundary(*place))
        .unwrap_or(0);
    let (before, after) = text.split_at(position);
    let skipped = before.chars().count().saturating_sub(EXCERPT);
    let head = before.chars().skip(skipped).collect::<String>();
    let tail = after.chars().take(EXCERPT).collect::<String>();
    let arrow = if position > 0 { "→" } else { "" };
    let start = if skipped > 0 { "…" } else { "" };
    let end = if after.chars().count() > EXCERPT {
        "…"
    } else {
        ""
    };
    let shown = format!("{start}{head}{arrow}{tail}{end}");
    shown
        .chars()
        .map(|character| {
            if character.is_control() {
                '␤'
            } else {
                character
            }
        })
        .collect()
}

/// The fields on their way to being a request, and the faults found so far.
struct Check<'a> {
    fields: Map<String, Value>,
    /// The fields that misspelt ones most likely mean.
    meant: Vec<&'static str>,
    faults: Vec<Fault>,
    /// What was read of the files that are wanted; `None` where none was read yet.
    files: Option<&'a Files>,
    wanted: Wanted,
    timeout: Option<Duration>,
}

impl<'a> Check<'a> {
    fn new(fields: Map<String, Value>, files: Option<&'a Files>) -> Check<'a> {
        Check {
            fields,
            meant: Vec::new(),
            faults: Vec::new(),
            files,
            wanted: Wanted::default(),
            timeout: None,
        }
    }

    /// Looks at every field, also after a fault. `None` where a field that all need is missing.
    fn request(&mut self, job: &str) -> Option<Request> {
        self.unknown_fields();
        let chosen = self.manifest();
        let (manifest, beside) = match chosen {
            Some(Chosen { deployment, beside }) => (Some(deployment), beside),
            None => (None, Vec::new()),
        };
        let named = |part| {
            let found = manifest
                .as_ref()?
                .pointer("/metadata")?
                .get(part)?
                .as_str()?;
            Some(found.to_owned())
        };
        let deployment = self.deployment(named("name"), manifest.is_some());
        let namespace = self.namespace(named("namespace"));
        let (mut images, mut sole_image) = self.images();
        self.manifest_images(manifest.as_ref(), &images, sole_image.is_some());
        let env = self.env();
        let container = self.container(!env.is_empty(), sole_image.is_some());
        if let (Some(container), Some(image)) = (&container, &sole_image) {
            images.insert(container.clone(), image.clone());
            sole_image = None;
        }
        let method = self.method(manifest.is_some());
        let restart = self.flag("restart", false);
        let rollback = self.flag("rollback", true);
        let strategy = self.strategy(deployment.as_deref());
        let (shortest, longest) = TIMEOUT_RANGE;
        let timeout = self.duration("timeout", DEFAULT_TIMEOUT, shortest..=longest, "1s to 24h");
        self.timeout = Some(timeout);
        let patience = Duration::ZERO..=LONGEST_PATIENCE;
        let patience = self.duration("patience", DEFAULT_PATIENCE, patience, "0s to 1h");
        if let Some(Switch { bake, .. }) = strategy.switch()
            && *bake >= timeout
        {
            let problem = format!(
                "is {} s, and must be shorter than `timeout`, which is for the whole deploy and is \
                 {} s: give a shorter `bake` or a longer `timeout`",
                bake.as_secs(),
                timeout.as_secs()
            );
            self.fault("bake", problem);
        }
        let mode = self.mode();
        let execution = self.execution(job);
        let committed = self.committed();
        let commit = self.commit();
        let restarts = self.fields.get("restart") != Some(&Value::Bool(false));
        let changes = ["images", "env", "manifest"].into_iter();
        let mut changes = changes.chain(restarts.then_some("restart"));
        if !changes.any(|field| self.is_there(field)) {
            self.fault(
                "UserParameters",
                "change nothing: give `images`, `env`, a `manifest` or `restart`",
            );
        }
        Some(Request {
            deployment: deployment?,
            namespace,
            images,
            sole_image,
            env,
            container,
            manifest,
            beside,
            commit,
            mode,
            method,
            restart,
            strategy,
            timeout,
            patience,
            rollback,
            execution,
            committed,
        })
    }

    fn fault(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.faults.push(Fault::new(field, problem));
    }

    /// Whether a field is given, or meant by a misspelt one.
    fn is_there(&self, field: &str) -> bool {
        self.fields.contains_key(field) || self.meant.contains(&field)
    }

    fn unknown_fields(&mut self) {
        let unknown = self
            .fields
            .keys()
            .filter(|field| !FIELDS.contains(&field.as_str()))
            .cloned()
            .collect::<Vec<_>>();
        for field in unknown {
            let problem = match similar(&field) {
                Some(meant) => {
                    self.meant.push(meant);
                    format!("is unknown; did you mean `{meant}`?")
                }
                None => format!("is unknown; the fields are {}", FIELDS.join(", ")),
            };
            self.fault(field, problem);
        }
    }

    /// A text field; a value of another type is a fault.
    fn text(&mut self, field: &str) -> Option<String> {
        match self.fields.get(field)? {
            Value::String(text) => Some(text.clone()),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_)) => {
                let problem = format!("must be a string, and is {}", kind(other));
                self.fault(field, problem);
                None
            }
        }
    }

    fn flag(&mut self, field: &str, default: bool) -> bool {
        match self.fields.get(field) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                let problem = format!(
                    "must be true or false without quotes, and is {}",
                    kind(other)
                );
                self.fault(field, problem);
                default
            }
        }
    }

    fn deployment(&mut self, manifest_name: Option<String>, manifest: bool) -> Option<String> {
        let given = self.text("deployment");
        if let Some(name) = &given
            && let Err(problem) = name_of(name, 253, true)
        {
            self.fault("deployment", problem);
        }
        match (given, manifest_name) {
            (Some(given), Some(named)) if given != named => {
                let problem =
                    format!("is `{named}` and `deployment` is `{given}`; they must agree");
                self.fault("manifest.metadata.name", problem);
                None
            }
            (Some(name), _) => Some(name),
            (None, Some(named)) => {
                if let Err(problem) = name_of(&named, 253, true) {
                    self.fault("manifest.metadata.name", problem);
                }
                Some(named)
            }
            (None, None) => {
                // A manifest that could not be read may well name it.
                let unread = self.fields.contains_key("manifest") && !manifest;
                if !unread && !self.is_there("deployment") {
                    let problem = if manifest {
                        "is missing, and the manifest has no metadata.name either"
                    } else {
                        "is missing: the name of the Deployment to change"
                    };
                    self.fault("deployment", problem);
                }
                None
            }
        }
    }

    fn namespace(&mut self, manifest_namespace: Option<String>) -> String {
        let given = self.text("namespace");
        for (field, namespace) in [
            ("namespace", &given),
            ("manifest.metadata.namespace", &manifest_namespace),
        ] {
            if let Some(namespace) = namespace
                && let Err(problem) = name_of(namespace, 63, false)
            {
                self.fault(field, problem);
            }
        }
        if let (Some(given), Some(named)) = (&given, &manifest_namespace)
            && given != named
        {
            let problem = format!("is `{named}` and `namespace` is `{given}`; they must agree");
            self.fault("manifest.metadata.namespace", problem);
        }
        given
            .or(manifest_namespace)
            .unwrap_or_else(|| "default".to_owned())
    }

    /// An object field; a value of another type, or an empty one, is a fault.
    fn object(&mut self, field: &str, shape: &str) -> Map<String, Value> {
        match self.fields.get(field) {
            None => Map::new(),
            Some(Value::Object(entries)) if !entries.is_empty() => entries.clone(),
            Some(other) => {
                let problem = format!("must be {shape}, and is {}", kind(other));
                self.fault(field, problem);
                Map::new()
            }
        }
    }

    /// The images by container, or the one of a file that names none.
    fn images(&mut self) -> (BTreeMap<String, String>, Option<String>) {
        let given = match self.fields.get("images") {
            Some(Value::String(path)) => {
                let path = path.clone();
                self.images_file(&path)
            }
            Some(
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_),
            )
            | None => None,
        };
        let shape = r#"{"container": "image"}, or the path of a file in an artifact"#;
        let entries = match given {
            Some(Definitions::Sole(image)) => {
                self.image("images", &image);
                return (BTreeMap::new(), Some(image));
            }
            Some(Definitions::Named(named)) => {
                let named = named.into_iter();
                named.map(|(name, image)| (name, image.into())).collect()
            }
            None if matches!(self.fields.get("images"), Some(Value::String(_))) => Map::new(),
            None => self.object("images", shape),
        };
        let mut images = BTreeMap::new();
        for (container, image) in entries {
            let field = format!("images.{container}");
            if let Err(problem) = name_of(&container, 63, false) {
                self.fault(&field, format!("is for a container whose name {problem}"));
            }
            let Value::String(image) = image else {
                let problem = format!("must be an image in quotes, and is {}", kind(&image));
                self.fault(field, problem);
                continue;
            };
            if self.image(&field, &image) {
                images.insert(container, image);
            }
        }
        (images, None)
    }

    fn image(&mut self, field: &str, image: &str) -> bool {
        match image_of(image) {
            Ok(()) => true,
            Err(problem) => {
                self.fault(field, problem);
                false
            }
        }
    }

    fn images_file(&mut self, path: &str) -> Option<Definitions> {
        let member = self.member("images", path, "imagedefinitions.json")?;
        if member.path.contains([':', '@']) {
            let problem = format!(
                "must be {{\"container\": \"image\"}}, or the path of a file in an artifact, and \
                 is `{}`",
                excerpt(path, 0)
            );
            self.fault("images", problem);
            return None;
        }
        let Some(files) = self.files else {
            self.wanted.images = Some(member);
            return None;
        };
        let Some(file) = &files.images else {
            self.fault("images", format!("names {member}, and no file was read"));
            return None;
        };
        match image::definitions(&file.content) {
            Ok(definitions) => Some(definitions),
            Err(faults) => {
                for fault in faults {
                    self.fault(fault.field, format!("of {member} {}", fault.problem));
                }
                None
            }
        }
    }

    /// A file's place: `path`, or `Artifact::path`.
    fn member(&mut self, field: &str, text: &str, example: &str) -> Option<Member> {
        let (artifact, path) = match text.split_once("::") {
            Some((artifact, path)) => (Some(artifact), path),
            None => (None, text),
        };
        let path = path.strip_prefix("./").unwrap_or(path);
        let is_name = |name: &str| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
            !name.is_empty() && name.len() <= ARTIFACT_LIMIT && name.bytes().all(inner)
        };
        let climbs = path.split('/').any(|part| ["", ".", ".."].contains(&part));
        let odd = path.chars().any(|c| c.is_control() || c == '\\');
        let problem = if text.contains("#{") {
            unresolved(text)
        } else if climbs || odd || path.len() > PATH_LIMIT || path.starts_with('{') {
            format!(
                "must be the path of a file in an input artifact, such as `{example}` or \
                 `ArtifactName::{example}`, and is `{}`",
                excerpt(text, 0)
            )
        } else if !artifact.is_none_or(is_name) {
            format!(
                "has `{}` before `::`, which is no name of an artifact",
                excerpt(artifact.unwrap_or_default(), 0)
            )
        } else {
            return Some(Member {
                artifact: artifact.map(str::to_owned),
                path: path.to_owned(),
            });
        };
        self.fault(field, problem);
        None
    }

    /// An image in the manifest that nothing replaces must be one.
    fn manifest_images(
        &mut self,
        manifest: Option<&Value>,
        images: &BTreeMap<String, String>,
        all: bool,
    ) {
        let replaced = |container: &Value| {
            let name = container["name"].as_str().unwrap_or_default();
            all || images.contains_key(name)
        };
        let filled = self.fields.contains_key("variables");
        for (place, container) in manifest.into_iter().flat_map(containers) {
            let image = container["image"].as_str().filter(|_| !replaced(container));
            // A place that stayed empty is a fault already.
            let image = image.filter(|image| !(filled && image.contains("${")));
            // Without one, the API server has its own word.
            if let Some(image) = image.filter(|image| !image.is_empty()) {
                self.image(&format!("manifest.spec.template.spec.{place}.image"), image);
            }
        }
    }

    fn env(&mut self) -> BTreeMap<String, Option<Hidden>> {
        let mut env = BTreeMap::new();
        for (name, value) in self.object("env", r#"{"NAME": "value"}"#) {
            let field = format!("env.{name}");
            // Kubernetes' relaxed rule: printable ASCII without `=`.
            // https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
            let printable = name
                .bytes()
                .all(|byte| (0x20..0x7f).contains(&byte) && byte != b'=');
            if name.is_empty() || !printable {
                self.fault(
                    &field,
                    "is no name of a variable: printable ASCII without `=`",
                );
            }
            match value {
                Value::String(value) => _ = env.insert(name, Some(Hidden(value))),
                Value::Null => _ = env.insert(name, None),
                other
                @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    let problem = format!(
                        "must be a string, or null to remove it, and is {}",
                        kind(&other)
                    );
                    self.fault(field, problem);
                }
            }
        }
        env
    }

    fn container(&mut self, has_env: bool, has_sole_image: bool) -> Option<String> {
        let container = self.text("container")?;
        if let Err(problem) = name_of(&container, 63, false) {
            self.fault("container", problem);
        }
        // An `imageDetail.json` that is still to be read may need it.
        let unread = self.wanted.images.is_some();
        if !has_env && !self.fields.contains_key("env") && !has_sole_image && !unread {
            self.fault(
                "container",
                "is the one container that gets `env`, or the image of an `imageDetail.json`, and \
                 there is neither",
            );
        }
        Some(container)
    }

    fn manifest(&mut self) -> Option<Chosen> {
        let variables = self.variables();
        let mut chosen = match self.fields.get("manifest")? {
            Value::Object(manifest) => Chosen {
                deployment: Value::Object(manifest.clone()),
                beside: Vec::new(),
            },
            Value::String(path) => {
                let path = path.clone();
                self.manifest_file(&path, variables.as_ref())?
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                let problem = format!(
                    "must be a Deployment as a JSON object, or the path of a file in an artifact, \
                     and is {}",
                    kind(other)
                );
                self.fault("manifest", problem);
                return None;
            }
        };
        if let Some(variables) = variables {
            let faults = manifest::fill(&mut chosen.deployment, &variables);
            self.faults.extend(faults);
        }
        self.check_manifest(&chosen.deployment);
        Some(chosen)
    }

    fn manifest_file(
        &mut self,
        path: &str,
        variables: Option<&BTreeMap<String, String>>,
    ) -> Option<Chosen> {
        let member = self.member("manifest", path, "k8s/deployment.yaml")?;
        let Some(files) = self.files else {
            self.wanted.manifest = Some(member);
            return None;
        };
        let Some(file) = &files.manifest else {
            self.fault("manifest", format!("names {member}, and no file was read"));
            return None;
        };
        let said = |field: &str| self.fields.get(field).and_then(Value::as_str);
        let meant = manifest::Meant {
            name: said("deployment"),
            namespace: said("namespace"),
            variables,
        };
        match manifest::choose(&file.content, meant) {
            Ok(chosen) => Some(chosen),
            Err(fault) => {
                self.fault(
                    fault.field,
                    format!("names {member}, which {}", fault.problem),
                );
                None
            }
        }
    }

    /// What `variables` give; `None` where there are none, and nothing is to be filled.
    fn variables(&mut self) -> Option<BTreeMap<String, String>> {
        self.fields.get("variables")?;
        if !self.is_there("manifest") {
            self.fault(
                "variables",
                "fill places in a manifest, and there is no `manifest`",
            );
        }
        let mut variables = BTreeMap::new();
        for (name, value) in self.object("variables", r#"{"COMMIT": "value"}"#) {
            let field = format!("variables.{name}");
            if !manifest::is_name(&name) {
                let problem = "is no name of a variable: letters, digits and `_`, no digit first";
                self.fault(&field, problem);
            }
            match value {
                Value::String(value) if value.contains("#{") => {
                    self.fault(&field, unresolved(&value));
                }
                Value::String(value) => _ = variables.insert(name, value),
                other @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_)) => {
                    let problem = format!("must be a string, and is {}", kind(&other));
                    self.fault(field, problem);
                }
            }
        }
        Some(variables)
    }

    /// The commit by the variable of that name, or by the artifact that the manifest is from.
    fn commit(&self) -> Option<String> {
        let given = self
            .fields
            .get("variables")
            .and_then(|all| all.get("COMMIT"));
        let file = self.files.and_then(|files| files.manifest.as_ref());
        let revision = || file.and_then(|file| file.revision.clone());
        let commit = given
            .and_then(Value::as_str)
            .map(str::to_owned)
            .or_else(revision)?;
        let plain = commit
            .chars()
            .all(|c| !c.is_control() && !c.is_whitespace());
        let fits = !commit.is_empty() && commit.len() <= COMMIT_LIMIT && plain;
        fits.then_some(commit)
    }

    fn mode(&mut self) -> Mode {
        match self.text("mode").as_deref() {
            None | Some("deploy") => Mode::Deploy,
            Some("plan") => Mode::Plan,
            Some(other) => {
                let problem = format!("must be `deploy` or `plan`, and is `{}`", excerpt(other, 0));
                self.fault("mode", problem);
                Mode::Deploy
            }
        }
    }

    fn check_manifest(&mut self, manifest: &Value) {
        for (field, expected) in [("apiVersion", "apps/v1"), ("kind", "Deployment")] {
            if let Some(found) = manifest.get(field)
                && found != expected
            {
                let problem = format!("must be `{expected}`, and is {found}");
                self.fault(format!("manifest.{field}"), problem);
            }
        }
        let template = manifest
            .pointer("/spec/template")
            .and_then(Value::as_object);
        if template.is_none() {
            self.fault("manifest.spec.template", "is missing: the pods to run");
        }
        self.manifest_names(manifest);
        let replicas = manifest
            .pointer("/spec/replicas")
            .filter(|it| !it.is_null());
        if let Some(replicas) = replicas
            && replicas
                .as_i64()
                .is_none_or(|count| i32::try_from(count).is_err())
        {
            // In a strategic merge patch the API server lets a larger number wrap around.
            let problem = format!("must be a whole number of 32 bits, and is {replicas}");
            self.fault("manifest.spec.replicas", problem);
        }
        if manifest.pointer("/spec/paused") == Some(&Value::Bool(true)) {
            let problem = "must not be true: a paused Deployment rolls nothing out";
            self.fault("manifest.spec.paused", problem);
        }
    }

    /// What a strategic merge patch merges by: without it the API server answers HTTP 500.
    fn manifest_names(&mut self, manifest: &Value) {
        for list in ["initContainers", "containers", "volumes"] {
            let path = format!("/spec/template/spec/{list}");
            let items = manifest.pointer(&path).and_then(Value::as_array);
            for (index, item) in items.into_iter().flatten().enumerate() {
                if !item["name"].is_string() {
                    let field = format!("manifest.spec.template.spec.{list}[{index}].name");
                    self.fault(field, "is missing");
                }
            }
        }
    }

    fn method(&mut self, manifest: bool) -> Method {
        let default = if manifest { Method::Put } else { Method::Patch };
        match self.text("method").as_deref() {
            None => default,
            Some("patch") => Method::Patch,
            Some("put") => {
                if !self.fields.contains_key("manifest") {
                    self.fault(
                        "method",
                        "`put` replaces the whole object and needs a `manifest`",
                    );
                }
                Method::Put
            }
            Some(other) => {
                self.fault(
                    "method",
                    format!("must be `patch` or `put`, and is `{other}`"),
                );
                default
            }
        }
    }

    fn strategy(&mut self, deployment: Option<&str>) -> Strategy {
        let name = self.text("strategy");
        let name = name.as_deref();
        if let Some(other) = name
            && !["rolling", "blueGreen", "immutable"].contains(&other)
        {
            let problem =
                format!("must be `rolling`, `blueGreen` or `immutable`, and is `{other}`");
            self.fault("strategy", problem);
            return Strategy::Rolling;
        }
        let switches = matches!(name, Some("blueGreen" | "immutable"));
        self.only("service", switches, "`blueGreen` and `immutable`");
        self.only("bake", switches, "`blueGreen` and `immutable`");
        self.only("smoke", switches, "`blueGreen` and `immutable`");
        self.only("keep", name == Some("immutable"), "`immutable`");
        if !switches {
            return Strategy::Rolling;
        }
        if self.fields.contains_key("method") {
            let problem =
                "is only for the strategy `rolling`, as the others write a new Deployment";
            self.fault("method", format!("{problem}; leave it out"));
        }
        if deployment.is_some_and(|name| name.len() > SWITCHED_NAME_LIMIT || name.contains('.')) {
            let problem = format!(
                "is too long or has a dot: with this strategy it is a label's value and the \
                 beginning of other names, so that it may have {SWITCHED_NAME_LIMIT} characters \
                 and no dot"
            );
            self.fault("deployment", problem);
        }
        let switch = Switch {
            service: self.service(),
            bake: self.duration(
                "bake",
                DEFAULT_BAKE,
                Duration::ZERO..=LONGEST_BAKE,
                "0s to 6h",
            ),
            smoke: self.smoke(),
        };
        match name {
            Some("immutable") => Strategy::Immutable {
                switch,
                keep: self.keep(),
            },
            _ => Strategy::BlueGreen(switch),
        }
    }

    /// Refuses a field that the strategy does not use.
    fn only(&mut self, field: &str, used: bool, strategies: &str) {
        if !used && self.fields.contains_key(field) {
            let problem = format!("is only for the strategy {strategies}; leave it out");
            self.fault(field, problem);
        }
    }

    fn service(&mut self) -> String {
        let Some(service) = self.text("service") else {
            if !self.is_there("service") {
                self.fault(
                    "service",
                    "is missing: the Service that is switched to the new version",
                );
            }
            return String::new();
        };
        // Room for `-preview`.
        if let Err(problem) = name_of(&service, 55, false) {
            self.fault("service", problem);
        }
        service
    }

    fn keep(&mut self) -> usize {
        match self.fields.get("keep") {
            None => DEFAULT_KEEP,
            Some(value) => {
                let count = value.as_u64().filter(|count| *count <= MOST_KEPT);
                let Some(count) = count.and_then(|count| usize::try_from(count).ok()) else {
                    let problem =
                        format!("must be a whole number from 0 to {MOST_KEPT}, no quotes");
                    self.fault("keep", problem);
                    return DEFAULT_KEEP;
                };
                count
            }
        }
    }

    fn smoke(&mut self) -> Option<Smoke> {
        let shape =
            r#"a path such as "/health", or {"path": "/health", "contains": "ok", "port": "http"}"#;
        let (path, contains, port) = match self.fields.get("smoke")?.clone() {
            Value::String(path) => (path, None, None),
            Value::Object(fields) => {
                let known = |field: &String| ["path", "contains", "port"].contains(&field.as_str());
                let text = |field: &str| match fields.get(field) {
                    None => Ok(None),
                    Some(Value::String(text)) => Ok(Some(text.clone())),
                    Some(Value::Number(port)) if field == "port" => Ok(Some(port.to_string())),
                    Some(_) => Err(()),
                };
                match (text("path"), text("contains"), text("port")) {
                    (Ok(Some(path)), Ok(contains), Ok(port)) if fields.keys().all(known) => {
                        (path, contains, port)
                    }
                    _ => {
                        let unknown = fields.keys().find(|field| !known(field));
                        match unknown {
                            Some(field) => self.fault(
                                format!("smoke.{field}"),
                                "is unknown; there are `path`, `contains` and `port`",
                            ),
                            None => self.fault("smoke", format!("must be {shape}")),
                        }
                        return None;
                    }
                }
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                self.fault("smoke", format!("must be {shape}, and is {}", kind(&other)));
                return None;
            }
        };
        if let Err(problem) = path_of(&path) {
            self.fault("smoke", problem);
        }
        if contains
            .as_ref()
            .is_some_and(|text| text.is_empty() || text.len() > SMOKE_LIMIT)
        {
            let problem = format!("must be a text of 1 to {SMOKE_LIMIT} characters");
            self.fault("smoke.contains", problem);
        }
        Some(Smoke {
            path,
            contains,
            port,
        })
    }

    /// A duration within a range, which `words` tell.
    fn duration(
        &mut self,
        field: &str,
        default: Duration,
        range: RangeInclusive<Duration>,
        words: &str,
    ) -> Duration {
        let Some(text) = self.text(field) else {
            return default;
        };
        let problem = match duration(&text) {
            Some(duration) if range.contains(&duration) => return duration,
            Some(_) => format!("must be from {words}, and is `{text}`"),
            None => format!("`{text}` is no duration; write 90s, 15m or 2h"),
        };
        self.fault(field, problem);
        default
    }

    fn execution(&mut self, job: &str) -> String {
        let Some(text) = self.text("execution") else {
            return job.to_owned();
        };
        let plain = text.chars().all(|character| !character.is_control());
        if text.is_empty() || text.chars().count() > EXECUTION_LIMIT || !plain {
            let problem = format!("must be 1 to {EXECUTION_LIMIT} characters without line breaks");
            self.fault("execution", problem);
        } else if text.contains("#{") {
            self.fault("execution", unresolved(&text));
        }
        text
    }

    fn committed(&mut self) -> Option<Timestamp> {
        let text = self.text("committed")?;
        let time = text.parse::<Timestamp>();
        if text.contains("#{") {
            self.fault("committed", unresolved(&text));
        } else if time.is_err() {
            let problem = format!(
                "must be a time such as 2026-01-31T12:00:00Z (`#{{Source.AuthorDate}}` is one), \
                 and is `{}`",
                excerpt(&text, 0)
            );
            self.fault("committed", problem);
        }
        time.ok()
    }
}

/// A path that stays where it is put: behind the API server's proxy, `..` would lead to other
/// objects of the API.
fn path_of(path: &str) -> Result<(), String> {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
    if path.contains("#{") {
        return Err(unresolved(path));
    }
    if !path.starts_with('/') || path.len() > SMOKE_LIMIT || !path.bytes().all(allowed) {
        return Err(format!(
            "must be a path that begins with `/`, of at most {SMOKE_LIMIT} letters, digits and \
             characters that a URL has, and is `{}`",
            excerpt(path, 0)
        ));
    }
    let dots = path.to_ascii_lowercase().replace("%2e", ".");
    let climbs = dots
        .split(['/', '?'])
        .any(|part| [".", ".."].contains(&part));
    if climbs || path.starts_with("//") || dots.contains("%2f") || dots.contains("%5c") {
        return Err("must be a plain path, without `.`, `..`, `//` or encoded slashes".to_owned());
    }
    Ok(())
}

/// `90s`, `15m`, `2h`; also several together, `1h30m`.
pub fn duration(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut digits = String::new();
    for character in text.chars() {
        let unit = match character {
            '0'..='9' => {
                digits.push(character);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        let count: u64 = digits.parse().ok()?;
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && !text.is_empty()).then_some(Duration::from_secs(seconds))
}

/// A DNS-1123 label, or with `dots` a subdomain.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>
fn name_of(name: &str, limit: usize, dots: bool) -> Result<(), String> {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = if dots {
        name.split('.').all(label)
    } else {
        label(name)
    };
    if name.contains("#{") {
        Err(unresolved(name))
    } else if name.is_empty() {
        Err("is empty".to_owned())
    } else if !fits || name.len() > limit {
        let with = if dots { ", `-` and `.`" } else { " and `-`" };
        Err(format!(
            "is `{}`, which is no Kubernetes name: at most {limit} lower-case letters, \
             digits{with}, a letter or digit first and last",
            excerpt(name, 0)
        ))
    } else {
        Ok(())
    }
}

fn image_of(image: &str) -> Result<(), String> {
    if image.contains("#{") {
        return Err(unresolved(image));
    }
    if image.is_empty() {
        return Err("is empty: the build stage gave no image".to_owned());
    }
    if image.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("has white space in it; an image is written `registry/name:tag`".to_owned());
    }
    match image::Reference::parse(image) {
        Ok(_) => Ok(()),
        Err(_) if image.contains("${") => Err(format!(
            "is `{}`: the place of a variable is filled only where `variables` are given",
            excerpt(image, 0)
        )),
        Err(why) => Err(format!(
            "is `{}`, which is no image: {why}",
            excerpt(image, 0)
        )),
    }
}

fn unresolved(text: &str) -> String {
    format!(
        "has a variable that CodePipeline did not fill in: `{}`. The action that gives it needs a \
         `namespace` and must come earlier in the pipeline",
        excerpt(text, 0)
    )
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(entries) if entries.is_empty() => "empty",
        Value::Object(_) => "an object",
    }
}

/// The field that a misspelt one most likely means: at most two letters away, but for case.
fn similar(field: &str) -> Option<&'static str> {
    let distance = |known: &&str| strsim::levenshtein(known, &field.to_lowercase());
    let nearest = FIELDS.into_iter().min_by_key(distance);
    nearest.filter(|known| distance(known) <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const JOB: &str = "job-1";

    fn parse(fields: &Value) -> Result<Request, Vec<Fault>> {
        Request::parse(&Parameters::Text(fields.to_string()), JOB)
    }

    /// The least parameters, with these fields added or replaced; `null` stays a value.
    fn with(changes: Value) -> Value {
        let mut fields = json!({"deployment": "web", "images": {"web": "web:2"}});
        for (field, value) in changes.as_object().unwrap() {
            fields[field] = value.clone();
        }
        fields
    }

    /// What the least parameters come to: every default.
    fn least() -> Request {
        Request {
            deployment: "web".into(),
            namespace: "default".into(),
            images: images(&[("web", "web:2")]),
            sole_image: None,
            beside: Vec::new(),
            commit: None,
            mode: Mode::Deploy,
            env: BTreeMap::new(),
            container: None,
            manifest: None,
            method: Method::Patch,
            restart: false,
            strategy: Strategy::Rolling,
            timeout: Duration::from_secs(900),
            patience: Duration::from_secs(30),
            rollback: true,
            execution: JOB.into(),
            committed: None,
        }
    }

    fn images(images: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, image): &(&str, &str)| (name.to_string(), image.to_string());
        images.iter().map(owned).collect()
    }

    fn env(env: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<Hidden>> {
        let hidden = |value: &str| Hidden(value.to_owned());
        let owned = |(name, value): &(&str, Option<&str>)| (name.to_string(), value.map(hidden));
        env.iter().map(owned).collect()
    }

    /// A manifest with this `metadata`.
    fn manifest(metadata: Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {"template": {}}})
    }

    #[test]
    fn good_parameters_and_what_they_come_to() {
        let given = manifest(json!({"name": "api", "namespace": "shop"}));
        let nameless = json!({"spec": {"template": {}, "paused": false}});
        let by_manifest = Request {
            deployment: "api".into(),
            namespace: "shop".into(),
            manifest: Some(given.clone()),
            method: Method::Put,
            ..least()
        };
        let digest = format!(
            "registry.example.com:5000/team/web@sha256:{}",
            "0".repeat(64)
        );
        let run = "Ä".repeat(EXECUTION_LIMIT);
        let cases = [
            ("every default", with(json!({})), least()),
            (
                "a namespace",
                with(json!({"namespace": "shop"})),
                Request {
                    namespace: "shop".into(),
                    ..least()
                },
            ),
            (
                "several images, one by its digest",
                with(json!({"images": {"web": digest, "proxy": "envoy"}})),
                Request {
                    images: images(&[("web", &digest), ("proxy", "envoy")]),
                    ..least()
                },
            ),
            (
                "variables set, set to nothing and removed",
                with(json!({"env": {"A": "1", "EMPTY": "", "OLD": null}})),
                Request {
                    env: env(&[("A", Some("1")), ("EMPTY", Some("")), ("OLD", None)]),
                    ..least()
                },
            ),
            (
                "variables of one container",
                with(json!({"env": {"A": "1"}, "container": "web"})),
                Request {
                    env: env(&[("A", Some("1"))]),
                    container: Some("web".into()),
                    ..least()
                },
            ),
            (
                "a manifest names the Deployment and is put",
                json!({"manifest": given}),
                Request {
                    images: BTreeMap::new(),
                    ..by_manifest.clone()
                },
            ),
            (
                "a manifest and fields that agree with it",
                with(json!({"manifest": given, "deployment": "api", "namespace": "shop"})),
                by_manifest.clone(),
            ),
            (
                "a manifest as a patch",
                with(json!({"manifest": given, "deployment": "api", "method": "patch"})),
                Request {
                    method: Method::Patch,
                    ..by_manifest.clone()
                },
            ),
            (
                "a manifest, put in so many words",
                with(json!({"manifest": given, "deployment": "api", "method": "put"})),
                by_manifest,
            ),
            (
                "a manifest without names, and not paused",
                with(json!({"manifest": nameless})),
                Request {
                    manifest: Some(nameless.clone()),
                    method: Method::Put,
                    ..least()
                },
            ),
            (
                "a restart alone",
                json!({"deployment": "web", "restart": true}),
                Request {
                    images: BTreeMap::new(),
                    restart: true,
                    ..least()
                },
            ),
            (
                "the strategy by name",
                with(json!({"strategy": "rolling", "method": "patch"})),
                least(),
            ),
            (
                "no way back",
                with(json!({"rollback": false})),
                Request {
                    rollback: false,
                    ..least()
                },
            ),
            (
                "the longest execution, counted in characters",
                with(json!({"execution": run})),
                Request {
                    execution: run.clone(),
                    ..least()
                },
            ),
        ];
        for (name, fields, expected) in cases {
            assert_eq!(parse(&fields), Ok(expected.clone()), "{name}");
            let Value::Object(fields) = fields else {
                panic!("{name} is no object")
            };
            let by_hand = Request::parse(&Parameters::Object(fields), JOB);
            assert_eq!(by_hand, Ok(expected), "{name}, as an object");
        }
    }

    #[test]
    fn timeouts() {
        let good = [
            ("90s", 90),
            ("15m", 900),
            ("2h", 7200),
            ("1h30m", 5400),
            ("1h1m1s", 3661),
            ("30m1h", 5400),
            ("1s", 1),
            ("24h", 86_400),
            ("86400s", 86_400),
            ("23h60m", 86_400),
            ("007m", 420),
            ("0h5m", 300),
        ];
        for (text, seconds) in good {
            let request = parse(&with(json!({"timeout": text}))).unwrap();
            assert_eq!(request.timeout, Duration::from_secs(seconds), "{text}");
        }
        let bad = [
            ("0s", "from 1s to 24h"),
            ("86401s", "from 1s to 24h"),
            ("24h1s", "from 1s to 24h"),
            ("", "no duration"),
            ("90", "no duration"),
            ("1h30", "no duration"),
            ("m", "no duration"),
            ("1.5h", "no duration"),
            ("-5m", "no duration"),
            ("+5m", "no duration"),
            (" 5m", "no duration"),
            ("5M", "no duration"),
            ("1d", "no duration"),
            ("٣m", "no duration"),
            ("18446744073709551616s", "no duration"),
            ("9999999999999999999h", "no duration"),
        ];
        for (text, problem) in bad {
            let faults = parse(&with(json!({"timeout": text}))).unwrap_err();
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert_eq!(faults[0].field, "timeout");
            assert!(faults[0].problem.contains(problem), "{text}: {faults:?}");
        }
    }

    #[test]
    fn names_of_deployments_and_namespaces() {
        let (label, subdomain) = ("n".repeat(63), "n".repeat(253));
        for name in [
            "w", "web", "web-2", "2-web", "web.v2", "a.b.c", &label, &subdomain,
        ] {
            assert!(parse(&with(json!({"deployment": name}))).is_ok(), "{name}");
        }
        for name in ["w", "web", "web-2", "2-web", &label] {
            assert!(parse(&with(json!({"namespace": name}))).is_ok(), "{name}");
        }
        let (longer, longest) = ("n".repeat(64), "n".repeat(254));
        let bad = [
            "",
            "Web",
            "-web",
            "web-",
            "web_2",
            "web/2",
            "we b",
            "wéb",
            "web\n",
            ".web",
            "web.",
            "a..b",
            "#{Build.Name}",
            &longest,
        ];
        for name in bad {
            one_fault("deployment", json!({"deployment": name}), "", name);
            one_fault("namespace", json!({"namespace": name}), "", name);
        }
        for name in ["web.v2", &longer] {
            one_fault(
                "namespace",
                json!({"namespace": name}),
                "no Kubernetes name",
                name,
            );
        }
    }

    /// A blue/green deploy with these fields.
    fn blue_green(changes: &Value) -> Value {
        let mut all = json!({"strategy": "blueGreen", "service": "web"});
        for (field, value) in changes.as_object().unwrap() {
            all[field] = value.clone();
        }
        all.as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        all
    }

    #[test]
    fn fields_of_a_switch() {
        let keep = |keep: Value| json!({"strategy": "immutable", "keep": keep});
        for (field, changes, problem) in [
            ("service", json!({"service": null}), "is missing"),
            ("service", json!({"service": 7}), "and is a number"),
            ("service", json!({"service": "Web"}), "no Kubernetes name"),
            ("bake", json!({"bake": "7h"}), "from 0s to 6h"),
            ("bake", json!({"bake": "20m"}), "shorter than `timeout`"),
            ("keep", json!({"keep": 1}), "strategy `immutable`; leave"),
            ("keep", keep(json!("1")), "from 0 to 20"),
            ("keep", keep(json!(21)), "from 0 to 20"),
            ("keep", keep(json!(-1)), "from 0 to 20"),
            ("method", json!({"method": "patch"}), "`rolling`"),
            ("smoke", json!({"smoke": true}), "a path such as"),
            (
                "smoke",
                json!({"smoke": {"contains": "ok"}}),
                "a path such as",
            ),
            (
                "smoke.status",
                json!({"smoke": {"path": "/", "status": 200}}),
                "is unknown; there are",
            ),
            ("smoke", json!({"smoke": "health"}), "begins with `/`"),
            ("smoke", json!({"smoke": "/a b"}), "begins with `/`"),
            ("smoke", json!({"smoke": "/a#b"}), "begins with `/`"),
            ("smoke", json!({"smoke": "/a\\..\\b"}), "begins with `/`"),
            ("smoke", json!({"smoke": "/../../secrets"}), "a plain path"),
            ("smoke", json!({"smoke": "/a/%2E%2e/b"}), "a plain path"),
            ("smoke", json!({"smoke": "/a/..?b"}), "a plain path"),
            ("smoke", json!({"smoke": "/a%2f..%2fb"}), "a plain path"),
            ("smoke", json!({"smoke": "//host/"}), "a plain path"),
            (
                "smoke",
                json!({"smoke": "/#{build.PATH}"}),
                "did not fill in",
            ),
            (
                "smoke.contains",
                json!({"smoke": {"path": "/", "contains": ""}}),
                "1 to 300 characters",
            ),
        ] {
            let name = changes.to_string();
            one_fault(field, blue_green(&changes), problem, &name);
        }
        let long = with(blue_green(&json!({"deployment": "x".repeat(46)})));
        assert_eq!(parse(&long).unwrap_err()[0].field, "deployment");
        let smoke = |path: &str, contains: Option<&str>| Smoke {
            path: path.to_owned(),
            contains: contains.map(str::to_owned),
            port: None,
        };
        let by = |port: &str| Smoke {
            port: Some(port.to_owned()),
            ..smoke("/", None)
        };
        for (changes, bake, expected) in [
            (json!({}), 30, None),
            (
                json!({"bake": "0s", "smoke": "/"}),
                0,
                Some(smoke("/", None)),
            ),
            (
                json!({"smoke": {"path": "/a.b/..c?deep=1&x=%20", "contains": "ok"}}),
                30,
                Some(smoke("/a.b/..c?deep=1&x=%20", Some("ok"))),
            ),
            (
                json!({"smoke": {"path": "/", "port": "http"}}),
                30,
                Some(by("http")),
            ),
            (
                json!({"smoke": {"path": "/", "port": 8080}}),
                30,
                Some(by("8080")),
            ),
        ] {
            let request = parse(&with(blue_green(&changes))).unwrap();
            let switch = request.strategy.switch().unwrap();
            assert_eq!(switch.service, "web");
            assert_eq!(switch.bake, Duration::from_secs(bake), "{changes}");
            assert_eq!(switch.smoke, expected);
            assert_eq!(request.strategy.name(), "blueGreen");
        }
        for (changes, expected) in [(keep(json!(0)), 0), (keep(json!(20)), 20)] {
            let request = parse(&with(blue_green(&changes))).unwrap();
            assert!(
                matches!(request.strategy, Strategy::Immutable { keep, .. } if keep == expected)
            );
        }
        let request = parse(&with(blue_green(&json!({"strategy": "immutable"})))).unwrap();
        assert!(matches!(
            request.strategy,
            Strategy::Immutable { keep: 1, .. }
        ));
        assert_eq!(request.strategy.name(), "immutable");
    }

    /// These parameters have one fault, of this field, and it says so.
    fn one_fault(field: &str, changes: Value, problem: &str, name: &str) {
        let faults = parse(&with(changes)).expect_err(name);
        let fields = faults.iter().map(|fault| fault.field.as_str());
        assert_eq!(fields.collect::<Vec<_>>(), [field], "{name}: {faults:?}");
        assert!(faults[0].problem.contains(problem), "{name}: {faults:?}");
    }

    #[test]
    fn fields_of_the_wrong_type_or_of_no_sense() {
        let cases = [
            (
                "image",
                json!({"image": {"web": "web:2"}}),
                "did you mean `images`?",
            ),
            (
                "Deployment",
                json!({"Deployment": "web"}),
                "did you mean `deployment`?",
            ),
            (
                "colour",
                json!({"colour": "blue"}),
                "the fields are deployment, namespace",
            ),
            (
                "deployment",
                json!({"deployment": 3}),
                "must be a string, and is a number",
            ),
            (
                "namespace",
                json!({"namespace": null}),
                "must be a string, and is null",
            ),
            ("images", json!({"images": {}}), "and is empty"),
            ("images", json!({"images": null}), "and is null"),
            (
                "images",
                json!({"images": "web:2"}),
                "or the path of a file",
            ),
            ("images", json!({"images": ["web:2"]}), "and is a list"),
            (
                "container",
                json!({"env": {"A": "1"}, "container": "Web"}),
                "Kubernetes name",
            ),
            (
                "container",
                json!({"env": {"A": "1"}, "container": false}),
                "true or false",
            ),
            (
                "container",
                json!({"container": "web"}),
                "and there is neither",
            ),
            (
                "method",
                json!({"method": "replace"}),
                "`patch` or `put`, and is `replace`",
            ),
            ("method", json!({"method": "put"}), "needs a `manifest`"),
            ("method", json!({"method": {"put": 1}}), "and is an object"),
            (
                "restart",
                json!({"restart": "true"}),
                "without quotes, and is a string",
            ),
            ("restart", json!({"restart": null}), "and is null"),
            ("rollback", json!({"rollback": 0}), "and is a number"),
            (
                "strategy",
                json!({"strategy": "Rolling"}),
                "must be `rolling`",
            ),
            (
                "service",
                json!({"service": "web"}),
                "only for the strategy",
            ),
            ("bake", json!({"bake": "1m"}), "`blueGreen` and `immutable`"),
            ("smoke", json!({"smoke": "/"}), "only for the strategy"),
            ("keep", json!({"keep": 2}), "strategy `immutable`; leave"),
            ("timeout", json!({"timeout": 900}), "and is a number"),
            ("execution", json!({"execution": ""}), "1 to 128 characters"),
            (
                "execution",
                json!({"execution": "x".repeat(129)}),
                "1 to 128 characters",
            ),
            (
                "execution",
                json!({"execution": "a\nb"}),
                "without line breaks",
            ),
            ("execution", json!({"execution": 7}), "and is a number"),
            (
                "committed",
                json!({"committed": "yesterday"}),
                "and is `yesterday`",
            ),
            (
                "committed",
                json!({"committed": "2026-01-31"}),
                "a time such as",
            ),
            ("committed", json!({"committed": 7}), "and is a number"),
        ];
        for (field, changes, problem) in cases {
            let name = changes.to_string();
            one_fault(field, changes, problem, &name);
        }
    }

    #[test]
    fn images_and_variables_one_by_one() {
        for image in [
            "web",
            "web:2",
            "localhost:5000/web",
            "a/b/c:v1.2_3-x@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ] {
            let request = parse(&with(json!({"images": {"web": image}}))).unwrap();
            assert_eq!(request.images["web"], image);
        }
        for (image, problem) in [
            (json!(""), "the build stage gave no image"),
            (json!("web: 2"), "white space"),
            (json!("web:2\n"), "white space"),
            (json!("web\u{0}"), "white space"),
            (
                json!("web:#{Build.Tag}"),
                "did not fill in: `web:#{Build.Tag}`",
            ),
            (json!(2), "an image in quotes, and is a number"),
            (json!(null), "and is null"),
        ] {
            let name = image.to_string();
            one_fault(
                "images.web",
                json!({"images": {"web": image}}),
                problem,
                &name,
            );
        }
        one_fault(
            "images.Web",
            json!({"images": {"Web": "web:2"}}),
            "Kubernetes name",
            "Web",
        );
        one_fault(
            "images.a.b",
            json!({"images": {"a.b": "web:2"}}),
            "Kubernetes name",
            "a.b",
        );
        for name in ["A", "_", "a.b-c", "1", "with blank", "$(x)", "~"] {
            let request = parse(&with(json!({"env": {name: "value"}}))).unwrap();
            assert_eq!(request.env, env(&[(name, Some("value"))]));
        }
        for name in ["", "A=B", "Ä", "a\nb", "a\u{7f}"] {
            let field = format!("env.{name}");
            one_fault(
                &field,
                json!({"env": {name: "value"}}),
                "no name of a variable",
                name,
            );
        }
        for (value, problem) in [
            (json!(1), "and is a number"),
            (json!(true), "and is true or false"),
            (json!([]), "and is a list"),
            (json!({}), "and is empty"),
        ] {
            one_fault("env.A", json!({"env": {"A": value}}), problem, problem);
        }
        one_fault("env", json!({"env": {}}), "and is empty", "no variables");
        one_fault("env", json!({"env": "A=1"}), "and is a string", "a text");
    }

    #[test]
    fn manifests_that_cannot_be() {
        let template = json!({"template": {}});
        let cases = [
            (
                "manifest",
                json!("k8s/web.yaml"),
                "names `k8s/web.yaml`, and no file was read",
            ),
            ("manifest", json!(null), "and is null"),
            ("manifest", json!([]), "and is a list"),
            ("manifest.spec.template", json!({}), "the pods to run"),
            (
                "manifest.spec.template",
                json!({"spec": {"template": "x"}}),
                "the pods to run",
            ),
            (
                "manifest.kind",
                json!({"kind": "StatefulSet", "spec": template}),
                r#"must be `Deployment`, and is "StatefulSet""#,
            ),
            (
                "manifest.apiVersion",
                json!({"apiVersion": "extensions/v1beta1", "spec": template}),
                "must be `apps/v1`",
            ),
            (
                "manifest.spec.paused",
                json!({"spec": {"template": {}, "paused": true}}),
                "rolls nothing out",
            ),
            (
                "manifest.spec.replicas",
                json!({"spec": {"template": {}, "replicas": 4_294_967_296_u64}}),
                "a whole number of 32 bits, and is 4294967296",
            ),
            (
                "manifest.spec.replicas",
                json!({"spec": {"template": {}, "replicas": "3"}}),
                "a whole number of 32 bits",
            ),
            (
                "manifest.spec.template.spec.containers[1].name",
                json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}, {}]}}}}),
                "is missing",
            ),
            (
                "manifest.spec.template.spec.volumes[0].name",
                json!({"spec": {"template": {"spec": {"volumes": [{"emptyDir": {}}]}}}}),
                "is missing",
            ),
            (
                "manifest.metadata.name",
                manifest(json!({"name": "api"})),
                "is `api` and `deployment` is `web`",
            ),
            (
                "manifest.metadata.namespace",
                manifest(json!({"namespace": "Shop"})),
                "no Kubernetes name",
            ),
        ];
        for (field, manifest, problem) in cases {
            let name = manifest.to_string();
            one_fault(field, json!({"manifest": manifest}), problem, &name);
        }
        let elsewhere = manifest(json!({"namespace": "shop"}));
        one_fault(
            "manifest.metadata.namespace",
            json!({"manifest": elsewhere, "namespace": "stage"}),
            "is `shop` and `namespace` is `stage`",
            "two namespaces",
        );
    }

    #[test]
    fn what_is_missing() {
        let nameless = json!({"spec": {"template": {}}});
        let bad_name = manifest(json!({"name": "Api"}));
        let cases = [
            (
                json!({"images": {"web": "web:2"}}),
                "deployment",
                "is missing: the name",
            ),
            (
                json!({"manifest": nameless}),
                "deployment",
                "no metadata.name either",
            ),
            (
                json!({"manifest": bad_name}),
                "manifest.metadata.name",
                "Kubernetes name",
            ),
            (
                json!({"deployment": "web"}),
                "UserParameters",
                "change nothing",
            ),
            (
                json!({"deployment": "web", "rollback": false, "timeout": "5m"}),
                "UserParameters",
                "change nothing",
            ),
        ];
        for (fields, field, problem) in cases {
            let faults = parse(&fields).unwrap_err();
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert_eq!(faults[0].field, field, "{fields}");
            assert!(faults[0].problem.contains(problem), "{faults:?}");
        }
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let faults = parse(&json!({
            "deployment": "Web", "namespace": 1, "images": {"a": "", "b": "b:1", "c": "c d"},
            "env": {"A": 1, "B": "2", "C": []}, "container": "", "manifest": 2, "method": "x",
            "restart": 1, "strategy": "x", "timeout": "x", "rollback": "x", "execution": "",
            "more": 1}))
        .unwrap_err();
        let fields = faults.iter().map(|fault| fault.field.as_str());
        let expected = "more manifest deployment namespace images.a images.c env.A env.C \
            container method restart rollback strategy timeout execution";
        assert_eq!(fields.collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn a_variable_that_was_not_filled_in_is_said_to_be_one() {
        let variable = "#{Build.X}";
        let cases = [
            ("deployment", json!({"deployment": variable})),
            ("namespace", json!({"namespace": variable})),
            ("images.web", json!({"images": {"web": variable}})),
            (
                "container",
                json!({"container": variable, "env": {"A": "1"}}),
            ),
            (
                "execution",
                json!({"execution": "#{codepipeline.PipelineExecutionId}"}),
            ),
            ("committed", json!({"committed": "#{Source.AuthorDate}"})),
        ];
        for (field, changes) in cases {
            one_fault(field, changes, "CodePipeline did not fill in: `#{", field);
        }
        // A value of a variable may be anything, so also this.
        assert!(parse(&with(json!({"env": {"A": variable}}))).is_ok());
    }

    #[test]
    fn what_is_no_object() {
        let cases = [
            (
                Parameters::Absent,
                "are missing. Give at least {\"deployment\"",
            ),
            (Parameters::Text("web".into()), "begin with `web`"),
            (Parameters::Text("'{}'".into()), "begin with `'{}'`"),
            (
                Parameters::Text("\u{feff}{}".into()),
                "begin with `\u{feff}{}`",
            ),
            (Parameters::Text("[1]".into()), "and are `[1]`"),
            (Parameters::Text(" \"{}\"".into()), "and are ` \"{}\"`"),
            (Parameters::Text("null".into()), "and are `null`"),
        ];
        for (parameters, problem) in cases {
            let faults = Request::parse(&parameters, JOB).unwrap_err();
            assert_eq!(faults.len(), 1);
            assert_eq!(faults[0].field, "UserParameters");
            assert!(faults[0].problem.contains(problem), "{}", faults[0].problem);
        }
    }

    #[test]
    fn broken_json_is_shown_where_it_breaks() {
        let cases = [
            ("a quote", r#"{"a": "x"y"}"#, 10, r#"{"a": "x"→y"}"#),
            (
                "a quote at the end",
                r#"{"a": "x""}"#,
                10,
                r#"{"a": "x"→"}"#,
            ),
            ("a line break", "{\"a\": \"x\ny\"}", 9, "{\"a\": \"x→␤y\"}"),
            (
                "at the end of a line",
                "{\"a\":\n\"x\n\"}",
                9,
                "{\"a\":␤\"x→␤\"}",
            ),
            ("a backslash", r#"{"a": "x\y"}"#, 10, r#"{"a": "x\→y"}"#),
            ("a tab", "{\"a\": \"x\ty\"}", 9, "{\"a\": \"x→␤y\"}"),
            (
                "in a later line",
                "{\"a\": 1,\n \"b\": x}",
                16,
                "{\"a\": 1,␤ \"b\": →x}",
            ),
            ("at once", "{x}", 2, "{→x}"),
            ("two objects", "{}{}", 3, "{}→{}"),
            (
                "many bytes before",
                r#"{"ä": "€😀"y"}"#,
                11,
                r#"{"ä": "€😀"→y"}"#,
            ),
            (
                "many bytes there",
                r#"{"ä": "€"😀"}"#,
                10,
                r#"{"ä": "€"→😀"}"#,
            ),
        ];
        for (name, text, character, arrow) in cases {
            let faults = Request::parse(&Parameters::Text(text.into()), JOB).unwrap_err();
            let problem = &faults[0].problem;
            let place = format!("At character {character},");
            assert!(problem.contains(&place), "{name}: {problem}");
            assert!(problem.contains(&format!("`{arrow}`")), "{name}: {problem}");
            assert!(problem.contains("escapes nothing"), "{name}");
        }
        for (text, help) in [
            (r#"{"a": 1,}"#, "There is a comma too many"),
            ("{'a': 1}", "JSON takes double quotes"),
        ] {
            let faults = Request::parse(&Parameters::Text(text.into()), JOB).unwrap_err();
            assert!(faults[0].problem.ends_with(help), "{faults:?}");
        }
        let cut = Request::parse(&Parameters::Text(r#"{"a": "x"#.into()), JOB).unwrap_err();
        assert!(cut[0].problem.contains("EOF"), "{cut:?}");
    }

    #[test]
    fn an_excerpt_is_short_and_of_one_line() {
        let long = format!("{}ß{}", "a".repeat(100), "b".repeat(100));
        let expected = format!("…{}→ß{}…", "a".repeat(EXCERPT), "b".repeat(EXCERPT - 1));
        assert_eq!(excerpt(&long, 100), expected);
        // Within a character is before it.
        assert_eq!(excerpt(&long, 101), expected);
        assert_eq!(excerpt("", 0), "");
        assert_eq!(excerpt("é", 7), "é→");
        assert_eq!(excerpt("a\r\n\tb", 0), "a␤␤␤b");
    }

    #[test]
    fn no_cut_of_a_text_makes_it_panic() {
        let text =
            "{\"ä\": \"€ßé\", \"b\": [1, \"日本語\", \"\\u00e9\"],\r\n \"😀👩‍👩‍👧\": {\"c\": null}}";
        for position in 0..text.len() + 3 {
            let shown = excerpt(text, position);
            assert!(shown.chars().count() <= 2 * EXCERPT + 3, "{shown}");
            assert!(!shown.contains('\n'));
        }
        let boundaries = (0..=text.len()).filter(|place| text.is_char_boundary(*place));
        let boundaries = boundaries.collect::<Vec<_>>();
        let mut faults = 0;
        for (count, start) in boundaries.iter().enumerate() {
            for end in &boundaries[count..] {
                for cut in [
                    text[*start..*end].to_owned(),
                    format!("{{{}", &text[*start..*end]),
                    format!("{}{}", &text[..*start], &text[*end..]),
                ] {
                    let parsed = Request::parse(&Parameters::Text(cut), JOB);
                    faults += usize::from(parsed.is_err());
                }
            }
        }
        assert_eq!(faults, boundaries.len() * (boundaries.len() + 1) / 2 * 3);
    }

    #[test]
    fn a_field_that_stands_twice_is_refused() {
        for (text, field) in [
            // A commit message that closes its string and brings an image of its own.
            (
                r#"{"deployment": "web", "images": {"app": "good:1"}, "env": {"MESSAGE": "fix"},
                    "images": {"app": "evil:1"}, "env": {"A": "b"}}"#,
                "images",
            ),
            (
                r#"{"deployment": "web", "env": {"A": "1", "A": "2"}}"#,
                "env.A",
            ),
            (
                r#"{"manifest": {"spec": {"template": {"spec": {"containers": [{"name": "a"},
                    {"name": "b", "name": "c"}]}}}}}"#,
                "manifest.spec.template.spec.containers.name",
            ),
        ] {
            let faults = Request::parse(&Parameters::Text(text.into()), JOB).unwrap_err();
            let problem = &faults[0].problem;
            assert!(
                problem.contains(&format!("have `{field}` twice")),
                "{problem}"
            );
        }
        let same_name_elsewhere = r#"{"deployment": "web", "env": {"deployment": "x"},
            "images": {"env": "x:1"}}"#;
        assert!(Request::parse(&Parameters::Text(same_name_elsewhere.into()), JOB).is_ok());
    }

    #[test]
    fn a_long_name_before_many_items_costs_no_time() {
        let name = "k".repeat(1 << 20);
        for item in ["1", r#"{"a":1}"#] {
            let items = vec![item; (1 << 20) / (item.len() + 1)].join(",");
            let start = std::time::Instant::now();
            assert_eq!(repeated(&format!(r#"{{"{name}":[{items}]}}"#)), None);
            assert!(
                start.elapsed() < Duration::from_secs(2),
                "{item}: {:?}",
                start.elapsed()
            );
        }
        // The path is the one of the place, whatever was read before.
        let text = r#"{"x": {"y": [{"z": 1}, 2]}, "a": [{"b": {"c": 1}}, {"d": 1, "d": 2}]}"#;
        assert_eq!(repeated(text).as_deref(), Some("a.d"));
        assert_eq!(
            repeated(r#"{"a": {"b": 1}} {"b": 1, "b": 2}"#).as_deref(),
            Some("b")
        );
        assert_eq!(repeated(r#"[{"a": {"a": 1}}, {"a": 1}, []]"#), None);
    }

    #[test]
    fn secrets_are_the_values_of_variables() {
        let container = |name: &str, value: &str| {
            json!({"name": name, "image": "web:2",
            "env": [{"name": "A", "value": value}, {"name": "B", "valueFrom": {}}, {"name": "C"}]})
        };
        let request = parse(&json!({
            "deployment": "web-server", "images": {"web": "web:2"},
            "env": {"ONE": "first", "TWO": "second", "GONE": null},
            "manifest": {"spec": {"template": {"spec": {
                "containers": [container("web", "third"), {"name": "bare"}],
                "initContainers": [container("setup", "fourth")]}}}}}))
        .unwrap();
        let mut secrets = request.secrets().collect::<Vec<_>>();
        secrets.sort_unstable();
        assert_eq!(secrets, ["first", "fourth", "second", "third"]);
    }

    #[test]
    fn a_value_that_a_name_has_too_is_no_secret() {
        let request = parse(&json!({
            "deployment": "web-server", "namespace": "production", "images": {"app": "repo/web:2"},
            "container": "app", "execution": "run-7",
            "env": {"A": "production", "B": "server", "C": "repo/web:2", "D": "true", "E": "false",
                "F": "app", "G": "run-7", "H": "production!"}}))
        .unwrap();
        assert_eq!(request.secrets().collect::<Vec<_>>(), ["production!"]);
    }

    #[test]
    fn debug_shows_no_value_of_a_variable() {
        let request = parse(&with(json!({"env": {"A": "s3cret-a"}, "manifest": {
            "spec": {"template": {"spec": {"containers": [
                {"name": "web", "env": [{"name": "B", "value": "s3cret-b"}]}]}}}}})))
        .unwrap();
        let shown = format!("{request:?}");
        assert!(
            shown.contains("web:2") && shown.contains("Hidden"),
            "{shown}"
        );
        assert!(!shown.contains("s3cret"), "{shown}");
        let hidden = request.env["A"].as_ref().unwrap();
        assert_eq!(hidden.reveal(), "s3cret-a");
    }

    fn files(manifest: Option<&str>, images: Option<&str>) -> Files {
        let file = |content: &str| File {
            artifact: "Source".into(),
            revision: Some("e0c7".into()),
            content: content.into(),
        };
        Files {
            manifest: manifest.map(file),
            images: images.map(file),
        }
    }

    const DEPLOYMENT: &str = "kind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    \
        spec:\n      containers:\n      - {name: app, image: 'app:${TAG}'}\n";

    /// Reads the parameters and these files.
    fn complete(fields: Value, files: &Files) -> Result<Request, Vec<Fault>> {
        Draft::read(&Parameters::Text(fields.to_string()))?.complete(files, JOB)
    }

    #[test]
    fn files_are_wanted_where_they_are_named() {
        let wanted = |fields: Value| {
            let draft = Draft::read(&Parameters::Text(fields.to_string())).unwrap();
            let Wanted { manifest, images } = draft.wanted;
            [manifest, images].map(|member| member.map(|member| member.to_string()))
        };
        let some = |text: &str| Some(format!("`{text}`"));
        let inline = manifest(json!({"name": "web"}));
        for (fields, expected) in [
            (
                json!({"deployment": "web", "images": {"web": "web:2"}}),
                [None, None],
            ),
            (json!({"manifest": inline}), [None, None]),
            (
                json!({"manifest": "k8s/a.yaml"}),
                [some("k8s/a.yaml"), None],
            ),
            (
                json!({"manifest": "./a.yaml", "images": "Build::imagedefinitions.json"}),
                [some("a.yaml"), some("Build::imagedefinitions.json")],
            ),
            (
                json!({"deployment": "web", "images": "imageDetail.json", "container": "app"}),
                [None, some("imageDetail.json")],
            ),
        ] {
            assert_eq!(wanted(fields.clone()), expected, "{fields}");
        }
        for path in [
            "",
            "/a.yaml",
            "../a.yaml",
            "a/../b",
            "a//b",
            "a/",
            "::a",
            "A B::a",
            "A::",
            "a\nb",
            "{\"kind\": 1}",
            "a\\b",
            "#{Build.FILE}",
        ] {
            one_fault("manifest", json!({"manifest": path}), "", path);
        }
        let long = format!("{}.yaml", "x".repeat(PATH_LIMIT));
        one_fault(
            "manifest",
            json!({"manifest": long}),
            "must be the path",
            "long",
        );
    }

    #[test]
    fn files_and_variables_make_a_request() {
        let fields = json!({"manifest": "a.yaml", "variables": {"TAG": "2"}});
        let request = complete(fields, &files(Some(DEPLOYMENT), None)).unwrap();
        assert_eq!((&*request.deployment, request.method), ("web", Method::Put));
        let image = request
            .manifest
            .unwrap()
            .pointer("/spec/template/spec/containers/0/image")
            .cloned();
        assert_eq!(image, Some(json!("app:2")));
        assert_eq!(request.commit.as_deref(), Some("e0c7"));
        let named = r#"[{"name": "app", "imageUri": "app:3"}]"#;
        let fields = json!({"manifest": "a.yaml", "images": "b.json", "mode": "plan",
            "variables": {"COMMIT": "f00", "TAG": "2"}});
        let text = format!("{DEPLOYMENT}      # ${{COMMIT}}\n      nodeName: ${{COMMIT}}\n");
        let request = complete(fields, &files(Some(&text), Some(named))).unwrap();
        assert_eq!(request.images, images(&[("app", "app:3")]));
        assert_eq!(
            (request.commit.as_deref(), request.mode),
            (Some("f00"), Mode::Plan)
        );
        let sole = r#"{"ImageURI": "app:4"}"#;
        let fields = |container: Value| {
            let mut fields = json!({"deployment": "web", "images": "b.json"});
            if !container.is_null() {
                fields["container"] = container;
            }
            fields
        };
        let request = complete(fields(Value::Null), &files(None, Some(sole))).unwrap();
        assert_eq!(
            (request.image("x", true), request.image("x", false)),
            (Some(&"app:4".into()), None)
        );
        let request = complete(fields(json!("app")), &files(None, Some(sole))).unwrap();
        assert_eq!(
            (request.images, request.sole_image),
            (images(&[("app", "app:4")]), None)
        );
        // Without variables nothing is filled, and a shell's places stay.
        let text = DEPLOYMENT.replace("'app:${TAG}'", "'app:1', args: ['${HOME}']");
        let request = complete(json!({"manifest": "a.yaml"}), &files(Some(&text), None)).unwrap();
        assert!(request.manifest.unwrap().to_string().contains("${HOME}"));
    }

    #[test]
    fn faults_of_files_and_variables_are_told_together() {
        let told = |fields: Value, files: &Files| {
            let faults = complete(fields, files).unwrap_err().into_iter();
            let lines = faults.map(|fault| format!("`{}` {}", fault.field, fault.problem));
            lines.collect::<Vec<_>>().join("\n")
        };
        let none = files(Some(DEPLOYMENT), None);
        insta::assert_snapshot!(told(json!({"manifest": "a.yaml"}), &none), @r#"`manifest.spec.template.spec.containers[0].image` is `app:${TAG}`: the place of a variable is filled only where `variables` are given"#);
        let fields = json!({"manifest": "a.yaml", "variables": {"TGA": "1", "X": "2"}});
        insta::assert_snapshot!(told(fields, &none), @r#"
        `manifest.spec.template.spec.containers[0].image` has `${TAG}`, and `variables` has no TAG. Where the text itself is meant, write `$${TAG}`
        `variables.TGA` has no place in the manifest: no string in it has `${TGA}` (keys are not filled)
        `variables.X` has no place in the manifest: no string in it has `${X}` (keys are not filled)
        "#);
        let fields = json!({"deployment": "other", "manifest": "Source::a.yaml"});
        insta::assert_snapshot!(told(fields, &none), @r#"`manifest` names `Source::a.yaml`, which has no Deployment `other`; it has `Deployment/web`"#);
        let fields = json!({"manifest": "a.yaml", "images": "Build::b.json",
            "variables": {"TAG": "1"}});
        let broken = files(Some(DEPLOYMENT), Some(r#"[{"name": "app"}, {"name": 1}]"#));
        insta::assert_snapshot!(told(fields, &broken), @r#"
        `images[0]` of `Build::b.json` must be {"name": "web", "imageUri": "…"}
        `images[1]` of `Build::b.json` must be {"name": "web", "imageUri": "…"}
        "#);
        let fields = json!({"deployment": "web", "restart": true, "variables": {"1A": 2, "B": "#{x}"},
            "mode": "dry"});
        insta::assert_snapshot!(told(fields, &none), @r#"
        `variables` fill places in a manifest, and there is no `manifest`
        `variables.1A` is no name of a variable: letters, digits and `_`, no digit first
        `variables.1A` must be a string, and is a number
        `variables.B` has a variable that CodePipeline did not fill in: `#{x}`. The action that gives it needs a `namespace` and must come earlier in the pipeline
        `mode` must be `deploy` or `plan`, and is `dry`
        "#);
        let broken = files(Some("a: [\n"), None);
        insta::assert_snapshot!(told(json!({"manifest": "a.yaml"}), &broken), @r#"`manifest` names `a.yaml`, which is no valid YAML: while parsing a node, did not find expected node content (line 2)"#);
    }
}
