//! Reads the command line, option by option.

use crate::arn::{ClusterName, RoleArn};
use crate::options::{EksWay, Options, USUAL_LIFETIME, Way, seconds};
use std::ffi::OsString;

const TOKEN: u8 = 1;
const EKS: u8 = 2;
/// The options, and the ways in that each is for.
const NAMES: [(&str, u8); 19] = [
    ("kubeconfig", TOKEN | EKS),
    ("context", TOKEN | EKS),
    ("namespace", TOKEN | EKS),
    ("manifests", TOKEN | EKS),
    ("switching", TOKEN | EKS),
    ("region", TOKEN | EKS),
    ("profile", TOKEN | EKS),
    ("replace", TOKEN | EKS),
    ("apply", TOKEN | EKS),
    ("help", TOKEN | EKS),
    ("for-account", TOKEN),
    ("rotation", TOKEN),
    ("token-lifetime", TOKEN),
    ("token-parameter", TOKEN),
    ("ca-parameter", TOKEN),
    ("key-arn", TOKEN),
    ("eks-cluster", EKS),
    ("role", EKS),
    ("eks-role", EKS),
];

/// What is read, before it is put together.
#[derive(Default)]
struct Given {
    names: Vec<&'static str>,
    options: Options,
    rotation: bool,
    lifetime: Option<String>,
    cluster: Option<String>,
    role: Option<String>,
    eks_role: Option<String>,
}

/// Parses the arguments.
///
/// # Errors
///
/// Says what is wrong with them.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
    use lexopt::prelude::{Long, Short, Value};
    let mut given = Given::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut read = || -> Result<(), lexopt::Error> {
        while let Some(argument) = parser.next()? {
            let known = |name: &str| NAMES.iter().find(|(known, _)| *known == name);
            let known = match argument {
                Long(name) => known(name),
                Short('n') => known("namespace"),
                Short('h') => known("help"),
                Short(_) | Value(_) => None,
            };
            match known {
                Some((name, _)) => given.take(name, &mut parser)?,
                None => return Err(argument.unexpected()),
            }
        }
        Ok(())
    };
    read().map_err(|error| error.to_string())?;
    given.options()
}

impl Given {
    fn take(
        &mut self,
        name: &'static str,
        parser: &mut lexopt::Parser,
    ) -> Result<(), lexopt::Error> {
        self.names.push(name);
        let options = &mut self.options;
        match name {
            "kubeconfig" => options.kubeconfig = Some(parser.value()?.into()),
            "context" => options.contexts.push(text(parser)?),
            "namespace" => options.namespaces.push(text(parser)?),
            "for-account" => options.for_account = Some(text(parser)?),
            "manifests" => options.manifests = parser.value()?.into(),
            "switching" => options.switching = true,
            "rotation" => self.rotation = true,
            "token-lifetime" => self.lifetime = Some(text(parser)?),
            "token-parameter" => options.token_parameter = text(parser)?,
            "ca-parameter" => options.ca_parameter = text(parser)?,
            "key-arn" => options.key = Some(text(parser)?),
            "region" => options.region = Some(text(parser)?),
            "profile" => options.profile = Some(text(parser)?),
            "replace" => options.replace = true,
            "apply" => options.apply = true,
            "eks-cluster" => self.cluster = Some(text(parser)?),
            "role" => self.role = Some(text(parser)?),
            "eks-role" => self.eks_role = Some(text(parser)?),
            _ => options.help = true,
        }
        Ok(())
    }
}

impl Given {
    fn options(mut self) -> Result<Options, String> {
        self.options.rotation = match (self.rotation, self.lifetime.take()) {
            (false, Some(_)) => {
                return Err(
                    "--token-lifetime needs --rotation: a token that ends and that nothing \
                     renews would stop every deploy"
                        .into(),
                );
            }
            (false, None) => None,
            (true, None) => Some(USUAL_LIFETIME),
            (true, Some(text)) => Some(seconds(&text)?),
        };
        self.options.way = self.way()?;
        self.check_names()?;
        self.keep_the_last();
        self.options.check()?;
        Ok(self.options)
    }

    fn way(&mut self) -> Result<Way, String> {
        let Some(cluster) = self.cluster.take() else {
            return Ok(Way::Token);
        };
        let role = match (&self.role, &self.eks_role) {
            (Some(_), Some(_)) => {
                return Err(
                    "--role and --eks-role are both given: the access entry is for the one that \
                     calls the cluster. Where the function assumes a role, that is --eks-role alone"
                        .into(),
                );
            }
            (Some(role), None) => Some(RoleArn::read("--role", role)?),
            (None, Some(role)) => Some(RoleArn::read("--eks-role", role)?),
            (None, None) => None,
        };
        Ok(Way::Eks(EksWay {
            cluster: ClusterName::read("--eks-cluster", &cluster)?,
            assumed: self.eks_role.is_some(),
            role,
        }))
    }

    /// Where one value is meant, the last one counts.
    fn keep_the_last(&mut self) {
        let options = &mut self.options;
        let last = |values: &mut Vec<String>| drop(values.drain(..values.len().saturating_sub(1)));
        last(&mut options.contexts);
        match options.way {
            Way::Token => last(&mut options.namespaces),
            Way::Eks(_) => {}
        }
    }

    /// Refuses options of another way: what they ask for would not be done.
    fn check_names(&self) -> Result<(), String> {
        let way = match self.options.way {
            Way::Token => TOKEN,
            Way::Eks(_) => EKS,
        };
        let fits = |name: &&&str| {
            let known = NAMES.iter().find(|(known, _)| *known == **name);
            known.is_some_and(|(_, ways)| ways & way == 0)
        };
        let Some(name) = self.names.iter().find(fits) else {
            return Ok(());
        };
        Err(match self.options.way {
            Way::Token => format!("--{name} needs --eks-cluster"),
            Way::Eks(_) => format!(
                "--{name} does not go with --eks-cluster: the function's role is who it is, and \
                 nothing is stored. Leave it out"
            ),
        })
    }
}

fn text(parser: &mut lexopt::Parser) -> Result<String, lexopt::Error> {
    use lexopt::ValueExt as _;
    parser.value()?.string()
}

#[cfg(test)]
mod tests;
