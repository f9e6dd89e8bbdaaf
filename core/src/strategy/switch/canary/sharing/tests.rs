use super::{pods_for, share_of};

#[test]
fn a_share_has_the_pods_that_it_takes_beside_the_old_ones() {
    let cases = [
        // percent, old pods, pods of the candidate, the share that they really have
        (10, 3, 1, 25),
        (10, 9, 1, 10),
        (10, 10, 2, 17),
        (10, 19, 3, 14),
        (5, 19, 1, 5),
        (1, 1, 1, 50),
        (50, 1, 1, 50),
        (50, 4, 4, 50),
        (34, 4, 3, 43),
        (50, 0, 1, 50),
    ];
    for (percent, old, pods, share) in cases {
        assert_eq!(pods_for(percent, old), pods, "{percent} % beside {old}");
        assert_eq!(share_of(pods, old.max(1)), share, "{pods} beside {old}");
    }
}

#[test]
fn half_never_takes_more_pods_than_the_old_version_has() {
    for old in 1..200 {
        for percent in 1..=50 {
            let pods = pods_for(percent, old);
            assert!(
                (1..=old).contains(&pods),
                "{percent} % beside {old}: {pods}"
            );
            assert!(
                pods * 100 >= i64::from(percent) * (pods + old),
                "{percent} % beside {old}"
            );
        }
    }
}
