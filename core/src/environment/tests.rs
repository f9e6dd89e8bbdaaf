use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

fn read(variables: &[(&str, &str)]) -> Result<Environment, Vec<Fault>> {
    Environment::read(|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn defaults_and_all_given() {
    let plain = read(&[("K8S_CLUSTER", " https://10.0.0.1:6443/ ")]).expect("valid");
    assert_eq!(plain.cluster, "https://10.0.0.1:6443");
    assert_eq!(plain.token_parameter, "k8s-bear-token");
    assert_eq!(plain.ca, CaSource::Public);
    let full = read(&[
        ("K8S_CLUSTER", "https://c"),
        ("K8S_TOKEN_PARAMETER", "/k8s/token:3"),
        ("K8S_CA_PARAMETER", "/k8s/ca"),
    ])
    .expect("valid");
    assert_eq!(full.token_parameter, "/k8s/token:3");
    assert_eq!(full.ca, CaSource::Parameter("/k8s/ca".into()));
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for good in [
        "http://127.0.0.1:1",
        "http://127.1.2.3",
        "http://localhost:80",
        "http://[::1]:1",
    ] {
        assert!(read(&[("K8S_CLUSTER", good)]).is_ok(), "{good}");
    }
    for bad in [
        "http://10.0.0.1",
        "http://localhost.example.org",
        "http://[::2]",
        "ftp://c",
    ] {
        assert!(read(&[("K8S_CLUSTER", bad)]).is_err(), "{bad}");
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
        let read = read(&[("K8S_CLUSTER", "https://c"), ("K8S_CA", &given)]).expect("valid");
        assert_eq!(read.ca, CaSource::Given(pem.to_owned()));
    }
    for bad in ["x", "AAAA", &pem[..40]] {
        assert!(read(&[("K8S_CLUSTER", "https://c"), ("K8S_CA", bad)]).is_err());
    }
}

#[test]
fn what_is_not_an_address_is_told_and_never_quoted() {
    let canary = "c4n4ry";
    for (given, told) in [
        ("c4n4ry.example.com:6443", "must begin with https://"),
        ("c4n4ry", "must begin with https://"),
        ("c4n4ry://host", "must begin with https://"),
        ("https://c4n4ry:pass@host", "no user and no password"),
        ("https://host/c4n4ry", "has a path"),
        (
            "https://host/k8s/clusters/c-m-c4n4ry",
            "authorized endpoint",
        ),
        ("https://host/k8s/clusters/local/", "authorized endpoint"),
        ("https://host?c4n4ry", "nothing more"),
        ("https://host#c4n4ry", "nothing more"),
        ("https://host:c4n4ry", "has a port"),
        ("https://host:70000", "has a port"),
        ("https://host:0", "has port 0"),
        ("https://0.0.0.0:6443", "stands for no host"),
        ("https://[::]:6443", "stands for no host"),
        ("https://[c4n4ry]:6443", "IPv6"),
        ("https://c4n4ry..example.com", "not a name of DNS"),
        ("https://ho st/c4n4ry", "has blanks"),
        ("\"https://c4n4ry\"", "has quotes"),
        ("https:\\\\c4n4ry", "has a backslash"),
        ("https://c4n4ry\u{200b}.example.com", "not ASCII"),
        ("eyJhbGciOi.c4n4ry.x", "is a token"),
        ("k8s-aws-v1.c4n4ry", "is a token"),
        ("arn:aws:eks:eu-west-1:1:cluster/c4n4ry", "is an ARN"),
        (
            "-----BEGIN PRIVATE KEY-----c4n4ry",
            "is a certificate or a key",
        ),
        ("apiVersion: v1\nkind: Config\nc4n4ry", "is a kubeconfig"),
        ("https://{c4n4ry}", "not a name of DNS"),
        ("https://", "is not an address"),
        ("https://c4n4ry%zz", "is not an address"),
    ] {
        let faults = read(&[("K8S_CLUSTER", given)]).expect_err(given);
        let problem = &faults[0].problem;
        assert!(
            problem.contains(told) && !problem.contains(canary),
            "{given}: {problem}"
        );
    }
    for good in [
        "https://10.0.0.1:6443",
        "https://[fd00::1]:6443",
        "https://A1B2C3.gr7.eu-west-1.eks.amazonaws.com",
        "https://my_cluster.internal./",
        "https://kubernetes",
    ] {
        assert!(read(&[("K8S_CLUSTER", good)]).is_ok(), "{good}");
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
        "/aws/reference/secretsmanager/k8s+token@1",
    ] {
        let read = read(&[("K8S_CLUSTER", "https://c"), ("K8S_TOKEN_PARAMETER", good)]);
        assert_eq!(read.expect("valid").token_parameter, good);
    }
}

#[test]
fn every_fault_is_named_at_once() {
    let faults = read(&[("K8S_CA", "x")]).expect_err("both are wrong");
    let fields = faults.iter().map(|fault| &*fault.field).collect::<Vec<_>>();
    assert_eq!(fields, ["K8S_CLUSTER", "K8S_CA"]);
}
