use super::*;

fn parse(cluster: &str, namespace: Option<&str>) -> Result<Target, Refusal> {
    Target::parse(&format!("admin@kind\nshop\n{cluster}"), namespace)
}

fn cluster(data: &str) -> String {
    let data = STANDARD.encode(data);
    format!(r#"{{"server": "https://c:6443", "certificate-authority-data": "{data}"}}"#)
}

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----";

#[test]
fn a_kubeconfig_is_read() {
    let target = parse(&cluster(PEM), None).unwrap();
    assert_eq!(
        (&*target.context, &*target.namespace, &*target.server),
        ("admin@kind", "shop", "https://c:6443")
    );
    assert_eq!(target.ca.unwrap(), format!("{PEM}\n"));
    assert!(target.warnings.is_empty());
    let mut further = parse(&cluster(PEM), Some("web")).unwrap();
    assert_eq!((&*further.namespace, &*further.home), ("web", "web"));
    let refusal = further.settle("web").unwrap_err().to_string();
    assert!(refusal.contains("the namespace itself"), "{refusal}");
    assert_eq!(further.settle("shop"), Ok(()));
    assert!(further.is_further() && further.home == "shop" && further.namespace == "web");
    let other = Target::parse("c\n\n{\"server\": \"https://10.0.0.1/\"}", None).unwrap();
    assert_eq!(
        (&*other.namespace, &*other.server, other.ca),
        ("default", "https://10.0.0.1", None)
    );
}

#[test]
fn what_the_function_cannot_use_is_refused() {
    for (cluster, words) in [
        (
            r#"{"server": "http://127.0.0.1:8001"}"#,
            "nothing is encrypted",
        ),
        (
            r#"{"server": "https://rancher/k8s/clusters/c-1"}"#,
            "has a path",
        ),
        (r#"{"server": "c"}"#, "is no URL"),
        ("", "is no URL"),
        (
            r#"{"server": "https://c", "insecure-skip-tls-verify": true}"#,
            "does not verify",
        ),
        (&*cluster("MII"), "no certificate in PEM"),
        (
            r#"{"server": "https://c", "certificate-authority-data": "-"}"#,
            "no certificate in PEM",
        ),
    ] {
        let refusal = parse(cluster, None).unwrap_err().to_string();
        assert!(refusal.contains(words), "{cluster}: {refusal}");
    }
    assert!(parse(&cluster(PEM), Some("Shop")).is_err());
}

#[test]
fn what_the_function_does_not_know_is_told() {
    let text = r#"{"server": "https://c", "proxy-url": "socks5://p", "tls-server-name": "n"}"#;
    let warnings = parse(text, None).unwrap().warnings;
    assert!(warnings[0].contains("socks5://p") && warnings[1].contains("the name n"));
}

#[test]
fn lambda_reaches_public_addresses_alone() {
    for (server, addresses, words) in [
        ("https://127.0.0.1:6443", "127.0.0.1", Some("this machine")),
        ("https://localhost:6443", "", Some("this machine")),
        ("https://0.0.0.0:6443", "0.0.0.0", Some("this machine")),
        ("https://[::1]:6443", "::1", Some("this machine")),
        (
            "https://k8s.example.com",
            "127.0.0.1 ::1",
            Some("this machine"),
        ),
        ("https://10.0.0.1", "10.0.0.1", Some("a private address")),
        (
            "https://100.64.1.1",
            "100.64.1.1",
            Some("a private address"),
        ),
        ("https://[fd00::1]", "fd00::1", Some("a private address")),
        (
            "https://A.gr7.eu-west-1.eks.amazonaws.com",
            "10.0.1.5 10.0.2.5",
            Some("a private address"),
        ),
        (
            "https://api.internal",
            "10.0.0.1",
            Some("a private network"),
        ),
        ("https://master:6443", "52.1.1.1", Some("a private network")),
        ("https://k8s.example.com", "", Some("cannot resolve")),
        (
            "https://A.gr7.eu-west-1.eks.amazonaws.com",
            "52.1.1.1 52.1.1.2",
            None,
        ),
        ("https://k8s.example.com", "52.1.1.1 10.0.0.1", None),
        ("https://100.128.1.1", "100.128.1.1", None),
        ("https://172.32.0.1", "172.32.0.1", None),
    ] {
        let addresses = addresses.split_whitespace().map(|it| it.parse().unwrap());
        let told = distance(&Url::parse(server).unwrap(), &addresses.collect::<Vec<_>>());
        match words {
            None => assert_eq!(told, None, "{server}"),
            Some(words) => assert!(told.unwrap().contains(words), "{server}"),
        }
    }
}
