//! The plan as values: decided from the current state, printed, and only then carried out.

use crate::account::{ACCOUNT, account, group, namespace_of};
use crate::command::quoted;
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

/// The API server's line for a new ServiceAccount.
const NEW_ACCOUNT: &str = "serviceaccount/landfall created";

/// The current state of the cluster and SSM.
pub(crate) struct Seen {
    pub(crate) grants: Vec<Grant>,
    /// The subjects of the namespace's RoleBinding.
    pub(crate) bound: Vec<String>,
    /// The token in the Secret, if there is one.
    pub(crate) secret: Option<Token>,
    pub(crate) token: Option<Stored>,
    pub(crate) ca: Option<Stored>,
    /// Whether SSM's token belongs to this account and the API server accepts it.
    pub(crate) works: bool,
}

/// Decides the steps, in order.
///
/// # Errors
///
/// A value in SSM cannot be changed, or belongs to someone else.
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

/// Refuses to replace a RoleBinding's other subjects: applying it would remove them.
fn check_binding(target: &Target, bound: &[String]) -> Result<(), Box<Failure>> {
    let (namespace, account) = (&target.namespace, account(&target.home));
    let others = |subject: &&String| ![&account, &group()].contains(subject);
    let Some(other) = bound.iter().find(others) else {
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

/// Uses the account's existing token, from the parameter that the function reads.
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

/// Whether SSM's CA belongs to this cluster, as far as we can tell.
pub(crate) fn is_cluster(target: &Target, stored: Option<&Stored>) -> bool {
    match (&target.ca, stored) {
        (Some(ca), Some(stored)) => same_ca(&stored.value, ca),
        (None, _) | (_, None) => true,
    }
}

/// Decides about the parameters. The CA comes first: the cluster matters before the account.
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

/// The owner of a stored value. A token with this account's name belongs to this cluster if the API
/// server accepts it, or if the cluster's CA is stored with it: a cluster that was created again
/// has the same account name.
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
        // Half of its lifetime is enough time for rotation to renew it.
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

/// A remark about a state that is correct now but may not stay so.
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
