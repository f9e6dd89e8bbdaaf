//! The user's own cluster, by a context of their kubeconfig. The function gets it in SSM, as it
//! would have it in AWS: with everything in it, as it has no files and starts no programs.

use crate::stage::{Stage, several::PARAMETER};
use landfall_sandbox::aws::ParameterKind;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How long a program may take: it may ask its user to sign in.
const PATIENCE: Duration = Duration::from_secs(120);

/// A context of a kubeconfig; without a file that of `kubectl`, without a name the current one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnCluster {
    pub(crate) file: Option<PathBuf>,
    pub(crate) context: Option<String>,
}

/// A kubeconfig with one context, and everything in it. It is not printed.
pub(crate) struct Packed(Value);

impl OwnCluster {
    /// Reads the context by `kubectl`, and what it refers to.
    pub(crate) async fn read(&self) -> Result<Packed, String> {
        let mut arguments: Vec<OsString> = Vec::new();
        for word in [
            "config",
            "view",
            "--raw",
            "--minify",
            "--flatten",
            "--output=json",
        ] {
            arguments.push(word.into());
        }
        let mut option = |name: &str, value: OsString| {
            let mut argument = OsString::from(format!("--{name}="));
            argument.push(value);
            arguments.push(argument);
        };
        if let Some(file) = &self.file {
            // kubectl takes a file that is not there for an empty one.
            if !file.exists() {
                return Err(format!(
                    "--kubeconfig {}: there is no such file",
                    file.display()
                ));
            }
            option("kubeconfig", file.into());
        }
        if let Some(context) = &self.context {
            option("context", context.into());
        }
        let printed = run("kubectl", &arguments, &[]).await;
        let printed = printed.map_err(|problem| match problem.contains("context") {
            true => format!("{problem}\n`kubectl config get-contexts` lists those there are"),
            false => problem,
        })?;
        let mut config: Value = serde_json::from_str(&printed)
            .map_err(|error| format!("kubectl printed no kubeconfig: {error}"))?;
        let Some(user) = config.pointer_mut("/users/0/user") else {
            let context = self.context.as_deref().unwrap_or("the current one");
            return Err(format!("context {context} has no cluster or no user"));
        };
        *user = packed(user).await?;
        Ok(Packed(config))
    }
}

/// The user with what its files and its program would give.
async fn packed(user: &Value) -> Result<Value, String> {
    if let Some(path) = user["tokenFile"].as_str() {
        let token = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        return Ok(json!({"token": token.trim()}));
    }
    let Some(program) = user["exec"]["command"].as_str() else {
        return Ok(user.clone());
    };
    let exec = &user["exec"];
    let texts = |field: &str| {
        let all = exec[field].as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(OsString::from)
    };
    let variables = exec["env"].as_array().into_iter().flatten();
    let variables =
        variables.filter_map(|one| Some((one["name"].as_str()?, one["value"].as_str()?)));
    let version = exec["apiVersion"].as_str().unwrap_or_default();
    let info = json!({"apiVersion": version, "kind": "ExecCredential",
        "spec": {"interactive": false}});
    let info = info.to_string();
    let asked = [("KUBERNETES_EXEC_INFO", &*info)];
    let variables = variables.chain(asked).collect::<Vec<_>>();
    let arguments = texts("args").collect::<Vec<_>>();
    let printed = run(program, &arguments, &variables).await?;
    let credential: Value = serde_json::from_str(&printed).unwrap_or_default();
    let status = &credential["status"];
    match (
        &status["token"],
        &status["clientCertificateData"],
        &status["clientKeyData"],
    ) {
        (Value::String(token), _, _) => Ok(json!({"token": token})),
        (_, Value::String(certificate), Value::String(key)) => Ok(json!({
            "client-certificate-data": encoded(certificate),
            "client-key-data": encoded(key),
        })),
        _ => Err(format!(
            "{program}, which the context names, printed no credential"
        )),
    }
}

fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Runs a program of the user; its own words are the error. What it prints is a secret.
async fn run(
    program: &str,
    arguments: &[OsString],
    variables: &[(&str, &str)],
) -> Result<String, String> {
    let problem = |error: io::Error| match error.kind() == io::ErrorKind::NotFound {
        true => format!("{program} is not installed, or not in the PATH"),
        false => format!("{program}: {error}"),
    };
    let child = Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, child).await;
    let output = output.map_err(|_| format!("{program} does not end"))?;
    let output = output.map_err(problem)?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{program}: {}", said.trim()))
        }
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Packed")
    }
}

impl Stage {
    /// Uses the user's own cluster.
    pub(crate) async fn of_own(config: &Packed) -> io::Result<Stage> {
        let variable = ("KUBECONFIG_PARAMETER".to_owned(), PARAMETER.to_owned());
        let stage = Stage::with(vec![variable], None).await?;
        let text = config.0.to_string();
        stage
            .aws
            .put_parameter(PARAMETER, &text, ParameterKind::SecureString);
        Ok(stage)
    }
}
