use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const NOW: &str = "2026-01-01T00:00:00Z";

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
        Err(faults) => faults.into_iter().map(|fault| fault.field).collect(),
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
    assert_eq!(renewable(Some("t"), true), Ok(()));
    assert_eq!(renewable(Some("t"), false), Err(RotationError::Plain));
    assert_eq!(renewable(None, true), Err(RotationError::Plain));
    let shared = renewable(Some("arn:aws:ssm:r:1:parameter/t"), true);
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
