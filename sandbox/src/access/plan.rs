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
mod tests {
    use super::*;
    use crate::token::sample;
    use insta::assert_snapshot;

    const SERVER: &str = "https://A1.gr7.eu-west-1.eks.amazonaws.com";
    const KEY: &str = "arn:aws:kms:eu-west-1:1:key/k";

    fn target() -> Target {
        Target {
            context: "prod".into(),
            namespace: "shop".into(),
            home: "shop".into(),
            server: SERVER.into(),
            ca: Some("-----BEGIN CERTIFICATE-----\n".into()),
            warnings: Vec::new(),
        }
    }

    fn options(words: &str) -> Options {
        Options::parse(words.split_whitespace().map(Into::into)).unwrap()
    }

    fn grant(name: &str, state: &str) -> Grant {
        Grant {
            file: format!("deploy/{name}.yaml"),
            text: String::new(),
            outlook: vec![format!("role/landfall {state}")],
            difference: Vec::new(),
        }
    }

    fn stored(value: &str, key: &str) -> Option<Stored> {
        Some(Stored {
            value: value.into(),
            kind: "SecureString".into(),
            key: Some(key.into()),
        })
    }

    fn nothing() -> Seen {
        Seen {
            grants: vec![grant("rbac", "created"), grant("token-secret", "created")],
            bound: Vec::new(),
            secret: None,
            token: None,
            ca: None,
            works: false,
        }
    }

    /// A token that lives so many hours from the start of all time.
    fn living(hours: i64, namespace: &str) -> Token {
        sample(&format!(
            r#"{{"exp": {}, "sub": "system:serviceaccount:{namespace}:landfall"}}"#,
            hours * 3600
        ))
    }

    /// The plan as a person sees it.
    fn shown(words: &str, seen: Seen) -> String {
        let (options, target) = (options(words), target());
        let mut tools = Tools::new(&options);
        tools.pin(&target.context);
        let steps = decide(&options, &target, seen, Timestamp::UNIX_EPOCH).unwrap();
        let mut lines = Vec::new();
        for step in &steps {
            lines.push(step.heading(&options, &target));
            let typed = step.typed(&tools, &target).filter(|_| !step.is_done());
            lines.extend(typed.map(|typed| format!("$ {typed}")));
            lines.extend(step.outlook());
        }
        lines.push(deploy_line(&options, &target, &steps));
        lines.join("\n")
    }

    #[test]
    fn from_nothing() {
        let shown = shown(&format!("--region eu-west-1 --key-arn {KEY}"), nothing());
        assert_snapshot!(shown, @r#"
        Apply deploy/rbac.yaml
        $ sed 's/namespace: default$/namespace: shop/' deploy/rbac.yaml | kubectl --context prod apply -f -
        role/landfall created
        Apply deploy/token-secret.yaml
        $ sed 's/namespace: default$/namespace: shop/' deploy/token-secret.yaml | kubectl --context prod apply -f -
        role/landfall created
        Take the token of Secret landfall-token
        $ kubectl --context prod -n shop get secret landfall-token --ignore-not-found '-o=jsonpath={.data.token}' | base64 -d
        Store the token in a new SSM parameter k8s-bear-token (SecureString, under arn:aws:kms:eu-west-1:1:key/k)
        $ printf %s … | aws --region eu-west-1 ssm put-parameter --name k8s-bear-token --type SecureString --key-id arn:aws:kms:eu-west-1:1:key/k --value file:///dev/stdin
        Store the cluster's CA in a new SSM parameter k8s-ca (SecureString, under arn:aws:kms:eu-west-1:1:key/k)
        $ printf %s … | aws --region eu-west-1 ssm put-parameter --name k8s-ca --type SecureString --key-id arn:aws:kms:eu-west-1:1:key/k --value file:///dev/stdin
        Prove it: read k8s-bear-token and k8s-ca back, and ask https://A1.gr7.eu-west-1.eks.amazonaws.com with just these: may it patch deployments in shop?
        sam deploy --guided --region eu-west-1 --parameter-overrides ClusterUrl=https://A1.gr7.eu-west-1.eks.amazonaws.com TokenParameter=k8s-bear-token CaParameter=k8s-ca KeyArn=arn:aws:kms:eu-west-1:1:key/k
        "#);
    }

    #[test]
    fn what_is_there_is_left() {
        let token = living(1, "shop");
        let seen = Seen {
            grants: vec![
                grant("rbac", "unchanged"),
                grant("token-secret", "unchanged"),
            ],
            bound: vec![account("shop")],
            secret: Some(token.clone()),
            token: stored(token.reveal(), KEY),
            ca: stored("-----BEGIN CERTIFICATE-----", KEY),
            works: false,
        };
        assert_snapshot!(shown("", seen), @r"
        deploy/rbac.yaml is applied already
        deploy/token-secret.yaml is applied already
        Secret landfall-token has a token
        SSM parameter k8s-bear-token holds the token already, and is left
        SSM parameter k8s-ca holds the cluster's CA already, and is left
        Prove it: read k8s-bear-token and k8s-ca back, and ask https://A1.gr7.eu-west-1.eks.amazonaws.com with just these: may it patch deployments in shop?
        sam deploy --guided --parameter-overrides ClusterUrl=https://A1.gr7.eu-west-1.eks.amazonaws.com TokenParameter=k8s-bear-token CaParameter=k8s-ca KeyArn=arn:aws:kms:eu-west-1:1:key/k
        ");
    }

    #[test]
    fn a_token_that_rotation_renews_is_kept_as_long_as_it_serves() {
        let usual = "alias/aws/ssm";
        let seen = |token: Token, works| Seen {
            token: stored(token.reveal(), usual),
            works,
            ..nothing()
        };
        let source = |words: &str, seen: Seen| {
            let steps = decide(&options(words), &target(), seen, Timestamp::UNIX_EPOCH).unwrap();
            steps.into_iter().find_map(|step| match step {
                Step::Take(source) => Some(source),
                Step::Grant(_) | Step::Store(_) | Step::Prove(_) => None,
            })
        };
        for (words, token, works, kept) in [
            ("--rotation", living(13, "shop"), true, true),
            (
                "--rotation --token-lifetime 4h",
                living(3, "shop"),
                true,
                true,
            ),
            ("--rotation", living(12, "shop"), true, false),
            ("--rotation --replace", living(13, "shop"), false, false),
            ("--rotation --replace", living(13, "web"), true, false),
            ("--rotation --replace", sample("{}"), true, false),
            ("--rotation", living(-1, "shop"), true, false),
        ] {
            let source = source(words, seen(token, works)).unwrap();
            assert_eq!(
                matches!(source, Source::Kept { .. }),
                kept,
                "{words}: {source:?}"
            );
        }
        let mut without = seen(living(13, "shop"), true);
        without.grants[0].outlook.push(NEW_ACCOUNT.into());
        assert_eq!(
            source("--rotation", without).unwrap(),
            Source::Request(86400)
        );
        let long_lived = source("", seen(living(13, "shop"), true)).unwrap();
        assert_eq!(long_lived, Source::Secret(None));
        let seen = seen(living(13, "shop"), true);
        let remark = remark(&options(""), &target(), &seen).unwrap();
        assert!(remark.contains("With --rotation it is kept"), "{remark}");
    }

    #[test]
    fn rotation_asks_for_a_token_and_tells_of_the_endless_one() {
        let seen = || Seen {
            grants: vec![
                grant("rbac", "unchanged"),
                grant("rbac-rotation", "created"),
            ],
            secret: Some(sample("{}")),
            ..nothing()
        };
        assert_snapshot!(shown("--rotation --token-lifetime 200m", seen()), @r#"
        deploy/rbac.yaml is applied already
        Apply deploy/rbac-rotation.yaml
        $ sed 's/namespace: default$/namespace: shop/' deploy/rbac-rotation.yaml | kubectl --context prod apply -f -
        role/landfall created
        Ask the cluster for a token that lives 200m
        $ kubectl --context prod -n shop create token landfall --duration=12000s
        Store the token in a new SSM parameter k8s-bear-token (SecureString)
        $ printf %s … | aws ssm put-parameter --name k8s-bear-token --type SecureString --value file:///dev/stdin
        Store the cluster's CA in a new SSM parameter k8s-ca (SecureString)
        $ printf %s … | aws ssm put-parameter --name k8s-ca --type SecureString --value file:///dev/stdin
        Prove it: read k8s-bear-token and k8s-ca back, and ask https://A1.gr7.eu-west-1.eks.amazonaws.com with just these: may it patch deployments and create serviceaccounts/token in shop?
        sam deploy --guided --parameter-overrides ClusterUrl=https://A1.gr7.eu-west-1.eks.amazonaws.com TokenParameter=k8s-bear-token CaParameter=k8s-ca RotateToken=yes 'RotationSchedule="rate(1 hour)"'
        "#);
        let remark = remark(&options("--rotation"), &target(), &seen()).unwrap();
        assert_snapshot!(remark, @"Secret landfall-token still has a token that does not end. When a deploy went well with the new one: kubectl --context prod -n shop delete secret landfall-token");
    }

    /// What it says to what it will not do; nothing where it does it.
    fn refused(words: &str, target: &Target, seen: Seen) -> String {
        let decided = decide(&options(words), target, seen, Timestamp::UNIX_EPOCH);
        decided.map_or_else(|failure| failure.to_string(), |_| String::new())
    }

    #[test]
    fn what_belongs_to_another_is_replaced_only_when_told() {
        let usual = "alias/aws/ssm";
        let pem = "-----BEGIN CERTIFICATE-----";
        let other = "-----BEGIN CERTIFICATE-----\nAA";
        let (shop, web) = (living(9, "shop"), living(9, "web"));
        let (shop, web) = (shop.reveal(), web.reveal());
        for (token, ca, works, words) in [
            (Some(shop), Some(pem), false, ""),
            (Some(shop), None, true, ""),
            (
                Some(shop),
                None,
                false,
                "landfall that this cluster does not confirm",
            ),
            (
                Some(shop),
                Some(other),
                true,
                "k8s-ca failed: it holds another CA",
            ),
            (Some(web), Some(pem), false, "--for-account web,"),
            (Some(web), None, false, "--for-account web,"),
            // Another cluster's, which tells more.
            (
                Some(web),
                Some(other),
                false,
                "--token-parameter, --ca-parameter",
            ),
            (Some("static"), Some(pem), false, "does not say whose it is"),
            (None, Some(pem), false, ""),
            (None, Some(other), false, "another CA"),
            (None, None, false, ""),
        ] {
            for rotation in ["", "--rotation"] {
                let seen = || Seen {
                    token: token.and_then(|token| stored(token, usual)),
                    ca: ca.and_then(|ca| stored(ca, usual)),
                    works,
                    ..nothing()
                };
                let told = refused(rotation, &target(), seen());
                assert_eq!(
                    told.is_empty(),
                    words.is_empty(),
                    "{token:?} {ca:?}: {told}"
                );
                assert!(told.contains(words), "{token:?} {ca:?}: {told}");
                assert!(!told.contains(shop) && !told.contains("AA"), "{told}");
                assert!(
                    told.is_empty() || told.ends_with("Nothing was changed."),
                    "{told}"
                );
                let replaced = refused(&format!("{rotation} --replace"), &target(), seen());
                assert_eq!(replaced, "", "{token:?} {ca:?}");
            }
        }
        let seen = Seen {
            token: stored(web, usual),
            ..nothing()
        };
        let shown = shown("--replace", seen);
        let why = "it holds a token of system:serviceaccount:web:landfall, and --replace is given";
        assert!(shown.contains(why), "{shown}");
    }

    /// Under another key goes what is ours already, whoever else may have it.
    #[test]
    fn the_same_value_under_another_key_is_nobodys_loss() {
        let token = living(9, "web");
        let seen = Seen {
            secret: Some(token.clone()),
            token: stored(token.reveal(), "alias/aws/ssm"),
            ..nothing()
        };
        assert_eq!(refused(&format!("--key-arn {KEY}"), &target(), seen), "");
    }

    fn further() -> (Target, Seen) {
        let target = Target {
            namespace: "web".into(),
            ..target()
        };
        let seen = Seen {
            grants: vec![grant("rbac", "created")],
            token: stored(living(9, "shop").reveal(), KEY),
            ca: stored("-----BEGIN CERTIFICATE-----", KEY),
            ..nothing()
        };
        (target, seen)
    }

    #[test]
    fn a_further_namespace_takes_and_stores_nothing() {
        let (target, seen) = further();
        let options = options("-n web --for-account shop");
        let tools = Tools::new(&options);
        assert_eq!(remark(&options, &target, &seen), None);
        let steps = decide(&options, &target, seen, Timestamp::UNIX_EPOCH).unwrap();
        let lines = steps.iter().flat_map(|step| {
            let typed = step.typed(&tools, &target);
            let typed = typed.map(|typed| format!("$ {typed}"));
            [Some(step.heading(&options, &target)), typed]
        });
        assert_snapshot!(lines.flatten().collect::<Vec<_>>().join("\n"), @r#"
        Apply deploy/rbac.yaml
        $ sed -e '1,/^---/d' -e '/^subjects:/,/^---/!s/namespace: default$/namespace: web/' -e '/^subjects:/,/^---/s/namespace: default$/namespace: shop/' deploy/rbac.yaml | kubectl apply -f -
        SSM parameter k8s-bear-token holds a token of system:serviceaccount:shop:landfall, and is left
        Prove it: ask https://A1.gr7.eu-west-1.eks.amazonaws.com with the token of k8s-bear-token: may it patch deployments in web?
        "#);
        assert!(steps[1].is_done());
    }

    #[test]
    fn a_further_namespace_needs_the_account_that_is_named() {
        let usual = "alias/aws/ssm";
        for (token, ca, words) in [
            (stored(living(9, "shop").reveal(), usual), None, ""),
            (None, None, "there is no SSM parameter k8s-bear-token"),
            (
                stored(living(9, "web").reveal(), usual),
                None,
                "k8s-bear-token holds a token of system:serviceaccount:web:landfall",
            ),
            (stored("static", usual), None, "does not say whose it is"),
            (
                stored(living(9, "shop").reveal(), usual),
                stored("-----BEGIN CERTIFICATE-----\nAA", usual),
                "k8s-ca holds another CA than this cluster's",
            ),
        ] {
            let (target, seen) = further();
            let seen = Seen { token, ca, ..seen };
            let told = refused("-n web --for-account shop --replace", &target, seen);
            assert_eq!(told.is_empty(), words.is_empty(), "{told}");
            assert!(told.contains(words), "{words}: {told}");
        }
    }

    #[test]
    fn a_rolebinding_of_another_account_is_left() {
        let (shop, web) = (account("shop"), account("web"));
        for (bound, home, words) in [
            (vec![], "web", ""),
            (vec![web.clone()], "web", ""),
            (vec![shop.clone()], "shop", ""),
            (
                vec![shop.clone()],
                "web",
                "--for-account shop. To give web to",
            ),
            (
                vec![web.clone(), shop.clone()],
                "web",
                "it is for system:serviceaccount:shop",
            ),
            (
                vec![web],
                "shop",
                "it is for system:serviceaccount:web:landfall",
            ),
            (vec!["User  jane".into()], "shop", "it is for User  jane"),
        ] {
            let target = Target {
                namespace: "web".into(),
                home: home.into(),
                ..target()
            };
            let told = check_binding(&target, &bound);
            let told = told.map_or_else(|failure| failure.to_string(), |()| String::new());
            assert_eq!(told.is_empty(), words.is_empty(), "{bound:?}: {told}");
            assert!(told.contains(words), "{words}: {told}");
        }
        let printed = "ServiceAccount shop landfall\nUser  jane\n";
        assert_eq!(bound(printed), [shop, "User  jane".to_owned()]);
        assert!(bound("").is_empty());
    }

    #[test]
    fn a_schedule_fits_a_short_life() {
        for (lifetime, expected) in [
            ("3h", Some("rate(1 hour)")),
            ("5h", Some("rate(1 hour)")),
            ("719m", Some("rate(1 hour)")),
            ("12h", Some("rate(4 hours)")),
            ("1439m", Some("rate(4 hours)")),
            ("24h", None),
            ("48h", None),
        ] {
            let options = options(&format!("--rotation --token-lifetime {lifetime}"));
            let line = deploy_line(&options, &target(), &[]);
            assert!(line.contains("RotateToken=yes"), "{line}");
            let expected = expected.map(|rate| format!(" 'RotationSchedule=\"{rate}\"'"));
            match expected {
                Some(word) => assert!(line.ends_with(&word), "{line}"),
                None => assert!(!line.contains("RotationSchedule"), "{line}"),
            }
        }
        assert!(!deploy_line(&options(""), &target(), &[]).contains("Rotat"));
    }

    #[test]
    fn a_parameter_that_cannot_be_changed_ends_it() {
        let mut seen = nothing();
        seen.token = stored("t", KEY);
        seen.token.as_mut().unwrap().kind = "String".into();
        let failure = decide(&options(""), &target(), seen, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_snapshot!(failure, @r"
        deciding what becomes of SSM parameter k8s-bear-token failed: it is of the type String, which is not encrypted
        What to do: SSM does not change a parameter's type: name another with --token-parameter; or, where nothing needs it any more, delete it (`aws ssm delete-parameter --name …`).
        Nothing was changed.
        ");
    }
}
