//! The two proofs: what the group may do, by the user's own connection; and what the role may do,
//! with a token as the function makes it.

use super::cluster::Cluster;
use crate::account::GROUP;
use crate::arn::RoleArn;
use crate::command::{Command, Tools};
use crate::failure::Refusal;
use crate::proof::{self, Denial, Question};
use crate::token::Token;
use serde_json::Value;
use std::time::{Duration, Instant};

/// The answer to a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Proved(String),
    /// It could not be asked: why, and what proves it instead.
    Unasked(Vec<String>),
    /// No, and it may be too early yet.
    Not(Refusal),
}

/// How long a RoleBinding may take until each API server has it.
pub(crate) const BINDING: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(250);

/// Asks until it is proved or cannot be asked, for as long as `patience`.
///
/// # Errors
///
/// It is not proved by then, or cannot be asked at all.
pub(crate) async fn prove(
    patience: Duration,
    once: impl AsyncFn() -> Result<Answer, Refusal>,
) -> Result<Vec<String>, Refusal> {
    let end = Instant::now() + patience;
    loop {
        let refusal = match once().await? {
            Answer::Proved(line) => return Ok(vec![line]),
            Answer::Unasked(lines) => return Ok(lines),
            Answer::Not(refusal) => refusal,
        };
        if Instant::now() >= end {
            return Err(refusal);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks whether whoever is in the group may do that.
///
/// # Errors
///
/// The API server cannot be asked at all.
pub(crate) async fn of_group(
    tools: &Tools,
    questions: &[Question],
    namespaces: &[String],
) -> Result<Answer, Refusal> {
    for namespace in namespaces {
        let words = ["-n", namespace, "create", "-f", "-", "-o=json"];
        let command = tools.kubectl(&words);
        for question in questions {
            let review = question.review_of(GROUP, namespace).to_string();
            let answer = command.run(Some(&review)).await?;
            if answer.code != Some(0) {
                if answer.said.contains("(Forbidden)") {
                    return Ok(Answer::Unasked(vec![
                        "not proved: you may not ask about others (create \
                         localsubjectaccessreviews)"
                            .to_owned(),
                    ]));
                }
                return Err(command.refusal(&answer.said));
            }
            let answer: Value = serde_json::from_str(&answer.printed).unwrap_or_default();
            if answer["status"]["allowed"] != true {
                return Ok(Answer::Not(Refusal::own(
                    format!("group {GROUP} may not {} in {namespace}", question.words()),
                    "The Role and RoleBinding landfall are applied; does the RoleBinding have a \
                     subject `kind: Group`, `name: landfall`, as deploy/ has it, or does an \
                     authorization webhook deny it?",
                )));
            }
        }
    }
    Ok(Answer::Proved(format!(
        "yes: whoever is in group {GROUP} may (asked with a SubjectAccessReview)"
    )))
}

/// The command that makes a token like the function does. Whoever is the role need not assume it.
pub(crate) fn token_command(
    tools: &Tools,
    cluster: &Cluster,
    role: &RoleArn,
    identity: &str,
) -> Command {
    let mut words = vec!["eks", "get-token", "--cluster-name", &cluster.name];
    if !role.is_of(identity) {
        words.extend(["--role-arn", &role.whole]);
    }
    tools.aws(&words)
}

/// Asks with a token of the role, if the user may have one.
///
/// # Errors
///
/// The API server cannot be asked.
pub(crate) async fn of_role(
    command: &Command,
    cluster: &Cluster,
    questions: &[Question],
    namespaces: &[String],
) -> Result<Answer, Refusal> {
    let answer = command.run(None).await?;
    let printed: Value = serde_json::from_str(&answer.printed).unwrap_or_default();
    let token = printed["status"]["token"].as_str().and_then(Token::new);
    let Some(token) = token.filter(|_| answer.code == Some(0)) else {
        return Ok(Answer::Unasked(unasked(&answer.said)));
    };
    let (server, ca) = (&*cluster.endpoint, Some(&*cluster.ca));
    for namespace in namespaces {
        let refusal = match proof::ask(server, ca, &token, namespace, questions).await? {
            None => continue,
            Some(Denial::Unknown) => Refusal::own(
                format!("{server} does not know the role (HTTP 401)"),
                "Was the role made anew after its access entry? EKS keeps the role's inner id: \
                 delete the entry (`aws eks delete-access-entry`), and run this again.",
            ),
            Some(Denial::Forbidden(question)) => Refusal::own(
                format!("the role may not {} in {namespace}", question.words()),
                "Its access entry has group landfall, and the group may: run this again in a \
                 minute, until EKS has passed the entry on.",
            ),
        };
        return Ok(Answer::Not(refusal));
    }
    Ok(Answer::Proved(format!(
        "yes: {server} knows the role by its token, and it may"
    )))
}

/// Why there is no token, and what proves the role instead.
fn unasked(said: &str) -> Vec<String> {
    let why = if said.contains("AccessDenied") && said.contains("AssumeRole") {
        "you may not assume the role; most let only Lambda".to_owned()
    } else {
        let line = said.lines().find(|line| !line.trim().is_empty());
        format!(
            "there is no token of the role ({})",
            line.unwrap_or("the AWS CLI says nothing")
        )
    };
    vec![
        format!("not proved: {why}"),
        "the function proves it: an action with \"mode\": \"plan\" changes nothing".to_owned(),
    ]
}
