use super::super::trouble;
use crate::kubernetes::CallError;
use crate::kubernetes::contact::{CertificateFault, Unreached, UnreachedCause, Untrusted};
use insta::assert_snapshot;

/// A call that was tried five times.
fn unreached(cause: UnreachedCause) -> Unreached {
    let host = "k8s.example.com:6443".to_owned();
    let once = Unreached::new(cause, host, String::new());
    Unreached { tries: 5, ..once }
}

fn shown(errors: impl IntoIterator<Item = CallError>) -> String {
    let line = |error: CallError| {
        let (failure_code, kind, why, next) = trouble(&error, "get deployments").unwrap();
        format!(
            "{} ({}): {why}.\n  {next}\n",
            kind.name(),
            failure_code.anchor()
        )
    };
    errors.into_iter().map(line).collect()
}

#[test]
fn each_silence_has_one_next_step() {
    use UnreachedCause::*;
    let causes = [
        (NameUnknown, "Name or service not known"),
        (ConnectionRefused, "Connection refused (os error 111)"),
        (NoRoute, "No route to host (os error 113)"),
        (Silent, "deadline has elapsed"),
        (NotTls, "received corrupt message"),
        (HandshakeRefused, "received fatal alert: HandshakeFailure"),
        (Proxy, "tunnel error: unsuccessful"),
        (BrokenOff, "connection closed before message completed"),
        (TooSlow, ""),
    ];
    let errors = causes.map(|(cause, detail)| {
        let detail = detail.to_owned();
        let example = unreached(cause);
        CallError::Unreachable(Box::new(Unreached { detail, ..example }))
    });
    assert_snapshot!(shown(errors), @r"
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: its name could not be resolved (tried 5 times: Name or service not known).
      Correct the host in K8S_CLUSTER; where it is a private name, let the function's VPC resolve it (a private endpoint's name is known in its own VPC alone). Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: the connection was refused (tried 5 times).
      The host is there, and nothing listens on the port: correct the port in K8S_CLUSTER, or start the API server. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: the function's network has no route to it (tried 5 times).
      Add a route to the function's subnets: a NAT gateway for a public address, peering or a transit gateway for a private one. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: nothing answered, and no connection came about (tried 5 times).
      Packets are dropped on the way: let the function's subnets, route tables and security groups reach the API server's port, and the API server's list of allowed networks the function. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: what listens there does not speak TLS (tried 5 times).
      Set K8S_CLUSTER to the port on which the API server speaks HTTPS, then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: it refused the TLS handshake (tried 5 times: received fatal alert: HandshakeFailure).
      Set K8S_CLUSTER to the API server itself: a load balancer or a firewall that does not know this host name refuses it. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: the proxy that HTTPS_PROXY names opened no way to it (tried 5 times: tunnel error: unsuccessful).
      Add the host to NO_PROXY in the function's environment, or let the proxy reach it. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: the connection broke off (tried 5 times: connection closed before message completed).
      Retry the stage. If it stays so, a firewall or a load balancer on the way cuts the connection: look at its log.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: it took the call and did not answer in time (tried 5 times).
      Retry the stage when the API server is well again; it is reached, and overloaded or held up by a webhook.
    ");
}

#[test]
fn each_fault_of_a_certificate_has_one_next_step() {
    use CertificateFault::*;
    let at = || "2020-02-01T00:00:00Z".parse().ok();
    let faults = [
        NotPublic,
        OtherCa,
        Expired(at()),
        Expired(None),
        NotYetValid(at()),
        NotYetValid(None),
        OtherName(vec!["kubernetes".into(), "10.96.0.1".into()]),
        OtherName(Vec::new()),
        NotOfServer,
        Unusable,
    ];
    let errors = faults.map(|fault| {
        let host = "k8s.example.com:6443".to_owned();
        CallError::Untrusted(Box::new(Untrusted { host, fault }))
    });
    assert_snapshot!(shown(errors), @r"
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: no public CA signed it, and no CA of the cluster is given.
      Give the cluster's CA in K8S_CA or K8S_CA_PARAMETER, then retry the stage.
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: it was signed by another CA than the one given.
      Set K8S_CA or K8S_CA_PARAMETER to the CA of this cluster, or K8S_CLUSTER to the cluster of this CA, then retry the stage. A proxy that opens TLS on the way shows like this, too.
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: it expired at 2020-02-01T00:00:00Z.
      Renew the API server's certificate (kubeadm: `kubeadm certs renew apiserver`), then retry the stage. K8S_CA and K8S_CLUSTER are not the reason.
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: it has expired.
      Renew the API server's certificate (kubeadm: `kubeadm certs renew apiserver`), then retry the stage. K8S_CA and K8S_CLUSTER are not the reason.
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: it is not valid before 2020-02-01T00:00:00Z.
      Correct the clock of the machine that issued the API server's certificate, or wait until it is valid, then retry the stage.
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: it is not valid yet.
      Correct the clock of the machine that issued the API server's certificate, or wait until it is valid, then retry the stage.
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: it is not for this name, but for `kubernetes`, `10.96.0.1`.
      Set K8S_CLUSTER to a name that the API server's certificate has, or add the name to the certificate (kubeadm: `apiServer.certSANs`), then retry the stage.
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: it has no name, or is for other ones.
      Set K8S_CLUSTER to a name that the API server's certificate has, or add the name to the certificate (kubeadm: `apiServer.certSANs`), then retry the stage.
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: it is not a certificate for servers.
      Have a server certificate issued for the API server by the CA that is given, then retry the stage.
    ConfigurationError (untrusted): the cluster's certificate, as `k8s.example.com:6443` shows it, is not trusted: it cannot be verified.
      Have a server certificate issued for the API server by the CA that is given, then retry the stage.
    ");
}

#[test]
fn one_try_is_told_as_one() {
    let once = Unreached {
        tries: 1,
        ..unreached(UnreachedCause::Silent)
    };
    assert!(super::what(&once).ends_with("(tried once)"));
}
