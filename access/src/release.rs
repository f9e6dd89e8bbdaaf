//! `--for`: the Roles that a release of some manifests needs.

mod handed;
mod kinds;
mod needs;
mod objects;
mod output;
mod rights;

use crate::command::{Tools, quoted};
use crate::failure::Failure;
use crate::options::{Options, ReleaseWay};
use kinds::Kinds;
use needs::Plan;

/// The namespace of a release whose parameters name none.
const USUAL_NAMESPACE: &str = "default";

/// Prints the Roles, and applies them if that is asked for.
///
/// # Errors
///
/// A manifest cannot be read, a kind is unknown, or `kubectl` refuses the Roles.
pub(crate) async fn run(options: &Options, way: &ReleaseWay) -> Result<(), Failure> {
    let tools = Tools::new(options);
    let namespace = options.namespace().unwrap_or(USUAL_NAMESPACE);
    let manifests = objects::read(&way.paths, namespace, way.release.as_deref())?;
    let objects = &manifests.objects;
    let kinds = Kinds::find(&tools, objects).await?;
    let plan = Plan {
        release: &manifests.release,
        namespace,
        prune: way.prune,
        rollback: !way.no_rollback,
    };
    let needs = needs::of(&plan, objects, &kinds);
    let home = options.for_account.as_deref().unwrap_or(namespace);
    let text = output::text(&plan, &needs, home, &typed(options, way));
    if !options.apply {
        print!("{text}");
        return Ok(());
    }
    let command = tools.kubectl(&["apply", "-f", "-"]);
    let printed = command.ask(Some(&text)).await;
    print!(
        "{}",
        printed.map_err(|refusal| refusal.at("applying the Roles"))?
    );
    Ok(())
}

/// The command that makes the same again.
fn typed(options: &Options, way: &ReleaseWay) -> String {
    let mut words = vec!["landfall-access".to_owned()];
    let mut option = |name: &str, value: &str| {
        words.extend([name.to_owned(), quoted(value)]);
    };
    for path in &way.paths {
        option("--for", &path.display().to_string());
    }
    for (name, value) in [
        ("--namespace", options.namespace()),
        ("--release", way.release.as_deref()),
        ("--for-account", options.for_account.as_deref()),
    ] {
        value.into_iter().for_each(|value| option(name, value));
    }
    for (name, is_given) in [("--prune", way.prune), ("--no-rollback", way.no_rollback)] {
        words.extend(is_given.then(|| name.to_owned()));
    }
    words.join(" ")
}
