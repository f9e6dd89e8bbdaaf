//! Checks of single values of the command line, and times in words.

use landfall_core::kubernetes::name::{Name, Rule};
use landfall_core::text::duration;

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

/// The longest name of a namespace, and of a release.
const LABEL_LIMIT: usize = 63;
const RELEASE_LIMIT: usize = 40;

/// Checks a namespace's name, which goes into manifests and commands.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names>
pub(crate) fn check_namespace(name: &str) -> Result<(), String> {
    check_label("namespace", name, LABEL_LIMIT)
}

/// Checks a release's name, as the user parameters do.
pub(crate) fn check_release(name: &str) -> Result<(), String> {
    check_label("release", name, RELEASE_LIMIT)
}

fn check_label(what: &str, name: &str, limit: usize) -> Result<(), String> {
    match name.len() <= limit && Name::new(name, Rule::Label).is_some() {
        true => Ok(()),
        false => Err(format!(
            "the {what} is `{name}`: a name has at most {limit} lower-case letters, digits and \
             dashes"
        )),
    }
}

/// Checks the name of an SSM parameter.
pub(crate) fn check_parameter(option: &str, name: &str) -> Result<(), String> {
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
pub(crate) fn check_key(key: &str) -> Result<(), String> {
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
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("--token-lifetime is `{text}`: write it as 24h, 200m or 12000s");
    let seconds = duration(text).ok_or_else(wrong)?.as_secs();
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
