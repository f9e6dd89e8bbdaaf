use super::*;

#[test]
fn what_is_packed_comes_back_and_gzip_can_read_it() {
    for content in [&b""[..], b"landfall", &[7; 300_000]] {
        assert_eq!(
            unpack(&pack(content), content.len().max(1)),
            Ok(content.to_vec())
        );
    }
    // By `printf landfall | gzip -n`.
    let packed = [
        0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xcb, 0x49, 0xcc, 0x4b, 0x49, 0x4b, 0xcc, 0xc9,
        0x01, 0, 0x7b, 0x92, 0xff, 0x4b, 0x08, 0, 0, 0,
    ];
    assert_eq!(unpack(&packed, 8), Ok(b"landfall".to_vec()));
    assert_eq!(pack(b"landfall")[10..], packed[10..]);
}

#[test]
fn more_than_is_allowed_is_not_unpacked() {
    let bomb = pack(&vec![0; 10_000_000]);
    assert!(bomb.len() < 20_000);
    assert_eq!(unpack(&bomb, 9_999_999), Err(GzipError::TooLarge));
}

#[test]
fn damaged_data_is_recognised_wherever_it_is_damaged() {
    let packed = pack(br#"{"objects": [{"name": "web"}, {"name": "db"}]}"#);
    for end in 0..packed.len() {
        assert_eq!(
            unpack(&packed[..end], 1000),
            Err(GzipError::Damaged),
            "{end}"
        );
    }
    // The time, the hint and the system say nothing of the content.
    for place in (0..4).chain(HEADER.len()..packed.len()) {
        let mut other = packed.clone();
        other[place] ^= 0x10;
        assert!(unpack(&other, 1000).is_err(), "{place}");
    }
}
