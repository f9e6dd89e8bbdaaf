//! The parser and the rules, on small made-up trees: what finds nothing must be able to.

use super::source::{blank, functions, paths, without_tests};
use super::tree::{Arrows, Tree, circling};
use super::{floors, offending, too_long, unplanned};
use std::collections::BTreeMap;

fn told(arrows: &Arrows) -> Vec<String> {
    let line = |((from, to), names): (&(String, String), &_)| {
        let names: &std::collections::BTreeSet<String> = names;
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        format!("{from} -> {to}: {}", names.join(", "))
    };
    arrows.iter().map(line).collect()
}

/// The arrows of one file among `a`, `b`, `b/c`, `b/c/d`, as `to: names`.
fn arrows_of(module: &str, text: &str) -> Vec<String> {
    let others = ["lib.rs", "a.rs", "b.rs", "b/c.rs", "b/c/d.rs"];
    let own = format!("{module}.rs");
    let mut texts: Vec<(&str, &str)> = vec![(&own, text)];
    texts.extend(
        others
            .iter()
            .filter(|other| **other != own)
            .map(|other| (*other, "")),
    );
    let arrows = told(&Tree::new("x", "mine", texts).arrows());
    let start = format!("x/{module} -> x/");
    arrows
        .iter()
        .map(|arrow| arrow.strip_prefix(&start).unwrap().to_owned())
        .collect()
}

#[test]
fn imports_are_resolved() {
    let cases: &[(&str, &str, &[&str])] = &[
        // Trees of `use`.
        ("a", "use crate::b::Thing;", &["b: Thing"]),
        ("a", "pub use crate::b::c as other;", &["b/c: (module)"]),
        ("a", "pub(crate) use crate::b::*;", &["b: *"]),
        (
            "a",
            "use crate::b::{self, c::{d, E}};",
            &["b: (module)", "b/c: E", "b/c/d: (module)"],
        ),
        ("a", "use crate::{b::c::{E, F,},};", &["b/c: E, F"]),
        ("a", "use mine::b::Thing;", &["b: Thing"]),
        ("a", "use crate::Thing;", &["lib: Thing"]),
        ("b/c", "use super::Thing;", &["b: Thing"]),
        ("b/c", "use super::super::a::Thing;", &["a: Thing"]),
        ("b/c/d", "use super::*;", &["b/c: *"]),
        ("b", "use self::c::Thing;", &["b/c: Thing"]),
        ("b", "use c::Thing;", &["b/c: Thing"]),
        ("b", "mod c; pub use c::d;", &["b/c/d: (module)"]),
        ("main", "use mine::a; mod b;", &["a: (module)"]),
        // Paths in the code.
        ("a", "fn f() { crate::b::c::go(1) }", &["b/c: go"]),
        ("b", "fn f() { c::go() }", &["b/c: go"]),
        (
            "b/c",
            "fn f(x: &super::Thing) -> super::super::a::A {}",
            &["a: A", "b: Thing"],
        ),
        ("a", "fn f() { for x in crate::b::all() {} }", &["b: all"]),
        ("a", "fn f() { <u8 as crate::b::T>::go() }", &["b: T"]),
        // No arrows.
        ("b", "pub mod c;", &[]),
        ("a", "use std::fmt; use serde::b::c;", &[]),
        ("a", "use other::a::b;", &[]),
        ("a", "fn f() { self.b::<u8>(); b.c(); x::crate_b() }", &[]),
        (
            "a",
            "fn f<'a>(x: &'a u8) -> impl T + use<'a> { { crate::b::go(); } }",
            &["b: go"],
        ),
        ("b/c", "pub(crate) struct S; pub(super) fn f() {}", &[]),
        ("b/c", "pub(in crate::a) fn f() {}", &["a: (module)"]),
        (
            "a",
            "// use crate::b::Thing;\n/* crate::b::go() /* */ use crate::b; */",
            &[],
        ),
        (
            "a",
            r##"const S: &str = "use crate::b::T;"; const R: &str = r#""crate::b::T""#;"##,
            &[],
        ),
        (
            "a",
            "#[cfg(test)]\nmod tests {\n    use crate::b::Thing;\n}",
            &[],
        ),
        (
            "a",
            "#[cfg(test)]\n#[path = \"x\"]\nuse crate::b::Thing;",
            &[],
        ),
        // After what is left out comes code again.
        ("a", "#[cfg(test)]\nmod tests;\nuse crate::b::T;", &["b: T"]),
        (
            "a",
            "fn f<'a>(x: &'a str) { x == '\"' } use crate::b::T; // \"",
            &["b: T"],
        ),
        (
            "a",
            "const Q: char = '\\''; const B: u8 = b'\"'; use crate::b::T;",
            &["b: T"],
        ),
        (
            "a",
            "const S: &str = \"\\\"\"; use crate::b::T; const E: &str = \"\";",
            &["b: T"],
        ),
        ("a", "const S: &str = r\"\\\"; use crate::b::T;", &["b: T"]),
    ];
    for (module, text, expected) in cases {
        assert_eq!(arrows_of(module, text), *expected, "{module}: {text}");
    }
}

#[test]
fn what_is_left_out_keeps_its_lines() {
    let text = "a /* b\nc */ d \"e\nf\" g\n";
    assert_eq!(blank(text), "a     \n     d   \n   g\n");
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
    assert_eq!(without_tests(text), "fn a() {}\n\nfn c() {}\n");
    assert!(paths(&blank("// crate::a::b")).is_empty());
}

#[test]
fn functions_are_measured() {
    let text = "struct S;\nimpl S {\n    fn a(x: [u8; 4]) -> [u8; 2]\n    where\n        S: T,\n    {\n\
                \x20       [0; 2]\n    }\n    fn declared();\n}\nconst F: fn(u8) = g;\nfn g() { if x { y } }\n";
    let found = functions(text);
    assert_eq!(found, [("a".to_owned(), 3, 6), ("g".to_owned(), 12, 1)]);
}

fn circle_of(texts: &[(&str, &str)]) -> Vec<String> {
    let circling = circling(&Tree::new("x", "mine", texts.iter().copied()).arrows());
    circling
        .iter()
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect()
}

#[test]
fn circles_are_found() {
    let a = ("a.rs", "use crate::b::B;");
    let b = ("b.rs", "use crate::c::C;");
    let c = ("c.rs", "use crate::d;");
    let d = ("d.rs", "");
    assert!(circle_of(&[a, b, c, d]).is_empty());
    let back = ("c.rs", "fn f() { crate::a::go() } use crate::d;");
    let circle = ["x/a -> x/b", "x/b -> x/c", "x/c -> x/a"];
    assert_eq!(circle_of(&[a, b, back, d]), circle);
    // A parent that only declares its child is none; one that calls it is.
    let child = ("p/k.rs", "use super::Thing;");
    assert!(circle_of(&[("p.rs", "mod k;"), child]).is_empty());
    let circle = ["x/p -> x/p/k", "x/p/k -> x/p"];
    assert_eq!(
        circle_of(&[("p.rs", "mod k; fn f() { k::go() }"), child]),
        circle
    );
}

const PAGE: &str = "# Page\n\n| other | table |\n|---|---|\n| 1 | `x` |\n\n\
    | floor | room | what it does |\n|---:|---|---|\n| 0 | `core/src/low` | a |\n\
    | 1 | `core/src/mid` | b |\n| 1 | `core/src/peer` | c |\n| 2 | `core/src/high` | d |\n\nEnd | `y` |\n";

fn core(texts: &[(&str, &str)]) -> Tree {
    Tree::new("core/src", "core", texts.iter().copied())
}

#[test]
fn the_table_is_read_and_must_be_whole() {
    let planned = floors(PAGE);
    let expected = [
        ("core/src/high", 2),
        ("core/src/low", 0),
        ("core/src/mid", 1),
        ("core/src/peer", 1),
    ];
    let expected = expected.map(|(room, floor)| (room.to_owned(), floor));
    assert_eq!(planned, BTreeMap::from(expected));
    let all = [
        ("lib.rs", ""),
        ("low.rs", ""),
        ("mid.rs", ""),
        ("mid/part.rs", ""),
        ("peer.rs", ""),
        ("high.rs", ""),
    ];
    assert!(unplanned(&planned, &[core(&all)]).is_empty());
    let other = [&all[..5], &[("new.rs", "")]].concat();
    let faults = unplanned(&planned, &[core(&other)]);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("core/src/new is not in"));
    assert!(faults[1].starts_with("core/src/high has a floor"));
}

#[test]
fn arrows_upward_are_found_until_they_are_listed() {
    let planned = floors(PAGE);
    let faults = |texts: &[(&str, &str)], yet: &[(&str, &str, &str)]| {
        let all = [
            "lib.rs",
            "low.rs",
            "mid.rs",
            "mid/part.rs",
            "peer.rs",
            "high.rs",
        ];
        let mut texts = texts.to_vec();
        let missing = all
            .iter()
            .filter(|all| !texts.iter().any(|(path, _)| path == *all));
        let missing: Vec<(&str, &str)> = missing.map(|path| (*path, "")).collect();
        texts.extend(missing);
        offending(&core(&texts).arrows(), &planned, yet)
    };
    let none: [&str; 0] = [];
    let down = [
        ("high.rs", "use crate::low::L;"),
        ("mid/part.rs", "use super::M;"),
    ];
    assert_eq!(faults(&down, &[]), none);
    let up = [("mid/part.rs", "use crate::high::H;")];
    let told = "floor 1 from floor 2: core/src/mid/part -> core/src/high: H";
    assert_eq!(faults(&up, &[]), [told]);
    // Rooms of one floor do not know each other.
    let across = [("mid.rs", "use crate::peer::P;")];
    assert_eq!(
        faults(&across, &[]),
        ["floor 1 from floor 1: core/src/mid -> core/src/peer: P"]
    );
    // The list holds for a room with its files, for nothing else, and not longer than needed.
    let listed = ("core/src/mid", "core/src/high", "why");
    assert_eq!(faults(&up, &[listed]), none);
    let off = "take off the list: core/src/mid -> core/src/high";
    assert_eq!(faults(&down, &[listed]), [off]);
    let both = [up[0], ("low.rs", "use crate::mid::M;")];
    assert_eq!(
        faults(&both, &[listed]),
        ["floor 0 from floor 1: core/src/low -> core/src/mid: M"]
    );
    // A circle of listed arrows alone is reason enough to be listed.
    let circle = [
        ("mid.rs", "mod part; use part::P;"),
        ("mid/part.rs", "use super::M;"),
    ];
    assert_eq!(faults(&circle, &[]).len(), 2);
    assert_eq!(
        faults(&circle, &[("core/src/mid", "core/src/mid", "why")]),
        none
    );
}

#[test]
fn long_files_and_functions_are_found_until_they_are_listed() {
    let long = "\n".repeat(401);
    let body = format!("fn f() {{\n{}}}\n", "x();\n".repeat(69));
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "x();\n".repeat(500));
    let fits = [("low.rs", &long[1..]), ("peer.rs", tests.as_str())];
    let none: [&str; 0] = [];
    assert_eq!(too_long(&[core(&fits)], &[]), none);
    let tree = core(&[("low.rs", &long), ("mid.rs", &body)]);
    let found = [
        "too long: core/src/low: 401 lines",
        "too long: core/src/mid:f: 71 lines, at 1",
    ];
    assert_eq!(too_long(&[tree], &[]), found);
    let yet = [("core/src/low", "why"), ("core/src/mid:f", "why")];
    assert_eq!(
        too_long(&[core(&[("low.rs", &long), ("mid.rs", &body)])], &yet),
        none
    );
    let off = [
        "take off the list: core/src/low",
        "take off the list: core/src/mid:f",
    ];
    assert_eq!(too_long(&[core(&fits)], &yet), off);
}
