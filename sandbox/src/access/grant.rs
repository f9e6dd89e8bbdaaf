//! A file of `deploy/`: what it would change in the cluster, and applying it.

use crate::failure::{Failure, Refusal};
use crate::options::Options;
use crate::target::Target;
use crate::tool::{Command, Tools, quoted};
use std::path::Path;

/// What a server's dry run adds to each line.
const DRY: &str = " (server dry run)";
/// Lines of a difference that are shown: a whole Role fits.
const DIFFERENCE_LIMIT: usize = 80;
/// What stands for a RoleBinding whose Role is still to come.
const UNFORESEEN: &str = "a rolebinding, which can be tried only when its role is there";
/// The namespace that stands in the files.
const WRITTEN: &str = "namespace: default";
/// What makes the token's Secret.
pub(crate) const TOKEN_SECRET: &str = "token-secret.yaml";

/// A file, fitted to the namespace, and what the API server says that it would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// As it is typed: `deploy/rbac.yaml`.
    pub(crate) file: String,
    pub(crate) text: String,
    /// `serviceaccount/landfall created`, for each object.
    pub(crate) outlook: Vec<String>,
    /// How it differs from what is there.
    pub(crate) difference: Vec<String>,
}

/// The files that are wanted, in the order in which they are applied.
pub(crate) fn files(options: &Options) -> Vec<&'static str> {
    let rotation = options.rotation.is_some();
    [
        ("rbac.yaml", true),
        ("rbac-switching.yaml", options.switching),
        ("rbac-rotation.yaml", rotation),
        (TOKEN_SECRET, !rotation),
    ]
    .into_iter()
    .filter_map(|(file, wanted)| wanted.then_some(file))
    .collect()
}

impl Grant {
    /// Reads a file and asks the API server what it would change, which changes nothing.
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
        let text = fitted(&text, &target.namespace).map_err(|refusal| refusal.at(&step))?;
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
        // Of what is new all is different; of a Secret nothing is to be seen.
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

    /// Without a `diff` program there is nothing to show, and nothing is amiss.
    async fn compare(&self, tools: &Tools) -> Vec<String> {
        let answer = tools
            .kubectl(&["diff", "-f", "-"])
            .run(Some(&self.text))
            .await;
        let printed = answer.map(|answer| answer.printed).unwrap_or_default();
        difference(&printed)
    }

    /// Whether the cluster has it already.
    pub(crate) fn is_there(&self) -> bool {
        !self.outlook.is_empty() && self.outlook.iter().all(|line| line.ends_with(" unchanged"))
    }

    /// As it is typed.
    pub(crate) fn typed(&self, tools: &Tools, namespace: &str) -> String {
        let file = quoted(&self.file);
        if namespace == "default" {
            return tools.kubectl(&["apply", "-f", &self.file]).to_string();
        }
        let command = Grant::command(tools);
        format!("sed 's/{WRITTEN}/namespace: {namespace}/' {file} | {command}")
    }

    /// Applies it: what became of each object.
    pub(crate) async fn apply(&self, tools: &Tools) -> Result<Vec<String>, Refusal> {
        let printed = Grant::command(tools).ask(Some(&self.text)).await?;
        Ok(outlook(&printed))
    }

    fn command(tools: &Tools) -> Command {
        tools.kubectl(&["apply", "-f", "-"])
    }
}

/// Who may not grant anything whatever must have what a Role has to bind it; in a dry run, of which
/// nothing stays, the Role is not there to be looked at.
fn awaits_its_role(said: &str) -> bool {
    let mut lines = said.lines().filter(|line| !line.is_empty()).peekable();
    let awaits = |line: &str| {
        line.contains("roles.rbac.authorization.k8s.io \"landfall")
            && line.ends_with("\" not found")
    };
    lines.peek().is_some() && lines.all(awaits)
}

fn fitted(text: &str, namespace: &str) -> Result<String, Refusal> {
    if !text.contains(WRITTEN) {
        return Err(Refusal::own(
            format!("it has no line `{WRITTEN}`, in whose place the namespace is put"),
            format!("Keep that line where you change the file; here it becomes {namespace}."),
        ));
    }
    Ok(text.replace(WRITTEN, &format!("namespace: {namespace}")))
}

/// Without the names of temporary files, and of a change that every change brings.
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
mod tests {
    use super::*;

    fn grant(outlook_lines: &str) -> Grant {
        Grant {
            file: "deploy/rbac.yaml".into(),
            text: String::new(),
            outlook: outlook(outlook_lines),
            difference: Vec::new(),
        }
    }

    #[test]
    fn what_is_there_is_known_by_each_object() {
        for (lines, is_there) in [
            ("serviceaccount/landfall unchanged (server dry run)\n", true),
            (
                "a/b unchanged (server dry run)\nc/d configured (server dry run)\n",
                false,
            ),
            ("a/b created (server dry run)\n", false),
            ("", false),
        ] {
            assert_eq!(grant(lines).is_there(), is_there, "{lines}");
        }
    }

    #[test]
    fn the_namespace_is_put_in_as_the_heads_of_the_files_say() {
        let (tools, grant) = (Tools::default(), grant(""));
        assert_eq!(
            grant.typed(&tools, "shop"),
            "sed 's/namespace: default/namespace: shop/' deploy/rbac.yaml | kubectl apply -f -"
        );
        assert_eq!(
            grant.typed(&tools, "default"),
            "kubectl apply -f deploy/rbac.yaml"
        );
        assert_eq!(
            fitted("a:\n  namespace: default\n", "shop").unwrap(),
            "a:\n  namespace: shop\n"
        );
        assert!(fitted("a:\n  namespace: web\n", "shop").is_err());
    }

    #[test]
    fn a_binding_that_awaits_its_role_is_no_failure() {
        let awaits = "Error from server (NotFound): error when creating \"STDIN\": \
            roles.rbac.authorization.k8s.io \"landfall\" not found";
        let namespace = "Error from server (NotFound): error when creating \"STDIN\": namespaces \
            \"shop\" not found";
        let forbidden = "Error from server (Forbidden): roles.rbac.authorization.k8s.io \
            \"landfall\" is forbidden";
        assert!(awaits_its_role(awaits));
        for said in [namespace, forbidden, "", &format!("{awaits}\n{forbidden}")] {
            assert!(!awaits_its_role(said), "{said}");
        }
    }

    #[test]
    fn a_difference_has_its_surroundings() {
        let printed = "diff -u -N /tmp/LIVE-1/r /tmp/MERGED-2/r\n--- /tmp/LIVE-1/r\t2026\n\
            +++ /tmp/MERGED-2/r\t2026\n@@ -1,2 +1,3 @@\n-  generation: 1\n+  generation: 2\n \
            rules:\n+- verbs: [get]\n-- verbs: [list]\n";
        assert_eq!(
            difference(printed),
            [" rules:", "+- verbs: [get]", "-- verbs: [list]"]
        );
    }

    #[test]
    fn files_by_what_is_wanted() {
        let options = |switching, rotation| Options {
            switching,
            rotation,
            ..Options::default()
        };
        for (options, expected) in [
            (options(false, None), vec!["rbac", "token-secret"]),
            (
                options(true, None),
                vec!["rbac", "rbac-switching", "token-secret"],
            ),
            (
                options(true, Some(600)),
                vec!["rbac", "rbac-switching", "rbac-rotation"],
            ),
            (options(false, Some(600)), vec!["rbac", "rbac-rotation"]),
        ] {
            let expected: Vec<_> = expected.iter().map(|name| format!("{name}.yaml")).collect();
            assert_eq!(files(&options), expected);
        }
    }
}
