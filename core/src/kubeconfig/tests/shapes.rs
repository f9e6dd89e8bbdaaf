//! Kubeconfigs in the shapes that tools write.

use super::*;

fn certificate(user: KubeconfigUser) -> ClientCertificate {
    match user {
        KubeconfigUser::Certificate(certificate) => certificate,
        KubeconfigUser::Token(_) | KubeconfigUser::Eks(_) => panic!("{user:?}"),
    }
}

fn cluster(user: KubeconfigUser) -> EksCluster {
    match user {
        KubeconfigUser::Eks(cluster) => cluster,
        KubeconfigUser::Token(_) | KubeconfigUser::Certificate(_) => panic!("{user:?}"),
    }
}

fn filled(text: &str) -> String {
    text.replace("<CERTIFICATE>", &data("CERTIFICATE", CERTIFICATE))
        .replace("<KEY>", &data("EC PRIVATE KEY", KEY))
}

#[test]
fn of_aws_eks_update_kubeconfig() {
    let text = filled(
        r#"apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: <CERTIFICATE>
    server: https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com
  name: arn:aws:eks:eu-central-1:111122223333:cluster/demo
contexts:
- context:
    cluster: arn:aws:eks:eu-central-1:111122223333:cluster/demo
    user: arn:aws:eks:eu-central-1:111122223333:cluster/demo
  name: arn:aws:eks:eu-central-1:111122223333:cluster/demo
current-context: arn:aws:eks:eu-central-1:111122223333:cluster/demo
kind: Config
preferences: {}
users:
- name: arn:aws:eks:eu-central-1:111122223333:cluster/demo
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - --region
      - eu-central-1
      - eks
      - get-token
      - --cluster-name
      - demo
      - --output
      - json
      - --role
      - arn:aws:iam::111122223333:role/deployer
      command: aws
"#,
    );
    let found = selected(&text);
    assert_eq!(
        found.context,
        "arn:aws:eks:eu-central-1:111122223333:cluster/demo"
    );
    let cluster = cluster(found.user);
    assert_eq!(
        (&*cluster.name, cluster.region.as_deref()),
        ("demo", Some("eu-central-1"))
    );
    assert_eq!(
        cluster.role.unwrap().arn,
        "arn:aws:iam::111122223333:role/deployer"
    );
}

#[test]
fn of_eksctl() {
    let of = |exec: &str| {
        let text = filled(
            r#"apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: <CERTIFICATE>
    server: https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-north-1.eks.amazonaws.com
  name: demo.eu-north-1.eksctl.io
contexts:
- context:
    cluster: demo.eu-north-1.eksctl.io
    user: me@demo.eu-north-1.eksctl.io
  name: me@demo.eu-north-1.eksctl.io
current-context: me@demo.eu-north-1.eksctl.io
kind: Config
preferences: {}
users:
- name: me@demo.eu-north-1.eksctl.io
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
"#,
        );
        cluster(selected(&(text + exec)).user)
    };
    let aws = of(r#"      args:
      - eks
      - get-token
      - --output
      - json
      - --cluster-name
      - demo
      - --region
      - eu-north-1
      command: aws
      env:
      - name: AWS_STS_REGIONAL_ENDPOINTS
        value: regional
      interactiveMode: IfAvailable
      provideClusterInfo: false
"#);
    let authenticator = of(r#"      args:
      - token
      - -i
      - demo
      command: aws-iam-authenticator
      env:
      - name: AWS_STS_REGIONAL_ENDPOINTS
        value: regional
      - name: AWS_DEFAULT_REGION
        value: eu-north-1
      provideClusterInfo: false
"#);
    assert_eq!(aws, authenticator);
    assert_eq!(
        (&*aws.name, aws.region.as_deref()),
        ("demo", Some("eu-north-1"))
    );
}

#[test]
fn of_kops_and_kubeadm_and_kind() {
    let shape = |server: &str, cluster: &str, user: &str, context: &str| {
        filled(&format!(
            r#"apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: <CERTIFICATE>
    server: {server}
  name: {cluster}
contexts:
- context:
    cluster: {cluster}
    user: {user}
  name: {context}
current-context: {context}
kind: Config
preferences: {{}}
users:
- name: {user}
  user:
    client-certificate-data: <CERTIFICATE>
    client-key-data: <KEY>
"#
        ))
    };
    let kops = shape(
        "https://api.demo.example.com",
        "demo.example.com",
        "demo.example.com",
        "demo.example.com",
    );
    let kops = kops.replace(
        "    server",
        "    tls-server-name: api.internal.demo.example.com\n    server",
    );
    let kubeadm = shape(
        "https://10.0.0.1:6443",
        "kubernetes",
        "kubernetes-admin",
        "kubernetes-admin@kubernetes",
    );
    let kind = shape(
        "https://127.0.0.1:41234",
        "kind-kind",
        "kind-kind",
        "kind-kind",
    );
    for (text, context) in [
        (kops, "demo.example.com"),
        (kubeadm, "kubernetes-admin@kubernetes"),
        (kind, "kind-kind"),
    ] {
        let found = selected(&text);
        assert_eq!(found.context, context);
        assert_eq!(certificate(found.user).key, pem("EC PRIVATE KEY", KEY));
    }
}

/// Rancher's own proxy under its path, and the authorized endpoint; a token has a colon.
#[test]
fn of_rancher() {
    let text = filled(
        r#"apiVersion: v1
kind: Config
clusters:
- name: "demo"
  cluster:
    server: "https://rancher.example.com/k8s/clusters/c-m-abcd1234"
- name: "demo-node1"
  cluster:
    server: "https://10.0.0.5:6443"
    certificate-authority-data: "<CERTIFICATE>"

users:
- name: "demo"
  user:
    token: "kubeconfig-u-abcde12345:8hwf7rqlqq0000000000000000000000000000000000000000000"

contexts:
- name: "demo"
  context:
    user: "demo"
    cluster: "demo"
- name: "demo-node1"
  context:
    user: "demo"
    cluster: "demo-node1"

current-context: "demo"
"#,
    );
    let found = selected(&text);
    assert_eq!(
        found.server.address,
        "https://rancher.example.com/k8s/clusters/c-m-abcd1234"
    );
    assert!(token(&found.user).starts_with("kubeconfig-u-abcde12345:"));
    let node = Kubeconfig::read(&text)
        .unwrap()
        .select(Some("demo-node1"))
        .unwrap();
    assert_eq!(node.server.address, "https://10.0.0.5:6443");
}

/// k3s gives the client certificate with its issuer.
#[test]
fn of_k3s() {
    let chain = pem("CERTIFICATE", CERTIFICATE) + &pem("CERTIFICATE", OTHER);
    let text = filled(
        r#"apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: <CERTIFICATE>
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: <CHAIN>
    client-key-data: <KEY>
"#,
    );
    let text = text.replace("<CHAIN>", &STANDARD.encode(&chain));
    assert_eq!(certificate(selected(&text).user).certificates, chain);
}

#[test]
fn of_openshift() {
    let text = r#"apiVersion: v1
clusters:
- cluster:
    server: https://api.demo.example.com:6443
  name: api-demo-example-com:6443
contexts:
- context:
    cluster: api-demo-example-com:6443
    namespace: shop
    user: kube:admin/api-demo-example-com:6443
  name: shop/api-demo-example-com:6443/kube:admin
current-context: shop/api-demo-example-com:6443/kube:admin
kind: Config
preferences: {}
users:
- name: kube:admin/api-demo-example-com:6443
  user:
    token: sha256~AbCdEf_0123456789-0123456789abcdefghijklmn
"#;
    let found = selected(text);
    assert_eq!(found.context, "shop/api-demo-example-com:6443/kube:admin");
    assert_eq!(
        token(&found.user),
        "sha256~AbCdEf_0123456789-0123456789abcdefghijklmn"
    );
}
