//! The user parameters of the pipeline's action: raw text in, a checked [`Request`] out, or every
//! fault at once, each by its field's name.

use crate::job::Parameters;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The shortest and the longest `timeout`. CodePipeline gives a Lambda action 24 hours in all.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
const TIMEOUT_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));

/// The `timeout` where none is given.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// How many characters around a syntax error are shown.
const EXCERPT: usize = 30;

/// The longest `execution`: CodePipeline's are 36 characters, other callers may use words.
const EXECUTION_LIMIT: usize = 128;

/// The fields of the contract, in the order in which the documentation lists them.
const FIELDS: [&str; 12] = [
    "deployment",
    "namespace",
    "images",
    "env",
    "container",
    "manifest",
    "method",
    "restart",
    "strategy",
    "timeout",
    "rollback",
    "execution",
];

/// What a job asks for, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The Deployment's name.
    pub deployment: String,
    /// Its namespace.
    pub namespace: String,
    /// Container name to image.
    pub images: BTreeMap<String, String>,
    /// Variable to value; `None` removes it.
    pub env: BTreeMap<String, Option<Hidden>>,
    /// The one container that gets `env`; `None` for all.
    pub container: Option<String>,
    /// A whole Deployment.
    pub manifest: Option<Value>,
    /// How the change is written.
    pub method: Method,
    /// Roll the pods even where nothing changed.
    pub restart: bool,
    /// How the new version takes over.
    pub strategy: Strategy,
    /// For the whole deploy.
    pub timeout: Duration,
    /// On failure bring the previous version back.
    pub rollback: bool,
    /// Who deploys: the pipeline's execution, else the job.
    pub execution: String,
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

/// How the new version takes over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strategy {
    /// Kubernetes' own rolling update.
    Rolling,
}

impl Strategy {
    /// The name as the user parameters have it.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Rolling => "rolling",
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
    /// Checks the user parameters. `job` stands in where no `execution` is given.
    pub fn parse(parameters: &Parameters, job: &str) -> Result<Request, Vec<Fault>> {
        let fields = object(parameters).map_err(|fault| vec![fault])?;
        let mut check = Check {
            fields,
            faults: Vec::new(),
        };
        let request = check.request(job);
        match request {
            Some(request) if check.faults.is_empty() => Ok(request),
            _ => Err(check.faults),
        }
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
        let mut names = names.chain(self.images.keys()).chain(self.images.values());
        value == "true" || value == "false" || names.any(|name| name.contains(value))
    }
}

/// The values of all variables in a manifest.
fn manifest_values(manifest: &Value) -> Vec<&str> {
    let spec = manifest.pointer("/spec/template/spec");
    ["containers", "initContainers"]
        .iter()
        .filter_map(|list| spec?.get(list)?.as_array())
        .flatten()
        .filter_map(|container| container.get("env")?.as_array())
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
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(fault(format!(
            "must be one JSON object such as {EXAMPLE}, and are `{}`",
            excerpt(text, 0)
        ))),
        Err(_) if !text.trim_start().starts_with('{') => Err(fault(format!(
            "must be one JSON object such as {EXAMPLE}, and begin with `{}`",
            excerpt(text, 0)
        ))),
        Err(error) => Err(fault(syntax(text, &error))),
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
    let position = (line_start + error.column().saturating_sub(1)).min(text.len());
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    let character = text
        .char_indices()
        .take_while(|(start, _)| *start < position)
        .count();
    format!(
        "are no valid JSON at character {}: {what}, at the arrow in `{}`. CodePipeline puts the \
         value of a #{{variable}} into the text as it is and escapes nothing: a quote, a backslash \
         or a line break in a value (a commit message, say) breaks the JSON. Use variables whose \
         values have none of them, such as a commit id",
        character + 1,
        excerpt(text, position)
    )
}

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
struct Check {
    fields: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Check {
    /// Looks at every field, also after a fault. `None` where a field that all need is missing.
    fn request(&mut self, job: &str) -> Option<Request> {
        self.unknown_fields();
        let manifest = self.manifest();
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
        let images = self.images();
        let env = self.env();
        let container = self.container(!env.is_empty());
        let method = self.method(manifest.is_some());
        let restart = self.flag("restart", false);
        let rollback = self.flag("rollback", true);
        let strategy = self.strategy();
        let timeout = self.timeout();
        let execution = self.execution(job);
        let changes_something = self
            .fields
            .keys()
            .any(|field| ["images", "env", "manifest", "restart"].contains(&field.as_str()));
        if !changes_something {
            self.fault(
                "UserParameters",
                "change nothing: give `images`, `env`, a `manifest` or `restart`",
            );
        }
        Some(Request {
            deployment: deployment?,
            namespace,
            images,
            env,
            container,
            manifest,
            method,
            restart,
            strategy,
            timeout,
            rollback,
            execution,
        })
    }

    fn fault(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.faults.push(Fault::new(field, problem));
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
                Some(meant) => format!("is unknown; did you mean `{meant}`?"),
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
                let problem = format!("must be a text in quotes, and is {}", kind(other));
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
                if !self.fields.contains_key("deployment") {
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

    fn images(&mut self) -> BTreeMap<String, String> {
        let mut images = BTreeMap::new();
        for (container, image) in self.object("images", r#"{"container": "image"}"#) {
            let field = format!("images.{container}");
            if let Err(problem) = name_of(&container, 63, false) {
                self.fault(&field, format!("its container name {problem}"));
            }
            let Value::String(image) = image else {
                let problem = format!("must be an image in quotes, and is {}", kind(&image));
                self.fault(field, problem);
                continue;
            };
            match image_of(&image) {
                Ok(()) => _ = images.insert(container, image),
                Err(problem) => self.fault(field, problem),
            }
        }
        images
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
                        "must be a text in quotes, or null to remove it, and is {}",
                        kind(&other)
                    );
                    self.fault(field, problem);
                }
            }
        }
        env
    }

    fn container(&mut self, has_env: bool) -> Option<String> {
        let container = self.text("container")?;
        if let Err(problem) = name_of(&container, 63, false) {
            self.fault("container", problem);
        }
        if !has_env && !self.fields.contains_key("env") {
            self.fault(
                "container",
                "limits `env` to one container, and there is no `env`",
            );
        }
        Some(container)
    }

    fn manifest(&mut self) -> Option<Value> {
        let manifest = match self.fields.get("manifest")? {
            Value::Object(manifest) => Value::Object(manifest.clone()),
            Value::String(_) => {
                self.fault(
                    "manifest",
                    "is a path into an input artifact, which this version does not read; give the \
                     Deployment itself as a JSON object",
                );
                return None;
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                let problem = format!(
                    "must be a Deployment as a JSON object, and is {}",
                    kind(other)
                );
                self.fault("manifest", problem);
                return None;
            }
        };
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
        if manifest.pointer("/spec/paused") == Some(&Value::Bool(true)) {
            let problem = "must not be true: a paused Deployment rolls nothing out";
            self.fault("manifest.spec.paused", problem);
        }
        Some(manifest)
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

    fn strategy(&mut self) -> Strategy {
        match self.text("strategy").as_deref() {
            None | Some("rolling") => {}
            Some(later @ ("blueGreen" | "immutable")) => {
                let problem = format!("`{later}` is not in this version yet; it has `rolling`");
                self.fault("strategy", problem);
            }
            Some(other) => {
                let problem = format!("must be `rolling`, and is `{other}`");
                self.fault("strategy", problem);
            }
        }
        Strategy::Rolling
    }

    fn timeout(&mut self) -> Duration {
        let Some(text) = self.text("timeout") else {
            return DEFAULT_TIMEOUT;
        };
        let (shortest, longest) = TIMEOUT_RANGE;
        match duration(&text) {
            Some(timeout) if (shortest..=longest).contains(&timeout) => timeout,
            Some(_) => {
                self.fault(
                    "timeout",
                    format!("must be from 1s to 24h, and is `{text}`"),
                );
                DEFAULT_TIMEOUT
            }
            None => {
                let problem = format!("`{text}` is no duration; write 90s, 15m or 2h");
                self.fault("timeout", problem);
                DEFAULT_TIMEOUT
            }
        }
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
}

/// `90s`, `15m`, `2h`; also several together, `1h30m`.
fn duration(text: &str) -> Option<Duration> {
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
            "`{}` is no Kubernetes name: at most {limit} lower-case letters, digits{with}, \
             a letter or digit first and last",
            excerpt(name, 0)
        ))
    } else {
        Ok(())
    }
}

fn image_of(image: &str) -> Result<(), String> {
    if image.contains("#{") {
        Err(unresolved(image))
    } else if image.is_empty() {
        Err("is empty: the build stage gave no image".to_owned())
    } else if image.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Err("has white space in it; an image is written `registry/name:tag`".to_owned())
    } else {
        Ok(())
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
        Value::String(_) => "a text",
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
