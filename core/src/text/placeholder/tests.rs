use super::{first, is_all, is_in, marked};

#[test]
fn the_first_place_of_each_kind_is_found() {
    let rows = [
        ("${{ env.TAG }}", "${{ env.TAG }}"),
        ("registry/web:${TAG}", "${TAG}"),
        ("registry/web:$TAG-1", "$TAG"),
        ("web:$(git rev-parse HEAD)", "$(git rev-parse HEAD)"),
        ("web:{{ .Values.tag }}", "{{ .Values.tag }}"),
        ("web:#{Build.TAG}", "#{Build.TAG}"),
        ("<ACCOUNT>.dkr.ecr", "<ACCOUNT>"),
        ("web:%TAG%", "%TAG%"),
        ("web:@TAG@", "@TAG@"),
        ("web:__TAG__", "__TAG__"),
    ];
    for (text, place) in rows {
        assert_eq!(first(text), Some(place), "{text}");
    }
    let plain = [
        "",
        "web",
        "registry.example.com:5000/team/my__web:1.2_3",
        "web@sha256:aaaa",
        "web:1@sha256:aaaa",
        "a-b.c",
        "web:__",
        "100%",
    ];
    for text in plain {
        assert_eq!(first(text), None, "{text}");
    }
}

#[test]
fn a_text_that_is_a_place_alone_is_told_from_one_that_has_one() {
    for text in [
        "$X", "${X}", "{{ x }}", "$(x)", "#{a.b}", "<x>", "%X%", "@X@", "__X__",
    ] {
        assert!(is_all(text), "{text}");
        assert!(is_in(text), "{text}");
    }
    for text in [
        "",
        "x",
        "https://x/%2e%2e",
        "a__b__c",
        "____",
        "@",
        "@@",
        "%",
        "user@host@",
    ] {
        assert!(!is_all(text), "{text}");
        assert!(!is_in(text), "{text}");
    }
    for text in ["https://${X}.com", "https://<x", "{{x", "https://$(x)"] {
        assert!(!is_all(text) && is_in(text), "{text}");
    }
}

#[test]
fn a_path_may_have_some_of_the_marks() {
    for text in ["k8s/${ENV}.yaml", "$(pwd)/web.yaml", "k8s/{{ env }}.yaml"] {
        assert!(marked(text).is_some(), "{text}");
    }
    for text in ["k8s/$ENV.yaml", "k8s/<env>.yaml", "@k8s@/%a%", "__k8s__"] {
        assert_eq!(marked(text), None, "{text}");
    }
}
