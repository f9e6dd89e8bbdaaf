use super::*;
use crate::kubernetes::contact::{Unreached, UnreachedCause};
use insta::assert_snapshot;
use jiff::Timestamp;
use std::time::Duration;

const NOW: &str = "2026-01-01T00:00:00Z";

/// A call that was tried five times.
fn unreached(cause: UnreachedCause) -> Unreached {
    let host = "k8s.example.com:6443".to_owned();
    let once = Unreached::new(cause, host);
    Unreached { tries: 5, ..once }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn refused(code: u16, message: &str) -> CallError {
    CallError::Refused(Refusal {
        code,
        message: message.into(),
        is_status: true,
        ..Refusal::default()
    })
}

fn told(end: Option<Expiry>, whys: impl IntoIterator<Item = RotationError>) -> String {
    let present = CurrentToken {
        region: Some("eu-central-1".into()),
        parameter: Some("t".into()),
        end,
    };
    let texts = whys
        .into_iter()
        .map(|why| wrapped(&present.not_renewed(&why)));
    texts.collect::<Vec<_>>().join("\n--\n")
}

fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if lines
            .last()
            .is_some_and(|line| line.len() + word.len() > 85)
        {
            lines.push(String::new());
        }
        let line = lines.last_mut().expect("there is one");
        line.push_str(word);
        line.push(' ');
    }
    lines.join("\n").replace(" \n", "\n").trim_end().to_owned()
}

#[test]
fn words_for_what_cannot_be_renewed() {
    assert_snapshot!(told(None, [
            RotationError::Event(vec![Fault::new("rotate", "must be `true`")]),
            RotationError::Pinned,
            RotationError::NoAccess(CredentialsError::Expired("t".into(), at(NOW), Duration::from_secs(60))),
            RotationError::NoAccess(CredentialsError::NoToken("t".into(), "is empty")),
            RotationError::NoAccess(CredentialsError::Missing("`t`".into())),
            RotationError::Broken("src/x.rs:1".into()),
        ]), @r#"
    The token in SSM parameter `t` was not renewed: the event is wrong: `rotate` must be
    `true`. Nothing was changed. Correct the input of the schedule, or the event.
    --
    The token in SSM parameter `t` was not renewed: K8S_TOKEN_PARAMETER names one version
    or label of it, and a new version would never be read. Nothing was changed. Name the
    parameter alone, without `:` and what follows.
    --
    The token in SSM parameter `t` was not renewed: it expired at 2026-01-01T00:00:00Z.
    No deploy works until a valid one is stored. `make access ARGS="--namespace NAMESPACE
    --rotation --apply"` makes a new one and stores it, or `kubectl create token landfall
    --namespace NAMESPACE --duration 24h` and `aws ssm put-parameter --overwrite` under
    the same key.
    --
    The token in SSM parameter `t` was not renewed: it is empty. Nothing was changed.
    `make access ARGS="--namespace NAMESPACE --rotation --apply"` makes a new one and
    stores it, or `kubectl create token landfall --namespace NAMESPACE --duration 24h`
    and `aws ssm put-parameter --overwrite` under the same key.
    --
    The token in SSM parameter `t` was not renewed: SSM has no parameter `t`. Nothing was
    changed. Store it in that region under this name, or correct K8S_TOKEN_PARAMETER or
    K8S_CA_PARAMETER, then try again. `aws ssm get-parameter-history --region
    eu-central-1 --name t --query 'Parameters[].[Version,Labels]'` lists what is there.
    --
    The token in SSM parameter `t` was not renewed: Landfall itself broke at src/x.rs:1.
    Nothing was changed. Report this place as a bug. To try again is safe.
    "#);
    assert_snapshot!(told(Some(Expiry::At(at(NOW))), [
            RotationError::Shared,
            RotationError::Plain,
            RotationError::Nameless,
            RotationError::NoAccount("admin".into()),
            RotationError::Unusable("the new token has ended already"),
            RotationError::Stranger("a".into(), "b".into()),
            RotationError::Stranger("a".into(), "a".into()),
        ]), @r#"
        The token in SSM parameter `t` was not renewed: it belongs to another AWS account,
        and only that can store a new version. The present one was kept, and ends at
        2026-01-01T00:00:00Z. Rotate it there, or keep the token in a parameter of this
        account.
        --
        The token in SSM parameter `t` was not renewed: it is not a SecureString, so that its
        tokens would be kept in clear text. The present one was kept, and ends at
        2026-01-01T00:00:00Z. SSM cannot change the type of a parameter: delete it, and store
        the token again with `--type SecureString`.
        --
        The token in SSM parameter `t` was not renewed: the cluster does not say whose the
        present one is. The present one was kept, and ends at 2026-01-01T00:00:00Z. Is
        K8S_CLUSTER the API server itself, and not a proxy?
        --
        The token in SSM parameter `t` was not renewed: it belongs to `admin`, and only
        ServiceAccounts can have new tokens. The present one was kept, and ends at
        2026-01-01T00:00:00Z. Use a ServiceAccount's, or switch the rotation off. `make
        access ARGS="--namespace NAMESPACE --rotation --apply"` makes a new one and stores
        it, or `kubectl create token landfall --namespace NAMESPACE --duration 24h` and `aws
        ssm put-parameter --overwrite` under the same key.
        --
        The token in SSM parameter `t` was not renewed: the cluster did issue a new one, but
        the new token has ended already. The present one was kept, and ends at
        2026-01-01T00:00:00Z. Compare the clocks of the cluster and AWS, then try again.
        --
        The token in SSM parameter `t` was not renewed: it belongs to `a`, and the new one to
        `b`. The present one was kept, and ends at 2026-01-01T00:00:00Z. Ask the cluster's
        administrator how it signs people in.
        --
        The token in SSM parameter `t` was not renewed: the new one is `a`'s as well, with
        another uid or other groups. The present one was kept, and ends at
        2026-01-01T00:00:00Z. Was the ServiceAccount made anew? Try again; if it stays so,
        ask the cluster's administrator.
        "#);
}

#[test]
fn words_for_what_aws_and_the_cluster_say() {
    let denied = CredentialsError::Denied("ssm:PutParameter", "AccessDenied: no".into());
    let away = CredentialsError::Unreachable("it did not answer in time".into());
    assert_snapshot!(told(Some(Expiry::At(at(NOW))), [
            RotationError::NotStored(denied),
            RotationError::NotStored(away.clone()),
            RotationError::NoAccess(away),
        ]), @r"
    The token in SSM parameter `t` was not renewed: AWS denies ssm:PutParameter
    (AccessDenied: no). The present one was kept, and ends at 2026-01-01T00:00:00Z. Allow
    ssm:PutParameter on the parameter to the function's role, then try again.
    --
    The token in SSM parameter `t` was not renewed: SSM could not be reached: it did not
    answer in time. Whether the new one arrived all the same is not known. Either is
    valid, the former until 2026-01-01T00:00:00Z. Try again. A function in a VPC needs a
    NAT gateway, or the interface endpoint `com.amazonaws.eu-central-1.ssm` with a
    security group that lets port 443 in.
    --
    The token in SSM parameter `t` was not renewed: SSM could not be reached: it did not
    answer in time. The present one was kept, and ends at 2026-01-01T00:00:00Z. Try
    again. A function in a VPC needs a NAT gateway, or the interface endpoint
    `com.amazonaws.eu-central-1.ssm` with a security group that lets port 443 in.
    ");
    let forever = Expiry::WithSecret("shop".into(), "landfall-token".into());
    assert_snapshot!(told(Some(forever), [
            RotationError::Call(RotationStep::Ask, refused(401, "Unauthorized")),
            RotationError::Call(RotationStep::Ask, refused(404, "the server could not find the resource")),
            RotationError::Call(RotationStep::Ask, refused(403, "no")),
            RotationError::Call(RotationStep::Ask, refused(403, "selfsubjectreviews.authentication.k8s.io is forbidden: User \"system:serviceaccount:shop:landfall\" cannot create resource \"selfsubjectreviews\" in API group \"authentication.k8s.io\" at the cluster scope")),
            RotationError::Call(RotationStep::Issue, refused(403, "serviceaccounts \"landfall\" is forbidden: User \"system:serviceaccount:shop:landfall\" cannot create resource \"serviceaccounts/token\" in API group \"\" in the namespace \"shop\"")),
            RotationError::Call(RotationStep::Issue, refused(403, "serviceaccounts \"landfall\" is forbidden: exceeded quota: objects, requested: count/tokens=1, used: count/tokens=1, limited: count/tokens=1")),
            RotationError::Call(RotationStep::Issue, refused(403, "admission webhook \"tokens.example.com\" denied the request: no long-lived tokens")),
            RotationError::Call(RotationStep::Issue, refused(403, "serviceaccounts \"landfall\" is forbidden")),
            RotationError::Call(RotationStep::Issue, refused(422, "spec.expirationSeconds: Invalid value")),
            RotationError::Call(RotationStep::Issue, refused(503, "")),
            RotationError::Call(RotationStep::Try, refused(401, "Unauthorized")),
            RotationError::Call(RotationStep::Try, CallError::OutOfTime),
            RotationError::Call(RotationStep::Ask, CallError::Unreachable(Box::new(unreached(UnreachedCause::ConnectionRefused)))),
        ]), @r#"
    The token in SSM parameter `t` was not renewed: the cluster does not accept the
    present one any more (HTTP 401, "Unauthorized"). No deploy works until a valid one is
    stored. `make access ARGS="--namespace NAMESPACE --rotation --apply"` makes a new one
    and stores it, or `kubectl create token landfall --namespace NAMESPACE --duration
    24h` and `aws ssm put-parameter --overwrite` under the same key.
    --
    The token in SSM parameter `t` was not renewed: the cluster knows no
    SelfSubjectReview (HTTP 404, "the server could not find the resource"). The present
    one was kept, and has no end. Kubernetes 1.28 or later is needed.
    --
    The token in SSM parameter `t` was not renewed: the cluster refused to ask whose the
    present one is (HTTP 403, "no"). The present one was kept, and has no end. Correct
    what it names, then try again.
    --
    The token in SSM parameter `t` was not renewed: the cluster does not let it ask whose
    the present one is (HTTP 403, "selfsubjectreviews.authentication.k8s.io is forbidden:
    User "system:serviceaccount:shop:landfall" cannot create resource
    "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope"). The
    present one was kept, and has no end. Every user may ask that by the ClusterRole
    `system:basic-user`: bind it to the group `system:authenticated` again.
    --
    The token in SSM parameter `t` was not renewed: its ServiceAccount may not create
    tokens for itself (HTTP 403, "serviceaccounts "landfall" is forbidden: User
    "system:serviceaccount:shop:landfall" cannot create resource "serviceaccounts/token"
    in API group "" in the namespace "shop""). The present one was kept, and has no end.
    Apply deploy/rbac-rotation.yaml, with the ServiceAccount's name and namespace.
    --
    The token in SSM parameter `t` was not renewed: a quota of the namespace has no room
    to issue a new one (HTTP 403, "serviceaccounts "landfall" is forbidden: exceeded
    quota: objects, requested: count/tokens=1, used: count/tokens=1, limited:
    count/tokens=1"). The present one was kept, and has no end. Raise the quota, then try
    again. No permission is missing.
    --
    The token in SSM parameter `t` was not renewed: the admission webhook
    `tokens.example.com` refused to issue a new one (HTTP 403, "admission webhook
    "tokens.example.com" denied the request: no long-lived tokens"). The present one was
    kept, and has no end. Have the policy or the webhook looked at, then try again. No
    permission is missing.
    --
    The token in SSM parameter `t` was not renewed: the API server forbids to issue a new
    one and does not say why (HTTP 403, "serviceaccounts "landfall" is forbidden"). The
    present one was kept, and has no end. See whether the ServiceAccount may create
    tokens for itself (deploy/rbac-rotation.yaml); if it may, a policy of the cluster
    refuses it, and the API server's log says which.
    --
    The token in SSM parameter `t` was not renewed: the cluster refused to issue a new
    one (HTTP 422, "spec.expirationSeconds: Invalid value"). The present one was kept,
    and has no end. Correct what it names, then try again.
    --
    The token in SSM parameter `t` was not renewed: the cluster could not issue a new one
    just now (HTTP 503). The present one was kept, and has no end. Try again; the
    function did so itself until it gave up.
    --
    The token in SSM parameter `t` was not renewed: the cluster issued a new one and does
    not accept it (HTTP 401, "Unauthorized"). The present one was kept, and has no end.
    Try again; if it stays so, its API servers do not have the same keys.
    --
    The token in SSM parameter `t` was not renewed: there was no time left to try the new
    one. The present one was kept, and has no end. Try again; if this happens again,
    raise the function's timeout.
    --
    The token in SSM parameter `t` was not renewed: the cluster could not be reached at
    `k8s.example.com:6443`: the connection was refused (tried 5 times). The present one
    was kept, and has no end. The host is there, and nothing listens on the port: correct
    the port in K8S_CLUSTER, or start the API server. Then try again.
    "#);
}
