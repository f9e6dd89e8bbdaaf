//! What is to be done, as values: decided from what was seen, printed, and only then done.

use crate::failure::{Failure, Refusal};
use crate::grant::Grant;
use crate::options::{Options, USUAL_KEY, lifetime};
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
    /// The token in the Secret, where there is one.
    pub(crate) secret: Option<Token>,
    pub(crate) token: Option<Stored>,
    pub(crate) ca: Option<Stored>,
    /// Whether the API server knows the token that SSM holds.
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
/// Where SSM has something in the place that cannot be changed.
pub(crate) fn decide(
    options: &Options,
    target: &Target,
    seen: Seen,
    now: Timestamp,
) -> Result<Vec<Step>, Box<Failure>> {
    let source = source(options, target, &seen, now);
    let token = match &source {
        Source::Kept { token, .. } | Source::Secret(Some(token)) => Some(token.reveal()),
        Source::Secret(None) | Source::Request(_) => None,
    };
    let mut stores = vec![store(options, Content::Token, seen.token.as_ref(), token)?];
    if let Some(ca) = &target.ca {
        stores.push(store(options, Content::Ca, seen.ca.as_ref(), Some(ca))?);
    }
    let mut steps: Vec<Step> = seen.grants.into_iter().map(Step::Grant).collect();
    steps.push(Step::Take(source));
    steps.extend(stores.into_iter().map(Step::Store));
    steps.push(Step::Prove(Question::all(options)));
    Ok(steps)
}

fn store(
    options: &Options,
    content: Content,
    stored: Option<&Stored>,
    wanted: Option<&str>,
) -> Result<Store, Box<Failure>> {
    let name = match content {
        Content::Token => &options.token_parameter,
        Content::Ca => &options.ca_parameter,
    };
    let verdict = judge(content, stored, wanted, options.key.as_deref());
    let refused = |refusal: Refusal| {
        Box::new(refusal.at(format!("deciding what becomes of SSM parameter {name}")))
    };
    let key = options.key.clone();
    Ok(Store {
        content,
        name: name.clone(),
        verdict: verdict.map_err(refused)?,
        key: key.or_else(|| stored.and_then(|stored| stored.key.clone())),
    })
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
                && token.subject() == Some(account(&target.namespace))
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
    let until = stored.as_ref().and_then(Token::expires);
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
                Source::Kept { .. } | Source::Secret(Some(_)) => true,
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
            Step::Prove(questions) => {
                let words: Vec<_> = questions.iter().map(Question::words).collect();
                let words = words.join(" and ");
                let both = match target.ca {
                    Some(_) => format!("{} and {}", options.token_parameter, options.ca_parameter),
                    None => format!("{} (the cluster has a public CA)", options.token_parameter),
                };
                format!(
                    "Prove it: read {both} back, and ask {} with just these: may it {words} in {}?",
                    target.server, target.namespace
                )
            }
        }
    }

    /// As a person would type it.
    pub(crate) fn typed(&self, tools: &Tools, target: &Target) -> Option<String> {
        match self {
            Step::Grant(grant) => Some(grant.typed(tools, &target.namespace)),
            Step::Take(source) => {
                let command = source.command(tools, &target.namespace)?;
                Some(match source {
                    Source::Kept { .. } | Source::Request(_) => command.to_string(),
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

impl Source {
    /// What prints the token; nothing where it is at hand.
    pub(crate) fn command(&self, tools: &Tools, namespace: &str) -> Option<Command> {
        match self {
            Source::Kept { .. } => None,
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
    if options.rotation.is_some() {
        overrides.push("RotateToken=yes".into());
    }
    line.push("--parameter-overrides".into());
    line.extend(overrides.iter().map(|word| quoted(word)));
    line.join(" ")
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
        assert_snapshot!(shown, @r"
        Apply deploy/rbac.yaml
        $ sed 's/namespace: default/namespace: shop/' deploy/rbac.yaml | kubectl --context prod apply -f -
        role/landfall created
        Apply deploy/token-secret.yaml
        $ sed 's/namespace: default/namespace: shop/' deploy/token-secret.yaml | kubectl --context prod apply -f -
        role/landfall created
        Take the token of Secret landfall-token
        $ kubectl --context prod -n shop get secret landfall-token --ignore-not-found '-o=jsonpath={.data.token}' | base64 -d
        Store the token in a new SSM parameter k8s-bear-token (SecureString, under arn:aws:kms:eu-west-1:1:key/k)
        $ printf %s … | aws --region eu-west-1 ssm put-parameter --name k8s-bear-token --type SecureString --key-id arn:aws:kms:eu-west-1:1:key/k --value file:///dev/stdin
        Store the cluster's CA in a new SSM parameter k8s-ca (SecureString, under arn:aws:kms:eu-west-1:1:key/k)
        $ printf %s … | aws --region eu-west-1 ssm put-parameter --name k8s-ca --type SecureString --key-id arn:aws:kms:eu-west-1:1:key/k --value file:///dev/stdin
        Prove it: read k8s-bear-token and k8s-ca back, and ask https://A1.gr7.eu-west-1.eks.amazonaws.com with just these: may it patch deployments in shop?
        sam deploy --guided --region eu-west-1 --parameter-overrides ClusterUrl=https://A1.gr7.eu-west-1.eks.amazonaws.com TokenParameter=k8s-bear-token CaParameter=k8s-ca KeyArn=arn:aws:kms:eu-west-1:1:key/k
        ");
    }

    #[test]
    fn what_is_there_is_left() {
        let token = living(1, "shop");
        let seen = Seen {
            grants: vec![
                grant("rbac", "unchanged"),
                grant("token-secret", "unchanged"),
            ],
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
                "--rotation --token-lifetime 2h",
                living(2, "shop"),
                true,
                true,
            ),
            ("--rotation", living(12, "shop"), true, false),
            ("--rotation", living(13, "shop"), false, false),
            ("--rotation", living(13, "web"), true, false),
            ("--rotation", sample("{}"), true, false),
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
        assert_snapshot!(shown("--rotation --token-lifetime 90m", seen()), @r"
        deploy/rbac.yaml is applied already
        Apply deploy/rbac-rotation.yaml
        $ sed 's/namespace: default/namespace: shop/' deploy/rbac-rotation.yaml | kubectl --context prod apply -f -
        role/landfall created
        Ask the cluster for a token that lives 90m
        $ kubectl --context prod -n shop create token landfall --duration=5400s
        Store the token in a new SSM parameter k8s-bear-token (SecureString)
        $ printf %s … | aws ssm put-parameter --name k8s-bear-token --type SecureString --value file:///dev/stdin
        Store the cluster's CA in a new SSM parameter k8s-ca (SecureString)
        $ printf %s … | aws ssm put-parameter --name k8s-ca --type SecureString --value file:///dev/stdin
        Prove it: read k8s-bear-token and k8s-ca back, and ask https://A1.gr7.eu-west-1.eks.amazonaws.com with just these: may it patch deployments and create serviceaccounts/token in shop?
        sam deploy --guided --parameter-overrides ClusterUrl=https://A1.gr7.eu-west-1.eks.amazonaws.com TokenParameter=k8s-bear-token CaParameter=k8s-ca RotateToken=yes
        ");
        let remark = remark(&options("--rotation"), &target(), &seen()).unwrap();
        assert_snapshot!(remark, @"Secret landfall-token still has a token that does not end. When a deploy went well with the new one: kubectl --context prod -n shop delete secret landfall-token");
    }

    #[test]
    fn a_parameter_that_cannot_be_changed_ends_it() {
        let mut seen = nothing();
        seen.token = stored("t", KEY);
        seen.token.as_mut().unwrap().kind = "String".into();
        let failure = decide(&options(""), &target(), seen, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_snapshot!(failure, @r"
        deciding what becomes of SSM parameter k8s-bear-token failed: it is of the type String, which is not encrypted
        What to do: SSM does not change a parameter's type: delete it (`aws ssm delete-parameter --name …`), or name another with --token-parameter.
        Nothing was changed.
        ");
    }
}
