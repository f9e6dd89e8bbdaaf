use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use insta::assert_snapshot;
use landfall_core::kubernetes::Refusal;
use landfall_core::kubernetes::contact::{Unreached, UnreachedCause};

const NOW: &str = "2026-01-01T00:00:00Z";

/// A call that was tried five times.
fn unreached(cause: UnreachedCause) -> Unreached {
    let host = "k8s.example.com:6443".to_owned();
    let once = Unreached::new(cause, host, String::new());
    Unreached { tries: 5, ..once }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn jwt(claims: &Value) -> Token {
    Token::new(&format!(
        "e30.{}.sig",
        URL_SAFE_NO_PAD.encode(claims.to_string())
    ))
}

fn fields(event: Value) -> Vec<String> {
    match RotationRequest::read(&event) {
        Err(RotationError::Event(faults)) => faults.into_iter().map(|fault| fault.field).collect(),
        other => panic!("{event}: {other:?}"),
    }
}

#[test]
fn an_event_is_read_or_all_its_faults_are_named() {
    for (event, seconds) in [
        (json!({"rotate": true}), 86_400),
        (json!({"rotate": true, "lifetime": "24h"}), 86_400),
        (json!({"rotate": true, "lifetime": "30h30m"}), 109_800),
        (json!({"rotate": true, "lifetime": "168h"}), 604_800),
    ] {
        let lifetime = Duration::from_secs(seconds);
        assert_eq!(
            RotationRequest::read(&event),
            Ok(RotationRequest { lifetime }),
            "{event}"
        );
        assert!(is_meant(&event));
    }
    for (event, faulty) in [
        (json!({"rotate": false}), vec!["rotate"]),
        (json!({"rotate": "true"}), vec!["rotate"]),
        (json!({"rotate": null}), vec!["rotate"]),
        (json!({"rotate": true, "lifetime": null}), vec!["lifetime"]),
        (json!({"rotate": true, "lifetime": 600}), vec!["lifetime"]),
        (
            json!({"rotate": true, "lifetime": "599s"}),
            vec!["lifetime"],
        ),
        (
            json!({"rotate": true, "lifetime": "8761h"}),
            vec!["lifetime"],
        ),
        (
            json!({"rotate": 1, "lifetime": "x", "source": "aws.events"}),
            vec!["rotate", "source", "lifetime"],
        ),
    ] {
        assert_eq!(fields(event.clone()), faulty, "{event}");
    }
    for other in [json!({}), json!(null), json!([]), json!("rotate")] {
        assert!(!is_meant(&other), "{other}");
    }
}

#[test]
fn a_name_with_version_or_label_is_pinned() {
    let arn = "arn:aws:ssm:eu-central-1:111122223333:parameter/k8s/token";
    for free in ["k8s-bear-token", "/k8s/token", arn] {
        assert_eq!(unpinned(free), Ok(()), "{free}");
    }
    for pinned in ["t:1", "/k8s/token:good", &format!("{arn}:3")] {
        assert_eq!(unpinned(pinned), Err(RotationError::Pinned), "{pinned}");
    }
}

#[test]
fn only_a_secure_string_of_our_own_is_renewed() {
    let kept = |name: &str, kind: ParameterType| {
        ParameterHistory::builder().name(name).r#type(kind).build()
    };
    let secure = ParameterType::SecureString;
    assert_eq!(renewable(&kept("t", secure.clone())), Ok(()));
    let plain = renewable(&kept("t", ParameterType::String));
    assert_eq!(plain, Err(RotationError::Plain));
    let shared = renewable(&kept("arn:aws:ssm:r:1:parameter/t", secure));
    assert_eq!(shared, Err(RotationError::Shared));
}

fn review(name: &str, uid: &str, groups: &[&str]) -> Value {
    json!({"status": {"userInfo": {"username": name, "uid": uid, "groups": groups}}})
}

#[test]
fn a_service_account_is_known_by_the_name_that_the_cluster_gives() {
    let account = |name: &str| {
        let holder = TokenSubject::read(&review(name, "", &[])).expect("it has a name");
        holder
            .account()
            .map(|(space, name)| format!("{space}/{name}"))
    };
    for (name, expected) in [
        ("system:serviceaccount:shop:landfall", "shop/landfall"),
        ("system:serviceaccount:a-1:b.c", "a-1/b.c"),
    ] {
        assert_eq!(account(name).as_deref(), Ok(expected));
    }
    for name in [
        "admin",
        "system:node:one",
        "system:serviceaccount:shop",
        "system:serviceaccount::landfall",
        "system:serviceaccount:shop:",
        "system:serviceaccount:shop:..",
        "system:serviceaccount:shop:a/b",
        "system:serviceaccount:shop:a:b",
        "arn:aws:iam::111122223333:role/deploy",
    ] {
        assert_eq!(
            account(name),
            Err(RotationError::NoAccount(name.to_owned()))
        );
    }
    for empty in [json!({}), review("", "", &[]), json!({"status": "x"})] {
        assert_eq!(
            TokenSubject::read(&empty),
            Err(RotationError::Nameless),
            "{empty}"
        );
    }
}

#[test]
fn a_new_token_has_the_same_holder_with_the_same_rights() {
    let holder = |name, uid, groups: &[&str]| {
        TokenSubject::read(&review(name, uid, groups)).expect("it has a name")
    };
    let old = holder("system:serviceaccount:a:b", "1", &["x", "y"]);
    assert_eq!(old.same(&old), Ok(()));
    let reordered = holder("system:serviceaccount:a:b", "1", &["y", "x"]);
    assert_eq!(old.same(&reordered), Ok(()));
    for other in [
        holder("system:serviceaccount:a:c", "1", &["x", "y"]),
        holder("system:serviceaccount:a:b", "2", &["x", "y"]),
        holder("system:serviceaccount:a:b", "1", &["x"]),
        holder("system:serviceaccount:a:b", "1", &["x", "y", "z"]),
    ] {
        assert!(old.same(&other).is_err(), "{other:?}");
    }
}

#[test]
fn what_is_issued_must_be_a_token_with_an_end() {
    let answer = |token: &str, until: &str| json!({"status": {"token": token, "expirationTimestamp": until}});
    let now = at(NOW);
    let good = answer("a.b.c", "2026-01-02T00:00:00Z");
    let issued = Issued::read(&good, now).expect("it is good");
    assert_eq!(issued.until, at("2026-01-02T00:00:00Z"));
    assert!(!format!("{issued:?}").contains("a.b.c"));
    for bad in [
        json!({}),
        answer("", "2026-01-02T00:00:00Z"),
        answer("a\nb", "2026-01-02T00:00:00Z"),
        answer("a.b.c", ""),
        answer("a.b.c", "tomorrow"),
        answer("a.b.c", NOW),
        answer("a.b.c", "2025-12-31T23:59:59Z"),
    ] {
        let read = Issued::read(&bad, now);
        assert!(matches!(read, Err(RotationError::Unusable(_))), "{bad}");
    }
    for (lifetime, is_short) in [
        (86_400, false),
        (86_455, false),
        (86_465, true),
        (600, false),
    ] {
        let lifetime = Duration::from_secs(lifetime);
        assert_eq!(
            issued.is_short(&RotationRequest { lifetime }, now),
            is_short
        );
    }
    for (hours, lasts) in [(7, true), (8, true), (9, false), (23, false)] {
        let later = now + Duration::from_secs(hours * 3600);
        assert_eq!(issued.lasts(later).is_ok(), lasts, "{hours}");
    }
}

#[test]
fn how_a_token_ends_is_read_from_it() {
    let end = |claims: Value| Expiry::of(&jwt(&claims));
    let expiring = end(json!({"exp": 1_767_225_600}));
    assert_eq!(expiring, Expiry::At(at(NOW)));
    assert_eq!(expiring.advice(), None);
    let secret = end(json!({"kubernetes.io/serviceaccount/namespace": "shop",
            "kubernetes.io/serviceaccount/secret.name": "landfall-token"}));
    assert_eq!(
        secret,
        Expiry::WithSecret("shop".into(), "landfall-token".into())
    );
    let advice = secret.advice().expect("it goes on");
    assert!(advice.ends_with("kubectl --namespace shop delete secret landfall-token"));
    for claims in [json!({}), json!([]), json!({"exp": "soon"})] {
        assert_eq!(end(claims), Expiry::Unknown);
    }
    assert_eq!(Expiry::of(&Token::new("opaque")), Expiry::Unknown);
}

#[test]
fn an_answer_names_parameter_version_and_end() {
    let renewed = Renewed {
        parameter: "t".into(),
        version: 3,
        until: at("2026-01-02T00:00:00.25Z"),
        former: Expiry::Unknown,
        short: false,
    };
    let expected = json!({"parameter": "t", "version": 3, "validUntil": "2026-01-02T00:00:00Z"});
    assert_eq!(renewed.answer(), expected);
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
    one. The present one was kept, and has no end. Try again; if it stays so, raise the
    function's timeout.
    --
    The token in SSM parameter `t` was not renewed: the cluster could not be reached at
    `k8s.example.com:6443`: the connection was refused (tried 5 times). The present one
    was kept, and has no end. The host is there, and nothing listens on the port: correct
    the port in K8S_CLUSTER, or start the API server. Then try again.
    "#);
}
