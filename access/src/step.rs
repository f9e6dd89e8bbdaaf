//! The steps of a plan: their headings, and the commands that carry them out.

use crate::account::{ACCOUNT, account};
use crate::command::{Command, Tools};
use crate::deploy;
use crate::grant::Grant;
use crate::options::{Options, USUAL_KEY, USUAL_LIFETIME, lifetime};
use crate::parameter::{Content, Verdict};
use crate::proof::Question;
use crate::target::Target;
use crate::token::Token;
use jiff::Timestamp;

/// The Secret of `deploy/token-secret.yaml`.
pub(crate) const SECRET: &str = "landfall-token";

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Grant(Grant),
    Take(Source),
    Store(Store),
    Prove(Vec<Question>),
}

/// Where the token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// From SSM: the account's token, which gets permissions in another namespace.
    Given(Token),
    /// From SSM: a token that rotation will renew.
    Kept { token: Token, until: Timestamp },
    /// From the Secret; empty if the Secret does not exist yet.
    Secret(Option<Token>),
    /// A new token with this lifetime in seconds.
    Request(u64),
}

/// What to do with a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    pub(crate) content: Content,
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// The parameter's key after that, if known.
    pub(crate) key: Option<String>,
}

impl Step {
    /// Whether there is nothing to do.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Step::Grant(grant) => grant.is_there(),
            Step::Take(source) => match source {
                Source::Given(_) | Source::Kept { .. } | Source::Secret(Some(_)) => true,
                Source::Secret(None) | Source::Request(_) => false,
            },
            Step::Store(store) => store.verdict == Verdict::Leave,
            Step::Prove(_) => false,
        }
    }

    /// The heading, which fits before "failed" and after a number.
    pub(crate) fn heading(&self, options: &Options, target: &Target) -> String {
        match self {
            Step::Grant(grant) => grant.heading(""),
            Step::Take(Source::Given(_)) => format!(
                "SSM parameter {} holds a token of {}, and is left",
                options.token_parameter,
                account(&target.home)
            ),
            Step::Take(Source::Kept { until, .. }) => {
                format!("The token that SSM holds is good until {until:.0} and stays")
            }
            Step::Take(Source::Secret(Some(_))) => format!("Secret {SECRET} has a token"),
            Step::Take(Source::Secret(None)) => format!("Take the token of Secret {SECRET}"),
            Step::Take(Source::Request(seconds)) => {
                let life = lifetime(*seconds);
                format!("Ask the cluster for a token that lives {life}")
            }
            Step::Store(store) => store.heading(),
            Step::Prove(questions) => proof_heading(questions, options, target),
        }
    }

    /// The command as a person would type it.
    pub(crate) fn typed(&self, tools: &Tools, target: &Target) -> Option<String> {
        match self {
            Step::Grant(grant) => Some(grant.typed(tools, target)),
            Step::Take(source) => {
                let command = source.command(tools, &target.namespace)?;
                Some(match source {
                    Source::Given(_) | Source::Kept { .. } | Source::Request(_) => {
                        command.to_string()
                    }
                    Source::Secret(_) => format!("{command} | base64 -d"),
                })
            }
            Step::Store(store) => {
                let length = store.length(target);
                let command = store.verdict.command(tools, &store.name, length)?;
                Some(format!("printf %s … | {command}"))
            }
            Step::Prove(_) => None,
        }
    }

    /// The customer's key, with which the function must decrypt.
    fn key(&self) -> Option<&str> {
        match self {
            Step::Store(store) => store.key.as_deref().filter(|key| *key != USUAL_KEY),
            Step::Grant(_) | Step::Take(_) | Step::Prove(_) => None,
        }
    }

    /// What the API server would change; empty if nothing.
    pub(crate) fn outlook(&self) -> Vec<String> {
        match self {
            Step::Grant(grant) if grant.is_there() => Vec::new(),
            Step::Grant(grant) => grant.foreseen(),
            Step::Take(_) | Step::Store(_) | Step::Prove(_) => Vec::new(),
        }
    }
}

fn proof_heading(questions: &[Question], options: &Options, target: &Target) -> String {
    let (server, may) = (&target.server, Question::may(questions, &target.namespace));
    let (token, ca) = (&options.token_parameter, &options.ca_parameter);
    if target.is_further() {
        return format!("Prove it: ask {server} with the token of {token}: {may}");
    }
    let both = match target.ca {
        Some(_) => format!("{token} and {ca}"),
        None => format!("{token} (the cluster has a public CA)"),
    };
    format!("Prove it: read {both} back, and ask {server} with just these: {may}")
}

impl Source {
    /// The command that prints the token; `None` if the token is known.
    pub(crate) fn command(&self, tools: &Tools, namespace: &str) -> Option<Command> {
        match self {
            Source::Given(_) | Source::Kept { .. } => None,
            Source::Secret(_) => Some(secret(tools, namespace)),
            Source::Request(seconds) => {
                let duration = format!("--duration={seconds}s");
                let words = ["-n", namespace, "create", "token", ACCOUNT, &duration];
                Some(tools.kubectl(&words))
            }
        }
    }
}

/// The command that prints the Secret's token in base64, or nothing.
pub(crate) fn secret(tools: &Tools, namespace: &str) -> Command {
    let path = "-o=jsonpath={.data.token}";
    let words = [
        "-n",
        namespace,
        "get",
        "secret",
        SECRET,
        "--ignore-not-found",
        path,
    ];
    tools.kubectl(&words)
}

impl Store {
    /// The length of the value. A new token's length is unknown, but far below the limit.
    pub(crate) fn length(&self, target: &Target) -> usize {
        match self.content {
            Content::Token => 0,
            Content::Ca => target.ca.as_ref().map_or(0, String::len),
        }
    }

    fn heading(&self) -> String {
        let (what, name) = (self.content.words(), &self.name);
        let under = |key: &Option<String>| {
            let key = key.as_ref().map(|key| format!(", under {key}"));
            key.unwrap_or_default()
        };
        match &self.verdict {
            Verdict::Leave => format!("SSM parameter {name} holds {what} already, and is left"),
            Verdict::Create { key } => {
                format!(
                    "Store {what} in a new SSM parameter {name} (SecureString{})",
                    under(key)
                )
            }
            Verdict::Overwrite { kind, key, why } => format!(
                "Store {what} as a new version of SSM parameter {name} ({kind}{}): {why}",
                under(key)
            ),
        }
    }
}

/// The command that deploys `template.yaml`.
pub(crate) fn deploy_line(options: &Options, target: &Target, steps: &[Step]) -> String {
    let mut overrides = vec![
        format!("ClusterUrl={}", target.server),
        format!("TokenParameter={}", options.token_parameter),
    ];
    if target.ca.is_some() {
        overrides.push(format!("CaParameter={}", options.ca_parameter));
    }
    let key = steps.iter().find_map(Step::key);
    overrides.extend(key.map(|key| format!("KeyArn={key}")));
    if let Some(seconds) = options.rotation {
        overrides.push("RotateToken=yes".into());
        overrides.extend(schedule(seconds));
    }
    deploy::line(options, &overrides)
}

/// The schedule for the first token: a third of its lifetime or less, so that one failure does no
/// harm. Later tokens live 24 h, for which the template has a default; it allows three schedules.
/// SAM ends a value at its first space unless the value has its own quotes, and EventBridge needs
/// `1 hour`.
fn schedule(seconds: u64) -> Option<String> {
    let rate = match seconds / 3600 / 3 {
        _ if seconds >= USUAL_LIFETIME => return None,
        0..4 => "1 hour",
        4..8 => "4 hours",
        8.. => return None,
    };
    Some(format!("RotationSchedule=\"rate({rate})\""))
}
