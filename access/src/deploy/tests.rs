use super::*;
use std::process::Command;

/// What `sam` gets, by a person's shell, `make` and its shell.
#[test]
fn each_parameter_arrives_whole() {
    let folder = format!("landfall-deploy-{}", std::process::id());
    let folder = std::env::temp_dir().join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let rule = "deploy:\n\t@printf '%s\\n' \"$$AWS_DEFAULT_REGION\" $(PARAMETERS)\n";
    std::fs::write(folder.join("Makefile"), rule).unwrap();
    let options = Options {
        region: Some("eu-west-1".into()),
        ..Options::default()
    };
    let parameters = [
        "ClusterUrl=https://[fd00::1]:6443",
        "RotationSchedule=\"rate(1 hour)\"",
        "EksRoleArn=arn:aws:iam::111122223333:role/a/b+c=d,e@f",
        "Odd=it's \\ `a` $HOME $(b)",
    ]
    .map(str::to_owned);
    let line = line(&options, &parameters);
    let output = Command::new("sh")
        .args(["-c", &line])
        .current_dir(&folder)
        // The test itself may be run by `make`.
        .env_remove("MAKELEVEL")
        .env_remove("MAKEFLAGS")
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8(output.stdout).unwrap();
    let expected = format!("eu-west-1\n{}\n", parameters.join("\n"));
    assert_eq!(printed, expected, "{line}: {said}");
}

#[test]
fn with_a_release_it_is_cloudformations() {
    let parameters = ["EksCluster=prod", "RotationSchedule=\"rate(1 hour)\""].map(str::to_owned);
    let line = of_release(&parameters);
    let words = Command::new("sh")
        .args(["-c", &line.replacen("aws", "printf '%s\\n'", 1)])
        .output()
        .unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    let words: Vec<_> = words.lines().collect();
    assert_eq!(words[..2], ["cloudformation", "deploy"]);
    assert!(words.contains(&TEMPLATE), "{line}");
    let given = [
        "CodeBucket=BUCKET",
        "EksCluster=prod",
        "RotationSchedule=rate(1 hour)",
    ];
    assert!(words.ends_with(&given), "{line}");
}
