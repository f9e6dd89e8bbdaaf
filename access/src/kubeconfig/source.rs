//! A context of the user's own kubeconfig, and who the function will be in its cluster.

use crate::command::Tools;
use crate::failure::Refusal;
use crate::options::{Options, check_namespace};
use crate::target::{Target, far, pem};
use landfall_core::eks::EksCluster;
use landfall_core::kubeconfig::{Kubeconfig, KubeconfigUser};
use landfall_core::outcome::{
    ExecProblem, KubeconfigEntry, KubeconfigError, KubeconfigFault, KubeconfigProblem,
};
use landfall_core::report::kubeconfig_faults;
use serde_json::{Map, Value, json};

/// Variables and an option that name something of the user's machine.
const OF_THE_MACHINE: [&str; 6] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CA_BUNDLE",
];
const PROFILE: &str = "--profile";

/// Who the function is in a cluster.
#[derive(Clone, PartialEq)]
pub(crate) enum User {
    /// The function's role, or one that it assumes.
    Iam(EksCluster),
    /// The user's own client certificate.
    Certificate,
    /// The ServiceAccount of `deploy/rbac.yaml`, by its token.
    Account,
}

/// A context, with everything inline. It has secrets, so it is never printed.
pub(crate) struct Source {
    pub(crate) target: Target,
    pub(crate) cluster_name: String,
    pub(crate) cluster: Map<String, Value>,
    /// The credential that is taken over; empty for a ServiceAccount.
    pub(crate) credential: Map<String, Value>,
    pub(crate) user: User,
    pub(crate) remarks: Vec<String>,
}

impl Source {
    /// Reads a context. `region` is the AWS CLI's.
    pub(crate) async fn read(
        tools: &Tools,
        options: &Options,
        certificates: bool,
        region: Option<&str>,
    ) -> Result<Source, Refusal> {
        let words = [
            "config",
            "view",
            "--raw",
            "--minify",
            "--flatten",
            "-o=json",
        ];
        let printed = tools.kubectl(&words).ask(None).await?;
        let config: Value = serde_json::from_str(&printed).unwrap_or_default();
        Source::parse(&config, options.namespace(), certificates, region)
    }

    fn parse(
        config: &Value,
        namespace: Option<&str>,
        certificates: bool,
        region: Option<&str>,
    ) -> Result<Source, Refusal> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let context = &config["contexts"][0];
        let chosen = text(&context["context"]["namespace"]);
        let chosen = Some(&*chosen).filter(|name| !name.is_empty());
        let namespace = namespace.or(chosen).unwrap_or("default");
        check_namespace(namespace).map_err(|why| Refusal::own(why, "Name it with --namespace."))?;
        let cluster = object(&config["clusters"][0]["cluster"]);
        let server = text(&config["clusters"][0]["cluster"]["server"]);
        let mut source = Source {
            target: Target {
                context: text(&context["name"]),
                namespace: namespace.to_owned(),
                home: namespace.to_owned(),
                ca: cluster.get("certificate-authority-data").and_then(pem),
                warnings: far(&server).into_iter().collect(),
                server,
            },
            cluster_name: text(&config["clusters"][0]["name"]),
            cluster,
            credential: Map::new(),
            user: User::Account,
            remarks: Vec::new(),
        };
        source.choose(&object(&config["users"][0]["user"]), certificates)?;
        source.name_the_region(region);
        Ok(source)
    }

    /// Chooses who the function is: itself where it can be, else what the user allows.
    fn choose(&mut self, own: &Map<String, Value>, certificates: bool) -> Result<(), Refusal> {
        if let Some(exec) = own.get("exec").and_then(Value::as_object) {
            self.credential = Map::from_iter([("exec".to_owned(), self.portable(exec))]);
        } else if certificates {
            let fields = ["client-certificate-data", "client-key-data"];
            let found = fields
                .iter()
                .filter_map(|field| Some(((*field).to_owned(), own.get(*field)?.clone())));
            self.credential = found.collect();
        }
        let faults = match self.try_it() {
            Ok(KubeconfigUser::Eks(cluster)) => {
                self.user = User::Iam(cluster);
                return Ok(());
            }
            Ok(KubeconfigUser::Certificate(_)) => {
                self.user = User::Certificate;
                self.remarks.push(
                    "your own client certificate is taken: the function may do whatever you may, \
                     and nobody can revoke it before it ends"
                        .to_owned(),
                );
                return Ok(());
            }
            Ok(KubeconfigUser::Token(_)) => return Ok(()),
            Err(faults) => faults,
        };
        let other = faults.iter().find_map(|fault| {
            if let KubeconfigProblem::Exec(ExecProblem::Command(name)) = &fault.problem {
                Some(name.clone())
            } else {
                None
            }
        });
        if let Some(name) = other {
            self.credential = Map::new();
            self.remarks.push(format!(
                "you sign in by {}, which the function cannot run: it is the ServiceAccount \
                 instead",
                name.as_deref().unwrap_or("a program")
            ));
        }
        // Without a credential of its own the ServiceAccount's token is put in later.
        let of_user = |fault: &&KubeconfigFault| matches!(fault.entry, KubeconfigEntry::User(_));
        let later = self.credential.is_empty();
        let faults: Vec<_> = faults
            .iter()
            .filter(|fault| !(later && of_user(fault)))
            .cloned()
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        Err(refusal(&self.target.context, faults))
    }

    /// Reads what is there so far as the function reads it.
    fn try_it(&self) -> Result<KubeconfigUser, Vec<KubeconfigFault>> {
        let config = json!({
            "contexts": [{"name": &self.target.context, "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": &self.cluster}],
            "users": [{"name": "u", "user": &self.credential}]
        });
        let selected = Kubeconfig::read(&config.to_string()).and_then(|it| it.select(None));
        match selected {
            Ok(selected) => Ok(selected.user),
            Err(KubeconfigError::Context { faults, .. }) => Err(faults),
            Err(_) => Err(Vec::new()),
        }
    }

    /// The stanza without what names something of the user's machine.
    fn portable(&mut self, exec: &Map<String, Value>) -> Value {
        let mut dropped = Vec::new();
        let mut kept = Map::new();
        for field in ["apiVersion", "command", "interactiveMode"] {
            kept.extend(
                exec.get(field)
                    .map(|value| (field.to_owned(), value.clone())),
            );
        }
        let mut args = Vec::new();
        let given = exec.get("args").and_then(Value::as_array);
        let mut given = given.into_iter().flatten();
        while let Some(word) = given.next() {
            match word.as_str() {
                Some(PROFILE) => {
                    given.next();
                    dropped.push(PROFILE.to_owned());
                }
                Some(word) if word.starts_with("--profile=") => dropped.push(PROFILE.to_owned()),
                _ => args.push(word.clone()),
            }
        }
        kept.insert("args".to_owned(), Value::Array(args));
        let given = exec.get("env").and_then(Value::as_array);
        let (machine, env): (Vec<&Value>, Vec<&Value>) = given
            .into_iter()
            .flatten()
            .partition(|one| OF_THE_MACHINE.iter().any(|name| one["name"] == *name));
        dropped.extend(
            machine
                .iter()
                .filter_map(|one| one["name"].as_str())
                .map(str::to_owned),
        );
        if !env.is_empty() {
            kept.insert("env".to_owned(), json!(env));
        }
        if !dropped.is_empty() {
            self.remarks.push(format!(
                "{} is left out: the function has no such thing, and uses its own role",
                dropped.join(" and ")
            ));
        }
        Value::Object(kept)
    }

    /// Where nothing names the cluster's region, the AWS CLI's is written down: the function may be
    /// in another.
    fn name_the_region(&mut self, region: Option<&str>) {
        let User::Iam(cluster) = &mut self.user else {
            return;
        };
        let (None, Some(region)) = (&cluster.region, region) else {
            return;
        };
        cluster.region = Some(region.to_owned());
        if let Some(exec) = self
            .credential
            .get_mut("exec")
            .and_then(Value::as_object_mut)
        {
            let env = exec.entry("env").or_insert_with(|| json!([]));
            if let Some(env) = env.as_array_mut() {
                env.push(json!({"name": "AWS_REGION", "value": region}));
            }
        }
        self.remarks.push(format!(
            "nothing names the cluster's region, so {region} is written down, your AWS CLI's"
        ));
    }
}

/// What is wrong with a context, in the words of the function's own reports.
pub(crate) fn refusal(context: &str, faults: Vec<KubeconfigFault>) -> Refusal {
    let error = KubeconfigError::Context {
        name: context.to_owned(),
        faults,
    };
    Refusal::own(
        format!(
            "the function could not use context {context}: {}",
            kubeconfig_faults(&error).join("; ")
        ),
        "Correct it in your kubeconfig, or leave the context out.",
    )
}
