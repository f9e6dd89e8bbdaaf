//! The command-line options.

mod values;

use crate::arn::{ClusterName, RoleArn};
use std::path::PathBuf;
use values::check_key;

pub(crate) use values::{
    USUAL_KEY, USUAL_LIFETIME, check_namespace, check_parameter, check_release, lifetime, seconds,
};

/// How the function gets into the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a ServiceAccount's token in SSM.
    #[default]
    Token,
    /// By its IAM role.
    Eks(EksWay),
    /// By a kubeconfig.
    Kubeconfig(KubeconfigWay),
    /// None: only the Roles for a release are printed.
    Release(ReleaseWay),
}

/// The cluster, and the role that calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EksWay {
    pub(crate) cluster: ClusterName,
    /// The role; without one `template.yaml` makes both the role and its access entry.
    pub(crate) role: Option<RoleArn>,
    /// Whether the function assumes that role, instead of having it.
    pub(crate) assumed: bool,
}

/// The kubeconfig that is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KubeconfigWay {
    /// The file; `-` for standard output.
    pub(crate) file: PathBuf,
    /// The SSM parameter, or the secret, that it is to be stored in.
    pub(crate) parameter: String,
    /// Whether client certificates of the user's own kubeconfig are taken.
    pub(crate) certificates: bool,
}

/// The release whose Roles are printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReleaseWay {
    /// The files, folders and globs of its manifests.
    pub(crate) paths: Vec<PathBuf>,
    /// Its name; `None` for that of its only workload.
    pub(crate) release: Option<String>,
    /// Whether its parameters have `prune`.
    pub(crate) prune: bool,
    /// Whether its parameters have `rollback: false`.
    pub(crate) no_rollback: bool,
}

/// The command-line options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) way: Way,
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The contexts; more than one only for a kubeconfig.
    pub(crate) contexts: Vec<String>,
    /// The namespaces; more than one only with a role.
    pub(crate) namespaces: Vec<String>,
    /// The namespace of the ServiceAccount that also gets permissions in this namespace.
    pub(crate) for_account: Option<String>,
    pub(crate) manifests: PathBuf,
    pub(crate) switching: bool,
    /// Whether StatefulSets and DaemonSets are deployed, too.
    pub(crate) workloads: bool,
    /// Whether the function renews its token, and the lifetime of the first one in seconds.
    pub(crate) rotation: Option<u64>,
    pub(crate) token_parameter: String,
    pub(crate) ca_parameter: String,
    pub(crate) key: Option<String>,
    /// Whether values of another account or cluster may be replaced.
    pub(crate) replace: bool,
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) apply: bool,
    pub(crate) help: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            way: Way::Token,
            kubeconfig: None,
            contexts: Vec::new(),
            namespaces: Vec::new(),
            for_account: None,
            manifests: "deploy".into(),
            switching: false,
            workloads: false,
            rotation: None,
            token_parameter: "k8s-bear-token".into(),
            ca_parameter: "k8s-ca".into(),
            key: None,
            replace: false,
            region: None,
            profile: None,
            apply: false,
            help: false,
        }
    }
}

impl Options {
    /// The first context.
    pub(crate) fn context(&self) -> Option<&str> {
        self.contexts.first().map(String::as_str)
    }

    /// The first namespace.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespaces.first().map(String::as_str)
    }

    /// Checks values, one by one.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(key) = &self.key {
            check_key(key)?;
        }
        for namespace in self.namespaces.iter().chain(&self.for_account) {
            check_namespace(namespace)?;
        }
        self.check_for_account()?;
        check_parameter("--token-parameter", &self.token_parameter)?;
        check_parameter("--ca-parameter", &self.ca_parameter)?;
        if self.token_parameter == self.ca_parameter {
            return Err("--token-parameter and --ca-parameter name the same parameter".into());
        }
        let contexts = self.contexts.iter().map(|context| ("--context", context));
        let region = self.region.iter().map(|region| ("--region", region));
        let profile = self.profile.iter().map(|profile| ("--profile", profile));
        for (option, value) in contexts.chain(region).chain(profile) {
            // The called program would read a value that begins with a dash as another option.
            if value.is_empty() || value.starts_with('-') {
                return Err(format!("{option} is `{value}`, which is no name"));
            }
        }
        self.check_repetitions()
    }

    fn check_repetitions(&self) -> Result<(), String> {
        for (option, values) in [
            ("--context", &self.contexts),
            ("--namespace", &self.namespaces),
        ] {
            let again = |(at, value): (usize, &String)| values[..at].contains(value);
            if values.iter().enumerate().any(again) {
                return Err(format!("{option} names the same twice"));
            }
        }
        Ok(())
    }

    /// With `--for-account` the account already has its token, so nothing else may be created or
    /// stored.
    fn check_for_account(&self) -> Result<(), String> {
        let Some(home) = &self.for_account else {
            return Ok(());
        };
        for (option, given, why) in [
            (
                "--rotation",
                self.rotation.is_some(),
                "a token is renewed in its account's namespace",
            ),
            ("--key-arn", self.key.is_some(), "nothing is stored"),
        ] {
            if given {
                return Err(format!(
                    "{option} does not go with --for-account {home}: {why}. Leave it out"
                ));
            }
        }
        Ok(())
    }
}
