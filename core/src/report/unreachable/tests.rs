use super::super::explanation;
use crate::kubernetes::CallError;
use crate::kubernetes::contact::{CertificateFault, Unreached, UnreachedCause, Untrusted};
use crate::outcome::{CredentialSource, ParameterPlace};
use insta::assert_snapshot;

/// A call that was tried five times.
fn unreached(cause: UnreachedCause) -> Unreached {
    let host = "k8s.example.com:6443".to_owned();
    let once = Unreached::new(cause, host);
    Unreached { tries: 5, ..once }
}

fn shown(errors: impl IntoIterator<Item = CallError>) -> String {
    let source = CredentialSource::Parameter(ParameterPlace::default());
    let line = |error: CallError| {
        let told = explanation(&error, "get deployments", &source).unwrap();
        format!(
            "{} ({}): {}.\n  {}\n",
            told.failure_type.name(),
            told.code.anchor(),
            told.reason,
            told.next_step
        )
    };
    errors.into_iter().map(line).collect()
}

#[test]
fn each_silence_has_one_next_step() {
    use UnreachedCause::*;
    let causes = [
        NameUnknown,
        ConnectionRefused,
        NoRoute,
        Silent,
        NotTls,
        HandshakeRefused,
        HandshakeCut,
        OldTls,
        ClientCertificate,
        Proxy,
        BrokenOff,
        CutOff,
        TooSlow,
        Endless,
    ];
    let errors = causes.map(|cause| CallError::Unreachable(Box::new(unreached(cause))));
    assert_snapshot!(shown(errors), @r"
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: its name could not be resolved (tried 5 times).
      Correct the host in K8S_CLUSTER; where it is a private name, let the function's VPC resolve it (a private endpoint's name is known in its own VPC alone, and one that ends in `.svc` or `.cluster.local` to pods of the cluster). Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: the connection was refused (tried 5 times).
      The host is there, and nothing listens on the port: correct the port in K8S_CLUSTER, or start the API server. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: the function's network has no route to it (tried 5 times).
      Add a route to the function's subnets: a NAT gateway for a public address, peering or a transit gateway for a private one. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: nothing answered, and no connection came about (tried 5 times).
      Packets are dropped on the way: let the function's subnets, route tables and security groups reach the API server's port, and the API server's list of allowed networks the function. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: what listens there does not speak TLS (tried 5 times).
      Set K8S_CLUSTER to the port on which the API server speaks HTTPS, then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: it refused the TLS handshake (tried 5 times).
      Set K8S_CLUSTER to the API server itself: a load balancer or a firewall that does not know this host name refuses it. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: it closed the connection during the TLS handshake (tried 5 times).
      Look at what stands before the API server: a load balancer without a healthy target, or a firewall that does not let this host name pass, closes connections like this. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: it does not speak TLS 1.2 or later with a safe cipher (tried 5 times).
      Let the API server, or the load balancer before it, speak TLS 1.2 or 1.3, then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: it wants a certificate of the client (tried 5 times).
      Set K8S_CLUSTER to an address of the API server that takes a bearer token alone: Landfall has no certificate of its own. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: the proxy that HTTPS_PROXY names opened no way to it (tried 5 times).
      Add the host to NO_PROXY in the function's environment, or let the proxy reach it. Then retry the stage.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: the connection was closed before an answer came (tried 5 times).
      Retry the stage. If this happens again, a firewall or a load balancer on the way cuts the connection: look at its log.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: the connection was closed in the middle of its answer (tried 5 times).
      Retry the stage. If it stays so, look at what stands before the API server: a proxy or a load balancer there has a limit of time or size, or holds answers back.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: it took the call and did not answer in time (tried 5 times).
      Retry the stage when the API server is healthy again; it is reached, and overloaded or held up by a webhook.
    SystemUnavailable (unreachable): the cluster could not be reached at `k8s.example.com:6443`: its answer began and did not end in time (tried 5 times).
      Retry the stage. If it stays so, look at what stands before the API server: a proxy or a load balancer there has a limit of time or size, or holds answers back.
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
        OtherSignature,
        OfCa,
        BrokenChain,
        OldSignature,
        OldVersion,
        Damaged,
        Unusable,
    ];
    let errors = faults.map(|fault| {
        let host = "k8s.example.com:6443".to_owned();
        CallError::Untrusted(Box::new(Untrusted { host, fault }))
    });
    assert_snapshot!(shown(errors), @r"
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: no public CA signed it, and no CA of the cluster is given.
      Give the cluster's CA in K8S_CA or K8S_CA_PARAMETER, then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it was signed by another CA than the one given.
      Set K8S_CA or K8S_CA_PARAMETER to the CA of this cluster, or K8S_CLUSTER to the cluster of this CA, then retry the stage. A proxy that opens TLS on the way shows like this, too.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it expired at 2020-02-01T00:00:00Z.
      Renew the API server's certificate (kubeadm: `kubeadm certs renew apiserver`), then retry the stage. K8S_CA and K8S_CLUSTER are not the reason.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it has expired.
      Renew the API server's certificate (kubeadm: `kubeadm certs renew apiserver`), then retry the stage. K8S_CA and K8S_CLUSTER are not the reason.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it is not valid before 2020-02-01T00:00:00Z.
      Correct the clock of the machine that issued the API server's certificate, or wait until it is valid, then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it is not valid yet.
      Correct the clock of the machine that issued the API server's certificate, or wait until it is valid, then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it is not for this name, but for `kubernetes`, `10.96.0.1`.
      Set K8S_CLUSTER to a name or address that the API server's certificate has, or add this one to the certificate (kubeadm: `apiServer.certSANs`), then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it is for no name: it has no subjectAltName, and its common name does not count.
      Set K8S_CLUSTER to a name or address that the API server's certificate has, or add this one to the certificate (kubeadm: `apiServer.certSANs`), then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it is not a certificate for servers.
      Have a server certificate issued for the API server by the CA that is given, then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it was signed by another CA of the same name as the one given, or one of the two has an RSA key of less than 2,048 bits.
      Set K8S_CA or K8S_CA_PARAMETER to the CA that this cluster has now: one that was made anew has the same name and another key. Then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it is a CA's own certificate (CA:TRUE), not one of a server.
      kubectl takes such a certificate where it is given as the CA, and Landfall does not: have the API server, or the load balancer before it, show one that this CA has issued or that is made with `basicConstraints=CA:FALSE`, give its CA (or itself, where it is self-signed) in K8S_CA or K8S_CA_PARAMETER, then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: one in its chain was issued by a certificate that may not do that.
      Have a server certificate issued for the API server by the CA that is given, then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it was signed in a way that is not safe or not known, such as SHA-1.
      Have a server certificate issued for the API server by the CA that is given, then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it is of X.509 version 1, which has no names of servers.
      Have a server certificate issued for the API server by the CA that is given, then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it is not a well-formed X.509 certificate.
      Have a server certificate issued for the API server by the CA that is given, then retry the stage.
    ConfigurationError (untrusted): the certificate that `k8s.example.com:6443` presents is not trusted: it cannot be verified.
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
