use super::*;
use crate::formats::certificate::CertificateError;
use crate::formats::private_key::KeyError;
use crate::outcome::{KubeconfigPlace, ParameterPlace};

fn place() -> CredentialSource {
    let parameter = ParameterPlace::new(
        "/landfall/kubeconfig",
        Some("111122223333"),
        Some("eu-west-1"),
    );
    CredentialSource::Kubeconfig(KubeconfigPlace {
        parameter,
        context: None,
        user: None,
    })
}

fn fault(field: &'static str, problem: KubeconfigProblem) -> KubeconfigFault {
    KubeconfigFault {
        entry: KubeconfigEntry::User("admin".into()),
        field,
        problem,
    }
}

fn message(error: &KubeconfigError) -> String {
    let Report::Failure { message, .. } = unusable(error, &place(), None) else {
        panic!("not a failure");
    };
    message
}

#[test]
fn one_fault_is_in_the_first_line_and_several_are_listed() {
    let file = KubeconfigProblem::File {
        instead: "client-key-data",
    };
    let one = KubeconfigError::Context {
        name: "demo".into(),
        faults: vec![fault("client-key", file.clone())],
    };
    insta::assert_snapshot!(message(&one), @r"
    There is no access to the cluster: the kubeconfig in SSM parameter `/landfall/kubeconfig` (account 111122223333, region eu-west-1) cannot be used: `users[admin].user.client-key` names a file, and the function has none: `kubectl config view --raw --flatten` writes its content into `client-key-data`.

    Correct the kubeconfig in SSM parameter `/landfall/kubeconfig` (account 111122223333, region eu-west-1), then retry the stage. See docs/operations.md, kubeconfig.
    ");
    let cluster = KubeconfigFault {
        entry: KubeconfigEntry::Cluster("prod".into()),
        field: "insecure-skip-tls-verify",
        problem: KubeconfigProblem::Insecure,
    };
    let several = KubeconfigError::Context {
        name: "demo".into(),
        faults: vec![cluster, fault("client-key", file)],
    };
    insta::assert_snapshot!(message(&several), @r"
    There is no access to the cluster: the kubeconfig in SSM parameter `/landfall/kubeconfig` (account 111122223333, region eu-west-1) cannot be used: 2 fields of context `demo` are wrong.

    - `clusters[prod].cluster.insecure-skip-tls-verify` would switch off the check of the server's certificate, which Landfall does not do: remove it, and give the cluster's CA in `certificate-authority-data`
    - `users[admin].user.client-key` names a file, and the function has none: `kubectl config view --raw --flatten` writes its content into `client-key-data`

    Correct the kubeconfig in SSM parameter `/landfall/kubeconfig` (account 111122223333, region eu-west-1), then retry the stage. See docs/operations.md, kubeconfig.
    ");
    assert_eq!(
        kubeconfig_fields(&CredentialsError::Kubeconfig(several)),
        [
            "clusters[prod].cluster.insecure-skip-tls-verify",
            "users[admin].user.client-key"
        ]
    );
    let unknown = KubeconfigError::UnknownContext {
        name: "prod".into(),
        is_current: false,
        known: vec!["demo".into(), "staging".into()],
    };
    insta::assert_snapshot!(message(&unknown), @r"
    There is no access to the cluster: the kubeconfig in SSM parameter `/landfall/kubeconfig` (account 111122223333, region eu-west-1) cannot be used: `cluster` in the UserParameters names context `prod`, which it does not have; it has `demo`, `staging`.

    Name one of its contexts as `cluster` in the action's UserParameters, and release the change again. See docs/operations.md, kubeconfig.
    ");
    insta::assert_snapshot!(message(&KubeconfigError::Other(OtherText::Object("Secret"))), @r"
    There is no access to the cluster: the kubeconfig in SSM parameter `/landfall/kubeconfig` (account 111122223333, region eu-west-1) cannot be used: it is a Secret, not a kubeconfig.

    Store the kubeconfig, as `kubectl config view --raw --flatten --minify` prints it, in SSM parameter `/landfall/kubeconfig` (account 111122223333, region eu-west-1), then retry the stage. See docs/operations.md, kubeconfig.
    ");
}

#[test]
fn each_problem_of_a_field_has_its_sentence() {
    let exec = |problem| fault("exec.args", KubeconfigProblem::Exec(problem));
    let faults = [
        fault("token", KubeconfigProblem::NotText),
        fault("", KubeconfigProblem::Misspelled("tokenFile")),
        fault("", KubeconfigProblem::NoCredential),
        fault(
            "",
            KubeconfigProblem::SeveralCredentials(vec!["token", "exec"]),
        ),
        fault("client-key-data", KubeconfigProblem::Half),
        fault(
            "client-key-data",
            KubeconfigProblem::Key(KeyError::Encrypted),
        ),
        fault(
            "client-certificate-data",
            KubeconfigProblem::Certificate(CertificateError::NoPem),
        ),
        fault("as", KubeconfigProblem::Impersonation),
        fault("username", KubeconfigProblem::BasicAuth),
        fault(
            "exec.command",
            KubeconfigProblem::Exec(ExecProblem::Command(Some("tsh".into()))),
        ),
        exec(ExecProblem::Option(3)),
        exec(ExecProblem::Profile),
        exec(ExecProblem::Region),
        exec(ExecProblem::Role("is not the ARN of a role")),
        KubeconfigFault {
            entry: KubeconfigEntry::Context("demo".into()),
            field: "user",
            problem: KubeconfigProblem::Dangling("admin".into()),
        },
        KubeconfigFault {
            entry: KubeconfigEntry::Root,
            field: "clusters",
            problem: KubeconfigProblem::Missing,
        },
        KubeconfigFault {
            entry: KubeconfigEntry::Cluster("prod".into()),
            field: "proxy-url",
            problem: KubeconfigProblem::Proxy(ProxyProblem::Socks),
        },
    ];
    let sentences = faults.iter().map(sentence).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(sentences, @r"
    `users[admin].user.token` is not a text: put it in quotes
    `users[admin].user` has a field that must be written `tokenFile`
    `users[admin].user` has no credential: give it a `token`, `client-certificate-data` with `client-key-data`, or `exec` with `aws eks get-token`
    `users[admin].user` has several credentials, `token` and `exec`: leave one of them
    `users[admin].user.client-key-data` is missing: a client certificate needs its private key, and the key its certificate
    `users[admin].user.client-key-data` cannot be used: it is encrypted with a password; `openssl pkey` writes it without one
    `users[admin].user.client-certificate-data` cannot be used: it is neither a PEM certificate nor base64 of one
    `users[admin].user.as` impersonates another user, which Landfall does not do: remove it, and give the user itself the permissions
    `users[admin].user.username` belongs to basic authentication, which Kubernetes removed in 1.19: use a `token` of a ServiceAccount instead
    `users[admin].user.exec.command` names `tsh`, and Landfall starts no programs: it makes tokens itself where the command is `aws … eks get-token` or `aws-iam-authenticator token`; elsewhere use a `token` of a ServiceAccount
    `users[admin].user.exec.args` has an option that Landfall does not know (item 3): remove it
    `users[admin].user.exec.args` names a profile of the AWS CLI, and the function has none, but its own role: remove it. Where the profile stands for another role, name that by `--role-arn` (`--role` for `aws-iam-authenticator`)
    `users[admin].user.exec.args` or `exec.env` has a region that is not the name of one
    `users[admin].user.exec.args` has a role that is not the ARN of a role
    `contexts[demo].context.user` names `admin`, which the kubeconfig does not have
    `clusters` is missing
    `clusters[prod].cluster.proxy-url` is the address of a SOCKS proxy, which Landfall does not support: give an HTTP proxy, http://host:port or https://host:port
    ");
}

#[test]
fn each_error_ends_with_one_next_step_and_its_section() {
    let known = || vec!["demo".to_owned()];
    let errors = [
        KubeconfigError::Other(OtherText::Token),
        KubeconfigError::TooLong,
        KubeconfigError::Syntax { line: 4 },
        KubeconfigError::Duplicate {
            line: 4,
            field: Some("token"),
        },
        KubeconfigError::SeveralDocuments,
        KubeconfigError::NoContext,
        KubeconfigError::NoCurrentContext { known: known() },
        KubeconfigError::UnknownContext {
            name: "x".into(),
            is_current: true,
            known: known(),
        },
    ];
    for error in errors {
        let message = message(&error);
        assert!(
            message.ends_with(" See docs/operations.md, kubeconfig."),
            "{message}"
        );
        let steps = ["retry the stage", "release the change again"];
        let steps = steps.iter().map(|step| message.matches(step).count());
        assert_eq!(steps.sum::<usize>(), 1, "{message}");
    }
}
