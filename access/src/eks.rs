//! The way in by an IAM role on EKS: an access entry, and RoleBindings for its group. Nothing is
//! stored.

mod cluster;
mod context;
mod entry;
pub(crate) mod review;
mod steps;
mod work;

use crate::binding;
use crate::command::Tools;
use crate::failure::{Failure, Refusal};
use crate::grant::{self, Grant};
use crate::options::{EksWay, Options};
use crate::proof::Question;
use crate::survey::{self, Identity};
use crate::target::Target;
use cluster::{Cluster, Mode};
use entry::Entry;
use steps::{Step, deploy_line, is_here};
use work::Work;

/// Why there is no step for the access entry.
const STACK_MAKES: &str = "the stack of template.yaml makes the function's role and its access \
    entry (CreateAccessEntry=yes). For a role that is there already: --role ARN";

/// Sets the role up, or shows what that would do.
pub(crate) async fn run(given: &Options, way: &EksWay) -> Result<(), Failure> {
    let mut options = given.clone();
    let mut tools = Tools::new(&options);
    let identity = survey::sign_in(&mut tools, &mut options).await?;
    let aws = match &way.cluster.region {
        Some(region) => tools.in_region(region),
        None => tools.clone(),
    };
    let step = format!("reading cluster {}", way.cluster.name);
    let cluster = Cluster::read(&aws, &way.cluster).await;
    let cluster = cluster.map_err(|refusal| refusal.at(&step))?;
    if let Some(role) = &way.role {
        let checked = cluster.check_role(role, way.assumed);
        checked.map_err(|refusal| refusal.at(&step))?;
    }
    let target = target(&mut tools, &options, &cluster).await;
    let target = target.map_err(|refusal| refusal.at("reading the kubeconfig"))?;
    let mut namespaces = options.namespaces.clone();
    if namespaces.is_empty() {
        namespaces.push(target.namespace.clone());
    }
    print_head(&options, &cluster, &target, &namespaces, &identity);
    if way.role.is_none() && is_here(&options, &cluster) {
        println!("Note: {STACK_MAKES}.\n");
    }
    let mut steps = entry_step(&tools, &aws, way, &cluster, &identity).await?;
    steps.extend(grant_steps(&tools, &options, &target, &namespaces).await?);
    steps.push(Step::Review(namespaces.clone()));
    let role = way.role.clone();
    steps.extend(role.map(|role| Step::Token(role, namespaces)));
    let work = Work {
        kubectl: &tools,
        aws: &aws,
        cluster: &cluster,
        questions: Question::all(&options),
        identity: &identity.arn,
        apply: options.apply,
    };
    let complete = work.perform(&steps).await?;
    print_end(&options, way, &cluster, complete);
    Ok(())
}

/// Finds the context, or checks the named one.
async fn target(
    tools: &mut Tools,
    options: &Options,
    cluster: &Cluster,
) -> Result<Target, Refusal> {
    if options.context().is_none() {
        let context = context::find(tools, cluster).await?;
        tools.pin(&context);
    }
    let target = Target::read(tools, options).await?;
    context::check(&target, cluster)?;
    Ok(target)
}

/// The access entry; nothing if the stack makes it.
async fn entry_step(
    tools: &Tools,
    aws: &Tools,
    way: &EksWay,
    cluster: &Cluster,
    identity: &Identity,
) -> Result<Vec<Step>, Failure> {
    let Some(role) = &way.role else {
        return match cluster.mode {
            Mode::Entries => Ok(Vec::new()),
            Mode::ConfigMap => {
                let step = format!("looking at how cluster {} knows roles", cluster.name);
                Err(entry::no_entries(cluster, None, aws).at(step))
            }
        };
    };
    let step = format!("looking for the access entry of role {}", role.name);
    let made = match identity.account == role.account {
        true => entry::role_made(tools, role).await,
        // Only its own account tells of a role.
        false => Ok(None),
    };
    let made = made.map_err(|refusal| refusal.at(&step))?;
    let both = tools.in_region(&cluster.region);
    let entry = Entry::read(&both, cluster, role).await;
    let entry = entry.map_err(|refusal| refusal.at(&step))?;
    let verdict = entry.judge(cluster, role, made, aws);
    let verdict = verdict.map_err(|refusal| refusal.at(&step))?;
    Ok(vec![Step::Entry(role.clone(), verdict)])
}

async fn grant_steps(
    tools: &Tools,
    options: &Options,
    target: &Target,
    namespaces: &[String],
) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    for namespace in namespaces {
        let bound = binding::read(tools, namespace).await?;
        let target = binding::settled(target, namespace, &bound, options.replace)?;
        for file in grant::files(options) {
            let grant = Grant::look(tools, &target, &options.manifests, file).await?;
            steps.push(Step::Grant(target.clone(), grant));
        }
    }
    Ok(steps)
}

fn print_head(
    options: &Options,
    cluster: &Cluster,
    target: &Target,
    namespaces: &[String],
    identity: &Identity,
) {
    println!("Cluster    {} (context {})", cluster.arn, target.context);
    println!("Endpoint   {}, {}", cluster.endpoint, cluster.reach.words());
    println!("Namespace  {}", namespaces.join(", "));
    println!("AWS        {identity}");
    let region = options.region.as_deref();
    println!("Region     {}\n", region.unwrap_or("none is set"));
    if let Some(warning) = cluster.reach.warning() {
        println!("Warning: {warning}.\n");
    }
}

fn print_end(options: &Options, way: &EksWay, cluster: &Cluster, complete: bool) {
    if !complete {
        println!("\nNothing was changed. To do it, add --apply.");
        return;
    }
    let line = deploy_line(options, way, cluster);
    match &way.role {
        Some(role) if way.assumed => println!(
            "\nThe function assumes {} (it needs the right to, and the role must trust it; \
             EksExternalId if the trust asks for one). From template.yaml:\n  {line}",
            role.name
        ),
        Some(role) if cluster.is_foreign(role) => println!(
            "\nThe function's role {} may not ask EKS where a cluster of another account is: give \
             it the address by a kubeconfig (docs/kubeconfig.md), or let it assume a role of that \
             account (--eks-role in the place of --role).",
            role.name
        ),
        Some(role) => println!(
            "\nThe function with role {} gets the cluster by:\n  {line}",
            role.name
        ),
        None if is_here(options, cluster) => {
            println!(
                "\nThe function, its role and the access entry are made from template.yaml \
                 by:\n  {line}"
            );
        }
        None => println!(
            "\nThe function is made from template.yaml by:\n  {line}\nIts access entry is not, as \
             the cluster is in another region: then run this again with --role and the stack's \
             output RoleArn."
        ),
    }
}
