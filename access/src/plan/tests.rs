use super::*;
use crate::command::Tools;
use crate::step::deploy_line;
use crate::token::sample;
use insta::assert_snapshot;

const SERVER: &str = "https://A1.gr7.eu-west-1.eks.amazonaws.com";
const KEY: &str = "arn:aws:kms:eu-west-1:1:key/k";

fn target() -> Target {
    Target {
        context: "prod".into(),
        namespace: "shop".into(),
        home: "shop".into(),
        server: SERVER.into(),
        ca: Some("-----BEGIN CERTIFICATE-----\n".into()),
        warnings: Vec::new(),
    }
}

fn options(words: &str) -> Options {
    crate::arguments::parse(words.split_whitespace().map(Into::into)).unwrap()
}

fn grant(name: &str, state: &str) -> Grant {
    Grant {
        file: format!("deploy/{name}.yaml"),
        text: String::new(),
        outlook: vec![format!("role/landfall {state}")],
        difference: Vec::new(),
    }
}

fn stored(value: &str, key: &str) -> Option<Stored> {
    Some(Stored {
        value: value.into(),
        kind: "SecureString".into(),
        key: Some(key.into()),
    })
}

fn nothing() -> Seen {
    Seen {
        grants: vec![grant("rbac", "created"), grant("token-secret", "created")],
        bound: Vec::new(),
        secret: None,
        token: None,
        ca: None,
        works: false,
    }
}

/// A token that lives so many hours from the start of all time.
fn living(hours: i64, namespace: &str) -> Token {
    sample(&format!(
        r#"{{"exp": {}, "sub": "system:serviceaccount:{namespace}:landfall"}}"#,
        hours * 3600
    ))
}

/// The plan as a person sees it.
fn shown(words: &str, seen: Seen) -> String {
    let (options, target) = (options(words), target());
    let mut tools = Tools::new(&options);
    tools.pin(&target.context);
    let steps = decide(&options, &target, seen, Timestamp::UNIX_EPOCH).unwrap();
    let mut lines = Vec::new();
    for step in &steps {
        lines.push(step.heading(&options, &target));
        let typed = step.typed(&tools, &target).filter(|_| !step.is_done());
        lines.extend(typed.map(|typed| format!("$ {typed}")));
        lines.extend(step.outlook());
    }
    lines.push(deploy_line(&options, &target, &steps));
    lines.join("\n")
}

#[test]
fn from_nothing() {
    let shown = shown(&format!("--region eu-west-1 --key-arn {KEY}"), nothing());
    assert_snapshot!(shown, @r#"
    Apply deploy/rbac.yaml
    $ sed 's/namespace: default$/namespace: shop/' deploy/rbac.yaml | kubectl --context prod apply -f -
    role/landfall would be created
    Apply deploy/token-secret.yaml
    $ sed 's/namespace: default$/namespace: shop/' deploy/token-secret.yaml | kubectl --context prod apply -f -
    role/landfall would be created
    Take the token of Secret landfall-token
    $ kubectl --context prod -n shop get secret landfall-token --ignore-not-found '-o=jsonpath={.data.token}' | base64 -d
    Store the token in a new SSM parameter k8s-bear-token (SecureString, under arn:aws:kms:eu-west-1:1:key/k)
    $ printf %s … | aws --region eu-west-1 ssm put-parameter --name k8s-bear-token --type SecureString --key-id arn:aws:kms:eu-west-1:1:key/k --value file:///dev/stdin
    Store the cluster's CA in a new SSM parameter k8s-ca (SecureString, under arn:aws:kms:eu-west-1:1:key/k)
    $ printf %s … | aws --region eu-west-1 ssm put-parameter --name k8s-ca --type SecureString --key-id arn:aws:kms:eu-west-1:1:key/k --value file:///dev/stdin
    Prove it: read k8s-bear-token and k8s-ca back, and ask https://A1.gr7.eu-west-1.eks.amazonaws.com with just these: may it patch deployments in shop?
    AWS_DEFAULT_REGION=eu-west-1 make deploy PARAMETERS="ClusterUrl=https://A1.gr7.eu-west-1.eks.amazonaws.com TokenParameter=k8s-bear-token CaParameter=k8s-ca KeyArn=arn:aws:kms:eu-west-1:1:key/k"
    "#);
}

#[test]
fn what_is_there_is_left() {
    let token = living(1, "shop");
    let seen = Seen {
        grants: vec![
            grant("rbac", "unchanged"),
            grant("token-secret", "unchanged"),
        ],
        bound: vec![account("shop")],
        secret: Some(token.clone()),
        token: stored(token.reveal(), KEY),
        ca: stored("-----BEGIN CERTIFICATE-----", KEY),
        works: false,
    };
    assert_snapshot!(shown("", seen), @r#"
    deploy/rbac.yaml is applied already
    deploy/token-secret.yaml is applied already
    Secret landfall-token has a token
    SSM parameter k8s-bear-token holds the token already, and is left
    SSM parameter k8s-ca holds the cluster's CA already, and is left
    Prove it: read k8s-bear-token and k8s-ca back, and ask https://A1.gr7.eu-west-1.eks.amazonaws.com with just these: may it patch deployments in shop?
    make deploy PARAMETERS="ClusterUrl=https://A1.gr7.eu-west-1.eks.amazonaws.com TokenParameter=k8s-bear-token CaParameter=k8s-ca KeyArn=arn:aws:kms:eu-west-1:1:key/k"
    "#);
}

#[test]
fn a_token_that_rotation_renews_is_kept_as_long_as_it_serves() {
    let usual = "alias/aws/ssm";
    let seen = |token: Token, works| Seen {
        token: stored(token.reveal(), usual),
        works,
        ..nothing()
    };
    let source = |words: &str, seen: Seen| {
        let steps = decide(&options(words), &target(), seen, Timestamp::UNIX_EPOCH).unwrap();
        steps.into_iter().find_map(|step| match step {
            Step::Take(source) => Some(source),
            Step::Grant(_) | Step::Store(_) | Step::Prove(_) => None,
        })
    };
    for (words, token, works, kept) in [
        ("--rotation", living(13, "shop"), true, true),
        (
            "--rotation --token-lifetime 4h",
            living(3, "shop"),
            true,
            true,
        ),
        ("--rotation", living(12, "shop"), true, false),
        ("--rotation --replace", living(13, "shop"), false, false),
        ("--rotation --replace", living(13, "web"), true, false),
        ("--rotation --replace", sample("{}"), true, false),
        ("--rotation", living(-1, "shop"), true, false),
    ] {
        let source = source(words, seen(token, works)).unwrap();
        assert_eq!(
            matches!(source, Source::Kept { .. }),
            kept,
            "{words}: {source:?}"
        );
    }
    let mut without = seen(living(13, "shop"), true);
    without.grants[0].outlook.push(NEW_ACCOUNT.into());
    assert_eq!(
        source("--rotation", without).unwrap(),
        Source::Request(86400)
    );
    let long_lived = source("", seen(living(13, "shop"), true)).unwrap();
    assert_eq!(long_lived, Source::Secret(None));
    let seen = seen(living(13, "shop"), true);
    let remark = remark(&options(""), &target(), &seen).unwrap();
    assert!(remark.contains("With --rotation it is kept"), "{remark}");
}

#[test]
fn rotation_asks_for_a_token_and_tells_of_the_endless_one() {
    let seen = || Seen {
        grants: vec![
            grant("rbac", "unchanged"),
            grant("rbac-rotation", "created"),
        ],
        secret: Some(sample("{}")),
        ..nothing()
    };
    assert_snapshot!(shown("--rotation --token-lifetime 200m", seen()), @r#"
    deploy/rbac.yaml is applied already
    Apply deploy/rbac-rotation.yaml
    $ sed 's/namespace: default$/namespace: shop/' deploy/rbac-rotation.yaml | kubectl --context prod apply -f -
    role/landfall would be created
    Ask the cluster for a token that lives 200m
    $ kubectl --context prod -n shop create token landfall --duration=12000s
    Store the token in a new SSM parameter k8s-bear-token (SecureString)
    $ printf %s … | aws ssm put-parameter --name k8s-bear-token --type SecureString --value file:///dev/stdin
    Store the cluster's CA in a new SSM parameter k8s-ca (SecureString)
    $ printf %s … | aws ssm put-parameter --name k8s-ca --type SecureString --value file:///dev/stdin
    Prove it: read k8s-bear-token and k8s-ca back, and ask https://A1.gr7.eu-west-1.eks.amazonaws.com with just these: may it patch deployments and create serviceaccounts/token in shop?
    make deploy PARAMETERS="ClusterUrl=https://A1.gr7.eu-west-1.eks.amazonaws.com TokenParameter=k8s-bear-token CaParameter=k8s-ca RotateToken=yes 'RotationSchedule=\"rate(1 hour)\"'"
    "#);
    let remark = remark(&options("--rotation"), &target(), &seen()).unwrap();
    assert_snapshot!(remark, @"Secret landfall-token still has a token that does not end. When a deploy went well with the new one: kubectl --context prod -n shop delete secret landfall-token");
}

/// What it says to what it will not do; nothing where it does it.
fn refused(words: &str, target: &Target, seen: Seen) -> String {
    let decided = decide(&options(words), target, seen, Timestamp::UNIX_EPOCH);
    decided.map_or_else(|failure| failure.to_string(), |_| String::new())
}

#[test]
fn what_belongs_to_another_is_replaced_only_when_told() {
    let usual = "alias/aws/ssm";
    let pem = "-----BEGIN CERTIFICATE-----";
    let other = "-----BEGIN CERTIFICATE-----\nAA";
    let (shop, web) = (living(9, "shop"), living(9, "web"));
    let (shop, web) = (shop.reveal(), web.reveal());
    for (token, ca, works, words) in [
        (Some(shop), Some(pem), false, ""),
        (Some(shop), None, true, ""),
        (
            Some(shop),
            None,
            false,
            "landfall that this cluster does not confirm",
        ),
        (
            Some(shop),
            Some(other),
            true,
            "k8s-ca failed: it holds another CA",
        ),
        (Some(web), Some(pem), false, "--for-account web,"),
        (Some(web), None, false, "--for-account web,"),
        // Another cluster's, which tells more.
        (
            Some(web),
            Some(other),
            false,
            "--token-parameter, --ca-parameter",
        ),
        (Some("static"), Some(pem), false, "does not say whose it is"),
        (None, Some(pem), false, ""),
        (None, Some(other), false, "another CA"),
        (None, None, false, ""),
    ] {
        for rotation in ["", "--rotation"] {
            let seen = || Seen {
                token: token.and_then(|token| stored(token, usual)),
                ca: ca.and_then(|ca| stored(ca, usual)),
                works,
                ..nothing()
            };
            let told = refused(rotation, &target(), seen());
            assert_eq!(
                told.is_empty(),
                words.is_empty(),
                "{token:?} {ca:?}: {told}"
            );
            assert!(told.contains(words), "{token:?} {ca:?}: {told}");
            assert!(!told.contains(shop) && !told.contains("AA"), "{told}");
            assert!(
                told.is_empty() || told.ends_with("Nothing was changed."),
                "{told}"
            );
            let replaced = refused(&format!("{rotation} --replace"), &target(), seen());
            assert_eq!(replaced, "", "{token:?} {ca:?}");
        }
    }
    let seen = Seen {
        token: stored(web, usual),
        ..nothing()
    };
    let shown = shown("--replace", seen);
    let why = "it holds a token of system:serviceaccount:web:landfall, and --replace is given";
    assert!(shown.contains(why), "{shown}");
}

/// Under another key goes what is ours already, whoever else may have it.
#[test]
fn the_same_value_under_another_key_is_nobodys_loss() {
    let token = living(9, "web");
    let seen = Seen {
        secret: Some(token.clone()),
        token: stored(token.reveal(), "alias/aws/ssm"),
        ..nothing()
    };
    assert_eq!(refused(&format!("--key-arn {KEY}"), &target(), seen), "");
}

fn further() -> (Target, Seen) {
    let target = Target {
        namespace: "web".into(),
        ..target()
    };
    let seen = Seen {
        grants: vec![grant("rbac", "created")],
        token: stored(living(9, "shop").reveal(), KEY),
        ca: stored("-----BEGIN CERTIFICATE-----", KEY),
        ..nothing()
    };
    (target, seen)
}

#[test]
fn a_further_namespace_takes_and_stores_nothing() {
    let (target, seen) = further();
    let options = options("-n web --for-account shop");
    let tools = Tools::new(&options);
    assert_eq!(remark(&options, &target, &seen), None);
    let steps = decide(&options, &target, seen, Timestamp::UNIX_EPOCH).unwrap();
    let lines = steps.iter().flat_map(|step| {
        let typed = step.typed(&tools, &target);
        let typed = typed.map(|typed| format!("$ {typed}"));
        [Some(step.heading(&options, &target)), typed]
    });
    assert_snapshot!(lines.flatten().collect::<Vec<_>>().join("\n"), @r#"
        Apply deploy/rbac.yaml
        $ sed -e '1,/^---/d' -e '/^subjects:/,/^---/!s/namespace: default$/namespace: web/' -e '/^subjects:/,/^---/s/namespace: default$/namespace: shop/' deploy/rbac.yaml | kubectl apply -f -
        SSM parameter k8s-bear-token holds a token of system:serviceaccount:shop:landfall, and is left
        Prove it: ask https://A1.gr7.eu-west-1.eks.amazonaws.com with the token of k8s-bear-token: may it patch deployments in web?
        "#);
    assert!(steps[1].is_done());
}

#[test]
fn a_further_namespace_needs_the_account_that_is_named() {
    let usual = "alias/aws/ssm";
    for (token, ca, words) in [
        (stored(living(9, "shop").reveal(), usual), None, ""),
        (None, None, "there is no SSM parameter k8s-bear-token"),
        (
            stored(living(9, "web").reveal(), usual),
            None,
            "k8s-bear-token holds a token of system:serviceaccount:web:landfall",
        ),
        (stored("static", usual), None, "does not say whose it is"),
        (
            stored(living(9, "shop").reveal(), usual),
            stored("-----BEGIN CERTIFICATE-----\nAA", usual),
            "k8s-ca holds another CA than this cluster's",
        ),
    ] {
        let (target, seen) = further();
        let seen = Seen { token, ca, ..seen };
        let told = refused("-n web --for-account shop --replace", &target, seen);
        assert_eq!(told.is_empty(), words.is_empty(), "{told}");
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_rolebinding_of_another_account_is_left() {
    let (shop, web) = (account("shop"), account("web"));
    for (bound, home, words) in [
        (vec![], "web", ""),
        (vec![web.clone()], "web", ""),
        (vec![web.clone(), group()], "web", ""),
        (vec![shop.clone()], "shop", ""),
        (
            vec![shop.clone()],
            "web",
            "--for-account shop. To give web to",
        ),
        (
            vec![web.clone(), shop.clone()],
            "web",
            "it is for system:serviceaccount:shop",
        ),
        (
            vec![web],
            "shop",
            "it is for system:serviceaccount:web:landfall",
        ),
        (vec!["User jane".into()], "shop", "it is for User jane"),
    ] {
        let target = Target {
            namespace: "web".into(),
            home: home.into(),
            ..target()
        };
        let told = check_binding(&target, &bound);
        let told = told.map_or_else(|failure| failure.to_string(), |()| String::new());
        assert_eq!(told.is_empty(), words.is_empty(), "{bound:?}: {told}");
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_schedule_fits_a_short_life() {
    for (lifetime, expected) in [
        ("3h", Some("rate(1 hour)")),
        ("5h", Some("rate(1 hour)")),
        ("719m", Some("rate(1 hour)")),
        ("12h", Some("rate(4 hours)")),
        ("1439m", Some("rate(4 hours)")),
        ("24h", None),
        ("48h", None),
    ] {
        let options = options(&format!("--rotation --token-lifetime {lifetime}"));
        let line = deploy_line(&options, &target(), &[]);
        assert!(line.contains("RotateToken=yes"), "{line}");
        let expected = expected.map(|rate| format!(" 'RotationSchedule=\\\"{rate}\\\"'\""));
        match expected {
            Some(word) => assert!(line.ends_with(&word), "{line}"),
            None => assert!(!line.contains("RotationSchedule"), "{line}"),
        }
    }
    assert!(!deploy_line(&options(""), &target(), &[]).contains("Rotat"));
}

#[test]
fn a_parameter_that_cannot_be_changed_ends_it() {
    let mut seen = nothing();
    seen.token = stored("t", KEY);
    seen.token.as_mut().unwrap().kind = "String".into();
    let failure = decide(&options(""), &target(), seen, Timestamp::UNIX_EPOCH).unwrap_err();
    assert_snapshot!(failure, @r"
        deciding what becomes of SSM parameter k8s-bear-token failed: it is of the type String, which is not encrypted
        What to do: SSM does not change a parameter's type: name another with --token-parameter; or, where nothing needs it any more, delete it (`aws ssm delete-parameter --name …`).
        Nothing was changed.
        ");
}
