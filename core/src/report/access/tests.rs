use super::*;
use crate::tests::{locked_out, time};
use insta::assert_snapshot;

fn place() -> CredentialSource {
    let region = Some("eu-central-1");
    let place = ParameterPlace::new("k8s-bear-token", Some("111122223333"), region);
    CredentialSource::Parameter(place)
}

#[test]
fn a_refused_token_is_told_with_its_own_time() {
    let now = time("2026-01-01T12:00:00Z");
    let lives = [
        Life::OfEks,
        Life::Until(time("2026-01-01T09:00:00Z")),
        Life::Until(time("2026-01-02T12:00:00Z")),
        Life::Endless,
        Life::Unknown,
    ];
    let told = lives.map(|life| {
        let next = store_another(&place(), Some(life));
        let token = RefusedToken {
            life,
            identity: None,
            at: now,
        };
        format!("{}\n  {next}", refused_token(&place(), &token))
    });
    assert_snapshot!(told.join("\n"), @r"
    The token is from SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1). It was issued by `aws eks get-token`; such tokens are valid for 15 minutes.
      Store the token of a ServiceAccount in SSM parameter `k8s-bear-token`, then retry the stage. The parameter was read again, and its token was refused as well.
    The token is from SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1). It expired at 2026-01-01T09:00:00Z (3 h ago).
      Store a valid token of this cluster in SSM parameter `k8s-bear-token`, then retry the stage. The parameter was read again, and its token was refused as well.
    The token is from SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1). Its own expiry is 2026-01-02T12:00:00Z (in 24 h), so it was revoked (its ServiceAccount or Secret was deleted) or is for another cluster.
      Store a valid token of this cluster in SSM parameter `k8s-bear-token`, then retry the stage. The parameter was read again, and its token was refused as well.
    The token is from SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1). It has no expiry, so it was revoked (its ServiceAccount or Secret was deleted) or is for another cluster.
      Store a valid token of this cluster in SSM parameter `k8s-bear-token`, then retry the stage. The parameter was read again, and its token was refused as well.
    The token is from SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1). It is not a JWT, as a ServiceAccount's token is, and does not say when it expires.
      Store a valid token of this cluster in SSM parameter `k8s-bear-token`, then retry the stage. The parameter was read again, and its token was refused as well.
    ");
}

#[test]
fn a_refused_token_is_told_by_whose_it_is() {
    let told = [
        (
            "https://oidc.eks.eu-central-1.amazonaws.com/id/0A",
            "system:serviceaccount:shop:deployer",
            vec!["https://kubernetes.default.svc"],
        ),
        (
            "https://oidc.eks.eu-central-1.amazonaws.com/id/0A",
            "system:serviceaccount:shop:web",
            vec!["sts.amazonaws.com"],
        ),
        (
            "kubernetes/serviceaccount",
            "system:serviceaccount:shop:deployer",
            vec![],
        ),
        ("", "", vec!["a", "b", "c", "d"]),
    ]
    .map(|(issuer, subject, audiences)| {
        let identity = Identity {
            issuer: issuer.into(),
            subject: subject.into(),
            audiences: audiences.into_iter().map(str::to_owned).collect(),
            begins: None,
        };
        whose(&identity)
    });
    assert_snapshot!(told.join("\n"), @"
    It names the subject `system:serviceaccount:shop:deployer`, the issuer `https://oidc.eks.eu-central-1.amazonaws.com/id/0A` and the audience `https://kubernetes.default.svc`.
    It names the subject `system:serviceaccount:shop:web`, the issuer `https://oidc.eks.eu-central-1.amazonaws.com/id/0A` and the audience `sts.amazonaws.com`: it is for AWS, and no cluster accepts it.
    It names the subject `system:serviceaccount:shop:deployer` and the issuer `kubernetes/serviceaccount`.
    It names the audience `a`, `b` and `c`.
    ");
}

#[test]
fn each_cause_has_one_next_step() {
    let name = || "k8s-bear-token".to_owned();
    let errors = [
        CredentialsError::Missing("`k8s-bear-token`".into()),
        CredentialsError::Missing("`k8s-bear-token:9`".into()),
        CredentialsError::Denied("ssm:GetParameters", "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not authorized to perform: ssm:GetParameters because no identity-based policy allows it".into()),
        CredentialsError::Denied("ssm:GetParameters", "AccessDeniedException: … because no VPC endpoint policy allows the ssm:GetParameters action".into()),
        CredentialsError::Denied("ssm:GetParameters", "AccessDeniedException: … with an explicit deny in a service control policy".into()),
        CredentialsError::KeyDenied("kms:Decrypt", "AccessDeniedException: …".into()),
        CredentialsError::KeyUnusable(KeyFault::Disabled, "InvalidKeyId: …".into()),
        CredentialsError::KeyUnusable(KeyFault::PendingDeletion, "InvalidKeyId: …".into()),
        CredentialsError::KeyUnusable(KeyFault::Other, "InvalidKeyId: …".into()),
        CredentialsError::NotSigned("ExpiredTokenException: …".into()),
        CredentialsError::Throttled("ThrottlingException: Rate exceeded".into()),
        CredentialsError::Broken("InternalServerError: …".into()),
        CredentialsError::Refused("ValidationException: no".into()),
        CredentialsError::Unreachable("`ssm.eu-central-1.amazonaws.com`: nothing answered, and no connection came about (tried 6 times)".into()),
        CredentialsError::Unreachable("AWS_CA_BUNDLE /ca.pem: there is no such file".into()),
        CredentialsError::NoToken(name(), "is empty"),
        CredentialsError::Expired(name(), time("2026-01-01T09:00:00Z"), Duration::from_secs(3 * 3600)),
        CredentialsError::Ca("SSM parameter `ca` holds neither PEM nor base64 of it".into()),
    ];
    let told = errors.map(|error| {
        let report = locked_out(&error, &place());
        let crate::report::Report::Failure {
            failure_type,
            message,
            ..
        } = report
        else {
            panic!("it is a failure")
        };
        format!(
            "{}: {}",
            failure_type.name(),
            message.replace("\n\n", "\n  ")
        )
    });
    assert_snapshot!(told.join("\n"), @r"
    ConfigurationError: There is no access to the cluster: SSM has no parameter `k8s-bear-token`.
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Store it in that region under this name, or correct K8S_TOKEN_PARAMETER or K8S_CA_PARAMETER, then retry the stage. `aws ssm get-parameter-history --region eu-central-1 --name k8s-bear-token --query 'Parameters[].[Version,Labels]'` lists what is there. See docs/operations.md, credentials.
    ConfigurationError: There is no access to the cluster: SSM has no parameter `k8s-bear-token:9`: there is none of this name, or none of its versions has this number or label.
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Store it in that region under this name, or correct K8S_TOKEN_PARAMETER or K8S_CA_PARAMETER, then retry the stage. `aws ssm get-parameter-history --region eu-central-1 --name k8s-bear-token --query 'Parameters[].[Version,Labels]'` lists what is there. See docs/operations.md, credentials.
    PermissionError: There is no access to the cluster: AWS denies ssm:GetParameters (AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not authorized to perform: ssm:GetParameters because no identity-based policy allows it).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Allow ssm:GetParameters on the parameter to the function's role, then retry the stage. See docs/operations.md, credentials.
    PermissionError: There is no access to the cluster: AWS denies ssm:GetParameters (AccessDeniedException: … because no VPC endpoint policy allows the ssm:GetParameters action).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Allow ssm:GetParameters in the policy of the VPC endpoint to SSM, then retry the stage. See docs/operations.md, credentials.
    PermissionError: There is no access to the cluster: AWS denies ssm:GetParameters (AccessDeniedException: … with an explicit deny in a service control policy).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Have the policies of the AWS organization allow ssm:GetParameters, then retry the stage. See docs/operations.md, credentials.
    PermissionError: There is no access to the cluster: AWS denies kms:Decrypt (AccessDeniedException: …).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Allow kms:Decrypt on the parameter's key to the function's role, in the role's policy and in the key's own, then retry the stage. See docs/operations.md, credentials.
    ConfigurationError: There is no access to the cluster: the KMS key of an SSM parameter is disabled (InvalidKeyId: …).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Enable the key (`aws kms enable-key`), then retry the stage. See docs/operations.md, credentials.
    ConfigurationError: There is no access to the cluster: the KMS key of an SSM parameter is about to be deleted (InvalidKeyId: …).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Cancel the deletion of the key and enable it (`aws kms cancel-key-deletion`, `aws kms enable-key`), or store the value again under another one, then retry the stage. See docs/operations.md, credentials.
    ConfigurationError: There is no access to the cluster: the KMS key of an SSM parameter cannot be used (InvalidKeyId: …).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Store the value again under a key that can be used (`aws ssm put-parameter --overwrite --key-id`), then retry the stage. See docs/operations.md, credentials.
    PermissionError: There is no access to the cluster: AWS does not accept the function's own credentials (ExpiredTokenException: …).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Retry the stage: Lambda renews these credentials. If this happens again, the function's role was deleted or created again: deploy the function again. See docs/operations.md, credentials.
    SystemUnavailable: There is no access to the cluster: SSM throttles the calls of this account (ThrottlingException: Rate exceeded).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Retry the stage. Where many deploys begin at once, raise the throughput of Parameter Store (`aws ssm update-service-setting --setting-id /ssm/parameter-store/high-throughput-enabled --setting-value true`). See docs/operations.md, credentials.
    SystemUnavailable: There is no access to the cluster: SSM could not answer just now (InternalServerError: …).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Retry the stage when SSM is healthy again. See docs/operations.md, credentials.
    ConfigurationError: There is no access to the cluster: SSM refused the call (ValidationException: no).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Correct the parameter or the function's environment, then retry the stage. See docs/operations.md, credentials.
    SystemUnavailable: There is no access to the cluster: SSM could not be reached: `ssm.eu-central-1.amazonaws.com`: nothing answered, and no connection came about (tried 6 times).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Retry the stage. A function in a VPC needs a NAT gateway, or the interface endpoint `com.amazonaws.eu-central-1.ssm` with a security group that lets port 443 in. See docs/operations.md, credentials.
    SystemUnavailable: There is no access to the cluster: SSM could not be reached: AWS_CA_BUNDLE /ca.pem: there is no such file.
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Correct the function's environment variables, then retry the stage. See docs/operations.md, credentials.
    ConfigurationError: There is no access to the cluster: the token in SSM parameter `k8s-bear-token` is empty.
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Store the token itself in SSM parameter `k8s-bear-token`, then retry the stage. See docs/operations.md, credentials.
    PermissionError: There is no access to the cluster: the token in SSM parameter `k8s-bear-token` expired at 2026-01-01T09:00:00Z (3 h ago).
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Store a valid token in SSM parameter `k8s-bear-token`, then retry the stage. Where it is renewed by a schedule, the function's log says why the last renewals failed. See docs/operations.md, credentials.
    ConfigurationError: There is no access to the cluster: the cluster's CA cannot be used: SSM parameter `ca` holds neither PEM nor base64 of it.
      The token is kept in SSM parameter `k8s-bear-token` (account 111122223333, region eu-central-1).
      Store the cluster's CA as PEM, or as base64 of it, in K8S_CA or the parameter that K8S_CA_PARAMETER names, then retry the stage. See docs/operations.md, credentials.
    ");
}

#[test]
fn a_name_is_told_without_its_version() {
    for (name, expected) in [
        ("t", "t"),
        ("t:9", "t"),
        ("/a/t:live", "/a/t"),
        ("arn:aws:ssm:r:1:parameter/t", "arn:aws:ssm:r:1:parameter/t"),
        (
            "arn:aws:ssm:r:1:parameter/a/t:9",
            "arn:aws:ssm:r:1:parameter/a/t",
        ),
    ] {
        assert_eq!(without_selector(name), expected);
    }
}
