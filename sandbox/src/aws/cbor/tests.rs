use super::*;
use serde_json::json;

#[test]
fn what_is_written_is_read() {
    let value = json!({"Names": ["a", "é".repeat(30)], "Count": 7, "Big": 1_000_000_007,
        "Less": -5, "Half": 0.5, "Yes": true, "No": false, "Nothing": null,
        "StateUpdatedTimestamp": 1_700_000_000.25});
    assert_eq!(decode(&encode(&value)), Some(value));
}

#[test]
fn times_have_the_tag_of_epoch_seconds() {
    let bytes = encode(&json!({"ATimestamp": 1}));
    assert_eq!(bytes, b"\xa1\x6aATimestamp\xc1\x01");
}

#[test]
fn the_sdk_writes_open_maps() {
    // {_ "AlarmNames": ["a"], "MaxRecords": 100}
    let bytes = b"\xbf\x6aAlarmNames\x81\x61a\x6aMaxRecords\x18\x64\xff";
    let expected = json!({"AlarmNames": ["a"], "MaxRecords": 100});
    assert_eq!(decode(bytes), Some(expected));
}

#[test]
fn what_is_cut_or_too_deep_is_refused() {
    let whole = encode(&json!({"Names": ["a", "b"], "Count": 300}));
    for end in 0..whole.len() {
        assert_eq!(decode(&whole[..end]), None, "{end}");
    }
    let more = [&whole[..], b"\x01"].concat();
    assert_eq!(decode(&more), None);
    assert_eq!(decode(&[0x81; 100]), None);
    assert_eq!(decode(b"{}"), None);
}
