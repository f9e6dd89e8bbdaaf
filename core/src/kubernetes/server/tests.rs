use super::*;

#[test]
fn plain_http_is_for_this_machine_only() {
    for good in [
        "http://127.0.0.1:1",
        "http://127.1.2.3",
        "http://localhost:80",
        "http://[::1]:1",
    ] {
        assert!(address(good, Paths::Refused).is_ok(), "{good}");
    }
    for bad in [
        "http://10.0.0.1",
        "http://localhost.example.org",
        "http://[::2]",
        "ftp://c",
    ] {
        assert!(address(bad, Paths::Refused).is_err(), "{bad}");
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
        ("https://${c4n4ry}", "nothing filled in"),
        ("https://<c4n4ry>:6443", "nothing filled in"),
        ("https://10.0.0.256:6443/c4n4ry", "IPv4"),
        ("https://https://c4n4ry:6443", "`https://` twice"),
        ("https://HTTP//c4n4ry", "`https://` twice"),
        ("https://c4n4ry:1,https://c4n4ry:2", "more than one"),
        ("https://2001:db8::1:6443", "without brackets"),
        ("https://2001:db8:1:2:3:4:5:6:6443/", "without brackets"),
        ("2001:db8::1", "without brackets"),
        ("https://c4n4ry:1:2", "has a port"),
        ("https://", "is not an address"),
        ("https://c4n4ry%zz", "is not an address"),
    ] {
        let problem = address(given, Paths::Refused).expect_err(given);
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
        "https://https.example.com",
        "https://https",
    ] {
        assert!(address(good, Paths::Refused).is_ok(), "{good}");
    }
}

#[test]
fn a_path_is_kept_where_it_may_be() {
    for (given, kept) in [
        (
            "https://rancher/k8s/clusters/c-m-1/",
            "https://rancher/k8s/clusters/c-m-1",
        ),
        ("https://host:8443", "https://host:8443"),
    ] {
        assert_eq!(address(given, Paths::Kept).as_deref(), Ok(kept));
    }
    for bad in [
        "https://u:p@host/path",
        "https://host/path?x",
        "http://host/path",
    ] {
        assert!(address(bad, Paths::Kept).is_err(), "{bad}");
    }
}
