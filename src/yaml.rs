//! YAML as Kubernetes' own tools read it, and JSON: text in, one value for each document out.
//!
//! `kubectl` reads by sigs.k8s.io/yaml, which is YAML 1.1 where it matters: `on`, `yes` and `y` are
//! true, `0777` is octal, `1e3` is a number, `2026-01-01` is a string. We follow it, so that a
//! manifest means the same here and there; but a key that stands twice is a fault here.
//! <https://github.com/kubernetes-sigs/yaml/blob/master/goyaml.v2/resolve.go>
//!
//! What an alias stands for counts each time that it stands, so that ten lines cannot become a
//! billion.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// The most documents in one file.
pub const DOCUMENTS_LIMIT: usize = 1000;

/// The most values in a file, aliases resolved, of 32 bytes each: a mapping counts as
/// `MAPPING_VALUES`. A file of a hundred objects has 50,000.
pub const VALUES_LIMIT: usize = 200_000;

/// What a mapping counts, even one of a single key: a node of its tree has room for eleven, in some
/// 650 bytes.
const MAPPING_VALUES: usize = 20;

/// The most signs that begin something in brackets. The parser holds everything from `[` to `]`
/// before it tells of the first of it: up to three tokens a sign, 30 MB of these in all.
const SIGNS_LIMIT: usize = 80_000;

/// The most text in them, aliases resolved: twice what a file may have.
pub const TEXT_LIMIT: usize = 4 * 1024 * 1024;

/// How deep values may lie in each other. A Deployment needs 15.
pub const DEPTH_LIMIT: usize = 100;

/// Why a text is no YAML that can be used; with the line, which is worth most.
#[derive(Clone, Debug, PartialEq)]
pub struct YamlError {
    /// Counted from one.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

/// Reads all documents of a text and gives each to `take`; empty ones are left out.
pub fn read(text: &str, mut take: impl FnMut(Value)) -> Result<(), YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return read_json(text, take);
    }
    if signs(text) > SIGNS_LIMIT {
        return Err(too_many(1));
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        line: 1,
        values: VALUES_LIMIT,
        text: TEXT_LIMIT,
        anchors: HashMap::new(),
    };
    let mut documents = 0;
    loop {
        match reader.next()? {
            Event::StreamEnd => return Ok(()),
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > DOCUMENTS_LIMIT {
                    let problem = format!("has more than {DOCUMENTS_LIMIT} documents");
                    return Err(reader.error(problem));
                }
                reader.anchors.clear();
                let event = reader.next()?;
                let document = reader.value(event, 0)?;
                if !document.is_null() {
                    take(document);
                }
            }
            Event::Nothing
            | Event::StreamStart
            | Event::DocumentEnd
            | Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd => {}
        }
    }
}

/// The signs that may begin something in brackets; there are none in a line of comment.
fn signs(text: &str) -> usize {
    if !text.contains(['[', '{']) {
        return 0;
    }
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let bytes = lines.flat_map(str::bytes);
    bytes.filter(|byte| b",[{:&*!".contains(byte)).count()
}

/// The values of a JSON text: one before each comma and in each bracket, but for those in strings.
fn json_values(text: &str) -> usize {
    let (mut values, mut in_string, mut is_escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' if !in_string => values += MAPPING_VALUES,
            b',' | b'[' if !in_string => values += 1,
            _ => {}
        }
    }
    values
}

fn too_many(line: usize) -> YamlError {
    let problem = format!(
        "has more than {VALUES_LIMIT} values or {} MiB of text, with what its aliases stand for",
        TEXT_LIMIT >> 20
    );
    YamlError { line, problem }
}

/// JSON is read as JSON: YAML knows no surrogate pairs. Its depth is limited by serde.
fn read_json(text: &str, mut take: impl FnMut(Value)) -> Result<(), YamlError> {
    let error = |line, problem: &str| YamlError {
        line,
        problem: problem.to_owned(),
    };
    if json_values(text) > VALUES_LIMIT {
        return Err(error(1, &format!("has more than {VALUES_LIMIT} values")));
    }
    let mut documents = 0;
    for document in serde_json::Deserializer::from_str(text).into_iter() {
        let document = document.map_err(|cause: serde_json::Error| {
            let what = cause.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            error(cause.line(), &format!("is no valid JSON: {what}"))
        })?;
        documents += 1;
        if documents > DOCUMENTS_LIMIT {
            return Err(error(
                1,
                &format!("has more than {DOCUMENTS_LIMIT} documents"),
            ));
        }
        take(document);
    }
    match crate::request::repeated(text) {
        Some(key) => Err(error(1, &format!("has `{key}` twice"))),
        None => Ok(()),
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    line: usize,
    /// Values that may still come, and bytes of text.
    values: usize,
    text: usize,
    anchors: HashMap<usize, Anchored>,
}

/// A value that aliases may stand for, and what it counts.
struct Anchored {
    value: Value,
    values: usize,
    text: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, problem: impl Into<String>) -> YamlError {
        YamlError {
            line: self.line,
            problem: problem.into(),
        }
    }

    fn next(&mut self) -> Result<Event<'a>, YamlError> {
        match self.parser.next_event() {
            None => Ok(Event::StreamEnd),
            Some(Ok((event, span))) => {
                let span: Span = span;
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => {
                let error: ScanError = error;
                self.line = error.marker().line();
                Err(self.error(format!("is no valid YAML: {}", error.info())))
            }
        }
    }

    fn count(&mut self, values: usize, text: usize) -> Result<(), YamlError> {
        match (self.values.checked_sub(values), self.text.checked_sub(text)) {
            (Some(values), Some(text)) => {
                (self.values, self.text) = (values, text);
                Ok(())
            }
            _ => Err(too_many(self.line)),
        }
    }

    /// The value that an event begins.
    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Value, YamlError> {
        if depth > DEPTH_LIMIT {
            return Err(self.error(format!("is nested deeper than {DEPTH_LIMIT} levels")));
        }
        let (values, text) = (self.values, self.text);
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor),
            Event::Scalar(scalar, style, anchor, tag) => {
                self.count(1, scalar.len())?;
                let tag = tag.as_deref();
                let value = scalar_value(scalar, style, tag).map_err(|why| self.error(why))?;
                (anchor, value)
            }
            Event::SequenceStart(anchor, tag) => {
                self.count(1, 0)?;
                self.plain_tag(tag.as_deref(), "seq")?;
                (anchor, self.sequence(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.count(MAPPING_VALUES, 0)?;
                self.plain_tag(tag.as_deref(), "map")?;
                (anchor, self.mapping(depth)?)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(self.error("ends too early")),
        };
        if anchor != 0 {
            let (values, text) = (values - self.values, text - self.text);
            // It is kept beside its first place, and so counts twice.
            self.count(values, text)?;
            let anchored = Anchored {
                value: value.clone(),
                values,
                text,
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(value)
    }

    fn alias(&mut self, anchor: usize) -> Result<Value, YamlError> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(self.error("has an alias for something that it is a part of"));
        };
        let (values, text) = (anchored.values, anchored.text);
        self.count(values, text)?;
        Ok(self.anchors[&anchor].value.clone())
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            items.push(self.value(event, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut fields = Map::new();
        let mut merged = Vec::new();
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merges =
                matches!(&event, Event::Scalar(key, ScalarStyle::Plain, _, None) if key == "<<");
            let key = self.value(event, depth + 1)?;
            let key = self.key(key)?;
            let line = self.line;
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            if merges {
                merged.push(value);
            } else if fields.contains_key(&key) {
                self.line = line;
                return Err(self.error(format!("has `{key}` twice in one place")));
            } else {
                fields.insert(key, value);
            }
        }
        for source in merged {
            let sources = match source.as_array() {
                Some(sources) => sources.clone(),
                None => vec![source],
            };
            for source in sources {
                let Value::Object(source) = source else {
                    return Err(self.error("merges (`<<`) something that is no mapping"));
                };
                for (key, value) in source {
                    fields.entry(key).or_insert(value);
                }
            }
        }
        Ok(Value::Object(fields))
    }

    fn key(&self, key: Value) -> Result<String, YamlError> {
        match key {
            Value::String(key) => Ok(key),
            Value::Bool(key) => Ok(key.to_string()),
            Value::Number(key) => Ok(key.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(self.error("has a key that is no text"))
            }
        }
    }

    fn plain_tag(&self, tag: Option<&Tag>, expected: &str) -> Result<(), YamlError> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => {
                Err(self.error(unknown(tag)))
            }
            _ => Ok(()),
        }
    }
}

fn unknown(tag: &Tag) -> String {
    let tag = match tag.is_yaml_core_schema() {
        true => format!("!!{}", tag.suffix),
        false => tag.to_string(),
    };
    format!("has the tag `{tag}`, which Kubernetes does not know")
}

fn scalar_value(
    scalar: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
) -> Result<Value, String> {
    let resolved = |scalar: &str| {
        plain(scalar).ok_or_else(|| "has a number that JSON has no word for".to_owned())
    };
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Plain => resolved(&scalar),
            ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Literal
            | ScalarStyle::Folded => Ok(Value::String(scalar.into_owned())),
        };
    };
    if !tag.is_yaml_core_schema() {
        // A lone `!` says that it is a string.
        let lone = tag.handle.is_empty() && tag.suffix == "!";
        return match lone {
            true => Ok(Value::String(scalar.into_owned())),
            false => Err(unknown(tag)),
        };
    }
    let value = resolved(&scalar)?;
    match (&*tag.suffix, &value) {
        ("str", _) => Ok(Value::String(scalar.into_owned())),
        ("null", Value::Null) | ("bool", Value::Bool(_)) | ("float", Value::Number(_)) => Ok(value),
        ("int", Value::Number(number)) if !number.is_f64() => Ok(value),
        ("null" | "bool" | "int" | "float", _) => Err(format!(
            "has the tag `!!{}` before something else",
            tag.suffix
        )),
        _ => Err(unknown(tag)),
    }
}

/// What a text without quotes means. `None` for what JSON cannot say: infinity and no number.
fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => return None,
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| float(&digits))
        }
        Some(b'.') => float(text),
        _ => None,
    };
    Some(number.map_or_else(|| Value::String(text.to_owned()), Value::Number))
}

/// As Go's `ParseInt` with base 0 and then `ParseUint`.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.split_at_checked(1) {
        Some(("-", digits)) => (true, digits),
        Some(("+", digits)) => (false, digits),
        _ => (false, text),
    };
    let (base, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(two) if two.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // Rust would take another sign here.
    if !digits.starts_with(|first: char| first.is_digit(base)) {
        return None;
    }
    let signed = |digits: &str| i64::from_str_radix(&format!("-{digits}"), base);
    match negative {
        true => signed(digits).ok().map(Number::from),
        false => match u64::from_str_radix(digits, base).ok() {
            Some(_) if text.starts_with('+') => {
                i64::from_str_radix(digits, base).ok().map(Number::from)
            }
            number => number.map(Number::from),
        },
    }
}

/// Digits with a point or an exponent; a whole number is written without a point, as Go does it.
fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let fits = all_digits(whole)
        && all_digits(part)
        && !(whole.is_empty() && part.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent));
    let number: f64 = text.parse().ok().filter(|_| fits)?;
    /// Up to here a float counts in ones.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}

#[cfg(test)]
mod tests {
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
        insta::assert_snapshot!(problem("{\"a\": {\"b\": 1, \"b\": 2}}"),
            @"line 1: has `a.b` twice");
        insta::assert_snapshot!(problem("{\"x\": 1}\n{\"b\": 1, \"b\": 2}"),
            @"line 1: has `b` twice");
        insta::assert_snapshot!(problem("{\"a\":\n }"),
            @"line 2: is no valid JSON: expected value");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        insta::assert_snapshot!(problem("a: 1\nb: 2\na: 3\n"), @"line 3: has `a` twice in one place");
        insta::assert_snapshot!(problem("a: !Ref x"),
            @"line 1: has the tag `!Ref`, which Kubernetes does not know");
        insta::assert_snapshot!(problem("a: .inf"),
            @"line 1: has a number that JSON has no word for");
        insta::assert_snapshot!(problem("{}: 1"), @r#"line 1: is no valid JSON: expected value"#);
        insta::assert_snapshot!(problem("? [a]\n: 1"), @"line 1: has a key that is no text");
        insta::assert_snapshot!(problem("a: &x [*x]"),
            @"line 1: has an alias for something that it is a part of");
        insta::assert_snapshot!(problem("a: !!int x"),
            @r#"line 1: has the tag `!!int` before something else"#);
        insta::assert_snapshot!(problem("<<: 1"),
            @r#"line 2: merges (`<<`) something that is no mapping"#);
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
        assert!(bomb("laughs", &laughs).contains("has more than 200000 values"));
        let long = format!(
            "a: &a {}\nb: [{}]",
            "x".repeat(100_000),
            "*a, ".repeat(1000)
        );
        assert!(bomb("long text", &long).contains("4 MiB of text"));
        let many = "---\na: 1\n".repeat(100_000);
        assert!(bomb("documents", &many).contains("has more than 1000 documents"));
        let empty = "---\n".repeat(100_000);
        assert!(bomb("empty documents", &empty).contains("has more than 1000 documents"));
        for deep in [
            "[".repeat(SIGNS_LIMIT - 10),
            "{a: ".repeat(SIGNS_LIMIT / 2 - 10),
            "- ".repeat(100_000),
        ] {
            let told = bomb("deep", &format!("a:\n  {deep}"));
            assert!(
                told.contains("nested deeper") || told.contains("no valid YAML"),
                "{told}"
            );
        }
        let json = format!("{{\"a\": {}", "[".repeat(100_000));
        assert!(bomb("deep JSON", &json).contains("recursion limit"));
        let wide = format!("{{\"a\": [0{}]}}", ",0".repeat(300_000));
        assert!(bomb("wide JSON", &wide).contains("has more than 200000 values"));
        let wide = format!("a:\n{}", "- 0\n".repeat(300_000));
        assert!(bomb("wide YAML", &wide).contains("has more than 200000 values"));
        let merges = format!(
            "a: &a {{{}}}\nb:\n{}",
            (0..1000).map(|n| format!("k{n}: 1, ")).collect::<String>(),
            "  <<: *a\n".repeat(1000)
        );
        assert!(bomb("merges", &merges).contains("has more than 200000 values"));
    }

    /// What is dear to hold is refused before it is held; what only looks like it is not.
    #[test]
    fn mappings_and_brackets_count_for_what_they_hold() {
        let json = |count| format!("{{\"a\": [{}0]}}", "{\"b\": 1}, ".repeat(count));
        for (name, text) in [
            ("mappings", "- {a: 1}\n".repeat(65_000)),
            ("block mappings", "- a: 1\n".repeat(65_000)),
            ("JSON", json(65_000)),
            ("one line", format!("[{}]", "\"a\",".repeat(460_000))),
            ("anchors", format!("[{}]", "&a ".repeat(600_000))),
        ] {
            assert!(
                bomb(name, &text).contains("has more than 200000 values"),
                "{name}"
            );
        }
        // The scanner alone would take longer to find the end of this than to refuse it.
        let open = format!("[{}", "a,".repeat(SIGNS_LIMIT));
        assert!(problem(&open).contains("has more than 200000 values"));
        let signs = "a: b, [c] {d} - ".repeat(50_000);
        for (name, text) in [
            ("mappings", "- {a: 1}\n".repeat(9000)),
            ("JSON", json(9000)),
            (
                "JSON with signs in a string",
                json(1).replace('b', &format!("\\\"{signs}")),
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
        ] {
            assert_eq!(documents(&text).map(|all| all.len()), Ok(1), "{name}");
        }
    }
}
