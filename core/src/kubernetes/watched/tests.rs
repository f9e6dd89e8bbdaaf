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
