use super::*;

#[test]
fn ranges_are_cut_as_s3_does() {
    for (range, total, expected) in [
        ("bytes=-10", 100, Some((90, 100))),
        ("bytes=-200", 100, Some((0, 100))),
        ("bytes=-5", 0, None),
        ("bytes=0-0", 1, Some((0, 1))),
        ("bytes=10-19", 100, Some((10, 20))),
        ("bytes=90-200", 100, Some((90, 100))),
        ("bytes=100-", 100, None),
        ("bytes=5-", 100, Some((5, 100))),
        ("bytes=x", 100, None),
    ] {
        assert_eq!(range_of(range, total), expected, "{range} of {total}");
    }
    assert_eq!(decoded("a%2Fb%20c%zz%"), "a/b c%zz%");
}
