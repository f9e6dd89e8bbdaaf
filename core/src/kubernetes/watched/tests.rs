use super::*;

#[test]
fn what_is_no_line_of_a_watch_is_told_from_what_is() {
    let pod = |change: &str| {
        let metadata = r#"{"name": "web-1-a", "namespace": "shop", "resourceVersion": "7"}"#;
        format!(r#"{{"type": "{change}", "object": {{"kind": "Pod", "metadata": {metadata}}}}}"#)
    };
    let gone = r#"{"type": "ERROR", "object": {"kind": "Status", "metadata": {}, "code": 410}}"#;
    for (line, change) in [
        (pod("ADDED"), Some(Change::Put)),
        (pod("MODIFIED"), Some(Change::Put)),
        (pod("DELETED"), Some(Change::Gone)),
        (pod("BOOKMARK"), Some(Change::Bookmark)),
        (pod("PATCHED"), None),
        (gone.to_owned(), Some(Change::Ended)),
        ("<html>".to_owned(), None),
        ("{}".to_owned(), None),
        (pod("ADDED")[..40].to_owned(), None),
    ] {
        let read = Line::read(line.as_bytes());
        assert_eq!(read.as_ref().map(|read| read.change), change, "{line}");
        if let Some(read) = read.filter(|read| read.change != Change::Ended) {
            assert_eq!((&*read.kind, &*read.version), ("Pod", "7"));
        }
    }
}

#[test]
fn a_watch_begins_right_before_the_newest_change_of_its_list() {
    for (objects, list, start) in [
        (&["998", "1000"][..], "1003", "999"),
        (&["1000"], "1000", "999"),
        (&["1000"], "1098", "999"),
        // The change may be forgotten already.
        (&["1000"], "1099", "1099"),
        (&[], "1003", "1003"),
        // 0 means anything that the server has.
        (&["1"], "5", "5"),
        (&["2"], "5", "1"),
        // What is not a number, or does not grow.
        (&["a-2"], "a-3", "a-3"),
        (&["1000"], "a-3", "a-3"),
        (&["1000"], "900", "900"),
        (&["99999999999999999999"], "5", "5"),
        (
            &["18446744073709551615"],
            "18446744073709551615",
            "18446744073709551614",
        ),
        (&["7"], "", ""),
    ] {
        let mut newest = Newest::default();
        objects.iter().for_each(|object| newest.add(object));
        assert_eq!(newest.start(list), start, "{objects:?} in {list}");
    }
}
