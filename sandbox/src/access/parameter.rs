//! The two SSM parameters: what they hold, and whether that has to change.

use crate::failure::Refusal;
use crate::options::{Options, USUAL_KEY};
use crate::tool::{Command, STDIN, Tools};
use serde_json::Value;

/// What a parameter of the standard tier holds, in bytes.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html>
const STANDARD_TIER: usize = 4096;
const SECURE: &str = "SecureString";

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Token,
    Ca,
}

/// What SSM has.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) value: String,
    pub(crate) kind: String,
    /// None where SSM does not tell us.
    pub(crate) key: Option<String>,
}

impl Stored {
    pub(crate) fn holds(&self, value: &str) -> bool {
        value.trim() == self.value.trim()
    }
}

/// What is to become of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has all that it should.
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

/// The CLI can keep a history of its calls in a file, with what was sent and answered.
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

/// Reads both as the function does. A parameter that does not exist is None.
pub(crate) async fn read(tools: &Tools, options: &Options) -> Result<[Option<Stored>; 2], Refusal> {
    let names = [&*options.token_parameter, &*options.ca_parameter];
    let words = ["ssm", "get-parameters", "--with-decryption", "--names"];
    let printed = tools.aws(&[&words[..], &names].concat()).ask(None).await?;
    let answer: Value = serde_json::from_str(&printed).unwrap_or_default();
    Ok(names.map(|name| stored(&answer, name)))
}

/// Adds the keys. They are seen by another right only, without which they stay unknown.
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

/// Of the table that `aws configure list` prints: `region  eu-west-1  env  AWS_REGION`, in newer
/// versions with colons between; `<not set>` where there is none.
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

/// Whether a parameter has to be written. `wanted` is None where it cannot be known yet.
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
    // Left out, SSM would take its usual key, whichever the parameter had.
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

/// A key is named by its id or its ARN, which ends with the id.
fn same_key(left: &str, right: &str) -> bool {
    let ends =
        |long: &str, short: &str| long.strip_suffix(short).is_some_and(|it| it.ends_with('/'));
    let alias = |it: &str| it.rsplit_once(':').map_or(it, |(_, name)| name).to_owned();
    left == right || ends(left, right) || ends(right, left) || alias(left) == alias(right)
}

impl Verdict {
    /// The command that writes it; its value comes on standard input, and `ps` shows nothing.
    /// Not `--cli-input-json`: the CLI reads that file twice, and a pipe is empty then.
    /// <https://github.com/aws/aws-cli/issues/5982>
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
mod tests {
    use super::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:kms:eu-west-1:1:key/k-1";

    fn has(value: &str, kind: &str, key: Option<&str>) -> Stored {
        Stored {
            value: value.into(),
            kind: kind.into(),
            key: key.map(str::to_owned),
        }
    }

    /// What becomes of it in a few words.
    fn judged(
        content: Content,
        stored: Option<Stored>,
        wanted: Option<&str>,
        key: Option<&str>,
    ) -> String {
        match judge(content, stored.as_ref(), wanted, key) {
            Ok(Verdict::Leave) => "leave".into(),
            Ok(Verdict::Create { key }) => format!("create {key:?}"),
            Ok(Verdict::Overwrite { kind, key, why }) => format!("{kind} {key:?}: {why}"),
            Err(refusal) => format!("refused: {refusal}"),
        }
    }

    #[test]
    fn only_what_must_change_is_written() {
        use Content::{Ca, Token};
        let secure = |value, key| Some(has(value, SECURE, key));
        let usual = Some(USUAL_KEY);
        let (arn, other) = (
            Some(ARN),
            "SecureString Some(\"alias/aws/ssm\"): it holds another",
        );
        for (content, stored, wanted, key, expected) in [
            (Token, None, None, None, "create None"),
            (Token, None, Some("t"), arn, "create Some(\"arn:"),
            (Token, secure("t", usual), Some("t"), None, "leave"),
            (Token, secure("t", None), Some("t"), None, "leave"),
            (Token, secure("t", None), Some("t"), arn, "leave"),
            (Token, secure("t", Some("k-1")), Some("t"), arn, "leave"),
            (Token, secure("t", usual), None, None, other),
            (Token, secure("t", usual), Some("u"), None, other),
            (
                Token,
                secure("t", usual),
                Some("t"),
                arn,
                "SecureString Some(\"arn:aws:kms:eu-west-1:1:key/k-1\"): it is encrypted under \
                 alias/aws/ssm",
            ),
            // The customer's key is kept.
            (
                Token,
                secure("t", arn),
                Some("u"),
                None,
                "SecureString Some(\"arn:",
            ),
            (
                Token,
                secure("t", None),
                Some("u"),
                None,
                "refused: SSM does not tell which key",
            ),
            (
                Token,
                Some(has("t", "String", None)),
                Some("t"),
                None,
                "refused: it is of the type",
            ),
            (
                Ca,
                Some(has("c", "String", None)),
                Some("c\n"),
                arn,
                "leave",
            ),
            (
                Ca,
                Some(has("c", "String", None)),
                Some("d"),
                arn,
                "String None: it holds another",
            ),
        ] {
            let told = judged(content, stored.clone(), wanted, key);
            assert!(
                told.starts_with(expected),
                "{content:?} {wanted:?} {key:?}: {told}"
            );
        }
    }

    #[test]
    fn a_key_is_the_same_by_id_arn_and_alias() {
        let alias = "arn:aws:kms:eu-west-1:1:alias/aws/ssm";
        for (left, right, same) in [
            (ARN, ARN, true),
            (ARN, "k-1", true),
            ("k-1", ARN, true),
            (alias, "alias/aws/ssm", true),
            (ARN, "1", false),
            (ARN, "alias/aws/ssm", false),
            ("k-1", "k-2", false),
        ] {
            assert_eq!(same_key(left, right), same, "{left} {right}");
        }
    }

    #[test]
    fn the_value_is_no_word_of_the_command() {
        let tools = Tools::default();
        let typed = |verdict: Verdict, length| {
            verdict
                .command(&tools, "t", length)
                .map(|it| it.to_string())
        };
        let create = Verdict::Create { key: None };
        assert_eq!(
            typed(create, 4096).unwrap(),
            "aws ssm put-parameter --name t --type SecureString --value file:///dev/stdin"
        );
        let overwrite = Verdict::Overwrite {
            kind: SECURE.into(),
            key: Some("k".into()),
            why: String::new(),
        };
        assert_eq!(
            typed(overwrite, 4097).unwrap(),
            "aws ssm put-parameter --name t --type SecureString --key-id k --overwrite --tier \
             Intelligent-Tiering --value file:///dev/stdin"
        );
        assert_eq!(typed(Verdict::Leave, 1), None);
    }

    #[test]
    fn the_region_is_the_one_that_the_cli_takes() {
        for (row, expected) in [
            (
                "    region                eu-west-1              env    AWS_REGION",
                Some("eu-west-1"),
            ),
            (
                "region     : eu-north-1              : config-file : ~/.aws/config",
                Some("eu-north-1"),
            ),
            (
                "    region                <not set>             None    None",
                None,
            ),
            (
                "region     : <not set>               : None             : None",
                None,
            ),
            ("regional    x", None),
        ] {
            let printed = format!("      Name     Value   Type\n   profile  region  None\n{row}\n");
            assert_eq!(region(&printed).as_deref(), expected, "{row}");
        }
        assert_eq!(region(""), None);
    }

    #[test]
    fn what_ssm_answers_is_read_by_name() {
        let answer = json!({"Parameters": [{"Name": "t2", "Value": "x", "Type": "String"},
            {"Name": "t", "Value": "y", "Type": "SecureString"}], "InvalidParameters": ["n"]});
        assert!(stored(&answer, "t").unwrap() == has("y", SECURE, None));
        assert!(stored(&answer, "n").is_none());
        assert!(stored(&Value::Null, "t").is_none());
    }
}
