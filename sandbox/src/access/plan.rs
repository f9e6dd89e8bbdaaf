//! What is to be done, as values: decided from what was seen, printed, and only then done.

use crate::failure::{Failure, Refusal};
use crate::grant::Grant;
use crate::options::{Options, USUAL_KEY, USUAL_LIFETIME, lifetime};
use crate::owner::{Owner, namespace_of, same_ca};
use crate::parameter::{Content, Stored, Verdict, judge};
use crate::proof::Question;
use crate::target::Target;
use crate::token::Token;
use crate::tool::{Command, Tools, quoted};
use jiff::Timestamp;

/// The Secret of `deploy/token-secret.yaml`.
pub(crate) const SECRET: &str = "landfall-token";
/// The ServiceAccount of `deploy/rbac.yaml`.
pub(crate) const ACCOUNT: &str = "landfall";

/// What the API server says where there is none yet.
const NEW_ACCOUNT: &str = "serviceaccount/landfall created";

/// What was seen of cluster and SSM before anything is decided.
pub(crate) struct Seen {
    pub(crate) grants: Vec<Grant>,
    /// Whom the namespace's RoleBinding is for.
    pub(crate) bound: Vec<String>,
    /// The token in the Secret, where there is one.
    pub(crate) secret: Option<Token>,
    pub(crate) token: Option<Stored>,
    pub(crate) ca: Option<Stored>,
    /// Whether the API server knows the token that SSM holds, which is this account's.
    pub(crate) works: bool,
}

/// One thing after another.
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
    /// SSM has the account's, which is to have a further namespace.
    Given(Token),
    /// SSM has one that rotation goes on with.
    Kept { token: Token, until: Timestamp },
    /// The Secret; empty where it is still to be made.
    Secret(Option<Token>),
    /// A new one that lives so many seconds.
    Request(u64),
}

/// A parameter, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    pub(crate) content: Content,
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// What encrypts it then, where that is known.
    pub(crate) key: Option<String>,
}

/// What is to be done, in order.
///
/// # Errors
///
/// Where SSM has something in the place that cannot be changed, or where something is not ours.
pub(crate) fn decide(
    options: &Options,
    target: &Target,
    seen: Seen,
    now: Timestamp,
) -> Result<Vec<Step>, Box<Failure>> {
    if !options.replace {
        check_binding(target, &seen.bound)?;
    }
    let mut steps: Vec<Step> = seen.grants.iter().cloned().map(Step::Grant).collect();
    if target.is_further() {
        steps.push(Step::Take(given(options, target, &seen)?));
    } else {
        let source = source(options, target, &seen, now);
        let stores = stores(options, target, &seen, &source)?;
        steps.push(Step::Take(source));
        steps.extend(stores.into_iter().map(Step::Store));
    }
    steps.push(Step::Prove(Question::all(options)));
    Ok(steps)
}

/// To apply a RoleBinding is to replace all whom it is for.
fn check_binding(target: &Target, bound: &[String]) -> Result<(), Box<Failure>> {
    let (namespace, account) = (&target.namespace, account(&target.home));
    let Some(other) = bound.iter().find(|other| **other != account) else {
        return Ok(());
    };
    let instead = format!("To give {namespace} to {account} instead: --replace.");
    let advice = match namespace_of(other) {
        Some(home) if !target.is_further() && home != namespace => {
            format!("To go on with the account that it is for: --for-account {home}. {instead}")
        }
        Some(_) | None => instead,
    };
    let why = format!("it is for {other}, which would lose its rights in {namespace}");
    let step = format!("deciding what becomes of RoleBinding {ACCOUNT}");
    Err(Box::new(Refusal::own(why, advice).at(step)))
}

/// Prints whom the RoleBinding of `deploy/rbac.yaml` is for, where it is there.
pub(crate) fn binding(tools: &Tools, namespace: &str) -> Command {
    let subjects = "-o=jsonpath={range .subjects[*]}{.kind} {.namespace} {.name}{\"\\n\"}{end}";
    let words = [
        "get",
        "rolebinding",
        ACCOUNT,
        "--ignore-not-found",
        subjects,
    ];
    tools.kubectl(&[&["-n", namespace][..], &words].concat())
}

/// The users, as the API server calls them.
pub(crate) fn bound(printed: &str) -> Vec<String> {
    let users = printed.lines().map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["ServiceAccount", namespace, name] => {
                format!("system:serviceaccount:{namespace}:{name}")
            }
            _ => line.trim().to_owned(),
        }
    });
    users.filter(|user| !user.is_empty()).collect()
}

/// The token that the account has, in the place where the function reads it.
fn given(options: &Options, target: &Target, seen: &Seen) -> Result<Source, Box<Failure>> {
    let (home, name) = (&target.home, &options.token_parameter);
    let account = account(home);
    let refused = |why: String, advice: String| {
        let step = format!("looking for the token of {account}");
        Err(Box::new(Refusal::own(why, advice).at(step)))
    };
    if !is_cluster(target, seen.ca.as_ref()) {
        return refused(
            format!(
                "SSM parameter {} holds another CA than this cluster's",
                options.ca_parameter
            ),
            "Name the function's cluster with --context, or the parameters of this cluster's \
             function with --token-parameter and --ca-parameter."
                .into(),
        );
    }
    let Some(stored) = &seen.token else {
        return refused(
            format!("there is no SSM parameter {name}"),
            format!(
                "Give {home} its access first (--namespace {home}, without --for-account), or \
                 name its parameter with --token-parameter and its region with --region."
            ),
        );
    };
    match (
        Owner::of_token(&stored.value, &account, true),
        Token::new(&stored.value),
    ) {
        (Owner::Own, Some(token)) => Ok(Source::Given(token)),
        (owner, _) => refused(
            format!("SSM parameter {name} holds {}", owner.words()),
            "Name the namespace of the ServiceAccount that the function's token is of with \
             --for-account, and that token's parameter with --token-parameter."
                .into(),
        ),
    }
}

/// Whether a CA that SSM holds is this cluster's, as far as can be told.
pub(crate) fn is_cluster(target: &Target, stored: Option<&Stored>) -> bool {
    match (&target.ca, stored) {
        (Some(ca), Some(stored)) => same_ca(&stored.value, ca),
        (None, _) | (_, None) => true,
    }
}

/// What becomes of the parameters. The CA is looked at first: whose cluster it is comes before
/// whose account.
fn stores(
    options: &Options,
    target: &Target,
    seen: &Seen,
    source: &Source,
) -> Result<Vec<Store>, Box<Failure>> {
    let token = match source {
        Source::Given(token) | Source::Kept { token, .. } | Source::Secret(Some(token)) => {
            Some(token.reveal())
        }
        Source::Secret(None) | Source::Request(_) => None,
    };
    let ca = match &target.ca {
        Some(ca) => Some(store(options, target, seen, Content::Ca, Some(ca))?),
        None => None,
    };
    let token = store(options, target, seen, Content::Token, token)?;
    Ok([token].into_iter().chain(ca).collect())
}

fn store(
    options: &Options,
    target: &Target,
    seen: &Seen,
    content: Content,
    wanted: Option<&str>,
) -> Result<Store, Box<Failure>> {
    let (name, stored) = match content {
        Content::Token => (&options.token_parameter, seen.token.as_ref()),
        Content::Ca => (&options.ca_parameter, seen.ca.as_ref()),
    };
    let refused = |refusal: Refusal| {
        Box::new(refusal.at(format!("deciding what becomes of SSM parameter {name}")))
    };
    let verdict = judge(content, stored, wanted, options.key.as_deref());
    let mut verdict = verdict.map_err(refused)?;
    if let (Verdict::Overwrite { why, .. }, Some(stored)) = (&mut verdict, stored)
        && !wanted.is_some_and(|wanted| stored.holds(wanted))
    {
        let owner = owner(target, seen, content, stored);
        match owner.refusal(target) {
            Some(refusal) if !options.replace => return Err(refused(refusal)),
            Some(_) => *why = format!("it holds {}, and --replace is given", owner.words()),
            None => {}
        }
    }
    let key = options.key.clone();
    Ok(Store {
        content,
        name: name.clone(),
        verdict,
        key: key.or_else(|| stored.and_then(|stored| stored.key.clone())),
    })
}

/// Whose it is that SSM holds. A token of this account's name is this cluster's where the API
/// server knows it, or where the cluster's CA stands beside it: one that was made anew has the
/// name.
fn owner(target: &Target, seen: &Seen, content: Content, stored: &Stored) -> Owner {
    let ca = target.ca.as_deref();
    let beside = ca.zip(seen.ca.as_ref());
    let beside = beside.is_some_and(|(ca, stored)| same_ca(&stored.value, ca));
    match content {
        Content::Token => {
            Owner::of_token(&stored.value, &account(&target.home), seen.works || beside)
        }
        Content::Ca => Owner::of_ca(&stored.value, ca.unwrap_or_default()),
    }
}

fn source(options: &Options, target: &Target, seen: &Seen, now: Timestamp) -> Source {
    let Some(seconds) = options.rotation else {
        return Source::Secret(seen.secret.clone());
    };
    let stored = seen
        .token
        .as_ref()
        .and_then(|stored| Token::new(&stored.value));
    // The API server remembers for ten seconds a token whose ServiceAccount is no more.
    let is_new = |grant: &Grant| grant.outlook.iter().any(|line| line == NEW_ACCOUNT);
    let works = seen.works && !seen.grants.iter().any(is_new);
    match stored.and_then(|token| Some((token.expires()?, token))) {
        // Half of its life is time enough for rotation to renew it.
        Some((until, token))
            if works
                && token.subject() == Some(account(&target.home))
                && until.duration_since(now).as_secs() > seconds as i64 / 2 =>
        {
            Source::Kept { token, until }
        }
        _ => Source::Request(seconds),
    }
}

/// The user that the token is of.
pub(crate) fn account(namespace: &str) -> String {
    format!("system:serviceaccount:{namespace}:{ACCOUNT}")
}

/// A remark on what is right so far, and may not stay so.
pub(crate) fn remark(options: &Options, target: &Target, seen: &Seen) -> Option<String> {
    let stored = seen
        .token
        .as_ref()
        .and_then(|stored| Token::new(&stored.value));
    let own = stored.filter(|token| token.subject() == Some(account(&target.home)));
    let until = own.as_ref().and_then(Token::expires);
    if target.is_further() {
        return None;
    }
    match (options.rotation, until) {
        (None, Some(until)) => Some(format!(
            "SSM parameter {} holds a token that ends at {until:.0}, as rotation makes them; it \
             will be replaced by one that does not end. With --rotation it is kept",
            options.token_parameter
        )),
        (Some(_), _) if seen.secret.is_some() => Some(format!(
            "Secret {SECRET} still has a token that does not end. When a deploy went well \
             with the new one: kubectl --context {} -n {} delete secret {SECRET}",
            quoted(&target.context),
            target.namespace
        )),
        _ => None,
    }
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

    /// What it does, to go on with "failed" or behind a number.
    pub(crate) fn heading(&self, options: &Options, target: &Target) -> String {
        match self {
            Step::Grant(grant) if grant.is_there() => {
                format!("{} is applied already", grant.file)
            }
            Step::Grant(grant) => format!("Apply {}", grant.file),
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
                format!(
                    "Ask the cluster for a token that lives {}",
                    lifetime(*seconds)
                )
            }
            Step::Store(store) => store.heading(),
            Step::Prove(questions) => proof_heading(questions, options, target),
        }
    }

    /// As a person would type it.
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

    /// The customer's key that the function has to decrypt with.
    fn key(&self) -> Option<&str> {
        match self {
            Step::Store(store) => store.key.as_deref().filter(|key| *key != USUAL_KEY),
            Step::Grant(_) | Step::Take(_) | Step::Prove(_) => None,
        }
    }

    /// What the API server says would change; nothing where nothing would.
    pub(crate) fn outlook(&self) -> Vec<String> {
        match self {
            Step::Grant(grant) if grant.is_there() => Vec::new(),
            Step::Grant(grant) => [&grant.outlook[..], &grant.difference].concat(),
            Step::Take(_) | Step::Store(_) | Step::Prove(_) => Vec::new(),
        }
    }
}

fn proof_heading(questions: &[Question], options: &Options, target: &Target) -> String {
    let words: Vec<_> = questions.iter().map(Question::words).collect();
    let (server, may) = (
        &target.server,
        format!("may it {} in {}?", words.join(" and "), target.namespace),
    );
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
    /// What prints the token; nothing where it is at hand.
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

/// Prints the Secret's token in base64, or nothing.
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
    /// The token's own length is not known before it is there, and far from the limit.
    pub(crate) fn length(&self, target: &Target) -> usize {
        match self.content {
            Content::Token => 0,
            Content::Ca => target.ca.as_ref().map_or(0, String::len),
        }
    }

    fn heading(&self) -> String {
        let (what, name) = (self.content.words(), &self.name);
        let under = |key: &Option<String>| {
            key.as_ref()
                .map(|key| format!(", under {key}"))
                .unwrap_or_default()
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

/// The line that makes the function from `template.yaml`.
pub(crate) fn deploy_line(options: &Options, target: &Target, steps: &[Step]) -> String {
    let mut line = vec!["sam deploy --guided".to_owned()];
    for (option, value) in [
        ("--profile", &options.profile),
        ("--region", &options.region),
    ] {
        line.extend(
            value
                .iter()
                .map(|value| format!("{option} {}", quoted(value))),
        );
    }
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
    line.push("--parameter-overrides".into());
    line.extend(overrides.iter().map(|word| quoted(word)));
    line.join(" ")
}

/// How often the first token is to be renewed: within a third of its life, so that one failure does
/// no harm. The template's own schedule is for 24 h, as all later tokens live, and it knows three.
/// SAM ends a value at its first space, unless it has quotes of its own, and EventBridge wants
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

#[cfg(test)]
mod tests;
