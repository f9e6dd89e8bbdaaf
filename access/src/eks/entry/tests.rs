use super::*;

fn role() -> RoleArn {
    RoleArn::read("--role", "arn:aws:iam::111122223333:role/ci/landfall").unwrap()
}

#[test]
fn times_of_each_form() {
    let text = |value: Value| time(&value).map(|time| time.to_string());
    for (value, expected) in [
        (
            Value::from(1_767_323_045.25),
            Some("2026-01-02T03:04:05.25Z"),
        ),
        (Value::from(1_767_323_045), Some("2026-01-02T03:04:05Z")),
        (
            Value::from("2026-01-02T03:04:05Z"),
            Some("2026-01-02T03:04:05Z"),
        ),
        (
            Value::from("2026-01-02T04:04:05.678000+01:00"),
            Some("2026-01-02T03:04:05.678Z"),
        ),
        (Value::from("yesterday"), None),
        (Value::Null, None),
    ] {
        assert_eq!(text(value).as_deref(), expected);
    }
}

#[test]
fn a_role_is_mapped_without_its_path_and_with_the_group() {
    let arn = "arn:aws:iam::111122223333:role/landfall";
    for (text, expected) in [
        (format!("- rolearn: {arn}\n  groups: [landfall]\n"), true),
        (
            format!("- rolearn: \"{arn}\"\n  groups:\n    - ops\n    - landfall\n"),
            true,
        ),
        (format!("- rolearn: {arn}\n  groups: [ops]\n"), false),
        (format!("- rolearn: {arn}\n  username: landfall\n"), false),
        (
            format!("- rolearn: {}\n  groups: [landfall]\n", role().whole),
            false,
        ),
        (format!("- rolearn: {arn}2\n  groups: [landfall]\n"), false),
        (format!("- rolearn: {arn}\n groups: [landfall\n"), false),
        (String::new(), false),
    ] {
        assert_eq!(is_mapped(&text, &role()), expected, "{text}");
    }
}

#[test]
fn a_user_name_of_ones_own_is_kept() {
    let entry = |username: &str| {
        let entry = serde_json::json!({"accessEntry": {"username": username,
            "kubernetesGroups": ["ops"], "type": "STANDARD"}});
        Entry::parse(&entry.to_string())
    };
    let usual = "arn:aws:sts::111122223333:assumed-role/landfall/{{SessionName}}";
    for (username, kept) in [(usual, None), ("deployer", Some("deployer"))] {
        let Entry::There { username, .. } = entry(username) else {
            panic!("no entry");
        };
        assert_eq!(username.as_deref(), kept);
    }
}
