//! What is to be done, as values: decided from what was seen, printed, and only then done.

use crate::account::{ACCOUNT, account, namespace_of};
use crate::command::{Command, Tools, quoted};
use crate::failure::{Failure, Refusal};
use crate::grant::Grant;
use crate::options::Options;
use crate::owner::{Owner, same_ca};
use crate::parameter::{Content, Stored, Verdict, judge};
use crate::proof::Question;
use crate::step::{SECRET, Source, Step, Store};
use crate::target::Target;
use crate::token::Token;
use jiff::Timestamp;

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
    // The API server caches a token for ten seconds after its ServiceAccount was deleted.
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

#[cfg(test)]
mod tests;
