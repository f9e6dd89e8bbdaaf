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
