//! The cluster's token and CA in SSM Parameter Store: one call reads them, another one renews the
//! token.

use crate::aws::clients::Aws;
use crate::aws::failure::{self, AwsError};
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter, ParameterHistory};
use jiff::Timestamp;
use landfall_core::environment::{CaSource, TokenSource};
use landfall_core::formats::certificate;
use landfall_core::kubernetes::token::Token;
use landfall_core::outcome::{AwsPermission, CredentialsError, check};

/// How many versions of a parameter are in a page; this is SSM's limit.
const VERSIONS_PAGE: i32 = 50;

/// How many pages are read: SSM keeps a hundred versions, and a page may be incomplete.
const VERSIONS_PAGES: usize = 20;

/// The credentials for the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Credentials {
    /// The bearer token.
    pub token: Token,
    /// The cluster's CA in PEM; `None` for the public root certificates.
    pub ca: Option<String>,
}

/// Reads the token and the CA.
pub async fn fetch(
    aws: &Aws,
    source: &TokenSource,
    now: Timestamp,
) -> Result<Credentials, CredentialsError> {
    let token_name = &*source.token_parameter;
    let ca_name = match &source.ca {
        CaSource::Parameter(name) => Some(&**name),
        CaSource::Public | CaSource::Given(_) => None,
    };
    let names = [token_name].into_iter().chain(ca_name).collect::<Vec<_>>();
    let values = values(aws, &names).await?;
    let token = Token::new(&values[0]);
    check(&token, token_name, now)?;
    let ca = match &source.ca {
        CaSource::Public => None,
        CaSource::Given(pem) => Some(pem.clone()),
        CaSource::Parameter(name) => {
            let text = certificate::normalized(&values[1]);
            let told = |why| CredentialsError::Ca(format!("SSM parameter `{name}`: {why}"));
            Some(text.map_err(told)?)
        }
    };
    Ok(Credentials { token, ca })
}

/// Reads parameters, and returns their values in the order of their names. The role needs
/// `ssm:GetParameters` on them, and `kms:Decrypt` if the customer's own key encrypts them.
pub async fn values(aws: &Aws, names: &[&str]) -> Result<Vec<String>, CredentialsError> {
    let names = names
        .iter()
        .map(|name| (*name).to_owned())
        .collect::<Vec<_>>();
    let call = client(aws)?.get_parameters().with_decryption(true);
    let answer = call.set_names(Some(names.clone())).send().await;
    let answer = answer.map_err(|error| refused(AwsPermission::READING, failure::read(error)))?;
    let invalid = answer.invalid_parameters();
    if !invalid.is_empty() {
        let names = invalid.join("`, `");
        return Err(CredentialsError::Missing(format!("`{names}`")));
    }
    let value = |name: &String| {
        let mut found = answer.parameters().iter();
        let found = found.find(|found| is_named(found, name));
        let value = found.and_then(Parameter::value).map(str::to_owned);
        // What SSM does not have it lists as invalid.
        let odd = || CredentialsError::Broken(format!("its answer has no value of `{name}`"));
        value.ok_or_else(odd)
    };
    names.iter().map(value).collect()
}

/// The type, key and tier of a parameter's newest version. The value stays encrypted. Of the calls
/// that return the key, only this one can be limited to one parameter by a policy.
pub async fn newest(aws: &Aws, name: &str) -> Result<ParameterHistory, CredentialsError> {
    let (mut newest, mut token) = (None::<ParameterHistory>, None);
    for _ in 0..VERSIONS_PAGES {
        let call = client(aws)?.get_parameter_history().name(name);
        let call = call.max_results(VERSIONS_PAGE).set_next_token(token);
        let page = call.send().await;
        let page = page.map_err(|error| refused(AwsPermission::LOOKING, failure::read(error)))?;
        let versions = page.parameters.unwrap_or_default();
        newest = newest
            .into_iter()
            .chain(versions)
            .max_by_key(|it| it.version);
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    newest.ok_or_else(|| CredentialsError::Missing(format!("`{name}`")))
}

/// Stores a token as a new version of its parameter, with the previous version's settings: without
/// a key SSM would use its own, which everyone in the account may use. Policies stay unchanged.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
pub async fn store(
    aws: &Aws,
    kept: &ParameterHistory,
    token: &Token,
) -> Result<i64, CredentialsError> {
    let call = client(aws)?
        .put_parameter()
        .name(kept.name().unwrap_or_default())
        .value(token.reveal())
        .overwrite(true)
        .set_type(kept.r#type().cloned())
        .set_key_id(kept.key_id().map(str::to_owned))
        .set_tier(kept.tier().cloned())
        .set_description(kept.description().map(str::to_owned))
        .set_allowed_pattern(kept.allowed_pattern().map(str::to_owned));
    let stored = call.send().await;
    let stored = stored.map_err(|error| refused(AwsPermission::WRITING, failure::read(error)))?;
    Ok(stored.version())
}

fn client(aws: &Aws) -> Result<&Client, CredentialsError> {
    aws.ssm().map_err(CredentialsError::Unreachable)
}

/// Whether a parameter is the requested one, by name or by ARN, with or without `:version` or
/// `:label`, which SSM returns separately as the selector. moto leaves the selector out; there the
/// version decides, and a label is trusted. <https://github.com/getmoto/moto>
fn is_named(parameter: &Parameter, asked: &str) -> bool {
    let is_asked = |name: &str| match (asked.strip_prefix(name), parameter.selector()) {
        (None, _) => false,
        (Some(""), _) => true,
        (Some(rest), Some(selector)) => rest == selector,
        (Some(rest), None) => rest.strip_prefix(':').is_some_and(|wanted| {
            let version = wanted.parse::<i64>();
            version.is_err() || version == Ok(parameter.version())
        }),
    };
    let names = [parameter.name(), parameter.arn()];
    names.into_iter().flatten().any(is_asked)
}

fn refused(right: AwsPermission, error: AwsError) -> CredentialsError {
    match error {
        AwsError::Unreachable(why) => CredentialsError::Unreachable(why),
        AwsError::Refused(status, code, message) => {
            CredentialsError::answered(right, status, &code, &message)
        }
    }
}

#[cfg(test)]
mod tests;
