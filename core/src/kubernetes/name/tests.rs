use super::*;

#[test]
fn a_name_is_what_kubernetes_accepts() {
    let long = "a".repeat(64);
    for (text, label, subdomain) in [
        ("web", true, true),
        ("7", true, true),
        ("web-7d9c", true, true),
        ("web.v2", false, true),
        ("a--b", true, true),
        (&long[1..], true, true),
        (&long, false, true),
        ("", false, false),
        ("-web", false, false),
        ("web-", false, false),
        ("Web", false, false),
        ("web_1", false, false),
        ("web.", false, false),
        (".web", false, false),
        ("a..b", false, false),
        ("..", false, false),
        ("../other", false, false),
        ("a/b", false, false),
        ("a%2fb", false, false),
        ("a?b", false, false),
        ("a#b", false, false),
        ("a\\b", false, false),
        ("a b", false, false),
        ("a\n", false, false),
        ("wéb", false, false),
        ("a\u{200b}", false, false),
    ] {
        assert_eq!(Name::new(text, Rule::Label).is_some(), label, "{text}");
        let found = Name::new(text, Rule::Subdomain);
        assert_eq!(found.is_some(), subdomain, "{text}");
        assert!(found.is_none_or(|name| name == text && format!("{name}").len() == text.len()));
    }
    let limit = vec!["a".repeat(63); 4].join(".");
    assert_eq!(limit.len(), 255);
    assert_eq!(Name::new(&limit, Rule::Subdomain), None);
    assert!(Name::new(&limit[2..], Rule::Subdomain).is_some());
}

#[test]
fn a_selector_is_made_of_valid_labels() {
    for good in [
        "",
        "app=web",
        "app=",
        "a=1,b=2,tier in (x,y),!old,new,env notin (dev)",
        "app.kubernetes.io/name=Web_1.2",
        "kubernetes.io/service-name=web",
        "x in (,a)",
    ] {
        let found = LabelSelector::new(good).map(String::from);
        assert_eq!(found.as_deref(), Some(good));
    }
    for bad in [
        ",",
        "app=web,",
        "=web",
        "app=web&watch=true",
        "app=a/b",
        "app=-a",
        "app==web",
        "a b=c",
        "a in (b",
        "a in b)",
        "a in (b)(c)",
        "a in (b),(c)",
        "../x=1",
        "a/b/c=1",
        "app=web\n",
        "app=wéb",
        "!",
        "a=1;b=2",
    ] {
        assert_eq!(LabelSelector::new(bad), None, "{bad}");
    }
}

#[test]
fn a_plain_path_cannot_climb() {
    for good in [
        "/",
        "/health",
        "/a/b?x=1&y=%20z",
        "/.well-known/x",
        "/a..b",
        "/~u/@v:1",
        "/%25",
    ] {
        assert!(is_plain_path(good), "{good}");
    }
    for bad in [
        "",
        "health",
        "//host",
        "/..",
        "/a/../b",
        "/a/./b",
        "/%2e%2E/b",
        "/.%2e",
        "/a%2fb",
        "/a%5cb",
        "/a\\..\\b",
        "/a b",
        "/a#b",
        "/a\n",
        "/é",
        "/a?x=/../b",
    ] {
        assert!(!is_plain_path(bad), "{bad}");
    }
}
