use super::*;
use crate::options::lifetime;

fn parse(line: &str) -> Result<Options, String> {
    super::parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn nothing_given_is_a_dry_run_with_the_usual_names() {
    let options = parse("").unwrap();
    assert_eq!(options, Options::default());
    assert!(!options.apply);
    assert_eq!(options.token_parameter, "k8s-bear-token");
}

#[test]
fn everything_given() {
    let options = parse(
        "--kubeconfig k --context admin@kind -n shop --manifests d --switching --workloads --rotation \
             --token-lifetime 200m --token-parameter /landfall/token --ca-parameter /landfall/ca \
             --key-arn arn:aws:kms:eu-west-1:1:key/k --region eu-west-1 --profile p --replace \
             --apply",
    );
    let expected = Options {
        way: Way::Token,
        kubeconfig: Some("k".into()),
        contexts: vec!["admin@kind".into()],
        namespaces: vec!["shop".into()],
        for_account: None,
        manifests: "d".into(),
        switching: true,
        workloads: true,
        rotation: Some(12000),
        token_parameter: "/landfall/token".into(),
        ca_parameter: "/landfall/ca".into(),
        key: Some("arn:aws:kms:eu-west-1:1:key/k".into()),
        replace: true,
        region: Some("eu-west-1".into()),
        profile: Some("p".into()),
        apply: true,
        help: false,
    };
    assert_eq!(options.unwrap(), expected);
}

#[test]
fn lifetimes() {
    let rotation = |text: &str| parse(&format!("--rotation --token-lifetime {text}"));
    for (text, expected) in [
        ("24h", 86400),
        ("3h", 10800),
        ("10800s", 10800),
        ("8760h", 31536000),
    ] {
        assert_eq!(rotation(text).unwrap().rotation, Some(expected), "{text}");
    }
    assert_eq!(parse("--rotation").unwrap().rotation, Some(86400));
    assert!(parse("--key-arn alias/aws/ssm").is_ok());
    let further = parse("--namespace web --for-account shop --switching").unwrap();
    assert_eq!(further.for_account.as_deref(), Some("shop"));
    for text in [
        "90m",
        "10799s",
        "8761h",
        "99999999999999999999h",
        "1d",
        "24",
        "h",
        "1.5h",
        "24ä",
    ] {
        let problem = rotation(text).unwrap_err();
        assert!(problem.contains("--token-lifetime"), "{text}: {problem}");
    }
    for (seconds, text) in [(86400, "24h"), (5400, "90m"), (601, "601s")] {
        assert_eq!(lifetime(seconds), text);
    }
}

#[test]
fn mistakes_are_told_in_words() {
    for (line, text) in [
        ("default", "default"),
        ("--token-lifetime 24h", "needs --rotation"),
        ("--namespace Shop", "lower-case"),
        ("--namespace -shop", "lower-case"),
        ("--namespace shop'", "lower-case"),
        ("--for-account Shop", "lower-case"),
        (
            "--for-account shop --rotation",
            "--rotation does not go with",
        ),
        (
            "--for-account shop --key-arn alias/aws/ssm",
            "nothing is stored",
        ),
        ("--token-parameter t:3", "no version"),
        ("--token-parameter arn:aws:ssm:r:1:parameter/t", "ARN"),
        ("--ca-parameter a/b", "begins with /"),
        ("--ca-parameter ä", "letters, digits"),
        ("--ca-parameter k8s-bear-token", "the same parameter"),
        ("--key-arn", "--key-arn"),
        ("--key-arn alias/mine", "the key's own ARN"),
        ("--key-arn arn:aws:kms:r:1:alias/mine", "the key's own ARN"),
        ("--profile --apply", "--profile"),
        ("--region=", "--region"),
        ("--colour", "--colour"),
        ("--client-certificates", "needs --kubeconfig-out"),
        ("--eks-cluster prod --kubeconfig-out k", "two ways in"),
        (
            "--kubeconfig-out k --token-parameter t",
            "--token-parameter does not go with",
        ),
        (
            "--kubeconfig-out k --rotation",
            "nothing renews a token in it",
        ),
        (
            "--kubeconfig-out k --kubeconfig-parameter a/b",
            "begins with /",
        ),
        (
            "--kubeconfig-out k --context a --context a",
            "the same twice",
        ),
        ("--kubeconfig-out=", "is empty"),
        (
            "--role arn:aws:iam::111122223333:role/r",
            "--role needs --eks-cluster",
        ),
        (
            "--eks-cluster prod --rotation",
            "--rotation does not go with --eks-cluster",
        ),
        (
            "--eks-cluster prod --key-arn alias/aws/ssm",
            "nothing is stored",
        ),
        ("--eks-cluster prod --role landfall", "--role is `landfall`"),
        ("--eks-cluster https://x", "give the cluster's name"),
        ("--eks-cluster prod -n shop -n shop", "the same twice"),
        ("--prune", "--prune needs --for"),
        ("--release web", "--release needs --for"),
        ("k8s", "k8s"),
        ("--for", "--for"),
        ("--for k8s --release We_b", "the release is `We_b`"),
        (
            "--for k8s --switching",
            "--switching does not go with --for",
        ),
        ("--for k8s --eks-cluster prod", "does not go with"),
        ("--for k8s --kubeconfig-out k", "does not go with"),
        (
            "--eks-cluster prod --role arn:aws:iam::111122223333:role/r --eks-role \
             arn:aws:iam::111122223333:role/r",
            "both given",
        ),
    ] {
        let problem = parse(line).unwrap_err();
        assert!(problem.contains(text), "{line}: {problem}");
    }
}

#[test]
fn the_ways_in() {
    let options = parse("-n shop --context a -n web --context b").unwrap();
    assert_eq!(
        (options.namespace(), options.context()),
        (Some("web"), Some("b"))
    );
    let options = parse("--eks-cluster prod -n shop -n web --context c --apply").unwrap();
    assert_eq!(options.namespaces, ["shop", "web"]);
    let Way::Eks(way) = options.way else {
        panic!("no way by a role");
    };
    assert_eq!(
        (&*way.cluster.name, way.role, way.assumed),
        ("prod", None, false)
    );
    let role = "arn:aws:iam::111122223333:role/ci/landfall";
    for (option, assumed) in [("--role", false), ("--eks-role", true)] {
        let options = parse(&format!("--eks-cluster prod {option} {role}")).unwrap();
        let Way::Eks(way) = options.way else {
            panic!("no way by a role");
        };
        assert_eq!(
            (way.role.unwrap().whole, way.assumed),
            (role.to_owned(), assumed)
        );
    }
    let options = parse("--kubeconfig-out - --context a --context b -n shop -n web").unwrap();
    assert_eq!(
        (options.contexts, options.namespaces),
        (vec!["a".into(), "b".into()], vec!["web".into()])
    );
    let Way::Kubeconfig(way) = options.way else {
        panic!("no way by a kubeconfig");
    };
    assert_eq!(
        (way.file.to_str(), &*way.parameter),
        (Some("-"), "k8s-config")
    );
}

#[test]
fn a_release_has_the_files_that_a_shell_finds() {
    let line = "--for k8s/a.yaml k8s/b.yaml -n shop --for more --release web --prune --apply";
    let options = parse(line).unwrap();
    assert_eq!((options.namespace(), options.apply), (Some("shop"), true));
    let expected = ReleaseWay {
        paths: vec!["k8s/a.yaml".into(), "k8s/b.yaml".into(), "more".into()],
        release: Some("web".into()),
        prune: true,
        no_rollback: false,
    };
    assert_eq!(options.way, Way::Release(expected));
}
