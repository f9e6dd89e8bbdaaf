mod corpus;

use super::text::decode;
use super::*;
use serde_json::json;
use std::time::{Duration, Instant};

fn documents(text: &str) -> Result<Vec<Value>, YamlError> {
    let mut documents = Vec::new();
    read(text, |document| documents.push(document))?;
    Ok(documents)
}

fn one(text: &str) -> Value {
    let mut documents = documents(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

fn problem(text: &str) -> String {
    let error = documents(text).expect_err(text);
    format!("line {}: {}", error.line, error.problem)
}

/// Each row was read by sigs.k8s.io/yaml 1.6.0 (`YAMLToJSON`) the same way.
#[test]
fn plain_words_mean_what_kubectl_takes_them_for() {
    for (text, expected) in [
        ("on", json!(true)),
        ("Yes", json!(true)),
        ("y", json!(true)),
        ("True", json!(true)),
        ("off", json!(false)),
        ("NO", json!(false)),
        ("n", json!(false)),
        ("oN", json!("oN")),
        ("yEs", json!("yEs")),
        ("'on'", json!("on")),
        ("\"no\"", json!("no")),
        ("!!str on", json!("on")),
        ("! on", json!("on")),
        ("~", json!(null)),
        ("Null", json!(null)),
        ("", json!(null)),
        ("0777", json!(511)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("08", json!(8)),
        ("1_000", json!(1000)),
        ("+5", json!(5)),
        ("-12", json!(-12)),
        ("-0x10", json!(-16)),
        ("1e3", json!(1000)),
        ("1e-3", json!(0.001)),
        ("1.5", json!(1.5)),
        ("1.0", json!(1)),
        (".5", json!(0.5)),
        ("5.", json!(5)),
        (
            "18446744073709551615",
            json!(18_446_744_073_709_551_615_u64),
        ),
        ("1.2.3", json!("1.2.3")),
        ("1e", json!("1e")),
        ("+-5", json!("+-5")),
        ("0x", json!("0x")),
        ("12:30:45", json!("12:30:45")),
        ("2026-01-01", json!("2026-01-01")),
        ("2026-01-01T00:00:00Z", json!("2026-01-01T00:00:00Z")),
        ("500m", json!("500m")),
        ("e0c7", json!("e0c7")),
        ("!!float 1", json!(1)),
        ("!!int 7", json!(7)),
        ("=", json!("=")),
    ] {
        assert_eq!(one(&format!("a: {text}")), json!({"a": expected}), "{text}");
    }
    assert_eq!(
        one("on: 1\n8080: 2\n1.5: 3"),
        json!({"true": 1, "8080": 2, "1.5": 3})
    );
}

#[test]
fn documents_blocks_and_aliases() {
    let several = "# first\n---\na: 1\n---\n---\nb: |\n  x\n  y\n...\n---\n# nothing\n";
    assert_eq!(
        documents(several),
        Ok(vec![json!({"a": 1}), json!({"b": "x\ny\n"})])
    );
    assert_eq!(documents(""), Ok(vec![]));
    assert_eq!(documents("\u{feff}a: 1"), Ok(vec![json!({"a": 1})]));
    assert_eq!(
        one("a: 1\r\nb: [x, 'y']\r\n"),
        json!({"a": 1, "b": ["x", "y"]})
    );
    let aliases = "a: &x {p: 1}\nb: *x\nc: &s text\nd: [*s, *s]";
    assert_eq!(
        one(aliases),
        json!({"a": {"p": 1}, "b": {"p": 1}, "c": "text",
        "d": ["text", "text"]})
    );
    let merged = "base: &base {p: 1, q: 1}\nmore: &more {r: 3}\n\
                  a:\n  <<: *base\n  q: 2\nb:\n  <<: [*base, *more]\n";
    assert_eq!(one(merged)["a"], json!({"p": 1, "q": 2}));
    assert_eq!(one(merged)["b"], json!({"p": 1, "q": 1, "r": 3}));
    assert_eq!(one("a: >-\n  one\n  two\n"), json!({"a": "one two"}));
}

#[test]
fn json_is_read_as_json() {
    assert_eq!(
        one("{\"a\":\t\"\\ud83d\\ude80\"}"),
        json!({"a": "\u{1f680}"})
    );
    assert_eq!(documents("{\"a\": 1}\n{\"b\": 2}").unwrap().len(), 2);
    // Brackets alone make no JSON, and what is no JSON may be YAML.
    assert_eq!(
        one("{\"a\": yes, \"b\":\n } # c"),
        json!({"a": true, "b": null})
    );
    assert_eq!(
        one("{a: 1, \"b\": [x, y,],}"),
        json!({"a": 1, "b": ["x", true]})
    );
    insta::assert_snapshot!(problem("{\"a\": {\"b\": 1, \"b\": 2}}"),
        @r"line 1: has `b` twice in one place");
    insta::assert_snapshot!(problem("{\"x\": 1}\n{\"b\": 1, \"b\": 2}"),
        @r"line 2: has `b` twice in one place");
    insta::assert_snapshot!(problem("{\"a\":\n [}"),
        @"line 2: is neither valid JSON nor YAML: expected value");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    insta::assert_snapshot!(problem("a: 1\nb: 2\na: 3\n"), @"line 3: has `a` twice in one place");
    insta::assert_snapshot!(problem("a: !Ref x"),
        @"line 1: has the tag `!Ref`, which Kubernetes does not know");
    insta::assert_snapshot!(problem("a: .inf"),
        @"line 1: has a number that JSON has no word for");
    insta::assert_snapshot!(problem("{}: 1"), @"line 1: has a key that is not a text");
    insta::assert_snapshot!(problem("? [a]\n: 1"), @"line 1: has a key that is not a text");
    insta::assert_snapshot!(problem("a: &x [*x]"),
        @"line 1: has an alias for something that it is a part of");
    insta::assert_snapshot!(problem("a: !!int x"),
        @r#"line 1: has the tag `!!int` before something else"#);
    insta::assert_snapshot!(problem("<<: 1"),
        @r"line 1: merges (`<<`) something that is not a mapping");
    for broken in ["a: [1", "a: *nothing", "a: 'x", "a: b: c"] {
        assert!(documents(broken).is_err(), "{broken}");
    }
}

/// A problem that must be found within a second; debug builds are ten times slower.
fn bomb(name: &str, text: &str) -> String {
    let start = Instant::now();
    let told = problem(text);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{name}: {:?}",
        start.elapsed()
    );
    told
}

#[test]
fn bombs_are_not_lit() {
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (one, other) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        let aliases = format!("*{one}, ").repeat(10);
        laughs.push_str(&format!("{other}: &{other} [{aliases}]\n"));
    }
    assert!(bomb("laughs", &laughs).contains("has an object of more than 600000 values"));
    let long = format!(
        "a: &a {}\nb: [{}]",
        "x".repeat(100_000),
        "*a, ".repeat(1000)
    );
    assert!(bomb("long text", &long).contains("4 MiB of text"));
    let many = "---\na: 1\n".repeat(100_000);
    assert!(bomb("documents", &many).contains("has more than 10000 documents"));
    let empty = "---\n".repeat(100_000);
    assert!(bomb("empty documents", &empty).contains("has more than 10000 documents"));
    for deep in [
        "[".repeat(80_000),
        "{a: ".repeat(40_000),
        "- ".repeat(100_000),
    ] {
        let told = bomb("deep", &format!("a:\n  {deep}"));
        assert!(
            told.contains("nested deeper") || told.contains("not valid YAML"),
            "{told}"
        );
    }
    let json = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(bomb("deep JSON", &json).contains("recursion limit"));
    let wide = format!("{{\"a\": [0{}]}}", ",0".repeat(700_000));
    assert!(bomb("wide JSON", &wide).contains("has an object of more than 600000 values"));
    let wide = format!("a:\n{}", "- 0\n".repeat(700_000));
    assert!(bomb("wide YAML", &wide).contains("has an object of more than 600000 values"));
    let merges = format!(
        "a: &a {{{}}}\nb:\n{}",
        (0..1000).map(|n| format!("k{n}: 1, ")).collect::<String>(),
        "  <<: *a\n".repeat(3000)
    );
    assert!(bomb("merges", &merges).contains("has an object of more than 600000 values"));
}

/// What is dear to hold is refused before it is held; what only looks like it is not.
#[test]
fn mappings_and_brackets_count_for_what_they_hold() {
    let json = |count| format!("{{\"a\": [{}0]}}", "{\"b\": 1}, ".repeat(count));
    for (name, text) in [
        ("mappings", "- {a: 1}\n".repeat(65_000)),
        ("block mappings", "- a: 1\n".repeat(65_000)),
        ("JSON", json(65_000)),
    ] {
        assert!(
            bomb(name, &text).contains("has an object of more than 600000 values"),
            "{name}"
        );
    }
    // The parser tells of what stands in brackets before it has found their end, which none of
    // these has in time: it holds no more than it tells.
    for (name, text, told) in [
        (
            "anchors",
            format!("[{}]", "&a ".repeat(600_000)),
            "not valid YAML",
        ),
        (
            "keys",
            format!("[{}", "? ".repeat(1_000_000)),
            "not valid YAML",
        ),
        (
            "open",
            format!("[{}", "a,".repeat(1_000_000)),
            "600000 values",
        ),
    ] {
        assert!(bomb(name, &text).contains(told), "{name}");
    }
    let signs = "a: b, [c] {d} - ".repeat(50_000);
    for (name, text) in [
        ("mappings", "- {a: 1}\n".repeat(25_000)),
        ("JSON", json(25_000)),
        (
            "text in brackets",
            format!("a: |\n{}", "  {\"b\": [1, 2, 3]},\n".repeat(90_000)),
        ),
        ("documents", "---\na: {b: [c]}\n".repeat(DOCUMENTS_LIMIT)),
        (
            "JSON with signs in a string",
            json(1).replace('1', &format!("\"\\\"{signs}\"")),
        ),
        ("a comment", format!("# {signs}\na: [1]\n")),
        (
            "a long string",
            format!("a: [1]\nb: \"{}\"", "word ".repeat(300_000)),
        ),
        (
            "signs without brackets",
            format!("a: \"{}\"", "b, c: ".repeat(150_000)),
        ),
        (
            "base64",
            format!("a: [1]\nb: {}", "Zm9v+/==".repeat(200_000)),
        ),
        ("a list", format!("a: [1]\nb:\n{}", "- 0\n".repeat(150_000))),
        ("one line", format!("[{}]", "\"a\",".repeat(460_000))),
    ] {
        assert!(documents(&text).is_ok(), "{name}");
    }
}

/// Each row was read by kubectl 1.34 (`kubectl label --local`) the same way.
#[test]
fn a_tab_after_a_colon_is_white_space() {
    for (text, expected) in [
        ("a:\t2x", Some(json!({"a": "2x"}))),
        ("a: \t v", Some(json!({"a": "v"}))),
        ("a:\t\tv", Some(json!({"a": "v"}))),
        ("a:\t-v", Some(json!({"a": "-v"}))),
        ("a:\t\"x:\ty\"", Some(json!({"a": "x:\ty"}))),
        ("a:\t'x:\ty'", Some(json!({"a": "x:\ty"}))),
        ("a: \"x:\ty\"", Some(json!({"a": "x:\ty"}))),
        ("a: !!str \"x:\ty\"", Some(json!({"a": "x:\ty"}))),
        (
            "a: 'it''s:\tx'\nb:\tc",
            Some(json!({"a": "it's:\tx", "b": "c"})),
        ),
        (
            "a: \"x\\\" k:\tv\"\nb:\tc",
            Some(json!({"a": "x\" k:\tv", "b": "c"})),
        ),
        (
            "a: \"x\n  k:\tv\"\nb:\tc",
            Some(json!({"a": "x k:\tv", "b": "c"})),
        ),
        ("a: b \"c\nd:\te", Some(json!({"a": "b \"c", "d": "e"}))),
        ("it's:\tx", Some(json!({"it's": "x"}))),
        ("a#b:\tx", Some(json!({"a#b": "x"}))),
        ("a: v # k:\tv\nb:\tw", Some(json!({"a": "v", "b": "w"}))),
        ("a:\tv\t\nb:\tw\t# c", Some(json!({"a": "v", "b": "w"}))),
        ("a:\tv\r\nb:\tw\r\n", Some(json!({"a": "v", "b": "w"}))),
        ("a:\t\nb:\tx", Some(json!({"a": null, "b": "x"}))),
        ("a:\t&q v\nb:\t*q", Some(json!({"a": "v", "b": "v"}))),
        (
            "a: |\n  k:\tv\n  x:\ty\nb:\tz",
            Some(json!({"a": "k:\tv\nx:\ty\n", "b": "z"})),
        ),
        (
            "a:\t|\n  k:\tv\nb:\tc",
            Some(json!({"a": "k:\tv\n", "b": "c"})),
        ),
        (
            "a: >-\n  k:\tv\n\n  w:\tv\nb:\tc",
            Some(json!({"a": "k:\tv\nw:\tv", "b": "c"})),
        ),
        ("a: |\nb:\tz", Some(json!({"a": "", "b": "z"}))),
        ("a: http://x\ty", Some(json!({"a": "http://x\ty"}))),
        ("a: b:\tc", None),
    ] {
        let read = documents(text).ok().map(|mut all| all.remove(0));
        assert_eq!(read, expected, "{text:?}");
    }
}

/// What is read of a file of objects.
fn objects(text: &str) -> Result<Vec<Value>, YamlError> {
    let mut objects = Vec::new();
    let reduce = |object: Value| match object["kind"] == "Deployment" {
        true => object,
        false => json!({"kind": object["kind"], "name": object["metadata"]["name"]}),
    };
    read_objects(text, "Deployment", reduce, |object| objects.push(object))?;
    Ok(objects)
}

/// A definition as large as those of well-known projects, and larger than what an object may hold.
fn definition(fields: usize) -> String {
    let field = "    f: {type: object, properties: {a: {type: string}}}\n";
    let fields = (0..fields).map(|number| field.replace("f:", &format!("f{number}:")));
    let fields = fields.collect::<String>();
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
         metadata: {{name: apps.example.com}}\nspec:\n  properties:\n{fields}"
    )
}

#[test]
fn a_file_is_not_refused_for_what_it_has_beside() {
    let deployment = "kind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n";
    let large = definition(30_000);
    assert!(large.len() < 2 << 20 && documents(&large).is_err());
    let other = json!({"kind": "CustomResourceDefinition", "name": "apps.example.com"});
    let web = json!({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2}});
    let text = format!("{large}---\n{deployment}");
    assert_eq!(objects(&text), Ok(vec![other.clone(), web.clone()]));
    // In a list, in YAML, with the kind after the items, as `kubectl get -o yaml` writes it.
    let item = |text: &str| format!("- {}\n", text.trim_end().replace('\n', "\n  "));
    let list = format!("items:\n{}{}kind: List\n", item(&large), item(deployment));
    let expected = json!({"kind": "List", "items": [other, web]});
    assert_eq!(objects(&list), Ok(vec![expected.clone()]));
    // And in JSON.
    let fields = "{\"a\": {}}, ".repeat(100_000);
    let json = format!(
        r#"{{"kind": "List", "items": [{{"kind": "CustomResourceDefinition", "metadata":
        {{"name": "apps.example.com"}}, "spec": [{fields} 0]}}, {web}]}}"#
    );
    assert!(documents(&json).is_err());
    assert_eq!(objects(&json), Ok(vec![expected]));
}

#[test]
fn what_is_passed_over_is_still_looked_at() {
    for (fault, told) in [
        ("  a: 1\n  a: 2\n", "has `a` twice"),
        ("  a: !Ref x\n", "has the tag `!Ref`"),
        ("  a: *b\n", "not valid YAML"),
        ("  a: [1\n", "not valid YAML"),
        ("  a: {b: &x [*x]}\n", "a part of"),
    ] {
        let error = objects(&format!("kind: Other\nspec:\n{fault}")).expect_err(fault);
        assert!(error.problem.contains(told), "{error:?}");
    }
    let fine = "kind: Other\nspec:\n  a: &x {b: 1}\n  c: *x\n  d:\n    <<: *x\n";
    assert_eq!(objects(fine).map(|all| all.len()), Ok(1));
    let late = "spec: {a: 1}\nmetadata: {name: b}\nkind: Other\n";
    assert_eq!(
        objects(late),
        Ok(vec![json!({"kind": "Other", "name": "b"})])
    );
    // Aliases in it are not followed, and cost nothing.
    let mut laughs = "kind: Other\nspec:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (one, other) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        let aliases = format!("*{one}, ").repeat(10);
        laughs.push_str(&format!("  {other}: &{other} [{aliases}]\n"));
    }
    assert_eq!(objects(&laughs).map(|all| all.len()), Ok(1));
    assert!(objects(&laughs.replace("Other", "Deployment")).is_err());
}

#[test]
fn lines_are_those_of_the_file() {
    insta::assert_snapshot!(problem("%YAML 1.1\n---\na: 1\n---\nb: 2\n---\nc: [\n"),
        @r"line 7: is not valid YAML: unclosed bracket '['");
    insta::assert_snapshot!(problem("a: 1\n---\n# x\nb: 2\nb: 3\n"),
        @"line 5: has `b` twice in one place");
}

#[test]
fn what_windows_writes_is_text() {
    let text = "\u{feff}a: ü\r\n---\n\u{feff}b: 1\n";
    let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<_>>();
    for content in [
        text.as_bytes(),
        &wide(u16::to_le_bytes),
        &wide(u16::to_be_bytes),
    ] {
        let decoded = decode(content).unwrap();
        assert_eq!(
            documents(&decoded),
            Ok(vec![json!({"a": "ü"}), json!({"b": 1})])
        );
    }
    for (content, told) in [
        (&wide(u16::to_le_bytes)[2..], "is UTF-16 without a mark"),
        (
            &[0xff, 0xfe, b'a'],
            "is UTF-16, as PowerShell's `>` writes it, and damaged",
        ),
        (&[0xff, 0xfe, 0, 0xd8], "damaged"),
        (b"a: 1\nb: \xfc\n", "is not UTF-8 text (line 2)"),
    ] {
        let why = decode(content).unwrap_err();
        assert!(why.contains(told), "{why}");
    }
}

#[test]
fn each_object_has_the_line_in_which_it_begins() {
    let list =
        "# a comment\n\napiVersion: v1\nitems:\n- kind: A\n  name: a\n-\n  kind: B\nkind: List\n";
    let json =
        "{\"kind\": \"A\"}\n\n{\n\"kind\": \"RoleList\", \"items\": [\n{\"kind\": \"B\"}]}\n";
    for (text, items, documents) in [
        (
            "kind: A\n---\n# b\nkind: B\n---\n",
            vec![],
            vec![("A", 1), ("B", 4)],
        ),
        (
            "\n---\n\n\nkind: A\n...\n---\nkind: B",
            vec![],
            vec![("A", 5), ("B", 8)],
        ),
        (list, vec![("A", 5), ("B", 8)], vec![("List", 3)]),
        (json, vec![("B", 5)], vec![("A", 1), ("RoleList", 3)]),
        ("kind: A\nitems: [{kind: B}]", vec![], vec![("A", 1)]),
        (
            "items: [{kind: B}]\nkind: A",
            vec![("B", 1)],
            vec![("A", 1)],
        ),
        ("--- &root\nkind: A", vec![], vec![("A", 2)]),
        (
            "kind: List\nitems:\n- kind: List\n  items:\n  - kind: A",
            vec![("List", 3)],
            vec![("List", 1)],
        ),
    ] {
        let placed = |object: &Value, line| (object["kind"].as_str().unwrap().to_owned(), line);
        let (mut packed, mut taken) = (Vec::new(), Vec::new());
        let pack = |object: Value, line| {
            packed.push(placed(&object, line));
            Ok(Value::Null)
        };
        let take = |object: Value, line| {
            taken.push(placed(&object, line));
            Ok(())
        };
        read_placed(text, pack, take).unwrap();
        let owned = |all: Vec<(&str, usize)>| {
            all.into_iter()
                .map(|(kind, line)| (kind.to_owned(), line))
                .collect::<Vec<_>>()
        };
        assert_eq!((packed, taken), (owned(items), owned(documents)), "{text}");
    }
}

#[test]
fn every_field_of_every_kind_is_read_where_all_objects_are_wanted() {
    let text =
        "kind: ConfigMap\ndata: {a: b}\n---\nkind: List\nitems:\n- {kind: Role, rules: [1]}\n";
    let mut all = Vec::new();
    let take = |object, _| {
        all.push(object);
        Ok(())
    };
    read_placed(text, |object, _| Ok(object), take).unwrap();
    assert_eq!(
        all,
        [
            json!({"kind": "ConfigMap", "data": {"a": "b"}}),
            json!({"kind": "List", "items": [{"kind": "Role", "rules": [1]}]}),
        ]
    );
}

#[test]
fn an_error_of_the_caller_ends_the_reading_in_its_line() {
    let much = || "is too much".to_owned();
    let list = "kind: List\nitems:\n- kind: A\n- kind: B\n";
    let two = "kind: A\n---\nkind: B\n";
    let of_item = read_placed(list, |_, _| Err(much()), |_, _| panic!("the list is taken"));
    let of_document = read_placed(two, |item, _| Ok(item), |_, _| Err(much()));
    for (read, line) in [(of_item, 4), (of_document, 2)] {
        let error = read.unwrap_err();
        assert_eq!((error.line, &*error.problem), (line, "is too much"));
    }
}
