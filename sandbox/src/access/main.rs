//! `landfall-access`: gives Landfall its rights in the cluster, stores token and CA in SSM, and
//! proves that they work.

mod failure;
mod grant;
mod options;
mod owner;
mod parameter;
mod plan;
mod proof;
mod target;
mod token;
mod tool;

use failure::{Failure, Refusal};
use grant::Grant;
use jiff::Timestamp;
use landfall_sandbox::ending::USAGE_ERROR;
use options::Options;
use parameter::{Content, Stored};
use plan::{Seen, Source, Step, Store};
use proof::{Denial, Question};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use target::Target;
use token::Token;
use tool::Tools;

const HELP: &str = "\
Gives Landfall its access to a cluster: applies the files of deploy/, takes the
token, stores it and the cluster's CA in SSM, and proves that both work. It uses
your own kubectl and AWS CLI, and what they are signed in to.

Usage: landfall-access [OPTION ...]          (make access ARGS=\"OPTION ...\")

Without --apply nothing is changed: it prints each command as you would type it
(secrets as …) and what the API server says that it would change. What is there
already is left as it is, so it may be run as often as you like.

In the cluster:
  --context NAME          of the kubeconfig; default: the current one
  --kubeconfig FILE       default: as kubectl finds it
  -n, --namespace NAME    where the Deployments are; default: the context's. It
                          must exist
  --switching             also what blueGreen and immutable need
                          (deploy/rbac-switching.yaml)
  --rotation              a token that ends, and that the function may renew for
                          itself (deploy/rbac-rotation.yaml). Without it, one that
                          does not end (deploy/token-secret.yaml)
  --token-lifetime TIME   of the first token with --rotation, such as 200m; at least
                          3h, default 24h. The last line has a RotationSchedule that
                          fits a shorter one
  --for-account NAMESPACE
                          gives the ServiceAccount of NAMESPACE, which has its
                          token already, this further namespace: Roles and
                          RoleBindings, nothing in SSM. One function then deploys
                          to both. --rotation is for its first namespace alone
  --manifests FOLDER      where these files are; default: deploy

In AWS:
  --token-parameter NAME  SSM parameter for the token; default k8s-bear-token
  --ca-parameter NAME     SSM parameter for the CA; default k8s-ca
  --key-arn ARN           KMS key that encrypts both; default: the key that a
                          parameter has, for a new one SSM's own (alias/aws/ssm)
  --region NAME, --profile NAME   as the AWS CLI takes them. Parameters, function
                          and pipeline belong in one region
  --replace               also replace what SSM or RoleBinding landfall holds for
                          another ServiceAccount or cluster, or what does not say
                          whose it is. Without it nothing is changed then

  --apply                 do it
  --help                  this text

You need: in the namespace get, create and patch on serviceaccounts, roles and
rolebindings, all that the Roles grant, and get, create and patch on secrets or,
with --rotation, create on serviceaccounts/token (an administrator has it all); in
AWS ssm:GetParameters, ssm:DescribeParameters and ssm:PutParameter on both
parameters, and on a key of your own kms:Encrypt, kms:GenerateDataKey and
kms:Decrypt. --for-account needs get, create and patch on roles and rolebindings,
what they grant, and ssm:GetParameters (with a key of your own kms:Decrypt).

It ends with 0 where all went well, 1 where a step failed (it says which, what was
done before, and what to do), 2 where the command line is wrong.

Examples:
  landfall-access --namespace shop                       what would be done
  landfall-access --namespace shop --apply               do it
  landfall-access --namespace shop --switching --rotation --apply
  landfall-access --namespace web --for-account shop --apply   web, too
";

/// How long the cluster may take to make a token, or to know it and its rights everywhere; SSM,
/// too, may answer with the last value for a moment.
const SETTLING: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(250);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("landfall-access: {problem}\nTry: landfall-access --help");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    if options.help {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("landfall-access: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(given: &Options) -> Result<(), Failure> {
    let mut options = given.clone();
    let mut tools = Tools::new(&options);
    let target = Target::read(&tools, &options).await;
    let target = target.map_err(|refusal| refusal.at("reading the kubeconfig"))?;
    tools.pin(&target.context);
    let account = account(&tools).await?;
    if options.region.is_none() {
        options.region = region(&tools).await?;
    }
    if let Some(region) = &options.region {
        tools.pin_region(region);
    }
    print_head(&options, &target, &account);
    let seen = look(&tools, &options, &target).await?;
    let remark = plan::remark(&options, &target, &seen);
    if let Some(remark) = remark {
        println!("Note: {remark}.\n");
    }
    let steps = plan::decide(&options, &target, seen, Timestamp::now()).map_err(|it| *it)?;
    let work = Work {
        tools,
        options: &options,
        target,
    };
    let complete = work.perform(&steps).await?;
    let target = &work.target;
    if !complete {
        println!("\nNothing was changed. To do it, add --apply.");
    } else if target.is_further() {
        println!(
            "\nThe function that has this token may deploy to {0}, too: \"namespace\": \"{0}\" in \
             the action's UserParameters.",
            target.namespace
        );
    } else {
        let line = plan::deploy_line(&options, target, &steps);
        println!("\nThe function is made for it from template.yaml by:\n  {line}");
    }
    Ok(())
}

fn print_head(options: &Options, target: &Target, account: &str) {
    println!("Cluster    {} (context {})", target.server, target.context);
    println!("Namespace  {}", target.namespace);
    if target.is_further() {
        println!("For        {}", plan::account(&target.home));
    }
    println!("AWS        {account}");
    let region = options.region.as_deref();
    println!("Region     {}\n", region.unwrap_or("none is set"));
    for warning in &target.warnings {
        println!("Warning: {warning}.\n");
    }
}

/// Whose account it is: the wrong one is a common mistake.
async fn account(tools: &Tools) -> Result<String, Failure> {
    let asked = tools.aws(&["sts", "get-caller-identity"]).ask(None).await;
    let printed = asked.map_err(|refusal| refusal.at("asking AWS who you are"))?;
    let answer: serde_json::Value = serde_json::from_str(&printed).unwrap_or_default();
    let text = |field: &str| answer[field].as_str().unwrap_or("unknown").to_owned();
    Ok(format!("account {}, as {}", text("Account"), text("Arn")))
}

/// The region that the AWS CLI takes by itself: it knows every place where one may stand.
async fn region(tools: &Tools) -> Result<Option<String>, Failure> {
    let asked = tools.aws(&["configure", "list"]).ask(None).await;
    let printed = asked.map_err(|refusal| refusal.at("asking the AWS CLI for its region"))?;
    Ok(parameter::region(&printed))
}

/// Looks at everything, and changes nothing.
async fn look(tools: &Tools, options: &Options, target: &Target) -> Result<Seen, Failure> {
    let mut grants = Vec::new();
    for file in grant::files(options) {
        grants.push(Grant::look(tools, target, &options.manifests, file).await?);
    }
    let bound = plan::binding(tools, &target.namespace).ask(None).await;
    let bound = bound.map_err(|refusal| refusal.at("reading RoleBinding landfall"))?;
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
        bound: plan::bound(&bound),
        secret: Token::decode(&secret),
        works: plan::is_cluster(target, ca.as_ref()) && is_known(target, token.as_ref()).await,
        token,
        ca,
    })
}

/// The token of the Secret in base64; nothing where it is not needed.
async fn look_for_secret(
    tools: &Tools,
    options: &Options,
    target: &Target,
) -> Result<String, Failure> {
    if target.is_further() {
        return Ok(String::new());
    }
    match plan::secret(tools, &target.namespace).ask(None).await {
        // With rotation it is a remark at most, for which nobody needs a right.
        Err(_) if options.rotation.is_some() => Ok(String::new()),
        asked => asked.map_err(|refusal| refusal.at(format!("reading Secret {}", plan::SECRET))),
    }
}

/// Whether the API server knows a token that is stored already. Others' are not shown to it.
async fn is_known(target: &Target, stored: Option<&Stored>) -> bool {
    let Some(token) = stored.and_then(|stored| Token::new(&stored.value)) else {
        return false;
    };
    if token.subject() != Some(plan::account(&target.home)) {
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

/// Whoever does what was decided.
struct Work<'a> {
    tools: Tools,
    options: &'a Options,
    target: Target,
}

impl Work<'_> {
    /// Prints each step and, where it is to, does it; whether all is done and proved.
    async fn perform(&self, steps: &[Step]) -> Result<bool, Failure> {
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

    /// What became of it, in lines.
    async fn act(&self, step: &Step, token: &mut Option<Token>) -> Result<Vec<String>, Refusal> {
        match step {
            Step::Grant(grant) if grant.is_there() => Ok(Vec::new()),
            Step::Grant(grant) => grant.apply(&self.tools).await,
            Step::Take(source) => {
                let taken = self.take(source).await?;
                let life = match (source, taken.expires()) {
                    (Source::Given(_) | Source::Kept { .. }, _) => Vec::new(),
                    (_, Some(until)) => vec![format!("it is good until {until:.0}")],
                    (_, None) => vec!["it does not end by itself".to_owned()],
                };
                *token = Some(taken);
                Ok(life)
            }
            Step::Store(store) => self.store(store, token.as_ref()).await,
            Step::Prove(questions) => self.prove(questions, token.as_ref()).await,
        }
    }

    async fn take(&self, source: &Source) -> Result<Token, Refusal> {
        let end = Instant::now() + SETTLING;
        loop {
            let command = match source {
                Source::Given(token) | Source::Kept { token, .. } | Source::Secret(Some(token)) => {
                    return Ok(token.clone());
                }
                Source::Secret(None) | Source::Request(_) => {
                    source.command(&self.tools, &self.target.namespace)
                }
            };
            let printed = match command {
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

    /// Reads back what SSM has and asks the API server with just that, until all of it has arrived.
    async fn prove(
        &self,
        questions: &[Question],
        written: Option<&Token>,
    ) -> Result<Vec<String>, Refusal> {
        let end = Instant::now() + SETTLING;
        loop {
            let problem = match self.prove_once(questions, written).await? {
                Ok(lines) => return Ok(lines),
                Err(problem) => problem,
            };
            if Instant::now() > end {
                return Err(problem);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The inner error may pass by itself.
    async fn prove_once(
        &self,
        questions: &[Question],
        written: Option<&Token>,
    ) -> Result<Result<Vec<String>, Refusal>, Refusal> {
        let (options, target) = (self.options, &self.target);
        let [token, ca] = parameter::read(&self.tools, options).await?;
        let token = token.and_then(|stored| Token::new(&stored.value));
        let ca = match ca.filter(|_| target.ca.is_some()) {
            // The function may have it in ClusterCa.
            None if target.is_further() => target.ca.clone(),
            stored => stored.map(|stored| stored.value),
        };
        let stale = |name: &str| {
            Refusal::own(
                format!("SSM parameter {name} does not hold what was written"),
                "Somebody else may write it, too: run this again.",
            )
        };
        let token = match token {
            Some(token) if Some(&token) == written => token,
            _ => return Ok(Err(stale(&options.token_parameter))),
        };
        if !ca
            .iter()
            .all(|ca| target.ca.iter().all(|own| owner::same_ca(ca, own)))
            || ca.is_some() != target.ca.is_some()
        {
            return Ok(Err(stale(&options.ca_parameter)));
        }
        let server = &target.server;
        let asked = proof::ask(server, ca.as_deref(), &token, &target.namespace, questions);
        Ok(match asked.await? {
            None => {
                let who = token.subject().unwrap_or_else(|| "it".to_owned());
                Ok(vec![format!("yes: {server} knows it as {who}, and it may")])
            }
            Some(Denial::Unknown) => Err(Refusal::own(
                format!("{server} does not know the token (HTTP 401)"),
                "Is SSM's token of another cluster, or was its ServiceAccount made anew? Delete \
                 the parameter and, without --rotation, the Secret, and run this again.",
            )),
            Some(Denial::Forbidden(question)) => Err(Refusal::own(
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

fn print_lines(lines: &[String]) {
    for line in lines {
        println!("     {line}");
    }
}

#[cfg(test)]
mod tests;
