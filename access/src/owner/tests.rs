use super::*;
use crate::token::sample;
use insta::assert_snapshot;

const SHOP: &str = "system:serviceaccount:shop:landfall";

fn token(subject: &str) -> String {
    let claims = format!(r#"{{"sub": "{subject}"}}"#);
    sample(&claims).reveal().to_owned()
}

fn told(owner: &Owner) -> String {
    let target = Target {
        context: "prod".into(),
        namespace: "web".into(),
        home: "web".into(),
        server: "https://k8s.example.com".into(),
        ca: None,
        warnings: Vec::new(),
    };
    let refusal = owner.refusal(&target);
    refusal.map_or_else(String::new, |it| it.at("It").to_string())
}

#[test]
fn a_token_says_whose_it_is() {
    let own = || Owner::Own;
    let account = |subject: &str| Owner::Account(subject.to_owned());
    let web = "system:serviceaccount:web:landfall";
    let builder = "system:serviceaccount:shop:builder";
    for (stored, here, expected) in [
        (token(SHOP), true, own()),
        (format!("{}\n", token(SHOP)), true, own()),
        (token(SHOP), false, Owner::Stranger(SHOP.into())),
        (token(web), true, account(web)),
        (token(web), false, account(web)),
        (token(builder), true, account(builder)),
        (sample("{}").reveal().to_owned(), true, Owner::Nobody),
        ("opaque".into(), true, Owner::Nobody),
        ("to be filled in".into(), true, Owner::Nobody),
    ] {
        assert_eq!(Owner::of_token(&stored, SHOP, here), expected);
    }
}

#[test]
fn a_ca_is_the_same_however_its_lines_end() {
    for (stored, expected) in [
        ("-----BEGIN C-----\nAA\nBB\n-----END C-----\n", Owner::Own),
        (
            "-----BEGIN C-----\r\nAA\r\nBB\r\n-----END C-----",
            Owner::Own,
        ),
        (
            "-----BEGIN C-----\nAA\nBC\n-----END C-----\n",
            Owner::Cluster,
        ),
        ("-----BEGIN C-----\nAA\n-----END C-----\n", Owner::Cluster),
        ("", Owner::Cluster),
    ] {
        let ca = "-----BEGIN C-----\nAA\nBB\n-----END C-----\n";
        assert_eq!(Owner::of_ca(stored, ca), expected, "{stored}");
    }
}

#[test]
fn what_is_not_ours_is_left_in_words() {
    let builder = "system:serviceaccount:shop:builder".to_owned();
    for (owner, words, never) in [
        (
            Owner::Account(SHOP.into()),
            "--for-account shop,",
            "renewed",
        ),
        (
            Owner::Account(builder),
            "--token-parameter",
            "--for-account",
        ),
        (
            Owner::Account("system:serviceaccount::landfall".into()),
            "--replace",
            "\n\n",
        ),
        (Owner::Stranger(SHOP.into()), "made anew", "--for-account"),
        (
            Owner::Nobody,
            "the function that Landfall comes after",
            "--for-account",
        ),
        (
            Owner::Cluster,
            "https://k8s.example.com's CA was renewed",
            "--for-account",
        ),
    ] {
        let told = told(&owner);
        assert!(told.contains(words) && !told.contains(never), "{told}");
        assert!(told.contains("--replace"), "{told}");
    }
    assert_eq!(told(&Owner::Own), "");
    assert_snapshot!(told(&Owner::Account(SHOP.into())), @r"
        It failed: it holds a token of system:serviceaccount:shop:landfall, and whatever deploys with it would lose its access
        What to do: For one function that deploys to both namespaces: --for-account shop, which gives that account this namespace, too. For a function of its own: parameters of other names (--token-parameter, --ca-parameter). Where nothing needs it any more: --replace. SSM keeps what was replaced in the parameter's history.
        Nothing was changed.
        ");
    assert_snapshot!(told(&Owner::Nobody), @r"
        It failed: it holds a value that does not say whose it is, and whatever deploys with it would lose its access
        What to do: If anything deploys with it, such as the function that Landfall comes after, leave it, and give Landfall parameters of other names (--token-parameter, --ca-parameter). Where nothing needs it any more: --replace. SSM keeps what was replaced in the parameter's history.
        Nothing was changed.
        ");
}
