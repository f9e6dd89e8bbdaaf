//! What failed, with the program's own message, and what to do about it.

use crate::command::{Command, Tool};
use std::fmt;

/// How much of a program's message is shown; the important part is at its beginning or end.
const WORDS_LIMIT: usize = 2000;

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The program is not installed.
    NoProgram(Tool),
    /// The program does not end.
    Silent(Command),
    /// The program failed with this message.
    Said { command: Command, said: String },
    /// Our own check failed: why, and what to do.
    Own { why: String, advice: String },
}

/// A failed step, by its heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) step: String,
    pub(crate) refusal: Refusal,
    /// The steps before it.
    pub(crate) done: Vec<String>,
}

impl Refusal {
    pub(crate) fn own(why: impl Into<String>, advice: impl Into<String>) -> Refusal {
        Refusal::Own {
            why: why.into(),
            advice: advice.into(),
        }
    }

    /// Adds the step.
    pub(crate) fn at(self, step: impl Into<String>) -> Failure {
        Failure {
            step: step.into(),
            refusal: self,
            done: Vec::new(),
        }
    }

    fn advice(&self) -> String {
        match self {
            Refusal::NoProgram(Tool::Kubectl) => {
                "Install it: https://kubernetes.io/docs/tasks/tools/".into()
            }
            Refusal::NoProgram(Tool::Aws) => {
                "Install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/".into()
            }
            Refusal::Silent(_) => {
                "Run the command by hand: it may be asking for a sign-in, or have no way to what \
                 it calls."
                    .into()
            }
            Refusal::Said { command, said } => match command.tool {
                Tool::Kubectl => kubectl_advice(said).into(),
                Tool::Aws if command.arguments.iter().any(|word| word == "eks") => {
                    eks_advice(said).into()
                }
                Tool::Aws => aws_advice(said).into(),
            },
            Refusal::Own { advice, .. } => advice.clone(),
        }
    }
}

fn kubectl_advice(said: &str) -> &'static str {
    let has = |words: &str| said.contains(words);
    if has("cannot locate context") || has("does not exist") && has("context") {
        "`kubectl config get-contexts` lists the contexts there are; name one with --context."
    } else if has("current-context must exist") || has("no configuration has been provided") {
        "There is no kubeconfig, or it names no current context. For EKS \
         `aws eks update-kubeconfig --name CLUSTER` writes one; --kubeconfig and --context name \
         another."
    } else if has("(NotFound)") && has("namespaces \"") {
        "Create the namespace first (`kubectl create namespace NAME`), or name another with \
         --namespace."
    } else if has("Unauthorized") || has("must be logged in") || has("getting credentials") {
        "The cluster does not know you: sign in as this kubeconfig wants it, then run this again."
    } else if has("Forbidden") || has("forbidden") {
        "Use a context whose user may do that: get, create and patch serviceaccounts, roles and \
         rolebindings (kubectl gets each before it changes it). To create a Role, one must have \
         all that it grants; an administrator of the namespace or the cluster has."
    } else if has("Unable to connect") || has("connection to the server") || has("timeout") {
        "The API server cannot be reached from here: look at the address in the kubeconfig, the \
         VPN and the cluster's security group."
    } else {
        "Run the command by hand to look into it."
    }
}

fn aws_advice(said: &str) -> &'static str {
    let has = |words: &str| said.contains(words);
    if has("Unable to locate credentials") || has("could not be found") && has("profile") {
        "Sign in to AWS (`aws configure`, `aws sso login`), or name a profile with --profile."
    } else if has("Expired") || has("has expired") || has("sso login") {
        "The session with AWS is over: sign in again (`aws sso login`)."
    } else if has("must specify a region") || has("Invalid region") {
        "Name the function's region with --region."
    } else if has("KMS") || has("kms:") || has("InvalidKeyId") {
        "The key must be one of this region that is enabled, and you need kms:Encrypt, \
         kms:GenerateDataKey and kms:Decrypt on it."
    } else if has("AccessDenied") || has("not authorized") {
        "You need ssm:GetParameters, ssm:DescribeParameters and ssm:PutParameter on both \
         parameters, and on a key of your own kms:Encrypt, kms:GenerateDataKey and kms:Decrypt. \
         --profile names another identity."
    } else if has("HierarchyTypeMismatch") {
        "The parameter has another type, which SSM does not change: delete it, or name another."
    } else if has("Could not connect") || has("timeout") || has("timed out") {
        "AWS cannot be reached from here: look at --region, the proxy and AWS_ENDPOINT_URL."
    } else {
        "Run the command by hand to look into it."
    }
}

fn eks_advice(said: &str) -> &'static str {
    let has = |words: &str| said.contains(words);
    if has("No cluster found") || has("ResourceNotFound") && has("DescribeCluster") {
        "`aws eks list-clusters` lists the clusters of an account and a region: --profile and \
         --region choose them."
    } else if has("AccessDenied") || has("not authorized") {
        "You need eks:DescribeCluster, eks:DescribeAccessEntry, eks:CreateAccessEntry and \
         eks:UpdateAccessEntry on the cluster and its access entries. --profile names another \
         identity."
    } else if has("invalid principal") {
        "EKS does not find the role: is it made, and its ARN whole, with its path?"
    } else if has("ResourceInUse") {
        "Somebody else made the entry at the same time: run this again, and it is found."
    } else if has("authentication mode") {
        "The cluster takes no access entries: run this again, and it says what can be done."
    } else if has("nvalid choice") {
        "Your AWS CLI knows no access entries: install 2.15.5 or newer."
    } else {
        aws_advice(said)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoProgram(tool) => {
                write!(
                    formatter,
                    "there is no program `{}` on the PATH",
                    tool.name()
                )
            }
            Refusal::Silent(command) => write!(formatter, "it does not end:\n  $ {command}"),
            Refusal::Said { command, said } => {
                write!(
                    formatter,
                    "\n  $ {command}\n  {}",
                    clipped(said).replace('\n', "\n  ")
                )
            }
            Refusal::Own { why, .. } => formatter.write_str(why),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{} failed: {}", self.step, self.refusal);
        writeln!(formatter, "{}", text.replace(" \n", "\n"))?;
        writeln!(formatter, "What to do: {}", self.refusal.advice())?;
        match &self.done[..] {
            [] => write!(formatter, "Nothing was changed."),
            done => write!(
                formatter,
                "Done before, and left so: {}. Run it again when the cause is removed: what is \
                 done already is found and left as it is.",
                done.join("; ")
            ),
        }
    }
}

/// The message without repeated lines: kubectl repeats itself for each object.
fn clipped(words: &str) -> String {
    let mut lines = words.lines().collect::<Vec<_>>();
    lines.dedup();
    let words = &lines.join("\n");
    match words.char_indices().nth(WORDS_LIMIT) {
        None => words.to_owned(),
        Some((end, _)) => format!("{}…", &words[..end]),
    }
}

#[cfg(test)]
mod tests;
