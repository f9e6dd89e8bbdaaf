//! The options of the programs that make tokens for EKS.

use crate::outcome::ExecProblem;

/// What an option says.
#[derive(Clone, Copy, PartialEq)]
enum Meaning {
    Cluster,
    Region,
    Role,
    ExternalId,
    Profile,
    /// A value that changes nothing here.
    Ignored,
    /// No value, and no change here.
    Flag,
}

/// A program's subcommand and its options.
pub(super) struct Program {
    words: &'static [&'static str],
    options: &'static [(&'static str, Meaning)],
    /// Whether an option of one letter may have its value behind it: `-iNAME`.
    has_short_options: bool,
}

/// What the options of a program say.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Given {
    pub(super) cluster: Option<String>,
    pub(super) region: Option<String>,
    pub(super) role: Option<String>,
    pub(super) external_id: Option<String>,
}

/// The AWS CLI, whose own options may stand before its subcommand. It accepts `--role` as well.
/// <https://docs.aws.amazon.com/cli/latest/reference/eks/get-token.html>
pub(super) const AWS: Program = Program {
    words: &["eks", "get-token"],
    options: &[
        ("--cluster-name", Meaning::Cluster),
        ("--cluster-id", Meaning::Cluster),
        ("--region", Meaning::Region),
        ("--role-arn", Meaning::Role),
        ("--role", Meaning::Role),
        ("--profile", Meaning::Profile),
        ("--output", Meaning::Ignored),
        ("--color", Meaning::Ignored),
        ("--cli-read-timeout", Meaning::Ignored),
        ("--cli-connect-timeout", Meaning::Ignored),
        ("--cli-binary-format", Meaning::Ignored),
        ("--debug", Meaning::Flag),
        ("--no-paginate", Meaning::Flag),
        ("--no-cli-pager", Meaning::Flag),
        ("--no-cli-auto-prompt", Meaning::Flag),
    ],
    has_short_options: false,
};

/// <https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/cmd/aws-iam-authenticator>
pub(super) const AUTHENTICATOR: Program = Program {
    words: &["token"],
    options: &[
        ("--cluster-id", Meaning::Cluster),
        ("-i", Meaning::Cluster),
        ("--region", Meaning::Region),
        ("--role", Meaning::Role),
        ("-r", Meaning::Role),
        ("--external-id", Meaning::ExternalId),
        ("-e", Meaning::ExternalId),
        ("--session-name", Meaning::Ignored),
        ("-s", Meaning::Ignored),
        ("--log-format", Meaning::Ignored),
        ("-l", Meaning::Ignored),
        ("--forward-session-name", Meaning::Flag),
        ("--cache", Meaning::Flag),
        ("--token-only", Meaning::Flag),
    ],
    has_short_options: true,
};

impl Program {
    /// Reads the arguments. Of an option that is there twice the last one counts, as for both
    /// programs.
    pub(super) fn read(&self, args: &[&str]) -> Result<Given, ExecProblem> {
        let (mut words, mut given) = (Vec::new(), Given::default());
        let mut rest = args.iter().enumerate();
        while let Some((index, arg)) = rest.next() {
            if !arg.starts_with('-') {
                words.push(*arg);
                continue;
            }
            let (name, meaning, attached) =
                self.option(arg).ok_or(ExecProblem::Option(index + 1))?;
            let value = match (meaning, attached) {
                (Meaning::Flag, _) => continue,
                (_, Some(value)) => value,
                (_, None) => rest.next().ok_or(ExecProblem::NoValue(name))?.1,
            };
            let place = match meaning {
                Meaning::Cluster => &mut given.cluster,
                Meaning::Region => &mut given.region,
                Meaning::Role => &mut given.role,
                Meaning::ExternalId => &mut given.external_id,
                Meaning::Profile => return Err(ExecProblem::Profile),
                Meaning::Ignored | Meaning::Flag => continue,
            };
            *place = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        }
        match words == self.words {
            true => Ok(given),
            false => Err(ExecProblem::Subcommand),
        }
    }

    /// An option's name and meaning, and the value that is attached to it.
    fn option<'a>(&self, arg: &'a str) -> Option<(&'static str, Meaning, Option<&'a str>)> {
        let (long, attached) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (arg, None),
        };
        let found = self.options.iter().find(|(name, _)| *name == long);
        if let Some((name, meaning)) = found {
            return Some((name, *meaning, attached));
        }
        if arg.starts_with("--") || !self.has_short_options {
            return None;
        }
        let (short, value) = arg.split_at_checked(2)?;
        let (name, meaning) = self.options.iter().find(|(name, _)| *name == short)?;
        Some((name, *meaning, Some(value)))
    }
}
