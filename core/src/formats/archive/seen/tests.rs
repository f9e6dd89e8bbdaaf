use super::*;

#[test]
fn what_was_seen_is_said() {
    let pointer =
        br#"{"connectionArn": "arn:x", "fullRepositoryId": "org/web", "cloneUrl": "https://x"}"#;
    let manifest = br#"{"apiVersion": "apps/v1", "kind": "Deployment"}"#;
    let mut tar = vec![b'a'; 512];
    tar[257..262].copy_from_slice(b"ustar");
    for (content, expected) in [
        (&b""[..], Found::Empty),
        (pointer, Found::Pointer),
        (
            br#"{"FullRepositoryName": "team/app", "CommitId": "e0c7"}"#,
            Found::Pointer,
        ),
        (manifest, Found::Json),
        (br#"{"kind": "X", "cloneUrl": "a"}"#, Found::Json),
        (b"[1]", Found::Json),
        (b"apiVersion: apps/v1\nkind: Deployment\n", Found::Text),
        ("größe: ü".as_bytes(), Found::Text),
        (b"{ broken", Found::Text),
        (b"\x1f\x8b\x08", Found::Packed("gzip (tar.gz)")),
        (&tar, Found::Packed("tar")),
        (b"PK\x03\x04\x14\0\0\0", Found::Cut),
        (b"\x7fELF\0\xff", Found::Other),
    ] {
        assert_eq!(Found::of(content, true), expected, "{content:?}");
    }
    // Of a large object only the end is here.
    assert_eq!(Found::of(&"ü: a\n".as_bytes()[1..], false), Found::Text);
    assert_eq!(Found::of(b"\x1f\x8b\x08", false), Found::Other);
}
