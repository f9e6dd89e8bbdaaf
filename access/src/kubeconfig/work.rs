//! Carries out the steps to a kubeconfig, or shows what they would do.

use super::made::{is_pipe, text};
use super::source::{Source, User};
use crate::account::GROUP;
use crate::command::Tools;
use crate::eks::review::{self, Answer, BINDING};
use crate::failure::{Failure, Refusal};
use crate::grant::Grant;
use crate::options::KubeconfigWay;
use crate::proof::Question;
use crate::step;
use crate::target::Target;
use crate::token::Token;
use crate::work::take;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// What there is in a context's cluster.
pub(crate) struct Cluster {
    pub(crate) tools: Tools,
    pub(crate) grants: Vec<Grant>,
    /// The ServiceAccount's token, if there is one.
    pub(crate) token: Option<Token>,
}

/// Makes a kubeconfig.
pub(crate) struct Work<'a> {
    pub(crate) way: &'a KubeconfigWay,
    pub(crate) sources: Vec<Source>,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) questions: Vec<Question>,
    pub(crate) apply: bool,
    pub(crate) replace: bool,
}

impl Work<'_> {
    /// Prints a line, beside the kubeconfig itself.
    pub(crate) fn say(&self, line: &str) {
        if is_pipe(self.way) {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    }

    /// Prints each step and carries it out if told to; returns the size of the kubeconfig, if it is
    /// written.
    pub(crate) async fn perform(&self) -> Result<Option<usize>, Failure> {
        let there = self.there().map_err(|refusal| refusal.at(self.heading()))?;
        let (mut done, mut number) = (Vec::new(), 0);
        let mut begin = |heading: &str| {
            number += 1;
            self.say(&format!("{number}. {heading}"));
        };
        let mut tokens = Vec::new();
        for (source, cluster) in self.sources.iter().zip(&self.clusters) {
            let Target {
                context, namespace, ..
            } = &source.target;
            let place = format!(" in {namespace} of {context}");
            for grant in &cluster.grants {
                let heading = grant.heading(&place);
                begin(&heading);
                let result = self.grant(source, cluster, grant).await;
                result.map_err(|refusal| after(refusal, &heading, &done))?;
                if !grant.is_there() {
                    done.push(heading);
                }
            }
            let token = match (&source.user, &cluster.token) {
                (User::Account, None) if self.apply => {
                    let secret = step::Source::Secret(None);
                    let taken = take(&secret, &cluster.tools, &source.target.namespace).await;
                    let heading = format!("taking the token of {}", source.target.context);
                    Some(taken.map_err(|refusal| after(refusal, &heading, &done))?)
                }
                (_, token) => token.clone(),
            };
            tokens.push(token);
        }
        let heading = self.heading();
        begin(&heading);
        let mut size = None;
        if self.apply {
            let text = text(&self.sources, &tokens);
            let text = text.map_err(|refusal| after(refusal, &heading, &done))?;
            if there.as_deref() == Some(&*text) {
                self.say("     it is there already, and is left");
            } else {
                let written = self.write(&text);
                written.map_err(|refusal| after(refusal, &heading, &done))?;
            }
            size = Some(text.len());
            done.push(heading);
        }
        for (source, cluster) in self.sources.iter().zip(&self.clusters) {
            let heading = self.proof_heading(source);
            begin(&heading);
            if self.apply {
                let lines = self.prove(source, cluster).await;
                let lines = lines.map_err(|refusal| after(refusal, &heading, &done))?;
                lines
                    .iter()
                    .for_each(|line| self.say(&format!("     {line}")));
            }
        }
        Ok(size)
    }

    /// The file that is there; refuses to replace it untold.
    fn there(&self) -> Result<Option<String>, Refusal> {
        if is_pipe(self.way) || !self.way.file.exists() {
            return Ok(None);
        }
        let there = fs::read_to_string(&self.way.file).unwrap_or_default();
        let tokens: Vec<_> = self.clusters.iter().map(|it| it.token.clone()).collect();
        let known = |(source, token): (&Source, &Option<Token>)| {
            source.user != User::Account || token.is_some()
        };
        let same =
            self.sources.iter().zip(&tokens).all(known) && text(&self.sources, &tokens)? == there;
        if same || self.replace {
            return Ok(Some(there));
        }
        Err(Refusal::own(
            format!("{} is there, with something else", self.way.file.display()),
            "Name another file; or, where nothing needs it any more: --replace.",
        ))
    }

    async fn grant(
        &self,
        source: &Source,
        cluster: &Cluster,
        grant: &Grant,
    ) -> Result<(), Refusal> {
        if grant.is_there() {
            return Ok(());
        }
        let typed = grant.typed(&cluster.tools, &source.target);
        self.say(&format!("   $ {typed}"));
        let lines = match self.apply {
            true => grant.apply(&cluster.tools).await?,
            false => grant.foreseen(),
        };
        lines
            .iter()
            .for_each(|line| self.say(&format!("     {line}")));
        Ok(())
    }

    fn heading(&self) -> String {
        let contexts: Vec<_> = self.sources.iter().map(|it| &*it.target.context).collect();
        let contexts = contexts.join(", ");
        if is_pipe(self.way) {
            return format!("Write a kubeconfig to standard output: {contexts}");
        }
        let file = self.way.file.display();
        format!("Write {file}, which only you may read (mode 0600): {contexts}")
    }

    /// A file beside it takes its place, so that nobody ever reads half of it.
    fn write(&self, text: &str) -> Result<(), Refusal> {
        let failed = |error: std::io::Error| {
            Refusal::own(
                format!("{} cannot be written: {error}", self.way.file.display()),
                "Name a file in a folder of your own.",
            )
        };
        if is_pipe(self.way) {
            return std::io::stdout().write_all(text.as_bytes()).map_err(failed);
        }
        let mut beside = self.way.file.clone().into_os_string();
        beside.push(format!(".{}", std::process::id()));
        let beside = Path::new(&beside);
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let written = options.open(beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            fs::rename(beside, &self.way.file)
        });
        written.map_err(|error| {
            let _removed = fs::remove_file(beside);
            failed(error)
        })
    }

    fn proof_heading(&self, source: &Source) -> String {
        let target = &source.target;
        let may = Question::may(&self.questions, &target.namespace);
        match &source.user {
            User::Iam(_) => format!(
                "Ask {} about group {GROUP}, by your own connection: {may}",
                target.context
            ),
            User::Certificate | User::Account => {
                format!("Ask {} with what was written: {may}", target.context)
            }
        }
    }

    async fn prove(&self, source: &Source, cluster: &Cluster) -> Result<Vec<String>, Refusal> {
        let patience = match cluster.grants.iter().all(Grant::is_there) {
            true => Duration::ZERO,
            false => BINDING,
        };
        review::prove(patience, async || self.prove_once(source, cluster).await).await
    }

    async fn prove_once(&self, source: &Source, cluster: &Cluster) -> Result<Answer, Refusal> {
        let target = &source.target;
        if let User::Iam(_) = source.user {
            let namespaces = [target.namespace.clone()];
            return review::of_group(&cluster.tools, &self.questions, &namespaces).await;
        }
        if is_pipe(self.way) {
            let why = "not proved: what went to the pipe cannot be tried here";
            return Ok(Answer::Unasked(vec![why.to_owned()]));
        }
        let tools = Tools::of_file(&self.way.file, &target.context);
        for question in &self.questions {
            let [verb, resource] = question.can_i();
            let words = ["-n", &target.namespace, "auth", "can-i", &verb, &resource];
            let command = tools.kubectl(&words);
            let answer = command.run(None).await?;
            match answer.printed.trim() {
                "yes" => {}
                "no" => {
                    let words = question.words();
                    return Ok(Answer::Not(Refusal::own(
                        format!("it may not {words} in {}", target.namespace),
                        "Does a RoleBinding give it the Role landfall? For a client certificate \
                         bind its user or group by hand.",
                    )));
                }
                _ => return Err(command.refusal(&answer.said)),
            }
        }
        let at = &target.server;
        Ok(Answer::Proved(format!(
            "yes: {at} knows who it is, and it may"
        )))
    }
}

fn after(refusal: Refusal, heading: &str, done: &[String]) -> Failure {
    Failure {
        done: done.to_vec(),
        ..refusal.at(format!("\"{heading}\""))
    }
}
