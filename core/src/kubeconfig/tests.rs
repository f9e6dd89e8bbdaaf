use super::*;
use crate::eks::EksCluster;
use crate::kubernetes::credential::ClientCertificate;
use crate::kubernetes::server::Server;
use crate::outcome::{ExecProblem, KubeconfigFault, OtherText, ProxyProblem};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

mod exec;
mod shapes;

/// A made-up client certificate, and its key on P-256 in SEC1.
const CERTIFICATE: &str = "MIIBvTCCAWOgAwIBAgIUIYWsNROgqB8BO6uReZpTYlBaREQwCgYIKoZIzj0EAwIwNDEXMBUGA1UECgwOc3lzdGVtOm1hc3RlcnMxGTAXBgNVBAMMEGt1YmVybmV0ZXMtYWRtaW4wHhcNMjYxMTI4MTkxMzMxWhcNMzYxMTI1MTkxMzMxWjA0MRcwFQYDVQQKDA5zeXN0ZW06bWFzdGVyczEZMBcGA1UEAwwQa3ViZXJuZXRlcy1hZG1pbjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFfP/M4hHgfJ6XBkLA6BjkpvyB+dlW2uVa0LCj1MT+9yj3Rg8CIIYf7BDrrkFrzn0vvmnOHnRwfqqDjIk7k49QejUzBRMB0GA1UdDgQWBBSCBsl5QFM8SF/r2NaNKvBoDZarUDAfBgNVHSMEGDAWgBSCBsl5QFM8SF/r2NaNKvBoDZarUDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQC1rI+BqMLvl0X3lK6yUq4BiCAdc4ivELmM+WOMKZf0QQIgOQ2XTEJEshgoDkCaJRmvmMO5C6ZV6jpvouRPqtuSe0k=";
const KEY: &str = "MHcCAQEEIP8DOf+qd1mZz43HxbW14MTjahLh4BjQbO8boqXJl/cPoAoGCCqGSM49AwEHoUQDQgAEV8/8ziEeB8npcGQsDoGOSm/IH52Vba5VrQsKPUxP73KPdGDwIghh/sEOuuQWvOfS++ac4edHB+qoOMiTuTj1Bw==";
/// Another certificate by its form, and another key by its label.
const OTHER: &str = "MAMCAQE=";

fn pem(label: &str, body: &str) -> String {
    let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

/// A field of the kind `…-data`.
fn data(label: &str, body: &str) -> String {
    STANDARD.encode(pem(label, body))
}

/// A kubeconfig with one context, `demo`, of cluster `prod` and user `admin`.
fn kubeconfig(cluster: &str, user: &str) -> String {
    let indented = |text: &str| text.trim().replace('\n', "\n    ");
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: demo\nclusters:\n- name: prod\n  cluster:\n    {}\n\
         contexts:\n- name: demo\n  context:\n    cluster: prod\n    user: admin\n    namespace: shop\n\
         users:\n- name: admin\n  user:\n    {}\n",
        indented(cluster),
        indented(user)
    )
}

const SERVER: &str = "server: https://k8s.example.com:6443";
const TOKEN: &str = "token: s3cr3t-t0ken";

#[track_caller]
fn selected(text: &str) -> Selected {
    let kubeconfig = Kubeconfig::read(text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    kubeconfig
        .select(None)
        .unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

/// The faults of the selected context: field and problem.
#[track_caller]
fn faults(text: &str) -> Vec<(&'static str, KubeconfigProblem)> {
    let kubeconfig = Kubeconfig::read(text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    match kubeconfig.select(None) {
        Err(KubeconfigError::Context { faults, .. }) => faults
            .into_iter()
            .map(|fault| (fault.field, fault.problem))
            .collect(),
        Ok(selected) => panic!("{selected:?}\n{text}"),
        Err(error) => panic!("{error:?}\n{text}"),
    }
}

fn token(user: &KubeconfigUser) -> &str {
    match user {
        KubeconfigUser::Token(token) => token.reveal(),
        KubeconfigUser::Certificate(_) | KubeconfigUser::Eks(_) => panic!("{user:?}"),
    }
}

#[test]
fn a_context_leads_to_its_server_and_its_credential() {
    let ca = data("CERTIFICATE", CERTIFICATE);
    let cluster = format!(
        "{SERVER}/k8s/clusters/c-1/\ncertificate-authority-data: {ca}\n\
         proxy-url: http://u:p4ssw0rd@proxy:3128\ndisable-compression: true\ninsecure-skip-tls-verify: false"
    );
    let found = selected(&kubeconfig(&cluster, TOKEN));
    let expected = Server {
        address: "https://k8s.example.com:6443/k8s/clusters/c-1".into(),
        ca: Some(pem("CERTIFICATE", CERTIFICATE)),
        tls_server_name: None,
        proxy: Some("http://u:p4ssw0rd@proxy:3128".into()),
    };
    assert_eq!((&*found.context, found.server), ("demo", expected));
    assert_eq!(token(&found.user), "s3cr3t-t0ken");
    let named = format!("{SERVER}\ntls-server-name: kubernetes");
    let named = selected(&kubeconfig(&named, TOKEN)).server;
    assert_eq!(named.tls_server_name.as_deref(), Some("kubernetes"));
    let public = selected(&kubeconfig(SERVER, TOKEN)).server;
    assert_eq!(
        (public.ca, public.tls_server_name, public.proxy),
        (None, None, None)
    );
}

#[test]
fn a_kubeconfig_is_found_in_each_form_that_can_mean_nothing_else() {
    let text = kubeconfig(SERVER, TOKEN);
    let json = r#"{"kind": "Config", "current-context": "demo",
        "clusters": [{"name": "prod", "cluster": {"server": "https://k8s.example.com:6443"}}],
        "contexts": [{"name": "demo", "context": {"cluster": "prod", "user": "admin"}}],
        "users": [{"name": "admin", "user": {"token": "s3cr3t-t0ken"}}]}"#;
    let wrapped = STANDARD.encode(&text);
    let lines = wrapped.as_bytes().chunks(76).map(String::from_utf8_lossy);
    let forms = [
        json.to_owned(),
        json.replace(['\n', ' '], ""),
        format!("\u{feff}{text}"),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\\n"),
        serde_json::to_string(&text).unwrap(),
        lines.collect::<Vec<_>>().join("\n"),
        wrapped.trim_end_matches('=').to_owned(),
        serde_json::to_string(&wrapped).unwrap(),
        STANDARD.encode(json),
        text.replace("apiVersion: v1\nkind: Config\n", ""),
        text.replace("\ncurrent-context: demo", "\ncurrent-context: \"\""),
        text.replace("current-context: demo", "preferences: {}"),
        format!("# mine\n---\n{text}...\n"),
    ];
    for form in forms {
        assert_eq!(selected(&form), selected(&text), "{form}");
    }
}

#[test]
fn another_text_is_said_as_what_it_is() {
    use OtherText::*;
    let jwt = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    let key = pem("EC PRIVATE KEY", KEY);
    let object = |kind: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: x\n");
    let rows = [
        ("", Empty),
        (" \n", Empty),
        (jwt, Token),
        ("k8s-aws-v1.aHR0", Token),
        ("s3cr3t-t0ken", Token),
        (&key, Pem),
        (&STANDARD.encode(&key), Pem),
        (&STANDARD.encode(jwt), Base64),
        ("https://k8s.example.com", Address),
        ("arn:aws:eks:eu-west-1:1:cluster/x", Arn),
        ("/root/.kube/config", Path),
        ("file://kubeconfig", Path),
        (
            r#"{"kind": "ExecCredential", "status": {"token": "x"}}"#,
            ExecCredential,
        ),
        (
            r#"{"cluster": {"endpoint": "https://x", "name": "x"}}"#,
            EksCluster,
        ),
        (
            &serde_json::json!({"kubeconfig": kubeconfig(SERVER, TOKEN)}).to_string(),
            Wrapped,
        ),
        (&object("Deployment"), Object("Deployment")),
        (&object("Secret"), Object("Secret")),
        (&object("S3cr3t"), OtherObject),
        (
            "apiVersion: kubelet.config.k8s.io/v1\nkind: Config\n",
            OtherConfig,
        ),
        ("a: 1\nb: 2\n", Unknown),
        ("- a: 1\n", Unknown),
        ("two words", Unknown),
        ("# only a comment: x\n", Unknown),
    ];
    for (text, expected) in rows {
        let error = Kubeconfig::read(text).unwrap_err();
        assert_eq!(error, KubeconfigError::Other(expected), "{text}");
    }
}

#[test]
fn a_damaged_text_is_refused_with_its_line() {
    let text = kubeconfig(SERVER, TOKEN);
    let twice = text.replace("token: s3cr3t", "token: a\n    token: s3cr3t");
    let foreign = text.replace(
        "    token: s3cr3t",
        "    s3cr3t: a\n    s3cr3t: b\n    token: c",
    );
    let rows = [
        (
            twice,
            KubeconfigError::Duplicate {
                line: 18,
                field: Some("token"),
            },
        ),
        (
            foreign,
            KubeconfigError::Duplicate {
                line: 18,
                field: None,
            },
        ),
        (
            text.replace("users:", " users:"),
            KubeconfigError::Syntax { line: 14 },
        ),
        (
            text.replace("users:", "\tusers:"),
            KubeconfigError::Syntax { line: 13 },
        ),
        (
            format!("{text}---\n{text}"),
            KubeconfigError::SeveralDocuments,
        ),
        (
            format!("{text}# {}", "x".repeat(70_000)),
            KubeconfigError::TooLong,
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(Kubeconfig::read(&text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn the_context_is_the_named_one_the_current_one_or_the_only_one() {
    let one = kubeconfig(SERVER, TOKEN);
    let two = one.replace(
        "contexts:\n",
        "contexts:\n- name: other\n  context: {cluster: gone, user: [], as: 5}\n- name: 7\n- 5\n",
    );
    let select = |text: &str, name| Kubeconfig::read(text).unwrap().select(name);
    let names = || vec!["other".to_owned(), "demo".to_owned()];
    assert_eq!(select(&two, None).unwrap().context, "demo");
    assert_eq!(select(&two, Some("demo")).unwrap().context, "demo");
    let none = two.replace("current-context: demo\n", "");
    assert_eq!(select(&none, Some("demo")).unwrap().context, "demo");
    let unknown = |name: &str, is_current, known| KubeconfigError::UnknownContext {
        name: name.into(),
        is_current,
        known,
    };
    let rows = [
        (
            none,
            None,
            KubeconfigError::NoCurrentContext { known: names() },
        ),
        (two.clone(), Some("Demo"), unknown("Demo", false, names())),
        (
            two.replace("current-context: demo", "current-context: gone"),
            None,
            unknown("gone", true, names()),
        ),
        (
            one.replace("current-context: demo", "current-context: gone"),
            None,
            unknown("gone", true, vec!["demo".into()]),
        ),
        (
            "contexts: []\nclusters: []\n".into(),
            Some("demo"),
            KubeconfigError::NoContext,
        ),
        ("clusters: []\n".into(), None, KubeconfigError::NoContext),
    ];
    for (text, name, expected) in rows {
        assert_eq!(select(&text, name).unwrap_err(), expected, "{text}");
    }
}

/// Entries that the context does not use do no harm, whatever is in them.
#[test]
fn what_is_not_used_is_not_checked() {
    let text = kubeconfig(SERVER, TOKEN)
        .replace(
            "clusters:\n",
            "clusters:\n- name: broken\n  cluster: {server: 5}\n- {}\n- a\n",
        )
        .replace(
            "users:\n",
            "users:\n- name: old\n  user: {auth-provider: {name: gcp}}\n- 5\n",
        );
    assert_eq!(selected(&text), selected(&kubeconfig(SERVER, TOKEN)));
}

#[test]
fn all_faults_of_a_context_are_told_together() {
    use KubeconfigProblem::*;
    let text = kubeconfig(
        "server: http://k8s.example.com\ninsecure-skip-tls-verify: true",
        "client-key: /etc/key\nas: root",
    );
    let found = faults(&text);
    let fields = found.iter().map(|(field, _)| *field).collect::<Vec<_>>();
    assert_eq!(
        fields,
        [
            "server",
            "insecure-skip-tls-verify",
            "as",
            "client-certificate-data",
            "client-key"
        ]
    );
    let dangling = kubeconfig(SERVER, TOKEN)
        .replace("cluster: prod", "cluster: gone")
        .replace("user: admin", "user: nobody");
    assert_eq!(
        faults(&dangling),
        [
            ("cluster", Dangling("gone".into())),
            ("user", Dangling("nobody".into()))
        ]
    );
    let empty = kubeconfig(SERVER, TOKEN).replace("    cluster: prod\n    user: admin\n", "");
    assert_eq!(faults(&empty), [("cluster", Missing), ("user", Missing)]);
    let lists = "contexts: [{name: a, context: {cluster: c, user: u}}]\nusers: {}\n";
    assert_eq!(faults(lists), [("clusters", Missing), ("users", NotAList)]);
    assert_eq!(faults("contexts: {}\n"), [("contexts", NotAList)]);
    let twice = kubeconfig(SERVER, TOKEN).replace(
        "users:\n",
        "users:\n- name: admin\n  user: {token: another}\n",
    );
    assert_eq!(faults(&twice), [("", Twice)]);
}

#[test]
fn what_a_function_cannot_use_of_a_cluster_is_refused() {
    use KubeconfigProblem::*;
    let file = |instead| File { instead };
    let scalar = "must begin with https://: write https://host[:port]";
    let rows = [
        (
            "certificate-authority: ca.crt",
            "certificate-authority",
            file("certificate-authority-data"),
        ),
        (
            "insecure-skip-tls-verify: true",
            "insecure-skip-tls-verify",
            Insecure,
        ),
        (
            "insecure-skip-tls-verify: \"true\"",
            "insecure-skip-tls-verify",
            Insecure,
        ),
        ("tls-server-name: a b", "tls-server-name", ServerName),
        ("tls-server-name: 10.0.0.1", "tls-server-name", ServerName),
        ("tls-server-name: 127.0x1", "tls-server-name", ServerName),
        ("tls-server-name: ::1", "tls-server-name", ServerName),
        ("tls-server-name: 5", "tls-server-name", NotText),
        (
            "proxy-url: socks5://proxy:1080",
            "proxy-url",
            Proxy(ProxyProblem::Socks),
        ),
        (
            "proxy-url: ftp://proxy",
            "proxy-url",
            Proxy(ProxyProblem::Scheme),
        ),
        (
            "proxy-url: proxy:3128",
            "proxy-url",
            Proxy(ProxyProblem::Address),
        ),
        (
            "proxy-url: proxy",
            "proxy-url",
            Proxy(ProxyProblem::Address),
        ),
        (
            "proxy-url: \"http://\"",
            "proxy-url",
            Proxy(ProxyProblem::Address),
        ),
        (
            "certificateAuthorityData: x",
            "",
            Misspelled("certificate-authority-data"),
        ),
        ("Server: x", "", Misspelled("server")),
    ];
    for (line, field, expected) in rows {
        let text = kubeconfig(&format!("{SERVER}\n{line}"), TOKEN);
        assert_eq!(faults(&text), [(field, expected)], "{line}");
    }
    let servers = [
        ("server: \"\"", Missing),
        ("server: 5", NotText),
        ("server: k8s.example.com", Address(scalar)),
        ("extensions: []", Missing),
    ];
    for (line, expected) in servers {
        assert_eq!(
            faults(&kubeconfig(line, TOKEN)),
            [("server", expected)],
            "{line}"
        );
    }
    let named = format!("{SERVER}\ntls-server-name: kubernetes\nproxy-url: http://proxy:3128");
    assert_eq!(
        faults(&kubeconfig(&named, TOKEN)),
        [("proxy-url", Proxy(ProxyProblem::ServerName))]
    );
    let plain = "server: http://127.0.0.1:8080\nproxy-url: http://proxy:3128";
    assert_eq!(
        faults(&kubeconfig(plain, TOKEN)),
        [("proxy-url", Proxy(ProxyProblem::PlainServer))]
    );
    assert_eq!(
        selected(&kubeconfig("server: http://127.0.0.1:8080", TOKEN))
            .server
            .address,
        "http://127.0.0.1:8080"
    );
    let key = format!(
        "{SERVER}\ncertificate-authority-data: {}",
        data("EC PRIVATE KEY", KEY)
    );
    assert!(matches!(
        faults(&kubeconfig(&key, TOKEN))[..],
        [("certificate-authority-data", Ca(_))]
    ));
}

#[test]
fn what_a_function_cannot_use_of_a_user_is_refused() {
    use crate::formats::private_key::KeyError;
    use KubeconfigProblem::*;
    let file = |instead| File { instead };
    let certificate = format!(
        "client-certificate-data: {}",
        data("CERTIFICATE", CERTIFICATE)
    );
    let key = format!("client-key-data: {}", data("EC PRIVATE KEY", KEY));
    let other = format!("client-certificate-data: {}", data("CERTIFICATE", OTHER));
    let both = |one: &str, two: &str| format!("{one}\n{two}");
    let several = |fields: &[&'static str]| SeveralCredentials(fields.to_vec());
    let (cert, key_data) = ("client-certificate-data", "client-key-data");
    let with_key = |label: &str| both(&certificate, &format!("{key_data}: {}", data(label, OTHER)));
    let rows = [
        (
            "tokenFile: /var/run/token".to_owned(),
            "tokenFile",
            file("token"),
        ),
        (
            both(TOKEN, "tokenFile: /var/run/token"),
            "tokenFile",
            file("token"),
        ),
        (
            "auth-provider: {name: gcp}".into(),
            "auth-provider",
            AuthProvider,
        ),
        ("username: admin\npassword: x".into(), "username", BasicAuth),
        ("password: hunter22".into(), "password", BasicAuth),
        (both(TOKEN, "as: root"), "as", Impersonation),
        (both(TOKEN, "as-groups: [a]"), "as-groups", Impersonation),
        ("token: \"\"".into(), "", NoCredential),
        ("as-groups: []".into(), "", NoCredential),
        ("{}".into(), "", NoCredential),
        ("token: 123456".into(), "token", NotText),
        (
            "token_file: x\ntoken: abcdef".into(),
            "",
            Misspelled("tokenFile"),
        ),
        (
            both(&certificate, "client-key: key.pem"),
            "client-key",
            file(key_data),
        ),
        (
            both(&key, "client-certificate: c.pem"),
            "client-certificate",
            file(cert),
        ),
        (certificate.clone(), key_data, Half),
        (key.clone(), cert, Half),
        (
            with_key("ENCRYPTED PRIVATE KEY"),
            key_data,
            Key(KeyError::Encrypted),
        ),
        (
            with_key("CERTIFICATE"),
            key_data,
            Key(KeyError::Certificate),
        ),
        (with_key("PRIVATE KEY"), key_data, Key(KeyError::NotAKey)),
        (both(&other, &key), key_data, OtherKey),
        (
            both(TOKEN, &both(&certificate, &key)),
            "",
            several(&["token", cert]),
        ),
        (
            both(TOKEN, "exec: {command: aws}"),
            "",
            several(&["token", "exec"]),
        ),
    ];
    for (user, field, expected) in rows {
        assert_eq!(
            faults(&kubeconfig(SERVER, &user)),
            [(field, expected)],
            "{user}"
        );
    }
    let swapped = format!(
        "{cert}: {}\n{key_data}: {}",
        data("EC PRIVATE KEY", KEY),
        data("CERTIFICATE", CERTIFICATE)
    );
    assert!(matches!(
        faults(&kubeconfig(SERVER, &swapped))[..],
        [(_, Certificate(_)), (_, Key(KeyError::Certificate))]
    ));
    assert!(matches!(
        faults(&kubeconfig(SERVER, "token: Bearer x"))[..],
        [("token", Token(_))]
    ));
    // A file beside the content has no effect, as for `kubectl`.
    let beside = format!("{certificate}\nclient-certificate: a.pem\n{key}\nclient-key: b.pem");
    let KubeconfigUser::Certificate(found) = selected(&kubeconfig(SERVER, &beside)).user else {
        panic!("not a certificate");
    };
    assert_eq!(found.key, pem("EC PRIVATE KEY", KEY));
    assert_eq!(found.certificates, pem("CERTIFICATE", CERTIFICATE));
}

#[test]
fn every_secret_is_known_also_of_contexts_that_are_not_used() {
    let key = data("EC PRIVATE KEY", KEY);
    let user = format!("client-certificate-data: x\nclient-key-data: {key}");
    let text = kubeconfig(
        &format!("{SERVER}\nproxy-url: http://u:p4ssw0rd@proxy:3128"),
        &user,
    ) + "- name: a\n  user: {token: t0ken-a, username: root, password: passw0rd-a}\n\
           - name: b\n  user:\n    auth-provider:\n      config: {id-token: id-t0ken, refresh-token: r-t0ken}\n\
           - name: c\n  user:\n    exec:\n      command: aws-iam-authenticator\n      \
           args: [token, -i, cluster-1, -e, external-1]\n      env:\n      \
           - {name: AWS_SECRET_ACCESS_KEY, value: aws-s3cr3t}\n      - {name: AWS_REGION, value: eu-west-1}\n\
           - name: d\n  user: {exec: {command: x, args: [--token=t0ken-d, --oidc-client-secret, s3cr3t-d, -eexternal-2]}}\n";
    let kubeconfig = Kubeconfig::read(&text).unwrap();
    let secrets = kubeconfig.secrets().collect::<Vec<_>>();
    let pem = pem("EC PRIVATE KEY", KEY);
    let all = [
        &*key,
        &pem,
        "p4ssw0rd",
        "t0ken-a",
        "passw0rd-a",
        "id-t0ken",
        "r-t0ken",
        "external-1",
        "aws-s3cr3t",
        "t0ken-d",
        "s3cr3t-d",
        "external-2",
    ];
    for secret in all {
        assert!(
            secrets.contains(&secret),
            "{secret} is not among {secrets:?}"
        );
    }
    for public in ["eu-west-1", "cluster-1", "root", "admin", "prod"] {
        assert!(
            !secrets.iter().any(|secret| secret.contains(public)),
            "{public}: {secrets:?}"
        );
    }
    assert_eq!(format!("{kubeconfig:?}"), "Kubeconfig");
}

/// A secret where a name should be is not shown.
#[test]
fn a_name_that_is_a_secret_is_hidden() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl";
    let encoded = data("EC PRIVATE KEY", KEY);
    for secret in [
        jwt,
        "k8s-aws-v1.aHR0cHM",
        &encoded,
        "s3cr3t-t0ken",
        "s3cr3t",
        &"x".repeat(300),
    ] {
        let text = kubeconfig(SERVER, TOKEN).replace("user: admin", &format!("user: {secret}"));
        let error = Kubeconfig::read(&text).unwrap().select(None).unwrap_err();
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
        let error = Kubeconfig::read(&text)
            .unwrap()
            .select(Some(secret))
            .unwrap_err();
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
}

#[test]
fn what_has_expired_is_refused_before_it_is_shown() {
    let certificate = format!(
        "client-certificate-data: {}\nclient-key-data: {}",
        data("CERTIFICATE", CERTIFICATE),
        data("EC PRIVATE KEY", KEY)
    );
    // Expires at 1800000000, 2027-01-15T08:00:00Z.
    let jwt = "token: eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE4MDAwMDAwMDB9.c2ln";
    let rows = [
        (
            &*certificate,
            "client-certificate-data",
            "2036-11-25T19:13:31Z",
        ),
        (jwt, "token", "2027-01-15T08:00:00Z"),
    ];
    for (user, field, expires) in rows {
        let found = selected(&kubeconfig(SERVER, user));
        let expires: jiff::Timestamp = expires.parse().unwrap();
        let hour = jiff::SignedDuration::from_hours(1);
        assert_eq!(found.check(expires - hour), Ok(()));
        let error = found.check(expires + hour).unwrap_err();
        let ago = std::time::Duration::from_secs(3600);
        let expected = KubeconfigError::Context {
            name: "demo".into(),
            faults: vec![KubeconfigFault {
                entry: KubeconfigEntry::User("admin".into()),
                field,
                problem: KubeconfigProblem::Expired(expires, ago),
            }],
        };
        assert_eq!(error, expected);
    }
    let opaque = selected(&kubeconfig(SERVER, TOKEN));
    assert_eq!(
        opaque.check("2100-01-01T00:00:00Z".parse().unwrap()),
        Ok(())
    );
}
