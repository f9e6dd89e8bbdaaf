use super::*;
use crate::formats::certificate::CertificateError;
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::contact::{CertificateFault, Unreached, UnreachedCause, Untrusted};
use crate::kubernetes::resource::DEPLOYMENTS;
use crate::kubernetes::token::Life;
use crate::kubernetes::{CallError, Refusal, RefusedToken};
use crate::outcome::{
    CredentialsError, EksNetwork, EksPlace, KubeconfigPlace, ParameterPlace, UserKind,
};
use crate::report::{MESSAGE_LIMIT, Report, call_failed, failure};
use crate::state::continuation::Continuation;
use crate::strategy::Failure;
use crate::tests::{at, request};
use insta::assert_snapshot;
use serde_json::json;
use std::time::Duration;

const CANARY: &str = "c4n4ry-external-id";

fn refused_token(life: Life, at: jiff::Timestamp) -> Box<RefusedToken> {
    Box::new(RefusedToken {
        life,
        identity: None,
        at,
    })
}

fn cluster() -> EksCluster {
    EksCluster::read("arn:aws:eks:eu-central-1:111122223333:cluster/prod").unwrap()
}

fn with_role() -> EksCluster {
    let arn = "arn:aws:iam::444455556666:role/ci/deployer";
    let role = AssumedRole {
        external_id: Some(CANARY.into()),
        ..AssumedRole::read(arn).unwrap()
    };
    EksCluster {
        role: Some(role),
        ..cluster()
    }
}

fn by_eks(cluster: EksCluster, network: Option<EksNetwork>) -> CredentialSource {
    CredentialSource::Eks(EksPlace { cluster, network })
}

fn by_kubeconfig(user: Option<UserKind>) -> CredentialSource {
    let (account, region) = (Some("111122223333"), Some("eu-central-1"));
    CredentialSource::Kubeconfig(KubeconfigPlace {
        parameter: ParameterPlace::new("kubeconfig", account, region),
        context: user.as_ref().map(|_| "prod".to_owned()),
        user,
    })
}

/// The report in one line a part; it keeps to its limit, ends with its section, and has no secret.
fn shown(report: &Report) -> String {
    let Report::Failure {
        failure_type,
        code,
        message,
    } = report
    else {
        panic!("it is a failure")
    };
    assert!(message.len() <= MESSAGE_LIMIT, "{message}");
    let section = format!("See docs/operations.md, {}.", code.anchor());
    assert!(message.ends_with(&section), "{message}");
    assert!(!message.contains(CANARY), "{message}");
    let message = message.replace(&section, &format!("({})", code.anchor()));
    format!(
        "{}: {}\n",
        failure_type.name(),
        message.replace("\n\n", "\n  ")
    )
}

fn locked_out(source: &CredentialSource, errors: impl IntoIterator<Item = EksError>) -> String {
    let report = |error| crate::tests::locked_out(&CredentialsError::Eks(error), source);
    errors
        .into_iter()
        .map(|error| shown(&report(error)))
        .collect()
}

fn call(source: &CredentialSource, error: CallError) -> String {
    let fields = json!({"deployment": "web", "namespace": "shop", "images": {"app": "app:2"}});
    let begun = Continuation::begin("job-1", at(0), Duration::from_secs(900));
    let patch = Call::strategic_patch(&DEPLOYMENTS, "shop", "web", json!({}));
    let request = request("job-1", &fields);
    shown(&call_failed(&request, &begun, &patch, &error, None, source))
}

fn refused(code: u16, message: &str) -> CallError {
    CallError::Refused(Refusal {
        code,
        message: message.into(),
        is_status: true,
        token: (code == 401).then(|| refused_token(Life::OfEks, at(0))),
        ..Refusal::default()
    })
}

fn forbidden(user: &str) -> CallError {
    refused(
        403,
        &format!(
            "deployments.apps \"web\" is forbidden: User \"{user}\" cannot patch resource \
             \"deployments\" in API group \"apps\" in the namespace \"shop\""
        ),
    )
}

fn describe(fault: AwsFault) -> EksError {
    EksError::Call(EksCall::DescribeCluster, fault)
}

fn assume(fault: AwsFault) -> EksError {
    let role = "arn:aws:iam::444455556666:role/ci/deployer";
    EksError::Call(EksCall::AssumeRole(role.into()), fault)
}

const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/landfall/landfall";

fn denied(right: &str, on: &str, why: &str) -> AwsFault {
    let said = format!(
        "AccessDenied: User: {SESSION} is not authorized to perform: {right} on resource: {on}{why}"
    );
    AwsFault::Denied(said)
}

#[test]
fn a_cluster_that_is_not_there() {
    let status = |status: &str| EksError::NotActive(status.into());
    let source = by_eks(cluster(), None);
    let told = locked_out(
        &source,
        [
            EksError::NoCluster,
            status("CREATING"),
            status("PENDING"),
            status("DELETING"),
            status("FAILED"),
            status("NEW\nSTATUS"),
            EksError::NoEndpoint,
            EksError::Ca(CertificateError::NoPem),
        ],
    );
    assert_snapshot!(told, @r"
    ConfigurationError: There is no access to the cluster: EKS has no cluster of this name.
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Correct EKS_CLUSTER, then retry the stage (`aws eks list-clusters --region eu-central-1` lists what is there). A cluster of another region is named by its ARN; one of another account also needs a role of that account in EKS_ROLE. (eks-cluster)
    ConfigurationError: There is no access to the cluster: the cluster is still being made (status CREATING).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Wait until it is active (`aws eks wait cluster-active --region eu-central-1 --name prod`), then retry the stage. (eks-cluster)
    ConfigurationError: There is no access to the cluster: the cluster is still being made (status PENDING).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Wait until it is active (`aws eks wait cluster-active --region eu-central-1 --name prod`), then retry the stage. (eks-cluster)
    ConfigurationError: There is no access to the cluster: the cluster is being deleted (status DELETING).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Name another cluster in EKS_CLUSTER, or make this one again when it is gone. Then retry the stage. (eks-cluster)
    ConfigurationError: There is no access to the cluster: the cluster could not be made (status FAILED).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      `aws eks describe-cluster --region eu-central-1 --name prod --query cluster.health` says why. Delete it and make it again, then retry the stage. (eks-cluster)
    ConfigurationError: There is no access to the cluster: the cluster is not active: its status is `NEW STATUS`.
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Wait until it is active (`aws eks wait cluster-active --region eu-central-1 --name prod`), then retry the stage. (eks-cluster)
    ConfigurationError: There is no access to the cluster: EKS knows no API server of the cluster, as of one that is only registered with it.
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Open it by a token in SSM (K8S_CLUSTER) or by a kubeconfig with a token (KUBECONFIG_PARAMETER) instead of EKS_CLUSTER, then retry the stage. (eks-cluster)
    ConfigurationError: There is no access to the cluster: the CA that EKS has of the cluster cannot be used: it is neither a PEM certificate nor base64 of one.
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Retry the stage. If this happens again, `aws eks describe-cluster --region eu-central-1 --name prod --query cluster.certificateAuthority` shows what EKS answers: whatever stands between the function and EKS may change it. (eks-cluster)
    ");
    let nowhere = by_eks(EksCluster::read("prod").unwrap(), None);
    let name = "`eks.eu-cental-1.amazonaws.com`: its name could not be resolved (tried 6 times)";
    let unknown = [
        EksError::NoRegion,
        describe(AwsFault::Unreachable(name.into())),
        EksError::Call(
            EksCall::GetCallerIdentity,
            AwsFault::Refused("the SDK knows no address of STS in x".into()),
        ),
    ];
    assert_snapshot!(locked_out(&nowhere, unknown), @r"
    ConfigurationError: There is no access to the cluster: the region of the cluster is not known.
      The function opens EKS cluster `prod` by its own role (IAM).
      Name the cluster by its ARN in EKS_CLUSTER (arn:aws:eks:REGION:ACCOUNT:cluster/NAME), then retry the stage. (eks-cluster)
    SystemUnavailable: There is no access to the cluster: AWS could not be reached for eks:DescribeCluster: `eks.eu-cental-1.amazonaws.com`: its name could not be resolved (tried 6 times).
      The function opens EKS cluster `prod` by its own role (IAM).
      If AWS has no region REGION, correct it in EKS_CLUSTER. Otherwise let the function's VPC resolve names (`enableDnsSupport`). Then retry the stage. (describe-cluster)
    ConfigurationError: There is no access to the cluster: AWS refused the signature of sts:GetCallerIdentity (the SDK knows no address of STS in x).
      The function opens EKS cluster `prod` by its own role (IAM).
      Correct EKS_CLUSTER or the function's environment, then retry the stage. (eks-cluster)
    ");
}

#[test]
fn eks_does_not_say_where_the_cluster_is() {
    let on = "arn:aws:eks:eu-central-1:111122223333:cluster/prod";
    let right = "eks:DescribeCluster";
    let said = |words: &str| words.to_owned();
    let told = locked_out(
        &by_eks(cluster(), None),
        [
            describe(denied(right, on, "")),
            describe(denied(
                right,
                on,
                " because no VPC endpoint policy allows it",
            )),
            describe(denied(
                right,
                on,
                " with an explicit deny in a service control policy",
            )),
            describe(denied(
                right,
                on,
                " with an explicit deny in an identity-based policy",
            )),
            describe(AwsFault::Denied(said("AccessDeniedException: no"))),
            describe(AwsFault::NotSigned(said("UnrecognizedClientException: …"))),
            describe(AwsFault::Clock(said(
                "InvalidSignatureException: Signature expired: …",
            ))),
            describe(AwsFault::Throttled(said("TooManyRequestsException: …"))),
            describe(AwsFault::Broken(said("ServerException: …"))),
            describe(AwsFault::Refused(said("InvalidParameterException: …"))),
            describe(AwsFault::Unreachable(said("no answer within 5 s"))),
            describe(AwsFault::Unreachable(said(
                "AWS_CA_BUNDLE /ca.pem: no such file",
            ))),
        ],
    );
    assert_snapshot!(told, @r"
    PermissionError: There is no access to the cluster: AWS denies eks:DescribeCluster (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:eu-central-1:111122223333:cluster/prod).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Allow eks:DescribeCluster on `arn:aws:eks:eu-central-1:111122223333:cluster/prod` to `arn:aws:iam::111122223333:role/landfall`, then retry the stage. (describe-cluster)
    PermissionError: There is no access to the cluster: AWS denies eks:DescribeCluster (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:eu-central-1:111122223333:cluster/prod because no VPC endpoint policy allows it).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Allow eks:DescribeCluster in the policy of the VPC endpoint to EKS, then retry the stage. (describe-cluster)
    PermissionError: There is no access to the cluster: AWS denies eks:DescribeCluster (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:eu-central-1:111122223333:cluster/prod with an explicit deny in a service control policy).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Have the policies of the AWS organization allow eks:DescribeCluster, then retry the stage. (describe-cluster)
    PermissionError: There is no access to the cluster: AWS denies eks:DescribeCluster (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:eu-central-1:111122223333:cluster/prod with an explicit deny in an identity-based policy).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Remove the statement that denies eks:DescribeCluster to `arn:aws:iam::111122223333:role/landfall`, then retry the stage. (describe-cluster)
    PermissionError: There is no access to the cluster: AWS denies eks:DescribeCluster (AccessDeniedException: no).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Allow eks:DescribeCluster on `arn:aws:eks:eu-central-1:111122223333:cluster/prod` to the function's role, then retry the stage. (describe-cluster)
    PermissionError: There is no access to the cluster: AWS does not accept the function's own credentials for eks:DescribeCluster (UnrecognizedClientException: …).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Retry the stage: Lambda renews these credentials. If this happens again, the function's role was deleted or made anew (deploy the function again), or the account has not enabled region eu-central-1. (describe-cluster)
    SystemUnavailable: There is no access to the cluster: AWS refuses eks:DescribeCluster, as the clocks of the function and of AWS differ (InvalidSignatureException: Signature expired: …).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Retry the stage. Lambda sets this clock: if this happens again, deploy the function again, so that it runs on another machine. (clock)
    SystemUnavailable: There is no access to the cluster: AWS throttles eks:DescribeCluster (TooManyRequestsException: …).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Retry the stage, and let fewer deploys begin at once: this account calls EKS in eu-central-1 too often. (describe-cluster)
    SystemUnavailable: There is no access to the cluster: AWS could not answer eks:DescribeCluster just now (ServerException: …).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Retry the stage when EKS is healthy again in eu-central-1. (describe-cluster)
    ConfigurationError: There is no access to the cluster: AWS refused eks:DescribeCluster (InvalidParameterException: …).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Correct EKS_CLUSTER or the function's environment, then retry the stage. (describe-cluster)
    SystemUnavailable: There is no access to the cluster: AWS could not be reached for eks:DescribeCluster: no answer within 5 s.
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Retry the stage. A function in a VPC needs a NAT gateway, or the interface endpoint `com.amazonaws.eu-central-1.eks` with a security group that lets port 443 in. (describe-cluster)
    SystemUnavailable: There is no access to the cluster: AWS could not be reached for eks:DescribeCluster: AWS_CA_BUNDLE /ca.pem: no such file.
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Correct the function's environment variables, then retry the stage. (describe-cluster)
    ");
    let by_role = locked_out(
        &by_eks(with_role(), None),
        [describe(AwsFault::Denied(said(
            "AccessDeniedException: no",
        )))],
    );
    assert_snapshot!(by_role, @r"
    PermissionError: There is no access to the cluster: AWS denies eks:DescribeCluster (AccessDeniedException: no).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes.
      Allow eks:DescribeCluster on `arn:aws:eks:eu-central-1:111122223333:cluster/prod` to `arn:aws:iam::444455556666:role/ci/deployer`, then retry the stage. (describe-cluster)
    ");
}

#[test]
fn a_role_that_cannot_be_assumed() {
    let role = "arn:aws:iam::444455556666:role/ci/deployer";
    let right = "sts:AssumeRole";
    let identity = " because no identity-based policy allows the sts:AssumeRole action";
    let trust = " because no resource-based policy allows the sts:AssumeRole action";
    let disabled = "RegionDisabledException: STS is not activated in this region";
    let errors = || {
        [
            assume(denied(right, role, "")),
            assume(denied(right, role, identity)),
            assume(denied(right, role, trust)),
        ]
    };
    assert_snapshot!(locked_out(&by_eks(with_role(), None), errors()), @r"
    PermissionError: There is no access to the cluster: AWS denies sts:AssumeRole of `arn:aws:iam::444455556666:role/ci/deployer` (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/ci/deployer).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes.
      Two policies must allow sts:AssumeRole: that of `arn:aws:iam::111122223333:role/landfall` on `arn:aws:iam::444455556666:role/ci/deployer`, and the trust policy of that role to `arn:aws:iam::111122223333:role/landfall` (`aws iam get-role --role-name deployer --query Role.AssumeRolePolicyDocument`); its `sts:ExternalId` must be the one that the function gives. AWS denies a role that does not exist as well. Then retry the stage. (assume-role)
    PermissionError: There is no access to the cluster: AWS denies sts:AssumeRole of `arn:aws:iam::444455556666:role/ci/deployer` (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/ci/deployer because no identity-based policy allows the sts:AssumeRole action).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes.
      Allow sts:AssumeRole on `arn:aws:iam::444455556666:role/ci/deployer` to `arn:aws:iam::111122223333:role/landfall` in its own policy, then retry the stage. (assume-role)
    PermissionError: There is no access to the cluster: AWS denies sts:AssumeRole of `arn:aws:iam::444455556666:role/ci/deployer` (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/landfall/landfall is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/ci/deployer because no resource-based policy allows the sts:AssumeRole action).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes.
      Allow sts:AssumeRole to `arn:aws:iam::111122223333:role/landfall` in the trust policy of `arn:aws:iam::444455556666:role/ci/deployer`; its `sts:ExternalId` must be the one that the function gives, then retry the stage. (assume-role)
    ");
    let others = [
        assume(AwsFault::Refused(disabled.into())),
        assume(AwsFault::Unreachable("no answer within 5 s".into())),
        EksError::TokenTooLong(4100),
    ];
    assert_snapshot!(locked_out(&by_eks(with_role(), None), others), @r"
    ConfigurationError: There is no access to the cluster: AWS refused sts:AssumeRole of `arn:aws:iam::444455556666:role/ci/deployer` (RegionDisabledException: STS is not activated in this region).
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes.
      Activate STS in eu-central-1 for the account (IAM console, Account settings), then retry the stage. (assume-role)
    SystemUnavailable: There is no access to the cluster: AWS could not be reached for sts:AssumeRole of `arn:aws:iam::444455556666:role/ci/deployer`: no answer within 5 s.
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes.
      Retry the stage. A function in a VPC needs a NAT gateway, or the interface endpoint `com.amazonaws.eu-central-1.sts` with a security group that lets port 443 in. (assume-role)
    ConfigurationError: There is no access to the cluster: the token has 4100 bytes, and EKS accepts 4096: the session of the role is too large.
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes.
      Let the session of the role be smaller (its `MinimumSessionTokenSize`), or open the cluster by a token in SSM (K8S_CLUSTER). Then retry the stage. (token-too-long)
    ");
    let mut without_id = with_role();
    without_id.role.as_mut().unwrap().external_id = None;
    let told = locked_out(&by_eks(without_id, None), errors());
    assert_eq!(told.matches("EKS_EXTERNAL_ID").count(), 2, "{told}");
    let own = locked_out(&by_eks(cluster(), None), [EksError::TokenTooLong(4100)]);
    assert_snapshot!(own, @r"
    ConfigurationError: There is no access to the cluster: the token has 4100 bytes, and EKS accepts 4096: the session of the role is too large.
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM).
      Let the function assume a role by EKS_ROLE, whose session is its own and smaller; the access entry is that role's then. Then retry the stage. (token-too-long)
    ");
    let kubeconfig = by_kubeconfig(Some(UserKind::Eks(with_role())));
    assert_snapshot!(locked_out(&kubeconfig, [EksError::NoRegion, EksError::NoCluster]), @r"
    ConfigurationError: There is no access to the cluster: the region of the cluster is not known.
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`. The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes.
      Give the cluster's region in the `exec` stanza of the kubeconfig's user (`--region`), and store the kubeconfig again. Then retry the stage. (eks-cluster)
    ConfigurationError: There is no access to the cluster: EKS has no cluster of this name.
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`. The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes.
      Correct name, region and role in the `exec` stanza of the kubeconfig's user (`aws eks list-clusters --region eu-central-1` lists what is there) and store the kubeconfig again. Then retry the stage. (eks-cluster)
    ");
}

#[test]
fn a_role_that_is_not_let_in() {
    let unauthorized = || refused(401, "Unauthorized");
    let told = [
        by_eks(cluster(), None),
        by_eks(with_role(), None),
        by_kubeconfig(Some(UserKind::Eks(cluster()))),
    ]
    .map(|source| call(&source, unauthorized()));
    assert_snapshot!(told.concat(), @r#"
    PermissionError: Deployment `web` in `shop` was not changed: the cluster does not let the function's role in (HTTP 401, "Unauthorized").
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM). The token was made anew, and was refused as well.
      See whether the cluster has an access entry for the role (ROLE_ARN is the ARN of the function's role): `aws eks describe-access-entry --region eu-central-1 --cluster-name prod --principal-arn ROLE_ARN`. If there is none, `aws eks create-access-entry --region eu-central-1 --cluster-name prod --principal-arn ROLE_ARN --kubernetes-groups landfall` makes it. If there is one, the role was deleted and made anew under its old ARN, and EKS keeps the id of the former one: delete the entry (`aws eks delete-access-entry` with the same options) and make it again. Then retry the stage. (role-refused)
    PermissionError: Deployment `web` in `shop` was not changed: the cluster does not let the function's role in (HTTP 401, "Unauthorized").
      The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by IAM, with the role `arn:aws:iam::444455556666:role/ci/deployer`, which it assumes. The token was made anew, and was refused as well.
      See whether the cluster has an access entry for the role: `aws eks describe-access-entry --region eu-central-1 --cluster-name prod --principal-arn arn:aws:iam::444455556666:role/ci/deployer`. If there is none, `aws eks create-access-entry --region eu-central-1 --cluster-name prod --principal-arn arn:aws:iam::444455556666:role/ci/deployer --kubernetes-groups landfall` makes it. If there is one, the role was deleted and made anew under its old ARN, and EKS keeps the id of the former one: delete the entry (`aws eks delete-access-entry` with the same options) and make it again. Then retry the stage. (role-refused)
    PermissionError: Deployment `web` in `shop` was not changed: the cluster does not let the function's role in (HTTP 401, "Unauthorized").
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`. The function opens EKS cluster `prod` (account 111122223333, region eu-central-1) by its own role (IAM). The token was made anew, and was refused as well.
      See whether the cluster has an access entry for the role (ROLE_ARN is the ARN of the function's role): `aws eks describe-access-entry --region eu-central-1 --cluster-name prod --principal-arn ROLE_ARN`. If there is none, `aws eks create-access-entry --region eu-central-1 --cluster-name prod --principal-arn ROLE_ARN --kubernetes-groups landfall` makes it. If there is one, the role was deleted and made anew under its old ARN, and EKS keeps the id of the former one: delete the entry (`aws eks delete-access-entry` with the same options) and make it again. Then retry the stage. (role-refused)
    "#);
    let told = [
        call(&by_eks(cluster(), None), forbidden(SESSION)),
        call(&by_eks(with_role(), None), forbidden("landfall")),
        call(
            &by_kubeconfig(Some(UserKind::Eks(cluster()))),
            forbidden(&format!(
                "arn:aws:sts::1:assumed-role/$(reboot)/{}",
                "x\n".repeat(2000)
            )),
        ),
        call(&by_eks(cluster(), None), forbidden("system:anonymous")),
    ];
    for told in &told {
        assert!(!told.contains("ServiceAccount"), "{told}");
        assert!(
            !told.contains("--principal-arn arn:aws:iam::1:role/$("),
            "{told}"
        );
    }
    assert_snapshot!(told[..2].concat(), @r#"
    PermissionError: Deployment `web` in `shop` was not changed: the function's role may not patch deployments.apps (HTTP 403, "deployments.apps "web" is forbidden: User "arn:aws:sts::111122223333:assumed-role/landfall/landfall" cannot patch resource "deployments" in API group "apps" in the namespace "shop"").
      The cluster takes the function for user `arn:aws:sts::111122223333:assumed-role/landfall/landfall`.
      Either its access entry lacks the group `landfall`, or no RoleBinding in `shop` gives this group the verb. `kubectl --namespace shop auth can-i patch deployments.apps --as landfall --as-group landfall` tells which: on `yes` run `aws eks update-access-entry --region eu-central-1 --cluster-name prod --principal-arn arn:aws:iam::111122223333:role/landfall --kubernetes-groups landfall`, on `no` apply the Roles in `shop` (deploy/rbac.yaml has all verbs that are needed). Then retry the stage. (group-missing)
    PermissionError: Deployment `web` in `shop` was not changed: the function's role may not patch deployments.apps (HTTP 403, "deployments.apps "web" is forbidden: User "landfall" cannot patch resource "deployments" in API group "apps" in the namespace "shop"").
      The cluster takes the function for user `landfall`.
      Either its access entry lacks the group `landfall`, or no RoleBinding in `shop` gives this group the verb. `kubectl --namespace shop auth can-i patch deployments.apps --as landfall --as-group landfall` tells which: on `yes` run `aws eks update-access-entry --region eu-central-1 --cluster-name prod --principal-arn arn:aws:iam::444455556666:role/ci/deployer --kubernetes-groups landfall`, on `no` apply the Roles in `shop` (deploy/rbac.yaml has all verbs that are needed). Then retry the stage. (group-missing)
    "#);
    assert_snapshot!(told[3], @r#"
    PermissionError: Deployment `web` in `shop` was not changed: the bearer token did not reach the API server, which took the call to patch deployments.apps for one of `system:anonymous` (HTTP 403, "deployments.apps "web" is forbidden: User "system:anonymous" cannot patch resource "deployments" in API group "apps" in the namespace "shop"").
      Whatever stands between the function and the API server (a proxy, or a load balancer that ends TLS) removes the `Authorization` header: let the function reach the API server without it, then retry the stage. No permission is missing; do not grant one to `system:anonymous`. (token-lost)
    "#);
    let fields = json!({"deployment": "web", "namespace": "shop", "images": {"app": "app:2"}});
    let missing = Failure::Forbidden(vec![Permission::scale()]);
    let source = by_eks(cluster(), None);
    let told = failure(&request("job-1", &fields), &missing, &source);
    assert_snapshot!(shown(&told), @r"
    PermissionError: Deployment `web` in `shop` was not changed: the function's role may not patch horizontalpodautoscalers.autoscaling.
      Either its access entry lacks the group `landfall`, or no RoleBinding in `shop` gives this group the verb. `kubectl --namespace shop auth can-i patch horizontalpodautoscalers.autoscaling --as landfall --as-group landfall` tells which: on `yes` run `aws eks update-access-entry --region eu-central-1 --cluster-name prod --principal-arn ROLE_ARN --kubernetes-groups landfall` (ROLE_ARN is the ARN of the function's role), on `no` apply the Roles in `shop` (deploy/rbac.yaml has all verbs that are needed). Then retry the stage. (group-missing)
    ");
}

#[test]
fn a_user_of_a_kubeconfig_that_is_not_let_in() {
    let unauthorized = |life| {
        CallError::Refused(Refusal {
            code: 401,
            message: "Unauthorized".into(),
            is_status: true,
            token: Some(refused_token(life, at(7200))),
            ..Refusal::default()
        })
    };
    let alert = Unreached::new(UnreachedCause::CertificateRefused, "10.0.0.1:6443".into());
    let of_user = |user, error| call(&by_kubeconfig(Some(user)), error);
    let told = [
        of_user(UserKind::Token, unauthorized(Life::Until(at(3600)))),
        of_user(UserKind::Token, unauthorized(Life::OfEks)),
        of_user(UserKind::Certificate, unauthorized(Life::Unknown)),
        of_user(
            UserKind::Certificate,
            CallError::Unreachable(Box::new(alert)),
        ),
        of_user(UserKind::Certificate, forbidden("kubernetes-admin")),
        of_user(UserKind::Certificate, forbidden("system:anonymous")),
    ];
    assert_snapshot!(told.concat(), @r#"
    PermissionError: Deployment `web` in `shop` was not changed: the cluster does not accept the bearer token (HTTP 401, "Unauthorized").
      The token is from context `prod` of the kubeconfig in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). It expired at 2026-01-01T01:00:00Z (1 h ago).
      Store in SSM parameter `kubeconfig` a kubeconfig with a valid token of this cluster, then retry the stage. The parameter was read again, and what it holds was refused as well. (token-refused)
    PermissionError: Deployment `web` in `shop` was not changed: the cluster does not accept the bearer token (HTTP 401, "Unauthorized").
      The token is from context `prod` of the kubeconfig in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). It was issued by `aws eks get-token`; such tokens are valid for 15 minutes.
      Store in SSM parameter `kubeconfig` a kubeconfig with an `exec` stanza that runs `aws eks get-token` in the place of such a token, then retry the stage. The parameter was read again, and what it holds was refused as well. (token-refused)
    PermissionError: Deployment `web` in `shop` was not changed: the cluster does not accept the client certificate (HTTP 401, "Unauthorized").
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`.
      Store in SSM parameter `kubeconfig` a kubeconfig with a client certificate that the CA of this cluster's clients has signed, then retry the stage. The parameter was read again, and what it holds was refused as well. (client-certificate)
    PermissionError: Deployment `web` in `shop` was not changed: the cluster could not be reached at `10.0.0.1:6443`: it refused the client certificate (tried once).
      Store a kubeconfig whose client certificate is valid and signed by the CA that the server takes for clients, then retry the stage. (client-certificate)
    PermissionError: Deployment `web` in `shop` was not changed: the client certificate's user may not patch deployments.apps (HTTP 403, "deployments.apps "web" is forbidden: User "kubernetes-admin" cannot patch resource "deployments" in API group "apps" in the namespace "shop"").
      Grant the verb `patch` on `deployments.apps` to user `kubernetes-admin` by a Role and a RoleBinding in this namespace, then retry the stage; deploy/rbac.yaml has all verbs that are needed. (forbidden)
    PermissionError: Deployment `web` in `shop` was not changed: the client certificate did not reach the API server, which took the call to patch deployments.apps for one of `system:anonymous` (HTTP 403, "deployments.apps "web" is forbidden: User "system:anonymous" cannot patch resource "deployments" in API group "apps" in the namespace "shop"").
      Whatever stands between the function and the API server (a proxy, or a load balancer that ends TLS) removes the credential: set the kubeconfig's `server` to the API server itself, then retry the stage. No permission is missing; do not grant one to `system:anonymous`. (token-lost)
    "#);
    let name = || "`/aws/reference/secretsmanager/kubeconfig:live`".to_owned();
    let secret = "AccessDeniedException: User: x is not authorized to perform: \
                  secretsmanager:GetSecretValue on resource: kubeconfig";
    let hours = Duration::from_secs(7200);
    let errors = [
        CredentialsError::Missing("`kubeconfig`".into()),
        CredentialsError::Missing(name()),
        CredentialsError::Denied("ssm:GetParameters", secret.into()),
        CredentialsError::Expired("kubeconfig".into(), at(0), hours),
        CredentialsError::Ca("it is neither a PEM certificate nor base64 of one".into()),
        CredentialsError::ClientCertificate("does not fit its key"),
        CredentialsError::Proxy("is not a valid URL"),
    ];
    let source = by_kubeconfig(Some(UserKind::Certificate));
    let told = errors.map(|error| shown(&crate::tests::locked_out(&error, &source)));
    assert_snapshot!(told.concat(), @r"
    ConfigurationError: There is no access to the cluster: SSM has no parameter `kubeconfig`.
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`.
      Store it in that region under this name, or correct KUBECONFIG_PARAMETER, then retry the stage. `aws ssm get-parameter-history --region eu-central-1 --name kubeconfig --query 'Parameters[].[Version,Labels]'` lists what is there. (credentials)
    ConfigurationError: There is no access to the cluster: SSM has no parameter `/aws/reference/secretsmanager/kubeconfig:live`: there is none of this name, or none of its versions has this number or label.
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`.
      Store it in that region under this name, or correct KUBECONFIG_PARAMETER, then retry the stage. `aws secretsmanager list-secret-version-ids --region eu-central-1 --secret-id kubeconfig` lists what is there. (credentials)
    PermissionError: There is no access to the cluster: AWS denies ssm:GetParameters (AccessDeniedException: User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: kubeconfig).
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`.
      Allow secretsmanager:GetSecretValue on the secret to the function's role, then retry the stage. (credentials)
    PermissionError: There is no access to the cluster: the token in SSM parameter `kubeconfig` expired at 2026-01-01T00:00:00Z (2 h ago).
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`.
      Store in SSM parameter `kubeconfig` a kubeconfig with a valid token, then retry the stage. (credentials)
    ConfigurationError: There is no access to the cluster: the cluster's CA cannot be used: it is neither a PEM certificate nor base64 of one.
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`.
      Correct the cluster's `certificate-authority-data` in the kubeconfig and store it again, then retry the stage. (credentials)
    ConfigurationError: There is no access to the cluster: the client certificate of the kubeconfig does not fit its key.
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`.
      Correct the kubeconfig and store it again, then retry the stage. (client-certificate)
    ConfigurationError: There is no access to the cluster: the proxy of the kubeconfig is not a valid URL.
      The kubeconfig is kept in SSM parameter `kubeconfig` (account 111122223333, region eu-central-1). Its context is `prod`.
      Correct the kubeconfig and store it again, then retry the stage. (credentials)
    ");
}

fn network(public: bool, private: bool, blocks: &[&str]) -> EksNetwork {
    EksNetwork {
        public,
        private,
        public_blocks: blocks.iter().map(|block| (*block).to_owned()).collect(),
        vpc: Some("vpc-0123".into()),
    }
}

#[test]
fn an_api_server_that_takes_calls_from_elsewhere() {
    let unreached = |cause| {
        let host = "ABC.gr7.eu-central-1.eks.amazonaws.com:443".into();
        CallError::Unreachable(Box::new(Unreached::new(cause, host)))
    };
    let of = |network, cause| call(&by_eks(cluster(), network), unreached(cause));
    let open = || Some(network(true, true, &["203.0.113.0/24", "0.0.0.0/0"]));
    let told = [
        of(Some(network(false, true, &[])), UnreachedCause::Silent),
        of(
            Some(network(true, false, &["203.0.113.7/32"])),
            UnreachedCause::Silent,
        ),
        of(
            Some(network(true, true, &["203.0.113.7/32"])),
            UnreachedCause::NoRoute,
        ),
        of(open(), UnreachedCause::Silent),
        of(None, UnreachedCause::NameUnknown),
        of(
            Some(network(false, true, &[])),
            UnreachedCause::HandshakeCut,
        ),
    ];
    assert_snapshot!(told.concat(), @r"
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not be reached at `ABC.gr7.eu-central-1.eks.amazonaws.com:443`: nothing answered, and no connection came about (tried once).
      By EKS, the API server is private: it takes calls only from VPC `vpc-0123` and networks connected to it.
      Put the function into subnets of that VPC (`SubnetIds` and `SecurityGroupIds` of the template), and let the cluster's security group take port 443 from the function's. Then retry the stage. (eks-network)
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not be reached at `ABC.gr7.eu-central-1.eks.amazonaws.com:443`: nothing answered, and no connection came about (tried once).
      By EKS, the API server takes calls only from `203.0.113.7/32` (publicAccessCidrs).
      Let the function call from an address in these blocks: put it into subnets behind a NAT gateway, and add that gateway's address (`aws eks update-cluster-config --region eu-central-1 --name prod --resources-vpc-config publicAccessCidrs=BLOCK,…`, which takes the whole list). Then retry the stage. (eks-network)
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not be reached at `ABC.gr7.eu-central-1.eks.amazonaws.com:443`: the function's network has no route to it (tried once).
      By EKS, the API server takes calls from VPC `vpc-0123` and networks connected to it, and from the internet only from `203.0.113.7/32`.
      Let the function call from an address in these blocks: put it into subnets behind a NAT gateway, and add that gateway's address (`aws eks update-cluster-config --region eu-central-1 --name prod --resources-vpc-config publicAccessCidrs=BLOCK,…`, which takes the whole list). Then retry the stage. (eks-network)
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not be reached at `ABC.gr7.eu-central-1.eks.amazonaws.com:443`: nothing answered, and no connection came about (tried once).
      Packets are dropped on the way: let the function's subnets, route tables and security groups reach the API server's port 443, and the cluster's security group the function. Then retry the stage. (unreachable)
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not be reached at `ABC.gr7.eu-central-1.eks.amazonaws.com:443`: its name could not be resolved (tried once).
      Let the function's VPC resolve names (`enableDnsSupport` and `enableDnsHostnames`), then retry the stage. (unreachable)
    SystemUnavailable: Deployment `web` in `shop` was not changed: the cluster could not be reached at `ABC.gr7.eu-central-1.eks.amazonaws.com:443`: it closed the connection during the TLS handshake (tried once).
      What answers there is not EKS's API server but something on the way, such as a firewall or a proxy: let the function reach the API server directly. Then retry the stage. (unreachable)
    ");
    let many = (0..60).map(|block| format!("203.0.113.{block}/32"));
    let many = many.collect::<Vec<_>>();
    let many = many.iter().map(String::as_str).collect::<Vec<_>>();
    let told = of(Some(network(true, false, &many)), UnreachedCause::Silent);
    assert!(
        told.contains("`203.0.113.9/32` and 50 more (publicAccessCidrs)"),
        "{told}"
    );
}

#[test]
fn a_certificate_that_eks_does_not_vouch_for() {
    let untrusted = |fault| {
        let host = "ABC.gr7.eu-central-1.eks.amazonaws.com:443".into();
        let error = CallError::Untrusted(Box::new(Untrusted { host, fault }));
        call(&by_eks(cluster(), None), error)
    };
    let told = [
        untrusted(CertificateFault::OtherCa),
        untrusted(CertificateFault::OtherSignature),
        untrusted(CertificateFault::OtherName(vec![
            "proxy.example.com".into(),
        ])),
    ];
    assert_snapshot!(told.concat(), @r"
    ConfigurationError: Deployment `web` in `shop` was not changed: the certificate that `ABC.gr7.eu-central-1.eks.amazonaws.com:443` presents is not trusted: it was signed by another CA than the one that EKS names.
      EKS was asked again, and names this CA still. While a new CA of the cluster is activated both may be out of step for a while: retry the stage when `aws eks describe-cluster --region eu-central-1 --name prod --query cluster.certificateAuthority` has the new one. A proxy that opens TLS on the way shows like this, too. (untrusted)
    ConfigurationError: Deployment `web` in `shop` was not changed: the certificate that `ABC.gr7.eu-central-1.eks.amazonaws.com:443` presents is not trusted: it was signed by another CA of the same name as the one that EKS names, or one of the two has an RSA key of less than 2,048 bits.
      EKS was asked again, and names this CA still. While a new CA of the cluster is activated both may be out of step for a while: retry the stage when `aws eks describe-cluster --region eu-central-1 --name prod --query cluster.certificateAuthority` has the new one. A proxy that opens TLS on the way shows like this, too. (untrusted)
    ConfigurationError: Deployment `web` in `shop` was not changed: the certificate that `ABC.gr7.eu-central-1.eks.amazonaws.com:443` presents is not trusted: it is not for this name, but for `proxy.example.com`.
      Let the function reach the API server directly: EKS issues its certificates itself, and a proxy or a firewall on the way shows this one. Then retry the stage. (untrusted)
    ");
}

#[test]
fn the_longest_names_leave_every_command_whole() {
    let role = format!("arn:aws:iam::444455556666:role/{}", "r".repeat(64));
    let longest = EksCluster {
        name: "c".repeat(100),
        region: Some("us-gov-northwest-99".into()),
        role: Some(AssumedRole::read(&role).unwrap()),
        ..cluster()
    };
    let source = by_eks(longest, None);
    let session = format!(
        "arn:aws:sts::444455556666:assumed-role/{0}/{0}",
        "r".repeat(64)
    );
    for error in [refused(401, "Unauthorized"), forbidden(&session)] {
        let told = call(&source, error);
        assert!(!told.contains('…'), "{told}");
    }
}

#[test]
fn the_role_of_a_session() {
    let role = |session| role_of_session(session);
    let expected = "arn:aws-cn:iam::111122223333:role/landfall".to_owned();
    let session = "arn:aws-cn:sts::111122223333:assumed-role/landfall/run-1";
    assert_eq!(role(session), Some(expected));
    for other in [
        "arn:aws:iam::111122223333:user/ann",
        "arn:aws:sts::111122223333:assumed-role/landfall",
        "arn:aws:sts::1:assumed-role/landfall/x",
        "arn:aws:sts::111122223333:assumed-role/land`fall/x",
    ] {
        assert_eq!(role(other), None, "{other}");
    }
}
