use super::*;

#[test]
fn each_odd_answer_is_told_with_one_next_step() {
    let identity = |kind: &str, namespace: &str, name: &str| Identity {
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    };
    let other = |came| OddAnswer::Other {
        asked: identity("Deployment", "shop", "web"),
        came,
    };
    let odd = [
        OddAnswer::NotHttp,
        OddAnswer::BrokenBody,
        OddAnswer::Redirect(302, Some("login.example.com".into())),
        OddAnswer::Redirect(308, None),
        OddAnswer::Compressed("gzip".into()),
        OddAnswer::TooLong,
        OddAnswer::Text(200, Some("Sign in".into())),
        OddAnswer::Text(403, Some(String::new())),
        OddAnswer::Text(201, None),
        OddAnswer::Json(200, JsonFault::Empty),
        OddAnswer::Json(200, JsonFault::ByteOrderMark),
        OddAnswer::Json(200, JsonFault::CutOff),
        OddAnswer::Json(200, JsonFault::Several),
        OddAnswer::Json(200, JsonFault::Repeated),
        OddAnswer::Json(200, JsonFault::NoObject),
        other(identity("Pod", "", "web")),
        other(identity("Deployment", "shop", "payroll")),
        other(identity("", "", "")),
    ];
    let told = odd.map(|odd| {
        assert!(next(&odd).contains("K8S_CLUSTER"));
        what(&odd)
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    it is not HTTP
    its body is not encoded as its headers say
    HTTP 302 leads to `login.example.com`, and no redirect is followed
    HTTP 308 leads elsewhere, and no redirect is followed
    it is compressed (`gzip`), which was not asked for
    it has more than 8 MiB
    HTTP 200 with "Sign in"
    HTTP 403 without a text
    HTTP 201 with what is not JSON
    HTTP 200 with an empty body
    HTTP 200 with a byte order mark before its JSON, which is to be plain UTF-8
    HTTP 200 with JSON that ends in the middle
    HTTP 200 with more than one JSON value
    HTTP 200 with JSON that has one field twice
    HTTP 200 with JSON that is not of the form asked for
    asked for Deployment `web` in `shop`, it has Pod `web`
    asked for Deployment `web` in `shop`, it has Deployment `payroll` in `shop`
    asked for Deployment `web` in `shop`, it has an object
    "#);
}
