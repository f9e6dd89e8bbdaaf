//! A file of `deploy/`: what it would change in the cluster, and applying it.

use crate::command::{Command, Tools, quoted};
use crate::failure::{Failure, Refusal};
use crate::options::{Options, Way};
use crate::target::Target;
use std::path::Path;

/// The suffix of each line in a server's dry run.
const DRY: &str = " (server dry run)";
/// How many lines of a difference are shown: a whole Role fits.
const DIFFERENCE_LIMIT: usize = 80;
/// The placeholder for a RoleBinding whose Role does not exist yet.
const UNFORESEEN: &str = "a rolebinding, which can be tried only when its role is there";
/// The namespace in the files.
const WRITTEN: &str = "namespace: default";
/// The separator between documents of a file, and the beginning of a RoleBinding's subjects.
const BETWEEN: &str = "\n---\n";
const SUBJECTS: &str = "\nsubjects:\n";
/// The file that creates the ServiceAccount and grants the permissions for a rolling deploy; it
/// comes first.
const BASE: &str = "rbac.yaml";
/// The file that creates the token's Secret.
pub(crate) const TOKEN_SECRET: &str = "token-secret.yaml";

/// A file, adapted to the namespace, and what the API server would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The file as shown: `deploy/rbac.yaml`.
    pub(crate) file: String,
    pub(crate) text: String,
    /// For each object kubectl's line, such as `serviceaccount/landfall created`; whoever has not
    /// applied it yet is shown [`Grant::foreseen`].
    pub(crate) outlook: Vec<String>,
    /// The difference to the current objects.
    pub(crate) difference: Vec<String>,
}

/// The files to apply, in order. An account in another namespace already has its token, and a
/// role needs none.
pub(crate) fn files(options: &Options) -> Vec<&'static str> {
    let rotation = options.rotation.is_some();
    let token = options.way == Way::Token && !rotation && options.for_account.is_none();
    [
        (BASE, true),
        ("rbac-switching.yaml", options.switching),
        ("rbac-workloads.yaml", options.workloads),
        ("rbac-rotation.yaml", rotation),
        (TOKEN_SECRET, token),
    ]
    .into_iter()
    .filter_map(|(file, wanted)| wanted.then_some(file))
    .collect()
}

impl Grant {
    /// Reads a file and asks the API server what it would change, without changing anything.
    pub(crate) async fn look(
        tools: &Tools,
        target: &Target,
        folder: &Path,
        name: &str,
    ) -> Result<Grant, Failure> {
        let path = folder.join(name);
        let file = path.display().to_string();
        let step = format!("looking at what {file} would change");
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let advice = "Run this in Landfall's folder, or name the folder with --manifests.";
            Refusal::own(format!("the file cannot be read ({error})"), advice).at(&step)
        })?;
        let text = fitted(&text, target).map_err(|refusal| refusal.at(&step))?;
        let dry = tools.kubectl(&["apply", "--dry-run=server", "-f", "-"]);
        let answer = dry.run(Some(&text)).await;
        let mut answer = answer.map_err(|refusal| refusal.at(&step))?;
        if answer.code != Some(0) {
            if !awaits_its_role(&answer.said) {
                return Err(dry.refusal(&answer.said).at(&step));
            }
            answer.printed.push_str(UNFORESEEN);
        }
        let mut grant = Grant {
            file,
            outlook: outlook(&answer.printed),
            difference: Vec::new(),
            text,
        };
        // A new object differs everywhere, and a Secret must not be shown.
        if name != TOKEN_SECRET
            && grant
                .outlook
                .iter()
                .any(|line| line.ends_with(" configured"))
        {
            grant.difference = grant.compare(tools).await;
        }
        Ok(grant)
    }

    /// Returns nothing without a `diff` program; that is not an error.
    async fn compare(&self, tools: &Tools) -> Vec<String> {
        let answer = tools
            .kubectl(&["diff", "-f", "-"])
            .run(Some(&self.text))
            .await;
        let printed = answer.map(|answer| answer.printed).unwrap_or_default();
        difference(&printed)
    }

    /// Whether the cluster already has all objects.
    pub(crate) fn is_there(&self) -> bool {
        !self.outlook.is_empty() && self.outlook.iter().all(|line| line.ends_with(" unchanged"))
    }

    /// What the API server would change, in lines: nothing was created yet.
    pub(crate) fn foreseen(&self) -> Vec<String> {
        let lines = self.outlook.iter().map(|line| {
            let changed = [" created", " configured"].into_iter();
            let mut changed = changed.filter_map(|done| Some((line.strip_suffix(done)?, done)));
            match changed.next() {
                Some((object, done)) => format!("{object} would be{done}"),
                None => line.clone(),
            }
        });
        lines.chain(self.difference.iter().cloned()).collect()
    }

    /// The heading of a step that applies the file. `place` follows a blank, or is empty.
    pub(crate) fn heading(&self, place: &str) -> String {
        match self.is_there() {
            true => format!("{} is applied{place} already", self.file),
            false => format!("Apply {}{place}", self.file),
        }
    }

    /// The command as shown.
    pub(crate) fn typed(&self, tools: &Tools, target: &Target) -> String {
        let file = quoted(&self.file);
        if target.namespace == "default" && !target.is_further() {
            return tools.kubectl(&["apply", "-f", &self.file]).to_string();
        }
        let (command, edits) = (Grant::command(tools), self.edits(target));
        format!("sed {edits} {file} | {command}")
    }

    /// The `sed` expressions that adapt the file, like `fitted`.
    fn edits(&self, target: &Target) -> String {
        let put = |name: &str| format!("s/{WRITTEN}$/namespace: {name}/");
        if !target.is_further() {
            return format!("'{}'", put(&target.namespace));
        }
        let subjects = "/^subjects:/,/^---/";
        let account = match Path::new(&self.file).file_name() {
            Some(name) if name == BASE => "-e '1,/^---/d' ",
            _ => "",
        };
        format!(
            "{account}-e '{subjects}!{}' -e '{subjects}{}'",
            put(&target.namespace),
            put(&target.home)
        )
    }

    /// Applies the file and returns the result for each object.
    pub(crate) async fn apply(&self, tools: &Tools) -> Result<Vec<String>, Refusal> {
        let printed = Grant::command(tools).ask(Some(&self.text)).await?;
        Ok(outlook(&printed))
    }

    fn command(tools: &Tools) -> Command {
        tools.kubectl(&["apply", "-f", "-"])
    }
}

/// Whoever may not grant everything must have a Role's permissions to bind it. In a dry run the
/// Role is not stored, so the RoleBinding cannot be checked.
fn awaits_its_role(said: &str) -> bool {
    let mut lines = said.lines().filter(|line| !line.is_empty()).peekable();
    let awaits = |line: &str| {
        line.contains("roles.rbac.authorization.k8s.io \"landfall")
            && line.ends_with("\" not found")
    };
    lines.peek().is_some() && lines.all(awaits)
}

/// Inserts the namespace. For an account in another namespace, leaves out the ServiceAccount.
fn fitted(text: &str, target: &Target) -> Result<String, Refusal> {
    let Target {
        namespace, home, ..
    } = target;
    if !text.lines().any(|line| line.ends_with(WRITTEN)) {
        return Err(Refusal::own(
            format!("it has no line `{WRITTEN}`, in whose place the namespace is put"),
            format!("Keep that line where you change the file; here it becomes {namespace}."),
        ));
    }
    // Only at the end of a line, so that `namespace: default-tools` stays unchanged.
    let put = |text: &str, name: &str| {
        let line = |line: &str| match line.strip_suffix(WRITTEN) {
            Some(before) => format!("{before}namespace: {name}"),
            None => line.to_owned(),
        };
        let lines = text.split('\n').map(line);
        lines.collect::<Vec<_>>().join("\n")
    };
    if !target.is_further() {
        return Ok(put(text, namespace));
    }
    let makes_account = |document: &&str| document.lines().any(|it| it == "kind: ServiceAccount");
    let documents = text
        .split(BETWEEN)
        .filter(|document| !makes_account(document));
    let documents = documents.map(|document| match document.split_once(SUBJECTS) {
        Some((head, subjects)) => {
            format!("{}{SUBJECTS}{}", put(head, namespace), put(subjects, home))
        }
        None => put(document, namespace),
    });
    Ok(documents.collect::<Vec<_>>().join(BETWEEN))
}

/// Removes the names of temporary files, and a line that every change has.
fn difference(printed: &str) -> Vec<String> {
    let heads = ["diff ", "--- ", "+++ ", "@@ "];
    let told = |line: &&str| {
        !heads.iter().any(|head| line.starts_with(head)) && !line.contains("  generation:")
    };
    let lines = printed.lines().filter(told).take(DIFFERENCE_LIMIT);
    lines.map(str::to_owned).collect()
}

fn outlook(printed: &str) -> Vec<String> {
    let lines = printed
        .lines()
        .map(|line| line.trim().trim_end_matches(DRY));
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
