use super::*;

#[test]
fn members_side_by_side_are_read_together_and_never_too_much_at_once() {
    let far = 10 * READ_LIMIT;
    let ranges = [
        100..200,
        far..far + READ_LIMIT,
        0..90,
        200 + GAP_LIMIT..300 + GAP_LIMIT,
        far + READ_LIMIT..far + READ_LIMIT + 1,
        3 * READ_LIMIT..6 * READ_LIMIT,
        // Its own bytes are in another's, as an archive may claim.
        120..130,
    ];
    let batch = |range: Range<u64>, members: &[usize]| Batch {
        range,
        members: members.to_vec(),
    };
    assert_eq!(
        batches(&ranges),
        [
            batch(0..300 + GAP_LIMIT, &[2, 0, 6, 3]),
            batch(3 * READ_LIMIT..6 * READ_LIMIT, &[5]),
            batch(far..far + READ_LIMIT, &[1]),
            batch(far + READ_LIMIT..far + READ_LIMIT + 1, &[4]),
        ]
    );
    assert_eq!(batches(&[]), []);
}
