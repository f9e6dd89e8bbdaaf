//! `landfall-access` gives Landfall its permissions in the cluster, stores the token and the CA in
//! SSM, and checks that they work.

#![cfg_attr(
    test,
    allow(clippy::too_many_lines, reason = "tables of cases are long")
)]

mod account;
mod arguments;
mod arn;
mod binding;
mod command;
mod deploy;
mod eks;
mod failure;
mod grant;
mod kubeconfig;
mod lint;
mod options;
mod owner;
mod parameter;
mod plan;
mod proof;
mod release;
mod run;
mod step;
mod survey;
mod target;
mod token;
mod work;

use command::Tools;
use failure::Failure;
use jiff::Timestamp;
use options::{Options, Way};
use std::process::ExitCode;
use survey::Identity;
use target::Target;
use work::Work;

/// The exit status for a wrong command line.
const USAGE_ERROR: u8 = 2;

const HELP: &str = "\
Gives Landfall its access to a cluster, and proves that it works: on EKS by an
access entry for its role; on any cluster by a token, which it stores with the
cluster's CA in SSM; or by a kubeconfig for several clusters. It applies the files
of deploy/. It uses your own kubectl and AWS CLI, and what they are signed in to.

Usage: landfall-access [OPTION ...]          (make access ARGS=\"OPTION ...\")
       landfall-access lint FILE ...         checks user parameters (lint --help)

Without --apply nothing is changed: it prints each command as you would type it
(secrets as …) and what the API server says that it would change. What is there
already is left as it is, so it may be run as often as you like.

In the cluster:
  --context NAME          of the kubeconfig; default: the current one, with
                          --eks-cluster the one of that cluster
  --kubeconfig FILE       default: as kubectl finds it
  -n, --namespace NAME    where the Deployments are; default: the context's. It
                          must exist
  --switching             also what blueGreen, canary and immutable need
                          (deploy/rbac-switching.yaml)
  --workloads             also what StatefulSets and DaemonSets need
                          (deploy/rbac-workloads.yaml)
  --manifests FOLDER      where these files are; default: deploy

On EKS, by the function's role (nothing is stored):
  --eks-cluster NAME      the cluster, by its name or its ARN. Without --role or
                          --eks-role the stack of template.yaml makes the role and
                          its access entry (CreateAccessEntry=yes)
  --role ARN              the function's role, if it is there already: also makes
                          its access entry, with the group landfall
  --eks-role ARN          in its place a role that the function assumes, for a
                          cluster in another account
  -n may be given several times.

By a kubeconfig, which may have several clusters:
  --kubeconfig-out FILE   the file to write (mode 0600), or - for a pipe. It has the
                          contexts of your own kubeconfig that --context names, each
                          as often as needed, with files put in. On EKS the function
                          is its role there, elsewhere the ServiceAccount landfall
                          with a token that does not end (deploy/token-secret.yaml)
  --client-certificates   takes your own client certificate where a context has one
  --kubeconfig-parameter NAME
                          where you will store it; default k8s-config. The last
                          lines have the command, by its size, also with --key-arn
  --replace               also replace a FILE with something else in it

By a token:
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
  --token-parameter NAME  SSM parameter for the token; default k8s-bear-token
  --ca-parameter NAME     SSM parameter for the CA; default k8s-ca
  --key-arn ARN           KMS key that encrypts both; default: the key that a
                          parameter has, for a new one SSM's own (alias/aws/ssm)
  --replace               also replace what SSM or RoleBinding landfall holds for
                          another ServiceAccount or cluster, or what does not say
                          whose it is. Without it nothing is changed then

For releases of whole folders (user parameter `manifests`), beside one of these:
  --for PATH              print the least Role, and ClusterRole where one is needed,
                          for a release of these manifests: a file, folder or glob;
                          may be given several times. --apply applies them
  --release NAME          its name; default: that of its only workload
  -n, --namespace NAME    its namespace; default: default
  --prune, --no-rollback  its parameters have prune true, rollback false
  --for-account NAMESPACE the ServiceAccount is in NAMESPACE
  A kind that is neither part of Kubernetes nor defined by these manifests is looked
  up in the cluster (--kubeconfig, --context).

In AWS:
  --region NAME, --profile NAME   as the AWS CLI takes them. Parameters, function
                          and pipeline belong in one region

  --apply                 do it
  --help                  this text
  --version               its version

You need in the namespace get, create and patch on serviceaccounts, roles and
rolebindings, and all that the Roles grant (an administrator has it all).
For EKS in AWS eks:DescribeCluster, and with --role eks:DescribeAccessEntry,
eks:CreateAccessEntry and eks:UpdateAccessEntry.
For a token, in a kubeconfig too, get, create and patch on secrets or, with
--rotation, create on serviceaccounts/token; in AWS ssm:GetParameters,
ssm:DescribeParameters and ssm:PutParameter on both parameters, and on a key of
your own kms:Encrypt, kms:GenerateDataKey and kms:Decrypt. --for-account needs get,
create and patch on roles and rolebindings, what they grant, and ssm:GetParameters
(with a key of your own kms:Decrypt).

It ends with 0 where all went well, 1 where a step failed (it says which, what was
done before, and what to do), 2 where the command line is wrong.

Examples:
  landfall-access --eks-cluster prod -n shop             what would be done on EKS
  landfall-access --eks-cluster prod -n shop --apply     do it
  landfall-access --kubeconfig-out k --context prod --context test -n shop --apply
  landfall-access --namespace shop --switching --rotation --apply
  landfall-access --namespace web --for-account shop --apply   web, too
  landfall-access --for k8s/ -n shop | kubectl apply -f -    a release of k8s/
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.next_if(|first| first == "lint").is_some() {
        return lint::run(arguments);
    }
    if arguments.next_if(|first| first == "--version").is_some() {
        println!("landfall-access {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let options = match arguments::parse(arguments) {
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
    // kubectl takes a file that is not there for an empty one, and complains of its contexts.
    if let Some(file) = options.kubeconfig.as_ref().filter(|file| !file.exists()) {
        let file = file.display();
        eprintln!("landfall-access: --kubeconfig is `{file}`, and there is no such file");
        return ExitCode::from(USAGE_ERROR);
    }
    let ended = match &options.way {
        Way::Eks(way) => eks::run(&options, way).await,
        Way::Kubeconfig(way) => kubeconfig::run(&options, way).await,
        Way::Release(way) => release::run(&options, way).await,
        Way::Token => run(&options).await,
    };
    match ended {
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
    let account = survey::sign_in(&mut tools, &mut options).await?;
    print_head(&options, &target, &account);
    let seen = survey::look(&tools, &options, &target).await?;
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
        let line = step::deploy_line(&options, target, &steps);
        println!("\nThe function is made for it from template.yaml by:\n  {line}");
    }
    Ok(())
}

fn print_head(options: &Options, target: &Target, account: &Identity) {
    println!("Cluster    {} (context {})", target.server, target.context);
    println!("Namespace  {}", target.namespace);
    if target.is_further() {
        println!("For        {}", account::account(&target.home));
    }
    println!("AWS        {account}");
    let region = options.region.as_deref();
    println!("Region     {}\n", region.unwrap_or("none is set"));
    for warning in &target.warnings {
        println!("Warning: {warning}.\n");
    }
}

#[cfg(test)]
mod tests;
