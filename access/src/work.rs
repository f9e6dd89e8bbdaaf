//! Carries out the steps of a plan, or shows what they would do.

use crate::command::Tools;
use crate::eks::review::{self, Answer};
use crate::failure::{Failure, Refusal};
use crate::options::Options;
use crate::owner;
use crate::parameter::{self, Content};
use crate::proof::{self, Denial, Question};
use crate::step::{Source, Step, Store};
use crate::target::Target;
use crate::token::Token;
use std::time::{Duration, Instant};

/// How long the cluster may take to create a token, or to accept it and its permissions everywhere.
/// SSM, too, may return the previous value for a moment.
const SETTLING: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(250);

/// Carries out a plan.
pub(crate) struct Work<'a> {
    pub(crate) tools: Tools,
    pub(crate) options: &'a Options,
    pub(crate) target: Target,
}

impl Work<'_> {
    /// Prints each step and carries it out with `--apply`; returns whether everything is done and
    /// checked.
    pub(crate) async fn perform(&self, steps: &[Step]) -> Result<bool, Failure> {
        let ready = steps
            .iter()
            .all(|step| step.is_done() || matches!(step, Step::Prove(_)));
        let mut done = Vec::new();
        let mut token = None;
        for (number, step) in steps.iter().enumerate() {
            let heading = step.heading(self.options, &self.target);
            println!("{}. {heading}", number + 1);
            if !step.is_done()
                && let Some(typed) = step.typed(&self.tools, &self.target)
            {
                println!("   $ {typed}");
            }
            if self.options.apply || ready {
                let result = self.act(step, &mut token).await;
                let result = result.map_err(|refusal| Failure {
                    done: done.clone(),
                    ..refusal.at(format!("\"{heading}\""))
                })?;
                if !step.is_done() && !matches!(step, Step::Take(_)) {
                    done.push(heading);
                }
                print_lines(&result);
            } else {
                print_lines(&step.outlook());
            }
        }
        Ok(self.options.apply || ready)
    }

    /// Carries out a step and returns its result, in lines.
    async fn act(&self, step: &Step, token: &mut Option<Token>) -> Result<Vec<String>, Refusal> {
        match step {
            Step::Grant(grant) if grant.is_there() => Ok(Vec::new()),
            Step::Grant(grant) => grant.apply(&self.tools).await,
            Step::Take(source) => {
                let taken = take(source, &self.tools, &self.target.namespace).await?;
                let life = match (source, taken.expires()) {
                    (Source::Given(_) | Source::Kept { .. }, _) => Vec::new(),
                    (_, Some(until)) => vec![format!("it is good until {until:.0}")],
                    (_, None) => vec!["it does not end by itself".to_owned()],
                };
                *token = Some(taken);
                Ok(life)
            }
            Step::Store(store) => self.store(store, token.as_ref()).await,
            Step::Prove(questions) => {
                let once = async || self.prove_once(questions, token.as_ref()).await;
                review::prove(SETTLING, once).await
            }
        }
    }

    async fn store(&self, store: &Store, token: Option<&Token>) -> Result<Vec<String>, Refusal> {
        let value = match store.content {
            Content::Token => token.map(Token::reveal),
            Content::Ca => self.target.ca.as_deref(),
        };
        let value = value.expect("the token is taken before it is stored");
        let Some(command) = store.verdict.command(&self.tools, &store.name, value.len()) else {
            return Ok(Vec::new());
        };
        let printed = command.ask(Some(value)).await?;
        let answer: serde_json::Value = serde_json::from_str(&printed).unwrap_or_default();
        Ok(vec![format!("stored as version {}", answer["Version"])])
    }

    /// Reads the values back from SSM and calls the API server with them.
    async fn prove_once(
        &self,
        questions: &[Question],
        written: Option<&Token>,
    ) -> Result<Answer, Refusal> {
        let (options, target) = (self.options, &self.target);
        let [token, ca] = parameter::read(&self.tools, options).await?;
        let token = token.and_then(|stored| Token::new(&stored.value));
        let ca = match ca.filter(|_| target.ca.is_some()) {
            // The function may have the CA in ClusterCa.
            None if target.is_further() => target.ca.clone(),
            stored => stored.map(|stored| stored.value),
        };
        let stale = |name: &str| {
            Answer::Not(Refusal::own(
                format!("SSM parameter {name} does not hold what was written"),
                "Somebody else may write it, too: run this again.",
            ))
        };
        let token = match token {
            Some(token) if Some(&token) == written => token,
            _ => return Ok(stale(&options.token_parameter)),
        };
        let is_same = match (&ca, &target.ca) {
            (Some(ca), Some(own)) => owner::same_ca(ca, own),
            (ca, own) => ca.is_none() && own.is_none(),
        };
        if !is_same {
            return Ok(stale(&options.ca_parameter));
        }
        let server = &target.server;
        let asked = proof::ask(server, ca.as_deref(), &token, &target.namespace, questions);
        Ok(match asked.await? {
            None => {
                let who = token.subject().unwrap_or_else(|| "it".to_owned());
                Answer::Proved(format!("yes: {server} knows it as {who}, and it may"))
            }
            Some(Denial::Unknown) => Answer::Not(Refusal::own(
                format!("{server} does not know the token (HTTP 401)"),
                "Is SSM's token of another cluster, or was its ServiceAccount made anew? Delete \
                 the parameter and, without --rotation, the Secret, and run this again.",
            )),
            Some(Denial::Forbidden(question)) => Answer::Not(Refusal::own(
                format!(
                    "the token may not {} in {}",
                    question.words(),
                    target.namespace
                ),
                "The Role and RoleBinding landfall are applied; does a rule of deploy/ miss, or \
                 an authorization webhook deny it?",
            )),
        })
    }
}

/// Takes the token, as soon as the cluster has made it.
pub(crate) async fn take(
    source: &Source,
    tools: &Tools,
    namespace: &str,
) -> Result<Token, Refusal> {
    if let Source::Given(token) | Source::Kept { token, .. } | Source::Secret(Some(token)) = source
    {
        return Ok(token.clone());
    }
    let end = Instant::now() + SETTLING;
    loop {
        let printed = match source.command(tools, namespace) {
            Some(command) => command.ask(None).await?,
            None => String::new(),
        };
        let token = match source {
            Source::Secret(_) => Token::decode(&printed),
            Source::Given(_) | Source::Kept { .. } | Source::Request(_) => Token::new(&printed),
        };
        match token {
            Some(token) => return Ok(token),
            None if Instant::now() < end => tokio::time::sleep(PAUSE).await,
            None => {
                return Err(Refusal::own(
                    "the cluster made no token in 20 s",
                    "The cluster's token controller fills the Secret in; look at it with \
                     `kubectl describe secret`. Clusters without one: --rotation.",
                ));
            }
        }
    }
}

fn print_lines(lines: &[String]) {
    for line in lines {
        println!("     {line}");
    }
}
