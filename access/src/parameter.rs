//! The two SSM parameters: their content, and whether it has to change.

use crate::command::{Command, STDIN, Tools};
use crate::failure::Refusal;
use crate::options::{Options, USUAL_KEY};
use serde_json::Value;

/// The largest value of a standard parameter, in bytes.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html>
const STANDARD_TIER: usize = 4096;
const SECURE: &str = "SecureString";

/// The content of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Token,
    Ca,
}

/// A stored value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) value: String,
    pub(crate) kind: String,
    /// The key; `None` if we may not read it.
    pub(crate) key: Option<String>,
}

impl Stored {
    pub(crate) fn holds(&self, value: &str) -> bool {
        value.trim() == self.value.trim()
    }
}

/// What to do with a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Leave it: nothing has to change.
    Leave,
    Create {
        key: Option<String>,
    },
    Overwrite {
        kind: String,
        key: Option<String>,
        why: String,
    },
}

impl Content {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Content::Token => "the token",
            Content::Ca => "the cluster's CA",
        }
    }
}

/// Refuses the CLI's history, which would store the calls with their content in a file.
/// <https://docs.aws.amazon.com/cli/latest/reference/history/>
pub(crate) async fn check_history(tools: &Tools) -> Result<(), Refusal> {
    let command = tools.aws(&["configure", "get", "cli_history"]);
    if command.run(None).await?.printed.trim() != "enabled" {
        return Ok(());
    }
    Err(Refusal::own(
        "your AWS CLI keeps a history of its calls in a file, and the token would stand in it",
        "Switch it off, at least for now: `aws configure set cli_history disabled`.",
    ))
}

/// Reads both parameters like the function does. `None` for a parameter that does not exist.
pub(crate) async fn read(tools: &Tools, options: &Options) -> Result<[Option<Stored>; 2], Refusal> {
    let names = [&*options.token_parameter, &*options.ca_parameter];
    let words = ["ssm", "get-parameters", "--with-decryption", "--names"];
    let printed = tools.aws(&[&words[..], &names].concat()).ask(None).await?;
    let answer: Value = serde_json::from_str(&printed).unwrap_or_default();
    Ok(names.map(|name| stored(&answer, name)))
}

/// Adds the keys. Reading them needs another permission; without it they stay unknown.
pub(crate) async fn read_keys(
    tools: &Tools,
    options: &Options,
    found: &mut [Option<Stored>; 2],
) -> Result<(), Refusal> {
    let names = [&*options.token_parameter, &*options.ca_parameter];
    let filter = format!("Key=Name,Option=Equals,Values={}", names.join(","));
    let words = ["ssm", "describe-parameters", "--parameter-filters", &filter];
    let command = tools.aws(&words);
    let answer = command.run(None).await?;
    if answer.code != Some(0) {
        let denied = answer.said.contains("AccessDenied");
        return if denied {
            Ok(())
        } else {
            Err(command.refusal(&answer.said))
        };
    }
    let answer: Value = serde_json::from_str(&answer.printed).unwrap_or_default();
    for (name, stored) in names.into_iter().zip(found) {
        let Some(stored) = stored else { continue };
        if let Some(seen) = named(&answer, name) {
            stored.key = Some(seen["KeyId"].as_str().unwrap_or(USUAL_KEY).to_owned());
        }
    }
    Ok(())
}

/// Reads the region from the table that `aws configure list` prints: `region  eu-west-1  env
/// AWS_REGION`, with colons in newer versions; `<not set>` if there is none.
pub(crate) fn region(printed: &str) -> Option<String> {
    let mut rows = printed.lines().map(|line| {
        let words = line.split_whitespace();
        words.filter(|word| *word != ":")
    });
    rows.find_map(|mut row| (row.next() == Some("region")).then(|| row.next())?)
        .filter(|value| !value.starts_with('<'))
        .map(str::to_owned)
}

fn stored(answer: &Value, name: &str) -> Option<Stored> {
    let found = named(answer, name)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    Some(Stored {
        value: text("Value"),
        kind: text("Type"),
        key: None,
    })
}

fn named<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    let all = answer["Parameters"].as_array()?;
    all.iter().find(|one| one["Name"] == name)
}

/// Whether a parameter must be written. `wanted` is `None` if it is not known yet.
pub(crate) fn judge(
    content: Content,
    stored: Option<&Stored>,
    wanted: Option<&str>,
    key: Option<&str>,
) -> Result<Verdict, Refusal> {
    let Some(stored) = stored else {
        let key = key.map(str::to_owned);
        return Ok(Verdict::Create { key });
    };
    let secure = stored.kind == SECURE;
    if content == Content::Token && !secure {
        return Err(Refusal::own(
            format!("it is of the type {}, which is not encrypted", stored.kind),
            "SSM does not change a parameter's type: name another with --token-parameter; or, \
             where nothing needs it any more, delete it (`aws ssm delete-parameter --name …`).",
        ));
    }
    let same = wanted.is_some_and(|wanted| stored.holds(wanted));
    let other_key = match (key, &stored.key) {
        (Some(wanted), Some(now)) if secure && !same_key(wanted, now) => Some((wanted, now)),
        _ => None,
    };
    let why = match (same, other_key) {
        (true, None) => return Ok(Verdict::Leave),
        (true, Some((_, now))) => format!("it is encrypted under {now}"),
        (false, _) => "it holds another value".to_owned(),
    };
    // Without a key SSM would use its default key, whatever the parameter had.
    let key = key.map(str::to_owned).or_else(|| stored.key.clone());
    if secure && key.is_none() {
        return Err(Refusal::own(
            "SSM does not tell which key encrypts it (ssm:DescribeParameters), and a new value \
             would be encrypted under its usual one",
            format!("Name the key with --key-arn; SSM's usual one is {USUAL_KEY}."),
        ));
    }
    Ok(Verdict::Overwrite {
        kind: stored.kind.clone(),
        key: key.filter(|_| secure),
        why,
    })
}

/// Whether both name the same key, by its id or by its ARN, which ends with the id.
fn same_key(left: &str, right: &str) -> bool {
    let ends =
        |long: &str, short: &str| long.strip_suffix(short).is_some_and(|it| it.ends_with('/'));
    let alias = |it: &str| it.rsplit_once(':').map_or(it, |(_, name)| name).to_owned();
    left == right || ends(left, right) || ends(right, left) || alias(left) == alias(right)
}

impl Verdict {
    /// The command that writes the parameter. The value comes on standard input, so `ps` does not
    /// show it. `--cli-input-json` does not work: the CLI reads that file twice, and a pipe is
    /// empty the second time. <https://github.com/aws/aws-cli/issues/5982>
    pub(crate) fn command(&self, tools: &Tools, name: &str, length: usize) -> Option<Command> {
        let (kind, key, more) = match self {
            Verdict::Leave => return None,
            Verdict::Create { key } => (SECURE, key, None),
            Verdict::Overwrite { kind, key, .. } => (&**kind, key, Some("--overwrite")),
        };
        let mut words = vec!["ssm", "put-parameter", "--name", name, "--type", kind];
        if let Some(key) = key {
            words.extend(["--key-id", key]);
        }
        words.extend(more);
        if length > STANDARD_TIER {
            words.extend(["--tier", "Intelligent-Tiering"]);
        }
        words.extend(["--value", STDIN]);
        Some(tools.aws(&words))
    }
}

#[cfg(test)]
mod tests;
