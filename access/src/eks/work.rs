//! Carries out the steps on EKS, or shows what they would do.

use super::cluster::Cluster;
use super::review::{self, Answer, BINDING};
use super::steps::Step;
use crate::command::Tools;
use crate::failure::{Failure, Refusal};
use crate::proof::Question;
use std::time::Duration;

/// How long an access entry may take: "several seconds", says EKS.
/// <https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html>
const ENTRY: Duration = Duration::from_secs(60);

/// Carries out a plan.
pub(crate) struct Work<'a> {
    pub(crate) kubectl: &'a Tools,
    /// For calls in the cluster's region.
    pub(crate) aws: &'a Tools,
    pub(crate) cluster: &'a Cluster,
    pub(crate) questions: Vec<Question>,
    /// Who the user is to AWS.
    pub(crate) identity: &'a str,
    pub(crate) apply: bool,
}

impl Work<'_> {
    /// Prints each step and carries it out if told to; returns whether everything is done.
    pub(crate) async fn perform(&self, steps: &[Step]) -> Result<bool, Failure> {
        let ready = steps.iter().all(|step| step.is_done() || step.is_proof());
        let mut done: Vec<String> = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            let heading = step.heading(self.cluster, &self.questions);
            println!("{}. {heading}", number + 1);
            let typed = step.typed(self.kubectl, self.aws, self.cluster);
            if let Some(typed) = typed.filter(|_| !step.is_done()) {
                println!("   $ {typed}");
            }
            let lines = if self.apply || ready {
                let patient = !done.is_empty();
                let result = self.act(step, patient).await;
                result.map_err(|refusal| Failure {
                    done: done.clone(),
                    ..refusal.at(format!("\"{heading}\""))
                })?
            } else {
                step.outlook()
            };
            lines.iter().for_each(|line| println!("     {line}"));
            if !step.is_done() && !step.is_proof() {
                done.push(heading);
            }
        }
        Ok(self.apply || ready)
    }

    /// Carries out a step and returns its result, in lines. `patient` says that something was
    /// changed before it.
    async fn act(&self, step: &Step, patient: bool) -> Result<Vec<String>, Refusal> {
        match step {
            step if step.is_done() => Ok(Vec::new()),
            Step::Entry(role, verdict) => {
                if let Some(command) = verdict.command(self.aws, self.cluster, role) {
                    command.ask(None).await?;
                }
                Ok(vec!["done".to_owned()])
            }
            Step::Grant(_, grant) => grant.apply(self.kubectl).await,
            Step::Review(_) | Step::Token(..) => self.prove(step, patient).await,
        }
    }

    async fn prove(&self, step: &Step, patient: bool) -> Result<Vec<String>, Refusal> {
        let patience = match step {
            _ if !patient => Duration::ZERO,
            Step::Token(..) => ENTRY,
            Step::Review(_) | Step::Entry(..) | Step::Grant(..) => BINDING,
        };
        review::prove(patience, async || self.prove_once(step).await).await
    }

    async fn prove_once(&self, step: &Step) -> Result<Answer, Refusal> {
        match step {
            Step::Token(role, namespaces) => {
                let (aws, cluster) = (self.aws, self.cluster);
                let command = review::token_command(aws, cluster, role, self.identity);
                review::of_role(&command, cluster, &self.questions, namespaces).await
            }
            Step::Review(namespaces) => {
                review::of_group(self.kubectl, &self.questions, namespaces).await
            }
            Step::Entry(..) | Step::Grant(..) => Ok(Answer::Unasked(Vec::new())),
        }
    }
}
