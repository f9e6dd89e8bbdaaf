use super::*;
use crate::text::clip;
use base64::Engine;

impl Mask {
    /// Learns from an object or a list.
    pub(super) fn learn(&mut self, object: &Value) {
        if let Some(learned) = self.learned(object) {
            *self = learned;
        }
    }
}

fn mask(secrets: &[&str]) -> Mask {
    let mut mask = Mask::new();
    mask.add(secrets.iter().copied());
    mask
}

#[test]
fn a_mask_hides_values() {
    let quoted = "a \"quoted\"\n\tvalue";
    let long = "0123456789".repeat(100);
    let cut = format!("Bearer {}", clip(&long, 300));
    let cases: [(&str, &[&str], &str, &str); 12] = [
        ("a value", &["s3cret"], "it is s3cret.", "it is [hidden]."),
        ("each time", &["s3cret"], "s3crets3cret", "[hidden][hidden]"),
        (
            "the longer one first",
            &["secret", "secret-2"],
            "secret-2 secret",
            "[hidden] [hidden]",
        ),
        ("none", &[], "as it is", "as it is"),
        (
            "short values are left alone",
            &["true", "8080"],
            "true 8080",
            "true 8080",
        ),
        (
            "blanks around do not count",
            &[" s3cret\n"],
            "is s3cret",
            "is [hidden]",
        ),
        (
            "blanks alone are nothing",
            &["      "],
            "a      b",
            "a      b",
        ),
        (
            "characters of many bytes",
            &["é€😀"],
            "→é€😀←",
            "→[hidden]←",
        ),
        (
            "as we quote it",
            &[quoted],
            "a \"quoted\" value",
            "[hidden]",
        ),
        (
            "as Kubernetes quotes it",
            &[quoted],
            r#""a \"quoted\"\n\tvalue""#,
            r#""[hidden]""#,
        ),
        ("cut by us", &[&long], &cut, "Bearer [hidden]…"),
        (
            "cut after too little",
            &["s3cret"],
            "it is s3cr…",
            "it is s3cr…",
        ),
    ];
    for (name, secrets, text, expected) in cases {
        assert_eq!(mask(secrets).text(text), expected, "{name}");
    }
}

#[test]
fn a_value_is_hidden_however_it_is_written() {
    let value = "pä\"ss/w<o>r&d'+ 1";
    let json = serde_json::to_string(value).unwrap();
    let ascii = r#"p\u00e4\"ss\/w\u003co\u003er\u0026d'+ 1"#;
    let form = url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let listed = |sign: &str, number: fn(u8) -> String| {
        let all = value.bytes().map(number).collect::<Vec<_>>();
        all.join(sign)
    };
    for written in [
        value.to_owned(),
        json[1..json.len() - 1].to_owned(),
        ascii.to_owned(),
        ascii.replace('\\', "\\\\"),
        ascii.replace("00e4", "00E4"),
        r#"p\xe4"ss/w<o>r&d\'+ 1"#.to_owned(),
        r#"p\xc3\xa4"ss/w<o>r&d\'+ 1"#.to_owned(),
        "p&auml;".replace("&auml;", "ä") + "&quot;ss/w&lt;o&gt;r&amp;d&#39;+ 1",
        "p&#228;&#34;ss&#x2f;w&lt;o&gt;r&amp;d&#x27;+ 1".to_owned(),
        form.clone(),
        form.to_lowercase(),
        form.replace('+', "%20"),
        "p%C3%A4%22ss/w%3Co%3Er%26d'%2B%201".to_owned(),
        base64(value),
        base64(value).replace('+', "-").replace('/', "_"),
        value.bytes().map(|byte| format!("{byte:02x}")).collect(),
        listed(", ", |byte| byte.to_string()),
        listed(" ", |byte| byte.to_string()),
        listed(":", |byte| format!("{byte:02X}")),
        listed(", ", |byte| format!("0x{byte:x}")),
    ] {
        let shown = mask(&[value]).text(&format!("before: {written}, after"));
        let rest = shown.strip_prefix("before: [hidden]").unwrap_or(&shown);
        let rest = rest.trim_start_matches('=');
        assert_eq!(rest, ", after", "{written}");
    }
    // The first and the last character may be shared with what stands around it.
    for (before, after) in [("u:", ""), ("ab", "c"), ("user", ":x"), ("", "12")] {
        let shown = mask(&[value]).text(&base64(&format!("{before}{value}{after}")));
        assert!(shown.contains(HIDDEN) && shown.len() < 24, "{shown}");
    }
}

#[test]
fn what_programs_make_of_a_value_hides_it_no_less() {
    let value = "Pä\"ss/w<o>r&d'+ 1";
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    for written in [
        r#"P\303\244\"ss/w<o>r&d'+ 1"#.to_owned(),
        r"\120\303\244\042\163\163\057\167\074\157\076\162\046\144\047\053\040\061".to_owned(),
        r#"P\344"ss/w<o>r&d'+ 1"#.to_owned(),
        "P=C3=A4=22ss/w<o>r&d'+ 1".to_owned(),
        "P=C3=A4\"ss/w<o=\n>r&d'+=201".to_owned(),
        "P&auml;&quot;ss&sol;w&lt;o&gt;r&amp;d&apos;&plus;&nbsp;1".to_owned(),
        "Pa\u{308}\"ss/w<o>r&d'+ 1".to_owned(),
        "Pa%CC%88%22ss/w%3Co%3Er%26d'%2B%201".to_owned(),
        "p%c3%a4%22ss/w%3co%3er%26d'%2b%201".to_owned(),
        "PÄ\"SS/W<O>R&D'+ 1".to_owned(),
        "PÃ¤\"ss/w<o>r&d'+ 1".to_owned(),
        "P?\"ss/w<o>r&d'+ 1".to_owned(),
        "Pä\"ss/w\n<o>r&d'+ 1".to_owned(),
        "Pä\"ss/w\n    <o>r&d'+ 1".to_owned(),
        "Pä\"ss/w<o>r&d'+\n1".to_owned(),
        "Pä\"ss/w' +\n  '<o>r&d'+ 1".to_owned(),
        r#"P\u00e4\"ss/w\n<o>r&d'+ 1"#.to_owned(),
        base64(&base64(value)),
        base64(&format!(
            r#"{{"auth":"{}"}}"#,
            base64(&format!("user:{value}"))
        )),
        base64(r#"{"password": "P\u00e4\"ss/w<o>r&d'+ 1"}"#),
        base64("Pa\u{308}\"ss/w<o>r&d'+ 1"),
    ] {
        let shown = mask(&[value]).text(&format!("before: {written}, after"));
        assert!(shown.starts_with("before: ") && shown.ends_with(", after"));
        let rest = &shown["before: ".len()..shown.len() - ", after".len()];
        // Of base64 what stands around the value may be left.
        let left = rest.replacen(HIDDEN, "", 1).replace('=', "");
        let most = if written.len() > 40 && !written.contains('\\') {
            28
        } else {
            0
        };
        assert!(
            rest.contains(HIDDEN) && left.len() <= most,
            "{written}: {shown}"
        );
    }
    let url = mask(&["https://Shop:HunterTwo@Db.Example.com/Orders"]);
    let text = "cannot reach https://shop:huntertwo@db.example.com/orders, huntertwo";
    assert_eq!(url.text(text), "cannot reach [hidden], huntertwo");
}

#[test]
fn a_value_in_another_radix_or_compressed_is_hidden() {
    let value = "hunter2-Hunter3";
    // base58, and base85 of Adobe and of Python.
    for written in [
        r#"3vW4SX4ia5a9RQL5nDjkW"#,
        r#"BQ\37ATBOX89JflATBR"#,
        r#"XmxIMWpXktNOf*>WpXn"#,
    ] {
        let shown = mask(&[value]).text(&format!("key=1Aa {written} end"));
        assert_eq!(shown, "key=1Aa [hidden] end", "{written}");
    }
    // Within a longer text the whole groups of four bytes are found.
    for (written, most) in [
        (r#"A7@T5F`);4E\]4;F`);4E\fsoDf^""#, 16),
        (r#"dm?aQb8~lZa%3VpAR=gWZggdGGA&4TZggdGGa`K"#, 32),
    ] {
        let shown = mask(&[value]).text(written);
        let left = shown.replacen(HIDDEN, "", 1);
        assert!(
            shown.contains(HIDDEN) && left.len() <= most,
            "{written}: {shown}"
        );
    }
    let packed = "H4sIAAAAAAACA8sozStJLTLSzUClAZOr07UXAAAA";
    let shown = mask(&[value]).text(&format!("state: {packed}"));
    assert_eq!(shown, "state: [hidden]");
}

#[test]
fn what_a_program_has_cut_of_a_value_is_hidden() {
    let key = "sk_live_51HqLyjWDarjtT1zdp7dc9pQ";
    for cut in [
        "sk_live_51H**********",
        "sk_live_51HqLyjW[truncated]",
        "sk_live_51HqLyjW (truncated)",
        "sk_live_51HqLyjW[...]",
        "sk_live_51HqLyjWDarj",
        "sk_live_51HqLyjWDarj, next",
    ] {
        let shown = mask(&[key]).text(&format!("key {cut}"));
        assert!(shown.starts_with("key [hidden]"), "{cut}: {shown}");
    }
    let address = "postgres://shop.example.com:5432/orders2?sslmode=verify-full";
    let others = "postgres://shop.example.com:5432/others is not there";
    assert_eq!(mask(&[address]).text(others), others);
    assert_eq!(
        mask(&[key]).text("sk_live_51Hq is old"),
        "sk_live_51Hq is old"
    );
}

#[test]
fn what_only_looks_like_a_value_stays() {
    for (value, text) in [
        ("Cluster", "the cluster of clusters; CLUSTER"),
        ("these", "the set, the\tse rver, th-ese"),
        ("Release-1", "a release 1, release-2"),
        ("admin1", "admin 1, admin\t1, admin-1"),
        ("ouml;x", "&ouml; x"),
        ("hunter22", "hunter2, unter22, hunter\n\n\n- 22"),
        ("303266", r"\303\266"),
    ] {
        assert_eq!(
            mask(&[value]).text(text),
            text.replace('\t', " "),
            "{value}"
        );
    }
    let mut mask = Mask::new();
    mask.add_values(["Europe-West-1", "production", "europe-west-1"]);
    mask.learn(&deployment(
        &[],
        serde_json::json!({"region": "EUROPE-west-1", "env": "production"}),
    ));
    let text = "europe-west-1 Europe-West-1 production PRODUCTION env: production";
    assert_eq!(mask.text(text), text);
}

fn deployment(env: &[(&str, &str)], labels: Value) -> Value {
    let env = env
        .iter()
        .map(|(name, value)| serde_json::json!({"name": name, "value": value}));
    let env = env.collect::<Vec<_>>();
    serde_json::json!({"metadata": {"name": "web-server", "namespace": "shop", "labels": labels},
        "spec": {"template": {"spec": {
            "containers": [{"name": "app", "image": "registry.example.com/web:1.2.3", "env": env}],
            "initContainers": [{"name": "setup", "env": [{"name": "X", "value": "initial-value"},
                {"name": "Y", "valueFrom": {}}]}]}}}})
}

#[test]
fn what_is_in_the_cluster_already_is_hidden() {
    let mut mask = Mask::new();
    let env = [
        ("A", "hunter22"),
        ("B", "1.2.3"),
        ("C", "8080"),
        ("D", "debug"),
    ];
    mask.learn(&deployment(&env, serde_json::json!({})));
    let text = "hunter22 initial-value 1.2.3 8080 debug";
    assert_eq!(mask.text(text), "[hidden] [hidden] 1.2.3 8080 debug");
    let list = serde_json::json!({"items": [deployment(&[("A", "former-value")],
        serde_json::json!({}))]});
    mask.learn(&list);
    assert_eq!(
        mask.text("got former-value, hunter22"),
        "got [hidden], [hidden]"
    );
    for odd in [
        serde_json::json!(null),
        serde_json::json!({"spec": 1, "items": 2}),
    ] {
        mask.learn(&odd);
    }
}

#[test]
fn what_stands_in_the_open_is_not_hidden() {
    let mut mask = Mask::new();
    mask.add_values(["europe-west", "shop-admin", "web-server", "hunter22"]);
    assert_eq!(mask.text("europe-west"), "[hidden]");
    mask.learn(&deployment(
        &[("R", "europe-west")],
        serde_json::json!({"region": "europe-west"}),
    ));
    let text = "label region=europe-west of web-server, web-server-6d9c, shop-admin hunter22";
    let expected = "label region=europe-west of web-server, web-server-6d9c, [hidden] [hidden]";
    assert_eq!(mask.text(text), expected);
    // A token is hidden whatever a label says.
    mask.add(["europe-west"]);
    assert_eq!(mask.text("europe-west"), "[hidden]");
}

#[test]
fn parts_of_values_are_hidden() {
    let mut mask = Mask::new();
    mask.add_parts(["hunter22", "v1.2.3"]);
    assert_eq!(mask.text("hunter22 v1.2.3"), "hunter22 v1.2.3");
    mask.add_values([
        "postgres://app:hunter22@db:5432/shop",
        "amqp://u:p%40ss-word@mq/",
        "Server=db;User Id=sa;Password=Str0ng!Pass;",
        "postgres://app:sl/ash#ed@w0rd@db:5432/shop",
        "whole%2Fvalue%41",
    ]);
    assert_eq!(
        mask.text("password p@ss-word is wrong, so is sl/ash#ed@w0rd; whole/valueA"),
        "password [hidden] is wrong, so is [hidden]; [hidden]"
    );
    assert_eq!(
        mask.text("login with hunter22 failed for v1.2.3; p%40ss-word; Str0ng!Pass"),
        "login with [hidden] failed for v1.2.3; [hidden]; [hidden]"
    );
}

#[test]
fn values_that_overlap_are_hidden_together() {
    let both = mask(&["abcdef", "defghi"]);
    assert_eq!(
        both.text("abcdefghi abcdef defghi"),
        "[hidden] [hidden] [hidden]"
    );
    assert_eq!(mask(&["aaaaa"]).text("aaaaaaaaaaaa"), "[hidden]");
}

#[test]
fn what_does_not_show_hides_no_value() {
    let mask = mask(&["s3cret-value", "tab\tbed-value"]);
    for text in [
        "s3cret\u{200b}-value",
        "s3\u{1b}[1mcret\u{1b}[0m-value",
        "\u{202e}s3cret-value",
    ] {
        assert_eq!(mask.text(text), "[hidden]", "{text:?}");
    }
    assert_eq!(mask.text("tab\tbed-value"), "[hidden]");
}

/// A log of 128 KiB and two thousand values: bounded, and not their product.
#[test]
fn many_values_and_a_long_text_take_no_long_time() {
    let values = (0..2000).map(|index| format!("https-value-{index}-{}", "x".repeat(index % 50)));
    let values = values.collect::<Vec<_>>();
    let mut mask = Mask::new();
    mask.add_values(values.iter().map(String::as_str));
    for line in [
        "plain words of a log, with https-value- in them...\n",
        "&amp;%25\\u00e4+aGVsbG8gd29ybGQ=\n",
        "'+\\\n  '&ouml;=C3=B6\\303\\266",
        "'          +++++ \\\\\\",
        "68747470732d",
        "aaaaaaaaaaaaaaaaaaaa",
        "...",
    ] {
        let text = line.repeat(128 * 1024 / line.len());
        let begun = std::time::Instant::now();
        _ = mask.text(&text);
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(10),
            "{:?} {line}",
            begun.elapsed()
        );
    }
}

/// A service account may have the name that a variable has as its value.
#[test]
fn the_names_that_an_object_refers_to_are_open_as_a_whole() {
    let mut mask = Mask::new();
    mask.add_values([
        "webrunner",
        "s3cret-part",
        "operator-login",
        "from-a-config-map",
    ]);
    mask.learn(&serde_json::json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {"template": {"spec": {
            "serviceAccountName": "webrunner",
            "volumes": [{"name": "v-s3cret-part", "configMap": {"name": "settings"}}],
            "containers": [{"name": "app", "env": [{"name": "WHO", "value": "webrunner"}]}],
        }}},
    }));
    mask.learn(&serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "c"}, "data": {"name": "from-a-config-map"}}));
    mask.learn(
        &serde_json::json!({"apiVersion": "example.com/v1", "kind": "Database",
        "metadata": {"name": "d"}, "spec": {"userName": "operator-login"}}),
    );
    let told = mask.text("spec.serviceAccountName: webadmin → webrunner");
    assert_eq!(told, "spec.serviceAccountName: webadmin → webrunner");
    for hidden in ["s3cret-part", "operator-login", "from-a-config-map"] {
        assert_eq!(mask.text(hidden), HIDDEN);
    }
}

#[test]
fn a_mask_prints_none_of_its_values() {
    let mut mask = Mask::new();
    mask.add(["a-secret-of-many-letters"]);
    mask.add_values(["a-value-of-many-letters"]);
    mask.add_parts(["a-part-of-many-letters"]);
    let printed = format!("{mask:?}");
    assert!(!printed.contains("many-letters"), "{printed}");
}
