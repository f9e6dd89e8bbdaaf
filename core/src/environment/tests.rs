use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

fn read(variables: &[(&str, &str)]) -> Result<Environment, Vec<Fault>> {
    Environment::read(|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

/// The source of variables that are valid and name a cluster with a bearer token.
fn token(variables: &[(&str, &str)]) -> TokenSource {
    let ClusterSource::Token(source) = read(variables).expect("valid").source else {
        panic!("another source");
    };
    source
}

#[test]
fn defaults_and_all_given() {
    let plain = token(&[("K8S_CLUSTER", " https://10.0.0.1:6443/ ")]);
    assert_eq!(plain.cluster, "https://10.0.0.1:6443");
    assert_eq!(plain.token_parameter, "k8s-bear-token");
    assert_eq!(plain.ca, CaSource::Public);
    let full = token(&[
        ("K8S_CLUSTER", "https://c"),
        ("K8S_TOKEN_PARAMETER", "/k8s/token:3"),
        ("K8S_CA_PARAMETER", "/k8s/ca"),
    ]);
    assert_eq!(full.token_parameter, "/k8s/token:3");
    assert_eq!(full.ca, CaSource::Parameter("/k8s/ca".into()));
}

#[test]
fn a_bucket_for_artifacts_is_a_name() {
    let read = |bucket: &str| {
        let read = read(&[("K8S_CLUSTER", "https://c"), ("ARTIFACT_BUCKET", bucket)]);
        read.map(|environment| environment.artifact_bucket)
    };
    assert_eq!(read(""), Ok(None));
    assert_eq!(
        read(" releases.of-ours "),
        Ok(Some("releases.of-ours".to_owned()))
    );
    for bad in [
        "s3://releases",
        "releases/web",
        "*",
        "a",
        "arn:aws:s3:::releases",
    ] {
        let faults = read(bad).expect_err(bad);
        assert_eq!(faults[0].field, "ARTIFACT_BUCKET", "{bad}");
    }
}

#[test]
fn an_event_bus_is_a_name_or_an_arn() {
    let read = |bus: &str| {
        let read = read(&[("K8S_CLUSTER", "https://c"), ("EVENT_BUS", bus)]);
        read.map(|environment| environment.event_bus)
    };
    assert_eq!(read(""), Ok(None));
    for good in [
        "default",
        "deploys.of-ours",
        "arn:aws:events:eu-central-1:111111111111:event-bus/deploys",
        "arn:aws-cn:events:cn-north-1:111111111111:event-bus/a/b",
    ] {
        assert_eq!(read(good), Ok(Some(good.to_owned())));
    }
    for bad in [
        "a bus",
        "*",
        "arn:aws:sns:eu-central-1:111111111111:deploys",
        "arn:aws:sns:eu-central-1:111111111111:event-bus/deploys",
        "arn:aws:events:eu-central-1:111111111111:event-bus/",
        "https://events.eu-central-1.amazonaws.com/",
    ] {
        let faults = read(bad).expect_err(bad);
        assert_eq!(faults[0].field, "EVENT_BUS", "{bad}");
    }
}

#[test]
fn an_address_is_nothing_but_an_address() {
    for bad in [
        "",
        "c",
        "https://",
        "https://u:p@c",
        "https://c/api",
        "https://c?x=1",
        "https://c#f",
    ] {
        let faults = read(&[("K8S_CLUSTER", bad)]).expect_err(bad);
        assert_eq!(faults[0].field, "K8S_CLUSTER", "{bad}");
    }
}

#[test]
fn a_ca_is_pem_or_base64_of_it() {
    let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for given in [
        pem.to_owned(),
        STANDARD.encode(pem),
        pem.replace('\n', "\\n"),
    ] {
        let read = token(&[("K8S_CLUSTER", "https://c"), ("K8S_CA", &given)]);
        assert_eq!(read.ca, CaSource::Given(pem.to_owned()));
    }
    for bad in ["x", "AAAA", &pem[..40]] {
        assert!(read(&[("K8S_CLUSTER", "https://c"), ("K8S_CA", bad)]).is_err());
    }
}

#[test]
fn the_name_of_a_parameter_is_not_what_it_holds() {
    for (given, told) in [
        ("eyJhbGciOi.c4n4ry.x", "is a token"),
        ("k8s-aws-v1.c4n4ry", "is a token"),
        (
            "-----BEGIN CERTIFICATE-----c4n4ry",
            "is a certificate or a key",
        ),
        ("c4n4ry=", "is not the name"),
        ("c4n4ry two", "is not the name"),
        ("ssm:/k8s/c4n4ry", "is not the name"),
        ("c4n4ry:1:2", "is not the name"),
        (
            "arn:aws:secretsmanager:eu-west-1:1:secret:c4n4ry-AbCdEf",
            "is the ARN of another service",
        ),
    ] {
        for variable in ["K8S_TOKEN_PARAMETER", "K8S_CA_PARAMETER"] {
            let faults = read(&[("K8S_CLUSTER", "https://c"), (variable, given)]);
            let faults = faults.expect_err(given);
            let (field, problem) = (&*faults[0].field, &faults[0].problem);
            assert!(
                field == variable && problem.contains(told),
                "{given}: {problem}"
            );
            assert!(!problem.contains("c4n4ry"), "{problem}");
        }
    }
    for good in [
        "/k8s/token:3",
        "k8s-bear-token",
        "arn:aws:ssm:eu-west-1:1:parameter/k8s/token",
        "arn:aws:ssm:eu-west-1:1:parameter/k8s/token:3",
        "/k8s/token:newest_1.0",
        "/aws/reference/secretsmanager/k8s+token@1",
    ] {
        let read = token(&[("K8S_CLUSTER", "https://c"), ("K8S_TOKEN_PARAMETER", good)]);
        assert_eq!(read.token_parameter, good);
    }
}

#[test]
fn every_fault_is_named_at_once() {
    let faults = read(&[("K8S_CA", "x")]).expect_err("both are wrong");
    let fields = faults.iter().map(|fault| &*fault.field).collect::<Vec<_>>();
    assert_eq!(fields, ["K8S_CLUSTER", "K8S_CA"]);
}

const ARN: &str = "arn:aws:eks:eu-west-1:111122223333:cluster/prod";
const ROLE: &str = "arn:aws:iam::444455556666:role/deployer";

#[test]
fn a_cluster_of_eks_and_a_kubeconfig() {
    let eks = |variables: &[(&str, &str)]| {
        let ClusterSource::Eks(cluster) = read(variables).expect("valid").source else {
            panic!("another source");
        };
        cluster
    };
    assert_eq!(eks(&[("EKS_CLUSTER", "prod")]).name, "prod");
    let full = eks(&[
        ("EKS_CLUSTER", ARN),
        ("EKS_ROLE", ROLE),
        ("EKS_EXTERNAL_ID", "team/web"),
    ]);
    assert_eq!(full.region.as_deref(), Some("eu-west-1"));
    let role = full.role.expect("given");
    assert_eq!(
        (&*role.arn, role.external_id.as_deref()),
        (ROLE, Some("team/web"))
    );
    for name in [
        "/k8s/config:3",
        "/aws/reference/secretsmanager/k8s+config@1",
    ] {
        let read = read(&[("KUBECONFIG_PARAMETER", name)]).expect("valid");
        assert_eq!(read.source, ClusterSource::Kubeconfig(name.into()));
    }
}

#[test]
fn one_source_and_nothing_of_another() {
    let token = ("K8S_CLUSTER", "https://c");
    let eks = ("EKS_CLUSTER", "prod");
    let kubeconfig = ("KUBECONFIG_PARAMETER", "config");
    for (variables, fields) in [
        (&[][..], &["K8S_CLUSTER"][..]),
        (&[token, eks], &["EKS_CLUSTER"]),
        (
            &[token, eks, kubeconfig],
            &["EKS_CLUSTER", "KUBECONFIG_PARAMETER"],
        ),
        (&[eks, ("K8S_CA", "x")], &["K8S_CA"]),
        (
            &[eks, ("K8S_TOKEN_PARAMETER", "t")],
            &["K8S_TOKEN_PARAMETER"],
        ),
        (
            &[kubeconfig, ("K8S_CA_PARAMETER", "c")],
            &["K8S_CA_PARAMETER"],
        ),
        (&[kubeconfig, ("EKS_ROLE", ROLE)], &["EKS_ROLE"]),
        (&[token, ("EKS_ROLE", ROLE)], &["EKS_ROLE"]),
        (&[("EKS_ROLE", ROLE)], &["EKS_ROLE", "K8S_CLUSTER"]),
        (&[eks, ("EKS_EXTERNAL_ID", "team")], &["EKS_EXTERNAL_ID"]),
        (
            &[
                ("EKS_CLUSTER", "a b"),
                ("EKS_ROLE", "me"),
                ("EKS_EXTERNAL_ID", "!"),
            ],
            &["EKS_CLUSTER", "EKS_ROLE", "EKS_EXTERNAL_ID"],
        ),
        (
            &[(
                "KUBECONFIG_PARAMETER",
                "apiVersion: v1\nkind: Config\nc4n4ry",
            )],
            &["KUBECONFIG_PARAMETER"],
        ),
        (
            &[
                ("K8S_CLUSTER", "c"),
                ("EKS_CLUSTER", "a b"),
                ("K8S_CA", "x"),
            ],
            &["EKS_CLUSTER", "EKS_CLUSTER", "K8S_CLUSTER", "K8S_CA"],
        ),
    ] {
        let faults = read(variables).expect_err("wrong");
        let named = faults.iter().map(|fault| &*fault.field);
        assert_eq!(named.collect::<Vec<_>>(), fields, "{faults:?}");
        assert!(!format!("{faults:?}").contains("c4n4ry"));
    }
}
