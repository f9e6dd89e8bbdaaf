//! Users whose token a program would make.

use super::*;

const EKS: &str = "server: https://0A1B.gr7.eu-central-1.eks.amazonaws.com";

/// A user with this command, these arguments and these variables.
fn user(command: &str, args: &str, env: &[(&str, &str)]) -> String {
    let args = args.split(' ').collect::<Vec<_>>();
    let env = env
        .iter()
        .map(|(name, value)| serde_json::json!({"name": name, "value": value}));
    let env = env.collect::<Vec<_>>();
    format!(
        "exec: {}",
        serde_json::json!({"command": command, "args": args, "env": env})
    )
}

/// Name, region, role and external id.
fn eks(cluster: &str, user: &str) -> [Option<String>; 4] {
    let KubeconfigUser::Eks(cluster) = selected(&kubeconfig(cluster, user)).user else {
        panic!("{user}");
    };
    let role = cluster.role.clone();
    let external = role.clone().and_then(|role| role.external_id);
    [
        Some(cluster.name),
        cluster.region,
        role.map(|role| role.arn),
        external,
    ]
}

#[test]
fn every_spelling_of_the_programs_of_eks_is_understood() {
    const ROLE: &str = "arn:aws:iam::111122223333:role/team/deployer";
    const UUID: &str = "0a1b2c3d-0000-4000-8000-0123456789ab";
    let aws = |args: &str| user("aws", args, &[]);
    let authenticator = |args: &str| user("aws-iam-authenticator", args, &[]);
    let (demo, west, host) = (Some("demo"), Some("eu-west-1"), Some("eu-central-1"));
    let rows = [
        (
            aws("--region eu-west-1 eks get-token --cluster-name demo --output json"),
            [demo, west, None, None],
        ),
        (
            aws(&format!(
                "--region eu-west-1 eks get-token --cluster-name demo --output json --role {ROLE}"
            )),
            [demo, west, Some(ROLE), None],
        ),
        (
            aws(&format!(
                "eks get-token --output json --cluster-name demo --region eu-west-1 \
                 --role-arn {ROLE}"
            )),
            [demo, west, Some(ROLE), None],
        ),
        (
            aws(&format!(
                "eks get-token --cluster-name=demo --region=eu-west-1 --role-arn={ROLE}"
            )),
            [demo, west, Some(ROLE), None],
        ),
        (
            aws(&format!("eks get-token --cluster-id {UUID}")),
            [Some(UUID), host, None, None],
        ),
        (
            aws("--debug --no-cli-pager --color off eks get-token --cluster-name demo"),
            [demo, host, None, None],
        ),
        (
            aws("eks get-token --cluster-name old --cluster-name demo"),
            [demo, host, None, None],
        ),
        (
            aws("eks get-token --region eu-west-1 \
                 --cluster-name arn:aws:eks:us-east-1:111122223333:cluster/demo"),
            [demo, west, None, None],
        ),
        (
            user(
                "/usr/local/bin/aws",
                "eks get-token --cluster-name demo",
                &[],
            ),
            [demo, host, None, None],
        ),
        (
            user(
                "C:\\Program Files\\aws.exe",
                "eks get-token --cluster-name demo",
                &[],
            ),
            [demo, host, None, None],
        ),
        (authenticator("token -i demo"), [demo, host, None, None]),
        (
            authenticator(&format!("token -i demo -r {ROLE}")),
            [demo, host, Some(ROLE), None],
        ),
        (
            authenticator(&format!("token -idemo -r={ROLE} -eabc-1")),
            [demo, host, Some(ROLE), Some("abc-1")],
        ),
        (
            authenticator(&format!(
                "token --cluster-id demo --role={ROLE} --external-id=abc-1 -s me --cache=true"
            )),
            [demo, host, Some(ROLE), Some("abc-1")],
        ),
        (
            authenticator(
                "token --cluster-id my.cluster.example.com --region eu-west-1 --token-only \
                 --forward-session-name",
            ),
            [Some("my.cluster.example.com"), west, None, None],
        ),
        (
            user("heptio-authenticator-aws", "token -i demo", &[]),
            [demo, host, None, None],
        ),
        (
            user(
                "aws",
                "eks get-token --cluster-name demo",
                &[
                    ("AWS_REGION", "eu-west-1"),
                    ("AWS_DEFAULT_REGION", "us-east-1"),
                    ("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
                    ("HTTPS_PROXY", "x"),
                    ("AWS_PROFILE", ""),
                ],
            ),
            [demo, west, None, None],
        ),
        (
            user(
                "aws",
                "eks get-token --cluster-name demo --region eu-west-1",
                &[("AWS_REGION", "us-east-1")],
            ),
            [demo, west, None, None],
        ),
        (
            user(
                "aws-iam-authenticator",
                "token -i demo",
                &[("AWS_DEFAULT_REGION", "eu-west-1")],
            ),
            [demo, west, None, None],
        ),
    ];
    for (user, expected) in rows {
        let found = eks(EKS, &user);
        assert_eq!(found.each_ref().map(Option::as_deref), expected, "{user}");
    }
}

#[test]
fn the_region_is_in_the_name_of_a_server_of_eks() {
    let user = user("aws", "eks get-token --cluster-name demo", &[]);
    let rows = [
        (
            "https://0A1B.gr7.us-gov-west-1.eks.amazonaws.com",
            Some("us-gov-west-1"),
        ),
        (
            "https://0a1b.yl4.cn-north-1.eks.amazonaws.com.cn",
            Some("cn-north-1"),
        ),
        (
            "https://0a1b.gr7.eks-cluster.eu-west-1.api.aws",
            Some("eu-west-1"),
        ),
        (
            "https://0a1b.gr7.eks-cluster.cn-north-1.api.amazonwebservices.com.cn",
            Some("cn-north-1"),
        ),
        (
            "https://0a1b.sk1.eu-west-1.eks.amazonaws.com:443/",
            Some("eu-west-1"),
        ),
        ("https://k8s.example.com", None),
        ("https://eu-west-1.eks.example.com", None),
        ("https://eks.amazonaws.com", None),
        ("https://10.0.0.1", None),
    ];
    for (server, region) in rows {
        let found = eks(&format!("server: {server}"), &user);
        assert_eq!(found[1].as_deref(), region, "{server}");
    }
}

#[test]
fn what_cannot_be_done_natively_is_refused() {
    use ExecProblem::*;
    use KubeconfigProblem::Exec;
    let aws = |args: &str| user("aws", args, &[]);
    let authenticator = |args: &str| user("aws-iam-authenticator", args, &[]);
    let with = |name: &str| {
        user(
            "aws",
            "eks get-token --cluster-name demo",
            &[(name, "v4lue")],
        )
    };
    let rows = [
        (
            user("gke-gcloud-auth-plugin", "", &[]),
            "exec.command",
            Command(Some("gke-gcloud-auth-plugin".into())),
        ),
        (
            user("/usr/bin/kubelogin", "get-token", &[]),
            "exec.command",
            Command(Some("kubelogin".into())),
        ),
        (
            user("tsh", "kube credentials", &[]),
            "exec.command",
            Command(Some("tsh".into())),
        ),
        (user("sh -c aws", "", &[]), "exec.command", Command(None)),
        (
            user("C4n4ryV4lu37xQ9", "", &[]),
            "exec.command",
            Command(None),
        ),
        (user("a1b2c3d4e5", "", &[]), "exec.command", Command(None)),
        (user("", "", &[]), "exec.command", Command(None)),
        (
            aws("eks update-kubeconfig --name demo"),
            "exec.args",
            Option(3),
        ),
        (
            aws("eks get-token --cluster-name demo --endpoint-url https://x"),
            "exec.args",
            Option(5),
        ),
        (aws("ecr get-login-password"), "exec.args", Subcommand),
        (aws(""), "exec.args", Subcommand),
        (authenticator("server"), "exec.args", Subcommand),
        (authenticator("token -x"), "exec.args", Option(2)),
        (aws("eks get-token -idemo"), "exec.args", Option(3)),
        (
            aws("eks get-token --cluster-name"),
            "exec.args",
            NoValue("--cluster-name"),
        ),
        (aws("eks get-token"), "exec.args", NoCluster),
        (aws("eks get-token --cluster-name="), "exec.args", NoCluster),
        (authenticator("token -i a/b"), "exec.args", Cluster),
        (
            aws("eks get-token --cluster-name demo --region Frankfurt"),
            "exec.args",
            Region,
        ),
        (
            aws("--profile prod eks get-token --cluster-name demo"),
            "exec.args",
            Profile,
        ),
        (authenticator("token -i demo -e abc-1"), "exec.args", NoRole),
        (with("AWS_PROFILE"), "exec.env", Profile),
        (with("AWS_SECRET_ACCESS_KEY"), "exec.env", Credentials),
        (
            with("AWS_CONFIG_FILE"),
            "exec.env",
            FileVariable("AWS_CONFIG_FILE"),
        ),
        (with("AWS_ENDPOINT_URL_STS"), "exec.env", Variable(1)),
    ];
    for (user, field, expected) in rows {
        let found = faults(&kubeconfig(EKS, &user));
        assert_eq!(found, [(field, Exec(expected))], "{user}");
    }
    let role = |args: &str| faults(&kubeconfig(EKS, &authenticator(args)));
    assert!(matches!(
        role("token -i demo -r deployer")[..],
        [(_, Exec(Role(_)))]
    ));
    assert!(matches!(
        role("token -i demo -r arn:aws:iam::111122223333:role/a -e #")[..],
        [(_, Exec(ExternalId(_)))]
    ));
}

#[test]
fn a_stanza_of_another_form_is_refused() {
    use KubeconfigProblem::*;
    let rows = [
        ("exec: aws", "exec", NotAMapping),
        ("exec: {args: [token]}", "exec.command", Missing),
        ("exec: {command: 5}", "exec.command", NotText),
        ("exec: {command: aws, args: token}", "exec.args", NotAList),
        (
            "exec: {command: aws, args: [eks, get-token, --cluster-name, 5]}",
            "exec.args",
            NotText,
        ),
        (
            "exec: {command: aws, env: {}, args: [eks, get-token, --cluster-name, a]}",
            "exec.env",
            NotAList,
        ),
        (
            "exec: {command: aws, env: [5], args: [eks, get-token, --cluster-name, a]}",
            "exec.env",
            NotText,
        ),
    ];
    for (user, field, expected) in rows {
        assert_eq!(
            faults(&kubeconfig(EKS, user)),
            [(field, expected)],
            "{user}"
        );
    }
}
