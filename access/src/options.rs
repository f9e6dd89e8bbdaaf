//! The command-line options.

use std::ffi::OsString;
use std::path::PathBuf;

/// The shortest lifetime of the first token. The function renews it after a third of it, which is
/// an hour then: enough time to create the stack.
const SHORTEST: u64 = 3 * 60 * 60;
/// The longest lifetime; for a longer one use `deploy/token-secret.yaml`.
const LONGEST: u64 = 365 * 24 * 60 * 60;
/// The default lifetime, which rotation uses, too.
pub(crate) const USUAL_LIFETIME: u64 = 24 * 60 * 60;
/// The longest name of an SSM parameter.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
const NAME_LIMIT: usize = 1011;
/// The key of a parameter if none is named.
pub(crate) const USUAL_KEY: &str = "alias/aws/ssm";

/// The command-line options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) kubeconfig: Option<PathBuf>,
    pub(crate) context: Option<String>,
    pub(crate) namespace: Option<String>,
    /// The namespace of the ServiceAccount that also gets permissions in this namespace.
    pub(crate) for_account: Option<String>,
    pub(crate) manifests: PathBuf,
    pub(crate) switching: bool,
    /// Whether the function renews its token, and the lifetime of the first one in seconds.
    pub(crate) rotation: Option<u64>,
    pub(crate) token_parameter: String,
    pub(crate) ca_parameter: String,
    pub(crate) key: Option<String>,
    /// Whether values of another account or cluster may be replaced.
    pub(crate) replace: bool,
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) apply: bool,
    pub(crate) help: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            kubeconfig: None,
            context: None,
            namespace: None,
            for_account: None,
            manifests: "deploy".into(),
            switching: false,
            rotation: None,
            token_parameter: "k8s-bear-token".into(),
            ca_parameter: "k8s-ca".into(),
            key: None,
            replace: false,
            region: None,
            profile: None,
            apply: false,
            help: false,
        }
    }
}

impl Options {
    /// Parses the arguments.
    ///
    /// # Errors
    ///
    /// Says what is wrong with them.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
        use lexopt::prelude::{Long, Short, Value, ValueExt as _};
        let mut options = Options::default();
        let mut rotation = false;
        let mut lifetime = None;
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut read = || -> Result<(), lexopt::Error> {
            while let Some(argument) = parser.next()? {
                match argument {
                    Long("kubeconfig") => options.kubeconfig = Some(parser.value()?.into()),
                    Long("context") => options.context = Some(parser.value()?.string()?),
                    Long("namespace") | Short('n') => {
                        options.namespace = Some(parser.value()?.string()?);
                    }
                    Long("for-account") => options.for_account = Some(parser.value()?.string()?),
                    Long("manifests") => options.manifests = parser.value()?.into(),
                    Long("switching") => options.switching = true,
                    Long("rotation") => rotation = true,
                    Long("token-lifetime") => lifetime = Some(parser.value()?.string()?),
                    Long("token-parameter") => {
                        options.token_parameter = parser.value()?.string()?
                    }
                    Long("ca-parameter") => options.ca_parameter = parser.value()?.string()?,
                    Long("key-arn") => options.key = Some(parser.value()?.string()?),
                    Long("region") => options.region = Some(parser.value()?.string()?),
                    Long("profile") => options.profile = Some(parser.value()?.string()?),
                    Long("replace") => options.replace = true,
                    Long("apply") => options.apply = true,
                    Long("help") | Short('h') => options.help = true,
                    Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
                }
            }
            Ok(())
        };
        read().map_err(|error| error.to_string())?;
        options.rotation = match (rotation, lifetime) {
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
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<(), String> {
        if let Some(key) = &self.key {
            check_key(key)?;
        }
        for namespace in [&self.namespace, &self.for_account].into_iter().flatten() {
            check_namespace(namespace)?;
        }
        self.check_for_account()?;
        check_parameter("--token-parameter", &self.token_parameter)?;
        check_parameter("--ca-parameter", &self.ca_parameter)?;
        if self.token_parameter == self.ca_parameter {
            return Err("--token-parameter and --ca-parameter name the same parameter".into());
        }
        for (option, value) in [
            ("--context", &self.context),
            ("--region", &self.region),
            ("--profile", &self.profile),
        ] {
            let value = value.as_deref().unwrap_or("given");
            // The called program would read a value that begins with a dash as another option.
            if value.is_empty() || value.starts_with('-') {
                return Err(format!("{option} is `{value}`, which is no name"));
            }
        }
        Ok(())
    }

    /// With `--for-account` the account already has its token, so nothing else may be created or
    /// stored.
    fn check_for_account(&self) -> Result<(), String> {
        let Some(home) = &self.for_account else {
            return Ok(());
        };
        for (option, given, why) in [
            (
                "--rotation",
                self.rotation.is_some(),
                "a token is renewed in its account's namespace",
            ),
            ("--key-arn", self.key.is_some(), "nothing is stored"),
        ] {
            if given {
                return Err(format!(
                    "{option} does not go with --for-account {home}: {why}. Leave it out"
                ));
            }
        }
        Ok(())
    }
}

/// Checks a namespace's name, which goes into manifests and commands.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names>
pub(crate) fn check_namespace(name: &str) -> Result<(), String> {
    let edge = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    let bytes = name.as_bytes();
    let fits = bytes.iter().all(|it| edge(*it) || *it == b'-') && name.len() <= 63;
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) if fits && edge(*first) && edge(*last) => Ok(()),
        _ => Err(format!(
            "the namespace is `{name}`: a name has at most 63 lower-case letters, digits and dashes"
        )),
    }
}

fn check_parameter(option: &str, name: &str) -> Result<(), String> {
    let fits = |it: char| it.is_ascii_alphanumeric() || "_.-/".contains(it);
    let first = name.chars().next().unwrap_or('-');
    if name.contains(':') {
        return Err(format!(
            "{option} is `{name}`: give a plain name, with no version, label or ARN; what is \
             stored becomes its newest version"
        ));
    }
    if first == '-' || !name.chars().all(fits) || name.len() > NAME_LIMIT {
        return Err(format!(
            "{option} is `{name}`: a parameter's name has letters, digits and _ . - /"
        ));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(format!(
            "{option} is `{name}`: with a path it begins with /"
        ));
    }
    Ok(())
}

/// Checks that the key is an ARN: the function's role is limited to the key by its ARN, so an alias
/// does not work.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html>
fn check_key(key: &str) -> Result<(), String> {
    let is_arn = key.starts_with("arn:") && key.contains(":kms:") && key.contains(":key/");
    if is_arn || key == USUAL_KEY {
        return Ok(());
    }
    Err(format!(
        "--key-arn is `{key}`: give the key's own ARN, arn:aws:kms:REGION:ACCOUNT:key/ID; the \
         function's role is limited by it. {USUAL_KEY} is SSM's own key"
    ))
}

/// Parses `24h`, `200m`, `12000s` into seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("--token-lifetime is `{text}`: write it as 24h, 200m or 12000s");
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        _ => return Err(wrong()),
    };
    let number = text[..text.len() - 1].parse::<u64>().map_err(|_| wrong())?;
    let seconds = number.saturating_mul(unit);
    match seconds {
        SHORTEST..=LONGEST => Ok(seconds),
        _ => Err(format!(
            "--token-lifetime is {text}: the function renews the token after a third of its life, \
             and 3h is the least with which it has time for that; more than a year is what \
             deploy/token-secret.yaml is for"
        )),
    }
}

/// Formats seconds for people: `24h`, `90m`.
pub(crate) fn lifetime(seconds: u64) -> String {
    match seconds {
        whole if whole % 3600 == 0 => format!("{}h", whole / 3600),
        whole if whole % 60 == 0 => format!("{}m", whole / 60),
        other => format!("{other}s"),
    }
}

#[cfg(test)]
mod tests;
