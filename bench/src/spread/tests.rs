use super::*;

#[test]
fn a_spread_is_made_of_what_was_measured() {
    let cases: [(&[f64], [f64; 4]); 5] = [
        (&[7.0], [7.0, 7.0, 7.0, 7.0]),
        (&[2.0, 1.0], [1.0, 1.0, 2.0, 2.0]),
        (&[3.0, 1.0, 2.0], [1.0, 2.0, 3.0, 3.0]),
        (&[4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 4.0, 4.0]),
        (
            &[10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
            [1.0, 5.0, 9.0, 10.0],
        ),
    ];
    for (samples, [best, median, ninety, worst]) in cases {
        let count = samples.len();
        let expected = Spread {
            count,
            best,
            median,
            ninety,
            worst,
        };
        assert_eq!(
            Spread::of(samples.iter().copied()),
            Some(expected),
            "{samples:?}"
        );
    }
    assert_eq!(Spread::of([]), None);
}
