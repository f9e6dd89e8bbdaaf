//! Parses parameter names like SSM does.

use crate::aws::account::{ACCOUNT, REGION};
use crate::aws::answer::Refusal;

/// `Name` is at most this long.
pub(super) const NAME_LENGTH: usize = 2048;
pub(super) const NAME_RULE: &str = "\
    Parameter name: can't be prefixed with \"ssm\" (case-insensitive). \
    If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can \
    be formed as a mix of letters, numbers and the following 3 symbols .-_";

/// A parameter as a caller names it: `name`, `name:version`, `name:label` or an ARN of these.
pub(super) struct Name<'a> {
    pub(super) plain: &'a str,
    pub(super) rooted: Option<String>,
    pub(super) selector: Option<&'a str>,
}

impl<'a> Name<'a> {
    pub(super) fn parse(asked: &'a str) -> Result<Name<'a>, Refusal> {
        let length = asked.chars().count();
        if length == 0 || length > NAME_LENGTH {
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value '{asked}' at 'name' failed to satisfy \
                 constraint: Member must have length between 1 and {NAME_LENGTH}"
            )));
        }
        let home = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/");
        let local = asked.strip_prefix(home.as_str());
        let (plain, selector) = match local.unwrap_or(asked).split_once(':') {
            // The ARN of another account or region is well-formed, but no such parameter exists
            // here.
            Some(_) if asked.starts_with("arn:") && local.is_none() => (asked, None),
            Some((plain, selector)) => (plain, Some(selector)),
            None => (local.unwrap_or(asked), None),
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
        let foreign = plain.starts_with("arn:");
        if !foreign && (plain.is_empty() || !plain.chars().all(allowed)) {
            return Err(Refusal::validation(NAME_RULE));
        }
        Ok(Name {
            plain,
            rooted: local.map(|_| format!("/{plain}")),
            selector,
        })
    }
}
