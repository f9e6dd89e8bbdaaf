//! Reads the state of the account, the cluster and SSM, without changing anything.

use crate::account::account;
use crate::binding;
use crate::command::Tools;
use crate::failure::Failure;
use crate::grant::{self, Grant};
use crate::options::Options;
use crate::parameter::{self, Stored};
use crate::plan::{self, Seen};
use crate::proof::{self, Denial, Question};
use crate::step::{SECRET, secret};
use crate::target::Target;
use crate::token::Token;
use std::fmt;

/// Who the user is to AWS.
pub(crate) struct Identity {
    pub(crate) arn: String,
    pub(crate) account: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "account {}, as {}", self.account, self.arn)
    }
}

/// Finds out who the user is to AWS, and the region, which each command gets that is shown.
pub(crate) async fn sign_in(tools: &mut Tools, options: &mut Options) -> Result<Identity, Failure> {
    let identity = identity(tools).await?;
    if options.region.is_none() {
        options.region = region(tools).await?;
    }
    if let Some(region) = &options.region {
        tools.pin_region(region);
    }
    Ok(identity)
}

/// The AWS account, which is shown because the wrong account is a common mistake.
async fn identity(tools: &Tools) -> Result<Identity, Failure> {
    let asked = tools.aws(&["sts", "get-caller-identity"]).ask(None).await;
    let printed = asked.map_err(|refusal| refusal.at("asking AWS who you are"))?;
    let answer: serde_json::Value = serde_json::from_str(&printed).unwrap_or_default();
    let text = |field: &str| answer[field].as_str().unwrap_or("unknown").to_owned();
    Ok(Identity {
        arn: text("Arn"),
        account: text("Account"),
    })
}

/// The AWS CLI's default region: it knows all places where one may be configured.
async fn region(tools: &Tools) -> Result<Option<String>, Failure> {
    let asked = tools.aws(&["configure", "list"]).ask(None).await;
    let printed = asked.map_err(|refusal| refusal.at("asking the AWS CLI for its region"))?;
    Ok(parameter::region(&printed))
}

/// Reads everything, without changing anything.
pub(crate) async fn look(
    tools: &Tools,
    options: &Options,
    target: &Target,
) -> Result<Seen, Failure> {
    let mut grants = Vec::new();
    for file in grant::files(options) {
        grants.push(Grant::look(tools, target, &options.manifests, file).await?);
    }
    let bound = binding::read(tools, &target.namespace).await?;
    let secret = look_for_secret(tools, options, target).await?;
    let history = parameter::check_history(tools).await;
    history.map_err(|refusal| refusal.at("reading the SSM parameters"))?;
    let found = parameter::read(tools, options).await;
    let mut found = found.map_err(|refusal| refusal.at("reading the SSM parameters"))?;
    if found.iter().any(Option::is_some) && !target.is_further() {
        let keys = parameter::read_keys(tools, options, &mut found).await;
        keys.map_err(|refusal| refusal.at("reading which keys encrypt the SSM parameters"))?;
    }
    let [token, ca] = found;
    Ok(Seen {
        grants,
        bound,
        secret: Token::decode(&secret),
        works: plan::is_cluster(target, ca.as_ref()) && is_known(target, token.as_ref()).await,
        token,
        ca,
    })
}

/// The Secret's token in base64; empty if it is not needed.
async fn look_for_secret(
    tools: &Tools,
    options: &Options,
    target: &Target,
) -> Result<String, Failure> {
    if target.is_further() {
        return Ok(String::new());
    }
    match secret(tools, &target.namespace).ask(None).await {
        // With rotation the Secret only causes a remark, so a missing permission is not an error.
        Err(_) if options.rotation.is_some() => Ok(String::new()),
        asked => asked.map_err(|refusal| refusal.at(format!("reading Secret {}", SECRET))),
    }
}

/// Whether the API server accepts a stored token. Tokens of others are not sent to it.
async fn is_known(target: &Target, stored: Option<&Stored>) -> bool {
    let Some(token) = stored.and_then(|stored| Token::new(&stored.value)) else {
        return false;
    };
    if token.subject() != Some(account(&target.home)) {
        return false;
    }
    let question = Question::all(&Options::default());
    let asked = proof::ask(
        &target.server,
        target.ca.as_deref(),
        &token,
        &target.namespace,
        &question,
    );
    matches!(asked.await, Ok(None | Some(Denial::Forbidden(_))))
}
