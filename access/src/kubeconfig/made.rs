//! The kubeconfig that is made: its text, where it fits, and the commands that store it.

use super::source::{Source, User};
use crate::command::{Command, Tools, quoted};
use crate::failure::Refusal;
use crate::options::KubeconfigWay;
use crate::token::Token;
use landfall_core::kubeconfig::Kubeconfig;
use landfall_core::report::kubeconfig_faults;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The largest values of a standard and an advanced parameter, and of a secret, in bytes.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html>
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
const STANDARD_TIER: usize = 4096;
const ADVANCED_TIER: usize = 8192;
const SECRET: usize = 65_536;
/// By this path SSM reads a secret.
const BY_SSM: &str = "/aws/reference/secretsmanager";

/// Writes the kubeconfig, and reads it as the function does.
///
/// # Errors
///
/// The function could not use it.
pub(crate) fn text(sources: &[Source], tokens: &[Option<Token>]) -> Result<String, Refusal> {
    let names = sources.iter().map(|source| &source.cluster_name);
    let mut clusters = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        if !names
            .clone()
            .take(at)
            .any(|name| *name == source.cluster_name)
        {
            clusters.push(json!({"name": source.cluster_name, "cluster": source.cluster}));
        }
    }
    let contexts = sources.iter().map(|source| {
        let name = &source.target.context;
        json!({"name": name, "context": {"cluster": source.cluster_name, "user": name,
            "namespace": source.target.namespace}})
    });
    let users = sources.iter().zip(tokens).map(|(source, token)| {
        let user = match token {
            Some(token) => Map::from_iter([("token".to_owned(), token.reveal().into())]),
            None => source.credential.clone(),
        };
        json!({"name": source.target.context, "user": user})
    });
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": sources.first().map(|source| &source.target.context),
        "clusters": clusters,
        "contexts": contexts.collect::<Vec<_>>(),
        "users": users.collect::<Vec<_>>()
    });
    let mut text = String::new();
    emit(&config, 0, &mut text);
    if text.len() > SECRET {
        return Err(Refusal::own(
            format!(
                "it has {} bytes, and nothing holds more than {SECRET}",
                text.len()
            ),
            "Make one of fewer contexts, and a function for each.",
        ));
    }
    let read = Kubeconfig::read(&text).and_then(|read| {
        let contexts = sources.iter().map(|source| Some(&*source.target.context));
        contexts
            .map(|context| read.select(context))
            .collect::<Result<Vec<_>, _>>()
    });
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(Refusal::own(
            format!(
                "the function could not use it: {}",
                kubeconfig_faults(&error).join("; ")
            ),
            "Leave that context out.",
        )),
    }
}

/// Where it fits, and the command that stores it there.
pub(crate) fn store(tools: &Tools, way: &KubeconfigWay, key: Option<&str>, size: usize) -> String {
    let file = format!("file://{}", way.file.display());
    let value = if is_pipe(way) {
        "file:///dev/stdin"
    } else {
        &file
    };
    let name = &*way.parameter;
    let command = if size > ADVANCED_TIER {
        let name = name.trim_start_matches('/');
        let mut words = vec!["secretsmanager", "create-secret", "--name", name];
        words.extend(key.iter().flat_map(|key| ["--kms-key-id", *key]));
        tools.aws(&[&words[..], &["--secret-string", value]].concat())
    } else {
        parameter(tools, name, key, size > STANDARD_TIER, value)
    };
    let place = if size > ADVANCED_TIER {
        "a secret of Secrets Manager, which holds 64 KB"
    } else if size > STANDARD_TIER {
        "an advanced SSM parameter, which holds 8 KB"
    } else {
        "a standard SSM parameter, which is free and holds 4 KB"
    };
    format!("It has {size} bytes, and fits {place}:\n  {command}")
}

fn parameter(tools: &Tools, name: &str, key: Option<&str>, advanced: bool, value: &str) -> Command {
    let mut words = vec!["ssm", "put-parameter", "--overwrite", "--name", name];
    words.extend(["--type", "SecureString"]);
    words.extend(key.iter().flat_map(|key| ["--key-id", *key]));
    if advanced {
        words.extend(["--tier", "Advanced"]);
    }
    words.extend(["--value", value]);
    tools.aws(&words)
}

/// The stack's parameters for it.
pub(crate) fn parameters(
    way: &KubeconfigWay,
    key: Option<&str>,
    sources: &[Source],
    size: usize,
) -> Vec<String> {
    let name = match size > ADVANCED_TIER {
        true => format!("{BY_SSM}/{}", way.parameter.trim_start_matches('/')),
        false => way.parameter.clone(),
    };
    let mut parameters = vec![format!("KubeconfigParameter={name}")];
    let mut roles: Vec<&str> = Vec::new();
    for source in sources {
        if let User::Iam(cluster) = &source.user
            && let Some(role) = &cluster.role
            && !roles.contains(&&*role.arn)
        {
            roles.push(&role.arn);
        }
    }
    if !roles.is_empty() {
        parameters.push(format!("KubeconfigRoleArns={}", roles.join(",")));
    }
    parameters.extend(key.map(|key| format!("KeyArn={key}")));
    parameters
}

/// What makes the access entry of a context's role.
pub(crate) fn entry_line(source: &Source) -> Option<String> {
    let User::Iam(cluster) = &source.user else {
        return None;
    };
    let mut words = vec![format!("--eks-cluster {}", cluster.name)];
    words.extend(
        cluster
            .region
            .iter()
            .map(|region| format!("--region {region}")),
    );
    words.push(match &cluster.role {
        Some(role) => format!("--role {}", role.arn),
        None => "--role ROLE-ARN".to_owned(),
    });
    words.push(format!("--context {}", quoted(&source.target.context)));
    words.push(format!("-n {} --apply", source.target.namespace));
    Some(format!("make access ARGS=\"{}\"", words.join(" ")))
}

pub(crate) fn is_pipe(way: &KubeconfigWay) -> bool {
    way.file.as_os_str() == "-"
}

/// Writes YAML in blocks; every value in quotes, as JSON has them, so that none is read as
/// something else. A list of plain values stands in one line.
fn emit(value: &Value, depth: usize, text: &mut String) {
    let pad = " ".repeat(depth);
    let simple = |value: &Value| match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.iter().all(|it| !it.is_object() && !it.is_array()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if simple(value) {
                    let _infallible = writeln!(text, "{pad}{name}: {value}");
                } else {
                    let _infallible = writeln!(text, "{pad}{name}:");
                    let deeper = if value.is_array() { depth } else { depth + 2 };
                    emit(value, deeper, text);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut inner = String::new();
                emit(item, depth + 2, &mut inner);
                let rest = inner.get(depth + 2..).unwrap_or_default();
                let _infallible = write!(text, "{pad}- {rest}");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let _infallible = writeln!(text, "{pad}{value}");
        }
    }
}
