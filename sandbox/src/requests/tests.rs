use super::*;
use crate::terminal::plain;

fn share(version: &str, part: f64, mark: Mark) -> Share {
    Share {
        version: version.to_owned(),
        part,
        mark,
    }
}

#[test]
fn dots_come_in_the_shares_of_the_versions() {
    let mut requests = Requests::default();
    let old = [share("old 1.0", 1.0, Mark::Old)];
    (0..10).for_each(|_| requests.flow(&old));
    let both = [
        share("new 2.0", 0.1, Mark::Error),
        share("old 1.0", 0.9, Mark::Old),
    ];
    (0..20).for_each(|_| requests.flow(&both));
    let lines = requests.lines(&both, 60);
    let lines = lines.iter().map(|line| plain(line)).collect::<Vec<_>>();
    let count = |dot: char| lines[0].chars().filter(|one| *one == dot).count();
    assert_eq!((count('•'), count('×'), count('◆')), (28, 2, 0));
    assert_eq!(lines[1], "            × new 2.0 10 %   • old 1.0 90 %");
    // Only the newest fit.
    let narrow = plain(&requests.lines(&both, 24)[0]);
    assert_eq!(narrow.chars().count(), 22);
    let told = "requests: new 2.0 10 %, with errors; old 1.0 90 %";
    assert_eq!(words(&both), told);
    assert!(requests.lines(&[], 60).is_empty());
}

#[test]
fn a_share_is_a_whole_number_of_percent() {
    for (part, whole) in [
        (0.0, 0),
        (0.1, 10),
        (1.0 / 3.0, 33),
        (0.999, 100),
        (1.0, 100),
    ] {
        assert_eq!(percent(part), whole);
    }
}
