//! A user whose credential a program makes: `aws eks get-token` or `aws-iam-authenticator token`.
//! They are understood and never started; the function makes the same token.

mod options;

use super::entry::Entry;
use crate::eks::{AssumedRole, EksCluster, external_id, is_region};
use crate::outcome::{ExecProblem, KubeconfigProblem};
use options::{AUTHENTICATOR, AWS, Given, Program};
use serde_json::Value;
use url::Url;

/// The longest id of a cluster; those of `aws-iam-authenticator` outside EKS are free.
const ID_LIMIT: usize = 253;

/// The longest name of a program that is shown.
const SHOWN: usize = 32;

/// Variables of AWS that change nothing here: output, paging, and which endpoint of STS, which is
/// always the region's.
const HARMLESS: [&str; 8] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_DEFAULT_OUTPUT",
    "AWS_PAGER",
    "AWS_CLI_AUTO_PROMPT",
    "AWS_SDK_LOAD_CONFIG",
    "AWS_EC2_METADATA_DISABLED",
];

/// Variables with the name of a file.
const FILES: [&str; 4] = [
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CA_BUNDLE",
];

/// Variables with a profile, or with credentials.
const PROFILES: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
const CREDENTIALS: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// Reads the cluster that the program makes tokens for, or adds what is wrong.
pub(super) fn cluster(entry: &mut Entry<'_>, server: Option<&str>) -> Option<EksCluster> {
    let before = entry.faults.len();
    let Some(exec) = entry.value("exec").and_then(Value::as_object) else {
        entry.fault("exec", KubeconfigProblem::NotAMapping);
        return None;
    };
    let Some(command) = exec.get("command").and_then(Value::as_str) else {
        let problem = match exec.get("command") {
            None | Some(Value::Null) => KubeconfigProblem::Missing,
            Some(_) => KubeconfigProblem::NotText,
        };
        entry.fault("exec.command", problem);
        return None;
    };
    let Some(program) = program(command) else {
        let name = ExecProblem::Command(shown(base_name(command)));
        entry.fault("exec.command", KubeconfigProblem::Exec(name));
        return None;
    };
    let args = texts(entry, "exec.args", exec.get("args"));
    let region = environment(entry, exec.get("env"));
    let given = program.read(&args?).map_err(KubeconfigProblem::Exec);
    let given = entry.kept("exec.args", given)?;
    let cluster = checked(entry, given, region, server);
    cluster.filter(|_| entry.faults.len() == before)
}

fn program(command: &str) -> Option<&'static Program> {
    match base_name(command) {
        "aws" | "aws.exe" => Some(&AWS),
        // The second is its name until 2019.
        "aws-iam-authenticator" | "aws-iam-authenticator.exe" | "heptio-authenticator-aws" => {
            Some(&AUTHENTICATOR)
        }
        _ => None,
    }
}

/// A program's name without its folder, of any system.
fn base_name(command: &str) -> &str {
    command
        .trim()
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default()
}

/// The name of a program if it looks like one. A secret in its place has other characters, or more
/// digits.
fn shown(name: &str) -> Option<String> {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let is_name = name.len() <= SHOWN
        && digits <= 3
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(allowed);
    is_name.then(|| name.to_owned())
}

/// The items of a list; one that is not given has none.
fn items<'a>(
    entry: &mut Entry<'_>,
    field: &'static str,
    list: Option<&'a Value>,
) -> Option<&'a [Value]> {
    let items = match list {
        None | Some(Value::Null) => return Some(&[]),
        Some(Value::Array(items)) => Ok(items.as_slice()),
        Some(_) => Err(KubeconfigProblem::NotAList),
    };
    entry.kept(field, items)
}

/// The texts of a list.
fn texts<'a>(
    entry: &mut Entry<'_>,
    field: &'static str,
    list: Option<&'a Value>,
) -> Option<Vec<&'a str>> {
    let texts = items(entry, field, list)?.iter().map(Value::as_str);
    let texts = texts.collect::<Option<_>>();
    entry.kept(field, texts.ok_or(KubeconfigProblem::NotText))
}

/// Reads the region that the variables name. Those that mean other credentials than the function's
/// own are refused.
fn environment<'a>(entry: &mut Entry<'_>, list: Option<&'a Value>) -> Option<&'a str> {
    const FIELD: &str = "exec.env";
    let (mut region, mut default) = (None, None);
    for (index, variable) in items(entry, FIELD, list)?.iter().enumerate() {
        let text = |field: &str| variable.get(field).and_then(Value::as_str);
        let (Some(name), Some(value)) = (text("name"), text("value")) else {
            entry.fault(FIELD, KubeconfigProblem::NotText);
            continue;
        };
        let file = FILES.iter().find(|file| **file == name);
        let problem = match name {
            _ if value.trim().is_empty() => continue,
            "AWS_REGION" => {
                region = Some(value.trim());
                continue;
            }
            "AWS_DEFAULT_REGION" => {
                default = Some(value.trim());
                continue;
            }
            _ if PROFILES.contains(&name) => ExecProblem::Profile,
            _ if CREDENTIALS.contains(&name) => ExecProblem::Credentials,
            _ if let Some(file) = file => ExecProblem::FileVariable(file),
            _ if name.starts_with("AWS_") && !HARMLESS.contains(&name) => {
                ExecProblem::Variable(index + 1)
            }
            // Those of other programs: proxies, paths.
            _ => continue,
        };
        let problem = KubeconfigProblem::Exec(problem);
        if !entry.faults.iter().any(|fault| fault.problem == problem) {
            entry.fault(FIELD, problem);
        }
    }
    region.or(default)
}

/// Checks what the options say.
fn checked(
    entry: &mut Entry<'_>,
    given: Given,
    region: Option<&str>,
    server: Option<&str>,
) -> Option<EksCluster> {
    const FIELD: &str = "exec.args";
    let role = given.role.and_then(|arn| {
        let role = AssumedRole::read(&arn).map_err(ExecProblem::Role);
        entry.kept(FIELD, role.map_err(KubeconfigProblem::Exec))
    });
    let external = given.external_id.and_then(|id| {
        let id = external_id(&id).map_err(ExecProblem::ExternalId);
        entry.kept(FIELD, id.map_err(KubeconfigProblem::Exec))
    });
    let mut fault = |problem| entry.fault(FIELD, KubeconfigProblem::Exec(problem));
    if external.is_some() && role.is_none() {
        fault(ExecProblem::NoRole);
    }
    let region = given.region.as_deref().or(region);
    if region.is_some_and(|region| !is_region(region)) {
        fault(ExecProblem::Region);
    }
    let of_host = || server.and_then(region_of);
    let region = region.map(str::to_owned).or_else(of_host);
    let Some(name) = given.cluster else {
        fault(ExecProblem::NoCluster);
        return None;
    };
    // An ARN has its own region, and its name is what a token is made for.
    let cluster = match EksCluster::read(&name) {
        Ok(cluster) => cluster,
        Err(_) if is_id(&name) => EksCluster {
            name,
            ..EksCluster::default()
        },
        Err(_) => {
            fault(ExecProblem::Cluster);
            return None;
        }
    };
    Some(EksCluster {
        region: region.or(cluster.region),
        role: role.map(|role| AssumedRole {
            external_id: external,
            ..role
        }),
        ..cluster
    })
}

/// Whether a text can be the id of a cluster, which is sent in a header.
fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=ID_LIMIT).contains(&text.len()) && text.bytes().all(allowed)
}

/// The region in the name of an API server of EKS.
/// <https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html>
fn region_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?;
    let suffixes = [".amazonaws.", ".api.aws", ".api.amazonwebservices."];
    if !suffixes.iter().any(|suffix| host.contains(suffix)) {
        return None;
    }
    let labels = host.split('.').collect::<Vec<_>>();
    let place = |label: &str| labels.iter().position(|it| *it == label);
    // ID.gr7.REGION.eks.amazonaws.com, ID.gr7.eks-cluster.REGION.api.aws
    let region = match (place("eks"), place("eks-cluster")) {
        (Some(after), _) => labels.get(after.checked_sub(1)?)?,
        (None, Some(before)) => labels.get(before + 1)?,
        (None, None) => return None,
    };
    is_region(region).then(|| (*region).to_owned())
}
