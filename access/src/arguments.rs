//! Reads the command line, option by option.

use crate::arn::{ClusterName, RoleArn};
use crate::options::{
    EksWay, KubeconfigWay, Options, ReleaseWay, USUAL_LIFETIME, Way, check_parameter,
    check_release, seconds,
};
use std::ffi::OsString;
use std::path::PathBuf;

/// Where a kubeconfig is stored if no name is given.
const USUAL_KUBECONFIG: &str = "k8s-config";

const TOKEN: u8 = 1;
const EKS: u8 = 2;
const KUBECONFIG: u8 = 4;
const RELEASE: u8 = 8;
/// The options, and the ways in that each is for.
const NAMES: [(&str, u8); 27] = [
    ("kubeconfig", TOKEN | EKS | KUBECONFIG | RELEASE),
    ("context", TOKEN | EKS | KUBECONFIG | RELEASE),
    ("namespace", TOKEN | EKS | KUBECONFIG | RELEASE),
    ("manifests", TOKEN | EKS | KUBECONFIG),
    ("switching", TOKEN | EKS | KUBECONFIG),
    ("workloads", TOKEN | EKS | KUBECONFIG),
    ("region", TOKEN | EKS | KUBECONFIG),
    ("profile", TOKEN | EKS | KUBECONFIG),
    ("replace", TOKEN | EKS | KUBECONFIG),
    ("apply", TOKEN | EKS | KUBECONFIG | RELEASE),
    ("help", TOKEN | EKS | KUBECONFIG | RELEASE),
    ("for-account", TOKEN | RELEASE),
    ("rotation", TOKEN),
    ("token-lifetime", TOKEN),
    ("token-parameter", TOKEN),
    ("ca-parameter", TOKEN),
    ("key-arn", TOKEN | KUBECONFIG),
    ("eks-cluster", EKS),
    ("role", EKS),
    ("eks-role", EKS),
    ("kubeconfig-out", KUBECONFIG),
    ("kubeconfig-parameter", KUBECONFIG),
    ("client-certificates", KUBECONFIG),
    ("for", RELEASE),
    ("release", RELEASE),
    ("prune", RELEASE),
    ("no-rollback", RELEASE),
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
    kubeconfig_out: Option<PathBuf>,
    kubeconfig_parameter: Option<String>,
    release: ReleaseWay,
    certificates: bool,
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
                // A shell writes the files of a glob one after the other.
                Value(path) if !given.release.paths.is_empty() => {
                    given.release.paths.push(path.into());
                    continue;
                }
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
            "workloads" => options.workloads = true,
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
            "kubeconfig-out" => self.kubeconfig_out = Some(parser.value()?.into()),
            "kubeconfig-parameter" => self.kubeconfig_parameter = Some(text(parser)?),
            "client-certificates" => self.certificates = true,
            "for" => self.release.paths.push(parser.value()?.into()),
            "release" => self.release.release = Some(text(parser)?),
            "prune" => self.release.prune = true,
            "no-rollback" => self.release.no_rollback = true,
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
        let cluster = match (self.cluster.take(), self.kubeconfig_out.take()) {
            (None, None) if !self.release.paths.is_empty() => return self.release_way(),
            (None, None) => return Ok(Way::Token),
            (None, Some(file)) => return self.kubeconfig_way(file),
            (Some(cluster), None) => cluster,
            (Some(_), Some(_)) => {
                return Err(
                    "--eks-cluster and --kubeconfig-out are two ways in: run it once for each"
                        .into(),
                );
            }
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

    fn release_way(&mut self) -> Result<Way, String> {
        if let Some(name) = &self.release.release {
            check_release(name)?;
        }
        Ok(Way::Release(std::mem::take(&mut self.release)))
    }

    fn kubeconfig_way(&mut self, file: PathBuf) -> Result<Way, String> {
        let parameter = self.kubeconfig_parameter.take();
        let parameter = parameter.unwrap_or_else(|| USUAL_KUBECONFIG.to_owned());
        check_parameter("--kubeconfig-parameter", &parameter)?;
        if file.as_os_str().is_empty() {
            return Err("--kubeconfig-out is empty: name a file, or - for a pipe".into());
        }
        Ok(Way::Kubeconfig(KubeconfigWay {
            file,
            parameter,
            certificates: self.certificates,
        }))
    }

    /// Where one value is meant, the last one counts.
    fn keep_the_last(&mut self) {
        let options = &mut self.options;
        let last = |values: &mut Vec<String>| drop(values.drain(..values.len().saturating_sub(1)));
        match options.way {
            Way::Token | Way::Release(_) => {
                last(&mut options.contexts);
                last(&mut options.namespaces);
            }
            Way::Eks(_) => last(&mut options.contexts),
            Way::Kubeconfig(_) => last(&mut options.namespaces),
        }
    }

    /// Refuses options of another way: what they ask for would not be done.
    fn check_names(&self) -> Result<(), String> {
        let way = match self.options.way {
            Way::Token => TOKEN,
            Way::Eks(_) => EKS,
            Way::Kubeconfig(_) => KUBECONFIG,
            Way::Release(_) => RELEASE,
        };
        let ways = |name: &str| NAMES.iter().find(|(known, _)| *known == name);
        let ways = |name: &str| ways(name).map_or(0, |(_, ways)| *ways);
        let Some(name) = self.names.iter().find(|name| ways(name) & way == 0) else {
            return Ok(());
        };
        Err(match self.options.way {
            Way::Token if ways(name) == RELEASE => format!("--{name} needs --for"),
            Way::Token if ways(name) & EKS != 0 => format!("--{name} needs --eks-cluster"),
            Way::Token => format!("--{name} needs --kubeconfig-out"),
            Way::Eks(_) => format!(
                "--{name} does not go with --eks-cluster: the function's role is who it is, and \
                 nothing is stored. Leave it out"
            ),
            Way::Release(_) => format!(
                "--{name} does not go with --for, which only prints Roles: run it once for each"
            ),
            Way::Kubeconfig(_) => format!(
                "--{name} does not go with --kubeconfig-out: the kubeconfig is all that is \
                 stored, and nothing renews a token in it. Leave it out"
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
