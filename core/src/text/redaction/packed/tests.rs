use super::find;

/// The text `hunter2-hunter2-hunter2` as gzip, zlib, zstd, bzip2 and xz pack it, in base64.
const PACKED: [&str; 5] = [
    "H4sIAAAAAAACA8sozStJLTLSzUClAZOr07UXAAAA",
    "eJzLKM0rSS0y0s1ApQFqggiz",
    "KLUv/SQXnQAAYGh1bnRlcjItaHVudGVyMgEAhkgrAfo5TPM=",
    "QlpoOTFBWSZTWXhEl1oAAAQZgAACEAACQRYAIAAhtQaaEMCKTOLxQZCHi7kinChIPCJLrQA=",
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AAWAA5dADQdSgEEtD2FUFUx2YAAAAAAYGso6NQe",
];

fn shown(text: &str) -> String {
    let mut shown = text.to_owned();
    for (start, end) in find(text).into_iter().rev() {
        shown.replace_range(start..end, "[hidden]");
    }
    shown
}

#[test]
fn compressed_data_is_found_as_a_whole() {
    for packed in PACKED {
        let text = format!("sent payload={packed}, and {packed}");
        assert_eq!(shown(&text), "sent payload=[hidden], and [hidden]");
    }
    let digits = "1f8b0800000000000203cb28cd2b492d32d2cd40a50193abd3b517000000";
    assert_eq!(shown(digits), "[hidden]");
    let line = PACKED[0].trim_end_matches('=').repeat(2);
    let wrapped = format!("data: {line}\n  {line}\n  Zm9v\nerror: no such host");
    assert_eq!(shown(&wrapped), "data: [hidden]\nerror: no such host");
    let next = format!("{}\nerror", PACKED[1]);
    assert_eq!(shown(&next), "[hidden]\nerror");
}

#[test]
fn what_only_begins_so_stays() {
    for text in [
        "H4sI",
        "eJwords and more",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.c2ln",
        "sha256:789c65c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53c9b3111",
        "the eAEventHandlerOfTheShop",
        "Qlporation of things that are long",
        "",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}
