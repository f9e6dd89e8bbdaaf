//! The way in by a kubeconfig: one that the function can use, from contexts of the user's own.

mod made;
mod source;
mod work;

use crate::binding;
use crate::command::Tools;
use crate::deploy;
use crate::failure::{Failure, Refusal};
use crate::grant::{self, Grant, TOKEN_SECRET};
use crate::options::{KubeconfigWay, Options};
use crate::proof::Question;
use crate::step::{self, secret};
use crate::survey;
use crate::token::Token;
use made::is_pipe;
use source::{Source, User};
use std::io::IsTerminal as _;
use work::{Cluster, Work};

/// Makes the kubeconfig, or shows what that would do.
pub(crate) async fn run(given: &Options, way: &KubeconfigWay) -> Result<(), Failure> {
    if is_pipe(way) && std::io::stdout().is_terminal() {
        let why = "--kubeconfig-out - writes secrets to standard output, and that is a terminal";
        return Err(Refusal::own(why, "Pipe it on, or name a file.").at("making the kubeconfig"));
    }
    let mut options = given.clone();
    let mut tools = Tools::new(&Options {
        contexts: Vec::new(),
        ..options.clone()
    });
    let identity = survey::sign_in(&mut tools, &mut options).await?;
    let (sources, clusters) = look(&tools, &options, way).await?;
    let work = Work {
        way,
        sources,
        clusters,
        questions: Question::all(&options),
        apply: options.apply,
        replace: options.replace,
    };
    for (number, source) in work.sources.iter().enumerate() {
        let head = if number == 0 {
            "Contexts "
        } else {
            "         "
        };
        let target = &source.target;
        work.say(&format!(
            "{head}  {} at {}, namespace {}, as {}",
            target.context,
            target.server,
            target.namespace,
            who(&source.user)
        ));
    }
    work.say(&format!("AWS        {identity}"));
    let region = options.region.as_deref().unwrap_or("none is set");
    work.say(&format!("Region     {region}\n"));
    for source in &work.sources {
        for remark in source.remarks.iter().chain(&source.target.warnings) {
            work.say(&format!("Note: {}: {remark}.\n", source.target.context));
        }
    }
    let size = work.perform().await?;
    print_end(&work, &tools, &options, size);
    Ok(())
}

/// Reads each context, and what its cluster has, without changing anything.
async fn look(
    tools: &Tools,
    options: &Options,
    way: &KubeconfigWay,
) -> Result<(Vec<Source>, Vec<Cluster>), Failure> {
    let region = options.region.as_deref();
    let contexts: Vec<Option<&String>> = match &options.contexts[..] {
        [] => vec![None],
        some => some.iter().map(Some).collect(),
    };
    let (mut sources, mut clusters) = (Vec::new(), Vec::new());
    for context in contexts {
        let mut tools = tools.clone();
        if let Some(context) = context {
            tools.pin(context);
        }
        let source = Source::read(&tools, options, way.certificates, region).await;
        let mut source = source.map_err(|refusal| refusal.at("reading the kubeconfig"))?;
        tools.pin(&source.target.context);
        clusters.push(cluster(tools, options, &mut source).await?);
        sources.push(source);
    }
    Ok((sources, clusters))
}

async fn cluster(tools: Tools, options: &Options, source: &mut Source) -> Result<Cluster, Failure> {
    let namespace = source.target.namespace.clone();
    let bound = binding::read(&tools, &namespace).await?;
    let is_account = source.user == User::Account;
    let target = binding::settled(&source.target, &namespace, &bound, options.replace)?;
    if is_account && target.is_further() {
        let why = format!("it is for the ServiceAccount of {}", target.home);
        let advice = "Name that namespace for this context, or take its rights away: --replace.";
        let step = format!("deciding what becomes of RoleBinding landfall in {namespace}");
        return Err(Refusal::own(why, advice).at(step));
    }
    let mut grants = Vec::new();
    let token = is_account.then_some(TOKEN_SECRET);
    for file in grant::files(options).into_iter().chain(token) {
        grants.push(Grant::look(&tools, &target, &options.manifests, file).await?);
    }
    source.target = target;
    let token = match is_account {
        true => {
            let printed = secret(&tools, &namespace).ask(None).await;
            let step = format!("reading Secret {}", step::SECRET);
            Token::decode(&printed.map_err(|refusal| refusal.at(step))?)
        }
        false => None,
    };
    Ok(Cluster {
        tools,
        grants,
        token,
    })
}

fn who(user: &User) -> String {
    match user {
        User::Iam(cluster) => match &cluster.role {
            Some(role) => format!("role {}", role.arn),
            None => "the function's role".to_owned(),
        },
        User::Certificate => "your client certificate".to_owned(),
        User::Account => "its ServiceAccount".to_owned(),
    }
}

fn print_end(work: &Work<'_>, tools: &Tools, options: &Options, size: Option<usize>) {
    let Some(size) = size else {
        work.say("\nNothing was changed. To do it, add --apply.");
        return;
    };
    let key = options.key.as_deref();
    let store = made::store(tools, work.way, key, size);
    work.say(&format!("\n{store}"));
    let lines: Vec<_> = work.sources.iter().filter_map(made::entry_line).collect();
    if !lines.is_empty() {
        work.say(&format!(
            "\nOn EKS each role needs its access entry:\n  {}",
            lines.join("\n  ")
        ));
    }
    let parameters = made::parameters(work.way, key, &work.sources, size);
    let line = deploy::line(options, &parameters);
    work.say(&format!(
        "\nThe function is made for it from template.yaml by:\n  {line}"
    ));
    let is_secret = |source: &Source| !matches!(source.user, User::Iam(_));
    if !is_pipe(work.way) && work.sources.iter().any(is_secret) {
        work.say("\nThe file is as good as a password: delete it when it is stored.");
    }
}
