use super::*;
use crate::kubernetes::CallError;
use crate::kubernetes::contact::{
    CertificateFault, JsonFault, OddAnswer, Unreached, UnreachedCause, Untrusted,
};
use crate::outcome::{EksPlace, KubeconfigPlace, ParameterPlace};
use crate::report::explanation;

/// Every error of a connection.
fn errors() -> Vec<CallError> {
    use UnreachedCause::*;
    let host = || "k8s.example.com:443".to_owned();
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
        CertificateRefused,
        Proxy,
        BrokenOff,
        CutOff,
        TooSlow,
        Endless,
    ];
    let unreached = causes.map(|cause| Unreached::new(cause, host()));
    let unreached = unreached.map(|unreached| CallError::Unreachable(Box::new(unreached)));
    let faults = [
        CertificateFault::NotPublic,
        CertificateFault::OtherCa,
        CertificateFault::Expired(None),
        CertificateFault::NotYetValid(None),
        CertificateFault::OtherName(vec!["other.example.com".into()]),
        CertificateFault::OtherSignature,
        CertificateFault::OfCa,
        CertificateFault::Damaged,
    ];
    let untrusted = faults.map(|fault| Untrusted {
        host: host(),
        fault,
    });
    let untrusted = untrusted.map(|untrusted| CallError::Untrusted(Box::new(untrusted)));
    let odd = [
        OddAnswer::NotHttp,
        OddAnswer::BrokenBody,
        OddAnswer::Redirect(302, None),
        OddAnswer::Text(403, Some("Log in".into())),
        OddAnswer::Json(200, JsonFault::CutOff),
    ];
    let odd = odd.map(|odd| CallError::NotKubernetes(Box::new(odd)));
    unreached.into_iter().chain(untrusted).chain(odd).collect()
}

#[test]
fn no_variable_is_named_where_the_cluster_is_not_set_by_one() {
    let cluster = EksCluster::read("prod").unwrap();
    let kubeconfig = |user| {
        CredentialSource::Kubeconfig(KubeconfigPlace {
            parameter: ParameterPlace::new("kubeconfig", None, None),
            context: Some("prod".into()),
            user: Some(user),
        })
    };
    let place = EksPlace {
        cluster: cluster.clone(),
        network: None,
    };
    for source in [
        CredentialSource::Eks(place),
        kubeconfig(UserKind::Token),
        kubeconfig(UserKind::Certificate),
        kubeconfig(UserKind::Eks(cluster)),
    ] {
        for error in errors() {
            let told = explanation(&error, "get deployments.apps", &source).unwrap();
            let told = format!("{}. {}", told.reason, told.next_step);
            assert!(!told.contains("K8S_"), "{told}");
            assert!(told.contains("stage"), "{told}");
        }
    }
}

#[test]
fn the_words_for_a_token_in_ssm_stay() {
    let source = CredentialSource::Parameter(ParameterPlace::default());
    for (variable, _) in IN_KUBECONFIG.iter().chain(&BY_EKS) {
        assert_eq!(placed(variable, &source), *variable);
    }
}

#[test]
fn settings_of_a_kubeconfig_take_the_place_of_variables() {
    let source = CredentialSource::Kubeconfig(KubeconfigPlace {
        parameter: ParameterPlace::new("kubeconfig", None, None),
        context: Some("prod".into()),
        user: Some(UserKind::Token),
    });
    let told = errors().into_iter().map(|error| {
        let told = explanation(&error, "get deployments.apps", &source).unwrap();
        format!(
            "{}: {}.\n  {}\n",
            told.code.anchor(),
            told.reason,
            told.next_step
        )
    });
    insta::assert_snapshot!(told.collect::<String>(), @r#"
    unreachable: the cluster could not be reached at `k8s.example.com:443`: its name could not be resolved (tried once).
      Correct the host in the kubeconfig's `server`; where it is a private name, let the function's VPC resolve it (a private endpoint's name is known in its own VPC alone, and one that ends in `.svc` or `.cluster.local` to pods of the cluster). Then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: the connection was refused (tried once).
      The host is there, and nothing listens on the port: correct the port in the kubeconfig's `server`, or start the API server. Then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: the function's network has no route to it (tried once).
      Add a route to the function's subnets: a NAT gateway for a public address, peering or a transit gateway for a private one. Then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: nothing answered, and no connection came about (tried once).
      Packets are dropped on the way: let the function's subnets, route tables and security groups reach the API server's port, and the API server's list of allowed networks the function. Then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: what listens there does not speak TLS (tried once).
      Set the kubeconfig's `server` to the port on which the API server speaks HTTPS, then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: it refused the TLS handshake (tried once).
      Set the kubeconfig's `server` to the API server itself: a load balancer or a firewall that does not know this host name refuses it. Then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: it closed the connection during the TLS handshake (tried once).
      Look at what stands before the API server: a load balancer without a healthy target, or a firewall that does not let this host name pass, closes connections like this. Then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: it does not speak TLS 1.2 or later with a safe cipher (tried once).
      Let the API server, or the load balancer before it, speak TLS 1.2 or 1.3, then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: it wants a certificate of the client (tried once).
      Set the kubeconfig's `server` to an address of the API server that takes a bearer token alone, or give the user a client certificate in the place of its token. Then retry the stage.
    client-certificate: the cluster could not be reached at `k8s.example.com:443`: it refused the client certificate (tried once).
      Store a kubeconfig whose client certificate is valid and signed by the CA that the server takes for clients, then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: the proxy of the kubeconfig's `proxy-url`, or of HTTPS_PROXY, opened no way to it (tried once).
      Correct the kubeconfig's `proxy-url`, or let the proxy reach it. Then retry the stage.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: the connection was closed before an answer came (tried once).
      Retry the stage. If this happens again, a firewall or a load balancer on the way cuts the connection: look at its log.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: the connection was closed in the middle of its answer (tried once).
      Retry the stage. If it stays so, look at what stands before the API server: a proxy or a load balancer there has a limit of time or size, or holds answers back.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: it took the call and did not answer in time (tried once).
      Retry the stage when the API server is healthy again; it is reached, and overloaded or held up by a webhook.
    unreachable: the cluster could not be reached at `k8s.example.com:443`: its answer began and did not end in time (tried once).
      Retry the stage. If it stays so, look at what stands before the API server: a proxy or a load balancer there has a limit of time or size, or holds answers back.
    untrusted: the certificate that `k8s.example.com:443` presents is not trusted: no public CA signed it, and no CA of the cluster is given.
      Give the cluster's CA in the kubeconfig's `certificate-authority-data`, then retry the stage.
    untrusted: the certificate that `k8s.example.com:443` presents is not trusted: it was signed by another CA than the one given.
      Set the kubeconfig's `certificate-authority-data` to the CA of this cluster, or the kubeconfig's `server` to the cluster of this CA, then retry the stage. A proxy that opens TLS on the way shows like this, too.
    untrusted: the certificate that `k8s.example.com:443` presents is not trusted: it has expired.
      Renew the API server's certificate (kubeadm: `kubeadm certs renew apiserver`), then retry the stage. `certificate-authority-data` and `server` are not the reason.
    untrusted: the certificate that `k8s.example.com:443` presents is not trusted: it is not valid yet.
      Correct the clock of the machine that issued the API server's certificate, or wait until it is valid, then retry the stage.
    untrusted: the certificate that `k8s.example.com:443` presents is not trusted: it is not for this name, but for `other.example.com`.
      Set the kubeconfig's `server` to a name or address that the API server's certificate has, or add this one to the certificate (kubeadm: `apiServer.certSANs`), then retry the stage.
    untrusted: the certificate that `k8s.example.com:443` presents is not trusted: it was signed by another CA of the same name as the one given, or one of the two has an RSA key of less than 2,048 bits.
      Set the kubeconfig's `certificate-authority-data` to the CA that this cluster has now: one that was made anew has the same name and another key. Then retry the stage.
    untrusted: the certificate that `k8s.example.com:443` presents is not trusted: it is a CA's own certificate (CA:TRUE), not one of a server.
      kubectl takes such a certificate where it is given as the CA, and Landfall does not: have the API server, or the load balancer before it, show one that this CA has issued or that is made with `basicConstraints=CA:FALSE`, give its CA (or itself, where it is self-signed) in the kubeconfig's `certificate-authority-data`, then retry the stage.
    untrusted: the certificate that `k8s.example.com:443` presents is not trusted: it is not a well-formed X.509 certificate.
      Have a server certificate issued for the API server by the CA that is given, then retry the stage.
    not-kubernetes: the answer at the kubeconfig's `server` is not a Kubernetes API server's: it is not HTTP.
      Set the kubeconfig's `server` to the host and port on which the API server speaks HTTPS, then retry the stage.
    not-kubernetes: the answer at the kubeconfig's `server` is not a Kubernetes API server's: its body is not encoded as its headers say.
      Set the kubeconfig's `server` to the API server itself: a proxy or a load balancer on the way changes its answers, or it is another service. Then retry the stage.
    not-kubernetes: the answer at the kubeconfig's `server` is not a Kubernetes API server's: HTTP 302 leads elsewhere, and no redirect is followed.
      Set the kubeconfig's `server` to the API server itself, not to an address that leads elsewhere, as that of a login page. Then retry the stage.
    not-kubernetes: the answer at the kubeconfig's `server` is not a Kubernetes API server's: HTTP 403 with "Log in".
      Set the kubeconfig's `server` to the API server itself: a login page, a proxy, a load balancer or a firewall answers there. Then retry the stage.
    not-kubernetes: the answer at the kubeconfig's `server` is not a Kubernetes API server's: HTTP 200 with JSON that ends in the middle.
      Set the kubeconfig's `server` to the API server itself: a proxy or a load balancer on the way changes its answers, or it is another service. Then retry the stage.
    "#);
}
