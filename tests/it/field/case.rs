//! A case as it stands in its file.

use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::AwsFault;
use landfall_sandbox::world::{Barred, Behaviour, Mutation, Refusal, Script, World};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the pods of a new version run.
pub const NEW_IMAGE: &str = "registry.example.com/web:2";
/// What the pods run that are there.
pub const OLD_IMAGE: &str = "registry.example.com/web:1";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Case {
    /// What happened to whom.
    pub about: String,
    /// Where it was reported in public.
    pub source: String,
    #[serde(default)]
    pub on: On,
    #[serde(default)]
    pub given: Given,
    pub expected: Expected,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// The pure core and the sandbox's world, in simulated time.
    #[default]
    Time,
    /// The real function and the sandbox, in real time.
    Door,
    /// The real function and the real control plane.
    Real,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Given {
    /// Merged into the Deployment `web` that is there.
    pub deployment: Value,
    /// Whether there is no Deployment before.
    pub nothing: bool,
    /// Whether the Service `web` is there, too.
    pub service: bool,
    /// More objects, as they are applied.
    pub objects: Vec<Value>,
    /// Labels of the namespace, where the cluster is real.
    pub namespace_labels: Value,
    /// Merged into the usual user parameters; or a text that takes their place.
    pub parameters: Value,
    /// What new pods show: see `Script` in the sandbox.
    pub pods: Value,
    /// The same of pods that the version before gets from the deploy on; those that are there stay.
    pub old_pods: Value,
    /// What pods of the new image show in the deploys before this one, in simulated time.
    pub former_pods: Value,
    /// Merged into the spec of new pods.
    pub pod_spec: Value,
    pub log: String,
    pub events: Vec<Value>,
    pub barred: Option<Bar>,
    /// Seconds that things take: `observe` (a controller that is slow, or away), `termination`.
    pub timing: BTreeMap<String, f64>,
    pub refusals: Vec<Refused>,
    /// What mutating webhooks make of what is written.
    pub mutations: Vec<Mutated>,
    /// The states of CloudWatch alarms, in simulated time: `ok`, `alarm`, `nodata`; `gone`, `denied`,
    /// `throttled` or `down` where they cannot be read. Each with the second from which it is so,
    /// counted from the beginning of the first deploy.
    pub alarms: BTreeMap<String, Vec<(f64, String)>>,
    /// How AWS fails.
    pub aws: Vec<Failing>,
    /// Verbs that the token lacks: `"patch deployments"`.
    pub forbidden: Vec<String>,
    /// Parameters of deploys before this one, each merged into the usual ones.
    pub before: Vec<Value>,
    /// Seconds after which the function of the last of these died, in simulated time; or of each.
    pub died: Option<Died>,
    /// Seconds between that and this one, in simulated time.
    pub pause: f64,
    /// What others do before it.
    pub prepared: Vec<Edit>,
    /// What others do meanwhile.
    pub edits: Vec<Edit>,
    /// Seconds that the function's clock is ahead of the cluster's, in simulated time.
    pub ahead: f64,
    /// Seconds that an invocation lasts.
    pub life: Option<f64>,
    /// Variables of the function; null takes one away.
    pub environment: BTreeMap<String, Option<String>>,
    /// What is stored as the token, and what the cluster takes.
    pub token: Option<String>,
    /// What is given as the CA; `${CA}` and its forms stand for the cluster's.
    pub ca: Option<String>,
    pub artifacts: Vec<Artifact>,
    /// Merged into the event's `data`.
    pub event: Value,
    /// How often it is deployed, one after the other; the last time is judged.
    pub times: Option<usize>,
    /// Texts that must be found nowhere, in no spelling.
    pub secrets: Vec<String>,
}

/// Pods that cannot be created.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    message: String,
    seconds: f64,
    #[serde(default)]
    room: usize,
}

/// Requests that the API server refuses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Refused {
    #[serde(default)]
    method: Option<String>,
    resource: String,
    /// What the body must have in it.
    #[serde(default)]
    having: String,
    #[serde(default)]
    trials_only: bool,
    #[serde(default)]
    skip: u32,
    #[serde(default)]
    from: Option<f64>,
    #[serde(default)]
    until: Option<f64>,
    status: u16,
    #[serde(default)]
    reason: String,
    message: String,
    /// How much is said beside it.
    #[serde(default)]
    more: Option<More>,
}

/// A text that is said so many times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    repeat: String,
    times: usize,
}

/// A webhook that changes what is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutated {
    resource: String,
    /// One image, and what it is replaced by.
    #[serde(default)]
    image: Option<(String, String)>,
    /// What every container gets that it has not.
    #[serde(default)]
    container: Value,
}

/// Requests to AWS that fail: `throttled`, `denied`, `key-denied`, `expired`, `unavailable`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failing {
    /// What is in their target: `S3`, `GetParameters`.
    pub of: String,
    how: String,
    #[serde(default = "always")]
    pub times: u32,
}

fn always() -> u32 {
    1000
}

impl Failing {
    pub fn fault(&self) -> AwsFault {
        match self.how.as_str() {
            "throttled" => AwsFault::Throttling,
            "denied" => AwsFault::AccessDenied,
            "key-denied" => AwsFault::KmsAccessDenied,
            "expired" => AwsFault::ExpiredToken,
            "unavailable" => AwsFault::Unavailable,
            other => panic!("AWS does not fail by `{other}`"),
        }
    }
}

/// What somebody else does, so many seconds after our first write.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    #[serde(default)]
    pub at: f64,
    /// The field manager: `kubectl-edit`, `argocd-controller`.
    #[serde(default)]
    pub by: String,
    pub resource: String,
    pub name: String,
    #[serde(default)]
    pub subresource: Option<String>,
    /// A strategic merge patch, a JSON patch, or null: the object is deleted.
    #[serde(default)]
    pub patch: Value,
    /// The whole object, which is created.
    #[serde(default)]
    pub create: Value,
}

/// After how many seconds the functions of deploys died.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Died {
    Last(f64),
    Each(Vec<Option<f64>>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    pub name: String,
    /// Members of a ZIP file.
    #[serde(default)]
    pub files: BTreeMap<String, Content>,
    /// The object as it is in S3.
    #[serde(default)]
    pub content: Option<Content>,
    /// Whether it is not there any more.
    #[serde(default)]
    pub gone: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Content {
    Text(String),
    Hex {
        hex: String,
    },
    Json {
        json: Value,
    },
    /// UTF-16 with a byte order mark, as PowerShell writes it.
    Wide {
        utf16: String,
    },
    /// A long text, `NUMBER` in each of its parts another.
    Long {
        repeat: String,
        times: usize,
        before: String,
    },
}

impl Content {
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Content::Text(text) => text.clone().into_bytes(),
            Content::Json { json } => json.to_string().into_bytes(),
            Content::Hex { hex } => {
                let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                (0..hex.len()).step_by(2).map(digit).collect()
            }
            Content::Wide { utf16 } => {
                let units = std::iter::once(0xfeff).chain(utf16.encode_utf16());
                units.flat_map(u16::to_le_bytes).collect()
            }
            Content::Long {
                repeat,
                times,
                before,
            } => {
                let parts = (0..*times).map(|number| repeat.replace("NUMBER", &number.to_string()));
                let parts = parts.collect::<String>();
                format!("{before}{parts}").into_bytes()
            }
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Expected {
    /// `success`, or the type of failure.
    pub end: String,
    /// The section of `docs/operations.md`.
    #[serde(default)]
    pub section: Option<String>,
    /// What the first line of the report must have in it.
    #[serde(default)]
    pub first: Vec<String>,
    /// What the report must have in it, and what not.
    #[serde(default)]
    pub has: Vec<String>,
    #[serde(default)]
    pub not: Vec<String>,
    /// What the log must have in it.
    #[serde(default)]
    pub logged: Vec<String>,
    /// How many outages are counted.
    #[serde(default)]
    pub outages: Option<u64>,
    /// The second by which it is reported, and before which it is not.
    #[serde(default)]
    pub by: Option<f64>,
    #[serde(default)]
    pub from: Option<f64>,
    /// Writes that were carried out.
    #[serde(default)]
    pub writes: Option<usize>,
    /// `deployments/web` → the fields of `spec` that are Landfall's in the real cluster's notes.
    #[serde(default)]
    pub owned: BTreeMap<String, Vec<String>>,
    /// `deployments/web` → JSON pointer → value; null for an object or field that is not there.
    #[serde(default)]
    pub world: BTreeMap<String, Option<BTreeMap<String, Value>>>,
}

impl Refused {
    fn message(&self) -> String {
        let more = self.more.as_ref();
        let more = more.map(|more| more.repeat.repeat(more.times));
        format!("{}{}", self.message, more.unwrap_or_default())
    }
}

impl Given {
    /// The Deployment that is there.
    pub fn deployment(&self) -> Value {
        let mut deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:1",
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}}}]}}}});
        merge(&mut deployment, &self.deployment);
        deployment
    }

    /// All that is there before the deploy.
    pub fn objects(&self) -> Vec<Value> {
        let mut all = Vec::new();
        if !self.nothing {
            all.push(self.deployment());
        }
        if self.service {
            all.push(json!({"apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}}));
        }
        all.extend(self.objects.iter().cloned());
        all
    }

    /// The user parameters as they stand in the event.
    pub fn parameters(&self) -> String {
        if let Value::String(text) = &self.parameters {
            return text.clone();
        }
        let mut parameters = json!({"deployment": "web", "images": {"web": NEW_IMAGE}});
        merge(&mut parameters, &self.parameters);
        parameters.to_string()
    }

    /// The user parameters of a deploy before it.
    pub fn former(&self, difference: &Value) -> Given {
        let mut usual: Value = serde_json::from_str(&self.parameters()).unwrap();
        merge(&mut usual, difference);
        Given {
            parameters: Value::String(usual.to_string()),
            ..self.clone()
        }
    }

    pub fn script(&self) -> Option<Script> {
        if self.pods.is_null() && self.barred.is_none() {
            return None;
        }
        let ready = json!([[0, "creating"], [1, "ready"]]);
        let pods = if self.pods.is_null() {
            &ready
        } else {
            &self.pods
        };
        Some(Script {
            spec: self.pod_spec.clone(),
            log: self.log.clone(),
            events: self.events.clone(),
            barred: self.barred.as_ref().map(|bar| Barred {
                message: bar.message.clone(),
                lasts: seconds(bar.seconds),
                room: bar.room,
            }),
            ..Script::read(pods)
        })
    }

    /// Prepares a world, in which the objects are applied beside this.
    pub fn prepare(&self, world: &mut World) {
        if let Some(script) = self.script() {
            world.behave(NEW_IMAGE, Behaviour::Scripted(Arc::new(script)));
        }
        for pair in &self.forbidden {
            let (verb, resource) = pair.split_once(' ').unwrap();
            world.forbid(verb, resource);
        }
        for mutated in &self.mutations {
            world.mutate(Mutation {
                resource: mutated.resource.clone(),
                image: mutated.image.clone(),
                container: mutated.container.clone(),
            });
        }
    }

    /// What is so from the deploy on: how slow things are, and what becomes of the version before.
    pub fn begin(&self, world: &mut World) {
        if !self.old_pods.is_null() {
            let script = Script::read(&self.old_pods);
            world.behave(OLD_IMAGE, Behaviour::Scripted(Arc::new(script)));
        }
        for (name, value) in &self.timing {
            let timing = world.timing();
            match name.as_str() {
                "observe" => timing.observe = seconds(*value),
                "termination" => timing.termination = seconds(*value),
                other => panic!("no time is called {other}"),
            }
        }
    }

    /// After how many seconds the function of the deploy `index` of those before died.
    pub fn died(&self, index: usize) -> Option<f64> {
        match self.died.as_ref()? {
            Died::Last(after) => (index + 1 == self.before.len()).then_some(*after),
            Died::Each(all) => *all.get(index)?,
        }
    }

    /// What the API server refuses, for a deploy that begins now.
    pub fn refusals(&self, now: Timestamp) -> Vec<Refusal> {
        let rule = |refused: &Refused| Refusal {
            method: refused.method.clone(),
            resource: refused.resource.clone(),
            having: refused.having.clone(),
            trials_only: refused.trials_only,
            skip: refused.skip,
            from: refused.from.map(|from| now + seconds(from)),
            until: refused.until.map(|until| now + seconds(until)),
            status: refused.status,
            reason: refused.reason.clone(),
            message: refused.message(),
        };
        self.refusals.iter().map(rule).collect()
    }
}

pub fn seconds(number: f64) -> SignedDuration {
    SignedDuration::from_secs_f64(number)
}

/// A merge patch: <https://www.rfc-editor.org/rfc/rfc7386>
pub fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        if !patch.is_null() {
            target.clone_from(patch);
        }
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}
